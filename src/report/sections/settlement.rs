//! What DOKU paid out: classes, from gross to net, batches against their totals, what waits for its pay-out.

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, Section};
use super::super::summary_settlement::{BatchFigures, ChannelFigures};
use super::super::words::Words;
use super::days::capitalised;
use super::{ageing, classes};
use crate::domain::ageing::{AgeBucket, day_number, wib_day_number};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, Nature};
use crate::reconcile::SettlementInput;
use crate::reconcile::settle::SettledPayment;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

/// Nothing without settlement files.
pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Option<Section<'a>> {
    let summary = report.summary;
    let batches: &'a [BatchFigures] = summary.settlement_batches.as_deref()?;
    let mut section = Section::new("settlement", words.settlement)
        .note(words.settlement_note)
        .table(
            classes::with_natures(words.settlement_by_class, summary.settlement.as_ref()?, |class| natures(report, class), words)
                .sum_up(words.total),
        )
        .table(channels(report, words)?)
        .table(batch_table(batches, words));
    if batches.iter().any(|batch| !batch.differences.is_empty()) {
        section = section.table(differences(batches, words));
    }
    Some(section.table(unsettled(report, words)?))
}

/// A class's natures as they occurred, worst first: that of what is not settled yet, or not notified yet, follows from its age.
fn natures(report: &Report<'_>, class: Class) -> String {
    let settled = report.outcome.settled.as_ref();
    let rows = settled.into_iter().flat_map(|settled| &settled.rows).filter(|row| row.class == class).map(|row| row.nature);
    let payments = settled.into_iter().flat_map(|settled| &settled.payments).filter_map(|payment| payment.unsettled);
    let found: Vec<Nature> = if class == Class::S02 { payments.collect() } else { rows.collect() };
    let named = [Nature::Break, Nature::Timing, Nature::Ok].into_iter().filter(|nature| found.contains(nature)).map(Nature::name);
    let named = named.collect::<Vec<_>>().join(", ");
    if named.is_empty() { class.info().nature.name().to_owned() } else { named }
}

fn channels<'a>(report: &Report<'a>, words: &'static Words) -> Option<DocumentTable<'a>> {
    let rows = report.summary.settlement_totals.as_ref()?.iter().map(|(name, of)| {
        let ChannelFigures { rows, gross, refund, fee, discount, net } = *of;
        let vat = Channel::ALL.into_iter().find(|channel| channel.name() == *name).and_then(|channel| vat(report, channel));
        let check = net.minus(gross).plus(fee).plus(discount).plus(refund);
        vec![
            capitalised(name).into(),
            Cell::from(rows),
            gross.into(),
            fee.into(),
            vat.into(),
            discount.into(),
            refund.into(),
            net.into(),
            check.into(),
        ]
    });
    let columns = columns(&[
        (words.channel, CellKind::Text),
        (words.rows, CellKind::Count),
        (words.gross, CellKind::Rupiah),
        (words.fee, CellKind::Rupiah),
        (words.vat, CellKind::Rupiah),
        (words.discount, CellKind::Rupiah),
        (words.refund, CellKind::Rupiah),
        (words.net, CellKind::Rupiah),
        (words.net_check, CellKind::Difference),
    ]);
    Some(DocumentTable::new(words.settlement_by_channel, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total).or_say(words.no_rows))
}

/// The VAT contained in a channel's fees, row by row, where the contract says how much it is.
fn vat(report: &Report<'_>, channel: Channel) -> Option<Rupiah> {
    let (input, settled): (&SettlementInput, _) = (report.outcome.inputs.settlement.as_ref()?, report.outcome.settled.as_ref()?);
    let percent = i128::from(input.terms.of(channel).fee?.vat_percent);
    let rows = input.files.rows.iter().zip(&settled.rows).filter(|(_, judged)| judged.channel == Some(channel) && !judged.is_repeated);
    Some(rows.map(|(row, _)| Rupiah::new(contained(row.fee.into(), percent))).sum())
}

/// Rounded half up, away from zero.
fn contained(fee: i128, percent: i128) -> i128 {
    let whole = percent.saturating_add(100);
    let half = whole.saturating_mul(fee.signum());
    fee.saturating_mul(percent).saturating_mul(2).saturating_add(half) / whole.saturating_mul(2)
}

fn batch_table<'a>(batches: &'a [BatchFigures], words: &'static Words) -> DocumentTable<'a> {
    let rows = batches.iter().map(|batch| {
        let stated = batch.net_stated.map(|stated| Rupiah::new(stated.into()));
        vec![
            batch.batch_id.as_str().into(),
            Cell::from(batch.rows),
            batch.malformed.into(),
            batch.gross.into(),
            batch.fee.into(),
            batch.discount.into(),
            batch.refund.into(),
            batch.net.into(),
            stated.into(),
            stated.map(|stated| stated.minus(batch.net)).into(),
            if batch.holds { words.yes } else { words.no }.into(),
        ]
    });
    let columns: Vec<DocumentColumn> = columns(&[
        (words.batch, CellKind::Code),
        (words.rows, CellKind::Count),
        (words.malformed, CellKind::Count),
        (words.gross, CellKind::Rupiah),
        (words.fee, CellKind::Rupiah),
        (words.discount, CellKind::Rupiah),
        (words.refund, CellKind::Rupiah),
        (words.net, CellKind::Rupiah),
        (words.stated, CellKind::Rupiah),
        (words.difference, CellKind::Difference),
        (words.holds, CellKind::Text),
    ]);
    DocumentTable::new(words.settlement_batches, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total).or_say(words.no_rows)
}

fn differences<'a>(batches: &'a [BatchFigures], words: &'static Words) -> DocumentTable<'a> {
    let rows = batches.iter().flat_map(|batch| {
        batch.differences.iter().map(|one| {
            let (stated, sum) = (Rupiah::new(one.stated), Rupiah::new(one.sum));
            let number = |amount: Rupiah| amount.get().to_string();
            vec![
                Cell::from(batch.batch_id.as_str()),
                one.total.into(),
                number(stated).into(),
                number(sum).into(),
                number(stated.minus(sum)).into(),
            ]
        })
    });
    let columns = columns(&[
        (words.batch, CellKind::Code),
        (words.which_total, CellKind::Code),
        // Of counts and of rupiah alike.
        (words.stated, CellKind::Code),
        (words.summed, CellKind::Code),
        (words.difference, CellKind::Code),
    ]);
    DocumentTable::new(words.settlement_differences, columns, rows.collect::<Vec<Vec<_>>>())
}

fn unsettled<'a>(report: &Report<'a>, words: &'static Words) -> Option<DocumentTable<'a>> {
    let today = wib_day_number(report.summary.as_of);
    let waiting: Vec<(AgeBucket, Balance)> = report
        .outcome
        .settled
        .as_ref()?
        .payments
        .iter()
        .filter(|payment| payment.unsettled.is_some())
        .map(|payment: &SettledPayment| {
            let days = today.saturating_sub(day_number(payment.due_on));
            // On its day it may still come.
            let bucket = if days <= 0 { AgeBucket::NotDue } else { AgeBucket::of(days) };
            (bucket, Balance::one(Rupiah::new(payment.notified.into())))
        })
        .collect();
    let of = |bucket| waiting.iter().filter(|(which, _)| *which == bucket).map(|(_, balance)| *balance).sum();
    Some(ageing::by_age(words.unsettled_ageing, AgeBucket::ALL.into_iter().map(|bucket| (bucket, of(bucket))), words))
}
