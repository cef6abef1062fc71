//! The facts a decision stands on: everything the evidence says of the item, of its debt, of that debt's payments and of their rows, so
//! that they alone lead to the balance that was decided about.

use std::collections::{BTreeMap, BTreeSet};

use super::account::Account;
use super::fact::{BillFact, Facts, Payee, PaymentFact, RowKind};
use super::item::{BooksSubject, ItemId};
use super::known::Known;
use super::pair::Leg;
use crate::domain::amount::Amount;

/// What belongs to whom: of each debt, payment, row and batch, the places of those that asked for it.
#[derive(Default)]
struct Asked {
    debts: BTreeMap<ItemId, BTreeSet<usize>>,
    payments: BTreeMap<ItemId, BTreeSet<usize>>,
    rows: BTreeMap<ItemId, BTreeSet<usize>>,
    batches: BTreeMap<ItemId, BTreeSet<usize>>,
    alarms: BTreeMap<ItemId, BTreeSet<usize>>,
    of_bank: BTreeSet<usize>,
}

fn add(to: &mut BTreeMap<ItemId, BTreeSet<usize>>, id: ItemId, place: usize) {
    to.entry(id).or_default().insert(place);
}

impl Asked {
    fn seed(&mut self, known: &Known, id: ItemId, place: usize) {
        match id.subject() {
            BooksSubject::Debt => add(&mut self.debts, id, place),
            BooksSubject::Payment => add(&mut self.payments, known.payment_id(id), place),
            BooksSubject::Row => add(&mut self.rows, id, place),
            BooksSubject::Batch => add(&mut self.batches, id, place),
            BooksSubject::Payout => known.payouts.get(&id).into_iter().for_each(|payout| add(&mut self.batches, payout.batch, place)),
            BooksSubject::BankLine => drop(self.of_bank.insert(place)),
            BooksSubject::Bill => known.bills.get(&id).into_iter().for_each(|bill| add(&mut self.debts, bill.debt, place)),
            BooksSubject::Alarm => add(&mut self.alarms, id, place),
            BooksSubject::Event | BooksSubject::Decision | BooksSubject::Books => {}
        }
    }

    /// Those who asked for `id`, and those who asked for everything of the bank.
    fn with_bank(&self, by: &BTreeMap<ItemId, BTreeSet<usize>>, id: &ItemId) -> BTreeSet<usize> {
        by.get(id).into_iter().flatten().chain(&self.of_bank).copied().collect()
    }
}

