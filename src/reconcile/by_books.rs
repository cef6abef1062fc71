//! Classes by the books: where a decision has moved a debt, evidence alone says neither what a payment found on it nor how its bills stand; nor
//! where a payment of an earlier month comes to light in this one.
//!
//! Belongs here: payments and bills of such debts, judged again. Must not be here: the rules (`domain::classify`), what stands where (`books`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::facts_by_part::FactsByPart;
use super::finding::Finding;
use super::judge::{Before, JudgedPayment, again};
use super::judge_bills::{Attached, Judge};
use super::open_items::Findings;
use super::tally::{ControlIdentity, move_nature};
use super::terms::ReconcileTerms;
use super::{Reconciled, finding, findings, item_names};
use crate::books::allocation::Allocation;
use crate::books::known::{AppliedMoney, BookedPayment, Debt, Known};
use crate::books::standing::DebtStanding;
use crate::books::ways_off::WayOff;
use crate::books::{Account, BooksSubject, ItemId, Leg, Part, PostedMonth};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, ClassSubject, Family, Nature};
use crate::domain::line::NO_BILL;
use crate::domain::reason::{PaymentReason, Reason};

/// Classes of payments that say what was owed when they came: what a payment met once is what it is found as ever after.
const BY_WHAT_WAS_OWED: [Class; 5] = [Class::P03, Class::P04, Class::P06, Class::P10, Class::P12];

/// A payment judged again.
#[derive(Debug)]
struct Again {
    /// Its place among the judged.
    at: usize,
    /// Under which id it is found.
    id: String,
    judged: JudgedPayment,
    /// What was owed when it came, in rupiah.
    owed: u64,
}

/// What the books say otherwise than the evidence.
#[derive(Debug, Default)]
pub(super) struct ByBooks {
    payments: Vec<Again>,
    bills: HashMap<u32, DebtStanding>,
    /// What is found of these bills.
    found: BillsAgain,
}

/// What is found of bills that were judged again.
#[derive(Debug, Default)]
struct BillsAgain {
    /// The ids under which any of them is found.
    ids: HashSet<String>,
    /// Those that somebody must look at.
    findings: Vec<Finding>,
}

impl BillsAgain {
    fn of(bills: &HashMap<u32, DebtStanding>, outcome: &Reconciled, terms: &ReconcileTerms) -> Self {
        let attached = Attached::of(&outcome.inputs, &outcome.payments, &outcome.judged);
        let judge = Judge::of(&outcome.inputs, outcome.settled.as_ref(), &attached, terms);
        let judged = bills.iter().filter_map(|(number, standing)| Some(judge.bill_as(*number, Some(standing))?.0));
        let mut judged: Vec<_> = judged.filter(|one| one.nature == Nature::Break || one.flags.raising().is_some()).collect();
        judged.sort_unstable_by_key(|one| one.bill);
        let mut findings = findings::Findings::new(&outcome.inputs, &outcome.payments, &outcome.judged, terms);
        findings.bills(&judged, &attached);
        let listed = &outcome.inputs.bills;
        let id = |number: &u32| finding::bill_id(listed.invoice_number(*number), listed.payment_code(*number));
        Self { ids: bills.keys().map(id).collect(), findings: findings.finish() }
    }
}

impl ByBooks {
    /// Of a part whose month is carried from the one before: bills that were paid before the period, by what came to light in this run.
    pub(super) fn late(month: &PostedMonth, found: &FactsByPart<'_>, outcome: &Reconciled, part: Part) -> Self {
        let paid = found.payments_of(part).filter_map(|at| outcome.judged.get(at)).filter(|judged| judged.class == Class::P16);
        let is_late = |judged: &&JudgedPayment| outcome.proof(judged).is_some_and(|proof| wib_date(proof.paid_at()) < month.period.from);
        let standing = |judged: &JudgedPayment| {
            let debt = month.known.debts.get(&found.debt_of(judged.bill)?).filter(|debt| !debt.is_reusable)?;
            Some((judged.bill, DebtStanding::of(debt, &month.known)))
        };
        Self { bills: paid.filter(is_late).filter_map(standing).collect(), ..Self::default() }
    }

    /// With what another part says.
    pub(super) fn join(&mut self, other: Self) {
        self.payments.extend(other.payments);
        self.bills.extend(other.bills);
    }

