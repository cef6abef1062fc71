//! What a reconciliation found, as facts of the books: bills with their histories, payments with their bills, settlement rows with their
//! payments, what files state of batches. Rows and payments of earlier months that wait are told anew, with what they have
//! found since.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::bills::Bill;
use super::found::Names;
use super::judge::JudgedPayment;
use super::settle::{self, JudgedRow, Told};
use super::{ExternalMark, KnownPayment, Orphan, Outcome, Terms};
use crate::books::Brief;
use crate::books::fact::{
    BankLineFact, BatchFact, BillEvent, BillFact, Change, Hold, Mark, Notified, Payee, PaymentFact, RowFact, RowKind,
};
use crate::books::item::{ItemId, Subject};
use crate::domain::ageing::date_of;
use crate::domain::amount::Amount;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, Nature, is_after_cancellation, is_after_expiry, minutes_after};
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::BankLine;

pub(super) fn payment_id(identity: &Digest) -> ItemId {
    ItemId::of(Subject::Payment, &[identity])
}

pub(super) fn bill(outcome: &Outcome, names: &Names, at: usize, terms: &Terms) -> Option<BillFact> {
    let bills = &outcome.inputs.bills;
    let number = u32::try_from(at).ok()?;
    let bill = bills.get(number)?;
    let invoice_number = bills.invoice_number(number);
    let superseded = bills.side().superseded(number);
    // DOKU tells payments to the second, so a bill is there from the beginning of the second in which it was made.
    let made_at = [bill.planned_at(), bill.created_at()].into_iter().flatten().min();
    let made_at = made_at.and_then(|at| Timestamp::from_second(at.as_second()).ok());
    let first = superseded.first().map_or(bill.amount, |(_, amount)| *amount);
    let mut events = vec![BillEvent { at: made_at, change: Change::Created(first) }];
    // Each amount was given up at a time, for the one after it.
    let after = superseded.iter().skip(1).map(|(_, amount)| *amount).chain([bill.amount]);
    // Nothing happens to a bill before it is made, whatever a ledger's clocks say.
    let at_earliest = |at: Timestamp| Some(made_at.map_or(at, |made_at| at.max(made_at)));
    events.extend(superseded.iter().zip(after).map(|((at_us, _), amount): (_, Amount)| BillEvent {
        at: Timestamp::from_microsecond(*at_us).ok().and_then(at_earliest),
        change: Change::Amended(amount),
    }));
    if let Some(at) = bill.cancelled_at() {
        events.push(BillEvent { at: at_earliest(at), change: Change::Cancelled });
        events.sort_by_key(|event| event.at);
    }
    let mark = match bill.external_mark() {
        ExternalMark::Unpaid => unproven(outcome, number, terms),
        ExternalMark::Undated => Some(Mark { at: None, paid: None }),
        ExternalMark::At(at) => Some(Mark { at: Some(at), paid: None }),
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
        (bill.id, Reverse(bill.is_live()), Reverse(bill.amount()), events, bill.due_on, bill.expires_on, bill.reusable)
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

/// What our own ledger says was paid in the period, where this evidence does not prove it.
fn unproven(outcome: &Outcome, number: u32, terms: &Terms) -> Option<Mark> {
    let of_bill = outcome.inputs.known.of_bill(number).iter();
    let is_unproven = |known: &&KnownPayment| known.in_ledger && !known.is_proved && terms.period.contains(known.paid_at);
    let (mut at, mut paid) = (None, 0_u64);
    for known in of_bill.filter(is_unproven) {
        at = at.max(Some(known.paid_at));
        paid = paid.saturating_add(known.amount);
    }
    at.map(|at| Mark { at: Some(at), paid: Amount::new(paid).ok() })
}

/// A bill that the ledger met after the period and that was paid in it, no longer before than clocks differ (P09), is as old as its first
/// payment. Money of any other waits in suspense for it.
pub(super) fn as_old_as_paid(bills: &mut [BillFact], payments: &[PaymentFact], terms: &Terms) {
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

pub(super) fn payment(outcome: &Outcome, names: &Names, judged: &JudgedPayment, terms: &Terms) -> Option<PaymentFact> {
    let proof = outcome.proof(judged)?;
    let amount = Amount::new(proof.amount).ok()?;
    let payee = payee(names, judged);
    let (invoice_number, payment_code) = outcome.notified_ids(judged);
    let is = |class: Class| judged.class == class || judged.flags.contains(class);
    // A payment of another period was not classed by its time; the books want to know.
    let late = outcome.inputs.bills.get(judged.bill).filter(|_| judged.class == Class::P16);
    let hold = match late {
        Some(bill) => hold(bill, proof.paid_at(), terms),
        None if is(Class::P08) => Some(Hold::AfterCancellation),
        None => is(Class::P07).then_some(Hold::AfterExpiry),
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
fn hold(bill: &Bill, paid_at: Timestamp, terms: &Terms) -> Option<Hold> {
    if is_after_cancellation(paid_at, bill.cancelled_at()) {
        return Some(Hold::AfterCancellation);
    }
    is_after_expiry(paid_at, bill.expires_at(), &terms.policy).then_some(Hold::AfterExpiry)
}

/// A payment of a bill that is known from elsewhere than this evidence.
pub(super) fn known(outcome: &Outcome, names: &Names, known: &KnownPayment) -> Option<PaymentFact> {
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
    outcome: &'a Outcome,
    names: &'a Names,
    terms: &'a Terms,
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

/// Rows of earlier months that wait for their payment, and whose invoice number and amount one of `payments`, each with the invoice
/// number it was paid as, has.
pub(super) fn claimed_anew<'a>(payments: impl Iterator<Item = (&'a str, PaymentFact)>, before: &Brief) -> Vec<RowFact> {
    let waiting: Vec<_> = before.unclaimed_rows().filter(|(_, row)| !row.invoice_number.is_empty()).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let names: HashSet<&str> = waiting.iter().map(|(_, row)| &*row.invoice_number).collect();
    let mut by_ids: BTreeMap<(&str, i128), Vec<PaymentFact>> = BTreeMap::new();
    for (name, payment) in payments.filter(|(name, payment)| names.contains(name) && !before.has_payment(payment.id)) {
        by_ids.entry((name, payment.amount.get().into())).or_default().push(payment);
    }
    let claimed = waiting.into_iter().filter_map(|(id, row)| {
        // Of several, any is as good as the other only for who asks for no proof.
        let [payment]: [PaymentFact; 1] = by_ids.remove(&(&*row.invoice_number, row.gross.get()))?.try_into().ok()?;
        Some(RowFact {
            id: *id,
            batch: row.batch,
            number: row.number.clone(),
            invoice_number: row.invoice_number.clone(),
            listed_as: row.listed_as.clone(),
            paid_out_on: Some(row.paid_out_on),
            amount: i64::try_from(row.gross.get()).ok()?,
            fee: 0,
            discount: 0,
            paid_out: 0,
            shares: 0,
            kind: RowKind::Of(payment.channel, payment.id),
        })
    });
    claimed.collect()
}

fn batch_id(name: &str) -> ItemId {
    ItemId::of(Subject::Batch, &[name.as_bytes()])
}

/// The batch of a row. Where files do not name theirs, what DOKU pays out on one day is a batch: else all months would be one.
fn batch_of(row: &SettlementRow) -> ItemId {
    match row.paid_out_on.filter(|_| row.batch_id.is_empty()) {
        Some(on) => ItemId::of(Subject::Batch, &[b"", on.to_string().as_bytes()]),
        None => batch_id(&row.batch_id),
    }
}

/// What a settlement row is called.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: ItemId,
    /// The row that is told for it: of rows that are one, the one that its payment was looked for.
    pub(super) told_by: usize,
    /// Which of equal rows of one file it is.
    occurrence: u32,
    listed_as: Box<str>,
}

/// What readable rows are called, and those of channels nobody knows. The same row in two files is one fact.
pub(super) fn named(outcome: &Outcome) -> Vec<Named> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return Vec::new() };
    let mut seen: HashMap<(Digest, u32), u32> = HashMap::new();
    let listed_as = settle::listed_as(&input.files.rows, &settled.rows);
    let names = input.files.rows.iter().zip(listed_as).map(|(row, listed_as)| {
        let content = row.content();
        let times = seen.entry((content, row.place.file)).or_default();
        let occurrence = *times;
        *times = times.saturating_add(1);
        let id = ItemId::of(Subject::Row, &[&content, occurrence.to_string().as_bytes()]);
        Named { id, told_by: 0, occurrence, listed_as: listed_as.into() }
    });
    let mut names: Vec<Named> = names.collect();
    let mut told: HashMap<ItemId, usize> = HashMap::with_capacity(names.len());
    for (at, (named, judged)) in names.iter().zip(&settled.rows).enumerate() {
        let first = told.entry(named.id).or_insert(at);
        if !judged.is_repeated {
            *first = at;
        }
    }
    for (at, named) in names.iter_mut().enumerate() {
        named.told_by = told.get(&named.id).copied().unwrap_or(at);
    }
    names
}

/// A settlement row.
pub(super) fn row(outcome: &Outcome, row: &SettlementRow, judged: &JudgedRow, named: &Named) -> RowFact {
    RowFact {
        id: named.id,
        batch: batch_of(row),
        number: row.number.as_str().into(),
        invoice_number: if judged.payment.is_none() { row.invoice_number.as_str().into() } else { "".into() },
        listed_as: named.listed_as.clone(),
        paid_out_on: row.paid_out_on,
        amount: row.amount,
        fee: row.fee,
        discount: row.discount,
        // What stands in its batch twice is paid out once.
        paid_out: if judged.counts { row.paid_out } else { 0 },
        shares: shared(outcome, row),
        kind: kind(outcome, row, judged, named.occurrence),
    }
}

/// What of a row others get, whatever it is of. What cannot be read is told as S09, and stays ours until it can.
fn shared(outcome: &Outcome, row: &SettlementRow) -> i64 {
    outcome.inputs.settlement.as_ref().and_then(|input| input.terms.shared(row)).unwrap_or(0)
}

fn kind(outcome: &Outcome, row: &SettlementRow, judged: &JudgedRow, occurrence: u32) -> RowKind {
    let payment = judged.payment.and_then(|told| paid(outcome, told));
    match (judged.class, judged.channel, payment) {
        // S09: what others get of it cannot be read.
        (Class::S12, _, _) | (Class::S09, None, _) => RowKind::Other,
        (_, None, _) => RowKind::Unreadable,
        _ if occurrence > 0 => RowKind::Repeated,
        (_, Some(channel), _) if !row.is_purchase() => RowKind::Refund(channel),
        (_, Some(channel), Some(payment)) => RowKind::Of(channel, payment),
        // Its payment has another row already, and is not named by this one.
        (Class::S14, Some(_), None) => RowKind::Repeated,
        (Class::S07, Some(_), None) if !judged.is_repeated => RowKind::Repeated,
        (_, Some(channel), None) => RowKind::Unclaimed(channel),
    }
}

/// The payments that rows pay out after the day `last`, and when.
pub(super) fn paid_later(outcome: &Outcome, last: Date) -> HashMap<ItemId, Date> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return HashMap::new() };
    let rows = input.files.rows.iter().zip(&settled.rows);
    let later = rows.filter_map(|(row, judged)| Some((paid(outcome, judged.payment?)?, row.paid_out_on.filter(|on| *on > last)?)));
    later.collect()
}

