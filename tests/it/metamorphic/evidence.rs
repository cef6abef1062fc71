//! From the evidence store a report is what it is from the logs, byte for byte, in whatever pieces and order they were added.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagih::evidence::StoreAt;
use tagih::evidence::store::{AddedAs, ReceiptDays, verify};
use tagih::jobs::evidence::{EvidenceOptions, add};
use tagih::jobs::reconcile::ReconcileOptions;
use tagih::ledger::Seals;
use tagih::table;

use crate::oracle::compare::{bytes_of, options, run_on_file};
use crate::oracle::world::World;
use crate::support::folder::temporary;
use crate::support::message::CLIENT;
use crate::support::random::Random;

const SEEDS: u64 = 60;

fn store(path: PathBuf, seed: u64) -> StoreAt {
    let seals = if seed.is_multiple_of(2) { Seals::UNKEYED } else { Seals::keyed(&"a key".to_owned().into()) };
    StoreAt { path, environment: "sandbox".to_owned(), client_id: CLIENT.to_owned(), seals: Arc::new(seals), days: ReceiptDays::default() }
}

fn added(at: &StoreAt, logs: &[PathBuf], with: &ReconcileOptions, keep_raw: bool) -> Vec<AddedAs> {
    // What is kept depends on no setting but the keys.
    let policy = tagih::domain::classify::MatchingPolicy::default();
    let options = EvidenceOptions { at: at.clone(), keep_raw, malformed_max_percent: 100, policy, tables: table::TableSettings::default() };
    let (added, _) = add(&options, logs, &with.keys, with.as_of).unwrap();
    added.into_iter().map(|log| log.what).collect()
}

/// Every file of a report; of the summary without the name of the store.
fn report(ledger: &Path, options: &ReconcileOptions) -> Vec<(String, String)> {
    run_on_file(ledger, options);
    let mut files = Vec::new();
    for (name, bytes) in bytes_of(&options.out) {
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if name == "summary.json" {
            let mut summary: serde_json::Value = serde_json::from_str(&text).unwrap();
            summary["request"].as_object_mut().unwrap().remove("evidence");
            text = summary.to_string();
        }
        files.push((name, text));
    }
    fs::remove_dir_all(&options.out).unwrap();
    files
}

#[track_caller]
fn same(seed: u64, what: &str, from_logs: &[(String, String)], from_store: &[(String, String)]) {
    let names = |files: &[(String, String)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(from_logs), names(from_store), "seed {seed}, {what}");
    for ((name, logs), (_, store)) in from_logs.iter().zip(from_store) {
        assert!(logs == store, "seed {seed}, {what}: {name}\n{logs}\n{store}");
    }
}

#[test]
fn a_report_from_the_store_is_the_one_from_the_logs_byte_for_byte() {
    for seed in 0..SEEDS {
        let world = World::generate_with_ties(seed);
        let folder = temporary();
        let (ledger, mut logs) = world.write(folder.path());
        logs.sort();
        let from_logs = options(&world.settings, logs.clone(), folder.path().join("out"));
        let at = store(folder.path().join("evidence"), seed);
        let expected = report(&ledger, &from_logs);
        let kept = added(&at, &logs, &from_logs, seed.is_multiple_of(3));
        assert!(kept.iter().all(|what| matches!(what, AddedAs::New | AddedAs::Known)), "seed {seed}: {kept:?}");
        let from_store = ReconcileOptions {
            notifications: Vec::new(),
            evidence: Some(at.clone()),
            ..options(&world.settings, Vec::new(), folder.path().join("out"))
        };
        same(seed, "from the store", &expected, &report(&ledger, &from_store));
        // Beside the store its logs tell nothing new; nor does adding them again, in whatever order and compressed.
        let from_both = ReconcileOptions { notifications: logs.clone(), ..options_of(&from_store) };
        same(seed, "from both", &expected, &report(&ledger, &from_both));
        let mut random = Random::new(seed);
        let mut again = logs.clone();
        random.shuffle(&mut again);
        assert!(added(&at, &again, &from_logs, false).iter().all(|what| *what == AddedAs::Known), "seed {seed}");
        let packed: Vec<PathBuf> =
            logs.iter().filter(|log| log.extension().is_some_and(|extension| extension == "jsonl")).map(|log| packed(log)).collect();
        let what = added(&at, &packed, &from_logs, false);
        let has_lines = |log: &PathBuf| fs::read(log.with_extension("")).is_ok_and(|bytes| !bytes.trim_ascii().is_empty());
        assert!(packed.iter().zip(&what).all(|(log, what)| !has_lines(log) || *what == AddedAs::Known), "seed {seed}: {what:?}");
        // Keys that were replaced since do not matter.
        if what.iter().all(|what| *what == AddedAs::Known) {
            let other = vec![tagih::doku::signature::SigningKey::new(&"SK-another".to_owned().into())].into();
            let without_key = ReconcileOptions { keys: other, ..from_store };
            let now: Vec<_> = report(&ledger, &without_key).into_iter().filter(|(name, _)| name != "summary.json").collect();
            let before: Vec<_> = expected.into_iter().filter(|(name, _)| name != "summary.json").collect();
            same(seed, "with another key", &before, &now);
        }
        let found = verify(&at).unwrap();
        assert!(found.wrong.is_empty(), "seed {seed}: {:?}", found.wrong);
    }
}

