//! One file of rows to be understood as bills or codes: its table, its layout, where its columns are.

use std::path::Path;
use std::sync::Arc;

use super::bill_column::BillColumn;
use super::columns::Columns;
use super::error::{FileFault, RefusedFile};
use super::wanted::Wanted;
use crate::table::{self, Header, Row, Shape, Table, TableLayout, TableSettings};

/// What is needed to make sense of a file before its rows are looked at.
pub(super) struct Reading<'a> {
    pub(super) columns: &'static [BillColumn],
    pub(super) tables: &'a TableSettings,
    /// Values that are let through although they look like none.
    pub(super) allowed: &'a [String],
    /// Whether every mapped column must be there.
    pub(super) all_mapped: bool,
    /// Whether columns of the user's own go through to result files.
    pub(super) carries: bool,
}

impl<'a> Reading<'a> {
    /// What is looked for.
    pub(super) fn wanted(&self) -> Wanted<'a> {
        Wanted { columns: self.columns, dimensions: &self.tables.dimensions }
    }
}

/// A file whose header has been understood.
pub(super) struct File<'a> {
    pub(super) head: Head<'a>,
    pub(super) table: Table,
}

/// What is known of a file before its rows are read.
#[derive(Clone)]
pub(super) struct Head<'a> {
    pub(super) path: Arc<Path>,
    pub(super) columns: Columns,
    pub(super) layout: &'a TableLayout,
}

impl<'a> File<'a> {
    pub(super) fn open(path: &Path, reading: &Reading<'a>) -> Result<Self, RefusedFile> {
        Self::try_open(path, reading).map_err(|fault| RefusedFile { file: path.to_owned(), fault })
    }

    fn try_open(path: &Path, reading: &Reading<'a>) -> Result<Self, FileFault> {
        let TableSettings { base, layouts, layout: chosen, delimiter, sheet, limits, .. } = reading.tables;
        let candidates: Vec<&TableLayout> = std::iter::once(base).chain(layouts).collect();
        let wanted = reading.wanted();
        let known = |name: &str| wanted.is_known(name, &candidates);
        let enough = |names: &[String]| {
            let count = names.iter().filter(|name| known(name)).count();
            count > 2 || (count > 0 && count == names.len())
        };
        let header = Header { is_known: &known, is_enough: &enough };
        let shape = Shape { delimiter: *delimiter, sheet: sheet.as_deref(), limits, header, is_strict: true };
        let table = Table::open(reading.tables.place_of(path), &shape)?;
        let names = table::names(table.header());
        let layout = table::chosen(layouts, chosen.as_deref(), &names).unwrap_or(base);
        let columns = Columns::resolve(table.header(), wanted, layout, reading.all_mapped)?;
        Ok(Self { head: Head { path: path.into(), columns, layout }, table })
    }

    /// This file, refused.
    pub(super) fn refused(&self, fault: FileFault) -> RefusedFile {
        RefusedFile { file: self.head.path.to_path_buf(), fault }
    }
}

impl Head<'_> {
    /// Puts a row into tagih's own writing.
    pub(super) fn rewrite(&self, row: &mut Row) {
        if row.wrong.is_some() || !self.layout.rewrites() {
            return;
        }
        for constant in self.layout.constants.values() {
            row.append(constant);
        }
        for &(column, place) in self.columns.used() {
            self.layout.rewrite(row, place, column.name(), column.is_date());
        }
        for (name, place) in self.columns.dimensions() {
            self.layout.rewrite(row, *place, name, false);
        }
    }
}
