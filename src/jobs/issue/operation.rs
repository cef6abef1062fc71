//! One operation from its durable intent to a named state: attempts, replays, and what is recorded after each.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::issuing::Issuing;
use crate::doku::answer::{Expected, JudgedAnswer, SignaturePolicy, judge};
use crate::doku::wire::{Delivery, WireRequest};
use crate::doku::{body, codes};
use crate::domain::channel::Channel;
use crate::domain::code::StableCode;
use crate::domain::conclusion::{AnswerSays, Before, Conclusion, Whose, conclude};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{CodeAnswer, Event, OperationKind, Remark, Status};
use crate::domain::row_end::End;
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::jobs::watch::LastWord;
use crate::ledger::{Basis, Ledger, LedgerError, NewEvent, Private};

/// How far before our intent DOKU may have made a code that a repeated answer calls ours: clocks differ.
const MADE_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// By how much the expiry DOKU gives may differ from the one asked for without a word.
const EXPIRY_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// An operation whose intent is durable: every attempt sends these bytes under this id (I4).
pub(super) struct Operation {
    pub(super) invoice_number: InvoiceNumber,
    pub(super) kind: OperationKind,
    pub(super) channel: Channel,
    pub(super) wire_invoice_number: InvoiceNumber,
    /// The code the answer must name, unless DOKU is to make it.
    pub(super) payment_code: Option<PaymentCode>,
    /// When its intent was recorded (UTC).
    pub(super) intended_at: Timestamp,
    /// When what it asks for is to end (UTC), counted from `intended_at`.
    pub(super) wanted_end: Option<Timestamp>,
    pub(super) request: WireRequest,
}

/// How an operation ended in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Carried out.
    Done { operation: OperationKind, replayed: bool },
    /// Carried out, at an amount that was not asked for: the row is to be planned again.
    DoneOtherwise { operation: OperationKind },
    /// Definitely refused by DOKU.
    Rejected { code: String, reason: String },
    /// DOKU gave a code that another bill holds. It stays in doubt, and a person must look.
    CodeOfAnother { reason: String },
    /// Nothing was carried out; the same command sends it.
    Deferred { reason: String },
    /// Still not known; `was_asked` when Check Status has been asked meanwhile.
    InDoubt { reason: String, was_asked: bool },
}

impl Ended {
    /// The same end, which an earlier attempt may have brought about.
    fn replayed(self, replayed: bool) -> Self {
        match self {
            Self::Done { operation, replayed: repeated } => Self::Done { operation, replayed: repeated || replayed },
            other => other,
        }
    }
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done { operation, replayed } => Self::done(operation, replayed),
            Ended::DoneOtherwise { operation } => Self::done(operation, true),
            Ended::Rejected { code, reason } => Self::rejected(&code, &reason),
            Ended::CodeOfAnother { reason } => Self::rejected(codes::CODE_OF_ANOTHER.id, &reason),
            Ended::Deferred { reason } => Self::deferred(&reason),
            Ended::InDoubt { reason, .. } => Self::in_doubt(&reason),
        }
    }
}

/// What the attempts of one run have come to so far.
struct Course {
    /// What may have reached DOKU under this id.
    before: Before,
    /// DOKU's refusal of a repetition, if it is not recorded yet.
    heard: Option<StableCode>,
    /// Why it has not ended.
    last: String,
    /// What DOKU itself said last, if the last attempt had an answer of its own.
    word: Option<LastWord>,
    /// Whether somebody who is not DOKU asked to send it again later: it may have passed it on.
    stranger_throttles: bool,
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Sends `operation` until it has a definite outcome or the attempts are used up. `before` says what may have reached DOKU
    /// under its id already; once something may have, only an acceptance ends it here.
    pub(super) async fn pursue(&self, operation: &Operation, before: Before) -> Result<Ended, LedgerError> {
        let last = "the run was stopped before its turn".to_owned();
        let mut course = Course { before, heard: None, last, word: None, stranger_throttles: false };
        let mut was_sent = false;
        let mut ended = None;
        for attempt in 0..self.caller.retry.attempts_max.max(1) {
            if self.caller.watch.is_closed(operation.channel) {
                "DOKU refused the channel".clone_into(&mut course.last);
                break;
            }
            let Some(delivery) = self.caller.attempt(attempt, &operation.request).await else { break };
            was_sent = true;
            let next = self.after_attempt(operation, &mut course, attempt, delivery).await?;
            if next.is_some() {
                ended = next;
                break;
            }
            if course.is_over() {
                break;
            }
        }
        if was_sent && let Some(reason) = self.caller.watch.ended(operation.channel, course.word.as_ref()) {
            self.caller.stop.ask(reason);
        }
        let ended = match ended {
            Some(ended) => ended,
            None => self.unfinished(operation, course).await?,
        };
        told(operation, &ended);
        Ok(ended)
    }

