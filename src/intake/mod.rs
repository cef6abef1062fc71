//! CSV files of policies or invoices → bills, and every row that is not one, with file, row, column and reason.
//!
//! Belongs here: reading, column mapping, cell rules. Must not be here: the ledger, DOKU's wire, decisions about sending.
//! Nothing is repaired: a value is understood as documented in `docs/formats-input.md` or its row is refused, and every bad
//! row is reported, not the first. Rows read = valid + refused + duplicates, always (I13).

mod additional;
mod advice;
mod bad;
mod carried;
mod cells;
mod code_template;
pub mod codes;
mod columns;
mod error;
mod file;
pub mod import;
mod numbering;
mod policy;
mod row;
mod sort;
mod template;
#[cfg(test)]
mod tests;
mod total;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

pub use additional::{AdditionalOptions, FreeTemplate, ReportTemplate};
pub use bad::{BadRows, REASON_COLUMN, bad_rows};
pub use carried::Carried;
pub use code_template::CodeTemplate;
pub use columns::Column;
pub use error::{Fault, IntakeError, RefusedFile};

use crate::domain::bill::Bill;
use crate::domain::channel::{Channel, InfoLengths, Method};
use crate::domain::code::Code;
pub use crate::table::{AmountFormat, DateFormat, Layout, Limits, Mapping, Settings};
use crate::table::{Counts, Row};
use file::{File, Reading};
use numbering::Numbering;
use row::{Cells, Rules};
use sort::Harvest;
use total::Totals;

/// How a bill file is to be understood.
#[derive(Clone, Debug)]
pub struct Options {
    /// How files are opened, and the user's own headers and formats.
    pub tables: Settings,
    /// Values that are let through although they look like none (`--allow-value`).
    pub allowed: Vec<String>,
    /// Makes invoice numbers for files that have none: `{policy_number}-{cycle}`.
    pub invoice_number_template: Option<String>,
    /// The billing cycle (`--cycle`), for the template.
    pub cycle: Option<String>,
    /// What empty cells mean.
    pub defaults: Defaults,
    /// How long the text may be that a counter shows.
    pub info_lengths: InfoLengths,
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
            tables: Settings::default(),
            allowed: Vec::new(),
            invoice_number_template: None,
            cycle: None,
            defaults: Defaults::default(),
            info_lengths: InfoLengths::default(),
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
    pub method: Option<Method>,
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
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// Which of the files given it is, from 0: places are ordered by it, then by row.
    pub file_order: usize,
    /// The record's number; the header is 1.
    pub row: u64,
    /// The line the record starts on, from 1.
    pub line: u64,
}

impl Place {
    /// What places are sorted by.
    #[must_use]
    pub const fn order(&self) -> (usize, u64) {
        (self.file_order, self.row)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.row)
    }
}

/// Something read from a row, and which row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub item: T,
}

/// One reason to refuse a row; a row with several bad cells has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where.
    pub place: Place,
    /// The header of the bad cell; tagih's name if the file has no such column; empty if the row as a whole is bad.
    pub column: String,
    /// The cell, masked where it is or may be personal, escaped and cut where it is long.
    pub value: String,
    /// The row's invoice number, if it has a valid one.
    pub invoice_number: Option<String>,
    /// The stable code.
    pub code: Code,
    /// What is wrong with this cell.
    pub reason: String,
}

impl fmt::Display for RefusedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, column, value, code, reason, .. } = self;
        write!(f, "{place}:{column}: `{value}`: {reason} [{code}]")
    }
}

/// A row that says again what an earlier one said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The row that is left out.
    pub place: Place,
    /// The row that stands for both.
    pub of: Place,
}

/// Something a person should know about a file, though nothing was refused for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which file.
    pub file: Arc<Path>,
    /// What.
    pub text: String,
}

/// What files hold. All lists are ordered by file, row and column.
#[derive(Clone, Debug)]
pub struct Input<T> {
    /// What can be used.
    pub valid: Vec<Sourced<T>>,
    /// Every reason to refuse a row.
    pub refused: Vec<RefusedRow>,
    /// How many rows those reasons refuse.
    pub refused_row_count: u64,
    /// Rows that say again what a valid or refused one says.
    pub duplicates: Vec<Duplicate>,
    /// How many rows were read, headers and blank rows not counted.
    pub rows: u64,
    /// Of them, those that are no rows of their table at all: another width, or no header claims them.
    pub malformed: u64,
    /// What a person should know besides.
    pub notes: Vec<Note>,
    /// The cells of the user's own columns that go through to the result files.
    pub carried: Carried,
}

/// The wanted state, as files give it.
pub type Intake = Input<Bill>;
/// A bill and its row.
pub type SourcedBill = Sourced<Bill>;

