//! The bad rows of a file, whole, in the user's own columns.

use std::path::{Path, PathBuf};

use super::bill_column::BillColumn;
use super::error::IntakeError;
use super::file::{File, Reading};
use super::judged::Input;
use super::kept_bill::KeptItem;
use super::options::Options;
use super::refused_row::RefusedRow;
use crate::table::Row;

/// Writes the bad rows of one file, given one by one: its own header first, then each row with its reasons.
pub trait BadRows {
    /// What writing may end with.
    type Error: From<IntakeError>;
    /// A file that has bad rows, as it was named, and its header.
    ///
    /// # Errors
    /// The writer's.
    fn begin(&mut self, file: &Path, header: &[String]) -> Result<(), Self::Error>;
    /// A row as it is in the file, and its reasons.
    ///
    /// # Errors
    /// The writer's.
    fn row(&mut self, cells: &[String], reasons: &str) -> Result<(), Self::Error>;
    /// The end of the file.
    ///
    /// # Errors
    /// The writer's.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Reads `files` again for the rows that `input` refused.
///
/// # Errors
/// [`IntakeError`] when a file cannot be read again, as standard input cannot; and the writer's.
pub fn bad_rows<T: KeptItem, W: BadRows>(files: &[PathBuf], options: &Options, input: &Input<T>, writer: &mut W) -> Result<(), W::Error> {
    let reading = Reading { columns: BillColumn::OF_BILLS, tables: &options.tables, allowed: &[], all_mapped: false, carries: false };
    let mut open: Option<Again<'_>> = None;
    for part in input.parts(|_| true) {
        for judged in part.map_err(IntakeError::from)? {
            let [first, ..] = judged.refused() else { continue };
            if open.as_ref().is_none_or(|again| again.order != first.place.file_order) {
                if open.is_some() {
                    writer.end()?;
                }
                let path = files.get(first.place.file_order).map_or(&*first.place.file, PathBuf::as_path);
                let file = File::open(path, &reading).map_err(|refused| IntakeError::Files(vec![refused]))?;
                let again = open.insert(Again { order: first.place.file_order, file, row: Row::default() });
                writer.begin(path, &texts(again.file.table.header()))?;
            }
            if let Some(again) = &mut open
                && let Some(cells) = again.cells(first.place.row)?
            {
                writer.row(&cells, &judged.refused().iter().map(in_words).collect::<Vec<_>>().join("; "))?;
            }
        }
    }
    if open.is_some() { writer.end() } else { Ok(()) }
}

/// A file that is read again.
struct Again<'a> {
    order: usize,
    file: File<'a>,
    row: Row,
}

impl Again<'_> {
    /// The cells of the row of this number, which lies behind those that were asked for before.
    fn cells(&mut self, number: u64) -> Result<Option<Vec<String>>, IntakeError> {
        while self.file.table.read(&mut self.row).map_err(|fault| IntakeError::Files(vec![self.file.refused(fault.into())]))? {
            if self.row.number == number {
                return Ok(Some(texts(&self.row)));
            }
        }
        Ok(None)
    }
}

fn texts(row: &Row) -> Vec<String> {
    row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

fn in_words(refused: &RefusedRow) -> String {
    let column = if refused.column.is_empty() { String::new() } else { format!("{}: ", refused.column) };
    format!("{column}{} [{}]", refused.reason, refused.code)
}
