//! Whole worlds from a seed: the merchant's nights with the real jobs, the real ledger rules and the real pacing, on a clock that nobody waits
//! for; DOKU's books, customers who pay, and everything that can go wrong between them. A step of a process is a place where it may die,
//! and who goes on next is a throw of the dice. The same seed is the same world to the last event, and a failure names the command that
//! makes it again, in the simplest weather in which it still happens.

mod judge;
mod merchant;
mod network;
mod process;
mod store;
mod timeline;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tagih::domain::bill::Bill;
use tagih::domain::row_end::Bucket;
use tagih::ledger::memory::MemoryLedger;
use tagih::ledger::{Ledger as _, LedgerView as _};

use self::merchant::{Reported, Wishes};
use self::network::Event;
use self::process::Life;
use self::timeline::Happening;
use self::world::{Weather, World};
use crate::support::bills::now;
use crate::support::dice::Dice;
use crate::support::folder::temporary;

/// Nights of trouble, and days of calm afterwards.
const NIGHTS_MAX: u64 = 7;
const CALM_DAYS_MAX: u64 = 16;
/// After so many every notification has arrived, if it ever does.
const CALM_DAYS_MIN: u64 = 3;

/// What a world came to.
#[derive(Debug, PartialEq, Eq)]
struct Story {
    operations: u64,
    /// Of everything that happened, in order.
    digest: String,
}

/// Lives through the world of `seed`, with `weather` in place of its own if there is one.
fn live(seed: u64, weather: Option<Weather>) -> Story {
    let mut dice = Dice::new(seed);
    let drawn = Weather::drawn(&mut dice);
    // Of dice of its own, so that nothing else of a world depends on it.
    let is_trusting = Dice::new(!seed).percent(30);
    let settings = merchant::settings(&mut dice, is_trusting);
    let (nights, hosts) = (1 + dice.below(NIGHTS_MAX), if dice.percent(40) { 2 } else { 1 });
    let mut wishes = Wishes::new();
    let folder = temporary();
    let mut logs: Vec<PathBuf> = Vec::new();
    let world = World::new(seed, weather.unwrap_or(drawn), is_trusting, Dice::new(dice.roll()));
    let ledger = MemoryLedger::new();
    for night in 0..nights + CALM_DAYS_MAX {
        let is_calm = night >= nights;
        if night >= nights + CALM_DAYS_MIN && now(now(ledger.view()).unwrap().open_bills()).unwrap().is_empty() {
            break;
        }
        if night == nights {
            world.calm();
        }
        if !is_calm {
            wishes.change(&mut dice);
            for _ in 0..dice.below(12) {
                let within = Duration::from_secs(dice.below(24 * 3_600));
                world.time.post(within, Happening::World(Box::new(Event::Pays)));
            }
        }
        keep_log(&world, &folder, &mut logs);
        let files: Vec<Vec<Bill>> = (0..hosts).map(|_| if is_calm { wishes.all() } else { wishes.file(&mut dice) }).collect();
        let reported: Vec<Reported> = files.iter().map(|_| Reported::default()).collect();
        let taken = Arc::new(AtomicBool::new(false));
        let taking = merchant::take_in(&world, &ledger, &logs, life(&world, &mut dice, 1), &taken);
        let mut issuing: Vec<_> = (files.iter().zip(&reported))
            .map(|(bills, reported)| merchant::issue(&world, &ledger, &settings, bills, life(&world, &mut dice, hosts), (reported, hosts)))
            .collect();
        if dice.percent(50) {
            issuing.push(taking);
        } else {
            process::run(&world, vec![taking]);
        }
        process::run(&world, issuing);
        if taken.load(Ordering::Relaxed) {
            // The next one reads the last one again, as a pattern of file names would have it.
            logs.drain(..logs.len() - 1);
        }
        if is_told() {
            println!("{}: {} hosts, {weather:?}", world.context(), hosts, weather = world.weather());
        }
        for (bills, reported) in files.iter().zip(&reported) {
            if is_told() {
                reported.rows.lock().unwrap().iter().for_each(|(row, end)| println!("{}: {end:?}", bills[*row].invoice_number));
            }
            if is_told() && std::panic::catch_unwind(AssertUnwindSafe(|| judge::reported(&world, &ledger, bills, reported, hosts))).is_err()
            {
                tell(&world, &ledger);
            }
            judge::reported(&world, &ledger, bills, reported, hosts);
        }
        judge::at_rest(&world, &ledger);
        process::run(&world, vec![merchant::sync(&world, &ledger, &settings, life(&world, &mut dice, 1))]);
        judge::at_rest(&world, &ledger);
        process::pass(&world, Duration::from_secs(3_600 * (8 + dice.below(16))));
    }
    end(&world, &ledger, &settings, &wishes, &folder, &mut logs);
    story(&world, &ledger)
}

/// How long a process lives. Only where there are several does one matter that stands still.
fn life(world: &World, dice: &mut Dice, hosts: u64) -> Life {
    let weather = world.weather();
    let dies_at = dice.percent(weather.deaths).then(|| 1 + dice.below(150));
    let freezes = hosts > 1 && dice.percent(weather.freezes);
    Life::of(dies_at, freezes.then(|| (1 + dice.below(150), Duration::from_secs(1 + dice.below(120)))))
}

