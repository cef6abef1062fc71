//! Asking DOKU where an order stands, and recording what it says: the one way to Check Status, for doubts, re-issues and `sync`.
//!
//! Every finding is an event, so two findings may come from two runs. A query changes nothing at DOKU.

use bytes::Bytes;
use jiff::Timestamp;

use super::caller::Caller;
use super::watch::LastWord;
use crate::doku::answer::Trust;
use crate::doku::status::{self, OrderStatus, StatusReading};
use crate::doku::wire::{Delivery, HttpMethod, WireRequest};
use crate::domain::channel::Channel;
use crate::domain::check_status::{FoundPayment, StatusDetails};
use crate::domain::conclusion::AnswerSays;
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event, HoldCause};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _, NewEvent, Private};

/// Who asks, and how far answers are believed.
#[derive(Clone, Copy)]
pub struct StatusQuery<'a, L, G, T: Time> {
    /// The record.
    pub ledger: &'a L,
    /// The way to DOKU.
    pub caller: &'a Caller<'a, G, T>,
    /// The wall clock (UTC).
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// How much signatures count.
    pub trust: Trust,
}

impl<L, G, T: Time> std::fmt::Debug for StatusQuery<'_, L, G, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusQuery").field("trust", &self.trust).finish_non_exhaustive()
    }
}

/// What a query came to.
#[derive(Debug)]
pub enum StatusReply {
    /// DOKU said where the order stands.
    Said(Box<Said>),
    /// It said nothing that can be used, and why.
    Unanswered(String),
    /// The order's number cannot stand in the path of a query, and no request id of it is known.
    NotAskable,
    /// The run was stopped, or may make no further query.
    Stopped,
}

/// DOKU's word for an order, with the answer that bears it.
#[derive(Debug)]
pub struct Said {
    /// The order.
    pub order: InvoiceNumber,
    /// What was said of it.
    pub told: OrderStatus,
    /// The query's id.
    request_id: RequestId,
    /// The answer as received.
    body: Bytes,
}

impl Said {
    /// The payment it tells of, of the code that the order has; the answer itself names none.
    #[must_use]
    pub fn payment(&self, channel: Channel, payment_code: &PaymentCode) -> Option<FoundPayment> {
        let told = self.told.payment.as_ref()?;
        let channel = told.channel.unwrap_or(channel);
        let identity = told.identity(channel, payment_code.as_str(), self.order.as_str());
        let canonical = told.canonical(channel, payment_code.as_str(), self.order.as_str());
        Some(FoundPayment {
            identity,
            canonical: Some(canonical).filter(|canonical| *canonical != identity),
            invoice_number: self.order.clone(),
            payment_code: payment_code.clone(),
            channel,
            amount: told.amount,
            paid_at: told.paid_at,
            request_id: self.request_id,
            answer_digest: digest::of_bytes(&self.body),
        })
    }
}

