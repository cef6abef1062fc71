//! What a report was made from, and whether that can be all.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, Section};
use super::super::summary::{LedgerSource, Summary};
use super::super::summary_inputs::WordFigures;
use super::super::text::{self, fill};
use super::super::words::Words;
use super::days::capitalised;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::line::InputFile;
use crate::reconcile::bank_copies;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

/// How many days without evidence the first page names.
const NAMED_MAX: usize = 10;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let summary: &'a Summary = report.summary;
    let bills = columns(&[(words.bills_from, CellKind::Code), (words.count, CellKind::Count), (words.digest, CellKind::Code)]);
    let ledger: Vec<Cell<'a>> = match &summary.ledger {
        LedgerSource::Own { sequence, head } => vec!["tagih".into(), (*sequence).into(), head.as_str().into()],
        LedgerSource::External { path, rows, rows_digest, .. } => vec![path.as_str().into(), (*rows).into(), rows_digest.as_str().into()],
    };
    Section::new("inputs", words.inputs)
        .note(words.inputs_note)
        .table(files(summary, words))
        .table(DocumentTable::new(words.bills_from, bills, vec![ledger]))
        .table(keys(report, words))
        .tables(unread(report, words))
        .tables(copied(report, words))
        .table(gaps(report, words).on_screen())
        .table(messages(report, words).on_screen())
}

fn files<'a>(summary: &'a Summary, words: &'static Words) -> DocumentTable<'a> {
    let mut columns = columns(&[
        (words.file, CellKind::Code),
        (words.kind, CellKind::Text),
        (words.lines, CellKind::Count),
        (words.bytes, CellKind::Count),
        (words.first_received, CellKind::Instant),
        (words.last_received, CellKind::Instant),
    ]);
    columns.push(DocumentColumn::new(words.digest, CellKind::Code).detail());
    let rows = summary.inputs.iter().map(|input| {
        vec![
            input.path.as_str().into(),
            match input.kind {
                "settlement" => words.kind_settlement,
                "bank" => words.kind_bank,
                "inquiries" => words.inquiries,
                _ => words.kind_notifications,
            }
            .into(),
            input.lines.into(),
            input.bytes.into(),
            input.first_received_at.into(),
            input.last_received_at.into(),
            input.sha256.as_str().into(),
        ]
    });
    DocumentTable::new(words.notification_logs, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}

/// Whose signatures were believed, until when, and what people have said of that, also what was taken back.
fn keys<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let columns = columns(&[
        (words.key(), CellKind::Code),
        (words.last_received, CellKind::Instant),
        (words.believed_until(), CellKind::Instant),
        (words.said_of_key(), CellKind::Text),
    ]);
    let said = |said: &WordFigures| {
        let (at, by) = (text::instant(words, said.at), said.by.as_str());
        match said.received_after {
            Some(after) => fill(words.key_revoked(), &[&at, by, &text::instant(words, after), &said.reason]),
            None => fill(words.key_reinstated(), &[&at, by, &said.reason]),
        }
    };
    let rows = report.summary.keys.iter().map(|key| {
        let said: Vec<String> = key.said.iter().map(said).collect();
        vec![key.fingerprint.as_str().into(), key.last_received_at.into(), key.until.into(), said.join("; ").into()]
    });
    DocumentTable::new(words.keys(), columns, rows.collect::<Vec<Vec<_>>>())
}

/// Rows of bank statements that could not be read: money that came may be among them.
fn unread<'a>(report: &Report<'a>, words: &'static Words) -> Option<DocumentTable<'a>> {
    let statements = report.outcome.inputs.bank.as_ref();
    let rows = statements.into_iter().flat_map(|statements| {
        statements.unread().map(|row| {
            let path = InputFile::shown_path(&statements.files, row.place.file).unwrap_or_default();
            vec![Cell::from(path), row.place.row.into(), row.column.into()]
        })
    });
    let columns = columns(&[(words.file, CellKind::Code), (words.row_number(), CellKind::Count), (words.column(), CellKind::Code)]);
    let rows = rows.collect::<Vec<Vec<_>>>();
    (!rows.is_empty()).then(|| DocumentTable::new(words.bank_unread(), columns, rows))
}

