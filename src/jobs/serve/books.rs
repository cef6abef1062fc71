//! The merchant's books as the server sees them: the ledger, and payments that are on their way into it.
//!
//! Whose a code is and what is true of its bill is read from the ledger for each inquiry, so that a cancellation by another process
//! holds from its very commit.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::overview::Overview;
use super::unkept::{self, Unkept};
use crate::clock;
use crate::doku::claim::Claim;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, Status};
use crate::domain::owner;
use crate::domain::payment::Payment;
use crate::jobs::holding_bills;
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView, Names, NewEvent, Private};
use crate::serve::keys::Keys;
use crate::serve::metrics::Metrics;
use crate::serve::{Books, BooksFuture, InquiredBill, NotNamed};

/// How long a notification waits for a ledger that other hosts read; less than DOKU waits for its answer.
const EVERYWHERE_WITHIN: Duration = Duration::from_secs(8);

/// Books on a ledger.
pub(super) struct LedgerBooks<L> {
    ledger: L,
    unkept: Mutex<Unkept>,
    waiting: Mutex<Waiting>,
    paid: Notify,
    /// Moves whenever something is in the ledger that was not.
    written: watch::Sender<()>,
    overview: Arc<Overview>,
    /// The last event that a view has had: what is opened later has it, or the ledger is an older one.
    newest: AtomicU64,
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
    fn is_empty(&self) -> bool {
        self.order.is_empty() && self.claims.is_empty()
    }

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

    /// Whether money that the line of that digest told of is on its way.
    fn has(&self, evidence: &Digest) -> bool {
        self.order.iter().any(|payment| payment.line_digest == *evidence) || self.claims.iter().any(|(known, _)| known == evidence)
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
        Self {
            ledger,
            unkept: Mutex::default(),
            waiting: Mutex::default(),
            paid: Notify::new(),
            written: watch::Sender::new(()),
            overview: Arc::default(),
            newest: AtomicU64::default(),
            metrics,
        }
    }

    pub(super) const fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Whether the ledger answers; its last event, and what it holds, at `now`; and what was said of `keys` meanwhile.
    pub(super) async fn follow(&self, now: Timestamp, keys: &Keys) -> Result<(), LedgerError> {
        let view = self.view().await?;
        let totals = view.totals(now).await?;
        self.metrics.ledger(view.head().await?.sequence, totals.held.count);
        if totals.revocations.len() != keys.heard() {
            keys.hear(&view.revocations().await?);
        }
        Ok(())
    }

    /// Tells `keys` what was said of them.
    pub(super) async fn hear(&self, keys: &Keys) -> Result<(), LedgerError> {
        keys.hear(&self.view().await?.revocations().await?);
        Ok(())
    }

    /// Resolves when there is something to write.
    pub(super) async fn paid_something(&self) {
        self.paid.notified().await;
    }