    /// What one attempt comes to; `None` when it ended nothing.
    async fn after_attempt(
        &self,
        operation: &Operation,
        course: &mut Course,
        attempt: u32,
        delivery: Delivery,
    ) -> Result<Option<Ended>, LedgerError> {
        let judged = match delivery {
            Delivery::NotSent(reason) => {
                heard(operation, attempt, (0, "not_sent"), &reason);
                (course.last, course.word) = (reason, None);
                return Ok(None);
            }
            Delivery::Unknown(words) => {
                JudgedAnswer { status: 0, whose: Whose::Foreign, says: AnswerSays::Unclear, answer: None, words, remark: None }
            }
            Delivery::Answered(answer) => judge(&answer, &self.expected(operation)),
        };
        // What DOKU repeats of the customer must not reach events and reports.
        let words = body::masked(&operation.request.body, &judged.words);
        let is_own = judged.whose != Whose::Foreign && judged.says != AnswerSays::Unclear;
        course.word = is_own.then(|| LastWord { says: judged.says, words: words.clone() });
        course.last.clone_from(&words);
        let conclusion = match conclude(judged.whose, judged.says, course.before) {
            Conclusion::Accepted { .. } if is_older(operation, &judged) => Conclusion::Confirm,
            conclusion => conclusion,
        };
        heard(operation, attempt, (judged.status, conclusion.name()), &words);
        match (conclusion, judged.answer) {
            (Conclusion::Accepted { replayed }, Some(answer)) => {
                self.note_signature(judged.whose);
                let is_repeated = judged.says == AnswerSays::Repeated;
                let ended = self.accept(operation, answer, is_repeated, judged.remark).await?;
                Ok(Some(ended.replayed(replayed)))
            }
            (Conclusion::Confirm, Some(answer)) => self.confirm(operation, course.before, answer, judged.remark).await.map(Some),
            // A success without its code is none.
            (Conclusion::Accepted { .. } | Conclusion::Confirm, None) | (Conclusion::InDoubt { answered: false }, _) => {
                self.lose(operation, course, &words).await?;
                Ok(None)
            }
            (Conclusion::InDoubt { answered: true }, _) => {
                course.heard = Some(codes::of(judged.says, judged.status));
                Ok(None)
            }
            (Conclusion::AskWhose, _) => self.ask_whose(operation, &words).await.map(Some),
            (Conclusion::Rejected { provisional }, _) => {
                self.reject(operation, codes::of(judged.says, judged.status), words, provisional).await.map(Some)
            }
            (Conclusion::PathRefused, _) => {
                self.conclude(&operation.invoice_number, operation.request.request_id, Event::NotSent { reason: words.clone() }).await?;
                Ok(Some(Ended::Rejected { code: codes::NOT_FOUND.id.into(), reason: words }))
            }
            (Conclusion::SendAgain { own }, _) => {
                course.stranger_throttles |= !own;
                Ok(None)
            }
            // No further attempt in this run.
            (Conclusion::CredentialsRefused | Conclusion::ChannelRefused, _) => Ok(None),
        }
    }

