//! Both editions of the report, every way a row or a file can be wrong, and the promise that every row is accounted for.

use std::io::Cursor;

use jiff::civil::date;
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;

use super::*;
use crate::domain::digest;
use crate::domain::reason::{AmountFault, CellFault, Spoilt};

/// The layout of a report seen in the wild, names and numbers replaced.
const REPORT: &str = "Total Amount Purchase_,504440\nTotal Fee_,4995\nTotal Purchase_,1\nTotal Amount Refund_,0\nTotal Refund_,0\n\
    Total Settlement Amount_,499445\nTotal Discount_,0\nTotal Transactions_,1\nBatch ID_,B-BSN-0203\n\n\
    NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,FEE,DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT\n\
    1,Example,Alfa Group,05-03-2026,INV-0001,Budi,1900800000236143,504440,1900800000236143,4995,0,499445,06-03-2026,Purchase,,\n";

fn read_as(name: &str, content: &[u8]) -> Result<Settlement, SettlementFault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    read(&[path], &TableSettings::default()).map_err(|error| error.fault)
}

fn csv(content: &str) -> Settlement {
    read_as("s.csv", content.as_bytes()).unwrap()
}

/// The column and reason of the only row of the report with `from` replaced.
fn fault(from: &str, to: &str) -> String {
    assert!(REPORT.contains(from), "{from}");
    let read = csv(&REPORT.replace(from, to));
    assert_eq!((read.raw.rows, read.rows.len(), read.malformed.len()), (1, 0, 1), "{to}");
    format!("{}: {}", read.malformed[0].column, read.malformed[0].reason)
}

#[test]
fn the_known_layout_is_read_to_the_rupiah_with_its_place_and_digest() {
    let read = csv(REPORT);
    let [row] = &*read.rows else { panic!("{read:?}") };
    assert_eq!((row.batch_id.as_str(), row.number.as_str(), row.channel_name.as_str()), ("B-BSN-0203", "1", "Alfa Group"));
    assert_eq!((row.transaction_date, row.paid_out_on), (date(2026, 3, 5), Some(date(2026, 3, 6))));
    assert_eq!((row.invoice_number.as_str(), row.report_code.as_str()), ("INV-0001", "1900800000236143"));
    assert_eq!((row.amount, row.fee, row.discount, row.paid_out, row.paid_out_expected()), (504_440, 4_995, 0, 499_445, 499_445));
    let line = REPORT.lines().last().unwrap();
    assert_eq!((row.place.row, row.place.byte), (12, count(REPORT.find(line).unwrap())));
    assert_eq!(row.digest, digest::of_bytes(line.as_bytes()));
    let [totals] = &*read.totals else { panic!("{read:?}") };
    assert_eq!((totals.amount, totals.paid_out, totals.transactions), (Some(504_440), Some(499_445), Some(1)));
}

#[test]
fn both_editions_any_order_of_columns_blank_lines_and_line_ends_say_the_same() {
    let whole = csv(REPORT);
    let older = REPORT.replace("\n\nNO,", "\nNo,").replace(",SUB ACCOUNT", "").replace("Purchase,,\n", "Purchase,\n");
    let swapped =
        REPORT.replace("AMOUNT,RECON CODE,", "RECON CODE,Amount,").replace("504440,1900800000236143,4995", "1900800000236143,504440,4995");
    for text in [
        older,
        swapped,
        format!("\u{feff}{REPORT}"),
        REPORT.replace("\n\n", "\n\n\n\n"),
        REPORT.replace('\n', "\r\n"),
        REPORT.replace("05-03-2026", "\"05-03-2026\""),
        REPORT.replace("AMOUNT,", " Amount ,").replace("PAY TO MERCHANT", "pay  to merchant"),
        REPORT.trim_end().to_owned(),
    ] {
        let read = csv(&text);
        assert_eq!(read.rows.len(), 1, "{text}");
        assert_eq!(read.rows[0].content(), whole.rows[0].content(), "{text}");
        assert_eq!(read.totals, whole.totals);
        // The digest is that of the very bytes at that place.
        let (place, start) = (read.rows[0].place, usize::try_from(read.rows[0].place.byte).unwrap());
        let line = text.as_bytes()[start..].split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(read.rows[0].digest, digest::of_bytes(line.strip_suffix(b"\r").unwrap_or(line)), "{text}");
        assert_eq!(place.row, count(text[..start].matches('\n').count()) + 1, "{text}");
    }
}

#[test]
fn columns_of_the_merchants_own_are_kept_by_name_and_names_of_people_are_not() {
    let own = REPORT.replace("SUB ACCOUNT", "SUB ACCOUNT,Branch,Policy Number").replace("Purchase,,\n", "Purchase,,SAC-1,Jakarta,P-77\n");
    let row = &csv(&own).rows[0];
    assert_eq!(row.sub_account, "SAC-1");
    let custom: Vec<_> = row.custom.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(custom, ["Branch=Jakarta", "Policy Number=P-77"]);
    assert!(!format!("{row:?}").contains("Budi"));
}

