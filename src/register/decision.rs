//! What a person decides about an item, and when that is refused.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{DiscrepancyFacts, Fingerprint, Item, ItemEventKind, ItemStatus, codes, next_status};
use crate::books;
use crate::books::ItemId;
use crate::exit::{Exit, Explained, Explanation};

/// The most characters of a reason, comment or name.
pub const REASON_LENGTH_MAX: usize = 1_000;

/// What is to be done about an item: an action of the books, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DecidedAction {
    /// What the books do.
    Books(books::Action),
    /// Somebody looks into it; it stays open.
    Investigate(Investigate),
}

/// The one action that no book knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Investigate {
    /// Its only name.
    Investigate,
}

impl DecidedAction {
    /// Somebody looks into it.
    pub const INVESTIGATE: Self = Self::Investigate(Investigate::Investigate);

    /// All that can be asked for; `reopen` is a step of its own.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_books = books::Action::ALL.into_iter().filter(|action| *action != books::Action::Reopen).map(Self::Books);
        of_books.chain([Self::INVESTIGATE])
    }

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Books(action) => action.name(),
            Self::Investigate(_) => "investigate",
        }
    }

    /// Reads a name in any case, also with a space or hyphen for the underscore.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim().to_lowercase().replace([' ', '-'], "_");
        Self::all().find(|action| action.name() == plain)
    }

    /// Those that may be taken on an item with these facts, looking into it included.
    pub fn of(item: &DiscrepancyFacts) -> impl Iterator<Item = Self> + '_ {
        Self::all().filter(|action| action.fits(item) || *action == Self::INVESTIGATE)
    }

    /// Whether it can end an item: on which account it stands decides.
    fn fits(self, item: &DiscrepancyFacts) -> bool {
        match (self, item.leg()) {
            (Self::Books(books::Action::Accept), _) => true,
            (Self::Books(action), Some(leg)) => action.accounts().contains(&leg.account),
            (Self::Books(_), None) | (Self::Investigate(_), _) => false,
        }
    }
}

/// What an action needs besides its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionDetails {
    /// How many rupiah; none: all that is open. For `correct`: the amount that is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// `apply`: the invoice number of the bill. `transferred`, `received`: the item (`bank_line:…`, `row:…`) that proves it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// `explain`: the account that the difference is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained_as: Option<books::Account>,
    /// `transferred`, `received`, `paid_elsewhere`: how it is found elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The WIB day it takes effect on; none: the day it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<Date>,
}

impl DecisionDetails {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The item that `target` names.
    #[must_use]
    pub fn target(&self) -> Option<ItemId> {
        let target = self.target.trim();
        (!target.is_empty()).then(|| ItemId::parse(target).unwrap_or_else(|| ItemId::bill(target)))
    }
}

/// The step a decision takes; under four eyes one person proposes and another approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum DecisionStep {
    /// Decides with effect.
    Resolve {
        /// What is to be done.
        action: DecidedAction,
        /// Who agreed, if somebody had to.
        reviewer: Option<String>,
        /// What it needs.
        #[serde(default, skip_serializing_if = "DecisionDetails::is_none")]
        details: DecisionDetails,
    },
    /// Decides, without effect until somebody else approves.
    Propose {
        /// What is to be done.
        action: DecidedAction,
        /// What it needs.
        #[serde(default, skip_serializing_if = "DecisionDetails::is_none")]
        details: DecisionDetails,
    },
    /// Agrees to what was proposed.
    Approve,
    /// Takes a decision, or a proposal, back.
    Reopen,
    /// Asks for a decision to be taken back, without effect until somebody else approves.
    ProposeReopen,
    /// Agrees to that.
    ApproveReopen,
    /// Sets owner or comment only.
    Note,
}

impl DecisionStep {
    /// Whether it takes back what was decided, or asks for that.
    #[must_use]
    pub const fn takes_back(&self) -> bool {
        matches!(self, Self::Reopen | Self::ProposeReopen | Self::ApproveReopen)
    }

