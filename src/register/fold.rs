//! The register: every item anybody has seen, as a fold of what the journal holds.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::decision::{DecidedAction, Decision, DecisionDetails, DecisionRefusal, DecisionStep};
use super::facts::DiscrepancyFacts;
use super::item::{Item, ItemHappening, Resolution, decision_id};
use super::sighting::{ReconcileRun, Sighting};
use super::{ItemEventKind, ItemStatus, next_status};
use crate::books;
use crate::books::ItemId;
use crate::domain::calendar::wib_date;

/// Who made a decision of the books, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionMade {
    /// The preparer.
    pub by: String,
    /// The second person, if there is one.
    pub reviewed_by: Option<String>,
    /// Why.
    pub reason: String,
    /// When it took effect in the journal (UTC).
    pub at: Timestamp,
}

/// One item's step from one status to another, for roll-forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// Which item.
    pub id: String,
    /// What happened.
    pub event: ItemEventKind,
    /// Where it stood; `None` when it was new.
    pub before: Option<ItemStatus>,
    /// Where it stands.
    pub after: ItemStatus,
}

/// A journal that tells what cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalHistory {
    /// A sighting that does not fit.
    #[error("`{id}` cannot have been {} while it was {}", .event.name(), .status.map_or("unknown", ItemStatus::name))]
    Event {
        /// Which item.
        id: String,
        /// Where it stood.
        status: Option<ItemStatus>,
        /// What was to happen.
        event: ItemEventKind,
    },
    /// A decision that does not fit.
    #[error("a decision on it cannot have been made: {0}")]
    Decision(#[from] DecisionRefusal),
}

