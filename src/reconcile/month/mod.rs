//! The month's figures beside the books: outstanding codes, ageing, breakdowns, completeness, closing balances.
//!
//! Belongs here: pure figures over an [`Outcome`], its books and the balances carried over. Must not be here:
//! reading folders or journals, writing files. Every balance is counted twice: movement by movement, and by state.

mod ages;
mod breakdown;
mod codes;
mod completeness;
mod life;
mod of_books;
mod opening;
pub(super) mod prior;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use ages::AgeTable;
pub use breakdown::{Breakdowns, ClassNature, DayFigures, StorePayments};
pub use codes::CodeFigures;
pub use completeness::{Completeness, Span};
pub use opening::{Opening, OpeningFrom, OutstandingItem, SuspenseItem};
pub use prior::{CODES, PriorLine};

use super::Reconciled;
use super::external_rows::DigestSum;
use super::posted::Posted;
use super::tally::ControlIdentity;
use super::terms::ReconcileTerms;
use crate::books::breakdown::Receivables;
use crate::domain::amount::Amount;
use crate::domain::balance::{Balance, RollForward, SignedLine};
use crate::domain::channel::Channel;
use crate::domain::classify::Class;
pub use crate::domain::closing::Closing;
use crate::domain::digest;
use life::Window;

/// One run's figures for its period.
#[derive(Clone, Debug)]
pub struct MonthResult {
    /// Which report it is carried on from.
    pub opening_from: Option<OpeningFrom>,
    /// Outstanding codes and suspense.
    pub roll_forwards: Vec<RollForward>,
    /// What became known of earlier periods, sorted.
    pub prior_period: Vec<PriorLine>,
    /// Unpaid bills and open exceptions by age.
    pub ageing: [AgeTable; 2],
    /// The roll-forward of codes by product and channel; its opening is what is known today.
    pub products: BTreeMap<(String, Channel), CodeFigures>,
    /// By day, store and class.
    pub breakdowns: Breakdowns,
    /// What customers owe, by a dimension's name and its value.
    pub dimensions: BTreeMap<(String, String), Receivables>,
    /// Whether the evidence can be whole.
    pub completeness: Completeness,
    /// What is signed.
    pub closing: Closing,
    /// The codes outstanding at the end with what they asked for, sorted by their ids.
    pub outstanding: Vec<(u32, Amount)>,
    /// Each balance from both of its counters.
    pub identities: Vec<ControlIdentity>,
}

impl MonthResult {
    /// The figures of `outcome` and its books, whose carry has the hash `books_hash`; `file_count` logs were read.
    #[must_use]
    pub fn of(
        outcome: &Reconciled,
        terms: &ReconcileTerms,
        opening: Option<&Opening>,
        posted: &Posted,
        books_hash: &str,
        file_count: usize,
    ) -> Self {
        let bills = &outcome.inputs.bills;
        let window = Window::of(terms);
        let lives = life::Lives::of(outcome, terms);
        let codes = codes::Codes::of(bills, &lives, window);
        let mut prior_period = opening.map_or_else(Vec::new, |opening| prior::codes(bills, &lives, window, opening));
        prior_period.extend(posted.prior.iter().cloned());
        prior_period.sort_unstable();
        let total = codes.total();
        let suspense = of_books::suspense(posted);
        let outstanding = prior::outstanding(bills, &lives, window.close_us);
        let breakdowns = Breakdowns::of(outcome);
        let closing = Closing {
            from: terms.period.from,
            to: terms.period.to,
            outstanding_codes: total.closing,
            suspense: suspense.closing,
            open_discrepancies: Some(posted.items.to_do()),
            outstanding_digest: outstanding_digest(outcome, &outstanding),
            suspense_digest: sum(std::iter::empty()),
            opening_hash: opening.map(|opening| opening.from.hash.clone()),
            books_hash: Some(books_hash.to_owned()),
        };
        let roll_forwards = vec![roll_codes(&total, opening, &prior_period), suspense];
        let listed = outstanding.iter().map(|&(_, amount)| Balance::one(amount.into())).sum();
        let identities = identities(outcome, &roll_forwards, (total.closing, listed), &breakdowns);
        let product = |((channel, product), figures): ((Channel, u16), CodeFigures)| {
            ((bills.side().product_name(product).to_owned(), channel), figures)
        };
        Self {
            opening_from: opening.map(|opening| opening.from.clone()),
            ageing: [of_books::receivables(posted), of_books::exceptions(&posted.items)],
            products: codes.by_kind.into_iter().map(product).collect(),
            completeness: Completeness::of(outcome, terms, file_count),
            roll_forwards,
            prior_period,
            breakdowns,
            dimensions: posted.breakdown.by_dimension(),
            closing,
            outstanding,
            identities,
        }
    }

