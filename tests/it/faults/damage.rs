//! One byte that is another, or an end that is missing, in every file of ours that is read again: it is found, or what was read is what was
//! written; and never does it end the program in another way.
//!
//! `TAGIH_DAMAGE_SAMPLE` changes are tried with each command that reads; `all` for one bit in each block of 64 bytes and every 64th length.
//! `TAGIH_DAMAGE_SEED` draws them; `TAGIH_DAMAGE_ONLY` names one of the commands.

use std::fs;
use std::path::{Path, PathBuf};

use super::commands::august;
use super::{setting, wanted};
use crate::support::dice::Dice;
use crate::support::world::World;

/// Bytes of which one is changed.
const BLOCK: usize = 64;

/// Files of ours, and the command that reads them.
struct Reading {
    name: &'static str,
    world: fn() -> World,
    /// Below the world: these, or all below these.
    places: &'static [&'static str],
    typed: &'static str,
    /// Where its results go, if what it prints does not say it all.
    out: Option<&'static str>,
}

const SEPTEMBER: &str =
    "reconcile --period 2026-09 --notifications september.jsonl --as-of 2026-10-02T00:00:00Z --opening 2026-08 --out 2026-09";
const CARRIED_IN: &str =
    "reconcile --period 2026-09 --notifications september.jsonl --as-of 2026-10-02T00:00:00Z --carry-in 2026-08 --out 2026-09";

const READINGS: [Reading; 7] = [
    Reading { name: "ledger", world: decided, places: &["tagih.ledger"], typed: "ledger verify --json", out: None },
    Reading { name: "journal", world: decided, places: &["tagih.journal"], typed: "discrepancies list --status all --json", out: None },
    Reading { name: "opening", world: decided, places: &["2026-08"], typed: SEPTEMBER, out: Some("2026-09") },
    Reading {
        name: "carry-in",
        world: decided,
        places: &["2026-08/matched.parquet", "2026-08/summary.json"],
        typed: CARRIED_IN,
        out: Some("2026-09"),
    },
    Reading { name: "report", world: decided, places: &["2026-08"], typed: "discrepancies take 2026-08 --by Sari --json", out: None },
    Reading { name: "store", world: kept, places: &["store"], typed: "evidence verify --store store --json", out: None },
    Reading { name: "store-ingested", world: kept, places: &["store"], typed: "ingest --evidence store --json", out: None },
];

/// August, closed, with a decision; and a log of September.
fn decided() -> World {
    let world = august("");
    world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    world.run(&["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"]).expect(0);
    let paid = crate::reconcile::ours::line("A-4", &crate::month_end::period::code("A-4"), 400_000, "2026-09-09T03:00:00Z", "T9");
    world.file("september.jsonl", paid + "\n");
    world
}

fn kept() -> World {
    let world = august("");
    world.run(&["evidence", "add", "--store", "store", "august.jsonl"]).expect(0);
    world
}

/// What a reading comes to: its exit code, and all that it says.
fn read(world: &World, reading: &Reading) -> (i32, String, String) {
    if let Some(out) = reading.out {
        drop(fs::remove_dir_all(world.path(out)));
    }
    let ran = world.run(&reading.typed.split(' ').collect::<Vec<_>>());
    let mut said = if reading.out.is_some() { String::new() } else { ran.stdout };
    for name in reading.out.iter().flat_map(|_| ["open_items.csv", "postings.csv", "discrepancies.csv", "roll_forward.csv"]) {
        said += &fs::read_to_string(world.path(reading.out.unwrap()).join(name)).unwrap_or_default();
    }
    (ran.code, said, ran.stderr)
}

fn files(world: &World, places: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), places.iter().map(|place| world.path(place)).collect::<Vec<_>>());
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found.retain(|path| fs::metadata(path).unwrap().len() > 0);
    assert!(!found.is_empty(), "{places:?}");
    found
}

/// A file, a place in it, and the bit that is turned there, or none if the file ends there.
type Change<'f> = (&'f Path, usize, Option<u8>);

