//! Serve: the server in front, the ledger behind it, and what keeps the two together.
//!
//! A payment is in the log before it is acknowledged; the ledger follows in the background, and after a crash it is caught
//! up from the log. Until then no inquiry is answered, because a paid bill could pass for unpaid.

mod books;
mod overview;
mod unkept;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::books::LedgerBooks;
use super::evidence::{self, EvidenceOptions};
use super::holding_bills;
use super::ingest::{self, IngestError, IngestOptions};
use super::stop::Stop;
use crate::clock::{self, Clock, Stopwatch};
use crate::doku::keyring::Keyring;
use crate::domain::calendar::wib_date;
use crate::domain::classify::MatchingPolicy;
use crate::domain::payment::Payment;
use crate::evidence::EvidenceError;
use crate::exit::{Exit, Explained, Explanation};
use crate::ledger::{Ledger, LedgerError};
use crate::serve::health::Health;
use crate::serve::log::LogFolder;
use crate::serve::metrics::Metrics;
use crate::serve::{Books as _, ServeError, ServeSettings, Server, Surroundings};
use crate::spool::KeepingError;

/// How often the ledger is looked at, and how long a failed write waits.
const TICK: Duration = Duration::from_secs(1);
/// How long payments gather before they are written together.
const GATHER: Duration = Duration::from_millis(50);
/// Payments written together at most.
const BATCH: usize = 4_096;
/// Between two looks for days to close.
const CLOSING: Duration = Duration::from_mins(1);

/// What a run is told.
#[derive(Debug)]
pub struct ServeOptions {
    /// The server's part.
    pub settings: ServeSettings,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where health and metrics are; beside the rest without it.
    pub admin_listen: Option<SocketAddr>,
    /// The logs.
    pub folder: LogFolder,
    /// What the rules leave to the merchant, for reading earlier logs.
    pub policy: MatchingPolicy,
    /// How long after a WIB day's end its logs are compressed.
    pub close_after: SignedDuration,
    /// What time it is.
    pub clock: Clock,
    /// Where days that are over become evidence, if they do.
    pub evidence: Option<EvidenceOptions>,
}

/// Why serving ended before it was asked to, or never began.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// The server's own.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// An earlier log cannot be read, or added to the evidence store.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The ledger could not be caught up with the logs.
    #[error(transparent)]
    CatchingUp(#[from] IngestError),
    /// What was read of the logs cannot be kept meanwhile.
    #[error(transparent)]
    Keeping(#[from] KeepingError),
    /// The ledger failed while it was being caught up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A part of the program ended that never should.
    #[error("a task of the server has failed\nhint: this is a defect; start again, nothing acknowledged is lost")]
    Task,
}

impl Explained for ServingError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Serve(error) => error.explanation(),
            Self::Evidence(error) => error.explanation(),
            Self::CatchingUp(error) => error.explanation(),
            Self::Keeping(error) => error.explanation(),
            Self::Ledger(error) => error.explanation(),
            Self::Task => Explanation::plain(Exit::Disk),
        }
    }
}

/// Serves until `stop`, then drains. `listening` hears the addresses once connections are taken.
///
/// # Errors
/// [`ServingError`]; what was acknowledged is in the logs in any case.
pub async fn serve<L: Ledger + Send + 'static>(
    ledger: L,
    options: ServeOptions,
    stop: &Stop,
    listening: impl FnOnce(SocketAddr, Option<SocketAddr>),
) -> Result<(), ServingError> {
    let (metrics, health) = (Arc::new(Metrics::default()), Arc::new(Health::default()));
    let books = Arc::new(LedgerBooks::new(ledger, Arc::clone(&metrics)));
    // Before the first connection: what they bring is not an earlier run's.
    let logs = options.folder.open_notifications()?;
    if let Err(error) = books.hear(&options.settings.keys).await {
        tracing::error!(%error, "which keys were revoked is heard once the ledger is back");
    }
    let around = Surroundings {
        folder: options.folder.clone(),
        clock: options.clock.clone(),
        metrics: Arc::clone(&metrics),
        health: Arc::clone(&health),
    };
    let books_of_server: Arc<dyn crate::serve::Books> = Arc::<LedgerBooks<L>>::clone(&books);
    let server = Server::start(options.settings.clone(), books_of_server, around, options.listen, options.admin_listen).await?;
    listening(server.address, server.admin_address);
    let follower = Follower { books, options, health, has_closed: AtomicBool::new(true) };
    let ended = tokio::select! {
        () = stop.asked() => Ok(()),
        failed = follower.run(logs) => failed.map(|never| match never {}),
    };
    server.drain().await;
    if ended.is_ok() && follower.health.is_caught_up() {
        // Whatever this does not manage is in the logs.
        drop(follower.write_waiting().await);
    }
    ended
}

