//! Bringing DOKU to the wanted state: plan, carry out, and plan again what a step has opened up.
//!
//! The order for every operation is **intent durable → permit → request → outcome durable → counted**. The same code
//! resumes: an operation an earlier run left open is settled before anything else happens to its bill.

mod carry;
mod confirm;
mod operation;
mod orders;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

pub use self::carry::Settings;
pub use self::orders::{Coded, Orders, RunError};
use super::bounded::bounded;
use super::caller::Caller;
use super::portion::{self, Portion};
use crate::domain::bill::{Bill, Wanted};
use crate::domain::channel::Channel;
use crate::domain::codes;
use crate::domain::end::{Bucket, End, Ends};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::plan::{self, Minting, Step, Unchanged};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Basis, Entry, Ledger, LedgerError, Private, View};

/// Settle, cancel, confirm (or release, or retire), issue: the longest chain one row can need in one run.
const ROUNDS_MAX: u32 = 4;

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

/// The highest code that `minting` may have given out before, as far as the ledger knows.
///
/// # Errors
/// The ledger's.
pub async fn highest_code(view: &impl View, minting: &Minting) -> Result<Option<PaymentCode>, LedgerError> {
    view.highest_code(&minting.prefix, minting.length).await
}

impl<L: Ledger, G: Gateway, T: Time + Sync> Issuing<'_, L, G, T>
where
    T::Clock: Sync,
{
    /// Brings every bill as near to its wanted state as one run can. `progress` hears of each row once, by its
    /// number, when it has ended.
    ///
    /// Every wanted bill enters the ledger before anything is sent; then, round by round, a part of the rows at a time is planned
    /// from the ledger as it has become, and carried out.
    ///
    /// # Errors
    /// The ledger's, and those of the rows: what DOKU does is an [`End`].
    pub async fn run<O: Orders + ?Sized>(&self, orders: &O, progress: &(dyn Fn(usize, &End) + Sync)) -> Result<Ends, RunError<O::Error>> {
        let mut rows = Rows { ends: Ends::of(orders.row_count()), pending: vec![false; orders.row_count()], progress };
        for part in orders.parts(&|_| true) {
            let part = part.map_err(RunError::Orders)?;
            for bills in part.chunks(portion::BILLS_MAX) {
                self.enter(bills, &mut rows).await?;
            }
        }
        for round in 1..=ROUNDS_MAX {
            if !rows.pending.contains(&true) {
                break;
            }
            self.carry_out(orders, round, &mut rows).await?;
        }
        self.take_stock();
        Ok(rows.ends)
    }

    /// What the answers of the whole run come to.
    fn take_stock(&self) {
        if let Some(reason) = self.caller.watch.verdict() {
            self.caller.stop.ask(reason);
        }
    }

    /// Enters bills into the ledger. Rows that need no more than that have ended; the others are pending.
    async fn enter(&self, bills: &[(usize, Bill)], rows: &mut Rows<'_>) -> Result<(), LedgerError> {
        let mut planned = self.plan(bills).await?;
        self.record_decided(bills, &mut planned).await?;
        for (Planned { step, is_overtaken, .. }, (row, _)) in planned.into_iter().zip(bills) {
            match step.end().filter(|_| !is_overtaken) {
                Some(end) => rows.end(*row, end),
                None => rows.pend(*row),
            }
        }
        Ok(())
    }

    /// The steps of bills, in their order, from the ledger as it is now.
    async fn plan(&self, bills: &[(usize, Bill)]) -> Result<Vec<Planned>, LedgerError> {
        let (now, rules, salt) = ((self.clock)(), &self.settings.rules, self.ledger.salt());
        let view = self.ledger.view().await?;
        let left = portion::left_alone(&view, bills.iter().map(|(_, bill)| bill), salt, now).await?;
        let rest = bills.iter().zip(&left).filter(|(_, left)| left.is_none()).map(|((_, bill), _)| bill);
        let mut portion = Portion::of(&view, rest, &rules.reissue_suffix).await?;
        let steps: Vec<Step> = {
            let map = portion.view();
            let step = |((_, bill), left): (&(usize, Bill), &Option<Unchanged>)| {
                left.map_or_else(|| plan::step(bill, &map, salt, now, rules), Step::Unchanged)
            };
            bills.iter().zip(&left).map(step).collect()
        };
        let mut planned = Vec::with_capacity(steps.len());
        for ((step, (_, bill)), left) in steps.into_iter().zip(bills).zip(left) {
            let state = portion.take(&bill.invoice_number);
            let lacks_name = match &state {
                // An adopted code comes without a name, and a cancellation needs one.
                Some(state) if step == Step::Unchanged(Unchanged::Live) && state.terms.is_adopted() => {
                    view.customer(&bill.invoice_number).await?.is_none()
                }
                Some(_) | None => false,
            };
            let (is_known, last_event) = (state.is_some() || left.is_some(), state.as_ref().map_or(0, |state| state.last_event));
            planned.push(Planned { step, is_known, last_event, is_overtaken: false, state: state.map(Box::new), lacks_name });
        }
        Ok(planned)
    }

    /// What is decided about bills enters the ledger, with a new bill's code if it is of our making, so that a killed run's rest is
    /// known to be unissued and gets the same codes. What needs no call is done with it.
    async fn record_decided(&self, bills: &[(usize, Bill)], planned: &mut [Planned]) -> Result<(), LedgerError> {
        while let Some(overtaken) = self.record_all(bills, planned).await? {
            let of_it = bills.iter().zip(&mut *planned).filter(|((_, bill), _)| bill.invoice_number == overtaken);
            of_it.for_each(|(_, planned)| planned.is_overtaken = true);
        }
        Ok(())
    }

    /// Records what is decided, all or nothing; gives the bill that another writer was quicker with, if that is so.
    async fn record_all(&self, bills: &[(usize, Bill)], planned: &mut [Planned]) -> Result<Option<InvoiceNumber>, LedgerError> {
        let (mut entries, mut places): (Vec<Entry>, Vec<usize>) = (Vec::new(), Vec::new());
        for ((place, planned), (_, bill)) in planned.iter().enumerate().zip(bills).filter(|((_, planned), _)| !planned.is_overtaken) {
            for entry in [self.planned_entry(bill, planned), self.registered_entry(bill, planned)].into_iter().flatten() {
                entries.push(entry);
                places.push(place);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        match self.ledger.record(entries).await {
            Ok(states) => {
                for (place, state) in places.into_iter().zip(states) {
                    if let Some(planned) = planned.get_mut(place) {
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
        let recorded = terms.recorded(self.ledger.salt());
        let event = match (planned.state.as_deref(), &planned.step) {
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
            (Some(state), Step::Unchanged(Unchanged::Live)) if planned.lacks_name => Event::Noted { terms: state.terms.clone() },
            (Some(_), _) => return None,
        };
        let private = Private { body: None, customer: Some(terms.customer.clone()) };
        let basis = Basis::Since(planned.last_event);
        Some(Entry { invoice_number: bill.invoice_number.clone(), at: (self.clock)(), event, basis, private })
    }

    /// The whole of an operation that DOKU is not told of.
    fn registered_entry(&self, bill: &Bill, planned: &Planned) -> Option<Entry> {
        let Step::Register(operation) = planned.step else { return None };
        let state = planned.state.as_deref();
        let (terms, customer) = match &bill.wanted {
            Wanted::Live(terms) => (terms.recorded(self.ledger.salt()), Some(terms.customer.clone())),
            Wanted::Cancelled => (state?.terms.clone(), None),
        };
        let at = (self.clock)();
        let answer = plan::registered_answer(operation, &terms, state, at)?;
        let event = Event::Registered { operation, terms, answer };
        let (basis, private) = (Basis::Since(planned.last_event), Private { body: None, customer });
        Some(Entry { invoice_number: bill.invoice_number.clone(), at, event, basis, private })
    }

    /// Carries out one round over the rows that are pending; those that are to be planned again are pending afterwards.
    async fn carry_out<O: Orders + ?Sized>(&self, orders: &O, round: u32, rows: &mut Rows<'_>) -> Result<(), RunError<O::Error>> {
        let pending = std::mem::take(&mut rows.pending);
        rows.pending = vec![false; pending.len()];
        let wanted = |row: usize| pending.get(row).copied().unwrap_or(false);
        let parts = orders.parts(&wanted).flat_map(|part| match part {
            Ok(bills) => in_chunks(bills).into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(RunError::Orders(error))],
        });
        let work = stream::iter(parts).then(|bills| self.steps(bills)).flat_map(stream::iter);
        let work = work.map(|job| async move {
            let Job { row, bill, planned } = job?;
            let next = self.carry_out_step(&bill, planned).await?;
            Ok::<_, RunError<O::Error>>((row, next))
        });
        let mut carried = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.settings.in_flight_max)));
        while let Some(result) = carried.next().await {
            let (row, next) = result?;
            match next {
                // What this run did to the row says more than that nothing was left to do afterwards.
                Next::Ended(end) if rows.ends.get(row).is_some() && end.bucket == Bucket::Unchanged => rows.ended(row),
                Next::Ended(end) => rows.end(row, end),
                Next::PlanAgain(end) => {
                    // Also when the run is stopped: planning sends nothing, and only it knows whether the row has more to do.
                    let is_last = round == ROUNDS_MAX;
                    let end = end.or_else(|| is_last.then(|| End::deferred("the run ended before its turn")));
                    match end {
                        Some(end) if is_last => rows.end(row, end),
                        Some(end) => {
                            rows.ends.set(row, end);
                            rows.pend(row);
                        }
                        None => {
                            rows.ends.clear(row);
                            rows.pend(row);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Plans bills and records what is decided; gives what is to be carried out of each.
    async fn steps<E>(&self, bills: Result<Vec<(usize, Bill)>, RunError<E>>) -> Vec<Result<Job, RunError<E>>> {
        let attempt = async {
            let bills = bills?;
            let mut planned = self.plan(&bills).await?;
            self.record_decided(&bills, &mut planned).await?;
            Ok(bills.into_iter().zip(planned).map(|((row, bill), planned)| Job { row, bill, planned }).collect::<Vec<Job>>())
        };
        match attempt.await {
            Ok(jobs) => jobs.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    }

    async fn carry_out_step(&self, bill: &Bill, planned: Planned) -> Result<Next, LedgerError> {
        let Planned { step, last_event, is_overtaken, .. } = planned;
        if is_overtaken {
            return Ok(Next::overtaken(&bill.invoice_number));
        }
        if let Some(end) = step.end() {
            return Ok(Next::Ended(end));
        }
        let state = planned.state.map(|state| *state);
        match step {
            Step::Wait { holder } => self.wait(&holder).await,
            Step::Retire { holder, is_paid } => self.take_over(&holder, is_paid).await,
            Step::Release { holder, is_paid } => self.release(&holder, is_paid).await,
            Step::Resolve => self.resolve(&bill.invoice_number).await,
            Step::ConfirmRefusal => self.confirm_refusal(&bill.invoice_number).await,
            Step::ConfirmExpiry => match state {
                Some(state) => self.confirm_expiry(&state).await,
                None => Ok(Next::PlanAgain(None)),
            },
            _ => self.start(bill, &step, state, last_event).await,
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
        let work = stream::iter(states.iter().enumerate());
        let work = work.map(|(row, state)| async move { (row, self.resolve(&state.invoice_number).await) });
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

/// A bill's step, with the state it was planned from.
struct Planned {
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

/// A row that is to be carried out.
struct Job {
    row: usize,
    bill: Bill,
    planned: Planned,
}

/// How far the rows of a run have come.
struct Rows<'p> {
    ends: Ends,
    /// The rows that have not ended yet.
    pending: Vec<bool>,
    progress: &'p (dyn Fn(usize, &End) + Sync),
}

impl Rows<'_> {
    fn pend(&mut self, row: usize) {
        if let Some(slot) = self.pending.get_mut(row) {
            *slot = true;
        }
    }

    fn end(&mut self, row: usize, end: End) {
        self.ends.set(row, end);
        self.ended(row);
    }

    fn ended(&self, row: usize) {
        if let Some(end) = self.ends.get(row) {
            (self.progress)(row, end);
        }
    }
}

/// So few bills are planned at once that requests hardly wait for it.
fn in_chunks(bills: Vec<(usize, Bill)>) -> Vec<Vec<(usize, Bill)>> {
    const BILLS_MAX: usize = 64;
    let mut bills = bills.into_iter().peekable();
    let mut chunks = Vec::new();
    while bills.peek().is_some() {
        chunks.push(bills.by_ref().take(BILLS_MAX).collect());
    }
    chunks
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
