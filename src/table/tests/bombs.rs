//! Workbooks that are small as files and large once they are read.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::table::sheet::sheets;

const NAMESPACE: &str = "http://schemas.openxmlformats.org";

/// A part that says where others are: one, of this kind.
fn relation(kind: &str, target: &str) -> String {
    let (all, document) =
        (format!("{NAMESPACE}/package/2006/relationships"), format!("{NAMESPACE}/officeDocument/2006/relationships/{kind}"));
    format!("<Relationships xmlns=\"{all}\"><Relationship Id=\"r1\" Type=\"{document}\" Target=\"{target}\"/></Relationships>")
}

/// A workbook of one sheet; `more` puts further parts into it.
fn workbook(sheet: &str, more: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let main = format!("{NAMESPACE}/spreadsheetml/2006/main");
    let relations = format!("{NAMESPACE}/officeDocument/2006/relationships");
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let parts = [
        ("[Content_Types].xml", format!("<Types xmlns=\"{NAMESPACE}/package/2006/content-types\"/>")),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>")),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    more(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn row(number: u32) -> String {
    format!("<row r=\"{number}\"><c r=\"A{number}\" t=\"inlineStr\"><is><t>x</t></is></c></row>")
}

#[test]
fn a_row_beyond_the_last_of_a_spreadsheet_is_refused() {
    assert_eq!(sheets(workbook(&row(1_048_576), |_| {})).unwrap()[0].rows.len(), 1);
    let refused = sheets(workbook(&row(1_048_577), |_| {})).unwrap_err().to_string();
    assert!(refused.contains("below its 1048576th row"), "{refused}");
}

#[test]
fn a_part_that_unpacks_to_more_than_any_workbook_has_is_refused_before_it_is_kept() {
    let content = workbook(&row(1), |zip| {
        zip.start_file("xl/sharedStrings.xml", SimpleFileOptions::default()).unwrap();
        let block = vec![b' '; 1 << 20];
        (0..513).for_each(|_| zip.write_all(&block).unwrap());
    });
    assert!(content.len() < 2 << 20, "it is small as a file");
    let refused = sheets(content).unwrap_err().to_string();
    assert!(refused.contains("`xl/sharedStrings.xml` has more than 512 MiB"), "{refused}");
}

#[test]
fn a_cell_that_no_spreadsheet_has_is_refused_before_it_is_kept() {
    let text = |length: usize| format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{}</t></is></c></row>", "x".repeat(length));
    assert_eq!(sheets(workbook(&text(32_767), |_| {})).unwrap()[0].rows[0].len(), 1);
    let runs = "<r><t>xxxxxxxx</t></r>".repeat(100_000);
    let in_runs = format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is>{runs}</is></c></row>");
    for sheet in [text(2 << 20), in_runs] {
        let content = workbook(&sheet, |_| {});
        let refused = sheets(content).unwrap_err().to_string();
        assert!(refused.contains("sheet1.xml` has a cell of more than 1024 KiB") && refused.contains("32,767"), "{refused}");
    }
}
