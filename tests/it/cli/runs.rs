//! What is recorded of each run, and that `tagih runs` tells it.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::support::world::{Doku, SECRET, World, until};

fn list(world: &World, more: &[&str]) -> Vec<Value> {
    let ran = world.run(&[&["runs", "list", "--last", "0", "--json"], more].concat()).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Command, state and exit code of each, the first one first.
fn story(world: &World) -> Vec<String> {
    let one = |run: &Value| {
        let code = run["exit_code"].as_u64().map_or_else(|| "-".to_owned(), |code| code.to_string());
        format!("{} {} {code}", run["command"].as_str().unwrap(), run["state"].as_str().unwrap())
    };
    list(world, &[]).iter().rev().map(one).collect()
}

#[test]
fn each_command_that_writes_leaves_who_where_what_with_which_heads_and_how_it_ended_and_no_name() {
    let doku = Doku::process();
    let world = World::of(&doku);
    let bills = world.bills("bills.csv", &["R-1,10001,Canary Budi,alfa,,,,,", "R-2,10002,Canary Siti,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    world.issue("missing.csv", &[]).expect(7);
    world.issue("bills.csv", &["--dry-run"]).expect(0);
    world.run(&["status"]).expect(0);
    world.file("log.jsonl", "");
    world.run(&["ingest", "log.jsonl"]).expect(0);
    world.run(&["resolve", "R-1", "--as", "dead", "--reason", "Canary Budi called"]).expect(2);
    world.run(&["ledger", "purge", "--before", "2026-01-01"]).expect(0);
    let reconcile =
        ["reconcile", "--period", "2026-10", "--notifications", "log.jsonl", "--out", "report", "--as-of", "2026-11-02T00:00:00Z"];
    world.run(&reconcile).expect(0);
    let ended = ["issue ended 0", "issue ended 7", "ingest ended 0", "resolve ended 2", "ledger purge ended 0", "reconcile ended 0"];
    assert_eq!(story(&world), ended, "what only looks is not recorded");
    let runs = list(&world, &[]);
    let issue = runs.last().unwrap();
    let digest = tagih::domain::digest::hex(&tagih::domain::digest::of_bytes(&fs::read(&bills).unwrap()));
    assert_eq!(issue["inputs"][0]["sha256"], digest.as_str());
    assert_eq!(issue["arguments"]["files"][0], "bills.csv");
    assert!(issue["head_before"].as_str().unwrap().starts_with("0:"), "{issue}");
    assert_eq!(issue["version"], env!("CARGO_PKG_VERSION"));
    assert!(!issue["account"].as_str().unwrap().is_empty() && !issue["host"].as_str().unwrap().is_empty());
    let purge = runs.iter().find(|run| run["command"] == "ledger purge").unwrap();
    assert_eq!(purge["head_before"].as_str(), runs.iter().find(|run| run["command"] == "ingest").unwrap()["head_after"].as_str());
    assert_ne!(purge["head_before"], purge["head_after"], "the purge is an event of the chain");
    let head: Value = serde_json::from_str(&world.run(&["status", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(runs[0]["head_after"], head["ledger_head"]);
    assert_eq!(runs[0]["inputs"][0]["path"], "log.jsonl");
    let resolve = runs.iter().find(|run| run["command"] == "resolve").unwrap();
    assert_eq!(resolve["arguments"]["reason"][0], "***");
    let written: String =
        fs::read_dir(world.path("tagih.ledger.runs")).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert!(!written.contains("Canary") && !written.contains(SECRET), "{written}");
}

#[test]
fn a_run_that_goes_on_is_told_from_one_that_was_killed() {
    // It takes connections and answers nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::at(&format!("http://{}", silent.local_addr().unwrap()), "");
    world.many("bills.csv", "K", 3);
    let mut child = world.start(&[], &["issue", "bills.csv", "--out", "out"]);
    until("it is recorded as running", || story(&world) == ["issue running -"]);
    let shown = world.run(&["runs", "show"]).expect(0);
    assert!(shown.stdout.contains("running") && shown.stdout.contains("files bills.csv"), "{shown:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(story(&world), ["issue never_ended -"]);
    let told = world.run(&["runs", "list"]).expect(0);
    assert!(told.stdout.contains("never ended"), "{told:?}");
    assert_eq!(list(&world, &["--failed"]).len(), 1);
    let id = list(&world, &[])[0]["run"].as_str().unwrap().to_owned();
    let show = world.run(&["runs", "show", &id[..20], "--json"]).expect(0);
    let one: Value = serde_json::from_str(&show.stdout).unwrap();
    assert_eq!((one["run"].as_str(), one["ended_at"].is_null()), (Some(id.as_str()), true));
    world.run(&["runs", "show", &format!("{id}0")]).expect(2).says(&["there is no run", &format!("did you mean `{id}`?")]);
}

#[test]
fn nothing_changes_the_ledger_unrecorded_and_what_only_reads_it_says_so_and_goes_on() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "U", 1);
    world.issue("bills.csv", &[]).expect(0);
    fs::remove_dir_all(world.path("tagih.ledger.runs")).unwrap();
    world.file("tagih.ledger.runs", "in the way");
    world.many("more.csv", "V", 1);
    world.issue("more.csv", &[]).expect(9).says(&["E0516", "tagih.ledger.runs"]);
    assert_eq!(doku.calls().len(), 1, "nothing was sent");
    world.run(&["ledger", "verify"]).expect(0).says(&["this run is not recorded"]);
}

#[test]
fn a_wrong_path_of_the_ledger_leaves_no_record_behind_and_a_databases_runs_lie_beside_the_journal() {
    let world = World::at("http://127.0.0.1:1", "");
    world.many("bills.csv", "W", 1);
    let wrong = world.path("not-mounted/x.ledger");
    world.run_with(&[("TAGIH_LEDGER_PATH", wrong.to_str().unwrap())], &["sync"]).expect(9);
    assert!(!world.path("not-mounted").exists());
    world.run(&["sync"]).expect(2).says(&["no ledger"]);
    assert!(!world.path("tagih.ledger.runs").exists());
    fs::create_dir(world.path("books")).unwrap();
    let journal = world.path("books/tagih.journal");
    let variables = [
        ("TAGIH_LEDGER_URL", "postgres://tagih@127.0.0.1:1/tagih"),
        ("TAGIH_LEDGER_WAIT_SECONDS", "0"),
        ("TAGIH_JOURNAL_PATH", journal.to_str().unwrap()),
    ];
    world.run_with(&variables, &["sync"]).expect(9);
    let list = world.run_with(&variables, &["runs", "list", "--json"]).expect(0);
    let runs: Vec<Value> = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!((runs.len(), runs[0]["exit_code"].as_u64(), runs[0]["head_before"].is_null()), (1, Some(9), true));
    assert!(world.path("books/tagih.journal.runs").is_dir());
}
