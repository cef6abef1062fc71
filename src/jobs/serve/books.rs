//! The merchant's books as the server sees them: the index, the ledger, and payments that are on their way into it.
//!
//! The index only says whose a code is; what is true of the bill is read from the ledger for each inquiry, so that a
//! cancellation by another process holds from its very commit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::index::Index;
use super::unkept::Unkept;
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::payment::Payment;
use crate::ledger::{Ledger, LedgerError};
use crate::serve::metrics::Metrics;
use crate::serve::{Books, Found};

/// Books on a ledger.
pub(super) struct LedgerBooks<L> {
    ledger: L,
    index: RwLock<Index>,
    unkept: Mutex<Unkept>,
    waiting: Mutex<Waiting>,
    paid: Notify,
    metrics: Arc<Metrics>,
}

/// Payments that were acknowledged and are not in the ledger yet.
#[derive(Default)]
struct Waiting {
    order: VecDeque<Payment>,
    by_code: HashMap<PaymentCode, Vec<InvoiceNumber>>,
}

impl<L: Ledger> LedgerBooks<L> {
    pub(super) fn new(ledger: L, metrics: Arc<Metrics>) -> Self {
        Self { ledger, index: RwLock::default(), unkept: Mutex::default(), waiting: Mutex::default(), paid: Notify::new(), metrics }
    }

    pub(super) const fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Brings the index up to the ledger's last event.
    pub(super) fn refresh(&self) -> Result<(), LedgerError> {
        let known = self.index.read().unwrap_or_else(PoisonError::into_inner).sequence();
        let changes = self.ledger.codes_since(known)?;
        if changes.sequence > known {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            index.take(changes);
            self.metrics.index(index.len(), index.sequence());
        }
        Ok(())
    }

    /// Resolves when there is something to write.
    pub(super) async fn paid_something(&self) {
        self.paid.notified().await;
    }

    /// The first payments that are not in the ledger.
    pub(super) fn waiting(&self, count: usize) -> Vec<Payment> {
        self.lock().order.iter().take(count).cloned().collect()
    }

    /// When the first of them arrived.
    pub(super) fn oldest_waiting(&self) -> Option<Timestamp> {
        self.lock().order.front().and_then(|payment| payment.received_at)
    }

    /// `payments`, the first ones, are in the ledger now.
    pub(super) fn written(&self, payments: &[Payment]) {
        let mut waiting = self.lock();
        for payment in payments {
            waiting.order.pop_front();
            if let Some(numbers) = waiting.by_code.get_mut(&payment.payment_code) {
                if let Some(at) = numbers.iter().position(|number| *number == payment.invoice_number) {
                    numbers.swap_remove(at);
                }
                if numbers.is_empty() {
                    waiting.by_code.remove(&payment.payment_code);
                }
            }
        }
        self.metrics.waiting(waiting.order.len());
    }

    #[cfg(test)]
    pub(super) fn keeps_nothing(&self) -> bool {
        let waiting = self.lock();
        waiting.order.is_empty() && waiting.by_code.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unkept(&self) -> MutexGuard<'_, Unkept> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owner(&self, payment_code: &PaymentCode) -> Option<InvoiceNumber> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).get(payment_code).cloned()
    }

    /// The bill of the index, if the code is its own still.
    fn holder(&self, payment_code: &PaymentCode) -> Result<Option<BillState>, LedgerError> {
        let Some(owner) = self.owner(payment_code) else { return Ok(None) };
        Ok(self.ledger.bill(&owner)?.filter(|state| code_of(state) == Some(payment_code)))
    }

    fn look(&self, payment_code: &PaymentCode) -> Result<Option<Found>, LedgerError> {
        let mut holder = self.holder(payment_code)?;
        if holder.as_ref().is_none_or(|state| !state.status.may_be_live()) {
            // Issued a moment ago, or moved to another bill: worth a second look.
            self.refresh()?;
            holder = self.holder(payment_code)?;
        }
        let Some(state) = holder else { return Ok(None) };
        // A payment goes from unkept to waiting and from there to the ledger, each time into the next before out of the last:
        // looked for in the same order, it is seen in one of them.
        let unrecorded = self.unkept().may_pay(payment_code, &state);
        let on_its_way = self.lock().by_code.get(payment_code).is_some_and(|numbers| numbers.iter().any(|number| names(&state, number)));
        let paid = on_its_way
            || state.is_told_paid()
            || self.ledger.first_paid_at(&state.invoice_number)?.is_some()
            || state.retired_count > 0 && self.is_paid_by_an_earlier_code(&state)?;
        Ok(Some(Found { state, paid, unrecorded }))
    }

    /// Money for a code that the bill has lost may come late; the counter must not take it again for the next one.
    fn is_paid_by_an_earlier_code(&self, state: &BillState) -> Result<bool, LedgerError> {
        let on_its_way = self.lock().order.iter().any(|payment| names(state, &payment.invoice_number));
        Ok(on_its_way || self.ledger.is_named_by_payment(&state.invoice_number)?)
    }
}

/// The code a bill holds or held last; while it is being issued, the one it is to get.
fn code_of(state: &BillState) -> Option<&PaymentCode> {
    let wanted = state.open.as_ref().and_then(|open| open.terms.payment_code.as_ref());
    match state.status {
        Status::Requested => wanted,
        _ => state.code.as_ref().map(|code| &code.answer.payment_code).or(wanted),
    }
}

/// Whether a payment that names `number` and the bill's code is the bill's.
fn names(state: &BillState, number: &InvoiceNumber) -> bool {
    *number == state.invoice_number || state.code.as_ref().is_some_and(|code| *number == code.wire_invoice_number)
}

impl<L: Ledger + Send + 'static> Books for LedgerBooks<L> {
    fn find(&self, payment_code: &PaymentCode) -> Result<Option<Found>, String> {
        self.look(payment_code).map_err(|error| error.to_string())
    }

    fn customer(&self, invoice_number: &InvoiceNumber) -> Result<Option<Customer>, String> {
        self.ledger.customer(invoice_number).map_err(|error| error.to_string())
    }

    fn arrived(&self, payment: &Payment) {
        let mut unkept = self.unkept();
        unkept.add(payment);
        self.metrics.unkept(unkept.len());
    }

    fn behind_since(&self) -> Option<Timestamp> {
        self.oldest_waiting()
    }

    fn paid(&self, payment: Payment) {
        let (code, number) = (payment.payment_code.clone(), payment.invoice_number.clone());
        let mut waiting = self.lock();
        waiting.by_code.entry(code.clone()).or_default().push(number.clone());
        waiting.order.push_back(payment);
        self.metrics.waiting(waiting.order.len());
        drop(waiting);
        let mut unkept = self.unkept();
        unkept.remove(&code, &number);
        self.metrics.unkept(unkept.len());
        drop(unkept);
        self.paid.notify_one();
    }
}
