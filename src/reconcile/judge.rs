//! Facts gathered in bulk, one bill or payment at a time handed to the pure rules of `domain::classify`.

use rayon::prelude::*;

use super::bills::{Bill, Bills, ExternalMark, Found, KnownPayment};
use super::dedupe::{Payments, Proved};
use super::tally::{Tallies, Tally};
use super::{Inputs, Terms};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{
    BillFacts, BillSituation, Class, ClassSet, Match, Nature, PaidMark, PaymentFacts, bill_class, covers, is_live, payment_class,
};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Lines, Marks, NO_BILL};

/// A unique payment with its class.
#[derive(Clone, Copy, Debug)]
pub struct JudgedPayment {
    /// The line that proves it.
    pub line: u32,
    /// Its bill, or [`NO_BILL`].
    pub bill: u32,
    /// Its class.
    pub class: Class,
    /// Lower hits and flags.
    pub flags: ClassSet,
}

/// A bill in scope with its class.
#[derive(Clone, Copy, Debug)]
pub(super) struct JudgedBill {
    pub(super) bill: u32,
    pub(super) class: Class,
    pub(super) nature: Nature,
    pub(super) flags: ClassSet,
}

/// Whether payments of a class are a bill's.
pub(super) fn attaches(class: Class) -> bool {
    !matches!(class, Class::P01 | Class::P02 | Class::P15 | Class::P16 | Class::P17)
}

/// Lines by class, and their flags.
pub(super) fn tally_lines(lines: &Lines, flags: &mut Tallies) -> Tallies {
    let mut tallies = Tallies::default();
    for (_, line) in lines.iter() {
        tallies.add(line.class, Rupiah::new(line.amount.into()));
        for flag in line_flags(line).iter() {
            flags.add(flag, Rupiah::new(line.amount.into()));
        }
    }
    tallies
}

/// The flags of a line.
pub(super) fn line_flags(line: &Line) -> ClassSet {
    const FLAGS: [(Marks, Class); 3] = [(Marks::REQUEST_REUSED, Class::N05), (Marks::SKEWED, Class::N10), (Marks::LATE, Class::N11)];
    let flags: ClassSet = FLAGS.into_iter().filter(|(mark, _)| line.marks.has(*mark)).map(|(_, class)| class).collect();
    // Lines that got this far unverified did so under `trust_log`; a refused line has its own class for that.
    let read = matches!(line.class, Class::N00 | Class::N06 | Class::N07 | Class::N08 | Class::N09 | Class::N12 | Class::N13);
    if read && !line.marks.has(Marks::VERIFIED) { flags.with(Class::N03) } else { flags }
}

/// Payments by class, and their flags.
pub(super) fn tally_payments(lines: &Lines, judged: &[JudgedPayment], flags: &mut Tallies) -> Tallies {
    let mut tallies = Tallies::default();
    for payment in judged {
        let amount = Rupiah::new(lines.get(payment.line).map_or(0, |line| line.amount).into());
        tallies.add(payment.class, amount);
        // N03 was counted with the lines.
        for flag in payment.flags.without(Class::N03).iter() {
            flags.add(flag, amount);
        }
    }
    tallies
}

/// What an ordered look at all payments adds to one payment's facts.
#[derive(Clone, Copy, Default)]
struct Before {
    covered: bool,
    elsewhere: bool,
}

/// The class of every unique payment, in the order of the identities.
pub(super) fn payments(inputs: &Inputs, payments: &Payments, terms: &Terms) -> Vec<JudgedPayment> {
    let lines = &inputs.lines;
    let found: Vec<Found> = payments
        .proved
        .par_iter()
        .map(|proved| match lines.get(payments.proof(proved)) {
            Some(line) if line.bill != NO_BILL => Found::One(line.bill),
            Some(line) => {
                let (invoice_number, payment_code) = lines.texts(line);
                inputs.bills.find(invoice_number, payment_code)
            }
            None => Found::Unknown,
        })
        .collect();
    let before = look_back(inputs, payments, &found, terms);
    let judge = |((proved, found), before): ((&Proved, &Found), &Before)| {
        let at = payments.proof(proved);
        lines.get(at).map(|line| judge_one(inputs, terms, (at, line), *found, *before, proved.conflicting))
    };
    payments.proved.par_iter().zip(&found).zip(&before).filter_map(judge).collect()
}

