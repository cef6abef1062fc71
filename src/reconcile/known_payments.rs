//! Payments of bills that this run's evidence does not tell of: the ledger's own, marks of an external one, an earlier report's.

use std::ops::Deref;

use jiff::Timestamp;

use crate::domain::digest::Digest;
use crate::domain::payment::Sameness;

/// A payment that is known from elsewhere than this run's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownPayment {
    /// Whose.
    pub bill: u32,
    /// When.
    pub paid_at: Timestamp,
    /// What makes it this payment; zero where only a mark is known.
    pub identity: Digest,
    /// Rupiah.
    pub amount: u64,
    /// What else tells it from others, where more than its identity is known.
    pub sameness: Option<Sameness>,
    /// Whether the ledger knows it. One carried in from an earlier report covers its bill, but does not close it, because
    /// the ledger's own count of open bills cannot know it.
    pub in_ledger: bool,
    /// Whether it is a mark that nothing had proved at the end of the month before: it closes its bill, and what comes now is its proof.
    pub is_unproven: bool,
    /// Whether this run's evidence proves it too; found out by reconciling.
    pub is_proved: bool,
}

/// All of them, found by their bills.
#[derive(Debug, Default)]
pub struct KnownPayments {
    list: Vec<KnownPayment>,
    /// By the bill's number: where its payments end, and those of the next begin.
    ends: Vec<u32>,
}

impl KnownPayments {
    /// Of these.
    #[must_use]
    pub fn of(mut list: Vec<KnownPayment>) -> Self {
        list.sort_unstable();
        let mut ends: Vec<u32> = Vec::new();
        for (end, known) in (1_u32..).zip(&list) {
            let bill = usize::try_from(known.bill).unwrap_or(usize::MAX);
            let before = ends.last().copied().unwrap_or_default();
            if ends.len() <= bill {
                ends.resize(bill.saturating_add(1), before);
            }
            ends.last_mut().into_iter().for_each(|last| *last = end);
        }
        Self { list, ends }
    }

    /// Those of one bill.
    #[must_use]
    pub fn of_bill(&self, bill: u32) -> &[KnownPayment] {
        let end_of = |bill: u32| usize::try_from(bill).ok().and_then(|bill| self.ends.get(bill)).and_then(|end| usize::try_from(*end).ok());
        let Some(end) = end_of(bill) else { return &[] };
        let start = bill.checked_sub(1).and_then(end_of).unwrap_or_default();
        self.list.get(start..end).unwrap_or_default()
    }

    /// All of them, to be marked.
    pub(super) fn all_mut(&mut self) -> &mut [KnownPayment] {
        &mut self.list
    }
}

impl Deref for KnownPayments {
    type Target = [KnownPayment];

    fn deref(&self) -> &[KnownPayment] {
        &self.list
    }
}

impl KnownPayment {
    /// Whether only a ledger's mark tells of it.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.identity == [0; 32]
    }

    /// Whether it counts beside the payments of this evidence: each payment once, and a mark for one only while nothing doubts it.
    pub(super) fn counts_beside(&self) -> bool {
        !self.is_proved && !self.is_unproven
    }

    /// Whether its bill was closed by it before `starts_at`.
    pub(super) fn closes(&self, starts_at: Timestamp) -> bool {
        self.in_ledger && self.paid_at < starts_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_payments_are_found_by_their_bills_and_by_no_others() {
        let known = |bill: u32, amount: u64| KnownPayment {
            bill,
            paid_at: Timestamp::UNIX_EPOCH,
            identity: [0; 32],
            amount,
            sameness: None,
            in_ledger: true,
            is_unproven: false,
            is_proved: false,
        };
        for bills in [vec![], vec![0], vec![3], vec![5, 0, 0, 2, 5, 5, 9]] {
            let list: Vec<KnownPayment> = (1..).zip(&bills).map(|(amount, bill)| known(*bill, amount)).collect();
            let all = KnownPayments::of(list.clone());
            for bill in 0..12 {
                let mut of_bill: Vec<KnownPayment> = list.iter().copied().filter(|known| known.bill == bill).collect();
                of_bill.sort_unstable();
                assert_eq!(all.of_bill(bill), of_bill, "bill {bill} of {bills:?}");
            }
        }
    }
}
