//! Stopping a run: one place where signals, deadlines, the breaker and refused credentials meet. The first reason stands. Kept
//! beside it is what a person wants to know then: what is still under way, and what stood in the way so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::doku::wire::Delivery;
use crate::domain::tally::Tally;

/// Why a run stops before its work is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// A signal asked for it; the shell's exit code for it (130 or 143).
    Signal(u8),
    /// `--max-duration` or `--until`.
    Deadline,
    /// Too many failures in a row.
    Breaker,
    /// DOKU refused our credentials or signature.
    Credentials(String),
    /// DOKU knows no such path or method: the first operations were all answered so.
    WrongPath(String),
    /// This machine's clock is wrong.
    Clock {
        /// How far DOKU's is ahead of it (negative: behind).
        ahead_seconds: i64,
    },
    /// DOKU asked for a longer silence than a run waits out.
    Silence {
        /// How long.
        seconds: u64,
    },
}

/// Asks every worker of a run to start nothing new.
#[derive(Debug)]
pub struct Stop {
    reason: watch::Sender<Option<StopReason>>,
    under_way: AtomicU64,
    troubles: Mutex<Tally>,
    no_way: watch::Sender<Option<String>>,
}

impl Default for Stop {
    fn default() -> Self {
        let (reason, no_way) = (watch::Sender::new(None), watch::Sender::new(None));
        Self { reason, under_way: AtomicU64::new(0), troubles: Mutex::default(), no_way }
    }
}

/// A request that has left and is not answered.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stop {
    /// Asks for a stop. Later reasons change nothing.
    pub fn ask(&self, reason: StopReason) {
        self.reason.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.borrow().clone()
    }

    /// Resolves when a stop is asked for.
    pub async fn asked(&self) {
        let mut receiver = self.reason.subscribe();
        // The sender is `self`, so it outlives this wait and there is no error to have.
        drop(receiver.wait_for(Option::is_some).await);
    }

    /// Counts a request as under way until what it gives is dropped.
    pub fn sending(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// Requests that have left and are not answered: what a stop waits for.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Keeps in mind why an attempt had no success.
    pub fn heard(&self, delivery: &Delivery) {
        let trouble = match delivery {
            Delivery::NotSent(reason) | Delivery::Unknown(reason) => reason.clone(),
            // A 409 repeats an answer that was stored.
            Delivery::Answered(answer) if !matches!(answer.status, 200..300 | 409) => format!("HTTP {}", answer.status),
            Delivery::Answered(_) => return,
        };
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).add(&trouble);
        if matches!(delivery, Delivery::NotSent(_)) {
            self.no_way.send_if_modified(|first| first.is_none() && first.replace(trouble).is_none());
        }
    }

    /// Resolves with the reason when DOKU could not be reached for the first time.
    pub async fn no_way(&self) -> String {
        let mut receiver = self.no_way.subscribe();
        let first = receiver.wait_for(Option::is_some).await;
        first.ok().and_then(|first| first.clone()).unwrap_or_default()
    }

    /// Why attempts had no success, and how many: connections, TLS, time limits, HTTP statuses.
    #[must_use]
    pub fn troubles(&self) -> Tally {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
