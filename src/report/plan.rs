//! plan.csv and plan.xlsx: what a run would do, row by row, to be read before it is done; and plan.csv read again.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::atomic::{self, Draft, WriteError};
use super::input_columns::named_apart;
pub use super::plan_columns::{ApprovedRow, PlanRow};
use super::plan_columns::{COLUMNS, COUNT, WIDTHS, names};
use crate::columns::{self, Cells as _, Column, ColumnKind, Csv, Workbook};
use crate::domain::spreadsheet::unescaped;
use crate::private;

/// Both files on their way, row by row.
#[derive(Debug)]
pub struct PlanFiles {
    csv: Draft,
    columns: Vec<Column<'static, PlanRow>>,
    workbook: Workbook,
    path: PathBuf,
}

impl PlanFiles {
    /// Begins them in `directory`, with columns under `carried` headers behind ours; `made_at` is the workbook's own date.
    ///
    /// # Errors
    /// That they cannot be written.
    pub fn begin(carried: &[String], made_at: Timestamp, directory: &Path) -> Result<Self, WriteError> {
        let theirs = (0..).zip(named_apart(carried)).map(|(at, name)| {
            Column::numbered(name, ColumnKind::Foreign, |row: &PlanRow, at| row.carried.get(at).map(String::as_str).into(), at)
        });
        let columns: Vec<_> = COLUMNS.into_iter().chain(theirs).collect();
        let mut csv = Draft::begin(&directory.join("plan.csv"))?;
        csv.put(|file| Csv::new(file).quoting_more().texts(columns::names(&columns)))?;
        let path = directory.join("plan.xlsx");
        let workbook = Workbook::begin(&columns, &WIDTHS, made_at).map_err(|error| unwritten(&path, &error))?;
        Ok(Self { csv, columns, workbook, path })
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn row(&mut self, row: &PlanRow) -> Result<(), WriteError> {
        let Self { csv, columns, workbook, path } = self;
        csv.put(|file| Csv::new(file).quoting_more().row(columns, row))?;
        workbook.row(columns, row).map_err(|error| unwritten(path, &error))
    }

    /// Puts both in their places.
    ///
    /// # Errors
    /// That they cannot be written.
    pub fn finish(self) -> Result<(), WriteError> {
        self.csv.finish()?;
        atomic::write(&self.path, |file| self.workbook.finish(file))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> WriteError {
    WriteError { path: path.display().to_string(), reason: error.to_string() }
}

/// Reads a plan.csv.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(path: &Path) -> Result<Vec<ApprovedRow>, String> {
    let name = path.display();
    let opened = private::input(path).map_err(|error| format!("the plan `{name}` cannot be read: {error}"))?;
    let mut reader = csv::Reader::from_reader(opened);
    // Whatever is no text, as the plan.xlsx beside it is none, has no header either.
    let is_plan = match reader.headers() {
        Ok(header) => header.iter().take(COUNT).eq(names()),
        Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => false,
        Err(error) => return Err(format!("the plan `{name}` cannot be read: {error}")),
    };
    if !is_plan {
        return Err(format!("`{name}` is not a plan\nhint: give the plan.csv that `tagih issue FILE --dry-run --out DIR` wrote"));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("the plan `{name}` is damaged: {error}"))?;
        let cell = |at: usize| unescaped(record.get(at).unwrap_or_default()).into_owned();
        let [input_mark, settings_mark, bill_mark] = [9, 10, 11].map(cell);
        rows.push(ApprovedRow { file: cell(0), row: cell(1), step: cell(3), input_mark, settings_mark, bill_mark });
    }
    Ok(rows)
}

/// The files a plan is about, in their order.
#[must_use]
pub fn files(approved: &[ApprovedRow]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for row in approved {
        let file = PathBuf::from(&row.file);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// Whether what would be done now is exactly what was approved, row by row.
#[derive(Debug)]
pub struct HoldAgainst<'a> {
    approved: std::slice::Iter<'a, ApprovedRow>,
}

const AGAIN: &str = "make a new plan with `--dry-run --out DIR`; nothing was sent";

impl<'a> HoldAgainst<'a> {
    /// Begins with a plan for an input of so many rows.
    ///
    /// # Errors
    /// That the plan has another number of rows, in words.
    pub fn begin(approved: &'a [ApprovedRow], rows: u64) -> Result<Self, String> {
        let planned = u64::try_from(approved.len()).unwrap_or(u64::MAX);
        if planned != rows {
            return Err(format!("the plan has {planned} rows, the input has {rows}\nhint: a plan is carried out whole; {AGAIN}"));
        }
        Ok(Self { approved: approved.iter() })
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// What has moved, in words.
    pub fn row(&mut self, row: &PlanRow) -> Result<(), String> {
        let Some(approved) = self.approved.next() else { return Err(format!("the plan has fewer rows than the input\nhint: {AGAIN}")) };
        let (found, place) = (row.approved(), format!("{}:{}", row.file, row.row));
        let moved = if found.file != approved.file || found.row != approved.row || found.input_mark != approved.input_mark {
            format!("`{}` is not the file that the plan was made from", row.file)
        } else if found.settings_mark != approved.settings_mark {
            "the configuration or the flags are not those of the plan".to_owned()
        } else if found.bill_mark != approved.bill_mark || found.step != approved.step {
            let (was, is) = (&approved.step, &found.step);
            format!("invoice `{}` ({place}) has moved since the plan was made: it was to be `{was}`, now `{is}`", row.invoice_number)
        } else {
            return Ok(());
        };
        Err(format!("{moved}\nhint: {AGAIN}"))
    }
}
