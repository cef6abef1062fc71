//! Balances from one end of the period to the other, and where they were carried on from.

use super::super::document::{Cell, CellKind, DocumentTable, Section};
use super::super::summary_month::{Signature, SignedFigures};
use super::super::text::{self, fill};
use super::super::words::Words;
use crate::domain::balance::{Balance, RollForward};
use crate::reconcile::month::OpeningFrom;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let mut section = Section::new("roll-forward", words.roll_forward).note(words.roll_forward_note).table(origin(report, words));
    for roll in &report.month.roll_forwards {
        section = section.table(balance(roll, words).on_screen());
    }
    match signed(report) {
        Some(signed) if !signed.differences.is_empty() => section.table(differences(signed, words)),
        _ => section,
    }
}

pub(super) fn signed<'a>(report: &Report<'a>) -> Option<&'a SignedFigures> {
    report.summary.month.as_ref()?.signed.as_ref()
}

/// Opening and movements, what they come to, the closing; last, the difference, which must be zero.
fn balance<'a>(roll: &RollForward, words: &'static Words) -> DocumentTable<'a> {
    let line = |name: &'static str, balance: Balance| vec![name.into(), Cell::from(balance.count), balance.amount.into()];
    let mut rows = vec![line(words.move_opening, roll.opening)];
    rows.extend(roll.movements.iter().map(|movement| line(words.movement(movement.name), movement.balance)));
    rows.push(line(words.move_carried, roll.carried()));
    rows.push(line(words.move_closing, roll.closing));
    let columns = columns(&[(words.line, CellKind::Text), (words.count, CellKind::Count), (words.amount, CellKind::Rupiah)]);
    DocumentTable::new(words.balance_name(roll.name), columns, rows).totals(line(words.difference, roll.carried().minus(roll.closing)))
}

fn origin<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let mut rows: Vec<[Cell<'a>; 2]> = Vec::new();
    match &report.month.opening_from {
        None => rows.push([words.opening_from.into(), words.opening_derived.into()]),
        Some(from) => {
            rows.push([words.opening_from.into(), opened(from, words).into()]);
            rows.push([words.opening_run.into(), from.run_id.as_str().into()]);
            rows.push([words.opening_hash.into(), from.hash.as_str().into()]);
        }
    }
    rows.push([words.closing_hash.into(), report.month.closing.hash().into()]);
    let state = signed(report).map_or_else(
        || words.signed_open.to_owned(),
        |signed| fill(if signed.differences.is_empty() { words.signed_same } else { words.signed_other }, &[&signed.run_id]),
    );
    rows.push([words.signed_state.into(), state.into()]);
    if let Some(signed) = signed(report) {
        rows.push([words.signed_by.into(), signed_by(signed, words).into()]);
        rows.push([words.signed_why.into(), signed.signature.reason.as_str().into()]);
    }
    let columns = columns(&[(words.fact, CellKind::Text), (words.value, CellKind::Text)]);
    DocumentTable::new(words.balances_from, columns, rows.into_iter().map(Vec::from).collect::<Vec<_>>())
}

/// Who, and when: `Sari, Budi · 4 November 2026 09:12:00 WIB`.
pub(super) fn signed_by(signed: &SignedFigures, words: &Words) -> String {
    let Signature { by, reviewed_by, at, .. } = &signed.signature;
    let people: Vec<&str> = std::iter::once(by.as_str()).chain(reviewed_by.as_deref()).collect();
    format!("{} · {}", people.join(", "), text::instant(words, *at))
}

fn opened(from: &OpeningFrom, words: &'static Words) -> String {
    let days = fill(words.days_from_to, &[&text::day(words, from.from), &text::day(words, from.to)]);
    fill(if from.signed { words.opening_signed } else { words.opening_unsigned }, &[&days])
}

fn differences<'a>(signed: &'a SignedFigures, words: &'static Words) -> DocumentTable<'a> {
    let rows = signed.differences.iter().map(|one| vec![one.figure.into(), one.signed.as_str().into(), one.now.as_str().into()]);
    let columns = columns(&[(words.figure, CellKind::Code), (words.signed_value, CellKind::Code), (words.value_now, CellKind::Code)]);
    DocumentTable::new(words.signed_differences, columns, rows.collect::<Vec<Vec<_>>>())
}
