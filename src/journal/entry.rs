//! What the journal can say. A new kind of entry is a new variant; the chain does not look inside.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::period::PeriodClose;
use crate::domain::revocation::Revocation;
use crate::register::{Decision, IllegalHistory, Register, Sighting, StatusChange};

/// A report that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// Its folder.
    pub folder: String,
    /// SHA-256 of its summary.json.
    pub summary_sha256: String,
}

/// What one line records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JournalEntry {
    /// A report was taken in.
    Seen {
        /// What it changed.
        sighting: Sighting,
        /// Where it lay; none of single items, and in older journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<TakenFrom>,
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
    /// A period's close was proposed; it takes effect when another person approves.
    PeriodProposed {
        /// What is to be signed.
        period: Box<PeriodClose>,
    },
    /// That the last closed period be opened again was proposed.
    ReopenProposed {
        /// Its first day.
        from: Date,
    },
    /// Entries of a period were exported.
    Exported {
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
        /// How many.
        entries: usize,
        /// SHA-256 of the file they are kept in.
        sha256: String,
    },
    /// From now on a second person must agree to decisions, or need not any more.
    FourEyes {
        /// Whether one must.
        on: bool,
    },
    /// Something was said about a key of DOKU's, which counts where the ledger has it: so that who signs hears of it, on an older copy of that ledger, too.
    KeySaid {
        /// What.
        said: Revocation,
        /// The ledger with that as its last event, or one after it: `sequence:hash`.
        ledger_head: String,
    },
    /// That a second person be needed no more was proposed; it takes effect when another person agrees.
    FourEyesOffProposed,
    /// The last closed period was opened again.
    PeriodReopened {
        /// Its first day.
        from: Date,
    },
}

impl JournalEntry {
    /// Whether it proposes something about the period from this day.
    #[must_use]
    pub fn proposes(&self, day: Date) -> bool {
        match self {
            Self::PeriodProposed { period } => period.closing.from == day,
            Self::ReopenProposed { from } => *from == day,
            _ => false,
        }
    }

    /// Its effect on the discrepancies; a kind that has none returns no change.
    pub(super) fn apply(&self, at: Timestamp, register: &mut Register) -> Result<Vec<StatusChange>, IllegalHistory> {
        match self {
            Self::Seen { sighting, .. } => register.sight(at, sighting),
            Self::Decided { decisions } => {
                decisions.iter().map(|decision| register.decide(at, decision).map_err(IllegalHistory::from)).collect()
            }
            Self::PeriodClosed { .. }
            | Self::PeriodReopened { .. }
            | Self::PeriodProposed { .. }
            | Self::ReopenProposed { .. }
            | Self::FourEyes { .. }
            | Self::FourEyesOffProposed
            | Self::KeySaid { .. }
            | Self::Exported { .. } => Ok(Vec::new()),
        }
    }
}