fn judge_one(inputs: &Inputs, terms: &Terms, proof: (u32, &Line), found: Found, before: Before, conflicting: bool) -> JudgedPayment {
    let (at, line) = proof;
    let facts = PaymentFacts {
        amount: line.usable_amount(),
        paid_at: line.paid_at(),
        channel: line.channel,
        acquirer_agrees: !line.marks.has(Marks::ACQUIRER_DIFFERS),
    };
    let bill = if let Found::One(bill) = found { inputs.bills.get(bill) } else { None };
    let matched = match (found, bill) {
        (Found::One(_), Some(bill)) => Match::One(bill_facts(&inputs.bills, bill, before)),
        (Found::Several, _) => Match::Several,
        (Found::Disagree, _) => Match::Disagree,
        (Found::Unknown | Found::One(_), _) => Match::Unknown,
    };
    let (class, mut flags) = payment_class(&facts, &matched, &terms.period, &terms.policy);
    let late = terms.period.contains(facts.paid_at) && line.received_at().is_some_and(|at| at >= terms.period.ends_at());
    for (flag, on) in [(Class::LATE_EVIDENCE, late), (Class::CONFLICTING, conflicting), (Class::N03, !line.marks.has(Marks::VERIFIED))] {
        flags = if on { flags.with(flag) } else { flags };
    }
    JudgedPayment { line: at, bill: if let Found::One(bill) = found { bill } else { NO_BILL }, class, flags }
}

fn bill_facts<'a>(bills: &'a Bills, bill: &Bill, before: Before) -> BillFacts<'a> {
    BillFacts {
        due: bill.amount,
        channel: bill.channel,
        reusable: bill.reusable(),
        created_at: bill.created_at(),
        expires_at: bill.expires_at(),
        cancelled_at: bill.cancelled_at(),
        earlier_amounts: bills.earlier_amounts(bill),
        covered_before: before.covered,
        settled_elsewhere: before.elsewhere,
    }
}

/// When something was first covered, by payment time, then identity.
type FirstCover = Option<(i64, Digest)>;

/// Walks all payments bill by bill in the order they were made.
fn look_back(inputs: &Inputs, payments: &Payments, found: &[Found], terms: &Terms) -> Vec<Before> {
    let line_of = |payment: u32| {
        let proved = payments.proved.get(usize::try_from(payment).ok()?)?;
        inputs.lines.get(payments.proof(proved))
    };
    let mut by_bill: Vec<(u32, i64, u32)> = Vec::with_capacity(found.len());
    by_bill.extend((0_u32..).zip(found).filter_map(|(payment, found)| match (found, line_of(payment)) {
        (Found::One(bill), Some(line)) if line.amount > 0 => Some((*bill, line.paid_at_us, payment)),
        _ => None,
    }));
    // Payments are numbered in the order of their identities, so their number breaks ties of time.
    by_bill.par_sort_unstable();
    let mut before = vec![Before::default(); found.len()];
    let mut covers_of_grouped: Vec<(u32, u32, FirstCover)> = Vec::new();
    for run in by_bill.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(number, ..)) = run.first() else { continue };
        let Some(bill) = inputs.bills.get(number) else { continue };
        let mut cover = known_cover(inputs, payments, number, bill, terms);
        for &(_, paid_at_us, payment) in run {
            let Some(line) = line_of(payment) else { continue };
            let this = (paid_at_us, line.identity);
            if let Some(before) = usize::try_from(payment).ok().and_then(|payment| before.get_mut(payment)) {
                before.covered = cover.is_some_and(|cover| cover < this);
            }
            if covers(line.amount, bill.amount.get(), &terms.policy) {
                cover = Some(cover.map_or(this, |cover| cover.min(this)));
            }
        }
        if bill.group > 0 {
            covers_of_grouped.push((bill.group, number, cover));
        }
    }
    let identity_of = |payment| line_of(payment).map_or([0; 32], |line| line.identity);
    mark_elsewhere(inputs, payments, &by_bill, identity_of, covers_of_grouped, &mut before, terms);
    before
}

