//! `tagih reconcile` with files of another system: formats, periods, carry-in, what is refused, and what changes no byte.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, Series};
use polars_io::parquet::write::ParquetWriter;

use crate::reconcile::ours::{EXTERNAL as HEAD, classes, line, line_signed, summary};
use crate::support::world::{Ran, World, bytes_in};

/// Paid, paid short, paid twice, open, cancelled and paid, expired; one row that is none.
const ROWS: [&str; 7] = [
    "A,0001,alfa,10000,ACTIVE,no,2026-10-01,2026-11-30,",
    "B,0002,alfa,20000,ACTIVE,no,2026-10-01,2026-11-30,",
    "C,0003,alfa,30000,ACTIVE,no,2026-10-01,2026-11-30,",
    "D,0004,alfa,40000,ACTIVE,yes,2026-10-01,2026-11-30,",
    "E,0005,alfa,50000,CANCELLED,no,2026-10-01,2026-11-30,2026-10-10T00:00:00+07:00",
    "F,0006,alfa,60000,ACTIVE,no,2026-10-01,2026-10-20,",
    "G,0007,alfa,seven,ACTIVE,no,2026-10-01,2026-10-20,",
];

/// Of the ledger's rows: paid, paid short, paid twice, paid when cancelled, told again, and paid in the month before.
pub(crate) fn payments() -> Vec<String> {
    vec![
        line("A", "0001", 10_000, "2026-10-05T05:00:00Z", "T1"),
        line("B", "0002", 19_000, "2026-10-05T06:00:00Z", "T2"),
        line("C", "0003", 30_000, "2026-10-05T07:00:00Z", "T3"),
        line("C", "0003", 30_000, "2026-10-06T07:00:00Z", "T4"),
        line("E", "0005", 50_000, "2026-10-11T07:00:00Z", "T5"),
        line("C", "0003", 30_000, "2026-10-05T07:00:00Z", "T3"),
        line("A", "0001", 10_000, "2026-09-30T16:59:59Z", "T7"),
    ]
}

fn lines() -> Vec<String> {
    let mut lines = payments();
    lines.insert(6, line("NOBODY", "99", 1, "2026-10-07T07:00:00Z", "T6"));
    lines.push(line_signed("A", "0001", 10_000, "2026-10-05T05:00:00Z", "T8", "SK-of-somebody-else"));
    lines.push("torn {".to_owned());
    lines
}

/// A folder without a sandbox, with the rows above as ledger.csv and the lines above as log.jsonl.
fn world() -> World {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("ledger.csv", format!("{HEAD}\n{}\n", ROWS.join("\n")));
    world.file("log.jsonl", text(&lines()));
    world
}

fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// `tagih reconcile` of October, seen from the 2nd of November.
fn october(world: &World, logs: &[&str], more: &[&str], out: &str) -> Ran {
    run(
        world,
        &[],
        logs,
        &[&["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z"], more].concat(),
        out,
    )
}

fn run(world: &World, variables: &[(&str, &str)], logs: &[&str], more: &[&str], out: &str) -> Ran {
    world.run_with(variables, &[&["reconcile", "--notifications"], logs, more, &["--out", out]].concat())
}

fn sides(world: &World, out: &str) -> [String; 3] {
    let summary = summary(&world.path(out));
    for identity in summary["identities"].as_array().unwrap() {
        assert_eq!(identity["holds"], true, "{identity}");
    }
    ["lines", "payments", "bills"].map(|side| classes(&summary, side))
}

