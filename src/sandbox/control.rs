//! `/_sandbox/`: the unsigned endpoints through which a rehearsal looks into the sandbox and pays codes. Loopback is their guard.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::counter::{self, CounterError};
use super::form::Form;
use super::http::{HttpAnswer, Request};
use super::payment::{PaymentScript, Quirk};
use super::question::InquiryQuirk;
use super::refusal::OrderedRefusal;
use super::settlement::Layout;
use super::shared::Shared;
use super::{guard, wire};

/// What their paths begin with.
pub(super) const PREFIX: &str = "/_sandbox/";

const ENDPOINTS: &str = "there are `GET` `orders`, `calls`, `inquiries`, `deliveries`, `settlement` and `POST` `pay`, `inquire`, `resend`, `status`, `refuse`, `key`";

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
    #[serde(default)]
    inquiry_quirks: Vec<InquiryQuirk>,
    /// `false` is the quirk `lost`.
    notify: Option<bool>,
}

/// `POST /_sandbox/inquire`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InquireBody {
    payment_code: String,
    #[serde(default)]
    quirks: Vec<InquiryQuirk>,
}

/// `POST /_sandbox/status`: what Check Status calls an order; without `status` what it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusBody {
    invoice_number: String,
    status: Option<String>,
}

/// `POST /_sandbox/key`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    secret: String,
}

/// `POST /_sandbox/resend`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendBody {
    delivery: usize,
}

/// Answers the endpoint a request names.
pub(super) async fn answer(shared: &Arc<Shared>, request: &Request) -> HttpAnswer {
    if let Err(stranger) = guard::check(request) {
        return error(403, &stranger.to_string());
    }
    let path = request.target().strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "orders") => json(200, shared.model().orders()),
        ("GET", "calls") => json(200, shared.model().calls()),
        ("GET", "inquiries") => json(200, shared.model().inquiries()),
        ("GET", "deliveries") => json(200, shared.model().deliveries()),
        ("GET", "settlement") => settlement(shared, &Form::of_query(&request.path)),
        ("POST", "pay") => match read::<PayBody>(&request.body) {
            Ok(body) => pay(shared, body).await,
            Err(refusal) => refusal,
        },
        ("POST", "inquire") => match read::<InquireBody>(&request.body) {
            Ok(body) => inquire(shared, &body).await,
            Err(refusal) => refusal,
        },
        ("POST", "resend") => match read::<ResendBody>(&request.body) {
            Ok(body) => settled(counter::resend(shared, body.delivery).map(|number| serde_json::json!({ "delivery": number }))),
            Err(refusal) => refusal,
        },
        ("POST", "status") => read::<StatusBody>(&request.body).map_or_else(|refusal| refusal, |body| call_order(shared, body)),
        ("POST", "refuse") => read::<OrderedRefusal>(&request.body).map_or_else(|refusal| refusal, |body| refuse_next(shared, body)),
        ("POST", "key") => read::<KeyBody>(&request.body).map_or_else(|refusal| refusal, |body| change_key(shared, body)),
        _ => error(404, ENDPOINTS),
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, HttpAnswer> {
    serde_json::from_slice(body).map_err(|problem| error(400, &problem.to_string()))
}

async fn pay(shared: &Arc<Shared>, body: PayBody) -> HttpAnswer {
    let lost = (body.notify == Some(false)).then_some(Quirk::Lost);
    let script = PaymentScript {
        paid_at: body.paid_at.unwrap_or_else(|| shared.clock.now()),
        sent_at: body.sent_at,
        amount: body.amount,
        quirks: body.quirk.into_iter().chain(body.quirks).chain(lost).collect(),
    };
    settled(counter::inquire_and_pay(shared, &body.payment_code, &script, &body.inquiry_quirks).await)
}

async fn inquire(shared: &Arc<Shared>, body: &InquireBody) -> HttpAnswer {
    match counter::inquire(shared, &body.payment_code, &body.quirks).await {
        Some(inquiry) => json(200, &inquiry),
        None => error(409, "nobody is asked about this code: it is registered, has another prefix, or no inquiry URL is set"),
    }
}

fn call_order(shared: &Shared, body: StatusBody) -> HttpAnswer {
    if shared.model().call_order(&body.invoice_number, body.status) {
        json(200, &())
    } else {
        error(404, "there is no such order; `GET /_sandbox/orders` lists them")
    }
}

fn refuse_next(shared: &Shared, refusal: OrderedRefusal) -> HttpAnswer {
    if !(400..600).contains(&refusal.status) || refusal.count == 0 {
        return error(400, "`status` is 400 to 599, `count` at least 1");
    }
    shared.model().refuse_next(refusal);
    json(200, &())
}

fn change_key(shared: &Shared, body: KeyBody) -> HttpAnswer {
    if body.secret.is_empty() {
        return error(400, "`secret` is empty");
    }
    shared.model().change_secret(SecretString::from(body.secret));
    json(200, &())
}

fn settlement(shared: &Shared, query: &Form) -> HttpAnswer {
    if !matches!(query.get("format"), None | Some("csv")) {
        return error(400, "`format` can only be `csv`");
    }
    let layout = match query.get("variant") {
        None | Some("current") => Layout::Current,
        Some("old") => Layout::Old,
        Some(_) => return error(400, "`variant` is `current` or `old`"),
    };
    let Ok(date) = query.get("date").map(str::parse::<Date>).transpose() else {
        return error(400, "`date` is a payout day such as `2026-10-09`; without one, everything paid so far is settled");
    };
    let headers = vec![("Content-Type".into(), "text/csv; charset=utf-8".into())];
    HttpAnswer { status: 200, headers, body: shared.model().settlement(date, layout).into() }
}

fn settled<T: Serialize>(outcome: Result<T, CounterError>) -> HttpAnswer {
    match outcome {
        Ok(value) => json(200, &value),
        Err(problem @ CounterError::Log(_)) => error(500, &problem.to_string()),
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