/// The earliest payment that covers a bill and is known from elsewhere only: one of this evidence speaks for itself, and must
/// not be its own predecessor where the ledger met a message of it with another date.
fn known_cover(inputs: &Inputs, payments: &Payments, number: u32, bill: &Bill, terms: &Terms) -> FirstCover {
    let known = known_of(&inputs.known, number).iter().filter(|known| covers(known.amount, bill.amount.get(), &terms.policy));
    let known = known.filter(|known| !payments.contains(&inputs.lines, &known.identity));
    known.map(|known| (known.paid_at.as_microsecond(), known.identity)).min()
}

/// The known payments of one bill.
pub(super) fn known_of(known: &[KnownPayment], bill: u32) -> &[KnownPayment] {
    let start = known.partition_point(|known| known.bill < bill);
    let rest = known.get(start..).unwrap_or_default();
    rest.get(..rest.partition_point(|known| known.bill == bill)).unwrap_or_default()
}

/// P12: another bill of the same debt was covered before.
fn mark_elsewhere(
    inputs: &Inputs,
    payments: &Payments,
    by_bill: &[(u32, i64, u32)],
    identity_of: impl Fn(u32) -> Digest,
    mut covered: Vec<(u32, u32, FirstCover)>,
    before: &mut [Before],
    terms: &Terms,
) {
    // Grouped bills without a payment in this evidence may be covered by one from elsewhere.
    for (number, bill) in inputs.bills.iter().filter(|(_, bill)| bill.group > 0) {
        if by_bill.binary_search_by_key(&number, |&(bill, ..)| bill).is_err() {
            covered.push((bill.group, number, known_cover(inputs, payments, number, bill, terms)));
        }
    }
    covered.sort_unstable();
    for &(number, paid_at_us, payment) in by_bill {
        let Some(bill) = inputs.bills.get(number).filter(|bill| bill.group > 0) else { continue };
        let start = covered.partition_point(|&(group, ..)| group < bill.group);
        let debt = covered.get(start..).unwrap_or_default().iter().take_while(|(group, ..)| *group == bill.group);
        let mut others = debt.filter(|(_, other, _)| *other != number).filter_map(|&(_, _, cover)| cover);
        let Some(place) = usize::try_from(payment).ok() else { continue };
        let this = (paid_at_us, identity_of(payment));
        if let Some(before) = before.get_mut(place) {
            before.elsewhere = others.any(|cover| cover < this);
        }
    }
}

/// What is attached to each bill.
#[derive(Debug)]
pub(super) struct Attached {
    /// Rupiah; a sum that does not fit stays at the bound, and an identity then fails.
    amounts: Vec<u64>,
    counts: Vec<u32>,
    outside: Vec<bool>,
}

impl Attached {
    pub(super) fn of(inputs: &Inputs, judged: &[JudgedPayment]) -> Self {
        let count = inputs.bills.len();
        let mut all = Self { amounts: vec![0; count], counts: vec![0; count], outside: vec![false; count] };
        for payment in judged {
            let Ok(bill) = usize::try_from(payment.bill) else { continue };
            let Some(line) = inputs.lines.get(payment.line) else { continue };
            if payment.class == Class::P16
                && let Some(outside) = all.outside.get_mut(bill)
            {
                *outside = true;
            }
            if attaches(payment.class)
                && let (Some(amount), Some(count)) = (all.amounts.get_mut(bill), all.counts.get_mut(bill))
            {
                *amount = amount.saturating_add(line.amount);
                *count = count.saturating_add(1);
            }
        }
        all
    }

