//! One result in many formats: whatever one of them says, the others say too, in either language.

mod schema;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Cursor;

use base64::Engine as _;
use calamine::{Data, DataType as _, Range, Reader as _, Xlsx};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use serde_json::Value;

use crate::reconcile::external::payments;
use crate::reconcile::ours::{line, summary};
use crate::support::world::{World, bytes_in};

const LEDGER: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at
A,0001,alfa,10000,ACTIVE,no,2026-10-01,2026-11-30,
B,0002,alfa,20000,ACTIVE,no,2026-10-01,2026-11-30,
C,0003,alfa,30000,ACTIVE,no,2026-10-01,2026-11-30,
E,0005,alfa,50000,CANCELLED,no,2026-10-01,2026-11-30,2026-10-10T00:00:00+07:00
F,0006,alfa,60000,ACTIVE,no,2026-10-01,2026-10-20,
H,,alfa,70000,ACTIVE,no,2026-10-01,2026-11-30,
I,0009,alfa,80000,PAID,no,2026-10-01,2026-11-30,
J,0010,indomaret,90000,ACTIVE,no,2026-10-01,2026-10-02,
K,0011,alfa,100000,ACTIVE,no,2026-10-09,2026-11-30,
G,0007,alfa,seven,ACTIVE,no,2026-10-01,2026-10-20,
";
/// What a spreadsheet would run, as invoice numbers somebody paid.
const FORMULAS: [&str; 4] = ["=1+1", "+SUM(A1)", "-2+3", "@HYPERLINK"];

fn lines() -> Vec<String> {
    let mut lines = payments();
    lines.extend([
        line("A", "0003", 10_000, "2026-10-07T07:00:00Z", "T8"),
        line("J", "0010", 90_000, "2026-10-20T07:00:00Z", "T9"),
        line("K", "0011", 100_001, "2026-10-01T07:00:00Z", "T10"),
        "torn {".to_owned(),
    ]);
    let formulas = FORMULAS.iter().enumerate();
    lines.extend(
        formulas.map(|(at, invoice)| line(invoice, "0000000000000099", 999_999_999_999, "2026-10-31T16:59:59Z", &format!("F{at}"))),
    );
    lines
}

/// A folder with the ledger and the lines above.
fn world() -> World {
    let world = World::at("http://127.0.0.1:1", "[report]\nentity = \"PT Asuransi Contoh\"\n");
    world.file("ledger.csv", LEDGER);
    world.file("log.jsonl", lines().join("\n") + "\n");
    world
}

fn reconciled(world: &World, log: &str, language: &str, out: &str) {
    let period = ["reconcile", "--period", "2026-10", "--external-ledger", "ledger.csv", "--as-of", "2026-11-02T00:00:00Z"];
    world.run(&[&period[..], &["--notifications", log, "--lang", language, "--out", out]].concat()).expect(1);
}

