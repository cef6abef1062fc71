//! `tagih demo`, `tagih ingest` and `tagih reconcile` with our own ledger: from the code that was issued to the report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::{Timestamp, ToSpan as _, tz};
use serde_json::Value;
use tagih::sandbox::fault::Faults;

use crate::jobs::months::lost_answers;
use crate::support::message::{Envelope, Message};
use crate::support::world::{Doku, Ran, SECRET, World, bytes_in, program};

/// What every external ledger has.
pub(crate) const EXTERNAL: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at";

/// The log line of one payment, signed as DOKU signs.
pub(crate) fn line(invoice: &str, code: &str, amount: u64, paid_at: &str, transaction: &str) -> String {
    line_signed(invoice, code, amount, paid_at, transaction, SECRET)
}

pub(crate) fn line_signed(invoice: &str, code: &str, amount: u64, paid_at: &str, transaction: &str, secret: &str) -> String {
    line_of(invoice, code, amount, paid_at, transaction, ("SUCCESS", secret))
}

/// The same with another status than SUCCESS.
pub(crate) fn signed_status(invoice: &str, code: &str, amount: u64, paid_at: &str, transaction: &str, status: &'static str) -> String {
    line_of(invoice, code, amount, paid_at, transaction, (status, SECRET))
}

fn line_of(invoice: &str, code: &str, amount: u64, paid_at: &str, transaction: &str, (status, secret): (&'static str, &str)) -> String {
    let message = Message::paid(invoice, code, amount, paid_at).by("ALFAMART", "S1", transaction);
    let envelope = Envelope::of(&Message { status, ..message }, format!("request-{transaction}"), paid_at);
    let customer = r#"{"customer":{"name":"Canary Name","email":"canary@example.com"},"#;
    Envelope { body: envelope.body.replacen('{', customer, 1), ..envelope }.line(secret)
}

/// A summary's classes that were met, such as `P00 P03x2`.
pub(crate) fn classes(summary: &Value, side: &str) -> String {
    let met = summary[side].as_object().unwrap().iter().map(|(class, tally)| (class, tally["count"].as_u64().unwrap()));
    let met = met.filter(|(_, count)| *count > 0);
    met.map(|(class, count)| if count == 1 { class.clone() } else { format!("{class}x{count}") }).collect::<Vec<_>>().join(" ")
}

pub(crate) fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// The days around now, so that neither midnight nor the end of a month matters.
pub(crate) fn days() -> [String; 2] {
    let today = Timestamp::now().to_zoned(tz::TimeZone::fixed(tz::offset(7))).date();
    [today.checked_sub(2.days()).unwrap().to_string(), today.checked_add(2.days()).unwrap().to_string()]
}

/// `tagih reconcile` of these days against our ledger; lines, payments and bills by class.
pub(crate) fn reconciled(world: &World, logs: &str, code: i32) -> [String; 3] {
    let [from, to] = days();
    world.run(&["reconcile", "--from", &from, "--to", &to, "--notifications", logs, "--out", "report"]).expect(code);
    let summary = summary(&world.path("report"));
    ["lines", "payments", "bills"].map(|side| classes(&summary, side))
}

fn ingested(world: &World, log: &str) -> Ran {
    world.run(&["ingest", log]).expect(0)
}

#[test]
fn the_demo_finds_what_it_planted_and_leaves_everything_apart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tour");
    let ran = Ran::from(program().current_dir(folder.path()).args(["demo", "--out", "tour"]).output().unwrap()).expect(0);
    assert!(ran.stdout.contains("every class was found exactly, in count and in rupiah"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("DIFFERS"), "{}", ran.stdout);
    for place in ["input/policies.csv", "demo.ledger", "1-issue/accepted.csv", "2-amend/summary.json", "planted/truth.json"] {
        assert!(out.join(place).is_file(), "{place}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing beside its folder");
    let truth: Value = serde_json::from_slice(&fs::read(out.join("planted/truth.json")).unwrap()).unwrap();
    let found = summary(&out.join("5-reconcile"));
    for (side, floor) in [("lines", 4), ("payments", 10), ("settlement", 7)] {
        let planted: BTreeMap<&String, &Value> = truth[side].as_object().unwrap().iter().collect();
        let met = found[side].as_object().unwrap().iter().filter(|(_, tally)| tally["count"] != 0);
        assert_eq!(met.collect::<BTreeMap<_, _>>(), planted);
        assert!(planted.len() >= floor, "{planted:?}");
    }
    let names: Vec<String> = csv::Reader::from_path(out.join("input/policies.csv"))
        .unwrap()
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| {
            let row = row.unwrap();
            row.iter().find(|(column, _)| column.contains("name") || column.contains("holder")).map(|(_, name)| name.clone()).unwrap()
        })
        .collect();
    assert_eq!(names.len(), 500);
    for (file, bytes) in bytes_in(&out.join("5-reconcile")) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!names.iter().any(|name| name.len() > 3 && text.contains(name.as_str())), "{file} holds a name");
    }
}