    pub(super) fn amount(&self, bill: u32) -> Rupiah {
        Rupiah::new(usize::try_from(bill).ok().and_then(|bill| self.amounts.get(bill)).copied().unwrap_or_default().into())
    }

    fn count(&self, bill: u32) -> u64 {
        usize::try_from(bill).ok().and_then(|bill| self.counts.get(bill)).copied().unwrap_or_default().into()
    }

    fn is_outside(&self, bill: u32) -> bool {
        usize::try_from(bill).ok().and_then(|bill| self.outside.get(bill)).copied().unwrap_or_default()
    }

    pub(super) fn total(&self) -> Tally {
        Tally {
            count: self.counts.iter().map(|&count| u64::from(count)).sum(),
            amount: self.amounts.iter().map(|&amount| Rupiah::new(amount.into())).sum(),
        }
    }
}

/// The class of every bill in scope.
pub(super) fn bills<'a>(
    inputs: &'a Inputs,
    payments: &'a Payments,
    attached: &'a Attached,
    live_twice: &'a [u32],
    terms: &'a Terms,
) -> impl Iterator<Item = JudgedBill> + 'a {
    let scoped = inputs.bills.iter().filter(|(number, bill)| in_scope(inputs, *number, bill, terms));
    scoped.map(move |(number, bill)| {
        let situation = BillSituation {
            due: bill.amount,
            reusable: bill.reusable(),
            has_code: bill.has_code(),
            issue_in_doubt: bill.issue_in_doubt(),
            cancelled_at: bill.cancelled_at(),
            expires_at: bill.expires_at(),
            attached_count: attached.count(number),
            attached: attached.amount(number),
            mark: paid_mark(inputs, payments, number, bill, terms),
            paid_outside_period: attached.is_outside(number),
        };
        let (class, nature) = bill_class(&situation, terms.as_of, &terms.policy);
        let flags = [(Class::L07, live_twice.binary_search(&number).is_ok()), (Class::L08, bill.issued_otherwise())];
        let flags = flags.into_iter().filter(|(_, on)| *on).map(|(class, _)| class).collect();
        JudgedBill { bill: number, class, nature, flags }
    })
}

/// Rules, 1.5: open at any time from the period's start to as-of.
fn in_scope(inputs: &Inputs, number: u32, bill: &Bill, terms: &Terms) -> bool {
    let starts_at = terms.period.starts_at();
    let grace = jiff::SignedDuration::from_mins(terms.policy.expiry_grace_minutes);
    let expired = bill.expires_at().is_some_and(|at| starts_at.duration_since(at) > grace);
    let paid = !bill.reusable() && known_of(&inputs.known, number).iter().any(|known| known.closes(starts_at));
    bill.planned_at().is_none_or(|at| at <= terms.as_of) && bill.cancelled_at().is_none_or(|at| at >= starts_at) && !expired && !paid
}

/// What a ledger that is not this evidence says of payment.
fn paid_mark(inputs: &Inputs, payments: &Payments, number: u32, bill: &Bill, terms: &Terms) -> PaidMark {
    let dated = |at| if terms.period.contains(at) { PaidMark::InPeriod } else { PaidMark::Elsewhere };
    match bill.external_mark() {
        ExternalMark::Undated => return PaidMark::InPeriod,
        ExternalMark::At(at) => return dated(at),
        ExternalMark::Unpaid => {}
    }
    let known =
        known_of(&inputs.known, number).iter().filter(|known| known.in_ledger && !payments.contains(&inputs.lines, &known.identity));
    known.map(|known| dated(known.paid_at)).fold(PaidMark::None, |worst, mark| match (worst, mark) {
        (PaidMark::InPeriod, _) | (_, PaidMark::InPeriod) => PaidMark::InPeriod,
        (PaidMark::None, mark) => mark,
        (worst, _) => worst,
    })
}

/// L07: bills that share a live code with another, sorted.
pub(super) fn live_twice(bills: &Bills, terms: &Terms) -> Vec<u32> {
    let live = |number: u32| {
        bills.get(number).filter(|bill| !bill.code_is_dead()).filter(|bill| {
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
