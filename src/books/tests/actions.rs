//! Every action of a decision: what it moves, on which items it is refused, and that taking it back leaves nothing.

use super::business::*;
use crate::books::account::Account as A;
use crate::books::decision::{Action, BooksDecision, PostingRefusal};
use crate::books::fact::{AlarmFact, BankLineFact, BillChange, Facts, LedgerMark, Payee, PaymentHold, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::pair::Leg;
use crate::books::post::PostedMonth;
use crate::books::settings::BooksSettings;
use crate::books::ways_off::WayOff;
use crate::domain::amount::Rupiah;
use crate::domain::channel::{Channel, PerChannel};

/// A month with something open on every account, bank statements, and Indomaret not settled by DOKU.
fn everything_open() -> (Business, Facts) {
    let settings = BooksSettings { settled_by_doku: PerChannel::new([true, false]), bank_statement: true, ..BooksSettings::default() };
    let mut marked = bill("marked", day(8, 1), 90_000);
    marked.mark = Some(LedgerMark { at: Some(at(day(8, 8))), paid: None });
    let bills = [
        bill("open", day(8, 1), 100_000),
        bill("paid", day(8, 1), 50_000),
        bill("late", day(8, 1), 80_000).then(day(8, 5), BillChange::Cancelled),
        bill("cancelled", day(8, 1), 60_000).then(day(8, 20), BillChange::Cancelled),
        marked,
    ];
    let mut direct = payment("direct", day(8, 4), 40_000, Payee::Nobody);
    direct.channel = Channel::Indomaret;
    let mut held = pays("held", day(8, 6), 80_000, "late");
    held.hold = Some(PaymentHold::AfterCancellation);
    let payments = [
        pays("paid", day(8, 3), 50_000, "paid"),
        pays("twice", day(8, 4), 50_000, "paid"),
        pays("undone", day(8, 10), 60_000, "cancelled"),
        payment("orphan", day(8, 4), 30_000, Payee::Nobody),
        held,
        direct,
    ];
    let rows = [
        row("unclaimed", "B1", day(8, 12), 20_000, RowKind::Unclaimed(Channel::Alfa)),
        row("refund", "B1", day(8, 12), 30_000, RowKind::Refund(Channel::Alfa)),
        row("unreadable", "B1", day(8, 12), 7_000, RowKind::Unreadable),
    ];
    let mut all = facts(&bills, &payments, &rows);
    all.rows[1].paid_out = -30_000;
    let line = |name: &str, amount| BankLineFact {
        id: ItemId::of(BooksSubject::BankLine, &[name.as_bytes()]),
        on: day(8, 14),
        amount,
        text: "transfer".into(),
        former: None,
    };
    all.bank_lines = vec![line("in", 40_000), line("out", -50_000)];
    let forged = AlarmFact::of(ItemId::of(BooksSubject::Alarm, &[b"forged"]), "N02");
    all.alarms.push(AlarmFact { on: day(8, 9), at_stake: Rupiah::new(1_000), ..forged });
    (Business { settings, ..Business::default() }, all)
}

fn item(subject: BooksSubject, name: &str) -> ItemId {
    ItemId::of(subject, &[name.as_bytes()])
}

fn decided(name: &str, action: Action, account: A, about: ItemId) -> BooksDecision {
    decide(name, day(8, 25), action, Leg::of(account, about), Facts::default())
}

/// Debit, credit, rupiah.
type Moved = (A, A, i128);

/// The pairs of a decision.
fn pairs(month: &PostedMonth, decision: &BooksDecision) -> Vec<Moved> {
    let caused = month.pairs.iter().filter(|pair| pair.cause == decision.id);
    caused.map(|pair| (pair.debit.account, pair.credit.account, pair.amount.get())).collect()
}

#[test]
fn every_action_moves_what_its_row_of_the_table_says() {
    let (mut business, all) = everything_open();
    let debt_of = |name: &str| ItemId::debt_of(name);
    let payment = |name: &str| item(BooksSubject::Payment, name);
    let refunded = item(BooksSubject::Decision, "refund");
    let credited = item(BooksSubject::Decision, "credit");
    let with = |mut decision: BooksDecision, target: Option<ItemId>, amount: Option<u64>| {
        (decision.target, decision.amount) = (target, amount);
        decision
    };
    let plain = |name: &str, action, account, about| with(decided(name, action, account, about), None, None);
    let mut explained = plain("explain", Action::Explain, A::Clearing, item(BooksSubject::Batch, "B1"));
    explained.explained_as = Some(A::Fees);
    let table: Vec<(BooksDecision, Vec<Moved>)> = vec![
        (
            with(decided("apply", Action::Apply, A::Suspense, payment("orphan")), Some(ItemId::bill("open")), Some(10_000)),
            vec![(A::Suspense, A::Receivable, 10_000)],
        ),
        (
            plain("own", Action::Apply, A::Suspense, payment("held")),
            vec![(A::Receivable, A::Premium, 80_000), (A::Suspense, A::Receivable, 80_000)],
        ),
        (
            with(decided("credit", Action::Credit, A::Suspense, payment("orphan")), None, Some(8_000)),
            vec![(A::Suspense, A::Deposits, 8_000)],
        ),
        (
            with(decided("use", Action::Apply, A::Deposits, credited), Some(ItemId::bill("open")), Some(3_000)),
            vec![(A::Deposits, A::Receivable, 3_000)],
        ),
        (plain("credit back", Action::Refund, A::Deposits, credited), vec![(A::Deposits, A::RefundsDue, 5_000)]),
        (with(decided("keep", Action::Keep, A::Suspense, payment("orphan")), None, Some(2_000)), vec![(A::Suspense, A::Income, 2_000)]),
        (plain("refund", Action::Refund, A::Suspense, payment("twice")), vec![(A::Suspense, A::RefundsDue, 50_000)]),
        (with(decided("sent", Action::Transferred, A::RefundsDue, refunded), None, Some(15_000)), vec![(A::RefundsDue, A::Bank, 15_000)]),
        (
            with(decided("by doku", Action::Transferred, A::RefundsDue, refunded), Some(item(BooksSubject::Row, "refund")), Some(30_000)),
            vec![(A::RefundsDue, A::Suspense, 30_000)],
        ),
        (
            with(decided("by bank", Action::Transferred, A::RefundsDue, refunded), Some(item(BooksSubject::BankLine, "out")), Some(5_000)),
            vec![(A::RefundsDue, A::Suspense, 5_000)],
        ),
        (
            with(
                decided("received", Action::Received, A::Direct, payment("direct")),
                Some(item(BooksSubject::BankLine, "in")),
                Some(25_000),
            ),
            vec![(A::Suspense, A::Direct, 25_000)],
        ),
        (plain("by reference", Action::Received, A::Direct, payment("direct")), vec![(A::Bank, A::Direct, 15_000)]),
        (
            with(decided("waive", Action::Waive, A::Receivable, debt_of("open")), None, Some(1_000)),
            vec![(A::Premium, A::Receivable, 1_000)],
        ),
        (
            with(decided("lapse", Action::Lapse, A::Receivable, debt_of("open")), None, Some(2_000)),
            vec![(A::Premium, A::Receivable, 2_000)],
        ),
        (
            with(decided("branch", Action::PaidElsewhere, A::Receivable, debt_of("open")), None, Some(4_000)),
            vec![(A::Elsewhere, A::Receivable, 4_000)],
        ),
        (plain("loss", Action::WriteOff, A::Receivable, debt_of("open")), vec![(A::WriteOff, A::Receivable, 80_000)]),
        (plain("no rupiah of it", Action::WriteOff, A::Doku, payment("paid")), vec![(A::WriteOff, A::Doku, 50_000)]),
        (plain("doubted", Action::PaidElsewhere, A::Unproven, debt_of("marked")), vec![(A::Elsewhere, A::Unproven, 90_000)]),
        (plain("line", Action::WriteOff, A::Suspense, item(BooksSubject::BankLine, "out")), vec![(A::WriteOff, A::Suspense, 45_000)]),
        (explained, vec![(A::Clearing, A::Fees, 7_000)]),
        (
            with(decided("undo", Action::Unapply, A::Receivable, debt_of("cancelled")), None, Some(60_000)),
            vec![(A::Receivable, A::RefundsDue, 60_000), (A::Premium, A::Receivable, 60_000)],
        ),
        (with(decided("less", Action::Correct, A::Doku, payment("undone")), None, Some(61_000)), vec![(A::Doku, A::Suspense, 1_000)]),
        (plain("fine", Action::Accept, A::Suspense, item(BooksSubject::Row, "unclaimed")), vec![]),
    ];
    for (number, (decision, _)) in table.iter().enumerate() {
        let mut decision = decision.clone();
        decision.made_at += jiff::SignedDuration::from_secs(number as i64);
        // The first stands on all facts; the others were made after it.
        if number == 0 {
            decision.facts = all.clone();
        }
        // What the ledger marks is only unproven once the month's evidence is read.
        if decision.account == Some(A::Unproven) {
            decision.facts.bills.clone_from(&all.bills);
        }
        business.decisions.push(decision);
    }
    let month = business.run(8, &all);
    assert!(month.aside.refused.is_empty(), "{:?}", month.aside.refused);
    for (decision, expected) in &table {
        assert_eq!(pairs(&month, decision), *expected, "{}", decision.action.name());
    }
    let actions: std::collections::BTreeSet<Action> = table.iter().map(|(decision, _)| decision.action).collect();
    assert_eq!(actions.len() + 1, Action::ALL.len(), "all but `reopen`");
}

#[test]
fn what_is_written_off_of_a_mark_that_nothing_proves_is_off_its_debt_as_lost_and_no_longer_as_unproven() {
    let (business, all) = everything_open();
    let debt = ItemId::debt_of("marked");
    for (amount, unproven) in [(None, 0), (Some(30_000), 60_000)] {
        let mut loss = decided("doubted", Action::WriteOff, A::Unproven, debt);
        (loss.amount, loss.facts) = (amount, all.clone());
        let month = Business { decisions: vec![loss], settings: business.settings.clone(), ..Business::default() }.run(8, &all);
        assert!(month.aside.refused.is_empty(), "{:?}", month.aside.refused);
        let off = |off: WayOff| month.known.debts[&debt].off(off).get();
        assert_eq!((off(WayOff::Unproven), off(WayOff::WrittenOff)), (unproven, 90_000 - unproven));
        assert_eq!(total(&month.known, A::Unproven), unproven);
    }
}

#[test]
fn taking_any_decision_back_leaves_every_balance_as_it_was() {
    let (business, all) = everything_open();
    let before = business.run(8, &all);
    let payment = |name: &str| item(BooksSubject::Payment, name);
    let mut made = vec![
        decided("credit", Action::Credit, A::Suspense, payment("orphan")),
        decided("keep", Action::Keep, A::Suspense, payment("orphan")),
        decided("refund", Action::Refund, A::Suspense, payment("orphan")),
        decided("own", Action::Apply, A::Suspense, payment("held")),
        decided("received", Action::Received, A::Direct, payment("direct")),
        decided("waive", Action::Waive, A::Receivable, ItemId::debt_of("open")),
        decided("lapse", Action::Lapse, A::Receivable, ItemId::debt_of("open")),
        decided("branch", Action::PaidElsewhere, A::Receivable, ItemId::debt_of("open")),
        decided("loss", Action::WriteOff, A::Receivable, ItemId::debt_of("open")),
        decided("doku", Action::WriteOff, A::Doku, payment("paid")),
        decided("undo", Action::Unapply, A::Receivable, ItemId::debt_of("cancelled")),
        decided("doubted", Action::WriteOff, A::Unproven, ItemId::debt_of("marked")),
        decided("accept", Action::Accept, A::Suspense, payment("orphan")),
    ];
    let mut applied = decided("apply", Action::Apply, A::Suspense, payment("orphan"));
    applied.target = Some(ItemId::bill("open"));
    let mut explained = decided("explain", Action::Explain, A::Clearing, item(BooksSubject::Batch, "B1"));
    explained.explained_as = Some(A::Discounts);
    // Money of the debt gives way to what was paid elsewhere, and comes back.
    let mut double = decided("double", Action::PaidElsewhere, A::Receivable, ItemId::debt_of("paid"));
    double.amount = Some(50_000);
    made.extend([applied, explained, double]);
    for mut decision in made {
        // Another day than evidence: so that the month is read first.
        decision.facts = all.clone();
        let mut back = decision.clone();
        (back.id, back.made_at) = (item(BooksSubject::Decision, "back"), decision.made_at + jiff::SignedDuration::from_hours(1));
        (back.action, back.account, back.item, back.amount, back.target) = (Action::Reopen, None, decision.id, None, None);
        let action = decision.action.name();
        let once = Business { decisions: vec![decision.clone()], settings: business.settings.clone(), ..Business::default() };
        assert!(once.run(8, &all).aside.refused.is_empty(), "{action}");
        let mut both = Business { decisions: vec![decision, back.clone()], settings: business.settings.clone(), ..Business::default() };
        let month = both.run(8, &all);
        assert!(month.aside.refused.is_empty(), "{action}: {:?}", month.aside.refused);
        let amounts = |month: &PostedMonth| month.known.balances.iter().map(|(leg, open)| (*leg, open.amount)).collect::<Vec<_>>();
        assert_eq!(amounts(&month), amounts(&before), "{action}");
        assert!(month.known.accepted.is_empty());
        // It is taken back once.
        let mut again = back;
        (again.id, again.made_at) = (item(BooksSubject::Decision, "again"), again.made_at + jiff::SignedDuration::from_hours(1));
        both.decisions.push(again.clone());
        assert_eq!(both.run(8, &all).aside.refused.get(&again.id), Some(&PostingRefusal::TakenBack), "{action}");
    }
}

#[test]
fn what_cannot_be_meant_moves_nothing_and_says_why() {
    let (business, all) = everything_open();
    let payment = |name: &str| item(BooksSubject::Payment, name);
    let with = |mut decision: BooksDecision, change: &dyn Fn(&mut BooksDecision)| {
        change(&mut decision);
        decision.facts = all.clone();
        decision
    };
    let none: &dyn Fn(&mut BooksDecision) = &|_| {};
    let table = [
        (with(decided("1", Action::Apply, A::Suspense, payment("orphan")), none), PostingRefusal::Unknown, "no bill of its own"),
        (
            with(decided("2", Action::Apply, A::Suspense, item(BooksSubject::Row, "unclaimed")), none),
            PostingRefusal::Target,
            "no bill named",
        ),
        (
            with(decided("3", Action::Keep, A::Suspense, payment("orphan")), &|it| it.amount = Some(30_001)),
            PostingRefusal::TooMuch,
            "more than held",
        ),
        (with(decided("4", Action::Keep, A::Suspense, payment("paid")), none), PostingRefusal::NothingOpen, "nothing held"),
        (with(decided("5", Action::Keep, A::Doku, payment("paid")), none), PostingRefusal::Unfit, "not an action of the account"),
        (
            with(decided("6", Action::WriteOff, A::Suspense, payment("orphan")), none),
            PostingRefusal::Unfit,
            "a customer's money is no loss",
        ),
        (
            with(decided("7", Action::Keep, A::Suspense, item(BooksSubject::BankLine, "out")), none),
            PostingRefusal::NothingOpen,
            "the other side",
        ),
        (with(decided("8", Action::Explain, A::Clearing, item(BooksSubject::Batch, "B1")), none), PostingRefusal::Target, "as what"),
        (
            with(decided("9", Action::PaidElsewhere, A::Receivable, ItemId::debt_of("open")), &|it| it.reference = "".into()),
            PostingRefusal::Reference,
            "without a reference",
        ),
        (
            with(decided("10", Action::PaidElsewhere, A::Receivable, ItemId::debt_of("open")), &|it| it.amount = Some(100_001)),
            PostingRefusal::TooMuch,
            "more than the debt",
        ),
        (with(decided("11", Action::Unapply, A::Receivable, ItemId::debt_of("open")), none), PostingRefusal::Unfit, "not cancelled"),
        (with(decided("12", Action::Waive, A::Receivable, ItemId::debt_of("paid")), none), PostingRefusal::NothingOpen, "paid"),
        (
            with(decided("13", Action::Apply, A::Suspense, payment("orphan")), &|it| it.target = Some(ItemId::bill("nobody's"))),
            PostingRefusal::Unknown,
            "a bill nobody knows",
        ),
        (
            with(decided("14", Action::Reopen, A::Suspense, payment("orphan")), &|it| {
                (it.account, it.item) = (None, item(BooksSubject::Decision, "never made"));
            }),
            PostingRefusal::Unknown,
            "a decision nobody made",
        ),
    ];
    for (decision, refusal, words) in table {
        let id = decision.id;
        let month = Business { decisions: vec![decision], settings: business.settings.clone(), ..Business::default() }.run(8, &all);
        assert_eq!(month.aside.refused.get(&id), Some(&refusal), "{words}");
        assert!(month.pairs.iter().all(|pair| pair.cause != id), "{words}");
    }
}

#[test]
fn an_accepted_item_falls_when_its_balance_changes_and_an_alarm_stays_accepted() {
    let (mut business, all) = everything_open();
    business.decisions.push(decide("fine", day(8, 25), Action::Accept, debt("open"), all.clone()));
    let mut alarm = decide("known", day(8, 25), Action::Accept, debt("open"), all.clone());
    (alarm.account, alarm.item) = (None, item(BooksSubject::Alarm, "forged"));
    business.decisions.push(alarm);
    let august = business.close(8, &all);
    assert!(august.known.accepted.contains_key(&debt("open")));
    let september = business.close(9, &Facts::default());
    assert!(september.known.accepted.contains_key(&debt("open")), "nothing happened to it");
    let october = business.close(10, &facts(&[], &[pays("part", day(10, 3), 1_000, "open")], &[]));
    assert!(!october.known.accepted.contains_key(&debt("open")), "it is another balance");
    assert!(october.known.alarms.values().all(|alarm| alarm.accepted_by.is_some()));
}
