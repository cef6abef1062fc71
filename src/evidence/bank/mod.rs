//! Statements of the bank account DOKU pays to (CSV, XLSX, MT940) → lines, and what cannot be read, each with its place.
//!
//! Belongs here: what the cells say. Must not be here: which lines are DOKU's, and which pay-outs they pay (`books`).

mod columns;
mod counts;
mod error;
mod mt940;
mod statement;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::path::PathBuf;

use super::source;
use crate::domain::line::{InputFile, LogContents};
use crate::domain::settlement::RowPlace;
use crate::table::{Header, Row, Shape, Table, TableFault, TableLimits, TableSettings, Wrong};
use columns::Columns;
use counts::{Counts, Run};
use statement::Told;

pub use error::BankError;
pub use statement::{BankLine, IsCounted, MalformedLine, Statements};

/// The largest statement that is read, in bytes on disk.
const BYTES_MAX: u64 = 1 << 28;
/// Reads `files` in their order: MT940, XLSX, CSV, or any of these in gzip or zstd, told by the content. What `is_counted` leaves
/// alone may have sen.
///
/// # Errors
/// [`BankError`] for the first file that is no statement; rows that are no lines are listed instead.
pub fn read(files: &[PathBuf], tables: &TableSettings, is_counted: IsCounted<'_>) -> Result<Statements, BankError> {
    let (mut statements, mut counts) = (Statements::default(), Counts::of(is_counted));
    for path in files {
        let refused = |fault: TableFault| BankError { path: path.clone(), fault };
        let (content, digest, bytes) =
            source::read_whole(tables.place_of(path), BYTES_MAX).map_err(|error| refused(TableFault::Unreadable(error.to_string())))?;
        let file = u32::try_from(statements.files.len()).unwrap_or(u32::MAX);
        let rows = if mt940::is(&content) {
            mt940::read(&content, file, &mut |one| counts.message(&mut statements, one))
        } else {
            let mut run = Run::new();
            read_table(content, file, tables, &mut |told| counts.told(&mut statements, &mut run, told)).map_err(refused)?
        };
        let (path, contents) = (path.clone(), LogContents::default());
        statements.files.push(InputFile { path, digest, bytes, lines: rows, contents, remark: String::new() });
    }
    counts.finish(&mut statements);
    Ok(statements)
}

/// Tells every row of a table, and gives how many there are.
fn read_table(content: Vec<u8>, file: u32, tables: &TableSettings, tell: &mut dyn FnMut(Told)) -> Result<u64, TableFault> {
    let is_known = |name: &str| columns::is_known(name, &tables.layouts);
    let is_enough = |names: &[String]| columns::is_enough(names, &tables.layouts);
    let limits = TableLimits { file_bytes_max: BYTES_MAX.saturating_mul(4), ..TableLimits::default() };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: false };
    let mut table = Table::of(Cursor::new(content), &shape)?;
    let columns = Columns::of(table.header(), tables)?;
    let (mut row, mut rows) = (Row::default(), 0_u64);
    while table.read(&mut row)? {
        rows = rows.saturating_add(1);
        let place = RowPlace { file, row: row.line, byte: row.byte };
        let is_heading = row.wrong == Some(Wrong::Unclaimed);
        tell(columns.line(&row, place, is_heading));
    }
    Ok(rows)
}
