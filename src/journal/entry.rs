//! What the journal can say. A new kind of entry is a new variant; the chain does not look inside.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::period::PeriodClose;
use crate::domain::discrepancy::{Change, Decision, IllegalHistory, Register, Sighting};

/// What one line records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A report was taken in.
    Seen {
        /// What it changed.
        sighting: Sighting,
    },
    /// People decided: all of one command, or of one file.
    Decided {
        /// What, in the order given.
        decisions: Vec<Decision>,
    },
    /// A period was closed.
    PeriodClosed {
        /// What was signed.
        period: Box<PeriodClose>,
    },
    /// The last closed period was opened again.
    PeriodReopened {
        /// Its first day.
        from: Date,
    },
}

impl Entry {
    /// Its effect on the discrepancies; a kind that has none returns no change.
    pub(super) fn apply(&self, at: Timestamp, register: &mut Register) -> Result<Vec<Change>, IllegalHistory> {
        match self {
            Self::Seen { sighting } => register.sight(at, sighting),
            Self::Decided { decisions } => {
                decisions.iter().map(|decision| register.decide(at, decision).map_err(IllegalHistory::from)).collect()
            }
            Self::PeriodClosed { .. } | Self::PeriodReopened { .. } => Ok(Vec::new()),
        }
    }
}
