//! The postman: takes from the outbox what is due, writes the log, posts, and tells the outbox what came of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;

use super::merchant::MerchantUrl;
use super::notification::{NotificationMessage, SCHEDULE_SECONDS};
use super::outbox::{DeliveryState, Due, Outcome};
use super::shared::{Shared, append_line};
use crate::clock;

/// How often a stopping sandbox looks whether the last attempts have been answered.
const LOOK: Duration = Duration::from_millis(10);

/// Makes due attempts until `stopped`.
pub(super) async fn run(shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    loop {
        let next_at = shared.model().outbox.next_at();
        let wait = next_at.map(|at| Duration::try_from(at.duration_since(shared.clock.now())).unwrap_or_default());
        let due = async {
            match wait {
                Some(wait) => clock::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stopped.changed() => break,
            () = shared.posted.notified() => {}
            () = due => {
                if let Err(error) = deliver_due(&shared) {
                    tracing::error!(%error, "the notification log could not be written");
                }
            }
        }
    }
}

/// Starts every attempt that is due now. The first attempts are in the notification log when this returns.
pub(super) fn deliver_due(shared: &Arc<Shared>) -> io::Result<()> {
    let mut written = Ok(());
    loop {
        let now = shared.clock.now();
        let due = shared.model().take_due(now);
        if due.is_empty() {
            break;
        }
        for due in due {
            written = written.and(log(shared, &due));
            attempt(shared, due);
        }
    }
    shared.posted.notify_one();
    written
}

/// What was made and not sent yet goes into the log, so that stopping loses nothing.
pub(super) fn flush(shared: &Shared) -> io::Result<()> {
    let unsent = shared.model().outbox.take_unsent();
    unsent.iter().try_for_each(|due| log(shared, due))
}

/// Waits until every attempt under way has been answered.
pub(super) async fn answered(shared: &Shared) {
    while shared.model().deliveries().iter().any(|delivery| delivery.state == DeliveryState::UnderWay) {
        clock::sleep(LOOK).await;
    }
}

/// One log line for every notification, as a merchant's log would hold it.
fn log(shared: &Shared, due: &Due) -> io::Result<()> {
    let Some(log) = shared.notification_log.as_ref().filter(|_| due.attempt == 0) else { return Ok(()) };
    let after = if due.is_held_back { SCHEDULE_SECONDS.get(1).copied().unwrap_or(0) } else { 0 };
    let received_at = due.message.sent_at.checked_add(SignedDuration::from_secs(after)).unwrap_or(due.message.sent_at);
    append_line(log, &due.message.log_line(received_at))
}

fn attempt(shared: &Arc<Shared>, due: Due) {
    let Due { number, attempt, message, .. } = due;
    let message = if attempt == 0 { message } else { later(shared, &message, attempt) };
    let request_id = message.header("Request-Id").unwrap_or_default().to_owned();
    let outcome = Outcome { request_id, sent_at: message.sent_at, ..Outcome::default() };
    match destination(shared, &message) {
        Ok(None) => {
            let words = DeliveryState::NotPosted.words().into();
            shared.model().conclude_attempt(number, Outcome { words, ..outcome }, shared.clock.now());
        }
        Err(problem) => {
            let url = message.override_notification_url.clone();
            shared.model().conclude_attempt(number, Outcome { words: problem.to_string(), url, ..outcome }, shared.clock.now());
        }
        Ok(Some(url)) => {
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                let (status, words) = match url.post(&message.headers, message.body.clone()).await {
                    Ok(answer) => (Some(answer.status), format!("HTTP {}", answer.status)),
                    Err(problem) => (None, problem),
                };
                tracing::info!(delivery = number, attempt, outcome = words, "a notification was posted");
                let outcome = Outcome { status, words, url: Some(url.to_string()), ..outcome };
                shared.model().conclude_attempt(number, outcome, shared.clock.now());
                if let Err(error) = deliver_due(&shared) {
                    tracing::error!(%error, "the notification log could not be written");
                }
            });
        }
    }
}

/// The message as a later attempt sends it: stamped by DOKU's schedule, whatever the time scale.
fn later(shared: &Shared, message: &NotificationMessage, attempt: usize) -> NotificationMessage {
    let seconds = SCHEDULE_SECONDS.get(attempt).copied().unwrap_or(0);
    let sent_at = message.sent_at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(message.sent_at);
    shared.model().redeliver(message, sent_at)
}

/// Where a message goes. An order's own URL counts only beside a configured one, and is followed only on this machine.
fn destination(shared: &Shared, message: &NotificationMessage) -> io::Result<Option<MerchantUrl>> {
    match (&shared.notification_url, &message.override_notification_url) {
        (None, _) => Ok(None),
        (Some(url), None) => Ok(Some(url.clone())),
        (Some(url), Some(other)) => MerchantUrl::parse(other, "override notification", Some(url.path())).map(Some),
    }
}