/// Reads files of bills as one input: an invoice number means one bill, whichever file it stands in.
///
/// # Errors
/// [`IntakeError`] when any file as a whole is refused; it lists every such file.
pub fn read(files: &[PathBuf], options: &Options) -> Result<Intake, IntakeError> {
    let reading = Reading {
        wanted: Column::OF_BILLS,
        tables: &options.tables,
        allowed: &options.allowed,
        all_mapped: options.purpose == Purpose::AsWritten,
        carries: true,
    };
    let mut intake = gathered(files, &reading, |file| {
        require_columns(file, options)?;
        let (numbering, format) = (Numbering::of(&file.columns, options)?, file.layout.amount_format);
        Ok(move |cells: Cells<'_>| row::bill(cells, options, format, &numbering))
    })?;
    let advice = advice::advice(&intake.valid, options.now);
    intake.notes.extend(advice);
    Ok(intake)
}

/// The columns without which no row of a file can be a bill.
fn require_columns(file: &File<'_>, options: &Options) -> Result<(), Fault> {
    let lacks = |column: Column| file.columns.index(column).is_none();
    let mut missing: Vec<String> = Vec::new();
    if lacks(Column::InvoiceNumber) && options.invoice_number_template.is_none() {
        missing.push("`invoice_number` (or `intake.invoice_number_template`)".into());
    }
    if options.purpose == Purpose::CancelAll || !lacks(Column::Action) {
        return if missing.is_empty() { Ok(()) } else { Err(file.columns.missing(&missing)) };
    }
    for column in [Column::Amount, Column::CustomerName] {
        if lacks(column) {
            let alias = column.alias().map_or_else(String::new, |alias| format!(" (or `{alias}`)"));
            missing.push(format!("`{}`{alias}", column.name()));
        }
    }
    if lacks(Column::Channel) && options.defaults.channel.is_none() {
        missing.push("`channel` (or `intake.defaults.channel`)".into());
    }
    if missing.is_empty() { Ok(()) } else { Err(file.columns.missing(&missing)) }
}

/// Reads every file, each with the row reader `prepare` makes for it, and sorts out what contradicts itself.
fn gathered<T, F, P>(files: &[PathBuf], reading: &Reading<'_>, prepare: P) -> Result<Input<T>, IntakeError>
where
    T: sort::Keyed + PartialEq + Send + Sync,
    F: Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync,
    P: Fn(&File<'_>) -> Result<F, Fault>,
{
    let mut harvest = Harvest::default();
    let mut refused = Vec::new();
    for (file_order, path) in files.iter().enumerate() {
        let read = File::open(path, reading).and_then(|mut file| {
            let read_row = prepare(&file).map_err(|fault| file.refused(fault))?;
            gather(&mut file, file_order, reading, &read_row, &mut harvest)
        });
        refused.extend(read.err());
    }
    if refused.is_empty() { Ok(harvest.sorted_out()) } else { Err(IntakeError(refused)) }
}

/// Reads one file's rows, a batch at a time: records in order, their cells in parallel.
fn gather<T: Send>(
    file: &mut File<'_>,
    file_order: usize,
    reading: &Reading<'_>,
    read_row: &(impl Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync),
    harvest: &mut Harvest<T>,
) -> Result<(), RefusedFile> {
    const BATCH_ROWS: usize = 4096;
    let (path, columns) = (Arc::clone(&file.path), file.columns.clone());
    let lacking = if reading.carries {
        harvest.carried.begin(file_order, file.table.header(), &columns, &file.layout.carry).map_err(|fault| file.refused(fault.into()))?
    } else {
        Vec::new()
    };
    harvest.note(&path, lacking);
    harvest.note(&path, columns.unused_notes(reading.wanted, &harvest.carried));
    let rules = Rules { field_bytes_max: reading.tables.limits.field_bytes_max, allowed: reading.allowed };
    let mut batch = vec![Row::default(); BATCH_ROWS];
    let (rows_before, mut totals) = (harvest.rows(), Totals::default());
    loop {
        let count = file.fill(&mut batch, &mut harvest.carried)?;
        let rows = batch.get(..count).unwrap_or_default();
        for row in rows {
            totals.take(row, file);
        }
        if let Some(last) = rows.last() {
            totals.look_at_last(last);
        }
        let read: Vec<(Place, Result<T, Vec<RefusedRow>>)> = rows
            .par_iter()
            .map(|row| {
                let place = Place { file: Arc::clone(&path), file_order, row: row.number, line: row.line };
                let cells = Cells::checked(row, &columns, &place, rules);
                (place.clone(), cells.and_then(read_row))
            })
            .collect();
        harvest.extend(read);
        harvest.malformed = harvest.malformed.saturating_add(sum(rows.iter().filter(|row| row.wrong.is_some()).count()));
        if count < BATCH_ROWS {
            break;
        }
    }
    harvest.refuse_total(&totals, &columns);
    harvest.note(&path, counted(&file.table.counts(), harvest.rows() == rows_before));
    Ok(())
}

fn sum(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What was read of a file besides its rows, in words.
fn counted(counts: &Counts, is_empty: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if is_empty {
        notes.push("has a header and no rows".into());
    }
    if counts.repeated > 0 {
        notes.push(format!("says its header again in {} lines, which are skipped", counts.repeated));
    }
    notes
}