/// Every item anybody has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    items: BTreeMap<String, Item>,
    runs: Vec<ReconcileRun>,
    /// What the books are to post, in the order in which it was decided.
    decisions: Vec<books::BooksDecision>,
    /// Who made each, by the decision's id. A decision that fell with its facts was taken back by nobody.
    made: BTreeMap<ItemId, DecisionMade>,
    /// The last closed day, where decisions are made now; none while earlier ones are told again.
    closed_to: Option<Date>,
    /// Whether decisions are made now.
    is_now: bool,
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
    pub fn decisions(&self) -> &[books::BooksDecision] {
        &self.decisions
    }

    /// Who made each decision for the books.
    #[must_use]
    pub const fn made(&self) -> &BTreeMap<ItemId, DecisionMade> {
        &self.made
    }

    /// Whether this run has been taken in.
    #[must_use]
    pub fn has_taken(&self, run_id: &str) -> bool {
        self.runs.iter().any(|run| run.run_id == run_id)
    }

    /// The runs taken in, in that order.
    #[must_use]
    pub fn runs(&self) -> &[ReconcileRun] {
        &self.runs
    }

    /// Takes in what a run saw, recorded at `at`.
    ///
    /// # Errors
    /// [`IllegalHistory`]; the register is then of no further use.
    pub fn sight(&mut self, at: Timestamp, sighting: &Sighting) -> Result<Vec<StatusChange>, IllegalHistory> {
        let run = &sighting.run;
        let mut changes = Vec::new();
        for facts in &sighting.new {
            changes.push(self.see(at, run, &facts.id, ItemEventKind::SeenFirst, Some(facts))?);
        }
        for facts in &sighting.changed {
            changes.push(self.see(at, run, &facts.id, ItemEventKind::SeenChanged, Some(facts))?);
        }
        for id in &sighting.again {
            changes.push(self.see(at, run, id, ItemEventKind::SeenAgain, None)?);
        }
        for id in &sighting.gone {
            changes.push(self.see(at, run, id, ItemEventKind::Gone, None)?);
        }
        self.runs.push(run.clone());
        Ok(changes)
    }

    fn see(
        &mut self,
        at: Timestamp,
        run: &ReconcileRun,
        id: &str,
        event: ItemEventKind,
        facts: Option<&DiscrepancyFacts>,
    ) -> Result<StatusChange, IllegalHistory> {
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
                    moved: Vec::new(),
                    proposal: None,
                    reopening: None,
                    history: Vec::new(),
                },
            );
        }
        let place = self.decisions.len();
        let item = self.items.get_mut(id).ok_or_else(illegal)?;
        item.judged_as_of = item.judged_as_of.max(run.as_of);
        if event != ItemEventKind::Gone {
            item.last_seen = run.clone();
        }
        // What is open as it was although it was decided about was not moved.
        let has_moved = facts.is_none_or(|facts| !item.facts.is_same(facts));
        if let Some(facts) = facts {
            item.facts = facts.clone();
        }
        // Of what was decided nothing is taken back by a look: what it moved stays moved, and what is open anew waits anew. Only that
        // something may stay as it is falls with what it was.
        if matches!(event, ItemEventKind::SeenFirst | ItemEventKind::SeenChanged) || before == Some(ItemStatus::Cleared) {
            match item.resolution.take() {
                Some(fell) if fell.action == DecidedAction::Books(books::Action::Accept) => {
                    record(&mut self.decisions, taken_back(&fell, id, at, place));
                }
                Some(stands) if has_moved && stands.posted_as.is_some() => item.moved.push(stands),
                Some(_) | None => {}
            }
            (item.proposal, item.reopening) = (None, None);
        }
        item.status = after;
        if event != ItemEventKind::SeenAgain || before != Some(after) {
            let words = format!("{} in {}", item.facts.class, run.period());
            item.history.push(ItemHappening { at, event, status: after, words });
        }
        Ok(StatusChange { id: id.to_owned(), event, before, after })
    }

    /// Whether `decision` may be made now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, decision: &Decision) -> Result<(), DecisionRefusal> {
        let item = self.get(&decision.id).ok_or_else(|| DecisionRefusal::Unknown(decision.id.clone()))?;
        if self.is_now && decision.step.takes_back() {
            self.check_money(&decision.id, item)?;
        }
        decision.check(item, self.closed_to)
    }

    /// Whether the money of what is to be taken back is where that put it; and where that is decided, if not at this item.
    fn check_money(&self, id: &str, item: &Item) -> Result<(), DecisionRefusal> {
        let Some(fell) = item.taken_back() else {
            let made = item.facts.books.as_ref().map(|books| books.item);
            let of = self.items.iter().find(|(_, other)| other.in_force().any(|one| one.posted_as.is_some() && one.posted_as == made));
            return of.map_or(Ok(()), |(of, _)| Err(DecisionRefusal::MadeBy { id: id.to_owned(), of: of.clone() }));
        };
        let is_on = |other: &Item| other.facts.books.as_ref().is_some_and(|books| Some(books.item) == fell.posted_as);
        let moves = |made: &Resolution| made.posted_as.is_some() && made.action != DecidedAction::Books(books::Action::Accept);
        let moved_on = self.items.iter().find(|(_, other)| is_on(other) && other.in_force().any(moves));
        moved_on.map_or(Ok(()), |(by, _)| Err(DecisionRefusal::MovedOn { id: id.to_owned(), by: by.clone() }))
    }

    /// The same, for decisions that are made now: none may take effect on `closed_to` or before.
    #[must_use]
    pub fn after(self, closed_to: Option<Date>) -> Self {
        Self { closed_to, is_now: true, ..self }
    }

    /// Takes in a decision, recorded at `at`.
    ///
    /// # Errors
    /// [`Refusal`]; the register is then as it was.
    pub fn decide(&mut self, at: Timestamp, decision: &Decision) -> Result<StatusChange, DecisionRefusal> {
        self.check(decision)?;
        let item = self.items.get_mut(&decision.id).ok_or_else(|| DecisionRefusal::Unknown(decision.id.clone()))?;
        let (before, event) = (item.status, decision.step.kind());
        let refused = || DecisionRefusal::Status { id: decision.id.clone(), status: before, event };
        let after = next_status(Some(before), event).ok_or_else(refused)?;
        let resolution = |action, reviewed_by, details: &DecisionDetails| Resolution {
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
        let mut made = DecisionMade { by: decision.by.clone(), reviewed_by: None, reason: decision.reason.clone(), at };
        if matches!(decision.step, DecisionStep::Resolve { .. } | DecisionStep::Propose { .. }) {
            // Who decides anew does not wait for what was to be taken back.
            item.reopening = None;
        }
        match &decision.step {
            DecisionStep::Resolve { action, reviewer, details } => {
                item.resolution = Some(resolution(*action, reviewer.clone(), details));
                made.reviewed_by.clone_from(reviewer);
                record(&mut self.decisions, item.post(&decision.id, at, place));
            }
            DecisionStep::Propose { action, details } => item.proposal = Some(resolution(*action, None, details)),
            DecisionStep::Approve => {
                let approved = item.proposal.take().ok_or_else(refused)?;
                made = DecisionMade {
                    by: approved.decided_by.clone(),
                    reviewed_by: Some(decision.by.clone()),
                    reason: approved.reason.clone(),
                    at,
                };
                item.resolution = Some(Resolution { reviewed_by: Some(decision.by.clone()), at, ..approved });
                record(&mut self.decisions, item.post(&decision.id, at, place));
            }
            DecisionStep::ProposeReopen => {
                let action = item.taken_back().map_or(DecidedAction::INVESTIGATE, |resolution| resolution.action);
                item.reopening = Some(resolution(action, None, &DecisionDetails::default()));
            }
            DecisionStep::Reopen | DecisionStep::ApproveReopen => {
                let asked = item.reopening.take().filter(|_| decision.step == DecisionStep::ApproveReopen);
                if let Some(asked) = asked {
                    made = DecisionMade { by: asked.decided_by, reviewed_by: Some(decision.by.clone()), reason: asked.reason, at };
                }
                item.proposal = None;
                // What only waited is taken back alone.
                let fell = if before == ItemStatus::Proposed { None } else { item.resolution.take().or_else(|| item.moved.pop()) };
                record(&mut self.decisions, fell.and_then(|fell| taken_back(&fell, &decision.id, at, place)));
            }
            DecisionStep::Note => {}
        }
        self.made.extend(self.decisions.get(place..).unwrap_or_default().iter().map(|decision| (decision.id, made.clone())));
        if let Some(owner) = &decision.owner {
            item.owner.clone_from(owner);
        }
        if let Some(comment) = &decision.comment {
            item.comment.clone_from(comment);
        }
        item.status = after;
        item.history.push(ItemHappening { at, event, status: after, words: told(decision) });
        Ok(StatusChange { id: decision.id.clone(), event, before: Some(before), after })
    }
}

