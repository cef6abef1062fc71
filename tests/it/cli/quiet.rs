//! `--quiet`: a success says nothing, what was asked for is shown all the same, and a failure says all it has to.

use tagih::sandbox::fault::{FaultKind, Faults};

use crate::support::world::{Doku, World, program};

/// A world in which every command below can succeed.
fn world(doku: &Doku) -> World {
    let world = World::of(doku);
    world.many("bills.csv", "Q", 3);
    world.file("log.jsonl", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nC-1,6059000000000001,alfa,1000\n");
    world.issue("bills.csv", &[]).expect(0);
    world.run(&REPORT).expect(0);
    world
}

const REPORT: [&str; 9] =
    ["reconcile", "--period", "2026-10", "--notifications", "log.jsonl", "--out", "report", "--as-of", "2026-11-02T00:00:00Z"];

#[test]
fn every_command_that_does_something_is_silent_when_it_succeeds() {
    let doku = Doku::process();
    let world = world(&doku);
    let close = ["period", "close", "2026-10", "--report", "report", "--by", "Siti", "--reason", "done"];
    let commands: [&[&str]; 20] = [
        &["check", "bills.csv", "--out", "checked"],
        &["issue", "bills.csv", "--new-ledger"],
        &["cancel", "Q-0001"],
        &["sync"],
        &["ingest", "log.jsonl"],
        &["ingest", "missing-*.jsonl", "--allow-no-logs"],
        &["evidence", "add", "log.jsonl", "--store", "evidence"],
        &["evidence", "verify", "--store", "evidence"],
        &REPORT,
        &["audit-kit", "--report", "report", "--out", "kit"],
        &["discrepancies", "take", "report", "--by", "Siti"],
        &["discrepancies", "export", "--report", "report", "--by", "Siti", "--out", "items.csv"],
        &["discrepancies", "import", "items.csv", "--by", "Siti"],
        &close,
        &["ledger", "import", "codes.csv"],
        &["ledger", "verify"],
        &["ledger", "backup", "copies/"],
        &["ledger", "create"],
        &["ledger", "migrate"],
        &["init", "new.toml"],
    ];
    for arguments in commands {
        let ran = world.run(&[arguments, &["--quiet"]].concat()).expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{arguments:?}");
    }
    let revoke =
        ["keys", "revoke", "present", "--received-after", "2026-10-01T00:00:00Z", "--reason", "a laptop was stolen", "--by", "Siti"];
    let reinstate = ["keys", "reinstate", "present", "--reason", "it was found", "--by", "Siti"];
    for arguments in [&revoke[..], &reinstate] {
        let ran = world.run(&[arguments, &["--quiet"]].concat()).expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{arguments:?}");
    }
    for arguments in [&["ledger", "purge", "--before", "2026-01-01"][..], &["man", "man"], &["install", "cron", "--out", "cron"]] {
        let ran = world.run(&[arguments, &["--quiet"]].concat()).expect(0);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
    for arguments in [&["purge", "--due"][..], &["support-bundle", "--out", "b.zip", "--offline", "--quick"]] {
        let ran = world.run_with(&[("TAGIH_RETENTION_RUNS_DAYS", "1")], &[arguments, &["--quiet"]].concat()).expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{arguments:?}");
    }
}

#[test]
fn what_is_asked_for_is_shown_also_when_quiet_and_nothing_beside_it() {
    let doku = Doku::process();
    let world = world(&doku);
    let commands: [&[&str]; 18] = [
        &["keys", "list"],
        &["privacy", "report", "--invoice", "Q-0001"],
        &["runs", "list"],
        &["help", "issue"],
        &["status"],
        &["why", "Q-0001"],
        &["explain", "P06"],
        &["config", "show"],
        &["ledger", "export"],
        &["issue", "bills.csv", "--dry-run"],
        &["completions", "bash"],
        &["install", "cron"],
        &["check", "bills.csv", "--json"],
        &["issue", "bills.csv", "--json"],
        &["sync", "--json"],
        &["ingest", "log.jsonl", "--json"],
        &[&REPORT[..], &["--json"]].concat(),
        &["status", "--json"],
    ];
    for arguments in commands {
        let ran = world.run(&[arguments, &["--quiet"]].concat()).expect(0);
        assert!(!ran.stdout.is_empty(), "{arguments:?}");
        let is_warned = arguments[0] == "install";
        assert!(ran.stderr.is_empty() || is_warned, "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_decision_about_a_doubt_is_silent_too() {
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ServerErrorAfter) });
    let world = World::of(&doku);
    world.many("bills.csv", "D", 1);
    world.issue("bills.csv", &[]).expect(3);
    let ran = world.run(&["resolve", "D-0001", "--as", "not-done", "--reason", "asked", "--quiet"]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn no_command_is_left_out_of_these_tables() {
    let help = String::from_utf8(program().arg("--help").output().unwrap().stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let here = include_str!("quiet.rs");
    // Those that run until they are stopped, the demo (a minute), and the doctor, whose silence has a test of its own.
    let elsewhere = ["serve", "sandbox", "demo", "doctor"];
    let missing: Vec<&&str> = commands.iter().filter(|name| !elsewhere.contains(name) && !here.contains(&format!("[\"{name}\""))).collect();
    assert!(commands.len() > 15 && missing.is_empty(), "{missing:?} of {commands:?}");
}

#[test]
fn a_failure_says_what_a_success_would_have_kept_to_itself() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["B-1,1000,Budi,alfa,,,,,", "B-2,1.5,Siti,alfa,,,,,"]);
    let ran = world.issue("bills.csv", &["--quiet"]).expect(1);
    assert!(ran.stdout.contains("2 rows: 1 issued, 1 refused"), "{ran:?}");
    world.run(&["ingest", "missing-*.jsonl", "--quiet"]).expect(7).says(&["error: "]);
    world.run(&["sync", "--quiet", "NO-1"]).expect(2).says(&["the ledger holds no invoice `NO-1`"]);
}
