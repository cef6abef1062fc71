//! What settlement files and bank statements say, as facts of the books: rows with their payments, what files state of batches, lines of
//! accounts. Rows of earlier months that wait are told anew, with what they have found since.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::Reconciled;
use super::fact_names::Names;
use super::item_names::{batch_id, batch_of, payment_id, row_id};
use super::settle::{self, JudgedRow, ToldIn};
use super::terms::ReconcileTerms;
use super::waiting_rows::WaitingRow;
use crate::books::fact::{BankLineFact, BatchFact, RowFact, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::line::NO_BILL;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::BankLine;

/// The payments of the period that our own ledger knows, that no message of this evidence proves, and that a settlement row names: DOKU says
/// itself that it has them, so they are told, whether or not they are paid out yet.
pub(super) fn named_by_rows(outcome: &Reconciled, terms: &ReconcileTerms) -> HashSet<Digest> {
    let rows = outcome.settled.iter().flat_map(|settled| &settled.rows).filter_map(|row| row.payment);
    let told = rows.chain(outcome.claimed.iter().map(|(_, payment)| *payment));
    let named =
        told.filter_map(|told| if let ToldIn::Before(at) = told { outcome.inputs.known.get(usize::try_from(at).ok()?) } else { None });
    named.filter(|known| terms.period.contains(known.paid_at)).map(|known| known.identity).collect()
}

/// Rows of earlier months that wait, with the payments that are theirs.
pub(super) fn claimed_anew(outcome: &Reconciled) -> impl Iterator<Item = RowFact> + '_ {
    outcome.claimed.iter().filter_map(|(at, payment)| {
        let WaitingRow { id, booked, amount, .. } = outcome.inputs.waiting_rows.apart.get(*at)?;
        let (RowKind::Of(channel, _) | RowKind::Unclaimed(channel) | RowKind::Again(channel)) = booked.kind else { return None };
        // What stands in suspense was charged when it was posted.
        let (fee, discount, shares) = booked.unposted.map_or((0, 0, 0), |of| (of.fee, of.discount, of.shares));
        Some(RowFact {
            id: *id,
            batch: booked.batch,
            number: booked.number.clone(),
            invoice_number: booked.invoice_number.clone(),
            codes: booked.codes.clone(),
            paid_on: booked.paid_on,
            bill: booked.bill,
            listed_as: booked.listed_as.clone(),
            paid_out_on: Some(booked.paid_out_on),
            amount: *amount,
            fee,
            discount,
            paid_out: 0,
            shares,
            kind: RowKind::Of(channel, paid(outcome, *payment)?),
        })
    })
}

/// What a settlement row is called.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: ItemId,
    listed_as: Box<str>,
}

/// What readable rows are called, and those of channels nobody knows.
pub(super) fn named(outcome: &Reconciled) -> Vec<Named> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return Vec::new() };
    let mut again: HashMap<Digest, u32> = HashMap::new();
    let listed_as = settle::listed_as(&input.files.rows, &settled.rows);
    let names = input.files.rows.iter().zip(&settled.rows).zip(listed_as).map(|((row, judged), listed_as)| {
        let content = row.content();
        // Which of equal rows of one file it is: 0 is the one whose payment was looked for.
        let occurrence = if judged.is_repeated {
            let times = again.entry(content).or_default();
            *times = times.saturating_add(1);
            *times
        } else {
            0
        };
        Named { id: row_id(&content, occurrence), listed_as: listed_as.into() }
    });
    names.collect()
}

/// The bill that a row names although it settles none of its payments: none is known, or one of an amount that nobody can read. One that is
/// not paid out yet, and of which nobody is told in this period (S08), says nothing.
pub(super) fn waits_for(outcome: &Reconciled, row: &SettlementRow, judged: &JudgedRow, terms: &ReconcileTerms) -> Option<u32> {
    let is_unusable = |told: ToldIn| {
        let ToldIn::Here(at) = told else { return false };
        usize::try_from(at).ok().and_then(|at| outcome.judged.get(at)).is_some_and(|payment| payment.class == Class::P17)
    };
    let is_told = judged.class != Class::S08 || row.paid_out_on.is_some_and(|on| on <= terms.period.to);
    let waits = match kind(outcome, row, judged) {
        RowKind::Unclaimed(_) => is_told,
        RowKind::Of(..) => is_told && judged.payment.is_some_and(is_unusable),
        RowKind::Refund(_) | RowKind::Repeated | RowKind::Again(_) | RowKind::Other | RowKind::Unreadable => false,
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
    // What nothing that can be used is known for is looked for again: by all that it names.
    let waits = judged.amount_notified.is_none();
    let codes = [&row.report_code, &row.recon_code].into_iter().filter(|_| waits).map(|code| code.as_str().into());
    RowFact {
        id: called.id,
        codes: codes.collect(),
        batch: batch_of(row),
        number: row.number.as_str().into(),
        invoice_number: if waits { row.invoice_number.as_str().into() } else { "".into() },
        paid_on: waits.then_some(row.transaction_date),
        bill: waits_for(outcome, row, judged, terms).and_then(|bill| names.bill(bill)),
        listed_as: called.listed_as.clone(),
        paid_out_on: row.paid_out_on,
        amount: row.amount,
        fee: row.fee,
        discount: row.discount,
        // What stands in its batch twice is paid out once.
        paid_out: if judged.counts { row.paid_out } else { 0 },
        shares: shared(outcome, row),
        kind: kind(outcome, row, judged),
    }
}

/// What of a row others get, whatever it is of. What cannot be read is told as S09, and stays ours until it can.
fn shared(outcome: &Reconciled, row: &SettlementRow) -> i64 {
    outcome.inputs.settlement.as_ref().and_then(|input| input.terms.shared(row)).unwrap_or(0)
}

fn kind(outcome: &Reconciled, row: &SettlementRow, judged: &JudgedRow) -> RowKind {
    let payment = judged.payment.and_then(|told| paid(outcome, told));
    match (judged.class, judged.channel, payment) {
        // S09: what others get of it cannot be read.
        (Class::S12, _, _) | (Class::S09, None, _) => RowKind::Other,
        (_, None, _) => RowKind::Unreadable,
        // The very same row, or the same one sent again with something corrected.
        _ if !judged.counts => RowKind::Repeated,
        (_, Some(channel), _) if !row.is_purchase() => RowKind::Refund(channel),
        (_, Some(channel), Some(payment)) => RowKind::Of(channel, payment),
        // Its payment has another row already, and is not named by this one.
        (Class::S14 | Class::S07, Some(channel), None) => RowKind::Again(channel),
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
