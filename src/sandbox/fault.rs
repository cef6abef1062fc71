//! Seeded faults: which attempt goes wrong, and how. A decision is a function of (seed, key, attempt number) alone, so a run
//! meets the same faults in whatever order its requests arrive.

use serde::{Deserialize, Serialize};

use crate::domain::digest;

/// One way for an attempt to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 without `Retry-After`; nothing is done.
    TooManyRequests,
    /// 429 with `Retry-After`; nothing is done.
    TooManyRequestsRetryAfter,
    /// 500; nothing is done.
    ServerErrorBefore,
    /// 503; nothing is done.
    UnavailableBefore,
    /// 500; the request was done.
    ServerErrorAfter,
    /// 503; the request was done.
    UnavailableAfter,
    /// 504; the request was done.
    GatewayTimeoutAfter,
    /// A pause, and only then the request is done.
    DelayBefore,
    /// The request is done, and then a pause.
    DelayAfter,
    /// The connection closes; nothing is done.
    ResetBefore,
    /// The connection closes; the request was done.
    ResetAfter,
    /// Half of the answer's body; the request was done.
    Truncated,
    /// An answer without a signature.
    Unsigned,
    /// An answer whose signature was made with another key.
    WronglySigned,
    /// An answer with fields nobody announced.
    ExtraFields,
    /// An answer whose `Response-Timestamp` is off.
    ClockSkew,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::TooManyRequests,
        Self::TooManyRequestsRetryAfter,
        Self::ServerErrorBefore,
        Self::UnavailableBefore,
        Self::ServerErrorAfter,
        Self::UnavailableAfter,
        Self::GatewayTimeoutAfter,
        Self::DelayBefore,
        Self::DelayAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Truncated,
        Self::Unsigned,
        Self::WronglySigned,
        Self::ExtraFields,
        Self::ClockSkew,
    ];

    /// Whether the request is left undone (a delayed one is done later).
    #[must_use]
    pub const fn stops_processing(self) -> bool {
        matches!(
            self,
            Self::TooManyRequests
                | Self::TooManyRequestsRetryAfter
                | Self::ServerErrorBefore
                | Self::UnavailableBefore
                | Self::DelayBefore
                | Self::ResetBefore
        )
    }
}

/// What goes wrong, how often, and when it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// How many attempts of a hundred go wrong, 0 to 100.
    pub percent: u8,
    /// Drawn from with equal odds; one named twice comes up twice as often. Empty means none.
    pub kinds: Vec<FaultKind>,
    /// After this many faults in a row for one key the next attempt is clean, so every campaign ends.
    pub consecutive_max: u32,
    /// How long a delayed request or answer waits, in milliseconds.
    pub delay_ms: u64,
    /// The value of `Retry-After`, in seconds.
    pub retry_after_seconds: u64,
    /// How far off a skewed clock is, in seconds; negative is behind.
    pub clock_skew_seconds: i64,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { percent: 0, kinds: Vec::new(), consecutive_max: 3, delay_ms: 200, retry_after_seconds: 0, clock_skew_seconds: 900 }
    }

    /// Every kind, `percent` of all attempts.
    #[must_use]
    pub fn mixed(percent: u8) -> Self {
        Self { percent, kinds: FaultKind::ALL.to_vec(), ..Self::none() }
    }

    /// One kind, on every attempt up to `consecutive_max` in a row.
    #[must_use]
    pub fn only(kind: FaultKind) -> Self {
        Self { percent: 100, kinds: vec![kind], ..Self::none() }
    }

    /// Whether anything can go wrong at all.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.percent == 0 || self.kinds.is_empty()
    }

    /// What the dice say for attempt `attempt` (from 1) of `key`, without regard to `consecutive_max`.
    #[must_use]
    pub fn draw(&self, seed: u64, key: &str, attempt: u32) -> Option<FaultKind> {
        if self.is_none() {
            return None;
        }
        let dice = digest::of_parts(&[&seed.to_be_bytes(), b"fault", key.as_bytes(), &attempt.to_be_bytes()]);
        let (chance, choice) = (number(dice.get(..8)), number(dice.get(8..16)));
        if chance % 100 >= u64::from(self.percent) {
            return None;
        }
        let count = u64::try_from(self.kinds.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(choice.checked_rem(count)?).ok()?;
        self.kinds.get(index).copied()
    }
}

/// How the attempts of one key have gone so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempts {
    count: u32,
    faults_in_a_row: u32,
}

impl Attempts {
    /// Counts one more attempt and decides what goes wrong with it.
    pub(super) fn next(&mut self, faults: &Faults, seed: u64, key: &str) -> Option<FaultKind> {
        self.count = self.count.saturating_add(1);
        let drawn = if self.faults_in_a_row < faults.consecutive_max { faults.draw(seed, key, self.count) } else { None };
        self.faults_in_a_row = if drawn.is_some() { self.faults_in_a_row.saturating_add(1) } else { 0 };
        drawn
    }
}

/// Eight bytes as a number; 0 for any other length.
pub(super) fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_longest_row_of_faults_comes_a_clean_attempt() {
        let faults = Faults::only(FaultKind::ResetAfter);
        let mut attempts = Attempts::default();
        let drawn: Vec<bool> = (0..8).map(|_| attempts.next(&faults, 1, "id").is_some()).collect();
        assert_eq!(drawn, [true, true, true, false, true, true, true, false]);
    }

    #[test]
    fn the_share_of_faulty_attempts_is_about_what_was_asked_and_every_kind_comes_up() {
        let faults = Faults::mixed(20);
        let drawn: Vec<FaultKind> = (0..10_000).filter_map(|n| faults.draw(7, &format!("id-{n}"), 1)).collect();
        assert!((1_800..2_200).contains(&drawn.len()), "{}", drawn.len());
        assert!(FaultKind::ALL.iter().all(|kind| drawn.contains(kind)));
    }

    #[test]
    fn another_seed_draws_other_faults_and_the_same_seed_the_same() {
        let faults = Faults::mixed(50);
        let row = |seed| (0..64).map(|n| faults.draw(seed, "id", n)).collect::<Vec<_>>();
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
    }
}
