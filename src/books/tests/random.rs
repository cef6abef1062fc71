//! Businesses at random, kept month after month with more and with less evidence, held against the naive book-keeper.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::business::*;
use super::naive::{self, Given};
use super::parted;
use crate::books::account::Account;
use crate::books::debt::Asked;
use crate::books::decision::{Action, BooksDecision};
use crate::books::export::export;
use crate::books::fact::*;
use crate::books::ground::ground;
use crate::books::hledger;
use crate::books::identities::{KnownBefore, MonthInputs, PostingIdentity, holding};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::{Debt, Known};
use crate::books::ledger_tie::{Tie, TieLine};
use crate::books::pair::Leg;
use crate::books::post::{PostedMonth, post};
use crate::books::settings::BooksSettings;
use crate::books::standing::class_in_books;
use crate::domain::classify::MatchingPolicy;

/// One thing that happens; what the numbers mean depends on `kind`.
#[derive(Clone, Copy, Debug)]
struct Move {
    kind: u8,
    who: u8,
    how: u8,
    much: u8,
}

fn moves() -> impl Strategy<Value = Move> {
    (0_u8..20, any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(kind, who, how, much)| Move { kind, who, how, much })
}

/// The bill that a payment without owner is found to be of, and when.
type Found = Option<(i8, ItemId)>;

/// Everything that exists, and the month that first knows it.
#[derive(Clone, Debug, Default)]
struct World {
    bills: Vec<(i8, BillFact)>,
    payments: Vec<(i8, PaymentFact, Found)>,
    rows: Vec<(i8, RowFact, Option<usize>)>,
}

const FIRST: i8 = 3;

impl World {
    fn happens(&mut self, now: i8, step: Move) {
        let Move { kind, who, how, much } = step;
        let on = day(now - i8::from(how.is_multiple_of(4) && now > FIRST), 1 + (how / 4 % 28) as i8);
        let amount = 1_000 * (1 + u64::from(much % 6));
        let later = now + i8::from((much / 8).is_multiple_of(4));
        match kind {
            0..=2 => self.bill(now, on, amount, how, much),
            3 | 4 => self.event(
                who,
                at(on).max(at(day(FIRST, 1))),
                if much.is_multiple_of(3) { BillChange::Cancelled } else { BillChange::Amended(rupiah(amount)) },
            ),
            5 => self.event(who, at(on), BillChange::Reinstated(rupiah(amount))),
            6..=10 => self.payment(later, on, who, amount, kind, how),
            11 | 12 => self.row(now, on, who, how, much),
            13 if !self.bills.is_empty() => {
                let at = usize::from(who) % self.bills.len();
                self.bills[at].1.mark = (how % 3 > 0).then_some(LedgerMark { at: None, paid: None });
            }
            _ => {}
        }
    }

    fn bill(&mut self, now: i8, on: jiff::civil::Date, amount: u64, how: u8, much: u8) {
        let mut bill = bill(&format!("B{}", self.bills.len()), on, amount);
        bill.expires_on = (much % 5 > 1).then(|| on.checked_add(jiff::Span::new().days(20)).unwrap());
        if (much / 6).is_multiple_of(4) {
            bill.debt = ItemId::group(&format!("G{}", how % 2));
        } else {
            bill.reusable = much / 6 % 16 == 1;
        }
        self.bills.push((now, bill));
    }

    fn event(&mut self, who: u8, at: jiff::Timestamp, change: BillChange) {
        if self.bills.is_empty() {
            return;
        }
        let index = usize::from(who) % self.bills.len();
        let bill = &mut self.bills[index].1;
        let first = bill.events[0].at.unwrap();
        let event = BillEvent { at: Some(at.max(first)), change };
        // One bill's events have times of their own.
        if bill.events.iter().all(|before| before.at != event.at) {
            bill.events.push(event);
            bill.events.sort_by_key(|event| event.at);
        }
    }

    fn payment(&mut self, now: i8, on: jiff::civil::Date, who: u8, amount: u64, kind: u8, how: u8) {
        let name = format!("p{}", self.payments.len());
        let known = self.bills.iter().filter(|(since, _)| *since <= now).count();
        if kind == 10 || known == 0 {
            let owner = self.bills.get(usize::from(who) % self.bills.len().max(1)).filter(|_| how.is_multiple_of(2));
            let found = owner.map(|(since, bill)| (now.max(*since) + 1, bill.id));
            self.payments.push((now, payment(&name, on, amount, Payee::Nobody), found));
            return;
        }
        let open: Vec<&BillFact> = self.bills.iter().filter(|(since, _)| *since <= now).map(|(_, bill)| bill).collect();
        let bill = open[usize::from(who) % open.len()];
        let asked = Asked::of(bill).amount.unwrap().get();
        let amount = if how.is_multiple_of(3) { amount } else { asked };
        let mut fact = payment(&name, on, amount, Payee::Bill(bill.id));
        fact.hold = (kind == 9).then_some(PaymentHold::AfterExpiry);
        self.payments.push((now, fact, None));
    }

