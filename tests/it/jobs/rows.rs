//! The result files of a sending run: every input row is in at least one, and none of them can be run as a formula.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tagih::sandbox::fault::{FaultKind, Faults};

use crate::support::preload::clock_ahead;
use crate::support::world::{Doku, World};

const FILES: [&str; 4] = ["accepted.csv", "rejected.csv", "deferred.csv", "left_alone.csv"];

/// The rows of the input that stand in any result file.
fn rows_in_files(world: &World) -> BTreeSet<u64> {
    FILES.iter().flat_map(|name| world.column(&format!("out/{name}"), "row")).map(|row| row.parse().unwrap()).collect()
}

fn pairs(world: &World, name: &str, columns: [&str; 2]) -> Vec<String> {
    world.rows(name).into_iter().map(|row| format!("{} {}", row[columns[0]], row[columns[1]])).collect()
}

#[test]
fn no_row_is_in_no_file_and_what_is_left_alone_says_why() {
    let doku = Doku::here(Faults::none());
    let world = World::of(&doku);
    let row = |number: &str, amount: &str, more: &str| format!("{number},{amount},Budi,alfa,,,{more}");
    let first: Vec<String> = ["LIVE", "AMEND", "BAD", "GONE"].iter().map(|number| row(number, "5000", ",,")).collect();
    world.bills("bills.csv", &first.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.column("out/accepted.csv", "action"), ["issued"; 4]);
    doku.set_faults(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ServerErrorAfter) });
    let second = [
        row("LIVE", "5000", ",,"),
        row("LIVE", "5000", ",,"),
        row("AMEND", "7000", ",,"),
        row("BAD", "5.000", "0,,"),
        "NEVER,,,,,,,cancel,".to_owned(),
        row("NEW", "5000", ",,"),
    ];
    world.bills("bills.csv", &second.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("bills.csv", &[]).expect(3);
    assert_eq!(world.buckets(), "1 duplicate, 2 in_doubt, 2 refused, 1 unchanged");
    let accepted = pairs(&world, "out/accepted.csv", ["invoice_number", "action"]);
    assert_eq!(accepted, ["LIVE unchanged", "AMEND in_doubt", "BAD refused"], "a code stays payable while its change is open or refused");
    assert_eq!(world.column("out/accepted.csv", "amount"), ["5000"; 3], "what is known that the counter asks for");
    let left = pairs(&world, "out/left_alone.csv", ["row", "reason"]);
    assert_eq!(left, ["3 duplicate of bills.csv:2"]);
    assert_eq!(rows_in_files(&world), (2..=7).collect());
    doku.set_faults(Faults::none());
    world.bills("bills.csv", &["GONE,,,,,,,cancel,", "LIVE,5000,Budi,alfa,,,,,"]);
    for reason in ["cancelled", "cancelled"] {
        world.issue("bills.csv", &[]).expect(0);
        assert_eq!(pairs(&world, "out/left_alone.csv", ["invoice_number", "reason"]), [format!("GONE {reason}")]);
        assert_eq!(rows_in_files(&world), [2, 3].into());
    }
}

#[test]
fn a_nightly_file_whose_rows_are_paid_or_expired_by_now_is_no_reason_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("n.jsonl");
    let doku = Doku::process_with(&["--notification-log", log.to_str().unwrap()]);
    let world = World::of(&doku);
    let at = |ahead: &str| {
        let output = std::process::Command::new("date").env("TZ", "UTC-7").args(["-d", ahead, "+%Y-%m-%d %H:%M:%S"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let ends_at = at("10 minutes");
    let head = "invoice_number,amount,customer_name,channel,expires_at";
    world.file("bills.csv", format!("{head}\nPAID,5000,Budi,alfa,{ends_at}\nEXPIRED,5000,Siti,alfa,{ends_at}\n"));
    world.issue("bills.csv", &[]).expect(0);
    doku.pay("PAID", "");
    world.run(&["ingest", log.to_str().unwrap()]).expect(0);
    let later = |more: &[&str]| world.run_with(&clock_ahead(11 * 60), &[&["issue", "bills.csv", "--out", "out"], more].concat());
    for more in [&[][..], &["--reissue-expired"]] {
        let calls = doku.calls().len();
        later(more).expect(0).says(&["2 rows have an `expires_at` that has passed"]);
        assert_eq!(world.buckets(), "2 unchanged");
        assert_eq!(pairs(&world, "out/left_alone.csv", ["invoice_number", "reason"]), ["PAID paid", "EXPIRED expired"]);
        assert_eq!(pairs(&world, "out/accepted.csv", ["invoice_number", "action"]), Vec::<String>::new());
        assert_eq!(doku.calls().len(), calls);
    }
    // A bill that never had a code is another matter.
    world.file("bills.csv", format!("{head}\nNEW,5000,Budi,alfa,{ends_at}\n"));
    later(&[]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0306"]);
}

#[test]
fn what_a_spreadsheet_would_run_is_escaped_in_csv_and_exact_in_json_lines() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["=1+1,5000,Budi,alfa,,,,,", "PLAIN,5000,Budi,alfa,,,,,", "@X,x,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(1);
    assert!(fs::read_to_string(world.path("out/accepted.csv")).unwrap().contains("\n\"'=1+1\","), "escaped, and the cell quoted");
    assert_eq!(world.column("out/rejected.csv", "invoice_number"), ["'@X"]);
    let lines = fs::read_to_string(world.path("out/accepted.jsonl")).unwrap();
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (rows[0]["invoice_number"].as_str(), rows[0]["amount"].as_u64(), rows[0]["row"].as_u64()),
        (Some("=1+1"), Some(5000), Some(2))
    );
    let csv = world.rows("out/accepted.csv");
    assert_eq!(csv[1]["expires_at_wib"], rows[1]["expires_at_wib"].as_str().unwrap());
    assert!(csv[1]["expires_at_wib"].ends_with("+07:00"), "{}", csv[1]["expires_at_wib"]);
    assert_eq!(csv[1]["payment_code"], rows[1]["payment_code"].as_str().unwrap());
}
