//! What keeps a reconciliation from its reports.

use std::path::PathBuf;

use jiff::civil::Date;

use crate::books::BooksError;
use crate::books::carry::CarryError;
use crate::evidence::EvidenceError;
use crate::evidence::bank::BankError;
use crate::evidence::settlement::SettlementError;
use crate::exit::{Exit, Explained, Explanation};
use crate::journal::JournalError;
use crate::ledger::LedgerError;
use crate::reconcile::codes;
use crate::reconcile::external::ExternalError;
use crate::register::codes::UNPOSTED;
use crate::report::atomic::WriteError;
use crate::report::books::KeepError;
use crate::report::folder_lock::TakeError;

/// Why a reconciliation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The days are no period (exit 2).
    #[error("E0723: `{from}` to `{to}` is no period\nhint: give WIB days, the first not after the last")]
    Period {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The evidence cannot be read (exit 7).
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A settlement file cannot be used (exit 7).
    #[error(transparent)]
    Settlement(#[from] SettlementError),
    /// A bank statement cannot be used (exit 7).
    #[error(transparent)]
    Bank(#[from] BankError),
    /// The external ledger cannot be read (exit 7).
    #[error(transparent)]
    External(#[from] ExternalError),
    /// Our ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There are too many bills (exit 7).
    #[error("E0722: the ledger holds more bills than one run can\nhint: reconcile one channel at a time")]
    TooManyBills,
    /// The earlier output cannot be read (exit 7).
    #[error("E0726: the earlier output `{}` cannot be read: {reason}\nhint: name the output folder of an earlier `tagih reconcile`", path.display())]
    CarryIn {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The balances of the period before cannot be taken over (exit 8).
    #[error("E0850: the closing balances in `{}` cannot be carried over: {reason}\nhint: name the output folder that was closed for the period before, unchanged", path.display())]
    Opening {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The books of the period before were changed while they were read (exit 8).
    #[error("E0850: {0}\nhint: name the output folder that was closed for the period before, unchanged")]
    Before(CarryError),
    /// The books cannot be posted (exit 8).
    #[error("E0814: the books cannot be posted: {0}\nhint: keep the inputs and the folder of the month before, and report the defect")]
    Books(BooksError),
    /// The journal cannot be used (exit 8 or 9).
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A report cannot be written (exit 9).
    #[error(transparent)]
    Report(#[from] WriteError),
    /// Another run writes there (exit 6), or nobody can.
    #[error(transparent)]
    Folder(#[from] TakeError),
}

impl Explained for ReconcileError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Period { .. } => Explanation::new(Exit::Usage, codes::PERIOD),
            Self::Evidence(error) => error.explanation(),
            Self::Settlement(error) => error.explanation(),
            Self::Bank(error) => error.explanation(),
            Self::External(error) => error.explanation(),
            Self::Ledger(error) => error.explanation(),
            Self::TooManyBills => Explanation::new(Exit::Input, codes::TOO_MANY_BILLS),
            Self::CarryIn { .. } => Explanation::new(Exit::Input, codes::CARRY_IN),
            Self::Opening { .. } | Self::Before(_) => Explanation::new(Exit::Damaged, codes::OPENING),
            Self::Books(_) => Explanation::new(Exit::Damaged, UNPOSTED),
            Self::Journal(error) => error.explanation(),
            Self::Report(error) => error.explanation(),
            Self::Folder(error) => error.explanation(),
        }
    }
}

impl From<KeepError> for ReconcileError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Books(error) => Self::Books(error),
            KeepError::Write(error) => Self::Report(error),
            KeepError::Before(error) => Self::Before(error),
        }
    }
}
