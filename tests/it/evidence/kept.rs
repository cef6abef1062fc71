//! Notifications kept in a table: given wherever logs are, they say the same, and what is wrong with them is named.

use std::collections::BTreeMap;
use std::fs;

use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::evidence::logs::{a_paid_bill_is_not_cancelled, counted, ledger_of, paid};
use crate::reconcile::ours::{classes, days, line, summary};
use crate::support::world::{Ran, World};

/// The cells of a log's line: `received_at`, headers, target, body.
fn cells(line: &str) -> [String; 4] {
    let value: Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    [text("received_at"), value["headers"].to_string(), text("target"), text("body")]
}

fn table(header: &str, rows: &[[String; 4]]) -> String {
    let cell = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let rows = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
    std::iter::once(header.to_owned()).chain(rows).map(|row| row + "\n").collect()
}

fn csv(lines: &[String]) -> String {
    table("received_at,headers,target,body", &lines.iter().map(|line| cells(line)).collect::<Vec<_>>())
}

fn xlsx(rows: &[[String; 4]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (number, row) in (2_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(row) {
            sheet.write(number, column, cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn reconcile(world: &World, name: &str, out: &str) -> Ran {
    world.run(&["reconcile", "--period", "2026-10", "--as-of", "2026-10-20T00:00:00Z", "--notifications", name, "--out", out])
}

/// What a report says, without where its evidence stands.
fn told(world: &World, out: &str) -> (Value, BTreeMap<String, Vec<BTreeMap<String, String>>>) {
    let mut summary = summary(&world.path(out));
    // What follows from the files' own digests differs as those do.
    let hashes = ["/books/closing_hash", "/month/closing/books_hash", "/month/closing_hash"];
    for key in ["/inputs", "/files", "/run_id", "/month/completeness/files"].into_iter().chain(hashes) {
        summary.pointer_mut(key).unwrap().take();
    }
    // A header is a line of its own.
    let lines = summary["identities"][0].take();
    assert_eq!(lines["holds"], true);
    let mut files = BTreeMap::new();
    for entry in
        fs::read_dir(world.path(out)).unwrap().map(Result::unwrap).filter(|entry| entry.path().extension().is_some_and(|ext| ext == "csv"))
    {
        let name = entry.file_name().into_string().unwrap();
        let mut rows = world.rows(&format!("{out}/{name}"));
        for row in &mut rows {
            row.retain(|column, _| {
                !["evidence", "file", "line", "byte", "digest", "discrepancy_id", "item"].iter().any(|part| column.contains(part))
            });
        }
        files.insert(name, rows);
    }
    (summary, files)
}

#[test]
fn a_table_says_what_the_log_says_to_every_command_that_reads_logs() {
    let forged = paid(2).replace("I-2", "I-3");
    let lines = [paid(1), paid(2), paid(1), forged, line("X-9", "9000", 700, "2026-10-16T05:00:00Z", "t9")];
    let rows: Vec<[String; 4]> = lines.iter().map(|line| cells(line)).collect();
    let header = ["received_at", "headers", "target", "body"].map(str::to_owned);
    let files: [(&str, Vec<u8>); 3] =
        [("n.jsonl", lines.join("\n").into()), ("n.csv", csv(&lines).into()), ("n.xlsx", xlsx(&[&[header], &rows[..]].concat()))];
    let (one, mut all) = (World::at("http://127.0.0.1:1", ""), Vec::new());
    ledger_of(&one);
    for (name, bytes) in files {
        one.file(name, &bytes);
        let out = name.replace('.', "-");
        reconcile(&one, name, &out).expect(1);
        all.push((name, told(&one, &out)));
        let world = World::at("http://127.0.0.1:1", "");
        ledger_of(&world);
        world.file(name, bytes);
        let ran = world.run(&["ingest", name, "--json"]).expect(0).says(&["1 lines N02"]);
        assert_eq!(counted(&ran)[..2], [3, 0], "{name}: {ran:?}");
        reconcile(&world, name, "report").expect(1);
        let why = world.run(&["why", "I-1", "--notifications", name]).expect(1);
        assert!(why.stdout.contains(name), "{name}: {}", why.stdout);
        let inputs = summary(&world.path("report"))["inputs"].clone();
        assert_eq!(inputs[0]["wrapper"], if name == "n.jsonl" { "" } else { "table" }, "{name}");
    }
    for (name, told) in &all[1..] {
        assert_eq!(told, &all[0].1, "{name}");
    }
}

#[test]
fn a_table_that_could_not_be_read_ends_with_seven_and_says_what_to_set() {
    let rows = |change: &dyn Fn(&mut [String; 4])| {
        let mut rows: Vec<[String; 4]> = (1..4).map(|number| cells(&paid(number))).collect();
        rows.iter_mut().for_each(change);
        rows
    };
    let usual = "received_at,headers,target,body";
    let local = rows(&|row| row[0] = "2026-10-15 12:00:00".into());
    let excel = rows(&|row| row[0] = "15/10/2026 12.00".into());
    let jsonb = rows(&|row| row[3] = row[3].replace("\":", "\": "));
    let renamed = table("waktu,headers,tujuan,isi", &rows(&|_| {}));
    let numbers = {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (column, name) in (0_u16..).zip(["received_at", "request_id", "body"]) {
            sheet.write(0, column, name).unwrap();
        }
        sheet.write(1, 1, 12_345_678_901_234_567_890_f64).unwrap();
        sheet.write(1, 2, cells(&paid(1))[3].as_str()).unwrap();
        workbook.save_to_buffer().unwrap()
    };
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(table(usual, &local).encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let offset = "\n[notifications]\nreceived_at_offset = \"+07:00\"\n";
    let both = format!("{offset}date_format = \"day_first\"\n");
    let columns = format!("{offset}[notifications.columns]\nreceived_at = \"WAKTU\"\ntarget = \"Tujuan\"\nbody = \"isi\"\n");
    let files: [(&str, Vec<u8>, &str, Option<&str>); 8] = [
        ("local.csv", table(usual, &local).into(), "notifications.received_at_offset", Some(offset)),
        ("excel.csv", table(usual, &excel).into(), "notifications.date_format", Some(&both)),
        (
            "excel.xlsx",
            xlsx(&[&[cells(r#"{"received_at":"received_at","headers":"headers","target":"target","body":"body"}"#)], &excel[..]].concat()),
            "3 of ",
            None,
        ),
        ("renamed.csv", renamed.into(), "[notifications.columns]", Some(&columns)),
        ("jsonb.csv", table(usual, &jsonb).into(), "as text, byte for byte", None),
        ("numbers.xlsx", numbers, "stored as a number", None),
        ("wide.csv", utf16, "UTF-16", None),
        ("unquoted.csv", table(usual, &rows(&|_| {})).replace('"', "").into(), "cells", None),
    ];
    for (name, bytes, cure, settings) in files {
        let world = World::at("http://127.0.0.1:1", "");
        ledger_of(&world);
        world.file(name, bytes);
        let ran = world.run(&["ingest", name]).expect(7);
        assert!(ran.stderr.contains("E0727") && ran.stderr.contains(cure) && ran.stderr.contains(name), "{name}: {}", ran.stderr);
        reconcile(&world, name, "report").expect(7).says(&["E0727", name, cure]);
        if let Some(settings) = settings {
            let path = world.path("tagih.toml");
            fs::write(&path, fs::read_to_string(&path).unwrap() + settings).unwrap();
            assert_eq!(counted(&world.run(&["ingest", name, "--json"]).expect(0))[..2], [3, 0], "{name}");
        }
    }
}

#[test]
fn settings_of_tables_that_cannot_be_meant_are_refused() {
    for (setting, word) in [
        ("received_at_offset = \"WIB\"", "+07:00"),
        ("date_format = \"dd/mm/yyyy\"", "day_first"),
        ("columns = { isi = \"body\" }", "`notifications.columns` has no column `isi`"),
    ] {
        let world = World::at("http://127.0.0.1:1", &format!("[notifications]\n{setting}\n"));
        with_table(&world);
        world.run(&["ingest", "n.csv"]).expect(2).says(&[word]);
    }
    let world = World::at("http://127.0.0.1:1", "");
    with_table(&world);
    world.run(&["ingest", "n.csv", "--layout", "db"]).expect(2).says(&["there is no layout `db`"]);
}

fn with_table(world: &World) {
    world.file("n.csv", csv(&[paid(1)]));
}

#[test]
fn a_paid_bill_in_a_table_is_not_cancelled_by_the_night_that_follows() {
    let world = a_paid_bill_is_not_cancelled("n.csv", |line| csv(&[line.to_owned()]).into());
    let [from, to] = days();
    world.run(&["reconcile", "--notifications", "n.csv", "--out", "report", "--from", &from, "--to", &to]);
    assert_eq!(classes(&summary(&world.path("report")), "lines"), "N00");
}
