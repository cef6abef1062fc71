//! The journal's and its decisions' stable codes, E0801 to E0819.

use crate::domain::code::StableCode;

/// A journal that is not what was written.
pub const DAMAGED: StableCode = StableCode::new(
    "E0801",
    "the journal is damaged",
    "a line is not what was written, does not follow the one before it, or tells what cannot have happened",
    "record nothing more; put the last backup back, and keep the damaged file for the auditor",
);

/// A journal that cannot be read or made durable.
pub const STORAGE: StableCode = StableCode::new(
    "E0802",
    "the journal's disk failed",
    "the journal could not be read, or a line could not be made durable; what was recorded before stands",
    "check free space and permissions of `journal.path`, then run the same command again",
);

/// A discrepancy that nobody has seen.
pub const UNKNOWN: StableCode = StableCode::new(
    "E0803",
    "unknown discrepancy",
    "no report that was taken in holds a discrepancy with this id",
    "take the report in with `tagih discrepancies take DIR`, or copy the id from its discrepancies.csv",
);

/// Facts that have gone on.
pub const STALE: StableCode = StableCode::new(
    "E0804",
    "the facts have changed",
    "the decision was prepared on facts that a later report has replaced, so it might no longer be right",
    "look at the discrepancy again, export anew, and decide on what is known now",
);

/// What cannot happen now.
pub const STATUS: StableCode = StableCode::new(
    "E0805",
    "not possible in this status",
    "what was asked cannot happen to a discrepancy in the status it is in, such as deciding what is decided",
    "see `tagih discrepancies show ID`; `tagih discrepancies reopen ID` takes a decision back",
);

/// One person who would be two.
pub const SAME_PERSON: StableCode = StableCode::new(
    "E0806",
    "preparer and reviewer are one person",
    "a second person must agree, and names that differ only in case or spaces are one person",
    "let somebody else approve it, with `--by` their name",
);

/// An action for something else.
pub const UNFIT: StableCode = StableCode::new(
    "E0807",
    "the action does not fit",
    "refund, apply and credit need money of a customer that is held; write_off needs an amount that is open",
    "decide on the payment's own discrepancy, or use `accept`",
);

/// Words that cannot be kept.
pub const TEXT: StableCode = StableCode::new(
    "E0808",
    "reason, name or comment unusable",
    "each must be 1 to 1,000 printable characters; a decision without a reason is worth nothing to an auditor",
    "say why in a sentence",
);

/// Nobody, or no reason.
pub const AUTHOR: StableCode = StableCode::new(
    "E0809",
    "nobody, or no reason, was named",
    "every line of the journal says who and why",
    "give `--by NAME` (or set `journal.actor`) and `--reason`",
);

/// A folder that is no whole report.
pub const NO_REPORT: StableCode = StableCode::new(
    "E0810",
    "report folder unreadable",
    "the folder does not hold a whole report: summary.json and discrepancies.jsonl, written by the same run",
    "name the output folder of a `tagih reconcile` that ended",
);

/// Rows of decisions that cannot be recorded.
pub const REFUSED: StableCode = StableCode::new(
    "E0811",
    "decisions refused",
    "a row of the file cannot be recorded; without `--partial` none of its rows is",
    "correct the rows that were named, or record the others with `--partial`",
);

/// An account that is not named.
pub const UNMAPPED: StableCode = StableCode::new(
    "E0812",
    "account not mapped",
    "an entry needs an account for which the configuration names none",
    "set the key below `[accounts]` that the message names",
);

/// Entries whose sides differ.
pub const UNBALANCED: StableCode = StableCode::new(
    "E0813",
    "debits and credits differ",
    "the sums of an entry, or of all entries, are not equal, so nothing was written",
    "keep the report folder and the journal, and report the defect",
);

/// Books that cannot be posted.
pub const UNPOSTED: StableCode = StableCode::new(
    "E0814",
    "the books cannot be posted",
    "what the run found, and what the books knew, are in a state that no evidence can lead to",
    "keep the inputs and the folder of the month before, and report the defect",
);

/// A month that is not signed.
pub const NOT_CLOSED: StableCode = StableCode::new(
    "E0815",
    "the month is not closed with this report",
    "entries are exported of closed months only, so that what is booked is what was signed",
    "close the month first, or give `--preliminary` for a look at what would be booked",
);

/// What was exported, and is not there.
pub const LOST: StableCode = StableCode::new(
    "E0816",
    "what was exported before is lost",
    "the file beside the journal that holds what was exported of the month is missing, or not as it was written",
    "put it back from a backup; without it nobody can say what is booked already",
);

/// A day of a signed month.
pub const CLOSED: StableCode = StableCode::new(
    "E0817",
    "the month is closed",
    "the decision would take effect on a day of a month that is signed, and what is signed does not change",
    "name a day of a month that is not closed, or none: then it is the day the decision is made",
);

/// What waits is not what was looked at.
pub const OTHER_PROPOSAL: StableCode = StableCode::new(
    "E0818",
    "another proposal waits",
    "whoever approves names the proposal they looked at, and what waits now is not that one: it was made anew or the facts went on",
    "look at what waits (`tagih discrepancies show ID`, `tagih period list`), then approve that by its `--proposal`",
);

/// All of them.
pub const ALL: &[StableCode] = &[
    DAMAGED,
    STORAGE,
    UNKNOWN,
    STALE,
    STATUS,
    SAME_PERSON,
    UNFIT,
    TEXT,
    AUTHOR,
    NO_REPORT,
    REFUSED,
    UNMAPPED,
    UNBALANCED,
    UNPOSTED,
    NOT_CLOSED,
    LOST,
    CLOSED,
    OTHER_PROPOSAL,
];