/// What of `facts` decisions about `wanted` (an item, and what else the decision names) stand on, in their order; `known` is what the
/// run that shows the items came to.
#[must_use]
pub fn grounds(facts: &Facts, known: &Known, wanted: &[(Option<Leg>, Option<ItemId>)]) -> Vec<Facts> {
    let mut asked = Asked::default();
    for (place, (leg, other)) in wanted.iter().enumerate() {
        for id in leg.and_then(|leg| leg.item).into_iter().chain(*other) {
            asked.seed(known, id, place);
        }
        if leg.is_some_and(|leg| leg.account == Account::Payouts) {
            asked.of_bank.insert(place);
        }
    }
    let mut grounds = vec![Facts::default(); wanted.len()];
    // Rows lead to their payments, payments to their debts, and these to their bills and to all of their payments.
    for row in &facts.rows {
        let mut who = asked.with_bank(&asked.batches, &row.batch);
        who.extend(asked.rows.get(&row.id).into_iter().flatten());
        if let RowKind::Of(_, payment) = row.kind {
            for place in who {
                add(&mut asked.payments, known.payment_id(payment), place);
            }
        }
    }
    for (payment, who) in asked.payments.clone() {
        if let Some(debt) = known.payments.get(&payment).and_then(|payment| payment.debt) {
            for place in who {
                add(&mut asked.debts, debt, place);
            }
        }
    }
    let debt_of = |bill: &ItemId| known.bills.get(bill).map(|bill| bill.debt);
    let mut give = |who: BTreeSet<usize>, put: &mut dyn FnMut(&mut Facts)| {
        for place in who {
            if let Some(ground) = grounds.get_mut(place) {
                put(ground);
            }
        }
    };
    for bill in &facts.bills {
        let who = debt_of(&bill.id).and_then(|debt| asked.debts.get(&debt)).cloned().unwrap_or_default();
        give(who, &mut |ground| ground.bills.push(bill.clone()));
    }
    for payment in &facts.payments {
        let id = known.payment_id(payment.id);
        let debt = if let Payee::Bill(bill) = payment.payee { debt_of(&bill) } else { None };
        let mut who: BTreeSet<usize> = asked.payments.get(&id).cloned().unwrap_or_default();
        who.extend(debt.and_then(|debt| asked.debts.get(&debt)).into_iter().flatten());
        for place in &who {
            add(&mut asked.payments, id, *place);
        }
        give(who, &mut |ground| ground.payments.push(payment.clone()));
    }
    for row in &facts.rows {
        let mut who = asked.with_bank(&asked.batches, &row.batch);
        who.extend(asked.rows.get(&row.id).into_iter().flatten());
        if let RowKind::Of(_, payment) = row.kind {
            who.extend(asked.payments.get(&known.payment_id(payment)).into_iter().flatten());
        }
        who.extend(row.bill.as_ref().and_then(debt_of).and_then(|debt| asked.debts.get(&debt)).into_iter().flatten());
        give(who, &mut |ground| ground.rows.push(row.clone()));
    }
    for batch in &facts.batches {
        give(asked.with_bank(&asked.batches, &batch.id), &mut |ground| ground.batches.push(batch.clone()));
    }
    give(asked.of_bank.clone(), &mut |ground| ground.bank_lines.clone_from(&facts.bank_lines));
    for alarm in &facts.alarms {
        give(asked.alarms.get(&alarm.id).cloned().unwrap_or_default(), &mut |ground| ground.alarms.push(alarm.clone()));
    }
    grounds.iter_mut().for_each(Facts::sort);
    grounds
}

/// What books hold of an item: its debt, that debt's bills, and their payments. For a decision about what no list tells of.
#[must_use]
pub fn of_known(known: &Known, item: ItemId) -> Facts {
    let payment = Some(known.payment_id(item)).filter(|id| known.payments.contains_key(id));
    let debt = match (item.subject(), payment) {
        (BooksSubject::Debt, _) => Some(item),
        (_, payment) => payment.and_then(|id| known.payments.get(&id)?.debt),
    };
    let debt = debt.and_then(|id| known.debts.get(&id));
    let bill = |id: &ItemId| {
        let bill = known.bills.get(id)?;
        Some(BillFact {
            id: *id,
            debt: bill.debt,
            invoice_number: bill.invoice_number.clone(),
            names: bill.names.clone(),
            reusable: known.debts.get(&bill.debt)?.is_reusable,
            due_on: bill.due_on,
            expires_on: bill.expires_on,
            events: bill.events.clone(),
            mark: None,
            dimensions: bill.dimensions.clone(),
        })
    };
    let paid = |id: &ItemId| {
        let payment = known.payments.get(id)?;
        let fact = PaymentFact {
            id: *id,
            identity: payment.identity,
            canonical: payment.canonical,
            aliases: payment.aliases.clone(),
            notified: payment.notified.clone(),
            channel: payment.channel,
            amount: u64::try_from(payment.amount.get()).ok().and_then(|amount| Amount::new(amount).ok())?,
            paid_at: payment.paid_at,
            payee: payment.payee,
            hold: payment.hold,
            only_told: payment.only_told,
            class: payment.class,
        };
        // What was corrected is no longer what was told.
        (fact.content() == payment.content).then_some(fact)
    };
    let payments: BTreeSet<ItemId> = debt.into_iter().flat_map(|debt| &debt.payments).copied().chain(payment).collect();
    let bills = debt.into_iter().flat_map(|debt| &debt.bills).filter_map(bill);
    let mut ground = Facts { bills: bills.collect(), payments: payments.iter().filter_map(paid).collect(), ..Facts::default() };
    ground.sort();
    ground
}

/// What of `facts` one decision stands on; see [`grounds`].
#[must_use]
pub fn ground(facts: &Facts, known: &Known, leg: Leg, other: Option<ItemId>) -> Facts {
    grounds(facts, known, &[(Some(leg), other)]).pop().unwrap_or_default()
}
