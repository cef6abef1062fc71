//! Time's only owner: the wall clock (the machine's time, or so many seconds ahead, so that a rehearsal can live through a month), how
//! long something takes, and waiting.
//!
//! Deciding code never reads it: `now` is an argument there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A clock that can be moved; clones move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's time, shifted.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods, reason = "the one owner of the wall clock")]
        let machine = Timestamp::now();
        let ahead = SignedDuration::from_secs(self.ahead_seconds.load(Ordering::Relaxed));
        machine.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Makes it `at` now; from there it goes on at its ordinary pace.
    pub fn set(&self, at: Timestamp) {
        let machine = Self::default().now();
        self.ahead_seconds.store(at.as_second().saturating_sub(machine.as_second()), Ordering::Relaxed);
    }
}

/// How long something takes, on the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since its start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waiting that is under way, as part of something else that waits.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The same, to be kept.
#[must_use]
pub fn waiting(duration: Duration) -> Waiting {
    Box::pin(sleep(duration))
}

/// What is sent within `limit`; none where it takes longer, or nobody is left to send it.
#[must_use]
pub fn received<T>(from: &std::sync::mpsc::Receiver<T>, limit: Duration) -> Option<T> {
    from.recv_timeout(limit).ok()
}

/// What `work` comes to, unless it takes longer than `limit`.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
