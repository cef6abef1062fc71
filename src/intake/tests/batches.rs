//! Files larger than what is read and judged at a time.

use std::fmt::Write as _;

use super::{files_refused, options, read_bytes};
use crate::intake::{check, read};

const HEAD: &str = "invoice_number,amount,customer_name,channel\n";

fn rows(count: usize) -> String {
    (0..count).fold(HEAD.to_owned(), |mut text, n| {
        writeln!(text, "I-{n:06},{},Budi,alfa", 1_000 + n).unwrap();
        text
    })
}

#[test]
fn the_last_row_is_the_total_wherever_a_batch_ends_and_no_other_is() {
    for count in [3, 4_094, 4_095, 4_096, 8_191, 8_192] {
        let total: usize = (0..count).map(|n| 1_000 + n).sum();
        let file = format!("{}TOTAL,{total},,\n", rows(count));
        let intake = read_bytes(&[file.as_bytes()], &options()).unwrap();
        assert_eq!((intake.valid.len(), intake.refused.len()), (count, 1), "{count}");
        assert_eq!((intake.refused[0].code.id, intake.refused[0].place.row), ("E0140", u64::try_from(count).unwrap() + 2));
        // The same row in the midst of a file is no total of it.
        let file = format!("{file}Z,5,Budi,alfa\n");
        let intake = read_bytes(&[file.as_bytes()], &options()).unwrap();
        assert!(intake.refused.iter().all(|refused| refused.code.id != "E0140"), "{count}");
    }
}

#[test]
fn rows_keep_their_order_and_their_places_over_many_batches() {
    let second = rows(9_000).replace("I-008999,", "I-000000,");
    let intake = read_bytes(&[rows(5_000).as_bytes(), second.as_bytes()], &options()).unwrap();
    let places: Vec<_> = intake.all.iter().map(|row| (row.index, row.place.order())).collect();
    let wanted = (0..5_000).map(|n| (0, n + 2)).chain((0..9_000).map(|n| (1, n + 2)));
    assert_eq!(places, wanted.enumerate().collect::<Vec<_>>());
    // Three rows speak of the first invoice, of which one differs.
    assert_eq!((intake.refused.len(), intake.duplicates.len(), intake.valid.len()), (3, 4_999, 14_000 - 5_002));
}

#[test]
fn what_is_only_checked_is_counted_like_what_is_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bills.csv");
    let text = format!("{}{}I-000003,5,Siti,alfa\nBAD,x,Budi,alfa\n", rows(5_000), "I-000001,1001,Budi,alfa\n".repeat(2));
    std::fs::write(&path, text).unwrap();
    let paths = [path];
    let (whole, checked) = (read(&paths, &options()).unwrap(), check(&paths, &options()).unwrap());
    assert_eq!((whole.rows, whole.valid, whole.refused, whole.duplicates), (5_004, 4_999, 3, 2));
    assert_eq!((checked.rows, checked.valid, checked.refused, checked.duplicates), (5_004, 4_999, 3, 2));
    assert_eq!(whole.facts, checked.facts);
    let told: Vec<_> = checked.parts(|_| true).flat_map(Result::unwrap).map(|row| (row.place, row.verdict.refused().to_vec())).collect();
    let wanted: Vec<_> = whole.parts(|_| true).flat_map(Result::unwrap).map(|row| (row.place, row.verdict.refused().to_vec())).collect();
    assert_eq!(told, wanted);
}

#[test]
fn blank_lines_without_end_are_refused_like_rows_without_end() {
    let mut options = options();
    options.tables.limits.rows_max = 1_000;
    let file = |blank: usize| format!("{HEAD}{}A,1000,Budi,alfa\n", "\n".repeat(blank));
    assert_eq!(read_bytes(&[file(1_000).as_bytes()], &options).unwrap().valid.len(), 1);
    let error = read_bytes(&[file(1_001).as_bytes()], &options).unwrap_err();
    assert_eq!(files_refused(&error)[0].fault.code().id, "E0212");
}
