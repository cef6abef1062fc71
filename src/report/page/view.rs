//! A document's sections as texts for the template.

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, FlowStep};
use super::super::text;
use super::super::words::Words;
use super::chart;
use crate::domain::amount::Rupiah;
use crate::report::document;

/// A section of the page.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) tables: Vec<View>,
    /// Style rules of its filters.
    pub(super) rules: String,
    /// Whether any of its tables is printed.
    pub(super) is_printed: bool,
}

/// A table of the page.
pub(super) struct View {
    pub(super) id: String,
    pub(super) caption: String,
    pub(super) head: Vec<Head>,
    pub(super) rows: Vec<Row>,
    pub(super) totals: Vec<Shown>,
    pub(super) empty: &'static str,
    pub(super) filters: Vec<Filter>,
    /// What the page leaves out, and the file that holds it.
    pub(super) more: Option<(String, &'static str)>,
    /// The drawing beside it.
    pub(super) chart: Option<chart::Drawing>,
    pub(super) has_details: bool,
    /// On paper, only the first rows: how many of how many, in words.
    pub(super) on_paper: Option<String>,
    pub(super) is_printed: bool,
}

/// Rows of one table that are printed: an archive is to be read, and files hold all of them. The style sheet hides the others.
const PRINTED_MAX: usize = 30;

pub(super) struct Head {
    pub(super) title: String,
    pub(super) kind: &'static str,
}

pub(super) struct Row {
    /// Which filters let it through.
    pub(super) classes: String,
    pub(super) cells: Vec<Shown>,
    pub(super) details: Vec<Shown>,
}

pub(super) struct Shown {
    pub(super) label: String,
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) is_negative: bool,
}

/// The values of one column, to choose from.
pub(super) struct Filter {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) all: usize,
    pub(super) options: Vec<Choice>,
}

pub(super) struct Choice {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) count: usize,
}

/// Label and value of each fact.
pub(super) fn facts(table: &DocumentTable<'_>) -> Vec<(String, String)> {
    let pairs = table.rows.iter().filter_map(|row| match row.as_slice() {
        [Cell::Text(label), Cell::Text(value)] => Some((label.clone().into_owned(), value.clone().into_owned())),
        _ => None,
    });
    pairs.collect()
}

pub(super) fn section(section: &document::Section<'_>, words: &Words, rows_max: usize) -> Section {
    let mut tables: Vec<View> =
        section.tables.iter().enumerate().map(|(place, table)| view(&format!("{}-{place}", section.id), table, words, rows_max)).collect();
    for chart in &section.charts {
        if let (Some(table), Some(view)) = (section.tables.get(chart.table), tables.get_mut(chart.table)) {
            view.chart = chart::draw(chart, table, words, &view.id);
        }
    }
    let rules = tables.iter().flat_map(|table| table.filters.iter().map(|filter| rules(&table.id, filter))).collect();
    let is_printed = tables.iter().any(|table| table.is_printed);
    Section { id: section.id.clone(), title: section.title.clone(), note: section.note.clone(), tables, rules, is_printed }
}

/// While a choice is made, rows without its mark are hidden.
fn rules(table: &str, filter: &Filter) -> String {
    let rule = |choice: &Choice| format!("#{table}:has(#{id}:checked) tbody.row:not(.{id}){{display:none}}\n", id = choice.id);
    filter.options.iter().map(rule).collect()
}

/// A step from the bill to the bank, and its bar in thousandths of the width.
pub(super) struct FlowRow {
    pub(super) label: &'static str,
    pub(super) amount: String,
    pub(super) kind: &'static str,
    pub(super) start: i128,
    pub(super) width: i128,
    pub(super) section: Option<&'static str>,
}

/// The steps, each bar where the one before it ended.
pub(super) fn flow(steps: &[FlowStep], words: &Words) -> Vec<FlowRow> {
    let highest = steps.iter().map(|step| step.after.get().max(step.after.minus(step.amount).get())).max().unwrap_or(0).max(1);
    let share = |amount: i128| amount.max(0).saturating_mul(1_000) / highest;
    let row = |step: &FlowStep| {
        let before = if step.is_total { 0 } else { step.after.minus(step.amount).get() };
        let (from, to) = (share(before.min(step.after.get())), share(before.max(step.after.get())));
        let (kind, column) = match step.is_total {
            true => ("total", CellKind::Rupiah),
            false if step.amount < Rupiah::ZERO => ("minus", CellKind::Difference),
            false => ("plus", CellKind::Difference),
        };
        let amount = text::cell(words, column, &step.amount.into());
        FlowRow { label: step.label, amount, kind, start: from, width: to.saturating_sub(from).max(2), section: step.section }
    };
    steps.iter().map(row).collect()
}

