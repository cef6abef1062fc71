//! DOKU's behaviour as one value: a request and the time go in, an answer and its fate come out.
//!
//! Belongs here: state, idempotency, the life of an order. Must not be here: sockets, clocks, files, the client's decisions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;

use super::fault::{Attempts, FaultKind};
use super::http::{Reply, Request};
use super::notification::NotificationMessage;
use super::outbox::Outbox;
use super::page;
use super::question::Inquiry;
use super::reception::{Arrival, Ask, Draft, Envelope, Received, Reception, Seal};
use super::record::{Call, Handling, Order, PaymentTaken};
use super::refusal::OrderedRefusal;
use super::rule::Refusal;
use super::settings::Settings;
use super::wire::{self, CodeAnswer, CodeInfo, Echo, InvoiceOnly};
use crate::domain::calendar::{format_compact_wib, format_utc_seconds};
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// The whole sandbox.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) reception: Arc<Reception>,
    pub(super) orders: Vec<Order>,
    pub(super) by_invoice: HashMap<InvoiceNumber, usize>,
    /// The latest order of each code.
    pub(super) by_code: HashMap<PaymentCode, usize>,
    /// What was answered to each `Request-Id` that changed something.
    answered: HashMap<String, Answered>,
    attempts: HashMap<String, Attempts>,
    calls: Vec<Call>,
    /// Orders that were paid and whose payment is in no record yet.
    pub(super) paid: Vec<usize>,
    pub(super) messages: HashMap<usize, Sent>,
    pub(super) inquiries: Vec<Inquiry>,
    pub(super) outbox: Outbox,
    refusals: VecDeque<OrderedRefusal>,
}

/// A stored answer.
#[derive(Clone, Debug)]
struct Answered {
    fingerprint: Digest,
    body: Bytes,
    order: usize,
}

/// When a request is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// As it arrives: a fault may strike.
    OnArrival,
    /// After the pause a fault put on it.
    Late,
}

/// What processing a request came to.
struct Outcome {
    status: u16,
    body: Bytes,
    handling: Handling,
    invoice_number: Option<InvoiceNumber>,
    payment_code: Option<PaymentCode>,
}

impl Outcome {
    fn plain(status: u16, body: Bytes, handling: Handling) -> Self {
        Self { status, body, handling, invoice_number: None, payment_code: None }
    }

    fn refused(refusal: &Refusal, handling: Handling) -> Self {
        Self::plain(refusal.status, wire::error(&refusal.message).into(), handling)
    }
}

