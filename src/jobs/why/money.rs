//! Whether a bill's money has come: what its status alone does not say.

use jiff::Timestamp;

use super::story::{Story, StoryEvent};
use crate::domain::lifecycle::Status;
use crate::domain::owner;
use crate::ledger::BillHappening;

/// Whether a bill's money has come, as far as the ledger and the evidence tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyState {
    /// Its present code was paid.
    Paid,
    /// A payment is known, and none of its present code.
    PaidBefore,
    /// Not paid, and its code cannot be any more.
    Expired,
    /// None of these.
    Open,
}

impl MoneyState {
    /// The word for it in JSON; none where there is nothing to say.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Paid => Some("paid"),
            Self::PaidBefore => Some("paid_by_earlier_code"),
            Self::Expired => Some("expired"),
            Self::Open => None,
        }
    }
}

impl Story {
    /// Whether the bill's money has come.
    #[must_use]
    pub fn money(&self, as_of: Timestamp) -> MoneyState {
        let Some(bill) = &self.bill else { return MoneyState::Open };
        let recorded = self.told.iter().filter_map(|told| match &told.what {
            StoryEvent::Ledger(BillHappening::Payment(payment)) => Some(owner::which(bill, payment.into()) == owner::Paid::ByItsCode),
            _ => None,
        });
        let code = bill.code.as_ref().map(|code| code.answer.payment_code.as_str());
        let notified = self.judgement.iter().flat_map(|of| &of.about.payments).map(|found| Some(found.payment_code.as_str()) == code);
        let paid: Vec<bool> = recorded.chain(notified).collect();
        let has_expired = bill.status == Status::Active && bill.expires_at().is_some_and(|at| at <= as_of);
        match (paid.contains(&true), paid.is_empty()) {
            (true, _) => MoneyState::Paid,
            (false, false) => MoneyState::PaidBefore,
            (false, true) if has_expired => MoneyState::Expired,
            (false, true) => MoneyState::Open,
        }
    }
}
