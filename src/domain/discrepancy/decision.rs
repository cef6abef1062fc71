//! What a person decides about an item, and when that is refused.

use serde::{Deserialize, Serialize};

use super::{EventKind, Fingerprint, Item, Status, next_status};
use crate::domain::booking;

/// The most characters of a reason, comment or name.
pub const REASON_LENGTH_MAX: usize = 1_000;

/// What is to be done about an item. All but [`Action::Investigate`] end its being open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It may stay as it is.
    Accept,
    /// The money goes back to the payer.
    Refund,
    /// The money settles a bill.
    Apply,
    /// The money is kept for the customer's next premium.
    Credit,
    /// The amount is given up.
    WriteOff,
    /// Somebody looks into it; it stays open.
    Investigate,
}

impl Action {
    /// All six.
    pub const ALL: [Self; 6] = [Self::Accept, Self::Refund, Self::Apply, Self::Credit, Self::WriteOff, Self::Investigate];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Refund => "refund",
            Self::Apply => "apply",
            Self::Credit => "credit",
            Self::WriteOff => "write_off",
            Self::Investigate => "investigate",
        }
    }

    /// Reads a name in any case, also with a space or hyphen for the underscore.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim().to_lowercase().replace([' ', '-'], "_");
        Self::ALL.into_iter().find(|action| action.name() == plain)
    }
}

/// The step a decision takes; under four eyes one person proposes and another approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Decides with effect.
    Resolve {
        /// What is to be done.
        action: Action,
        /// Who agreed, if somebody had to.
        reviewer: Option<String>,
    },
    /// Decides, without effect until somebody else approves.
    Propose {
        /// What is to be done.
        action: Action,
    },
    /// Agrees to what was proposed.
    Approve,
    /// Takes a decision, or a proposal, back.
    Reopen,
    /// Sets owner or comment only.
    Note,
}

impl Step {
    /// Its column in the table.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Resolve { .. } => EventKind::Resolved,
            Self::Propose { .. } => EventKind::Proposed,
            Self::Approve => EventKind::Approved,
            Self::Reopen => EventKind::Reopened,
            Self::Note => EventKind::Noted,
        }
    }
}

/// What one person decides about one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which item.
    pub id: String,
    /// The facts it was made on.
    pub facts: Fingerprint,
    /// What it does.
    pub step: Step,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// The new owner, if it changes.
    pub owner: Option<String>,
    /// The new comment, if it changes.
    pub comment: Option<String>,
}

/// Why a decision is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody has seen such an item.
    #[error("E0803: no discrepancy `{0}` is known\nhint: take its report in first: `tagih discrepancies take DIR`")]
    Unknown(String),
    /// The item has changed since.
    #[error("E0804: the facts of `{0}` have changed since this was written\nhint: look at it again and export anew")]
    Stale(String),
    /// It cannot happen now.
    #[error("E0805: `{id}` is {}, so it cannot be {}\nhint: see `tagih discrepancies show {id}`; `reopen` takes a decision back", .status.name(), .event.name())]
    Status {
        /// Which item.
        id: String,
        /// Where it stands.
        status: Status,
        /// What was to happen.
        event: EventKind,
    },
    /// Preparer and reviewer are one.
    #[error("E0806: `{id}` was decided by `{by}`, who cannot also review it\nhint: somebody else approves it, with `--by` their name")]
    SamePerson {
        /// Which item.
        id: String,
        /// Who.
        by: String,
    },
    /// The action needs money that the item does not hold.
    #[error("E0807: `{}` does not fit `{id}` ({class}): it holds no money of a customer\nhint: decide on the payment's own item, or use `accept`", .action.name())]
    Unfit {
        /// Which item.
        id: String,
        /// Its class.
        class: String,
        /// What was to be done.
        action: Action,
    },
    /// No reason, or one that is too long or not printable.
    #[error(
        "E0808: the {what} of `{id}` must be 1 to {REASON_LENGTH_MAX} printable characters\nhint: say why in a sentence; it is kept for the auditor"
    )]
    Text {
        /// Which item.
        id: String,
        /// Reason, name, owner or comment.
        what: &'static str,
    },
}

/// Whether two names are one person's: compared without case and surrounding space.
#[must_use]
pub fn is_same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

impl Decision {
    /// Whether it may be made about `item`, as it stands.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn check(&self, item: &Item) -> Result<(), Refusal> {
        let id = || self.id.clone();
        for (what, text) in [("reason", Some(&self.reason)), ("name", Some(&self.by)), ("owner", self.owner.as_ref())] {
            if text.is_some_and(|text| !is_sayable(text)) {
                return Err(Refusal::Text { id: id(), what });
            }
        }
        if self.comment.as_ref().is_some_and(|text| !text.is_empty() && !is_sayable(text)) {
            return Err(Refusal::Text { id: id(), what: "comment" });
        }
        if self.facts != item.facts.fingerprint() {
            return Err(Refusal::Stale(id()));
        }
        if next_status(Some(item.status), self.step.kind()).is_none() {
            return Err(Refusal::Status { id: id(), status: item.status, event: self.step.kind() });
        }
        let (action, preparer, reviewer) = match &self.step {
            Step::Resolve { action, reviewer } => (Some(*action), &self.by, reviewer.as_ref()),
            Step::Propose { action } => (Some(*action), &self.by, None),
            Step::Approve => (None, item.proposal.as_ref().map_or(&self.by, |proposal| &proposal.decided_by), Some(&self.by)),
            Step::Reopen | Step::Note => (None, &self.by, None),
        };
        if reviewer.is_some_and(|reviewer| is_same_person(reviewer, preparer)) {
            return Err(Refusal::SamePerson { id: id(), by: preparer.clone() });
        }
        match action {
            Some(action) if !booking::fits(action, &item.facts) => {
                Err(Refusal::Unfit { id: id(), class: item.facts.class.clone(), action })
            }
            _ => Ok(()),
        }
    }
}

/// Not blank, not too long, nothing that moves a terminal.
fn is_sayable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= REASON_LENGTH_MAX && !text.chars().any(char::is_control)
}
