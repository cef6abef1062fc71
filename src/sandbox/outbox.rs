//! Notifications on their way: what is due when, what came of each attempt, and when DOKU gives up. A plain value: `now` is an
//! argument, and posting is somebody else's work.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::notification::{NotificationMessage, SCHEDULE_SECONDS, redeliveries};

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// An attempt is to be made at `next_at`.
    Waiting,
    /// An attempt is under way.
    UnderWay,
    /// The merchant answered 2xx.
    Confirmed,
    /// Every attempt failed; DOKU makes no other by itself.
    GivenUp,
    /// No notification URL is set; the message is in the notification log, if there is one.
    NotPosted,
    /// Suppressed: no attempt is ever made.
    Lost,
}

impl DeliveryState {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::UnderWay => "under way",
            Self::Confirmed => "confirmed",
            Self::GivenUp => "given up",
            Self::NotPosted => "not posted: no notification URL is set",
            Self::Lost => "lost",
        }
    }
}

/// How a message is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// At once and, unless confirmed, on DOKU's schedule.
    OnSchedule,
    /// As that, but first only when another one has been answered, or 30 minutes later.
    HeldBack,
    /// At once, and never again: what DOKU did not send, or a person had sent again.
    Once,
    /// Never.
    Lost,
}

/// One attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryAttempt {
    /// When it was answered or failed (UTC).
    pub at: Timestamp,
    /// Its `Request-Id`.
    pub request_id: String,
    /// Its `Request-Timestamp`: on DOKU's schedule, whatever the time scale (UTC).
    pub sent_at: Timestamp,
    /// Where it was posted.
    pub url: Option<String>,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// In words.
    pub outcome: String,
}

/// One notification and its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Counted from 1.
    pub number: usize,
    /// The invoice number the body names.
    pub invoice_number: String,
    /// The code the body names.
    pub payment_code: String,
    /// The `AGENT_TRX_ID` in the body.
    pub transaction_id: String,
    /// What sets it apart from an ordinary notification: `forged`, `duplicate`, `failed`, `sent again`, ...
    pub note: Option<&'static str>,
    /// The delivery this one repeats by hand.
    pub resend_of: Option<usize>,
    /// Where it stands.
    pub state: DeliveryState,
    /// When the next attempt is to be made (UTC).
    pub next_at: Option<Timestamp>,
    /// The attempts made, in order.
    pub attempts: Vec<DeliveryAttempt>,
    #[serde(skip)]
    message: NotificationMessage,
    #[serde(skip)]
    attempts_max: usize,
    #[serde(skip)]
    first_at: Timestamp,
}

impl Delivery {
    /// The message as it was first written.
    #[must_use]
    pub const fn message(&self) -> &NotificationMessage {
        &self.message
    }
}

/// An attempt that is to be made now.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) number: usize,
    /// 0 for the first.
    pub(super) attempt: usize,
    pub(super) is_held_back: bool,
    pub(super) message: NotificationMessage,
}

/// What came of an attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) request_id: String,
    pub(super) sent_at: Timestamp,
    pub(super) url: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) words: String,
}

/// All deliveries, and the order in which they fall due.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    deliveries: Vec<Delivery>,
    queue: BTreeSet<(Timestamp, usize)>,
    held: BTreeSet<usize>,
}

impl Outbox {
    pub(super) fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    pub(super) fn delivery(&self, number: usize) -> Option<&Delivery> {
        self.deliveries.get(number.checked_sub(1)?)
    }

    fn delivery_mut(&mut self, number: usize) -> Option<&mut Delivery> {
        self.deliveries.get_mut(number.checked_sub(1)?)
    }