impl<L: Ledger, G: Gateway, T: Time> StatusQuery<'_, L, G, T> {
    /// Asks where `order` stands, by its number or by the id of the request that made it. `may_call` is asked before each attempt.
    pub async fn ask(
        &self,
        order: &InvoiceNumber,
        issued_as: Option<RequestId>,
        channel: Channel,
        may_call: impl Fn() -> bool,
    ) -> StatusReply {
        let id = match (status::fits_a_path(order.as_str()), issued_as) {
            (true, _) => order.to_string(),
            (false, Some(issued_as)) => issued_as.to_string(),
            (false, None) => return StatusReply::NotAskable,
        };
        let now = (self.clock)().as_nanosecond().to_be_bytes();
        let request_id = RequestId::from_digest(&digest::of_parts(&[b"status", id.as_bytes(), &now]));
        let request = WireRequest { method: HttpMethod::Get, path: status::path(&id), request_id, body: Bytes::new() };
        let mut last = None;
        for attempt in 0..self.caller.retry.attempts_max.max(1) {
            if !may_call() {
                break;
            }
            let Some(delivery) = self.caller.attempt(attempt, &request).await else { break };
            let reading = status::reading(&delivery, order.as_str(), self.trust);
            heard(order, request_id, attempt, &reading);
            match reading {
                StatusReading::Told(told) => {
                    let body = if let Delivery::Answered(answer) = delivery { answer.body } else { Bytes::new() };
                    return StatusReply::Said(Box::new(Said { order: order.clone(), told, request_id, body }));
                }
                StatusReading::NoAnswer(reason) => last = Some(reason),
                StatusReading::Refused(words) => {
                    let heard = LastWord { says: AnswerSays::Credentials, words: words.clone() };
                    if let Some(reason) = self.caller.watch.ended(channel, Some(&heard)) {
                        self.caller.stop.ask(reason);
                    }
                    return StatusReply::Unanswered(words);
                }
            }
        }
        last.map_or(StatusReply::Stopped, StatusReply::Unanswered)
    }

    /// The event of what was said about `state`'s order; `payment` is the one it tells of, if its code is known.
    pub fn entry(&self, state: &BillState, said: &Said, payment: Option<FoundPayment>, how: &Recorded) -> NewEvent {
        let body = payment.as_ref().map(|_| (said.request_id, said.body.to_vec()));
        let details = StatusDetails { controlled: how.controlled, ..said.told.details.clone() };
        let event = Event::Checked { order: said.order.clone(), word: said.told.word, chosen: how.chosen, payment, details };
        let private = Private { body, customer: None };
        NewEvent { invoice_number: state.invoice_number.clone(), at: (self.clock)(), event, basis: Basis::Any, private }
    }

    /// Records what was said; gives the bill as it is then, `None` when another run has changed it so that this can no longer be said
    /// of it.
    pub async fn record(
        &self,
        state: &BillState,
        said: &Said,
        payment: Option<FoundPayment>,
        how: &Recorded,
    ) -> Result<Option<BillState>, LedgerError> {
        let entry = self.entry(state, said, payment, how);
        match self.ledger.record(vec![entry]).await {
            Ok(states) => Ok(states.into_iter().last()),
            Err(LedgerError::Lost { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The event that holds a bill because of the money DOKU tells of; none if it is held, or was for the same money: a person has
    /// looked since.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn hold(&self, state: &BillState, said: &Said) -> Result<Option<NewEvent>, LedgerError> {
        let Some(amount) = said.told.details.amount.filter(|_| state.hold.is_none()) else { return Ok(None) };
        // Of the same money each answer may be written otherwise.
        let evidence = digest::of_parts(&[b"told", said.order.as_str().as_bytes(), &amount.to_be_bytes()]);
        let view = self.ledger.view().await?;
        for known in [evidence, digest::of_bytes(&said.body)] {
            if view.was_held_for(&state.invoice_number, &digest::hex(&known)).await? {
                return Ok(None);
            }
        }
        let reason = format!("Check Status says that order `{}` was paid with Rp{amount}, which nobody asked for", said.order);
        let event = Event::Held { cause: HoldCause::AmountDiffers, reason, evidence: digest::hex(&evidence) };
        let (basis, private) = (Basis::Any, Private::default());
        Ok(Some(NewEvent { invoice_number: state.invoice_number.clone(), at: (self.clock)(), event, basis, private }))
    }
}

/// What a query came to, for the log.
fn heard(order: &InvoiceNumber, request_id: RequestId, attempt: u32, reading: &StatusReading) {
    let (decision, reason) = match reading {
        StatusReading::Told(told) => (told.word.name(), ""),
        StatusReading::NoAnswer(reason) => ("no_answer", reason.as_str()),
        StatusReading::Refused(reason) => ("credentials_refused", reason.as_str()),
    };
    let (order, attempt) = (order.as_str(), attempt.saturating_add(1));
    tracing::info!(order, %request_id, attempt, decision, reason, "Check Status was asked");
}

/// What is recorded with a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whether a person chose the bill, or a doubt made it necessary; the schedule counts its own queries only.
    pub chosen: bool,
    /// For "not found": whether Check Status is known to know unpaid codes of this channel.
    pub controlled: bool,
}
