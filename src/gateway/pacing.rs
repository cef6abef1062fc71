//! How fast requests leave: one limiter for all of a run's requests, retries included.
//!
//! It starts empty, so a resumed run adds no second burst (I18); it halves on 429 and recovers step by step, and it pauses
//! everything while DOKU asks for it. The clock is a parameter, so the bound is proved on a fake one.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// The ceiling agreed with DOKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: NonZeroU32,
    /// How many may leave at once after a lull.
    pub burst: NonZeroU32,
}

/// The most a permit may cost: at worst a sixteenth of the rate.
const COST_MAX: u32 = 16;

/// Answers without a 429 before the rate doubles again. Few, so that a rare 429 cannot hold a run at a crawl.
const STEP_ANSWERS: u32 = 10;

/// A time source that can also wait.
pub trait Time {
    /// The clock permits are counted on.
    type Clock: Clock + Clone;
    /// That clock.
    fn clock(&self) -> &Self::Clock;
    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// The machine's monotonic clock and tokio's timer.
#[derive(Clone, Debug, Default)]
pub struct RealTime(DefaultClock);

impl Time for RealTime {
    type Clock = DefaultClock;
    fn clock(&self) -> &DefaultClock {
        &self.0
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Leave to start one request.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    number: u64,
}

/// The state of the slow-down, apart from the limiter.
#[derive(Debug)]
struct Pace<I> {
    /// Permits given so far.
    given: u64,
    /// Cells each permit takes: 1 at full rate, 2 at half, and so on.
    cost: u32,
    /// Answers since the last change of cost.
    answers: u32,
    /// The first permit given after the last slow-down; a 429 to an earlier one is the same incident.
    slowed_at: u64,
    /// Nothing leaves before this instant.
    paused_until: Option<I>,
}

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Gives permits, never more than `burst + rate × W` in any window W.
pub struct Pacer<T: Time> {
    time: T,
    limiter: Limiter<T::Clock>,
    pace: Mutex<Pace<<T::Clock as Clock>::Instant>>,
    /// Only one waits on the limiter; the others queue here in order.
    turn: tokio::sync::Mutex<()>,
}

impl<T: Time> std::fmt::Debug for Pacer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pacer").finish_non_exhaustive()
    }
}

