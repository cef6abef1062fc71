//! Thousands of random worlds: the engine against the oracle, and the engine against itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;

use super::compare::{self, actual, bytes_of, describe, run, shrink};
use super::month;
use super::naive::expected;
use super::world::{Ending, LogFile, World};
use crate::support::folder::temporary;
use crate::support::random::Random;

/// Worlds in the sweep, unless `TAGIH_ORACLE_WORLDS` asks for more.
const WORLDS: u64 = 2_000;
/// Mismatches that are shrunk and printed.
const SHOWN: usize = 3;

pub(crate) fn worlds(usual: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("TAGIH_ORACLE_FIRST_SEED").unwrap_or(0);
    first..first + number("TAGIH_ORACLE_WORLDS").map_or(usual, |asked| asked * usual / WORLDS)
}

/// Does `work` for every seed, on threads of its own: on rayon's a waiting engine would pick up another world, and another
/// within that, until the stack ends.
pub(crate) fn each(seeds: Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds.end) {
            work(seed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(worker);
        }
    });
}

/// What is asked of a world and the folder with the engine's results.
type Question = fn(&World, &Path);

pub(crate) const AGREES: usize = 0;
pub(crate) const IS_WHOLE: usize = 1;
pub(crate) const ROLLS_FORWARD: usize = 2;

/// And of how many worlds.
const QUESTIONS: [(u64, Question); 3] = [(WORLDS, agrees), (300, is_whole), (month::WORLDS, month::rolls_forward)];

/// The worlds in which an answer is wrong, by question. A run of the engine is what a world costs, so each has one, and is asked everything
/// there. A panic, of a control identity for one, is wrong whatever was asked.
static WRONG: LazyLock<[BTreeSet<u64>; 3]> = LazyLock::new(|| {
    let wrong = Mutex::new(<[BTreeSet<u64>; 3]>::default());
    each(worlds(WORLDS), |seed| {
        let (world, folder) = (World::generate(seed), temporary());
        let out = catch_unwind(|| run(&world, folder.path()));
        for (at, (_, ask)) in QUESTIONS.iter().enumerate().filter(|(_, (usual, _))| worlds(*usual).contains(&seed)) {
            if !out.as_ref().is_ok_and(|out| catch_unwind(|| ask(&world, out)).is_ok()) {
                wrong.lock().unwrap()[at].insert(seed);
            }
        }
    });
    wrong.into_inner().unwrap()
});

/// The answer is right in every world, or what is wrong in the first where it is not.
pub(crate) fn holds(at: usize) {
    let wrong = &WRONG[at];
    if let Some(seed) = wrong.first() {
        let (world, folder) = (World::generate(*seed), temporary());
        eprintln!("seed {seed}");
        QUESTIONS[at].1(&world, &run(&world, folder.path()));
    }
    assert!(wrong.is_empty(), "{} worlds: {wrong:?}", wrong.len());
}

fn agrees(world: &World, out: &Path) {
    assert!(!compare::differs(&expected(world), &compare::read_outcome(out)));
}

#[test]
fn the_engine_agrees_with_the_oracle_on_every_world() {
    let differs = |world: &World| catch_unwind(|| compare::differs(&expected(world), &actual(world))).unwrap_or(true);
    for seed in WRONG[AGREES].iter().take(SHOWN) {
        let world = shrink(&World::generate(*seed), differs);
        let engine = catch_unwind(|| actual(&world)).unwrap_or_default();
        eprintln!("{}", describe(*seed, &world, &expected(&world), &engine));
    }
    holds(AGREES);
}

/// The results that may depend on nothing but content: all but positions and the input list.
fn results(world: &World) -> BTreeMap<String, Vec<u8>> {
    let folder = temporary();
    let mut files = bytes_of(&run(world, folder.path()));
    files.remove("evidence.csv");
    let summary: serde_json::Value = serde_json::from_slice(&files.remove("summary.json").unwrap()).unwrap();
    for name in ["lines", "payments", "bills", "flags", "natures", "identities", "not_evaluated", "counted_apart"] {
        files.insert(format!("summary {name}"), summary[name].to_string().into_bytes());
    }
    files
}

/// The same lines and rows, in another order and in other files.
fn shuffled(world: &World, seed: u64) -> World {
    let mut random = Random::new(seed ^ 0x0bad_cafe);
    let mut lines: Vec<String> = world.files.iter().flat_map(|file| file.lines.clone()).collect();
    random.shuffle(&mut lines);
    let mut files = vec![LogFile::default(); 1 + random.below(4)];
    for line in lines {
        let file = random.below(files.len());
        files[file].lines.push(line);
    }
    for file in &mut files {
        file.windows = random.chance(20);
        // A blank last line without a line break would be no line at all.
        file.ending =
            if random.chance(30) && file.lines.last().is_some_and(|line| !line.is_empty()) { Ending::None } else { Ending::LineBreak };
    }
    let mut rows = world.rows.clone();
    random.shuffle(&mut rows);
    World { settings: world.settings.clone(), header: world.header.clone(), rows, files }
}

#[test]
fn the_order_of_lines_rows_and_files_changes_no_byte() {
    each(worlds(300), |seed| {
        let mut world = World::generate_with_ties(seed);
        for file in &mut world.files {
            file.ending = Ending::LineBreak;
        }
        let (before, after) = (results(&world), results(&shuffled(&world, seed)));
        for (name, bytes) in &before {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(after[name] == *bytes, "seed {seed}: {name} changed\n{}\n{}", text(bytes), text(&after[name]));
        }
    });
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let pool = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (one, two) = (pool(1), pool(2));
    for seed in worlds(60) {
        let world = World::generate_with_ties(seed);
        assert!(one.install(|| results(&world)) == two.install(|| results(&world)), "seed {seed}");
    }
}

#[test]
fn a_run_can_be_repeated_byte_for_byte() {
    for seed in worlds(60) {
        let folder = temporary();
        let world = World::generate_with_ties(seed);
        let first = bytes_of(&run(&world, folder.path()));
        fs::remove_dir_all(folder.path().join("out")).unwrap();
        let second = bytes_of(&run(&world, folder.path()));
        assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
        for (name, bytes) in &first {
            assert!(second[name] == *bytes, "seed {seed}: {name} changed");
        }
    }
}

fn is_whole(world: &World, out: &Path) {
    let summary: serde_json::Value = serde_json::from_str(&fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    let classed: u64 = summary["lines"].as_object().unwrap().values().map(|total| total["count"].as_u64().unwrap()).sum();
    let texts: Vec<String> = world.files.iter().map(LogFile::text).collect();
    let read: usize = texts.iter().map(|text| super::evidence::written(text).count()).sum();
    assert_eq!(classed, read as u64);
    compare::check_positions(out, out.parent().unwrap());
}

#[test]
fn every_line_read_has_one_class_and_every_digest_cited_has_its_position() {
    holds(IS_WHOLE);
}
