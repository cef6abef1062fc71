//! Turning one step into one operation: the body is built, pinned and recorded with its intent, then pursued.

use super::operation::{Ended, Operation};
use super::{Issuing, Next};
use crate::doku::answer::SignaturePolicy;
use crate::doku::body;
use crate::doku::paths::Paths;
use crate::doku::status::{self, StatusFinding};
use crate::doku::wire::{Method, WireRequest};
use crate::domain::bill::{Bill, RecordedTerms, Terms, Wanted};
use crate::domain::doubt::{self, OrderSeen, Patience};
use crate::domain::end::End;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, CodeAnswer, Event, OpenOperation, OperationKind, Status, Verdict};
use crate::domain::plan::{self, AmendBase, Rules, Step, Unchanged};
use crate::domain::{codes, digest};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::stop::StopReason;
use crate::ledger::{Entry, Ledger, LedgerError, Private};

/// What the configuration says about issuing.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sandbox` or `production`; part of every request id.
    pub environment: String,
    /// Our `Client-Id`; part of every request id.
    pub client_id: String,
    /// Where the calls go.
    pub paths: Paths,
    /// How strictly answers must be signed.
    pub verify_response: SignaturePolicy,
    /// How rows become steps.
    pub rules: Rules,
    /// From when DOKU counts an amendment's minutes.
    pub amend_base: AmendBase,
    /// Stands in a cancellation for a customer whose name is not kept.
    pub cancel_name: Option<String>,
    /// Minutes after its intent in which an operation in doubt is replayed; later only Check Status is asked.
    pub replay_window_minutes: i64,
    /// How long a negative finding must last to count.
    pub patience: Patience,
    /// Operations under way at once at most.
    pub in_flight_max: usize,
}

/// A body that is about to be pinned.
struct Draft {
    kind: OperationKind,
    terms: RecordedTerms,
    wire_invoice_number: InvoiceNumber,
    payment_code: Option<PaymentCode>,
    body: Vec<u8>,
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Starts the operation of an issue, amend or cancel step and pursues it.
    pub(super) async fn start(&self, bill: &Bill, step: &Step, state: Option<BillState>) -> Result<Next, LedgerError> {
        if self.caller.stop.reason().is_some() {
            return Ok(Next::Ended(End::deferred("the run was stopped before its turn")));
        }
        let draft = match self.draft(bill, step, state.as_ref())? {
            Ok(draft) => draft,
            Err(end) => return Ok(Next::Ended(end)),
        };
        let generation = state.as_ref().map_or(0, |state| state.generation);
        let customer = match &bill.wanted {
            Wanted::Live(terms) => Some(terms.customer.clone()),
            Wanted::Cancelled => None,
        };
        let operation = self.operation(
            &bill.invoice_number,
            draft.kind,
            &draft.terms,
            draft.wire_invoice_number,
            draft.payment_code,
            generation,
            draft.body,
        );
        let Some(operation) = operation else {
            let reason = format!("DOKU documents no such call for method `{}` at {}", draft.terms.method, draft.terms.channel);
            return Ok(Next::Ended(End::refused(codes::CANNOT_AMEND, "method", &reason)));
        };
        let event = Event::Intended {
            operation: operation.kind,
            terms: draft.terms,
            request_id: operation.request.request_id,
            wire_invoice_number: operation.wire_invoice_number.clone(),
            body_digest: digest::hex(&digest::of_bytes(&operation.request.body)),
        };
        let private = Private { body: Some((operation.request.request_id, operation.request.body.to_vec())), customer };
        match self.ledger.record(vec![Entry { invoice_number: bill.invoice_number.clone(), at: (self.clock)(), event, private }]).await {
            // Two rows of this run were both to have a code that had just come free. Nothing of this one has left.
            Err(LedgerError::CodeTaken { other, .. }) => return Ok(Next::PlanAgain(Some(End::live_elsewhere(&other)))),
            recorded => drop(recorded?),
        }
        match self.pursue(&operation, None).await? {
            Ended::InDoubt { reason } => self.ask_status(&bill.invoice_number, reason).await,
            ended @ (Ended::Done { .. } | Ended::Expired | Ended::Rejected { .. } | Ended::Deferred { .. }) => Ok(ended.into()),
        }
    }

