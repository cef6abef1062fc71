//! CSV files of policies or invoices → bills, and every row that is not one, with file, row, column and reason.
//!
//! Belongs here: reading, column mapping, cell rules. Must not be here: the ledger, DOKU's wire, decisions about sending.
//! Nothing is repaired: a value is understood as documented in `docs/formats-input.md` or its row is refused, and every bad
//! row is reported, not the first. Rows read = valid + refused + duplicates, always (I13).

mod additional;
mod advice;
mod bad;
mod bill_column;
mod bytes;
mod carried;
mod cells;
mod code_template;
pub mod codes;
mod columns;
mod error;
mod fates;
mod file;
mod gathered;
mod gathering;
pub mod import;
mod judged;
mod kept_bill;
mod kept_row;
mod numbering;
mod options;
mod place;
mod policy;
mod refused_row;
mod row;
mod row_cells;
mod sort;
mod template;
#[cfg(test)]
mod tests;
mod total;
mod wanted;

use std::path::PathBuf;

use jiff::Timestamp;

pub use additional::{AdditionalOptions, FreeTemplate, ReportTemplate};
pub use advice::InputFacts;
pub use bad::{BadRows, bad_rows};
pub use bill_column::{BillColumn, REASON_COLUMN};
pub use code_template::CodeTemplate;
pub use error::{FileFault, IntakeError, RefusedFile};
pub use judged::{EndedRow, Input, InputRow, Intake, RowVerdict};
pub use kept_bill::{CheckedBill, KeptItem, Likeness};
pub use options::{Defaults, Options, Purpose};
pub use place::InputPlace;
pub use refused_row::{Note, RefusedRow};

use crate::domain::bill::Bill;
pub use crate::spool::KeepingError;
pub use crate::table::{AmountFormat, DateFormat, Mapping, TableLayout, TableLimits, TableSettings};
use carried::Carried;
use file::{File, Reading};
use gathering::{Gathering, Unread};
use numbering::Numbering;
use row_cells::Cells;
use sort::Harvest;

/// Reads files of bills as one input: an invoice number means one bill, whichever file it stands in.
///
/// # Errors
/// [`IntakeError`] when any file as a whole is refused; it lists every such file.
pub fn read(files: &[PathBuf], options: &Options) -> Result<Intake, IntakeError> {
    bills(files, options, |bill| bill)
}

/// The same for whoever carries nothing out, and keeps no more of a bill than what says whether it may be.
///
/// # Errors
/// As [`read`].
pub fn check(files: &[PathBuf], options: &Options) -> Result<Input<CheckedBill>, IntakeError> {
    bills(files, options, |bill| CheckedBill::of(bill, options.now))
}

fn bills<T: KeptItem>(files: &[PathBuf], options: &Options, made: impl Fn(Bill) -> T + Sync) -> Result<Input<T>, IntakeError> {
    let reading = Reading {
        columns: BillColumn::OF_BILLS,
        tables: &options.tables,
        allowed: &options.allowed,
        all_mapped: options.purpose == Purpose::AsWritten,
        carries: true,
    };
    gathered(files, &reading, options.now, |file| {
        require_columns(file, options)?;
        let (numbering, format) = (Numbering::of(&file.head.columns, options)?, file.head.layout.amount_format);
        let made = &made;
        Ok(move |cells: Cells<'_>| row::bill(cells, options, format, &numbering).map(made))
    })
}

/// The columns without which no row of a file can be a bill.
fn require_columns(file: &File<'_>, options: &Options) -> Result<(), FileFault> {
    let lacks = |column: BillColumn| file.head.columns.index(column).is_none();
    let mut missing: Vec<String> = Vec::new();
    if lacks(BillColumn::InvoiceNumber) && options.invoice_number_template.is_none() {
        missing.push("`invoice_number` (or `intake.invoice_number_template`)".into());
    }
    if options.purpose == Purpose::CancelAll || !lacks(BillColumn::Action) {
        return if missing.is_empty() { Ok(()) } else { Err(file.head.columns.missing(&missing)) };
    }
    for column in [BillColumn::Amount, BillColumn::CustomerName] {
        if lacks(column) {
            let alias = column.alias().map_or_else(String::new, |alias| format!(" (or `{alias}`)"));
            missing.push(format!("`{}`{alias}", column.name()));
        }
    }
    if lacks(BillColumn::Channel) && options.defaults.channel.is_none() {
        missing.push("`channel` (or `intake.defaults.channel`)".into());
    }
    if missing.is_empty() { Ok(()) } else { Err(file.head.columns.missing(&missing)) }
}

/// Reads every file, each with the row reader `prepare` makes for it, and sorts out what contradicts itself.
fn gathered<T, F, P>(files: &[PathBuf], reading: &Reading<'_>, now: Timestamp, prepare: P) -> Result<Input<T>, IntakeError>
where
    T: KeptItem,
    F: Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync,
    P: Fn(&File<'_>) -> Result<F, FileFault>,
{
    let (mut harvest, mut carried) = (Harvest::default(), Carried::default());
    let mut refused = Vec::new();
    for (file_order, path) in files.iter().enumerate() {
        let read = File::open(path, reading).map_err(Unread::File).and_then(|file| {
            let read_row = prepare(&file).map_err(|fault| file.refused(fault))?;
            Gathering { file_order, reading, now, harvest: &mut harvest, carried: &mut carried }.gather(file, &read_row)
        });
        match read {
            Ok(()) => {}
            Err(Unread::File(file)) => refused.push(file),
            Err(Unread::Keeping(error)) => return Err(IntakeError::Keeping(error)),
        }
    }
    if refused.is_empty() { Ok(harvest.sorted_out(carried.into_headers(), now)?) } else { Err(IntakeError::Files(refused)) }
}