/// The books go by the order in which decisions were recorded: one whose recorder's clock was behind is still later than those before it.
/// The day it is posted on is what that clock said.
fn record(decisions: &mut Vec<books::BooksDecision>, made: Option<books::BooksDecision>) {
    let latest = decisions.last().map_or(Timestamp::MIN, |before| before.made_at);
    decisions.extend(made.map(|made| {
        let is_behind = made.made_at < latest;
        let next = latest.checked_add(SignedDuration::from_nanos(1)).unwrap_or(latest);
        books::BooksDecision { made_at: if is_behind { next } else { made.made_at }, ..made }
    }));
}

/// That a decision is taken back, as the books are to post it.
fn taken_back(fell: &Resolution, item: &str, at: Timestamp, place: usize) -> Option<books::BooksDecision> {
    Some(books::BooksDecision {
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
        DecisionStep::Resolve { action, reviewer: Some(reviewer), .. } => format!(" to {}, reviewed by {reviewer}", action.name()),
        DecisionStep::Resolve { action, reviewer: None, .. } | DecisionStep::Propose { action, .. } => format!(" to {}", action.name()),
        DecisionStep::Approve | DecisionStep::Reopen | DecisionStep::ProposeReopen | DecisionStep::ApproveReopen | DecisionStep::Note => {
            String::new()
        }
    };
    format!("by {}{what}: {}", decision.by, decision.reason)
}
