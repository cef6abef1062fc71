//! Settlement rows, unsettled payments, batches and channel names that someone must look at, and why.

use std::collections::{BTreeMap, HashMap};

use super::super::judge::JudgedPayment;
use super::batches::{Batch, TotalDifference};
use super::judged_row::JudgedRow;
use super::settled::{Settled, SettledPayment};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, ClassSet, Nature, Stands};
use crate::domain::digest::Digest;
use crate::domain::line::NO_BILL;
use crate::domain::reason::{BatchReason, Candidates, Reason, RowFault, SettlementReason, TotalReason};
use crate::domain::settlement::SettlementRow;
use crate::reconcile::dedupe::Payments;
use crate::reconcile::finding::{Finding, Source, id, severity_of};
use crate::reconcile::inputs::{Inputs, SettlementInput};

/// Everything about settlement that someone must look at, in no particular order.
pub(in crate::reconcile) fn findings(inputs: &Inputs, settled: &Settled, payments: &Payments, judged: &[JudgedPayment]) -> Vec<Finding> {
    let Some(input) = &inputs.settlement else { return Vec::new() };
    let all = Collector { inputs, input, settled };
    let mut found = all.rows();
    found.extend(all.malformed());
    found.extend(all.unknown_names());
    found.extend(settled.batches.iter().filter(|batch| !batch.adds_up()).map(batch));
    let unsettled = settled.payments.iter().zip(judged).zip(&payments.proved);
    let unsettled = unsettled.filter(|((payment, _), _)| payment.unsettled == Some(Nature::Break));
    found.extend(unsettled.filter_map(|((payment, judged), proved)| all.unsettled(payment, judged.line, payments.successes(proved))));
    found
}

/// One row, whether or not someone must look at it; `at` is its place among the rows.
pub(in crate::reconcile) fn row(inputs: &Inputs, settled: &Settled, at: u32) -> Option<Finding> {
    let input = inputs.settlement.as_ref()?;
    let place = usize::try_from(at).ok()?;
    let (row, judged) = (input.files.rows.get(place)?, settled.rows.get(place)?);
    let ordinal = ordinals(&input.files.rows).get(place).copied()?;
    Some(Collector { inputs, input, settled }.row(at, row, judged, ordinal))
}

/// A payment of the period that no row settles (S02), whether it is due already or not.
pub(in crate::reconcile) fn unsettled(inputs: &Inputs, settled: &Settled, payment: u32, lines: &[u32]) -> Option<Finding> {
    let input = inputs.settlement.as_ref()?;
    let place = usize::try_from(payment).ok()?;
    let (payment, line) = (settled.payments.get(place)?, settled.proofs.get(place)?);
    let nature = payment.unsettled?;
    let finding = Collector { inputs, input, settled }.unsettled(payment, *line, lines)?;
    Some(Finding { nature, severity: severity_of(Class::S02, nature, ClassSet::EMPTY), ..finding })
}

struct Collector<'a> {
    inputs: &'a Inputs,
    input: &'a SettlementInput,
    settled: &'a Settled,
}

