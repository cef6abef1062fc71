//! The register of decisions: what was decided, on what, with what effect.

use super::super::document::{Cell, Column, Kind, Section, Table};
use super::super::text::fill;
use super::super::words::Words;
use super::Report;
use crate::books::known::Decided;
use crate::domain::amount::Rupiah;

/// The section, if the books know a decision.
pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Option<Section<'a>> {
    let mut decided: Vec<_> = report.books.common.known.decisions.iter().collect();
    if decided.is_empty() {
        return None;
    }
    decided.sort_by_key(|(id, decision)| (decision.on, **id));
    let rows = decided.into_iter().map(|(id, decision)| {
        let account = decision.leg.map(|leg| leg.account);
        let moved: Rupiah = decision.posted.iter().map(|(_, _, amount)| *amount).sum();
        vec![
            decision.on.into(),
            words.decided(decision.action).into(),
            account.map(|account| words.account_name(account)).into(),
            decision.leg.and_then(|leg| leg.item).map(|item| item.key_text()).into(),
            moved.into(),
            effect(decision, words).into(),
            Cell::from(id.key_text()),
        ]
    });
    let columns = vec![
        Column::new(words.decided_on(), Kind::Date),
        Column::new(words.action_title(), Kind::Text).filter(),
        Column::new(words.account_title(), Kind::Text).filter(),
        Column::new(words.item(), Kind::Code),
        Column::new(words.items_amount(), Kind::Rupiah),
        Column::new(words.effect(), Kind::Text),
        Column::new(words.id, Kind::Code).detail(),
    ];
    let table = Table::new(words.register(), columns, rows.collect::<Vec<Vec<_>>>());
    Some(Section::new("decisions", words.register()).note(words.register_note()).table(table))
}

fn effect(decision: &Decided, words: &'static Words) -> String {
    match decision.refused {
        Some(refusal) => fill(words.moved_nothing(), &[words.refused(refusal)]),
        None if decision.is_taken_back => words.taken_back().to_owned(),
        None => words.stands().to_owned(),
    }
}
