//! Which request goes where, and what is refused before anybody looks at its content.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::door;
use super::health::READY;
use super::message::{Door, Received};
use super::places::Place;
use super::shared::Shared;
use crate::clock;
use crate::clock::Clock;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The two URLs, and health and metrics if they have no address of their own.
pub(super) fn public(shared: &Arc<Shared>, with_admin: bool) -> Router {
    let settings = &shared.settings;
    let mut router = Router::new().route(&settings.inquiry_path, post(taken)).route(&settings.notification_path, post(taken));
    if with_admin {
        router = router.merge(watching());
    }
    router.layer(from_fn_with_state(Arc::clone(shared), counted)).with_state(Arc::clone(shared))
}

/// Health and metrics only.
pub(super) fn admin(shared: &Arc<Shared>) -> Router {
    watching().with_state(Arc::clone(shared))
}

/// What those ask who watch the server.
fn watching() -> Router<Arc<Shared>> {
    let router = Router::new().route("/livez", get(livez)).route("/metrics", get(metrics));
    router.route("/readyz", get(readyz)).route("/healthz", get(readyz))
}

async fn counted(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let endpoint = door_at(&shared, request.uri().path()).map_or("other", Door::name);
    let response = next.run(request).await;
    shared.metrics.request(endpoint, response.status().as_u16());
    response
}

/// The process answers: nothing that a restart would mend is wrong with it.
async fn livez() -> &'static str {
    "alive\n"
}

/// Whether messages should be sent here; a failing disk is no reason to restart.
async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let word = shared.health.word(behind(&shared));
    let status = if word == READY { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{word}\n")).into_response()
}

/// How long the first payment in the log has waited for the ledger.
fn behind(shared: &Shared) -> Duration {
    let since = shared.books.behind_since();
    since.and_then(|since| Duration::try_from(shared.clock.now().duration_since(since)).ok()).unwrap_or_default()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let behind = behind(&shared);
    shared.metrics.behind(behind);
    shared.metrics.ready(shared.health.word(behind) == READY);
    ([(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS))], shared.metrics.text()).into_response()
}

fn door_at(shared: &Shared, path: &str) -> Option<Door> {
    let settings = &shared.settings;
    match path {
        path if path == settings.inquiry_path => Some(Door::Inquiry),
        path if path == settings.notification_path => Some(Door::Notification),
        _ => None,
    }
}

async fn taken(State(shared): State<Arc<Shared>>, Extension(place): Extension<Arc<Place>>, request: Request) -> Response {
    match admitted(&shared, request).await {
        Ok(received) => {
            place.finishes();
            let response = door::finished(&shared, received, place.origin()).await;
            place.waits();
            response
        }
        Err(refused) => refusal(refused),
    }
}

/// The message, if it has the outer form of one: one of the two paths, whatever its query, a body in time and of bearable size.
async fn admitted(shared: &Shared, request: Request) -> Result<Received, StatusCode> {
    let limits = &shared.settings.limits;
    let (head, body) = request.into_parts();
    let door = door_at(shared, head.uri.path()).ok_or(StatusCode::NOT_FOUND)?;
    let target = head.uri.path_and_query().map_or_else(|| head.uri.path(), |target| target.as_str());
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes_max) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match clock::within(limits.body_timeout, whole(body, limits.body_bytes_max)).await {
        Some(body) => Ok(Received::new(received_at(&shared.clock), door, target, &head.headers, body?)),
        None => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn whole(body: Body, bytes_max: usize) -> Result<Vec<u8>, StatusCode> {
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
        if whole.len().saturating_add(piece.len()) > bytes_max {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// Nothing is signed for a stranger; the connection goes, because the rest of the body may still be on its way.
fn refusal(status: StatusCode) -> Response {
    (status, [(CONNECTION, HeaderValue::from_static("close"))]).into_response()
}

/// Cut to what the ledger keeps of an instant, so that log and ledger say the same.
pub(super) fn received_at(clock: &Clock) -> Timestamp {
    let now = clock.now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