    /// Of the debts that decisions have moved: they are posted together.
    pub(super) fn of(month: &mut PostedMonth, found: &FactsByPart<'_>, outcome: &Reconciled, terms: &ReconcileTerms) -> Self {
        let decided = decided(&month.known);
        if decided.is_empty() {
            return Self::default();
        }
        let payments: Vec<Again> =
            found.payments_of(Part::Together).filter_map(|at| judged_again(month, &decided, outcome, terms, at)).collect();
        // What is carried says what is found.
        for again in &payments {
            let id = ItemId::with_key(BooksSubject::Payment, &again.id).map(|id| month.known.payment_id(id));
            if let Some(payment) = id.and_then(|id| month.known.payments.get_mut(&id)) {
                payment.class = again.class();
            }
        }
        let standing = |(number, debt): (u32, ItemId)| {
            let debt = month.known.debts.get(&debt).filter(|one| !one.is_reusable && decided.contains(&debt))?;
            Some((number, DebtStanding::of(debt, &month.known)))
        };
        let bills = found.bills_of(Part::Together).filter_map(standing).collect();
        Self { payments, found: BillsAgain::of(&bills, outcome, terms), bills }
    }

    /// The same by the books of a report, of some debts. A payment that these books do not know is held against what they show.
    fn carried(known: &Known, debts: &BTreeSet<ItemId>, outcome: &Reconciled, terms: &ReconcileTerms) -> Self {
        let of_evidence = &outcome.inputs.bills;
        let owes = |id: &ItemId| known.debts.get(id).filter(|debt| !debt.is_reusable && !debt.is_before_books);
        let bills = known.bills.values().filter(|bill| debts.contains(&bill.debt) && owes(&bill.debt).is_some());
        let numbered = bills.flat_map(|bill| of_evidence.numbered(&bill.invoice_number).map(|number| (number, bill.debt)));
        let numbered: HashMap<u32, ItemId> = numbered.collect();
        let mut met: BTreeMap<ItemId, Met> = numbered.values().filter_map(|id| Some((*id, Met::of(owes(id)?)))).collect();
        for (number, id) in &numbered {
            // What the ledger asks for since.
            if let (Some(met), Some(bill)) = (met.get_mut(id).filter(|met| met.debt.bills.len() == 1), of_evidence.get(*number)) {
                met.debt.due = bill.amount.into();
            }
        }
        let (mut payments, mut news) = (Vec::new(), Vec::new());
        for (at, judged) in outcome.judged.iter().enumerate() {
            let (Some(debt), true, Some(proof)) = (numbered.get(&judged.bill), judged.class.attaches(), outcome.proof(judged)) else {
                continue;
            };
            match known.payments.get(&known.payment_id(item_names::payment_id(&proof.identity))) {
                Some(payment) => payments.extend(judged_then(payment, known, outcome, terms, at)),
                None => news.push((proof.paid_at(), proof.identity, at, *debt)),
            }
        }
        news.sort_unstable();
        for (_, _, at, debt) in news {
            payments.extend(met.get_mut(&debt).and_then(|met| met.judged_now(outcome, terms, at)));
        }
        let bills = numbered.iter().filter_map(|(number, id)| Some((*number, met.get(id)?.standing(known)))).collect();
        Self { payments, found: BillsAgain::default(), bills }
    }

    /// With what is found of each payment and bill that was judged again.
    pub(super) fn found<'b, 'a: 'b>(&'b self, findings: &Findings<'a>) -> Findings<'b> {
        let payments = self.payments.iter().map(|again| (again.id.as_str(), again.class()));
        findings.but(payments, &self.found.ids, &self.found.findings)
    }
}

/// A debt of a report's books, and what payments that these do not know have met on it since.
struct Met {
    debt: Debt,
    /// What of those payments was over.
    over: Rupiah,
}

impl Met {
    fn of(debt: &Debt) -> Self {
        Self { debt: debt.clone(), over: Rupiah::ZERO }
    }

    fn standing(&self, known: &Known) -> DebtStanding {
        let standing = DebtStanding::of(&self.debt, known);
        standing.with_held(self.over)
    }

