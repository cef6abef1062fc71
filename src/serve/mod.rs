//! The way in: DOKU's inquiries answered, its notifications kept, over HTTP/1.1.
//!
//! Belongs here: sockets and their limits, verification of what arrives, the logs, health and metrics. Must not be here: the
//! ledger (it stands behind [`Books`]) and whether a bill is payable (`domain::inquiry`).

mod answers;
mod books;
pub mod codes;
mod door;
pub mod health;
mod inquiry;
pub mod keys;
mod listener;
pub mod log;
mod message;
pub mod metrics;
mod notification;
mod places;
mod repeats;
mod router;
mod stream;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::answers::Answers;
pub use self::books::{Books, BooksFuture, InquiredBill, NotNamed};
use self::health::Health;
use self::keys::Keys;
use self::log::{LogFolder, LogKind, LogWriter, Records};
use self::message::Received;
use self::metrics::Metrics;
use self::repeats::Repeats;
use crate::clock::{self, Clock, Stopwatch};
use crate::doku::info::InfoKey;
use crate::doku::inquiry::InvalidSignature;
use crate::domain::code::StableCode;

/// What a server is told.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// The public paths, which DOKU signs.
    pub inquiry_path: String,
    /// See `inquiry_path`.
    pub notification_path: String,
    /// Our `Client-Id`.
    pub client_id: String,
    /// The keys that may have signed.
    pub keys: Arc<Keys>,
    /// See [`InvalidSignature`].
    pub invalid_signature: InvalidSignature,
    /// What stands between a bill's number and what an inquiry adds to it; empty: inquiries are answered with the bill's number.
    pub inquiry_suffix: String,
    /// Whether a refusal of a known code names its order and customer.
    pub refusal_details: bool,
    /// Whether the refusal of what is not provably DOKU's is signed.
    pub sign_refusals: bool,
    /// What the text is called that a counter shows.
    pub info_key: InfoKey,
    /// How far an inquiry's timestamp may be from now, in seconds; 0 for any distance.
    pub freshness_seconds: u32,
    /// Stands in an answer for a customer whose name is not kept.
    pub customer_name: String,
    /// See [`Limits`].
    pub limits: ClientLimits,
}

/// What one client, and all of them together, may take.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// Connections at a time; more are turned away.
    pub connections_max: usize,
    /// Connections at a time from one address; more of it are turned away.
    pub per_address_max: usize,
    /// Addresses that speak for many, and are not counted so.
    pub proxies: Vec<IpAddr>,
    /// Bytes of a body; more is 413.
    pub body_bytes_max: usize,
    /// How long a request's head may take, and how long a connection may idle before it.
    pub header_timeout: Duration,
    /// How long a body may take, and how long an answer may find nobody who reads it.
    pub body_timeout: Duration,
    /// How long requests under way may take once a stop is asked for.
    pub drain: Duration,
    /// Bytes a day that strangers' messages may take in the log.
    pub forged_bytes_max: u64,
    /// Bytes of the log's disk that strangers' messages leave free.
    pub reserved_bytes: u64,
    /// Bytes that answers may take, kept to be repeated.
    pub answers_bytes_max: u64,
}

/// Why there is no server (exit 2, 6 or 9; see [`codes`]).
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// See [`codes::FOLDER`].
    #[error("E0601: the log folder `{}` cannot be used: {reason}\nhint: check the path, its permissions and free space", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// See [`codes::HELD`].
    #[error("E0602: another process writes the logs in `{}`\nhint: stop it, or set another `serve.log_dir`", path.display())]
    Held {
        /// Which folder.
        path: PathBuf,
    },
    /// See [`codes::LISTEN`].
    #[error("E0603: `{address}` cannot be listened on: {reason}\nhint: choose another address, or stop what uses it")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
}

impl ServeError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> StableCode {
        match self {
            Self::Folder { .. } => codes::FOLDER,
            Self::Held { .. } => codes::HELD,
            Self::Listen { .. } => codes::LISTEN,
        }
    }
}

/// Looks into the books at once. More would only have each other wait, each with a database connection of its own.
const LOOKS_AT_ONCE: usize = 3;

/// Threads that a server is to have at least: one for its sockets while all looks wait for a disk. A look takes a tenth of a millisecond, and
/// handing it to a thread of its own took ten times as long on a busy processor.
pub const THREADS_MIN: usize = LOOKS_AT_ONCE + 1;

/// What all connections share.
pub(crate) struct Shared {
    books: Arc<dyn Books>,
    settings: ServeSettings,
    notifications: LogWriter,
    records: Records,
    answers: Mutex<Answers>,
    repeats: Mutex<Repeats>,
    /// A place for each message that is being finished.
    under_way: Arc<Semaphore>,
    /// A place for each look into the books.
    looks: Semaphore,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    clock: Clock,
}

impl Shared {
    /// A look into the books, with a place of its own.
    async fn look<T>(&self, look: BooksFuture<'_, T>) -> T {
        let _place = self.looks.acquire().await;
        look.await
    }

    /// Whether a signed message is of now, and was not seen before.
    fn is_news(&self, received: &Received) -> bool {
        const WITHOUT_WINDOW_SECONDS: u32 = 600;
        let window = if self.settings.freshness_seconds == 0 { WITHOUT_WINDOW_SECONDS } else { self.settings.freshness_seconds };
        let request_id = received.request_id().unwrap_or_default();
        received.is_fresh(window)
            && !self.repeats().has(&Repeats::mark(request_id, &received.body))
            && self.answers().given(request_id, received.at).is_none()
    }

