//! Which request goes where, and what is refused before anybody looks at its content.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::StreamExt as _;

use super::message::Received;
use super::{Shared, inquiry, notification, received_at};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The two URLs, and health and metrics if they have no address of their own.
pub(super) fn public(shared: &Arc<Shared>, with_admin: bool) -> Router {
    let mut router =
        Router::new().route(&shared.settings.inquiry_path, post(inquire)).route(&shared.settings.notification_path, post(notify));
    if with_admin {
        router = router.route("/healthz", get(healthz)).route("/metrics", get(metrics));
    }
    router.layer(from_fn_with_state(Arc::clone(shared), counted)).with_state(Arc::clone(shared))
}

/// Health and metrics only.
pub(super) fn admin(shared: &Arc<Shared>) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics)).with_state(Arc::clone(shared))
}

async fn counted(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let settings = &shared.settings;
    let endpoint = match request.uri().path() {
        path if path == settings.inquiry_path => "inquiry",
        path if path == settings.notification_path => "notification",
        _ => "other",
    };
    let response = next.run(request).await;
    shared.metrics.request(endpoint, response.status().as_u16());
    response
}

async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let word = shared.health.word();
    let status = if word == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{word}\n")).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS))], shared.metrics.text()).into_response()
}

async fn inquire(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match admitted(&shared, request).await {
        Ok(received) => inquiry::answered(&shared, received, Instant::now()).await,
        Err(refused) => refusal(refused),
    }
}

async fn notify(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match admitted(&shared, request).await {
        Ok(received) => notification::kept(&shared, received, Instant::now()).await,
        Err(refused) => refusal(refused),
    }
}

/// The message, if it has the outer form of one: no query (it would not be signed), JSON, a body in time and of bearable size.
async fn admitted(shared: &Shared, request: Request) -> Result<Received, StatusCode> {
    let limits = &shared.settings.limits;
    let (head, body) = request.into_parts();
    if head.uri.query().is_some() {
        return Err(StatusCode::NOT_FOUND);
    }
    if head.headers.get_all(CONTENT_TYPE).iter().any(|value| !is_json(value)) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes_max) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(limits.body_timeout, whole(body, limits.body_bytes_max)).await {
        Ok(body) => Ok(Received::new(received_at(&shared.clock), &head.headers, body?)),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// `application/json`, whatever follows it.
fn is_json(value: &HeaderValue) -> bool {
    let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
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
