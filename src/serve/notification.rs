//! Notifications: verified, kept durably, acknowledged; what they mean for the books follows.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::books::Books;
use super::log::kind::LogKind;
use super::message::Received;
use super::repeats::Repeats;
use super::shared::Shared;
use crate::clock::Stopwatch;
use crate::doku::claim::{self, Claim};
use crate::doku::notification::{self, Message, Notification, NotifiedAmount, TransactionStatus};
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::Payment;

/// Keeps a notification and says so. Nothing but 200 may stop DOKU from sending it again, and 200 must not be said before the
/// line is durable.
pub(super) async fn kept(shared: &Shared, received: &Received, begun: Stopwatch) -> Response {
    let (status, fate) = fate(shared, received).await;
    concluded(shared, received, status, fate, begun)
}

/// A message of DOKU's that is no notification, at the URL for them: it is kept all the same, and refusing it makes it show up
/// in DOKU's Back Office as well.
pub(super) async fn unreadable(shared: &Shared, received: &Received, begun: Stopwatch) -> Response {
    if !is_kept(shared, received, line(received)).await {
        let (status, fate) = NOT_KEPT;
        return concluded(shared, received, status, fate, begun);
    }
    shared.metrics.misunderstood("notification");
    concluded(shared, received, StatusCode::BAD_REQUEST, "unreadable", begun)
}

/// A message that is not provably DOKU's, at the URL for notifications: never money.
pub(super) async fn forged(shared: &Shared, received: &Received, why: &str, begun: Stopwatch) -> Response {
    shared.keep_forged(received, why).await;
    tracing::debug!(reason = why, "a message that is not provably DOKU's was refused");
    shared.metrics.notification("forged", begun.elapsed());
    StatusCode::UNAUTHORIZED.into_response()
}

/// DOKU sends it again.
const NOT_KEPT: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not_kept");

fn concluded(shared: &Shared, received: &Received, status: StatusCode, fate: &'static str, begun: Stopwatch) -> Response {
    let request_id = received.request_id().unwrap_or_default();
    tracing::info!(request_id, status = status.as_u16(), decision = fate, "a notification was answered");
    shared.metrics.notification(fate, begun.elapsed());
    status.into_response()
}

fn line(received: &Received) -> Vec<u8> {
    received.line(&serde_json::Map::new())
}

async fn is_kept(shared: &Shared, received: &Received, line: Vec<u8>) -> bool {
    let is_kept = shared.notifications.append(LogKind::Notifications, received.at, line).await;
    shared.health.log(is_kept);
    is_kept
}

/// What a notification means for the books.
enum Money {
    None,
    Payment(Payment),
    /// It may be money, and cannot be booked.
    Claim(Claim),
}

impl Money {
    /// Hears of it before it is durable: between the two, and for as long as the disk is full, the counter must not take it again.
    fn arrived(&self, books: &dyn Books) {
        match self {
            Self::None => {}
            Self::Payment(payment) => books.arrived(Some(&payment.payment_code), Some(&payment.invoice_number)),
            Self::Claim(claim) => books.arrived(claim.payment_code.as_ref(), claim.invoice_number.as_ref()),
        }
    }

    /// Its line is durable.
    fn kept(self, books: &dyn Books, evidence: Digest) {
        match self {
            Self::None => {}
            Self::Payment(payment) => books.paid(payment),
            Self::Claim(claim) => books.not_understood(claim, evidence),
        }
    }
}

async fn fate(shared: &Shared, received: &Received) -> (StatusCode, &'static str) {
    let mark = Repeats::mark(received.request_id().unwrap_or_default(), &received.body);
    if shared.repeats().has(&mark) {
        return (StatusCode::OK, "repeated");
    }
    let line = line(received);
    let line_digest = digest::of_bytes(&line);
    let (money, fate) = meaning(received, line_digest);
    money.arrived(&*shared.books);
    if !is_kept(shared, received, line).await {
        return NOT_KEPT;
    }
    if fate == MISUNDERSTOOD {
        shared.metrics.misunderstood("notification");
    }
    money.kept(&*shared.books, line_digest);
    if !shared.books.is_everywhere(&line_digest).await {
        // It is in the log, and will be in the books; but another host would let it be paid again until then.
        return NOT_KEPT;
    }
    shared.repeats().keep(mark);
    (StatusCode::OK, fate)
}

/// Acknowledged, because sending it again will not help, and listed by `reconcile`.
const MISUNDERSTOOD: &str = "unusable";

/// The money it tells of, and what it is called in metrics.
fn meaning(received: &Received, line_digest: Digest) -> (Money, &'static str) {
    let body = received.text().unwrap_or_default();
    let claimed = || claim::claim(body).map_or(Money::None, Money::Claim);
    match notification::parse(body) {
        Message::Notification(found) if found.status == TransactionStatus::Success => match payment(&found, received.at, line_digest) {
            Some(payment) => (Money::Payment(payment), "payment"),
            None => (claimed(), MISUNDERSTOOD),
        },
        Message::Notification(_) => (Money::None, "not_final"),
        Message::OtherService => (Money::None, "other_service"),
        Message::Unusable(_) => (claimed(), MISUNDERSTOOD),
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