#[test]
fn from_issue_to_report_every_rupiah_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl").display().to_string();
    let doku = Doku::process_with(&["--notification-log", &log]);
    let world = World::of(&doku);
    world.many("bills.csv", "INV", 6);
    world.issue("bills.csv", &[]).expect(0);
    doku.pay("INV-0001", "");
    doku.pay("INV-0002", r#","quirk":"amount_as_decimal""#);
    doku.pay("INV-0002", r#","quirk":{"repeated":"new"}"#);
    let ran = ingested(&world, &log);
    assert!(ran.stdout.contains("3 lines: 2 new payments, 0 known, 0 doubts settled"), "{}", ran.stdout);
    let ran = ingested(&world, &log);
    assert!(ran.stdout.contains("3 lines: 0 new payments, 2 known"), "{}", ran.stdout);
    assert_eq!(reconciled(&world, &log, 0), ["N00x2 N06", "P00x2", "L00x2 L01x4"]);

    // Each of these needs a person.
    doku.pay("INV-0003", r#","amount":1"#);
    doku.pay("INV-0001", r#","quirk":"anyway""#);
    doku.pay("INV-0004", r#","quirks":[{"invoice":"NOBODY"},{"code":"99"}]"#);
    doku.pay("INV-0005", r#","quirk":"wrong_channel""#);
    // What an earlier night ingested needs no second run before the report; and no ingest is needed at all.
    let expected = ["N00x6 N06", "P00x2 P01 P03 P06 P11", "L00x2 L01x2 L11 L12"];
    let before = fs::read(world.path("tagih.ledger")).unwrap();
    assert_eq!(reconciled(&world, &log, 1), expected);
    assert!(before == fs::read(world.path("tagih.ledger")).unwrap(), "reconciling is read-only");
    ingested(&world, &log);
    assert_eq!(reconciled(&world, &log, 1), expected, "ingested or not, the classes follow from the evidence");
}

#[test]
fn a_forged_line_is_warned_of_and_is_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl").display().to_string();
    let doku = Doku::process_with(&["--notification-log", &log]);
    let world = World::of(&doku);
    world.many("bills.csv", "INV", 1);
    world.issue("bills.csv", &[]).expect(0);
    doku.pay("INV-0001", r#","quirk":"forged""#);
    let ran = ingested(&world, &log).says(&["warning: 1 lines N02"]);
    assert!(ran.stdout.contains("1 lines: 0 new payments"), "{}", ran.stdout);
    assert_eq!(reconciled(&world, &log, 1), ["N02", "", "L01"]);
}

#[test]
fn what_was_ingested_and_is_not_in_the_logs_is_missing_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl").display().to_string();
    let doku = Doku::process_with(&["--notification-log", &log]);
    let world = World::of(&doku);
    world.many("bills.csv", "INV", 2);
    world.issue("bills.csv", &[]).expect(0);
    doku.pay("INV-0001", "");
    ingested(&world, &log);
    world.file("empty.jsonl", "");
    assert_eq!(reconciled(&world, "empty.jsonl", 1), ["", "", "L01 L04"]);
}

#[test]
fn a_payment_ends_the_doubt_of_its_issue_and_the_code_is_in_the_next_result() {
    let (doku, world) = lost_answers();
    world.many("bills.csv", "Q", 2);
    world.issue("bills.csv", &[]).expect(3);
    let code = doku.orders()["Q-0001"].code.clone();
    let now = Timestamp::now().to_string();
    world.file("log.jsonl", line("Q-0001", &code, 10_001, &now, "T1") + "\n");
    assert_eq!(reconciled(&world, "log.jsonl", 1), ["N00", "P00", "L00 L06"], "money under an issue in doubt is that bill's");
    let ran = ingested(&world, "log.jsonl");
    assert!(ran.stdout.contains("1 lines: 1 new payments, 0 known, 1 doubts settled"), "{}", ran.stdout);
    assert!(ingested(&world, "log.jsonl").stdout.contains("0 new payments, 1 known, 0 doubts settled"));
    assert_eq!(reconciled(&world, "log.jsonl", 1), ["N00", "P00", "L00 L06"]);
    doku.set_faults(Faults::none());
    world.issue("bills.csv", &[]).expect(0);
    let codes: BTreeMap<String, String> =
        world.column("out/accepted.csv", "invoice_number").into_iter().zip(world.column("out/accepted.csv", "payment_code")).collect();
    assert_eq!(codes["Q-0001"], code, "I7");
    assert_eq!((codes.len(), doku.orders().len()), (2, 2), "one code each");
    assert_eq!(reconciled(&world, "log.jsonl", 0), ["N00", "P00", "L00 L01"]);
}

#[test]
fn a_payment_under_an_issue_in_doubt_is_reported_as_it_was_notified() {
    let (doku, world) = lost_answers();
    world.many("bills.csv", "Q", 1);
    world.issue("bills.csv", &[]).expect(3);
    let code = doku.orders()["Q-0001"].code.clone();
    world.file("log.jsonl", line("Q-0001", &code, 900_000_000, &Timestamp::now().to_string(), "T1") + "\n");
    assert_eq!(reconciled(&world, "log.jsonl", 1), ["N00", "P04", "L12"]);
    let rows = world.rows("report/discrepancies.csv");
    let payment = rows.iter().find(|row| row["class"] == "P04").unwrap();
    assert_eq!((payment["invoice_number"].as_str(), payment["payment_code"].as_str()), ("Q-0001", code.as_str()));
}

#[test]
fn names_and_addresses_reach_no_report_and_no_log() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,8896500000000001,alfa,1000\nB,8896500000000002,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let now = Timestamp::now().to_string();
    let good = line("A", "8896500000000001", 1_000, &now, "T1");
    let forged = line_signed("B", "8896500000000002", 1_000, &now, "T2", "SK-of-somebody-else");
    let lines = [&good, &forged, &good[..good.len() - 9], &line("X", "77", 5, &now, "T3"), &line("B", "77", 5, &now, "T4")];
    world.file("log.jsonl", lines.map(|line| format!("{line}\n")).concat());
    let [from, to] = days();
    let variables = [("TAGIH_LOG", "trace")];
    let reconcile = ["reconcile", "--from", &from, "--to", &to, "--notifications", "log.jsonl", "--out", "report"];
    let mut said = vec![
        format!("{:?}", world.run_with(&variables, &["ingest", "log.jsonl"]).expect(0)),
        format!("{:?}", world.run_with(&variables, &reconcile).expect(1)),
        format!("{:?}", world.run_with(&variables, &[&reconcile[..], &["--json"]].concat()).expect(1)),
    ];
    assert_eq!(classes(&summary(&world.path("report")), "lines"), "N00x3 N01 N02");
    for bytes in bytes_in(&world.path("report"))
        .into_values()
        .chain(bytes_in(&world.path("")).into_iter().filter(|(name, _)| name.starts_with("tagih.ledger")).map(|(_, bytes)| bytes))
    {
        said.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    assert!(said.iter().all(|text| !text.to_lowercase().contains("canary") && !text.contains(SECRET)), "I22");
}
