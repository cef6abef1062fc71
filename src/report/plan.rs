//! plan.csv and plan.xlsx: what a run would do, row by row, to be read before it is done; and plan.csv read again.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::atomic::{self, Draft, WriteError};
use super::input_columns::named_apart;
use super::people;
use crate::domain::plan::Line;
use crate::domain::spreadsheet::unescaped;

pub(super) const COLUMNS: [&str; 12] =
    ["file", "row", "invoice_number", "step", "from", "to", "rupiah", "reason", "warning", "input_mark", "settings_mark", "bill_mark"];
/// Where a number stands.
const RUPIAH_AT: usize = 6;
/// Characters that a column of the user's own is wide.
const CARRIED_WIDTH: u16 = 18;
/// Rows of a sheet, by the format.
const SHEET_ROWS_MAX: u32 = 1_048_576;

/// One row of the input and what is planned for it.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// The file, as it was named.
    pub file: String,
    /// Its row, the header being 1.
    pub row: u64,
    /// The bill.
    pub invoice_number: String,
    /// What is planned.
    pub line: Line,
    /// The digest of the file.
    pub input_mark: String,
    /// The digest of configuration and flags.
    pub settings_mark: String,
    /// What is carried through of it, in the order of the headers.
    pub carried: Vec<String>,
}

impl PlanRow {
    fn cells(&self) -> [String; 12] {
        let line = &self.line;
        let warning = if line.far_above { "far above what this bill ever asked for" } else { "" };
        [
            self.file.clone(),
            self.row.to_string(),
            self.invoice_number.clone(),
            line.step.to_owned(),
            line.from.clone(),
            line.to.clone(),
            line.rupiah.to_string(),
            line.reason.clone(),
            warning.to_owned(),
            self.input_mark.clone(),
            self.settings_mark.clone(),
            line.mark.clone(),
        ]
    }

    fn approved(&self) -> Approved {
        let [file, row, _, step, .., input_mark, settings_mark, bill_mark] = self.cells();
        Approved { file, row, step, input_mark, settings_mark, bill_mark }
    }
}

/// Both files on their way, row by row.
#[derive(Debug)]
pub struct PlanFiles {
    csv: Draft,
    titles: Vec<String>,
    workbook: Sheets,
    path: PathBuf,
}

impl PlanFiles {
    /// Begins them in `directory`, with columns under `carried` headers behind ours; `made_at` is the workbook's own date.
    ///
    /// # Errors
    /// That they cannot be written.
    pub fn begin(carried: &[String], made_at: Timestamp, directory: &Path) -> Result<Self, WriteError> {
        let titles: Vec<String> = COLUMNS.into_iter().map(str::to_owned).chain(named_apart(carried)).collect();
        let mut csv = Draft::begin(&directory.join("plan.csv"))?;
        csv.put(|file| people::row(file, &titles))?;
        let path = directory.join("plan.xlsx");
        let workbook = Sheets::begin(made_at).map_err(|error| unwritten(&path, &error))?;
        Ok(Self { csv, titles, workbook, path })
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn row(&mut self, row: &PlanRow) -> Result<(), WriteError> {
        let cells = [&row.cells()[..], &row.carried].concat();
        self.csv.put(|file| people::row(file, &cells))?;
        self.workbook.row(&self.titles, &cells).map_err(|error| unwritten(&self.path, &error))
    }

    /// Puts both in their places.
    ///
    /// # Errors
    /// That they cannot be written.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.workbook.begin_sheet(&self.titles).map_err(|error| unwritten(&self.path, &error))?;
        self.csv.finish()?;
        let mut workbook = self.workbook.workbook;
        atomic::write(&self.path, |file| workbook.save_to_writer(file).map_err(|error| io::Error::other(error.to_string())))
    }
}

fn unwritten(path: &Path, error: &XlsxError) -> WriteError {
    WriteError { path: path.display().to_string(), reason: error.to_string() }
}

/// A workbook on its way; a sheet holds so many rows, then the next begins. Its rows wait in a file, not in memory.
struct Sheets {
    workbook: Workbook,
    head: Format,
    money: Format,
    /// Rows of the last sheet, its head included; 0 without a sheet.
    rows: u32,
}

impl std::fmt::Debug for Sheets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheets").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Sheets {
    fn begin(made_at: Timestamp) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let created_at = ExcelDateTime::from_timestamp(made_at.as_second())?;
        workbook.set_properties(&DocProperties::new().set_author("tagih").set_creation_datetime(&created_at));
        Ok(Self { workbook, head: Format::new().set_bold(), money: Format::new().set_num_format("#,##0"), rows: 0 })
    }

    /// Begins the first sheet, or the next when one is full.
    fn begin_sheet(&mut self, titles: &[String]) -> Result<(), XlsxError> {
        const WIDTHS: [u16; COLUMNS.len()] = [18, 8, 24, 12, 34, 34, 16, 44, 30, 20, 20, 20];
        if self.rows > 0 && self.rows < SHEET_ROWS_MAX {
            return Ok(());
        }
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        let widths = WIDTHS.into_iter().chain(std::iter::repeat(CARRIED_WIDTH));
        for ((at, title), width) in (0_u16..).zip(titles).zip(widths) {
            sheet.set_column_width(at, width)?;
            sheet.write_string_with_format(0, at, title, &self.head)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        self.rows = 1;
        Ok(())
    }

    fn row(&mut self, titles: &[String], cells: &[String]) -> Result<(), XlsxError> {
        self.begin_sheet(titles)?;
        let last = self.workbook.worksheets().len().saturating_sub(1);
        let sheet = self.workbook.worksheet_from_index(last)?;
        for ((at, place), text) in (0_u16..).zip(0_usize..).zip(cells) {
            // A cell knows no other number; rupiah are exact in it up to 2^53.
            match text.parse::<f64>() {
                Ok(rupiah) if place == RUPIAH_AT => sheet.write_number_with_format(self.rows, at, rupiah, &self.money)?,
                Ok(_) | Err(_) => sheet.write_string(self.rows, at, text)?,
            };
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }
}

/// What a plan that was read says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    file: String,
    row: String,
    step: String,
    input_mark: String,
    settings_mark: String,
    bill_mark: String,
}

/// Reads a plan.csv.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(path: &Path) -> Result<Vec<Approved>, String> {
    let name = path.display();
    let mut reader = csv::Reader::from_path(path).map_err(|error| format!("the plan `{name}` cannot be read: {error}"))?;
    // Whatever is no text, as the plan.xlsx beside it is none, has no header either.
    let is_plan = match reader.headers() {
        Ok(header) => header.iter().take(COLUMNS.len()).eq(COLUMNS),
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
        rows.push(Approved { file: cell(0), row: cell(1), step: cell(3), input_mark, settings_mark, bill_mark });
    }
    Ok(rows)
}

/// The files a plan is about, in their order.
#[must_use]
pub fn files(approved: &[Approved]) -> Vec<PathBuf> {
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
    approved: std::slice::Iter<'a, Approved>,
}

const AGAIN: &str = "make a new plan with `--dry-run --out DIR`; nothing was sent";

impl<'a> HoldAgainst<'a> {
    /// Begins with a plan for an input of so many rows.
    ///
    /// # Errors
    /// That the plan has another number of rows, in words.
    pub fn begin(approved: &'a [Approved], rows: u64) -> Result<Self, String> {
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
