//! A month posted in parts is the month posted whole.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::books::fact::{Facts, Payee, RowFact, RowKind};
use crate::books::identities::{self, KnownBefore, MonthInputs, holding};
use crate::books::month::{self, Statement};
use crate::books::parts::{Link, Part, Parts, Shares};
use crate::books::post::{PostedMonth, Posting};
use crate::books::{Account, BooksDecision, BooksSettings, Brief, ItemId, Known, Pair, PostingPeriod, SharedTotals};

/// The debt that each bill of `facts` is of: the first that is told of it.
fn debts(facts: &Facts) -> BTreeMap<ItemId, ItemId> {
    facts.bills.iter().rev().map(|bill| (bill.id, bill.debt)).collect()
}

fn links(before: &Known, facts: &Facts) -> Vec<(Link, Facts)> {
    let debts = debts(facts);
    let named = |row: &RowFact| {
        let bill = row.bill?;
        before.bills.get(&bill).map(|bill| bill.debt).or_else(|| debts.get(&bill).copied())
    };
    let debt_of = |payee: Payee| if let Payee::Bill(bill) = payee { debts.get(&bill).copied() } else { None };
    let bills =
        facts.bills.iter().map(|bill| (Link::Bill(bill.id, debts[&bill.id]), Facts { bills: vec![bill.clone()], ..Facts::default() }));
    let payments = facts
        .payments
        .iter()
        .map(|payment| (Link::Payment(payment.id, debt_of(payment.payee)), Facts { payments: vec![payment.clone()], ..Facts::default() }));
    let told: BTreeMap<ItemId, Payee> = facts.payments.iter().map(|payment| (payment.id, payment.payee)).collect();
    let rows = facts.rows.iter().map(|row| {
        let of = if let RowKind::Of(_, payment) = row.kind {
            Some((payment, told.get(&payment).and_then(|payee| debt_of(*payee))))
        } else {
            None
        };
        let link = named(row).map_or(Link::Row(row.id, of), |debt| Link::Waiting(row.id, debt));
        (link, Facts { rows: vec![row.clone()], ..Facts::default() })
    });
    bills.chain(payments).chain(rows).collect()
}

/// The month in parts: each, the tied one last.
fn months(
    before: &Known,
    facts: &Facts,
    decisions: &[BooksDecision],
    settings: &BooksSettings,
    period: PostingPeriod,
) -> Vec<(Part, Known, Facts, PostedMonth)> {
    let links = links(before, facts);
    let brief = Brief::of(before);
    let parts = Parts::of(&brief, decisions, [], links.iter().map(|(link, _)| *link));
    let mut shared: BTreeMap<Part, Facts> = BTreeMap::new();
    let Facts { batches, bank_lines, alarms, .. } = facts.clone();
    shared.insert(Part::Together, Facts { batches, bank_lines, alarms, ..Facts::default() });
    for (link, fact) in links {
        shared.entry(parts.place(&brief, link)).or_default().extend(fact);
    }
    let mut known = Shares::default();
    known.add(before.clone(), &parts, &brief);
    let posting = Posting { settings, period, lists_bills: !facts.bills.is_empty() };
    let (mut handed, mut months) = (SharedTotals::default(), Vec::new());
    for part in parts.apart().chain([Part::Together]) {
        let before = known.take(part).unwrap_or_else(|| Known { began_on: before.began_on, ..Known::default() });
        let facts = shared.remove(&part).unwrap_or_default();
        let month = match part {
            Part::Apart(_) => posting.apart(before.clone(), &facts).unwrap(),
            Part::Together => posting.together(before.clone(), &facts, decisions, std::mem::take(&mut handed)).unwrap(),
        };
        if part != Part::Together {
            handed.add(month.handed.clone());
        }
        months.push((part, before, facts, month));
    }
    months
}

/// What all parts know.
fn whole(months: &[(Part, Known, Facts, PostedMonth)]) -> Known {
    let mut whole = Known::default();
    for (.., month) in months {
        whole.join(month.known.clone());
    }
    whole
}

fn said(statements: Vec<Statement>) -> Vec<Statement> {
    statements.into_iter().filter(|statement| !statement.is_silent()).collect()
}

/// Holds a month posted whole against the same in parts.
pub(super) fn is_the_same(
    month: &PostedMonth,
    before: &Known,
    facts: &Facts,
    decisions: &[BooksDecision],
    settings: &BooksSettings,
) -> Result<(), TestCaseError> {
    let parts = months(before, facts, decisions, settings, month.period);
    let mut known = whole(&parts);
    // Of what all parts have in common only the amount counts: nobody asks since when a total is what it is.
    for (leg, open) in known.balances.iter_mut().filter(|(leg, _)| leg.item.is_none() || leg.account == Account::Clearing) {
        let same = month.known.balances.get(leg).filter(|same| same.amount == open.amount);
        prop_assert!(same.is_some(), "{:?}: {:?}, whole {:?}", leg, open, month.known.balances.get(leg));
        if let Some(same) = same {
            *open = *same;
        }
    }
    prop_assert_eq!(&known.bills, &month.known.bills);
    prop_assert_eq!(&known.debts, &month.known.debts);
    prop_assert_eq!(&known.payments, &month.known.payments);
    prop_assert_eq!(&known.rows, &month.known.rows);
    prop_assert_eq!(&known.balances, &month.known.balances);
    prop_assert_eq!(&known, &month.known);
    let mut pairs: Vec<Pair> = parts.iter().flat_map(|(.., month)| month.pairs.clone()).collect();
    pairs.sort();
    prop_assert_eq!(&pairs, &month.pairs);
    let (mut statements, mut ages, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (_, before, facts, month) in &parts {
        let decisions = if month.is_apart { &[] } else { decisions };
        let made = MonthInputs { before: &KnownBefore::of(before), facts, decisions, settings };
        identities::add_up(&mut all, holding(month, &made));
        month::add_up(&mut statements, month.statements());
        month::add_ages(&mut ages, month.ageing(month.period.to));
    }
    let broken: Vec<_> = all.into_iter().filter(|one| !one.holds()).collect();
    prop_assert!(broken.is_empty(), "{:?}", broken);
    prop_assert_eq!(said(statements), said(month.statements()));
    prop_assert_eq!(ages, month.ageing(month.period.to));
    Ok(())
}
