//! The one thread that writes. Callers' entries share transactions (group commit); nobody is answered before the commit is
//! durable.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::append::Appender;
use super::checkpoint;
use super::connect::Pages;
use super::db::Db;
use super::folded::Folded;
use crate::clock::Stopwatch;
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;
use crate::ledger::chain::Origin;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::ledger::{AppliedPayments, LedgerError, NewEvent};

/// Most events of one transaction, beyond which no further caller joins it.
const EVENTS_MAX: usize = 256;
/// How long a transaction takes callers in, in milliseconds. It never waits for one.
const JOINING_MS: u64 = 5;

/// Where a caller hears what came of its part. It may have stopped waiting; what was committed stays.
type Reply<T> = Box<dyn FnOnce(Result<T, LedgerError>) + Send>;

/// What a job that runs alone does.
type Work = Box<dyn FnOnce(&Db, &Origin) + Send>;

/// What the thread can be asked.
pub(super) enum Job {
    /// Append bills' events.
    Record(Vec<NewEvent>, Reply<Vec<BillState>>),
    /// Add payments.
    Payments(Vec<Payment>, Reply<AppliedPayments>),
    /// Anything rare, with the connection to itself and no transaction open.
    Alone(Work),
}

/// The handle on the thread; dropping it lets the thread finish what is queued, and waits for that.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    /// The one that writes, and the one that ends with it.
    threads: Vec<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from then on.
    pub(super) fn start(mut connection: Db, origin: Origin, place: Place) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let checkpoints = checkpoint::beside(connection.connection_mut(), &place, Pages::USUAL)?;
        let thread = std::thread::Builder::new().name("ledger-writer".into()).spawn(move || serve(&connection, &origin, &place, &queue))?;
        Ok(Self { jobs: Some(jobs), threads: vec![thread, checkpoints] })
    }

    /// Queues a job. When the thread is gone, the job's reply is dropped, which its caller notices.
    pub(super) fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            drop(jobs.send(job));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Db, origin: &Origin, place: &Place, queue: &Receiver<Job>) {
    let mut folded = Folded::default();
    while let Ok(first) = queue.recv() {
        if let Some(work) = batch(connection, origin, &mut folded, place, first, queue) {
            folded.clear();
            work(connection, origin);
        }
    }
}

/// What is told to a caller once it is known whether the commit succeeded.
type Answer = Box<dyn FnOnce(Result<(), LedgerError>)>;

/// One transaction: `first` and whoever queues meanwhile. Gives back a job that wants the connection alone, if one came.
fn batch(connection: &Db, origin: &Origin, folded: &mut Folded, place: &Place, first: Job, queue: &Receiver<Job>) -> Option<Work> {
    let mut next = match first {
        Job::Alone(work) => return Some(work),
        job @ (Job::Record(..) | Job::Payments(..)) => Some(job),
    };
    let started = Stopwatch::start();
    let mut answers: Vec<Answer> = Vec::new();
    let mut alone = None;
    let mut transaction = Appender::begin(connection, origin, folded).map_or_else(Transaction::Spoiled, Transaction::Open);
    while let Some(job) = next.take() {
        match job {
            Job::Record(entries, reply) => answers.push(transaction.take_in(place, reply, |appender| appender.entries(entries))),
            Job::Payments(payments, reply) => answers.push(transaction.take_in(place, reply, |appender| appender.payments(&payments))),
            Job::Alone(work) => {
                alone = Some(work);
                break;
            }
        }
        if transaction.has_room() && started.elapsed() < Duration::from_millis(JOINING_MS) {
            next = queue.try_recv().ok();
        }
    }
    let lost = transaction.finish().map(|fault| place.error(fault));
    for answer in answers {
        answer(lost.as_ref().map_or(Ok(()), |error| Err(again(place, error))));
    }
    alone
}

/// The error that lost a transaction, once more for another of its callers.
fn again(place: &Place, error: &LedgerError) -> LedgerError {
    match error {
        LedgerError::Damaged { reason, .. } => place.damaged(reason.clone()),
        LedgerError::Storage { reason, .. } => place.failed(reason.clone()),
        other => place.failed(other.to_string()),
    }
}

enum Transaction<'c> {
    Open(Appender<'c>),
    Spoiled(Fault),
}

impl Transaction<'_> {
    /// Does one caller's part; the answer waits for the commit.
    fn take_in<T: 'static>(&mut self, place: &Place, reply: Reply<T>, work: impl FnOnce(&mut Appender<'_>) -> Result<T, Fault>) -> Answer {
        let result = match self {
            Self::Open(appender) => match work(appender) {
                Ok(value) => Ok(Some(value)),
                Err(fault) if fault.spoils_transaction() => {
                    self.spoil(fault);
                    Ok(None)
                }
                Err(fault) => Err(place.error(fault)),
            },
            Self::Spoiled(_) => Ok(None),
        };
        let lost = place.failed("the transaction was lost");
        Box::new(move |committed| {
            let answer = match result {
                Err(refused) => Err(refused),
                Ok(value) => committed.and_then(|()| value.ok_or(lost)),
            };
            reply(answer);
        })
    }

    fn spoil(&mut self, fault: Fault) {
        if let Self::Open(appender) = std::mem::replace(self, Self::Spoiled(fault)) {
            appender.roll_back();
        }
    }

    const fn has_room(&self) -> bool {
        match self {
            Self::Open(appender) => appender.appended < EVENTS_MAX,
            Self::Spoiled(_) => false,
        }
    }

    /// Commits; the fault that lost the transaction, if one did.
    fn finish(self) -> Option<Fault> {
        match self {
            Self::Open(appender) => appender.commit().err(),
            Self::Spoiled(fault) => Some(fault),
        }
    }
}
