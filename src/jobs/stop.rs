//! Stopping a run: one place where signals, deadlines, the breaker and refused credentials meet. The first reason stands.

use tokio::sync::watch;

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
pub struct Stop(watch::Sender<Option<StopReason>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks for a stop. Later reasons change nothing.
    pub fn ask(&self, reason: StopReason) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.0.borrow().clone()
    }

    /// Resolves when a stop is asked for.
    pub async fn asked(&self) {
        let mut receiver = self.0.subscribe();
        // The sender is `self`, so it outlives this wait and there is no error to have.
        drop(receiver.wait_for(Option::is_some).await);
    }
}
