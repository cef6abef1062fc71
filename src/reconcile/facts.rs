//! What a reconciliation found, as facts of the books: bills with their histories, payments with their bills. Payments of earlier months
//! that wait are told anew, with what they have found since.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::Reconciled;
use super::bill::Bill;
use super::earlier_payments::Orphan;
use super::fact_names::Names;
use super::item_names::payment_id;
use super::judge::JudgedPayment;
use super::known_payments::KnownPayment;
use super::new_bill::ExternalMark;
use super::terms::ReconcileTerms;
use crate::books::Brief;
use crate::books::debt::Asked;
use crate::books::fact::{BillChange, BillEvent, BillFact, LedgerMark, Notified, Payee, PaymentFact, PaymentHold};
use crate::books::item::ItemId;
use crate::domain::ageing::date_of;
use crate::domain::amount::Amount;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, Nature, is_after_cancellation, is_after_expiry, minutes_after};
use crate::domain::digest::Digest;

pub(super) fn bill(outcome: &Reconciled, names: &Names, by_rows: &HashSet<Digest>, at: usize, terms: &ReconcileTerms) -> Option<BillFact> {
    let bills = &outcome.inputs.bills;
    let number = u32::try_from(at).ok().filter(|number| bills.unlisted(*number).is_none())?;
    let bill = bills.get(number)?;
    let invoice_number = bills.invoice_number(number);
    let superseded = bills.side().superseded(number);
    // DOKU tells payments to the second, so a bill is there from the beginning of the second in which it was made.
    let made_at = [bill.planned_at(), bill.created_at()].into_iter().flatten().min();
    let made_at = made_at.and_then(|at| Timestamp::from_second(at.as_second()).ok());
    let first = superseded.first().map_or(bill.amount, |(_, amount)| *amount);
    let mut events = vec![BillEvent { at: made_at, change: BillChange::Created(first) }];
    // Each amount was given up at a time, for the one after it.
    let after = superseded.iter().skip(1).map(|(_, amount)| *amount).chain([bill.amount]);
    // Nothing happens to a bill before it is made, whatever a ledger's clocks say.
    let at_earliest = |at: Timestamp| Some(made_at.map_or(at, |made_at| at.max(made_at)));
    events.extend(superseded.iter().zip(after).map(|((at_us, _), amount): (_, Amount)| BillEvent {
        at: Timestamp::from_microsecond(*at_us).ok().and_then(at_earliest),
        change: BillChange::Amended(amount),
    }));
    if let Some(at) = bill.cancelled_at() {
        events.push(BillEvent { at: at_earliest(at), change: BillChange::Cancelled });
        events.sort_by_key(|event| event.at);
    }
    let mark = match bill.external_mark() {
        ExternalMark::Unpaid => unproven(outcome, by_rows, number, terms),
        ExternalMark::Undated => Some(LedgerMark { at: None, paid: None }),
        ExternalMark::At(at) => Some(LedgerMark { at: Some(at), paid: None }),
    };
    let code = bills.payment_code(number);
    Some(BillFact {
        id: names.bill(number)?,
        debt: names.debt(number)?,
        invoice_number: invoice_number.into(),
        names: if code.is_empty() { Vec::new() } else { vec![format!("{}/{code}", bill.channel.name()).into()] },
        reusable: bill.reusable(),
        due_on: bills.side().due_day(number).map(date_of),
        expires_on: bill.expires_at().map(wib_date),
        events,
        mark,
        dimensions: bills.side().dimensions(number),
    })
}

/// Bills that a ledger lists several times, each once: as that row has it which asks for most, whatever the order of rows; paid, if one
/// of them says so.
pub(super) fn listed_once(mut bills: Vec<BillFact>) -> Vec<BillFact> {
    let content = |bill: &BillFact| {
        let events: Vec<_> = bill.events.iter().map(|event| (event.at, event.change)).collect();
        (bill.id, Reverse((Asked::of(bill).is_live, Asked::of(bill).amount)), events, bill.due_on, bill.expires_on, bill.reusable)
    };
    bills.sort_by_cached_key(content);
    let mut once: Vec<BillFact> = Vec::with_capacity(bills.len());
    for bill in bills {
        match once.last_mut().filter(|last| last.id == bill.id) {
            Some(last) => {
                let known = std::mem::take(&mut last.names).into_iter().chain(bill.names);
                last.names = known.collect::<BTreeSet<_>>().into_iter().collect();
                last.mark = [last.mark, bill.mark].into_iter().flatten().max_by_key(|mark| (mark.at, mark.paid));
            }
            None => once.push(bill),
        }
    }
    once
}

/// What our own ledger says was paid in the period, where neither a message nor a row (`by_rows`) proves it.
fn unproven(outcome: &Reconciled, by_rows: &HashSet<Digest>, number: u32, terms: &ReconcileTerms) -> Option<LedgerMark> {
    let of_bill = outcome.inputs.known.of_bill(number).iter();
    let is_unproven = |known: &&KnownPayment| {
        known.in_ledger && !known.is_proved && terms.period.contains(known.paid_at) && !by_rows.contains(&known.identity)
    };
    let (mut at, mut paid) = (None, 0_u64);
    for known in of_bill.filter(is_unproven) {
        at = at.max(Some(known.paid_at));
        paid = paid.saturating_add(known.amount);
    }
    at.map(|at| LedgerMark { at: Some(at), paid: Amount::new(paid).ok() })
}

