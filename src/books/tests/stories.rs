//! What went wrong when months were closed one after the other, each as it should have gone.

use super::business::*;
use crate::books::account::Account;
use crate::books::decision::{Action, PostingRefusal};
use crate::books::fact::{BatchFact, BillChange, Facts, LedgerMark, Payee, PaymentHold, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::movement::Movement;
use crate::books::pair::Leg;
use crate::books::post::PostedMonth;
use crate::books::settings::BooksSettings;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;

#[test]
fn a_rest_written_off_stays_written_off_in_later_runs_of_the_month_and_in_the_next() {
    let august = facts(&[bill("A", day(8, 3), 100_000)], &[pays("p1", day(8, 10), 60_000, "A")], &[]);
    let mut business = Business::default();
    business.decisions.push(decide("rest", day(8, 31), Action::WriteOff, debt("A"), august.clone()));
    // With all evidence, with none, with a payment that came to light since.
    let late = facts(&[bill("A", day(8, 3), 100_000)], &[pays("p1", day(8, 10), 60_000, "A"), pays("p0", day(8, 5), 10_000, "A")], &[]);
    for evidence in [&august, &Facts::default(), &late] {
        let month = business.run(8, evidence);
        assert_eq!(balance(&month.known, debt("A")), 0);
        assert!(month.aside.refused.is_empty());
    }
    assert_eq!(total(&business.run(8, &august).known, Account::WriteOff), 40_000);
    assert_eq!(total(&business.run(8, &late).known, Account::WriteOff), 30_000, "what came is no loss");
    business.close(8, &august);
    let september = business.close(9, &facts(&[bill("A", day(8, 3), 100_000)], &[], &[]));
    assert!(september.pairs.is_empty(), "{:?}", september.pairs);
    // The rest comes after all.
    let october = business.close(10, &facts(&[], &[pays("p2", day(10, 2), 40_000, "A")], &[]));
    assert_eq!((total(&october.known, Account::WriteOff), balance(&october.known, debt("A"))), (0, 0));
    assert_eq!(total(&october.known, Account::Suspense), 0);
}

#[test]
fn a_bill_paid_in_two_months_is_settled_with_or_without_the_first_months_evidence() {
    let bills = [bill("A", day(8, 3), 100_000)];
    let (first, second) = (pays("p1", day(8, 10), 60_000, "A"), pays("p2", day(9, 10), 40_000, "A"));
    let mut business = Business::default();
    let august = business.close(8, &facts(&bills, &[first.clone(), second.clone()], &[]));
    assert_eq!(balance(&august.known, debt("A")), 40_000, "a payment of September is not of August");
    for evidence in [vec![second.clone()], vec![first, second]] {
        let september = business.run(9, &facts(&bills, &evidence, &[]));
        assert_eq!(balance(&september.known, debt("A")), 0);
        assert_eq!(moved(&september, Account::Receivable), -40_000);
    }
}

#[test]
fn an_open_item_stays_until_a_posting_ends_it_however_little_a_run_looks_at() {
    let orphan = payment("o", day(8, 10), 30_000, Payee::Nobody);
    let mut business = Business::default();
    business.close(8, &facts(&[bill("A", day(8, 3), 100_000)], &[orphan], &[]));
    for number in [9, 10] {
        let month = business.close(number, &Facts::default());
        assert_eq!(balance(&month.known, on(Account::Suspense, "o")), -30_000);
        assert_eq!(balance(&month.known, debt("A")), 100_000);
        assert!(month.pairs.is_empty());
    }
}

#[test]
fn a_late_orphan_is_posted_on_the_first_day_of_the_run_that_learns_of_it_with_its_own_date() {
    let mut business = Business::default();
    business.close(8, &Facts::default());
    let september = business.close(9, &facts(&[], &[payment("o", day(8, 30), 333_008, Payee::Nobody)], &[]));
    let pair = &september.pairs[0];
    assert_eq!((pair.day, pair.original, pair.is_prior_period()), (day(9, 1), day(8, 30), true));
    assert_eq!(total(&september.known, Account::Suspense), -333_008);
    // Its bill comes to light in October: the money finds it, on the first day it can.
    let evidence = facts(&[bill("A", day(8, 20), 333_008)], &[pays("o", day(8, 30), 333_008, "A")], &[]);
    let october = business.close(10, &evidence);
    assert_eq!((total(&october.known, Account::Suspense), balance(&october.known, debt("A"))), (0, 0));
    assert!(october.pairs.iter().any(|pair| pair.movement == Movement::Matched && pair.day == day(10, 1)));
}

#[test]
fn a_payment_notified_in_one_month_and_paid_out_in_the_next_is_settled_then() {
    let mut business = Business::default();
    business.close(8, &facts(&[bill("A", day(8, 3), 100_000)], &[pays("p", day(8, 30), 100_000, "A")], &[]));
    assert_eq!(balance(&business.known, on(Account::Doku, "p")), 100_000);
    let september = business.close(9, &facts(&[], &[], &[row("r", "B1", day(9, 2), 100_000, settles("p"))]));
    assert_eq!((total(&september.known, Account::Doku), total(&september.known, Account::Bank)), (0, 100_000));
    assert_eq!(total(&september.known, Account::Clearing), 0);
}

#[test]
fn the_bank_ties_whatever_stands_in_a_batch() {
    let mut business = Business::default();
    let rows = [
        row("ours", "B1", day(8, 12), 100_000, settles("p")),
        row("other", "B1", day(8, 12), 70_000, RowKind::Other),
        row("unreadable", "B1", day(8, 12), 5_000, RowKind::Unreadable),
    ];
    let batch = BatchFact { id: rows[0].batch, name: "B1".into(), stated: vec![180_000] };
    let mut evidence = facts(&[bill("A", day(8, 3), 100_000)], &[pays("p", day(8, 10), 100_000, "A")], &rows);
    evidence.batches.push(batch);
    let august = business.close(8, &evidence);
    assert_eq!(total(&august.known, Account::Bank), 180_000, "the bank has what DOKU says it paid");
    // 5,000 of a row nobody can read, and 5,000 that no row explains.
    assert_eq!(total(&august.known, Account::Clearing), -10_000);
    assert_eq!(total(&august.known, Account::OtherProducts), -70_000);
}

#[test]
fn totals_that_are_not_stated_are_not_compared_and_contradicting_ones_give_way_to_the_column() {
    for (stated, paid_out, differ) in [(vec![], 100_000, false), (vec![120_000], 120_000, false), (vec![120_000, 90_000], 100_000, true)] {
        let rows = [row("r", "B1", day(8, 12), 100_000, RowKind::Unclaimed(Channel::Alfa))];
        let mut evidence = facts(&[], &[], &rows);
        evidence.batches.push(BatchFact { id: rows[0].batch, name: "B1".into(), stated: stated.clone() });
        let month = Business::default().close(8, &evidence);
        assert_eq!(total(&month.known, Account::Bank), paid_out, "{stated:?}");
        assert_eq!(!month.aside.differing_totals.is_empty(), differ, "{stated:?}");
    }
}

#[test]
fn of_several_rows_of_a_payment_the_first_paid_out_settles_it() {
    let bills = [bill("A", day(8, 3), 100_000)];
    let paid = [pays("p", day(8, 5), 100_000, "A")];
    let exact = |on| row("exact", "B1", on, 100_000, settles("p"));
    let other = |on| row("other", "B2", on, 90_000, settles("p"));
    let held = || {
        let mut row = exact(day(8, 9));
        row.paid_out_on = None;
        row
    };
    for (rows, left) in [
        (vec![held(), other(day(8, 9))], 10_000),
        (vec![exact(day(8, 9)), other(day(8, 10))], 0),
        (vec![exact(day(8, 10)), other(day(8, 9))], 10_000),
        (vec![other(day(8, 9)), exact(day(8, 9))], 0),
    ] {
        for rows in [rows.clone(), rows.into_iter().rev().collect()] {
            let month = Business::default().close(8, &facts(&bills, &paid, &rows));
            assert_eq!(balance(&month.known, on(Account::Doku, "p")), left, "{rows:?}");
        }
    }
}

#[test]
fn an_undated_mark_neither_settles_before_its_time_nor_hides_the_payment_that_comes() {
    let mut marked = bill("A", day(8, 14), 100_000);
    marked.mark = Some(LedgerMark { at: None, paid: None });
    let mut business = Business::default();
    let august = business.close(8, &facts(std::slice::from_ref(&marked), &[], &[]));
    assert_eq!((balance(&august.known, debt("A")), total(&august.known, Account::Unproven)), (0, 100_000));
    let september = business.close(9, &facts(&[marked], &[pays("p", day(9, 5), 100_000, "A")], &[]));
    assert_eq!((balance(&september.known, debt("A")), total(&september.known, Account::Unproven)), (0, 0));
    assert_eq!(balance(&september.known, on(Account::Doku, "p")), 100_000);
}

#[test]
fn the_notification_of_money_that_was_settled_first_takes_over_what_was_decided_about_it() {
    let unclaimed = row("r", "B1", day(8, 12), 100_000, RowKind::Unclaimed(Channel::Alfa));
    let claimed = row("r", "B1", day(8, 12), 100_000, settles("p"));
    let bills = [bill("A", day(8, 3), 100_000)];
    let suspense = Leg::of(Account::Suspense, unclaimed.id);
    for (amount, open, left) in [(None, 100_000, 0), (Some(40_000), 40_000, 0)] {
        let mut business = Business::default();
        let mut refund = decide("refund", day(8, 20), Action::Refund, suspense, facts(&[], &[], std::slice::from_ref(&unclaimed)));
        refund.amount = amount;
        business.decisions.push(refund);
        business.close(8, &facts(&bills, &[], std::slice::from_ref(&unclaimed)));
        let september = business.close(9, &facts(&bills, &[pays("p", day(8, 11), 100_000, "A")], std::slice::from_ref(&claimed)));
        assert_eq!(balance(&september.known, debt("A")), open, "only what was not refunded pays the bill");
        assert_eq!((balance(&september.known, suspense), total(&september.known, Account::Doku)), (left, 0));
    }
}

#[test]
fn a_decision_is_taken_back_only_while_the_money_is_where_it_put_it() {
    let evidence = facts(&[bill("A", day(8, 3), 100_000)], &[payment("o", day(8, 5), 70_000, Payee::Nobody)], &[]);
    let mut business = Business::default();
    business.decisions.push(decide("refund", day(8, 20), Action::Refund, on(Account::Suspense, "o"), evidence.clone()));
    let mut back = decide("back", day(8, 25), Action::Reopen, on(Account::Suspense, "o"), Facts::default());
    (back.account, back.item) = (None, ItemId::of(BooksSubject::Decision, &[b"refund"]));
    business.decisions.push(back.clone());
    let month = business.run(8, &evidence);
    assert_eq!(balance(&month.known, on(Account::Suspense, "o")), -70_000);
    let transferred = decide("sent", day(8, 22), Action::Transferred, of_decision(Account::RefundsDue, "refund"), Facts::default());
    business.decisions.push(transferred);
    let month = business.run(8, &evidence);
    assert_eq!(month.aside.refused.get(&back.id), Some(&PostingRefusal::MovedOn));
    assert_eq!((total(&month.known, Account::Suspense), total(&month.known, Account::Bank)), (0, -70_000));
}

#[test]
fn a_falling_debt_gives_its_latest_money_back_and_a_rising_one_takes_what_nobody_decided_about() {
    let base = || bill("A", day(8, 3), 100_000);
    let paid = [pays("p1", day(8, 5), 60_000, "A"), pays("p2", day(8, 6), 40_000, "A")];
    let down = base().then(day(8, 10), BillChange::Amended(rupiah(70_000)));
    let up = down.clone().then(day(8, 20), BillChange::Amended(rupiah(90_000)));
    let business = Business::default();
    let month = business.run(8, &facts(&[down], &paid, &[]));
    assert_eq!(balance(&month.known, on(Account::Suspense, "p2")), -30_000);
    let month = business.run(8, &facts(std::slice::from_ref(&up), &paid, &[]));
    assert_eq!((balance(&month.known, on(Account::Suspense, "p2")), balance(&month.known, debt("A"))), (-10_000, 0));
    // What somebody decided about is not touched.
    let ground = facts(&[base().then(day(8, 10), BillChange::Amended(rupiah(70_000)))], &paid, &[]);
    let mut decided = Business::default();
    let mut keep = decide("keep", day(8, 15), Action::Keep, on(Account::Suspense, "p2"), ground);
    keep.amount = Some(5_000);
    decided.decisions.push(keep);
    let month = decided.run(8, &facts(&[up], &paid, &[]));
    assert_eq!((balance(&month.known, on(Account::Suspense, "p2")), balance(&month.known, debt("A"))), (-25_000, 20_000));
}

#[test]
fn a_payment_after_cancellation_waits_and_applied_it_reopens_the_debt() {
    let cancelled = bill("A", day(8, 3), 100_000).then(day(8, 10), BillChange::Cancelled);
    let mut late = pays("p", day(8, 12), 100_000, "A");
    late.hold = Some(PaymentHold::AfterCancellation);
    let evidence = facts(&[cancelled], &[late], &[]);
    let mut business = Business::default();
    assert_eq!(balance(&business.run(8, &evidence).known, on(Account::Suspense, "p")), -100_000);
    business.decisions.push(decide("apply", day(8, 20), Action::Apply, on(Account::Suspense, "p"), evidence.clone()));
    let month = business.run(8, &evidence);
    assert_eq!((total(&month.known, Account::Suspense), balance(&month.known, debt("A"))), (0, 0));
    assert_eq!(total(&month.known, Account::Premium), -100_000);
}

#[test]
fn a_group_owes_once() {
    let group = |name: &str, amount| {
        let mut bill = bill(name, day(8, 3), amount);
        bill.debt = ItemId::group("G");
        bill
    };
    let debt = Leg::of(Account::Receivable, ItemId::group("G"));
    let month = Business::default().run(8, &facts(&[group("A", 100_000), group("B", 80_000)], &[], &[]));
    assert_eq!((balance(&month.known, debt), month.aside.differing_groups.len()), (100_000, 1));
    let cancelled = group("A", 100_000).then(day(8, 9), BillChange::Cancelled);
    let paid = [pays("p", day(8, 5), 100_000, "A")];
    let month = Business::default().run(8, &facts(&[cancelled, group("B", 80_000)], &paid, &[]));
    assert_eq!((balance(&month.known, debt), balance(&month.known, on(Account::Suspense, "p"))), (0, -20_000));
}

#[test]
fn a_reusable_bill_owes_nothing_and_takes_each_payment_up_to_its_amount() {
    let mut reusable = bill("A", day(8, 3), 50_000);
    reusable.reusable = true;
    let paid = [pays("p1", day(8, 5), 50_000, "A"), pays("p2", day(8, 6), 60_000, "A")];
    let month = Business::default().run(8, &facts(&[reusable], &paid, &[]));
    assert_eq!((balance(&month.known, debt("A")), total(&month.known, Account::Premium)), (0, -100_000));
    assert_eq!(balance(&month.known, on(Account::Suspense, "p2")), -10_000);
}

#[test]
fn a_payment_is_what_its_debt_still_showed_in_whatever_month_the_others_came() {
    let mut business = Business { settings: BooksSettings { tolerance: 500, ..BooksSettings::default() }, ..Business::default() };
    let mut many = bill("many", day(8, 1), 50_000);
    many.reusable = true;
    let bills = [bill("A", day(8, 1), 100_000), bill("B", day(8, 1), 100_000), bill("C", day(8, 1), 100_000), many];
    let first = [
        pays("short", day(8, 3), 60_000, "A"),
        pays("over", day(8, 3), 150_000, "B"),
        pays("rounded", day(8, 3), 99_800, "C"),
        pays("reusable", day(8, 3), 50_000, "many"),
    ];
    // What it came to, what was owed when it came, and how much is over.
    let met = |month: &PostedMonth, name: &str| {
        let one = month.allocations[&ItemId::of(BooksSubject::Payment, &[name.as_bytes()])];
        [one.amount, one.owed(), one.over].map(Rupiah::get)
    };
    let august = business.close(8, &facts(&bills, &first, &[]));
    for (name, expected) in [
        ("short", [60_000, 100_000, 0]),
        ("over", [150_000, 100_000, 50_000]),
        ("rounded", [99_800, 100_000, 0]),
        ("reusable", [50_000, 50_000, 0]),
    ] {
        assert_eq!(met(&august, name), expected, "{name}");
    }
    let second =
        [pays("completes", day(9, 3), 40_000, "A"), pays("twice", day(9, 4), 100_000, "A"), pays("again", day(9, 5), 100_000, "C")];
    let september = business.close(9, &facts(&bills, &second, &[]));
    for (name, expected) in [("completes", [40_000, 40_000, 0]), ("twice", [100_000, 0, 100_000]), ("again", [100_000, 0, 100_000])] {
        assert_eq!(met(&september, name), expected, "{name}");
    }
    assert_eq!(september.allocations.len(), 3, "what was posted in August has its class");
    let branch = bill("D", day(10, 1), 70_000);
    let ground = facts(std::slice::from_ref(&branch), &[], &[]);
    business.decisions.push(decide("branch", day(10, 2), Action::PaidElsewhere, debt("D"), ground.clone()));
    let october = business.close(10, &facts(&[branch], &[pays("late", day(10, 3), 70_000, "D")], &[]));
    assert_eq!(met(&october, "late"), [70_000, 0, 70_000]);
    assert!(october.allocations.values().all(|one| one.is_paid_elsewhere));
}

#[test]
fn what_only_check_status_told_and_its_notification_are_one_payment_under_one_item() {
    let mut told = pays("told", day(8, 5), 100_000, "A");
    told.only_told = true;
    let mut notified = pays("notified", day(8, 5), 100_000, "A");
    notified.aliases.push(told.id);
    let bills = [bill("A", day(8, 1), 100_000)];
    let mut business = Business::default();
    business.close(8, &facts(&bills, &[told], &[]));
    let rows = [row("r", "B1", day(9, 2), 100_000, settles("notified"))];
    let september = business.close(9, &facts(&bills, &[notified.clone()], &rows));
    assert_eq!((total(&september.known, Account::Doku), total(&september.known, Account::Suspense)), (0, 0));
    assert!(september.aside.conflicting.is_empty() && september.known.payments.values().all(|payment| !payment.only_told));
    // Another amount under the same identity is a conflict, and what was posted stays.
    notified.amount = rupiah(90_000);
    let october = business.close(10, &facts(&bills, &[notified], &[]));
    assert_eq!((october.pairs.len(), october.aside.conflicting.len()), (0, 1));
}

#[test]
fn a_debt_lapses_on_its_day_and_money_that_came_before_it_finds_it_owed() {
    let mut expiring = bill("A", day(8, 1), 100_000);
    expiring.expires_on = Some(day(8, 10));
    let settings = BooksSettings { lapse_after_days: Some(30), ..BooksSettings::default() };
    let mut business = Business { settings, ..Business::default() };
    business.close(8, &facts(std::slice::from_ref(&expiring), &[], &[]));
    let lapsed = business.run(9, &Facts::default());
    let pair = &lapsed.pairs[0];
    assert_eq!((pair.movement, pair.day, balance(&lapsed.known, debt("A"))), (Movement::Lapsed, day(9, 9), 0));
    // Paid in August, heard of in September: it was owed then. Heard of in October: it is owed again.
    let evidence = facts(&[expiring], &[pays("p", day(8, 5), 100_000, "A")], &[]);
    let in_time = business.run(9, &evidence);
    assert!(in_time.pairs.iter().all(|pair| pair.movement != Movement::Lapsed));
    business.close(9, &Facts::default());
    let october = business.close(10, &evidence);
    assert_eq!((balance(&october.known, debt("A")), total(&october.known, Account::Premium)), (0, -100_000));
}

#[test]
fn money_for_a_bill_that_is_still_to_come_waits_for_it() {
    let mut business = Business::default();
    let bills = [bill("A", day(9, 2), 100_000)];
    let paid = [pays("p", day(8, 30), 100_000, "A")];
    let august = business.close(8, &facts(&bills, &paid, &[]));
    assert_eq!((total(&august.known, Account::Suspense), august.known.debts.len()), (-100_000, 0));
    assert_eq!(august.known.orphans().count(), 1);
    let september = business.close(9, &facts(&bills, &paid, &[]));
    assert_eq!((total(&september.known, Account::Suspense), balance(&september.known, debt("A"))), (0, 0));
}

#[test]
fn a_decision_with_its_facts_is_read_back_from_the_journal_as_it_was_written() {
    let evidence = facts(
        &[bill("A", day(8, 3), 100_000).then(day(8, 9), BillChange::Cancelled)],
        &[pays("p", day(8, 12), 100_000, "A"), payment("o", day(8, 12), 5, Payee::Ambiguous)],
        &[row("r", "B1", day(8, 14), 100_000, settles("p")), row("x", "B1", day(8, 14), 9, RowKind::Unreadable)],
    );
    let mut made = decide("d", day(8, 20), Action::Apply, on(Account::Suspense, "p"), evidence);
    made.amount = Some(7);
    let text = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<crate::books::BooksDecision>(&text).unwrap(), made);
    assert!(serde_json::from_str::<crate::books::BooksDecision>(&text.replace("\"apply\"", "\"donate\"")).is_err());
}