/// What a report concludes, without what names its inputs.
fn conclusions(world: &World, out: &str) -> String {
    let summary = summary(&world.path(out));
    let keys = ["lines", "payments", "bills", "flags", "natures", "identities", "counted_apart", "not_evaluated", "period"];
    let figures = keys.map(|key| summary[key].to_string()).join("\n");
    figures + &fs::read_to_string(world.path(out).join("discrepancies.csv")).unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_subject_of_an_external_ledger_has_its_class_and_the_report_its_columns() {
    let world = world();
    october(&world, &["log.jsonl"], &[], "report").expect(1);
    assert_eq!(sides(&world, "report"), ["N00x7 N01 N02 N06", "P00 P01 P03 P06x2 P08 P16", "L00x2 L01 L02 L11 L12"]);
}

#[test]
fn the_report_has_exactly_the_documented_files_and_columns() {
    let world = world();
    october(&world, &["log.jsonl"], &[], "report").expect(1);
    let files: Vec<String> = bytes_in(&world.path("report")).into_keys().collect();
    let documented = "ageing.csv breakdown_class.csv breakdown_day_channel.csv breakdown_dimension.csv breakdown_product.csv breakdown_store.csv \
                      completeness.csv discrepancies.csv discrepancies.jsonl discrepancies.parquet evidence.csv matched.parquet open_items.csv \
                      outstanding.parquet postings.csv prior_period.csv report.html roll_forward.csv summary.json summary.schema.json suspense.csv workbook.xlsx";
    assert_eq!(files.join(" "), documented);
    let discrepancies = fs::read_to_string(world.path("report/discrepancies.csv")).unwrap();
    assert_eq!(
        discrepancies.lines().next().unwrap(),
        "discrepancy_id,class,flags,nature,severity,invoice_number,payment_code,channel,amount_expected,amount_paid,amount_difference,\
         paid_at,reason,action,evidence,first_seen,last_seen,status,owner,comment"
    );
    let evidence = fs::read_to_string(world.path("report/evidence.csv")).unwrap();
    assert_eq!(evidence.lines().next().unwrap(), "digest,file,line,byte");
    let summary = summary(&world.path("report"));
    for key in ["run_id", "as_of", "period", "inputs", "lines", "payments", "bills", "not_evaluated", "identities", "discrepancies"] {
        assert!(summary.get(key).is_some(), "{key}");
    }
    assert_eq!(summary["discrepancies"]["count"].as_u64().unwrap(), discrepancies.lines().count() as u64 - 1);
}

#[test]
fn a_month_without_a_break_ends_with_zero() {
    let world = world();
    world.file("ledger.csv", format!("{HEAD}\n{}\n", ROWS[0]));
    world.file("log.jsonl", text(&lines()[..1]));
    october(&world, &["log.jsonl"], &[], "report").expect(0);
    assert_eq!(sides(&world, "report"), ["N00", "P00", "L00"]);
}

#[test]
fn plain_and_compressed_logs_mix_and_a_glob_finds_them() {
    let world = world();
    october(&world, &["log.jsonl"], &[], "plain").expect(1);
    let lines = lines();
    fs::create_dir(world.path("logs")).unwrap();
    world.file("logs/1.jsonl", text(&lines[..3]));
    world.file("logs/2.jsonl.gz", [gzipped(text(&lines[3..4]).as_bytes()), gzipped(text(&lines[4..6]).as_bytes())].concat());
    world.file("logs/3.jsonl.zst", zstd::encode_all(text(&lines[6..]).as_bytes(), 1).unwrap());
    october(&world, &["logs/*.jsonl*"], &[], "mixed").expect(1);
    assert_eq!(conclusions(&world, "mixed"), conclusions(&world, "plain"));
    october(&world, &["logs/1.jsonl", "logs/2.*", "logs/*.zst", "logs/1.*"], &[], "twice").expect(1);
    assert_eq!(conclusions(&world, "twice"), conclusions(&world, "plain"), "a file named twice is read once");
}

#[test]
fn a_ledger_in_parquet_gives_the_same_report_as_in_csv() {
    let world = world();
    october(&world, &["log.jsonl"], &[], "csv").expect(1);
    let cells: Vec<Vec<&str>> = ROWS[..6].iter().map(|row| row.split(',').collect()).collect();
    let columns = HEAD.split(',').enumerate().map(|(at, name)| -> Column {
        let cells = cells.iter().map(|row| row[at]);
        let series = match name {
            "amount" => Series::new(name.into(), cells.map(|cell| cell.parse().unwrap()).collect::<Vec<i64>>()),
            "reusable" => Series::new(name.into(), cells.map(|cell| cell == "yes").collect::<Vec<bool>>()),
            _ => Series::new(name.into(), cells.map(|cell| Some(cell).filter(|cell| !cell.is_empty())).collect::<Vec<Option<&str>>>()),
        };
        series.into_column()
    });
    let mut frame = DataFrame::new_infer_height(columns.collect()).unwrap();
    ParquetWriter::new(File::create(world.path("ledger.parquet")).unwrap()).finish(&mut frame).unwrap();
    world.file("ledger.csv", format!("{HEAD}\n{}\n", ROWS[..6].join("\n")));
    october(&world, &["log.jsonl"], &[], "csv").expect(1);
    let more = ["--period", "2026-10", "--external-ledger", "ledger.parquet", "--as-of", "2026-11-02T00:00:00Z"];
    run(&world, &[], &["log.jsonl"], &more, "parquet").expect(1);
    assert_eq!(conclusions(&world, "parquet"), conclusions(&world, "csv"));
}

#[test]
fn a_month_is_its_first_to_its_last_day_and_other_days_are_other_payments() {
    let world = world();
    let as_of = ["--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z"];
    let days = |from, to, out| run(&world, &[], &["log.jsonl"], &[&["--from", from, "--to", to], &as_of[..]].concat(), out).expect(1);
    october(&world, &["log.jsonl"], &[], "month").expect(1);
    days("2026-10-01", "2026-10-31", "days");
    assert_eq!(conclusions(&world, "days"), conclusions(&world, "month"));
    // 16:59:59 UTC on the 30th of September is still September in WIB.
    days("2026-09-30", "2026-09-30", "september");
    assert_eq!(sides(&world, "september")[1], "P00 P16x6");
}

#[test]
fn as_of_decides_what_has_expired_and_what_is_overdue() {
    let world = world();
    world.file("ledger.csv", format!("{HEAD}\n{}\n", ROWS[5]));
    world.file("log.jsonl", "");
    for (as_of, code, class) in [
        ("2026-10-20T17:00:00Z", 0, "L01"),
        ("2026-10-20T17:05:00Z", 0, "L02"),
        ("2026-12-19T16:59:59Z", 0, "L02"),
        ("2026-12-19T17:00:00Z", 1, "L02"),
    ] {
        let more = ["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", as_of];
        run(&world, &[], &["log.jsonl"], &more, "report").expect(code);
        assert_eq!(sides(&world, "report")[2], class, "{as_of}");
        assert_eq!(world.rows("report/discrepancies.csv").len(), usize::try_from(code).unwrap(), "{as_of}");
    }
}

#[test]
fn no_repetition_thread_count_time_zone_or_language_changes_a_byte_and_inputs_stay() {
    let world = world();
    let untouched = || {
        let files = ["ledger.csv", "log.jsonl", "tagih.toml", "secret"];
        files.map(|name| (fs::read(world.path(name)).unwrap(), fs::metadata(world.path(name)).unwrap().modified().unwrap()))
    };
    let before = untouched();
    let more = ["--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z"];
    let mut reports = Vec::new();
    for (number, variables) in [
        vec![],
        vec![("RAYON_NUM_THREADS", "1")],
        vec![("RAYON_NUM_THREADS", "2")],
        vec![("TZ", "America/New_York"), ("LANG", "id_ID.UTF-8"), ("LC_ALL", "id_ID.UTF-8")],
        vec![("TZ", "Asia/Jakarta"), ("LANG", "C")],
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("report-{number}");
        let ran = run(&world, &variables, &["log.jsonl"], &more, &out).expect(1);
        reports.push((bytes_in(&world.path(&out)), ran.stdout.replace(&out, "report")));
        assert!(reports[number] == reports[0], "{variables:?}");
    }
    run(&world, &[], &["log.jsonl"], &more, "report-0").expect(1);
    assert!(bytes_in(&world.path("report-0")) == reports[0].0, "written over itself");
    assert!(untouched() == before, "I19");
}

#[test]
fn a_payment_carried_in_makes_the_next_months_a_second_one() {
    let world = world();
    world.file("log.jsonl", text(&lines()[..6]));
    october(&world, &["log.jsonl"], &[], "october").expect(1);
    world.file("november.jsonl", text(&[line("A", "0001", 10_000, "2026-11-03T05:00:00Z", "N1")]));
    let november = ["--period", "2026-11", "--external-ledger", "ledger.csv", "--as-of", "2026-12-01T00:00:00Z"];
    run(&world, &[], &["november.jsonl"], &november, "alone").expect(1);
    assert_eq!(sides(&world, "alone")[1], "P00", "nothing says that it was paid before");
    run(&world, &[], &["november.jsonl"], &[&november[..], &["--carry-in", "october"]].concat(), "november").expect(1);
    assert_eq!(sides(&world, "november")[1], "P06");
    run(&world, &[], &["november.jsonl"], &[&november[..], &["--carry-in", "nowhere"]].concat(), "x")
        .expect(7)
        .says(&["E0726", "nowhere", "hint:"]);
}

#[test]
fn evidence_that_cannot_be_read_is_exit_seven_and_leaves_no_report() {
    let world = world();
    let good = gzipped(text(&lines()).as_bytes());
    world.file("cut.jsonl.gz", &good[..good.len() / 2]);
    world.file("tail.jsonl.gz", &good[..good.len() - 3]);
    world.file("no.jsonl.gz", "not gzip");
    world.file("no.jsonl.zst", "not zstd");
    let zstd = zstd::encode_all(text(&lines()).as_bytes(), 1).unwrap();
    world.file("cut.jsonl.zst", &zstd[..zstd.len() / 2]);
    fs::create_dir(world.path("folder.jsonl")).unwrap();
    for log in ["nothing-*.jsonl", "absent.jsonl", "cut.jsonl.gz", "tail.jsonl.gz", "cut.jsonl.zst", "folder.jsonl"] {
        october(&world, &["log.jsonl", log], &[], "report").expect(7).says(&["hint:", log]);
        assert!(!world.path("report/summary.json").exists(), "{log}");
    }
    // What a file holds decides, not its name: these are read as they are, and named for holding no messages.
    for log in ["no.jsonl.gz", "no.jsonl.zst"] {
        october(&world, &["log.jsonl", log], &[], "report").expect(7).says(&["E0727", "hint:", log]);
    }
    // A log without a line is a month without payments, not an error.
    world.file("empty.jsonl", "");
    october(&world, &["empty.jsonl"], &[], "report").expect(1);
}

#[test]
fn a_ledger_that_cannot_be_read_is_exit_seven_and_names_what_is_missing() {
    let world = world();
    let refused = |name: &str, words: &[&str]| {
        let more = ["--period", "2026-10", "--external-ledger", name, "--as-of", "2026-11-02T00:00:00Z"];
        run(&world, &[], &["log.jsonl"], &more, "report").expect(7).says(words);
        assert!(!Path::new(&world.path("report")).exists());
    };
    world.file("short.csv", format!("{}\n{}\n", HEAD.replace(",amount", ""), "A,0001,alfa,ACTIVE,no,,,"));
    refused("short.csv", &["amount", "hint:"]);
    refused("absent.csv", &["absent.csv", "hint:"]);
    world.file("no.parquet", "PAR1 it is not");
    refused("no.parquet", &["no.parquet", "hint:"]);
}

#[test]
fn a_period_that_is_none_is_a_usage_error() {
    let world = world();
    for period in [
        &["--period", "2026-13"][..],
        &["--period", "2026-00"],
        &["--period", "Oktober"],
        &["--period", ""],
        &["--period", "2026-10-01"],
        &["--from", "2026-10-02", "--to", "2026-10-01"],
        &["--from", "2026-10-01"],
        &["--to", "2026-10-31"],
        &["--from", "2026-10-01", "--to", "2026-02-30"],
        &["--period", "2026-10", "--from", "2026-10-01", "--to", "2026-10-02"],
        &["--period", "2026-10", "--as-of", "yesterday"],
        &[],
    ] {
        let ran = run(&world, &[], &["log.jsonl"], &[period, &["--external-ledger", "ledger.csv"]].concat(), "report").expect(2);
        assert!(!ran.stderr.is_empty() && !world.path("report").exists(), "{period:?}");
    }
    world.run(&["reconcile", "--period", "2026-10", "--external-ledger", "ledger.csv", "--out", "report"]).expect(2);
}

#[test]
fn two_runs_never_write_into_one_folder_at_a_time() {
    let world = world();
    october(&world, &["log.jsonl"], &[], "report").expect(1);
    let before = fs::read(world.path("report/summary.json")).unwrap();
    let held = File::open(world.path("report")).unwrap();
    held.lock().unwrap();
    october(&world, &["log.jsonl"], &[], "report").expect(6).says(&["E0728", "report", "--out", "hint:"]);
    assert_eq!(fs::read(world.path("report/summary.json")).unwrap(), before);
    drop(held);
    october(&world, &["log.jsonl"], &[], "report").expect(1);
}
