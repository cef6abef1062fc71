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
use crate::domain::bill::{Bill, Wanted};
use crate::domain::channel::Channel;
use crate::domain::codes;
use crate::domain::end::{Bucket, End};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::owner;
use crate::domain::plan::{self, MapView, Minting, Step, Unchanged};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Entry, Ledger, LedgerError, Private, Snapshot};

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
pub fn with_codes<'b>(bills: &'b [Bill], ledger: &impl Ledger, minting: Option<&Minting>) -> Result<Cow<'b, [Bill]>, LedgerError> {
    if !bills.iter().any(plan::lacks_code) {
        return Ok(Cow::Borrowed(bills));
    }
    let snapshot = ledger.snapshot()?;
    let view = MapView::new(&snapshot.bills, HashMap::new());
    // Somebody may still hold a code that its bill has lost, and must not pay another's bill with it.
    let former = ledger.former_codes()?;
    let earlier: Vec<_> = snapshot.payments.iter().map(|payment| &payment.payment_code).chain(&former).collect();
    Ok(plan::with_codes(bills, &view, &earlier, minting))
}

/// The highest code that `minting` may have given out before, as far as the ledger knows.
pub fn highest_code(ledger: &impl Ledger, minting: &Minting) -> Result<Option<PaymentCode>, LedgerError> {
    let snapshot = ledger.snapshot()?;
    let view = MapView::new(&snapshot.bills, HashMap::new());
    // Somebody may still hold a code that its bill has lost, and must not pay another's bill with it.
    let former = ledger.former_codes()?;
    let earlier: Vec<_> = snapshot.payments.iter().map(|payment| &payment.payment_code).chain(&former).collect();
    Ok(plan::highest_code(&view, &earlier, minting))
}

