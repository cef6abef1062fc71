//! How old what is open has become, with the 60 days that insurers watch.

use super::super::document::{Cell, CellKind, Chart, ChartKind, DocumentTable, Section};
use super::super::text::fill;
use super::super::words::Words;
use crate::domain::ageing::AgeBucket;
use crate::domain::balance::Balance;
use crate::reconcile::month::AgeTable;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let [bills, exceptions] = &report.month.ageing;
    let limit = AgeBucket::ALL.iter().take_while(|bucket| !bucket.is_past_limit()).count();
    let chart = |title, table| Chart::of(ChartKind::Bar, title, 0, &[3]).of_table(table).limit(limit, words.ageing_line);
    Section::new("ageing", words.ageing)
        .note(words.ageing_note)
        .table(past_limit([(words.ageing_bills, bills), (words.ageing_exceptions, exceptions)], words))
        .table(by_age(words.ageing_bills, bills.rows(), words))
        .table(by_age(words.ageing_exceptions, exceptions.rows(), words))
        .chart(chart(words.ageing_bills_chart, 1))
        .chart(chart(words.ageing_exceptions_chart, 2))
}

fn past_limit<'a>(tables: [(&'static str, &AgeTable); 2], words: &'static Words) -> DocumentTable<'a> {
    let row = |(title, table): (&'static str, &AgeTable)| {
        let (past, all) = (table.past_limit(), table.total());
        vec![title.into(), Cell::from(past.count), past.amount.into(), all.count.into(), all.amount.into()]
    };
    let columns = columns(&[
        (words.subject, CellKind::Text),
        (&fill(words.count_of, &[words.past_limit]), CellKind::Count),
        (&fill(words.amount_of, &[words.past_limit]), CellKind::Rupiah),
        (&fill(words.count_of, &[words.all]), CellKind::Count),
        (&fill(words.amount_of, &[words.all]), CellKind::Rupiah),
    ]);
    DocumentTable::new(words.ageing_limit, columns, Vec::from(tables.map(row)))
}

/// A table of buckets: days, whether they are past the limit, count, rupiah.
pub(super) fn by_age<'a>(
    caption: &'static str,
    buckets: impl Iterator<Item = (AgeBucket, Balance)>,
    words: &'static Words,
) -> DocumentTable<'a> {
    let rows = buckets.map(|(bucket, balance)| {
        let is_past = if bucket.is_past_limit() { words.yes } else { words.no };
        vec![words.bucket_name(bucket).into(), is_past.into(), Cell::from(balance.count), balance.amount.into()]
    });
    let columns = columns(&[
        (words.bucket, CellKind::Text),
        (words.past_limit, CellKind::Text),
        (words.count, CellKind::Count),
        (words.amount, CellKind::Rupiah),
    ]);
    DocumentTable::new(caption, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}
