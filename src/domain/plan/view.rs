//! What a planner sees of the ledger.
//!
//! Belongs here: looking up. Must not be here: deciding.

use std::collections::HashMap;

use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, OperationKind};
use crate::domain::owner::Paid;

/// What a planner may look at.
pub trait PlanView {
    /// The ledger's state of a bill.
    fn bill(&self, invoice_number: &InvoiceNumber) -> Option<&BillState>;
    /// The bill whose code this is, if it may be live.
    fn holder(&self, payment_code: &PaymentCode) -> Option<&InvoiceNumber>;
    /// Whether the bill is paid, and by which of its codes.
    fn paid(&self, invoice_number: &InvoiceNumber) -> Option<Paid>;
    /// The bill that goes, or went, by this number at DOKU although it is not its own.
    fn goes_by(&self, number: &InvoiceNumber) -> Option<&InvoiceNumber>;
}

/// A view over plain maps: what a part of a ledger becomes for planning.
#[derive(Debug)]
pub struct MapView<'a> {
    bills: &'a HashMap<InvoiceNumber, BillState>,
    holders: HashMap<&'a PaymentCode, &'a InvoiceNumber>,
    numbers: HashMap<&'a InvoiceNumber, &'a InvoiceNumber>,
    paid: &'a HashMap<InvoiceNumber, Paid>,
}

impl<'a> MapView<'a> {
    /// The state of a bill, for as long as the map lives.
    pub(super) fn state(&self, invoice_number: &InvoiceNumber) -> Option<&'a BillState> {
        self.bills.get(invoice_number)
    }

    /// A view of `bills`, of which `paid` says which are paid.
    #[must_use]
    pub fn new(bills: &'a HashMap<InvoiceNumber, BillState>, paid: &'a HashMap<InvoiceNumber, Paid>) -> Self {
        let holders = bills.values().filter_map(|state| Some((held_code(state)?, &state.invoice_number)));
        let numbers = bills.values().flat_map(|state| state.other_numbers().into_iter().map(|number| (number, &state.invoice_number)));
        Self { bills, holders: first_of_each(holders), numbers: first_of_each(numbers), paid }
    }
}

/// By key, the bill with the smallest number: what a ledger of before holds twice must not depend on the order of a map.
fn first_of_each<'a, K: Eq + std::hash::Hash>(found: impl Iterator<Item = (K, &'a InvoiceNumber)>) -> HashMap<K, &'a InvoiceNumber> {
    let mut first = HashMap::new();
    for (key, number) in found {
        let kept = first.entry(key).or_insert(number);
        *kept = number.min(*kept);
    }
    first
}

/// The code a bill occupies: the one it has, or the one it has asked for.
fn held_code(state: &BillState) -> Option<&PaymentCode> {
    let asked = state.open.as_ref().filter(|open| open.operation == OperationKind::Issue).and_then(|open| open.terms.payment_code.as_ref());
    asked.or_else(|| state.live_code().map(|code| &code.answer.payment_code))
}

impl PlanView for MapView<'_> {
    fn bill(&self, invoice_number: &InvoiceNumber) -> Option<&BillState> {
        self.bills.get(invoice_number)
    }
    fn holder(&self, payment_code: &PaymentCode) -> Option<&InvoiceNumber> {
        self.holders.get(payment_code).copied()
    }
    fn paid(&self, invoice_number: &InvoiceNumber) -> Option<Paid> {
        self.paid.get(invoice_number).copied()
    }
    fn goes_by(&self, number: &InvoiceNumber) -> Option<&InvoiceNumber> {
        self.numbers.get(number).copied()
    }
}
