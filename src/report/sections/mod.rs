//! What a reconciliation says, section by section: figures of the outcome put into typed tables.
//!
//! Belongs here: one function a section. Must not be here: how it looks, or any decision about what a row means.

mod accounts;
mod ageing;
mod breakdowns;
mod classes;
mod cover;
mod days;
mod discrepancies;
mod flow;
mod inputs;
mod method;
mod prior_period;
mod register;
mod roll_forward;
mod settlement;
mod summary;

use super::document::{Document, Section};
use super::reconciled_report::{Presentation, Report};
use super::words::Words;

/// The whole report in the order in which finance reads it.
pub(super) fn document<'a>(report: &Report<'a>, presentation: &'a Presentation) -> Document<'a> {
    let words = Words::of(presentation.language);
    let mut sections: Vec<Section<'a>> = vec![accounts::overview(report, words)];
    sections.extend(accounts::items(report, words));
    sections.extend(register::section(report, words));
    sections.push(discrepancies::section(report, words));
    sections.extend(settlement::section(report, words));
    sections.extend([
        summary::section(report, words),
        classes::section(report, words).on_screen(),
        classes::control(report, words),
        roll_forward::section(report, words),
        ageing::section(report, words).on_screen(),
        days::section(report, words).on_screen(),
        breakdowns::section(report, words).on_screen(),
    ]);
    sections.extend(prior_period::section(report, words));
    sections.push(inputs::section(report, words));
    sections.push(method::section(report, words).on_screen());
    Document {
        language: words.language,
        title: words.report_title.to_owned(),
        as_of: report.summary.as_of,
        footer: cover::footer(report, &presentation.entity, words),
        cover: cover::cover(report, &presentation.entity, words),
        sections,
    }
}
