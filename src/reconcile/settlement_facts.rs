//! What settlement files and bank statements say, as facts of the books: rows with their payments, what files state of batches, lines of
//! accounts. Rows of earlier months that wait are told anew, with what they have found since.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::Reconciled;
use super::fact_names::Names;
use super::item_names::{batch_id, batch_of, payment_id, row_id};
use super::settle::{self, JudgedRow, ToldIn};
use super::terms::ReconcileTerms;
use crate::books::Brief;
use crate::books::fact::{BankLineFact, BatchFact, Payee, PaymentFact, RowFact, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::BookedRow;
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::line::NO_BILL;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::BankLine;

/// The payments of the period that our own ledger knows, that no message of this evidence proves, and that a settlement row names: DOKU says
/// itself that it has them, so they are told, whether or not they are paid out yet.
pub(super) fn named_by_rows(outcome: &Reconciled, terms: &ReconcileTerms) -> HashSet<Digest> {
    let rows = outcome.settled.iter().flat_map(|settled| &settled.rows);
    let named = rows
        .filter_map(|row| if let ToldIn::Before(at) = row.payment? { outcome.inputs.known.get(usize::try_from(at).ok()?) } else { None });
    named.filter(|known| terms.period.contains(known.paid_at)).map(|known| known.identity).collect()
}

/// What waits of one invoice number, and what was paid as it.
#[derive(Default)]
struct OneSubject<'a> {
    rows: Vec<(ItemId, &'a BookedRow)>,
    payments: Vec<PaymentFact>,
}

/// Rows of earlier months that wait for their payment, with the one of `payments` that is theirs: each comes with the invoice number it was
/// paid as. What this evidence tells of itself is left out: a row that it lists again, and a payment that has a row of it.
pub(super) fn claimed_anew<'a>(
    outcome: &Reconciled,
    named: &[Named],
    payments: impl Iterator<Item = (&'a str, PaymentFact)>,
    before: &Brief,
) -> Vec<RowFact> {
    let listed: HashSet<ItemId> = named.iter().map(|named| named.id).collect();
    let waits = |(id, row): &(&ItemId, &BookedRow)| !row.invoice_number.is_empty() && !listed.contains(id);
    let mut subjects: BTreeMap<&str, OneSubject<'_>> = BTreeMap::new();
    for (id, row) in before.unclaimed_rows().filter(waits) {
        subjects.entry(&row.invoice_number).or_default().rows.push((*id, row));
    }
    if subjects.is_empty() {
        return Vec::new();
    }
    let bills = subjects.iter().flat_map(|(name, of)| of.rows.iter().filter_map(|(_, row)| Some((row.bill?, *name))));
    let bills: HashMap<ItemId, &str> = bills.collect();
    let has_row: HashSet<ItemId> =
        outcome.settled.iter().flat_map(|settled| &settled.rows).filter_map(|row| paid(outcome, row.payment?)).collect();
    for (name, payment) in payments.filter(|(_, payment)| !before.has_payment(payment.id) && !has_row.contains(&payment.id)) {
        let bill = if let Payee::Bill(bill) = payment.payee { bills.get(&bill).copied() } else { None };
        if let Some(of) = subjects.get_mut(bill.unwrap_or(name)) {
            of.payments.push(payment);
        }
    }
    // What this evidence lists of a bill, and found nothing for, may be what is left of it, too.
    let rows =
        outcome.inputs.settlement.iter().flat_map(|input| &input.files.rows).zip(outcome.settled.iter().flat_map(|settled| &settled.rows));
    let left: HashSet<&str> = rows.filter(|(_, judged)| judged.payment.is_none()).map(|(row, _)| row.invoice_number.as_str()).collect();
    subjects.into_iter().flat_map(|(name, of)| claims(of, left.contains(name))).collect()
}

/// Which rows of one subject are of which of its payments, by the rule of `settle`: those of one day by equal amounts, then what is left of a
/// day if it is one of each, then what is left at all if it is one of each on neighbouring days. Of a row whose day was not kept only the
/// amount is known. With others left (`has_others`) nothing but amounts tells them apart.
fn claims(of: OneSubject<'_>, has_others: bool) -> Vec<RowFact> {
    let OneSubject { mut rows, mut payments } = of;
    let mut claimed = Vec::new();
    let is_equal = |row: &BookedRow, payment: &PaymentFact| i128::from(payment.amount.get()) == row.gross.get();
    payments.sort_by_key(|payment| (payment.day(), payment.amount, payment.id));
    rows.retain(|(id, row)| {
        let found = payments.iter().position(|payment| row.paid_on == Some(payment.day()) && is_equal(row, payment));
        claimed.extend(found.and_then(|at| claim(*id, row, &payments.remove(at))));
        found.is_none()
    });
    let days: BTreeSet<Date> = rows.iter().filter(|_| !has_others).filter_map(|(_, row)| row.paid_on).collect();
    for day in days {
        let [row] = rows.iter().filter(|(_, row)| row.paid_on == Some(day)).copied().collect::<Vec<_>>()[..] else { continue };
        let [at] = (0..payments.len()).filter(|at| payments.get(*at).is_some_and(|one| one.day() == day)).collect::<Vec<_>>()[..] else {
            continue;
        };
        claimed.extend(claim(row.0, row.1, &payments.remove(at)));
        rows.retain(|(id, _)| *id != row.0);
    }
    match (&*rows, &*payments) {
        ([(id, row)], [payment]) if !has_others && row.paid_on.is_some_and(|on| settle::is_next_to(on, payment.day())) => {
            claimed.extend(claim(*id, row, payment));
        }
        _ => {
            for (id, row) in rows.iter().filter(|(_, row)| row.paid_on.is_none()) {
                // Of several, any is as good as the other only for who asks for no proof.
                let [payment] = payments.iter().filter(|payment| is_equal(row, payment)).collect::<Vec<_>>()[..] else { continue };
                claimed.extend(claim(*id, row, payment));
            }
        }
    }
    claimed
}

fn claim(id: ItemId, row: &BookedRow, payment: &PaymentFact) -> Option<RowFact> {
    Some(RowFact {
        id,
        batch: row.batch,
        number: row.number.clone(),
        invoice_number: row.invoice_number.clone(),
        paid_on: row.paid_on,
        bill: row.bill,
        listed_as: row.listed_as.clone(),
        paid_out_on: Some(row.paid_out_on),
        amount: i64::try_from(row.gross.get()).ok()?,
        fee: 0,
        discount: 0,
        paid_out: 0,
        shares: 0,
        kind: RowKind::Of(payment.channel, payment.id),
    })
}

/// What a settlement row is called.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: ItemId,
    /// Which of equal rows of one file it is: 0 is the one whose payment was looked for.
    occurrence: u32,
    listed_as: Box<str>,
}

