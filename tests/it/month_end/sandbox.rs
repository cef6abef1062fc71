//! The settlement report of the sandbox process, fed to the report of the month it settles.

use jiff::{Timestamp, ToSpan as _, tz};

use crate::reconcile::ours::summary;
use crate::support::folder::temporary;
use crate::support::world::{Doku, World};

const SETTINGS: &str = "[settlement]\nholidays = [\"2026-01-01\", \"2027-01-01\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n\
                        \"Indomaret\" = \"indomaret\"\n[settlement.alfa]\nfee_rupiah = 5000\n[settlement.indomaret]\nfee_rupiah = 6500\n";

#[test]
fn what_the_sandbox_settles_matches_what_it_notified_to_the_rupiah() {
    let folder = temporary();
    let log = folder.path().join("log.jsonl").display().to_string();
    let doku = Doku::process_with(&["--notification-log", &log]);
    let world = World::at(&doku.base_url(), SETTINGS);
    let bill = |n: usize| format!("INV-{n:04},{},Budi,{},,,,,Premi", 20_000 + n, if n.is_multiple_of(3) { "indomaret" } else { "alfa" });
    let bills: Vec<String> = (1..=12).map(bill).collect();
    world.bills("bills.csv", &bills.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("bills.csv", &[]).expect(0);
    for n in 1..=9 {
        doku.pay(&format!("INV-{n:04}"), if n == 4 { r#","amount":19000"# } else { "" });
    }
    world.run(&["ingest", &log]).expect(0);
    let today = Timestamp::now().to_zoned(tz::TimeZone::fixed(tz::offset(7))).date();
    // Paid today or, around midnight, on two days; both are paid out within the fortnight.
    let mut files = Vec::new();
    for day in 0..14 {
        let out = today.checked_add(day.days()).unwrap();
        let name = format!("settlement-{out}.csv");
        world.file(&name, doku.text(&format!("/_sandbox/settlement?date={out}")));
        files.push(name);
    }
    let (from, to) = (today.checked_sub(2.days()).unwrap().to_string(), today.checked_add(14.days()).unwrap().to_string());
    let common = ["reconcile", "--from", &from, "--to", &to, "--notifications", &log, "--out", "report", "--settlement"];
    world.run(&[&common[..], &files.iter().map(String::as_str).collect::<Vec<_>>()].concat()).expect(1);
    let summary = summary(&world.path("report"));
    let settled = summary["settlement"].as_object().unwrap().iter().filter(|(_, tally)| tally["count"] != 0);
    let gross: u64 = (1..=9).map(|n| 20_000 + n).sum::<u64>() - 1_004;
    let settled: Vec<_> = settled.map(|(class, tally)| (class.as_str(), tally["count"].as_u64(), tally["amount"].as_u64())).collect();
    assert_eq!(settled, [("S00", Some(9), Some(gross))]);
    let net: u64 = summary["settlement_totals"].as_object().unwrap().values().map(|channel| channel["net"].as_u64().unwrap()).sum();
    assert_eq!(net, gross - 6 * 5_550 - 3 * 7_215);
    assert!(summary["settlement_batches"].as_array().unwrap().iter().all(|batch| batch["holds"] == true));
    assert!(summary["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true));
}
