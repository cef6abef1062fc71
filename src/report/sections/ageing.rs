//! How old what is open has become, with the 60 days that insurers watch.

use super::super::document::{Cell, Chart, ChartKind, Kind, Section, Table};
use super::super::text::fill;
use super::super::words::Words;
use super::{Report, columns};
use crate::domain::ageing::Bucket;
use crate::domain::balance::Balance;
use crate::reconcile::month::Ageing;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let [bills, exceptions] = &report.month.ageing;
    let limit = Bucket::ALL.iter().take_while(|bucket| !bucket.is_past_limit()).count();
    let chart = |title, table| Chart::of(ChartKind::Bar, title, 0, &[3]).of_table(table).limit(limit, words.ageing_line);
    Section::new("ageing", words.ageing)
        .note(words.ageing_note)
        .table(past_limit([(words.ageing_bills, bills), (words.ageing_exceptions, exceptions)], words))
        .table(by_age(words.ageing_bills, bills.rows(), words))
        .table(by_age(words.ageing_exceptions, exceptions.rows(), words))
        .chart(chart(words.ageing_bills_chart, 1))
        .chart(chart(words.ageing_exceptions_chart, 2))
}

fn past_limit<'a>(tables: [(&'static str, &Ageing); 2], words: &'static Words) -> Table<'a> {
    let row = |(title, table): (&'static str, &Ageing)| {
        let (past, all) = (table.past_limit(), table.total());
        vec![title.into(), Cell::from(past.count), past.amount.into(), all.count.into(), all.amount.into()]
    };
    let columns = columns(&[
        (words.subject, Kind::Text),
        (&fill(words.count_of, &[words.past_limit]), Kind::Count),
        (&fill(words.amount_of, &[words.past_limit]), Kind::Rupiah),
        (&fill(words.count_of, &[words.all]), Kind::Count),
        (&fill(words.amount_of, &[words.all]), Kind::Rupiah),
    ]);
    Table::new(words.ageing_limit, columns, Vec::from(tables.map(row)))
}

/// A table of buckets: days, whether they are past the limit, count, rupiah.
pub(super) fn by_age<'a>(caption: &'static str, buckets: impl Iterator<Item = (Bucket, Balance)>, words: &'static Words) -> Table<'a> {
    let rows = buckets.map(|(bucket, balance)| {
        let is_past = if bucket.is_past_limit() { words.yes } else { words.no };
        vec![words.bucket_name(bucket).into(), is_past.into(), Cell::from(balance.count), balance.amount.into()]
    });
    let columns =
        columns(&[(words.bucket, Kind::Text), (words.past_limit, Kind::Text), (words.count, Kind::Count), (words.amount, Kind::Rupiah)]);
    Table::new(caption, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}