    fn repeats(&self) -> std::sync::MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is not provably DOKU's, as far as there is room for it. Half the room is for what names our `Client-Id`: that may be
    /// DOKU's after all, if a key or a path is set wrongly, so it is kept whole; of what does not, its beginning will do.
    async fn keep_forged(&self, received: &Received, why: &str) {
        let is_named = received.names(&self.settings.client_id);
        let bytes_max = self.settings.limits.forged_bytes_max / if is_named { 1 } else { 2 };
        self.records.append_within(LogKind::Forged, received.at, &received.forged_line(why, is_named), bytes_max).await;
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A serving server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where health and metrics are, if apart.
    pub admin_address: Option<SocketAddr>,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).field("admin_address", &self.admin_address).finish_non_exhaustive()
    }
}

/// What a server needs from its surroundings.
#[derive(Debug)]
pub struct Surroundings {
    /// Where messages are kept.
    pub folder: LogFolder,
    /// What time it is.
    pub clock: Clock,
    /// Where counts go.
    pub metrics: Arc<Metrics>,
    /// Who knows whether all is well; inquiries are answered once it says ready.
    pub health: Arc<Health>,
}

impl Server {
    /// Listens and serves: notifications at once, inquiries as soon as the health is ready.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn start(
        settings: ServeSettings,
        books: Arc<dyn Books>,
        around: Surroundings,
        listen: SocketAddr,
        admin_listen: Option<SocketAddr>,
    ) -> Result<Self, ServeError> {
        let Surroundings { folder, clock, metrics, health } = around;
        let (listener, address) = bind(listen).await?;
        let admin = match admin_listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let limits = settings.limits.clone();
        let answers = Answers::read_back(&folder, settings.answers_kept_for(), limits.answers_bytes_max, clock.now());
        let notifications = folder.writer(limits.reserved_bytes, &metrics)?;
        let records = folder.records(limits.reserved_bytes, &metrics)?;
        let (answers, under_way) = (Mutex::new(answers), Arc::new(Semaphore::new(limits.connections_max)));
        let shared = Arc::new(Shared {
            books,
            settings,
            notifications,
            records,
            answers,
            repeats: Mutex::default(),
            under_way,
            looks: Semaphore::new(LOOKS_AT_ONCE),
            metrics,
            health,
            clock,
        });
        let (stop, _) = watch::channel(());
        let public = router::public(&shared, admin.is_none());
        let mut tasks = vec![tokio::spawn(listener::serve(listener, public, Arc::clone(&shared), limits.clone(), stop.subscribe()))];
        let mut admin_address = None;
        if let Some((listener, address)) = admin {
            admin_address = Some(address);
            let limits = ClientLimits { connections_max: 32, ..limits };
            tasks.push(tokio::spawn(listener::serve(listener, router::admin(&shared), Arc::clone(&shared), limits, stop.subscribe())));
        }
        tasks.push(tokio::spawn(try_log(Arc::clone(&shared), stop.subscribe())));
        Ok(Self { address, admin_address, shared, stop, tasks })
    }

    /// Takes no more connections, lets requests under way finish within [`Limits::drain`], and closes the logs.
    pub async fn drain(self) {
        let ClientLimits { connections_max, drain, .. } = self.shared.settings.limits.clone();
        let draining = Stopwatch::start();
        drop(self.stop);
        for task in self.tasks {
            if task.await.is_err() {
                tracing::warn!("an accept loop ended early");
            }
        }
        // Messages whose senders have hung up are finished as well. Once all places are taken, no further one begins.
        let all = self.shared.under_way.acquire_many(u32::try_from(connections_max).unwrap_or(u32::MAX));
        if clock::within(drain.saturating_sub(draining.elapsed()), all).await.is_none() {
            tracing::warn!(
                "messages were still under way when the time to drain was over; what the logs have is caught up at the next start"
            );
        }
        self.shared.notifications.close();
        self.shared.records.close().await;
    }
}

/// Whoever is said not to be ready is sent nothing, and would never find out that the disk works again: so it is tried.
async fn try_log(shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    const EVERY: Duration = Duration::from_secs(1);
    while clock::within(EVERY, stop.changed()).await.is_none() {
        if shared.health.log_fails() && shared.notifications.could_append(LogKind::Notifications, shared.clock.now()).await {
            tracing::info!("the log's disk takes messages again");
            shared.health.log(true);
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |error: std::io::Error| ServeError::Listen { address, reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

impl ServeSettings {
    /// How long a repeated inquiry can pass for fresh: its timestamp may lie ahead by the whole window.
    #[must_use]
    pub fn answers_kept_for(&self) -> SignedDuration {
        const WITHOUT_WINDOW_SECONDS: i64 = 600;
        match i64::from(self.freshness_seconds) {
            0 => SignedDuration::from_secs(WITHOUT_WINDOW_SECONDS),
            seconds => SignedDuration::from_secs(seconds.saturating_mul(2)),
        }
    }
}

/// Cut to what the ledger keeps of an instant, so that log and ledger say the same.
fn received_at(clock: &Clock) -> Timestamp {
    let now = clock.now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// The kinds of day files that are compressed once their day is over; answers are only kept for as long as they may be asked
/// for again.
pub const LASTING: [LogKind; 3] = [LogKind::Notifications, LogKind::Inquiries, LogKind::Forged];
