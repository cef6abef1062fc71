//! Logs as people have them: what systems write around lines, what rotation does to names, and files that are no logs.

use std::io::Write as _;

use serde_json::Value;

use crate::reconcile::ours::{classes, line, summary};
use crate::support::world::{Doku, Ran, World};

const PAID_AT: &str = "2026-10-15T05:00:00Z";

pub(crate) fn ledger_of(world: &World) {
    let rows = (1..=3).map(|n| format!("I-{n},{n}000,alfa,1000,2026-10-01T00:00:00Z,2026-11-30T00:00:00Z\n"));
    world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,created_at,expires_at\n{}", rows.collect::<String>()));
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
}

pub(crate) fn paid(number: usize) -> String {
    line(&format!("I-{number}"), &format!("{number}000"), 1000, PAID_AT, &format!("t{number}"))
}

fn docker(line: &str) -> String {
    serde_json::json!({"log": format!("{line}\n"), "stream": "stdout", "time": PAID_AT}).to_string()
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// New payments, known ones and blank lines, as `ingest --json` counts them.
pub(crate) fn counted(ran: &Ran) -> [u64; 3] {
    let counts: Value = serde_json::from_str(&ran.stdout).unwrap();
    ["new", "known", "blank"].map(|name| counts[name].as_u64().unwrap())
}

#[test]
fn logs_are_read_whatever_carried_compressed_or_renamed_them() {
    let text = paid(1);
    let utf8_mark = format!("\u{feff}{text}\n");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("bom.jsonl", utf8_mark.clone().into()),
        ("docker.log", docker(&text).into()),
        ("0.log", format!("2026-10-15T05:00:00.1Z stdout F {text}\n").into()),
        ("journal.json", format!("{}\n", serde_json::json!({"MESSAGE": text, "_PID": "1"})).into()),
        ("bytes.json", format!("{}\n", serde_json::json!({"MESSAGE": text.as_bytes()})).into()),
        ("events.json", serde_json::json!({"events": [{"timestamp": 1, "message": text}]}).to_string().into()),
        ("pretty-events.json", serde_json::to_string_pretty(&serde_json::json!({"events": [{"message": text}]})).unwrap().into()),
        ("export.txt", format!("2026-10-15T05:00:00.000Z {text}\n").into()),
        ("notifications.jsonl.gz.1", gzip(&text)),
        ("NOTIFICATIONS.GZ", [gzip("\n"), gzip(&utf8_mark), vec![0; 700]].concat()),
        ("plain.gz", text.clone().into()),
        ("notifications.log", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("crash.jsonl", [vec![0; 4096], text.clone().into(), b"\n".to_vec(), vec![0; 4096]].concat()),
    ];
    for (name, bytes) in files {
        let world = World::at("http://127.0.0.1:1", "");
        ledger_of(&world);
        world.file(name, &bytes);
        let ran = world.run(&["ingest", name, "--json"]).expect(0);
        assert_eq!(counted(&ran)[..2], [1, 0], "{name}: {ran:?}");
        assert!(!ran.stderr.contains("N01"), "{name}: {ran:?}");
        let arguments = ["reconcile", "--period", "2026-10", "--as-of", "2026-10-20T00:00:00Z", "--notifications", name, "--out", "report"];
        world.run(&arguments).expect(0);
        let summary = summary(&world.path("report"));
        assert_eq!((classes(&summary, "lines"), classes(&summary, "payments")), ("N00".to_owned(), "P00".to_owned()), "{name}");
    }
}

#[test]
fn a_log_that_is_mostly_unreadable_is_named_and_ends_with_seven_also_beside_good_ones() {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    let pretty = |line: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(line).unwrap()).unwrap();
    let utf16: Vec<u8> = paid(2).encode_utf16().flat_map(u16::to_le_bytes).collect();
    world.file("good.jsonl", (0..9).map(|_| paid(1) + "\n").collect::<String>());
    let files: [(&str, Vec<u8>, &str); 5] = [
        ("pretty.jsonl", pretty(&paid(2)).into(), "JSON that is spread over several lines"),
        ("wide.jsonl", [b"\xff\xfe".as_slice(), &utf16].concat(), "UTF-16"),
        ("archive.jsonl", b"PK\x03\x04\x14\0\x01\x02".to_vec(), "a zip archive"),
        ("app.jsonl", serde_json::json!({"level": "info", "payload": paid(2)[..9]}).to_string().into(), "JSON objects without a `body`"),
        ("half.jsonl", format!("torn\n{}\n\n\n\ntorn\n", paid(2)).into(), "2 of 3 evidence lines"),
    ];
    for (name, bytes, cause) in files {
        world.file(name, bytes);
        let ran = world.run(&["ingest", "good.jsonl", name, "--json"]).expect(7).says(&["E0727", name, cause, "\"hint\":"]);
        assert_eq!(counted(&ran)[..2].iter().sum::<u64>(), if name == "half.jsonl" { 2 } else { 1 }, "what can be read is applied");
        let fixed = ["reconcile", "--period", "2026-10", "--as-of", "2026-10-20T00:00:00Z", "--out", "report", "--notifications"];
        world.run(&[&fixed[..], &["good.jsonl", name]].concat()).expect(7).says(&["E0727", name, cause]);
        assert!(summary(&world.path("report"))["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true));
        std::fs::remove_dir_all(world.path("report")).unwrap();
    }
}

#[test]
fn a_forged_line_a_torn_one_and_blank_lines_stop_no_night() {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    let forged = paid(2).replace("1000", "9000");
    world.file("forged.jsonl", &forged);
    world.run(&["ingest", "forged.jsonl", "--json"]).expect(0).says(&["1 lines N02"]);
    world.file("mixed.jsonl", format!("\n \n{}\r\n\r\n{forged}\n{}", paid(1), &paid(3)[..40]));
    let ran = world.run(&["ingest", "mixed.jsonl", "--json"]).expect(0).says(&["1 lines N01"]);
    assert_eq!(counted(&ran), [1, 0, 3]);
    world.file("blank.jsonl", "\n\n");
    assert_eq!(counted(&world.run(&["ingest", "blank.jsonl", "--json"]).expect(0)), [0, 0, 2]);
}

#[test]
fn a_pattern_without_files_is_an_error_unless_it_is_allowed() {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    let fixed =
        ["reconcile", "--period", "2026-10", "--as-of", "2026-10-20T00:00:00Z", "--out", "report", "--notifications", "none-*.jsonl"];
    world.run(&["ingest", "none-*.jsonl"]).expect(7).says(&["E0701", "none-*.jsonl", "--allow-no-logs"]);
    world.run(&fixed).expect(7).says(&["E0701"]);
    world.run(&["ingest", "none-*.jsonl", "--allow-no-logs"]).expect(0).says(&["none-*.jsonl"]);
    world.run(&[&fixed[..], &["--allow-no-logs"]].concat()).expect(0);
    world.file("n[1].jsonl", paid(1));
    assert_eq!(counted(&world.run(&["ingest", "n[1].jsonl", "--json"]).expect(0)), [1, 0, 0], "a file may be called like a pattern");
}

/// A live bill is paid, a log of somebody else's tells of it, and the night's file cancels it: nothing is sent.
pub(crate) fn a_paid_bill_is_not_cancelled(log: &str, kept: impl Fn(&str) -> Vec<u8>) -> World {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["I-1,1000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    let now = jiff::Timestamp::now().to_string();
    world.file(log, kept(&line("I-1", &doku.orders()["I-1"].code, 1000, &format!("{}Z", &now[..19]), "t1")));
    world.run(&["ingest", log]).expect(0);
    world.bills("cancel.csv", &["I-1,1000,Budi,alfa,,,,cancel,"]);
    world.issue("cancel.csv", &[]).expect(1);
    assert!(!doku.calls().iter().any(|call| call["method"] == "PATCH"), "nothing is sent about a paid bill");
    world
}

#[test]
fn a_paid_bill_in_a_wrapped_log_is_not_cancelled_by_the_night_that_follows() {
    a_paid_bill_is_not_cancelled("docker.log", |line| docker(line).into());
}
