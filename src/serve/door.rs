//! From a whole message to its answer: whose it is, what it is, and that it is finished whoever has hung up.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::message::{Door, Received, Signer};
use super::places::Origin;
use super::shared::Shared;
use super::{inquiry, notification};
use crate::clock::Stopwatch;
use crate::doku::incoming::Incoming;

/// Finishes what was received, in a task that no client can cancel: a notification that is in the log reaches the books. So
/// many at a time as there may be connections; further ones wait, and whoever hangs up before that has told us nothing.
pub(super) async fn finished(shared: &Arc<Shared>, received: Received, from: Origin) -> Response {
    let failed = || StatusCode::SERVICE_UNAVAILABLE.into_response();
    let Ok(place) = Arc::clone(&shared.under_way).acquire_owned().await else { return failed() };
    let shared = Arc::clone(shared);
    let work = tokio::spawn(async move {
        let response = answered(&shared, received, &from).await;
        drop(place);
        response
    });
    work.await.unwrap_or_else(|_| failed())
}

async fn answered(shared: &Arc<Shared>, received: Received, from: &Origin) -> Response {
    let begun = Stopwatch::start();
    let (keys, door) = (shared.settings.keys.current(), received.door);
    let signer = match received.signer(&keys, &shared.settings.client_id) {
        Ok(signer) => signer,
        Err(why) => {
            return match door {
                Door::Inquiry => {
                    // What we sign proves to whoever has it that our key was at work, and a stranger chooses its id.
                    let present = keys.first().filter(|_| shared.settings.sign_refusals);
                    let present = present.map(|key| Signer { key, target: received.path() });
                    inquiry::forged(shared, &received, present, why, begun).await
                }
                Door::Notification => notification::forged(shared, &received, why, begun).await,
            };
        }
    };
    // What was recorded once and is sent again proves nothing.
    if shared.is_news(&received) {
        from.is_proven();
    }
    match (received.is(), door) {
        (Incoming::Notification, _) => {
            if door != Door::Notification {
                shared.metrics.misrouted("notification");
                tracing::warn!("a notification came to the Inquiry URL: it is kept, but its URL should be corrected at DOKU");
            }
            notification::kept(shared, &received, begun).await
        }
        (Incoming::Inquiry, _) => {
            if door != Door::Inquiry {
                shared.metrics.misrouted("inquiry");
                tracing::warn!("an inquiry came to the Notification URL: it is answered, but its URL should be corrected at DOKU");
            }
            inquiry::answered(shared, &received, signer, begun).await
        }
        (Incoming::Neither, Door::Inquiry) => inquiry::no_question(shared, &received, signer, begun).await,
        (Incoming::Neither, Door::Notification) => notification::unreadable(shared, &received, begun).await,
    }
}
