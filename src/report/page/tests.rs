//! What only large tables show: how many rows a page has, and where the rest is.

use std::io::BufWriter;

use super::*;
use crate::domain::language::Language;
use crate::report::document::{Cell, CellKind, Chart, ChartKind, Cover, DocumentColumn, DocumentRows, DocumentTable, Mood, Section};

fn page(rows_max: usize) -> String {
    let columns = || {
        vec![
            DocumentColumn::new("kind", CellKind::Code).filter(),
            DocumentColumn::new("many", CellKind::Count),
            DocumentColumn::new("why", CellKind::Text).detail(),
        ]
    };
    let row = |at: usize| vec![["x<y", "z"][at % 2].into(), Cell::from(at), "because".into()];
    let many = DocumentTable::new("many", columns(), DocumentRows::made(1_234, row)).kept_in("all.csv");
    let whole = DocumentTable::new("whole", columns(), DocumentRows::made(8, row));
    let document = Document {
        language: Language::Indonesian,
        title: "title".to_owned(),
        footer: "entity \"x\" · October".to_owned(),
        as_of: "2026-11-01T00:00:00Z".parse().unwrap(),
        cover: Cover {
            subtitle: String::new(),
            verdict: String::new(),
            mood: Mood::Good,
            caveats: Vec::new(),
            highlights: Vec::new(),
            flow: Vec::new(),
            tasks: Vec::new(),
            tie: (String::new(), Mood::Good),
            comparison: DocumentTable::new("compared", Vec::new(), Vec::new()),
            facts: DocumentTable::new("facts", Vec::new(), Vec::new()),
            signatures: Vec::new(),
        },
        sections: vec![Section::new("s", "s").table(many).table(whole).chart(Chart::of(ChartKind::Line, "drawing", 0, &[1]))],
    };
    let mut writer = BufWriter::new(tempfile::NamedTempFile::new().unwrap());
    write(&document, rows_max, &mut writer).unwrap();
    std::fs::read_to_string(writer.into_inner().unwrap().path()).unwrap()
}

#[test]
fn a_page_shows_the_first_rows_and_says_where_the_others_are() {
    let page = page(6);
    let (many, whole) = page.split_once("id=\"s-1\"").unwrap();
    assert_eq!(many.matches("<tbody class=\"row").count(), 6);
    assert!(many.contains("6 pertama dari 1.234") && many.contains("<a href=\"all.csv\">all.csv</a>"));
    assert_eq!(whole.matches("<tbody class=\"row").count(), 8, "no file holds the others of this one");
    assert!(!page.contains("x<y") && page.contains("x&#60;y"), "escaped");
}

#[test]
fn paper_has_the_first_rows_of_long_tables_and_whose_page_it_is_at_its_foot() {
    let page = page(1_000);
    assert_eq!(page.matches("<div class=\"table long\"").count(), 1);
    assert!(page.contains("Di kertas: 30 baris pertama dari 1.234"));
    assert!(page.contains("@bottom-left{content:\"entity x · October\"") && page.contains("counter(page) \" / \" counter(pages)"));
}

#[test]
fn each_choice_hides_the_rows_without_its_mark() {
    let page = page(6);
    for choice in ["s-0-0-0", "s-0-0-1"] {
        assert!(page.contains(&format!("#s-0:has(#{choice}:checked) tbody.row:not(.{choice}){{display:none}}")));
        assert_eq!(page.matches(&format!("<tbody class=\"row {choice}\">")).count(), 3, "{choice}");
        assert!(page.contains(&format!("id=\"{choice}\"><label for=\"{choice}\">")));
    }
}
