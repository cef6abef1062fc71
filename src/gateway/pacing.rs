//! How fast requests leave: one limiter for all of a run's requests, retries included.
//!
//! It starts empty, so a resumed run adds no second burst (I18); it halves on 429 and recovers step by step, and it pauses
//! everything while DOKU asks for it. The clock is a parameter, so the bound is proved on a fake one. It also says how many
//! operations may be under way, which follows from the rate and from how long DOKU takes. Where several hosts share one rate, it asks
//! each time what its own part is.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::domain::share::RateShare;

/// The ceiling agreed with DOKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: NonZeroU32,
    /// How many may leave at once after a lull.
    pub burst: NonZeroU32,
}

impl Rate {
    /// All of it.
    #[must_use]
    pub fn whole(self) -> RateShare {
        RateShare { per_1000_seconds: u64::from(self.per_second.get()).saturating_mul(1_000), burst: self.burst.get().into() }
    }
}

/// The most a permit may cost: at worst a sixteenth of the rate.
const COST_MAX: u32 = 16;

/// Answers without a 429 before the rate doubles again. Few, so that a rare 429 cannot hold a run at a crawl.
const STEP_ANSWERS: u32 = 10;

/// Operations that may be under way whatever the rate.
const IN_FLIGHT_MIN: u64 = 8;

/// So much of the rate may be under way before DOKU has answered anything.
const WINDOW_MIN_MS: u64 = 500;

/// How long it waits before it asks again, while its part is nothing.
const NO_SHARE_WAIT: Duration = Duration::from_millis(50);

/// How many operations must be under way for `rate` to be used while DOKU takes `latency_ms`: twice what is needed on
/// average, so that slow answers and what is waiting for its turn leave no gap. As little as that, because what is under way when
/// a process dies, or when DOKU falls silent, has to be asked about afterwards.
#[must_use]
pub fn in_flight(rate: Rate, latency_ms: u64, in_flight_max: usize) -> usize {
    in_flight_of(rate.whole(), latency_ms, in_flight_max)
}

fn in_flight_of(share: RateShare, latency_ms: u64, in_flight_max: usize) -> usize {
    let window_ms = latency_ms.saturating_mul(2).max(WINDOW_MIN_MS);
    let needed = share.per_1000_seconds.saturating_mul(window_ms).div_ceil(1_000_000).max(IN_FLIGHT_MIN);
    usize::try_from(needed).unwrap_or(usize::MAX).min(in_flight_max.max(1))
}

/// Requests a second that `in_flight_max` operations at once come to while DOKU takes `latency_ms`, at most the rate itself.
#[must_use]
pub fn reachable_per_second(rate: Rate, latency_ms: u64, in_flight_max: usize) -> u64 {
    let by_ceiling = u64::try_from(in_flight_max.max(1)).unwrap_or(u64::MAX).saturating_mul(1_000) / latency_ms.max(1);
    by_ceiling.clamp(1, rate.per_second.get().into())
}

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
        crate::clock::sleep(duration).await;
    }
}

/// Leave to start one request.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    number: u64,
}

/// The limiter, and what slows down beside it.
struct Pace<C: Clock> {
    /// What the limiter lets through, and the limiter; none while that is nothing.
    share: RateShare,
    limiter: Option<Limiter<C>>,
    /// Permits given so far.
    given: u64,
    /// Cells each permit takes: 1 at full rate, 2 at half, and so on.
    cost: u32,
    /// Answers since the last change of cost.
    answers: u32,
    /// The first permit given after the last slow-down; a 429 to an earlier one is the same incident.
    slowed_at: u64,
    /// Nothing leaves before this instant.
    paused_until: Option<C::Instant>,
    /// How long DOKU takes to answer, in microseconds: a moving average; none before its first answer.
    latency_us: Option<u64>,
}

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<C: Clock + Clone> Pace<C> {
    /// Goes by `share` from now on. A new limiter's burst is spent, so nobody gains by a change.
    fn go_by(&mut self, share: RateShare, clock: &C) {
        if self.share != share {
            (self.share, self.limiter) = (share, limiter(share, clock.clone()));
        }
    }
}

