//! The register of decisions: what was decided, on what, with what effect, by whom and why.

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, Section};
use super::super::text::{fill, rupiah};
use super::super::words::Words;
use crate::books::known::Decided;
use crate::domain::amount::Rupiah;
use crate::reconcile::open_items::names_of;
use crate::report::reconciled_report::Report;

/// The section, if the books know a decision.
pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Option<Section<'a>> {
    let known = &report.books.common.known;
    let mut decided: Vec<_> = known.decisions.iter().collect();
    if decided.is_empty() {
        return None;
    }
    decided.sort_by_key(|(id, decision)| (decision.on, **id));
    let rows = decided.into_iter().map(|(id, decision)| {
        let account = decision.leg.map(|leg| leg.account);
        let moved = decision.moved();
        let item = decision.leg.and_then(|leg| leg.item);
        let (invoice_number, payment_code, _) = item.map_or_else(Default::default, |item| names_of(known, item));
        let made = report.standings.made.get(id);
        vec![
            decision.on.into(),
            words.decided(decision.action).into(),
            account.map(|account| words.account_name(account)).into(),
            invoice_number.into(),
            payment_code.into(),
            moved.into(),
            effect(decision, words).into(),
            made.map(|made| made.by.as_str()).into(),
            made.and_then(|made| made.reviewed_by.as_deref()).into(),
            made.map(|made| made.at).into(),
            made.map(|made| made.reason.as_str()).into(),
            item.map(|item| item.key_text()).into(),
            Cell::from(id.key_text()),
        ]
    });
    let columns = vec![
        DocumentColumn::new(words.decided_on(), CellKind::Date),
        DocumentColumn::new(words.action_title(), CellKind::Text).filter(),
        DocumentColumn::new(words.account_title(), CellKind::Text).filter(),
        DocumentColumn::new(words.invoice, CellKind::Code),
        DocumentColumn::new(words.code, CellKind::Code),
        DocumentColumn::new(words.items_amount(), CellKind::Rupiah),
        DocumentColumn::new(words.effect(), CellKind::Text),
        DocumentColumn::new(words.decided_by(), CellKind::Text).filter(),
        DocumentColumn::new(words.reviewed_by(), CellKind::Text),
        DocumentColumn::new(words.decided_at(), CellKind::Instant),
        DocumentColumn::new(words.decision_reason(), CellKind::Text).detail(),
        DocumentColumn::new(words.item(), CellKind::Code).detail(),
        DocumentColumn::new(words.id, CellKind::Code).detail(),
    ];
    let table = DocumentTable::new(words.register(), columns, rows.collect::<Vec<Vec<_>>>());
    Some(Section::new("decisions", words.register()).note(words.register_note()).table(table))
}

fn effect(decision: &Decided, words: &'static Words) -> String {
    match decision.refused {
        Some(refusal) => fill(words.moved_nothing(), &[words.refused(refusal)]),
        None if decision.is_taken_back => words.taken_back().to_owned(),
        None if decision.let_go() > Rupiah::ZERO => fill(words.applied_by_that(), &[&rupiah(decision.let_go().get())]),
        None => words.stands().to_owned(),
    }
}
