//! A ledger in memory: the store double of the tests, with a model of a crash.
//!
//! It folds, refuses and counts like the real stores (one conformance suite runs against all). Must not be here: anything a
//! real run depends on.

mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::chain::{Covered, Kind, NO_SALT, NumberRecord, Origin, PaymentRecord, payment_event_at, truncated_payment};
use super::rules::{Fate, Refusal, beside, fates, folded, live_payment_code, microseconds, number_to_claim, truncated};
use super::terms::event_text;
use super::{AppliedPayments, Binding, Ledger, LedgerError, LedgerHead, NewEvent};
use crate::domain::bill::{Customer, Salt, Salts};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::owner;
use crate::domain::payment::Payment;

pub use view::MemoryView;

/// When the process of a test dies: nothing returns from the ledger any more, and nothing more becomes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPlan {
    /// At which call of `record`, from 1.
    pub at_call: u64,
    /// At which moment of that call.
    pub moment: CrashMoment,
}

/// The two moments that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMoment {
    /// The call's entries are lost.
    BeforeDurable,
    /// The call's entries are durable, but the caller never hears so.
    AfterDurable,
}

/// A ledger without a file.
#[derive(Debug)]
pub struct MemoryLedger {
    salts: Salts,
    origin: Origin,
    /// Shared with the views of it, until the next write.
    durable: Mutex<Arc<Durable>>,
    plan: Option<CrashPlan>,
    crashed: watch::Sender<bool>,
}