/// A limiter that lets `share` through, its burst spent; none where that is nothing.
fn limiter<C: Clock>(share: RateShare, clock: C) -> Option<Limiter<C>> {
    let each = Duration::from_nanos(
        1_000_000_000_000_u64.checked_add(share.per_1000_seconds.checked_sub(1)?)?.checked_div(share.per_1000_seconds)?,
    );
    let burst = NonZeroU32::new(u32::try_from(share.burst).unwrap_or(u32::MAX))?;
    let limiter = RateLimiter::direct_with_clock(Quota::with_period(each)?.allow_burst(burst), clock);
    let spent = limiter.check_n(burst);
    debug_assert!(matches!(spent, Ok(Ok(()))), "a new limiter holds exactly its burst");
    Some(limiter)
}

/// What may be used of a rate that others use too, whenever it is asked.
type Allowance = Box<dyn Fn() -> RateShare + Send + Sync>;

/// Gives permits, never more than `burst + rate × W` in any window W.
pub struct Pacer<T: Time> {
    time: T,
    allowance: Allowance,
    pace: Mutex<Pace<T::Clock>>,
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
        Self::sharing(time, move || rate.whole())
    }

    /// A pacer at what `allowance` says each time, its burst spent.
    #[must_use]
    pub fn sharing(time: T, allowance: impl Fn() -> RateShare + Send + Sync + 'static) -> Self {
        let share = allowance();
        let limiter = limiter(share, time.clock().clone());
        let pace = Pace { share, limiter, given: 0, cost: 1, answers: 0, slowed_at: 0, paused_until: None, latency_us: None };
        Self { time, allowance: Box::new(allowance), pace: Mutex::new(pace), turn: tokio::sync::Mutex::new(()) }
    }

    /// Waits, on the same clock.
    pub async fn wait(&self, duration: Duration) {
        self.time.sleep(duration).await;
    }

    /// Waits for leave to start one request.
    pub async fn permit(&self) -> Permit {
        let _turn = self.turn.lock().await;
        let mut paid = 0;
        loop {
            let wait = {
                let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
                let now = self.time.clock().now();
                pace.go_by((self.allowance)(), self.time.clock());
                if let Some(pause) = pace.paused_until.map(|until| until.duration_since(now)).filter(|pause| u64::from(*pause) > 0) {
                    pause.into()
                } else if paid >= pace.cost {
                    pace.given = pace.given.saturating_add(1);
                    return Permit { number: pace.given };
                } else {
                    match pace.limiter.as_ref().map(Limiter::check) {
                        Some(Ok(())) => {
                            paid = paid.saturating_add(1);
                            continue;
                        }
                        Some(Err(not_until)) => not_until.wait_time_from(now),
                        None => NO_SHARE_WAIT,
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

    /// How many permits were given so far.
    pub fn given(&self) -> u64 {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).given
    }

    /// An instant to hand to [`Pacer::took`].
    pub fn now(&self) -> <T::Clock as Clock>::Instant {
        self.time.clock().now()
    }

    /// DOKU answered what left at `since`. Silence is not counted: it says nothing of how many more DOKU could take.
    pub fn took(&self, since: <T::Clock as Clock>::Instant) {
        let took_us = u64::from(self.now().duration_since(since)) / 1_000;
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.latency_us = Some(pace.latency_us.map_or(took_us, |known| known.saturating_mul(7).saturating_add(took_us) / 8));
    }

    /// How long DOKU takes to answer at present, in milliseconds, once it has answered.
    pub fn latency_ms(&self) -> Option<u64> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).latency_us.map(|latency_us| latency_us.div_ceil(1_000))
    }

    /// How many operations may be under way now, at most `in_flight_max`.
    pub fn in_flight(&self, in_flight_max: usize) -> usize {
        in_flight_of((self.allowance)(), self.latency_ms().unwrap_or_default(), in_flight_max)
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
    /// Gives whether that is a second longer than what was asked for before: worth a word.
    pub fn pause(&self, pause: Duration) -> bool {
        let until = self.time.clock().now() + pause.into();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let is_longer = pace.paused_until.is_none_or(|earlier| until > earlier + Duration::from_secs(1).into());
        pace.paused_until = Some(pace.paused_until.map_or(until, |earlier| earlier.max(until)));
        is_longer
    }
}

#[cfg(test)]
mod tests;
