//! Which bills payments pay, kept with their rows: `domain::owner` decides, and here is when its answer must be asked for again.

use super::cells::Value;
use super::rows::{self, Kept};
use crate::domain::lifecycle::{BillState, Order};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::ledger::rules::microseconds;

/// Whether an event changed anything that decides whose payments are.
pub(in crate::ledger) fn may_change(before: Option<&BillState>, after: &BillState) -> bool {
    let Some(before) = before else { return true };
    let orders = |state: &'_ BillState| state.orders().map(owned).collect::<Vec<_>>();
    before.code.is_some() != after.code.is_some() || orders(before) != orders(after)
}

fn owned(order: Order<'_>) -> (String, &'static str, Option<String>, bool) {
    (order.wire_invoice_number.to_string(), order.channel.name(), order.payment_code.map(ToString::to_string), order.is_present)
}

/// What payments say of a bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Standing {
    pub(in crate::ledger) first_paid_at: Option<i64>,
    pub(in crate::ledger) paid: Option<Paid>,
}

impl Standing {
    pub(in crate::ledger) const fn of(kept: &Kept) -> Self {
        Self { first_paid_at: kept.first_paid_at, paid: kept.paid }
    }

    /// The columns that keep it.
    pub(in crate::ledger) fn columns(&self) -> [(&'static str, Value); 2] {
        let first_paid_at = self.first_paid_at.map_or(Value::Null, Value::Integer);
        [("first_paid_at", first_paid_at), ("paid", rows::paid_column(self.paid))]
    }

    /// With one more payment, of which `owners` are the bills it is of.
    pub(in crate::ledger) fn with(mut self, state: &BillState, payment: &Payment, owners: &[&BillState]) -> Self {
        if owner::is_pair(state, payment.into()) {
            let paid_at = microseconds(payment.paid_at);
            self.first_paid_at = Some(self.first_paid_at.map_or(paid_at, |first| first.min(paid_at)));
        }
        if owners.iter().any(|owner| owner.invoice_number == state.invoice_number) {
            self.paid = self.paid.max(Some(owner::which(state, payment.into())));
        }
        self
    }
}
