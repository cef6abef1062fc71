//! When to try again, and when to stop trying: capped exponential back-off with full jitter, and a breaker.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::RngExt as _;

/// Bounds of the one retry layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts of one operation in one run, the first included; at least 1.
    pub attempts_max: u32,
    /// The first back-off's upper bound, in milliseconds.
    pub base_ms: u64,
    /// Every back-off's upper bound, in milliseconds.
    pub cap_ms: u64,
}

impl RetryPolicy {
    /// The longest wait before attempt `attempt` (the first is 0 and never waits).
    #[must_use]
    pub fn delay_max(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(32);
        Duration::from_millis(self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms))
    }

    /// A wait drawn evenly up to [`RetryPolicy::delay_max`], so that retries of many do not meet.
    #[must_use]
    pub fn delay(&self, attempt: u32) -> Duration {
        rand::rng().random_range(Duration::ZERO..=self.delay_max(attempt))
    }
}

/// Opens when too many attempts in a row, over all workers, got no useful answer.
#[derive(Debug)]
pub struct Breaker {
    failures_max: u32,
    failures: AtomicU32,
}

impl Breaker {
    /// A closed breaker that opens at `failures_max` failures in a row; 0 never opens.
    #[must_use]
    pub const fn new(failures_max: u32) -> Self {
        Self { failures_max, failures: AtomicU32::new(0) }
    }

    /// An attempt got an answer that says DOKU works.
    pub fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// An attempt got none.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether to stop.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures_max > 0 && self.failures.load(Ordering::Relaxed) >= self.failures_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_its_cap() {
        let policy = RetryPolicy { attempts_max: 9, base_ms: 500, cap_ms: 20_000 };
        let bounds: Vec<u128> = (1..9).map(|attempt| policy.delay_max(attempt).as_millis()).collect();
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert!((0..200).all(|_| policy.delay(3) <= policy.delay_max(3)));
    }

    #[test]
    fn the_breaker_opens_only_on_failures_in_a_row() {
        let breaker = Breaker::new(3);
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        breaker.failed();
        assert!(!breaker.is_open());
        breaker.failed();
        assert!(breaker.is_open());
    }
}