/// The same options once more: they hold keys, which are not copied by themselves.
fn options_of(options: &ReconcileOptions) -> ReconcileOptions {
    ReconcileOptions {
        asked: options.asked.clone(),
        notifications: options.notifications.clone(),
        evidence: options.evidence.clone(),
        from: options.from,
        to: options.to,
        as_of: options.as_of,
        keys: options.keys.clone(),
        client_id: options.client_id.clone(),
        policy: options.policy.clone(),
        carry_in: None,
        request_history: None,
        settlement: None,
        bank: Vec::new(),
        inquiries: Vec::new(),
        opening: None,
        journal: None,
        books: options.books.clone(),
        tables: table::TableSettings::default(),
        out: options.out.clone(),
        presentation: None,
    }
}

fn packed(log: &Path) -> PathBuf {
    let path = PathBuf::from(format!("{}.zst", log.display()));
    fs::write(&path, zstd::encode_all(&*fs::read(log).unwrap(), 1).unwrap()).unwrap();
    path
}

#[test]
fn a_log_may_be_added_while_it_grows_and_beside_what_the_store_has_only_the_rest_counts() {
    for seed in 0..SEEDS {
        let world = World::generate_with_ties(seed);
        let folder = temporary();
        let (ledger, mut logs) = world.write(folder.path());
        logs.sort();
        let from_logs = options(&world.settings, logs.clone(), folder.path().join("out"));
        let expected = report(&ledger, &from_logs);
        let at = store(folder.path().join("evidence"), seed);
        let mut random = Random::new(seed);
        let plain: Vec<&PathBuf> = logs.iter().filter(|log| log.extension().is_some_and(|extension| extension == "jsonl")).collect();
        // Cut anywhere, also within a line: that is what somebody reads who reads while it is written.
        for log in &plain {
            let whole = fs::read(log).unwrap();
            for _ in 0..2 {
                let cuts: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
                let at_line = if cuts.is_empty() { 0 } else { cuts[random.below(cuts.len())] };
                fs::write(log, &whole[..at_line]).unwrap();
                let what = added(&at, std::slice::from_ref(*log), &from_logs, seed.is_multiple_of(2));
                assert!(!what[0].is_fault() || what[0] == AddedAs::Cut, "seed {seed}: {what:?}");
            }
            fs::write(log, &whole).unwrap();
        }
        let beside = ReconcileOptions { evidence: Some(at.clone()), ..options_of(&from_logs) };
        let counted = |files: &[(String, String)]| {
            files
                .iter()
                .filter(|(name, _)| {
                    !["summary.json", "evidence.csv"].contains(&name.as_str())
                        && !name.starts_with("carry/")
                        && !name.contains("completeness")
                })
                .cloned()
                .collect::<Vec<_>>()
        };
        same(seed, "beside a part", &counted(&expected), &counted(&report(&ledger, &beside)));
        let what = added(&at, &logs, &from_logs, false);
        assert!(what.iter().all(|what| !what.is_fault()), "seed {seed}: {what:?}");
        let from_store = ReconcileOptions { notifications: Vec::new(), evidence: Some(at.clone()), ..options_of(&from_logs) };
        same(seed, "grown", &expected, &report(&ledger, &from_store));
        assert!(verify(&at).unwrap().wrong.is_empty(), "seed {seed}");
    }
}