    /// The payment at this place, if the books make it another than the evidence: it takes what the debt shows, and what money restores.
    fn judged_now(&mut self, outcome: &Reconciled, terms: &ReconcileTerms, at: usize) -> Option<Again> {
        let (judged, proved) = (outcome.judged.get(at)?, outcome.payments.proved.get(at)?);
        let (bill, proof) = (outcome.inputs.bills.get(judged.bill)?, outcome.proof(judged)?);
        let amount = Rupiah::new(proved.amount.into());
        if judged.class.is_held() && !matches!(judged.class, Class::P06 | Class::P12) {
            self.over = self.over.plus(amount);
            return None;
        }
        let (open, limit) = (self.debt.open().max(Rupiah::ZERO), self.debt.takes().max(Rupiah::ZERO));
        let (taken, is_over) = (amount.min(limit), limit == Rupiah::ZERO);
        // As in `Allocation::owed`: what money restores is owed only as far as money comes.
        let owed = if amount > limit { taken } else { amount.plus(open.minus(taken).max(Rupiah::ZERO)) };
        let elsewhere = is_over && (self.debt.off(WayOff::Elsewhere) > Rupiah::ZERO || judged.class == Class::P12);
        let paid = u64::try_from(Rupiah::from(bill.amount).minus(owed).get()).unwrap_or_default();
        let again = again(&outcome.inputs, terms, judged, Before { covered: is_over && !elsewhere, elsewhere, paid }, proved)?;
        let mut back = taken.minus(open).max(Rupiah::ZERO);
        for off in WayOff::RESTORED {
            let part = back.min(self.debt.off(off));
            self.debt.add_off(off, Rupiah::ZERO.minus(part));
            back = back.minus(part);
        }
        let from = Leg::of(Account::Doku, item_names::payment_id(&proof.identity));
        self.debt.applied.push(AppliedMoney { from, back: from, amount: taken });
        self.over = self.over.plus(amount.minus(taken));
        let owed = u64::try_from(owed.get()).unwrap_or_default();
        (again.class != judged.class).then(|| Again { at, id: finding::payment_id(&proof.identity), judged: again, owed })
    }
}

impl Again {
    fn class(&self) -> Option<Class> {
        (self.judged.nature == Nature::Break).then_some(self.judged.class)
    }
}

/// The debts that decisions have moved, or money of whose payments.
fn decided(known: &Known) -> BTreeSet<ItemId> {
    let standing = known.decisions.values().filter(|decided| decided.refused.is_none());
    let named = |decided: &crate::books::known::Decided| {
        let posted = decided.posted.iter().flat_map(|(debit, credit, _)| [debit.item, credit.item]);
        posted.chain([decided.debt, decided.leg.and_then(|leg| leg.item)]).flatten().collect::<Vec<_>>()
    };
    let named: BTreeSet<ItemId> = standing.flat_map(named).collect();
    let paid = known.payments.iter().filter(|(id, payment)| named.contains(id) || named.contains(&payment.held_as));
    let paid: Vec<ItemId> = paid.filter_map(|(_, payment)| payment.debt).collect();
    named.into_iter().filter(|id| id.subject() == BooksSubject::Debt).chain(paid).collect()
}

/// The payment at this place, if the books make it another than the evidence. What waits, was posted in an earlier month, or was corrected
/// since is what it was.
fn judged_again(month: &PostedMonth, decided: &BTreeSet<ItemId>, outcome: &Reconciled, terms: &ReconcileTerms, at: usize) -> Option<Again> {
    let (judged, proved) = (outcome.judged.get(at)?, outcome.payments.proved.get(at)?);
    let bill = outcome.inputs.bills.get(judged.bill).filter(|bill| judged.bill != NO_BILL && !bill.reusable())?;
    let identity = outcome.proof(judged)?.identity;
    let id = month.known.payment_id(item_names::payment_id(&identity));
    let payment = month.known.payments.get(&id).filter(|payment| payment.debt.is_some_and(|debt| decided.contains(&debt)))?;
    let met = month.allocations.get(&id).filter(|met| met.amount == payment.amount && met.amount == Rupiah::new(proved.amount.into()))?;
    let before = before(met, judged.class, bill.amount.into());
    let again = again(&outcome.inputs, terms, judged, before, proved)?;
    let is_other = (again.class, again.nature, again.flags) != (judged.class, judged.nature, judged.flags);
    let owed = u64::try_from(met.owed().get()).unwrap_or_default();
    is_other.then(|| Again { at, id: finding::payment_id(&identity), judged: again, owed })
}

/// The payment at this place, if it was carried as another than the evidence makes it.
fn judged_then(payment: &BookedPayment, known: &Known, outcome: &Reconciled, terms: &ReconcileTerms, at: usize) -> Option<Again> {
    let (judged, proved) = (outcome.judged.get(at)?, outcome.payments.proved.get(at)?);
    let debt = payment.debt.and_then(|debt| known.debts.get(&debt)).filter(|_| payment.hold.is_none())?;
    let taken = debt.applied_from(Leg::of(Account::Suspense, payment.held_as));
    let again = match payment.class {
        Some(class) if BY_WHAT_WAS_OWED.contains(&class) => Some(JudgedPayment { class, nature: Nature::Break, ..*judged }),
        None if judged.nature == Nature::Break && taken == payment.amount => {
            let due = outcome.inputs.bills.get(judged.bill)?.amount;
            let paid = due.get().saturating_sub(proved.amount);
            again(&outcome.inputs, terms, judged, Before { paid, ..Before::default() }, proved)
        }
        Some(_) | None => None,
    };
    let again = again.filter(|again| again.class != judged.class)?;
    let (id, owed) = (finding::payment_id(&outcome.proof(judged)?.identity), u64::try_from(taken.get()).unwrap_or_default());
    Some(Again { at, id, judged: again, owed })
}

