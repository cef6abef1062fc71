//! Turning one step into one operation: the body is built, pinned and recorded with its intent, then pursued.

use jiff::{SignedDuration, Timestamp};

use super::issuing::{Issuing, Next, stopped_before};
use super::operation::Operation;
use crate::doku::body;
use crate::doku::wire::{HttpMethod, WireRequest};
use crate::domain::bill::{Bill, Customer, Expiry, RecordedTerms, Salt, Terms, Wanted};
use crate::domain::codes;
use crate::domain::conclusion::Before;
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event, OperationKind};
use crate::domain::plan::{self, Step};
use crate::domain::row_end::End;
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Basis, Ledger, LedgerError, NewEvent, Private};

/// A body that is about to be pinned.
pub(super) struct Draft {
    kind: OperationKind,
    pub(super) terms: RecordedTerms,
    wire_invoice_number: InvoiceNumber,
    payment_code: Option<PaymentCode>,
    drafted_at: Timestamp,
    /// When what it asks for is to stop being payable; none for a cancellation.
    wanted_end: Option<Timestamp>,
    body: Vec<u8>,
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Starts the operation of an issue, amend or cancel step, which was planned when `planned_at` was the bill's last event, and pursues
    /// it.
    pub(super) async fn start(&self, bill: &Bill, step: &Step, state: Option<BillState>, planned_at: u64) -> Result<Next, LedgerError> {
        if self.caller.stop.reason().is_some() {
            return Ok(Next::Ended(stopped_before()));
        }
        let draft = match self.draft(bill, step, state.as_ref()).await? {
            Ok(draft) => draft,
            Err(end) => return Ok(Next::Ended(end)),
        };
        let generation = state.as_ref().map_or(0, |state| state.generation);
        let salt = state.as_ref().and_then(|state| state.salt);
        let customer = match &bill.wanted {
            Wanted::Live(terms) => Some((terms.customer.clone(), self.salt(bill, state.as_ref()))),
            Wanted::Cancelled => None,
        };
        let operation = self.operation(&bill.invoice_number, &draft, generation)?;
        let Some(operation) = operation else {
            let reason = format!("DOKU documents no such call for method `{}` at {}", draft.terms.method, draft.terms.channel);
            return Ok(Next::Ended(End::refused(codes::CANNOT_AMEND, "method", &reason)));
        };
        let basis = Basis::Since(planned_at);
        match self.ledger.record(vec![Self::intent(&operation, draft.terms, customer, salt, basis)]).await {
            Err(LedgerError::Lost { invoice_number }) => return Ok(Next::overtaken(&invoice_number)),
            // Two rows of this run were both to have a code that had just come free. Nothing of this one has left.
            Err(LedgerError::CodeTaken { other, .. }) => return Ok(Next::PlanAgain(Some(End::live_elsewhere(&other)))),
            // Or both the same number at DOKU: planned again, this one finds the next.
            Err(LedgerError::NumberTaken { number, .. }) => {
                return Ok(Next::PlanAgain(Some(End::deferred(&format!("number `{number}` was taken meanwhile")))));
            }
            recorded => drop(recorded?),
        }
        let ended = self.pursue(&operation, Before::Nothing).await?;
        self.after(&bill.invoice_number, ended, Next::Ended).await
    }

    /// The body for a step; the inner error is a row that cannot have one.
    async fn draft(&self, bill: &Bill, step: &Step, state: Option<&BillState>) -> Result<Result<Draft, End>, LedgerError> {
        let now = (self.clock)();
        match (step, &bill.wanted, state) {
            (Step::Issue { wire_invoice_number }, Wanted::Live(terms), _) => Ok(match plan::issue_minutes(terms.expiry, now) {
                Some(minutes) => Ok(Draft {
                    kind: OperationKind::Issue,
                    terms: terms.recorded(&self.salt(bill, state)),
                    wire_invoice_number: wire_invoice_number.clone(),
                    payment_code: terms.payment_code.clone(),
                    drafted_at: now,
                    wanted_end: match terms.expiry {
                        Expiry::At(at) => Some(at),
                        Expiry::Minutes(_) => now.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok(),
                    },
                    body: body::issue(wire_invoice_number, terms, minutes, self.settings.info_key),
                }),
                None => Err(End::refused(codes::EXPIRY_PASSED, "expires_at", "less than a minute remains")),
            }),
            (Step::Amend, Wanted::Live(terms), Some(state)) => {
                Ok(self.amend_draft(terms, terms.recorded(&self.salt(bill, Some(state))), state))
            }
            (Step::Cancel, Wanted::Cancelled, Some(state)) => self.cancel_draft(state).await,
            _ => Ok(Err(End::deferred("the plan changed under way"))),
        }
    }

