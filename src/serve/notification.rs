//! Notifications: verified, kept durably, acknowledged; what they mean for the books follows.

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

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
pub(super) async fn kept(shared: &Shared, received: &Received, begun: Instant) -> Response {
    let (status, fate) = fate(shared, received).await;
    concluded(shared, status, fate, begun)
}

/// A message of DOKU's that is no notification, at the URL for them: it is kept all the same, and refusing it makes it show up
/// in DOKU's Back Office as well.
pub(super) async fn unreadable(shared: &Shared, received: &Received, begun: Instant) -> Response {
    shared.metrics.misunderstood("notification");
    let (status, fate) = if is_kept(shared, received, line(received)).await { (StatusCode::BAD_REQUEST, "unreadable") } else { NOT_KEPT };
    concluded(shared, status, fate, begun)
}

/// A message that is not provably DOKU's, at the URL for notifications: never money.
pub(super) async fn forged(shared: &Shared, received: &Received, why: &str, begun: Instant) -> Response {
    shared.records.append(Kind::Forged, received.at, received.forged_line(why)).await;
    concluded(shared, StatusCode::UNAUTHORIZED, "forged", begun)
}

/// DOKU sends it again.
const NOT_KEPT: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not_kept");

fn concluded(shared: &Shared, status: StatusCode, fate: &'static str, begun: Instant) -> Response {
    shared.metrics.notification(fate, begun.elapsed());
    status.into_response()
}

fn line(received: &Received) -> Vec<u8> {
    received.line(&serde_json::Map::new())
}

async fn is_kept(shared: &Shared, received: &Received, line: Vec<u8>) -> bool {
    let is_kept = shared.notifications.append(Kind::Notifications, received.at, line).await;
    shared.health.log(is_kept);
    is_kept
}

async fn fate(shared: &Shared, received: &Received) -> (StatusCode, &'static str) {
    let line = line(received);
    let line_digest = digest::of_bytes(&line);
    let (payment, fate) = meaning(received, line_digest);
    // Known before it is durable: between the two, and for as long as the disk is full, the counter must not take the money again.
    if let Some(payment) = &payment {
        shared.books.arrived(payment);
    }
    if !is_kept(shared, received, line).await {
        return NOT_KEPT;
    }
    if fate == MISUNDERSTOOD {
        shared.metrics.misunderstood("notification");
    }
    if let Some(payment) = payment {
        shared.books.paid(payment);
    } else if let Some(claim) = received.text().and_then(claim::claim) {
        shared.books.not_understood(claim, line_digest);
    }
    (StatusCode::OK, fate)
}

/// Acknowledged, because sending it again will not help, and listed by `reconcile`.
const MISUNDERSTOOD: &str = "unusable";

/// The payment it tells of, if it does, and what it is called in metrics.
fn meaning(received: &Received, line_digest: Digest) -> (Option<Payment>, &'static str) {
    match notification::parse(received.text().unwrap_or_default()) {
        Message::Notification(found) if found.status == TransactionStatus::Success => {
            let payment = payment(&found, received.at, line_digest);
            let fate = if payment.is_some() { "payment" } else { MISUNDERSTOOD };
            (payment, fate)
        }
        Message::Notification(_) => (None, "not_final"),
        Message::OtherService => (None, "other_service"),
        Message::Unusable(_) => (None, MISUNDERSTOOD),
    }
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