/// A bill that the ledger met after the period and that was paid in it, no longer before than clocks differ (P09), is as old as its first
/// payment. Money of any other waits in suspense for it.
pub(super) fn as_old_as_paid(bills: &mut [BillFact], payments: &[PaymentFact], terms: &ReconcileTerms) {
    let ends_at = terms.period.ends_at();
    let is_later = |bill: &BillFact| bill.events.first().and_then(|event| event.at).is_some_and(|at| at >= ends_at);
    if !bills.iter().any(is_later) {
        return;
    }
    let mut first: BTreeMap<ItemId, Timestamp> = BTreeMap::new();
    for payment in payments.iter().filter(|payment| payment.paid_at < ends_at) {
        if let Payee::Bill(bill) = payment.payee {
            first.entry(bill).and_modify(|at| *at = payment.paid_at.min(*at)).or_insert(payment.paid_at);
        }
    }
    for bill in bills.iter_mut().filter(|bill| is_later(bill)) {
        if let (Some(at), Some(event)) = (first.get(&bill.id), bill.events.first_mut())
            && event.at.is_some_and(|made_at| made_at <= minutes_after(*at, terms.policy.skew_minutes))
        {
            event.at = Some(*at);
        }
    }
}

/// Whose a payment is.
pub(super) fn payee(names: &Names, judged: &JudgedPayment) -> Payee {
    match (judged.class, names.bill(judged.bill)) {
        (Class::P02, _) => Payee::Disagreeing,
        (Class::P15, _) => Payee::Ambiguous,
        (_, None) => Payee::Nobody,
        (_, Some(bill)) => Payee::Bill(bill),
    }
}

pub(super) fn payment(outcome: &Reconciled, names: &Names, judged: &JudgedPayment, terms: &ReconcileTerms) -> Option<PaymentFact> {
    let proof = outcome.proof(judged)?;
    let amount = Amount::new(proof.amount).ok()?;
    let payee = payee(names, judged);
    let (invoice_number, payment_code) = outcome.notified_ids(judged);
    let is = |class: Class| judged.class == class || judged.flags.contains(class);
    // A payment of another period was not classed by its time; the books want to know.
    let late = outcome.inputs.bills.get(judged.bill).filter(|_| judged.class == Class::P16);
    let hold = match late {
        Some(bill) => hold(bill, proof.paid_at(), terms),
        None if is(Class::P08) => Some(PaymentHold::AfterCancellation),
        None => is(Class::P07).then_some(PaymentHold::AfterExpiry),
    };
    // An unusable amount is no money; its row, when it comes, is.
    (judged.class != Class::P17).then(|| PaymentFact {
        id: payment_id(&proof.identity),
        identity: Some(proof.identity),
        canonical: outcome.payments.canonical(&outcome.inputs.lines, judged.line).filter(|canonical| *canonical != proof.identity),
        aliases: Vec::new(),
        notified: Notified { invoice_number: invoice_number.into(), payment_code: payment_code.into() },
        channel: proof.channel,
        amount,
        paid_at: proof.paid_at(),
        payee,
        hold,
        only_told: judged.class == Class::P19 || judged.flags.contains(Class::P19),
        class: (judged.nature == Nature::Break).then_some(judged.class),
    })
}

/// Why money waits although its bill is known.
fn hold(bill: &Bill, paid_at: Timestamp, terms: &ReconcileTerms) -> Option<PaymentHold> {
    if is_after_cancellation(paid_at, bill.cancelled_at()) {
        return Some(PaymentHold::AfterCancellation);
    }
    is_after_expiry(paid_at, bill.expires_at(), &terms.policy).then_some(PaymentHold::AfterExpiry)
}

/// A payment of a bill that is known from elsewhere than this evidence.
pub(super) fn known(outcome: &Reconciled, names: &Names, known: &KnownPayment) -> Option<PaymentFact> {
    Some(PaymentFact {
        id: payment_id(&known.identity),
        identity: Some(known.identity),
        canonical: known.sameness.map(|same| same.canonical).filter(|canonical| *canonical != known.identity),
        aliases: Vec::new(),
        notified: Notified::default(),
        channel: outcome.inputs.bills.get(known.bill)?.channel,
        amount: Amount::new(known.amount).ok()?,
        paid_at: known.paid_at,
        payee: Payee::Bill(names.bill(known.bill)?),
        hold: None,
        only_told: false,
        class: None,
    })
}

/// Money of earlier months that waits for a bill, and whose ids lead to one by now.
pub(super) fn matched_anew<'a>(
    outcome: &'a Reconciled,
    names: &'a Names,
    terms: &'a ReconcileTerms,
    before: &'a Brief,
) -> impl Iterator<Item = PaymentFact> + 'a {
    let waiting = outcome.inputs.orphans.iter().filter(|orphan| !orphan.is_proved && before.is_in_suspense(orphan.held_as));
    waiting.filter_map(|orphan: &Orphan| {
        let (number, amount) = (orphan.bill?, Amount::new(orphan.amount).ok()?);
        Some(PaymentFact {
            id: orphan.id,
            identity: Some(orphan.identity),
            canonical: None,
            aliases: Vec::new(),
            notified: Notified::default(),
            channel: orphan.channel,
            amount,
            paid_at: orphan.paid_at,
            payee: Payee::Bill(names.bill(number)?),
            hold: hold(outcome.inputs.bills.get(number)?, orphan.paid_at, terms),
            only_told: false,
            class: None,
        })
    })
}
