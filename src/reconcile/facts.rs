//! What a reconciliation found, as facts of the books: bills with their histories, payments with their bills, settlement rows with their
//! payments, and what files state of batches.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::bills::Bill;
use super::judge::JudgedPayment;
use super::settle::JudgedRow;
use super::{ExternalMark, Outcome, Terms};
use crate::books::fact::{BankLineFact, BatchFact, BillEvent, BillFact, Change, Facts, Hold, Mark, Payee, PaymentFact, RowFact, RowKind};
use crate::books::item::{ItemId, Subject};
use crate::domain::ageing::date_of;
use crate::domain::amount::Amount;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, is_after_cancellation, is_after_expiry};
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::BankLine;

/// Everything the run knows, as facts.
#[must_use]
pub fn facts(outcome: &Outcome, terms: &Terms) -> Facts {
    let ids = BillIds::of(outcome);
    let mut payments: Vec<PaymentFact> = outcome.judged.iter().filter_map(|judged| payment(outcome, &ids, judged, terms)).collect();
    payments.extend(known(outcome, &ids));
    Facts {
        bills: outcome.inputs.bills.iter().map(|(number, bill)| self::bill(outcome, &ids, number, bill)).collect(),
        payments,
        rows: rows(outcome),
        batches: batches(outcome),
        bank_lines: bank_lines(outcome),
        ..Facts::default()
    }
}

/// What bills are called. One invoice number is one bill, unless the ledger lists it with several codes: then the codes tell them apart,
/// and together they are owed once.
struct BillIds<'a> {
    ids: BTreeMap<u32, ItemId>,
    groups: BTreeMap<u32, &'a str>,
}

impl<'a> BillIds<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let bills = &outcome.inputs.bills;
        let mut count: BTreeMap<&str, u32> = BTreeMap::new();
        for (number, _) in bills.iter() {
            let times = count.entry(bills.invoice_number(number)).or_default();
            *times = times.saturating_add(1);
        }
        let of_many = |number: u32, bill: &Bill| {
            let parts = [bills.invoice_number(number), bill.channel.name(), bills.payment_code(number)];
            ItemId::of(Subject::Bill, &parts.map(str::as_bytes))
        };
        let id = |(number, bill): (u32, &Bill)| {
            let invoice_number = bills.invoice_number(number);
            let is_one = count.get(invoice_number).is_none_or(|times| *times == 1);
            (number, if is_one { ItemId::bill(invoice_number) } else { of_many(number, bill) })
        };
        Self { ids: bills.iter().map(id).collect(), groups: bills.group_names() }
    }

    fn get(&self, number: u32) -> Option<ItemId> {
        self.ids.get(&number).copied()
    }
}

fn payment_id(identity: &Digest) -> ItemId {
    ItemId::of(Subject::Payment, &[identity])
}

fn bill(outcome: &Outcome, ids: &BillIds<'_>, number: u32, bill: &Bill) -> BillFact {
    let bills = &outcome.inputs.bills;
    let invoice_number = bills.invoice_number(number);
    let debt = ids.groups.get(&bill.group).map_or_else(|| ItemId::debt_of(invoice_number), |name| ItemId::group(name));
    let superseded = bills.side().superseded(number);
    let made_at = bill.planned_at().or_else(|| bill.created_at());
    let first = superseded.first().map_or(bill.amount, |(_, amount)| *amount);
    let mut events = vec![BillEvent { at: made_at, change: Change::Created(first) }];
    // Each amount was given up at a time, for the one after it.
    let after = superseded.iter().skip(1).map(|(_, amount)| *amount).chain([bill.amount]);
    events.extend(superseded.iter().zip(after).map(|((at_us, _), amount): (_, Amount)| BillEvent {
        at: Timestamp::from_microsecond(*at_us).ok(),
        change: Change::Amended(amount),
    }));
    if let Some(at) = bill.cancelled_at() {
        events.push(BillEvent { at: Some(at), change: Change::Cancelled });
        events.sort_by_key(|event| event.at);
    }
    let mark = match bill.external_mark() {
        ExternalMark::Unpaid => None,
        ExternalMark::Undated => Some(Mark { at: None, paid: None }),
        ExternalMark::At(at) => Some(Mark { at: Some(at), paid: None }),
    };
    let product = bills.side().product_name(bills.side().product(number));
    let code = bills.payment_code(number);
    BillFact {
        id: ids.get(number).unwrap_or_else(|| ItemId::bill(invoice_number)),
        debt,
        invoice_number: invoice_number.into(),
        names: if code.is_empty() { Vec::new() } else { vec![format!("{}/{code}", bill.channel.name()).into()] },
        reusable: bill.reusable(),
        due_on: bills.side().due_day(number).map(date_of),
        expires_on: bill.expires_at().map(wib_date),
        events,
        mark,
        dimensions: if product.is_empty() { Vec::new() } else { vec![product.into()] },
    }
}

