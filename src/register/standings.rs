//! A run's findings against the register: what is new, changed, seen again and gone. The same function tells a report how its
//! findings stand and the journal what to record, so the two cannot disagree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::facts::DiscrepancyFacts;
use super::fold::{DecisionMade, IllegalHistory, Register};
use super::item::Item;
use super::sighting::{ItemStanding, ReconcileRun, Sighting};
use super::{Fingerprint, ItemStatus};
use crate::books::ItemId;

/// Compares what `run` found with what is known. `closed` names the known items that it knows to be closed: their balance is zero, what
/// answers them is there, or their subject was judged and found in order. That a run did not look at an item says nothing of it.
/// `refused` names what was decided and is open in the books all the same: the decision moved nothing.
///
/// A run says nothing about an item that was judged as of a later time, and nothing ends a decision but a fact about its own subject.
#[must_use]
pub fn look(
    register: &Register,
    run: &ReconcileRun,
    found: Vec<DiscrepancyFacts>,
    closed: &[String],
    refused: &BTreeSet<String>,
) -> Sighting {
    let found = by_id(found);
    let mut sighting = Sighting { run: run.clone(), new: Vec::new(), changed: Vec::new(), again: Vec::new(), gone: Vec::new() };
    let closed: BTreeSet<&str> = closed.iter().map(String::as_str).collect();
    for (id, item) in register.items().filter(|(id, item)| closed.contains(id.as_str()) && item.status.is_open()) {
        if run.as_of >= item.judged_as_of && !found.contains_key(id) {
            sighting.gone.push(id.clone());
        }
    }
    for (id, facts) in found {
        match register.get(&id) {
            None => sighting.new.push(facts),
            Some(item) if run.as_of < item.judged_as_of => {}
            Some(item) if item.status == ItemStatus::Accepted && refused.contains(&id) => sighting.changed.push(facts),
            Some(item) if item.facts.is_same(&facts) && !is_due_otherwise(item, &facts) => sighting.again.push(id),
            Some(_) => sighting.changed.push(facts),
        }
    }
    sighting
}

/// Whether an item that nobody has decided about has come due, or is not due any more. That ends no decision.
fn is_due_otherwise(item: &Item, facts: &DiscrepancyFacts) -> bool {
    matches!(item.status, ItemStatus::Open | ItemStatus::Reopened) && item.reopening.is_none() && item.facts.nature != facts.nature
}

/// One of each subject; equal subjects are counted, under the facts that sort first.
fn by_id(found: Vec<DiscrepancyFacts>) -> BTreeMap<String, DiscrepancyFacts> {
    let mut all: BTreeMap<String, (Fingerprint, DiscrepancyFacts)> = BTreeMap::new();
    for facts in found {
        let fingerprint = facts.fingerprint();
        match all.get_mut(&facts.id) {
            None => {
                all.insert(facts.id.clone(), (fingerprint, facts));
            }
            Some((kept, known)) => {
                let times = known.times.saturating_add(1);
                if fingerprint < *kept {
                    (*kept, *known) = (fingerprint, facts);
                }
                known.times = times;
            }
        }
    }
    all.into_iter().map(|(id, (_, facts))| (id, facts)).collect()
}

/// How the findings of one run stand, this run included.
#[derive(Clone, Debug, Default)]
pub struct Standings {
    period: String,
    known: HashMap<String, ItemStanding>,
    /// Who made each decision of the books, by its id.
    pub made: BTreeMap<ItemId, DecisionMade>,
    /// Items of the journal that this run looked at and found in order.
    pub cleared: Vec<String>,
}

impl Standings {
    /// Without a journal: everything is seen for the first time.
    #[must_use]
    pub fn new_of(period: String) -> Self {
        Self { period, ..Self::default() }
    }

    /// The standings after `sighting`, which is not recorded by this.
    ///
    /// # Errors
    /// [`IllegalHistory`] when the sighting does not belong to this register.
    pub fn after(register: &Register, sighting: &Sighting) -> Result<Self, IllegalHistory> {
        let mut register = register.clone();
        let at = sighting.run.as_of;
        register.sight(at, sighting)?;
        let now = register.standings();
        Ok(Self { period: sighting.run.period(), known: now.known, made: register.made().clone(), cleared: sighting.gone.clone() })
    }

    /// How the finding `id` stands.
    #[must_use]
    pub fn of(&self, id: &str) -> ItemStanding {
        self.known.get(id).cloned().unwrap_or_else(|| ItemStanding {
            first_seen: self.period.clone(),
            last_seen: self.period.clone(),
            status: ItemStatus::Open,
            owner: String::new(),
            comment: String::new(),
        })
    }
}

impl Register {
    /// How every item stands now, whatever a run would find.
    #[must_use]
    pub fn standings(&self) -> Standings {
        let known = self.items().map(|(id, item)| (id.clone(), item.standing())).collect();
        Standings { known, ..Standings::default() }
    }
}
