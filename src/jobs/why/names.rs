//! The names by which a report may know what is asked about.

use std::collections::BTreeSet;

use super::subject::Subject;
use crate::register::Register;

impl Subject {
    /// What its report may know it by. A code of a bill is none of these: another may have it by now.
    pub(super) fn names(&self, asked: &str, register: &Register) -> BTreeSet<String> {
        let mut names = self.invoice_numbers.clone();
        if self.bill.is_none() || !self.payment_codes.contains(asked) {
            names.insert(asked.to_owned());
        }
        names.extend(named_by(register, asked));
        names
    }
}

/// What the journal follows under this id is about: its item, and its bill.
pub fn named_by(register: &Register, id: &str) -> impl Iterator<Item = String> {
    let facts = register.get(id).map(|item| &item.facts);
    let item = facts.and_then(|facts| Some(facts.books.as_ref()?.item.to_string()));
    let invoice_number = facts.map(|facts| facts.invoice_number.clone()).filter(|number| !number.is_empty());
    item.into_iter().chain(invoice_number)
}
