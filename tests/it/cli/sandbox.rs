//! `tagih sandbox` as a process: its flags, and a day of payments whose notifications go astray.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::world::{Doku, Ran, World, program, signal};

#[test]
fn flags_that_cannot_work_are_usage_errors() {
    let world = World::at("http://127.0.0.1:1", "");
    let cases: [(&[&str], &str); 6] = [
        (&["--inquire", "http://192.0.2.1/doku/inquiry"], "does not name this machine"),
        (&["--inquire", "https://127.0.0.1/doku/inquiry"], "is not `http`"),
        (&["--notify", "http://127.0.0.1:8080/elsewhere"], "has another path"),
        (&["--bin", "88965"], "--inquire"),
        (&["--inquire", "http://127.0.0.1:8080/doku/inquiry", "--bin", "88x"], "1 to 20 digits"),
        (&["--time-scale", "0"], "--time-scale"),
    ];
    for (arguments, words) in cases {
        world.run(&[&["sandbox", "--listen", "127.0.0.1:0"], arguments].concat()).expect(2).says(&[words]);
    }
    let help = Ran::from(program().args(["sandbox", "--help"]).output().unwrap()).expect(0).stdout;
    for flag in ["--inquire", "--bin", "--time-scale", "--notification-faults", "--redelivery-id"] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn what_goes_astray_is_in_the_log_or_listed_as_lost_when_the_sandbox_has_been_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let mut doku = Doku::process_with(&["--notification-faults", "100", "--seed", "5", "--notification-log", log.to_str().unwrap()]);
    let world = World::of(&doku);
    world.many("bills.csv", "INV", 40);
    world.issue("bills.csv", &[]).expect(0);
    for invoice in doku.invoices() {
        doku.pay(&invoice, "");
    }
    let deliveries = doku.look("/_sandbox/deliveries");
    let settled = doku.text("/_sandbox/settlement");
    assert_eq!(settled.lines().filter(|line| line.contains(",Purchase,")).count(), 40);
    let Doku::Process { child, .. } = &mut doku else { panic!("a process") };
    signal(child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines: Vec<Value> = fs::read_to_string(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lost = deliveries.iter().filter(|delivery| delivery["state"] == "lost").count();
    assert!(lost > 0 && lines.len() > 40, "{lost} lost, {} lines", lines.len());
    assert_eq!(lines.len() + lost, deliveries.len(), "every other one is in the log, once");
    let told: BTreeSet<String> = lines.iter().map(|line| line["body"].as_str().unwrap().to_owned()).collect();
    assert!(told.iter().any(|body| body.contains("FAILED")));
    let ran = world.run(&["ingest", log.to_str().unwrap()]).expect(0);
    assert!(ran.stdout.contains(&format!("{} new payments", 40 - lost)), "{ran:?}");
}
