//! Whether a merchant's answer to an inquiry is in order. DOKU's table is applied to the letter, so that a slip shows here and not
//! at a counter.

use serde_json::Value;

use super::http::HttpAnswer;
use super::question::{InquiryMessage, Payable};
use super::reception::Reception;
use super::till::{INSURANCE, Till};
use crate::doku::signature::{Components, SignatureError, Stamp};
use crate::domain::amount::Amount;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::ids::InvoiceNumber;

/// The words an answer may say, each with its HTTP status.
pub(super) const STATUSES: [(&str, u16); 6] = [
    ("success", 200),
    ("decline", 400),
    ("billing_already_paid", 400),
    ("billing_was_expired", 400),
    ("billing_not_found", 404),
    ("invalid_signature", 401),
];

/// What an answer that is in order means.
pub(super) enum Verdict {
    /// The customer may pay.
    Payable(Payable),
    /// The counter takes no money, for the reason the answer gives.
    Declined,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("the answer has no `{0}` header")]
    Header(&'static str),
    #[error("the answer's `{0}` is not the inquiry's")]
    Echo(&'static str),
    #[error("the answer's `Response-Timestamp` is not a UTC time in whole seconds\nhint: DOKU writes and expects `2026-10-05T12:00:00Z`")]
    Stamp,
    #[error(
        "the answer's signature does not hold: {0}\nhint: sign `Client-Id`, `Request-Id`, `Response-Timestamp`, the path as `Request-Target`, and the `Digest` of the exact body"
    )]
    Signature(SignatureError),
    #[error("the answer is no JSON object")]
    NotJson,
    #[error(
        "the answer's `online_to_offline_inquiry.status` is none of success, decline, billing_already_paid, billing_was_expired, billing_not_found, invalid_signature"
    )]
    Status,
    #[error("`{status}` belongs to HTTP {expected}, and the answer came with HTTP {found}")]
    Http { status: &'static str, expected: u16, found: u16 },
    #[error("the answer's `{0}` is missing")]
    Missing(&'static str),
    #[error("the answer's `{0}` is not what DOKU takes: {1}")]
    Field(String, String),
}

fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str)
}

const STATUS: &str = "/online_to_offline_inquiry/status";

/// The answer's own word, whatever else is wrong with it; only a known one is repeated.
pub(super) fn status(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let word = text(&body, STATUS)?;
    STATUSES.iter().any(|(known, _)| *known == word).then(|| word.to_owned())
}

/// Judges `answer`: headers and signature first, then the status, then the fields.
pub(super) fn judge(reception: &Reception, message: &InquiryMessage, answer: &HttpAnswer) -> Result<Verdict, Flaw> {
    let header = |name: &'static str| answer.header(name).ok_or(Flaw::Header(name));
    let (client_id, request_id) = (header("Client-Id")?, header("Request-Id")?);
    let (stamp, signature) = (header("Response-Timestamp")?, header("Signature")?);
    if client_id != reception.settings.client_id {
        return Err(Flaw::Echo("Client-Id"));
    }
    if request_id != message.request_id {
        return Err(Flaw::Echo("Request-Id"));
    }
    if stamp.parse().ok().is_none_or(|at| format_utc_seconds(at) != stamp) {
        return Err(Flaw::Stamp);
    }
    verify(reception, message, stamp, signature, &answer.body).map_err(Flaw::Signature)?;
    let body: Value = serde_json::from_slice(&answer.body).ok().filter(Value::is_object).ok_or(Flaw::NotJson)?;
    let word = text(&body, STATUS).unwrap_or_default();
    let &(status, expected) = STATUSES.iter().find(|(known, _)| *known == word).ok_or(Flaw::Status)?;
    if answer.status != expected {
        return Err(Flaw::Http { status, expected, found: answer.status });
    }
    match body.pointer("/online_to_offline_info/payment_code") {
        Some(code) if code.as_str() != Some(&message.payment_code) => return Err(Flaw::Echo("payment_code")),
        None if status == "success" => return Err(Flaw::Missing("online_to_offline_info.payment_code")),
        Some(_) | None => {}
    }
    if status == "success" { payable(&body, &answer.body).map(Verdict::Payable) } else { Ok(Verdict::Declined) }
}

fn payable(body: &Value, bytes: &[u8]) -> Result<Payable, Flaw> {
    let wrong = |name: &str, why: String| Flaw::Field(name.into(), why);
    let invoice_number = text(body, "/order/invoice_number").ok_or(Flaw::Missing("order.invoice_number"))?;
    let invoice_number = InvoiceNumber::new(invoice_number).map_err(|error| wrong("order.invoice_number", error.to_string()))?;
    let amount = body.pointer("/order/amount").ok_or(Flaw::Missing("order.amount"))?;
    let amount = amount.as_u64().ok_or_else(|| wrong("order.amount", "it is no whole number".into()))?;
    let amount = Amount::new(amount).map_err(|error| wrong("order.amount", error.to_string()))?;
    let name = text(body, "/customer/name").filter(|name| !name.trim().is_empty());
    name.ok_or(Flaw::Missing("customer.name"))?;
    let limits =
        [("customer.name", 64), ("customer.email", 128), ("online_to_offline_info.info", 30), ("alfa_info.receipt.footer_message", 120)];
    let insurance = INSURANCE.map(|(name, _)| (format!("additional_info.insurance_info.{name}"), 64));
    let limits = limits.into_iter().map(|(name, length_max)| (name.to_owned(), length_max)).chain(insurance);
    for (name, length_max) in limits {
        match body.pointer(&format!("/{}", name.replace('.', "/"))) {
            None => {}
            Some(Value::String(text)) if text.chars().count() <= length_max => {}
            Some(Value::String(_)) => return Err(wrong(&name, format!("it has more than {length_max} characters"))),
            Some(_) => return Err(wrong(&name, "it is no text".into())),
        }
    }
    let override_url = text(body, "/additional_info/override_notification_url").map(Into::into);
    Ok(Payable { invoice_number, amount, override_url, till: Till::of_answer(bytes) })
}

/// Verifies the signature of an answer: as DOKU signs its own answers, with the inquiry's id and path.
pub(super) fn verify(
    reception: &Reception,
    message: &InquiryMessage,
    response_timestamp: &str,
    signature: &str,
    answer: &[u8],
) -> Result<(), SignatureError> {
    let (client_id, request_id, target) = (reception.settings.client_id.as_str(), message.request_id.as_str(), message.target.as_str());
    let components = Components { client_id, request_id, stamp: Stamp::Response(response_timestamp), target, body: Some(answer) };
    reception.key.verify(&components, signature)
}
