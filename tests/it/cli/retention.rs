//! What is kept no longer than `[retention]` says, what is kept about a customer, and keys that a command prints.

use std::fs;

use serde_json::Value;

use crate::month_end::period::Books;
use crate::support::world::{Doku, Ran, SECRET, World, bytes_in, until};

const SETTINGS: &str = "[retention]\npersonal_days = 100\nlogs_days = 30\nruns_days = 30\n[serve]\nlog_dir = \"logs\"\n";

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

fn head(world: &World) -> String {
    json(&world.run(&["status", "--json"]))["ledger_head"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_due_is_removed_evidence_of_an_open_month_is_not_and_the_purge_is_an_event_of_the_chain() {
    let books = Books::new(SETTINGS);
    let world = &books.world;
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.close("2026-08").expect(0);
    books.issue("J-77", 100_000, "2026-06-01", "2026-06-10");
    fs::create_dir(world.path("logs")).unwrap();
    let closed = ["notifications-2026-08-05.jsonl.zst", "inquiries-2026-08-31.jsonl"];
    let kept = ["notifications-2026-09-01.jsonl.zst", "notifications-2026-08-05.txt", "other-2026-08-05.jsonl"];
    for name in closed.iter().chain(&kept) {
        world.file(&format!("logs/{name}"), "x");
    }
    // A run of long ago.
    let runs = world.path("tagih.ledger.runs");
    let (name, record) = bytes_in(&runs).into_iter().next().unwrap();
    let mut old: Value = serde_json::from_slice(&record).unwrap();
    (old["run"], old["started_at"]) = ("20260101T000000Z-00000000".into(), "2026-01-01T00:00:00Z".into());
    fs::write(runs.join("20260101T000000Z-00000000.json"), old.to_string()).unwrap();

    let (earlier, files) = (head(world), bytes_in(&world.path("logs")));
    let rehearsed = json(&world.run(&["purge", "--due", "--dry-run", "--json"]).expect(0));
    assert_eq!((head(world), bytes_in(&world.path("logs"))), (earlier.clone(), files), "a rehearsal removes nothing");
    assert_eq!(rehearsed["personal_data"]["ledger_head"], Value::Null);
    let done = json(&world.run(&["purge", "--due", "--json"]).expect(0));
    assert_eq!(done["personal_data"]["bodies"], rehearsed["personal_data"]["bodies"]);
    assert!(done["personal_data"]["bodies"].as_u64().unwrap() >= 1, "{done}");
    assert_eq!((done["logs"]["files"].as_array().unwrap().len(), done["logs"]["kept_as_evidence"].as_u64()), (2, Some(1)), "{done}");
    assert_eq!(bytes_in(&world.path("logs")).into_keys().collect::<Vec<_>>(), {
        let mut kept = kept.map(str::to_owned);
        kept.sort();
        kept
    });
    assert_eq!(done["runs"]["files"].as_array().unwrap().len(), 1);
    assert!(runs.join(name).exists() && !runs.join("20260101T000000Z-00000000.json").exists());

    let after = head(world);
    assert_eq!(done["personal_data"]["ledger_head"], after.as_str());
    let export = world.run(&["ledger", "export"]).expect(0).stdout;
    let purge: Value =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).find(|event: &Value| event["kind"] == "purge").unwrap();
    assert_eq!(purge["event"]["bodies"], done["personal_data"]["bodies"], "{purge}");
    world.run(&["ledger", "verify", "--head", &earlier]).expect(0);
    world.run(&["purge", "--due", "--quiet"]).expect(0);
    assert_eq!(head(world), after, "where nothing is due nothing is recorded");
}

#[test]
fn without_a_term_nothing_is_ever_due() {
    let books = Books::new("");
    books.world.run(&["purge", "--due"]).expect(2).says(&["retention.personal_days"]);
    books.world.run(&["purge"]).expect(2);
}

#[test]
fn the_privacy_report_has_all_that_is_kept_about_a_customer_and_says_when_it_is_gone() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), "[serve]\nlog_dir = \"logs\"\n");
    world.file(
        "bills.csv",
        "invoice_number,amount,customer_name,channel,email\nY-1,1000,Budi Utomo,alfa,budi@example.com\nY-2,1000,Siti,alfa,\n",
    );
    world.issue("bills.csv", &[]).expect(0);
    fs::create_dir(world.path("logs")).unwrap();
    let code = doku.orders()["Y-1"].code.clone();
    world.file("logs/notifications-2026-08-05.jsonl", format!("{{\"body\":\"{code}\"}}\n{{\"body\":\"BUDI UTOMO\"}}\n{{}}\n"));
    for wanted in [&["--customer", "budi utomo"][..], &["--customer", "BUDI@example.com"], &["--invoice", "Y-1"]] {
        let report = json(&world.run(&[&["privacy", "report", "--json"], wanted].concat()).expect(0));
        let bills = report["bills"].as_array().unwrap();
        assert_eq!((bills.len(), bills[0]["invoice_number"].as_str()), (1, Some("Y-1")), "{report}");
        assert_eq!((bills[0]["name"].as_str(), bills[0]["email"].as_str()), (Some("Budi Utomo"), Some("budi@example.com")));
        assert_eq!((bills[0]["request_bodies"].as_u64(), bills[0]["is_purged"].as_bool()), (Some(1), Some(false)));
        assert_eq!(report["keeps_personal_data"], true);
        let lines = if wanted[1].contains('@') { 1 } else { 2 };
        assert_eq!(report["logs"][0]["lines"], lines, "{report}");
    }
    let told = world.run(&["privacy", "report", "--customer", "Budi Utomo"]).expect(0);
    assert!(told.stdout.contains("name: Budi Utomo"), "{told:?}");
    world.run(&["cancel", "Y-1", "--out", "out"]).expect(0);
    let tomorrow = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(48)).unwrap().to_string();
    world.run(&["ledger", "purge", "--before", &tomorrow[..10]]).expect(0);
    let gone = json(&world.run(&["privacy", "report", "--invoice", "Y-1", "--json"]).expect(0));
    assert_eq!((gone["keeps_personal_data"].as_bool(), gone["bills"][0]["is_purged"].as_bool()), (Some(false), Some(true)), "{gone}");
    let unknown = json(&world.run(&["privacy", "report", "--customer", "Budi Utomo", "--json"]).expect(0));
    assert_eq!(unknown["bills"].as_array().unwrap().len(), 0);
    world.run(&["privacy", "report", "--invoice", "Y-9"]).expect(2).says(&["holds no invoice `Y-9`"]);
    // Who looked is recorded, and whom for is not.
    let runs: Vec<Value> =
        serde_json::from_str(&world.run(&["runs", "list", "--command", "privacy report", "--json"]).expect(0).stdout).unwrap();
    assert!(runs.len() > 4 && !format!("{runs:?}").to_lowercase().contains("budi"), "{runs:?}");
}