    /// Waits until the ledger has the money that the line of that digest told of.
    async fn has(&self, evidence: &Digest) {
        let mut written = self.written.subscribe();
        while self.lock().has(evidence) {
            // The sender is `self`, so it outlives this wait and there is no error to have.
            drop(written.changed().await);
        }
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
        drop(waiting);
        self.written.send_replace(());
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

    /// What is true of the bill that has the code. A payment goes from unkept to waiting and from there to the ledger, each time into
    /// the next before out of the last: looked for in the same order, it is seen in one of them.
    pub(super) async fn look(&self, payment_code: &PaymentCode) -> Result<Option<InquiredBill>, LedgerError> {
        let is_nothing_on_its_way = self.unkept().is_empty() && self.lock().is_empty();
        let view = self.view().await?;
        let mut expected = holder(&view, payment_code).await?;
        if is_nothing_on_its_way {
            // Most of the time one view has it all: what was in neither of the others before it began, it has.
            return match expected {
                Some(state) => self.found(&view, state, &[], false).await.map(Some),
                None => Ok(None),
            };
        }
        drop(view);
        loop {
            let Some(before) = expected else { return Ok(None) };
            let unrecorded = self.unkept().may_pay(payment_code, &before);
            let on_its_way = self.lock().about(&before);
            let claimed = self.is_claimed(&before);
            let view = self.view().await?;
            let Some(state) = holder(&view, payment_code).await? else { return Ok(None) };
            if Names::of(&state) != Names::of(&before) {
                // It has got another number or code meanwhile, or another bill has the code.
                expected = Some(state);
                continue;
            }
            let mut found = self.found(&view, state, &on_its_way, claimed).await?;
            found.unrecorded = unrecorded;
            return Ok(Some(found));
        }
    }

    /// A view that is no older than those before.
    async fn view(&self) -> Result<L::View, LedgerError> {
        let before = self.newest.load(Ordering::Acquire);
        let view = self.ledger.view().await?;
        let found = view.head().await?.sequence;
        if found < before {
            let reason = format!("it ends at event {found}, and had {before} already: an older copy was put in its place");
            return Err(LedgerError::Damaged { path: "the ledger".into(), reason });
        }
        self.newest.fetch_max(found, Ordering::AcqRel);
        Ok(view)
    }

    /// Looks over the whole ledger, if it is time to.
    async fn look_over(&self) -> Result<(), LedgerError> {
        if self.overview.is_due() {
            self.overview.look(self.view().await?);
        }
        Ok(())
    }

    /// What was found to be wrong with the ledger as a whole.
    pub(super) fn wrong(&self) -> Option<String> {
        self.overview.wrong()
    }

    /// What a view, and what is on its way into the ledger, say of a bill.
    async fn found(
        &self,
        view: &impl LedgerView,
        state: BillState,
        on_its_way: &[Arc<Payment>],
        claimed: bool,
    ) -> Result<InquiredBill, LedgerError> {
        let mut paid = owner::told_paid(&state).is_some()
            || view.paid(std::slice::from_ref(&state.invoice_number)).await?.contains_key(&state.invoice_number);
        for payment in on_its_way {
            paid = paid || is_of(view, &state, payment).await?;
        }
        let held = state.hold.is_some() || claimed;
        let customer = view.customer(&state.invoice_number).await?;
        Ok(InquiredBill { state, customer, paid, held, unrecorded: false })
    }

    /// Whether money that was not understood may be the bill's, and the ledger does not know yet.
    fn is_claimed(&self, state: &BillState) -> bool {
        self.lock().claims.iter().any(|(_, claim)| !holding_bills::of(std::iter::once(state), claim).is_empty())
    }

    /// Claims that are not in the ledger, and the bills each may be of.
    pub(super) async fn claimed(&self) -> Result<Vec<(Digest, Claim, Vec<BillState>)>, LedgerError> {
        let claims = self.lock().claims.clone();
        let mut found = Vec::with_capacity(claims.len());
        for (evidence, claim) in claims {
            let candidates = self.ledger.view().await?.bills_about(&holding_bills::names(&claim)).await?;
            let bills = holding_bills::of(candidates.iter(), &claim).into_iter().cloned().collect();
            found.push((evidence, claim, bills));
        }
        Ok(found)
    }

    /// The ledger has what `evidence` claims.
    pub(super) fn held(&self, evidence: &Digest) {
        self.lock().claims.retain(|(known, _)| known != evidence);
        self.written.send_replace(());
    }
}

/// The bill that has the code, or of those that had it the one that got it last.
async fn holder(view: &impl LedgerView, payment_code: &PaymentCode) -> Result<Option<BillState>, LedgerError> {
    let about = view.bills_about(&Names { codes: [payment_code.clone()].into(), ..Names::default() }).await?;
    let key = |state: &BillState| (state.status.may_be_live(), state.code.as_ref().map(|code| code.accepted_at));
    Ok(about.into_iter().filter(|state| code_of(state) == Some(payment_code)).max_by_key(key))
}

/// Whether a payment that names a code or a number of the bill is its, and not another bill's that it fits better.
async fn is_of(view: &impl LedgerView, state: &BillState, payment: &Payment) -> Result<bool, LedgerError> {
    let candidates = view.bills_about(&Names::of_payments([payment])).await?;
    let owners = owner::owners(candidates.iter().chain([state]), payment.into());
    Ok(owners.iter().any(|owner| owner.invoice_number == state.invoice_number))
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
    fn find<'b>(&'b self, payment_code: &'b PaymentCode) -> BooksFuture<'b, Result<Option<InquiredBill>, String>> {
        Box::pin(async move {
            let words = |error: LedgerError| error.to_string();
            let found = self.look(payment_code).await.map_err(words)?;
            if found.is_none() {
                self.look_over().await.map_err(words)?;
                return self.overview.wrong_soon().await.map_or(Ok(None), Err);
            }
            Ok(found)
        })
    }

    fn named<'b>(
        &'b self,
        invoice_number: &'b InvoiceNumber,
        number: &'b InvoiceNumber,
        at: Timestamp,
    ) -> BooksFuture<'b, Result<(), NotNamed>> {
        let event = Event::Aliased { number: number.clone() };
        let entry = NewEvent { invoice_number: invoice_number.clone(), at, event, basis: Basis::Any, private: Private::default() };
        Box::pin(async move {
            match self.ledger.record(vec![entry]).await {
                Ok(_) => Ok(()),
                Err(LedgerError::NumberTaken { .. }) => Err(NotNamed::Taken),
                Err(LedgerError::Lost { .. }) => Err(NotNamed::MovedOn),
                Err(error) => Err(NotNamed::Failed(error.to_string())),
            }
        })
    }

    fn arrived(&self, payment_code: Option<&PaymentCode>, invoice_number: Option<&InvoiceNumber>) {
        let mut unkept = self.unkept();
        unkept.add((payment_code, invoice_number));
        self.metrics.unkept(unkept.len());
    }

    fn is_everywhere<'b>(&'b self, evidence: &'b Digest) -> BooksFuture<'b, bool> {
        Box::pin(async move { !self.ledger.is_shared() || clock::within(EVERYWHERE_WITHIN, self.has(evidence)).await.is_some() })
    }

    fn stands<'b>(
        &'b self,
        request_id: &'b str,
        at: Timestamp,
        since: Timestamp,
        answer: &'b str,
    ) -> BooksFuture<'b, Result<Option<String>, String>> {
        Box::pin(async move { self.ledger.keep_answer(request_id, at, since, answer).await.map_err(|error| error.to_string()) })
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