    /// Its column in the table.
    #[must_use]
    pub const fn kind(&self) -> ItemEventKind {
        match self {
            Self::Resolve { .. } => ItemEventKind::Resolved,
            Self::Propose { .. } => ItemEventKind::Proposed,
            Self::Approve => ItemEventKind::Approved,
            Self::Reopen | Self::ApproveReopen => ItemEventKind::Reopened,
            Self::ProposeReopen => ItemEventKind::ReopenProposed,
            Self::Note => ItemEventKind::Noted,
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
    pub step: DecisionStep,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// The new owner, if it changes.
    pub owner: Option<String>,
    /// The new comment, if it changes.
    pub comment: Option<String>,
    /// Whose account of the system it was made from; empty in older journals.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
}

/// Why a decision is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefusal {
    /// Nobody has seen such an item.
    #[error(
        "E0803: no discrepancy `{0}` is known\nhint: take its report in first: `tagih discrepancies take DIR`, with `--item {0}` if it is not due yet"
    )]
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
        status: ItemStatus,
        /// What was to happen.
        event: ItemEventKind,
    },
    /// What it is there by was decided at another item.
    #[error("E0805: `{id}` is there by what was decided about `{of}`\nhint: `tagih discrepancies reopen {of}` takes that back")]
    MadeBy {
        /// Which item.
        id: String,
        /// What the decision was about.
        of: String,
    },
    /// The money is not where the decision put it.
    #[error(
        "E0805: what was decided about `{id}` cannot be taken back: its money was moved on by what was decided about `{by}`\nhint: decide about where it is now, or take that back first: `tagih discrepancies reopen {by}`"
    )]
    MovedOn {
        /// Which item.
        id: String,
        /// Where the later decision was made.
        by: String,
    },
    /// What was looked at is not what waits.
    #[error(
        "E0818: what waits at `{id}` is not the proposal that was looked at\nhint: look at it with `tagih discrepancies show {id}`, and approve that by its `--proposal`"
    )]
    OtherProposal {
        /// Which item.
        id: String,
    },
    /// Preparer and reviewer are one.
    #[error("E0806: `{id}` was decided by `{by}`, who cannot also review it\nhint: somebody else approves it, with `--by` their name")]
    SamePerson {
        /// Which item.
        id: String,
        /// Who.
        by: String,
    },
    /// The action is not one for the account it stands on.
    #[error("E0807: `{}` does not fit `{id}` ({class}): it is not one for this kind of item\nhint: see docs/discrepancies.md for what fits which, or use `accept`", .action.name())]
    Unfit {
        /// Which item.
        id: String,
        /// Its class.
        class: String,
        /// What was to be done.
        action: DecidedAction,
    },
    /// It would take effect in a month that is closed.
    #[error(
        "E0817: `{id}` would take effect on {on}, and all days to {last} are closed\nhint: name a later day, or none: then it is the day the decision is made"
    )]
    Closed {
        /// Which item.
        id: String,
        /// When it would.
        on: Date,
        /// The last closed day.
        last: Date,
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

impl Explained for DecisionRefusal {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Unknown(_) => Explanation::new(Exit::Usage, codes::UNKNOWN),
            Self::Stale(_) => Explanation::new(Exit::Usage, codes::STALE),
            Self::Status { .. } | Self::MadeBy { .. } | Self::MovedOn { .. } => Explanation::new(Exit::Usage, codes::STATUS),
            Self::OtherProposal { .. } => Explanation::new(Exit::Usage, codes::OTHER_PROPOSAL),
            Self::SamePerson { .. } => Explanation::new(Exit::Usage, codes::SAME_PERSON),
            Self::Unfit { .. } => Explanation::new(Exit::Usage, codes::UNFIT),
            Self::Closed { .. } => Explanation::new(Exit::Usage, codes::CLOSED),
            Self::Text { .. } => Explanation::new(Exit::Usage, codes::TEXT),
        }
    }
}

