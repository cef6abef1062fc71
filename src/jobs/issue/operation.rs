//! One operation from its durable intent to a named state: attempts, replays, and what is recorded after each.

use std::sync::atomic::Ordering;

use super::Issuing;
use crate::doku::answer::{Expected, Outcome, Reach, SignaturePolicy, outcome};
use crate::doku::wire::{Delivery, SignatureFinding, WireRequest};
use crate::doku::{body, codes};
use crate::domain::channel::Channel;
use crate::domain::end::End;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{Event, OperationKind, Status};
use crate::domain::plan::Unchanged;
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::stop::StopReason;
use crate::ledger::{Entry, Ledger, LedgerError, Private};

/// An operation whose intent is durable: every attempt sends these bytes under this id (I4).
pub(super) struct Operation {
    pub(super) invoice_number: InvoiceNumber,
    pub(super) kind: OperationKind,
    pub(super) channel: Channel,
    pub(super) wire_invoice_number: InvoiceNumber,
    /// The code the answer must name, unless DOKU is to make it.
    pub(super) payment_code: Option<PaymentCode>,
    pub(super) request: WireRequest,
}

/// How an operation ended in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Carried out.
    Done { operation: OperationKind, replayed: bool },
    /// Issued by an earlier attempt, and past its expiry by now.
    Expired,
    /// Definitely refused by DOKU.
    Rejected { code: String, reason: String },
    /// Provably never sent.
    Deferred { reason: String },
    /// Still not known.
    InDoubt { reason: String },
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done { operation, replayed } => Self::done(operation, replayed),
            Ended::Expired => Self::unchanged(Unchanged::Expired),
            Ended::Rejected { code, reason } => Self::rejected(&code, &reason),
            Ended::Deferred { reason } => Self::deferred(&reason),
            Ended::InDoubt { reason } => Self::in_doubt(&reason),
        }
    }
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Sends `operation` until it has a definite outcome or the attempts are used up. `doubt` is the reason an earlier
    /// attempt may have been carried out; from then on only an acceptance or a fitting rejection ends it.
    pub(super) async fn pursue(&self, operation: &Operation, mut doubt: Option<String>) -> Result<Ended, LedgerError> {
        let mut last = "the run was stopped before its turn".to_owned();
        for attempt in 0..self.caller.retry.attempts_max.max(1) {
            if self.is_closed(operation.channel) {
                "DOKU refused the channel".clone_into(&mut last);
                break;
            }
            let Some(delivery) = self.caller.attempt(attempt, &operation.request).await else { break };
            let expected = Expected {
                wire_invoice_number: &operation.wire_invoice_number,
                payment_code: operation.payment_code.as_ref(),
                policy: self.settings.verify_response,
            };
            // What DOKU repeats of the customer must not reach events and reports.
            match outcome(&delivery, &expected).worded(|reason| body::masked(&operation.request.body, reason)) {
                Outcome::Accepted { answer, replayed } => {
                    self.note_signature(&delivery);
                    let is_issue = operation.kind == OperationKind::Issue;
                    let has_expired = is_issue && answer.expires_at.is_some_and(|expires_at| expires_at <= (self.clock)());
                    let request_id = operation.request.request_id;
                    self.conclude(&operation.invoice_number, request_id, Event::Accepted { answer, replayed, amount: None }).await?;
                    let done = Ended::Done { operation: operation.kind, replayed: replayed || doubt.is_some() };
                    return Ok(if has_expired { Ended::Expired } else { done });
                }
                // The order may be in the way of our attempt because an earlier one was carried out, and DOKU has forgotten
                // the answer it stored.
                Outcome::Rejected { code, reason }
                    if doubt.is_some() && (code == codes::DUPLICATE || operation.kind == OperationKind::Cancel) =>
                {
                    last = reason;
                    break;
                }
                Outcome::Rejected { code, reason } => {
                    let event = Event::Rejected { code: code.id.into(), reason: reason.clone(), provisional: false };
                    self.conclude(&operation.invoice_number, operation.request.request_id, event).await?;
                    return Ok(Ended::Rejected { code: code.id.into(), reason });
                }
                Outcome::Retry { reason } => last = reason,
                Outcome::InDoubt { reason } => {
                    if doubt.is_none() {
                        self.append(&operation.invoice_number, Event::Doubted { reason: reason.clone(), answered: false, refusal: None })
                            .await?;
                        doubt = Some(reason.clone());
                    }
                    last = reason;
                }
                Outcome::Stopped { reach, reason } => {
                    self.close(reach, operation.channel, &reason);
                    last = reason;
                    break;
                }
            }
        }
        if doubt.is_some() {
            return Ok(Ended::InDoubt { reason: last });
        }
        self.append(&operation.invoice_number, Event::NotSent { reason: last.clone() }).await?;
        Ok(Ended::Deferred { reason: last })
    }

    pub(super) async fn append(&self, invoice_number: &InvoiceNumber, event: Event) -> Result<(), LedgerError> {
        self.ledger.record(vec![self.entry(invoice_number, event)]).await.map(drop)
    }

    fn entry(&self, invoice_number: &InvoiceNumber, event: Event) -> Entry {
        Entry { invoice_number: invoice_number.clone(), at: (self.clock)(), event, private: Private::default() }
    }

    /// Under `warn`, a success counts without a valid signature; the run says at its end how many did.
    fn note_signature(&self, delivery: &Delivery) {
        let badly_signed = matches!(delivery, Delivery::Answered(answer) if answer.signature != SignatureFinding::Valid);
        if badly_signed && self.settings.verify_response == SignaturePolicy::Warn {
            self.badly_signed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records how the operation `request_id` ended; `false` when a notification that was ingested meanwhile has ended it.
    pub(super) async fn conclude(&self, invoice_number: &InvoiceNumber, request_id: RequestId, event: Event) -> Result<bool, LedgerError> {
        match self.append(invoice_number, event.clone()).await {
            Ok(()) => Ok(true),
            Err(LedgerError::Illegal(illegal)) => {
                let open = self.ledger.bill(invoice_number)?.and_then(|state| state.open);
                if open.is_some_and(|open| open.request_id == request_id) { Err(illegal.into()) } else { Ok(false) }
            }
            Err(LedgerError::CodeTaken { invoice_number, other }) => {
                let Some(retired) = self.retirement(&other, &invoice_number)? else {
                    return Err(LedgerError::CodeTaken { invoice_number, other });
                };
                self.ledger.record(vec![retired, self.entry(&invoice_number, event)]).await.map(|_| true)
            }
            Err(error) => Err(error),
        }
    }

    /// The end of `holder`'s code, which has expired and which DOKU now gives to `taker`.
    fn retirement(&self, holder: &InvoiceNumber, taker: &InvoiceNumber) -> Result<Option<Entry>, LedgerError> {
        let state = self.ledger.bill(holder)?.filter(|state| state.status == Status::Active);
        let expires_at = state.and_then(|state| state.code?.answer.expires_at);
        let has_expired = expires_at.is_some_and(|expires_at| expires_at <= (self.clock)());
        let reason = format!("it has expired, and DOKU gave it to invoice `{taker}`");
        Ok(has_expired.then(|| self.entry(holder, Event::Retired { reason })))
    }

    fn is_closed(&self, channel: Channel) -> bool {
        self.closed_channels.lock().is_ok_and(|closed| closed.contains(&channel))
    }

    fn close(&self, reach: Reach, channel: Channel, reason: &str) {
        match reach {
            Reach::Run => self.caller.stop.ask(StopReason::Credentials(reason.to_owned())),
            Reach::Channel => {
                if let Ok(mut closed) = self.closed_channels.lock() {
                    closed.insert(channel);
                }
            }
        }
    }
}
