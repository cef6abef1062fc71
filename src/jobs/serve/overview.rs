//! Whether the ledger has all that was recorded, looked at beside everything else: that a code is nobody's is only as true as nothing was
//! removed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::{self, Stopwatch};
use crate::ledger::LedgerView;

/// How long an inquiry waits for what is found: a small ledger is looked over by then, and of a large one the next inquiry hears.
const WITHIN: Duration = Duration::from_millis(200);
/// Of so many parts of the time, one goes into looking at most.
const PARTS: u32 = 10;

/// What was found, and when that was.
#[derive(Debug, Default)]
struct Last {
    is_under_way: bool,
    /// Since when, and how long it took.
    ended: Option<(Stopwatch, Duration)>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Overview {
    last: Mutex<Last>,
    /// How often it was looked, and what is wrong.
    found: watch::Sender<(u64, Option<String>)>,
}

impl Default for Overview {
    fn default() -> Self {
        Self { last: Mutex::default(), found: watch::Sender::new((0, None)) }
    }
}

impl Overview {
    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        !last.is_under_way && last.ended.as_ref().is_none_or(|(since, took)| since.elapsed() >= took.saturating_mul(PARTS))
    }

    /// Looks, on a thread of its own, unless another is at it.
    pub(super) fn look(self: &Arc<Self>, view: impl LedgerView + 'static) {
        if std::mem::replace(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner).is_under_way, true) {
            return;
        }
        let (overview, runtime, started) = (Arc::clone(self), Handle::current(), Stopwatch::start());
        drop(tokio::task::spawn_blocking(move || {
            let wrong = runtime.block_on(view.whole()).err().map(|error| error.to_string());
            drop(view);
            let ended = Some((Stopwatch::start(), started.elapsed()));
            *overview.last.lock().unwrap_or_else(PoisonError::into_inner) = Last { is_under_way: false, ended };
            overview.found.send_modify(|(count, found)| (*count, *found) = (count.saturating_add(1), wrong));
        }));
    }

    /// What is wrong, as far as it was looked.
    pub(super) fn wrong(&self) -> Option<String> {
        self.found.borrow().1.clone()
    }

    /// The same, with what is being looked at just now if that is soon over.
    pub(super) async fn wrong_soon(&self) -> Option<String> {
        let mut found = self.found.subscribe();
        if self.last.lock().unwrap_or_else(PoisonError::into_inner).is_under_way {
            // The sender is `self`, so there is no error to have.
            if clock::within(WITHIN, found.changed()).await.is_none() {
                tracing::debug!("the ledger is still being looked over");
            }
        }
        self.wrong()
    }
}
