//! From a payment to the notifications of it: which go out, in which manner, and what the dice do to them.

use jiff::{SignedDuration, Timestamp};

use super::fault::number;
use super::model::Model;
use super::notification::NotificationMessage;
use super::outbox::{Delivery, Due, Manner, Outcome};
use super::payment::{PayError, PaymentScript, Quirk, check_payable};
use crate::domain::digest;

/// What may happen to a notification on its way; drawn with equal odds.
pub const FAULTS: [Quirk; 5] = [Quirk::Lost, Quirk::Duplicated, Quirk::HeldBack, Quirk::ForgedBeside, Quirk::FailedFirst];

/// Why a notification cannot be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResendError {
    /// There is no such delivery.
    #[error("there is no such delivery\nhint: `GET /_sandbox/deliveries` lists them")]
    Unknown,
    /// A forger sent it.
    #[error("DOKU did not send this notification and cannot send it again")]
    NotOurs,
}

impl Model {
    /// Pays `payment_code` as `script` says and puts what DOKU says of it into the outbox. Gives the notification of the payment
    /// itself, also when it is to be lost.
    pub fn pay_and_notify(&mut self, payment_code: &str, script: &PaymentScript, now: Timestamp) -> Result<NotificationMessage, PayError> {
        let script = self.with_drawn_fault(payment_code, script);
        let mut posted = Vec::new();
        if script.has(&Quirk::FailedFirst) {
            // Both attempts or none.
            check_payable(self.order_of_code(payment_code).ok_or(PayError::UnknownCode)?, &script)?;
            // A minute before: the customer tries again at the same counter.
            let paid_at = script.paid_at.checked_sub(SignedDuration::from_mins(1)).unwrap_or(script.paid_at);
            let failed = PaymentScript { amount: script.amount, ..PaymentScript::at(paid_at) };
            let failed = script.quirks.iter().filter(|quirk| **quirk == Quirk::Anyway).cloned().fold(failed, PaymentScript::with);
            let message = self.pay(payment_code, &failed.with(Quirk::Status("FAILED".into())))?;
            posted.push((message, Manner::OnSchedule, Some("failed")));
        }
        let message = self.pay(payment_code, &script)?;
        let manner = match () {
            () if script.has(&Quirk::Lost) => Manner::Lost,
            () if !self.is_signed_by_doku(&message) => Manner::Once,
            () if script.has(&Quirk::HeldBack) => Manner::HeldBack,
            () => Manner::OnSchedule,
        };
        posted.push((message.clone(), manner, note(&script)));
        if script.has(&Quirk::Duplicated) {
            let later = message.sent_at.checked_add(SignedDuration::from_secs(1)).unwrap_or(message.sent_at);
            posted.push((self.redeliver(&message, later), manner, Some("duplicate")));
        }
        if script.has(&Quirk::ForgedBeside) {
            let forged = PaymentScript { amount: script.amount, ..PaymentScript::at(script.paid_at) }.with(Quirk::Forged);
            posted.push((self.pay(payment_code, &forged)?, Manner::Once, Some("forged")));
        }
        let time_scale = self.settings().time_scale;
        for (message, manner, note) in posted {
            self.outbox.post(message, (manner, note), now, time_scale);
        }
        Ok(message)
    }

    /// `script`, with a fault if the dice say so. They fall by seed, invoice and the number of its notifications so far.
    fn with_drawn_fault(&self, payment_code: &str, script: &PaymentScript) -> PaymentScript {
        let percent = u64::from(self.settings().notification_faults_percent);
        let order = self.order_of_code(payment_code).filter(|_| percent > 0 && script.is_plain());
        let Some(order) = order else { return script.clone() };
        let serial = self.notifications_of(payment_code);
        let (seed, invoice) = (self.settings().seed.to_be_bytes(), order.invoice_number.as_str().as_bytes());
        let dice = digest::of_parts(&[&seed, b"notification", invoice, &serial.to_be_bytes()]);
        if number(dice.get(..8)) % 100 >= percent {
            return script.clone();
        }
        let index = usize::try_from(number(dice.get(8..16)) % 5).unwrap_or(0);
        FAULTS.get(index).map_or_else(|| script.clone(), |fault| script.clone().with(fault.clone()))
    }

    /// DOKU's Back Office: sends a notification once more, whatever became of it.
    pub fn resend(&mut self, delivery: usize, now: Timestamp) -> Result<usize, ResendError> {
        let original = self.outbox.delivery(delivery).ok_or(ResendError::Unknown)?.message().clone();
        if !self.is_signed_by_doku(&original) {
            return Err(ResendError::NotOurs);
        }
        let message = self.redeliver(&original, super::record::whole_seconds(now));
        let number = self.outbox.post(message, (Manner::Once, Some("sent again")), now, self.settings().time_scale);
        self.outbox.mark_resend(number, delivery);
        Ok(number)
    }

    /// Every notification and its attempts, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery] {
        self.outbox.deliveries()
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        self.outbox.take_due(now)
    }

    pub(super) fn conclude_attempt(&mut self, number: usize, outcome: Outcome, now: Timestamp) {
        let time_scale = self.settings().time_scale;
        self.outbox.conclude(number, outcome, now, time_scale);
    }
}

/// What sets the notification of a payment apart.
fn note(script: &PaymentScript) -> Option<&'static str> {
    script.quirks.iter().find_map(|quirk| match quirk {
        Quirk::Forged => Some("forged"),
        Quirk::Tampered => Some("tampered with"),
        Quirk::Unsigned => Some("unsigned"),
        Quirk::ForeignClient => Some("of another merchant"),
        Quirk::Repeated(_) => Some("repeated"),
        Quirk::Conflicting => Some("conflicting"),
        Quirk::HeldBack => Some("held back"),
        Quirk::Status(_) => Some("not a success"),
        _ => None,
    })
}
