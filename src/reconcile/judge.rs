//! Facts gathered in bulk, one bill or payment at a time handed to the pure rules of `domain::classify`.

use rayon::prelude::*;

use super::bill::Bill;
use super::bills::{BillMatch, Bills};
use super::dedupe::{Payments, Proved};
use super::inputs::Inputs;
use super::tally::{Tallies, move_nature};
use super::terms::ReconcileTerms;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{BillFacts, Class, ClassSet, Match, Nature, PaymentFacts, covers, payment_class, payment_nature};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Lines, Marks, NO_BILL};
use crate::domain::sum::Sum;

/// A unique payment with its class.
#[derive(Clone, Copy, Debug)]
pub struct JudgedPayment {
    /// The line that proves it.
    pub line: u32,
    /// Its bill, or [`NO_BILL`].
    pub bill: u32,
    /// Its class.
    pub class: Class,
    /// Its nature: that of the class, unless it has come of age.
    pub nature: Nature,
    /// Lower hits and flags.
    pub flags: ClassSet,
}

const _: () = assert!(size_of::<JudgedPayment>() <= 24, "as many as payments");

/// Lines by class, and those someone must look at.
#[derive(Default)]
pub(super) struct JudgedLines {
    pub(super) tallies: Tallies,
    pub(super) flags: Tallies,
    /// BREAK lines, and lines whose Request-Id was used for another body.
    pub(super) findings: Vec<u32>,
}

impl JudgedLines {
    pub(super) fn of(lines: &Lines) -> Self {
        let pieces: Vec<(u32, &[Line])> = lines.pieces().collect();
        pieces.into_par_iter().map(|(first, piece)| Self::of_piece(first, piece)).reduce(Self::default, Self::plus)
    }

    fn of_piece(first: u32, piece: &[Line]) -> Self {
        let mut judged = Self::default();
        for (at, line) in (first..).zip(piece) {
            let (amount, flags) = (Rupiah::new(line.amount.into()), line_flags(line));
            judged.tallies.add(line.class, amount);
            for flag in flags.iter() {
                judged.flags.add(flag, amount);
            }
            if line.class.info().nature == Nature::Break || flags.raising().is_some() {
                judged.findings.push(at);
            }
        }
        judged
    }

    fn plus(mut self, later: Self) -> Self {
        self.findings.extend(later.findings);
        Self { tallies: self.tallies.plus(&later.tallies), flags: self.flags.plus(&later.flags), findings: self.findings }
    }
}

/// The flags of a line.
pub(super) fn line_flags(line: &Line) -> ClassSet {
    const FLAGS: [(Marks, Class); 3] = [(Marks::REQUEST_REUSED, Class::N05), (Marks::SKEWED, Class::N10), (Marks::LATE, Class::N11)];
    let flags: ClassSet = FLAGS.into_iter().filter(|(mark, _)| line.marks.has(*mark)).map(|(_, class)| class).collect();
    // Lines that got this far unverified did so under `trust_log`; a refused line has its own class for that.
    if line.class.info().money.is_read() && !line.marks.has(Marks::VERIFIED) { flags.with(Class::N03) } else { flags }
}

/// Payments by class, and by flag.
pub(super) fn tally_payments(payments: &Payments, judged: &[JudgedPayment]) -> (Tallies, Tallies) {
    let tally = |(mut classes, mut flags): (Tallies, Tallies), (proved, payment): (&Proved, &JudgedPayment)| {
        let amount = Rupiah::new(proved.amount.into());
        classes.add(payment.class, amount);
        // N03 was counted with the lines.
        for flag in payment.flags.without(Class::N03).iter() {
            flags.add(flag, amount);
        }
        (classes, flags)
    };
    let plus = |a: (Tallies, Tallies), b: (Tallies, Tallies)| (a.0.plus(&b.0), a.1.plus(&b.1));
    payments.proved.par_iter().zip(judged).fold(Default::default, tally).reduce(Default::default, plus)
}

/// What an ordered look at all payments, or the books, add to one payment's facts.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    pub(super) covered: bool,
    pub(super) elsewhere: bool,
    /// Rupiah.
    pub(super) paid: u64,
}

/// The class of every unique payment, in the order of the identities.
pub(super) fn payments(inputs: &Inputs, payments: &Payments, terms: &ReconcileTerms) -> Vec<JudgedPayment> {
    let lines = &inputs.lines;
    let found: Vec<BillMatch> = payments
        .proved
        .par_iter()
        .map(|proved| match lines.get(payments.proof(proved)) {
            _ if proved.bill != NO_BILL => BillMatch::One(proved.bill),
            Some(line) => {
                let (invoice_number, payment_code) = lines.texts(line);
                inputs.bills.find(invoice_number, payment_code)
            }
            None => BillMatch::Unknown,
        })
        .collect();
    let before = look_back(inputs, payments, &found, terms);
    let judge = |((proved, found), before): ((&Proved, &BillMatch), &Before)| {
        let at = payments.proof(proved);
        match lines.get(at) {
            Some(line) => judge_one(inputs, terms, (at, line), *found, *before, proved),
            // Every proof is a line. Leaving one out here would cost a second copy of all the others while they are collected.
            None => JudgedPayment { line: at, bill: NO_BILL, class: Class::P01, nature: Nature::Break, flags: ClassSet::EMPTY },
        }
    };
    payments.proved.par_iter().zip(&found).zip(&before).map(judge).collect()
}

