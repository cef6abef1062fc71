//! What a planner sees of the ledger.
//!
//! Belongs here: looking up. Must not be here: deciding.

use std::collections::{HashMap, HashSet};

use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, OperationKind};

/// What a planner may look at.
pub trait View {
    /// The ledger's state of a bill.
    fn bill(&self, invoice_number: &InvoiceNumber) -> Option<&BillState>;
    /// The bill whose code this is, if it may be live.
    fn holder(&self, payment_code: &PaymentCode) -> Option<&InvoiceNumber>;
    /// Whether a verified payment of the bill is known.
    fn is_paid(&self, invoice_number: &InvoiceNumber) -> bool;
}

/// A view over plain maps: what a ledger snapshot becomes for planning.
#[derive(Debug)]
pub struct MapView<'a> {
    bills: &'a HashMap<InvoiceNumber, BillState>,
    holders: HashMap<&'a PaymentCode, &'a InvoiceNumber>,
    paid: HashSet<InvoiceNumber>,
}

impl<'a> MapView<'a> {
    /// The state of a bill, for as long as the map lives.
    pub(super) fn state(&self, invoice_number: &InvoiceNumber) -> Option<&'a BillState> {
        self.bills.get(invoice_number)
    }

    /// Every bill's state.
    pub(super) fn states(&self) -> impl Iterator<Item = &'a BillState> {
        self.bills.values()
    }

    /// A view of `bills`, of which those in `paid` have a verified payment.
    #[must_use]
    pub fn new(bills: &'a HashMap<InvoiceNumber, BillState>, paid: HashSet<InvoiceNumber>) -> Self {
        let holders = bills.values().filter_map(|state| Some((held_code(state)?, &state.invoice_number))).collect();
        Self { bills, holders, paid }
    }
}

/// The code a bill occupies: the one it has, or the one it has asked for.
fn held_code(state: &BillState) -> Option<&PaymentCode> {
    let asked = state.open.as_ref().filter(|open| open.operation == OperationKind::Issue).and_then(|open| open.terms.payment_code.as_ref());
    asked.or_else(|| state.live_code().map(|code| &code.answer.payment_code))
}

impl View for MapView<'_> {
    fn bill(&self, invoice_number: &InvoiceNumber) -> Option<&BillState> {
        self.bills.get(invoice_number)
    }
    fn holder(&self, payment_code: &PaymentCode) -> Option<&InvoiceNumber> {
        self.holders.get(payment_code).copied()
    }
    fn is_paid(&self, invoice_number: &InvoiceNumber) -> bool {
        self.paid.contains(invoice_number)
    }
}
