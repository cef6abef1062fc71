//! A ledger in memory: the store double of the tests, with a model of a crash.
//!
//! It folds, refuses and counts like the real stores (one conformance suite runs against all). Must not be here: anything a
//! real run depends on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::chain::{Kind, PaymentRecord, payment_event_at, truncated_payment};
use super::rules::{Span, live_payment_code, microseconds, number_to_claim, truncated};
use super::terms::event_text;
use super::{Applied, Entry, Happening, Head, Lapses, Ledger, LedgerError, Names, Noted, ScopeTotals, Sum, Totals, View};
use crate::domain::bill::{Customer, Salt};
use crate::domain::check;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event, Status};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;

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
    salt: Salt,
    durable: Mutex<Durable>,
    plan: Option<CrashPlan>,
    crashed: watch::Sender<bool>,
}

#[derive(Clone, Debug, Default)]
struct Durable {
    bills: HashMap<InvoiceNumber, BillState>,
    live: HashMap<PaymentCode, InvoiceNumber>,
    events: Vec<(Timestamp, InvoiceNumber, Event)>,
    payments: Vec<Payment>,
    identities: HashSet<Digest>,
    bodies: HashMap<RequestId, Vec<u8>>,
    customers: HashMap<InvoiceNumber, Customer>,
    head: Option<Head>,
    calls: u64,
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLedger {
    /// An empty ledger with a fixed salt.
    #[must_use]
    pub fn new() -> Self {
        Self { salt: Salt::new([7; 16]), durable: Mutex::default(), plan: None, crashed: watch::Sender::new(false) }
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
        let durable = Durable { calls: 0, ..self.lock().clone() };
        Self { salt: self.salt.clone(), durable: Mutex::new(durable), ..Self::new() }
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

    fn lock(&self) -> MutexGuard<'_, Durable> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records unless the process is dead or dies before; `None` when the caller never hears.
    fn record_or_crash(&self, entries: Vec<Entry>) -> Option<Result<Vec<BillState>, LedgerError>> {
        if *self.crashed.borrow() {
            return None;
        }
        let mut durable = self.lock();
        durable.calls = durable.calls.saturating_add(1);
        let moment = self.plan.filter(|plan| plan.at_call == durable.calls).map(|plan| plan.moment);
        if moment == Some(CrashMoment::BeforeDurable) {
            self.crashed.send_replace(true);
            return None;
        }
        let result = durable.append_all(entries);
        if moment == Some(CrashMoment::AfterDurable) {
            self.crashed.send_replace(true);
            return None;
        }
        Some(result)
    }
}

impl Durable {
    /// All or none: what a failing call touched is put back.
    fn append_all(&mut self, entries: Vec<Entry>) -> Result<Vec<BillState>, LedgerError> {
        let mut touched: Vec<(InvoiceNumber, Option<BillState>)> = Vec::with_capacity(entries.len());
        let (event_count, head) = (self.events.len(), self.head);
        let mut states = Vec::with_capacity(entries.len());
        let mut private = Vec::with_capacity(entries.len());
        for entry in entries {
            touched.push((entry.invoice_number.clone(), self.bills.get(&entry.invoice_number).cloned()));
            private.push((entry.invoice_number.clone(), entry.private.clone()));
            match self.append(entry) {
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

    fn append(&mut self, entry: Entry) -> Result<BillState, LedgerError> {
        let at = truncated(entry.at);
        let before = self.bills.get(&entry.invoice_number).cloned();
        let is_new = before.is_none();
        let state = BillState::apply(before, &entry.invoice_number, at, &entry.event)?;
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
        self.advance(microseconds(at), Kind::Bill, &entry.invoice_number, &json);
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

    fn advance(&mut self, at: i64, kind: Kind, invoice_number: &InvoiceNumber, json: &str) {
        self.head = self.head.unwrap_or(Head::EMPTY).then(at, kind.name(), invoice_number.as_str(), json);
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

    fn salt(&self) -> &Salt {
        &self.salt
    }

    async fn record(&self, entries: Vec<Entry>) -> Result<Vec<BillState>, LedgerError> {
        match self.record_or_crash(entries) {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<Applied, LedgerError> {
        if *self.crashed.borrow() {
            return Err(LedgerError::Storage { path: "memory".into(), reason: "the process has crashed".into() });
        }
        let mut durable = self.lock();
        let mut applied = Applied::default();
        for payment in payments.iter().map(truncated_payment) {
            if !durable.identities.insert(payment.identity) {
                applied.known = applied.known.saturating_add(1);
                continue;
            }
            let json = serde_json::to_string(&PaymentRecord::of(&payment)).unwrap_or_default();
            durable.advance(payment_event_at(&payment), Kind::Payment, &payment.invoice_number, &json);
            durable.payments.push(payment);
            applied.new = applied.new.saturating_add(1);
        }
        Ok(applied)
    }

    async fn view(&self) -> Result<MemoryView, LedgerError> {
        Ok(MemoryView(self.lock().clone()))
    }
}

/// A copy of all it had. Every question is answered by looking at everything, which is what the stores are held against.
#[derive(Debug)]
pub struct MemoryView(Durable);

impl MemoryView {
    fn sorted(&self, fits: impl Fn(&BillState) -> bool) -> Vec<BillState> {
        let mut bills: Vec<BillState> = self.0.bills.values().filter(|state| fits(state)).cloned().collect();
        bills.sort_by(|a, b| a.invoice_number.cmp(&b.invoice_number));
        bills
    }

    fn notified(&self) -> HashMap<InvoiceNumber, Paid> {
        owner::notified(self.0.bills.values(), &self.0.payments)
    }

    fn codes(&self) -> impl Iterator<Item = &PaymentCode> {
        let held = self.0.bills.values().flat_map(BillState::payment_codes);
        held.chain(self.0.payments.iter().map(|payment| &payment.payment_code))
    }
}

impl View for MemoryView {
    async fn head(&self) -> Result<Head, LedgerError> {
        Ok(self.0.head.unwrap_or(Head::EMPTY))
    }

    async fn bills(&self, numbers: &[InvoiceNumber]) -> Result<Vec<BillState>, LedgerError> {
        Ok(numbers.iter().filter_map(|number| self.0.bills.get(number).cloned()).collect())
    }

    async fn bills_about(&self, names: &Names) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| {
            let own = Names::of(state);
            !own.numbers.is_disjoint(&names.numbers) || !own.codes.is_disjoint(&names.codes)
        }))
    }

    async fn bills_beginning(&self, prefix: &str) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| Names::of(state).numbers.iter().any(|number| number.as_str().starts_with(prefix))))
    }

    async fn payments_about(&self, names: &Names) -> Result<Vec<Payment>, LedgerError> {
        let is_about = |payment: &&Payment| names.numbers.contains(&payment.invoice_number) || names.codes.contains(&payment.payment_code);
        Ok(self.0.payments.iter().filter(is_about).cloned().collect())
    }

    async fn paid(&self, numbers: &[InvoiceNumber]) -> Result<HashMap<InvoiceNumber, Paid>, LedgerError> {
        let mut paid = self.notified();
        paid.retain(|number, _| numbers.contains(number));
        Ok(paid)
    }

    async fn body(&self, _: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.bodies.get(&request_id).cloned())
    }

    async fn customer(&self, number: &InvoiceNumber) -> Result<Option<Customer>, LedgerError> {
        Ok(self.0.customers.get(number).cloned())
    }

    async fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> Result<bool, LedgerError> {
        let is_it = |event: &Event| matches!(event, Event::Held { evidence: known, .. } if known == evidence);
        Ok(self.0.events.iter().any(|(_, of, event)| of == number && is_it(event)))
    }

    async fn history(&self, number: &InvoiceNumber) -> Result<Vec<(Timestamp, Happening)>, LedgerError> {
        let own = self.0.events.iter().filter(|(_, of, _)| of == number);
        let events = own.map(|(at, _, event)| (*at, Happening::Event(Box::new(event.clone()))));
        let numbers = self.0.bills.get(number).map(|state| Names::of(state).numbers).unwrap_or_default();
        let named = |payment: &&Payment| payment.invoice_number == *number || numbers.contains(&payment.invoice_number);
        let payments = self.0.payments.iter().filter(named);
        Ok(events.chain(payments.map(|payment| (payment.paid_at, Happening::Payment(payment.clone())))).collect())
    }

    async fn open_bills(&self) -> Result<Vec<BillState>, LedgerError> {
        Ok(self.sorted(|state| state.open.is_some()))
    }

    async fn oldest_doubt(&self) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.0.bills.values().filter_map(|state| state.in_doubt_since).min())
    }

