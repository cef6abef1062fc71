//! What a reconciliation found, as facts of the books: bills with their histories, payments with their bills, settlement rows with their
//! payments, what files state of batches, and alarms. Rows and payments of earlier months that wait are told anew, with what they have
//! found since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::alarms::alarms;
use super::bills::Bill;
use super::carried::waits;
use super::judge::{JudgedPayment, known_of};
use super::settle::{self, JudgedRow, Told};
use super::{ExternalMark, KnownPayment, Orphan, Outcome, Terms};
use crate::books::fact::{
    BankLineFact, BatchFact, BillEvent, BillFact, Change, Facts, Hold, Mark, Notified, Payee, PaymentFact, RowFact, RowKind,
};
use crate::books::item::{ItemId, Subject};
use crate::books::known::{Known, RowState};
use crate::domain::ageing::date_of;
use crate::domain::amount::Amount;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, is_after_cancellation, is_after_expiry};
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::BankLine;

/// Everything the run knows, as facts; `before` is what the books knew before it.
#[must_use]
pub fn facts(outcome: &Outcome, terms: &Terms, before: &Known) -> Facts {
    let ids = BillIds::of(outcome);
    let mut payments: Vec<PaymentFact> = outcome.judged.iter().filter_map(|judged| payment(outcome, &ids, judged, terms)).collect();
    // What our ledger was told before the period is proved; of the period only evidence proves anything (L04).
    let starts_at = terms.period.starts_at();
    payments.extend(known(outcome, &ids, |known| known.in_ledger && !known.is_proved && known.paid_at < starts_at));
    payments.extend(matched_anew(outcome, &ids, terms, before));
    let mut rows = rows(outcome);
    rows.extend(claimed_anew(outcome, &ids, &payments, before));
    let mut bills: Vec<BillFact> =
        outcome.inputs.bills.iter().map(|(number, bill)| self::bill(outcome, &ids, number, bill, terms)).collect();
    as_old_as_paid(&mut bills, &payments, terms);
    Facts {
        bills,
        payments,
        rows,
        batches: batches(outcome),
        alarms: alarms(outcome, &ids.listed(), terms, before),
        bank_lines: bank_lines(outcome),
    }
}

/// Payments of bills that are known from elsewhere than this evidence, of days before `from`: what the books begin on.
#[must_use]
pub fn paid_before(outcome: &Outcome) -> Vec<PaymentFact> {
    known(outcome, &BillIds::of(outcome), |_| true).collect()
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

    /// Every bill of the ledger.
    fn listed(&self) -> BTreeSet<ItemId> {
        self.ids.values().copied().collect()
    }

    fn get(&self, number: u32) -> Option<ItemId> {
        self.ids.get(&number).copied()
    }
}

fn payment_id(identity: &Digest) -> ItemId {
    ItemId::of(Subject::Payment, &[identity])
}

fn bill(outcome: &Outcome, ids: &BillIds<'_>, number: u32, bill: &Bill, terms: &Terms) -> BillFact {
    let bills = &outcome.inputs.bills;
    let invoice_number = bills.invoice_number(number);
    let debt = ids.groups.get(&bill.group).map_or_else(|| ItemId::debt_of(invoice_number), |name| ItemId::group(name));
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

/// What our own ledger says was paid in the period, where this evidence does not prove it.
fn unproven(outcome: &Outcome, number: u32, terms: &Terms) -> Option<Mark> {
    let of_bill = known_of(&outcome.inputs.known, number).iter();
    let is_unproven = |known: &&KnownPayment| known.in_ledger && !known.is_proved && terms.period.contains(known.paid_at);
    let (mut at, mut paid) = (None, 0_u64);
    for known in of_bill.filter(is_unproven) {
        at = at.max(Some(known.paid_at));
        paid = paid.saturating_add(known.amount);
    }
    at.map(|at| Mark { at: Some(at), paid: Amount::new(paid).ok() })
}

/// A bill that the ledger met after the period and that was paid in it is as old as its first payment: clocks differ.
fn as_old_as_paid(bills: &mut [BillFact], payments: &[PaymentFact], terms: &Terms) {
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
        if let (Some(at), Some(event)) = (first.get(&bill.id), bill.events.first_mut()) {
            event.at = Some(*at);
        }
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
    // Where a bill is known, it says what it was paid as.
    let notified = match payee {
        Payee::Bill(_) => Notified::default(),
        Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => {
            let (invoice_number, payment_code) = outcome.notified_ids(judged);
            Notified { invoice_number: invoice_number.into(), payment_code: payment_code.into() }
        }
    };
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
        aliases: Vec::new(),
        notified,
        channel: proof.channel,
        amount,
        paid_at: proof.paid_at(),
        payee,
        hold,
        only_told: judged.class == Class::P19 || judged.flags.contains(Class::P19),
    })
}

/// Why money waits although its bill is known.
fn hold(bill: &Bill, paid_at: Timestamp, terms: &Terms) -> Option<Hold> {
    if is_after_cancellation(paid_at, bill.cancelled_at()) {
        return Some(Hold::AfterCancellation);
    }
    is_after_expiry(paid_at, bill.expires_at(), &terms.policy).then_some(Hold::AfterExpiry)
}

