//! At the counter: a customer shows a code, the merchant is asked where DOKU does not know it, money changes hands, notifications go out.

use std::io;
use std::sync::Arc;

use super::deliver;
use super::notification::NotificationMessage;
use super::notify::ResendError;
use super::payment::{PayError, PaymentScript, Quirk};
use super::question::{Inquiry, InquiryQuirk};
use super::shared::Shared;

/// Why the counter takes no money, or DOKU says nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CounterError {
    #[error(transparent)]
    Refused(#[from] PayError),
    #[error(transparent)]
    Resend(#[from] ResendError),
    #[error("{}", declined(.0))]
    Declined(Box<Inquiry>),
    #[error("the notification log cannot be written: {0}")]
    Log(#[from] io::Error),
}

/// What an inquiry that ends without a payable bill came to.
pub(super) fn declined(inquiry: &Inquiry) -> String {
    match (&inquiry.problem, &inquiry.status) {
        (Some(problem), _) => format!("the inquiry failed: {problem}"),
        (None, status) => format!("the merchant answered `{}`", status.as_deref().unwrap_or_default()),
    }
}

/// Asks the merchant about `payment_code`; `None` when there is nobody to ask, or nothing to ask because the code is registered.
pub(super) async fn inquire(shared: &Shared, payment_code: &str, quirks: &[InquiryQuirk]) -> Option<Inquiry> {
    let url = shared.inquiry_url.as_ref()?;
    let message = {
        let model = shared.model();
        model.is_inquired(payment_code).then(|| model.next_inquiry(payment_code, url.path(), quirks, shared.clock.now()))?
    };
    let answer = url.post(&message.headers, message.body.clone()).await;
    let inquiry = shared.model().conclude_inquiry(&message, answer, shared.clock.now());
    tracing::info!(number = inquiry.number, http_status = inquiry.http_status, status = inquiry.status, "an inquiry was answered");
    Some(inquiry)
}

/// Pays a code as a customer does who comes to the counter: with an inquiry first, where DOKU has to ask.
pub(super) async fn inquire_and_pay(
    shared: &Arc<Shared>,
    payment_code: &str,
    script: &PaymentScript,
    quirks: &[InquiryQuirk],
) -> Result<NotificationMessage, CounterError> {
    // A repetition or contradiction is of a payment made before; nobody comes to the counter.
    let is_payment = !script.quirks.iter().any(|quirk| matches!(quirk, Quirk::Repeated(_) | Quirk::Conflicting));
    let inquiry = if is_payment { inquire(shared, payment_code, quirks).await } else { None };
    match inquiry {
        Some(inquiry) if !inquiry.is_payable() => Err(CounterError::Declined(Box::new(inquiry))),
        _ => pay(shared, payment_code, script),
    }
}

/// Pays what the screen shows.
pub(super) fn pay(shared: &Arc<Shared>, payment_code: &str, script: &PaymentScript) -> Result<NotificationMessage, CounterError> {
    let now = shared.clock.now();
    let message = shared.model().pay_and_notify(payment_code, script, now)?;
    deliver::deliver_due(shared)?;
    Ok(message)
}

/// The Back Office's resend; gives the number of the new delivery.
pub(super) fn resend(shared: &Arc<Shared>, delivery: usize) -> Result<usize, CounterError> {
    let number = shared.model().resend(delivery, shared.clock.now())?;
    deliver::deliver_due(shared)?;
    Ok(number)
}
