//! Discrepancies with a life: what is known of one, which status follows which event, and who may decide what.
//!
//! A reconciliation finds; a register remembers. An item keeps the id of its subject, so a decision made in October is still
//! attached in November, and falls as soon as the facts it was made on change.

pub mod codes;
mod decision;
mod facts;
mod fold;
mod item;
mod sighting;
mod standings;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decision::{
    DecidedAction, Decision, DecisionDetails, DecisionRefusal, DecisionStep, REASON_LENGTH_MAX, is_same_account, is_same_person,
};
pub use facts::{DiscrepancyFacts, DiscrepancySubject, Fingerprint, InBooks};
pub use fold::{DecisionMade, IllegalHistory, Register, StatusChange};
pub use item::{Item, ItemHappening, Resolution, is_named};
pub use sighting::{ItemStanding, ReconcileRun, Sighting};
pub use standings::{Standings, look};

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Found, and nobody has decided.
    Open,
    /// Decided by one person; waits for a second.
    Proposed,
    /// Decided; stands while the facts stay as they are.
    Accepted,
    /// A later look at the same subject found nothing.
    Cleared,
    /// Decided or cleared once, and open again.
    Reopened,
}

impl ItemStatus {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Open, Self::Proposed, Self::Accepted, Self::Cleared, Self::Reopened];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Cleared => "cleared",
            Self::Reopened => "reopened",
        }
    }

    /// Reads a name as [`Status::name`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// Whether somebody still has to act.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Proposed | Self::Reopened)
    }
}

/// What can happen to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemEventKind {
    /// Found for the first time.
    SeenFirst,
    /// Found again with equal facts.
    SeenAgain,
    /// Found again with other facts.
    SeenChanged,
    /// Looked for by a run that covers it, and not found.
    Gone,
    /// Decided with effect.
    Resolved,
    /// Decided, awaiting a second person.
    Proposed,
    /// The second person agreed.
    Approved,
    /// Owner or comment changed.
    Noted,
    /// A person took the decision back.
    Reopened,
    /// A person asked for the decision to be taken back, awaiting a second person.
    ReopenProposed,
}

impl ItemEventKind {
    /// All ten.
    pub const ALL: [Self; 10] = [
        Self::SeenFirst,
        Self::SeenAgain,
        Self::SeenChanged,
        Self::Gone,
        Self::Resolved,
        Self::Proposed,
        Self::Approved,
        Self::Noted,
        Self::Reopened,
        Self::ReopenProposed,
    ];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeenFirst => "first seen",
            Self::SeenAgain => "seen again",
            Self::SeenChanged => "facts changed",
            Self::Gone => "no longer found",
            Self::Resolved => "decided",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Noted => "noted",
            Self::Reopened => "reopened",
            Self::ReopenProposed => "proposed to be reopened",
        }
    }
}

/// The status after `event`, or `None` if it cannot happen. `None` as the status: an item nobody has seen.
#[must_use]
pub const fn next_status(status: Option<ItemStatus>, event: ItemEventKind) -> Option<ItemStatus> {
    use ItemEventKind as E;
    use ItemStatus as S;
    Some(match (status, event) {
        (None, E::SeenFirst) | (Some(S::Open), E::SeenAgain | E::SeenChanged | E::Noted) => S::Open,
        (Some(S::Open | S::Reopened), E::Proposed) | (Some(S::Proposed), E::SeenAgain | E::Noted) => S::Proposed,
        (Some(S::Open | S::Reopened), E::Resolved)
        | (Some(S::Proposed), E::Approved)
        | (Some(S::Accepted), E::SeenAgain | E::Noted | E::ReopenProposed) => S::Accepted,
        // What a decision moved stays moved while the rest of its item is open or has left: it can be taken back from there, too.
        (Some(S::Reopened), E::SeenAgain | E::SeenChanged | E::Noted | E::Reopened | E::ReopenProposed)
        | (Some(S::Proposed | S::Accepted), E::SeenChanged | E::Reopened)
        | (Some(S::Cleared), E::SeenAgain | E::SeenChanged | E::Reopened) => S::Reopened,
        (Some(S::Open | S::Proposed | S::Accepted | S::Reopened), E::Gone) | (Some(S::Cleared), E::Noted | E::ReopenProposed) => S::Cleared,
        (
            None,
            E::SeenAgain | E::SeenChanged | E::Gone | E::Resolved | E::Proposed | E::Approved | E::Noted | E::Reopened | E::ReopenProposed,
        )
        | (Some(S::Open | S::Proposed | S::Accepted | S::Cleared | S::Reopened), E::SeenFirst)
        | (Some(S::Open | S::Reopened | S::Accepted | S::Cleared), E::Approved)
        | (Some(S::Open), E::Reopened)
        | (Some(S::Open | S::Proposed), E::ReopenProposed)
        | (Some(S::Proposed | S::Accepted | S::Cleared), E::Resolved | E::Proposed)
        | (Some(S::Cleared), E::Gone) => return None,
    })
}
