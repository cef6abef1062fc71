//! What all connections share, and what each asks of it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::answers::{Answers, Given, Kept};
use super::books::Books;
use super::health::Health;
use super::log::kind::LogKind;
use super::log::{LogWriter, Records};
use super::message::Received;
use super::metrics::Metrics;
use super::repeats::Repeats;
use super::settings::ServeSettings;
use crate::clock::Clock;

/// Looks into books and answers at once. More would only have each other wait, each with a database connection of its own.
pub(super) const LOOKS_AT_ONCE: usize = 3;

/// What all connections share.
pub(crate) struct Shared {
    pub(super) books: Arc<dyn Books>,
    pub(super) settings: ServeSettings,
    pub(super) notifications: LogWriter,
    pub(super) records: Records,
    pub(super) answers: Mutex<Answers>,
    pub(super) repeats: Mutex<Repeats>,
    /// A place for each message that is being finished.
    pub(super) under_way: Arc<Semaphore>,
    /// A place for each look.
    pub(super) looks: Semaphore,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
}

impl Shared {
    /// A look into the books, or into the log of answers, with a place of its own.
    pub(super) async fn look<T>(&self, look: impl Future<Output = T>) -> T {
        let _place = self.looks.acquire().await;
        look.await
    }

    /// An answer that was kept for `request_id`; none where its log has it no more.
    pub(super) async fn read(&self, request_id: &str, kept: &Kept) -> Option<Given> {
        let place = match kept {
            Kept::Here(given) => return Some(Given::clone(given)),
            Kept::Logged(place) => *place,
        };
        let line = self.look(async { self.records.answered(place) }).await.ok()?;
        serde_json::from_slice(&line).ok().filter(|given: &Given| given.request_id == request_id)
    }

    /// Whether a signed message is of now, and was not seen before.
    pub(super) fn is_news(&self, received: &Received) -> bool {
        const WITHOUT_WINDOW_SECONDS: u32 = 600;
        let window = if self.settings.freshness_seconds == 0 { WITHOUT_WINDOW_SECONDS } else { self.settings.freshness_seconds };
        let request_id = received.request_id().unwrap_or_default();
        received.is_fresh(window)
            && !self.repeats().has(&Repeats::mark(request_id, &received.body))
            && self.answers().lately(request_id, received.at).is_none()
    }

    pub(super) fn repeats(&self) -> std::sync::MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is not provably DOKU's, as far as there is room for it. Half the room is for what names our `Client-Id`: that may be
    /// DOKU's after all, if a key or a path is set wrongly, so it is kept whole; of what does not, its beginning will do.
    pub(super) async fn keep_forged(&self, received: &Received, why: &str) {
        let is_named = received.names(&self.settings.client_id);
        let bytes_max = self.settings.limits.forged_bytes_max / if is_named { 1 } else { 2 };
        self.records.append_within(LogKind::Forged, received.at, &received.forged_line(why, is_named), bytes_max).await;
    }

    pub(super) fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