/// A payment of a bill, judged again by what it found on it.
pub(super) fn again(
    inputs: &Inputs,
    terms: &ReconcileTerms,
    judged: &JudgedPayment,
    before: Before,
    proved: &Proved,
) -> Option<JudgedPayment> {
    let line = inputs.lines.get(judged.line)?;
    Some(judge_one(inputs, terms, (judged.line, line), BillMatch::One(judged.bill), before, proved))
}

fn judge_one(
    inputs: &Inputs,
    terms: &ReconcileTerms,
    proof: (u32, &Line),
    found: BillMatch,
    before: Before,
    proved: &Proved,
) -> JudgedPayment {
    let (at, line) = proof;
    let facts = PaymentFacts {
        amount: line.usable_amount(),
        paid_at: line.paid_at(),
        channel: line.channel,
        acquirer_agrees: !line.marks.has(Marks::ACQUIRER_DIFFERS),
        by_status: line.marks.has(Marks::BY_STATUS),
    };
    let received_at = line.received_at().filter(|_| !facts.by_status);
    let found_at = line.received_at().filter(|_| facts.by_status);
    let bill = if let BillMatch::One(bill) = found { inputs.bills.get(bill) } else { None };
    let matched = match (found, bill) {
        (BillMatch::One(number), Some(bill)) => {
            let policy_lapsed = inputs.bills.policy_lapsed(number, facts.paid_at);
            let facts = bill_facts(&inputs.bills, bill, before, policy_lapsed);
            // Money for a code that was replaced is held against what held for that code.
            let lost = if line.bill == NO_BILL { inputs.bills.lost(number, inputs.lines.texts(line).1) } else { None };
            Match::One(match lost {
                Some(former) => BillFacts { created_at: former.created_at, expires_at: former.expires_at, ..facts },
                None => facts,
            })
        }
        (BillMatch::Several, _) => Match::Several,
        (BillMatch::Disagree, _) => Match::Disagree,
        (BillMatch::Unknown | BillMatch::One(_), _) => Match::Unknown,
    };
    let (class, mut flags) = payment_class(&facts, &matched, &terms.period, &terms.policy);
    let late = terms.period.contains(facts.paid_at) && received_at.is_some_and(|at| at >= terms.period.ends_at());
    let raised = [
        (Class::LATE_EVIDENCE, late),
        (Class::CONFLICTING, proved.conflicting),
        (Class::VARIED, proved.varied),
        (Class::N03, !line.marks.has(Marks::VERIFIED)),
        // Also where no lower rule is looked at: whoever handles the payment must know that no notification stands behind it.
        (Class::P19, facts.by_status && class != Class::P19),
    ];
    for (flag, on) in raised {
        flags = if on { flags.with(flag) } else { flags };
    }
    let nature = payment_nature(class, found_at, terms.as_of, &terms.policy);
    JudgedPayment { line: at, bill: if let BillMatch::One(bill) = found { bill } else { NO_BILL }, class, nature, flags }
}

fn bill_facts<'a>(bills: &'a Bills, bill: &Bill, before: Before, policy_lapsed: bool) -> BillFacts<'a> {
    BillFacts {
        due: bill.amount,
        channel: bill.channel,
        reusable: bill.reusable(),
        created_at: bill.created_at(),
        expires_at: bill.expires_at(),
        cancelled_at: bill.cancelled_at(),
        earlier_amounts: bills.earlier_amounts(bill),
        covered_before: before.covered,
        paid_before: before.paid,
        settled_elsewhere: before.elsewhere,
        policy_lapsed,
    }
}

/// When something was first covered, by payment time, then identity.
type FirstCover = Option<(i64, Digest)>;

