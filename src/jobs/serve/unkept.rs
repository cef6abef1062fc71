//! Money that DOKU told of and no disk has taken yet: nobody may forget it, and nothing but memory has it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::BillState;

/// Most messages' names remembered. DOKU signed each of them, so it takes a very full disk for a very long time.
const COUNT_MAX: usize = 100_000;

/// What a message names; one that a disk takes is enough for all that name the same: the books know it then.
pub(super) type Named<'a> = (Option<&'a PaymentCode>, Option<&'a InvoiceNumber>);

/// What was named, and how often by each part of it.
#[derive(Debug, Default)]
pub(super) struct Unkept {
    names: HashSet<(Option<PaymentCode>, Option<InvoiceNumber>)>,
    codes: HashMap<PaymentCode, usize>,
    numbers: HashMap<InvoiceNumber, usize>,
    /// There were more than could be remembered: from now on every code may have been paid.
    overflowed: bool,
}

impl Unkept {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing is unkept, and nothing was forgotten.
    pub(super) fn is_empty(&self) -> bool {
        !self.overflowed && self.names.is_empty()
    }

    pub(super) fn add(&mut self, (code, number): Named<'_>) {
        if self.names.len() >= COUNT_MAX {
            self.overflowed = true;
        } else if self.names.insert((code.cloned(), number.cloned())) {
            count(&mut self.codes, code);
            count(&mut self.numbers, number);
        }
    }

    /// A disk has it.
    pub(super) fn remove(&mut self, (code, number): Named<'_>) {
        if self.names.remove(&(code.cloned(), number.cloned())) {
            discount(&mut self.codes, code);
            discount(&mut self.numbers, number);
        }
    }

    /// Whether some of it may be for `state`'s bill, or is for its code: on the safe side, because nothing is lost by waiting.
    pub(super) fn may_pay(&self, payment_code: &PaymentCode, state: &BillState) -> bool {
        self.overflowed
            || self.codes.contains_key(payment_code)
            || self.numbers.contains_key(&state.invoice_number)
            || state.orders().any(|order| self.numbers.contains_key(order.wire_invoice_number))
    }
}

fn count<K: Hash + Eq + Clone>(counts: &mut HashMap<K, usize>, key: Option<&K>) {
    if let Some(key) = key {
        let known = counts.entry(key.clone()).or_default();
        *known = known.saturating_add(1);
    }
}

fn discount<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: Option<&K>) {
    let Some(key) = key else { return };
    if let Some(known) = counts.get_mut(key) {
        *known = known.saturating_sub(1);
        if *known == 0 {
            counts.remove(key);
        }
    }
}