impl Collector<'_> {
    fn rows(&self) -> Vec<Finding> {
        let rows = &self.input.files.rows;
        let ordinals = ordinals(rows);
        let judged = (0_u32..).zip(rows.iter().zip(&self.settled.rows)).zip(&ordinals);
        let wanted = judged.filter(|((_, (_, judged)), _)| judged.nature == Nature::Break && judged.class != Class::S11);
        wanted.map(|((at, (row, judged)), &ordinal)| self.row(at, row, judged, ordinal)).collect()
    }

    fn row(&self, at: u32, row: &SettlementRow, judged: &JudgedRow, ordinal: u32) -> Finding {
        let [_, _, code, _] = identity(row);
        let (expected, paid) = sides(row, judged);
        let mut evidence = vec![row.digest];
        let mut sources = vec![Source::Settlement(at)];
        if let Some(line) = judged.here().and_then(|payment| self.proof(payment)) {
            evidence.extend(self.inputs.lines.get(line).map(|line| line.digest));
            sources.push(Source::Line(line));
        }
        evidence.sort_unstable();
        Finding {
            id: row_id(row, ordinal),
            class: judged.class,
            flags: judged.flags,
            nature: judged.nature,
            severity: severity_of(judged.class, judged.nature, judged.flags),
            invoice_number: row.invoice_number.clone(),
            payment_code: code.to_owned(),
            channel: judged.channel,
            expected,
            paid,
            paid_at: None,
            reason: self.reason(at, row, judged),
            evidence,
            sources,
            books: None,
            is_decided: false,
        }
    }

    /// The line that proves a payment.
    fn proof(&self, payment: u32) -> Option<u32> {
        self.settled.proofs.get(usize::try_from(payment).ok()?).copied()
    }

    fn reason(&self, at: u32, row: &SettlementRow, judged: &JudgedRow) -> Reason {
        let (amount, on) = (row.amount, row.transaction_date);
        let reason = match judged.class {
            Class::S07 if judged.is_repeated => SettlementReason::Repeated { number: row.number.clone(), batch_id: row.batch_id.clone() },
            Class::S07 => SettlementReason::SettledBefore { amount, on },
            Class::S06 => SettlementReason::TakenBack { transaction_type: row.transaction_type.clone(), amount },
            Class::S13 => {
                let candidates = self.settled.candidates.get(&at).cloned();
                SettlementReason::Candidates(candidates.unwrap_or_else(|| Candidates::Bills(Vec::new())))
            }
            Class::S01 => SettlementReason::NotNotified { amount, on },
            Class::S03 => SettlementReason::OtherAmount { amount, notified: judged.amount_notified },
            Class::S05 => {
                let SettlementRow { paid_out, fee, discount, .. } = *row;
                SettlementReason::NotAddedUp { paid_out, amount, fee, discount, left: row.paid_out_expected() }
            }
            Class::S04 => SettlementReason::OtherFee { fee: row.fee, by_contract: judged.fee_expected.unwrap_or(0) },
            Class::S09 => {
                let share = |name: &String| (name.clone(), row.custom.get(name).cloned().unwrap_or_default());
                SettlementReason::Shares { paid_out: row.paid_out, shares: self.input.terms.shares.keys().map(share).collect() }
            }
            class => return Reason::Class(class),
        };
        reason.into()
    }

    fn malformed(&self) -> impl Iterator<Item = Finding> {
        (0_u32..).zip(&self.input.files.malformed).map(|(at, row)| Finding {
            invoice_number: row.invoice_number.clone(),
            reason: RowFault { column: row.column.clone().into(), fault: row.reason.clone() }.into(),
            evidence: vec![row.digest],
            sources: vec![Source::MalformedSettlement(at)],
            ..about(Class::S10, id(&[b"settlement-row", &row.digest]))
        })
    }

    /// One for each name, however many rows go by it.
    fn unknown_names(&self) -> Vec<Finding> {
        let mut names: BTreeMap<&str, (Rupiah, Vec<Digest>, Vec<Source>)> = BTreeMap::new();
        for (at, (row, judged)) in (0_u32..).zip(self.input.files.rows.iter().zip(&self.settled.rows)) {
            if judged.class == Class::S11 {
                let (amount, evidence, sources) = names.entry(&row.channel_name).or_default();
                *amount = amount.plus(Rupiah::new(row.amount.into()));
                evidence.push(row.digest);
                sources.push(Source::Settlement(at));
            }
        }
        let finding = |(name, (amount, mut evidence, sources)): (&str, (Rupiah, Vec<Digest>, Vec<Source>))| {
            let rows = sources.len();
            evidence.sort_unstable();
            evidence.dedup();
            let reason = SettlementReason::ChannelUnknown { name: name.to_owned(), rows }.into();
            Finding { paid: Some(amount), reason, evidence, sources, ..about(Class::S11, id(&[b"settlement-channel", name.as_bytes()])) }
        };
        names.into_iter().map(finding).collect()
    }

    fn unsettled(&self, payment: &SettledPayment, proof: u32, lines: &[u32]) -> Option<Finding> {
        let line = self.inputs.lines.get(proof)?;
        let (bills, own) = (&self.inputs.bills, line.bill != NO_BILL);
        let (invoice_number, payment_code) =
            if own { (bills.invoice_number(line.bill), bills.payment_code(line.bill)) } else { self.inputs.lines.texts(line) };
        let mut evidence: Vec<Digest> = lines.iter().filter_map(|&at| self.inputs.lines.get(at)).map(|line| line.digest).collect();
        evidence.sort_unstable();
        evidence.dedup();
        Some(Finding {
            invoice_number: invoice_number.to_owned(),
            payment_code: payment_code.to_owned(),
            channel: Some(payment.channel),
            expected: Some(Rupiah::new(payment.notified.into())),
            paid: Some(Rupiah::ZERO),
            paid_at: Some(line.paid_at()),
            reason: SettlementReason::NotSettled { due_on: payment.due_on }.into(),
            evidence,
            sources: lines.iter().map(|&at| Source::Line(at)).collect(),
            ..about(Class::S02, id(&[b"unsettled", &line.identity]))
        })
    }
}