/// Payments of bills that are known from elsewhere than this evidence.
fn known<'a>(
    outcome: &'a Outcome,
    ids: &'a BillIds<'a>,
    is_wanted: impl Fn(&KnownPayment) -> bool + 'a,
) -> impl Iterator<Item = PaymentFact> + 'a {
    let wanted = outcome.inputs.known.iter().filter(move |known| known.identity != [0; 32] && is_wanted(known));
    wanted.filter_map(|known| {
        Some(PaymentFact {
            id: payment_id(&known.identity),
            identity: Some(known.identity),
            aliases: Vec::new(),
            notified: Notified::default(),
            channel: outcome.inputs.bills.get(known.bill)?.channel,
            amount: Amount::new(known.amount).ok()?,
            paid_at: known.paid_at,
            payee: Payee::Bill(ids.get(known.bill)?),
            hold: None,
            only_told: false,
        })
    })
}

/// Money of earlier months that waits for a bill, and whose ids lead to one by now.
fn matched_anew<'a>(
    outcome: &'a Outcome,
    ids: &'a BillIds<'a>,
    terms: &'a Terms,
    before: &'a Known,
) -> impl Iterator<Item = PaymentFact> + 'a {
    let waiting = outcome.inputs.orphans.iter().filter(|orphan| !orphan.is_proved && waits(before, orphan));
    waiting.filter_map(|orphan: &Orphan| {
        let (number, amount) = (orphan.bill?, Amount::new(orphan.amount).ok()?);
        Some(PaymentFact {
            id: orphan.id,
            identity: Some(orphan.identity),
            aliases: Vec::new(),
            notified: Notified::default(),
            channel: orphan.channel,
            amount,
            paid_at: orphan.paid_at,
            payee: Payee::Bill(ids.get(number)?),
            hold: hold(outcome.inputs.bills.get(number)?, orphan.paid_at, terms),
            only_told: false,
        })
    })
}

/// Rows of earlier months that wait for their payment, and whose invoice number and amount one payment of this run has.
fn claimed_anew(outcome: &Outcome, ids: &BillIds<'_>, payments: &[PaymentFact], before: &Known) -> Vec<RowFact> {
    let waiting: Vec<_> = before.unclaimed_rows().filter(|(_, row)| !row.invoice_number.is_empty()).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let bills = &outcome.inputs.bills;
    let mut by_ids: BTreeMap<(&str, i128), Vec<&PaymentFact>> = BTreeMap::new();
    let numbers: BTreeMap<ItemId, &str> = ids.ids.iter().map(|(number, id)| (*id, bills.invoice_number(*number))).collect();
    for payment in payments.iter().filter(|payment| !before.payments.contains_key(&payment.id)) {
        let name = match payment.payee {
            Payee::Bill(bill) => numbers.get(&bill).copied().unwrap_or_default(),
            Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => &payment.notified.invoice_number,
        };
        by_ids.entry((name, payment.amount.get().into())).or_default().push(payment);
    }
    let claimed = waiting.into_iter().filter_map(|(id, row)| {
        // Of several, any is as good as the other only for who asks for no proof.
        let [payment] = by_ids.remove(&(&*row.invoice_number, row.gross.get()))?.try_into().ok()?;
        Some(RowFact {
            id: *id,
            batch: row.batch,
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
    claimed.filter(|row| before.rows.get(&row.id).is_some_and(|known| known.state == RowState::Suspense)).collect()
}

fn batch_id(name: &str) -> ItemId {
    ItemId::of(Subject::Batch, &[name.as_bytes()])
}

/// Readable rows, and those of channels nobody knows. The same row in two files is one fact.
fn rows(outcome: &Outcome) -> Vec<RowFact> {
    let (Some(input), Some(settled)) = (&outcome.inputs.settlement, &outcome.settled) else { return Vec::new() };
    let mut seen: BTreeMap<(Digest, u32), u32> = BTreeMap::new();
    let named = settle::listed_as(&input.files.rows, &settled.rows);
    let facts = input.files.rows.iter().zip(&settled.rows).zip(named).map(|((row, judged), listed_as)| {
        let times = seen.entry((row.content(), row.place.file)).or_default();
        let occurrence = *times;
        *times = times.saturating_add(1);
        RowFact {
            id: ItemId::of(Subject::Row, &[&row.content(), occurrence.to_string().as_bytes()]),
            batch: batch_id(&row.batch_id),
            invoice_number: if judged.payment.is_none() { row.invoice_number.as_str().into() } else { "".into() },
            listed_as: listed_as.into(),
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
    let payment = judged.payment.and_then(|told| paid(outcome, told));
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

/// The payment that a row settles.
fn paid(outcome: &Outcome, told: Told) -> Option<ItemId> {
    let place = |at: u32| usize::try_from(at).ok();
    match told {
        Told::Here(at) => Some(payment_id(&outcome.proof(outcome.judged.get(place(at)?)?)?.identity)),
        Told::Before(at) => Some(payment_id(&outcome.inputs.known.get(place(at)?)?.identity)),
        Told::Orphan(at) => Some(outcome.inputs.orphans.get(place(at)?)?.id),
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