/// The payment that a row settles.
fn paid(outcome: &Outcome, told: Told) -> Option<ItemId> {
    let place = |at: u32| usize::try_from(at).ok();
    match told {
        Told::Here(at) => Some(payment_id(&outcome.proof(outcome.judged.get(place(at)?)?)?.identity)),
        Told::Before(at) => Some(payment_id(&outcome.inputs.known.get(place(at)?)?.identity)),
        Told::Orphan(at) => Some(outcome.inputs.orphans.get(place(at)?)?.id),
    }
}

pub(super) fn bank_lines(outcome: &Outcome) -> Vec<BankLineFact> {
    let lines = outcome.inputs.bank.iter().flat_map(|statements| &statements.lines);
    lines.map(bank_line).collect()
}

/// A line of a bank statement.
pub(super) fn bank_line(line: &BankLine) -> BankLineFact {
    let id = |digest: &Digest, times: u32| ItemId::of(Subject::BankLine, &[digest, times.to_string().as_bytes()]);
    BankLineFact {
        id: id(&line.identity(), line.occurrence),
        on: line.on,
        amount: line.amount,
        text: line.text.clone(),
        former: line.before.map(|_| id(&line.content(), line.equal)),
    }
}

pub(super) fn batches(outcome: &Outcome) -> Vec<BatchFact> {
    let Some(input) = &outcome.inputs.settlement else { return Vec::new() };
    let mut stated: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for totals in &input.files.totals {
        stated.entry(&totals.batch_id).or_default().extend(totals.paid_out);
    }
    let days: BTreeSet<ItemId> =
        input.files.rows.iter().filter(|row| row.batch_id.is_empty() && row.paid_out_on.is_some()).map(batch_of).collect();
    let id = |name: &str| match (name, days.first()) {
        // What files without a name state is of all their rows: of a batch only if all are paid out on one day.
        ("", Some(only)) => (days.len() == 1).then_some(*only),
        _ => Some(batch_id(name)),
    };
    stated.into_iter().filter_map(|(name, stated)| Some(BatchFact { id: id(name)?, name: name.into(), stated })).collect()
}
