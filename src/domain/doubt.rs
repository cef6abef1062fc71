//! What a Check Status answer proves about an operation in doubt. It carries no code, and "not found" soon after proves nothing.

use jiff::Timestamp;

use super::bill::RecordedTerms;
use super::lifecycle::{OperationKind, Verdict};

/// What DOKU says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSeen {
    /// Not known (yet).
    NotFound,
    /// Waiting for payment.
    Pending {
        /// The amount asked, in rupiah, if it was readable.
        amount: Option<u64>,
        /// When the code stops being payable, if it was said.
        expires_at: Option<Timestamp>,
    },
    /// Paid.
    Paid {
        /// The amount, in rupiah, if it was readable.
        amount: Option<u64>,
    },
    /// Past its expiry.
    Expired,
    /// A status that says nothing about counters.
    Other,
}

impl std::fmt::Display for OrderSeen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "DOKU knows no such order",
            Self::Pending { .. } => "the order waits for payment",
            Self::Paid { .. } => "the order is paid",
            Self::Expired => "the order has expired",
            Self::Other => "the order is in a state that says nothing",
        })
    }
}

/// How long after the last attempt a negative finding counts as proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Minutes after which "not found" means an issue was never carried out.
    pub not_found_minutes: i64,
    /// Minutes after which an order in its old state means an amendment or cancellation was never carried out.
    pub unchanged_minutes: i64,
}

/// The verdict that `seen`, `age_minutes` after the operation was last sent, allows; `None` leaves it in doubt.
#[must_use]
#[allow(clippy::match_same_arms, reason = "one line a rule")]
pub fn verdict(
    operation: OperationKind,
    in_force: &RecordedTerms,
    asked: &RecordedTerms,
    seen: OrderSeen,
    age_minutes: i64,
    patience: Patience,
) -> Option<Verdict> {
    let unchanged_counts = age_minutes >= patience.unchanged_minutes;
    match (operation, seen) {
        (_, OrderSeen::Other) => None,
        // Unpayable is what a cancellation wants, and DOKU lists no other word for a cancelled order.
        (OperationKind::Cancel, OrderSeen::Expired) => Some(Verdict::Done),
        (_, OrderSeen::Expired) => Some(Verdict::Dead),
        (OperationKind::Issue, OrderSeen::NotFound) => (age_minutes >= patience.not_found_minutes).then_some(Verdict::NotDone),
        // The order exists. Its code is ours if we made it; a code DOKU made only a replay or a notification can tell.
        (OperationKind::Issue, OrderSeen::Pending { .. } | OrderSeen::Paid { .. }) => asked.payment_code.as_ref().map(|_| Verdict::Done),
        (OperationKind::Amend | OperationKind::Cancel, OrderSeen::NotFound) => None,
        (OperationKind::Amend, OrderSeen::Pending { amount, .. } | OrderSeen::Paid { amount }) if in_force.amount != asked.amount => {
            let paid = matches!(seen, OrderSeen::Paid { .. });
            match amount? {
                amount if amount == asked.amount.get() => Some(Verdict::Done),
                amount if amount == in_force.amount.get() => (paid || unchanged_counts).then_some(Verdict::NotDone),
                _ => None,
            }
        }
        // The amount was not to change, so it tells nothing.
        (OperationKind::Amend, OrderSeen::Pending { .. } | OrderSeen::Paid { .. }) => None,
        (OperationKind::Cancel, OrderSeen::Pending { .. }) => unchanged_counts.then_some(Verdict::NotDone),
        // A reusable code may have been paid before it was cancelled.
        (OperationKind::Cancel, OrderSeen::Paid { .. }) => (!in_force.reusable).then_some(Verdict::NotDone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::bill::{Expiry, Policy};
    use crate::domain::channel::{Channel, Method};
    use crate::domain::ids::PaymentCode;

    fn terms(rupiah: u64) -> RecordedTerms {
        RecordedTerms {
            channel: Channel::Alfa,
            method: Method::Doku,
            payment_code: None,
            amount: Amount::new(rupiah).unwrap(),
            expiry: Expiry::Minutes(60),
            reusable: false,
            name_digest: "x".into(),
            email_digest: String::new(),
            account_name_digest: String::new(),
            info: None,
            receipt_description: None,
            receipt_footer: None,
            policy: Policy::default(),
            bill_group: None,
            additional: None,
        }
    }

    const PATIENCE: Patience = Patience { not_found_minutes: 1_440, unchanged_minutes: 60 };
    const PENDING_OLD: OrderSeen = OrderSeen::Pending { amount: Some(100), expires_at: None };
    const PENDING_NEW: OrderSeen = OrderSeen::Pending { amount: Some(200), expires_at: None };

    #[test]
    fn an_issue_is_proved_only_by_our_own_code_expiry_or_a_long_absence() {
        let of = |asked: &RecordedTerms, seen, age| verdict(OperationKind::Issue, asked, asked, seen, age, PATIENCE);
        let by_doku = terms(100);
        let ours = RecordedTerms { payment_code: Some(PaymentCode::new("8896500001").unwrap()), ..terms(100) };
        assert_eq!(of(&by_doku, OrderSeen::NotFound, 1_439), None);
        assert_eq!(of(&by_doku, OrderSeen::NotFound, 1_440), Some(Verdict::NotDone));
        assert_eq!(of(&by_doku, PENDING_OLD, 9_999), None, "the code is not known");
        assert_eq!(of(&ours, PENDING_OLD, 0), Some(Verdict::Done));
        assert_eq!(of(&ours, OrderSeen::Paid { amount: Some(100) }, 0), Some(Verdict::Done));
        assert_eq!(of(&by_doku, OrderSeen::Expired, 0), Some(Verdict::Dead));
        assert_eq!(of(&ours, OrderSeen::Other, 9_999), None);
    }

    #[test]
    fn an_amendment_is_proved_only_by_an_amount_that_was_to_change() {
        let of = |asked: u64, seen, age| verdict(OperationKind::Amend, &terms(100), &terms(asked), seen, age, PATIENCE);
        assert_eq!(of(200, PENDING_NEW, 0), Some(Verdict::Done));
        assert_eq!(of(200, PENDING_OLD, 59), None);
        assert_eq!(of(200, PENDING_OLD, 60), Some(Verdict::NotDone));
        assert_eq!(of(200, OrderSeen::Paid { amount: Some(100) }, 0), Some(Verdict::NotDone));
        assert_eq!(of(200, OrderSeen::Pending { amount: None, expires_at: None }, 99), None);
        assert_eq!(of(200, OrderSeen::Pending { amount: Some(150), expires_at: None }, 99), None);
        assert_eq!(of(100, PENDING_OLD, 9_999), None);
        assert_eq!(of(200, OrderSeen::NotFound, 9_999), None);
    }

    #[test]
    fn a_cancellation_is_disproved_by_payment_or_a_lasting_pending() {
        let of = |seen, age| verdict(OperationKind::Cancel, &terms(100), &terms(100), seen, age, PATIENCE);
        assert_eq!(of(PENDING_OLD, 59), None);
        assert_eq!(of(PENDING_OLD, 60), Some(Verdict::NotDone));
        assert_eq!(of(OrderSeen::Paid { amount: Some(100) }, 0), Some(Verdict::NotDone));
        assert_eq!(of(OrderSeen::Expired, 0), Some(Verdict::Done));
        assert_eq!(of(OrderSeen::NotFound, 9_999), None);
    }
}
