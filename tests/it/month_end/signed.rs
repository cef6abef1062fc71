//! What `period close` signs: what the inputs make, never what a folder says of itself.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tagih::domain::digest;

use crate::month_end::period::Books;
use crate::support::world::{Doku, World};

/// Changes summary.json and gives every file the digest it has.
pub(crate) fn rewrite_summary(folder: &Path, change: impl Fn(&mut Value)) {
    let path = folder.join("summary.json");
    let mut summary: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for file in summary["files"].as_array_mut().unwrap() {
        let bytes = fs::read(folder.join(file["name"].as_str().unwrap())).unwrap();
        file["bytes"] = bytes.len().into();
        file["sha256"] = digest::hex(&digest::of_bytes(&bytes)).into();
    }
    change(&mut summary);
    fs::write(path, serde_json::to_vec(&summary).unwrap()).unwrap();
}

#[test]
fn a_close_signs_what_the_inputs_make_and_never_what_a_folder_says() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let folder = books.world.path("2026-08");
    let as_written = crate::support::world::bytes_in(&folder);
    let tampered: [(&str, &dyn Fn()); 6] = [
        ("no files are listed", &|| {
            fs::write(folder.join("report.html"), "<h1>all fine</h1>").unwrap();
            rewrite_summary(&folder, |summary| summary["files"] = Value::Array(Vec::new()));
        }),
        ("a digest is rewritten", &|| {
            fs::write(folder.join("report.html"), "<h1>all fine</h1>").unwrap();
            rewrite_summary(&folder, |_| ());
        }),
        ("a list is emptied", &|| {
            let head = fs::read_to_string(folder.join("discrepancies.csv")).unwrap().lines().next().unwrap().to_owned();
            fs::write(folder.join("discrepancies.csv"), head + "\n").unwrap();
            rewrite_summary(&folder, |_| ());
        }),
        ("findings are fewer", &|| rewrite_summary(&folder, |summary| summary["discrepancies"]["count"] = 0.into())),
        ("evidence is not named", &|| rewrite_summary(&folder, |summary| summary["inputs"] = Value::Array(Vec::new()))),
        ("a figure is another", &|| rewrite_summary(&folder, |summary| summary["month"]["closing"]["suspense"]["amount"] = 0.into())),
    ];
    for (what, tamper) in tampered {
        tamper();
        let ran = books.close("2026-08").expect(7);
        assert!(ran.stderr.contains("E0851") || ran.stderr.contains("E0858"), "{what}: {ran:#?}");
        for (name, bytes) in &as_written {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
    books.close("2026-08").expect(0);
    let beside: Vec<_> = fs::read_dir(folder.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_str().unwrap().contains("again")), "{beside:?}");
}

#[test]
fn a_close_is_refused_once_its_inputs_say_otherwise() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let log = books.world.path("august.jsonl");
    let lines = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    books.close("2026-08").expect(7).says(&["E0858", "august.jsonl"]);
    fs::write(&log, [&lines[..], b"\n"].concat()).unwrap();
    books.close("2026-08").expect(7).says(&["E0858", "august.jsonl", "has been changed"]);
    fs::write(&log, lines).unwrap();
    // Another bill of August is heard of: the balances are others now.
    books.issue("A-9", 900_000, "2026-08-09", "2026-12-30");
    books.close("2026-08").expect(7).says(&["E0858", "balances are others"]);
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    // A ledger that goes on is closed by a copy of what was reconciled.
    books.world.run(&["ledger", "backup", "august.ledger"]).expect(0);
    books.issue("A-10", 900_000, "2026-09-09", "2026-12-30");
    books.close("2026-08").expect(7).says(&["E0858", "balances are others"]);
    let close = ["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"];
    books.world.run_with(&[("TAGIH_LEDGER_PATH", "august.ledger")], &close).expect(0);
}

#[test]
fn a_month_is_not_signed_on_a_ledger_that_somebody_has_edited() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "S", 2);
    world.issue("bills.csv", &[]).expect(0);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(7))).date();
    let before = today.first_of_month().yesterday().unwrap();
    let period = format!("{:04}-{:02}", before.year(), before.month());
    let stranger = format!("{{\"received_at\":\"{before}T05:00:00Z\",\"target\":\"/x\",\"headers\":{{}},\"body\":\"{{}}\"}}\n");
    world.file("log.jsonl", stranger);
    world.run(&["reconcile", "--period", &period, "--notifications", "log.jsonl", "--out", "report"]);
    let close = || world.run(&["period", "close", &period, "--report", "report", "--by", "Sari", "--reason", "r"]);
    let rename = |name: &str| {
        let ledger = rusqlite::Connection::open(world.path("tagih.ledger")).unwrap();
        assert_eq!(ledger.execute("UPDATE customers SET name = ?1 WHERE bill = 1", [name]).unwrap(), 1);
    };
    rename("Eve");
    let refused = close().expect(8).says(&["nothing is signed", "the customer of invoice `S-0001`"]);
    assert!(!refused.stderr.contains("Eve"), "{refused:?}");
    rename("Budi");
    close().expect(0);
}

