//! Counts and rupiah by class, and the identities that hold independent counters against each other.

use super::Inputs;
use super::dedupe::Payments;
use super::judge::JudgedPayment;
use super::judge_bills::Attached;
use super::status::Placed;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature};
use crate::domain::sum::Sum;

/// One tally a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallies([Sum; Class::COUNT]);

impl Default for Tallies {
    fn default() -> Self {
        Self([Sum::default(); Class::COUNT])
    }
}

impl Tallies {
    /// Counts one more of `class`.
    pub fn add(&mut self, class: Class, amount: Rupiah) {
        if let Some(tally) = self.0.get_mut(usize::from(class.index())) {
            *tally = tally.plus(Sum::one(amount));
        }
    }

    /// Counts one of `class` no more.
    pub(super) fn take_one(&mut self, class: Class, amount: Rupiah) {
        if let Some(tally) = self.0.get_mut(usize::from(class.index())) {
            *tally = tally.minus(Sum::one(amount));
        }
    }

    /// Both added, class by class.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (tally, more) in self.0.iter_mut().zip(other.0) {
            *tally = tally.plus(more);
        }
        self
    }

    /// The tally of `class`.
    #[must_use]
    pub fn of(&self, class: Class) -> Sum {
        self.0.get(usize::from(class.index())).copied().unwrap_or_default()
    }

    /// Every class that occurred, in the order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = (Class, Sum)> {
        Class::all().zip(self.0).filter(|(_, tally)| tally.count > 0)
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> Sum {
        self.0.iter().copied().sum()
    }
}

pub(super) const fn place(nature: Nature) -> usize {
    match nature {
        Nature::Ok => 0,
        Nature::Timing => 1,
        Nature::Break => 2,
    }
}

pub(super) fn add_nature(natures: &mut [Sum; 3], nature: Nature, tally: Sum) {
    if let Some(sum) = natures.get_mut(place(nature)) {
        *sum = sum.plus(tally);
    }
}

/// Counts one of the nature `from` as of `to` instead.
pub(super) fn move_nature(natures: &mut [Sum; 3], from: Nature, to: Nature, amount: Rupiah) {
    if let Some(sum) = natures.get_mut(place(from)) {
        *sum = sum.minus(Sum::one(amount));
    }
    add_nature(natures, to, Sum::one(amount));
}

/// Moves payments whose nature is no longer that of their class.
pub(super) fn age(natures: &mut [Sum; 3], payments: &Payments, judged: &[JudgedPayment]) {
    for (proved, payment) in payments.proved.iter().zip(judged).filter(|(_, payment)| payment.nature != payment.class.info().nature) {
        move_nature(natures, payment.class.info().nature, payment.nature, Rupiah::new(proved.amount.into()));
    }
}

/// Two figures that must be one, each from its own counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlIdentity {
    /// What is compared.
    pub name: &'static str,
    /// By the reader, the raw sums or the ledger's own query.
    pub left: i128,
    /// By the classes.
    pub right: i128,
}

impl ControlIdentity {
    /// Whether they are one.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.left == self.right
    }
}

/// The identities of the rules, section 3, first build.
pub(super) fn identities(
    inputs: &Inputs,
    payments: &Payments,
    attached: &Attached,
    tallies: [&Tallies; 3],
    status: &Placed,
) -> Vec<ControlIdentity> {
    let [lines, paid, bills] = tallies;
    let proving = lines.of(Class::N00).count;
    let unique = u64::try_from(payments.proved.len()).unwrap_or(u64::MAX);
    let notified = unique.saturating_sub(status.only.count);
    let told = status.notified.plus(status.only);
    // SUCCESS as summed while parsing, less what repeats or contradicts a payment, is what was paid.
    let not_first = lines.of(Class::N06).plus(lines.of(Class::N07));
    let first = inputs.raw.success_amount.minus(not_first.rupiah);
    let attaching: Sum = paid.iter().filter(|(class, _)| class.attaches()).map(|(_, sum)| sum).sum();
    let row = |name, left: i128, right: i128| ControlIdentity { name, left, right };
    vec![
        row("lines_read_equal_line_classes", inputs.lines_read.into(), inputs.lines_apart.saturating_add(lines.total().count.into())),
        row("success_lines_parsed_equal_success_classes", inputs.raw.success_count.into(), proving.saturating_add(not_first.count).into()),
        row("proving_lines_equal_unique_payments", proving.into(), notified.into()),
        row("unique_payments_equal_payment_classes", unique.into(), paid.total().count.into()),
        row("proving_lines_rupiah_equal_payment_classes_rupiah", first.get(), paid.total().rupiah.minus(status.only.rupiah).get()),
        row("payments_told_by_status_equal_notified_and_status_only", inputs.status.total.count.into(), told.count.into()),
        row("rupiah_told_by_status_equal_notified_and_status_only_rupiah", inputs.status.total.rupiah.get(), told.rupiah.get()),
        row("bills_in_scope_equal_bill_classes", inputs.scope.count.into(), bills.total().count.into()),
        row("bills_in_scope_rupiah_equal_bill_classes_rupiah", inputs.scope.rupiah.get(), bills.total().rupiah.get()),
        row("payments_attached_to_bills_equal_attaching_classes", attached.total().count.into(), attaching.count.into()),
        row("rupiah_attached_to_bills_equal_attaching_classes_rupiah", attached.total().rupiah.get(), attaching.rupiah.get()),
    ]
}