    fn expected<'o>(&self, operation: &'o Operation) -> Expected<'o> {
        Expected {
            wire_invoice_number: &operation.wire_invoice_number,
            payment_code: operation.payment_code.as_ref(),
            trust: self.settings.trust,
        }
    }

    /// The attempts are used up, or none may follow.
    async fn unfinished(&self, operation: &Operation, mut course: Course) -> Result<Ended, LedgerError> {
        let reason = course.last.clone();
        if course.before == Before::Nothing && course.stranger_throttles {
            self.lose(operation, &mut course, &reason).await?;
        }
        if course.before == Before::Nothing {
            self.conclude(&operation.invoice_number, operation.request.request_id, Event::NotSent { reason: reason.clone() }).await?;
            return Ok(Ended::Deferred { reason });
        }
        // Where no answer was ever lost, that none was lost this time either is worth knowing too.
        if course.heard.is_some() || course.before == Before::Answered {
            let refusal = course.heard.map(|code| code.id.to_owned());
            self.doubt(operation, &reason, true, refusal).await?;
        }
        Ok(Ended::InDoubt { reason, was_asked: false })
    }

    /// An attempt ended without DOKU's own answer; recorded the first time.
    async fn lose(&self, operation: &Operation, course: &mut Course, reason: &str) -> Result<(), LedgerError> {
        if course.before != Before::Unanswered {
            self.doubt(operation, reason, false, None).await?;
        }
        course.before = Before::Unanswered;
        Ok(())
    }

    /// Records that the operation may have been carried out.
    pub(super) async fn doubt(
        &self,
        operation: &Operation,
        reason: &str,
        answered: bool,
        refusal: Option<String>,
    ) -> Result<(), LedgerError> {
        let event = Event::Doubted { reason: reason.to_owned(), answered, refusal };
        self.conclude(&operation.invoice_number, operation.request.request_id, event).await.map(drop)
    }

    pub(super) async fn reject(
        &self,
        operation: &Operation,
        code: StableCode,
        reason: String,
        provisional: bool,
    ) -> Result<Ended, LedgerError> {
        let event = Event::Rejected { code: code.id.into(), reason: reason.clone(), provisional };
        self.conclude(&operation.invoice_number, operation.request.request_id, event).await?;
        Ok(Ended::Rejected { code: code.id.into(), reason })
    }

    /// Records an acceptance. A code just made is made, whatever its expiry says; what is odd about it is for a person.
    pub(super) async fn accept(
        &self,
        operation: &Operation,
        answer: CodeAnswer,
        is_repeated: bool,
        remark: Option<Remark>,
    ) -> Result<Ended, LedgerError> {
        let remark = self.remarks(operation, &answer, remark);
        let payment_code = answer.payment_code.clone();
        let event = Event::Accepted { answer, replayed: is_repeated, amount: None, remark };
        match self.conclude(&operation.invoice_number, operation.request.request_id, event).await {
            Ok(_) => Ok(Ended::Done { operation: operation.kind, replayed: is_repeated }),
            Err(LedgerError::CodeTaken { invoice_number, other }) => {
                let reason = format!("DOKU gave invoice `{invoice_number}` payment code `{payment_code}`, which invoice `{other}` holds");
                let refusal = Some(codes::CODE_OF_ANOTHER.id.to_owned());
                self.doubt(operation, &reason, true, refusal).await?;
                Ok(Ended::CodeOfAnother { reason })
            }
            Err(error) => Err(error),
        }
    }

    /// All that is odd about an answer: in itself, and held against what was asked for.
    pub(super) fn remarks(&self, operation: &Operation, answer: &CodeAnswer, remark: Option<Remark>) -> Option<Remark> {
        Remark::joined(remark.into_iter().chain(expiry_remark(operation, answer, (self.clock)())))
    }

    pub(super) fn entry(&self, invoice_number: &InvoiceNumber, event: Event, basis: Basis) -> NewEvent {
        NewEvent { invoice_number: invoice_number.clone(), at: (self.clock)(), event, basis, private: Private::default() }
    }

    /// Under `warn`, a success counts without a valid signature; the run says at its end how many did.
    fn note_signature(&self, whose: Whose) {
        if whose == Whose::Unsigned && self.settings.trust.policy == SignaturePolicy::Warn {
            self.badly_signed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records how the operation `request_id` ended; `false` when a notification that was ingested meanwhile has ended it.
    pub(super) async fn conclude(&self, invoice_number: &InvoiceNumber, request_id: RequestId, event: Event) -> Result<bool, LedgerError> {
        let mut before: Option<NewEvent> = None;
        loop {
            let own = self.entry(invoice_number, event.clone(), Basis::Operation(request_id));
            match self.ledger.record(before.take().into_iter().chain([own]).collect()).await {
                Ok(_) => return Ok(true),
                Err(LedgerError::Lost { invoice_number: lost }) if lost == *invoice_number => return Ok(false),
                // The holder of the code has moved on: whether it holds it still, the next turn finds out.
                Err(LedgerError::Lost { .. }) => {}
                Err(LedgerError::CodeTaken { invoice_number, other }) => match self.retirement(&other, &invoice_number).await? {
                    None => return Err(LedgerError::CodeTaken { invoice_number, other }),
                    retired => before = retired,
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// The end of `holder`'s code, which has expired and which DOKU now gives to `taker`.
    async fn retirement(&self, holder: &InvoiceNumber, taker: &InvoiceNumber) -> Result<Option<NewEvent>, LedgerError> {
        let state = self.ledger.bill(holder).await?.filter(|state| state.status == Status::Active);
        let basis = Basis::of(state.as_ref());
        let expires_at = state.and_then(|state| state.code?.answer.expires_at);
        let has_expired = expires_at.is_some_and(|expires_at| expires_at <= (self.clock)());
        let reason = format!("it has expired, and DOKU gave it to invoice `{taker}`");
        Ok(has_expired.then(|| self.entry(holder, Event::Retired { reason }, basis)))
    }
}

/// What an attempt came to, for the log: the status of HTTP, 0 without an answer, and what follows.
fn heard(operation: &Operation, attempt: u32, (status, decision): (u16, &str), reason: &str) {
    tracing::info!(
        invoice = operation.invoice_number.as_str(),
        operation = operation.kind.name(),
        request_id = %operation.request.request_id,
        attempt = attempt.saturating_add(1),
        status,
        decision,
        reason,
        "an attempt was made"
    );
}

/// How an operation ended, for the log.
fn told(operation: &Operation, ended: &Ended) {
    let End { bucket, code, reason, .. } = End::from(ended.clone());
    tracing::info!(
        invoice = operation.invoice_number.as_str(),
        operation = operation.kind.name(),
        request_id = %operation.request.request_id,
        decision = bucket.name(),
        code,
        reason,
        "an operation has ended"
    );
}

impl Course {
    /// Whether another attempt would hear the same, or may not be made.
    fn is_over(&self) -> bool {
        self.word.as_ref().is_some_and(|word| word.says != AnswerSays::Throttled)
    }
}

/// Whether a repeated issue names a code that was made before we can have asked for it.
fn is_older(operation: &Operation, judged: &JudgedAnswer) -> bool {
    let created_at = judged.answer.as_ref().and_then(|answer| answer.created_at);
    operation.kind == OperationKind::Issue
        && judged.says == AnswerSays::Repeated
        && created_at.is_some_and(|created_at| operation.intended_at.duration_since(created_at) > MADE_BEFORE)
}

/// What is odd about the expiry DOKU gave.
fn expiry_remark(operation: &Operation, answer: &CodeAnswer, now: Timestamp) -> Option<Remark> {
    let expires_at = answer.expires_at.filter(|_| operation.kind != OperationKind::Cancel)?;
    if expires_at <= now {
        let note = format!("DOKU says that the code has expired already, at {expires_at}");
        return Some(Remark { note, about_expiry: true });
    }
    let wanted_end = operation.wanted_end?;
    let is_other = expires_at.duration_since(wanted_end).abs() > EXPIRY_TOLERANCE;
    let note = || format!("payable until {expires_at}, asked for was {wanted_end}");
    is_other.then(|| Remark { note: note(), about_expiry: true })
}
