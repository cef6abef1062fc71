//! One item: what is known of it, what was decided about it, and what waits for a second person.

use jiff::Timestamp;
use jiff::civil::Date;

use super::decision::{DecidedAction, DecisionDetails};
use super::facts::DiscrepancyFacts;
use super::sighting::{ItemStanding, ReconcileRun};
use super::{ItemEventKind, ItemStatus};
use crate::books::{self, BooksSubject, ItemId};
use crate::domain::calendar::wib_date;
use crate::domain::digest;

/// What was decided, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What is to be done.
    pub action: DecidedAction,
    /// Why.
    pub reason: String,
    /// The preparer.
    pub decided_by: String,
    /// The second person, if there is one.
    pub reviewed_by: Option<String>,
    /// When it took effect; for a proposal, when it was made.
    pub at: Timestamp,
    /// What the action needs.
    pub details: DecisionDetails,
    /// Whose account of the system it was made from.
    pub person: String,
    /// The decision of the books that it is, once it has effect.
    pub posted_as: Option<ItemId>,
}

/// Whether `named` is a proposal's id, or as much of its beginning as nobody hits by chance.
#[must_use]
pub fn is_named(id: &str, named: &str) -> bool {
    const DIGITS_MIN: usize = 8;
    let named = named.trim().to_lowercase();
    named.len() >= DIGITS_MIN && id.starts_with(&named)
}

/// One thing that happened to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemHappening {
    /// When it was recorded (UTC).
    pub at: Timestamp,
    /// What.
    pub event: ItemEventKind,
    /// Where the item stood afterwards.
    pub status: ItemStatus,
    /// The period, or who and why.
    pub words: String,
}

/// A discrepancy with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As last seen.
    pub facts: DiscrepancyFacts,
    /// Where it stands.
    pub status: ItemStatus,
    /// The run that first saw it.
    pub first_seen: ReconcileRun,
    /// The run that last saw it.
    pub last_seen: ReconcileRun,
    /// The latest as-of from which it was looked for.
    pub judged_as_of: Timestamp,
    /// Who looks after it; may be empty.
    pub owner: String,
    /// What was said about it last; may be empty.
    pub comment: String,
    /// The decision in force.
    pub resolution: Option<Resolution>,
    /// Decisions before it that moved something, or a part of it, and are in force as well; the latest last.
    pub moved: Vec<Resolution>,
    /// The decision that waits for a second person.
    pub proposal: Option<Resolution>,
    /// Who asked for the decision in force to be taken back, and why; it waits for a second person.
    pub reopening: Option<Resolution>,
    /// What happened, oldest first, without plain repetitions.
    pub history: Vec<ItemHappening>,
}

impl Item {
    /// Its row in a report.
    #[must_use]
    pub fn standing(&self) -> ItemStanding {
        ItemStanding {
            first_seen: self.first_seen.period(),
            last_seen: self.last_seen.period(),
            status: self.status,
            owner: self.owner.clone(),
            comment: self.comment.clone(),
        }
    }

    /// What waits for a second person: a decision, or that one be taken back.
    #[must_use]
    pub const fn proposed(&self) -> Option<&Resolution> {
        match &self.proposal {
            Some(proposal) => Some(proposal),
            None => self.reopening.as_ref(),
        }
    }

    /// What `reopen` takes back: what waits, else the latest decision in force, however its item stands.
    #[must_use]
    pub fn taken_back(&self) -> Option<&Resolution> {
        match self.status {
            ItemStatus::Proposed => self.proposal.as_ref(),
            _ => self.resolution.as_ref().or(self.moved.last()),
        }
    }

    /// Every decision in force, the latest last.
    pub fn in_force(&self) -> impl Iterator<Item = &Resolution> {
        self.moved.iter().chain(&self.resolution)
    }

    /// What tells that proposal from any other, to be named by whoever approves it.
    #[must_use]
    pub fn proposal_id(&self) -> Option<String> {
        let Resolution { action, reason, decided_by, at, details, person, .. } = self.proposed()?;
        let what = (self.facts.fingerprint(), self.reopening.is_some(), action, details, reason, decided_by, person, at);
        let digest = digest::of_value(&what);
        Some(digest::hex(digest.get(..8).unwrap_or(&digest)))
    }

    /// Whether `named` is what somebody who looked at the proposal calls it, whole or by its beginning.
    #[must_use]
    pub fn is_proposal(&self, named: &str) -> bool {
        self.proposal_id().is_some_and(|id| is_named(&id, named))
    }

    /// The days of its life up to the WIB day `today`.
    #[must_use]
    pub fn age_days(&self, today: Date) -> i32 {
        let since = self.facts.paid_at.map_or_else(|| self.first_seen.day(), wib_date);
        since.until(today).map_or(0, |span| span.get_days())
    }

    /// The decision in force as the books are to post it, if it is one of theirs.
    pub(super) fn post(&mut self, id: &str, at: Timestamp, place: usize) -> Option<books::BooksDecision> {
        let made = self.resolution.as_mut()?;
        let DecidedAction::Books(action) = made.action else { return None };
        let (leg, ground) = (self.facts.leg(), self.facts.books.as_ref().map(|books| books.ground.clone()));
        let account = leg.map(|leg| leg.account);
        let is_accepted = action == books::Action::Accept && account.is_some();
        let accepted = self.facts.books.as_ref().filter(|_| is_accepted).map(|books| books.balance.unsigned_abs());
        // Before there were books, money that was kept for good was called given up.
        let is_kept = ground.is_none() && action == books::Action::WriteOff && account == Some(books::Account::Suspense);
        let action = if is_kept { books::Action::Keep } else { action };
        let alarm = || self.facts.books.as_ref().map(|books| books.item);
        let decision = books::BooksDecision {
            id: decision_id(id, place),
            made_at: at,
            effective_on: made.details.effective_on.unwrap_or_else(|| wib_date(at)),
            action,
            account,
            item: leg.and_then(|leg| leg.item).or_else(alarm)?,
            amount: made.details.amount.or(accepted),
            target: made.details.target(),
            explained_as: made.details.explained_as,
            reference: made.details.reference.as_str().into(),
            facts: ground.unwrap_or_default(),
        };
        made.posted_as = Some(decision.id);
        Some(decision)
    }
}

/// The id of the decision that is the `place`-th of a journal.
pub(super) fn decision_id(item: &str, place: usize) -> ItemId {
    ItemId::of(BooksSubject::Decision, &[item.as_bytes(), place.to_string().as_bytes()])
}
