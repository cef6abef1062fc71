//! The wall clock's only owner: the machine's time, or so many seconds ahead, so that a rehearsal can live through a month.
//!
//! Deciding code never reads it: `now` is an argument there.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
