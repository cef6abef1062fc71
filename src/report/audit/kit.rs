//! A kit as it is made: table by table, each beside what it is described by.

use std::path::Path;

use serde::Serialize;

use crate::books::{BooksDecision, BooksSettings};
use crate::columns::{Column, Format};
use crate::domain::line::InputFile;
use crate::exit::{Explained, Explanation};
use crate::reconcile::books_inputs::Opened;
use crate::reconcile::{Inputs, ReconcileTerms};
use crate::report::atomic;
use crate::report::atomic::WriteError;
use crate::report::folder::FolderError;

/// What a kit is made from.
#[derive(Debug)]
pub struct KitFacts<'a> {
    /// Bills and evidence, nothing concluded.
    pub inputs: &'a Inputs,
    /// Period, as-of and policy.
    pub terms: &'a ReconcileTerms,
    /// The logs.
    pub files: &'a [InputFile],
    /// What the books were opened with.
    pub opened: &'a Opened,
    /// What people decided.
    pub decisions: &'a [BooksDecision],
    /// What postings depend on.
    pub settings: &'a BooksSettings,
}

/// Why a kit cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The folder is no whole report (exit 7).
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be written (exit 9).
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Explained for KitError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Folder(error) => error.explanation(),
            Self::Write(error) => error.explanation(),
        }
    }
}

/// The report a kit is of.
#[derive(Serialize)]
pub(super) struct Made {
    pub(super) run_id: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) summary_sha256: String,
}

/// A table with its columns.
#[derive(Serialize)]
pub(super) struct Table {
    pub(super) file: String,
    rows: u64,
    columns: Vec<String>,
}

/// A kit on its way.
pub(super) struct Kit<'a> {
    pub(super) folder: &'a Path,
    pub(super) tables: Vec<Table>,
    pub(super) taken_over: Vec<String>,
}

impl Kit<'_> {
    pub(super) fn table<Row>(
        &mut self,
        name: &str,
        columns: &[Column<'_, Row>],
        rows: impl Iterator<Item = Row>,
    ) -> Result<(), WriteError> {
        let (file, mut count) = (format!("{name}.parquet"), 0_u64);
        let counted = rows.inspect(|_| count = count.saturating_add(1));
        atomic::write(&self.folder.join(&file), |writer| Format::Parquet.write(columns, counted, writer))?;
        self.tables.push(Table { file, rows: count, columns: columns.iter().map(described).collect() });
        Ok(())
    }

    /// A file that was taken over as it is.
    pub(super) fn copied(&mut self, file: &str) {
        self.taken_over.push(file.to_owned());
    }
}

/// A column's name and type, as the file has them.
fn described<Row>(column: &Column<'_, Row>) -> String {
    use crate::columns::ColumnKind;
    match column.kind() {
        ColumnKind::Count | ColumnKind::Rupiah => format!("{} bigint", column.name()),
        ColumnKind::Instant => format!("{}_us bigint", column.name()),
        ColumnKind::Digest => format!("{} varbinary", column.name()),
        ColumnKind::Text | ColumnKind::Foreign | ColumnKind::Date | ColumnKind::List | ColumnKind::Json => {
            format!("{} varchar", column.name())
        }
    }
}