/// Payments (with their bill and time) that others may come before: by bill, then time, then identity.
fn with_company(inputs: &Inputs, payments: &Payments, found: &[BillMatch]) -> Vec<(u32, i64, u32)> {
    let paid = || {
        (0_u32..).zip(payments.proved.iter().zip(found)).filter_map(|(payment, (proved, found))| match found {
            BillMatch::One(bill) if proved.amount > 0 => Some((*bill, payment, payments.proof(proved))),
            _ => None,
        })
    };
    // How many payments a bill has: a group, or a payment known from elsewhere, is company by itself.
    let mut counts: Vec<u8> = inputs.bills.iter_all().map(|(_, bill)| if bill.group > 0 { 2 } else { 0 }).collect();
    for bill in inputs.known.iter().map(|known| known.bill).chain(paid().map(|(bill, ..)| bill)) {
        if let Some(count) = usize::try_from(bill).ok().and_then(|bill| counts.get_mut(bill)) {
            *count = count.saturating_add(1);
        }
    }
    let has_company = |bill: u32| usize::try_from(bill).is_ok_and(|bill| counts.get(bill).is_some_and(|&count| count > 1));
    let timed = |(bill, payment, proof)| Some((bill, inputs.lines.get(proof)?.paid_at_us, payment));
    // Payments are numbered in the order of their identities, so their number breaks ties of time.
    let mut all: Vec<(u32, i64, u32)> = paid().filter(|&(bill, ..)| has_company(bill)).filter_map(timed).collect();
    all.par_sort_unstable();
    all
}

/// Walks payments bill by bill in the order they were made.
fn look_back(inputs: &Inputs, payments: &Payments, found: &[BillMatch], terms: &ReconcileTerms) -> Vec<Before> {
    let line_of = |payment: u32| {
        let proved = payments.proved.get(usize::try_from(payment).ok()?)?;
        inputs.lines.get(payments.proof(proved))
    };
    let by_bill = with_company(inputs, payments, found);
    let mut before = vec![Before::default(); found.len()];
    let mut covers_of_grouped: Vec<(u32, u32, FirstCover)> = Vec::new();
    for run in by_bill.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(number, ..)) = run.first() else { continue };
        let Some(bill) = inputs.bills.get(number) else { continue };
        let mut cover = known_cover(inputs, number, bill, terms);
        let told = inputs.known.of_bill(number).iter().filter(|known| known.counts_beside());
        let mut told: Vec<(i64, Digest, u64)> = told.map(|known| (known.paid_at.as_microsecond(), known.identity, known.amount)).collect();
        told.sort_unstable();
        let (mut told, mut paid) = (told.into_iter().peekable(), 0_u64);
        for &(_, paid_at_us, payment) in run {
            let Some(line) = line_of(payment) else { continue };
            let this = (paid_at_us, line.identity);
            while let Some((.., amount)) = told.next_if(|&(at, identity, _)| (at, identity) < this) {
                paid = paid.saturating_add(amount);
            }
            if let Some(before) = usize::try_from(payment).ok().and_then(|payment| before.get_mut(payment)) {
                // One payment that covers it, or several together.
                before.covered = cover.is_some_and(|cover| cover < this) || (paid > 0 && covers(paid, bill.amount.get(), &terms.policy));
                before.paid = paid;
            }
            paid = paid.saturating_add(line.amount);
            if covers(line.amount, bill.amount.get(), &terms.policy) {
                cover = Some(cover.map_or(this, |cover| cover.min(this)));
            }
        }
        if bill.group > 0 {
            covers_of_grouped.push((bill.group, number, cover));
        }
    }
    let identity_of = |payment| line_of(payment).map_or([0; 32], |line| line.identity);
    mark_elsewhere(inputs, &by_bill, identity_of, covers_of_grouped, &mut before, terms);
    before
}

/// The earliest payment that covers a bill and is known from elsewhere only: one of this evidence speaks for itself, and must
/// not be its own predecessor where the ledger met a message of it with another date.
fn known_cover(inputs: &Inputs, number: u32, bill: &Bill, terms: &ReconcileTerms) -> FirstCover {
    let known = inputs.known.of_bill(number).iter().filter(|known| covers(known.amount, bill.amount.get(), &terms.policy));
    let known = known.filter(|known| known.counts_beside());
    known.map(|known| (known.paid_at.as_microsecond(), known.identity)).min()
}

/// P12: another bill of the same debt was covered before.
fn mark_elsewhere(
    inputs: &Inputs,
    by_bill: &[(u32, i64, u32)],
    identity_of: impl Fn(u32) -> Digest,
    mut covered: Vec<(u32, u32, FirstCover)>,
    before: &mut [Before],
    terms: &ReconcileTerms,
) {
    // Grouped bills without a payment in this evidence may be covered by one from elsewhere.
    for (number, bill) in inputs.bills.iter().filter(|(_, bill)| bill.group > 0) {
        if by_bill.binary_search_by_key(&number, |&(bill, ..)| bill).is_err() {
            covered.push((bill.group, number, known_cover(inputs, number, bill, terms)));
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

/// Moves payments whose nature is no longer that of their class.
pub(super) fn age(natures: &mut [Sum; 3], payments: &Payments, judged: &[JudgedPayment]) {
    for (proved, payment) in payments.proved.iter().zip(judged).filter(|(_, payment)| payment.nature != payment.class.info().nature) {
        move_nature(natures, payment.class.info().nature, payment.nature, Rupiah::new(proved.amount.into()));
    }
}