#[test]
fn a_report_that_no_run_wrote_moves_no_journal() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let copied = |name: &str| {
        fs::create_dir_all(books.world.path(name).join("carry")).unwrap();
        for part in ["", "carry"] {
            for (file, bytes) in crate::support::world::bytes_in(&books.world.path("2026-08").join(part)) {
                fs::write(books.world.path(name).join(part).join(file), bytes).unwrap();
            }
        }
        books.world.path(name)
    };
    let journal = || fs::read(books.world.path("tagih.journal")).unwrap_or_default();
    // A copy of what a run wrote is what it wrote.
    copied("copy");
    books.world.run(&["discrepancies", "take", "copy", "--by", "Sari"]).expect(0);
    let ids = books.world.rows("2026-08/discrepancies.csv").into_iter().map(|row| row["discrepancy_id"].clone()).collect::<Vec<_>>();
    let decision = ["discrepancies", "accept", &ids[0], "--action", "accept", "--reason", "agreed", "--by", "Sari"];
    books.world.run(&decision).expect(0);
    let before = journal();
    // Nothing is to be done any more, says a folder that looks like one of ours.
    let forged = copied("forged");
    let settled = |folder: &Path| {
        for name in ["discrepancies.jsonl", "discrepancies.csv"] {
            fs::write(folder.join(name), "").unwrap();
        }
    };
    let cleared = |summary: &mut Value| {
        summary["run_id"] = "00000000000000000000000000000000".into();
        summary["discrepancies"]["count"] = 0.into();
        summary["discrepancies"]["cleared"] = ids.clone().into();
    };
    settled(&forged);
    books.world.run(&["discrepancies", "take", "forged", "--by", "Sari"]).expect(7).says(&["E0810"]);
    rewrite_summary(&forged, cleared);
    let take = |arguments: &[&str]| {
        let ran = books.world.run_with(&[("TAGIH_JOURNAL_ACTOR", "Sari")], arguments).expect(7);
        assert!(ran.stderr.contains("E0851") || ran.stderr.contains("E0858"), "{arguments:?}: {ran:#?}");
    };
    take(&["discrepancies", "take", "forged", "--by", "Sari"]);
    take(&["discrepancies", "list", "--report", "forged"]);
    take(&["discrepancies", "export", "--report", "forged", "--out", "items.csv", "--by", "Sari"]);
    take(&["discrepancies", "take", "forged", "--by", "Sari", "--item", &ids[0]]);
    // A summary alone is no proof of the files beside it.
    let half = copied("half");
    settled(&half);
    books.world.run(&["discrepancies", "take", "half", "--by", "Sari"]).expect(7).says(&["E0810"]);
    assert_eq!(journal(), before);
    // Where the records are gone, what its inputs make is taken.
    books.reconcile("2026-08", "august.jsonl", "2026-09-03", &[]);
    fs::remove_dir_all(books.world.path("tagih.ledger.runs")).unwrap();
    books.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0).says(&["made again"]);
    assert_ne!(journal(), before);
}

#[test]
fn a_report_is_signed_in_the_journal_it_was_made_with_and_in_no_other() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let as_written = crate::support::world::bytes_in(&books.world.path("2026-08"));
    let close = ["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "x"];
    let other = [("TAGIH_JOURNAL_PATH", "other.journal")];
    books.world.run_with(&other, &close).expect(7).says(&["E0858", "another journal"]);
    assert_eq!(crate::support::world::bytes_in(&books.world.path("2026-08")), as_written, "nothing in the folder says that it was signed");
    books.world.run(&close).expect(0);
}

#[test]
fn a_report_of_which_any_file_was_changed_is_not_taken_in() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let folder = books.world.path("2026-08");
    let summary: Value = serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
    let take = || books.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]);
    let names: Vec<&str> = summary["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"discrepancies.csv") && names.len() > 15, "{names:?}");
    for name in names {
        let bytes = fs::read(folder.join(name)).unwrap();
        fs::write(folder.join(name), [&bytes[..], b" "].concat()).unwrap();
        let ran = take().expect(7).says(&[name]);
        assert!(ran.stderr.contains("E0851") || ran.stderr.contains("E0810"), "{ran:?}");
        fs::remove_file(folder.join(name)).unwrap();
        take().expect(7).says(&[name]);
        fs::write(folder.join(name), bytes).unwrap();
    }
    assert!(!books.world.path("tagih.journal").exists());
    take().expect(0);
    // What was taken in already is said of what was taken in, and of nothing else.
    fs::write(folder.join("discrepancies.csv"), "").unwrap();
    take().expect(7).says(&["E0851", "discrepancies.csv"]);
}

#[test]
fn what_a_close_is_refused_for_is_named_be_it_the_store_of_evidence_or_the_journal() {
    let books = Books::new("");
    books.august();
    books.world.run(&["evidence", "add", "august.jsonl", "--store", "store"]).expect(0);
    let reconcile = ["reconcile", "--period", "2026-08", "--evidence", "store", "--as-of", "2026-09-02T00:00:00Z", "--out", "2026-08"];
    assert!(books.world.run(&reconcile).code <= 1);
    // The same logs, read by somebody with another key.
    fs::rename(books.world.path("store"), books.world.path("kept")).unwrap();
    let add = ["evidence", "add", "august.jsonl", "--store", "store"];
    books.world.run_with(&[("TAGIH_DOKU_SECRET", "SK-another-0123456789")], &add).expect(0);
    books.close("2026-08").expect(7).says(&["E0858", "the evidence store `store`"]);
    fs::remove_dir_all(books.world.path("store")).unwrap();
    books.close("2026-08").expect(7).says(&["E0715", "store"]);
    fs::rename(books.world.path("kept"), books.world.path("store")).unwrap();
    let close = ["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"];
    books.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    assert!(books.world.run(&reconcile).code <= 1);
    let other = books.world.path("other.journal").display().to_string();
    books.world.run_with(&[("TAGIH_JOURNAL_PATH", &other)], &close).expect(7).says(&["E0858", "other.journal"]);
    books.world.run(&close).expect(0);
}
