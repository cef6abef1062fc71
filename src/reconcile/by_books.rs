//! Classes by the books: where a decision has moved a debt, evidence alone says neither what a payment found on it nor how its bills stand; nor
//! where a payment of an earlier month comes to light in this one.
//!
//! Belongs here: payments and bills of such debts, judged again. Must not be here: the rules (`domain::classify`), what stands where (`books`).

use std::collections::{BTreeSet, HashMap};

use super::found::Found;
use super::judge::{Before, JudgedPayment, again};
use super::judge_bills::{Attached, Judge};
use super::tally::{Identity, move_nature};
use super::{Finding, Outcome, Terms, facts, findings};
use crate::books::allocation::Allocation;
use crate::books::known::{Debt, Known, Payment};
use crate::books::off::Off;
use crate::books::{Account, ItemId, Leg, Month, Part, Subject};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::wib_date;
use crate::domain::classify::{BillSituation, Class, Family, Nature};
use crate::domain::line::NO_BILL;
use crate::domain::reason::{PaymentReason, Reason};

/// How a decision leaves something of a debt unpaid.
const BY_DECISION: [Off; 4] = [Off::Waived, Off::Lapsed, Off::WrittenOff, Off::Elsewhere];

/// How a debt stands in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// What it asks for.
    due: Rupiah,
    /// What of its payments is applied to it, or waits for a decision.
    paid: Rupiah,
    /// What decisions have taken off.
    taken_off: Rupiah,
}

impl Standing {
    fn of(debt: &Debt, known: &Known) -> Self {
        let held = debt.payments.iter().filter_map(|id| known.payments.get(id)).map(|payment| Leg::of(Account::Suspense, payment.held_as));
        let held: Rupiah = held.map(|leg| known.held(leg).max(Rupiah::ZERO)).sum();
        let taken_off = BY_DECISION.into_iter().map(|off| debt.off(off)).sum();
        Self { due: debt.due, paid: debt.applied().plus(held), taken_off }
    }

    /// A group owes what the largest of its bills asks for, so what is lacking of that is lacking of each.
    pub(super) fn say(&self, situation: &mut BillSituation) {
        let more = self.due.minus(situation.due.into());
        situation.attached = self.paid;
        situation.attached_count = u64::from(self.paid > Rupiah::ZERO);
        situation.paid_before = Rupiah::ZERO;
        situation.taken_off = self.taken_off.minus(more);
    }
}

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
    bills: HashMap<u32, Standing>,
}

impl ByBooks {
    /// Of a part whose month is carried from the one before: bills that were paid before the period, by what came to light in this run.
    pub(super) fn late(month: &Month, found: &Found<'_>, outcome: &Outcome, part: Part) -> Self {
        let paid = found.payments_of(part).filter_map(|at| outcome.judged.get(at)).filter(|judged| judged.class == Class::P16);
        let is_late = |judged: &&JudgedPayment| outcome.proof(judged).is_some_and(|proof| wib_date(proof.paid_at()) < month.period.from);
        let standing = |judged: &JudgedPayment| {
            let debt = month.known.debts.get(&found.debt_of(judged.bill)?).filter(|debt| !debt.is_reusable)?;
            Some((judged.bill, Standing::of(debt, &month.known)))
        };
        Self { payments: Vec::new(), bills: paid.filter(is_late).filter_map(standing).collect() }
    }

    /// With what another part says.
    pub(super) fn join(&mut self, other: Self) {
        self.payments.extend(other.payments);
        self.bills.extend(other.bills);
    }

    /// Of the debts that decisions have moved: they are posted together.
    pub(super) fn of(month: &mut Month, found: &Found<'_>, outcome: &Outcome, terms: &Terms) -> Self {
        let decided = decided(&month.known);
        if decided.is_empty() {
            return Self::default();
        }
        let payments: Vec<Again> =
            found.payments_of(Part::Together).filter_map(|at| judged_again(month, &decided, outcome, terms, at)).collect();
        // What is carried says what is found.
        for again in &payments {
            let id = ItemId::with_key(Subject::Payment, &again.id).map(|id| month.known.payment_id(id));
            if let Some(payment) = id.and_then(|id| month.known.payments.get_mut(&id)) {
                payment.class = again.class();
            }
        }
        let standing = |(number, debt): (u32, ItemId)| {
            let debt = month.known.debts.get(&debt).filter(|one| !one.is_reusable && decided.contains(&debt))?;
            Some((number, Standing::of(debt, &month.known)))
        };
        Self { payments, bills: found.bills_of(Part::Together).filter_map(standing).collect() }
    }