fn rows_of_jsonl(world: &World, out: &str) -> Vec<Value> {
    let text = fs::read_to_string(world.path(out).join("discrepancies.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn workbook(world: &World, out: &str) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(fs::read(world.path(out).join("workbook.xlsx")).unwrap())).unwrap()
}

/// The rows below the headings that begin with `first`, by heading, up to the totals.
fn table(sheet: &Range<Data>, first: &str) -> Vec<BTreeMap<String, Data>> {
    let rows: Vec<&[Data]> = sheet.rows().collect();
    let head = rows.iter().position(|row| row[0] == Data::String(first.to_owned()) && row[1] != Data::Empty).unwrap();
    let named = |row: &&[Data]| rows[head].iter().map(ToString::to_string).zip(row.iter().cloned()).collect();
    rows[head + 1..].iter().take_while(|row| row[0] != Data::String("Total".to_owned()) && row[0] != Data::Empty).map(named).collect()
}

fn page(world: &World, out: &str) -> String {
    fs::read_to_string(world.path(out).join("report.html")).unwrap()
}

/// The words between the tags, unescaped.
fn texts(html: &str) -> Vec<String> {
    let body = html.split_once("</style>").unwrap().1;
    let pieces = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim().to_owned());
    pieces.filter(|text| !text.is_empty()).map(|text| text.replace("&#38;", "&").replace("&#39;", "'").replace("&#60;", "<")).collect()
}

#[test]
fn the_workbook_holds_every_discrepancy_with_real_numbers_dates_and_text_codes() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let mut workbook = workbook(&world, "report");
    let sheet = workbook.worksheet_range("Discrepancies").unwrap();
    let found = table(&sheet, "Class");
    let expected = rows_of_jsonl(&world, "report");
    assert!(expected.len() >= 15, "{}", expected.len());
    assert_eq!(found.len(), expected.len());
    for (row, discrepancy) in found.iter().zip(&expected) {
        let text = |key: &str| discrepancy[key].as_str().unwrap_or_default().to_owned();
        let neutral = |text: String| if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
        for (column, key) in
            [("Class", "class"), ("Number", "discrepancy_id"), ("Payment code", "payment_code"), ("Invoice", "invoice_number")]
        {
            let expected = neutral(text(key));
            let expected = if expected.is_empty() { Data::Empty } else { Data::String(expected) };
            assert_eq!(row[column], expected, "{column}");
        }
        for (column, key) in [("Expected", "amount_expected"), ("Paid", "amount_paid"), ("Difference", "amount_difference")] {
            let expected = discrepancy[key].as_f64().map_or(Data::Empty, Data::Float);
            assert_eq!(row[column], expected, "{column}");
        }
        let paid_at = match &row["Paid at (WIB)"] {
            Data::DateTime(at) => {
                let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
                Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+07:00"))
            }
            other => {
                assert_eq!(*other, Data::Empty);
                None
            }
        };
        assert_eq!(paid_at, discrepancy["paid_at"].as_str().map(str::to_owned));
    }
    assert!(found.iter().any(|row| row["Payment code"] == Data::String("0000000000000099".to_owned())));
}

/// The name of an account's sheet.
pub(crate) const ACCOUNT_SHEETS: [(&str, &str); 9] = [
    ("receivable", "Premiums owed"),
    ("unproven", "Called paid, not proved"),
    ("doku", "At DOKU, not paid out"),
    ("direct", "Direct channels, not received"),
    ("clearing", "Settlement differences"),
    ("payouts", "On the way to the bank"),
    ("suspense", "Unidentified and held money"),
    ("deposits", "Customers' credits"),
    ("refunds_due", "Refunds to transfer"),
];

/// What is to be done of one account, or of alarms, in summary.json: how many and how much.
fn standing(summary: &Value, account: &str) -> (i64, i64) {
    ["to_do", "not_yet_due", "decided"].into_iter().fold((0, 0), |(count, amount), todo| {
        let of = &summary["books"]["items"][todo][account];
        (count + of["count"].as_i64().unwrap_or(0), amount + of["amount"].as_i64().unwrap_or(0))
    })
}

