//! Which debts are posted apart, and which together with everything else.
//!
//! Most debts have bills, payments and settlement rows of their own, and nothing else in the books is about them. Such a debt is posted
//! with the some thousand others of its part, and what is known of it need not be in memory with the rest. Debts that a decision is
//! about, that money was waiting for, or that evidence connects with one another are posted together with what is no debt's: money
//! without a bill, batches, pay-outs, bank lines, alarms.
//!
//! Belongs here: the way of each fact, and of each thing known, to its part. Must not be here: posting (`post`).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::decision::Decision;
use super::fact::{Facts, Payee, RowKind};
use super::item::{ItemId, Subject};
use super::known::{Bill, Known, Payment, RowState};
use super::pair::Leg;

/// Where something is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// With the debts whose keys begin with this byte.
    Apart(u8),
    /// With everything that is tied.
    Together,
}

impl Part {
    /// Every part of debts that are posted apart, in their order.
    pub fn apart() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self::Apart)
    }
}

/// What a fact is about, as far as its way depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// A bill, and its debt.
    Bill(ItemId, ItemId),
    /// A payment, and the debt that the evidence says it is of.
    Payment(ItemId, Option<ItemId>),
    /// A settlement row, and the payment it settles with the debt of that.
    Row(ItemId, Option<(ItemId, Option<ItemId>)>),
    /// A settlement row that no payment is known for, and the debt of the bill it names.
    Waiting(ItemId, ItemId),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The debts that are posted together.
    together: HashSet<ItemId>,
    /// The payment that each known row is of.
    payments_of_rows: HashMap<ItemId, ItemId>,
}

impl Parts {
    /// The parts of a run whose facts have these links. `named`: what else is looked for, wherever it is.
    #[must_use]
    pub fn of(before: &Known, decisions: &[Decision], named: impl IntoIterator<Item = ItemId>, links: impl Iterator<Item = Link>) -> Self {
        let mut named: HashSet<ItemId> = named.into_iter().chain(decisions.iter().flat_map(named_by)).collect();
        named.extend(before.accepted.keys().filter_map(|leg| leg.item));
        for decided in before.decisions.values() {
            let posted = decided.posted.iter().flat_map(|(debit, credit, _)| [debit.item, credit.item]);
            named.extend(posted.chain([decided.debt, decided.leg.and_then(|leg| leg.item)]).flatten());
        }
        let mut parts = Self { together: HashSet::new(), payments_of_rows: payments_of_rows(before) };
        for item in &named {
            let debt = parts.debt_of(before, *item);
            parts.together.extend(debt);
        }
        // What a row in suspense names is posted where the row is.
        parts.together.extend(before.rows_waiting().into_keys());
        for link in links {
            parts.told(before, &named, link);
        }
        parts
    }

    /// The debt of what is known as `item`.
    fn debt_of(&self, before: &Known, item: ItemId) -> Option<ItemId> {
        match item.subject() {
            Subject::Debt => Some(item),
            Subject::Bill => before.bills.get(&item).map(|bill| bill.debt),
            Subject::Payment => before.payments.get(&before.payment_id(item)).and_then(|payment| payment.debt),
            Subject::Row => self.payments_of_rows.get(&item).and_then(|payment| self.debt_of(before, *payment)),
            _ => None,
        }
    }

    /// What is named is posted together, and so is what evidence connects although it was known apart.
    fn told(&mut self, before: &Known, named: &HashSet<ItemId>, link: Link) {
        let (id, debt, is_known) = match link {
            Link::Bill(id, debt) => (id, Some(debt), before.bills.contains_key(&id)),
            Link::Payment(id, debt) => (id, debt, before.payments.contains_key(&before.payment_id(id))),
            Link::Row(id, payment) => {
                let debt = payment.and_then(|(payment, debt)| self.debt_of(before, payment).or(debt));
                (id, debt, before.rows.contains_key(&id))
            }
            Link::Waiting(_, debt) => {
                self.together.insert(debt);
                return;
            }
        };
        let known = self.debt_of(before, id);
        if named.contains(&id) || (is_known && debt.is_some() && debt != known) {
            self.together.extend(known.into_iter().chain(debt));
        }
    }

    /// Where a debt is posted.
    #[must_use]
    pub fn debt(&self, id: ItemId) -> Part {
        if self.together.contains(&id) { Part::Together } else { Part::Apart(id.key().first().copied().unwrap_or_default()) }
    }