#[test]
fn a_row_that_is_understood_later_is_posted_then_and_every_identity_holds() {
    let bills = [bill("A", day(6, 1), 200_000)];
    let paid = [pays("p", day(6, 18), 200_000, "A")];
    let unknown = row("r", "B-1", day(6, 24), 200_000, RowKind::Unreadable);
    let mut named = unknown.clone();
    (named.kind, named.fee, named.paid_out) = (settles("p"), 1_000, 200_000);
    let mut business = Business::default();
    business.close(6, &facts(&bills, &paid, std::slice::from_ref(&unknown)));
    assert_eq!((total(&business.known, Account::Doku), total(&business.known, Account::Clearing)), (200_000, -200_000));
    // Closing checks every identity.
    business.close(7, &facts(&bills, &paid, &[named]));
    assert_eq!((total(&business.known, Account::Doku), total(&business.known, Account::Clearing)), (0, -1_000));
}

#[test]
fn a_row_that_is_sent_again_with_another_fee_is_no_second_pay_out() {
    let bills = [bill("A", day(6, 1), 100_000)];
    let paid = [pays("p", day(6, 18), 100_000, "A")];
    let sent = |name: &str, fee: i64, number: &str, batch: &str, kind: RowKind| {
        let mut row = row(name, batch, day(6, 24), 100_000, kind);
        row.invoice_number = "A".into();
        (row.fee, row.paid_out, row.number) = (fee, 100_000 - fee, number.into());
        row.listed_as = if matches!(kind, RowKind::Of(..)) { "".into() } else { "listed".into() };
        row
    };
    let nobodys = RowKind::Unclaimed(Channel::Alfa);
    for (kind, again, batch, paid_out) in [
        (settles("p"), "1", "B-1", 99_000),
        (nobodys, "1", "B-1", 99_000),
        // Another row, or another batch, is money again.
        (settles("p"), "2", "B-1", 198_500),
        (settles("p"), "1", "B-2", 198_500),
        (settles("p"), "", "B-1", 198_500),
    ] {
        let mut business = Business::default();
        business.close(6, &facts(&bills, &paid, &[sent("r", 1_000, "1", "B-1", if kind == nobodys { nobodys } else { settles("p") })]));
        let july = business.close(7, &facts(&bills, &paid, &[sent("corrected", 500, again, batch, kind)]));
        assert_eq!(total(&business.known, Account::Bank), paid_out, "{kind:?} {again} {batch}");
        assert_eq!(july.aside.conflicting.len(), usize::from(paid_out == 99_000));
    }
}
