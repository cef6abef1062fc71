//! The thread that drives the sessions: it writes for callers, and lends sessions to views.
//!
//! Callers may run anywhere, also where nothing else waits; whatever needs a timer or a socket happens here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::lease::Lease;
use super::patience::Patience;
use super::read;
use super::server::{Access, PostgresServer};
use super::session::Session;
use super::writer::{self, Job};
use crate::ledger::LedgerHead;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::tree::Top;

/// Sessions kept for the next view.
const IDLE_MAX: usize = 4;
/// Sessions of views at a time; more wait for one.
const VIEWS_MAX: usize = 24;

/// The handle on the thread; dropping the last one lets it finish what is queued, and waits for that.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) server: PostgresServer,
    pub(super) lease: Lease,
    handle: Handle,
    pool: Arc<Pool>,
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Where views get their sessions.
#[derive(Debug)]
struct Pool {
    access: Access,
    idle: Mutex<Vec<Session>>,
    places: Arc<Semaphore>,
}

/// A session in a transaction that sees one state.
#[derive(Debug)]
pub(super) struct Lent {
    session: Option<Session>,
    pub(super) head: LedgerHead,
    /// What stands for all that the state holds.
    pub(super) top: Top,
    engine: Arc<Engine>,
    _place: OwnedSemaphorePermit,
}

impl Engine {
    /// Starts the thread; views are lent sessions of that access. Nothing is asked of the server yet.
    pub(super) fn start(server: PostgresServer, access: Access) -> Result<Arc<Self>, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let lease = Lease::default();
        let (jobs, queue) = unbounded_channel();
        let (for_writer, held) = (server.clone(), lease.clone());
        let thread = std::thread::Builder::new()
            .name("ledger-postgres".into())
            .spawn(move || runtime.block_on(writer::serve(for_writer, held, queue)))?;
        let pool = Pool { access, idle: Mutex::default(), places: Arc::new(Semaphore::new(VIEWS_MAX)) };
        Ok(Arc::new(Self { server, lease, handle, pool: Arc::new(pool), jobs: Some(jobs), thread: Some(thread) }))
    }

    /// Queues a job. When the thread is gone, the job's reply is dropped, which its caller notices.
    pub(super) fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            drop(jobs.send(job));
        }
    }

    /// What `work` comes to, done by the thread.
    pub(super) async fn done<T: Send + 'static>(&self, work: impl Future<Output = Result<T, Fault>> + Send + 'static) -> Result<T, Fault> {
        self.handle.spawn(work).await.unwrap_or_else(|error| Err(Fault::Failed(error.to_string())))
    }

    /// The same for who cannot wait otherwise than by standing still.
    pub(super) fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T, Fault>> + Send + 'static) -> Result<T, Fault> {
        let (reply, answer) = std::sync::mpsc::channel();
        drop(self.handle.spawn(async move { drop(reply.send(work.await)) }));
        answer.recv().unwrap_or_else(|_| Err(Fault::Failed("its thread has ended".into())))
    }

    /// A new task of the thread, for as long as it lives.
    pub(super) fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// The one row that a statement of its own gives, if any. It is done again where the server went away meanwhile.
    pub(super) async fn row(&self, sql: &'static str, parameters: Vec<Box<dyn ToSql + Sync + Send>>) -> Result<Option<Row>, Fault> {
        let _place = Arc::clone(&self.pool.places).acquire_owned().await.map_err(|error| Fault::Failed(error.to_string()))?;
        let (pool, server) = (Arc::clone(&self.pool), self.server.clone());
        self.done(async move { pool.row(&server, sql, &parameters).await }).await
    }

    /// A view of the ledger as it is now.
    pub(super) async fn lend(self: &Arc<Self>) -> Result<Lent, Fault> {
        let place = Arc::clone(&self.pool.places).acquire_owned().await.map_err(|error| Fault::Failed(error.to_string()))?;
        let (pool, server) = (Arc::clone(&self.pool), self.server.clone());
        let (session, head, top) = self.done(async move { pool.begin(&server).await }).await?;
        Ok(Lent { session: Some(session), head, top, engine: Arc::clone(self), _place: place })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn session(&self, server: &PostgresServer) -> Result<Session, Fault> {
        let kept = self.idle().pop().filter(|session| !session.is_closed());
        match kept {
            Some(session) => Ok(session),
            None => server.connect(self.access).await,
        }
    }

    fn keep(&self, session: Session) {
        let mut idle = self.idle();
        if idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }

    async fn row(&self, server: &PostgresServer, sql: &str, parameters: &[Box<dyn ToSql + Sync + Send>]) -> Result<Option<Row>, Fault> {
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|parameter| -> &(dyn ToSql + Sync) { &**parameter }).collect();
        let mut patience = Patience::of(server);
        loop {
            let asked = async {
                let session = self.session(server).await?;
                let row = session.row(sql, &parameters).await?;
                self.keep(session);
                Ok(row)
            };
            match asked.await {
                Err(fault) => patience.with(fault).await?,
                asked => return asked,
            }
        }
    }

    /// A session whose transaction has begun, and the state it sees: the server fixes it at the first question.
    async fn begin(&self, server: &PostgresServer) -> Result<(Session, LedgerHead, Top), Fault> {
        let mut patience = Patience::of(server);
        loop {
            let begun = async {
                let session = self.session(server).await?;
                session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                let (head, kept) = read::head_and_top(&session).await?;
                let top = Top::of(&server.seals, &head, kept.as_deref())?;
                Ok((session, head, top))
            };
            match begun.await {
                Err(fault) => patience.with(fault).await?,
                begun => return begun,
            }
        }
    }

    /// Takes a session back.
    async fn end(&self, session: Session) {
        if session.batch("ROLLBACK").await.is_ok() {
            self.keep(session);
        }
    }
}

impl Lent {
    /// The session, until it is given back.
    pub(super) fn session(&self) -> Result<&Session, Fault> {
        self.session.as_ref().ok_or_else(|| Fault::Failed("its view has ended".into()))
    }

    /// Whose it is.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let pool = Arc::clone(&self.engine.pool);
            self.engine.go_on(async move { pool.end(session).await });
        }
    }
}