/// What is tried with these files.
fn changes<'f>(files: &'f [PathBuf], count: Option<usize>, dice: &mut Dice) -> Vec<Change<'f>> {
    let mut drawn = |from: usize, to: usize| from + dice.below((to - from) as u64) as usize;
    let length = |path: &Path| fs::metadata(path).unwrap().len() as usize;
    let Some(count) = count else {
        let of = |path: &'f PathBuf| (0..length(path)).step_by(BLOCK).map(move |from| (path.as_path(), from));
        let blocks = files.iter().flat_map(of);
        return blocks
            .flat_map(|(path, from)| {
                let at = drawn(from, length(path).min(from + BLOCK));
                [(path, at, Some(1 << drawn(0, 8))), (path, from, None)]
            })
            .collect();
    };
    let one = |number: usize| {
        let path = files[drawn(0, files.len())].as_path();
        (path, drawn(0, length(path)), (number % 4 != 3).then_some(1 << (number % 8)))
    };
    (0..count).map(one).collect()
}

fn damaged(bytes: &[u8], at: usize, bit: Option<u8>) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    match bit {
        Some(bit) => changed[at] ^= bit,
        None => changed.truncate(at),
    }
    changed
}

/// Whether it was told, or why it should have been.
fn attempt(world: &World, reading: &Reading, (path, at, bit): Change<'_>, sound: &(i32, String, String)) -> Result<bool, String> {
    let before = super::stage::tree(&world.path(""));
    fs::write(path, damaged(&fs::read(path).unwrap(), at, bit)).unwrap();
    let (code, said, stderr) = read(world, reading);
    restore(world, &before);
    let is_told = [2, 7, 8, 9].contains(&code) && stderr.contains("error") && !stderr.contains("panicked");
    // A journal without its end is what it was before; a report that was made with it tells (E0858).
    let is_earlier = reading.name == "journal" && bit.is_none();
    let is_harmless = code == sound.0 && (said == sound.1 || is_earlier);
    if is_told || is_harmless {
        return Ok(is_told);
    }
    Err(format!("{}: {} {at} {bit:?}: {code} {}", reading.name, path.display(), stderr.trim_end()))
}

/// What reading has written is taken back: it may have recorded something.
fn restore(world: &World, before: &super::stage::Tree) {
    let root = world.path("");
    for name in super::stage::tree(&root).into_keys().filter(|name| !before.contains_key(name)) {
        let path = root.join(name);
        drop(if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) });
    }
    for (name, (_, bytes)) in before {
        if let Some(bytes) = bytes {
            fs::write(root.join(name), bytes).unwrap();
        }
    }
}

#[test]
fn a_damaged_file_of_ours_is_found_or_harmless_and_never_ends_the_program_otherwise() {
    let only = setting("TAGIH_DAMAGE_ONLY");
    let seed = setting("TAGIH_DAMAGE_SEED").map_or(1, |text| text.parse().unwrap());
    let mut failures = Vec::new();
    for reading in READINGS.iter().filter(|reading| only.as_ref().is_none_or(|only| only == reading.name)) {
        let world = (reading.world)();
        let before = super::stage::tree(&world.path(""));
        let sound = read(&world, reading);
        restore(&world, &before);
        assert!(sound.0 <= 1, "{}: {sound:?}", reading.name);
        let files = files(&world, reading.places);
        let changes = changes(&files, wanted("TAGIH_DAMAGE_SAMPLE", 6), &mut Dice::new(seed));
        let (mut found, failed) = (0, failures.len());
        for change in &changes {
            match attempt(&world, reading, *change, &sound) {
                Ok(is_told) => found += usize::from(is_told),
                Err(failure) => failures.push(failure),
            }
        }
        let (name, count, failed) = (reading.name, changes.len(), failures.len() - failed);
        println!("{name}: {} files, {count} changes, {found} told, {failed} failures, the others harmless", files.len());
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