    /// The body for a step; the inner error is a row that cannot have one.
    fn draft(&self, bill: &Bill, step: &Step, state: Option<&BillState>) -> Result<Result<Draft, End>, LedgerError> {
        let now = (self.clock)();
        match (step, &bill.wanted, state) {
            (Step::Issue { wire_invoice_number }, Wanted::Live(terms), _) => Ok(match plan::issue_minutes(terms.expiry, now) {
                Some(minutes) => Ok(Draft {
                    kind: OperationKind::Issue,
                    terms: terms.recorded(self.ledger.salt()),
                    wire_invoice_number: wire_invoice_number.clone(),
                    payment_code: terms.payment_code.clone(),
                    body: body::issue(wire_invoice_number, terms, minutes),
                }),
                None => Err(End::refused(codes::EXPIRY_PASSED, "expires_at", "less than a minute remains")),
            }),
            (Step::Amend, Wanted::Live(terms), Some(state)) => Ok(self.amend_draft(terms, state)),
            (Step::Cancel, Wanted::Cancelled, Some(state)) => self.cancel_draft(state),
            _ => Ok(Err(End::deferred("the plan changed under way"))),
        }
    }

    fn amend_draft(&self, terms: &Terms, state: &BillState) -> Result<Draft, End> {
        let Some(code) = &state.code else { return Err(End::deferred("the live code is not known")) };
        let recorded = terms.recorded(self.ledger.salt());
        let minutes = plan::amend_minutes(&recorded, state, self.settings.amend_base, (self.clock)());
        let payment_code = &code.answer.payment_code;
        Ok(Draft {
            kind: OperationKind::Amend,
            wire_invoice_number: code.wire_invoice_number.clone(),
            payment_code: Some(payment_code.clone()),
            body: body::amend(&code.wire_invoice_number, payment_code, terms, minutes),
            terms: recorded,
        })
    }

