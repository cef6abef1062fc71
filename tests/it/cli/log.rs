//! The program's log for programs: each decision on a line of its own, which run, invoice and request it is about, and nobody's name.

use std::collections::BTreeSet;

use serde_json::Value;
use tagih::sandbox::fault::Faults;

use crate::support::world::{Doku, Ran, SECRET, World};

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

fn texts<'v>(lines: &'v [Value], message: &str, key: &str) -> Vec<&'v str> {
    lines.iter().filter(|line| line["message"] == message).map(|line| line[key].as_str().unwrap()).collect()
}

#[test]
fn each_decision_is_a_line_with_run_invoice_request_id_attempt_status_and_reason() {
    let doku = Doku::here(Faults::mixed(60));
    let world = World::of(&doku);
    world.many("bills.csv", "J", 20);
    let ran = world.issue("bills.csv", &["--log-format", "json"]);
    assert!([0, 3].contains(&ran.code), "{ran:?}");
    let lines = lines(&ran);
    let runs: BTreeSet<&str> = lines.iter().map(|line| line["run"].as_str().unwrap()).collect();
    let recorded: Vec<Value> = serde_json::from_str(&world.run(&["runs", "list", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(Vec::from_iter(runs), [recorded[0]["run"].as_str().unwrap()]);
    let sent: BTreeSet<String> = doku.calls().iter().map(|call| call["request_id"].as_str().unwrap().to_owned()).collect();
    let told: BTreeSet<String> = texts(&lines, "an attempt was made", "request_id").into_iter().map(str::to_owned).collect();
    assert_eq!(told, sent);
    let again = lines.iter().find(|line| line["message"] == "an attempt was made" && line["attempt"] == 2).unwrap();
    assert!(again["status"].is_u64() && again["decision"].is_string() && again["reason"].is_string(), "{again}");
    assert!(again["invoice"].as_str().unwrap().starts_with("J-"));
    let ends = texts(&lines, "an operation has ended", "decision");
    assert_eq!(ends.iter().filter(|end| **end == "issued").count() as u64, world.summary()["buckets"]["issued"].as_u64().unwrap());
    let last = lines.last().unwrap();
    assert_eq!((last["message"].as_str(), last["exit"].as_i64()), (Some("the run has ended"), Some(i64::from(ran.code))));
}

#[test]
fn notes_and_errors_are_lines_of_the_log_and_an_error_for_programs_stays_as_it_is() {
    let world = World::at("http://127.0.0.1:1", "[log]\nformat = \"json\"\n");
    let ran = world.run(&["issue", "missing.csv"]).expect(7);
    assert!(lines(&ran).iter().any(|line| line["level"] == "error"), "{ran:?}");
    let ran = world.run(&["issue", "missing.csv", "--json"]).expect(7);
    let error = lines(&ran).into_iter().find(|line| line.get("error").is_some()).unwrap();
    assert_eq!(error["error"]["exit_code"], 7);
    let text = world.run(&["issue", "missing.csv", "--log-format", "text"]).expect(7);
    assert!(text.stderr.starts_with("error: "), "{text:?}");
    world.run(&["status", "--log-format", "xml"]).expect(2).says(&["`text`, `json` and `journald`"]);
}

#[test]
fn what_a_unit_writes_has_journalds_priorities() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "S", 1);
    let ran = world.issue("bills.csv", &["--log-format", "journald"]).expect(0);
    assert!(ran.stderr.lines().all(|line| line.starts_with("<6>")), "{ran:?}");
    assert!(ran.stderr.contains("<6>an attempt was made run="), "{ran:?}");
    let failed = world.issue("missing.csv", &["--log-format", "journald"]).expect(7);
    assert!(failed.stderr.lines().any(|line| line.starts_with("<3>")), "{failed:?}");
}

#[test]
fn no_line_of_the_log_has_a_name_an_address_or_the_secret() {
    let doku = Doku::here(Faults::mixed(60));
    let world = World::of(&doku);
    let row = |n: usize| format!("Z-{n},1000,Canary Name{n},alfa,canary{n}@example.com");
    let rows: Vec<String> = (0..20).map(row).collect();
    world.file("bills.csv", format!("invoice_number,amount,customer_name,channel,email\n{}\n", rows.join("\n")));
    for format in ["json", "journald"] {
        for arguments in
            [&["issue", "bills.csv", "--out", "out"][..], &["sync"], &["cancel", "Z-1", "Z-2", "--out", "out"], &["why", "Z-1"]]
        {
            let ran = world.run_with(&[("TAGIH_LOG", "tagih=trace")], &[&["--log-format", format], arguments].concat());
            assert!(!ran.stderr.is_empty() && !ran.stderr.contains("panicked"), "{ran:?}");
            assert!(!ran.stderr.to_lowercase().contains("canary") && !ran.stderr.contains(SECRET), "{ran:?}");
        }
    }
}
