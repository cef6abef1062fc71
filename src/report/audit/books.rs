//! Decisions: what people decided, on which facts, and what each moved. People's acts are facts; what follows from them is for the rules.

use super::kit::Kit;
use crate::books::fact::{Payee, PaymentFact, PaymentHold, RowFact, RowKind};
use crate::books::known::Decided;
use crate::books::ways_off::WayOff;
use crate::books::{Action, BooksDecision, ItemId, Known, Leg};
use crate::columns::{Column, Value};
use crate::domain::amount::Rupiah;
use crate::domain::digest;
use crate::reconcile::ReconcileTerms;
use crate::report::atomic::WriteError;

fn id(item: Option<&ItemId>) -> Value<'static> {
    item.map(ToString::to_string).into()
}

/// A decision in the order in which they were made.
struct Made<'a> {
    place: i64,
    decision: &'a BooksDecision,
    decided: Option<&'a Decided>,
    effect: Effect,
}

/// A decision, and one fact it stands on.
struct Ground {
    decision: ItemId,
    kind: &'static str,
    item: ItemId,
}

pub(super) fn write(
    kit: &mut Kit<'_>,
    decisions: &[BooksDecision],
    before: &Known,
    closing: &Known,
    terms: &ReconcileTerms,
) -> Result<(), WriteError> {
    let mut made: Vec<&BooksDecision> = decisions.iter().filter(|decision| decision.effective_on <= terms.period.to).collect();
    made.sort_by_key(|decision| (decision.made_at, decision.id));
    let columns: [Column<'_, &Made<'_>>; 13] = [
        Column::count("place", |made| made.place.into()),
        Column::text("decision", |made| id(Some(&made.decision.id))),
        Column::instant("made_at", |made| made.decision.made_at.into()),
        Column::date("effective_on", |made| made.decision.effective_on.into()),
        Column::text("action", |made| made.decision.action.name().into()),
        Column::text("account", |made| made.decision.account.map(crate::books::Account::name).into()),
        Column::text("item", |made| id(Some(&made.decision.item))),
        Column::rupiah("amount", |made| made.decision.amount.into()),
        Column::text("target", |made| id(made.decision.target.as_ref())),
        Column::text("explained_as", |made| made.decision.explained_as.map(crate::books::Account::name).into()),
        Column::text("debt", |made| id(made.effect.debt.as_ref())),
        Column::rupiah("applied", |made| made.decided.map(|_| made.effect.applied).into()),
        Column::text("moved", |made| made.decided.is_some_and(|decided| decided.refused.is_none()).into()),
    ];
    let made_now = (0_i64..).zip(made).filter(|(_, decision)| !before.decisions.contains_key(&decision.id)).map(|(place, decision)| {
        let decided = closing.decisions.get(&decision.id);
        let effect = decided.map_or_else(Effect::default, |decided| Effect::of(decision, decided, closing));
        Made { place, decision, decided, effect }
    });
    let fresh: Vec<Made<'_>> = made_now.collect();
    kit.table("facts/decisions", &columns, fresh.iter())?;
    let grounds = fresh.iter().flat_map(|Made { decision, .. }| {
        let facts = &decision.facts;
        let of = |kind| move |item: ItemId| Ground { decision: decision.id, kind, item };
        let bills = facts.bills.iter().map(|bill| bill.id).map(of("bill"));
        let payments = facts.payments.iter().map(|payment| payment.id).map(of("payment"));
        bills.chain(payments).chain(facts.rows.iter().map(|row| row.id).map(of("row"))).collect::<Vec<_>>()
    });
    let columns: [Column<'_, Ground>; 3] = [
        Column::text("decision", |ground| id(Some(&ground.decision))),
        Column::text("kind", |ground| ground.kind.into()),
        Column::text("item", |ground| id(Some(&ground.item))),
    ];
    kit.table("facts/decision_grounds", &columns, grounds)?;
    journal(kit, &fresh)?;
    effects(kit, &fresh)?;
    // Debts whose payments or balances an earlier decision, or one of this month, has moved: what money finds there is by the books.
    let columns: [Column<'_, (&ItemId, &Decided)>; 4] = [
        Column::text("decision", |(decision, _)| id(Some(decision))),
        Column::text("action", |(_, decided)| decided.action.name().into()),
        Column::text("debt", |(_, decided)| id(decided.debt.as_ref())),
        Column::text("item", |(_, decided)| id(decided.leg.as_ref().and_then(|leg| leg.item.as_ref()))),
    ];
    let standing = before.decisions.iter().filter(|(_, decided)| decided.refused.is_none());
    kit.table("facts/carried_decisions", &columns, standing)
}

/// What a decision did to a debt.
#[derive(Default)]
struct Effect {
    debt: Option<ItemId>,
    applied: Rupiah,
    taken_off: Vec<(WayOff, Rupiah)>,
}

impl Effect {
    /// One that takes another back undoes what that did, and lets held money go to what is owed again.
    fn of(decision: &BooksDecision, decided: &Decided, closing: &Known) -> Self {
        let sum = |of: &Decided| of.applied.iter().map(|one| one.amount).sum::<Rupiah>();
        if decided.action != Action::Reopen {
            return Self { debt: decided.debt, applied: sum(decided), taken_off: decided.taken_off.clone() };
        }
        let Some(former) = closing.decisions.get(&decision.item).filter(|_| decided.refused.is_none()) else { return Self::default() };
        let back = |(off, amount): &(WayOff, Rupiah)| (*off, Rupiah::ZERO.minus(*amount));
        Self { debt: former.debt, applied: decided.let_go().minus(sum(former)), taken_off: former.taken_off.iter().map(back).collect() }
    }
}