/// A last run of everything, and what must be so then.
fn end(
    world: &World,
    ledger: &MemoryLedger,
    settings: &tagih::jobs::issue::IssueSettings,
    wishes: &Wishes,
    folder: &tempfile::TempDir,
    logs: &mut Vec<PathBuf>,
) {
    keep_log(world, folder, logs);
    let bills = wishes.all();
    process::run(world, vec![merchant::take_in(world, ledger, logs, Life::default(), &Arc::default())]);
    let reported = Reported::default();
    process::run(world, vec![merchant::issue(world, ledger, settings, &bills, Life::default(), (&reported, 1))]);
    let ends = reported.ends.into_inner().unwrap().unwrap();
    if is_told() {
        tell(world, ledger);
    }
    judge::in_the_end(world, ledger, &ends, &bills);
    // Whatever else is said of a row: run again at once, the same file calls DOKU for nothing that was done.
    let calls = world.model().processed().count();
    let reported = Reported::default();
    process::run(world, vec![merchant::issue(world, ledger, settings, &bills, Life::default(), (&reported, 1))]);
    if is_told() {
        tell(world, ledger);
        println!("2026-first {ends:?}");
    }
    assert_eq!(world.model().processed().count(), calls, "{}: a finished run changed something at DOKU (I21)", world.context());
    let again = reported.ends.into_inner().unwrap().unwrap();
    let has_done = |bucket| matches!(bucket, Bucket::Issued | Bucket::Amended | Bucket::Cancelled);
    assert!(!again.iter().any(|end| has_done(end.bucket)), "{}: (I21) {again:?}", world.context());
}

fn is_told() -> bool {
    std::env::var_os("TAGIH_SIMULATION_TOLD").is_some()
}

/// All that happened, for whoever looks into a world that went wrong.
fn tell(world: &World, ledger: &MemoryLedger) {
    for (at, number, event) in ledger.events() {
        println!("{at} {number} {}", serde_json::to_string(&event).unwrap());
    }
    for call in world.model().calls() {
        println!("{} {call:?}", call.at);
    }
    for order in world.model().orders() {
        println!("{} {order:?}", order.created_at);
    }
}

/// The lines that came since the last one become a log.
fn keep_log(world: &World, folder: &tempfile::TempDir, logs: &mut Vec<PathBuf>) {
    let lines = std::mem::take(&mut *world.log.lock().unwrap());
    let path = folder.path().join(format!("notifications-{}.jsonl", world.time.now_us()));
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    std::fs::write(&path, text).unwrap();
    logs.push(path);
}

fn story(world: &World, ledger: &MemoryLedger) -> Story {
    let head = now(now(ledger.view()).unwrap().head()).unwrap();
    let calls: Vec<String> = world.model().calls().iter().map(|call| format!("{call:?}")).collect();
    let digest = tagih::domain::digest::hex(&tagih::domain::digest::of_bytes(format!("{head:?}{}", calls.join("\n")).as_bytes()));
    Story { operations: world.operations(), digest }
}

/// A number that the environment may set.
fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Leaves out of a failing world's weather whatever it fails without.
fn simplest(seed: u64, fails: &dyn Fn(Weather) -> bool) -> Weather {
    let mut weather = Weather::drawn(&mut Dice::new(seed));
    for (_, leave_out) in Weather::PARTS {
        let mut simpler = weather.clone();
        leave_out(&mut simpler);
        if fails(simpler.clone()) {
            weather = simpler;
        }
    }
    weather
}

/// What came of worlds that were lived through.
#[derive(Default)]
struct Lived {
    worlds: u64,
    operations: u64,
    /// The first number whose world went wrong, if one did.
    wrong: Option<u64>,
}

/// Lives through the worlds of `seeds` on every core, until `is_over` or one goes wrong.
fn live_all(seeds: std::ops::Range<u64>, is_over: &(dyn Fn() -> bool + Sync)) -> Lived {
    let (next, lived) = (AtomicU64::new(seeds.start), Mutex::new(Lived::default()));
    let work = || {
        while lived.lock().unwrap().wrong.is_none() && !is_over() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let story = catch_unwind(AssertUnwindSafe(|| live(seed, None)));
            let mut lived = lived.lock().unwrap();
            match story {
                Ok(story) => (lived.operations, lived.worlds) = (lived.operations + story.operations, lived.worlds + 1),
                Err(_) => lived.wrong = Some(lived.wrong.map_or(seed, |other| other.min(seed))),
            }
        }
    };
    // Each on one thread for all it does: on that of a pool, reading logs in parallel happens in place.
    rayon::ThreadPoolBuilder::new().build().unwrap().broadcast(|_| work());
    lived.into_inner().unwrap()
}

#[test]
fn whatever_happens_no_code_is_lost_or_live_twice_and_every_rupiah_is_booked_once() {
    let (from, count) = (number("TAGIH_SIMULATION_FROM", 1), number("TAGIH_SIMULATION_SEEDS", 1_000));
    let (begun, seconds_max) = (Instant::now(), number("TAGIH_SIMULATION_SECONDS", u64::MAX));
    let Lived { worlds, operations, wrong } = live_all(from..from.saturating_add(count), &|| begun.elapsed().as_secs() >= seconds_max);
    if let Some(seed) = wrong {
        assert!(!is_told(), "world {seed} went wrong");
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let weather = simplest(seed, &|weather| catch_unwind(AssertUnwindSafe(|| live(seed, Some(weather)))).is_err());
        std::panic::set_hook(hook);
        panic!(
            "world {seed} went wrong, at its simplest in {weather:?}\nagain: TAGIH_SIMULATION_FROM={seed} TAGIH_SIMULATION_SEEDS=1 \
             cargo test --test it simulation:: -- --nocapture"
        );
    }
    let ms = begun.elapsed().as_millis() as u64;
    println!("{worlds} worlds from seed {from}, {operations} operations in {ms} ms: {} a second", operations * 1_000 / ms.max(1));
}

#[test]
fn a_seed_is_one_world() {
    for seed in 1..=10 {
        assert_eq!(live(seed, None), live(seed, None), "seed {seed}");
    }
}
