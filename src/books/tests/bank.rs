//! Pay-outs and the bank: whatever way the transfers come, the bank ties and the unmatched of both sides are items.

use super::business::*;
use crate::books::account::Account;
use crate::books::fact::{BankLineFact, BatchFact, Facts, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::settings::BooksSettings;
use crate::domain::channel::Channel;

fn line(name: &str, on: i8, amount: i64, text: &str) -> BankLineFact {
    BankLineFact { id: ItemId::of(BooksSubject::BankLine, &[name.as_bytes()]), on: day(8, on), amount, text: text.into(), former: None }
}

/// Batches that pay so much on such a day.
fn paid(batches: &[(&str, i8, i64)]) -> Facts {
    let mut all = Facts::default();
    for (name, on, amount) in batches {
        let row = row(name, name, day(8, *on), *amount, RowKind::Unclaimed(Channel::Alfa));
        all.batches.push(BatchFact { id: row.batch, name: (*name).into(), stated: Vec::new() });
        all.rows.push(row);
    }
    all
}

fn business() -> Business {
    let settings =
        BooksSettings { bank_statement: true, bank_window_days: 3, bank_filter: vec!["doku".into()], ..BooksSettings::default() };
    Business { settings, ..Business::default() }
}

#[test]
fn transfers_are_matched_by_reference_amount_and_sum_and_the_rest_of_both_sides_stays_open() {
    type Case<'a> = (&'a str, &'a [(&'a str, i8, i64)], Vec<BankLineFact>, i128, i128);
    let table: [Case<'_>; 15] = [
        ("one for one", &[("B001", 5, 900)], vec![line("a", 6, 900, "DOKU")], 0, 0),
        ("one for a day", &[("B001", 5, 900), ("B002", 5, 100)], vec![line("a", 6, 1_000, "DOKU")], 0, 0),
        ("one for two days", &[("B001", 5, 900), ("B002", 6, 100)], vec![line("a", 7, 1_000, "DOKU")], 0, 0),
        ("two for one", &[("B001", 5, 900)], vec![line("a", 6, 500, "DOKU"), line("b", 6, 400, "DOKU")], 0, 0),
        (
            "by reference, however late",
            &[("B001", 5, 900), ("B002", 20, 900)],
            vec![line("a", 25, 900, "doku B001"), line("b", 21, 900, "DOKU")],
            0,
            0,
        ),
        ("the oldest of equal ones", &[("B001", 5, 900), ("B002", 6, 900)], vec![line("a", 6, 900, "DOKU")], 900, 0),
        ("another amount", &[("B001", 5, 900)], vec![line("a", 6, 899, "DOKU")], 900, -899),
        ("out of the window", &[("B001", 5, 900)], vec![line("a", 9, 900, "DOKU")], 900, -900),
        ("before it was announced", &[("B001", 5, 900)], vec![line("a", 4, 900, "DOKU")], 900, -900),
        ("another batch of the same amount", &[("B-1", 5, 900), ("B-10", 4, 100)], vec![line("a", 6, 900, "DOKU B-10")], 1_000, -900),
        ("the batch it names, not the older one", &[("B-10", 5, 900), ("B-1", 6, 900)], vec![line("a", 6, 900, "DOKU (B-1)")], 900, 0),
        ("a name within another", &[("2026", 5, 900), ("20261", 4, 100)], vec![line("a", 9, 900, "DOKU 20261")], 1_000, -900),
        ("a name over two lines", &[("B001", 5, 900)], vec![line("a", 25, 900, "DO\nKU B0\n01")], 0, 0),
        ("several with the one they name", &[("B001", 5, 900), ("B002", 6, 100)], vec![line("a", 7, 1_000, "DOKU B002")], 0, 0),
        ("not ours", &[("B001", 5, 900)], vec![line("a", 6, 900, "salary")], 900, 0),
    ];
    for (words, batches, lines, unpaid, unexplained) in table {
        let mut all = paid(batches);
        let rows = -batches.iter().map(|(_, _, amount)| i128::from(*amount)).sum::<i128>();
        all.bank_lines = lines;
        let month = business().run(8, &all);
        assert_eq!(total(&month.known, Account::Payouts), unpaid, "{words}");
        assert_eq!(total(&month.known, Account::Suspense) - rows, unexplained, "{words}");
        all.bank_lines.reverse();
        all.rows.reverse();
        assert_eq!(business().run(8, &all), month, "{words}, in another order");
    }
}

#[test]
fn a_transfer_that_came_first_is_matched_when_its_batch_is_told_and_a_pay_out_waits_for_its_transfer() {
    let mut business = business();
    let mut all = Facts { bank_lines: vec![line("early", 31, 900, "DOKU")], ..Facts::default() };
    business.close(8, &all);
    assert_eq!((total(&business.known, Account::Suspense), total(&business.known, Account::Bank)), (-900, 900));
    // The file of its batch comes with September's evidence, the statement of August again with it.
    let told = paid(&[("B001", 30, 900), ("B002", 31, 400)]);
    all.extend(told);
    let september = business.close(9, &all);
    assert_eq!((total(&september.known, Account::Bank), total(&september.known, Account::Payouts)), (900, 400));
    let mut late = line("late", 1, 400, "DOKU");
    late.on = day(9, 1);
    business.close(10, &Facts { bank_lines: vec![late], ..Facts::default() });
    assert_eq!((total(&business.known, Account::Bank), total(&business.known, Account::Payouts)), (1_300, 0));
    let rows = -1_300;
    assert_eq!(total(&business.known, Account::Suspense), rows, "nothing but the unclaimed rows");
}

#[test]
fn a_batch_in_two_files_and_two_months_is_paid_out_once_for_each_row() {
    let batch = |name: &str, on| row(name, "B001", on, 500, RowKind::Unclaimed(Channel::Alfa));
    let stated = BatchFact { id: batch("a", day(8, 31)).batch, name: "B001".into(), stated: vec![1_000] };
    let mut business = Business::default();
    let rows = [batch("a", day(8, 31)), batch("b", day(9, 1))];
    let mut first = facts(&[], &[], &rows);
    first.batches.push(stated);
    business.close(8, &first);
    assert_eq!(total(&business.known, Account::Bank), 500, "the second is paid out in September");
    business.close(9, &facts(&[], &[], &rows[1..]));
    assert_eq!((total(&business.known, Account::Bank), total(&business.known, Account::Clearing)), (1_000, 0));
    let october = business.close(10, &facts(&[], &[], &rows));
    assert_eq!((october.pairs.len(), october.aside.copies.len()), (0, 2));
}
