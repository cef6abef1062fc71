//! What became of every bill in scope, by the payments attached to it; summed up in parallel, in the order of the bills.

use rayon::prelude::*;

use super::bill::Bill;
use super::bills::Bills;
use super::dedupe::Payments;
use super::inputs::Inputs;
use super::judge::JudgedPayment;
use super::new_bill::ExternalMark;
use super::settle::Settled;
use super::tally::{Tallies, add_nature};
use super::terms::ReconcileTerms;
use crate::books::standing::DebtStanding;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{BillSituation, Class, ClassSet, Nature, PaidMark, bill_class, is_live};
use crate::domain::sum::Sum;

/// A bill in scope with its class.
#[derive(Clone, Copy, Debug)]
pub(super) struct JudgedBill {
    pub(super) bill: u32,
    pub(super) class: Class,
    pub(super) nature: Nature,
    pub(super) flags: ClassSet,
}

const _: () = assert!(size_of::<JudgedBill>() <= 20, "as many as bills");

/// What is attached to one bill.
#[derive(Clone, Copy, Debug, Default)]
struct AttachedToBill {
    /// Rupiah; a sum that does not fit stays at the bound, and an identity then fails.
    amount: u64,
    count: u32,
    /// Whether the evidence holds a payment of it outside the period.
    outside: bool,
}

/// What is attached to each bill.
#[derive(Debug)]
pub(super) struct Attached(Vec<AttachedToBill>);

impl Attached {
    pub(super) fn of(inputs: &Inputs, payments: &Payments, judged: &[JudgedPayment]) -> Self {
        let mut all = vec![AttachedToBill::default(); inputs.bills.len()];
        for (proved, payment) in payments.proved.iter().zip(judged) {
            let Some(bill) = usize::try_from(payment.bill).ok().and_then(|bill| all.get_mut(bill)) else { continue };
            bill.outside |= payment.class == Class::P16;
            if payment.class.attaches() {
                bill.amount = bill.amount.saturating_add(proved.amount);
                bill.count = bill.count.saturating_add(1);
            }
        }
        Self(all)
    }

    fn of_bill(&self, bill: u32) -> AttachedToBill {
        usize::try_from(bill).ok().and_then(|bill| self.0.get(bill)).copied().unwrap_or_default()
    }

    pub(super) fn amount(&self, bill: u32) -> Rupiah {
        Rupiah::new(self.of_bill(bill).amount.into())
    }

    pub(super) fn total(&self) -> Sum {
        let tally = |bill: &AttachedToBill| Sum { count: bill.count.into(), rupiah: Rupiah::new(bill.amount.into()) };
        self.0.iter().map(tally).sum()
    }
}

/// Bills in scope by class, and those someone must look at.
#[derive(Default)]
pub(super) struct JudgedBills {
    pub(super) tallies: Tallies,
    pub(super) flags: Tallies,
    pub(super) natures: [Sum; 3],
    /// BREAK bills, and bills with a flag that raises them, by number.
    pub(super) findings: Vec<JudgedBill>,
}

impl JudgedBills {
    pub(super) fn of(inputs: &Inputs, attached: &Attached, settled: Option<&Settled>, terms: &ReconcileTerms) -> Self {
        let live_twice = live_twice(&inputs.bills, terms);
        let count = u32::try_from(inputs.bills.len()).unwrap_or(u32::MAX);
        let judge = Judge { inputs, attached, settled, live_twice, terms };
        let add = |mut all: Self, number: u32| {
            if let Some((judged, bill)) = judge.bill(number) {
                all.add(judged, bill.amount.into());
            }
            all
        };
        (0..count).into_par_iter().with_min_len(1 << 13).fold(Self::default, add).reduce(Self::default, Self::plus)
    }

    fn add(&mut self, judged: JudgedBill, amount: Rupiah) {
        self.tallies.add(judged.class, amount);
        add_nature(&mut self.natures, judged.nature, Sum::one(amount));
        for flag in judged.flags.iter() {
            self.flags.add(flag, amount);
        }
        if judged.nature == Nature::Break || judged.flags.raising().is_some() {
            self.findings.push(judged);
        }
    }

    fn plus(mut self, later: Self) -> Self {
        for (nature, tally) in Nature::ALL.into_iter().zip(later.natures) {
            add_nature(&mut self.natures, nature, tally);
        }
        self.findings.extend(later.findings);
        let (tallies, flags) = (self.tallies.plus(&later.tallies), self.flags.plus(&later.flags));
        Self { tallies, flags, natures: self.natures, findings: self.findings }
    }
}

/// What a bill's class follows from, beside the bill.
pub(super) struct Judge<'a> {
    inputs: &'a Inputs,
    attached: &'a Attached,
    settled: Option<&'a Settled>,
    /// Sorted.
    live_twice: Vec<u32>,
    terms: &'a ReconcileTerms,
}

impl<'a> Judge<'a> {
    pub(super) fn of(inputs: &'a Inputs, settled: Option<&'a Settled>, attached: &'a Attached, terms: &'a ReconcileTerms) -> Self {
        Self { inputs, attached, settled, live_twice: live_twice(&inputs.bills, terms), terms }
    }

    /// One bill with its class, if it is in scope.
    pub(super) fn bill(&self, number: u32) -> Option<(JudgedBill, &'a Bill)> {
        self.bill_as(number, None)
    }

