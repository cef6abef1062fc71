//! What was paid on each day of the period at each chain of counters, and how it stands to the bills.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::document::{Audience, Cell, CellKind, Chart, ChartKind, DocumentColumn, DocumentTable, Section};
use super::super::text::fill;
use super::super::words::Words;
use crate::domain::balance::Balance;
use crate::domain::channel::{Channel, PerChannel};
use crate::reconcile::month::DayFigures;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let mut columns = vec![DocumentColumn::new(words.day, CellKind::Date)];
    let paid = Channel::ALL.map(|channel| capitalised(channel.name())).into_iter().chain([words.total.to_owned()]);
    let paid = paid.map(|name| (name, Audience::Everyone));
    // The page has no room for how many of each stand how.
    let standing = [words.agreed, words.differing, words.held].map(|name| (name.to_owned(), Audience::Workbook));
    for (name, audience) in paid.chain(standing) {
        columns.push(DocumentColumn::new(fill(words.count_of, &[&name]), CellKind::Count).only_for(audience));
        columns.push(DocumentColumn::new(fill(words.amount_of, &[&name]), CellKind::Rupiah));
    }
    let rows = days(report).into_iter().map(|(day, figures)| {
        let sum = |of: fn(&DayFigures) -> Balance| figures.iter().map(of).sum();
        let all = [sum(|of| of.paid), sum(|of| of.agreed), sum(|of| of.differing), sum(|of| of.held)];
        let balances = figures.iter().map(|of| of.paid).chain(all);
        [Cell::from(day)].into_iter().chain(balances.flat_map(|balance| [balance.count.into(), balance.amount.into()])).collect()
    });
    let table = DocumentTable::new(words.days, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total);
    let chart = Chart::of(ChartKind::Stacked, words.days_chart, 0, &[2, 4]);
    Section::new("days", words.days).note(words.days_note).table(table).chart(chart)
}

/// Every day of the period, also those without a payment, and any other day that has one.
fn days(report: &Report<'_>) -> BTreeMap<Date, PerChannel<DayFigures>> {
    let (first, last) = (report.summary.period.from, report.summary.period.to);
    let every = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
    let mut days: BTreeMap<Date, PerChannel<DayFigures>> = every.map(|day| (day, PerChannel::default())).collect();
    for (&(day, channel), figures) in &report.month.breakdowns.days {
        *days.entry(day).or_default().of_mut(channel) = *figures;
    }
    days
}

/// `alfa` → `Alfa`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
