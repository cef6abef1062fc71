//! What was paid on each day of the period at each chain of counters.

use jiff::civil::Date;

use super::super::document::{Cell, Chart, ChartKind, Column, Kind, Section, Table};
use super::super::text::{self, fill};
use super::super::words::Words;
use super::Report;
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::channel::Channel;
use crate::domain::classify::Class;
use crate::reconcile::Tally;

/// How many days without evidence are named one by one.
const NAMED_MAX: usize = 10;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let days = days(report);
    let mut columns = vec![Column::new(words.day, Kind::Date)];
    for name in Channel::ALL.map(Channel::name).into_iter().chain([words.total]) {
        let name = capitalised(name);
        columns.push(Column::new(fill(words.count_of, &[&name]), Kind::Count));
        columns.push(Column::new(fill(words.amount_of, &[&name]), Kind::Rupiah));
    }
    let rows = days.into_iter().map(|(day, tallies)| {
        let all = tallies.iter().fold(Tally::default(), |sum, &tally| sum.plus(tally));
        let figures = tallies.into_iter().chain([all]).flat_map(|tally| [Cell::from(tally.count), tally.amount.into()]);
        [Cell::from(day)].into_iter().chain(figures).collect()
    });
    let table = Table::new(words.days, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total);
    let chart = Chart::of(ChartKind::Stacked, words.days_chart, 0, &[2, 4]);
    Section::new("days", words.days).note(words.days_note).table(table).chart(chart)
}

/// The days of the period without a payment, named as long as they are few; empty when there is none.
pub(super) fn without_evidence(report: &Report<'_>, words: &'static Words) -> String {
    let all = days(report);
    let is_empty = |tallies: &[Tally; 2]| tallies.iter().all(|tally| tally.count == 0);
    let empty: Vec<Date> = all.iter().filter(|(_, tallies)| is_empty(tallies)).map(|(day, _)| *day).collect();
    if empty.len() > NAMED_MAX {
        let count = |days: usize| text::grouped(u128::try_from(days).unwrap_or(u128::MAX));
        return fill(words.days_of, &[&count(empty.len()), &count(all.len())]);
    }
    empty.into_iter().map(|day| text::day(words, day)).collect::<Vec<_>>().join(", ")
}

/// Every day of the period with its tally at each channel.
fn days(report: &Report<'_>) -> Vec<(Date, [Tally; 2])> {
    let (first, last) = (report.summary.period.from, report.summary.period.to);
    let mut days: Vec<(Date, [Tally; 2])> =
        first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).map(|day| (day, Default::default())).collect();
    for judged in report.outcome.judged.iter().filter(|judged| judged.class != Class::P16) {
        let Some(line) = report.outcome.proof(judged) else { continue };
        let day = wib_date(line.paid_at());
        let place = days.binary_search_by_key(&day, |(day, _)| *day).ok();
        if let Some((_, [alfa, indomaret])) = place.and_then(|place| days.get_mut(place)) {
            let tally = match line.channel {
                Channel::Alfa => alfa,
                Channel::Indomaret => indomaret,
            };
            *tally = tally.plus(Tally { count: 1, amount: Rupiah::new(line.amount.into()) });
        }
    }
    days
}

/// `alfa` → `Alfa`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
