//! Bringing DOKU to the wanted state: plan, carry out, and plan again what a step has opened up.
//!
//! The order for every operation is **intent durable → permit → request → outcome durable → counted**. The same code
//! resumes: an operation an earlier run left open is settled before anything else happens to its bill.

mod carry;
mod confirm;
mod decide;
mod issuing;
mod operation;
mod orders;
mod resolve;
#[cfg(test)]
mod tests;

use futures_util::future;
use futures_util::stream::{self, StreamExt as _};

use self::decide::{Decided, Planned};
pub use self::issuing::{IssueSettings, Issuing};
use self::issuing::{Next, stopped_before};
pub use self::orders::{Coded, Orders, RunError, highest_code};
use super::bounded::bounded;
use super::portion;
use crate::domain::bill::Bill;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::domain::plan::{Step, Unchanged};
use crate::domain::row_end::{Bucket, End, Ends};
use crate::gateway::Gateway;
use crate::gateway::pacing::Time;
use crate::ledger::{Ledger, LedgerError};

/// Settle, cancel, confirm (or release, or retire), issue: the longest chain one row can need in one run. As many again for rows with which
/// another host was quicker.
const ROUNDS_MAX: u32 = 8;

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
        self.run_after(orders, (), progress).await
    }

    /// The same, where the rows' codes were given out under a `right` that is to end, by being dropped, once all have entered.
    ///
    /// # Errors
    /// As of [`Issuing::run`].
    pub async fn run_after<O: Orders + ?Sized, R>(
        &self,
        orders: &O,
        right: R,
        progress: &(dyn Fn(usize, &End) + Sync),
    ) -> Result<Ends, RunError<O::Error>> {
        let count = orders.row_count();
        let mut rows = Rows { ends: Ends::of(count), pending: vec![Pending::No; count], progress };
        self.enter_all(orders, &mut rows).await?;
        drop(right);
        for round in 1..=ROUNDS_MAX {
            if rows.pending.iter().all(|pending| *pending == Pending::No) {
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

    /// Enters every bill into the ledger, a part at a time: while one is written the next is planned, and between two a stop is heeded.
    async fn enter_all<O: Orders + ?Sized>(&self, orders: &O, rows: &mut Rows<'_>) -> Result<(), RunError<O::Error>> {
        let mut decided: Option<Decided> = None;
        for part in orders.parts(&|_| true) {
            for bills in in_chunks(part.map_err(RunError::Orders)?, portion::BILLS_MAX) {
                if self.caller.stop.reason().is_some() {
                    for (row, _) in bills {
                        rows.end(row, stopped_before());
                    }
                    continue;
                }
                // The first is asked first, so that the ledger has its work before this thread has.
                let (entered, next) = future::join(self.enter(decided.take()), self.decide(bills)).await;
                rows.enter(entered?);
                decided = Some(next?);
                // Whoever listens for signals beside this hears them also where the ledger never lets one wait.
                tokio::task::yield_now().await;
            }
        }
        rows.enter(self.enter(decided).await?);
        Ok(())
    }

    async fn enter(&self, decided: Option<Decided>) -> Result<Option<Decided>, LedgerError> {
        let Some(mut decided) = decided else { return Ok(None) };
        self.record_decided(&mut decided).await?;
        Ok(Some(decided))
    }

    /// Carries out one round over the rows that are pending; those that are to be planned again are pending afterwards.
    async fn carry_out<O: Orders + ?Sized>(&self, orders: &O, round: u32, rows: &mut Rows<'_>) -> Result<(), RunError<O::Error>> {
        let pending = std::mem::take(&mut rows.pending);
        rows.pending = vec![Pending::No; pending.len()];
        let how = |row: usize| pending.get(row).copied().unwrap_or_default();
        let wanted = |row: usize| how(row) != Pending::No;
        let parts = orders.parts(&wanted).flat_map(|part| match part {
            Ok(bills) => in_chunks(bills, BILLS_TOGETHER).into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(RunError::Orders(error))],
        });
        let work = stream::iter(parts).then(|bills| self.steps(bills, &how)).flat_map(stream::iter);
        let work = work.map(|job| async move {
            Ok::<_, RunError<O::Error>>(match job? {
                Job::Planned(row, bill, planned) => (row, unless_busy(self.carry_out_step(&bill, planned).await)?),
                Job::Stopped(row) => (row, Next::Ended(stopped_before())),
            })
        });
        let mut carried = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.settings.in_flight_max)));
        while let Some(result) = carried.next().await {
            let (row, next) = result?;
            match next {
                // What this run did to the row says more than that nothing was left to do afterwards.
                Next::Ended(end) if rows.says_more_than(&end, row) => rows.ended(row),
                Next::Ended(end) => rows.end(row, end),
                // Also when the run is stopped: planning sends nothing, and only it knows whether the row has more to do.
                Next::PlanAgain(end) if round < ROUNDS_MAX => rows.again(row, end),
                Next::PlanAgain(end) => rows.end(row, end.unwrap_or_else(|| End::deferred("the run ended before its turn"))),
                Next::Busy(_) if round < ROUNDS_MAX => rows.again(row, None),
                Next::Busy(holder) => rows.end(row, at_it(&holder)),
            }
        }
        Ok(())
    }

    /// Plans bills and records what is decided; gives what is to be carried out of each. Once a stop was asked for, what would only
    /// begin is not even planned.
    async fn steps<E>(
        &self,
        bills: Result<Vec<(usize, Bill)>, RunError<E>>,
        how: &impl Fn(usize) -> Pending,
    ) -> Vec<Result<Job, RunError<E>>> {
        let attempt = async {
            let mut bills = bills?;
            let mut jobs = Vec::with_capacity(bills.len());
            if self.caller.stop.reason().is_some() {
                bills.retain(|(row, _)| {
                    how(*row) != Pending::ToBegin || {
                        jobs.push(Job::Stopped(*row));
                        false
                    }
                });
            }
            let mut decided = self.decide(bills).await?;
            self.record_decided(&mut decided).await?;
            let Decided { bills, planned, .. } = decided;
            jobs.extend(bills.into_iter().zip(planned).map(|((row, bill), planned)| Job::Planned(row, bill, planned)));
            Ok(jobs)
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
        let work = work.map(|(row, state)| async move { (row, unless_busy(self.resolve(&state.invoice_number).await)) });
        let mut settled = std::pin::pin!(bounded(work, || self.caller.pacer.in_flight(self.settings.in_flight_max)));
        let mut ends: Vec<Option<End>> = vec![None; states.len()];
        while let Some((row, next)) = settled.next().await {
            let end = match next? {
                Next::Ended(end) => end,
                Next::Busy(holder) => at_it(&holder),
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

/// A row that is to be carried out.
enum Job {
    Planned(usize, Bill, Planned),
    /// The run was stopped before its turn.
    Stopped(usize),
}

/// What the ledger's refusal of another host's bill comes to.
fn unless_busy(next: Result<Next, LedgerError>) -> Result<Next, LedgerError> {
    match next {
        Err(LedgerError::Busy { holder, .. }) => Ok(Next::Busy(holder)),
        next => next,
    }
}

/// Another host is at the bill's operation.
fn at_it(holder: &str) -> End {
    End::deferred(&format!("{holder}, is at it"))
}

/// Whether a row has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pending {
    /// It has, or has not been looked at.
    #[default]
    No,
    /// It has not, and an operation of its own is to begin.
    ToBegin,
    /// It has not, and only a plan knows what is left of it.
    Somehow,
}

/// How far the rows of a run have come.
struct Rows<'p> {
    ends: Ends,
    /// Of each row, whether it has ended.
    pending: Vec<Pending>,
    progress: &'p (dyn Fn(usize, &End) + Sync),
}

impl Rows<'_> {
    fn pend(&mut self, row: usize, how: Pending) {
        if let Some(slot) = self.pending.get_mut(row) {
            *slot = how;
        }
    }

    /// Takes what has entered the ledger: rows that need no more than that have ended.
    fn enter(&mut self, decided: Option<Decided>) {
        let Some(Decided { bills, planned, .. }) = decided else { return };
        for (Planned { step, is_overtaken, .. }, (row, _)) in planned.into_iter().zip(bills) {
            let begins = matches!(step, Step::Issue { .. } | Step::Amend | Step::Cancel);
            match step.end().filter(|_| !is_overtaken) {
                Some(end) => self.end(row, end),
                None => self.pend(row, if begins && !is_overtaken { Pending::ToBegin } else { Pending::Somehow }),
            }
        }
    }

    fn end(&mut self, row: usize, end: End) {
        self.ends.set(row, end);
        self.ended(row);
    }

    /// Whether this run has carried something out, and not only left it over, and it stands: another may have cancelled it since.
    fn says_more_than(&self, end: &End, row: usize) -> bool {
        let is_cancelled = end.action == Unchanged::Cancelled.name();
        let stands = |done: &End| match done.bucket {
            Bucket::Deferred | Bucket::InDoubt => false,
            bucket => !is_cancelled || bucket == Bucket::Cancelled,
        };
        end.bucket == Bucket::Unchanged && self.ends.get(row).is_some_and(stands)
    }

    /// It is planned again; `end` stands if nothing is left to do then.
    fn again(&mut self, row: usize, end: Option<End>) {
        match end {
            Some(end) => self.ends.set(row, end),
            None => self.ends.clear(row),
        }
        self.pend(row, Pending::Somehow);
    }

    fn ended(&self, row: usize) {
        if let Some(end) = self.ends.get(row) {
            (self.progress)(row, end);
        }
    }
}

/// So few bills are planned at once that requests hardly wait for it.
const BILLS_TOGETHER: usize = 64;

fn in_chunks(bills: Vec<(usize, Bill)>, size: usize) -> Vec<Vec<(usize, Bill)>> {
    let mut bills = bills.into_iter().peekable();
    let mut chunks = Vec::new();
    while bills.peek().is_some() {
        chunks.push(bills.by_ref().take(size).collect());
    }
    chunks
}