#[test]
fn every_closing_figure_opens_to_its_rows_and_the_first_screen_counts_each_item_once() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let (mut workbook, summary, page) = (workbook(&world, "report"), summary(&world.path("report")), page(&world, "report"));
    let mut shown = 0;
    for account in summary["books"]["accounts"].as_array().unwrap() {
        let name = account["account"].as_str().unwrap();
        let Some((_, sheet)) = ACCOUNT_SHEETS.into_iter().find(|(account, _)| *account == name) else { continue };
        let closing = (account["closing"]["count"].as_i64().unwrap(), account["closing"]["amount"].as_i64().unwrap());
        assert_eq!(standing(&summary, name), closing, "{name}: the list is the closing");
        let names = workbook.sheet_names();
        let sheet = names.iter().find(|found| **found == sheet.replace('\'', ""));
        assert_eq!(sheet.is_some(), closing.0 > 0, "{name}: {names:?}");
        let Some(sheet) = sheet else { continue };
        let range = workbook.worksheet_range(sheet).unwrap();
        let rows = table(&range, "State");
        assert_eq!(i64::try_from(rows.len()).unwrap(), closing.0, "{name}");
        let total: i64 = rows.iter().map(|row| row["Rupiah"].as_i64().unwrap()).sum();
        let last = range.rows().rev().find(|row| row[0] == Data::String("Total".to_owned())).unwrap();
        assert_eq!((total, last[6].as_i64()), (closing.1, Some(closing.1)), "{name}");
        assert!(
            matches!(last[1], Data::Float(_)) && last[1].as_i64() == Some(closing.0),
            "{name}: how many is a number, too: {:?}",
            last[1]
        );
        assert!(page.contains(&format!("<section id=\"{name}\"")));
        shown += 1;
    }
    assert!(shown >= 3, "{shown} accounts have items");
    let to_do = &summary["books"]["items"]["to_do"];
    let (alarms, all): (i64, i64) = to_do.as_object().unwrap().iter().fold((0, 0), |(alarms, all), (name, of)| {
        let count = of["count"].as_i64().unwrap();
        (alarms + if name == "alarm" { count } else { 0 }, all + count)
    });
    let owners: i64 = summary["books"]["to_do"].as_object().unwrap().values().map(|of| of["count"].as_i64().unwrap()).sum();
    assert_eq!(owners, all, "who acts and what is to be done count the same items");
    let listed = world.rows("report/discrepancies.csv");
    let open = listed.iter().filter(|row| row["nature"] == "BREAK" && row["status"] != "accepted").count();
    assert_eq!(
        i64::try_from(open).unwrap(),
        all,
        "what is to be done is the list: an alarm about money that waits is told with that money"
    );
    let flagged = listed.iter().find(|row| row["class"] == "P04" && row["flags"] == "P09").expect("money that is over, paid before issue");
    let text = std::fs::read_to_string(world.path("report/discrepancies.jsonl")).unwrap();
    let row = text.lines().find(|line| line.contains(&flagged["discrepancy_id"])).unwrap();
    assert_eq!(serde_json::from_str::<Value>(row).unwrap()["books"]["account"], "suspense", "its money is what can be decided about");
    assert!(page.contains(&format!("{all} items are to be done.")));
    for count in [all - alarms, alarms] {
        assert!(page.contains(&format!("<p class=\"figure\">{count}</p>")), "{count}");
    }
    let cover = workbook.worksheet_range("Cover").unwrap();
    let tasks = cover.rows().filter(|row| row[0].to_string().contains(": ") && row[3].to_string().starts_with('→'));
    assert_eq!(tasks.map(|row| row[1].as_i64().unwrap()).sum::<i64>(), all);
}

#[test]
fn sheets_summary_and_page_show_the_same_figures() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let (mut workbook, summary) = (workbook(&world, "report"), summary(&world.path("report")));
    let classes = workbook.worksheet_range("Classes").unwrap();
    let shown: BTreeMap<String, (f64, f64)> = classes
        .rows()
        .filter_map(|row| Some((row[0].to_string(), (row[3].as_f64()?, row[4].as_f64()?))))
        .filter(|(class, _)| class != "Total")
        .collect();
    for side in ["lines", "payments", "bills"] {
        let tallies = summary[side].as_object().unwrap();
        for (class, tally) in tallies {
            let figures = (tally["count"].as_f64().unwrap(), tally["amount"].as_f64().unwrap());
            // A flag of the same name has a row of its own further down.
            assert!(shown[class] == figures || summary["flags"].get(class).is_some(), "{class}: {:?} {figures:?}", shown[class]);
        }
        let total: u64 = tallies.values().map(|tally| tally["count"].as_u64().unwrap()).sum();
        let is_total = |row: &&[Data]| row[0] == Data::String("Total".to_owned()) && row[3].as_i64() == i64::try_from(total).ok();
        assert!(classes.rows().any(|row| is_total(&row)), "{side} {total}");
    }
    let identities = workbook.worksheet_range("Control totals").unwrap();
    let differences = identities.rows().filter(|row| row[4] == Data::String("Yes".to_owned())).map(|row| row[3].as_f64());
    assert_eq!(differences.collect::<Vec<_>>(), vec![Some(0.0); summary["identities"].as_array().unwrap().len()]);
    for nature in ["OK", "TIMING", "BREAK"] {
        let (all, mut parts) = (&summary["natures"][nature], 0);
        for side in ["lines", "payments", "bills"] {
            parts += summary["natures_by_subject"][side][nature]["count"].as_u64().unwrap();
        }
        assert_eq!(all["count"].as_u64(), Some(parts), "{nature}");
    }
    let total: f64 = summary["payments"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(class, _)| *class != "P16")
        .map(|(_, tally)| tally["amount"].as_f64().unwrap())
        .sum();
    let days = workbook.worksheet_range("By day and channel").unwrap();
    assert_eq!(days.rows().next_back().unwrap()[6].as_f64(), Some(total));
}