    pub(super) fn amend_draft(&self, terms: &Terms, recorded: RecordedTerms, state: &BillState) -> Result<Draft, End> {
        let Some(code) = &state.code else { return Err(End::deferred("the live code is not known")) };
        let now = (self.clock)();
        let minutes = plan::amend_minutes(&recorded, state, self.settings.amend_base, now);
        let payment_code = &code.answer.payment_code;
        Ok(Draft {
            kind: OperationKind::Amend,
            wire_invoice_number: code.wire_invoice_number.clone(),
            payment_code: Some(payment_code.clone()),
            drafted_at: now,
            wanted_end: plan::wanted_end(&recorded, state),
            body: body::amend(&code.wire_invoice_number, payment_code, terms, minutes, self.settings.info_key),
            terms: recorded,
        })
    }

    pub(super) async fn cancel_draft(&self, state: &BillState) -> Result<Result<Draft, End>, LedgerError> {
        let Some(code) = &state.code else { return Ok(Err(End::deferred("the live code is not known"))) };
        let kept = self.ledger.customer(&state.invoice_number).await?;
        let name = kept.as_ref().map(|customer| customer.name.reveal()).or(self.settings.cancel_name.as_deref());
        let Some(name) = name else {
            return Ok(Err(End::refused(codes::NAME_UNKNOWN, "customer_name", "no name is kept for this invoice")));
        };
        let payment_code = &code.answer.payment_code;
        Ok(Ok(Draft {
            kind: OperationKind::Cancel,
            terms: state.terms.clone(),
            wire_invoice_number: code.wire_invoice_number.clone(),
            payment_code: Some(payment_code.clone()),
            drafted_at: (self.clock)(),
            wanted_end: None,
            body: body::cancel(&code.wire_invoice_number, payment_code, state.terms.amount, state.terms.reusable, name),
        }))
    }

    /// The operation of a draft, if DOKU documents a call for it. Its id follows from the draft, the generation and our key alone, so equal
    /// work has an equal id, also with the ledger lost; and nobody without the key can try names against the id of a bill that was purged.
    pub(super) fn operation(
        &self,
        invoice_number: &InvoiceNumber,
        draft: &Draft,
        generation: u32,
    ) -> Result<Option<Operation>, LedgerError> {
        let Draft { kind, terms, body, .. } = draft;
        let parts = [
            &self.settings.request_id_key[..],
            self.settings.environment.as_bytes(),
            self.settings.client_id.as_bytes(),
            terms.channel.name().as_bytes(),
            kind.name().as_bytes(),
            invoice_number.as_str().as_bytes(),
            &generation.to_be_bytes(),
            body,
        ];
        let request_id = RequestId::from_digest(&digest::of_parts(&parts));
        let request = self.request(invoice_number, *kind, terms, request_id, body.clone())?;
        Ok(request.map(|request| Operation {
            invoice_number: invoice_number.clone(),
            kind: *kind,
            channel: terms.channel,
            wire_invoice_number: draft.wire_invoice_number.clone(),
            payment_code: draft.payment_code.clone(),
            intended_at: draft.drafted_at,
            wanted_end: draft.wanted_end,
            request,
        }))
    }

    /// The event that makes the intent of `operation` durable, and the bytes beside it.
    pub(super) fn intent(
        operation: &Operation,
        terms: RecordedTerms,
        customer: Option<(Customer, Salt)>,
        salt: Option<Salt>,
        basis: Basis,
    ) -> NewEvent {
        let body = &operation.request.body;
        let salt = customer.as_ref().map(|(_, salt)| *salt).or(salt);
        let body_digest = salt.map_or_else(|| digest::of_bytes(body), |salt| salt.digest_of_body(body));
        let event = Event::Intended {
            operation: operation.kind,
            terms,
            request_id: operation.request.request_id,
            wire_invoice_number: operation.wire_invoice_number.clone(),
            body_digest: digest::hex(&body_digest),
        };
        let private = Private { body: Some((operation.request.request_id, operation.request.body.to_vec())), customer };
        NewEvent { invoice_number: operation.invoice_number.clone(), at: operation.intended_at, event, basis, private }
    }

    /// What is sent of an operation, an earlier run's as well; none where DOKU documents no call for it. The amount that its bytes ask for
    /// is the recorded one, or nothing of it leaves.
    pub(super) fn request(
        &self,
        invoice_number: &InvoiceNumber,
        kind: OperationKind,
        terms: &RecordedTerms,
        request_id: RequestId,
        body: Vec<u8>,
    ) -> Result<Option<WireRequest>, LedgerError> {
        let (asked, recorded) = (body::amount(&body), terms.amount.get());
        if asked != Some(recorded) {
            return Err(LedgerError::OtherAmount { invoice_number: invoice_number.clone(), asked, recorded });
        }
        let (method, path) = match kind {
            OperationKind::Issue => (HttpMethod::Post, self.settings.paths.issue(terms.channel, terms.method)),
            OperationKind::Amend | OperationKind::Cancel => (HttpMethod::Patch, self.settings.paths.amend(terms.channel, terms.method)),
        };
        Ok(path.map(|path| WireRequest { method, path: path.to_owned(), request_id, body: body.into() }))
    }
}
