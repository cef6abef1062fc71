//! Simulated time: nothing waits, and what is due happens in the order of its instants and of its being asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use jiff::{SignedDuration, Timestamp};
use tagih::gateway::pacing::Time;

use super::network::Event;

/// 21 September 2026, where every world begins.
const BEGINS_AT_SECOND: i64 = 1_790_000_000;

/// What is to happen, in order.
pub enum Happening {
    /// Somebody waited for this instant.
    Wake(Waker),
    /// Something reaches somebody.
    World(Box<Event>),
}

struct Due {
    at_us: u64,
    number: u64,
    what: Happening,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_us, self.number).cmp(&(other.at_us, other.number))
    }
}

#[derive(Default)]
struct Queue {
    now_us: u64,
    number: u64,
    due: BinaryHeap<Reverse<Due>>,
}

/// The time of one world.
#[derive(Default)]
pub struct Timeline {
    queue: Mutex<Queue>,
    clock: FakeRelativeClock,
}

impl Timeline {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap()
    }

    pub fn now_us(&self) -> u64 {
        self.queue().now_us
    }

    pub fn now(&self) -> Timestamp {
        let begins = Timestamp::from_second(BEGINS_AT_SECOND).unwrap();
        begins.checked_add(SignedDuration::from_micros(self.now_us() as i64)).unwrap()
    }

    /// Has `what` happen in `after`.
    pub fn post(&self, after: Duration, what: Happening) {
        let mut queue = self.queue();
        queue.number += 1;
        let due = Due { at_us: queue.now_us + after.as_micros() as u64, number: queue.number, what };
        queue.due.push(Reverse(due));
    }

    /// What happens next, if anything does before `until_us`; it is that time then.
    pub fn next(&self, until_us: u64) -> Option<Happening> {
        let mut queue = self.queue();
        if queue.due.peek().is_none_or(|Reverse(due)| due.at_us > until_us) {
            return None;
        }
        let Reverse(due) = queue.due.pop()?;
        let by_us = due.at_us - queue.now_us;
        queue.now_us = due.at_us;
        drop(queue);
        self.clock.advance(Duration::from_micros(by_us));
        Some(due.what)
    }

    /// It is `until_us` now; nothing was due before.
    pub fn reach(&self, until_us: u64) {
        let mut queue = self.queue();
        let by_us = until_us.saturating_sub(queue.now_us);
        queue.now_us += by_us;
        drop(queue);
        self.clock.advance(Duration::from_micros(by_us));
    }

    /// Waits, as a thing that may be polled by several.
    pub async fn wait(&self, duration: Duration) {
        let due_us = self.now_us() + duration.as_micros() as u64;
        let mut heard: Option<Waker> = None;
        poll_fn(|context| {
            let now_us = self.now_us();
            if now_us >= due_us {
                return Poll::Ready(());
            }
            if heard.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
                heard = Some(context.waker().clone());
                self.post(Duration::from_micros(due_us - now_us), Happening::Wake(context.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }
}

/// The same, for the pacer.
pub struct Paced<'a>(pub &'a Timeline);

impl Time for Paced<'_> {
    type Clock = FakeRelativeClock;
    fn clock(&self) -> &FakeRelativeClock {
        &self.0.clock
    }
    async fn sleep(&self, duration: Duration) {
        self.0.wait(duration).await;
    }
}
