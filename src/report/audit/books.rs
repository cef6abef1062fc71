//! Decisions: what people decided, on which facts, and what each moved. People's acts are facts; what follows from them is for the rules.

use super::{Kit, WriteError};
use crate::books::known::Decided;
use crate::books::off::Off;
use crate::books::{Decision, ItemId, Known, Leg};
use crate::columns::{Column, Value};
use crate::domain::amount::Rupiah;
use crate::reconcile::Terms;

fn id(item: Option<&ItemId>) -> Value<'static> {
    item.map(ToString::to_string).into()
}

/// A decision in the order in which they were made.
type Made<'a> = (i64, &'a Decision, Option<&'a Decided>);

/// A decision, and one fact it stands on.
struct Ground {
    decision: ItemId,
    kind: &'static str,
    item: ItemId,
}

pub(super) fn write(kit: &mut Kit<'_>, decisions: &[Decision], before: &Known, closing: &Known, terms: &Terms) -> Result<(), WriteError> {
    let mut made: Vec<&Decision> = decisions.iter().filter(|decision| decision.effective_on <= terms.period.to).collect();
    made.sort_by_key(|decision| (decision.made_at, decision.id));
    let columns: [Column<'_, Made<'_>>; 13] = [
        Column::count("place", |(place, ..)| (*place).into()),
        Column::text("decision", |(_, decision, _)| id(Some(&decision.id))),
        Column::instant("made_at", |(_, decision, _)| decision.made_at.into()),
        Column::date("effective_on", |(_, decision, _)| decision.effective_on.into()),
        Column::text("action", |(_, decision, _)| decision.action.name().into()),
        Column::text("account", |(_, decision, _)| decision.account.map(crate::books::Account::name).into()),
        Column::text("item", |(_, decision, _)| id(Some(&decision.item))),
        Column::rupiah("amount", |(_, decision, _)| decision.amount.into()),
        Column::text("target", |(_, decision, _)| id(decision.target.as_ref())),
        Column::text("explained_as", |(_, decision, _)| decision.explained_as.map(crate::books::Account::name).into()),
        Column::text("debt", |(.., decided)| id(decided.and_then(|decided| decided.debt.as_ref()))),
        Column::rupiah("applied", |(.., decided)| {
            decided.map(|decided| decided.applied.iter().map(|one| one.amount).sum::<Rupiah>()).into()
        }),
        Column::text("moved", |(.., decided)| decided.is_some_and(|decided| decided.refused.is_none()).into()),
    ];
    let fresh: Vec<Made<'_>> = (0_i64..)
        .zip(made)
        .filter(|(_, decision)| !before.decisions.contains_key(&decision.id))
        .map(|(place, decision)| (place, decision, closing.decisions.get(&decision.id)))
        .collect();
    kit.table("facts/decisions", &columns, fresh.iter().copied())?;
    let grounds = fresh.iter().flat_map(|(_, decision, _)| {
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
    let moved = |(_, decision, decided): &Made<'_>| {
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
    let taken = |(_, decision, decided): &Made<'_>| {
        let all = decided.iter().flat_map(|decided| &decided.taken_off);
        all.map(|(off, amount)| (decision.id, *off, *amount)).collect::<Vec<_>>()
    };
    let columns: [Column<'_, (ItemId, Off, Rupiah)>; 3] = [
        Column::text("decision", |(decision, ..)| id(Some(decision))),
        Column::text("taken_off", |(_, off, _)| off.name().into()),
        Column::rupiah("amount", |(.., amount)| (*amount).into()),
    ];
    kit.table("facts/decision_taken_off", &columns, fresh.iter().flat_map(taken))?;
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
