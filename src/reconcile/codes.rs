//! What can go wrong while bills are read and reconciled: E0720 to E0799.

use crate::domain::code::StableCode;

/// The external ledger cannot be read.
pub const LEDGER_UNREADABLE: StableCode = StableCode::new(
    "E0720",
    "external ledger unreadable",
    "the file could not be opened or is not CSV (or Parquet) at all",
    "check the path and the permissions, and export the ledger again",
);
/// A mandatory column is missing.
pub const COLUMN_MISSING: StableCode = StableCode::new(
    "E0721",
    "external ledger column missing",
    "without this column the bills cannot be classed",
    "add the column to the export; the columns are listed in docs/formats.md",
);
/// More bills than one run can hold.
pub const TOO_MANY_BILLS: StableCode = StableCode::new(
    "E0722",
    "too many bills for one run",
    "a run holds up to 4,294,967,295 bills and 4 GiB of their ids",
    "split the ledger by channel or by year",
);
/// The period is not one.
pub const PERIOD: StableCode = StableCode::new(
    "E0723",
    "no period",
    "the last day is before the first, or outside the calendar",
    "give `--from` and `--to` as WIB days, the first not after the last",
);
/// A report file cannot be written.
pub const NOT_WRITTEN: StableCode = StableCode::new(
    "E0724",
    "result file not written",
    "a result file could not be written; what stood in its place before is unchanged",
    "check free space and permissions of the output folder, then run the same command again",
);
/// A control identity does not hold.
pub const IDENTITY: StableCode = StableCode::new(
    "E0725",
    "a control identity does not hold",
    "two counters that must agree do not, so the report must not be relied on",
    "keep the inputs and the output folder, run `tagih ledger verify`, and report the defect",
);
/// The earlier output folder cannot be read.
pub const CARRY_IN: StableCode = StableCode::new(
    "E0726",
    "earlier output unreadable",
    "the payments of the earlier period could not be read from `matched.parquet`",
    "name the output folder of an earlier `tagih reconcile`",
);

/// Too many lines of the logs are malformed.
pub const MALFORMED: StableCode = StableCode::new(
    "E0727",
    "too many malformed evidence lines",
    "so large a part of a log could not be read (N01), or it is no log at all, that payments may be missing; whatever could be read was used, but an evidence store takes nothing of it",
    "check that the file is a whole notification log, or raise `reconcile.malformed_lines_max_percent` if it is meant to be so",
);

/// Two runs into one folder.
pub const FOLDER_HELD: StableCode = StableCode::new(
    "E0728",
    "the folder of results is in use",
    "another process writes its results into this folder, and the files of both would stand mixed in it; nothing was done",
    "wait until it has ended, or name another folder with `--out`",
);

/// An audit kit is a folder of its own.
pub const FOLDER_USED: StableCode = StableCode::new(
    "E0729",
    "the folder holds something else",
    "an audit kit is handed out as it is, so it is written into an empty folder, or over an earlier kit, and beside nothing else",
    "name an empty or new folder with `--out`",
);

/// Opening balances cannot be taken over.
pub const OPENING: StableCode = StableCode::new(
    "E0850",
    "opening balances unusable",
    "the folder does not hold the closing balances of the period right before, or not as they were signed: a list, a balance or a hash was changed",
    "name the output folder that was closed for that period, as it was written; if it is lost, reopen the period and reconcile it again",
);

/// A report cannot be signed because it is not whole.
pub const NOT_WHOLE: StableCode = StableCode::new(
    "E0851",
    "report folder not whole",
    "a file of the report is missing, or is not what its inputs make",
    "reconcile the period again, and close it with that report",
);
/// A report is not that of the period.
pub const OTHER_DAYS: StableCode = StableCode::new(
    "E0852",
    "report of other days",
    "only a report of exactly the period's days, drawn up after their end, can close it",
    "run `tagih reconcile --period` for the month once it is over",
);
/// A report whose figures do not agree.
pub const UNSIGNABLE: StableCode = StableCode::new(
    "E0853",
    "report with a failed control identity",
    "two counters in the report differ, so its balances must not be relied on",
    "keep the inputs and the output folder, and report the defect",
);
/// Periods out of their order.
pub const ORDER: StableCode = StableCode::new(
    "E0854",
    "period out of order",
    "periods are closed one right after the other, each carried on from the balances signed before, and reopened the last one first",
    "see `tagih period list`; reconcile with `--opening auto` before closing",
);
/// A second person is missing.
pub const REVIEWER: StableCode = StableCode::new(
    "E0855",
    "a second person must agree",
    "under `discrepancies.four_eyes` a close, or an opening again, is proposed by one person and approved by another, told apart by their \
     accounts of the system and by their names",
    "`tagih period propose`, then somebody else `tagih period approve`",
);
/// Nothing waits for a second person.
pub const NOTHING_PROPOSED: StableCode = StableCode::new(
    "E0856",
    "nothing waits to be approved",
    "no close of this month, and no opening again, was proposed, or something about periods was recorded since",
    "`tagih period propose` comes first; `tagih period list` shows what is closed",
);
/// The books of a folder cannot be asked.
pub const BOOKS_UNREADABLE: StableCode = StableCode::new(
    "E0857",
    "the books of a report cannot be read",
    "the folder has no `carry/`, or a file of it is not what was written",
    "name the output folder of a `tagih reconcile`, whole; a copy that a spreadsheet saved anew is none",
);

/// A report made again is another.
pub const STALE: StableCode = StableCode::new(
    "E0858",
    "report made again is another",
    "a close makes the report again from what its summary says it was made from; an input, the store of evidence \
     among them, is missing or was changed, or the ledger, the journal or the settings went on and the balances are others now",
    "reconcile the period again, look at that report, and close it with that; where the ledger goes on meanwhile, do both on a copy of it",
);

/// A process that is whoever it says.
pub const NAMESPACE: StableCode = StableCode::new(
    "E0859",
    "nobody's account",
    "decisions are told apart by accounts of the system, and in a user namespace a process has whichever account it likes",
    "run the command outside of `unshare` and rootless containers",
);

/// What sudo cannot have said.
pub const NO_ACCOUNT: StableCode = StableCode::new(
    "E0860",
    "no account became root",
    "decisions are told apart by accounts of the system; who became root is told by `SUDO_UID`, and what it says is no account's number",
    "run the command by `sudo` itself, or unset `SUDO_UID` where root itself decides",
);

/// What must be known of the months before.
pub const CAVEAT: StableCode = StableCode::new(
    "E0861",
    "a month before rests on what is not believed today",
    "a month that this one goes on from believed a key that was revoked since, or knew a ledger, or a word about a key, that is in none of the ledgers \
     that were asked now: an older copy, another ledger, or none",
    "make that month anew (`tagih period reopen`, the last closed month first), or use the ledger that is in use; if it stands all the same, close with `--accept`",
);

/// All of them.
pub const ALL: &[StableCode] = &[
    LEDGER_UNREADABLE,
    COLUMN_MISSING,
    TOO_MANY_BILLS,
    PERIOD,
    NOT_WRITTEN,
    IDENTITY,
    CARRY_IN,
    MALFORMED,
    FOLDER_HELD,
    FOLDER_USED,
    OPENING,
    NOT_WHOLE,
    OTHER_DAYS,
    UNSIGNABLE,
    ORDER,
    REVIEWER,
    NOTHING_PROPOSED,
    BOOKS_UNREADABLE,
    STALE,
    NAMESPACE,
    NO_ACCOUNT,
    CAVEAT,
];