    fn row(&mut self, now: i8, on: jiff::civil::Date, who: u8, how: u8, much: u8) {
        let (name, batch) = (format!("r{}", self.rows.len()), format!("batch {}", how % 3));
        let of = (!self.payments.is_empty() && !how.is_multiple_of(5)).then(|| usize::from(who) % self.payments.len());
        let kind = match how % 8 {
            0 => RowKind::Other,
            1 => RowKind::Unreadable,
            2 => RowKind::Refund(crate::domain::channel::Channel::Alfa),
            3 => RowKind::Again(crate::domain::channel::Channel::Alfa),
            _ => RowKind::Unclaimed(crate::domain::channel::Channel::Alfa),
        };
        let amount = of.map_or(5_000, |at| self.payments[at].1.amount.get() as i64 + i64::from(much.is_multiple_of(7)) * 500);
        let mut row = row(&name, &batch, on, amount, kind);
        (row.fee, row.discount) = (i64::from(much % 3) * 100, i64::from(much.is_multiple_of(5)) * 50);
        row.paid_out = amount - row.fee - row.discount + i64::from(much.is_multiple_of(11)) * 10;
        row.shares = row.paid_out * i64::from(much % 4) / 10;
        // Rows whose payment nobody knows yet name a bill, some of them before they are paid out.
        if matches!(row.kind, RowKind::Unclaimed(_)) && !self.bills.is_empty() {
            let paid = of.and_then(|at| if let Payee::Bill(bill) = self.payments[at].1.payee { Some(bill) } else { None });
            row.bill = paid.or_else(|| Some(self.bills[usize::from(much) % self.bills.len()].1.id)).filter(|_| !how.is_multiple_of(3));
            row.paid_out_on = row.paid_out_on.filter(|_| !much.is_multiple_of(13));
        }
        self.rows.push((now, row, of.filter(|_| how % 8 > 2)));
    }

    /// The evidence of a month's run. `skips` tells which of what earlier months knew is not given again.
    fn evidence(&self, now: i8, skips: u32) -> Facts {
        let is_given = |since: i8, number: usize| since == now || since < now && (skips >> (number % 29)) & 1 == 0;
        let bills = self.bills.iter().filter(|(since, _)| *since <= now).map(|(_, bill)| bill.clone()).collect();
        let paid = self.payments.iter().enumerate().filter(|(number, (since, ..))| is_given(*since, *number));
        let payments = paid.map(|(_, (_, fact, found))| {
            let mut fact = fact.clone();
            if let Some((_, bill)) = found.filter(|(since, _)| *since <= now) {
                fact.payee = Payee::Bill(bill);
            }
            fact
        });
        let settled = self.rows.iter().enumerate().filter(|(number, (since, ..))| is_given(*since, *number));
        let rows = settled.map(|(_, (_, row, of))| {
            let mut row = row.clone();
            // A row names a payment that anybody can know of.
            if let Some(paid) = of.map(|at| &self.payments[at]).filter(|paid| paid.0 <= now && paid.1.paid_at <= at(month(now).to)) {
                row.kind = RowKind::Of(paid.1.channel, paid.1.id);
                row.bill = None;
            }
            // Of bills that are still to come nobody can name one.
            row.bill = row.bill.filter(|named| self.bills.iter().any(|(since, bill)| *since <= now && bill.id == *named));
            row
        });
        Facts { bills, payments: payments.collect(), rows: rows.collect(), ..Facts::default() }
    }
}

