//! The way in: DOKU's inquiries answered, its notifications kept, over HTTP/1.1.
//!
//! Belongs here: sockets and their limits, verification of what arrives, the logs, health and metrics. Must not be here: the
//! ledger (it stands behind [`Books`]) and whether a bill is payable (`domain::inquiry`).

mod answers;
mod books;
pub mod codes;
mod door;
mod error;
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
mod settings;
mod shared;
mod stream;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::answers::Answers;
pub use self::books::{Books, BooksFuture, InquiredBill, NotNamed};
pub use self::error::ServeError;
use self::health::Health;
use self::log::LogFolder;
use self::log::kind::LogKind;
use self::metrics::Metrics;
pub use self::settings::{ClientLimits, ServeSettings};
use self::shared::{LOOKS_AT_ONCE, Shared};
use crate::clock::{self, Clock, Stopwatch};

/// Threads that a server is to have at least: one for its sockets while all looks wait for a disk. A look takes a tenth of a millisecond, and
/// handing it to a thread of its own took ten times as long on a busy processor.
pub const THREADS_MIN: usize = LOOKS_AT_ONCE + 1;

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
