//! One attempt at one request, with leave from the pacer, and what it teaches pacer, watch and clock.

use std::time::Duration;

use super::stop::{Stop, StopReason};
use super::watch::Watch;
use crate::doku::wire::{Answer, Delivery, WireRequest};
use crate::gateway::Gateway;
use crate::gateway::pacing::{Pacer, Permit, Time};
use crate::gateway::retry::RetryPolicy;
use crate::random::Randomness;

/// Everything a worker needs to call DOKU.
#[derive(Debug)]
pub struct Caller<'a, G, T: Time> {
    /// The way out.
    pub gateway: &'a G,
    /// Leave to send.
    pub pacer: &'a Pacer<T>,
    /// What the run has heard so far.
    pub watch: &'a Watch,
    /// When to give up altogether.
    pub stop: &'a Stop,
    /// How often and how soon to try again.
    pub retry: RetryPolicy,
    /// What draws the waits between attempts.
    pub randomness: &'a dyn Randomness,
}

impl<G: Gateway, T: Time> Caller<'_, G, T> {
    /// Waits for the back-off before `attempt` and for a permit, then sends. `None`: a stop was asked for, nothing left.
    pub async fn attempt(&self, attempt: u32, request: &WireRequest) -> Option<Delivery> {
        let leave = async {
            if attempt > 0 {
                self.pacer.wait(self.retry.delay(attempt, self.randomness)).await;
            }
            self.pacer.permit().await
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.asked() => return None,
            permit = leave => permit,
        };
        let (since, under_way) = (self.pacer.now(), self.stop.sending());
        let delivery = self.gateway.send(request).await;
        drop(under_way);
        self.stop.heard(&delivery);
        self.watch.delivered(&delivery);
        if let Delivery::Answered(answer) = &delivery {
            self.pacer.took(since);
            self.heed(answer, permit);
        }
        Some(delivery)
    }

    /// What an answer says of pace and clock, whoever gave it.
    fn heed(&self, answer: &Answer, permit: Permit) {
        if let Some(seconds) = answer.retry_after_seconds.filter(|_| matches!(answer.status, 429 | 503)) {
            self.pause(seconds);
        }
        match answer.status {
            429 => self.pacer.throttled(permit),
            500.. | 408 | 425 => {}
            _ => self.pacer.answered(),
        }
        // A repeated answer may carry the time of the first.
        if let Some(ahead_seconds) = answer.ahead_seconds.filter(|_| answer.status != 409) {
            match self.watch.clock(ahead_seconds) {
                Some(Ok(words)) => tracing::warn!("{words}; set it by NTP"),
                Some(Err(reason)) => self.stop.ask(reason),
                None => {}
            }
        }
    }

    /// Silence was asked for: a short one is kept, a long one puts the rest of the run off.
    fn pause(&self, seconds: u64) {
        if seconds > self.retry.pause_max_seconds {
            self.stop.ask(StopReason::Silence { seconds });
        } else if self.pacer.pause(Duration::from_secs(seconds)) && seconds > 1 {
            tracing::warn!("DOKU asks for silence (Retry-After): nothing is sent for {seconds} s");
        }
    }
}
