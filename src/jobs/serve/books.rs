//! The merchant's books as the server sees them: the index, the ledger, and payments that are on their way into it.
//!
//! The index only says whose a code is; what is true of the bill is read from the ledger for each inquiry, so that a
//! cancellation by another process holds from its very commit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::index::Index;
use super::unkept::{self, Unkept};
use crate::doku::claim::Claim;
use crate::domain::bill::Customer;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, Status};
use crate::domain::owner;
use crate::domain::payment::Payment;
use crate::jobs::hold;
use crate::ledger::{Entry, Ledger, LedgerError, Private};
use crate::serve::metrics::Metrics;
use crate::serve::{Books, Found, NotNamed};

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
    order: VecDeque<Arc<Payment>>,
    by_code: HashMap<PaymentCode, Vec<Arc<Payment>>>,
    by_number: HashMap<InvoiceNumber, Vec<Arc<Payment>>>,
    /// Money that was not understood, with the digest of its line.
    claims: Vec<(Digest, Claim)>,
}

impl Waiting {
    fn push(&mut self, payment: Payment) {
        let payment = Arc::new(payment);
        self.by_code.entry(payment.payment_code.clone()).or_default().push(Arc::clone(&payment));
        self.by_number.entry(payment.invoice_number.clone()).or_default().push(Arc::clone(&payment));
        self.order.push_back(payment);
    }

    fn pop(&mut self) {
        let Some(payment) = self.order.pop_front() else { return };
        forget(&mut self.by_code, &payment.payment_code, &payment);
        forget(&mut self.by_number, &payment.invoice_number, &payment);
    }

    /// Those that name a code or a number of the bill.
    fn about(&self, state: &BillState) -> Vec<Arc<Payment>> {
        let coded = state.orders().filter_map(|order| self.by_code.get(order.payment_code?));
        let numbers = std::iter::once(&state.invoice_number).chain(state.orders().map(|order| order.wire_invoice_number));
        coded.chain(numbers.filter_map(|number| self.by_number.get(number))).flatten().cloned().collect()
    }
}

