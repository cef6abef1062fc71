//! Writing for callers: those who wait share transactions (group commit), and nobody is answered before the commit is durable. What a
//! server that went away did not do is done again, once.
//!
//! Hosts write in turns, each on what the one before has committed, and their commits are flushed together. What one host has built on what
//! another has committed is never durable without it: the server's log has one order.

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::append::{Appender, Ends};
use super::lease::{self, Lease};
use super::patience::Patience;
use super::purge::{self, PURGEABLE};
use super::server::{Access, PostgresServer};
use super::session::Session;
use super::world::World;
use super::{origin, read};
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::ledger::chain::Origin;
use crate::ledger::sql::cells::{bytes, count, integer};
use crate::ledger::sql::fault::Fault;
use crate::ledger::{AppliedPayments, LedgerError, LedgerHead, NewEvent, Purged};

/// Most events of one transaction, beyond which no further caller joins it.
const EVENTS_MAX: usize = 256;

/// Where a caller hears what came of its part. It may have stopped waiting; what was committed stays.
pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What can be asked.
pub(super) enum Job {
    /// Append bills' events.
    Record(Vec<NewEvent>, Reply<Vec<BillState>>),
    /// Add payments.
    Payments(Vec<Payment>, Reply<AppliedPayments>),
    /// Remove personal data of what was quiet since the first instant, at the second.
    Purge(Timestamp, Timestamp, Reply<Purged>),
    /// Keep what a person says about one of DOKU's keys.
    Revoke(Box<Revocation>, Timestamp, Reply<()>),
}

impl Job {
    fn events(&self) -> usize {
        match self {
            Self::Record(entries, _) => entries.len(),
            Self::Payments(payments, _) => payments.len(),
            Self::Purge(..) => EVENTS_MAX,
            Self::Revoke(..) => 1,
        }
    }
}

/// What came of a job.
enum Answer {
    States(Vec<BillState>),
    Applied(AppliedPayments),
    Purged(Purged),
    Revoked,
    Refused(Fault),
}

/// A session for writing.
struct Desk {
    session: Session,
    origin: Origin,
}

/// What goes from one transaction to the next.
struct Writer {
    server: PostgresServer,
    lease: Lease,
    desk: Option<Desk>,
    world: World,
    /// The head that the world goes with: where another one is found, others have written.
    seen: Option<LedgerHead>,
    /// Where a commit was not answered: the head it would have made, and what it was about.
    unanswered: Option<(LedgerHead, Vec<Answer>)>,
}

/// Does jobs until there will be no more.
pub(super) async fn serve(server: PostgresServer, lease: Lease, mut queue: UnboundedReceiver<Job>) {
    let (world, desk, seen, unanswered) = (World::default(), None, None, None);
    let mut writer = Writer { server, lease, desk, world, seen, unanswered };
    while let Some(first) = queue.recv().await {
        let mut events = first.events();
        let mut jobs = vec![first];
        while events < EVENTS_MAX
            && let Ok(job) = queue.try_recv()
        {
            events = events.saturating_add(job.events());
            jobs.push(job);
        }
        writer.work(jobs).await;
    }
}

impl Writer {
    async fn work(&mut self, jobs: Vec<Job>) {
        let server = self.server.clone();
        let mut patience = Patience::of(&server);
        loop {
            let fault = match self.transaction(&jobs).await {
                Ok(answers) => return answer(&server, jobs, answers),
                Err(fault) => fault,
            };
            (self.world, self.seen) = (World::default(), None);
            self.give_up_transaction().await;
            if let Err(fault) = patience.with(fault).await {
                self.unanswered = None;
                return fail(&server, jobs, fault);
            }
        }
    }

    /// Leaves no transaction open; a session that cannot even do that is of no use.
    async fn give_up_transaction(&mut self) {
        if let Some(desk) = &self.desk
            && desk.session.batch("ROLLBACK").await.is_err()
        {
            self.desk = None;
        }
    }