/// A BREAK of which nothing is known yet but its class and id.
fn about(class: Class, id: String) -> Finding {
    Finding {
        id,
        class,
        flags: ClassSet::EMPTY,
        nature: Nature::Break,
        severity: class.info().severity,
        invoice_number: String::new(),
        payment_code: String::new(),
        channel: None,
        expected: None,
        paid: None,
        paid_at: None,
        reason: Reason::Nothing,
        evidence: Vec::new(),
        sources: Vec::new(),
        books: None,
        is_decided: false,
    }
}

fn batch(batch: &Batch) -> Finding {
    let rupiah = |amount: i128| i64::try_from(amount).unwrap_or(i64::MAX);
    let total = |one: &TotalDifference| TotalReason { total: one.total.into(), stated: rupiah(one.stated), sum: rupiah(one.sum) };
    let reason = BatchReason {
        batch_id: batch.batch_id.clone(),
        is_contradicted: batch.is_contradicted,
        totals: batch.differences.iter().map(total).collect(),
        malformed: batch.malformed,
    };
    Finding {
        expected: batch.stated.paid_out.map(|stated| Rupiah::new(stated.into())),
        paid: Some(batch.sums.paid_out),
        reason: reason.into(),
        ..about(Class::S05, id(&[b"batch", batch.batch_id.as_bytes()]))
    }
}

/// What is held against what, by class: see docs/classes.md.
fn sides(row: &SettlementRow, judged: &JudgedRow) -> (Option<Rupiah>, Option<Rupiah>) {
    let rupiah = |amount: i64| Some(Rupiah::new(amount.into()));
    let known = |amount: Option<u64>| amount.map(|amount| Rupiah::new(amount.into()));
    match judged.class {
        Class::S07 => (Some(Rupiah::ZERO), rupiah(row.amount)),
        Class::S06 => (None, rupiah(row.amount.saturating_abs().saturating_neg())),
        Class::S05 => (rupiah(row.paid_out_expected()), rupiah(row.paid_out)),
        Class::S04 => (known(judged.fee_expected), rupiah(row.fee)),
        _ => (known(judged.amount_notified), rupiah(row.amount)),
    }
}

fn row_id(row: &SettlementRow, ordinal: u32) -> String {
    let [batch_id, invoice_number, code, transaction_type] = identity(row);
    let ordinal = if ordinal == 0 { String::new() } else { ordinal.to_string() };
    let parts = [batch_id, invoice_number, code, transaction_type, &ordinal];
    id(&std::iter::once(&b"settlement"[..]).chain(parts.map(str::as_bytes)).collect::<Vec<_>>())
}

/// The ids under which rows are found, of those that leave something open; empty for the others.
pub(in crate::reconcile) fn listed_as(rows: &[SettlementRow], judged: &[JudgedRow]) -> Vec<String> {
    let leaves_open = |judged: &JudgedRow| matches!(judged.class.info().stands, Stands::Suspense | Stands::Doku);
    let named = rows.iter().zip(judged).zip(ordinals(rows));
    named.map(|((row, judged), ordinal)| if leaves_open(judged) { row_id(row, ordinal) } else { String::new() }).collect()
}

/// What a row is told by, in every file and month.
fn identity(row: &SettlementRow) -> [&str; 4] {
    let code = if row.report_code.is_empty() { &row.recon_code } else { &row.report_code };
    [&row.batch_id, &row.invoice_number, code, &row.transaction_type]
}

/// Rows that share an identity are told apart by their order: by day and content, then as repetitions.
fn ordinals(rows: &[SettlementRow]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_cached_key(|&at| rows.get(at).map(|row| (row.transaction_date, row.content(), row.digest, row.place)));
    let mut counts: HashMap<[&str; 4], u32> = HashMap::new();
    let mut ordinals = vec![0; rows.len()];
    for at in order {
        if let (Some(row), Some(slot)) = (rows.get(at), ordinals.get_mut(at)) {
            let count = counts.entry(identity(row)).or_default();
            *slot = *count;
            *count = count.saturating_add(1);
        }
    }
    ordinals
}
