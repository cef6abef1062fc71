//! Notifications: verified, kept durably, acknowledged; what they mean for the books follows.

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::Shared;
use super::log::Kind;
use super::message::Received;
use crate::doku::claim;
use crate::doku::notification::{self, Message, Notification, NotifiedAmount, TransactionStatus};
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::Payment;

/// Keeps a notification and says so. Nothing but 200 may stop DOKU from sending it again, and 200 must not be said before the
/// line is durable.
pub(super) async fn kept(shared: &Shared, received: Received, begun: Instant) -> Response {
    let (status, fate) = fate(shared, &received).await;
    shared.metrics.notification(fate, begun.elapsed());
    status.into_response()
}

async fn fate(shared: &Shared, received: &Received) -> (StatusCode, &'static str) {
    let target = &shared.settings.notification_path;
    if let Err(why) = received.signer(&shared.settings, target) {
        shared.records.append(Kind::Forged, received.at, received.forged_line(target, why)).await;
        return (StatusCode::UNAUTHORIZED, "forged");
    }
    let line = received.line(target, &serde_json::Map::new());
    let line_digest = digest::of_bytes(&line);
    let is_kept = shared.notifications.append(Kind::Notifications, received.at, line).await;
    shared.health.log(is_kept);
    if !is_kept {
        return (StatusCode::SERVICE_UNAVAILABLE, "not_kept");
    }
    let Some(body) = received.text().filter(|body| is_object(body)) else {
        // Signed and yet no JSON: it is in the log, and refusing it makes it show up in DOKU's Back Office as well.
        return (StatusCode::BAD_REQUEST, "unreadable");
    };
    if let Some(claim) = claim::claim(body) {
        shared.books.not_understood(claim, line_digest);
    }
    match notification::parse(body) {
        Message::Notification(found) if found.status == TransactionStatus::Success => match payment(&found, received.at, line_digest) {
            Some(payment) => {
                shared.books.paid(payment);
                (StatusCode::OK, "payment")
            }
            None => (StatusCode::OK, "unusable"),
        },
        Message::Notification(_) => (StatusCode::OK, "not_final"),
        Message::OtherService => (StatusCode::OK, "other_service"),
        Message::Unusable(_) => (StatusCode::OK, "unusable"),
    }
}

fn is_object(body: &str) -> bool {
    body.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(body).is_ok()
}

/// The payment, as `ingest` reads it from the line: none without a usable amount (reconciling reports those).
fn payment(found: &Notification<'_>, received_at: Timestamp, line_digest: Digest) -> Option<Payment> {
    let NotifiedAmount::Usable(amount) = found.amount else { return None };
    Some(Payment {
        identity: found.identity(),
        canonical: found.canonical(),
        invoice_number: InvoiceNumber::new(&found.invoice_number).ok()?,
        payment_code: PaymentCode::new(&found.payment_code).ok()?,
        channel: found.channel,
        amount,
        paid_at: Timestamp::from_microsecond(found.paid_at.as_microsecond()).ok()?,
        received_at: Some(received_at),
        line_digest,
    })
}
