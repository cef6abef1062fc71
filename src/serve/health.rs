//! Whether all is well, in parts: one that fails makes `/readyz` (and `/healthz`) say so, and names itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A payment that has waited longer than this for the ledger is stuck, whatever the last try to write said.
const BEHIND_MAX: Duration = Duration::from_mins(1);

/// What is said when nothing is wrong.
pub(super) const READY: &str = "ready";

/// The state of a serving process. Everything begins unwell except the log.
#[derive(Debug, Default)]
pub struct Health {
    caught_up: AtomicBool,
    ledger_fails: AtomicBool,
    log_fails: AtomicBool,
}

impl Health {
    /// Every message of earlier runs is in the ledger.
    pub fn caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    /// Whether inquiries can be answered: before, a paid bill could pass for unpaid.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// How the last try to bring the ledger up to date ended.
    pub fn ledger(&self, works: bool) {
        self.ledger_fails.store(!works, Ordering::Release);
    }

    /// How the last try to make messages durable ended.
    pub fn log(&self, works: bool) {
        self.log_fails.store(!works, Ordering::Release);
    }

    /// Whether the last message could not be made durable.
    #[must_use]
    pub fn log_fails(&self) -> bool {
        self.log_fails.load(Ordering::Acquire)
    }

    /// `ready`, or what is wrong; `behind` is how long the first payment in the log has waited for the ledger.
    #[must_use]
    pub fn word(&self, behind: Duration) -> &'static str {
        if !self.is_caught_up() {
            "starting"
        } else if self.log_fails() {
            "log failing"
        } else if self.ledger_fails.load(Ordering::Acquire) || behind > BEHIND_MAX {
            "ledger behind"
        } else {
            READY
        }
    }
}
