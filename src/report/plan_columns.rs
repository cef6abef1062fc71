//! A row of plan.csv, and its columns.

use crate::columns;
use crate::columns::{Column, Value};
use crate::domain::plan::PlanLine;

/// How many columns are ours.
pub(super) const COUNT: usize = 12;

/// How wide they are in the workbook, in characters; those of the user's own are as wide as the last.
pub(super) const WIDTHS: [u16; COUNT + 1] = [18, 8, 24, 12, 34, 34, 16, 44, 30, 20, 20, 20, 18];

/// The columns, before the user's own.
pub(super) const COLUMNS: [Column<'static, PlanRow>; COUNT] = [
    Column::foreign("file", |row| (&row.file).into()),
    Column::text("row", |row| Value::shown(&row.row)),
    Column::foreign("invoice_number", |row| (&row.invoice_number).into()),
    Column::text("step", |row| row.line.step.into()),
    Column::text("from", |row| (&row.line.from).into()),
    Column::text("to", |row| (&row.line.to).into()),
    Column::rupiah("rupiah", |row| row.line.rupiah.into()),
    Column::foreign("reason", |row| (&row.line.reason).into()),
    Column::text("warning", |row| row.line.far_above.then_some("far above what this bill ever asked for").into()),
    Column::text("input_mark", |row| (&row.input_mark).into()),
    Column::text("settings_mark", |row| (&row.settings_mark).into()),
    Column::text("bill_mark", |row| (&row.line.mark).into()),
];

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    const NAMED: &[Column<'static, PlanRow>] = &COLUMNS;
    columns::names(NAMED)
}

/// One row of the input and what is planned for it.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// The file, as it was named.
    pub file: String,
    /// Its row, the header being 1.
    pub row: u64,
    /// The bill.
    pub invoice_number: String,
    /// What is planned.
    pub line: PlanLine,
    /// The digest of the file.
    pub input_mark: String,
    /// The digest of configuration and flags.
    pub settings_mark: String,
    /// What is carried through of it, in the order of the headers.
    pub carried: Vec<String>,
}

impl PlanRow {
    pub(super) fn approved(&self) -> ApprovedRow {
        ApprovedRow {
            file: self.file.clone(),
            row: self.row.to_string(),
            step: self.line.step.to_owned(),
            input_mark: self.input_mark.clone(),
            settings_mark: self.settings_mark.clone(),
            bill_mark: self.line.mark.clone(),
        }
    }
}

/// What a plan that was read says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedRow {
    pub(super) file: String,
    pub(super) row: String,
    pub(super) step: String,
    pub(super) input_mark: String,
    pub(super) settings_mark: String,
    pub(super) bill_mark: String,
}