    /// The same, as the books have it where `standing` says so.
    pub(super) fn bill_as(&self, number: u32, standing: Option<&DebtStanding>) -> Option<(JudgedBill, &'a Bill)> {
        let bill = self.inputs.bills.get(number).filter(|bill| in_scope(self.inputs, number, bill, self.terms))?;
        let mark = paid_mark(self.inputs, number, bill, self.terms);
        let twice = self.live_twice.binary_search(&number).is_ok();
        let mut situation = situation(bill, self.attached.of_bill(number), mark);
        // A bill that may be paid any number of times asks for it all again every time (rules, 1.5).
        situation.paid_before = if bill.reusable() { Rupiah::ZERO } else { paid_before(self.inputs, number, self.terms) };
        situation.settled = self.settled.is_some_and(|settled| settled.has_bill(number)) || self.inputs.waited_for.contains(&number);
        if let Some(standing) = standing {
            standing.say(&mut situation);
        }
        Some((judge_bill((number, bill), &situation, twice, self.terms), bill))
    }
}

fn situation(bill: &Bill, attached: AttachedToBill, mark: PaidMark) -> BillSituation {
    BillSituation {
        due: bill.amount,
        reusable: bill.reusable(),
        has_code: bill.has_code(),
        issue_in_doubt: bill.issue_in_doubt(),
        cancelled_at: bill.cancelled_at(),
        expires_at: bill.expires_at(),
        attached_count: attached.count.into(),
        attached: Rupiah::new(attached.amount.into()),
        paid_before: Rupiah::ZERO,
        taken_off: Rupiah::ZERO,
        mark,
        paid_outside_period: attached.outside,
        settled: false,
    }
}

fn judge_bill((number, bill): (u32, &Bill), situation: &BillSituation, twice: bool, terms: &ReconcileTerms) -> JudgedBill {
    let (class, nature) = bill_class(situation, terms.as_of, &terms.policy);
    let flags = [(Class::L07, twice), (Class::L08, bill.issued_otherwise())];
    let flags = flags.into_iter().filter(|(_, on)| *on).map(|(class, _)| class).collect();
    JudgedBill { bill: number, class, nature, flags }
}

/// Rules, 1.5: open at any time from the period's start to as-of.
pub(super) fn in_scope(inputs: &Inputs, number: u32, bill: &Bill, terms: &ReconcileTerms) -> bool {
    let starts_at = terms.period.starts_at();
    let grace = jiff::SignedDuration::from_mins(terms.policy.expiry_grace_minutes);
    let expired = bill.expires_at().is_some_and(|at| starts_at.duration_since(at) > grace);
    let paid = !bill.reusable() && inputs.known.of_bill(number).iter().any(|known| known.closes(starts_at));
    let is_listed = inputs.bills.unlisted(number).is_none();
    is_listed
        && bill.planned_at().is_none_or(|at| at <= terms.as_of)
        && bill.cancelled_at().is_none_or(|at| at >= starts_at)
        && !expired
        && !paid
}

/// What a ledger that is not this evidence says of payment.
fn paid_mark(inputs: &Inputs, number: u32, bill: &Bill, terms: &ReconcileTerms) -> PaidMark {
    let dated = |at| if terms.period.contains(at) { PaidMark::InPeriod } else { PaidMark::Elsewhere };
    match bill.external_mark() {
        ExternalMark::Undated => return PaidMark::InPeriod,
        ExternalMark::At(at) => return dated(at),
        ExternalMark::Unpaid => {}
    }
    let known = inputs.known.of_bill(number).iter().filter(|known| known.in_ledger && !known.is_proved);
    known.map(|known| dated(known.paid_at)).fold(PaidMark::None, |worst, mark| match (worst, mark) {
        (PaidMark::InPeriod, _) | (_, PaidMark::InPeriod) => PaidMark::InPeriod,
        (PaidMark::None, mark) => mark,
        (worst, _) => worst,
    })
}

/// What payments of earlier periods come to, as an earlier month or the ledger tells of them; a mark tells of no payment.
fn paid_before(inputs: &Inputs, number: u32, terms: &ReconcileTerms) -> Rupiah {
    let starts_at = terms.period.starts_at();
    let known = inputs.known.of_bill(number).iter().filter(|known| !known.is_mark() && known.paid_at < starts_at);
    known.map(|known| Rupiah::new(known.amount.into())).sum()
}

/// L07: bills that share a live code with another, sorted.
fn live_twice(bills: &Bills, terms: &ReconcileTerms) -> Vec<u32> {
    let live = |number: u32| {
        bills.get(number).filter(|bill| !bill.code_is_dead() && bills.unlisted(number).is_none()).filter(|bill| {
            let known = bill.created_at().or_else(|| bill.planned_at());
            is_live(known, bill.expires_at(), bill.cancelled_at(), terms.as_of)
        })
    };
    let mut found = Vec::new();
    for run in bills.same_code_runs() {
        let live = run.iter().filter_map(|&(_, number)| Some((live(number)?.channel, bills.payment_code(number), number)));
        let mut live: Vec<_> = live.collect();
        live.sort_unstable();
        for same in live.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let mut invoices = same.iter().map(|&(.., number)| bills.invoice_number(number));
            let first = invoices.next();
            if invoices.any(|invoice| Some(invoice) != first) {
                found.extend(same.iter().map(|&(.., number)| number));
            }
        }
    }
    found.sort_unstable();
    found
}