/// The step for every bill, in their order: what `--dry-run` shows and a run carries out.
pub fn steps(bills: &[Bill], ledger: &impl Ledger, now: Timestamp, rules: &plan::Rules) -> Result<Vec<Step>, LedgerError> {
    let snapshot = ledger.snapshot()?;
    let view = MapView::new(&snapshot.bills, owner::paid(&snapshot.bills, &snapshot.payments));
    Ok(bills.iter().map(|bill| plan::step(bill, &view, ledger.salt(), now, rules)).collect())
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
            let planned = self.plan(bills, &pending)?;
            self.record_decided(bills, &planned).await?;
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

    fn plan(&self, bills: &[Bill], pending: &[usize]) -> Result<Vec<Planned>, LedgerError> {
        let now = (self.clock)();
        let Snapshot { bills: mut states, payments, .. } = self.ledger.snapshot()?;
        let rules = &self.settings.rules;
        let paid = owner::paid(&states, &payments);
        let view = MapView::new(&states, paid);
        let salt = self.ledger.salt();
        let steps: Vec<(usize, Step)> =
            pending.iter().filter_map(|&row| Some((row, plan::step(bills.get(row)?, &view, salt, now, rules)))).collect();
        let planned = steps.into_iter().filter_map(|(row, step)| {
            let state = states.remove(&bills.get(row)?.invoice_number);
            Some(Planned { row, step, state })
        });
        Ok(planned.collect())
    }

    /// Every wanted bill enters the ledger before anything is sent, with its code if it is of our making, so that a killed run's
    /// rest is known to be unissued and gets the same codes. What needs no call is done with it.
    async fn record_decided(&self, bills: &[Bill], planned: &[Planned]) -> Result<(), LedgerError> {
        let entries = planned
            .iter()
            .filter_map(|planned| Some((planned, bills.get(planned.row)?)))
            .flat_map(|(planned, bill)| [self.planned_entry(bill, planned), self.registered_entry(bill, planned)].into_iter().flatten());
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let batch: Vec<Entry> = entries.by_ref().take(PLANNED_BATCH).collect();
            self.ledger.record(batch).await?;
        }
        Ok(())
    }

    fn planned_entry(&self, bill: &Bill, planned: &Planned) -> Option<Entry> {
        let Wanted::Live(terms) = &bill.wanted else { return None };
        let recorded = terms.recorded(self.ledger.salt());
        let event = match (&planned.state, &planned.step) {
            // Its number is another bill's, and two bills of one number would never come apart again.
            (None, Step::Refused { code, .. }) if *code == codes::NUMBER_TAKEN => return None,
            (None, _) => Event::Planned { terms: recorded },
            (Some(state), Step::Issue { .. } | Step::Register(OperationKind::Issue)) if state.status == Status::Rejected => {
                Event::Planned { terms: recorded }
            }
            (Some(state), Step::Issue { .. }) if state.status == Status::Planned && state.terms != recorded => {
                Event::Planned { terms: recorded }
            }
            (Some(_), Step::Note) => Event::Noted { terms: recorded },
            // An adopted code comes without a name, and a cancellation needs one.
            (Some(state), Step::Unchanged(Unchanged::Live)) if self.lacks_name(state) => Event::Noted { terms: state.terms.clone() },
            (Some(_), _) => return None,
        };
        let private = Private { body: None, customer: Some(terms.customer.clone()) };
        Some(Entry { invoice_number: bill.invoice_number.clone(), at: (self.clock)(), event, private })
    }

    /// The whole of an operation that DOKU is not told of.
    fn registered_entry(&self, bill: &Bill, planned: &Planned) -> Option<Entry> {
        let Step::Register(operation) = planned.step else { return None };
        let state = planned.state.as_ref();
        let (terms, customer) = match &bill.wanted {
            Wanted::Live(terms) => (terms.recorded(self.ledger.salt()), Some(terms.customer.clone())),
            Wanted::Cancelled => (state?.terms.clone(), None),
        };
        let at = (self.clock)();
        let answer = plan::registered_answer(operation, &terms, state, at)?;
        let event = Event::Registered { operation, terms, answer };
        Some(Entry { invoice_number: bill.invoice_number.clone(), at, event, private: Private { body: None, customer } })
    }

    fn lacks_name(&self, state: &BillState) -> bool {
        state.terms.is_adopted() && matches!(self.ledger.customer(&state.invoice_number), Ok(None))
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
            Some(async move { (planned.row, self.carry_out_step(bill, planned.step, planned.state).await) })
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

    async fn carry_out_step(&self, bill: &Bill, step: Step, state: Option<BillState>) -> Result<Next, LedgerError> {
        match step {
            Step::Unchanged(why) => Ok(Next::Ended(End::unchanged(why))),
            Step::Note => Ok(Next::Ended(End::unchanged(Unchanged::Live))),
            Step::Refused { code, column, reason } => Ok(Next::Ended(End::refused(code, column, &reason))),
            Step::RejectedBefore { code, reason } => Ok(Next::Ended(End::rejected(&code, &reason))),
            // Recorded with the plan.
            Step::Register(operation) => Ok(Next::Ended(End::done(operation, false))),
            Step::Wait { holder } => self.wait(&holder),
            Step::Retire { holder, is_paid } => self.take_over(&holder, is_paid).await,
            Step::Release { holder, is_paid } => self.release(&holder, is_paid).await,
            Step::Resolve => self.resolve(&bill.invoice_number).await,
            Step::ConfirmRefusal => self.confirm_refusal(&bill.invoice_number).await,
            Step::ConfirmExpiry => match state {
                Some(state) => self.confirm_expiry(&state).await,
                None => Ok(Next::PlanAgain(None)),
            },
            Step::Issue { .. } | Step::Amend | Step::Cancel => self.start(bill, &step, state).await,
        }
    }

    /// The holder's cancellation runs in the same round, if at all, so the next plan knows.
    fn wait(&self, holder: &InvoiceNumber) -> Result<Next, LedgerError> {
        let is_open = self.ledger.bill(holder)?.is_some_and(|state| state.status.open_operation().is_some());
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
    state: Option<BillState>,
}

/// Where a row goes after its step.
enum Next {
    /// It has ended.
    Ended(End),
    /// The ledger has changed so that another step may be possible; the end stands if none is.
    PlanAgain(Option<End>),
}