    /// One transaction with all of it.
    async fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Answer>, Fault> {
        let desk = if let Some(desk) = self.desk.take() {
            desk
        } else {
            let session = self.server.connect(Access::Write).await?;
            let origin = origin::origin(&session).await?;
            Desk { session, origin }
        };
        let Desk { session, origin } = self.desk.insert(desk);
        session.takes_time(false);
        // The turn ends with the commit and not with its flush, which others' turns would wait for as well.
        session.batch("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off").await?;
        let ends = turn(session).await?;
        // Not before it is our turn again: until then the server may still be about it.
        if let Some((head, _)) = &self.unanswered
            && read::head_at(session, head.sequence).await? == Some(*head)
        {
            drop(session.batch("ROLLBACK").await);
            session.flush().await?;
            return Ok(self.unanswered.take().map_or_else(Vec::new, |(_, answers)| answers));
        }
        self.unanswered = None;
        let fence = lease::fence(session, &self.lease).await?;
        if self.seen != Some(ends.head) {
            self.world = World::default();
        }
        self.world.shrink();
        let mut appender = Appender::new(session, origin, &mut self.world, ends, fence, self.server.lease);
        appender.look_ahead(&entries_of(jobs)).await?;
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let answer = match job {
                Job::Record(entries, _) => appender.entries(entries).await.map(Answer::States),
                Job::Payments(payments, _) => appender.payments(payments).await.map(Answer::Applied),
                Job::Purge(before, now, _) => purge::purge(session, &mut appender, &PURGEABLE, *before, *now).await.map(Answer::Purged),
                Job::Revoke(revocation, now, _) => appender.revocation(revocation, *now).map(|()| Answer::Revoked),
            };
            match answer {
                Err(fault) if fault.spoils_transaction() => return Err(fault),
                answer => answers.push(answer.unwrap_or_else(Answer::Refused)),
            }
        }
        appender.write().await?;
        let head = appender.ends.head;
        let committed = session.batch("COMMIT").await;
        let durable = if committed.is_ok() { session.flush().await } else { committed };
        if let Err(fault) = durable {
            self.unanswered = Some((head, answers));
            return Err(fault);
        }
        self.seen = Some(head);
        Ok(answers)
    }
}

fn entries_of(jobs: &[Job]) -> Vec<&NewEvent> {
    let mut all = Vec::new();
    for job in jobs {
        if let Job::Record(entries, _) = job {
            all.extend(entries);
        }
    }
    all
}

/// Waits for the turn to write, and finds where everything ends.
async fn turn(session: &Session) -> Result<Ends, Fault> {
    let found = session.row("SELECT sequence, hash, bill, terms FROM head FOR UPDATE", &[]).await?;
    let row = found.ok_or_else(|| Fault::Damaged("the row that says where its chain ends is missing".into()))?;
    let head = LedgerHead { sequence: count(&row, 0)?, hash: bytes(&row, 1)? };
    Ok(Ends { head, bill: integer(&row, 2)?, terms: integer(&row, 3)? })
}

fn answer(server: &PostgresServer, jobs: Vec<Job>, answers: Vec<Answer>) {
    for (job, answer) in jobs.into_iter().zip(answers) {
        match (job, answer) {
            (Job::Record(_, reply), Answer::States(states)) => drop(reply.send(Ok(states))),
            (Job::Payments(_, reply), Answer::Applied(applied)) => drop(reply.send(Ok(applied))),
            (Job::Purge(_, _, reply), Answer::Purged(purged)) => drop(reply.send(Ok(purged))),
            (Job::Revoke(_, _, reply), Answer::Revoked) => drop(reply.send(Ok(()))),
            (job, Answer::Refused(fault)) => refuse(job, server.place().error(fault)),
            (job, _) => refuse(job, server.place().failed("a job was answered for another")),
        }
    }
}

fn refuse(job: Job, error: LedgerError) {
    match job {
        Job::Record(_, reply) => drop(reply.send(Err(error))),
        Job::Payments(_, reply) => drop(reply.send(Err(error))),
        Job::Purge(_, _, reply) => drop(reply.send(Err(error))),
        Job::Revoke(_, _, reply) => drop(reply.send(Err(error))),
    }
}

/// All of them have lost the same transaction.
fn fail(server: &PostgresServer, jobs: Vec<Job>, fault: Fault) {
    let place = server.place();
    let error = place.error(fault);
    for job in jobs {
        let again = match &error {
            LedgerError::Damaged { reason, .. } => place.damaged(reason.clone()),
            LedgerError::Unreachable { path, reason } => LedgerError::Unreachable { path: path.clone(), reason: reason.clone() },
            LedgerError::Storage { reason, .. } => place.failed(reason.clone()),
            LedgerError::LeaseLost { path } => LedgerError::LeaseLost { path: path.clone() },
            other => place.failed(other.to_string()),
        };
        refuse(job, again);
    }
}
