//! The bound on starts, on a clock of the tests' own, whatever is asked of a pacer.

use std::sync::Arc;

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
    /// So many thousandths of the rate are its own from now on, as others need the rest.
    Share(u64),
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
        2 => (0..=1_000_u64).prop_map(Act::Share),
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
        let whole = rate(per_second, burst).whole();
        let own = Arc::new(Mutex::new(whole));
        let pacer = || {
            let own = Arc::clone(&own);
            Pacer::sharing(FakeTime(clock.clone()), move || *own.lock().unwrap())
        };
        let (mut pacer, new_pacer) = (pacer(), pacer);
        let mut last = Permit { number: 0 };
        let mut starts_ns: Vec<u64> = Vec::new();
        block_on(async {
            for act in acts {
                match act {
                    // Of nothing, nothing starts.
                    Act::Start if own.lock().unwrap().per_1000_seconds == 0 || own.lock().unwrap().burst == 0 => {}
                    Act::Share(part) => {
                        let of = |whole: u64| whole * part / 1_000;
                        *own.lock().unwrap() = RateShare { per_1000_seconds: of(whole.per_1000_seconds), burst: of(whole.burst) };
                    }
                    Act::Start => {
                        last = pacer.permit().await;
                        starts_ns.push(clock.now().duration_since(origin).into());
                    }
                    Act::Idle(ms) => clock.advance(Duration::from_millis(ms)),
                    Act::Throttle => pacer.throttled(last),
                    Act::Pause(ms) => drop(pacer.pause(Duration::from_millis(ms))),
                    Act::Answer => pacer.answered(),
                    Act::Restart => pacer = new_pacer(),
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

proptest! {
    /// Little's law: what is under way = rate × time under way.
    #[test]
    fn so_many_are_under_way_that_the_rate_is_used_and_never_more_than_the_ceiling(
        per_second in 1..2_000_u32, latency_ms in 0..5_000_u64, ceiling in 1..2_000_usize,
    ) {
        let rate = rate(per_second, 5);
        let at_once = in_flight(rate, latency_ms, ceiling);
        prop_assert!((1..=ceiling).contains(&at_once));
        let needed = usize::try_from((u64::from(per_second) * latency_ms).div_ceil(1_000)).unwrap();
        prop_assert!(at_once >= needed.min(ceiling), "{at_once} under way, {needed} needed");
        let reached = reachable_per_second(rate, latency_ms, ceiling);
        prop_assert!(reached <= u64::from(per_second) && (needed > ceiling || reached == u64::from(per_second)));
    }
}

#[test]
fn what_may_be_under_way_follows_the_latency_up_and_down_and_starts_with_half_a_second_of_the_rate() {
    let clock = FakeRelativeClock::default();
    let pacer = Pacer::new(rate(50, 5), FakeTime(clock.clone()));
    let answers = |count: u32, ms: u64| {
        for _ in 0..count {
            let since = pacer.now();
            clock.advance(Duration::from_millis(ms));
            pacer.took(since);
        }
        pacer.in_flight(256)
    };
    assert_eq!((pacer.latency_ms(), pacer.in_flight(256), pacer.in_flight(4)), (None, 25, 4));
    assert_eq!(answers(1, 300), 30);
    assert!((95..=100).contains(&answers(40, 1_000)), "slower answers, more under way");
    assert_eq!(answers(60, 20), 25, "and fewer again");
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
