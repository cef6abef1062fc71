//! The books of a run: what they were opened with, what was posted, and whether it holds.
//!
//! Belongs here: posting what a run found onto what the books knew. Must not be here: reading the month before, writing anything.

use jiff::civil::Date;

use super::facts::{facts, paid_before};
use super::listing::listed;
use super::open_items::{OpenItem, Terms as ItemTerms, open_items};
use super::{Outcome, Terms};
use crate::books::export::{Entry, Export, export};
use crate::books::ground::grounds;
use crate::books::identities::{Identity, Made, identities};
use crate::books::take_on::{TakenOn, begin};
use crate::books::{BooksError, Decision, Facts, ItemId, Known, Leg, Month, Period, Settings, Subject, post};
use crate::domain::calendar::wib_date;

/// What the books are opened with.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The month before, whose head has this hash.
    Carried {
        /// What was known at its end.
        known: Box<Known>,
        /// The hash of its head.
        hash: String,
    },
    /// Nothing: they begin with this period, with bills that were open and what is told besides.
    TakenOn {
        /// Money in transit, held, credited or to be refunded.
        items: Vec<TakenOn>,
    },
}

/// What a run's books are made with, beside the run itself.
#[derive(Clone, Debug)]
pub struct BooksInputs {
    /// What they are opened with.
    pub opened: Opened,
    /// The journal's decisions.
    pub decisions: Vec<Decision>,
    /// What was exported of this period already.
    pub exported: Vec<Entry>,
    /// The settings that postings depend on.
    pub settings: Settings,
}

/// The books of a run.
#[derive(Clone, Debug)]
pub struct Posted {
    /// What was posted, and what is known then.
    pub month: Month,
    /// The settings.
    pub settings: Settings,
    /// The hash of the head they were opened with; none for the first month.
    pub previous: Option<String>,
    /// The day to which ages are counted.
    pub today: Date,
    /// Everything that is open, and every alarm.
    pub items: Vec<OpenItem>,
    /// What is to be exported.
    pub export: Export,
    /// What must hold.
    pub identities: Vec<Identity>,
}

impl Posted {
    /// Posts what `outcome` found, and makes its findings the one list of what somebody must look at.
    ///
    /// # Errors
    /// [`BooksError`]: a state that no evidence can lead to.
    pub fn of(outcome: &mut Outcome, terms: &Terms, inputs: &BooksInputs) -> Result<Self, BooksError> {
        let period = Period { from: terms.period.from, to: terms.period.to };
        let settings = &inputs.settings;
        let mut begun = None;
        let (before, previous) = match &inputs.opened {
            Opened::Carried { known, hash } => (&**known, Some(hash.clone())),
            Opened::TakenOn { items } => {
                // The bills of the eve are told by the facts themselves, which no carry can change yet.
                let found = facts(outcome, terms, &Known::default());
                let eve = begin(&found.bills, &paid_before(outcome), items, settings, period.from)?;
                (&begun.insert(eve).known, None)
            }
        };
        let facts = facts(outcome, terms, before);
        let decisions = grounded(before, &facts, &inputs.decisions, settings, period)?;
        let month = post(before.clone(), &facts, &decisions, settings, period)?;
        let made = Made { before, facts: &facts, decisions: &decisions, settings };
        let export = export(&month.pairs, &inputs.exported, settings);
        let today = wib_date(terms.as_of).max(period.from);
        let mut identities = identities(&month, &made, &export, today);
        let is_settlement_known = outcome.settled.is_some() || !month.known.batches.is_empty();
        let items = open_items(&month, outcome, &ItemTerms { terms, today, settings, is_settlement_known, decisions: &inputs.decisions });
        identities.push(super::open_items::identity(&month.known, &items));
        let posted = Self { month, settings: settings.clone(), previous, today, items, export, identities };
        outcome.findings = listed(std::mem::take(&mut outcome.findings), &posted, &facts);
        Ok(posted)
    }

    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.identities.iter().all(Identity::holds)
    }
}

/// Decisions with what they stand on. One that was made before there were books, or that names a bill it was not made on, takes from
/// this run's evidence what is missing; one of before the books, about what they never heard of, is done.
fn grounded(before: &Known, facts: &Facts, made: &[Decision], settings: &Settings, period: Period) -> Result<Vec<Decision>, BooksError> {
    let mut decisions: Vec<Decision> = made.iter().filter(|decision| !before.decisions.contains_key(&decision.id)).cloned().collect();
    let lacking: Vec<usize> = (0..).zip(&decisions).filter(|(_, decision)| lacks(before, decision)).map(|(place, _)| place).collect();
    if lacking.is_empty() {
        return Ok(decisions);
    }
    let known = post(before.clone(), facts, &[], settings, period)?.known;
    let wanted: Vec<_> =
        lacking.iter().filter_map(|place| decisions.get(*place)).map(|decision| (leg(decision), decision.target)).collect();
    for (place, ground) in lacking.into_iter().zip(grounds(facts, &known, &wanted)) {
        if let Some(decision) = decisions.get_mut(place) {
            decision.facts.extend(ground);
        }
    }
    let began_on = before.began_on.unwrap_or(period.from);
    decisions.retain(|decision| decision.effective_on >= began_on || !lacks(before, decision));
    Ok(decisions)
}

fn leg(decision: &Decision) -> Option<Leg> {
    decision.account.map(|account| Leg::of(account, decision.item))
}

/// Whether neither the books nor the decision itself tell of what it is about.
fn lacks(before: &Known, decision: &Decision) -> bool {
    let is_told = |id: ItemId| match id.subject() {
        Subject::Bill => before.bills.contains_key(&id) || decision.facts.bills.iter().any(|bill| bill.id == id),
        Subject::Debt => before.debts.contains_key(&id) || decision.facts.bills.iter().any(|bill| bill.debt == id),
        Subject::Payment => before.payments.contains_key(&before.payment_id(id)) || decision.facts.payments.iter().any(|one| one.id == id),
        Subject::Row => before.rows.contains_key(&id) || decision.facts.rows.iter().any(|row| row.id == id),
        Subject::Batch => before.batches.contains_key(&id) || decision.facts.rows.iter().any(|row| row.batch == id),
        Subject::BankLine => before.bank_lines.contains_key(&id) || decision.facts.bank_lines.iter().any(|line| line.id == id),
        Subject::Event | Subject::Payout | Subject::Decision | Subject::Alarm | Subject::Books => true,
    };
    !is_told(decision.item) || decision.target.is_some_and(|target| !is_told(target))
}