impl Model {
    /// An empty sandbox.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            reception: Arc::new(Reception::new(settings)),
            orders: Vec::new(),
            by_invoice: HashMap::new(),
            by_code: HashMap::new(),
            answered: HashMap::new(),
            attempts: HashMap::new(),
            calls: Vec::new(),
            paid: Vec::new(),
            messages: HashMap::new(),
            inquiries: Vec::new(),
            outbox: Outbox::default(),
            refusals: VecDeque::new(),
        }
    }

    /// Has the next calls answered so; nothing is done for them.
    pub fn refuse_next(&mut self, refusal: OrderedRefusal) {
        self.refusals.push_back(refusal);
    }

    /// Has Check Status call an order so from here on, such as `REFUNDED`; `None` for what it is. Whether there is such an order.
    pub fn call_order(&mut self, invoice_number: &str, word: Option<String>) -> bool {
        let index = self.by_invoice.get(invoice_number).copied();
        let order = index.and_then(|index| self.orders.get_mut(index));
        order.map(|order| order.status_word = word).is_some()
    }

    /// Changes the key of both directions. Orders, stored answers and what was signed before stay.
    pub fn change_secret(&mut self, secret: SecretString) {
        let mut settings = self.settings().clone();
        let former = std::mem::replace(&mut settings.secret, secret);
        settings.former_secrets.push(former);
        self.reception = Arc::new(Reception::new(settings));
    }

    /// Answers `request` at `now`.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.handle_at(request, now, Timing::OnArrival)
    }

    /// Does what `handle` put off with [`super::http::Fate::DelayThenProcess`]; no further fault strikes.
    pub fn handle_late(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.handle_at(request, now, Timing::Late)
    }

    fn handle_at(&mut self, request: &Request, now: Timestamp, timing: Timing) -> Reply {
        let reception = Arc::clone(&self.reception);
        let draft = self.decide(reception.receive(request, now), now, timing);
        reception.seal(draft)
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.reception.settings
    }

    /// Changes the faults from here on; what was decided so far stays.
    pub fn set_faults(&mut self, faults: super::fault::Faults) {
        self.reception = Arc::new(Reception::new(Settings { faults, ..self.settings().clone() }));
    }

    /// Sets scheme and authority of the how-to-pay links, unless they are set.
    pub(super) fn set_base_url_if_empty(&mut self, base_url: String) {
        if self.settings().base_url.is_empty() {
            self.reception = Arc::new(Reception::new(Settings { base_url, ..self.settings().clone() }));
        }
    }

    /// Every order ever made, oldest first.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The order of an invoice number.
    #[must_use]
    pub fn order(&self, invoice_number: &str) -> Option<&Order> {
        self.by_invoice.get(invoice_number).and_then(|&index| self.orders.get(index))
    }

    /// The latest order a code belongs to.
    #[must_use]
    pub fn order_of_code(&self, payment_code: &str) -> Option<&Order> {
        self.index_of_code(payment_code).and_then(|index| self.orders.get(index))
    }

    pub(super) fn index_of_code(&self, payment_code: &str) -> Option<usize> {
        self.by_code.get(payment_code).copied()
    }

    /// Every POST and PATCH that arrived, in order. One that a fault delays is entered when it is done.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The calls that changed something.
    pub fn processed(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.handling == Handling::Processed)
    }

    /// Decides what is left open by [`Reception::receive`].
    pub(super) fn decide(&mut self, received: Received, now: Timestamp, timing: Timing) -> Draft {
        match received {
            Received::Page(page) => page::draft(self.order_of_code(&page.payment_code), &page, now),
            Received::Refused { envelope, refusal } => {
                if envelope.method != "GET" {
                    let outcome = Outcome::plain(refusal.status, Bytes::new(), Handling::Denied);
                    self.enter(envelope, outcome, None, now);
                }
                refusal
            }
            Received::Arrived(arrival) => self.decide_arrival(arrival, now, timing),
        }
    }

    fn decide_arrival(&mut self, arrival: Arrival, now: Timestamp, timing: Timing) -> Draft {
        let reception = Arc::clone(&self.reception);
        if let Some(refusal) = self.ordered_refusal() {
            return self.refuse(arrival, &refusal, now);
        }
        let fault = match timing {
            Timing::OnArrival => self.next_fault(&arrival),
            Timing::Late => None,
        };
        let mut draft = Draft::new(200, Bytes::new(), &arrival.envelope.request_id, &arrival.envelope.target, now);
        if fault == Some(FaultKind::DelayBefore) {
            reception.afflict(&mut draft, FaultKind::DelayBefore);
            return draft;
        }
        let mut outcome = match (&arrival.ask, fault) {
            (ask, Some(fault)) if fault.stops_processing() => {
                Outcome { invoice_number: ask.invoice_number(), ..Outcome::plain(503, Bytes::new(), Handling::NotProcessed) }
            }
            (Ask::Status(id), _) => self.status(id, now),
            (Ask::Create(_) | Ask::Change(_), _) => self.process(&arrival, now),
        };
        (draft.status, draft.body) = (outcome.status, outcome.body.clone());
        if draft.status >= 400 && outcome.handling != Handling::Replayed {
            draft.seal = reception.seal_of_errors();
        }
        if let Some(fault) = fault {
            reception.afflict(&mut draft, fault);
        }
        if !matches!(arrival.ask, Ask::Status(_)) {
            outcome.status = draft.status;
            let fault = if timing == Timing::Late { Some(FaultKind::DelayBefore) } else { fault };
            self.enter(arrival.envelope, outcome, fault, now);
        }
        draft
    }

    fn ordered_refusal(&mut self) -> Option<OrderedRefusal> {
        let next = self.refusals.front_mut()?;
        next.count = next.count.saturating_sub(1);
        if next.count > 0 { Some(next.clone()) } else { self.refusals.pop_front() }
    }

    fn refuse(&mut self, arrival: Arrival, refusal: &OrderedRefusal, now: Timestamp) -> Draft {
        let body = refusal.shape.body(refusal.status, &refusal.message);
        let mut draft = Draft::new(refusal.status, body.clone(), &arrival.envelope.request_id, &arrival.envelope.target, now);
        draft.retry_after_seconds = refusal.retry_after_seconds;
        draft.seal = match refusal.signed {
            Some(true) => Seal::Good,
            Some(false) => Seal::Absent,
            None => self.reception.seal_of_errors(),
        };
        if !matches!(arrival.ask, Ask::Status(_)) {
            let invoice_number = arrival.ask.invoice_number();
            let outcome = Outcome { invoice_number, ..Outcome::plain(refusal.status, body, Handling::NotProcessed) };
            self.enter(arrival.envelope, outcome, None, now);
        }
        draft
    }

    /// A mutation is known by its `Request-Id`; a status query, whose id is new each time, by what it asks after.
    fn next_fault(&mut self, arrival: &Arrival) -> Option<FaultKind> {
        let Settings { faults, seed, .. } = &self.reception.settings;
        if faults.is_none() {
            return None;
        }
        let key = match arrival.ask {
            Ask::Status(_) => &arrival.envelope.target,
            Ask::Create(_) | Ask::Change(_) => &arrival.envelope.request_id,
        };
        self.attempts.entry(key.clone()).or_default().next(faults, *seed, key)
    }

    fn process(&mut self, arrival: &Arrival, now: Timestamp) -> Outcome {
        if let Some(answered) = self.answered.get(&arrival.envelope.request_id) {
            let order = self.orders.get(answered.order);
            let invoice_number = order.map(|order| order.invoice_number.clone());
            if answered.fingerprint != arrival.fingerprint {
                let refusal = Refusal::new(409, "Request-Id is already used with different request data");
                return Outcome { invoice_number, ..Outcome::refused(&refusal, Handling::IdReused) };
            }
            let payment_code = order.map(|order| order.payment_code.clone());
            return Outcome { status: 409, body: answered.body.clone(), handling: Handling::Replayed, invoice_number, payment_code };
        }
        let done = match &arrival.ask {
            Ask::Create(Ok((wanted, till))) => self.create(wanted, till, &arrival.envelope.request_id, now),
            Ask::Change(Ok(change)) => self.change(change, &arrival.envelope.request_id, now),
            Ask::Create(Err(refusal)) | Ask::Change(Err(refusal)) => Err(refusal.clone()),
            Ask::Status(_) => Err(Refusal::new(500, "Internal Server Error")),
        };
        let index = match done {
            Ok(index) => index,
            Err(refusal) => {
                let invoice_number = arrival.ask.invoice_number();
                return Outcome { invoice_number, ..Outcome::refused(&refusal, Handling::Rejected) };
            }
        };
        let Some(order) = self.orders.get(index) else {
            return Outcome::refused(&Refusal::new(500, "Internal Server Error"), Handling::Rejected);
        };
        let body = self.code_answer(order, matches!(arrival.ask, Ask::Create(_)));
        let (invoice_number, payment_code) = (Some(order.invoice_number.clone()), Some(order.payment_code.clone()));
        let answered = Answered { fingerprint: arrival.fingerprint, body: body.clone(), order: index };
        self.answered.insert(arrival.envelope.request_id.clone(), answered);
        Outcome { status: 200, body, handling: Handling::Processed, invoice_number, payment_code }
    }

    fn code_answer(&self, order: &Order, with_links: bool) -> Bytes {
        let base_url = &self.settings().base_url;
        let (channel, code) = (order.channel.name(), order.payment_code.as_str());
        let link = |path: String| with_links.then(|| format!("{base_url}{path}"));
        let url = order.override_notification_url.as_deref().filter(|_| with_links);
        let answer = CodeAnswer {
            order: InvoiceOnly { invoice_number: order.invoice_number.as_str() },
            online_to_offline_info: CodeInfo {
                payment_code: code,
                how_to_pay_page: link(format!("/how-to-pay/v2/{channel}-online-to-offline/{code}")),
                how_to_pay_api: link(format!("/{channel}-online-to-offline/v2/how-to-pay-api/{code}")),
                created_date: format_compact_wib(order.created_at),
                expired_date: format_compact_wib(order.expires_at),
                created_date_utc: format_utc_seconds(order.created_at),
                expired_date_utc: format_utc_seconds(order.expires_at),
            },
            additional_info: url.map(|url| Echo { override_notification_url: url }),
        };
        wire::json(&answer).into()
    }

    fn status(&self, id: &str, now: Timestamp) -> Outcome {
        let by_request = || self.answered.get(id).and_then(|answered| self.orders.get(answered.order));
        let (status, body) = match self.order(id).or_else(by_request) {
            Some(order) => (200, page::status(order, now)),
            None => (404, wire::error("Order not found")),
        };
        Outcome::plain(status, body.into(), Handling::Processed)
    }

    fn enter(&mut self, envelope: Envelope, outcome: Outcome, fault: Option<FaultKind>, now: Timestamp) {
        self.calls.push(Call {
            at: now,
            method: envelope.method,
            path: envelope.target,
            request_id: envelope.request_id,
            body_digest: digest::hex(&envelope.body_digest),
            handling: outcome.handling,
            status: outcome.status,
            fault,
            invoice_number: outcome.invoice_number,
            payment_code: outcome.payment_code,
        });
    }
}

/// What was last sent about an order.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// DOKU's last message as it left DOKU, and the payment it told of. A forger's messages are not among them.
    pub(super) last: Option<(NotificationMessage, PaymentTaken)>,
    /// How many messages, so that each gets an id of its own.
    pub(super) count: u32,
}
