//! When to try again: capped exponential back-off with full jitter.

use std::time::Duration;

use crate::random::Randomness;

/// Bounds of the one retry layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts of one operation in one run, the first included; at least 1.
    pub attempts_max: u32,
    /// The first back-off's upper bound, in milliseconds.
    pub base_ms: u64,
    /// Every back-off's upper bound, in milliseconds.
    pub cap_ms: u64,
    /// The longest silence (`Retry-After`) that a run waits out, in seconds; a longer one puts its rows off.
    pub pause_max_seconds: u64,
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
    pub fn delay(&self, attempt: u32, randomness: &dyn Randomness) -> Duration {
        let limit = u64::try_from(self.delay_max(attempt).as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(randomness.up_to(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::MachineRandomness;

    #[test]
    fn back_off_doubles_up_to_its_cap() {
        let policy = RetryPolicy { attempts_max: 9, base_ms: 500, cap_ms: 20_000, pause_max_seconds: 300 };
        let bounds: Vec<u128> = (1..9).map(|attempt| policy.delay_max(attempt).as_millis()).collect();
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        let delays: Vec<Duration> = (0..200).map(|_| policy.delay(3, &MachineRandomness)).collect();
        assert!(delays.iter().all(|delay| *delay <= policy.delay_max(3)) && delays.iter().any(|delay| *delay > policy.delay_max(3) / 2));
    }
}
