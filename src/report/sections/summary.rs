//! What needs a person, then everything that was reconciled, its natures kept apart.

use std::collections::BTreeMap;

use super::super::document::{Cell, Chart, ChartKind, Column, Kind, Section, Table};
use super::super::text::fill;
use super::super::words::Words;
use super::{Report, columns};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature, Severity};
use crate::reconcile::Finding;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    Section::new("summary", words.summary)
        .note(words.summary_note)
        .table(needs_a_person(&report.outcome.findings, words))
        .table(by_subject(report, words))
        .chart(Chart::of(ChartKind::Bar, words.discrepancies_chart, 0, &[3]))
}

/// The discrepancies of one class and severity.
#[derive(Default)]
struct Group {
    count: u64,
    expected: Option<Rupiah>,
    paid: Option<Rupiah>,
    difference: Option<Rupiah>,
}

impl Group {
    fn add(&mut self, finding: &Finding) {
        self.count = self.count.saturating_add(1);
        let difference = super::super::difference(finding).map(Rupiah::new);
        for (sum, amount) in [(&mut self.expected, finding.expected), (&mut self.paid, finding.paid), (&mut self.difference, difference)] {
            // What no discrepancy of the class knows stays unknown, it is not nothing.
            *sum = amount.map_or(*sum, |amount| Some(sum.unwrap_or_default().plus(amount)));
        }
    }
}

fn needs_a_person<'a>(findings: &'a [Finding], words: &'static Words) -> Table<'a> {
    // In the order of the discrepancies: worst first.
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &'static str), (Class, Group)> = BTreeMap::new();
    for finding in findings {
        let key = (std::cmp::Reverse(finding.severity), finding.class.id());
        let (_, group) = groups.entry(key).or_insert_with(|| (finding.class, Group::default()));
        group.add(finding);
    }
    let rows = groups.into_iter().map(|((std::cmp::Reverse(severity), id), (class, group))| {
        vec![
            id.into(),
            words.class_title(class).into(),
            words.severity(severity).into(),
            group.count.into(),
            group.expected.into(),
            group.paid.into(),
            group.difference.into(),
            words.class_action(class).into(),
        ]
    });
    let columns = columns(&[
        (words.class, Kind::Code),
        (words.what, Kind::Text),
        (words.severity, Kind::Text),
        (words.count, Kind::Count),
        (words.expected, Kind::Rupiah),
        (words.paid, Kind::Rupiah),
        (words.difference, Kind::Difference),
        (words.action, Kind::Text),
    ]);
    let mut totals = vec![Cell::Empty; columns.len()];
    if let [first, _, _, count, ..] = totals.as_mut_slice() {
        (*first, *count) = (words.total.into(), findings.len().into());
    }
    Table::new(words.needs_person, columns, rows.collect::<Vec<Vec<_>>>()).totals(totals).or_say(words.needs_nobody)
}

fn by_subject<'a>(report: &Report<'a>, words: &'static Words) -> Table<'a> {
    let mut columns = vec![Column::new(words.subject, Kind::Text)];
    for nature in [Nature::Break, Nature::Timing, Nature::Ok] {
        columns.push(Column::new(fill(words.count_of, &[words.nature(nature)]), Kind::Count));
        columns.push(Column::new(fill(words.amount_of, &[words.nature(nature)]), Kind::Rupiah));
    }
    let subjects = [("lines", words.evidence_lines), ("payments", words.payments), ("bills", words.bills)];
    let rows = subjects.map(|(key, title)| {
        let mut row = vec![title.into()];
        for nature in [Nature::Break, Nature::Timing, Nature::Ok] {
            let figures = report.summary.natures_by_subject.get(key).and_then(|natures| natures.get(nature.name()));
            let figures = figures.copied().unwrap_or_default();
            row.extend([Cell::from(figures.count), figures.amount.into()]);
        }
        row
    });
    Table::new(words.by_subject, columns, Vec::from(rows))
}
