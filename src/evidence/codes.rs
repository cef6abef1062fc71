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

/// All of them.
pub const ALL: &[Code] = &[NO_FILES, UNREADABLE, TOO_MANY, SETTLEMENT_UNREADABLE, SETTLEMENT_NONE, SETTLEMENT_COLUMN, SETTLEMENT_TOTAL];
