//! What closed months have paid out: which row settled which payment. That was signed, and no later file makes it another.
//!
//! Belongs here: what the books carry of it, as far as this run's rows could be about it. Must not be here: pairing what is new (`settle`).

use std::collections::{HashMap, HashSet};

use super::bills::Bills;
use super::earlier_payments::Orphan;
use super::item_names::{payment_id, row_id};
use super::known_payments::KnownPayment;
use super::waiting_rows::WaitingRows;
use crate::books::Brief;
use crate::books::fact::Payee;
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::{BookedBill, BookedPayment, Known};
use crate::domain::settlement::Settlement;

/// A payment that a closed month has settled.
#[derive(Clone, Debug)]
pub struct PaidOut {
    /// The row that did.
    pub(super) row: ItemId,
    /// The batch of that row, and its number there, if both are known: what is told again under them is the same row, corrected.
    pub(super) place: Option<(ItemId, Box<str>)>,
}

/// All of them that rows of this run name.
#[derive(Debug, Default)]
pub struct PaidOutBefore {
    list: Vec<PaidOut>,
    /// By what the payment is called.
    by_payment: Vec<(ItemId, usize)>,
}

/// Reads them out of the books of the month before.
#[derive(Debug)]
pub struct PaidOutSought<'a> {
    names: HashSet<&'a str>,
    rows: HashSet<ItemId>,
    bills: HashSet<ItemId>,
    /// Of rows that settled what was found.
    places: HashMap<ItemId, usize>,
    found: PaidOutBefore,
}

impl<'a> PaidOutSought<'a> {
    /// What of the books is about these rows.
    #[must_use]
    pub fn of(files: Option<&'a Settlement>) -> Self {
        let rows = || files.into_iter().flat_map(|files| &files.rows);
        let names = rows().flat_map(|row| [&row.invoice_number, &row.report_code, &row.recon_code]).map(String::as_str);
        Self {
            names: names.filter(|name| !name.is_empty()).collect(),
            rows: rows().map(|row| row_id(&row.content(), 0)).collect(),
            bills: HashSet::new(),
            places: HashMap::new(),
            found: PaidOutBefore::default(),
        }
    }

    /// Takes what the books know, bit by bit: of bills before it is asked of their payments, and of these before it is asked of the rows.
    pub fn learn(&mut self, known: &Known) {
        if self.rows.is_empty() {
            return;
        }
        let named: Vec<ItemId> = known.bills.iter().filter(|(_, bill)| self.is_named(bill)).map(|(id, _)| *id).collect();
        self.bills.extend(named);
        for (id, payment) in &known.payments {
            let Some(row) = payment.row.or(Some(payment.held_as).filter(|item| item.subject() == BooksSubject::Row)) else { continue };
            if self.rows.contains(&row) || self.is_about(payment) {
                self.places.insert(row, self.found.list.len());
                self.found.add(*id, payment, row);
            }
        }
        for (id, row) in known.rows.iter().filter(|(_, row)| !row.number.is_empty()) {
            if let Some(paid_out) = self.places.get(id).and_then(|at| self.found.list.get_mut(*at)) {
                paid_out.place = Some((row.batch, row.number.clone()));
            }
        }
    }

    fn is_named(&self, bill: &BookedBill) -> bool {
        let mut names = bill.names.iter().flat_map(|name| name.split('/'));
        self.names.contains(&*bill.invoice_number) || names.any(|name| self.names.contains(name))
    }

    fn is_about(&self, payment: &BookedPayment) -> bool {
        let notified = [&*payment.notified.invoice_number, &*payment.notified.payment_code];
        matches!(payment.payee, Payee::Bill(bill) if self.bills.contains(&bill))
            || notified.into_iter().any(|name| self.names.contains(name))
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> PaidOutBefore {
        let mut found = self.found;
        found.by_payment.sort_unstable();
        found
    }
}

impl PaidOutBefore {
    fn add(&mut self, id: ItemId, payment: &BookedPayment, row: ItemId) {
        let at = self.list.len();
        self.by_payment.extend(std::iter::once(&id).chain(&payment.aliases).map(|name| (*name, at)));
        self.list.push(PaidOut { row, place: None });
    }

    /// Takes what else the books say of payments: which row settled each.
    fn join(&mut self, settled: Vec<(ItemId, ItemId)>) {
        for (payment, row) in settled.into_iter().filter(|(payment, _)| self.of_payment(*payment).is_none()).collect::<Vec<_>>() {
            self.by_payment.push((payment, self.list.len()));
            self.list.push(PaidOut { row, place: None });
        }
        self.by_payment.sort_unstable();
        self.by_payment.dedup_by_key(|(payment, _)| *payment);
    }

    /// Looks up the payments that rows of earlier months could be about: of the bills they name, and of nobody's bill.
    pub fn learn_of_waiting(&mut self, before: &Brief, waiting: &WaitingRows, bills: &Bills, known: &[KnownPayment], orphans: &[Orphan]) {
        if waiting.is_empty() {
            return;
        }
        let named: HashSet<u32> = waiting.bills(bills).collect();
        let of_bills = known.iter().filter(|known| named.contains(&known.bill)).map(|known| payment_id(&known.identity));
        let wanted: HashSet<ItemId> = of_bills.chain(orphans.iter().map(|orphan| orphan.id)).collect();
        self.join(before.settled(&wanted));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How a payment was settled.
    #[must_use]
    pub fn of_payment(&self, payment: ItemId) -> Option<&PaidOut> {
        let at = self.by_payment.binary_search_by_key(&payment, |(one, _)| *one).ok()?;
        self.list.get(self.by_payment.get(at)?.1)
    }
}