    /// Takes `message` over; gives the number of its delivery.
    pub(super) fn post(
        &mut self,
        message: NotificationMessage,
        (manner, note): (Manner, Option<&'static str>),
        now: Timestamp,
        time_scale: u32,
    ) -> usize {
        let number = self.deliveries.len().saturating_add(1);
        let [_, half_an_hour_later, ..] = redeliveries(now, time_scale);
        let (state, next_at) = match manner {
            Manner::OnSchedule | Manner::Once => (DeliveryState::Waiting, Some(now)),
            Manner::HeldBack => (DeliveryState::Waiting, Some(half_an_hour_later)),
            Manner::Lost => (DeliveryState::Lost, None),
        };
        if manner == Manner::HeldBack {
            self.held.insert(number);
        }
        self.queue.extend(next_at.map(|at| (at, number)));
        self.deliveries.push(Delivery {
            number,
            invoice_number: message.invoice_number.clone(),
            payment_code: message.payment_code.clone(),
            transaction_id: message.transaction_id.clone(),
            note,
            resend_of: None,
            state,
            next_at,
            attempts: Vec::new(),
            message,
            attempts_max: if manner == Manner::Once { 1 } else { SCHEDULE_SECONDS.len() },
            first_at: next_at.unwrap_or(now),
        });
        number
    }

    /// Says that delivery `number` repeats `original` by hand.
    pub(super) fn mark_resend(&mut self, number: usize, original: usize) {
        if let Some(delivery) = self.delivery_mut(number) {
            delivery.resend_of = Some(original);
        }
    }

    /// When something falls due next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Everything that is due at `now`, in order; it is under way from here on.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(&(at, number)) = self.queue.first().filter(|(at, _)| *at <= now) {
            self.queue.remove(&(at, number));
            due.extend(self.begin(number, at));
        }
        due
    }

    /// Everything whose first attempt is not made yet, in order; nothing falls due any more. For a log that must not lose a message
    /// when the sandbox stops.
    pub(super) fn take_unsent(&mut self) -> Vec<Due> {
        let waiting = std::mem::take(&mut self.queue);
        let unsent = |(_, number): (Timestamp, usize)| {
            let delivery = self.delivery(number).filter(|delivery| delivery.attempts.is_empty())?;
            let is_held_back = self.held.contains(&number);
            Some(Due { number, attempt: 0, is_held_back, message: delivery.message.clone() })
        };
        waiting.into_iter().filter_map(unsent).collect()
    }

    fn begin(&mut self, number: usize, at: Timestamp) -> Option<Due> {
        let is_held_back = self.held.remove(&number);
        let delivery = self.delivery_mut(number)?;
        (delivery.state, delivery.next_at) = (DeliveryState::UnderWay, None);
        if delivery.attempts.is_empty() {
            delivery.first_at = at;
        }
        Some(Due { number, attempt: delivery.attempts.len(), is_held_back, message: delivery.message.clone() })
    }

    /// Enters what came of an attempt and plans the next.
    pub(super) fn conclude(&mut self, number: usize, outcome: Outcome, now: Timestamp, time_scale: u32) {
        let Some(delivery) = self.delivery_mut(number) else { return };
        let Outcome { request_id, sent_at, url, status, words } = outcome;
        let is_posted = url.is_some();
        delivery.attempts.push(DeliveryAttempt { at: now, request_id, sent_at, url, status, outcome: words });
        delivery.state = match status {
            Some(200..=299) => DeliveryState::Confirmed,
            _ if !is_posted => DeliveryState::NotPosted,
            _ if delivery.attempts.len() >= delivery.attempts_max => DeliveryState::GivenUp,
            _ => DeliveryState::Waiting,
        };
        if delivery.state == DeliveryState::Waiting {
            let schedule = redeliveries(delivery.first_at, time_scale);
            delivery.next_at = schedule.get(delivery.attempts.len()).copied();
        }
        let next = delivery.next_at.map(|at| (at, number));
        self.queue.extend(next);
        self.release_held(number, now);
    }

    /// `later` has been answered: what was held back for that may go.
    fn release_held(&mut self, later: usize, now: Timestamp) {
        let overtaken: Vec<usize> = self.held.range(..later).copied().collect();
        for number in overtaken {
            let Some(delivery) = self.delivery_mut(number) else { continue };
            if let Some(at) = delivery.next_at.replace(now) {
                self.queue.remove(&(at, number));
                self.queue.insert((now, number));
            }
        }
    }
}