pub(super) fn view(id: &str, table: &DocumentTable<'_>, words: &Words, rows_max: usize) -> View {
    // Without a file that holds the rest, every row is shown.
    let limit = if table.file.is_some() { rows_max } else { usize::MAX };
    let shown: Vec<(usize, &DocumentColumn)> = table.columns.iter().enumerate().filter(|(_, column)| column.audience.has_page()).collect();
    let rows: Vec<Vec<Cell<'_>>> = table.rows.first(limit).collect();
    let filtered: Vec<(usize, &DocumentColumn)> = shown.iter().copied().filter(|(_, column)| column.filter).collect();
    let filters: Vec<Filter> = filtered.iter().map(|&(place, column)| filter(id, place, column, &rows, words)).collect();
    let with = |details: bool| shown.iter().copied().filter(move |(_, column)| column.detail == details).collect::<Vec<_>>();
    let (main, details) = (with(false), with(true));
    let left_out = table.rows.len() > rows.len();
    let count = |rows: usize| text::grouped(u128::try_from(rows).unwrap_or(u128::MAX));
    let more =
        table.file.filter(|_| left_out).map(|file| (text::fill(words.first_of, &[&count(rows.len()), &count(table.rows.len())]), file));
    let view_of = |row: &Vec<Cell<'_>>| Row {
        classes: filters.iter().zip(&filtered).filter_map(|(filter, &(place, column))| mark(filter, place, column, row, words)).collect(),
        cells: cells(&main, row, words),
        details: cells(&details, row, words).into_iter().filter(|cell| !cell.text.is_empty()).collect(),
    };
    View {
        id: id.to_owned(),
        caption: table.caption.clone(),
        head: main.iter().map(|(_, column)| Head { title: column.title.clone(), kind: column.kind.name() }).collect(),
        rows: rows.iter().map(view_of).collect(),
        totals: table.totals.as_ref().map(|totals| cells(&main, totals, words)).unwrap_or_default(),
        empty: table.empty,
        filters: filters.into_iter().filter(|filter| filter.options.len() > 1).collect(),
        more,
        chart: None,
        has_details: !details.is_empty(),
        is_printed: table.is_printed,
        on_paper: (rows.len() > PRINTED_MAX).then(|| text::fill(words.on_paper(), &[&count(PRINTED_MAX), &count(table.rows.len())])),
    }
}

fn cells(columns: &[(usize, &DocumentColumn)], row: &[Cell<'_>], words: &Words) -> Vec<Shown> {
    let shown = columns.iter().map(|&(place, column)| {
        let cell = row.get(place).unwrap_or(&Cell::Empty);
        let is_negative = matches!(cell, Cell::Rupiah(_) | Cell::Count(_)) && cell.number() < 0;
        Shown { label: column.title.clone(), kind: column.kind.name(), text: text::cell(words, column.kind, cell), is_negative }
    });
    shown.collect()
}

/// The values a column takes, in the order in which they first stand.
fn filter(table: &str, place: usize, column: &DocumentColumn, rows: &[Vec<Cell<'_>>], words: &Words) -> Filter {
    let id = format!("{table}-{place}");
    let mut options: Vec<Choice> = Vec::new();
    for row in rows {
        let text = row.get(place).map(|cell| text::cell(words, column.kind, cell)).unwrap_or_default();
        match options.iter_mut().find(|choice| choice.text == text) {
            Some(choice) => choice.count = choice.count.saturating_add(1),
            None => options.push(Choice { id: format!("{id}-{}", options.len()), text, count: 1 }),
        }
    }
    Filter { id, title: column.title.clone(), all: rows.len(), options }
}

fn mark(filter: &Filter, place: usize, column: &DocumentColumn, row: &[Cell<'_>], words: &Words) -> Option<String> {
    let text = text::cell(words, column.kind, row.get(place)?);
    filter.options.iter().find(|choice| choice.text == text).map(|choice| format!(" {}", choice.id))
}
