//! The first page: whose report, of when, how it ended, and who signs it.

use super::super::document::{Cell, Cover, Highlight, Kind, Mood, Table};
use super::super::summary::{Figures, LedgerSource};
use super::super::text::{self, fill};
use super::super::words::Words;
use super::{Report, columns, inputs, summary};
use crate::domain::amount::Rupiah;
use crate::domain::classify::Nature;

pub(super) fn cover<'a>(report: &Report<'a>, entity: &'a str, words: &'static Words) -> Cover<'a> {
    let (verdict, mood) = verdict(report, words);
    Cover {
        subtitle: fill(words.report_subtitle, &[&period(report, words)]),
        verdict,
        mood,
        highlights: highlights(report, words),
        facts: Table::new(words.about, columns(&[(words.fact, Kind::Text), (words.value, Kind::Text)]), facts(report, entity, words)),
        signatures: vec![words.prepared, words.reviewed, words.approved],
    }
}

/// How the run ended, in a sentence.
fn verdict(report: &Report<'_>, words: &'static Words) -> (String, Mood) {
    let identities = text::grouped(widened(report.summary.identities.len()));
    let breaks = report.summary.discrepancies.breaks;
    if !report.outcome.identities_hold() {
        (words.verdict_broken.to_owned(), Mood::Bad)
    } else if breaks > 0 {
        (fill(words.verdict_breaks, &[&text::grouped(widened(breaks)), &identities]), Mood::Bad)
    } else {
        (fill(words.verdict_clean, &[&identities]), Mood::Good)
    }
}

/// The natures, apart; and how many discrepancies people have accepted, if any.
fn highlights(report: &Report<'_>, words: &'static Words) -> Vec<Highlight> {
    let mut highlights: Vec<Highlight> = [Nature::Break, Nature::Timing, Nature::Ok].map(|nature| highlight(report, words, nature)).into();
    let count = widened(report.summary.discrepancies.accepted);
    if count > 0 {
        let accepted = report.outcome.findings.iter().filter(|finding| report.is_accepted(finding));
        let amount: Rupiah = accepted.filter_map(|finding| finding.paid.filter(|paid| paid.get() != 0).or(finding.expected)).sum();
        highlights.push(Highlight {
            label: words.accepted.to_owned(),
            explanation: words.accepted_note,
            count: u64::try_from(count).unwrap_or(u64::MAX),
            amount: text::rupiah(amount.get()),
            mood: Mood::Good,
        });
    }
    highlights
}

fn highlight(report: &Report<'_>, words: &'static Words, nature: Nature) -> Highlight {
    let figures: Figures = summary::of_nature(report, nature);
    let (explanation, mood) = match nature {
        Nature::Break => (words.nature_break_note, if figures.count == 0 { Mood::Good } else { Mood::Bad }),
        Nature::Timing => (words.nature_timing_note, Mood::Waiting),
        Nature::Ok => (words.nature_ok_note, Mood::Good),
    };
    let amount = text::rupiah(figures.amount.get());
    Highlight { label: words.nature(nature).to_owned(), explanation, count: figures.count, amount, mood }
}

/// `Oktober 2026` for a whole month, else its first and last day.
fn period(report: &Report<'_>, words: &'static Words) -> String {
    let (from, to) = (report.summary.period.from, report.summary.period.to);
    let days = fill(words.days_from_to, &[&text::day(words, from), &text::day(words, to)]);
    let first = text::day(words, from);
    match first.split_once(' ') {
        Some((_, month)) if from == from.first_of_month() && to == from.last_of_month() => month.to_owned(),
        _ if from == to => first,
        _ => days,
    }
}

fn facts<'a>(report: &Report<'a>, entity: &'a str, words: &'static Words) -> Vec<Vec<Cell<'a>>> {
    let summary = report.summary;
    let days = &summary.period;
    let lines = summary.inputs.iter().map(|input| input.lines).fold(0, u64::saturating_add);
    let bills = match &summary.ledger {
        LedgerSource::Own { sequence, head } => fill(words.bills_from_own, &[&text::grouped((*sequence).into()), head]),
        LedgerSource::External { path, rows, rows_digest, .. } => {
            fill(words.bills_from_file, &[path, &text::grouped((*rows).into()), rows_digest])
        }
    };
    let evidence = fill(words.evidence_from_files, &[&text::grouped(widened(summary.inputs.len())), &text::grouped(lines.into())]);
    let rows: [(&'static str, Cell<'a>); 12] = [
        (words.entity, entity.into()),
        (words.period, fill(words.days_from_to, &[&text::day(words, days.from), &text::day(words, days.to)]).into()),
        (words.cut_off, words.cut_off_rule.into()),
        (words.as_of, text::instant(words, summary.as_of).into()),
        (words.run_id, summary.run_id.as_str().into()),
        (words.version, format!("tagih {}", summary.version).into()),
        (words.configuration, summary.configuration.as_str().into()),
        (words.bills_from, bills.into()),
        (words.evidence_from, evidence.into()),
        (words.days_without, inputs::days_without_evidence(report, words).into()),
        (words.late_evidence, late(summary.late_evidence).into()),
        (words.late_evidence_after_grace, late(summary.late_evidence_after_grace).into()),
    ];
    rows.into_iter().filter(|(_, value)| *value != Cell::Empty).map(|(label, value)| vec![label.into(), value]).collect()
}

fn late(figures: Figures) -> String {
    format!("{} · {}", text::grouped(figures.count.into()), text::rupiah(figures.amount.get()))
}

fn widened(count: usize) -> u128 {
    u128::try_from(count).unwrap_or(u128::MAX)
}
