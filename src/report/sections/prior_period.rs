//! What became known of earlier periods, item by item.

use jiff::Timestamp;

use super::super::document::{Cell, CellKind, DocumentTable, Section};
use super::super::words::Words;
use super::days::capitalised;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

/// Nothing when there is none.
pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Option<Section<'a>> {
    let lines = &report.month.prior_period;
    let rows = lines.iter().map(|line| {
        vec![
            words.balance_name(line.moves).into(),
            words.movement(line.kind).into(),
            line.invoice_number.as_str().into(),
            line.payment_code.as_str().into(),
            line.channel.map_or_else(String::new, |channel| capitalised(channel.name())).into(),
            line.at_us.and_then(|at| Timestamp::from_microsecond(at).ok()).into(),
            Cell::from(line.count),
            line.amount.into(),
            line.discrepancy_id.as_str().into(),
        ]
    });
    let columns = columns(&[
        (words.balance, CellKind::Text),
        (words.happened, CellKind::Text),
        (words.invoice, CellKind::Code),
        (words.code, CellKind::Code),
        (words.channel, CellKind::Text),
        (words.happened_at, CellKind::Instant),
        (words.count, CellKind::Count),
        (words.amount, CellKind::Rupiah),
        (words.id, CellKind::Code),
    ]);
    let table = DocumentTable::new(words.prior_period, columns, rows.collect::<Vec<Vec<_>>>()).kept_in("prior_period.csv");
    (!lines.is_empty()).then(|| Section::new("prior-period", words.prior_period).note(words.prior_period_note).table(table))
}