impl<T: Time> Pacer<T> {
    /// A pacer at full rate, its burst spent.
    #[must_use]
    pub fn new(rate: Rate, time: T) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::direct_with_clock(quota, time.clock().clone());
        let spent = limiter.check_n(rate.burst);
        debug_assert!(matches!(spent, Ok(Ok(()))), "a new limiter holds exactly its burst");
        let pace = Pace { given: 0, cost: 1, answers: 0, slowed_at: 0, paused_until: None };
        Self { time, limiter, pace: Mutex::new(pace), turn: tokio::sync::Mutex::new(()) }
    }

    /// Waits for leave to start one request.
    pub async fn permit(&self) -> Permit {
        let _turn = self.turn.lock().await;
        let mut paid = 0;
        loop {
            let wait = {
                let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
                let now = self.time.clock().now();
                if let Some(pause) = pace.paused_until.map(|until| until.duration_since(now)).filter(|pause| u64::from(*pause) > 0) {
                    pause.into()
                } else if paid >= pace.cost {
                    pace.given = pace.given.saturating_add(1);
                    return Permit { number: pace.given };
                } else {
                    match self.limiter.check() {
                        Ok(()) => {
                            paid = paid.saturating_add(1);
                            continue;
                        }
                        Err(not_until) => not_until.wait_time_from(now),
                    }
                }
            };
            self.time.sleep(wait).await;
        }
    }

    /// DOKU answered a request without complaint about the rate.
    pub fn answered(&self) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.answers = pace.answers.saturating_add(1);
        if pace.cost > 1 && pace.answers >= STEP_ANSWERS {
            pace.cost /= 2;
            pace.answers = 0;
        }
    }

    /// DOKU answered 429 to the request of `permit`: half the rate, once for every such incident.
    pub fn throttled(&self, permit: Permit) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if permit.number >= pace.slowed_at {
            pace.cost = pace.cost.saturating_mul(2).min(COST_MAX);
            pace.answers = 0;
            pace.slowed_at = pace.given.saturating_add(1);
        }
    }

    /// DOKU asked for silence (`Retry-After`): nobody gets a permit for `pause`.
    /// Gives whether that is longer than what was asked for before.
    pub fn pause(&self, pause: Duration) -> bool {
        let until = self.time.clock().now() + pause.into();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let is_longer = pace.paused_until.is_none_or(|earlier| until > earlier + Duration::from_secs(1).into());
        if is_longer {
            pace.paused_until = Some(until);
        }
        is_longer
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone)]
    struct FakeTime(FakeRelativeClock);

    impl Time for FakeTime {
        type Clock = FakeRelativeClock;
        fn clock(&self) -> &FakeRelativeClock {
            &self.0
        }
        /// Only one ever waits (the turn), so waiting is letting the clock run.
        async fn sleep(&self, duration: Duration) {
            self.0.advance(duration);
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Start,
        Idle(u64),
        Throttle,
        Pause(u64),
        Answer,
        /// The process died and was started again at once.
        Restart,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            12 => Just(Act::Start),
            2 => (0..3_000_u64).prop_map(Act::Idle),
            1 => Just(Act::Throttle),
            1 => (0..2_000_u64).prop_map(Act::Pause),
            4 => Just(Act::Answer),
            1 => Just(Act::Restart),
        ];
        prop::collection::vec(act, 1..300)
    }

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_burst_plus_rate_times_its_length(per_second in 1..500_u32, burst in 1..50_u32, acts in acts()) {
            let clock = FakeRelativeClock::default();
            let origin = clock.now();
            let mut pacer = Pacer::new(rate(per_second, burst), FakeTime(clock.clone()));
            let mut last = Permit { number: 0 };
            let mut starts_ns: Vec<u64> = Vec::new();
            block_on(async {
                for act in acts {
                    match act {
                        Act::Start => {
                            last = pacer.permit().await;
                            starts_ns.push(clock.now().duration_since(origin).into());
                        }
                        Act::Idle(ms) => clock.advance(Duration::from_millis(ms)),
                        Act::Throttle => pacer.throttled(last),
                        Act::Pause(ms) => drop(pacer.pause(Duration::from_millis(ms))),
                        Act::Answer => pacer.answered(),
                        Act::Restart => pacer = Pacer::new(rate(per_second, burst), FakeTime(clock.clone())),
                    }
                }
            });
            for first in 0..starts_ns.len() {
                for last in first..starts_ns.len() {
                    let count = u128::try_from(last - first + 1).unwrap();
                    let window_ns = u128::from(starts_ns[last] - starts_ns[first]);
                    // One more than the quotient: the window is closed at both ends.
                    let allowed = u128::from(burst) + (window_ns * u128::from(per_second)) / 1_000_000_000 + 1;
                    prop_assert!(count <= allowed, "{count} starts in {window_ns} ns, allowed {allowed}");
                }
            }
        }
    }

    #[test]
    fn a_new_pacer_has_no_burst_to_spend() {
        let clock = FakeRelativeClock::default();
        let origin = clock.now();
        let pacer = Pacer::new(rate(10, 5), FakeTime(clock.clone()));
        block_on(pacer.permit());
        assert!(Duration::from(clock.now().duration_since(origin)) >= Duration::from_millis(99));
    }

    #[test]
    fn one_burst_of_429_halves_once_and_ten_answers_recover_a_step() {
        let clock = FakeRelativeClock::default();
        let pacer = Pacer::new(rate(100, 10), FakeTime(clock));
        let (first, second) = (block_on(pacer.permit()), block_on(pacer.permit()));
        pacer.throttled(first);
        pacer.throttled(second);
        assert_eq!(pacer.pace.lock().unwrap().cost, 2);
        pacer.throttled(block_on(pacer.permit()));
        assert_eq!(pacer.pace.lock().unwrap().cost, 4);
        for _ in 0..STEP_ANSWERS {
            pacer.answered();
        }
        assert_eq!(pacer.pace.lock().unwrap().cost, 2);
    }

    #[test]
    fn nothing_leaves_during_a_pause() {
        let clock = FakeRelativeClock::default();
        let origin = clock.now();
        let pacer = Pacer::new(rate(1_000, 10), FakeTime(clock.clone()));
        pacer.pause(Duration::from_secs(7));
        block_on(pacer.permit());
        assert!(Duration::from(clock.now().duration_since(origin)) >= Duration::from_secs(7));
    }
}
