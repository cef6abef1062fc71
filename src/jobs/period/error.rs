//! Why a period cannot be closed or reopened, with the code and the way on for each.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::domain::caveat::Caveat;
use crate::domain::language::{Language, Say as _};
use crate::exit::{Exit, Explained, Explanation};
use crate::journal::JournalError;
use crate::reconcile::codes;
use crate::register::codes::OTHER_PROPOSAL;

/// Why a period cannot be closed or reopened.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    /// The folder is not as it was written (exit 7).
    #[error("E0851: the report in `{}` is not whole: {reason}\nhint: reconcile the period again, and use that report", path.display())]
    Report {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Made again, it is another (exit 7).
    #[error("E0858: the report in `{}` is not what would be made now: {reason}\nhint: reconcile the period again, look at that report, and close with it; where the ledger goes on meanwhile, do both on a copy (`tagih ledger backup`)", path.display())]
    Stale {
        /// Which folder.
        path: PathBuf,
        /// What is another now.
        reason: String,
    },
    /// The report is not that of the whole period (exit 2).
    #[error("E0852: the report cannot close {from} to {to}: {reason}\nhint: reconcile exactly these days, after their end")]
    Days {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
        /// What is wrong.
        reason: String,
    },
    /// A control identity does not hold (exit 8).
    #[error(
        "E0853: the report cannot be signed: {left} ≠ {right} in `{name}`\nhint: keep the inputs and the folder, and report the defect"
    )]
    Identity {
        /// Which.
        name: String,
        /// By one counter.
        left: String,
        /// By the other.
        right: String,
    },
    /// It does not follow the period before (exit 2).
    #[error("E0854: {from} cannot be closed now: {reason}\nhint: {hint}")]
    Order {
        /// The first day.
        from: Date,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// Something of a month before must be known by whoever signs, and nobody has said that it stands (exit 2).
    #[error("E0861: {from} cannot be signed without a word about this: {}\nhint: make that month anew (`tagih period reopen`, the last closed month first), or use the ledger that is in use; if it stands all the same, add `--accept {}`, which is recorded", caveat.told(Language::English), caveat.name())]
    Caveat {
        /// The first day.
        from: Date,
        /// What.
        caveat: Box<Caveat>,
    },
    /// A second person is missing (exit 2).
    #[error("E0855: a second person must agree: {reason}\nhint: {hint}")]
    Reviewer {
        /// What is wrong.
        reason: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// What was looked at is not what waits (exit 2).
    #[error(
        "E0818: what waits about {from} is not the proposal that was looked at, but `{waiting}` by {by}\nhint: look at it with `tagih period list` and at its report, then approve that by its `--proposal`"
    )]
    OtherProposal {
        /// The first day.
        from: Date,
        /// What waits.
        waiting: String,
        /// Who proposed it.
        by: String,
    },
    /// Nothing waits for a second person (exit 2).
    #[error(
        "E0856: nothing about {from} waits to be approved\nhint: `tagih period propose` comes first; `tagih period list` shows what is closed"
    )]
    NothingProposed {
        /// The first day.
        from: Date,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Explained for PeriodError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Report { .. } => Explanation::new(Exit::Input, codes::NOT_WHOLE),
            Self::Stale { .. } => Explanation::new(Exit::Input, codes::STALE),
            Self::Days { .. } => Explanation::new(Exit::Usage, codes::OTHER_DAYS),
            Self::Identity { .. } => Explanation::new(Exit::Damaged, codes::UNSIGNABLE),
            Self::Order { .. } => Explanation::new(Exit::Usage, codes::ORDER),
            Self::Caveat { .. } => Explanation::new(Exit::Usage, codes::CAVEAT),
            Self::Reviewer { .. } => Explanation::new(Exit::Usage, codes::REVIEWER),
            Self::OtherProposal { .. } => Explanation::new(Exit::Usage, OTHER_PROPOSAL),
            Self::NothingProposed { .. } => Explanation::new(Exit::Usage, codes::NOTHING_PROPOSED),
            Self::Journal(error) => error.explanation(),
        }
    }
}

pub(super) fn not_whole(path: &Path, reason: &dyn std::fmt::Display) -> PeriodError {
    PeriodError::Report { path: path.to_owned(), reason: reason.to_string() }
}

pub(super) fn stale(path: &Path, reason: &dyn std::fmt::Display) -> PeriodError {
    PeriodError::Stale { path: path.to_owned(), reason: reason.to_string() }
}