/// What readable rows are called, and those of channels nobody knows.
pub(super) fn named(outcome: &Reconciled) -> Vec<Named> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return Vec::new() };
    let mut again: HashMap<Digest, u32> = HashMap::new();
    let listed_as = settle::listed_as(&input.files.rows, &settled.rows);
    let names = input.files.rows.iter().zip(&settled.rows).zip(listed_as).map(|((row, judged), listed_as)| {
        let content = row.content();
        let occurrence = if judged.is_repeated {
            let times = again.entry(content).or_default();
            *times = times.saturating_add(1);
            *times
        } else {
            0
        };
        Named { id: row_id(&content, occurrence), occurrence, listed_as: listed_as.into() }
    });
    names.collect()
}

/// The bill that a row names although it settles none of its payments: none is known, or one of an amount that nobody can read. One that is
/// not paid out yet, and of which nobody is told in this period (S08), says nothing.
pub(super) fn waits_for(
    outcome: &Reconciled,
    row: &SettlementRow,
    judged: &JudgedRow,
    named: &Named,
    terms: &ReconcileTerms,
) -> Option<u32> {
    let is_unusable = |told: ToldIn| {
        let ToldIn::Here(at) = told else { return false };
        usize::try_from(at).ok().and_then(|at| outcome.judged.get(at)).is_some_and(|payment| payment.class == Class::P17)
    };
    let is_told = judged.class != Class::S08 || row.paid_out_on.is_some_and(|on| on <= terms.period.to);
    let waits = match kind(outcome, row, judged, named.occurrence) {
        RowKind::Unclaimed(_) => is_told,
        RowKind::Of(..) => is_told && judged.payment.is_some_and(is_unusable),
        RowKind::Refund(_) | RowKind::Repeated | RowKind::Other | RowKind::Unreadable => false,
    };
    Some(judged.bill).filter(|bill| waits && *bill != NO_BILL)
}

