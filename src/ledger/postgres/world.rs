//! What a writer has looked at: bills with all that shares a name with them, as its open transaction sees them. Appending decides on
//! this alone, so that it asks the server in sets and not row by row.
//!
//! Belongs here: what has been read and must not be read again. Must not be here: deciding, and writing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::read;
use super::session::Session;
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::Payment;
use crate::ledger::Names;
use crate::ledger::sql::cells::{integer, required};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::Row;
use crate::ledger::sql::tree::Nodes;

/// Bills kept at most from one transaction to the next.
const BILLS_MAX: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct World {
    bills: HashMap<InvoiceNumber, Row>,
    /// Bills that go, or went, by a number or a code; whether they still do is looked at with each.
    by_number: HashMap<InvoiceNumber, BTreeSet<InvoiceNumber>>,
    by_code: HashMap<PaymentCode, BTreeSet<InvoiceNumber>>,
    payments: BTreeMap<u64, Payment>,
    paid_numbers: HashMap<InvoiceNumber, BTreeSet<u64>>,
    paid_codes: HashMap<PaymentCode, BTreeSet<u64>>,
    /// Names about which everything is here.
    known: Names,
    /// Who owes bills, by id; none whose it was asked in vain.
    customers: HashMap<i64, Option<Customer>>,
    /// What is known of the trees of seals.
    pub(super) nodes: Nodes,
    /// Where texts of terms are.
    terms: HashMap<String, Option<i64>>,
}

impl World {
    /// Forgets everything if it has grown too large.
    pub(super) fn shrink(&mut self) {
        if self.bills.len() > BILLS_MAX {
            *self = Self::default();
        }
    }

    /// Sees to it that everything about these names is here. What is here already is newer than what the server has.
    pub(super) async fn learn(&mut self, session: &Session, names: Names) -> Result<(), Fault> {
        let mut new = names;
        new.numbers.retain(|number| !self.known.numbers.contains(number));
        new.codes.retain(|code| !self.known.codes.contains(code));
        if new.is_empty() {
            return Ok(());
        }
        for row in read::bills_about(session, &new).await? {
            if !self.bills.contains_key(&row.state.invoice_number) {
                self.put(row);
            }
        }
        for (sequence, payment) in read::payments_about(session, &new).await? {
            if !self.payments.contains_key(&sequence) {
                self.pay(sequence, payment);
            }
        }
        self.known.numbers.extend(new.numbers);
        self.known.codes.extend(new.codes);
        Ok(())
    }

    /// A bill that was learnt about.
    pub(super) fn bill(&self, number: &InvoiceNumber) -> Option<&Row> {
        self.bills.get(number)
    }

    /// A bill is so from now on.
    pub(super) fn put(&mut self, row: Row) {
        let number = row.state.invoice_number.clone();
        let names = Names::of(&row.state);
        for name in names.numbers {
            self.by_number.entry(name).or_default().insert(number.clone());
        }
        for code in names.codes {
            self.by_code.entry(code).or_default().insert(number.clone());
        }
        self.bills.insert(number, row);
    }

    /// Bills that go or went by one of the names, by number.
    pub(super) fn about(&self, names: &Names) -> Vec<&Row> {
        let by_number = names.numbers.iter().filter_map(|name| self.by_number.get(name));
        let by_code = names.codes.iter().filter_map(|code| self.by_code.get(code));
        let found: BTreeSet<&InvoiceNumber> = by_number.chain(by_code).flatten().collect();
        let rows = found.into_iter().filter_map(|number| self.bills.get(number));
        let still_is = |row: &&Row| {
            let own = Names::of(&row.state);
            !own.numbers.is_disjoint(&names.numbers) || !own.codes.is_disjoint(&names.codes)
        };
        rows.filter(still_is).collect()
    }

    /// Payments that name one of them, in the order they were applied.
    pub(super) fn payments_about(&self, names: &Names) -> Vec<Payment> {
        let by_number = names.numbers.iter().filter_map(|number| self.paid_numbers.get(number));
        let by_code = names.codes.iter().filter_map(|code| self.paid_codes.get(code));
        let found: BTreeSet<u64> = by_number.chain(by_code).flatten().copied().collect();
        found.iter().filter_map(|sequence| self.payments.get(sequence)).cloned().collect()
    }

    /// A payment is there from now on.
    pub(super) fn pay(&mut self, sequence: u64, payment: Payment) {
        self.paid_numbers.entry(payment.invoice_number.clone()).or_default().insert(sequence);
        self.paid_codes.entry(payment.payment_code.clone()).or_default().insert(sequence);
        self.payments.insert(sequence, payment);
    }

    /// A payment is called so from now on.
    pub(super) fn rename(&mut self, called: &Payment) {
        for sequence in self.paid_codes.get(&called.payment_code).into_iter().flatten() {
            if let Some(payment) = self.payments.get_mut(sequence).filter(|payment| payment.identity == called.identity) {
                payment.canonical = called.canonical;
            }
        }
    }

    /// Sees to it that it is here who owes these bills.
    pub(super) async fn learn_customers(&mut self, session: &Session, bills: &[i64]) -> Result<(), Fault> {
        let new: Vec<i64> = bills.iter().copied().filter(|bill| !self.customers.contains_key(bill)).collect();
        if !new.is_empty() {
            let found = read::customers(session, &new).await?;
            self.customers.extend(new.into_iter().map(|bill| (bill, None)));
            self.customers.extend(found.into_iter().map(|(bill, customer)| (bill, Some(customer))));
        }
        Ok(())
    }

    /// Who owes a bill that was asked about.
    pub(super) fn customer(&self, bill: i64) -> Option<&Customer> {
        self.customers.get(&bill)?.as_ref()
    }

    /// A bill is owed by that one from now on.
    pub(super) fn owe(&mut self, bill: i64, customer: Customer) {
        self.customers.insert(bill, Some(customer));
    }

    /// Sees to it that it is here where these texts are.
    pub(super) async fn learn_terms(&mut self, session: &Session, texts: BTreeSet<String>) -> Result<(), Fault> {
        let new: Vec<String> = texts.into_iter().filter(|text| !self.terms.contains_key(text)).collect();
        if !new.is_empty() {
            let sql = "SELECT MIN(id), text FROM terms WHERE text = ANY($1) GROUP BY text";
            let found = session.query(sql, &[&new]).await?;
            self.terms.extend(new.into_iter().map(|text| (text, None)));
            for row in &found {
                self.terms.insert(required(row, 1)?.to_owned(), Some(integer(row, 0)?));
            }
        }
        Ok(())
    }

    /// Where a text is that was asked about.
    pub(super) fn terms(&self, text: &str) -> Option<i64> {
        self.terms.get(text).copied().flatten()
    }

    /// A text is there from now on.
    pub(super) fn keep_terms(&mut self, text: &str, id: i64) {
        self.terms.insert(text.to_owned(), Some(id));
    }
}
