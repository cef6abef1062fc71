//! What a reconciliation found, by the parts in which the books post it.
//!
//! Belongs here: which facts there are, what they are about, and what is looked for anew. Must not be here: what a fact says (`facts`).

use std::collections::{HashMap, HashSet};

use super::Reconciled;
use super::alarms::alarms;
use super::fact_names::Names;
use super::facts::{as_old_as_paid, bill, known, listed_once, matched_anew, payee, payment};
use super::item_names::{payment_id, place};
use super::judge::JudgedPayment;
use super::known_payments::KnownPayment;
use super::settle::{JudgedRow, ToldIn};
use super::settlement_facts::{Named, bank_lines, batches, claimed_anew, named, named_by_rows, row, waits_for};
use super::terms::ReconcileTerms;
use crate::books::fact::{Facts, Payee, PaymentFact, RowFact, RowKind};
use crate::books::item::ItemId;
use crate::books::take_on::TakenOn;
use crate::books::{BooksDecision, Brief, Link, Part, Parts};
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;

/// What a reconciliation found, by the parts in which the books post it. Facts are made when they are asked for: all at once they would
/// take many times the memory of what they are made from.
#[derive(Debug)]
pub struct FactsByPart<'a> {
    outcome: &'a Reconciled,
    terms: &'a ReconcileTerms,
    names: Names,
    rows: Vec<Named>,
    /// Payments of the period that our ledger knows, and settlement rows prove.
    by_rows: HashSet<Digest>,
    bills_of: Order,
    payments_of: Order,
    known_of: Order,
    rows_of: Order,
    /// What is no debt's, and what waits for one.
    common: Facts,
}

impl<'a> FactsByPart<'a> {
    /// Finds the way of everything that `outcome` tells. `before` is what the books knew before it; `taken` is what they begin with.
    #[must_use]
    pub fn of(
        outcome: &'a Reconciled,
        terms: &'a ReconcileTerms,
        before: &Brief,
        decisions: &[BooksDecision],
        taken: &[TakenOn],
    ) -> (Self, Parts) {
        let names = Names::of(outcome, before);
        let rows = named(outcome);
        let mut found = Self {
            outcome,
            terms,
            names,
            rows,
            by_rows: named_by_rows(outcome, terms),
            bills_of: Order::default(),
            payments_of: Order::default(),
            known_of: Order::default(),
            rows_of: Order::default(),
            common: Facts::default(),
        };
        found.common = found.common(before);
        let waiting = found.common.payments.iter().map(|payment| Link::Payment(payment.id, found.debt_of_payee(payment.payee)));
        let claimed = found.claim_links();
        let links = found.bill_links().chain(found.payment_links()).chain(found.known_links()).chain(found.row_links());
        let parts = Parts::of(before, decisions, taken.iter().map(|item| item.item), links.chain(waiting).chain(claimed));
        let place = |link| parts.place(before, link);
        let ((bills, payments), (known, rows)) = rayon::join(
            || rayon::join(|| Order::of(found.bill_links().map(place)), || Order::of(found.payment_links().map(place))),
            || rayon::join(|| Order::of(found.known_links().map(place)), || Order::of(found.row_links().map(place))),
        );
        (found.bills_of, found.payments_of, found.known_of, found.rows_of) = (bills, payments, known, rows);
        (found, parts)
    }

    /// The facts of a part.
    #[must_use]
    pub fn facts(&self, part: Part) -> Facts {
        let Self { outcome, terms, names, .. } = self;
        let mut facts = if part == Part::Together { self.common.clone() } else { Facts::default() };
        let judged = self.payments_of.of_part(part).filter_map(|at| outcome.judged.get(at));
        facts.payments.extend(judged.filter_map(|judged| payment(outcome, names, judged, terms)));
        facts.payments.extend(self.known(part).filter(|known| self.is_told(known)).filter_map(|one| known(outcome, names, one)));
        facts.rows.extend(self.rows_of.of_part(part).filter_map(|at| self.row(at)));
        facts.bills.extend(self.bills_of.of_part(part).filter_map(|at| bill(outcome, names, &self.by_rows, at, terms)));
        facts.bills = listed_once(facts.bills);
        as_old_as_paid(&mut facts.bills, &facts.payments, terms);
        facts
    }