    async fn remarkable(&self) -> Result<Vec<Noted>, LedgerError> {
        let mut paid = self.notified();
        let is_told = |state: &BillState| state.checks.as_ref().is_some_and(|checks| !checks.found.is_empty());
        let by_earlier = |state: &BillState| paid.get(&state.invoice_number) == Some(&Paid::ByEarlierCode);
        let found = self.sorted(|state| state.hold.is_some() || is_told(state) || by_earlier(state));
        Ok(found.into_iter().map(|state| (state.clone(), paid.remove(&state.invoice_number))).collect())
    }

    async fn visit_silent(&self, to: Timestamp, visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        let paid = self.notified();
        let has_ended = |state: &BillState| check::ends_at(state).is_some_and(|at| at <= to);
        let is_paid = |state: &BillState| paid.get(&state.invoice_number) == Some(&Paid::ByItsCode);
        self.sorted(|state| check::may_tell(state) && has_ended(state) && !is_paid(state)).into_iter().for_each(visit);
        Ok(())
    }

    async fn visit_unpaid(&self, mut visit: impl FnMut(BillState) -> bool + Send) -> Result<(), LedgerError> {
        let paid = self.notified();
        for state in self.sorted(|state| state.status == Status::Active && !paid.contains_key(&state.invoice_number)) {
            if !visit(state) {
                break;
            }
        }
        Ok(())
    }

