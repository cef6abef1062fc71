//! One attempt at one request, with leave from the pacer, and what it teaches pacer and breaker.

use std::time::Duration;

use super::stop::{Stop, StopReason};
use crate::doku::wire::{Delivery, WireRequest};
use crate::gateway::Gateway;
use crate::gateway::pacing::{Pacer, Time};
use crate::gateway::retry::{Breaker, RetryPolicy};

/// The longest pause a `Retry-After` may ask for, in seconds; DOKU documents none.
const RETRY_AFTER_SECONDS_MAX: u64 = 300;

/// Everything a worker needs to call DOKU.
#[derive(Debug)]
pub struct Caller<'a, G, T: Time> {
    /// The way out.
    pub gateway: &'a G,
    /// Leave to send.
    pub pacer: &'a Pacer<T>,
    /// When to give up on DOKU.
    pub breaker: &'a Breaker,
    /// When to give up altogether.
    pub stop: &'a Stop,
    /// How often and how soon to try again.
    pub retry: RetryPolicy,
}

impl<G: Gateway, T: Time> Caller<'_, G, T> {
    /// Waits for the back-off before `attempt` and for a permit, then sends. `None`: a stop was asked for, nothing left.
    pub async fn attempt(&self, attempt: u32, request: &WireRequest) -> Option<Delivery> {
        let leave = async {
            if attempt > 0 {
                tokio::time::sleep(self.retry.delay(attempt)).await;
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
        match &delivery {
            Delivery::NotSent(_) | Delivery::Unknown(_) => self.breaker.failed(),
            Delivery::Answered(answer) => {
                self.pacer.took(since);
                if let Some(seconds) = answer.retry_after_seconds.filter(|_| matches!(answer.status, 429 | 503)) {
                    self.pacer.pause(Duration::from_secs(seconds.min(RETRY_AFTER_SECONDS_MAX)));
                }
                match answer.status {
                    429 => self.pacer.throttled(permit),
                    500.. | 408 | 425 => self.breaker.failed(),
                    _ => {
                        self.breaker.succeeded();
                        self.pacer.answered();
                    }
                }
            }
        }
        if self.breaker.is_open() {
            self.stop.ask(StopReason::Breaker);
        }
        Some(delivery)
    }
}
