//! Which debts are posted apart, and which together with everything else.
//!
//! Most debts have bills, payments and settlement rows of their own, and nothing else in the books is about them. Such a debt is posted
//! with the some thousand others of its part, and what is known of it need not be in memory with the rest. Debts that a decision is
//! about, that money was waiting for, or that evidence connects with one another are posted together with what is no debt's: money
//! without a bill, batches, pay-outs, bank lines, alarms.
//!
//! Belongs here: the way of each fact, and of each thing known, to its part. Must not be here: posting (`post`).

use std::collections::{BTreeMap, HashSet};

use super::brief::Brief;
use super::decision::BooksDecision;
use super::fact::{Facts, Payee, RowKind};
use super::item::ItemId;
use super::known::Known;

/// Where something is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// With the debts whose keys begin alike: which beginning, counted from the lowest.
    Apart(u16),
    /// With everything that is tied.
    Together,
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
    /// How many bits of a key tell in which part it is.
    bits: u32,
}

/// How many bills a part has at most, as long as there are no more parts than two bytes tell apart: as many as a processor keeps at hand
/// with all that is known of them. With a few thousand a part, posting waits for memory.
const BILLS: usize = 1 << 8;

impl Parts {
    /// The parts of a run whose facts have these links. `named`: what else is looked for, wherever it is.
    #[must_use]
    pub fn of(
        before: &Brief,
        decisions: &[BooksDecision],
        named: impl IntoIterator<Item = ItemId>,
        links: impl Iterator<Item = Link>,
    ) -> Self {
        let mut named: HashSet<ItemId> = named.into_iter().chain(decisions.iter().flat_map(named_by)).collect();
        named.extend(before.decided());
        let mut parts = Self { together: named.iter().filter_map(|item| before.debt_of(*item)).collect(), bits: 0 };
        // What a row in suspense names is posted where the row is.
        parts.together.extend(before.debts_of_unclaimed_rows());
        let mut bills = 0_usize;
        for link in links {
            parts.told(before, &named, link);
            bills = bills.saturating_add(usize::from(matches!(link, Link::Bill(..))));
        }
        let count = bills.max(before.bill_count()).div_ceil(BILLS).next_power_of_two();
        parts.bits = count.ilog2().clamp(u8::BITS, u16::BITS);
        parts
    }

    /// Every part of debts that are posted apart, in their order.
    pub fn apart(&self) -> impl Iterator<Item = Part> + use<> {
        (0..=u16::MAX >> u16::BITS.saturating_sub(self.bits)).map(Part::Apart)
    }

    /// What is named is posted together, and so is what evidence connects although it was known apart.
    fn told(&mut self, before: &Brief, named: &HashSet<ItemId>, link: Link) {
        let (id, debt) = match link {
            Link::Bill(id, debt) => (id, Some(debt)),
            Link::Payment(id, debt) => (id, debt),
            Link::Row(id, payment) => (id, payment.and_then(|(payment, debt)| before.debt_of(payment).or(debt))),
            Link::Waiting(_, debt) => {
                self.together.insert(debt);
                return;
            }
        };
        let known = before.debt_of(id);
        if named.contains(&id) || (debt.is_some() && debt != known && before.has(id)) {
            self.together.extend(known.into_iter().chain(debt));
        }
    }

    /// Where a debt is posted.
    #[must_use]
    pub fn debt(&self, id: ItemId) -> Part {
        if self.together.contains(&id) {
            return Part::Together;
        }
        let [first, second, ..] = *id.key();
        Part::Apart(u16::from_be_bytes([first, second]) >> u16::BITS.saturating_sub(self.bits))
    }

    /// The byte with which the keys of a part's debts begin; none of what is posted together.
    #[must_use]
    pub fn byte(&self, part: Part) -> Option<u8> {
        match part {
            Part::Apart(number) => u8::try_from(number >> self.bits.saturating_sub(u8::BITS)).ok(),
            Part::Together => None,
        }
    }

    /// Where what is about a debt is posted, or about none.
    #[must_use]
    pub fn of_debt(&self, debt: Option<ItemId>) -> Part {
        debt.map_or(Part::Together, |debt| self.debt(debt))
    }

    /// Where what a fact says is posted: with what is known of it, else with what the evidence says.
    #[must_use]
    pub fn place(&self, before: &Brief, link: Link) -> Part {
        self.of_debt(match link {
            Link::Bill(id, debt) => Some(before.debt_of_bill(id).unwrap_or(debt)),
            Link::Payment(id, debt) if !before.has(id) => debt,
            Link::Row(id, payment) if !before.has(id) => {
                return payment.map_or(Part::Together, |(payment, debt)| self.place(before, Link::Payment(payment, debt)));
            }
            Link::Payment(id, _) | Link::Row(id, _) | Link::Waiting(id, _) => before.debt_of(id),
        })
    }
}

/// What was known, by parts.
#[derive(Clone, Debug, Default)]
pub struct Shares(BTreeMap<Part, Known>);

impl Shares {
    /// Puts more of what was known to its parts.
    pub fn add(&mut self, known: Known, parts: &Parts, before: &Brief) {
        for (part, known) in known.divided(before, |debt| parts.of_debt(debt)) {
            self.0.entry(part).or_default().join(known);
        }
    }

    /// Gives away what was known of a part, if anything was.
    pub fn take(&mut self, part: Part) -> Option<Known> {
        self.0.remove(&part)
    }
}

/// Everything that a decision is about, and that its facts tell of.
fn named_by(decision: &BooksDecision) -> Vec<ItemId> {
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
