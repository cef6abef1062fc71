//! Processes of one world: who goes on next is a throw of the dice, and each may die at any of its steps.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::timeline::Happening;
use super::world::World;

/// A run that has not ended after this long hangs.
const HOURS_MAX: u64 = 12;

/// For how long a process that has stopped is still taken for one that is at its operations.
pub const LEASE: Duration = Duration::from_secs(30);

/// How far a process has come, and where it dies or freezes. A step is what can be told apart from outside: before and after a ledger's
/// write, before a look at it, before a request leaves, after its answer arrived.
#[derive(Default)]
pub struct Life {
    steps: AtomicU64,
    dies_at: Option<u64>,
    freezes_at: Option<(u64, Duration)>,
    is_dead: AtomicBool,
    has_ended: AtomicBool,
    /// Its lease has lapsed while it was frozen: it records nothing more.
    is_fenced: AtomicBool,
    /// Since when nothing was heard of it; 0 while it is well.
    stopped_us: AtomicU64,
}

impl Life {
    pub fn of(dies_at: Option<u64>, freezes_at: Option<(u64, Duration)>) -> Self {
        Self { dies_at, freezes_at, ..Self::default() }
    }

    /// One step; whoever is dead never returns from it.
    pub async fn step(&self, world: &World) {
        let number = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        if self.dies_at == Some(number) {
            self.is_dead.store(true, Ordering::Relaxed);
            self.stopped_us.store(world.time.now_us(), Ordering::Relaxed);
        }
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        if let Some((_, lasts)) = self.freezes_at.filter(|(at, _)| *at == number) {
            self.stopped_us.store(world.time.now_us(), Ordering::Relaxed);
            world.time.wait(lasts).await;
            self.stopped_us.store(0, Ordering::Relaxed);
            self.is_fenced.store(lasts > LEASE, Ordering::Relaxed);
        }
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    pub fn is_fenced(&self) -> bool {
        self.is_fenced.load(Ordering::Relaxed)
    }

    /// Whether others leave alone what it is at.
    pub fn holds(&self, world: &World) -> bool {
        let stopped_us = self.stopped_us.load(Ordering::Relaxed);
        let is_heard_of = stopped_us == 0 || world.time.now_us() < stopped_us + LEASE.as_micros() as u64;
        is_heard_of && !self.is_fenced() && !self.has_ended.load(Ordering::Relaxed)
    }
}

/// Something that runs.
pub struct Process<'a> {
    pub name: &'static str,
    pub life: Arc<Life>,
    pub work: Pin<Box<dyn Future<Output = ()> + 'a>>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs all of `processes` until each has ended or died.
pub fn run(world: &World, processes: Vec<Process<'_>>) {
    let ends_us = world.time.now_us() + HOURS_MAX * 3_600_000_000;
    let mut running: Vec<(Process<'_>, Arc<Flag>)> =
        processes.into_iter().map(|process| (process, Arc::new(Flag(AtomicBool::new(true))))).collect();
    while !running.is_empty() {
        let ready: Vec<usize> = (0..running.len()).filter(|&at| running[at].1.0.load(Ordering::Relaxed)).collect();
        if ready.is_empty() {
            let next = world.time.next(ends_us).unwrap_or_else(|| {
                let names: Vec<_> = running.iter().map(|(process, _)| process.name).collect();
                panic!("{}: {names:?} wait for what never comes", world.context())
            });
            world.happen(next);
            continue;
        }
        let at = ready[world.dice().below(ready.len() as u64) as usize];
        let (process, flag) = &mut running[at];
        flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(flag));
        let is_over = process.work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(());
        if is_over || process.life.is_dead() {
            process.life.has_ended.store(is_over, Ordering::Relaxed);
            drop(running.swap_remove(at));
        }
    }
}

/// Lets time pass with nobody at work.
pub fn pass(world: &World, duration: Duration) {
    let until_us = world.time.now_us() + duration.as_micros() as u64;
    while let Some(next) = world.time.next(until_us) {
        world.happen(next);
    }
    world.time.reach(until_us);
}

impl World {
    /// What is due reaches whom it concerns.
    fn happen(&self, what: Happening) {
        match what {
            Happening::Wake(waker) => waker.wake(),
            Happening::World(event) => self.take(*event),
        }
    }
}
