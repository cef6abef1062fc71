//! Counts and rupiah of every class, and the identities that prove them complete.

use std::collections::BTreeMap;

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, Section};
use super::super::words::Words;
use crate::domain::amount::Rupiah;
use crate::domain::classify::Class;
use crate::domain::sum::Sum;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let summary = report.summary;
    let mut section = Section::new("classes", words.classes)
        .note(words.classes_note)
        .table(table(words.payments, &summary.payments, words).sum_up(words.total))
        .table(table(words.bills, &summary.bills, words).sum_up(words.total))
        .table(table(words.evidence_lines, &summary.lines, words).sum_up(words.total));
    if let Some(inquiries) = &summary.inquiries {
        section = section.table(table(words.inquiries, inquiries, words));
    }
    for (title, figures) in [(words.counted_apart, &summary.counted_apart), (words.flags_raised, &summary.flags)] {
        if !figures.is_empty() {
            section = section.table(table(title, figures, words));
        }
    }
    section.table(not_evaluated(&summary.not_evaluated, words))
}

/// Count and rupiah of every class in `figures`.
fn table<'a>(caption: &'static str, figures: &BTreeMap<&'static str, Sum>, words: &'static Words) -> DocumentTable<'a> {
    with_natures(caption, figures, |class| class.info().nature.name().to_owned(), words)
}

/// The same, where a class can have several natures.
pub(super) fn with_natures<'a>(
    caption: &'static str,
    figures: &BTreeMap<&'static str, Sum>,
    nature: impl Fn(Class) -> String,
    words: &'static Words,
) -> DocumentTable<'a> {
    let classes = Class::all().filter_map(|class| Some((class, figures.get(class.id())?)));
    let rows = classes.map(|(class, figures)| {
        vec![class.id().into(), words.class_title(class).into(), nature(class).into(), figures.count.into(), figures.rupiah.into()]
    });
    let columns = vec![
        DocumentColumn::new(words.class, CellKind::Code),
        DocumentColumn::new(words.what, CellKind::Text),
        DocumentColumn::new(words.nature, CellKind::Text),
        DocumentColumn::new(words.count, CellKind::Count),
        DocumentColumn::new(words.amount, CellKind::Rupiah),
    ];
    DocumentTable::new(caption, columns, rows.collect::<Vec<Vec<_>>>())
}

fn not_evaluated<'a>(classes: &[&'static str], words: &'static Words) -> DocumentTable<'a> {
    let classes = classes.iter().filter_map(|id| Class::parse(id));
    let rows = classes.map(|class| vec![class.id().into(), words.class_title(class).into()]);
    let columns = columns(&[(words.class, CellKind::Code), (words.what, CellKind::Text)]);
    DocumentTable::new(format!("{}. {}", words.not_evaluated, words.not_evaluated_note), columns, rows.collect::<Vec<Vec<_>>>())
}

/// Whether an identity compares amounts, not counts.
fn is_rupiah(name: &str) -> bool {
    name.contains("rupiah") || name.contains("amounts") || name.contains("totals_stated")
}

/// The control identities, each with its difference.
pub(super) fn control<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let identities = &report.summary.identities;
    let (rupiah, counts): (Vec<_>, Vec<_>) = identities.iter().partition(|identity| is_rupiah(identity.name));
    let mut section = Section::new("control", words.control).note(words.control_note);
    for (unit, kind, identities) in [(words.unit_count, CellKind::Count, counts), (words.unit_rupiah, CellKind::Rupiah, rupiah)] {
        let value = |number: i128| match (kind, i64::try_from(number)) {
            (CellKind::Count, Ok(count)) => Cell::Count(count),
            _ => Cell::Rupiah(Rupiah::new(number)),
        };
        let rows = identities.into_iter().map(|identity| {
            let difference = Rupiah::new(identity.left).minus(Rupiah::new(identity.right));
            vec![
                words.identity_name(identity.name).into(),
                value(identity.left),
                value(identity.right),
                value(difference.get()),
                if identity.holds { words.yes } else { words.no }.into(),
            ]
        });
        let difference = if kind == CellKind::Count { CellKind::Count } else { CellKind::Difference };
        let columns = columns(&[
            (words.identity, CellKind::Text),
            (words.left, kind),
            (words.right, kind),
            (words.difference, difference),
            (words.holds, CellKind::Text),
        ]);
        section = section.table(DocumentTable::new(format!("{}: {unit}", words.control), columns, rows.collect::<Vec<Vec<_>>>()));
    }
    section
}
