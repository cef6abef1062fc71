//! `/_sandbox/`: the unsigned endpoints through which a rehearsal looks into the sandbox and pays codes. Loopback is their guard.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::http::{HttpAnswer, Request};
use super::payment::{PaymentScript, Quirk};
use super::server::{Shared, dispatch};
use super::wire;

/// What their paths begin with.
pub(super) const PREFIX: &str = "/_sandbox/";

/// `POST /_sandbox/pay`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayBody {
    payment_code: String,
    /// Now, when absent.
    paid_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    amount: Option<u64>,
    quirk: Option<Quirk>,
    #[serde(default)]
    quirks: Vec<Quirk>,
}

/// Answers one of:
/// `GET /_sandbox/orders`, `GET /_sandbox/calls`, `POST /_sandbox/pay`.
pub(super) fn answer(shared: &Arc<Shared>, request: &Request) -> HttpAnswer {
    let path = request.target().strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "orders") => json(200, shared.model().orders()),
        ("GET", "calls") => json(200, shared.model().calls()),
        ("POST", "pay") => pay(shared, &request.body),
        _ => error(404, "there are `GET /_sandbox/orders`, `GET /_sandbox/calls` and `POST /_sandbox/pay`"),
    }
}

fn pay(shared: &Arc<Shared>, body: &Bytes) -> HttpAnswer {
    let body: PayBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(problem) => return error(400, &problem.to_string()),
    };
    let script = PaymentScript {
        paid_at: body.paid_at.unwrap_or_else(|| shared.clock.now()),
        sent_at: body.sent_at,
        amount: body.amount,
        quirks: body.quirk.into_iter().chain(body.quirks).collect(),
    };
    let paid = shared.model().pay(&body.payment_code, &script);
    match paid {
        Ok(message) => match dispatch(shared, message.clone()) {
            Ok(()) => json(200, &message),
            Err(problem) => error(500, &format!("the notification log cannot be written: {problem}")),
        },
        Err(problem) => error(409, &problem.to_string()),
    }
}

fn json<T: Serialize + ?Sized>(status: u16, value: &T) -> HttpAnswer {
    let body = serde_json::to_vec(value).unwrap_or_default().into();
    HttpAnswer { status, headers: vec![("Content-Type".into(), "application/json".into())], body }
}

fn error(status: u16, message: &str) -> HttpAnswer {
    HttpAnswer { body: wire::error(message).into(), ..json(status, &()) }
}
