//! What can go wrong while evidence is read: E0700 to E0719.

use crate::domain::code::StableCode;

/// A pattern or path names no log.
pub const NO_FILES: StableCode = StableCode::new(
    "E0701",
    "no notification log",
    "a pattern or path names no file; a period without evidence would look like a period without payments",
    "correct the path, or fetch the logs of the period first",
);
/// A log cannot be opened, read or decompressed.
pub const UNREADABLE: StableCode = StableCode::new(
    "E0702",
    "notification log unreadable",
    "a log could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete, then run the same command again",
);
/// More lines than one run can hold.
pub const TOO_MANY: StableCode = StableCode::new(
    "E0703",
    "too much evidence for one run",
    "a run holds up to 4,294,967,295 lines and 4 GiB of ids that match no bill",
    "reconcile a shorter period, or check that the logs belong to this ledger",
);

/// A settlement file cannot be opened, read or decompressed.
pub const SETTLEMENT_UNREADABLE: StableCode = StableCode::new(
    "E0704",
    "settlement file unreadable",
    "the file could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete; workbooks must be XLSX, not XLS or a protected one",
);
/// A file without the table of a settlement report.
pub const SETTLEMENT_NONE: StableCode = StableCode::new(
    "E0705",
    "no settlement report",
    "no row of the file names the columns of DOKU's settlement report, or several sheets do",
    "give the CSV or XLSX file as DOKU sent it: comma-separated, with its header row",
);
/// A column of the settlement report is missing or there twice.
pub const SETTLEMENT_COLUMN: StableCode = StableCode::new(
    "E0706",
    "settlement column missing or twice",
    "without this column, or with two of it, the rows cannot be held against payments",
    "give the file as DOKU sent it; the columns are listed in docs/formats-settlement.md",
);
/// A total above the table cannot be read.
pub const SETTLEMENT_TOTAL: StableCode = StableCode::new(
    "E0707",
    "settlement total unreadable",
    "a total above the rows is no plain integer, so the rows cannot be held against it",
    "give the file as DOKU sent it: a spreadsheet program may have added separators on saving",
);

/// A bank statement cannot be opened, read or decompressed.
pub const BANK_UNREADABLE: StableCode = StableCode::new(
    "E0708",
    "bank statement unreadable",
    "the file could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete; workbooks must be XLSX, not XLS or a protected one",
);
/// A file without the columns of a bank statement.
pub const BANK_COLUMN: StableCode = StableCode::new(
    "E0709",
    "no bank statement, or a column missing or twice",
    "no row of the file names a day, an amount and a text, so its rows cannot be lines of a bank account",
    "map the bank's own headers in a layout: `date`, `amount` (or `credit` and `debit`), `description`; see docs/formats-bank.md",
);
/// A row of a bank statement that is no line.
pub const BANK_LINE: StableCode = StableCode::new(
    "E0710",
    "row of a bank statement unreadable",
    "a row has no day or no amount that can be read; it is told, counted, and posts nothing, so the pay-out it may be of stays open",
    "look at the named cell; if all rows are written so, say how in a layout (`date_format`, `amount_format`)",
);
/// A statement is given, and the settings say that there is none.
pub const BANK_UNEXPECTED: StableCode = StableCode::new(
    "E0711",
    "bank statement not expected",
    "`bank.statement` is false, so every pay-out counts as banked at once, and a statement would bank it a second time",
    "set `bank.statement = true` from the month on whose statements are given",
);

/// A log expands beyond all measure.
pub const EXPANSION: StableCode = StableCode::new(
    "E0712",
    "log expands beyond measure",
    "a compressed log holds many times more than any log of messages does; it was not read on, for it may be made to fill the memory",
    "look at what is in the file, and take it away if it is no log; `evidence.expansion_max` is the limit",
);
/// More lines that cannot be read than any log has.
pub const FLOOD: StableCode = StableCode::new(
    "E0713",
    "evidence is mostly unreadable",
    "more than a million lines, and most of all that were read, are no messages; it was not read on, for each would have to be kept",
    "leave out the file that is no notification log, or unpack or unwrap it first (docs/formats-logs.md)",
);
/// A log is not what it was when it was added to the store.
pub const CHANGED: StableCode = StableCode::new(
    "E0714",
    "log changed since it was added",
    "a log of this name was added to the evidence store before, and some of its lines are others now, or are gone; the store keeps what it has",
    "find out who changed it; if it is another log, give it under another name",
);
/// There is no store where one was named.
pub const NO_STORE: StableCode = StableCode::new(
    "E0715",
    "no evidence store",
    "the folder holds no evidence store; a period without evidence would look like a period without payments",
    "correct the path, or make one with `tagih evidence add LOG… --store DIR`",
);
/// The store is not what was written.
pub const STORE_DAMAGED: StableCode = StableCode::new(
    "E0716",
    "evidence store damaged",
    "a file of the evidence store is missing, is not as it was written, or is none of its own; nothing was concluded from it",
    "restore the store from a backup, or make it anew from the logs in another folder; `tagih evidence verify` names all that is wrong",
);
/// The store is somebody else's, or of a later version.
pub const STORE_OTHER: StableCode = StableCode::new(
    "E0717",
    "another evidence store",
    "the evidence store was made for another account, with another seal key or by a later version",
    "use the settings it was made with, or another folder; a store is sealed anew by adding the logs into an empty folder",
);
/// Another process adds to the store.
pub const STORE_HELD: StableCode = StableCode::new(
    "E0718",
    "evidence store in use",
    "another process adds to the evidence store, or removes what is due from it",
    "wait for it to end, then run the same command again",
);
/// The store cannot be read or written.
pub const STORE_DISK: StableCode = StableCode::new(
    "E0719",
    "evidence store unusable",
    "the disk or the system refused to read or write a file of the evidence store; it is as it was before",
    "check free space and permissions, then run the same command again",
);

/// All of them.
pub const ALL: &[StableCode] = &[
    NO_FILES,
    UNREADABLE,
    TOO_MANY,
    SETTLEMENT_UNREADABLE,
    SETTLEMENT_NONE,
    SETTLEMENT_COLUMN,
    SETTLEMENT_TOTAL,
    BANK_UNREADABLE,
    BANK_COLUMN,
    BANK_LINE,
    BANK_UNEXPECTED,
    EXPANSION,
    FLOOD,
    CHANGED,
    NO_STORE,
    STORE_DAMAGED,
    STORE_OTHER,
    STORE_HELD,
    STORE_DISK,
];
