//! Payments that DOKU told of and no disk has taken yet: nobody may forget them, and nothing but memory has them.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;

/// Most pairs of code and invoice remembered. DOKU signed each of them, so it takes a very full disk for a very long time.
const COUNT_MAX: usize = 100_000;

/// What was paid by them. One message of a payment that a disk takes is enough for all of them: the books know it then.
#[derive(Debug, Default)]
pub(super) struct Unkept {
    by_code: HashMap<PaymentCode, HashSet<InvoiceNumber>>,
    by_number: HashMap<InvoiceNumber, HashSet<PaymentCode>>,
    count: usize,
    /// There were more than could be remembered: from now on every code may have been paid.
    overflowed: bool,
}

impl Unkept {
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) fn add(&mut self, payment: &Payment) {
        let (code, number) = (&payment.payment_code, &payment.invoice_number);
        if self.count >= COUNT_MAX {
            self.overflowed = true;
        } else if self.by_code.entry(code.clone()).or_default().insert(number.clone()) {
            self.by_number.entry(number.clone()).or_default().insert(code.clone());
            self.count = self.count.saturating_add(1);
        }
    }

    /// A disk has it.
    pub(super) fn remove(&mut self, code: &PaymentCode, number: &InvoiceNumber) {
        if forget(&mut self.by_code, code, number) {
            forget(&mut self.by_number, number, code);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Whether one of them may pay `state`'s bill, or is for its code: on the safe side, because nothing is lost by waiting.
    pub(super) fn may_pay(&self, payment_code: &PaymentCode, state: &BillState) -> bool {
        let wire = state.code.as_ref().map(|code| &code.wire_invoice_number);
        self.overflowed
            || self.by_code.contains_key(payment_code)
            || self.by_number.contains_key(&state.invoice_number)
            || wire.is_some_and(|number| self.by_number.contains_key(number))
    }
}

/// Whether it was there.
fn forget<K: Hash + Eq, V: Hash + Eq>(places: &mut HashMap<K, HashSet<V>>, key: &K, value: &V) -> bool {
    let Some(values) = places.get_mut(key) else { return false };
    let was_there = values.remove(value);
    if values.is_empty() {
        places.remove(key);
    }
    was_there
}