    /// A code outstanding at the end, as it is carried over.
    #[must_use]
    pub fn outstanding_item(outcome: &Reconciled, (number, amount): (u32, Amount)) -> OutstandingItem {
        prior::carried(&outcome.inputs.bills, number, amount)
    }
}

/// Without balances carried over, the codes known to have been outstanding open the first period.
fn roll_codes(total: &CodeFigures, opening: Option<&Opening>, prior: &[PriorLine]) -> RollForward {
    let mut movements = vec![SignedLine { name: "prior_period", balance: prior::codes_total(prior) }];
    movements.extend(total.movements());
    RollForward {
        name: "outstanding_codes",
        opening: opening.map_or(total.opening, |opening| opening.codes),
        movements,
        closing: total.closing,
    }
}

fn sum(digests: impl Iterator<Item = digest::Digest>) -> String {
    let mut sum = DigestSum::default();
    for digest in digests {
        sum.add(&digest);
    }
    digest::hex(&sum.finish())
}

fn outstanding_digest(outcome: &Reconciled, outstanding: &[(u32, Amount)]) -> String {
    let add = |mut sum: DigestSum, &item: &(u32, Amount)| {
        sum.add(&MonthResult::outstanding_item(outcome, item).digest());
        sum
    };
    let total = outstanding.par_iter().fold(DigestSum::default, add).reduce(DigestSum::default, |mut all, more| {
        all.add(&more.finish());
        all
    });
    digest::hex(&total.finish())
}

fn identities(
    outcome: &Reconciled,
    rolls: &[RollForward],
    (closing, listed): (Balance, Balance),
    breakdowns: &Breakdowns,
) -> Vec<ControlIdentity> {
    let mut all = Vec::new();
    let mut row = |[count, rupiah]: [&'static str; 2], left: Balance, right: Balance| {
        all.push(ControlIdentity { name: count, left: left.count.into(), right: right.count.into() });
        all.push(ControlIdentity { name: rupiah, left: left.amount.get(), right: right.amount.get() });
    };
    for roll in rolls {
        let names = match roll.name {
            "outstanding_codes" => ["outstanding_codes_carried_equal_closing", "outstanding_codes_rupiah_carried_equal_closing"],
            _ => ["suspense_carried_equal_closing", "suspense_rupiah_carried_equal_closing"],
        };
        row(names, roll.carried(), roll.closing);
    }
    row(["outstanding_codes_listed_equal_closing", "outstanding_codes_listed_rupiah_equal_closing"], listed, closing);
    let classes = outcome.payment_tallies.total();
    let other = breakdown::balance(outcome.payment_tallies.of(Class::P16));
    let of_period = breakdown::balance(classes).minus(other);
    row(["payments_by_day_equal_payment_classes", "rupiah_by_day_equal_payment_classes_rupiah"], breakdowns.paid(), of_period);
    if let Some(stores) = &breakdowns.stores {
        let by_store = stores.values().copied().sum();
        row(["payments_by_store_equal_payment_classes", "rupiah_by_store_equal_payment_classes_rupiah"], by_store, of_period);
    }
    all
}
