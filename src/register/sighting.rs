//! What a run changes of the register's items, as the journal records it, and how an item stands after that.
//!
//! Belongs here: data alone. Must not be here: what follows from a run's findings (`standings`).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ItemStatus;
use super::facts::DiscrepancyFacts;

/// Which reconciliation looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRun {
    /// The run id of its summary.
    pub run_id: String,
    /// The first WIB day of its period.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Seen from when.
    pub as_of: Timestamp,
}

impl ReconcileRun {
    /// The day it speaks of: the period's last, or that of its as-of if that is earlier.
    #[must_use]
    pub fn day(&self) -> Date {
        self.to.min(crate::domain::calendar::wib_date(self.as_of)).max(self.from)
    }

    /// `2026-10` for a whole month, else both days.
    #[must_use]
    pub fn period(&self) -> String {
        if self.from.day() == 1 && self.from.last_of_month() == self.to {
            return self.from.strftime("%Y-%m").to_string();
        }
        format!("{}..{}", self.from, self.to)
    }
}

/// What a run changes: one entry of the journal. All lists are sorted by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which run.
    pub run: ReconcileRun,
    /// Items nobody had seen.
    pub new: Vec<DiscrepancyFacts>,
    /// Items with other facts than before.
    pub changed: Vec<DiscrepancyFacts>,
    /// Items found again as they were.
    pub again: Vec<String>,
    /// Items that this run knows to be closed.
    pub gone: Vec<String>,
}

/// How one finding stands, for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemStanding {
    /// The period in which it was first seen.
    pub first_seen: String,
    /// The period in which it was last seen.
    pub last_seen: String,
    /// Where it stands, this run included.
    pub status: ItemStatus,
    /// Who looks after it; may be empty.
    pub owner: String,
    /// What was said about it; may be empty.
    pub comment: String,
}