    fn cancel_draft(&self, state: &BillState) -> Result<Result<Draft, End>, LedgerError> {
        let Some(code) = &state.code else { return Ok(Err(End::deferred("the live code is not known"))) };
        let kept = self.ledger.customer(&state.invoice_number)?;
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
            body: body::cancel(&code.wire_invoice_number, payment_code, state.terms.amount, state.terms.reusable, name),
        }))
    }

    /// The operation of these parts, if DOKU documents a call for it. Its id follows from them alone, so equal work has an equal
    /// id, also with the ledger lost.
    #[allow(clippy::too_many_arguments, reason = "an operation is made of exactly these")]
    fn operation(
        &self,
        invoice_number: &InvoiceNumber,
        kind: OperationKind,
        terms: &RecordedTerms,
        wire_invoice_number: InvoiceNumber,
        payment_code: Option<PaymentCode>,
        generation: u32,
        body: Vec<u8>,
    ) -> Option<Operation> {
        let parts = [
            self.settings.environment.as_bytes(),
            self.settings.client_id.as_bytes(),
            terms.channel.name().as_bytes(),
            kind.name().as_bytes(),
            invoice_number.as_str().as_bytes(),
            &generation.to_be_bytes(),
            &body,
        ];
        let request_id = RequestId::from_digest(&digest::of_parts(&parts));
        let request = self.request(kind, terms, request_id, body)?;
        let invoice_number = invoice_number.clone();
        Some(Operation { invoice_number, kind, channel: terms.channel, wire_invoice_number, payment_code, request })
    }

    fn request(&self, kind: OperationKind, terms: &RecordedTerms, request_id: RequestId, body: Vec<u8>) -> Option<WireRequest> {
        let (method, path) = match kind {
            OperationKind::Issue => (Method::Post, self.settings.paths.issue(terms.channel, terms.method)),
            OperationKind::Amend | OperationKind::Cancel => (Method::Patch, self.settings.paths.amend(terms.channel, terms.method)),
        };
        Some(WireRequest { method, path: path?.to_owned(), request_id, body: body.into() })
    }

    /// Settles the operation an earlier run left open: replay inside the window, then Check Status.
    pub(super) async fn resolve(&self, invoice_number: &InvoiceNumber) -> Result<Next, LedgerError> {
        // Read anew: since the plan was made, a notification may have settled it.
        let Some((state, open)) = self.open_operation(invoice_number)? else { return Ok(Next::PlanAgain(None)) };
        if self.caller.stop.reason().is_some() {
            return Ok(Next::Ended(Ended::InDoubt { reason: "the run was stopped before it could be settled".into() }.into()));
        }
        let age_minutes = plan::minutes_between(open.intended_at, (self.clock)());
        let pinned = self.ledger.body(invoice_number, open.request_id)?.filter(|_| age_minutes <= self.settings.replay_window_minutes);
        let doubt = match (state.in_doubt_since, &pinned) {
            (None, _) => Some("the run that sent it ended before its answer was recorded"),
            (Some(_), Some(_)) => Some("it is sent again"),
            (Some(_), None) => None,
        };
        if let Some(reason) = doubt {
            let event = Event::Doubted { reason: reason.into(), answered: false, refusal: None };
            if !self.conclude(invoice_number, open.request_id, event).await? {
                return Ok(Next::PlanAgain(None));
            }
        }
        let request = pinned.and_then(|body| self.request(open.operation, &open.terms, open.request_id, body));
        let ended = match request {
            Some(request) => {
                let payment_code = match open.operation {
                    OperationKind::Issue => open.terms.payment_code.clone(),
                    OperationKind::Amend | OperationKind::Cancel => state.code.as_ref().map(|code| code.answer.payment_code.clone()),
                };
                let operation = Operation {
                    invoice_number: state.invoice_number.clone(),
                    kind: open.operation,
                    channel: open.terms.channel,
                    wire_invoice_number: open.wire_invoice_number.clone(),
                    payment_code,
                    request,
                };
                self.pursue(&operation, Some("left open by an earlier run".into())).await?
            }
            None => Ended::InDoubt { reason: "too old to be replayed".into() },
        };
        match ended {
            Ended::InDoubt { reason } => self.ask_status(invoice_number, reason).await,
            settled @ (Ended::Done { .. } | Ended::Expired | Ended::Rejected { .. } | Ended::Deferred { .. }) => {
                Ok(Next::PlanAgain(Some(settled.into())))
            }
        }
    }

    fn open_operation(&self, invoice_number: &InvoiceNumber) -> Result<Option<(BillState, OpenOperation)>, LedgerError> {
        Ok(self.ledger.bill(invoice_number)?.and_then(|state| state.open.clone().map(|open| (state, open))))
    }

    /// What replaying could not settle gets one status query.
    async fn ask_status(&self, invoice_number: &InvoiceNumber, reason: String) -> Result<Next, LedgerError> {
        let still = |reason: String| Ok(Next::Ended(Ended::InDoubt { reason }.into()));
        let Some((state, open)) = self.open_operation(invoice_number)? else { return Ok(Next::PlanAgain(None)) };
        let issued_as = match open.operation {
            OperationKind::Issue => Some(open.request_id),
            OperationKind::Amend | OperationKind::Cancel => state.code.as_ref().and_then(|code| code.issued_as),
        };
        let Some(seen) = self.status_of(&open.wire_invoice_number, issued_as).await else { return still(reason) };
        let age_minutes = plan::minutes_between(open.doubted_at.unwrap_or(open.intended_at), (self.clock)());
        let Some(verdict) = doubt::verdict(open.operation, &state.terms, &open.terms, seen, age_minutes, self.settings.patience) else {
            return still(reason);
        };
        let answer = answer_by_status(&state, &open, seen);
        let found = format!("Check Status: {seen}; before: {reason}");
        let event = Event::Settled { verdict, answer, by: "status".into(), reason: found };
        let is_ours = self.conclude(invoice_number, open.request_id, event).await?;
        let end = (is_ours && verdict == Verdict::Done).then(|| Ended::Done { operation: open.operation, replayed: true }.into());
        Ok(Next::PlanAgain(end))
    }

    /// Asks DOKU where an order stands, by its number or by the id of the request that made it; `None` when that told
    /// nothing, or neither can be asked by.
    async fn status_of(&self, wire_invoice_number: &InvoiceNumber, issued_as: Option<RequestId>) -> Option<OrderSeen> {
        let fits = status::fits_a_path(wire_invoice_number.as_str());
        let id = if fits { wire_invoice_number.to_string() } else { issued_as?.to_string() };
        let now = (self.clock)().as_nanosecond().to_be_bytes();
        let request_id = RequestId::from_digest(&digest::of_parts(&[b"status", id.as_bytes(), &now]));
        let request = WireRequest { method: Method::Get, path: status::path(&id), request_id, body: bytes::Bytes::new() };
        for attempt in 0..self.caller.retry.attempts_max.max(1) {
            let delivery = self.caller.attempt(attempt, &request).await?;
            match status::finding(&delivery) {
                StatusFinding::Seen(seen) => return Some(seen),
                StatusFinding::NoAnswer(_) => {}
                StatusFinding::Refused(reason) => {
                    self.caller.stop.ask(StopReason::Credentials(reason));
                    return None;
                }
            }
        }
        None
    }

    /// Asks whether an expired code is dead at DOKU too, so that its bill may be issued anew.
    pub(super) async fn confirm_expiry(&self, state: &BillState) -> Result<Next, LedgerError> {
        match self.order_of(state).await {
            Some(OrderSeen::Expired) => self.retire(state, OrderSeen::Expired).await,
            Some(OrderSeen::Paid { .. }) => Ok(Next::Ended(End::unchanged(Unchanged::Paid))),
            Some(OrderSeen::NotFound | OrderSeen::Pending { .. } | OrderSeen::Other) | None => {
                Ok(Next::Ended(End::unchanged(Unchanged::Expired)))
            }
        }
    }

    /// Asks whether the code of `holder` is dead at DOKU too, so that another bill may have it. That DOKU says it is paid
    /// counts only beside a verified payment: without one, nothing would keep the holder from being issued anew.
    pub(super) async fn release(&self, holder: &InvoiceNumber, is_paid: bool) -> Result<Next, LedgerError> {
        let Some(state) = self.ledger.bill(holder)?.filter(|state| state.status == Status::Active) else {
            return Ok(Next::PlanAgain(None));
        };
        match self.order_of(&state).await {
            Some(seen @ OrderSeen::Expired) => self.retire(&state, seen).await,
            Some(seen @ OrderSeen::Paid { .. }) if is_paid => self.retire(&state, seen).await,
            None if self.caller.stop.reason().is_some() => Ok(Next::Ended(End::deferred("the run was stopped before its turn"))),
            Some(_) | None => Ok(Next::Ended(End::live_elsewhere(holder))),
        }
    }

    /// Takes the code of `holder` from it, of which DOKU was never told, so that another bill may have it.
    pub(super) async fn take_over(&self, holder: &InvoiceNumber, is_paid: bool) -> Result<Next, LedgerError> {
        let is_ours = |state: &BillState| state.status == Status::Active && !state.is_known_to_doku();
        // Its own row may have put its end off since this was planned.
        let is_free = |state: &BillState| plan::has_given_up(state, is_paid, (self.clock)(), &self.settings.rules);
        if self.ledger.bill(holder)?.is_some_and(|state| is_ours(&state) && is_free(&state)) {
            self.append_retired(holder, "it has expired or is paid, and another invoice is to have the code").await?;
        }
        Ok(Next::PlanAgain(None))
    }

    async fn order_of(&self, state: &BillState) -> Option<OrderSeen> {
        let code = state.code.as_ref()?;
        self.status_of(&code.wire_invoice_number, code.issued_as).await
    }

    async fn retire(&self, state: &BillState, seen: OrderSeen) -> Result<Next, LedgerError> {
        self.append_retired(&state.invoice_number, &format!("Check Status: {seen}")).await.map(|()| Next::PlanAgain(None))
    }

    async fn append_retired(&self, holder: &InvoiceNumber, reason: &str) -> Result<(), LedgerError> {
        match self.append(holder, Event::Retired { reason: reason.into() }).await {
            // Its own row and the one that waits for its code may both have asked.
            Ok(()) | Err(LedgerError::Illegal(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What a status answer tells of the code: nothing but its expiry, and the code itself only if we made it.
fn answer_by_status(state: &BillState, open: &OpenOperation, seen: OrderSeen) -> Option<CodeAnswer> {
    let ours = open.terms.payment_code.clone().or_else(|| state.code.as_ref().map(|code| code.answer.payment_code.clone()))?;
    let expires_at = match seen {
        OrderSeen::Pending { expires_at, .. } => expires_at,
        OrderSeen::NotFound | OrderSeen::Paid { .. } | OrderSeen::Expired | OrderSeen::Other => None,
    };
    Some(CodeAnswer { payment_code: ours, created_at: None, expires_at, how_to_pay_page: None, how_to_pay_api: None })
}