#[test]
fn a_key_may_come_from_a_command_and_nothing_of_it_is_shown() {
    let doku = Doku::process();
    let world = World::of(&doku);
    let line = format!("secret_file = \"{}\"\n", world.path("secret").display());
    let command = |script: &str| {
        // A busy machine may be long about anything but sleeping.
        let seconds = if script.starts_with("sleep") { 1 } else { 30 };
        format!("secret_command = [\"/bin/sh\", \"-c\", \"{script}\"]\nsecret_command_seconds = {seconds}\n")
    };
    let good = command(&format!("cat {}", world.path("secret").display()));
    world.reconfigure(&line, &good);
    world.many("bills.csv", "C", 2);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(doku.calls().len(), 2);
    let mut before = good;
    for (script, words) in [
        (format!("echo {SECRET}; echo {SECRET} >&2; exit 3"), "exit status: 3"),
        ("sleep 30".to_owned(), "after 1 s"),
        ("true".to_owned(), "printed nothing"),
        ("echo short".to_owned(), "too short"),
    ] {
        let next = command(&script);
        world.reconfigure(&before, &next);
        before = next;
        let ran = world.run_with(&[("TAGIH_LOG", "trace")], &["sync"]).expect(2).says(&["doku.secret_command", words]);
        assert!(!ran.stderr.contains(SECRET), "{ran:?}");
    }
    world.reconfigure(&before, "secret_command = [\"./pass\"]\n");
    world.run(&["sync"]).expect(2).says(&["whole path"]);
}

#[test]
fn what_a_secret_command_has_started_ends_with_it_whatever_it_did_to_get_away() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "C", 1);
    world.issue("bills.csv", &[]).expect(0);
    let mut before = format!("secret_file = \"{}\"\n", world.path("secret").display());
    let escaped = "setsid sh -c 'echo $$ >pid; exec sleep 70' & sleep 0.5";
    let orphaned = "setsid sh -c 'setsid sh inner & exit 0' & sleep 0.5";
    world.file("inner", "echo $$ >pid\nexec sleep 70\n");
    let key = format!("cat {}", world.path("secret").display());
    for (script, exit) in [
        (format!("{escaped}; sleep 70"), 2),
        (format!("{orphaned}; sleep 70"), 2),
        (format!("{escaped}; exit 3"), 2),
        (format!("{orphaned}; exit 3"), 2),
        // They have its standard output, too, and are not waited for.
        (format!("{escaped}; {key}"), 0),
        (format!("{orphaned}; {key}"), 0),
    ] {
        let seconds = if script.ends_with("sleep 70") { 3 } else { 30 };
        let next = format!("secret_command = [\"/bin/sh\", \"-c\", \"{script}\"]\nsecret_command_seconds = {seconds}\n");
        world.reconfigure(&before, &next);
        before = next;
        let began = std::time::Instant::now();
        let ran = world.run(&["sync"]).expect(exit);
        assert!(began.elapsed() < std::time::Duration::from_mins(1), "{script}: {ran:?}");
        let id = std::fs::read_to_string(world.path("pid")).unwrap_or_else(|error| panic!("{script}: {error}"));
        until("what it started has ended", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
        std::fs::remove_file(world.path("pid")).unwrap();
    }
}
