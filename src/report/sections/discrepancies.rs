//! Everything someone must look at, one row each.

use super::super::document::{Audience, Cell, CellKind, DocumentColumn, DocumentRows, DocumentTable, Section};
use super::super::words::Words;
use super::days::capitalised;
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::digest;
use crate::reconcile::{Finding, Source};
use crate::report::reconciled_report::{Report, difference, flag_names};

/// More discrepancies than this say less each: opening the workbook would take too long.
const WHOLE_MAX: usize = 10_000;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let findings: &'a [Finding] = &report.outcome.findings;
    let table = table(words.discrepancies, findings.iter().collect(), *report, words);
    Section::new("discrepancies", words.discrepancies).note(words.discrepancies_note).table(table)
}

fn table<'a>(caption: &str, findings: Vec<&'a Finding>, report: Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let count = findings.len();
    let rows = DocumentRows::made(count, move |at| findings.get(at).map(|finding| row(&report, words, finding)).unwrap_or_default());
    let columns = columns(words, count <= WHOLE_MAX);
    let mut totals = vec![Cell::Empty; columns.len()];
    if let [first, second, ..] = totals.as_mut_slice() {
        (*first, *second) = (words.total.into(), count.into());
    }
    DocumentTable::new(caption, columns, rows).totals(totals).kept_in("discrepancies.csv").or_say(words.no_rows)
}

/// Of very many, evidence.csv says what each rests on and the summary what to do by class: both would be half of the workbook.
fn columns(words: &'static Words, is_whole: bool) -> Vec<DocumentColumn> {
    let column = DocumentColumn::new;
    let in_full = |column: DocumentColumn| if is_whole { column } else { column.only_for(Audience::Page) };
    vec![
        column(words.class, CellKind::Code).filter(),
        column(words.what, CellKind::Text),
        column(words.severity, CellKind::Text).filter(),
        column(words.nature, CellKind::Text).only_for(Audience::Workbook),
        column(words.invoice, CellKind::Code),
        column(words.code, CellKind::Code),
        column(words.channel, CellKind::Text).filter(),
        column(words.expected, CellKind::Rupiah),
        column(words.paid, CellKind::Rupiah),
        column(words.difference, CellKind::Difference),
        column(words.paid_at, CellKind::Instant),
        column(words.age, CellKind::Count),
        column(words.reason, CellKind::Text).detail(),
        in_full(column(words.action, CellKind::Text).detail()),
        column(words.received_at, CellKind::Instant).detail(),
        column(words.flags, CellKind::Code).detail(),
        column(words.first_seen, CellKind::Text).detail(),
        column(words.last_seen, CellKind::Text).detail(),
        column(words.owner, CellKind::Text).detail(),
        column(words.status, CellKind::Text).detail(),
        column(words.comment, CellKind::Text).detail(),
        column(words.id, CellKind::Code).detail(),
        in_full(column(words.evidence, CellKind::Code).detail()),
    ]
}

fn row<'a>(report: &Report<'a>, words: &'static Words, finding: &'a Finding) -> Vec<Cell<'a>> {
    let standing = report.standing(finding);
    let evidence: Vec<String> = finding.evidence.iter().map(|found| digest::hex(found)).collect();
    vec![
        finding.class.id().into(),
        words.class_title(finding.class).into(),
        words.severity(finding.severity).into(),
        finding.nature.name().into(),
        finding.invoice_number.as_str().into(),
        finding.payment_code.as_str().into(),
        finding.channel.map(|channel| capitalised(channel.name())).into(),
        finding.expected.into(),
        finding.paid.into(),
        difference(finding).map(Rupiah::new).into(),
        finding.paid_at.into(),
        age_days(report, finding).into(),
        words.reason(finding).into(),
        words.class_action(finding.action_class()).into(),
        received_at(report, finding).into(),
        flag_names(finding.flags).join(" ").into(),
        standing.first_seen.into(),
        standing.last_seen.into(),
        standing.owner.into(),
        words.standing(standing.status).into(),
        standing.comment.into(),
        finding.id.as_str().into(),
        evidence.join(" ").into(),
    ]
}

/// WIB days between the payment and as-of.
fn age_days(report: &Report<'_>, finding: &Finding) -> Option<u64> {
    let days = wib_date(finding.paid_at?).until(wib_date(report.summary.as_of)).ok()?.get_days();
    u64::try_from(days).ok()
}

/// When the line that proves it arrived.
fn received_at(report: &Report<'_>, finding: &Finding) -> Option<jiff::Timestamp> {
    let lines = finding.sources.iter().filter_map(|source| match source {
        Source::Line(at) => report.outcome.inputs.lines.get(*at),
        Source::Row(_) | Source::Settlement(_) | Source::MalformedSettlement(_) => None,
    });
    lines.filter_map(crate::domain::line::Line::received_at).min()
}
