//! The books of a run: what they were opened with, what was posted, and whether it holds.
//!
//! Belongs here: posting what a run found onto what the books knew. Must not be here: reading the month before, writing anything.

use jiff::civil::Date;

use super::facts::{facts, paid_before};
use super::open_items::{OpenItem, Terms as ItemTerms, open_items};
use super::{Outcome, Terms};
use crate::books::export::{Entry, Export, export};
use crate::books::identities::{Identity, Made, identities};
use crate::books::take_on::{TakenOn, begin};
use crate::books::{BooksError, Decision, Known, Month, Period, Settings, post};
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
    /// Posts what `outcome` found.
    ///
    /// # Errors
    /// [`BooksError`]: a state that no evidence can lead to.
    pub fn of(outcome: &Outcome, terms: &Terms, inputs: &BooksInputs) -> Result<Self, BooksError> {
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
        let month = post(before.clone(), &facts, &inputs.decisions, settings, period)?;
        let made = Made { before, facts: &facts, decisions: &inputs.decisions, settings };
        let export = export(&month.pairs, &inputs.exported, settings);
        let today = wib_date(terms.as_of).max(period.from);
        let mut identities = identities(&month, &made, &export, today);
        let is_settlement_known = outcome.settled.is_some() || !month.known.batches.is_empty();
        let items = open_items(&month, outcome, &ItemTerms { terms, today, settings, is_settlement_known });
        identities.push(super::open_items::identity(&month.known, &items));
        Ok(Self { month, settings: settings.clone(), previous, today, items, export, identities })
    }

    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.identities.iter().all(Identity::holds)
    }
}
