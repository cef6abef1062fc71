//! Leases: who is at work, for as long as the server's clock says; the number that everything it writes bears; and what it may use of
//! the rate that is everybody's.
//!
//! A holder renews its lease by heartbeat. One that was out of touch for too long is removed by whoever beats next, and records nothing
//! more from then on. It goes by its share only for as long as it is sure of it by its own monotonic clock, which began before the
//! server's did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::session::Session;
use crate::clock::Stopwatch;
use crate::domain::share::RateShare;
use crate::ledger::sql::fault::Fault;

/// Now in microseconds, by the server's clock, also within a transaction.
pub(super) const NOW: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";
/// Until when, in microseconds, a lease of `leases` counts if it lasts for `$1`: a server that was away, and first has to recover, gives
/// everybody time to come back.
pub(super) const COUNTS_UNTIL: &str =
    "GREATEST(leases.until, (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint + 2 * $1::bigint)";

/// The lease a ledger holds, if it does.
#[derive(Clone, Debug)]
pub(super) struct Lease(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    held: Mutex<Held>,
    is_lost: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) number: Option<i64>,
    pub(super) share: RateShare,
    /// When the heartbeat was sent that was answered last.
    pub(super) renewed: Option<Stopwatch>,
    pub(super) lasts: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self(Arc::new(Shared { held: Mutex::default(), is_lost: watch::Sender::new(false) }))
    }
}

impl Lease {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be used of the rate now.
    pub(super) fn share(&self) -> RateShare {
        let held = self.held();
        let is_sure = held.renewed.is_some_and(|renewed| renewed.elapsed() < held.lasts);
        if is_sure { held.share } else { RateShare::NONE }
    }

    /// Resolves when it was held and is lost.
    pub(super) async fn lost(&self) {
        // The sender is `self`, so it outlives this wait and there is no error to have.
        drop(self.0.is_lost.subscribe().wait_for(|is_lost| *is_lost).await);
    }

    /// It is lost: it counts no more, and whoever waits for that hears of it.
    pub(super) fn lose(&self) {
        self.held().renewed = None;
        self.0.is_lost.send_replace(true);
    }

    /// Goes by no more than `share` from now on.
    pub(super) fn give_way(&self, share: RateShare) {
        let mut held = self.held();
        held.share = held.share.least(share);
    }
}

/// The number of the lease that `session` may write under; none where none was taken. It stays for as long as the transaction lasts.
pub(super) async fn fence(session: &Session, lease: &Lease) -> Result<Option<i64>, Fault> {
    let number = lease.held().number;
    let Some(number) = number else { return Ok(None) };
    match session.row("SELECT number FROM leases WHERE number = $1 FOR KEY SHARE", &[&number]).await? {
        Some(_) => Ok(Some(number)),
        None => Err(Fault::LeaseLost),
    }
}

/// For columns of instants.
pub(super) fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