fn payment(outcome: &Outcome, ids: &BillIds<'_>, judged: &JudgedPayment, terms: &Terms) -> Option<PaymentFact> {
    let proof = outcome.proof(judged)?;
    let amount = Amount::new(proof.amount).ok()?;
    let payee = match (judged.class, ids.get(judged.bill)) {
        (Class::P02, _) => Payee::Disagreeing,
        (Class::P15, _) => Payee::Ambiguous,
        (_, None) => Payee::Nobody,
        (_, Some(bill)) => Payee::Bill(bill),
    };
    let hold = hold(outcome, judged, proof.paid_at(), terms);
    let (id, paid_at, channel) = (payment_id(&proof.identity), proof.paid_at(), proof.channel);
    let only_told = judged.class == Class::P19;
    // An unusable amount is no money; its row, when it comes, is.
    (judged.class != Class::P17).then_some(PaymentFact { id, aliases: Vec::new(), channel, amount, paid_at, payee, hold, only_told })
}

/// Why a payment waits although its bill is known. A payment of another period was not classed by its time; the books want to know.
fn hold(outcome: &Outcome, judged: &JudgedPayment, paid_at: Timestamp, terms: &Terms) -> Option<Hold> {
    let is = |class: Class| judged.class == class || judged.flags.contains(class);
    let late = outcome.inputs.bills.get(judged.bill).filter(|_| judged.class == Class::P16);
    let is_cancelled = late.is_some_and(|bill| is_after_cancellation(paid_at, bill.cancelled_at()));
    let is_expired = late.is_some_and(|bill| is_after_expiry(paid_at, bill.expires_at(), &terms.policy));
    match (is(Class::P08) || is_cancelled, is(Class::P07) || is_expired) {
        (true, _) => Some(Hold::AfterCancellation),
        (false, true) => Some(Hold::AfterExpiry),
        (false, false) => None,
    }
}

/// Payments that the ledger holds and this evidence does not tell of.
fn known<'a>(outcome: &'a Outcome, ids: &'a BillIds<'a>) -> impl Iterator<Item = PaymentFact> + 'a {
    outcome.inputs.known.iter().filter(|known| known.in_ledger && !known.is_proved && known.identity != [0; 32]).filter_map(|known| {
        Some(PaymentFact {
            id: payment_id(&known.identity),
            aliases: Vec::new(),
            channel: outcome.inputs.bills.get(known.bill)?.channel,
            amount: Amount::new(known.amount).ok()?,
            paid_at: known.paid_at,
            payee: Payee::Bill(ids.get(known.bill)?),
            hold: None,
            only_told: false,
        })
    })
}

fn batch_id(name: &str) -> ItemId {
    ItemId::of(Subject::Batch, &[name.as_bytes()])
}

/// Readable rows, and those of channels nobody knows. The same row in two files is one fact.
fn rows(outcome: &Outcome) -> Vec<RowFact> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return Vec::new() };
    let mut seen: BTreeMap<(Digest, u32), u32> = BTreeMap::new();
    let facts = input.files.rows.iter().zip(&settled.rows).map(|(row, judged)| {
        let times = seen.entry((row.content(), row.place.file)).or_default();
        let occurrence = *times;
        *times = times.saturating_add(1);
        RowFact {
            id: ItemId::of(Subject::Row, &[&row.content(), occurrence.to_string().as_bytes()]),
            batch: batch_id(&row.batch_id),
            paid_out_on: row.paid_out_on,
            amount: row.amount,
            fee: row.fee,
            discount: row.discount,
            paid_out: row.paid_out,
            // Which of the accounts of a split settlement are others' is not told; what they took shows on the batch.
            shares: 0,
            kind: kind(outcome, row, judged, occurrence),
        }
    });
    facts.collect()
}

fn kind(outcome: &Outcome, row: &SettlementRow, judged: &JudgedRow, occurrence: u32) -> RowKind {
    let payment = judged.payment.and_then(|place| outcome.judged.get(usize::try_from(place).ok()?));
    let payment = payment.and_then(|payment| outcome.proof(payment)).map(|proof| payment_id(&proof.identity));
    match (judged.class, judged.channel, payment) {
        (Class::S12, _, _) => RowKind::Other,
        (_, None, _) => RowKind::Unreadable,
        _ if occurrence > 0 => RowKind::Repeated,
        (_, Some(channel), _) if !row.is_purchase() => RowKind::Refund(channel),
        (_, Some(channel), Some(payment)) => RowKind::Of(channel, payment),
        // Its payment has another row already, and is not named by this one.
        (Class::S07, Some(_), None) if !judged.is_repeated => RowKind::Repeated,
        (_, Some(channel), None) => RowKind::Unclaimed(channel),
    }
}

fn bank_lines(outcome: &Outcome) -> Vec<BankLineFact> {
    let lines = outcome.inputs.bank.iter().flat_map(|statements| &statements.lines);
    let fact = |line: &BankLine| BankLineFact {
        id: ItemId::of(Subject::BankLine, &[&line.content(), line.occurrence.to_string().as_bytes()]),
        on: line.on,
        amount: line.amount,
        text: line.text.as_str().into(),
    };
    lines.map(fact).collect()
}

fn batches(outcome: &Outcome) -> Vec<BatchFact> {
    let Some(input) = &outcome.inputs.settlement else { return Vec::new() };
    let mut stated: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for totals in &input.files.totals {
        stated.entry(&totals.batch_id).or_default().extend(totals.paid_out);
    }
    stated.into_iter().map(|(name, stated)| BatchFact { id: batch_id(name), name: name.into(), stated }).collect()
}
