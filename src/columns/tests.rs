//! One table in every format.

use std::fs::File;
use std::io::Write as _;

use proptest::prelude::*;

use super::stored::Stored;
use super::*;
use crate::domain::spreadsheet::unescaped;

struct Row {
    id: &'static str,
    name: &'static str,
    amount: Option<i64>,
    day: jiff::civil::Date,
    at: Option<jiff::Timestamp>,
    digest: [u8; 2],
    flags: &'static [&'static str],
    parts: Option<&'static str>,
}

fn columns() -> [Column<'static, Row>; 8] {
    [
        Column::text("id", |row| row.id.into()),
        Column::foreign("name", |row| row.name.into()),
        Column::rupiah("amount", |row| row.amount.into()),
        Column::date("day", |row| row.day.into()),
        Column::instant("paid_at", |row| row.at.into()),
        Column::digest("digest", |row| Value::digest(&row.digest)),
        Column::list("flags", |row| Value::list(row.flags.iter().copied())),
        Column::json("parts", |row| row.parts.into()),
    ]
}

fn rows() -> [Row; 2] {
    let day = jiff::civil::date(2026, 10, 31);
    let at = Some("2026-10-31T17:00:00.25Z".parse().unwrap());
    let first =
        Row { id: "a", name: "=1+1, \"x\"", amount: Some(-5), day, at, digest: [0, 255], flags: &["P04", "N02"], parts: Some("[1]") };
    [first, Row { id: "", name: "Siti;=2", amount: None, day, at: None, digest: [1, 2], flags: &[], parts: None }]
}

fn written(format: Format) -> String {
    let mut out = Vec::new();
    format.write(&columns(), rows().into_iter(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_says_the_same_of_a_row_and_only_csv_makes_texts_harmless() {
    let csv = "id,name,amount,day,paid_at,digest,flags\n\
        a,\"'=1+1, \"\"x\"\"\",-5,2026-10-31,2026-11-01T00:00:00+07:00,00ff,P04;N02\n\
        ,Siti;'=2,,2026-10-31,,0102,\n";
    assert_eq!(written(Format::Csv), csv);
    let json = r#"{"id":"a","name":"=1+1, \"x\"","amount":-5,"day":"2026-10-31","paid_at":"2026-11-01T00:00:00+07:00","digest":"00ff","flags":["P04","N02"],"parts":[1]}
{"id":"","name":"Siti;=2","amount":null,"day":"2026-10-31","paid_at":null,"digest":"0102","flags":[]}
"#;
    assert_eq!(written(Format::JsonLines), json);
    let mut file = tempfile::tempfile().unwrap();
    let mut out = Vec::new();
    Format::Parquet.write(&columns(), rows().into_iter(), &mut out).unwrap();
    file.write_all(&out).unwrap();
    let stored = Stored::foreign(file).unwrap();
    assert!(stored.names().eq(["id", "name", "amount", "day", "paid_at_us", "digest", "flags"]));
    let cells =
        |row: usize| (0..7).map(|at| stored.cell(row, at).unwrap().text(&mut String::new()).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(cells(0), ["a", "=1+1, \"x\"", "-5", "2026-10-31", "1793466000250000", "00ff", "P04;N02"]);
    assert_eq!(cells(1), ["", "Siti;=2", "", "2026-10-31", "", "0102", ""]);
    assert!(stored.cell(1, 2).unwrap().is_empty() && !stored.cell(1, 0).unwrap().is_empty());
}

/// What `reconcile` ended with 101 on.
#[test]
fn a_table_whose_inside_makes_its_parser_panic_is_refused() {
    let mut bytes = include_bytes!("../../tests/fixtures/carry-format-3/outstanding.parquet").to_vec();
    for (at, byte) in [(948, 140), (1375, 166)] {
        bytes[at] = byte;
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    assert_eq!(Stored::foreign(file).unwrap_err().to_string(), "the inside of the table is damaged");
}

/// Each of these made the parser ask for more memory than there is, which ends a process (found by fuzzing).
#[test]
fn a_table_whose_pages_claim_more_than_a_file_can_hold_is_refused() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(include_bytes!("../../tests/fixtures/parquet/claims-too-many-values.parquet")).unwrap();
    assert_eq!(Stored::foreign(file).unwrap_err().to_string(), "the inside of the table is damaged");
}

#[test]
fn a_table_longer_than_a_group_keeps_every_row_in_its_order() {
    let columns: [Column<'_, i64>; 1] = [Column::count("number", |number| (*number).into())];
    let path = tempfile::NamedTempFile::new().unwrap();
    Format::Parquet.write(&columns, 0..40_000, &mut File::create(path.path()).unwrap()).unwrap();
    let stored = Stored::foreign(File::open(path.path()).unwrap()).unwrap();
    assert_eq!(stored.height(), 40_000);
    assert!((0..40_000).all(|at| stored.cell(usize::try_from(at).unwrap(), 0).unwrap().as_number() == Some(at)));
}

#[test]
fn a_value_of_another_kind_than_its_column_is_an_error_and_never_a_wrong_cell() {
    let columns: [Column<'_, ()>; 1] = [Column::rupiah("amount", |()| "12".into())];
    let refused = Format::Parquet.write(&columns, std::iter::once(()), &mut Vec::new()).unwrap_err();
    assert_eq!(refused.to_string(), "a column of rupiah holds a text");
}

#[test]
fn what_would_run_or_could_be_split_is_quoted_where_files_are_opened_by_a_double_click() {
    let mut csv = Csv::new(Vec::new()).quoting_more();
    for cells in [["a", "b"], ["=1+1", "Budi \"B\", S.H."], ["0012", "x;=2"], ["x|y", "x\ty"]] {
        csv.texts(cells.into_iter()).unwrap();
    }
    csv.texts([""].into_iter()).unwrap();
    let text = String::from_utf8(csv.into_inner()).unwrap();
    assert_eq!(text, "a,b\n\"'=1+1\",\"Budi \"\"B\"\", S.H.\"\n0012,\"x;'=2\"\n\"x|y\",\"x\ty\"\n\"\"\n");
}

proptest! {
    #[test]
    fn nothing_runs_in_a_row_of_any_texts_whatever_its_cells_are_parted_at(
        cells in proptest::collection::vec("[=\"+;,|a\\-\t\n]{0,8}", 1..4),
        quotes_more: bool,
    ) {
        let csv = Csv::new(Vec::new());
        let mut csv = if quotes_more { csv.quoting_more() } else { csv };
        csv.texts(cells.iter().map(String::as_str)).unwrap();
        let line = String::from_utf8(csv.into_inner()).unwrap();
        for delimiter in [b',', b';', b'|', b'\t'] {
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line.as_bytes());
            for cell in reader.records().map(Result::unwrap).flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@']), "{line:?} parted at {}: {cell:?}", char::from(delimiter));
            }
        }
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        let read = reader.records().next().unwrap().unwrap();
        prop_assert!(read.iter().map(unescaped).eq(cells.iter().map(String::as_str)), "{line:?}");
    }
}

#[test]
fn rows_are_sorted_as_their_cells_read() {
    let columns: [Column<'_, i64>; 1] = [Column::count("number", |number| (*number).into())];
    let mut numbers = [10, 9, 2];
    numbers.sort_by(|a, b| compare(&columns, a, b));
    assert_eq!(numbers, [10, 2, 9]);
}