fn before(met: &Allocation, class: Class, due: Rupiah) -> Before {
    let is_over = met.taken <= Rupiah::ZERO;
    let elsewhere = is_over && (met.is_paid_elsewhere || class == Class::P12);
    let paid = u64::try_from(due.minus(met.owed()).get()).unwrap_or_default();
    Before { covered: is_over && !elsewhere, elsewhere, paid }
}

/// What is found of a payment whose amount is another than what decisions had left to pay.
fn decided_upon(finding: Finding, paid: u64, owed: u64) -> Finding {
    use PaymentReason::{Covered, GroupPaid, Paid};
    let is_of_amounts = matches!(&finding.reason, Reason::Payment(of) if matches!(**of, Paid { .. } | Covered { .. } | GroupPaid { .. }));
    let Some(paid) = Amount::new(paid).ok().filter(|_| is_of_amounts) else { return finding };
    Finding { expected: Some(Rupiah::new(owed.into())), reason: PaymentReason::Decided { paid, owed }.into(), ..finding }
}

impl Reconciled {
    /// Takes over what the books of a report say of some debts otherwise than the evidence.
    pub fn follow_books(&mut self, known: &Known, debts: &BTreeSet<ItemId>, terms: &ReconcileTerms) {
        self.follow(ByBooks::carried(known, debts, self, terms), terms);
    }

    /// Takes over what the books say otherwise than the evidence.
    pub(super) fn follow(&mut self, books: ByBooks, terms: &ReconcileTerms) {
        if books.payments.is_empty() && books.bills.is_empty() {
            return;
        }
        for Again { at, id, judged, owed } in books.payments {
            let Some(before) = self.judged.get_mut(at) else { continue };
            let before = std::mem::replace(before, judged);
            let Some(proved) = self.payments.proved.get(at) else { continue };
            let amount = Rupiah::new(proved.amount.into());
            self.payment_tallies.take_one(before.class, amount);
            self.payment_tallies.add(judged.class, amount);
            move_nature(&mut self.natures, before.nature, judged.nature, amount);
            // Those of its line were counted with the lines.
            before.flags.without(Class::N03).iter().for_each(|flag| self.flags.take_one(flag, amount));
            judged.flags.without(Class::N03).iter().for_each(|flag| self.flags.add(flag, amount));
            let findings = findings::Findings::new(&self.inputs, &self.payments, &self.judged, terms);
            let found = findings.payment(proved, &judged).filter(|_| judged.nature == Nature::Break);
            let found = found.map(|finding| decided_upon(finding, proved.amount, owed));
            self.findings.retain(|finding| finding.id != id || finding.class.info().family != Family::Payment);
            self.findings.extend(found);
        }
        let attached = Attached::of(&self.inputs, &self.payments, &self.judged);
        let judge = Judge::of(&self.inputs, self.settled.as_ref(), &attached, terms);
        let moved = books.bills.iter().filter_map(|(number, standing)| {
            let ((before, bill), (after, _)) = (judge.bill(*number)?, judge.bill_as(*number, Some(standing))?);
            Some((before, after, Rupiah::from(bill.amount)))
        });
        let moved: Vec<_> = moved.collect();
        for (before, after, amount) in moved {
            self.bill_tallies.take_one(before.class, amount);
            self.bill_tallies.add(after.class, amount);
            move_nature(&mut self.natures, before.nature, after.nature, amount);
        }
        let BillsAgain { ids, findings } = BillsAgain::of(&books.bills, self, terms);
        self.findings.retain(|finding| finding.class.info().about != ClassSubject::Bill || !ids.contains(&finding.id));
        self.findings.extend(findings);
        self.standings = books.bills;
        self.count_again();
    }

    /// The classes' side of what must be equal, after classes have changed.
    fn count_again(&mut self) {
        let (paid, bills) = (self.payment_tallies.total(), self.bill_tallies.total());
        let counted = |identity: &mut ControlIdentity| match identity.name {
            "unique_payments_equal_payment_classes" => identity.right = paid.count.into(),
            "bills_in_scope_equal_bill_classes" => identity.right = bills.count.into(),
            "bills_in_scope_rupiah_equal_bill_classes_rupiah" => identity.right = bills.rupiah.get(),
            _ => {}
        };
        self.identities.iter_mut().for_each(counted);
    }
}