#[test]
fn what_a_spreadsheet_would_run_is_text_there_and_exact_where_programs_read() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let mut workbook = workbook(&world, "report");
    for name in workbook.sheet_names() {
        assert_eq!(workbook.worksheet_formula(&name).unwrap().used_cells().count(), 0, "{name}");
        for (row, column, cell) in workbook.worksheet_range(&name).unwrap().used_cells() {
            let is_risky = matches!(cell, Data::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']));
            assert!(!is_risky, "{name} {row} {column}: {cell}");
        }
    }
    let in_csv = world.column("report/discrepancies.csv", "invoice_number");
    let raw: BTreeSet<String> =
        rows_of_jsonl(&world, "report").iter().map(|row| row["invoice_number"].as_str().unwrap().to_owned()).collect();
    let frame = ParquetReader::new(File::open(world.path("report/discrepancies.parquet")).unwrap()).finish().unwrap();
    let column = frame.column("invoice_number").unwrap().as_materialized_series().clone();
    let in_parquet: Vec<&str> = column.str().unwrap().iter().flatten().collect();
    for formula in FORMULAS {
        assert!(in_csv.contains(&format!("'{formula}")) && !in_csv.contains(&formula.to_owned()), "{formula}");
        assert!(raw.contains(formula) && in_parquet.contains(&formula), "{formula}");
        assert!(!page(&world, "report").contains("<script"));
    }
}

#[test]
fn parquet_has_the_columns_of_csv_and_the_rows_of_json_lines() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let frame = ParquetReader::new(File::open(world.path("report/discrepancies.parquet")).unwrap()).finish().unwrap();
    let mut csv = csv::Reader::from_path(world.path("report/discrepancies.csv")).unwrap();
    let names = csv.headers().unwrap().iter().map(|name| if name == "paid_at" { "paid_at_us" } else { name });
    assert!(frame.get_column_names().iter().map(|name| name.as_str()).eq(names));
    let rows = rows_of_jsonl(&world, "report");
    let texts = ["discrepancy_id", "class", "nature", "severity", "payment_code", "reason", "action"];
    for key in texts.into_iter().chain(["first_seen", "last_seen", "status", "owner", "comment"]) {
        let column = frame.column(key).unwrap().as_materialized_series().clone();
        let found: Vec<&str> = column.str().unwrap().iter().flatten().collect();
        assert_eq!(found, rows.iter().map(|row| row[key].as_str().unwrap()).collect::<Vec<_>>(), "{key}");
    }
    for key in ["amount_expected", "amount_paid", "amount_difference"] {
        let column = frame.column(key).unwrap().as_materialized_series().clone();
        let found: Vec<Option<i64>> = column.i64().unwrap().iter().collect();
        assert_eq!(found, rows.iter().map(|row| row[key].as_i64()).collect::<Vec<_>>(), "{key}");
    }
}

/// What is left of a page without its list of inputs, which names the files as they are.
fn without_inputs(page: &str) -> String {
    let (before, rest) = page.split_once("<section id=\"inputs\"").unwrap();
    format!("{before}{}", rest.split_once("<section id=\"method\"").unwrap().1)
}

#[test]
fn the_order_of_lines_and_rows_changes_nothing_but_the_list_of_inputs() {
    let world = world();
    reconciled(&world, "log.jsonl", "id", "report");
    let mut shuffled = lines();
    shuffled.reverse();
    shuffled.rotate_left(4);
    fs::create_dir(world.path("other")).unwrap();
    world.file("log.jsonl", shuffled.join("\n") + "\n");
    let (head, rows) = LEDGER.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.reverse();
    world.file("ledger.csv", format!("{head}\n{}\n", rows.join("\n")));
    reconciled(&world, "log.jsonl", "id", "shuffled");
    let (first, second) = (bytes_in(&world.path("report")), bytes_in(&world.path("shuffled")));
    for name in ["discrepancies.csv", "discrepancies.jsonl", "discrepancies.parquet", "matched.parquet", "summary.schema.json"] {
        assert!(first[name] == second[name], "{name}");
    }
    assert_eq!(without_inputs(&page(&world, "report")), without_inputs(&page(&world, "shuffled")));
    let (mut first, mut second) = (workbook(&world, "report"), workbook(&world, "shuffled"));
    assert_eq!(first.sheet_names(), second.sheet_names());
    for name in first.sheet_names().into_iter().filter(|name| name != "Masukan") {
        assert_eq!(first.worksheet_range(&name).unwrap(), second.worksheet_range(&name).unwrap(), "{name}");
    }
}