/// A decision on something open, if there is one that fits.
fn decision(number: usize, now: i8, step: Move, run: &PostedMonth, facts: &Facts) -> Option<BooksDecision> {
    let open: Vec<Leg> = run.known.balances.keys().filter(|leg| leg.item.is_some()).copied().collect();
    let leg = *open.get(usize::from(step.who) % open.len().max(1))?;
    let fits = |action: &Action| action.accounts().contains(&leg.account);
    let simple = [Action::Apply, Action::Credit, Action::Keep, Action::Refund, Action::Transferred, Action::Waive, Action::Lapse];
    let rest = [Action::PaidElsewhere, Action::Accept, Action::WriteOff];
    let is_left_out = |action: &Action| *action == Action::WriteOff && leg.account != Account::Receivable;
    let actions: Vec<Action> = simple.into_iter().chain(rest).filter(fits).filter(|action| !is_left_out(action)).collect();
    let action = *actions.get(usize::from(step.how) % actions.len().max(1))?;
    if leg.account == Account::Unproven || leg.account == Account::Clearing {
        return None;
    }
    let bills: Vec<ItemId> = run.known.bills.keys().copied().collect();
    let target = (action == Action::Apply).then(|| bills.get(usize::from(step.much) % bills.len().max(1)).copied()).flatten();
    let mut made = decide(&format!("d{number}"), day(now, 10 + (number % 18) as i8), action, leg, ground(facts, &run.known, leg, target));
    made.target = target;
    made.made_at = moment(number, now);
    let held = run.known.balance(leg).get().unsigned_abs() as u64;
    made.amount = (step.much.is_multiple_of(3) && action != Action::Accept).then_some(held / 2).filter(|amount| *amount > 0);
    Some(made)
}

/// Decisions are made one after the other.
fn moment(number: usize, now: i8) -> jiff::Timestamp {
    at(day(now, 2)) + jiff::SignedDuration::from_mins(number as i64)
}

fn reopening(number: usize, now: i8, step: Move, made: &[BooksDecision]) -> Option<BooksDecision> {
    let former = made.get(usize::from(step.who) % made.len().max(1))?;
    let mut back = former.clone();
    back.id = ItemId::of(BooksSubject::Decision, &[format!("d{number}").as_bytes()]);
    (back.made_at, back.effective_on) = (moment(number, now), day(now, 28));
    (back.action, back.account, back.item, back.amount, back.target) = (Action::Reopen, None, former.id, None, None);
    Some(back)
}

fn shuffled(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    facts.bills.reverse();
    facts.payments.reverse();
    facts.rows.reverse();
    facts
}

fn kept(known: &Known) -> BTreeMap<(Account, Option<ItemId>), i128> {
    known.balances.iter().map(|(leg, open)| ((leg.account, leg.item), open.amount.get())).collect()
}

fn without_payments(facts: &Facts) -> Facts {
    Facts { bills: facts.bills.clone(), ..Facts::default() }
}

/// What decisions posted, by decision.
fn done(month: &PostedMonth, made: &[BooksDecision]) -> BTreeMap<ItemId, Vec<(Leg, Leg, i128)>> {
    let posted = |decision: &BooksDecision| {
        let pairs = month.known.decisions[&decision.id].posted.iter();
        (decision.id, pairs.map(|(debit, credit, amount)| (*debit, *credit, amount.get())).collect())
    };
    made.iter().filter(|decision| decision.action != Action::Reopen).map(posted).collect()
}

/// Decisions in short.
fn told(made: &[BooksDecision]) -> Vec<String> {
    made.iter().map(|decision| format!("{} {:?} {:?}", decision.action.name(), decision.account, decision.item)).collect()
}

/// Every identity, the journal as text added up by somebody else, and the files read back.
fn holds(
    before: &Known,
    facts: &Facts,
    decisions: &[BooksDecision],
    settings: &BooksSettings,
    month: &PostedMonth,
) -> Result<(), TestCaseError> {
    let made = MonthInputs { before: &KnownBefore::of(before), facts, decisions, settings };
    let exported = export(&month.pairs, &[], settings);
    let broken: Vec<PostingIdentity> = holding(month, &made).into_iter().filter(|one| !one.holds()).collect();
    prop_assert!(broken.is_empty(), "{:?}", broken);
    let again = export(&month.pairs, &exported.entries, settings);
    prop_assert!(again.entries.is_empty(), "exported twice");
    let mut journal = Vec::new();
    hledger::write_month(&mut journal, month).unwrap();
    let closing: BTreeMap<String, i128> =
        month.known.balances.iter().map(|(leg, open)| (hledger::account_of(*leg), open.amount.get())).collect();
    prop_assert_eq!(added_up(&String::from_utf8(journal).unwrap()), closing);
    Ok(())
}