    /// Where what a fact says is posted: with what is known of it, else with what the evidence says.
    #[must_use]
    pub fn place(&self, before: &Known, link: Link) -> Part {
        let debt = match link {
            Link::Bill(id, debt) => Some(self.debt_of(before, id).unwrap_or(debt)),
            Link::Payment(id, debt) if !before.payments.contains_key(&before.payment_id(id)) => debt,
            Link::Row(id, payment) if !before.rows.contains_key(&id) => {
                return payment.map_or(Part::Together, |(payment, debt)| self.place(before, Link::Payment(payment, debt)));
            }
            Link::Payment(id, _) | Link::Row(id, _) | Link::Waiting(id, _) => self.debt_of(before, id),
        };
        debt.map_or(Part::Together, |debt| self.debt(debt))
    }

    /// What was known, by parts.
    #[must_use]
    pub fn split(&self, mut known: Known) -> Shares {
        let mut parts: BTreeMap<Part, Known> = BTreeMap::new();
        let empty = Known { began_on: known.began_on, ..Known::default() };
        macro_rules! share {
            ($map:ident, $debt_of:expr) => {
                for (id, value) in std::mem::take(&mut known.$map) {
                    let debt: Option<ItemId> = $debt_of(&known, &id, &value);
                    let part = debt.map_or(Part::Together, |debt| self.debt(debt));
                    parts.entry(part).or_insert_with(|| empty.clone()).$map.insert(id, value);
                }
            };
        }
        // What is about others goes before them.
        share!(balances, |known: &Known, leg: &Leg, _: &_| leg.item.and_then(|item| self.debt_of(known, item)));
        share!(rows, |known: &Known, id: &ItemId, _: &_| self.debt_of(known, *id));
        share!(aliases, |known: &Known, _: &ItemId, id: &ItemId| known.payments.get(id).and_then(|payment| payment.debt));
        share!(payments, |_: &Known, _: &ItemId, payment: &Payment| payment.debt);
        share!(bills, |_: &Known, _: &ItemId, bill: &Bill| Some(bill.debt));
        share!(debts, |_: &Known, id: &ItemId, _: &_| Some(*id));
        let together = parts.entry(Part::Together).or_insert_with(|| empty.clone());
        let Known { batches, payouts, bank_lines, decisions, alarms, accepted, .. } = known;
        (together.batches, together.payouts, together.bank_lines) = (batches, payouts, bank_lines);
        (together.decisions, together.alarms, together.accepted) = (decisions, alarms, accepted);
        Shares { parts, empty }
    }
}

/// What was known, by parts.
#[derive(Clone, Debug)]
pub struct Shares {
    parts: BTreeMap<Part, Known>,
    empty: Known,
}

impl Shares {
    /// What was known of a part.
    #[must_use]
    pub fn of(&self, part: Part) -> &Known {
        self.parts.get(&part).unwrap_or(&self.empty)
    }

    /// Whether anything was.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains_key(&part)
    }
}

/// The payment that each known row settled, or came too late for.
fn payments_of_rows(before: &Known) -> HashMap<ItemId, ItemId> {
    let settled = before.payments.iter().flat_map(|(id, payment)| {
        let held_as = Some(payment.held_as).filter(|item| item.subject() == Subject::Row);
        payment.row.into_iter().chain(held_as).map(|row| (row, *id))
    });
    let mut of: HashMap<ItemId, ItemId> = settled.collect();
    for (id, row) in before.rows.iter().filter(|(_, row)| row.state == RowState::Twice) {
        if let RowKind::Of(_, payment) = row.kind {
            of.entry(*id).or_insert(before.payment_id(payment));
        }
    }
    of
}

/// Everything that a decision is about, and that its facts tell of.
fn named_by(decision: &Decision) -> Vec<ItemId> {
    let Facts { bills, payments, rows, .. } = &decision.facts;
    let mut named = vec![decision.item];
    named.extend(decision.target);
    named.extend(bills.iter().flat_map(|bill| [bill.id, bill.debt]));
    for payment in payments {
        named.extend([payment.id].into_iter().chain(payment.aliases.iter().copied()));
        named.extend(if let Payee::Bill(bill) = payment.payee { Some(bill) } else { None });
    }
    for row in rows {
        named.push(row.id);
        named.extend(if let RowKind::Of(_, payment) = row.kind { Some(payment) } else { None });
    }
    named
}