    /// The same by the books of a report: of the payments that they know, and of bills none of whose payments they do not.
    fn carried(known: &Known, outcome: &Outcome, terms: &Terms) -> Self {
        let decided = decided(known);
        let bills = known.bills.values().filter(|bill| decided.contains(&bill.debt));
        let numbered = bills.flat_map(|bill| outcome.inputs.bills.numbered(&bill.invoice_number).map(|number| (number, bill.debt)));
        let standing = |(number, debt)| Some((number, Standing::of(known.debts.get(&debt).filter(|debt| !debt.is_reusable)?, known)));
        let mut of = Self { payments: Vec::new(), bills: numbered.filter_map(standing).collect() };
        for (at, judged) in outcome.judged.iter().enumerate() {
            let (true, Some(proof)) = (of.bills.contains_key(&judged.bill) && judged.class.attaches(), outcome.proof(judged)) else {
                continue;
            };
            let id = known.payment_id(facts::payment_id(&proof.identity));
            match known.payments.get(&id) {
                Some(payment) => of.payments.extend(judged_then(payment, known, outcome, terms, at)),
                None => drop(of.bills.remove(&judged.bill)),
            }
        }
        of
    }

    /// What is found of each payment that was judged again: its class, or nothing.
    pub(super) fn found(&self) -> impl Iterator<Item = (&str, Option<Class>)> {
        self.payments.iter().map(|again| (again.id.as_str(), again.class()))
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
    named.into_iter().filter(|id| id.subject() == Subject::Debt).chain(paid).collect()
}

/// The payment at this place, if the books make it another than the evidence. What waits, was posted in an earlier month, or was corrected
/// since is what it was.
fn judged_again(month: &Month, decided: &BTreeSet<ItemId>, outcome: &Outcome, terms: &Terms, at: usize) -> Option<Again> {
    let (judged, proved) = (outcome.judged.get(at)?, outcome.payments.proved.get(at)?);
    let bill = outcome.inputs.bills.get(judged.bill).filter(|bill| judged.bill != NO_BILL && !bill.reusable())?;
    let identity = outcome.proof(judged)?.identity;
    let id = month.known.payment_id(facts::payment_id(&identity));
    let payment = month.known.payments.get(&id).filter(|payment| payment.debt.is_some_and(|debt| decided.contains(&debt)))?;
    let met = month.allocations.get(&id).filter(|met| met.amount == payment.amount && met.amount == Rupiah::new(proved.amount.into()))?;
    let before = before(met, judged.class, bill.amount.into());
    let again = again(&outcome.inputs, terms, judged, before, proved)?;
    let is_other = (again.class, again.nature, again.flags) != (judged.class, judged.nature, judged.flags);
    let owed = u64::try_from(met.owed().get()).unwrap_or_default();
    is_other.then(|| Again { at, id: findings::payment_id(&identity), judged: again, owed })
}

/// The payment at this place, if it was carried as another than the evidence makes it.
fn judged_then(payment: &Payment, known: &Known, outcome: &Outcome, terms: &Terms, at: usize) -> Option<Again> {
    let (judged, proved) = (outcome.judged.get(at)?, outcome.payments.proved.get(at)?);
    let debt = payment.debt.and_then(|debt| known.debts.get(&debt)).filter(|_| payment.hold.is_none())?;
    let taken = debt.applied_from(Leg::of(Account::Suspense, payment.held_as));
    let again = match payment.class {
        Some(class) => Some(JudgedPayment { class, nature: Nature::Break, ..*judged }),
        None if judged.nature == Nature::Break && taken == payment.amount => {
            let due = outcome.inputs.bills.get(judged.bill)?.amount;
            let paid = due.get().saturating_sub(proved.amount);
            again(&outcome.inputs, terms, judged, Before { paid, ..Before::default() }, proved)
        }
        None => None,
    };
    let again = again.filter(|again| again.class != judged.class)?;
    let (id, owed) = (findings::payment_id(&outcome.proof(judged)?.identity), u64::try_from(taken.get()).unwrap_or_default());
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

impl Outcome {
    /// Takes over what the books of a report say otherwise than the evidence.
    pub fn follow_books(&mut self, known: &Known, terms: &Terms) {
        self.follow(ByBooks::carried(known, self, terms), terms);
    }

    /// Takes over what the books say otherwise than the evidence.
    pub(super) fn follow(&mut self, books: ByBooks, terms: &Terms) {
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
        let judge = Judge::of(self, &attached, terms);
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
        self.standings = books.bills;
        self.count_again();
    }

    /// The classes' side of what must be equal, after classes have changed.
    fn count_again(&mut self) {
        let (paid, bills) = (self.payment_tallies.total(), self.bill_tallies.total());
        let counted = |identity: &mut Identity| match identity.name {
            "unique_payments_equal_payment_classes" => identity.right = paid.count.into(),
            "bills_in_scope_equal_bill_classes" => identity.right = bills.count.into(),
            "bills_in_scope_rupiah_equal_bill_classes_rupiah" => identity.right = bills.rupiah.get(),
            _ => {}
        };
        self.identities.iter_mut().for_each(counted);
    }
}