#[derive(Clone, Debug, Default)]
struct Durable {
    bills: HashMap<InvoiceNumber, BillState>,
    live: HashMap<PaymentCode, InvoiceNumber>,
    events: Vec<(Timestamp, InvoiceNumber, Event)>,
    payments: Vec<Payment>,
    bodies: HashMap<RequestId, Vec<u8>>,
    customers: HashMap<InvoiceNumber, (Customer, Salt)>,
    head: Option<LedgerHead>,
    calls: u64,
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLedger {
    /// An empty ledger, whose bills' salts are always the same.
    #[must_use]
    pub fn new() -> Self {
        let origin = Origin::of("sandbox", "memory", &NO_SALT, 0);
        Self { salts: Salts::new([7; 32]), origin, durable: Mutex::default(), plan: None, crashed: watch::Sender::new(false) }
    }

    /// The same for one client.
    #[must_use]
    pub fn bound_to(binding: &Binding) -> Self {
        Self { origin: Origin::of(&binding.environment, &binding.client_id, &NO_SALT, 0), ..Self::new() }
    }

    /// The same ledger, to crash as planned.
    #[must_use]
    pub fn crashing(mut self, plan: CrashPlan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// What a new process would find: all that was durable, and no crash planned. Calls are counted anew.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let durable = Durable { calls: 0, ..Durable::clone(&self.lock()) };
        Self { salts: self.salts.clone(), origin: self.origin.clone(), durable: Mutex::new(Arc::new(durable)), ..Self::new() }
    }

    /// Resolves once the planned crash has happened; a test races its run against it.
    pub async fn crashed(&self) {
        drop(self.crashed.subscribe().wait_for(|crashed| *crashed).await);
    }

    /// How often `record` was called: where a test can place a crash.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Every durable event of the bills, in order.
    #[must_use]
    pub fn events(&self) -> Vec<(Timestamp, InvoiceNumber, Event)> {
        self.lock().events.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Durable>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records unless the process is dead or dies before; `None` when the caller never hears.
    fn record_or_crash(&self, entries: Vec<NewEvent>) -> Option<Result<Vec<BillState>, LedgerError>> {
        if *self.crashed.borrow() {
            return None;
        }
        let mut durable = self.lock();
        let durable = Arc::make_mut(&mut durable);
        durable.calls = durable.calls.saturating_add(1);
        let moment = self.plan.filter(|plan| plan.at_call == durable.calls).map(|plan| plan.moment);
        if moment == Some(CrashMoment::BeforeDurable) {
            self.crashed.send_replace(true);
            return None;
        }
        let result = durable.append_all(&self.origin, entries);
        if moment == Some(CrashMoment::AfterDurable) {
            self.crashed.send_replace(true);
            return None;
        }
        Some(result)
    }
}

impl Durable {
    /// All or none: what a failing call touched is put back.
    fn append_all(&mut self, origin: &Origin, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        let mut touched: Vec<(InvoiceNumber, Option<BillState>)> = Vec::with_capacity(entries.len());
        let (event_count, head, began_at) = (self.events.len(), self.head, self.sequence());
        let mut states = Vec::with_capacity(entries.len());
        let mut private = Vec::with_capacity(entries.len());
        for entry in entries {
            touched.push((entry.invoice_number.clone(), self.bills.get(&entry.invoice_number).cloned()));
            private.push((entry.invoice_number.clone(), entry.private.clone()));
            match self.append(origin, entry, began_at) {
                Ok(state) => states.push(state),
                Err(error) => {
                    for (invoice_number, before) in touched.into_iter().rev() {
                        self.replace(&invoice_number, before);
                    }
                    self.events.truncate(event_count);
                    self.head = head;
                    return Err(error);
                }
            }
        }
        for (invoice_number, private) in private {
            if let Some((request_id, body)) = private.body {
                self.bodies.entry(request_id).or_insert(body);
            }
            if let Some(customer) = private.customer {
                self.customers.insert(invoice_number, customer);
            }
        }
        Ok(states)
    }

    fn sequence(&self) -> u64 {
        self.head.unwrap_or(LedgerHead::EMPTY).sequence
    }

    fn append(&mut self, origin: &Origin, entry: NewEvent, began_at: u64) -> Result<BillState, LedgerError> {
        let at = truncated(entry.at);
        let before = self.bills.get(&entry.invoice_number).cloned();
        let is_new = before.is_none();
        let sequence = self.sequence().saturating_add(1);
        let state = folded(before, &entry, began_at, sequence).map_err(|refusal| match refusal {
            Refusal::Lost => LedgerError::Lost { invoice_number: entry.invoice_number.clone() },
            Refusal::Illegal(illegal) => LedgerError::Illegal(illegal),
        })?;
        if let Some(code) = live_payment_code(&state)
            && let Some(other) = self.live.get(code).filter(|other| **other != entry.invoice_number)
        {
            return Err(LedgerError::CodeTaken { invoice_number: entry.invoice_number, other: other.clone() });
        }
        if let Some(number) = number_to_claim(is_new, &entry.invoice_number, &entry.event)
            && let Some(other) = self.named(number).into_iter().find(|other| **other != entry.invoice_number).cloned()
        {
            return Err(LedgerError::NumberTaken { number: number.clone(), invoice_number: entry.invoice_number.clone(), other });
        }
        let (json, _) = event_text(&entry.event).unwrap_or_default();
        let beside = beside(self.customers.get(&entry.invoice_number), entry.private.customer.as_ref());
        let event = Covered::new(microseconds(at), Kind::Bill, entry.invoice_number.as_str(), &json);
        self.advance(origin, &Covered { beside: beside.as_ref().map(|digest| &digest[..]), ..event });
        self.replace(&entry.invoice_number, Some(state.clone()));
        self.events.push((at, entry.invoice_number, entry.event));
        Ok(state)
    }

    fn replace(&mut self, invoice_number: &InvoiceNumber, state: Option<BillState>) {
        let before = match state {
            Some(state) => {
                let code = live_payment_code(&state).cloned();
                let before = self.bills.insert(invoice_number.clone(), state);
                self.release(before.as_ref(), invoice_number);
                if let Some(code) = code {
                    self.live.insert(code, invoice_number.clone());
                }
                return;
            }
            None => self.bills.remove(invoice_number),
        };
        self.release(before.as_ref(), invoice_number);
    }

    fn release(&mut self, before: Option<&BillState>, invoice_number: &InvoiceNumber) {
        if let Some(code) = before.and_then(live_payment_code)
            && self.live.get(code) == Some(invoice_number)
        {
            self.live.remove(code);
        }
    }

    fn advance(&mut self, origin: &Origin, event: &Covered<'_>) {
        self.head = self.head.unwrap_or(LedgerHead::EMPTY).then(origin, event);
    }

    fn first_paid_at(&self, state: &BillState) -> Option<Timestamp> {
        self.payments.iter().filter(|payment| owner::is_pair(state, (*payment).into())).map(|payment| payment.paid_at).min()
    }

    /// The bills that go or went by a number, sorted.
    fn named(&self, number: &InvoiceNumber) -> Vec<&InvoiceNumber> {
        let has_it = |state: &&BillState| state.invoice_number == *number || state.other_numbers().contains(&number);
        let mut bills: Vec<&InvoiceNumber> = self.bills.values().filter(has_it).map(|state| &state.invoice_number).collect();
        bills.sort_unstable();
        bills
    }
}

impl Ledger for MemoryLedger {
    type View = MemoryView;

    fn salts(&self) -> &Salts {
        &self.salts
    }

    async fn record(&self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        match self.record_or_crash(entries) {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<AppliedPayments, LedgerError> {
        if *self.crashed.borrow() {
            return Err(LedgerError::Storage { path: "memory".into(), reason: "the process has crashed".into() });
        }
        let mut durable = self.lock();
        let durable = Arc::make_mut(&mut durable);
        let mut applied = AppliedPayments::default();
        let payments: Vec<Payment> = payments.iter().map(truncated_payment).collect();
        let kept_of = |code: &PaymentCode| -> Result<Vec<Payment>, LedgerError> {
            Ok(durable.payments.iter().filter(|kept| kept.payment_code == *code).cloned().collect())
        };
        let fates = fates(&payments, kept_of)?;
        for (payment, fate) in payments.iter().zip(fates) {
            applied.known = applied.known.saturating_add(1);
            let (json, number) = match &fate {
                Fate::Known => continue,
                Fate::Numbered(kept) => (serde_json::to_string(&NumberRecord::of(kept)), &kept.invoice_number),
                Fate::New(new) => (serde_json::to_string(&PaymentRecord::of(new)), &new.invoice_number),
            };
            let json = json.unwrap_or_default();
            durable.advance(&self.origin, &Covered::new(payment_event_at(payment), Kind::Payment, number.as_str(), &json));
            match fate {
                Fate::New(new) => {
                    applied = AppliedPayments { new: applied.new.saturating_add(1), known: applied.known.saturating_sub(1) };
                    durable.payments.push(new);
                }
                Fate::Numbered(known) => {
                    let kept = durable.payments.iter_mut().filter(|kept| kept.identity == known.identity);
                    kept.for_each(|kept| kept.canonical = known.canonical);
                }
                Fate::Known => {}
            }
        }
        Ok(applied)
    }

    async fn view(&self) -> Result<MemoryView, LedgerError> {
        Ok(MemoryView(Arc::clone(&self.lock())))
    }
}
