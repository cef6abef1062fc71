//! What `check` leaves: valid.csv, rejected.csv, and bad rows whole.

use std::path::Path;

use super::columns::{Valid, rejected, valid};
use super::rows::InputCsv;
use crate::columns::Csv;
use crate::intake::{CheckedBill, Input, KeepingError, REASON_COLUMN};
use crate::report::atomic::{Draft, WriteError};

/// valid.csv and rejected.csv of a file that was only read: where the rows stand that can be used, and why the others cannot.
///
/// # Errors
/// That they cannot be written, or the rows not be given again.
pub fn checked_files<E: From<WriteError> + From<KeepingError>>(checked: &Input<CheckedBill>, directory: &Path) -> Result<(), E> {
    let mut good = InputCsv::begin(&directory.join("valid.csv"), &valid(), &checked.carried)?;
    let mut refused = InputCsv::begin(&directory.join("rejected.csv"), &rejected(), &checked.carried)?;
    checked.each(|row| -> Result<(), E> {
        if let Some(bill) = row.valid() {
            let action = if bill.is_cancelled { "cancel" } else { "" };
            let told = Valid { place: &row.place, invoice_number: bill.invoice_number.as_str(), action };
            good.lines(|lines| lines.row(&valid(), &told, &row.cells))?;
        }
        Ok(refused.lines(|lines| lines.refused(&row.cells, &row.verdict))?)
    })?;
    good.0.finish()?;
    Ok(refused.0.finish()?)
}

/// The bad rows of one file whole, in its own columns and with the reasons behind them, to be mended and given again.
#[derive(Debug)]
pub struct BadRowsCsv(Draft);

impl BadRowsCsv {
    /// Begins the file at `path` with the columns of `header`.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn begin(path: &Path, header: &[String]) -> Result<Self, WriteError> {
        let mut begun = Self(Draft::begin(path)?);
        begun.row(header, REASON_COLUMN)?;
        Ok(begun)
    }

    /// A row, and its reasons.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn row(&mut self, cells: &[String], reasons: &str) -> Result<(), WriteError> {
        self.0.put(|file| Csv::new(file).quoting_more().texts(cells.iter().map(String::as_str).chain([reasons])))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn finish(self) -> Result<(), WriteError> {
        self.0.finish()
    }
}