    /// The payments of this run that are posted with a part, by their places among the judged.
    pub(super) fn payments_of(&self, part: Part) -> impl Iterator<Item = usize> + '_ {
        self.payments_of.of_part(part)
    }

    /// The debt of a bill, by its number.
    pub(super) fn debt_of(&self, number: u32) -> Option<ItemId> {
        self.names.debt(number)
    }

    /// The bills that are posted with a part, by their numbers, each with its debt.
    pub(super) fn bills_of(&self, part: Part) -> impl Iterator<Item = (u32, ItemId)> + '_ {
        self.bills_of.of_part(part).filter_map(|at| {
            let number = u32::try_from(at).ok()?;
            Some((number, self.names.debt(number)?))
        })
    }

    /// Payments of a part's bills that are known from elsewhere than this evidence: what the books begin on.
    #[must_use]
    pub fn paid_before(&self, part: Part) -> Vec<PaymentFact> {
        self.known(part).filter_map(|one| known(self.outcome, &self.names, one)).collect()
    }

    /// Whether the evidence lists bills.
    #[must_use]
    pub fn lists_bills(&self) -> bool {
        !self.outcome.inputs.bills.is_empty()
    }

    fn known(&self, part: Part) -> impl Iterator<Item = &'a KnownPayment> + '_ {
        self.known_of.of_part(part).filter_map(|at| self.outcome.inputs.known.get(at)).filter(|known| !known.is_mark())
    }

    fn common(&self, before: &Brief) -> Facts {
        let Self { outcome, terms, names, .. } = self;
        let mut facts = Facts {
            payments: matched_anew(outcome, names, terms, before).collect(),
            batches: batches(outcome),
            bank_lines: bank_lines(outcome),
            alarms: alarms(outcome, names.bills.get(..outcome.inputs.bills.listed()).unwrap_or_default(), terms, before),
            ..Facts::default()
        };
        facts.rows = claimed_anew(outcome).collect();
        facts
    }

    /// The debt of a bill that money was waiting for: there are few of them.
    fn debt_of_payee(&self, payee: Payee) -> Option<ItemId> {
        let Payee::Bill(bill) = payee else { return None };
        let at = self.names.bills.iter().position(|id| *id == bill)?;
        self.names.debts.get(at).copied()
    }

    /// Rows of earlier months with the payments that are known of them now, each with its debt: the three are posted together.
    fn claim_links(&self) -> Vec<Link> {
        let payment_of = |row: &RowFact| if let RowKind::Of(_, payment) = row.kind { Some(payment) } else { None };
        let wanted: HashSet<ItemId> = self.common.rows.iter().filter_map(payment_of).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let told = self.payment_links().chain(self.known_links());
        let told = told.filter_map(|link| if let Link::Payment(id, debt) = link { Some((id, debt)) } else { None });
        let waiting = self.common.payments.iter().map(|payment| (payment.id, self.debt_of_payee(payment.payee)));
        let debts: HashMap<ItemId, Option<ItemId>> = told.chain(waiting).filter(|(id, _)| wanted.contains(id)).collect();
        let paid = |row: &RowFact| payment_of(row).map(|payment| (payment, debts.get(&payment).copied().flatten()));
        self.common.rows.iter().map(|row| Link::Row(row.id, paid(row))).collect()
    }

    fn bill_links(&self) -> impl Iterator<Item = Link> + '_ {
        self.names.bills.iter().zip(&self.names.debts).map(|(bill, debt)| Link::Bill(*bill, *debt))
    }

    fn payment_links(&self) -> impl Iterator<Item = Link> + '_ {
        self.outcome.judged.iter().map(|judged| self.payment_link(judged))
    }

    fn payment_link(&self, judged: &JudgedPayment) -> Link {
        let id = self.outcome.proof(judged).map_or_else(|| payment_id(&[0; 32]), |proof| payment_id(&proof.identity));
        let is_of_bill = matches!(payee(&self.names, judged), Payee::Bill(_)) && judged.class != Class::P17;
        Link::Payment(id, self.names.debt(judged.bill).filter(|_| is_of_bill))
    }

    fn known_links(&self) -> impl Iterator<Item = Link> + '_ {
        self.outcome.inputs.known.iter().map(|known| Link::Payment(payment_id(&known.identity), self.names.debt(known.bill)))
    }

    fn row_links(&self) -> impl Iterator<Item = Link> + '_ {
        self.rows.iter().enumerate().map(|(at, named)| {
            let told = self.told(at);
            match told.and_then(|(row, judged)| self.names.debt(waits_for(self.outcome, row, judged, self.terms)?)) {
                Some(debt) => Link::Waiting(named.id, debt),
                None => Link::Row(named.id, told.and_then(|(_, judged)| self.paid_link(judged.payment?))),
            }
        })
    }

    /// A row, and what was made of it.
    fn told(&self, at: usize) -> Option<(&'a SettlementRow, &'a JudgedRow)> {
        let (input, settled) = self.outcome.inputs.settlement.as_ref().zip(self.outcome.settled.as_ref())?;
        Some((input.files.rows.get(at)?, settled.rows.get(at)?))
    }

    fn paid_link(&self, told: ToldIn) -> Option<(ItemId, Option<ItemId>)> {
        let link = match told {
            ToldIn::Here(at) => self.payment_link(self.outcome.judged.get(place(at)?)?),
            ToldIn::Before(at) => {
                let known = self.outcome.inputs.known.get(place(at)?)?;
                Link::Payment(payment_id(&known.identity), self.names.debt(known.bill))
            }
            ToldIn::Orphan(at) => Link::Payment(self.outcome.inputs.orphans.get(place(at)?)?.id, None),
        };
        if let Link::Payment(id, debt) = link { Some((id, debt)) } else { None }
    }

    fn row(&self, at: usize) -> Option<RowFact> {
        let named = self.rows.get(at)?;
        Some(row(self.outcome, self.terms, &self.names, self.told(at)?, named))
    }

    /// What our ledger was told before the period is proved; of the period only evidence proves anything (L04), a settlement row, too.
    fn is_told(&self, known: &KnownPayment) -> bool {
        let is_proved = known.paid_at < self.terms.period.starts_at() || self.by_rows.contains(&known.identity);
        !known.is_mark() && known.in_ledger && !known.is_proved && is_proved
    }
}