/// Keeps ledger and logs together.
struct Follower<L> {
    books: Arc<LedgerBooks<L>>,
    options: ServeOptions,
    health: Arc<Health>,
    /// Whether days were closed that may not be in the evidence store.
    has_closed: AtomicBool,
}

impl<L: Ledger + Send + 'static> Follower<L> {
    async fn run(&self, logs: Vec<std::path::PathBuf>) -> Result<std::convert::Infallible, ServingError> {
        while let Err(error) = self.catch_up(logs.clone()).await {
            // A server that went away comes back; anything else would be so again.
            let ServingError::Ledger(LedgerError::Unreachable { .. }) = &error else { return Err(error) };
            tracing::error!(%error, "the logs are caught up with once the ledger is back");
            clock::sleep(TICK).await;
        }
        let (mut since_closing, mut is_first) = (Stopwatch::start(), true);
        loop {
            let written = self.write_waiting().await;
            let followed =
                written.and(self.books.follow(self.options.clock.now(), &self.options.settings.keys).await.map_err(ServingError::from));
            if let Err(error) = &followed {
                tracing::error!(%error, "the ledger is not up to date; messages are kept in the log meanwhile");
            }
            if let Some(wrong) = self.books.wrong() {
                tracing::error!(wrong, "the ledger is not what was recorded");
            }
            self.health.ledger(followed.is_ok() && self.books.wrong().is_none());
            if is_first || since_closing.elapsed() >= CLOSING {
                self.forget_answers().await;
                if followed.is_ok() {
                    (since_closing, is_first) = (Stopwatch::start(), false);
                    self.close_days().await;
                }
            }
            if followed.is_err() {
                clock::sleep(TICK).await;
            } else if clock::within(TICK, self.books.paid_something()).await.is_some() {
                clock::sleep(GATHER).await;
            }
        }
    }

    /// Every payment of logs that earlier runs left open. Idempotent: most of them are known. Doubts are settled last, because they
    /// are looked for anew at every start and inquiries need not wait for them.
    async fn catch_up(&self, logs: Vec<std::path::PathBuf>) -> Result<(), ServingError> {
        // What a revoked key has signed is no payment, wherever it is read.
        self.books.hear(&self.options.settings.keys).await?;
        let (books, options) = (Arc::clone(&self.books), self.ingest_options(logs));
        let read = tokio::task::spawn_blocking(move || ingest::proved(&options)).await.map_err(|_| ServingError::Task)?;
        let ingest::Proved { payments, claims, .. } = read?;
        let (mut waiting, mut count) = (payments.iter().peekable(), 0_usize);
        while waiting.peek().is_some() {
            let part = waiting.by_ref().take(BATCH).collect::<Result<Vec<Payment>, KeepingError>>()?;
            count = count.saturating_add(part.len());
            books.ledger().apply_payments(&part).await?;
        }
        drop(waiting);
        // Held from memory at once; the ledger follows, and knows those of earlier starts.
        for (evidence, claim) in claims {
            books.not_understood(claim, evidence);
        }
        tracing::info!(payments = count, "caught up with the logs");
        self.health.caught_up();
        let mut all = payments.iter().map(|payment| Ok(payment?));
        ingest::settle::<ServingError>(books.ledger(), &mut all, self.options.clock.now()).await?;
        Ok(())
    }

    fn ingest_options(&self, logs: Vec<std::path::PathBuf>) -> IngestOptions {
        let ServeOptions { settings, policy, clock, .. } = &self.options;
        let (keys, client_id) = (Keyring::clone(&settings.keys.current()), settings.client_id.clone());
        // Its logs are of its own writing.
        let (tables, now) = (crate::table::TableSettings::default(), clock.now());
        IngestOptions { logs, evidence: None, keys, client_id, policy: policy.clone(), tables, now }
    }

    /// Writes what has been acknowledged and is not in the ledger.
    async fn write_waiting(&self) -> Result<(), ServingError> {
        self.hold().await?;
        loop {
            let payments = self.books.waiting(BATCH);
            if payments.is_empty() {
                return Ok(());
            }
            self.write(payments.clone()).await?;
            self.books.written(&payments);
        }
    }

    /// Holds the bills of which money was told and not understood.
    async fn hold(&self) -> Result<(), ServingError> {
        let (books, now) = (&self.books, self.options.clock.now());
        for (evidence, claim, bills) in books.claimed().await? {
            for state in &bills {
                holding_bills::hold(books.ledger(), state, &claim, &evidence, now).await?;
            }
            books.held(&evidence);
        }
        Ok(())
    }

    /// Settles doubts, then applies: cut between the two, both are found again.
    async fn write(&self, payments: Vec<Payment>) -> Result<(), ServingError> {
        let (ledger, now) = (self.books.ledger(), self.options.clock.now());
        ingest::settle::<LedgerError>(ledger, &mut payments.iter().cloned().map(Ok), now).await?;
        ledger.apply_payments(&payments).await?;
        Ok(())
    }

    /// Removes what no repeated inquiry may ask for any more.
    async fn forget_answers(&self) {
        let ServeOptions { settings, folder, clock, .. } = &self.options;
        let since = clock.now().checked_sub(settings.answers_kept_for()).unwrap_or(Timestamp::MIN);
        let (folder, bytes_max) = (folder.clone(), settings.limits.answers_bytes_max);
        if let Err(error) = self.books.ledger().forget_answers(since).await {
            tracing::warn!(%error, "old answers could not be removed from the ledger");
        }
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || folder.forget_answers(since, bytes_max)).await {
            tracing::warn!(%error, "old answers could not be removed");
        }
    }

    /// Compresses the logs of days that are over, if all their payments are in the ledger.
    async fn close_days(&self) {
        let quiet_since = self.options.clock.now().checked_sub(self.options.close_after).unwrap_or(Timestamp::MIN);
        let limit = self.books.oldest_waiting().map_or(quiet_since, |oldest| oldest.min(quiet_since));
        let folder = self.options.folder.clone();
        match tokio::task::spawn_blocking(move || folder.close_before(wib_date(limit))).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(files)) => {
                tracing::info!(files, "logs of days that are over were compressed");
                self.has_closed.store(true, Ordering::Relaxed);
            }
            Ok(Err(error)) => tracing::warn!(%error, "a log could not be compressed; it stays as it is"),
        }
        self.keep_evidence().await;
    }

    /// Adds the days that are over to the evidence store. What stands in the way of that stands in nothing else's: it is tried again.
    async fn keep_evidence(&self) {
        let Some(evidence) = self.options.evidence.clone().filter(|_| self.has_closed.load(Ordering::Relaxed)) else { return };
        let (folder, now) = (self.options.folder.clone(), self.options.clock.now());
        let keys = self.options.settings.keys.configured();
        let add = move || -> Result<_, ServingError> { Ok(evidence::add(&evidence, &folder.closed_notifications()?, &keys, now)?) };
        match tokio::task::spawn_blocking(add).await {
            Ok(Ok((logs, _))) => {
                self.has_closed.store(false, Ordering::Relaxed);
                for log in logs.iter().filter(|log| log.what.is_fault()) {
                    tracing::error!(log = %log.path.display(), "a log is no log, or not what it was when it was added to the evidence store");
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the days that are over could not be added to the evidence store yet"),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
