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

/// All of them.
pub const ALL: &[Code] = &[NO_FILES, UNREADABLE, TOO_MANY];