fn forget<K: Eq + std::hash::Hash>(filed: &mut HashMap<K, Vec<Arc<Payment>>>, key: &K, payment: &Arc<Payment>) {
    if let Some(payments) = filed.get_mut(key) {
        payments.retain(|other| !Arc::ptr_eq(other, payment));
        if payments.is_empty() {
            filed.remove(key);
        }
    }
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
        self.lock().order.iter().take(count).map(|payment| Payment::clone(payment)).collect()
    }

    /// When the first of them arrived.
    pub(super) fn oldest_waiting(&self) -> Option<Timestamp> {
        self.lock().order.front().and_then(|payment| payment.received_at)
    }

    /// `payments`, the first ones, are in the ledger now.
    pub(super) fn written(&self, payments: &[Payment]) {
        let mut waiting = self.lock();
        for _ in payments {
            waiting.pop();
        }
        self.metrics.waiting(waiting.order.len());
    }

    #[cfg(test)]
    pub(super) fn keeps_nothing(&self) -> bool {
        let waiting = self.lock();
        waiting.order.is_empty() && waiting.by_code.is_empty() && waiting.by_number.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unkept(&self) -> MutexGuard<'_, Unkept> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A disk has what names this.
    fn is_kept(&self, named: unkept::Named<'_>) {
        let mut unkept = self.unkept();
        unkept.remove(named);
        self.metrics.unkept(unkept.len());
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
        let paid = owner::told_paid(&state).is_some()
            || self.ledger.first_paid_at(&state.invoice_number)?.is_some()
            || self.is_paid_otherwise(&state)?;
        let held = state.hold.is_some() || self.is_claimed(&state);
        Ok(Some(Found { state, paid, held, unrecorded }))
    }

    /// Whether money that was not understood may be the bill's, and the ledger does not know yet.
    fn is_claimed(&self, state: &BillState) -> bool {
        self.lock().claims.iter().any(|(_, claim)| !hold::of(std::iter::once(state), claim).is_empty())
    }

    /// Claims that are not in the ledger, and the bills each may be of.
    pub(super) fn claimed(&self) -> Result<Vec<(Digest, Claim, Vec<BillState>)>, LedgerError> {
        let claims = self.lock().claims.clone();
        let bills = |claim: &Claim| -> Result<Vec<BillState>, LedgerError> {
            let (number, code) = (claim.invoice_number.as_ref(), claim.payment_code.as_ref());
            let mut candidates = self.ledger.bills_about(number, code)?;
            let holder = code.map(|code| self.holder(code)).transpose()?.flatten();
            candidates.extend(holder.filter(|holder| candidates.iter().all(|known| known.invoice_number != holder.invoice_number)));
            Ok(hold::of(candidates.iter(), claim).into_iter().cloned().collect())
        };
        claims.into_iter().map(|(evidence, claim)| bills(&claim).map(|bills| (evidence, claim, bills))).collect()
    }

    /// The ledger has what `evidence` claims.
    pub(super) fn held(&self, evidence: &Digest) {
        self.lock().claims.retain(|(known, _)| known != evidence);
    }

    /// Money that is on its way into the ledger, or names one of the bill's codes or numbers only. It may come late, for a code
    /// that the bill has lost; the counter must not take it again for the next one.
    fn is_paid_otherwise(&self, state: &BillState) -> Result<bool, LedgerError> {
        // On its way before in the ledger: a payment that arrives there meanwhile is seen in one of the two.
        let on_its_way = self.lock().about(state);
        for payment in &on_its_way {
            if self.is_of(state, payment)? {
                return Ok(true);
            }
        }
        for payment in &self.ledger.payments_about(state)? {
            if self.is_of(state, payment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a payment that names a code or a number of the bill is its, and not another bill's that it fits better.
    fn is_of(&self, state: &BillState, payment: &Payment) -> Result<bool, LedgerError> {
        let mut candidates = self.ledger.bills_about(Some(&payment.invoice_number), Some(&payment.payment_code))?;
        candidates.extend(self.holder(&payment.payment_code)?);
        let owners = owner::owners(candidates.iter().chain([state]), payment.into());
        Ok(owners.iter().any(|owner| owner.invoice_number == state.invoice_number))
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

impl<L: Ledger + Send + 'static> Books for LedgerBooks<L> {
    fn find(&self, payment_code: &PaymentCode) -> Result<Option<Found>, String> {
        self.look(payment_code).map_err(|error| error.to_string())
    }

    fn customer(&self, invoice_number: &InvoiceNumber) -> Result<Option<Customer>, String> {
        self.ledger.customer(invoice_number).map_err(|error| error.to_string())
    }

    fn named(&self, invoice_number: &InvoiceNumber, number: &InvoiceNumber, at: Timestamp) -> Result<(), NotNamed> {
        let failed = |error: LedgerError| NotNamed::Failed(error.to_string());
        let state = self.ledger.bill(invoice_number).map_err(failed)?;
        if state.is_some_and(|state| owner::has_number(&state, number)) {
            return Ok(());
        }
        let event = Event::Aliased { number: number.clone() };
        let entry = Entry { invoice_number: invoice_number.clone(), at, event, private: Private::default() };
        match Handle::current().block_on(self.ledger.record(vec![entry])) {
            Ok(_) => Ok(()),
            Err(LedgerError::NumberTaken { .. }) => Err(NotNamed::Taken),
            Err(error) => Err(failed(error)),
        }
    }

    fn arrived(&self, payment_code: Option<&PaymentCode>, invoice_number: Option<&InvoiceNumber>) {
        let mut unkept = self.unkept();
        unkept.add((payment_code, invoice_number));
        self.metrics.unkept(unkept.len());
    }

    fn behind_since(&self) -> Option<Timestamp> {
        self.oldest_waiting()
    }

    fn paid(&self, payment: Payment) {
        let (code, number) = (payment.payment_code.clone(), payment.invoice_number.clone());
        let mut waiting = self.lock();
        waiting.push(payment);
        self.metrics.waiting(waiting.order.len());
        drop(waiting);
        self.is_kept((Some(&code), Some(&number)));
        self.paid.notify_one();
    }

    fn not_understood(&self, claim: Claim, evidence: Digest) {
        let (code, number) = (claim.payment_code.clone(), claim.invoice_number.clone());
        self.lock().claims.push((evidence, claim));
        self.is_kept((code.as_ref(), number.as_ref()));
        self.metrics.not_understood();
        self.paid.notify_one();
    }
}
