//! What a table of ours is made of: one list of columns, and one writer a format. Whoever adds a column adds it to its list, and every format
//! has it; whoever adds a format writes [`Cells`] for it, and every table can be written in it.
//!
//! Belongs here: how a value stands in a file. Must not be here: what a row means. Rows come one at a time and nothing is kept of them;
//! most cells are written without anything being made for them.

mod column;
mod csv;
pub mod disk;
mod jsonl;
mod pages;
pub mod parquet;
pub mod stored;
#[cfg(test)]
mod tests;
mod value;
pub mod vouched;
mod xlsx;

use std::io::{self, Write};

pub use self::csv::{Csv, compare};
pub use column::{Cells, Column, ColumnKind, names};
pub use jsonl::JsonLines;
pub use value::Value;
pub use xlsx::Workbook;

/// In which a table is written as a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, safe to open in a spreadsheet.
    Csv,
    /// An object a line, with exact texts and real numbers.
    JsonLines,
    /// By columns, with exact texts and real numbers.
    Parquet,
}

impl Format {
    /// How the names of its files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// Writes a whole table.
    ///
    /// # Errors
    /// The writer's.
    pub fn write<Row>(self, columns: &[Column<'_, Row>], rows: impl Iterator<Item = Row>, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Csv => all(&mut Csv::begin(out, columns)?, columns, rows),
            Self::JsonLines => all(&mut JsonLines::begin(out, names(columns)), columns, rows),
            Self::Parquet => {
                let mut groups = parquet::Groups::begin(out, columns)?;
                all(&mut groups, columns, rows)?;
                groups.finish()
            }
        }
    }
}

fn all<Row>(to: &mut impl Cells, columns: &[Column<'_, Row>], mut rows: impl Iterator<Item = Row>) -> io::Result<()> {
    rows.try_for_each(|row| to.row(columns, &row))
}
