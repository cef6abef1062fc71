//! What `tagih reconcile` does about logs that are no logs, codes another ledger lacks, and policies that were lapsed.

use serde_json::Value;

use crate::support::world::{Doku, Ran, World};

const LEDGER: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at\n";

fn reconcile(world: &World, more: &[&str]) -> Ran {
    let fixed = ["reconcile", "--json", "--period", "2026-10", "--as-of", "2026-11-02T00:00:00Z", "--out", "report"];
    world.run(&[&fixed, more].concat())
}

#[test]
fn logs_that_are_mostly_no_logs_end_with_seven_beside_a_whole_report() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("ledger.csv", LEDGER);
    world.file("half.jsonl", "torn\n{\"body\":\"{}\"}\n");
    world.file("most.jsonl", "torn\nalso torn\n{\"body\":\"{}\"}\n");
    let with = |log: &str| reconcile(&world, &["--external-ledger", "ledger.csv", "--notifications", log]);
    with("half.jsonl").expect(1);
    let ran = with("most.jsonl").expect(7).says(&["E0727", "2 of 3 evidence lines", "malformed_lines_max_percent"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["lines"]["N01"]["count"], 2);
    assert_eq!(world.rows("report/discrepancies.csv").len(), 3, "the report is written");
    let variables = [("TAGIH_RECONCILE_MALFORMED_LINES_MAX_PERCENT", "100")];
    let arguments =
        ["reconcile", "--period", "2026-10", "--external-ledger", "ledger.csv", "--notifications", "most.jsonl", "--out", "report"];
    world.run_with(&variables, &arguments).expect(1);
}

#[test]
fn a_code_of_ours_that_another_ledger_lacks_is_reported_when_our_history_is_given() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "H", 2);
    world.issue("bills.csv", &[]).expect(0);
    let listed = doku.orders()["H-0001"].code.clone();
    world.file("other.csv", format!("{LEDGER}H-0001,{listed},alfa,10001,ACTIVE,false,,,\n"));
    world.file("none.jsonl", "");
    let arguments = |more: &[&str]| {
        let from_to = ["reconcile", "--json", "--from", "2026-01-01", "--to", "2027-12-31", "--out", "report"];
        [&from_to[..], &["--external-ledger", "other.csv", "--notifications", "none.jsonl"], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let run = |more: &[&str], exit: i32| -> Value {
        let arguments: Vec<String> = arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        serde_json::from_str(&world.run(&arguments).expect(exit).stdout).unwrap()
    };
    let without = run(&[], 0);
    assert!(without["not_evaluated"].as_array().unwrap().contains(&"L09".into()) && without["counted_apart"].get("L09").is_none());
    let with = run(&["--request-history", "tagih.ledger"], 1);
    assert_eq!((with["counted_apart"]["L09"]["count"].as_u64(), with["counted_apart"]["L09"]["amount"].as_u64()), (Some(1), Some(10_002)));
    assert!(!with["not_evaluated"].as_array().unwrap().contains(&"L09".into()));
    let rows = world.rows("report/discrepancies.csv");
    assert_eq!((rows.len(), rows[0]["class"].as_str(), rows[0]["invoice_number"].as_str()), (1, "L09", "H-0002"));
    assert_ne!(with["run_id"], without["run_id"], "the history is an input");
    world
        .run(&["reconcile", "--period", "2026-10", "--request-history", "tagih.ledger", "--notifications", "none.jsonl", "--out", "x"])
        .expect(2);
}