/// Lines of bank statements that were taken for ones given before, in another file or an earlier month: it is for a person to see whether
/// they are, where a statement does not say what the account held.
fn copied<'a>(report: &Report<'a>, words: &'static Words) -> Option<DocumentTable<'a>> {
    let statements = report.outcome.inputs.bank.as_ref()?;
    let rows = bank_copies(statements, &report.books.common.aside.copies).into_iter().map(|line| {
        let path = InputFile::shown_path(&statements.files, line.place.file).unwrap_or_default();
        vec![
            Cell::from(path),
            line.place.row.into(),
            line.on.into(),
            Rupiah::new(line.amount.into()).into(),
            line.text.on_one_line().into(),
        ]
    });
    let columns = columns(&[
        (words.file, CellKind::Code),
        (words.row_number(), CellKind::Count),
        (words.day, CellKind::Date),
        (words.amount, CellKind::Rupiah),
        (words.bank_text(), CellKind::Text),
    ]);
    let rows = rows.collect::<Vec<Vec<_>>>();
    (!rows.is_empty()).then(|| DocumentTable::new(words.bank_copied(), columns, rows))
}

/// How many there are, for the first page; nothing where all could be read.
pub(super) fn unread_bank_rows(report: &Report<'_>, words: &'static Words) -> String {
    let count = report.outcome.inputs.bank.as_ref().map_or(0, |statements| statements.unread().count());
    if count == 0 { String::new() } else { fill(words.bank_unread_count(), &[&text::grouped(u128::try_from(count).unwrap_or(u128::MAX))]) }
}

/// Days that are over and have no message: an outage, a lost file, or truly no customer.
fn gaps<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let rows = report.month.completeness.empty.iter().map(|&(day, channel)| {
        vec![Cell::from(day), channel.map_or_else(|| words.every_channel.into(), |channel| capitalised(channel.name()).into())]
    });
    let columns = columns(&[(words.day, CellKind::Date), (words.channel, CellKind::Text)]);
    DocumentTable::new(words.completeness_gaps, columns, rows.collect::<Vec<Vec<_>>>()).or_say(words.completeness_whole)
}

fn messages<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let of = &report.month.completeness;
    let used: Vec<Channel> = Channel::ALL.into_iter().filter(|channel| of.days.keys().any(|(_, seen)| seen == channel)).collect();
    let mut days: BTreeMap<Date, Vec<u64>> = BTreeMap::new();
    for ((day, _), count) in &of.days {
        days.entry(*day).or_default().push(*count);
    }
    let mut columns = vec![DocumentColumn::new(words.day, CellKind::Date)];
    columns
        .extend(used.iter().map(|channel| DocumentColumn::new(fill(words.messages_of, &[&capitalised(channel.name())]), CellKind::Count)));
    columns.push(DocumentColumn::new(words.gap, CellKind::Text));
    let rows = days.into_iter().map(|(day, counts)| {
        let is_gap = of.empty.iter().any(|(empty, _)| *empty == day);
        let counts = counts.into_iter().map(Cell::from);
        let gap = if is_gap { Cell::from(words.yes) } else { Cell::Empty };
        [Cell::from(day)].into_iter().chain(counts).chain([gap]).collect()
    });
    DocumentTable::new(words.completeness, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total).kept_in("completeness.csv")
}

/// The days of the period on which nothing was notified at all, named as long as they are few; empty when there is none.
pub(super) fn days_without_evidence(report: &Report<'_>, words: &'static Words) -> String {
    let empty = report.month.completeness.empty.iter().filter(|(_, channel)| channel.is_none());
    let days: Vec<Date> = empty.map(|(day, _)| *day).collect();
    let count = text::grouped(u128::try_from(days.len()).unwrap_or(u128::MAX));
    let named = days.iter().take(NAMED_MAX).map(|day| text::day(words, *day)).collect::<Vec<_>>().join(", ");
    match days.len() {
        0 => String::new(),
        1..=NAMED_MAX => named,
        _ => format!("{count}: {named} …"),
    }
}
