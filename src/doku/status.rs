//! What a Check Status answer says (API reference, section 5). It carries no payment code.

use serde::Deserialize;
use serde_json::Value;

use super::answer::instant;
use super::wire::{Answer, Delivery};
use crate::domain::doubt::OrderSeen;

/// What a query came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusFinding {
    /// DOKU said where the order stands, or that it knows none.
    Seen(OrderSeen),
    /// No usable answer; nothing follows from it.
    NoAnswer(String),
    /// Our credentials were refused; nothing follows for the order, much for the run.
    Refused(String),
}

#[derive(Deserialize)]
struct Body {
    transaction: Transaction,
    order: Option<Order>,
    online_to_offline_info: Option<Info>,
}

#[derive(Deserialize)]
struct Transaction {
    status: String,
}

#[derive(Deserialize)]
struct Order {
    amount: Option<Value>,
}

#[derive(Deserialize)]
struct Info {
    expired_date: Option<String>,
    expired_date_utc: Option<String>,
}

/// The path of the query for an invoice number or a request id.
#[must_use]
pub fn path(id: &str) -> String {
    format!("/orders/v1/status/{id}")
}

/// Whether an invoice number can stand in a path as it is; how DOKU signs an encoded one is unknown.
#[must_use]
pub fn fits_a_path(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// What a delivery of the query says.
#[must_use]
pub fn finding(delivery: &Delivery) -> StatusFinding {
    let answer = match delivery {
        Delivery::NotSent(reason) | Delivery::Unknown(reason) => return StatusFinding::NoAnswer(reason.clone()),
        Delivery::Answered(answer) => answer,
    };
    match answer.status {
        200..=299 => known(answer).map_or_else(StatusFinding::NoAnswer, StatusFinding::Seen),
        404 => StatusFinding::Seen(OrderSeen::NotFound),
        // A 403 closes one channel or this query, not the run.
        401 => StatusFinding::Refused(format!("HTTP {}: {}", answer.status, super::answer::error_message(&answer.body))),
        status => StatusFinding::NoAnswer(format!("HTTP {status}: {}", super::answer::error_message(&answer.body))),
    }
}

fn known(answer: &Answer) -> Result<OrderSeen, String> {
    let body: Body = serde_json::from_slice(&answer.body).map_err(|error| format!("unreadable status answer: {error}"))?;
    let amount = body.order.and_then(|order| order.amount).and_then(|amount| whole(&amount));
    let info = body.online_to_offline_info;
    let expires_at = info.and_then(|info| instant(info.expired_date_utc.as_deref(), info.expired_date.as_deref()));
    Ok(match body.transaction.status.to_ascii_uppercase().as_str() {
        "PENDING" => OrderSeen::Pending { amount, expires_at },
        "SUCCESS" => OrderSeen::Paid { amount },
        "EXPIRED" => OrderSeen::Expired,
        _ => OrderSeen::Other,
    })
}

/// A number or a string, with an empty fraction at most.
fn whole(value: &Value) -> Option<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    fraction.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> StatusFinding {
        finding(&Delivery::Answered(Answer { status, body: body.to_owned().into(), ..Answer::default() }))
    }

    #[test]
    fn the_documented_sample_is_read_and_its_expiry_is_wib() {
        let sample = r#"{"order":{"invoice_number":"INV-1","amount":"120000.0"},"transaction":{"status":"success","date":"2021-12-29T02:37:35Z"},"online_to_offline_info":{"created_date":"20211229093735","expired_date":"20211229100732","reusable_status":"false"}}"#;
        assert_eq!(of(200, sample), StatusFinding::Seen(OrderSeen::Paid { amount: Some(120_000) }));
        let StatusFinding::Seen(OrderSeen::Pending { expires_at, .. }) = of(200, &sample.replace("success", "PENDING")) else {
            panic!("not pending")
        };
        assert_eq!(expires_at.unwrap().to_string(), "2021-12-29T03:07:32Z");
    }

    #[test]
    fn an_unusable_answer_proves_nothing() {
        assert_eq!(of(404, ""), StatusFinding::Seen(OrderSeen::NotFound));
        assert!(matches!(of(500, ""), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(200, "{}"), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(403, "{}"), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(401, "{}"), StatusFinding::Refused(_)));
    }
}