/// Things by the parts they are posted in, in their own order within each.
#[derive(Debug, Default)]
struct Order {
    places: Vec<u32>,
    /// Where those of each part end that has any.
    ends: Vec<(Part, usize)>,
}

impl Order {
    fn of(parts: impl Iterator<Item = Part>) -> Self {
        let parts: Vec<Part> = parts.collect();
        let part_of = |at: u32| place(at).and_then(|at| parts.get(at)).copied();
        let mut places: Vec<u32> = (0_u32..).take(parts.len()).collect();
        places.sort_by_key(|at| part_of(*at));
        let of_part = places.chunk_by(|one, other| part_of(*one) == part_of(*other));
        let ends = of_part.scan(0_usize, |end, places| {
            *end = end.saturating_add(places.len());
            Some((part_of(*places.first()?)?, *end))
        });
        Self { ends: ends.collect(), places }
    }

    /// The places of a part.
    fn of_part(&self, part: Part) -> impl Iterator<Item = usize> + '_ {
        let found = self.ends.binary_search_by_key(&part, |(part, _)| *part).ok();
        let end_of = |at: usize| self.ends.get(at).map(|(_, end)| *end);
        let end = found.and_then(end_of).unwrap_or_default();
        let start = found.map_or(end, |at| at.checked_sub(1).and_then(end_of).unwrap_or_default());
        self.places.get(start..end).unwrap_or_default().iter().filter_map(|at| place(*at))
    }
}
