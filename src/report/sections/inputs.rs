//! What a report was made from.

use super::super::document::{Cell, Kind, Section, Table};
use super::super::summary::{LedgerSource, Summary};
use super::super::words::Words;
use super::{Report, columns};

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let summary: &'a Summary = report.summary;
    let files = columns(&[
        (words.file, Kind::Code),
        (words.lines, Kind::Count),
        (words.bytes, Kind::Count),
        (words.first_received, Kind::Instant),
        (words.last_received, Kind::Instant),
        (words.digest, Kind::Code),
    ]);
    let rows = summary.inputs.iter().map(|input| {
        vec![
            input.path.as_str().into(),
            input.lines.into(),
            input.bytes.into(),
            input.first_received_at.into(),
            input.last_received_at.into(),
            input.sha256.as_str().into(),
        ]
    });
    let bills = columns(&[(words.bills_from, Kind::Code), (words.count, Kind::Count), (words.digest, Kind::Code)]);
    let ledger: Vec<Cell<'a>> = match &summary.ledger {
        LedgerSource::Own { sequence, head } => vec!["tagih".into(), (*sequence).into(), head.as_str().into()],
        LedgerSource::External { path, rows, rows_digest, .. } => vec![path.as_str().into(), (*rows).into(), rows_digest.as_str().into()],
    };
    Section::new("inputs", words.inputs)
        .note(words.inputs_note)
        .table(Table::new(words.notification_logs, files, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total))
        .table(Table::new(words.bills_from, bills, vec![ledger]))
}
