//! The identity of lines for any bytes, stray quotes of every kind, and the ways a table may come.

mod bombs;

use std::io::Cursor;
use std::io::Write as _;

use proptest::prelude::*;

use super::*;

const LIMITS: fn() -> TableLimits = || TableLimits { record_bytes_max: 200, ..TableLimits::default() };

fn open(bytes: &[u8], is_strict: bool) -> Result<Table, TableFault> {
    let limits = LIMITS();
    let header = Header { is_known: &|name| ["a", "b", "c"].contains(&name), is_enough: &|names| names.contains(&"a".to_owned()) };
    Table::of(Cursor::new(bytes.to_vec()), &Shape { delimiter: None, sheet: None, limits: &limits, header, is_strict })
}

/// Each row as its line and cells, or its line and what is wrong.
fn read(bytes: &[u8]) -> (Vec<String>, RecordCounts) {
    let mut table = open(bytes, false).unwrap();
    let (mut out, mut row) = (Vec::new(), Row::default());
    while table.read(&mut row).unwrap() {
        let cells: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
        out.push(match row.wrong {
            None => format!("{} {}", row.line, cells.join("|")),
            Some(wrong) => format!("{} {wrong:?}", row.line),
        });
    }
    (out, table.counts())
}

fn rows(text: &str) -> Vec<String> {
    read(text.as_bytes()).0
}

#[test]
fn no_stray_quote_takes_another_row_along() {
    let table = |lines: &str| rows(&format!("a,b,c\n{lines}"));
    for (lines, expected) in [
        // Never closed: at the end, and with quotes of others behind it.
        ("1,2,\"3\n4,5,6\n7,8,9\n", ["2 QuoteOpen", "3 4|5|6", "4 7|8|9"]),
        ("\"1,2,3\n4,5,6\n7,8,9\n", ["2 QuoteOpen", "3 4|5|6", "4 7|8|9"]),
        ("1,2,\"3\n4,\"5\",6\n7,8,9\n", ["2 QuoteInside", "3 4|5|6", "4 7|8|9"]),
        // Two, in the same column and rows apart, so that the width is right.
        ("1,2,\"3\n4,5,6\n7,8,9\"\n", ["2 QuoteStray", "3 4|5|6", "4 7|8|9\""]),
        ("1,\"2,3\n4,5\",6\n7,8,9\n", ["2 QuoteStray", "3 4|5\"|6", "4 7|8|9"]),
        ("\"1,2,3\n4\",5,6\n7,8,9\n", ["2 QuoteStray", "3 4\"|5|6", "4 7|8|9"]),
        ("\"1,2,3\n4,5,6\n7\",8,9\n", ["2 QuoteStray", "3 4|5|6", "4 7\"|8|9"]),
        // In different columns.
        ("1,\"2,3\n4,5,6\"\n7,8,9\n", ["2 QuoteStray", "3 4|5|6\"", "4 7|8|9"]),
        // Something behind a quote that closes.
        ("1,\"2\"x,3\n4,5,6\n7,8,9\n", ["2 QuoteInside", "3 4|5|6", "4 7|8|9"]),
    ] {
        assert_eq!(table(lines), expected, "{lines}");
    }
    let long = format!("1,2,\"3\n{}", "4,5,6\n".repeat(90));
    let found = table(&long);
    assert_eq!((found.len(), found[0].as_str()), (91, "2 QuoteOpen"));
}

#[test]
fn a_cell_that_really_spans_lines_is_one_cell() {
    for (text, expected) in [
        ("a,b,c\n1,\"Jl. Satu\nJakarta\",3\n4,5,6\n", ["2 1|Jl. Satu\nJakarta|3", "4 4|5|6"]),
        ("a,b,c\n1,2,\"Jl. Satu\r\nJakarta\"\n4,5,6\n", ["2 1|2|Jl. Satu\r\nJakarta", "4 4|5|6"]),
        ("a,b,c\n\"Jl. Satu\nJakarta\",2,3\n4,5,6\n", ["2 Jl. Satu\nJakarta|2|3", "4 4|5|6"]),
        ("a,b,c\n1,\"\"\"x\"\", y\n\n z\",3\n4,5,6", ["2 1|\"x\", y\n\n z|3", "5 4|5|6"]),
    ] {
        assert_eq!(rows(text), expected, "{text}");
    }
}

#[test]
fn delimiters_marks_line_ends_and_declarations_are_understood() {
    for text in [
        "a,b,c\n1,2,3\n",
        "\u{feff}a;b;c\r\n1;2;3",
        "a\tb\tc\r1\t2\t3\r",
        "a|b|c\n1|2|3\n",
        "sep=;\na;b;c\n1;2;3\n",
        "\u{feff}\"sep=,\"\r\na,b,c\r\n\r\n,,\r\n1,2,3\r\n",
        "a,b,c\n1,2,3\na,b,c\n\n",
    ] {
        let (rows, counts) = read(text.as_bytes());
        assert_eq!(rows.iter().map(|row| &row[2..]).collect::<Vec<_>>(), ["1|2|3"], "{text:?}");
        assert_eq!(counts.lines(), physical_lines(text.trim_start_matches('\u{feff}').as_bytes()), "{text:?}");
    }
}

