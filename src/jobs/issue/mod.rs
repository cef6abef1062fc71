//! Bringing DOKU to the wanted state: plan, carry out, and plan again what a step has opened up.
//!
//! The order for every operation is **intent durable → permit → request → outcome durable → counted**. The same code
//! resumes: an operation an earlier run left open is settled before anything else happens to its bill.

mod carry;
mod confirm;
mod operation;
mod resolve;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use futures_util::StreamExt as _;
use jiff::Timestamp;

pub use self::carry::Settings;
use super::bounded::bounded;
use super::caller::Caller;
use super::portion::{self, Portion};
use crate::domain::bill::{Bill, Salt, Salts, Wanted};
use crate::domain::channel::Channel;
use crate::domain::codes;
use crate::domain::end::{Bucket, End};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::plan::{self, Minting, Step, Unchanged};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Basis, Entry, Ledger, LedgerError, Private, View};

/// Settle, cancel, confirm (or release, or retire), issue: the longest chain one row can need in one run.
const ROUNDS_MAX: u32 = 4;

/// How many plan events share one call to the ledger.
const PLANNED_BATCH: usize = 1_000;

/// A run's collaborators.
pub struct Issuing<'a, L, G, T: Time> {
    /// The record.
    pub ledger: &'a L,
    /// The way to DOKU.
    pub caller: Caller<'a, G, T>,
    /// What the configuration says.
    pub settings: &'a Settings,
    /// The wall clock (UTC).
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Channels of which this run knows whether Check Status knows their unpaid codes.
    pub controls: tokio::sync::Mutex<HashMap<Channel, bool>>,
    /// Successes taken without a valid signature, where the policy is to warn.
    pub badly_signed: AtomicU64,
}

impl<L, G, T: Time> std::fmt::Debug for Issuing<'_, L, G, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuing").finish_non_exhaustive()
    }
}

/// `bills` with codes of our own making for the rows that bring none; see [`plan::with_codes`].
///
/// # Errors
/// The ledger's.
pub async fn with_codes<'b>(bills: &'b [Bill], view: &impl View, minting: Option<&Minting>) -> Result<Cow<'b, [Bill]>, LedgerError> {
    if !bills.iter().any(plan::lacks_code) {
        return Ok(Cow::Borrowed(bills));
    }
    let portion = Portion::of(view, bills.iter().filter(|bill| plan::lacks_code(bill)), "").await?;
    let mut seen: Vec<PaymentCode> = Vec::new();
    if let Some(minting) = minting {
        // Somebody may still hold a code that its bill has lost, and must not pay another's bill with it: all count.
        let highest = highest_code(view, minting).await?;
        if plan::needs_all_codes(bills, highest.as_ref(), minting) {
            view.visit_codes(&minting.prefix, minting.length, |code| seen.push(code.clone())).await?;
        }
        seen.extend(highest);
    }
    Ok(plan::with_codes(bills, &portion.view(), &seen, minting))
}

/// The highest code that `minting` may have given out before, as far as the ledger knows.
///
/// # Errors
/// The ledger's.
pub async fn highest_code(view: &impl View, minting: &Minting) -> Result<Option<PaymentCode>, LedgerError> {
    view.highest_code(&minting.prefix, minting.length).await
}