/// Whether two accounts of the system, as the journal has them, are one: by their number, whatever they are called and however they were
/// reached. Nothing is known of an empty one.
#[must_use]
pub fn is_same_account(one: &str, other: &str) -> bool {
    let number = |account: &str| account.split(' ').next().unwrap_or_default().to_owned();
    !one.is_empty() && number(one) == number(other)
}

/// Whether two names are one person's: compared without case and surrounding space.
#[must_use]
pub fn is_same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

impl Decision {
    /// The day it names, itself or what it approves.
    fn effective_on(&self, item: &Item) -> Option<Date> {
        match &self.step {
            DecisionStep::Resolve { details, .. } | DecisionStep::Propose { details, .. } => details.effective_on,
            DecisionStep::Approve => item.proposal.as_ref()?.details.effective_on,
            DecisionStep::Reopen | DecisionStep::ProposeReopen | DecisionStep::ApproveReopen | DecisionStep::Note => None,
        }
    }

    /// Whether it may be made about `item`, as it stands, while all days to `closed_to` are closed.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn check(&self, item: &Item, closed_to: Option<Date>) -> Result<(), DecisionRefusal> {
        let id = || self.id.clone();
        for (what, text) in [("reason", Some(&self.reason)), ("name", Some(&self.by)), ("owner", self.owner.as_ref())] {
            if text.is_some_and(|text| !is_sayable(text)) {
                return Err(DecisionRefusal::Text { id: id(), what });
            }
        }
        if self.comment.as_ref().is_some_and(|text| !text.is_empty() && !is_sayable(text)) {
            return Err(DecisionRefusal::Text { id: id(), what: "comment" });
        }
        if self.facts != item.facts.fingerprint() {
            return Err(DecisionRefusal::Stale(id()));
        }
        if next_status(Some(item.status), self.step.kind()).is_none() || self.step.takes_back() && item.taken_back().is_none() {
            return Err(DecisionRefusal::Status { id: id(), status: item.status, event: self.step.kind() });
        }
        let approves = matches!(self.step, DecisionStep::Approve | DecisionStep::ApproveReopen);
        if (self.step == DecisionStep::ApproveReopen) != (approves && item.reopening.is_some()) {
            return Err(DecisionRefusal::Status { id: id(), status: item.status, event: ItemEventKind::Approved });
        }
        let proposal = item.proposed().filter(|_| approves);
        let (action, preparer, reviewer) = match &self.step {
            DecisionStep::Resolve { action, reviewer, .. } => (Some(*action), &self.by, reviewer.as_ref()),
            DecisionStep::Propose { action, .. } => (Some(*action), &self.by, None),
            DecisionStep::Approve | DecisionStep::ApproveReopen => {
                (None, proposal.map_or(&self.by, |proposal| &proposal.decided_by), Some(&self.by))
            }
            DecisionStep::Reopen | DecisionStep::ProposeReopen | DecisionStep::Note => (None, &self.by, None),
        };
        if reviewer.is_some_and(|reviewer| is_same_person(reviewer, preparer)) {
            return Err(DecisionRefusal::SamePerson { id: id(), by: preparer.clone() });
        }
        if proposal.is_some_and(|proposal| is_same_account(&proposal.person, &self.person)) {
            return Err(DecisionRefusal::SamePerson { id: id(), by: preparer.clone() });
        }
        if let (Some(on), Some(last)) = (self.effective_on(item), closed_to)
            && on <= last
        {
            return Err(DecisionRefusal::Closed { id: id(), on, last });
        }
        match action {
            Some(action) if !action.fits(&item.facts) => Err(DecisionRefusal::Unfit { id: id(), class: item.facts.class.clone(), action }),
            _ => Ok(()),
        }
    }
}

/// Not blank, not too long, nothing that moves a terminal.
fn is_sayable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= REASON_LENGTH_MAX && !text.chars().any(char::is_control)
}
