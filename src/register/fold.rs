//! The register: every item anybody has seen, as a fold of what the journal holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::decision::{Action, Decision, Details, Refusal, Step};
use super::facts::Facts;
use super::sighting::{Run, Sighting, Standing, Standings};
use super::{EventKind, Status, next_status};
use crate::books;
use crate::books::{ItemId, Subject};
use crate::domain::calendar::wib_date;

/// What was decided, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The preparer.
    pub decided_by: String,
    /// The second person, if there is one.
    pub reviewed_by: Option<String>,
    /// When it took effect; for a proposal, when it was made.
    pub at: Timestamp,
    /// What the action needs.
    pub details: Details,
    /// Whose account of the system it was made from.
    pub person: String,
    /// The decision of the books that it is, once it has effect.
    pub posted_as: Option<ItemId>,
}

/// Who made a decision of the books, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The preparer.
    pub by: String,
    /// The second person, if there is one.
    pub reviewed_by: Option<String>,
    /// Why.
    pub reason: String,
    /// When it took effect in the journal (UTC).
    pub at: Timestamp,
}

/// One thing that happened to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When it was recorded (UTC).
    pub at: Timestamp,
    /// What.
    pub event: EventKind,
    /// Where the item stood afterwards.
    pub status: Status,
    /// The period, or who and why.
    pub words: String,
}

/// A discrepancy with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As last seen.
    pub facts: Facts,
    /// Where it stands.
    pub status: Status,
    /// The run that first saw it.
    pub first_seen: Run,
    /// The run that last saw it.
    pub last_seen: Run,
    /// The latest as-of from which it was looked for.
    pub judged_as_of: Timestamp,
    /// Who looks after it; may be empty.
    pub owner: String,
    /// What was said about it last; may be empty.
    pub comment: String,
    /// The decision in force.
    pub resolution: Option<Resolution>,
    /// The decision that waits for a second person.
    pub proposal: Option<Resolution>,
    /// What happened, oldest first, without plain repetitions.
    pub history: Vec<Happening>,
}

impl Item {
    /// Its row in a report.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            first_seen: self.first_seen.period(),
            last_seen: self.last_seen.period(),
            status: self.status,
            owner: self.owner.clone(),
            comment: self.comment.clone(),
        }
    }

    /// The days of its life up to the WIB day `today`.
    #[must_use]
    pub fn age_days(&self, today: Date) -> i32 {
        let since = self.facts.paid_at.map_or_else(|| self.first_seen.day(), wib_date);
        since.until(today).map_or(0, |span| span.get_days())
    }

    /// The decision in force as the books are to post it, if it is one of theirs.
    fn post(&mut self, id: &str, at: Timestamp, place: usize) -> Option<books::Decision> {
        let made = self.resolution.as_mut()?;
        let Action::Books(action) = made.action else { return None };
        let (leg, ground) = (self.facts.leg(), self.facts.books.as_ref().map(|books| books.ground.clone()));
        let account = leg.map(|leg| leg.account);
        let is_accepted = action == books::Action::Accept && account.is_some();
        let accepted = self.facts.books.as_ref().filter(|_| is_accepted).map(|books| books.balance.unsigned_abs());
        // Before there were books, money that was kept for good was called given up.
        let is_kept = ground.is_none() && action == books::Action::WriteOff && account == Some(books::Account::Suspense);
        let action = if is_kept { books::Action::Keep } else { action };
        let alarm = || self.facts.books.as_ref().map(|books| books.item);
        let decision = books::Decision {
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

/// One item's step from one status to another, for roll-forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which item.
    pub id: String,
    /// What happened.
    pub event: EventKind,
    /// Where it stood; `None` when it was new.
    pub before: Option<Status>,
    /// Where it stands.
    pub after: Status,
}

/// A journal that tells what cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalHistory {
    /// A sighting that does not fit.
    #[error("`{id}` cannot have been {} while it was {}", .event.name(), .status.map_or("unknown", Status::name))]
    Event {
        /// Which item.
        id: String,
        /// Where it stood.
        status: Option<Status>,
        /// What was to happen.
        event: EventKind,
    },
    /// A decision that does not fit.
    #[error("a decision on it cannot have been made: {0}")]
    Decision(#[from] Refusal),
}

/// Every item anybody has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    items: BTreeMap<String, Item>,
    runs: Vec<Run>,
    /// What the books are to post, in the order in which it was decided.
    decisions: Vec<books::Decision>,
    /// Who made each, by the decision's id. A decision that fell with its facts was taken back by nobody.
    made: BTreeMap<ItemId, Made>,
    /// The last closed day, where decisions are made now; none while earlier ones are told again.
    closed_to: Option<Date>,
}