/// The step for every bill, in their order, with the state it was planned from: what `--dry-run` shows and a run carries out.
///
/// # Errors
/// The ledger's.
pub async fn plan_each(
    bills: &[Bill],
    view: &impl View,
    salts: &Salts,
    now: Timestamp,
    rules: &plan::Rules,
    mut planned: impl FnMut(&Bill, Step, Option<&BillState>),
) -> Result<(), LedgerError> {
    for part in bills.chunks(portion::BILLS_MAX) {
        let portion = Portion::of(view, part, &rules.reissue_suffix).await?;
        let map = portion.view();
        for bill in part {
            planned(bill, plan::step(bill, &map, salts, now, rules), portion.bill(&bill.invoice_number));
        }
    }
    Ok(())
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Brings every bill as near to its wanted state as one run can. `progress` hears of each row once, by its
    /// index, when it has ended.
    ///
    /// # Errors
    /// Only the ledger's: what DOKU does is an [`End`].
    pub async fn run(&self, bills: &[Bill], progress: &(dyn Fn(usize, &End) + Sync)) -> Result<Vec<End>, LedgerError> {
        let mut ends: Vec<Option<End>> = vec![None; bills.len()];
        let mut pending: Vec<usize> = (0..bills.len()).collect();
        for round in 1..=ROUNDS_MAX {
            let mut planned = self.plan(bills, &pending).await?;
            self.record_decided(bills, &mut planned).await?;
            pending = self.carry_out(bills, planned, round, &mut ends, progress).await?;
            if pending.is_empty() {
                break;
            }
        }
        self.take_stock();
        Ok(ends.into_iter().map(|end| end.unwrap_or_else(|| End::deferred("not reached"))).collect())
    }

    /// What the answers of the whole run come to.
    fn take_stock(&self) {
        if let Some(reason) = self.caller.watch.verdict() {
            self.caller.stop.ask(reason);
        }
    }

    async fn plan(&self, bills: &[Bill], pending: &[usize]) -> Result<Vec<Planned>, LedgerError> {
        let (now, rules, salts) = ((self.clock)(), &self.settings.rules, self.ledger.salts());
        let view = self.ledger.view().await?;
        let mut planned = Vec::with_capacity(pending.len());
        for part in pending.chunks(portion::BILLS_MAX) {
            let wanted = part.iter().filter_map(|&row| bills.get(row));
            let mut portion = Portion::of(&view, wanted, &rules.reissue_suffix).await?;
            let steps: Vec<(usize, Step)> = {
                let map = portion.view();
                part.iter().filter_map(|&row| Some((row, plan::step(bills.get(row)?, &map, salts, now, rules)))).collect()
            };
            for (row, step) in steps {
                let Some(bill) = bills.get(row) else { continue };
                let state = portion.take(&bill.invoice_number);
                let lacks_name = match &state {
                    // An adopted code comes without a name, and a cancellation needs one.
                    Some(state) if step == Step::Unchanged(Unchanged::Live) && state.terms.is_adopted() => {
                        view.customer(&bill.invoice_number).await?.is_none()
                    }
                    Some(_) | None => false,
                };
                // What is left alone needs no state, and is most of a file.
                let is_left = matches!(step, Step::Unchanged(_) | Step::RejectedBefore { .. }) && !lacks_name;
                let (is_known, last_event) = (state.is_some(), state.as_ref().map_or(0, |state| state.last_event));
                let state = state.filter(|_| !is_left).map(Box::new);
                planned.push(Planned { row, step, is_known, last_event, is_overtaken: false, state, lacks_name });
            }
        }
        Ok(planned)
    }

    /// Every wanted bill enters the ledger before anything is sent, with its code if it is of our making, so that a killed run's
    /// rest is known to be unissued and gets the same codes. What needs no call is done with it.
    async fn record_decided(&self, bills: &[Bill], planned: &mut [Planned]) -> Result<(), LedgerError> {
        for part in planned.chunks_mut(PLANNED_BATCH) {
            while let Some(overtaken) = self.record_part(bills, part).await? {
                let of_it = |planned: &&mut Planned| bills.get(planned.row).is_some_and(|bill| bill.invoice_number == overtaken);
                part.iter_mut().filter(of_it).for_each(|planned| planned.is_overtaken = true);
            }
        }
        Ok(())
    }

    /// Records what is decided of `part`, all or nothing; gives the bill that another writer was quicker with, if that is so.
    async fn record_part(&self, bills: &[Bill], part: &mut [Planned]) -> Result<Option<InvoiceNumber>, LedgerError> {
        let (mut entries, mut rows): (Vec<Entry>, Vec<usize>) = (Vec::new(), Vec::new());
        for (at, planned) in part.iter().enumerate().filter(|(_, planned)| !planned.is_overtaken) {
            let Some(bill) = bills.get(planned.row) else { continue };
            for entry in [self.planned_entry(bill, planned), self.registered_entry(bill, planned)].into_iter().flatten() {
                entries.push(entry);
                rows.push(at);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        match self.ledger.record(entries).await {
            Ok(states) => {
                for (at, state) in rows.into_iter().zip(states) {
                    if let Some(planned) = part.get_mut(at) {
                        planned.last_event = state.last_event;
                    }
                }
                Ok(None)
            }
            // Its code or number became another bill's since it was planned, which the next plan sees and says.
            Err(
                LedgerError::Lost { invoice_number }
                | LedgerError::CodeTaken { invoice_number, .. }
                | LedgerError::NumberTaken { invoice_number, .. },
            ) => Ok(Some(invoice_number)),
            Err(error) => Err(error),
        }
    }

    fn planned_entry(&self, bill: &Bill, planned: &Planned) -> Option<Entry> {
        let Wanted::Live(terms) = &bill.wanted else { return None };
        if planned.is_known && planned.state.is_none() {
            return None;
        }
        let salt = self.salt(bill, planned.state.as_deref());
        let recorded = terms.recorded(&salt);
        let event = match (planned.state.as_deref(), &planned.step) {
            // Its number is another bill's, and two bills of one number would never come apart again.
            (None, Step::Refused { code, .. }) if *code == codes::NUMBER_TAKEN => return None,
            // One event says it all.
            (None, Step::Register(_)) => return None,
            (None, _) => Event::Planned { terms: recorded },
            (Some(state), Step::Issue { .. } | Step::Register(OperationKind::Issue)) if state.status == Status::Rejected => {
                Event::Planned { terms: recorded }
            }
            (Some(state), Step::Issue { .. }) if state.status == Status::Planned && state.terms != recorded => {
                Event::Planned { terms: recorded }
            }
            (Some(_), Step::Note) => Event::Noted { terms: recorded },
            (Some(state), Step::Unchanged(Unchanged::Live)) if planned.lacks_name => Event::Noted { terms: state.terms.clone() },
            (Some(_), _) => return None,
        };
        let private = Private { body: None, customer: Some((terms.customer.clone(), salt)) };
        let basis = Basis::Since(planned.last_event);
        Some(Entry { invoice_number: bill.invoice_number.clone(), at: (self.clock)(), event, basis, private })
    }

    /// The salt of what is recorded of a bill's customer.
    fn salt(&self, bill: &Bill, state: Option<&BillState>) -> Salt {
        self.ledger.salts().of(&bill.invoice_number, state.and_then(|state| state.salt))
    }

    /// The whole of an operation that DOKU is not told of.
    fn registered_entry(&self, bill: &Bill, planned: &Planned) -> Option<Entry> {
        let Step::Register(operation) = planned.step else { return None };
        let state = planned.state.as_deref();
        let (terms, customer) = match &bill.wanted {
            Wanted::Live(terms) => {
                let salt = self.salt(bill, state);
                (terms.recorded(&salt), Some((terms.customer.clone(), salt)))
            }
            Wanted::Cancelled => (state?.terms.clone(), None),
        };
        let at = (self.clock)();
        let answer = plan::registered_answer(operation, &terms, state, at)?;
        let event = Event::Registered { operation, terms, answer };
        let (basis, private) = (Basis::Since(planned.last_event), Private { body: None, customer });
        Some(Entry { invoice_number: bill.invoice_number.clone(), at, event, basis, private })
    }

    /// Carries out one round; gives the rows that are to be planned again.
    async fn carry_out(
        &self,
        bills: &[Bill],
        planned: Vec<Planned>,
        round: u32,
        ends: &mut [Option<End>],
        progress: &(dyn Fn(usize, &End) + Sync),
    ) -> Result<Vec<usize>, LedgerError> {
        let work = planned.into_iter().filter_map(|planned| {
            let bill = bills.get(planned.row)?;
            Some(async move { (planned.row, self.carry_out_step(bill, planned).await) })
        });
        let mut carried = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.settings.in_flight_max)));
        let mut again = Vec::new();
        while let Some((row, result)) = carried.next().await {
            let Some(slot) = ends.get_mut(row) else { continue };
            match result? {
                // What this run did to the row says more than that nothing was left to do afterwards.
                Next::Ended(end) if slot.is_some() && end.bucket == Bucket::Unchanged => {}
                Next::Ended(end) => *slot = Some(end),
                Next::PlanAgain(end) => {
                    *slot = end;
                    // Also when the run is stopped: planning sends nothing, and only it knows whether the row has more to do.
                    if round < ROUNDS_MAX {
                        again.push(row);
                        continue;
                    }
                }
            }
            progress(row, slot.get_or_insert_with(|| End::deferred("the run ended before its turn")));
        }
        again.sort_unstable();
        Ok(again)
    }

    async fn carry_out_step(&self, bill: &Bill, planned: Planned) -> Result<Next, LedgerError> {
        let Planned { step, last_event, is_overtaken, .. } = planned;
        if is_overtaken {
            return Ok(Next::overtaken(&bill.invoice_number));
        }
        let state = planned.state.map(|state| *state);
        match step {
            Step::Unchanged(why) => Ok(Next::Ended(End::unchanged(why))),
            Step::Note => Ok(Next::Ended(End::unchanged(Unchanged::Live))),
            Step::Refused { code, column, reason } => Ok(Next::Ended(End::refused(code, column, &reason))),
            Step::RejectedBefore { code, reason } => Ok(Next::Ended(End::rejected(&code, &reason))),
            // Recorded with the plan.
            Step::Register(operation) => Ok(Next::Ended(End::done(operation, false))),
            Step::Wait { holder } => self.wait(&holder).await,
            Step::Retire { holder, is_paid } => self.take_over(&holder, is_paid).await,
            Step::Release { holder, is_paid } => self.release(&holder, is_paid).await,
            Step::Resolve => self.resolve(&bill.invoice_number).await,
            Step::ConfirmRefusal => self.confirm_refusal(&bill.invoice_number).await,
            Step::ConfirmExpiry => match state {
                Some(state) => self.confirm_expiry(&state).await,
                None => Ok(Next::PlanAgain(None)),
            },
            Step::Issue { .. } | Step::Amend | Step::Cancel => self.start(bill, &step, state, last_event).await,
        }
    }

    /// The holder's cancellation runs in the same round, if at all, so the next plan knows.
    async fn wait(&self, holder: &InvoiceNumber) -> Result<Next, LedgerError> {
        let is_open = self.ledger.bill(holder).await?.is_some_and(|state| state.status.open_operation().is_some());
        let end = if is_open {
            End::deferred(&format!("its code waits for the cancellation of invoice `{holder}`"))
        } else {
            End::live_elsewhere(holder)
        };
        Ok(Next::PlanAgain(Some(end)))
    }

    /// Settles what `sync` finds open, without any wanted state.
    pub async fn settle(&self, states: &[BillState], progress: &(dyn Fn(usize, &End) + Sync)) -> Result<Vec<End>, LedgerError> {
        let work = states.iter().enumerate().map(|(row, state)| async move { (row, self.resolve(&state.invoice_number).await) });
        let mut settled = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.settings.in_flight_max)));
        let mut ends: Vec<Option<End>> = vec![None; states.len()];
        while let Some((row, next)) = settled.next().await {
            let end = match next? {
                Next::Ended(end) => end,
                Next::PlanAgain(end) => resolve::without_a_wish(end),
            };
            progress(row, &end);
            if let Some(slot) = ends.get_mut(row) {
                *slot = Some(end);
            }
        }
        self.take_stock();
        Ok(ends.into_iter().flatten().collect())
    }
}

/// One row's step, with the state it was planned from.
struct Planned {
    row: usize,
    step: Step,
    /// Whether the ledger knew the bill.
    is_known: bool,
    /// The bill's last event when it was planned, and then the one that was recorded with the plan; 0 for none.
    last_event: u64,
    /// Whether another run changed the bill before anything was recorded: nothing was, and it is planned again.
    is_overtaken: bool,
    /// Its state then, where the step needs it.
    state: Option<Box<BillState>>,
    /// Whether the row brings a name that the ledger lacks.
    lacks_name: bool,
}

/// Where a row goes after its step.
enum Next {
    /// It has ended.
    Ended(End),
    /// The ledger has changed so that another step may be possible; the end stands if none is.
    PlanAgain(Option<End>),
}

impl Next {
    /// Another run changed the bill after it was looked at.
    fn overtaken(invoice_number: &InvoiceNumber) -> Self {
        Self::PlanAgain(Some(End::deferred(&format!("another run changed invoice `{invoice_number}` meanwhile"))))
    }
}