/// A settlement row.
pub(super) fn row(
    outcome: &Reconciled,
    terms: &ReconcileTerms,
    names: &Names,
    (row, judged): (&SettlementRow, &JudgedRow),
    called: &Named,
) -> RowFact {
    RowFact {
        id: called.id,
        batch: batch_of(row),
        number: row.number.as_str().into(),
        invoice_number: if judged.payment.is_none() { row.invoice_number.as_str().into() } else { "".into() },
        paid_on: judged.payment.is_none().then_some(row.transaction_date),
        bill: waits_for(outcome, row, judged, called, terms).and_then(|bill| names.bill(bill)),
        listed_as: called.listed_as.clone(),
        paid_out_on: row.paid_out_on,
        amount: row.amount,
        fee: row.fee,
        discount: row.discount,
        // What stands in its batch twice is paid out once.
        paid_out: if judged.counts { row.paid_out } else { 0 },
        shares: shared(outcome, row),
        kind: kind(outcome, row, judged, called.occurrence),
    }
}

/// What of a row others get, whatever it is of. What cannot be read is told as S09, and stays ours until it can.
fn shared(outcome: &Reconciled, row: &SettlementRow) -> i64 {
    outcome.inputs.settlement.as_ref().and_then(|input| input.terms.shared(row)).unwrap_or(0)
}

fn kind(outcome: &Reconciled, row: &SettlementRow, judged: &JudgedRow, occurrence: u32) -> RowKind {
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
pub(super) fn paid_later(outcome: &Reconciled, last: Date) -> HashMap<ItemId, Date> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return HashMap::new() };
    let rows = input.files.rows.iter().zip(&settled.rows);
    let later = rows.filter_map(|(row, judged)| Some((paid(outcome, judged.payment?)?, row.paid_out_on.filter(|on| *on > last)?)));
    later.collect()
}

/// The payment that a row settles.
fn paid(outcome: &Reconciled, told: ToldIn) -> Option<ItemId> {
    let place = |at: u32| usize::try_from(at).ok();
    match told {
        ToldIn::Here(at) => Some(payment_id(&outcome.proof(outcome.judged.get(place(at)?)?)?.identity)),
        ToldIn::Before(at) => Some(payment_id(&outcome.inputs.known.get(place(at)?)?.identity)),
        ToldIn::Orphan(at) => Some(outcome.inputs.orphans.get(place(at)?)?.id),
    }
}

pub(super) fn bank_lines(outcome: &Reconciled) -> Vec<BankLineFact> {
    let lines = outcome.inputs.bank.iter().flat_map(|statements| &statements.lines);
    lines.map(bank_line).collect()
}

/// A line of a bank statement.
pub(super) fn bank_line(line: &BankLine) -> BankLineFact {
    let id = |digest: &Digest, times: u32| ItemId::of(BooksSubject::BankLine, &[digest, times.to_string().as_bytes()]);
    BankLineFact {
        id: id(&line.identity(), line.occurrence),
        on: line.on,
        amount: line.amount,
        text: line.text.clone(),
        former: line.before.map(|_| id(&line.content(), line.equal)),
    }
}

pub(super) fn batches(outcome: &Reconciled) -> Vec<BatchFact> {
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
