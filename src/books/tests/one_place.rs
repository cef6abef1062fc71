//! A sum stands in one place, whoever tells of it first: the ledger's mark, a message, a row of DOKU's; in its own month and in the one after.
//! The naive book-keeper judges every line.

use std::collections::BTreeMap;

use super::business::*;
use super::naive::{self, Given};
use crate::books::account::Account;
use crate::books::fact::*;
use crate::books::identities::{KnownBefore, MonthInputs, PostingIdentity, holding};
use crate::books::item::ItemId;
use crate::books::known::Known;
use crate::books::post::PostedMonth;
use crate::domain::channel::Channel;

/// Who knows of the payment, as the books are told: a mark, the payment itself, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Mark,
    /// A mark that says how much of it nothing proves.
    MarkOf(u64),
    Payment,
    Held,
}

/// What its settlement row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    None,
    Waits,
    InAugust,
    InSeptember,
    Twice,
}

const ASKED: u64 = 100_000;

fn evidence(told: Told, out: Out, amount: i64, is_second: bool) -> Facts {
    let mut bill = bill("A", day(8, 3), ASKED);
    bill.mark = match told {
        Told::Mark => Some(LedgerMark { at: Some(at(day(8, 10))), paid: None }),
        Told::MarkOf(paid) => Some(LedgerMark { at: Some(at(day(8, 10))), paid: Some(rupiah(paid)) }),
        _ => None,
    };
    let is_told = matches!(told, Told::Payment | Told::Held);
    let mut paid = pays("p", day(8, 10), ASKED, "A");
    paid.hold = (told == Told::Held).then_some(PaymentHold::AfterExpiry);
    let of = |name: &str, on: Option<_>| {
        let mut row = row(name, "B1", day(8, 15), amount, if is_told { settles("p") } else { RowKind::Unclaimed(Channel::Alfa) });
        row.bill = Some(bill.id).filter(|_| !is_told);
        row.paid_out_on = on;
        row
    };
    let rows = match out {
        Out::None => vec![],
        // It is not given again.
        Out::Waits if is_second => vec![],
        Out::Waits => vec![of("r", None)],
        Out::InAugust => vec![of("r", Some(day(8, 15)))],
        Out::InSeptember => vec![of("r", Some(day(9, 2)))],
        Out::Twice => vec![of("r", Some(day(8, 15))), RowFact { kind: RowKind::Repeated, bill: None, ..of("s", Some(day(8, 17))) }],
    };
    facts(&[bill.clone()], if is_told { std::slice::from_ref(&paid) } else { &[] }, &rows)
}

/// What stands on an account at the end of a month, without its sign.
fn stands(known: &Known, account: Account) -> i128 {
    known.totals().at(account).get().abs()
}

fn kept(known: &Known) -> BTreeMap<(Account, Option<ItemId>), i128> {
    known.balances.iter().map(|(leg, open)| ((leg.account, leg.item), open.amount.get())).collect()
}

#[test]
fn a_sum_stands_in_one_place_whoever_tells_of_it_and_when() {
    let told = [Told::Nothing, Told::Mark, Told::MarkOf(ASKED), Told::MarkOf(40_000), Told::Payment, Told::Held];
    let out = [Out::None, Out::Waits, Out::InAugust, Out::InSeptember, Out::Twice];
    let ways = told.into_iter().flat_map(|told| out.into_iter().map(move |out| (told, out)));
    // What is told in August, and what in September: more is known then, or less.
    for ((first, out), second, amount) in
        ways.flat_map(|way| told.into_iter().flat_map(move |second| [100_000, 60_000].into_iter().map(move |amount| (way, second, amount))))
    {
        let what = format!("{first:?} {out:?}, then {second:?}, of {amount}");
        let mut business = Business::default();
        let mut given = Vec::new();
        for (number, told) in [(8, first), (9, second)] {
            let (before, facts) = (business.known.clone(), evidence(told, out, amount, number == 9));
            let closed = business.close(number, &facts);
            let made = MonthInputs { before: &KnownBefore::of(&before), facts: &facts, decisions: &[], settings: &business.settings };
            let broken: Vec<PostingIdentity> = holding(&closed, &made).into_iter().filter(|one| !one.holds()).collect();
            assert!(broken.is_empty(), "{what}: {broken:?}");
            given.push(Given { period: month(number), facts, decisions: vec![], settings: business.settings.clone() });
            assert_eq!(kept(&closed.known), naive::balances(&given).0, "{what}: month {number}");
            one_place(&closed, told, &what);
        }
    }
}

/// What is asked for is owed, was given, or is called paid without proof; what is called so is nowhere else.
fn one_place(closed: &PostedMonth, told: Told, what: &str) {
    let known = &closed.known;
    let debt = &known.debts[&ItemId::debt_of("A")];
    let (owed, unproven) = (stands(known, Account::Receivable), stands(known, Account::Unproven));
    assert_eq!(owed + unproven + debt.applied().get(), i128::from(ASKED), "{what}: {known:#?}");
    let is_asked = matches!(told, Told::Mark | Told::MarkOf(_));
    let waits = known.rows_waiting().into_values().flatten().map(|(_, held)| held.get()).sum::<i128>();
    if is_asked {
        assert!(unproven == 0 || unproven + waits + debt.applied().get() <= i128::from(ASKED), "{what}");
    } else {
        assert_eq!(unproven, 0, "{what}");
    }
}