/// What each decision moved, and what it took off a debt.
fn effects(kit: &mut Kit<'_>, fresh: &[Made<'_>]) -> Result<(), WriteError> {
    let moved = |Made { decision, decided, .. }: &Made<'_>| {
        let legs = |(debit, credit, amount): &(Leg, Leg, Rupiah)| (decision.id, *debit, *credit, *amount);
        decided.iter().flat_map(|decided| &decided.posted).map(legs).collect::<Vec<_>>()
    };
    let columns: [Column<'_, (ItemId, Leg, Leg, Rupiah)>; 6] = [
        Column::text("decision", |(decision, ..)| id(Some(decision))),
        Column::text("debit_account", |(_, debit, ..)| debit.account.name().into()),
        Column::text("debit_item", |(_, debit, ..)| id(debit.item.as_ref())),
        Column::text("credit_account", |(_, _, credit, _)| credit.account.name().into()),
        Column::text("credit_item", |(_, _, credit, _)| id(credit.item.as_ref())),
        Column::rupiah("amount", |(.., amount)| (*amount).into()),
    ];
    kit.table("facts/decision_moves", &columns, fresh.iter().flat_map(moved))?;
    let taken = |made: &Made<'_>| {
        let all = made.effect.taken_off.iter();
        all.map(|(off, amount)| (made.decision.id, *off, *amount)).collect::<Vec<_>>()
    };
    let columns: [Column<'_, (ItemId, WayOff, Rupiah)>; 3] = [
        Column::text("decision", |(decision, ..)| id(Some(decision))),
        Column::text("taken_off", |(_, off, _)| off.name().into()),
        Column::rupiah("amount", |(.., amount)| (*amount).into()),
    ];
    kit.table("facts/decision_taken_off", &columns, fresh.iter().flat_map(taken))
}

/// What a decision keeps of the payments and rows it stands on: a run without that evidence takes them from here.
fn journal(kit: &mut Kit<'_>, fresh: &[Made<'_>]) -> Result<(), WriteError> {
    let columns: [Column<'_, (i64, &PaymentFact)>; 8] = [
        Column::count("place", |(place, _)| (*place).into()),
        Column::text("item", |(_, payment)| id(Some(&payment.id))),
        Column::text("identity", |(_, payment)| payment.identity.map(|identity| digest::hex(&identity)).into()),
        Column::text("channel", |(_, payment)| payment.channel.name().into()),
        Column::rupiah("amount", |(_, payment)| payment.amount.get().into()),
        Column::instant("paid_at", |(_, payment)| payment.paid_at.into()),
        Column::text("payee", |(_, payment)| if let Payee::Bill(bill) = &payment.payee { id(Some(bill)) } else { Value::Empty }),
        Column::text("hold", |(_, payment)| {
            payment
                .hold
                .map(|hold| match hold {
                    PaymentHold::AfterExpiry => "after expiry",
                    PaymentHold::AfterCancellation => "after cancellation",
                })
                .into()
        }),
    ];
    let payments =
        fresh.iter().flat_map(|Made { place, decision, .. }| decision.facts.payments.iter().map(move |payment| (*place, payment)));
    kit.table("facts/decision_payments", &columns, payments)?;
    let columns: [Column<'_, (i64, &RowFact)>; 13] = [
        Column::count("place", |(place, _)| (*place).into()),
        Column::text("item", |(_, row)| id(Some(&row.id))),
        Column::text("batch", |(_, row)| id(Some(&row.batch))),
        Column::foreign("number", |(_, row)| (&*row.number).into()),
        Column::date("paid_out_on", |(_, row)| row.paid_out_on.into()),
        Column::rupiah("amount", |(_, row)| row.amount.into()),
        Column::rupiah("fee", |(_, row)| row.fee.into()),
        Column::rupiah("discount", |(_, row)| row.discount.into()),
        Column::rupiah("paid_out", |(_, row)| row.paid_out.into()),
        Column::rupiah("shared", |(_, row)| row.shares.into()),
        Column::text("kind", |(_, row)| kind(row.kind).into()),
        Column::text("channel", |(_, row)| row.kind.channel().map(crate::domain::channel::Channel::name).into()),
        Column::text("bill", |(_, row)| id(row.bill.as_ref())),
    ];
    let rows = fresh.iter().flat_map(|Made { place, decision, .. }| decision.facts.rows.iter().map(move |row| (*place, row)));
    let rows: Vec<(i64, &RowFact)> = rows.collect();
    kit.table("facts/decision_rows", &columns, rows.iter().copied())?;
    let paid = rows.iter().filter_map(|(_, row)| if let RowKind::Of(_, payment) = row.kind { Some((row.id, payment)) } else { None });
    let columns: [Column<'_, (ItemId, ItemId)>; 2] =
        [Column::text("item", |(row, _)| id(Some(row))), Column::text("payment", |(_, payment)| id(Some(payment)))];
    kit.table("facts/decision_row_payments", &columns, paid)
}

/// What a row is, in the rules' words.
const fn kind(of: RowKind) -> &'static str {
    match of {
        RowKind::Of(..) => "of payment",
        RowKind::Unclaimed(_) => "unclaimed",
        RowKind::Refund(_) => "refund",
        RowKind::Repeated | RowKind::Again(_) => "twice",
        RowKind::Other => "other",
        RowKind::Unreadable => "unreadable",
    }
}