#[test]
fn the_language_changes_words_only_and_leaves_none_in_english() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "english");
    reconciled(&world, "log.jsonl", "id", "indonesian");
    let (english, indonesian) = (bytes_in(&world.path("english")), bytes_in(&world.path("indonesian")));
    for (name, bytes) in english.iter().filter(|(name, _)| *name != "summary.json") {
        let is_for_people = matches!(name.as_str(), "report.html" | "workbook.xlsx");
        assert_eq!(*bytes == indonesian[name], !is_for_people, "{name}");
    }
    // It holds the hashes of the two that differ.
    let [first, second] = ["english", "indonesian"].map(|out| {
        let mut summary = summary(&world.path(out));
        summary.as_object_mut().unwrap().remove("files");
        // It says which language was asked for.
        summary["request"]["language"].take();
        summary
    });
    assert_eq!(first, second);
    let indonesian = page(&world, "indonesian");
    assert!(indonesian.starts_with("<!doctype html>\n<html lang=\"id\">") && indonesian.contains("31 Oktober 2026"));
    assert!(indonesian.contains("PT Asuransi Contoh"));
    assert_eq!(left_in_english(&world, "english", "indonesian"), Vec::<String>::new());
}

/// Texts of the second page that stand in the first one word for word and are no names, amounts or days.
fn left_in_english(world: &World, english: &str, indonesian: &str) -> Vec<String> {
    let settings = summary(&world.path(english))["policy"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let english: BTreeSet<String> = texts(&page(world, english)).into_iter().collect();
    // Names, not words: files, settings, classes, channels, codes; and what is the same word in both languages.
    let same = [
        "BREAK",
        "TIMING",
        "strict",
        "Status",
        "Rupiah",
        "Total",
        "Alfa",
        "Indomaret",
        "PT Asuransi Contoh",
        "SHA-256",
        "manual",
        "conflicting",
        "varied",
        "Total Settlement Amount",
    ];
    let is_name = |text: &str| {
        text.chars().filter(char::is_ascii_lowercase).count() < 3
            || !text.contains(' ') && text.contains(['.', '-', '_'])
            || text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b' ')
            || same.contains(&text)
            || settings.contains(text)
    };
    let is_amount_or_day = |text: &str| {
        ["Rp", "tagih ", "ledger.csv:", "Alfa: ", "Indomaret: "].iter().any(|start| text.trim_start_matches(['+', '−']).starts_with(start))
            || text.starts_with(|c: char| c.is_ascii_digit())
    };
    let left =
        texts(&page(world, indonesian)).into_iter().filter(|text| english.contains(text) && !is_name(text) && !is_amount_or_day(text));
    left.collect()
}

#[test]
fn the_page_is_one_file_whose_policy_allows_its_own_style_and_nothing_else() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let page = page(&world, "report");
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let digest = base64::engine::general_purpose::STANDARD.encode(tagih::domain::digest::of_bytes(style.as_bytes()));
    assert!(page.contains(&format!("content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\"")));
    for forbidden in ["<script", "<link", "<img", "<iframe", " style=", " onclick", "http://", "https://", "url(", "@import"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
    for target in page.split("href=\"#").skip(1).map(|rest| rest.split_once('"').unwrap().0) {
        assert!(ids.contains(&target), "{target}");
    }
    for name in ["Canary", "canary@example.com"] {
        assert!(!page.contains(name), "personal data");
    }
}

#[test]
fn a_language_nobody_speaks_is_a_usage_error() {
    let world = world();
    let ran = world.run(&["reconcile", "--period", "2026-10", "--notifications", "log.jsonl", "--out", "x", "--lang", "fr"]).expect(2);
    assert!(ran.stderr.contains("there are `en` and `id`"), "{}", ran.stderr);
}