    async fn visit_bills(&self, visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        self.sorted(|_| true).into_iter().for_each(visit);
        Ok(())
    }

    async fn visit_payments(&self, visit: impl FnMut(Payment) + Send) -> Result<(), LedgerError> {
        self.0.payments.iter().cloned().for_each(visit);
        Ok(())
    }

    async fn highest_code(&self, prefix: &str, length: usize) -> Result<Option<PaymentCode>, LedgerError> {
        Ok(self.codes().filter(|code| code.as_str().starts_with(prefix) && code.as_str().len() == length).max().cloned())
    }

    async fn visit_codes(&self, prefix: &str, length: usize, visit: impl FnMut(&PaymentCode) + Send) -> Result<(), LedgerError> {
        self.codes().filter(|code| code.as_str().starts_with(prefix) && code.as_str().len() == length).for_each(visit);
        Ok(())
    }

    async fn totals(&self, now: Timestamp) -> Result<Totals, LedgerError> {
        let paid = self.notified();
        let mut totals = Totals::default();
        let mut by_status: BTreeMap<&'static str, Sum> = BTreeMap::new();
        for state in self.0.bills.values() {
            let (amount, is_paid) = (state.terms.amount.get(), paid.contains_key(&state.invoice_number));
            by_status.entry(state.status.name()).or_default().add(amount);
            if is_paid {
                totals.paid.add(amount);
            }
            if state.hold.is_some() {
                totals.held.add(amount);
            }
            if state.status == Status::Active && !is_paid {
                let is_over = check::ends_at(state).is_some_and(|at| at <= now);
                if is_over { &mut totals.expired } else { &mut totals.payable }.add(amount);
            }
            state.checks.iter().flat_map(|checks| &checks.found).for_each(|found| totals.told.add(found.payment.amount.get()));
        }
        self.0.payments.iter().for_each(|payment| totals.payments.add(payment.amount.get()));
        totals.by_status = by_status.into_iter().collect();
        Ok(totals)
    }

    async fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Result<ScopeTotals, LedgerError> {
        let span = Span::new(from, as_of, expiry_grace_minutes);
        let mut totals = ScopeTotals::default();
        for state in self.0.bills.values().filter(|state| span.holds(state, self.0.first_paid_at(state))) {
            totals.add(state.terms.amount.get());
        }
        Ok(totals)
    }

    async fn lapses(&self, is_lapsed: impl Fn(&str) -> bool + Send) -> Result<Lapses, LedgerError> {
        let mut lapses = Lapses::new();
        for (at, invoice_number, event) in &self.0.events {
            if let Some(terms) = event.terms() {
                let is_so = terms.policy.status.as_deref().is_some_and(&is_lapsed);
                match lapses.get_mut(invoice_number) {
                    Some(states) => states.push((*at, is_so)),
                    None if is_so => drop(lapses.insert(invoice_number.clone(), vec![(*at, is_so)])),
                    None => {}
                }
            }
        }
        Ok(lapses)
    }
}