#[test]
fn a_row_that_cannot_be_read_is_listed_with_its_column_and_reason() {
    for amount in ["504.440", "\"504,440\"", "504440.00", "5e5", "Rp504440", "+504440", "", "9999999999999999"] {
        assert!(fault(",504440,1900", &format!(",{amount},1900")).starts_with("AMOUNT: "), "{amount}");
    }
    assert!(fault(",504440,1900", ",0,1900").starts_with("AMOUNT: `0` is not between 1 and"));
    assert!(fault(",504440,1900", ",-5,1900").starts_with("AMOUNT: `-5` is not between"));
    assert!(fault(",4995,0,", ",4.995,0,").starts_with("FEE: `4.995` is no plain integer"));
    for day in ["2026-03-05", "5-3-2026", "05/03/2026", "31-02-2026", "05-03-26", ""] {
        assert!(fault("05-03-2026", day).starts_with("TRANSACTION DATE: "), "{day}");
    }
    assert!(fault("06-03-2026", "soon").starts_with("PAY OUT DATE: `soon` is no date"));
    assert!(fault("INV-0001", "INV-É").starts_with("INVOICE NUMBER: it holds a character"));
    assert!(fault("Alfa Group", "").starts_with("PAYMENT CHANNEL NAME: it is empty"));
    assert!(fault("Purchase,,", ",,").starts_with("TRANSACTION TYPE: it is empty"));
    assert!(fault("Purchase,,", "Purchase").starts_with("row: it has 14 cells, the header has 16"));
    assert!(fault("Purchase,,", "Purchase,,,").starts_with("row: it has 17 cells"));
}

#[test]
fn several_batches_may_stand_in_one_file_each_under_its_own_totals() {
    let two = format!("{REPORT}{}", REPORT.replace("B-BSN-0203", "B-2").replace("INV-0001", "INV-0002"));
    let read = csv(&two);
    assert_eq!(read.rows.iter().map(|row| row.batch_id.as_str()).collect::<Vec<_>>(), ["B-BSN-0203", "B-2"]);
    assert_eq!(read.totals.len(), 2);
    assert_eq!((read.raw.rows, read.raw.amount, read.raw.fee), (2, 1_008_880, 9_990));
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap()
}

fn write(sheet: &mut rust_xlsxwriter::Worksheet, row: u32, column: u16, number: f64) {
    sheet.write(row, column, number).unwrap();
}

fn workbook(change: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "a cover").unwrap();
    let sheet = workbook.add_worksheet();
    for (at, line) in (0..).zip(REPORT.lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write(at, column, cell).unwrap();
        }
    }
    change(sheet);
    workbook.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_is_read_from_the_sheet_that_holds_the_table() {
    let read = read_as("s.XLSX", &workbook(|sheet| write(sheet, 11, 7, 504_440.0))).unwrap();
    assert_eq!(read.rows[0].content(), csv(REPORT).rows[0].content());
    assert_eq!((read.rows[0].place.row, read.rows[0].place.byte), (12, 0));
}

#[test]
fn digits_that_a_spreadsheet_has_eaten_are_refused_and_not_guessed() {
    let long = read_as("s.xlsx", &workbook(|sheet| write(sheet, 11, 6, 1_900_800_000_236_143.0))).unwrap();
    assert!(long.rows.is_empty());
    assert_eq!(long.malformed[0].column, "REPORT CODE");
    assert!(long.malformed[0].reason == CellFault::Spoilt(Spoilt::LongNumber));
    let fifteen = read_as("s.xlsx", &workbook(|sheet| write(sheet, 11, 6, 190_080_000_236_143.0))).unwrap();
    assert_eq!(fifteen.rows[0].report_code, "190080000236143");
    let fraction = read_as("s.xlsx", &workbook(|sheet| write(sheet, 11, 7, 504_440.5))).unwrap();
    assert_eq!(fraction.malformed[0].reason, CellFault::Amount(AmountFault::Fraction("504440.5".to_owned())));
}

#[test]
fn two_sheets_with_a_table_are_refused() {
    let mut workbook = Workbook::new();
    for _ in 0..2 {
        let sheet = workbook.add_worksheet();
        for (column, name) in (0..).zip(["INVOICE NUMBER", "AMOUNT", "FEE", "TRANSACTION DATE"]) {
            sheet.write(0, column, name).unwrap();
        }
    }
    let refused = read_as("s.xlsx", &workbook.save_to_buffer().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("more than one sheet"), "{refused}");
}

#[test]
fn a_compressed_report_is_read_like_a_plain_one() {
    let packed = zstd::encode_all(Cursor::new(REPORT), 1).unwrap();
    let read = read_as("s.csv.zst", &packed).unwrap();
    assert_eq!(read.rows[0].content(), csv(REPORT).rows[0].content());
    assert_eq!(read.files[0].digest, digest::of_bytes(&packed));
}

proptest! {
    #[test]
    fn no_text_ends_the_reader_and_every_row_is_read_or_listed(
        rows in prop::collection::vec(prop::collection::vec("[-0-9a-zA-Z\" .]{0,12}|05-03-2026|Purchase", 14..18), 0..8),
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let body: String = rows.iter().map(|cells| cells.join(",") + "\n").collect();
        let mut content = format!("{REPORT}{body}").into_bytes();
        content.extend(noise);
        if let Ok(read) = read_as("s.csv", &content) {
            prop_assert_eq!(read.raw.rows, count(read.rows.len() + read.malformed.len()));
            let sum: i128 = read.rows.iter().filter(|row| row.is_purchase()).map(|row| i128::from(row.amount)).sum();
            prop_assert_eq!(sum, read.raw.amount);
        }
    }

    #[test]
    fn no_damage_to_a_workbook_ends_the_reader(at in 0_usize..6_000, with in any::<u8>(), cut in 0_usize..8_000) {
        let mut content = workbook(|_| {});
        if let Some(byte) = content.get_mut(at) {
            *byte = with;
        }
        content.truncate(cut.max(at));
        drop(read_as("s.xlsx", &content));
    }
}