impl Register {
    /// Every item, by id.
    pub fn items(&self) -> impl Iterator<Item = (&String, &Item)> {
        self.items.iter()
    }

    /// The item with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Item> {
        self.items.get(id)
    }

    /// Every decision that took effect, and every one that was taken back, for the books.
    #[must_use]
    pub fn decisions(&self) -> &[books::Decision] {
        &self.decisions
    }

    /// Who made each decision for the books.
    #[must_use]
    pub const fn made(&self) -> &BTreeMap<ItemId, Made> {
        &self.made
    }

    /// How every item stands now.
    #[must_use]
    pub fn standings(&self) -> Standings {
        Standings::now(self.items.iter().map(|(id, item)| (id.clone(), item.standing())).collect())
    }

    /// Whether this run has been taken in.
    #[must_use]
    pub fn has_taken(&self, run_id: &str) -> bool {
        self.runs.iter().any(|run| run.run_id == run_id)
    }

    /// The runs taken in, in that order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Takes in what a run saw, recorded at `at`.
    ///
    /// # Errors
    /// [`IllegalHistory`]; the register is then of no further use.
    pub fn sight(&mut self, at: Timestamp, sighting: &Sighting) -> Result<Vec<Change>, IllegalHistory> {
        let run = &sighting.run;
        let mut changes = Vec::new();
        for facts in &sighting.new {
            changes.push(self.see(at, run, &facts.id, EventKind::SeenFirst, Some(facts))?);
        }
        for facts in &sighting.changed {
            changes.push(self.see(at, run, &facts.id, EventKind::SeenChanged, Some(facts))?);
        }
        for id in &sighting.again {
            changes.push(self.see(at, run, id, EventKind::SeenAgain, None)?);
        }
        for id in &sighting.gone {
            changes.push(self.see(at, run, id, EventKind::Gone, None)?);
        }
        self.runs.push(run.clone());
        Ok(changes)
    }

    fn see(&mut self, at: Timestamp, run: &Run, id: &str, event: EventKind, facts: Option<&Facts>) -> Result<Change, IllegalHistory> {
        let before = self.items.get(id).map(|item| item.status);
        let illegal = || IllegalHistory::Event { id: id.to_owned(), status: before, event };
        let after = next_status(before, event).ok_or_else(illegal)?;
        if let (None, Some(facts)) = (before, facts) {
            self.items.insert(
                id.to_owned(),
                Item {
                    facts: facts.clone(),
                    status: after,
                    first_seen: run.clone(),
                    last_seen: run.clone(),
                    judged_as_of: run.as_of,
                    owner: String::new(),
                    comment: String::new(),
                    resolution: None,
                    proposal: None,
                    history: Vec::new(),
                },
            );
        }
        let place = self.decisions.len();
        let item = self.items.get_mut(id).ok_or_else(illegal)?;
        item.judged_as_of = item.judged_as_of.max(run.as_of);
        if event != EventKind::Gone {
            item.last_seen = run.clone();
        }
        if let Some(facts) = facts {
            item.facts = facts.clone();
        }
        // Of what was decided nothing is taken back by a look: what it moved stays moved, and what is open anew waits anew. Only that
        // something may stay as it is falls with what it was.
        if matches!(event, EventKind::SeenFirst | EventKind::SeenChanged) || before == Some(Status::Cleared) {
            let fell = item.resolution.take().filter(|fell| fell.action == Action::Books(books::Action::Accept));
            self.decisions.extend(fell.and_then(|fell| taken_back(&fell, id, at, place)));
            item.proposal = None;
        }
        item.status = after;
        if event != EventKind::SeenAgain || before != Some(after) {
            let words = format!("{} in {}", item.facts.class, run.period());
            item.history.push(Happening { at, event, status: after, words });
        }
        Ok(Change { id: id.to_owned(), event, before, after })
    }

    /// Whether `decision` may be made now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, decision: &Decision) -> Result<(), Refusal> {
        decision.check(self.get(&decision.id).ok_or_else(|| Refusal::Unknown(decision.id.clone()))?, self.closed_to)
    }

    /// The same, for decisions that are made now: none may take effect on `closed_to` or before.
    #[must_use]
    pub fn after(self, closed_to: Option<Date>) -> Self {
        Self { closed_to, ..self }
    }

    /// Takes in a decision, recorded at `at`.
    ///
    /// # Errors
    /// [`Refusal`]; the register is then as it was.
    pub fn decide(&mut self, at: Timestamp, decision: &Decision) -> Result<Change, Refusal> {
        self.check(decision)?;
        let item = self.items.get_mut(&decision.id).ok_or_else(|| Refusal::Unknown(decision.id.clone()))?;
        let (before, event) = (item.status, decision.step.kind());
        let refused = || Refusal::Status { id: decision.id.clone(), status: before, event };
        let after = next_status(Some(before), event).ok_or_else(refused)?;
        let resolution = |action, reviewed_by, details: &Details| Resolution {
            action,
            reason: decision.reason.clone(),
            decided_by: decision.by.clone(),
            reviewed_by,
            at,
            details: details.clone(),
            person: decision.person.clone(),
            posted_as: None,
        };
        let place = self.decisions.len();
        let mut made = Made { by: decision.by.clone(), reviewed_by: None, reason: decision.reason.clone(), at };
        match &decision.step {
            Step::Resolve { action, reviewer, details } => {
                item.resolution = Some(resolution(*action, reviewer.clone(), details));
                made.reviewed_by.clone_from(reviewer);
                self.decisions.extend(item.post(&decision.id, at, place));
            }
            Step::Propose { action, details } => item.proposal = Some(resolution(*action, None, details)),
            Step::Approve => {
                let approved = item.proposal.take().ok_or_else(refused)?;
                made =
                    Made { by: approved.decided_by.clone(), reviewed_by: Some(decision.by.clone()), reason: approved.reason.clone(), at };
                item.resolution = Some(Resolution { reviewed_by: Some(decision.by.clone()), at, ..approved });
                self.decisions.extend(item.post(&decision.id, at, place));
            }
            Step::Reopen => {
                item.proposal = None;
                let fell = item.resolution.take();
                self.decisions.extend(fell.and_then(|fell| taken_back(&fell, &decision.id, at, place)));
            }
            Step::Note => {}
        }
        self.made.extend(self.decisions.get(place..).unwrap_or_default().iter().map(|decision| (decision.id, made.clone())));
        if let Some(owner) = &decision.owner {
            item.owner.clone_from(owner);
        }
        if let Some(comment) = &decision.comment {
            item.comment.clone_from(comment);
        }
        item.status = after;
        item.history.push(Happening { at, event, status: after, words: told(decision) });
        Ok(Change { id: decision.id.clone(), event, before: Some(before), after })
    }
}

/// The id of the decision that is the `place`-th of a journal.
fn decision_id(item: &str, place: usize) -> ItemId {
    ItemId::of(Subject::Decision, &[item.as_bytes(), place.to_string().as_bytes()])
}

/// That a decision is taken back, as the books are to post it.
fn taken_back(fell: &Resolution, item: &str, at: Timestamp, place: usize) -> Option<books::Decision> {
    Some(books::Decision {
        id: decision_id(item, place),
        made_at: at,
        effective_on: wib_date(at),
        action: books::Action::Reopen,
        account: None,
        item: fell.posted_as?,
        amount: None,
        target: None,
        explained_as: None,
        reference: "".into(),
        facts: books::Facts::default(),
    })
}

/// Who, what and why.
fn told(decision: &Decision) -> String {
    let what = match &decision.step {
        Step::Resolve { action, reviewer: Some(reviewer), .. } => format!(" to {}, reviewed by {reviewer}", action.name()),
        Step::Resolve { action, reviewer: None, .. } | Step::Propose { action, .. } => format!(" to {}", action.name()),
        Step::Approve | Step::Reopen | Step::Note => String::new(),
    };
    format!("by {}{what}: {}", decision.by, decision.reason)
}
