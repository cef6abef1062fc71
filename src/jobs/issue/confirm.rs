//! What needs DOKU's word on an order before it may go on: repeated answers, duplicates, refusals nobody signed, codes that are to
//! be given up. And the control that makes "not found" mean something.

use super::issuing::{Issuing, Next};
use super::operation::{Ended, Operation};
use crate::doku::codes;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::check_status::Word;
use crate::domain::conclusion::Before;
use crate::domain::doubt::{self, Confirmation};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, CodeAnswer, Event, OperationKind, Remark, Status};
use crate::domain::owner::{self, Paid};
use crate::domain::plan::{self, Unchanged};
use crate::domain::row_end::End;
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::status_query::{Recorded, Said, StatusQuery, StatusReply};
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _};

/// Codes asked about at most to find one that shows whether Check Status knows unpaid codes of a channel.
const CONTROLS_MAX: usize = 3;
/// Bills looked at most for them, the newest first.
const CONTROLS_SOUGHT_MAX: usize = 100_000;

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    pub(super) const fn asking(&self) -> StatusQuery<'_, L, G, T> {
        StatusQuery { ledger: self.ledger, caller: &self.caller, clock: self.clock, trust: self.settings.trust }
    }

    /// Records what Check Status said of `state`'s order, with its control and the hold that may follow; gives the bill as it is then,
    /// `None` when it is none any more to which this could be said.
    pub(super) async fn found(&self, state: &BillState, said: &Said) -> Result<Option<BillState>, LedgerError> {
        let is_issue = state.status.open_operation() == Some(OperationKind::Issue);
        let channel = state.open.as_ref().map_or(state.terms.channel, |open| open.terms.channel);
        let controlled = is_issue && said.told.word == Word::NotFound && self.has_control(channel).await?;
        let code = match (&state.open, &state.code) {
            (Some(open), _) if is_issue => open.terms.payment_code.as_ref(),
            (_, code) => code.as_ref().map(|code| &code.answer.payment_code),
        };
        let payment = code.and_then(|code| said.payment(channel, code));
        let asking = self.asking();
        let Some(state) = asking.record(state, said, payment, &Recorded { chosen: true, controlled }).await? else { return Ok(None) };
        let holds = doubt::ending(&state, &self.settings.patience) == Some(doubt::Ending::Hold)
            || doubt::is_paid_otherwise(&state, &said.order, said.told.word, &said.told.details);
        match if holds { asking.hold(&state, said).await? } else { None } {
            Some(hold) => Ok(self.ledger.record(vec![hold]).await?.into_iter().last()),
            None => Ok(Some(state)),
        }
    }

    /// Whether an operation that DOKU answered with a repeated success was carried out: the answer may be another operation's.
    pub(super) async fn confirm(
        &self,
        operation: &Operation,
        before: Before,
        answer: CodeAnswer,
        remark: Option<Remark>,
    ) -> Result<Ended, LedgerError> {
        let Some(state) = self.ledger.bill(&operation.invoice_number).await?.filter(|state| state.open.is_some()) else {
            return Ok(Ended::InDoubt { reason: "it was settled meanwhile".into(), was_asked: false });
        };
        let issued_as = match operation.kind {
            OperationKind::Issue => Some(operation.request.request_id),
            OperationKind::Amend | OperationKind::Cancel => state.code.as_ref().and_then(|code| code.issued_as),
        };
        let asked = self.asking().ask(&operation.wire_invoice_number, issued_as, operation.channel, || true).await;
        let (confirmation, said) = match &asked {
            StatusReply::Said(said) => {
                self.found(&state, said).await?;
                (doubt::confirmation(&state, said.told.word, &said.told.details), said.told.word.said())
            }
            StatusReply::Unanswered(reason) => (Confirmation::Unconfirmed, reason.clone()),
            StatusReply::NotAskable => (Confirmation::Unconfirmed, "the order cannot be asked about".into()),
            StatusReply::Stopped => (Confirmation::Unconfirmed, "the run was stopped".into()),
        };
        match confirmation {
            Confirmation::Confirmed => self.accept(operation, answer, true, remark).await,
            Confirmation::AsksFor(amount) => self.adopt(operation, answer, amount, remark).await,
            Confirmation::Unconfirmed => {
                let reason = format!("DOKU repeated an answer that nothing here asked for, and Check Status does not confirm it: {said}");
                // Where an answer was lost before, this one changes nothing about that.
                self.doubt(operation, &reason, before != Before::Unanswered, None).await?;
                Ok(Ended::InDoubt { reason, was_asked: true })
            }
        }
    }

    /// The order exists at another amount than asked for: the code is taken as it is, and the row planned again.
    async fn adopt(&self, operation: &Operation, answer: CodeAnswer, amount: u64, remark: Option<Remark>) -> Result<Ended, LedgerError> {
        let Ok(amount) = Amount::new(amount) else {
            let reason = "DOKU repeated an answer for an order with an amount that cannot be".to_owned();
            self.doubt(operation, &reason, true, None).await?;
            return Ok(Ended::InDoubt { reason, was_asked: true });
        };
        let remark = self.remarks(operation, &answer, remark);
        let event = Event::Accepted { answer, replayed: true, amount: Some(amount), remark };
        self.conclude(&operation.invoice_number, operation.request.request_id, event).await?;
        Ok(Ended::DoneOtherwise { operation: operation.kind })
    }

    /// DOKU calls the order of a first attempt a duplicate: refused if it knows no such order, somebody's otherwise.
    pub(super) async fn ask_whose(&self, operation: &Operation, words: &str) -> Result<Ended, LedgerError> {
        let issued_as = Some(operation.request.request_id);
        let mut said_of_it = "Check Status gave no answer".to_owned();
        if let StatusReply::Said(said) = self.asking().ask(&operation.wire_invoice_number, issued_as, operation.channel, || true).await {
            said_of_it = said.told.word.said();
            if let Some(state) = self.ledger.bill(&operation.invoice_number).await?.filter(|state| state.open.is_some()) {
                let state = self.found(&state, &said).await?;
                let last = state.and_then(|state| state.open?.findings.last().cloned());
                if last.is_some_and(|finding| finding.word == Word::NotFound && finding.details.controlled) {
                    return self.reject(operation, codes::DUPLICATE, words.to_owned(), false).await;
                }
            }
        }
        let reason = format!(
            "{words}: the order exists at DOKU ({said_of_it}); if its code was made elsewhere, adopt it with `tagih ledger import`"
        );
        self.doubt(operation, &reason, true, Some(codes::DUPLICATE.id.to_owned())).await?;
        Ok(Ended::InDoubt { reason, was_asked: true })
    }

    /// Asks whether a refusal that bore no valid signature stands, before the bill gets a new id.
    pub(super) async fn confirm_refusal(&self, invoice_number: &InvoiceNumber) -> Result<Next, LedgerError> {
        let Some(state) = self.ledger.bill(invoice_number).await? else { return Ok(Next::PlanAgain(None)) };
        let Some(refused) = state.refusal.as_ref().and_then(|refusal| refusal.provisional.as_deref().cloned()) else {
            return Ok(Next::PlanAgain(None));
        };
        let issued_as = if refused.operation == OperationKind::Issue {
            Some(refused.request_id)
        } else {
            state.code.as_ref().and_then(|code| code.issued_as)
        };
        let said = match self.asking().ask(&refused.wire_invoice_number, issued_as, refused.terms.channel, || true).await {
            StatusReply::Said(said) => said,
            StatusReply::Unanswered(reason) => {
                let reason = format!("an earlier refusal bore no valid signature, and Check Status gave no answer about it: {reason}");
                return Ok(Next::Ended(End::deferred(&reason)));
            }
            StatusReply::NotAskable => {
                return Ok(Next::Ended(End::deferred("an earlier refusal bore no valid signature, and its order cannot be asked about")));
            }
            StatusReply::Stopped => return Ok(Next::Ended(End::deferred("the run was stopped before its turn"))),
        };
        let (now, patience) = ((self.clock)(), &self.settings.patience);
        let checked = self.asking().entry(&state, &said, None, &Recorded { chosen: true, controlled: false });
        let stands = doubt::refusal_stands(&state, &refused, said.told.word, &said.told.details, now, patience);
        let entries = if stands {
            vec![checked]
        } else {
            let reason = format!("Check Status: {}", said.told.word.said());
            let basis = Basis::of(Some(&state));
            vec![self.entry(invoice_number, Event::Reopened { operation: refused.operation, reason }, basis), checked]
        };
        match self.ledger.record(entries).await {
            Ok(_) => Ok(Next::PlanAgain(None)),
            Err(LedgerError::Lost { invoice_number }) => Ok(Next::overtaken(&invoice_number)),
            Err(error) => Err(error),
        }
    }

    /// Whether Check Status has shown in this run that it knows unpaid codes of `channel`: without that, "not found" says nothing.
    async fn has_control(&self, channel: Channel) -> Result<bool, LedgerError> {
        if self.settings.patience.not_found == doubt::NotFound::Never {
            return Ok(false);
        }
        let mut controls = self.controls.lock().await;
        if let Some(known) = controls.get(&channel) {
            return Ok(*known);
        }
        let mut known = false;
        for state in self.control_candidates(channel).await? {
            let Some(code) = &state.code else { continue };
            let now = (self.clock)();
            let expected = if code.answer.expires_at.is_some_and(|at| at <= now) { Word::Expired } else { Word::Pending };
            match self.asking().ask(&code.wire_invoice_number, code.issued_as, channel, || true).await {
                StatusReply::Said(said) => {
                    self.asking().record(&state, &said, None, &Recorded { chosen: true, controlled: false }).await?;
                    known = said.told.word == expected;
                }
                StatusReply::Unanswered(_) | StatusReply::NotAskable => {}
                StatusReply::Stopped => break,
            }
            if known {
                break;
            }
        }
        controls.insert(channel, known);
        Ok(known)
    }

    /// Unpaid codes of `channel` that DOKU should know: live ones first, the newest before the others.
    async fn control_candidates(&self, channel: Channel) -> Result<Vec<BillState>, LedgerError> {
        let now = (self.clock)();
        let (mut live, mut expired): (Vec<BillState>, Vec<BillState>) = (Vec::new(), Vec::new());
        let mut looked_at = 0_usize;
        let take = |state: BillState| {
            looked_at = looked_at.saturating_add(1);
            let fits =
                state.terms.channel == channel && state.is_known_to_doku() && state.hold.is_none() && owner::told_paid(&state).is_none();
            let has_expired = state.expires_at().is_some_and(|at| at <= now);
            let candidates = if has_expired { &mut expired } else { &mut live };
            if fits && candidates.len() < CONTROLS_MAX {
                candidates.push(state);
            }
            live.len() < CONTROLS_MAX && looked_at < CONTROLS_SOUGHT_MAX
        };
        self.ledger.view().await?.visit_unpaid(take).await?;
        live.extend(expired);
        live.truncate(CONTROLS_MAX);
        Ok(live)
    }

    /// Asks whether an expired code is dead at DOKU too, so that its bill may be issued anew.
    pub(super) async fn confirm_expiry(&self, state: &BillState) -> Result<Next, LedgerError> {
        match self.word_of(state).await? {
            OfItsCode::Told(Word::Expired, state) => self.retire(&state, Word::Expired).await,
            OfItsCode::Told(Word::Success, _) => Ok(Next::Ended(End::unchanged(Unchanged::Paid))),
            OfItsCode::Told(Word::NotFound | Word::Pending | Word::Failed | Word::Other, _) | OfItsCode::Silence => {
                Ok(Next::Ended(End::unchanged(Unchanged::Expired)))
            }
            OfItsCode::Overtaken => Ok(Next::PlanAgain(None)),
        }
    }

    /// Asks whether the code of `holder` is dead at DOKU too, so that another bill may have it. That DOKU says it is paid
    /// counts only beside a payment that is known, from a notification or as DOKU told of it: without one, nothing would keep the holder
    /// from being issued anew.
    pub(super) async fn release(&self, holder: &InvoiceNumber, is_paid: bool) -> Result<Next, LedgerError> {
        let Some(state) = self.ledger.bill(holder).await?.filter(|state| state.status == Status::Active) else {
            return Ok(Next::PlanAgain(None));
        };
        match self.word_of(&state).await? {
            OfItsCode::Told(Word::Expired, state) => self.retire(&state, Word::Expired).await,
            OfItsCode::Told(Word::Success, state) if is_paid || owner::told_paid(&state) == Some(Paid::ByItsCode) => {
                self.retire(&state, Word::Success).await
            }
            OfItsCode::Overtaken => Ok(Next::PlanAgain(None)),
            OfItsCode::Silence if self.caller.stop.reason().is_some() => {
                Ok(Next::Ended(End::deferred("the run was stopped before its turn")))
            }
            OfItsCode::Told(..) | OfItsCode::Silence => Ok(Next::Ended(End::live_elsewhere(holder))),
        }
    }

    /// Takes the code of `holder` from it, of which DOKU was never told, so that another bill may have it, or `holder` another code.
    pub(super) async fn take_over(&self, holder: &InvoiceNumber, is_paid: bool) -> Result<Next, LedgerError> {
        let is_ours = |state: &BillState| state.status == Status::Active && !state.is_known_to_doku();
        // Its own row may have put its end off since this was planned.
        let is_free = |state: &BillState| plan::has_given_up(state, is_paid, (self.clock)(), &self.settings.rules);
        if let Some(state) = self.ledger.bill(holder).await?.filter(|state| is_ours(state) && is_free(state)) {
            return self.append_retired(&state, "it has expired or is paid, and the code is given up").await;
        }
        Ok(Next::PlanAgain(None))
    }

    /// DOKU's own word for the order of the code that `state` holds, recorded.
    async fn word_of(&self, state: &BillState) -> Result<OfItsCode, LedgerError> {
        let Some(code) = &state.code else { return Ok(OfItsCode::Silence) };
        let said = match self.asking().ask(&code.wire_invoice_number, code.issued_as, state.terms.channel, || true).await {
            StatusReply::Said(said) => said,
            StatusReply::Unanswered(_) | StatusReply::NotAskable | StatusReply::Stopped => return Ok(OfItsCode::Silence),
        };
        // Meanwhile another row that waits for the code, or another run, may have heard the same, and the bill may be at its next order.
        let still = self.found(state, &said).await?.filter(|state| state.status == Status::Active && state.is_at(&said.order));
        Ok(still.map_or(OfItsCode::Overtaken, |state| OfItsCode::Told(said.told.word, Box::new(state))))
    }

    async fn retire(&self, state: &BillState, word: Word) -> Result<Next, LedgerError> {
        self.append_retired(state, &format!("Check Status: {}", word.said())).await
    }

    async fn append_retired(&self, holder: &BillState, reason: &str) -> Result<Next, LedgerError> {
        let event = Event::Retired { reason: reason.into() };
        match self.ledger.record(vec![self.entry(&holder.invoice_number, event, Basis::of(Some(holder)))]).await {
            // Its own row and the one that waits for its code may both have asked.
            Ok(_) | Err(LedgerError::Lost { .. }) => Ok(Next::PlanAgain(None)),
            Err(error) => Err(error),
        }
    }
}

/// What DOKU says of the order of the code that a bill holds.
enum OfItsCode {
    /// Its word, and the bill with that.
    Told(Word, Box<BillState>),
    /// The bill holds that order's code no more.
    Overtaken,
    /// Nothing that can be used.
    Silence,
}
