//! How the figures came about: settings, the schedule of repetitions, what each class means.

use super::super::document::{Cell, CellKind, DocumentTable, Section};
use super::super::words::Words;
use crate::domain::classify::Class;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let slots = report.summary.retry_slots.iter().map(|(slot, count)| vec![(*slot).into(), Cell::from(*count)]);
    let slot_columns = columns(&[(words.retry_slot, CellKind::Code), (words.count, CellKind::Count)]);
    Section::new("method", words.method)
        .note(words.method_note)
        .table(settings(report, words))
        .table(DocumentTable::new(words.retry_slots, slot_columns, slots.collect::<Vec<Vec<_>>>()))
        .table(definitions(words))
}

fn settings<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let policy = &report.summary.policy;
    let number = |name: &'static str, value: i64| vec![name.into(), value.to_string().into()];
    let rows = vec![
        vec!["tolerance_rupiah".into(), policy.tolerance_rupiah.to_string().into()],
        number("expiry_grace_minutes", policy.expiry_grace_minutes),
        number("skew_minutes", policy.skew_minutes),
        vec!["unverifiable".into(), policy.unverifiable.into()],
        number("late_evidence_grace_hours", policy.late_evidence_grace_hours),
        number("replay_window_minutes", policy.replay_window_minutes),
        number("late_notification_minutes", policy.late_notification_minutes),
        number("expired_break_days", policy.expired_break_days),
    ];
    DocumentTable::new(words.settings, columns(&[(words.setting, CellKind::Code), (words.value, CellKind::Code)]), rows)
}

fn definitions<'a>(words: &'static Words) -> DocumentTable<'a> {
    let rows = Class::all().map(|class| {
        let info = class.info();
        vec![
            class.id().into(),
            words.class_title(class).into(),
            info.nature.name().into(),
            words.severity(info.severity).into(),
            words.class_meaning(class).into(),
            words.class_action(class).into(),
        ]
    });
    let columns = columns(&[
        (words.class, CellKind::Code),
        (words.what, CellKind::Text),
        (words.nature, CellKind::Text),
        (words.severity, CellKind::Text),
        (words.meaning, CellKind::Text),
        (words.action, CellKind::Text),
    ]);
    DocumentTable::new(words.class_definitions, columns, rows.collect::<Vec<Vec<_>>>())
}
