//! What needs a person, then everything that was reconciled, its natures kept apart.

use std::collections::BTreeMap;

use super::super::document::{Cell, CellKind, Chart, ChartKind, DocumentColumn, DocumentTable, Section};
use super::super::summary::HeldBill;
use super::super::text::fill;
use super::super::words::Words;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature, Severity};
use crate::domain::sum::Sum;
use crate::reconcile::Finding;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let (accepted, needing): (Vec<&Finding>, Vec<&Finding>) =
        report.outcome.findings.iter().partition(|finding| report.is_accepted(finding));
    let section = Section::new("summary", words.summary)
        .note(words.summary_note)
        .table(by_severity(needing, words.needs_person, words).or_say(words.needs_nobody))
        .table(by_subject(report, words))
        .table(standing(report, words))
        .on_screen();
    let section = if report.summary.held.is_empty() { section } else { section.table(held(report, words)) };
    let section = if accepted.is_empty() { section } else { section.table(by_severity(accepted, words.accepted_by_class, words)) };
    section.chart(Chart::of(ChartKind::Bar, words.discrepancies_chart, 0, &[3]))
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
        let difference = crate::report::reconciled_report::difference(finding).map(Rupiah::new);
        for (sum, amount) in [(&mut self.expected, finding.expected), (&mut self.paid, finding.paid), (&mut self.difference, difference)] {
            // What no discrepancy of the class knows stays unknown, it is not nothing.
            *sum = amount.map_or(*sum, |amount| Some(sum.unwrap_or_default().plus(amount)));
        }
    }
}

/// Where the discrepancies stand by what people decided.
fn standing<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let of = &report.summary.discrepancies;
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let by_nature = i64::try_from(of_nature(report, Nature::Break).count).unwrap_or(i64::MAX);
    let (all, accepted, needing) = (number(of.count), number(of.accepted), number(of.breaks));
    let rows = [
        (words.standing_by_nature, by_nature),
        (words.standing_otherwise, all.saturating_sub(by_nature)),
        (words.standing_all, all),
        (words.standing_accepted, accepted.saturating_neg()),
        (words.standing_other_nature, needing.saturating_add(accepted).saturating_sub(all)),
        (words.standing_needs, needing),
        (words.standing_reopened, number(of.reopened)),
        (words.standing_cleared, number(of.cleared.len())),
    ];
    let rows = rows.map(|(title, count)| vec![title.into(), Cell::from(count)]);
    let columns = columns(&[(words.status, CellKind::Text), (words.count, CellKind::Count)]);
    DocumentTable::new(words.standing_of_discrepancies, columns, Vec::from(rows))
}

/// Bills that nothing is done to until a person has looked.
fn held<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let row = |bill: &'a HeldBill| vec![bill.invoice_number.as_str().into(), bill.since.into(), bill.reason.as_str().into()];
    let columns = columns(&[(words.invoice, CellKind::Code), (words.held_since, CellKind::Instant), (words.reason, CellKind::Text)]);
    DocumentTable::new(words.held_bills, columns, report.summary.held.iter().map(row).collect::<Vec<_>>())
}

fn by_severity<'a>(findings: Vec<&'a Finding>, caption: &'static str, words: &'static Words) -> DocumentTable<'a> {
    let count = findings.len();
    // In the order of the discrepancies: worst first.
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &'static str), (Class, Class, Group)> = BTreeMap::new();
    for finding in findings {
        let key = (std::cmp::Reverse(finding.severity), finding.class.id());
        let (.., group) = groups.entry(key).or_insert_with(|| (finding.class, finding.action_class(), Group::default()));
        group.add(finding);
    }
    let rows = groups.into_iter().map(|((std::cmp::Reverse(severity), id), (class, action, group))| {
        vec![
            id.into(),
            words.class_title(class).into(),
            words.severity(severity).into(),
            group.count.into(),
            group.expected.into(),
            group.paid.into(),
            group.difference.into(),
            words.class_action(action).into(),
        ]
    });
    let columns = columns(&[
        (words.class, CellKind::Code),
        (words.what, CellKind::Text),
        (words.severity, CellKind::Text),
        (words.count, CellKind::Count),
        (words.expected, CellKind::Rupiah),
        (words.paid, CellKind::Rupiah),
        (words.difference, CellKind::Difference),
        (words.action, CellKind::Text),
    ]);
    let mut totals = vec![Cell::Empty; columns.len()];
    if let [first, _, _, total, ..] = totals.as_mut_slice() {
        (*first, *total) = (words.total.into(), count.into());
    }
    DocumentTable::new(caption, columns, rows.collect::<Vec<Vec<_>>>()).totals(totals)
}

/// Everything of one nature: lines, payments, bills, and settlement where there is some.
pub(super) fn of_nature(report: &Report<'_>, nature: Nature) -> Sum {
    let settlement = report.summary.settlement_natures.as_ref();
    let figures = [Some(&report.summary.natures), settlement].into_iter().flatten().filter_map(|natures| natures.get(nature.name()));
    figures.copied().sum()
}

fn by_subject<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let mut columns = vec![DocumentColumn::new(words.subject, CellKind::Text)];
    for nature in [Nature::Break, Nature::Timing, Nature::Ok] {
        columns.push(DocumentColumn::new(fill(words.count_of, &[words.nature(nature)]), CellKind::Count));
        columns.push(DocumentColumn::new(fill(words.amount_of, &[words.nature(nature)]), CellKind::Rupiah));
    }
    let subjects = [("lines", words.evidence_lines), ("payments", words.payments), ("bills", words.bills)];
    let summary = report.summary;
    let subjects = subjects.into_iter().filter_map(|(key, title)| Some((title, summary.natures_by_subject.get(key)?)));
    let settlement = summary.settlement_natures.iter().map(|natures| (words.settlement, natures));
    let rows = subjects.chain(settlement).map(|(title, natures)| {
        let figures = [Nature::Break, Nature::Timing, Nature::Ok].map(|nature| natures.get(nature.name()).copied().unwrap_or_default());
        [title.into()].into_iter().chain(figures.into_iter().flat_map(|one| [Cell::from(one.count), one.rupiah.into()])).collect()
    });
    DocumentTable::new(words.by_subject, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}
