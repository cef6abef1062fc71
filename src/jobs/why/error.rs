//! What keeps the story of a bill from being told.

use super::report::ReportUnreadable;
use crate::exit::{Exit, Explained, Explanation};
use crate::jobs::reconcile::ReconcileError;

/// Why the story cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// Nobody knows the name (exit 2).
    #[error(
        "the ledger holds no invoice `{0}`, and neither the evidence given nor the journal names it\nhint: see `rejected.csv` of the run that had it, or name its logs with `--notifications`"
    )]
    Unknown(String),
    /// It may mean several bills (exit 2).
    #[error("`{name}` is a code of several invoices: {}\nhint: ask for one of them", .invoices.join(", "))]
    Ambiguous {
        /// What was asked.
        name: String,
        /// Whose it is or was, sorted.
        invoices: Vec<String>,
    },
    /// Something cannot be read.
    #[error(transparent)]
    Read(#[from] ReconcileError),
    /// The report cannot be read.
    #[error(transparent)]
    Books(#[from] ReportUnreadable),
}

impl Explained for WhyError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Unknown(_) | Self::Ambiguous { .. } => Explanation::plain(Exit::Usage),
            Self::Read(error) => error.explanation(),
            Self::Books(error) => error.explanation(),
        }
    }
}
