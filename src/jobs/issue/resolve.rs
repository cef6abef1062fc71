//! Ending doubts: the same bytes again, then Check Status, then the same wish under a new id where that makes no code.

use super::carry::Draft;
use super::issuing::{Issuing, Next};
use super::operation::{Ended, Operation};
use crate::domain::bill::{Expiry, RecordedTerms, Salt, Terms};
use crate::domain::conclusion::Before;
use crate::domain::doubt::{self, Ending};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, OpenOperation, OperationKind, Status};
use crate::domain::plan::{self, Unchanged};
use crate::domain::row_end::End;
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::ingest;
use crate::jobs::status_query::StatusReply;
use crate::ledger::{Basis, BillHappening, Ledger, LedgerError, LedgerView as _, Names, asked_again};

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Settles the operation an earlier run left open: replay inside the window, then Check Status, then a new id.
    pub(super) async fn resolve(&self, invoice_number: &InvoiceNumber) -> Result<Next, LedgerError> {
        // Read anew: since the plan was made, a notification may have settled it.
        let Some((state, open)) = self.open_operation(invoice_number).await? else { return Ok(Next::PlanAgain(None)) };
        if self.caller.stop.reason().is_some() {
            return Ok(Next::Ended(End::in_doubt("the run was stopped before it could be settled")));
        }
        let may_replay = !self.is_past_replay(&open) && !is_past_its_end(&open, (self.clock)());
        let id = open.request_id;
        let body = move || async move { self.ledger.view().await?.body(invoice_number, id).await };
        let pinned = if may_replay { asked_again(body).await? } else { None };
        if let Some(body) = &pinned {
            self.check_pinned(&state, &open, body).await?;
        }
        let request = pinned.map(|body| self.request(invoice_number, open.operation, &open.terms, open.request_id, body));
        let request = request.transpose()?.flatten();
        let marker = match (state.status, &request) {
            (Status::InDoubt(_), Some(_)) => Some(Event::Repeated),
            (Status::InDoubt(_), None) => None,
            _ => {
                let reason = "the run that sent it ended before its answer was recorded".into();
                Some(Event::Doubted { reason, answered: false, refusal: None })
            }
        };
        if let Some(event) = marker
            && !self.conclude(invoice_number, open.request_id, event).await?
        {
            return Ok(Next::PlanAgain(None));
        }
        let before =
            if matches!(state.status, Status::InDoubt(_)) && !open.lost_an_answer() { Before::Answered } else { Before::Unanswered };
        let ended = match request {
            Some(request) => {
                let payment_code = match open.operation {
                    OperationKind::Issue => open.terms.payment_code.clone(),
                    OperationKind::Amend | OperationKind::Cancel => state.code.as_ref().map(|code| code.answer.payment_code.clone()),
                };
                let wanted_end = wanted_end(&state, &open);
                let operation = Operation {
                    invoice_number: state.invoice_number.clone(),
                    kind: open.operation,
                    channel: open.terms.channel,
                    wire_invoice_number: open.wire_invoice_number.clone(),
                    payment_code,
                    intended_at: open.intended_at,
                    wanted_end,
                    request,
                };
                self.pursue(&operation, before).await?
            }
            None => Ended::InDoubt { reason: "it is too late to send it again".into(), was_asked: false },
        };
        self.after(invoice_number, ended, |end| Next::PlanAgain(Some(end))).await
    }

    /// What is sent again must be what was sent: the bytes stand beside the chain, which has only what stands for them.
    async fn check_pinned(&self, state: &BillState, open: &OpenOperation, body: &[u8]) -> Result<(), LedgerError> {
        let number = &state.invoice_number;
        let history = asked_again(move || async move { self.ledger.view().await?.history(number).await }).await?;
        let intended = history.iter().rev().find_map(|(_, happening)| match happening {
            BillHappening::Event(event) => match event.as_ref() {
                Event::Intended { request_id, body_digest, .. } if *request_id == open.request_id => Some(body_digest),
                _ => None,
            },
            BillHappening::Payment(_) => None,
        });
        if intended.is_some_and(|wanted| Salt::is_of_body(state.salt, wanted, body)) {
            return Ok(());
        }
        let reason = format!("the body of request `{}` of invoice `{number}` is not the one its event names", open.request_id);
        Err(LedgerError::Damaged { path: "the ledger".into(), reason })
    }

    /// Where a row goes when its operation has ended for now; what is still in doubt is asked about.
    pub(super) async fn after(
        &self,
        invoice_number: &InvoiceNumber,
        ended: Ended,
        settled: impl FnOnce(End) -> Next,
    ) -> Result<Next, LedgerError> {
        match ended {
            Ended::InDoubt { reason, was_asked: false } => self.ask_about_doubt(invoice_number, reason).await,
            Ended::InDoubt { was_asked: true, .. } | Ended::CodeOfAnother { .. } => Ok(Next::Ended(ended.into())),
            Ended::DoneOtherwise { .. } => Ok(Next::PlanAgain(Some(ended.into()))),
            Ended::Done { .. } | Ended::Rejected { .. } | Ended::Deferred { .. } => Ok(settled(ended.into())),
        }
    }

    pub(super) async fn open_operation(&self, invoice_number: &InvoiceNumber) -> Result<Option<(BillState, OpenOperation)>, LedgerError> {
        Ok(self.ledger.bill(invoice_number).await?.and_then(|state| state.open.clone().map(|open| (state, *open))))
    }

    fn is_past_replay(&self, open: &OpenOperation) -> bool {
        plan::minutes_between(open.intended_at, (self.clock)()) > self.settings.replay_window_minutes
    }

    /// What replaying could not settle gets one status query, and then, where that makes no code, one attempt under a new id.
    async fn ask_about_doubt(&self, invoice_number: &InvoiceNumber, reason: String) -> Result<Next, LedgerError> {
        let Some((state, open)) = self.open_operation(invoice_number).await? else { return Ok(Next::PlanAgain(None)) };
        if self.is_proved_by_payment(&state).await? {
            return Ok(Next::PlanAgain(Some(End::done(open.operation, true))));
        }
        let issued_as = match open.operation {
            OperationKind::Issue => Some(open.request_id),
            OperationKind::Amend | OperationKind::Cancel => state.code.as_ref().and_then(|code| code.issued_as),
        };
        let channel = open.terms.channel;
        let state = match self.asking().ask(&open.wire_invoice_number, issued_as, channel, || true).await {
            StatusReply::Said(said) => match self.found(&state, &said).await? {
                Some(state) => state,
                None => return Ok(Next::PlanAgain(None)),
            },
            StatusReply::Unanswered(_) | StatusReply::NotAskable | StatusReply::Stopped => state,
        };
        let Some(open) = state.open.clone().filter(|now| now.request_id == open.request_id) else { return Ok(Next::PlanAgain(None)) };
        let Some(ending) = doubt::ending(&state, &self.settings.patience) else {
            return self.send_anew(&state, &open, reason).await;
        };
        let found = open.findings.last().map_or_else(String::new, |finding| finding.word.said());
        let (event, verdict) = match ending {
            Ending::Over(verdict) => {
                let unsettled_since = state.in_doubt_since.filter(|_| verdict == DoubtVerdict::NotDone);
                let answer = answer_by_status(&state, &open);
                let reason = format!("Check Status: {found}; before: {reason}");
                (Event::DoubtEnded { verdict, answer, by: "status".into(), reason, unsettled_since }, Some(verdict))
            }
            Ending::Refused(heard) => (Event::Rejected { code: heard.code, reason: heard.reason, provisional: false }, None),
            Ending::Hold => return Ok(Next::Ended(End::in_doubt(&reason))),
        };
        let is_ours = self.conclude(invoice_number, open.request_id, event).await?;
        let is_done = is_ours && verdict == Some(DoubtVerdict::Done);
        Ok(Next::PlanAgain(is_done.then(|| End::done(open.operation, true))))
    }

    /// Whether a payment that the ledger knows names the code an issue in doubt has made, and that is recorded now. It may have been taken
    /// in when nobody doubted yet, after the run that sent the issue had died.
    async fn is_proved_by_payment(&self, state: &BillState) -> Result<bool, LedgerError> {
        let Some(open) = state.open.as_ref().filter(|open| open.operation == OperationKind::Issue) else { return Ok(false) };
        let names = &Names { numbers: [open.wire_invoice_number.clone()].into(), ..Names::default() };
        let mut payments = asked_again(move || async move { self.ledger.view().await?.payments_about(names).await }).await?;
        payments.retain(|payment| payment.invoice_number == open.wire_invoice_number);
        let Some(proof) = ingest::settlement(state, &payments, (self.clock)()) else { return Ok(false) };
        match self.ledger.record(vec![proof]).await {
            Ok(_) => Ok(true),
            // Settled meanwhile, or its code is another bill's: asking comes next.
            Err(LedgerError::Lost { .. } | LedgerError::CodeTaken { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The wanted change again, under a new id: it makes no code, so nothing is lost if the first was carried out after all. What
    /// is accepted ends the doubt; anything else leaves it.
    async fn send_anew(&self, state: &BillState, open: &OpenOperation, reason: String) -> Result<Next, LedgerError> {
        let still = |reason: &str| Ok(Next::Ended(End::in_doubt(reason)));
        if self.caller.stop.reason().is_some() || !doubt::may_be_sent_anew(state, self.is_past_replay(open)) {
            return still(&reason);
        }
        let Some(draft) = self.draft_anew(state, open).await? else { return still(&reason) };
        let Some(operation) = self.operation(&state.invoice_number, &draft, state.generation)? else { return still(&reason) };
        match self.ledger.record(vec![Self::intent(&operation, draft.terms, None, state.salt, Basis::of(Some(state)))]).await {
            Err(LedgerError::Lost { invoice_number }) => return Ok(Next::overtaken(&invoice_number)),
            recorded => drop(recorded?),
        }
        match self.pursue(&operation, Before::Answered).await? {
            Ended::InDoubt { reason, .. } => still(&reason),
            ended => Ok(Next::PlanAgain(Some(ended.into()))),
        }
    }

    async fn draft_anew(&self, state: &BillState, open: &OpenOperation) -> Result<Option<Draft>, LedgerError> {
        let has_passed = doubt::wanted_end_has_passed(state, open, (self.clock)());
        Ok(match open.operation {
            OperationKind::Cancel => self.cancel_draft(state).await?.ok(),
            OperationKind::Amend if !has_passed => match self.ledger.customer(&state.invoice_number).await? {
                Some(customer) => self.amend_draft(&terms_of(&open.terms, customer), open.terms.clone(), state).ok(),
                None => None,
            },
            OperationKind::Amend | OperationKind::Issue => None,
        })
    }
}

/// The instant the bill was wanted to end has passed: sent again, an issue that never reached DOKU would now make a code payable
/// beyond it.
fn is_past_its_end(open: &OpenOperation, now: jiff::Timestamp) -> bool {
    open.operation == OperationKind::Issue && matches!(open.terms.expiry, Expiry::At(at) if at <= now)
}

fn wanted_end(state: &BillState, open: &OpenOperation) -> Option<jiff::Timestamp> {
    match (open.operation, open.terms.expiry) {
        (OperationKind::Cancel, _) => None,
        (_, Expiry::At(at)) => Some(at),
        (OperationKind::Issue, Expiry::Minutes(minutes)) => {
            open.intended_at.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok()
        }
        (OperationKind::Amend, Expiry::Minutes(_)) => plan::wanted_end(&open.terms, state),
    }
}

/// The terms to send, from what the ledger keeps of them.
fn terms_of(recorded: &RecordedTerms, customer: crate::domain::bill::Customer) -> Terms {
    let RecordedTerms { channel, method, payment_code, amount, expiry, reusable, info, receipt_description, receipt_footer, .. } =
        recorded.clone();
    Terms {
        channel,
        method,
        payment_code,
        amount,
        expiry,
        reusable,
        customer,
        info,
        receipt_description,
        receipt_footer,
        policy: recorded.policy.clone(),
        bill_group: recorded.bill_group.clone(),
        additional: recorded.additional.clone(),
    }
}

/// What a status answer tells of the code: nothing but its expiry, and the code itself only if we made it.
fn answer_by_status(state: &BillState, open: &OpenOperation) -> Option<CodeAnswer> {
    let ours = open.terms.payment_code.clone().or_else(|| state.code.as_ref().map(|code| code.answer.payment_code.clone()))?;
    let expires_at = open.findings.last().and_then(|finding| finding.details.expires_at);
    Some(CodeAnswer { payment_code: ours, created_at: None, expires_at, how_to_pay_page: None, how_to_pay_api: None })
}

/// A row that `sync` settled without a wish of its own.
pub(super) fn without_a_wish(end: Option<End>) -> End {
    end.unwrap_or_else(|| End::unchanged(Unchanged::Live))
}
