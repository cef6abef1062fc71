//! What a killed run leaves behind under a name of its own is told by `doctor` and gone after the next run: every such name there is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::month_end::period::Books;
use crate::support::world::{Doku, World, signal};

/// Who makes names for a while (`src/`), with the tests below that leave each of them behind.
const MAKERS: [(&str, &str); 2] = [
    // A file or folder called `.tagih-…`: results, run records, metrics and heads by `report/atomic`, a ledger that is made or copied, and
    // a report that is made again to be signed.
    ("temporary.rs", "names_of_all_kinds_are_gone_after_the_next_run"),
    ("serve/log/closing.rs", "a_day_that_was_being_compressed_is_compressed_by_the_next_server"),
];
/// It keeps the folder that it makes, and says where it is.
const KEPT: &str = "cli/demo.rs";

#[test]
fn every_maker_of_such_names_is_known_here() {
    let mut found = BTreeSet::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Some(text) = fs::read_to_string(&path).ok().filter(|_| !path.ends_with("tests.rs")) {
                let code = text.split("#[cfg(test)]").next().unwrap();
                if code.contains("private::temporary") {
                    found.insert(path.strip_prefix(&sources).unwrap().display().to_string());
                }
            }
        }
    }
    found.retain(|path| !path.contains("tests/") && !path.contains("conformance"));
    assert_eq!(found, MAKERS.iter().map(|(path, _)| (*path).to_owned()).chain([KEPT.to_owned()]).collect());
}

/// What is in `folder` under a name for a while.
fn names(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    all.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(".tagih-") || name.starts_with(".closing-")))
        .map(|entry| entry.path())
        .collect()
}

/// Kills the command as soon as such a name stands in `folder`, again and again until one is left behind; then an hour passes.
fn leave_behind(world: &World, arguments: &[&str], folder: &str, again: &dyn Fn()) {
    let folder = world.path(folder);
    for _ in 0..60 {
        let mut run = world.start(&[], arguments);
        while run.try_wait().unwrap().is_none() {
            if !names(&folder).is_empty() {
                signal(&run, "KILL");
                break;
            }
        }
        run.wait().unwrap();
        let left = names(&folder);
        for path in &left {
            File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
        }
        if !left.is_empty() {
            return;
        }
        again();
    }
    panic!("`{arguments:?}` was never killed in between");
}

#[test]
fn names_of_all_kinds_are_gone_after_the_next_run() {
    let doku = Doku::process();
    // On a disk, a file takes long enough to be met half made.
    let books = Books::of(World::on_disk("http://127.0.0.1:1", ""));
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let reports = |world: &World| world.path("2026-08").exists();
    for (what, folder, arguments, next) in [
        ("results", "out", &["check", "bills.csv", "--out", "out"][..], &["check", "bills.csv", "--out", "out"][..]),
        ("a run's record", "tagih.ledger.runs", &["ingest", "august.jsonl"], &["ingest", "august.jsonl"]),
        ("metrics", "metrics", &["ledger", "verify", "--metrics", "metrics/a.prom"], &["ledger", "verify", "--metrics", "metrics/a.prom"]),
        ("a head", "heads", &["ledger", "verify", "--head-file", "heads/head"], &["ledger", "verify", "--head-file", "heads/head"]),
        ("a copy of the ledger", "copies", &["ledger", "backup", "copies/"], &["ledger", "backup", "copies/"]),
        (
            "a report made again",
            ".",
            &["period", "propose", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "r"],
            &["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "r"],
        ),
    ] {
        let world = &books.world;
        world.many("bills.csv", "T", 3);
        assert!(reports(world));
        fs::create_dir_all(world.path(folder)).unwrap();
        leave_behind(world, arguments, folder, &|| ());
        if [".", "tagih.ledger.runs"].contains(&folder) {
            let told = world.run(&["doctor", "--offline", "--quick", "--json"]);
            assert!(told.stdout.contains("were left by runs that were killed"), "{what}: {told:?}");
        }
        let ran = world.run(next);
        assert!([0, 1].contains(&ran.code), "{what}: {ran:?}");
        assert_eq!(names(&world.path(folder)), Vec::<PathBuf>::new(), "{what}");
    }

    let world = World::on_disk(&doku.base_url(), "");
    leave_behind(&world, &["ledger", "create"], ".", &|| drop(fs::remove_file(world.path("tagih.ledger"))));
    assert!(!world.path("tagih.ledger").exists(), "it is there whole or not at all");
    world.run(&["ledger", "create"]).expect(0);
    assert_eq!(names(&world.path(".")), Vec::<PathBuf>::new());
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_day_that_was_being_compressed_is_compressed_by_the_next_server() {
    let world = World::on_disk("http://127.0.0.1:1", "[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"logs\"\n");
    world.run(&["ledger", "create"]).expect(0);
    fs::create_dir(world.path("logs")).unwrap();
    let mut day = File::create(world.path("logs/notifications-2026-01-01.jsonl")).unwrap();
    // What takes a while to be made small.
    for number in 0..60_000_u64 {
        writeln!(day, "{{\"n\":\"{:x}\"}}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
    }
    leave_behind(&world, &["serve"], "logs", &|| ());
    let mut server = world.start(&[], &["serve"]);
    crate::support::world::until("the day is compressed", || world.path("logs/notifications-2026-01-01.jsonl.zst").exists());
    signal(&server, "TERM");
    server.wait().unwrap();
    assert_eq!(names(&world.path("logs")), Vec::<PathBuf>::new());
}
