//! Asking DOKU about bills that nobody has told us are paid: expired ones by a schedule, and those a person chose.
//!
//! Every answer is recorded before it is counted, so a run that is cut goes on with the rest: what was answered waits for its
//! next turn, and at most the queries that were under way are made again. A query changes nothing at DOKU.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::bounded::bounded;
use super::caller::Caller;
use super::status_query::{Recorded, StatusQuery, StatusReply};
use super::watch::LastWord;
use crate::doku::answer::Trust;
use crate::domain::channel::Channel;
use crate::domain::check_status::{self, Due, FoundPayment, Schedule, Word};
use crate::domain::conclusion::AnswerSays;
use crate::domain::doubt;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, IssuedCode, Status};
use crate::domain::payment::{self, Payment, Sameness};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Ledger, LedgerError, LedgerView as _, Names};

/// A run's collaborators, and how it asks.
pub struct Syncing<'a, L, G, T: Time> {
    /// The record.
    pub ledger: &'a L,
    /// The way to DOKU.
    pub caller: Caller<'a, G, T>,
    /// The wall clock (UTC).
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// How much signatures count.
    pub trust: Trust,
    /// When bills are due.
    pub schedule: Schedule,
    /// Queries that may still leave, retries included.
    pub calls_left: AtomicU64,
    /// Queries under way at once at most.
    pub in_flight_max: usize,
}

impl<L, G, T: Time> std::fmt::Debug for Syncing<'_, L, G, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syncing").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// How asking about one bill ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEnd {
    /// DOKU told of a payment that neither a notification nor an earlier answer had told of.
    Found,
    /// DOKU said where the order stands; no payment is new.
    Told(Word),
    /// DOKU says paid, but not how much or when.
    Unusable,
    /// No usable answer; it stays due.
    Unanswered(String),
    /// Something happened to the order too recently; it can be asked about from then on.
    TooSoon(Timestamp),
    /// It has no code that DOKU could be asked about, or an operation on it is open.
    NotAskable(&'static str),
    /// The run's queries were used up, or it was stopped.
    Deferred,
}

/// What was asked, by invoice number.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// How each bill ended, in the order of their numbers.
    pub ends: Vec<(InvoiceNumber, CheckEnd)>,
}

impl SyncReport {
    /// How many ended so that `is` holds.
    #[must_use]
    pub fn count(&self, is: impl Fn(&CheckEnd) -> bool) -> usize {
        self.ends.iter().filter(|(_, end)| is(end)).count()
    }
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Syncing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Asks about `chosen`, or, when nothing is chosen, about every bill that is due.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn run(&self, chosen: &[InvoiceNumber]) -> Result<SyncReport, LedgerError> {
        let asked = if chosen.is_empty() { self.due().await? } else { self.ledger.view().await?.bills(chosen).await? };
        let is_chosen = !chosen.is_empty();
        let work = stream::iter(&asked).map(|state| async { (state.invoice_number.clone(), self.ask(state, is_chosen).await) });
        let mut answered = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.in_flight_max)));
        let mut report = SyncReport::default();
        while let Some((number, end)) = answered.next().await {
            report.ends.push((number, end?));
        }
        report.ends.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(report)
    }

    /// The bills that are due, as many as may be asked about. One that an earlier code has paid is asked about like any other: the
    /// code it holds may be paid too.
    async fn due(&self) -> Result<Vec<BillState>, LedgerError> {
        let now = (self.clock)();
        let count_max = usize::try_from(self.calls_left.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let mut due = Due::new(now, &self.schedule, count_max);
        let view = self.ledger.view().await?;
        view.visit_silent(check_status::ends_until(now, &self.schedule), |state| due.take(state, false)).await?;
        Ok(due.bills())
    }

    async fn ask(&self, state: &BillState, chosen: bool) -> Result<CheckEnd, LedgerError> {
        let code = match askable(state) {
            Ok(code) => code,
            Err(why) => return Ok(CheckEnd::NotAskable(why)),
        };
        let from = check_status::askable_from(state, &self.schedule);
        let now = (self.clock)();
        if from > now {
            return Ok(CheckEnd::TooSoon(from));
        }
        let asking = StatusQuery { ledger: self.ledger, caller: &self.caller, clock: self.clock, trust: self.trust };
        let channel = state.terms.channel;
        let asked = asking.ask(&code.wire_invoice_number, code.issued_as, channel, || self.may_call()).await;
        let said = match asked {
            StatusReply::Said(said) => said,
            StatusReply::Unanswered(reason) => {
                self.heard(channel, None);
                return Ok(CheckEnd::Unanswered(reason));
            }
            StatusReply::NotAskable => return Ok(CheckEnd::NotAskable("its number cannot stand in the path of a query")),
            StatusReply::Stopped => return Ok(CheckEnd::Deferred),
        };
        self.heard(channel, Some(&LastWord { says: AnswerSays::Success, words: String::new() }));
        let payment = said.payment(channel, &code.answer.payment_code);
        let end = match (&payment, said.told.word) {
            (Some(payment), _) if !self.is_known(state, payment).await? => CheckEnd::Found,
            (None, Word::Success) => CheckEnd::Unusable,
            (_, word) => CheckEnd::Told(word),
        };
        let Some(state) = asking.record(state, &said, payment, &Recorded { chosen, controlled: false }).await? else {
            return Ok(CheckEnd::NotAskable("another run changed it meanwhile; the next `sync` looks again"));
        };
        if doubt::is_paid_otherwise(&state, &said.order, said.told.word, &said.told.details)
            && let Some(hold) = asking.hold(&state, &said).await?
        {
            self.ledger.record(vec![hold]).await?;
        }
        Ok(end)
    }

    /// Whether a notification or an earlier answer told of it.
    async fn is_known(&self, state: &BillState, found: &FoundPayment) -> Result<bool, LedgerError> {
        let named = Names { codes: [found.payment_code.clone()].into(), ..Names::default() };
        let notified = self.ledger.view().await?.payments_about(&named).await?;
        let mut known: Vec<Sameness> = notified.iter().map(Payment::sameness).collect();
        let told: Vec<Sameness> = state.checks.iter().flat_map(|checks| &checks.found).map(|found| found.payment.sameness()).collect();
        payment::join(&mut known, &told);
        let count = known.len();
        payment::join(&mut known, &[found.sameness()]);
        Ok(known.len() == count)
    }

    /// A query is an operation of its own here.
    fn heard(&self, channel: Channel, last: Option<&LastWord>) {
        if let Some(reason) = self.caller.watch.ended(channel, last) {
            self.caller.stop.ask(reason);
        }
    }

    fn may_call(&self) -> bool {
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// The code DOKU can be asked about.
fn askable(state: &BillState) -> Result<&IssuedCode, &'static str> {
    match (state.status, &state.code) {
        (Status::Active | Status::Cancelled | Status::Retired, Some(code)) => Ok(code),
        (_, None) => Err("it has no payment code"),
        (_, Some(_)) => Err("an operation on it is open, which goes first"),
    }
}