#[test]
fn rows_above_the_header_are_malformed_with_their_place() {
    let (rows, counts) = read(b"Laporan\n\n9,9,9\na,b,c\n1,2,3\n");
    assert_eq!(rows, ["1 Unclaimed", "3 Unclaimed", "5 1|2|3"]);
    assert_eq!(counts, RecordCounts { rows: 1, blank: 1, header: 1, repeated: 0, malformed: 2 });
}

#[test]
fn a_strict_reader_refuses_the_file_and_says_where() {
    for (bytes, words) in [
        (&b"a,b\n1,\"2\n3,4\n"[..], "row 2, which starts on line 2"),
        (b"a,b\n1,\xe9\n", "line 2, byte 6: byte 0xe9, probably Windows-1252 or Latin-1"),
        (b"a,b\n1,\x93\n", "Windows-1252 (an"),
        (b"a,b\n1,\0\n", "null byte at line 2, byte 6"),
    ] {
        let read = open(bytes, true).and_then(|mut table| table.fill(&mut vec![Row::default(); 9]));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let long = format!("a,b\n{},2\n3,4\n", "x".repeat(300));
    assert!(open(long.as_bytes(), true).unwrap().fill(&mut [Row::default()]).is_err());
    assert_eq!(rows(&long), ["2 TooLarge(200)", "3 3|4"]);
}

#[test]
fn compressed_tables_are_known_by_their_content_and_a_cut_one_is_refused() {
    let text = b"a,b,c\n1,2,3\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(read(&gzip).0, ["2 1|2|3"]);
    assert_eq!(read(&zstd::encode_all(&text[..], 1).unwrap()).0, ["2 1|2|3"]);
    assert!(matches!(open(&gzip[..gzip.len() - 9], false), Err(TableFault::Unreadable(_))));
}

#[test]
fn a_workbook_is_a_table_whose_numbers_are_known_as_such() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(["a", "b", "c"]) {
        sheet.write(0, column, name).unwrap();
    }
    sheet.write(2, 0, "x").unwrap();
    sheet.write(2, 1, 12.0).unwrap();
    let mut table = open(&workbook.save_to_buffer().unwrap(), false).unwrap();
    let mut row = Row::default();
    assert!(table.read(&mut row).unwrap());
    assert_eq!((row.number, row.text(1), row.kind(1), row.len()), (3, Some("12"), StoredAs::Number, 3));
}

#[test]
fn a_header_that_may_be_a_customer_is_not_shown() {
    let words = |text: &str| found_words(&Row::from_cells(text.split(','), 1), &|name| name == "channel");
    assert_eq!(words("NO_POLIS,NAMA PEMEGANG,PREMI"), "it has `NO_POLIS`, `NAMA PEMEGANG`, `PREMI`");
    assert_eq!(words("INV-0001,1.000,Budi Utomo,alfa"), "its first row looks like a bill or other data, not like a header");
    assert_eq!(words("channel,Budi Utomo,budi@example.com"), "it has `channel` and 2 more, not shown");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_lines_of_any_bytes_are_rows_blanks_headers_and_malformed_lines(
        bytes in proptest::collection::vec(prop_oneof![8 => proptest::sample::select(b",;\"\n\r\t ab1c\xe9".to_vec()), 1 => any::<u8>()], 0..400),
        has_header in any::<bool>(),
    ) {
        let mut text = if has_header { b"a,b,c\n".to_vec() } else { Vec::new() };
        text.extend(bytes);
        if let Ok(mut table) = open(&text, false) {
            let mut row = Row::default();
            let mut found = 0;
            while table.read(&mut row).unwrap() {
                prop_assert!(row.wrong.is_some() || row.len() == table.header().len());
                found += 1;
            }
            prop_assert!(found <= table.counts().rows + table.counts().malformed);
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
            if !text.starts_with(&[0x1f, 0x8b]) {
                prop_assert_eq!(table.counts().lines(), physical_lines(text));
            }
        }
    }

    #[test]
    fn rows_written_by_the_rules_are_read_back_as_they_were(
        cells in proptest::collection::vec(proptest::collection::vec("[a-z;\"\n 0-9]{0,12}", 3), 0..12),
    ) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let mut table = open(&bytes, false).unwrap();
        let mut row = Row::default();
        for wanted in cells.iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())) {
            prop_assert!(table.read(&mut row).unwrap());
            let found: Vec<_> = row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            prop_assert_eq!((row.wrong, &found), (None, wanted));
        }
        prop_assert!(!table.read(&mut row).unwrap());
    }
}
