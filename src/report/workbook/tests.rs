//! What only small limits show: how rows are parted, how sheets are called.

use std::io::{BufWriter, Cursor};

use calamine::{Data, Reader as _, Xlsx};

use super::*;
use crate::domain::amount::Rupiah;
use crate::domain::language::Language;
use crate::report::document::{Cell, CellKind, Cover, DocumentColumn, DocumentRows, Mood};

fn document<'a>(count: usize) -> Document<'a> {
    let columns = vec![DocumentColumn::new("code", CellKind::Code), DocumentColumn::new("paid", CellKind::Rupiah)];
    let row = |at: usize| vec![format!("{at:05}").into(), Cell::Rupiah(Rupiah::new(i128::try_from(at).unwrap()))];
    let table = DocumentTable::new("all", columns.clone(), DocumentRows::made(count, row)).sum_up("sum");
    Document {
        language: Language::English,
        title: "title".to_owned(),
        footer: String::new(),
        as_of: "2026-11-01T00:00:00Z".parse().unwrap(),
        cover: Cover {
            subtitle: String::new(),
            verdict: "well".to_owned(),
            mood: Mood::Good,
            caveats: Vec::new(),
            highlights: Vec::new(),
            flow: Vec::new(),
            tasks: Vec::new(),
            tie: (String::new(), Mood::Good),
            comparison: DocumentTable::new("", Vec::new(), Vec::new()),
            facts: DocumentTable::new("facts", columns, Vec::new()),
            signatures: Vec::new(),
        },
        sections: vec![Section::new("all", "All [of] it").note("note").table(table)],
    }
}

fn bytes(document: &Document<'_>, rows_max: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = BufWriter::new(tempfile::NamedTempFile::new().unwrap());
    write(document, rows_max, folder.path(), &mut writer).unwrap();
    std::fs::read(writer.into_inner().unwrap().path()).unwrap()
}

#[test]
fn no_sheet_has_more_rows_than_allowed_and_no_row_is_lost() {
    for count in [0, 1, 15, 16, 17, 31, 32, 33, 34, 100] {
        let mut workbook = Xlsx::new(Cursor::new(bytes(&document(count), 20))).unwrap();
        let (mut codes, mut sums) = (Vec::new(), Vec::new());
        for name in workbook.sheet_names().into_iter().skip(1) {
            let range = workbook.worksheet_range(&name).unwrap();
            assert!(range.end().unwrap().0 < 20, "{count} {name}: {:?}", range.end());
            assert_eq!(range.rows().filter(|row| row[0] == Data::String("code".to_owned())).count(), 1, "{name} has its headings");
            for row in range.rows() {
                match (&row[0], row.get(1)) {
                    (Data::String(label), Some(Data::Float(sum))) if label == "sum" => sums.push(*sum),
                    (Data::String(code), Some(Data::Float(paid))) => codes.push((code.clone(), *paid)),
                    _ => {}
                }
            }
        }
        let expected: Vec<(String, f64)> = (0..u32::try_from(count).unwrap()).map(|at| (format!("{at:05}"), f64::from(at))).collect();
        assert_eq!(codes, expected, "{count}");
        assert_eq!(sums, [expected.iter().map(|(_, paid)| paid).sum::<f64>()], "{count}");
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let document = document(40);
    assert!(bytes(&document, 20) == bytes(&document, 20));
}

#[test]
fn names_of_sheets_are_allowed_short_and_different() {
    let mut taken = HashSet::new();
    let long = "P00 a class with a title that is very long indeed";
    let names = ["All [of] it", "all of it", long, long, "'a/b\\c:d*e?'"].map(|title| name(title, &mut taken));
    assert_eq!(names[..2], ["All of it", "all of it (2)"]);
    assert_eq!(names[4], "abcde");
    assert!(names.iter().all(|name| name.chars().count() <= NAME_MAX) && names[2] != names[3], "{names:?}");
}

#[test]
fn a_sum_too_large_for_a_spreadsheets_numbers_is_written_out() {
    let mut document = document(0);
    if let Some(section) = document.sections.first_mut() {
        let columns = vec![DocumentColumn::new("code", CellKind::Code), DocumentColumn::new("paid", CellKind::Rupiah)];
        let row = |amount| vec![Cell::from("a"), Cell::Rupiah(Rupiah::new(amount))];
        section.tables = vec![DocumentTable::new("", columns, vec![row(999_999_999_999_999), row(9_007_199_254_740_993)])];
    }
    let mut workbook = Xlsx::new(Cursor::new(bytes(&document, 100))).unwrap();
    let range = workbook.worksheet_range("All of it").unwrap();
    let cells: Vec<Data> = range.rows().filter(|row| row[0] == Data::String("a".to_owned())).map(|row| row[1].clone()).collect();
    assert_eq!(cells, [Data::Float(999_999_999_999_999.0), Data::String("Rp9.007.199.254.740.993".to_owned())]);
}
