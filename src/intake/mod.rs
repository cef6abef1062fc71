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
mod kept;
mod kept_bill;
mod kept_row;
mod numbering;
mod policy;
mod row;
mod row_cells;
mod sort;
mod template;
#[cfg(test)]
mod tests;
mod total;
mod wanted;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

pub use additional::{AdditionalOptions, FreeTemplate, ReportTemplate};
pub use advice::InputFacts;
pub use bad::{BadRows, bad_rows};
pub use bill_column::{BillColumn, REASON_COLUMN};
pub use code_template::CodeTemplate;
pub use error::{FileFault, IntakeError, RefusedFile};
pub use judged::{EndedRow, Input, InputRow, Intake, RowVerdict};
pub use kept::KeepingError;
pub use kept_bill::{CheckedBill, KeptItem, Likeness};

use crate::domain::bill::Bill;
use crate::domain::channel::{Channel, IssuanceMethod, PerChannel};
use crate::domain::code::StableCode;
pub use crate::table::{AmountFormat, DateFormat, Mapping, TableLayout, TableLimits, TableSettings};
use carried::Carried;
use file::{File, Reading};
use gathering::{Gathering, Unread};
use numbering::Numbering;
use row_cells::Cells;
use sort::Harvest;

/// How a bill file is to be understood.
#[derive(Clone, Debug)]
pub struct Options {
    /// How files are opened, and the user's own headers and formats.
    pub tables: TableSettings,
    /// Values that are let through although they look like none (`--allow-value`).
    pub allowed: Vec<String>,
    /// Makes invoice numbers for files that have none: `{policy_number}-{cycle}`.
    pub invoice_number_template: Option<String>,
    /// The billing cycle (`--cycle`), for the template.
    pub cycle: Option<String>,
    /// What empty cells mean.
    pub defaults: Defaults,
    /// How long the text may be that a counter shows.
    pub info_lengths: PerChannel<usize>,
    /// The prefix DOKU gave for codes of our own making.
    pub merchant_bin: Option<String>,
    /// How codes of our own making come about for rows that bring none; without it every such row must bring its own.
    pub code_template: Option<CodeTemplate>,
    /// What goes out beside the order.
    pub additional: AdditionalOptions,
    /// Whether rows say themselves what they want, or all ask for cancellation.
    pub purpose: Purpose,
    /// The instant expiries are compared with.
    pub now: Timestamp,
}

impl Options {
    /// Canonical columns, plain amounts, no defaults, default limits.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            tables: TableSettings::default(),
            allowed: Vec::new(),
            invoice_number_template: None,
            cycle: None,
            defaults: Defaults::default(),
            info_lengths: PerChannel::from_fn(|channel| channel.profile().info_length_max),
            merchant_bin: None,
            code_template: None,
            additional: AdditionalOptions::default(),
            purpose: Purpose::AsWritten,
            now,
        }
    }
}

/// What the rows of a file are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The `action` column says it row by row.
    AsWritten,
    /// Every row names a bill to cancel; only the invoice number matters (`tagih cancel FILE`).
    CancelAll,
}

/// What stands for an empty cell or an absent column.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The channel; without it, every row must name one.
    pub channel: Option<Channel>,
    /// The method; `doku` without it.
    pub method: Option<IssuanceMethod>,
    /// Minutes until a code expires, 1 to the channel's limit; without it, every row must give an expiry.
    pub expiry_minutes: Option<u32>,
    /// Whether codes may be paid more than once; no without it.
    pub reusable: Option<bool>,
    /// Shown to the cashier.
    pub info: Option<String>,
    /// Printed on Indomaret's receipt, where it is mandatory.
    pub receipt_description: Option<String>,
    /// Printed under the receipt.
    pub receipt_footer: Option<String>,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputPlace {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// Which of the files given it is, from 0: places are ordered by it, then by row.
    pub file_order: usize,
    /// The record's number; the header is 1.
    pub row: u64,
    /// The line the record starts on, from 1.
    pub line: u64,
}

impl InputPlace {
    /// What places are sorted by.
    #[must_use]
    pub const fn order(&self) -> (usize, u64) {
        (self.file_order, self.row)
    }
}

impl fmt::Display for InputPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.row)
    }
}

/// One reason to refuse a row; a row with several bad cells has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where.
    pub place: InputPlace,
    /// The header of the bad cell; tagih's name if the file has no such column; empty if the row as a whole is bad.
    pub column: String,
    /// The cell, masked where it is or may be personal, escaped and cut where it is long.
    pub value: String,
    /// The row's invoice number, if it has a valid one.
    pub invoice_number: Option<String>,
    /// The stable code.
    pub code: StableCode,
    /// What is wrong with this cell.
    pub reason: String,
}

impl fmt::Display for RefusedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, column, value, code, reason, .. } = self;
        write!(f, "{place}:{column}: `{value}`: {reason} [{code}]")
    }
}

/// Something a person should know about a file, though nothing was refused for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which file.
    pub file: Arc<Path>,
    /// What.
    pub text: String,
}

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
