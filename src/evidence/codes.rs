//! What can go wrong while evidence is read: E0700 to E0719.

use crate::domain::code::Code;

/// A pattern or path names no log.
pub const NO_FILES: Code = Code::new(
    "E0701",
    "no notification log",
    "a pattern or path names no file; a period without evidence would look like a period without payments",
    "correct the path, or fetch the logs of the period first",
);
/// A log cannot be opened, read or decompressed.
pub const UNREADABLE: Code = Code::new(
    "E0702",
    "notification log unreadable",
    "a log could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete, then run the same command again",
);
/// More lines than one run can hold.
pub const TOO_MANY: Code = Code::new(
    "E0703",
    "too much evidence for one run",
    "a run holds up to 4,294,967,295 lines and 4 GiB of ids that match no bill",
    "reconcile a shorter period, or check that the logs belong to this ledger",
);

/// A settlement file cannot be opened, read or decompressed.
pub const SETTLEMENT_UNREADABLE: Code = Code::new(
    "E0704",
    "settlement file unreadable",
    "the file could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete; workbooks must be XLSX, not XLS or a protected one",
);
/// A file without the table of a settlement report.
pub const SETTLEMENT_NONE: Code = Code::new(
    "E0705",
    "no settlement report",
    "no row of the file names the columns of DOKU's settlement report, or several sheets do",
    "give the CSV or XLSX file as DOKU sent it: comma-separated, with its header row",
);
/// A column of the settlement report is missing or there twice.
pub const SETTLEMENT_COLUMN: Code = Code::new(
    "E0706",
    "settlement column missing or twice",
    "without this column, or with two of it, the rows cannot be held against payments",
    "give the file as DOKU sent it; the columns are listed in docs/formats-settlement.md",
);
/// A total above the table cannot be read.
pub const SETTLEMENT_TOTAL: Code = Code::new(
    "E0707",
    "settlement total unreadable",
    "a total above the rows is no plain integer, so the rows cannot be held against it",
    "give the file as DOKU sent it: a spreadsheet program may have added separators on saving",
);

/// A bank statement cannot be opened, read or decompressed.
pub const BANK_UNREADABLE: Code = Code::new(
    "E0708",
    "bank statement unreadable",
    "the file could not be opened, read or decompressed to its end; nothing was concluded from the part that could",
    "check the path, the permissions and whether the copy is complete; workbooks must be XLSX, not XLS or a protected one",
);
/// A file without the columns of a bank statement.
pub const BANK_COLUMN: Code = Code::new(
    "E0709",
    "no bank statement, or a column missing or twice",
    "no row of the file names a day, an amount and a text, so its rows cannot be lines of a bank account",
    "map the bank's own headers in a layout: `date`, `amount` (or `credit` and `debit`), `description`; see docs/formats-bank.md",
);
/// A row of a bank statement that is no line.
pub const BANK_LINE: Code = Code::new(
    "E0710",
    "row of a bank statement unreadable",
    "a row has no day or no amount that can be read; it is told, counted, and posts nothing, so the pay-out it may be of stays open",
    "look at the named cell; if all rows are written so, say how in a layout (`date_format`, `amount_format`)",
);
/// A statement is given, and the settings say that there is none.
pub const BANK_UNEXPECTED: Code = Code::new(
    "E0711",
    "bank statement not expected",
    "`bank.statement` is false, so every pay-out counts as banked at once, and a statement would bank it a second time",
    "set `bank.statement = true` from the month on whose statements are given",
);

/// All of them.
pub const ALL: &[Code] = &[
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
];