/// What a plain-text journal comes to.
fn added_up(journal: &str) -> BTreeMap<String, i128> {
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for line in journal.lines().filter_map(|line| line.strip_prefix("    ")) {
        let (account, amount) = line.split_once("  ").unwrap();
        *sums.entry(account.to_owned()).or_default() += amount.split(' ').next().unwrap().parse::<i128>().unwrap();
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}

/// How the debts stand that still ask for something, by the class of the bill that asks for most.
fn stands(known: &Known, tolerance: u64) -> naive::Stands {
    let policy = MatchingPolicy { tolerance_rupiah: tolerance, ..MatchingPolicy::default() };
    let asking = |debt: &Debt| {
        let bills = debt.bills.iter().filter_map(|id| known.bills.get(id)).filter(|bill| bill.is_live);
        bills.max_by_key(|bill| bill.amount)
    };
    let debts = known.debts.iter().filter(|(_, debt)| !debt.is_reusable);
    let stands = debts.filter_map(|(id, debt)| {
        let (class, _) = class_in_books(asking(debt)?, known, jiff::Timestamp::MAX, &policy)?;
        Some((
            *id,
            match class.id() {
                "L00" => "settled",
                "L04" => "marked",
                "L11" => "short",
                "L12" => "over",
                _ => "unpaid",
            },
        ))
    });
    stands.collect()
}

fn keep_books(months: &[(Vec<Move>, u32)], tolerance: u64) -> Result<(), TestCaseError> {
    let settings = BooksSettings { tolerance, ..BooksSettings::default() };
    let (mut world, mut known, mut given, mut made) = (World::default(), Known::default(), Vec::new(), Vec::<BooksDecision>::new());
    for (number, (steps, skips)) in months.iter().enumerate() {
        let now = FIRST + number as i8;
        let earlier = made.len();
        let run = |facts: &Facts, made: &[BooksDecision]| post(known.clone(), facts, made, &settings, month(now)).unwrap();
        for step in steps {
            if step.kind < 14 {
                world.happens(now, *step);
                continue;
            }
            let facts = world.evidence(now, *skips);
            let seen = run(&facts, &made);
            let new =
                if step.kind == 19 { reopening(made.len(), now, *step, &made) } else { decision(made.len(), now, *step, &seen, &facts) };
            made.extend(new);
            // What is refused when it is made is not made.
            if made.last().is_some_and(|last| run(&facts, &made).aside.refused.contains_key(&last.id)) {
                made.pop();
            }
        }
        let facts = world.evidence(now, *skips);
        let closed = run(&facts, &made);
        prop_assert!(closed.aside.refused.is_empty(), "{:?}", closed.aside.refused);
        prop_assert_eq!(&run(&shuffled(&facts), &made), &closed, "order plays a part");
        for less in [Facts::default(), without_payments(&facts), world.evidence(now, u32::MAX)] {
            let month = run(&less, &made);
            prop_assert!(month.aside.refused.is_empty(), "with less evidence: {:?}", month.aside.refused);
            prop_assert_eq!(done(&month, &made[earlier..]), done(&closed, &made[earlier..]));
        }
        holds(&known, &facts, &made, &settings, &closed)?;
        let tie = Tie::of(&closed.known, &facts.bills, month(now));
        prop_assert_eq!(tie.total(), *closed.known.totals().at(Account::Receivable), "{:?}", tie);
        prop_assert!(tie.lines().all(|(line, _)| line != TieLine::Differing), "month {}: {:?}", now, tie);
        parted::is_the_same(&closed, &known, &facts, &made, &settings)?;
        if number + 1 == months.len() {
            let lapsing = BooksSettings { lapse_after_days: Some(5), ..settings.clone() };
            let lapsed = post(known.clone(), &facts, &made, &lapsing, month(now)).unwrap();
            holds(&known, &facts, &made, &lapsing, &lapsed)?;
            parted::is_the_same(&lapsed, &known, &facts, &made, &lapsing)?;
        }
        given.push(Given { period: month(now), facts, decisions: made[earlier..].to_vec(), settings: settings.clone() });
        let met = closed.allocations.iter().map(|(id, met)| (*id, (met.over.get() as i64, met.left.get() as i64))).collect();
        let ours = (kept(&closed.known), met, stands(&closed.known, tolerance));
        prop_assert_eq!(ours, naive::balances(&given), "month {}: {:?}", now, told(&made));
        known = closed.known;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_of_months_is_what_reading_everything_from_the_first_would_be(
        months in proptest::collection::vec((proptest::collection::vec(moves(), 0..14), any::<u32>()), 2..6),
        tolerance in prop_oneof![Just(0_u64), Just(500)],
    ) {
        keep_books(&months, tolerance)?;
    }
}
