//! How old what is open has become: unpaid bills by due date. In WIB days at as-of.

use super::life::Lives;
use crate::domain::ageing::{Bucket, wib_day_number};
use crate::domain::balance::Balance;
use crate::reconcile::{Outcome, Terms};

/// One table: what is open, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// Of what, and by which day.
    pub name: &'static str,
    /// In the order of [`Bucket::ALL`].
    pub buckets: [Balance; 5],
}

impl Ageing {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, buckets: [Balance::ZERO; 5] }
    }

    pub(super) fn add(&mut self, days: i32, balance: Balance) {
        let place = Bucket::ALL.iter().position(|&bucket| bucket == Bucket::of(days));
        if let Some(sum) = place.and_then(|place| self.buckets.get_mut(place)) {
            *sum = sum.plus(balance);
        }
    }

    /// The buckets with their figures.
    pub fn rows(&self) -> impl Iterator<Item = (Bucket, Balance)> + '_ {
        Bucket::ALL.into_iter().zip(self.buckets)
    }

    /// Everything older than 60 days.
    #[must_use]
    pub fn past_limit(&self) -> Balance {
        self.rows().filter(|(bucket, _)| bucket.is_past_limit()).map(|(_, balance)| balance).sum()
    }

    /// All buckets together.
    #[must_use]
    pub fn total(&self) -> Balance {
        self.buckets.into_iter().sum()
    }
}

/// Bills nobody had paid or cancelled at as-of, whether they ever had a code or not; those without a due date by the day their
/// code expires, else by the day they were first heard of.
pub(super) fn bills(outcome: &Outcome, lives: &Lives<'_>, terms: &Terms) -> Ageing {
    let bills = &outcome.inputs.bills;
    let today = wib_day_number(terms.as_of);
    let as_of_us = terms.as_of.as_microsecond();
    let mut table = Ageing::new("unpaid_bills_by_due_date");
    for (number, bill) in bills.iter() {
        let exists = bill.planned_at().is_none_or(|at| at <= terms.as_of);
        let cancelled = bill.cancelled_at().is_some_and(|at| at <= terms.as_of);
        if exists && !cancelled && lives.first_paid_us(number) > as_of_us {
            let by_facts = || bill.expires_at().or_else(|| bill.planned_at()).map(wib_day_number);
            let due = bills.side().due_day(number).or_else(by_facts).unwrap_or(today);
            table.add(today.saturating_sub(due), Balance::one(bill.amount.into()));
        }
    }
    table
}
