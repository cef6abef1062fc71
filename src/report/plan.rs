//! plan.csv and plan.xlsx: what a run would do, row by row, to be read before it is done; and plan.csv read again.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::atomic::{self, WriteError};
use super::input_columns::named_apart;
use super::people::PeopleCsv;
use crate::domain::plan::Line;
use crate::domain::spreadsheet::unescaped;

pub(super) const COLUMNS: [&str; 12] =
    ["file", "row", "invoice_number", "step", "from", "to", "rupiah", "reason", "warning", "input_mark", "settings_mark", "bill_mark"];
/// Where a number stands.
const RUPIAH_AT: usize = 6;
/// Characters that a column of the user's own is wide.
const CARRIED_WIDTH: u16 = 18;
/// Rows of a sheet, by the format.
const SHEET_ROWS_MAX: usize = 1_048_576;

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

/// Writes both files into `directory`, with columns under `carried` headers behind ours; `made_at` is the workbook's own date.
pub fn write(rows: &[PlanRow], carried: &[String], made_at: Timestamp, directory: &Path) -> Result<(), WriteError> {
    let theirs = named_apart(carried);
    let titles: Vec<&str> = COLUMNS.into_iter().chain(theirs.iter().map(String::as_str)).collect();
    atomic::write(&directory.join("plan.csv"), |file| {
        let mut csv = PeopleCsv::begin(file, &titles)?;
        rows.iter().try_for_each(|row| csv.row(&[&row.cells()[..], &row.carried].concat()))
    })?;
    atomic::write(&directory.join("plan.xlsx"), |file| {
        workbook(rows, &titles, made_at)
            .and_then(|mut workbook| workbook.save_to_writer(file))
            .map_err(|error| io::Error::other(error.to_string()))
    })
}

fn workbook(rows: &[PlanRow], titles: &[&str], made_at: Timestamp) -> Result<Workbook, XlsxError> {
    const WIDTHS: [u16; COLUMNS.len()] = [18, 8, 24, 12, 34, 34, 16, 44, 30, 20, 20, 20];
    let (head, money) = (Format::new().set_bold(), Format::new().set_num_format("#,##0"));
    let mut workbook = Workbook::new();
    let created_at = ExcelDateTime::from_timestamp(made_at.as_second())?;
    workbook.set_properties(&DocProperties::new().set_author("tagih").set_creation_datetime(&created_at));
    for chunk in rows.chunks(SHEET_ROWS_MAX.saturating_sub(1)) {
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        let widths = WIDTHS.into_iter().chain(std::iter::repeat(CARRIED_WIDTH));
        for ((at, title), width) in (0_u16..).zip(titles).zip(widths) {
            sheet.set_column_width(at, width)?;
            sheet.write_string_with_format(0, at, *title, &head)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        for (row, planned) in (1_u32..).zip(chunk) {
            for ((at, place), text) in (0_u16..).zip(0_usize..).zip(planned.cells().iter().chain(&planned.carried)) {
                // A cell knows no other number; rupiah are exact in it up to 2^53.
                match text.parse::<f64>() {
                    Ok(rupiah) if place == RUPIAH_AT => sheet.write_number_with_format(row, at, rupiah, &money)?,
                    Ok(_) | Err(_) => sheet.write_string(row, at, text)?,
                };
            }
        }
    }
    Ok(workbook)
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
    let header = reader.headers().map_err(|error| format!("the plan `{name}` cannot be read: {error}"))?;
    if !header.iter().take(COLUMNS.len()).eq(COLUMNS) {
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

/// Whether what would be done now is exactly what was approved.
///
/// # Errors
/// What has moved, in words.
pub fn hold_against(now: &[PlanRow], approved: &[Approved]) -> Result<(), String> {
    let again = "make a new plan with `--dry-run --out DIR`; nothing was sent";
    if now.len() != approved.len() {
        return Err(format!(
            "the plan has {} rows, the input has {}\nhint: a plan is carried out whole; {again}",
            approved.len(),
            now.len()
        ));
    }
    for (row, approved) in now.iter().zip(approved) {
        let (found, place) = (row.approved(), format!("{}:{}", row.file, row.row));
        let moved = if found.file != approved.file || found.row != approved.row || found.input_mark != approved.input_mark {
            format!("`{}` is not the file that the plan was made from", row.file)
        } else if found.settings_mark != approved.settings_mark {
            "the configuration or the flags are not those of the plan".to_owned()
        } else if found.bill_mark != approved.bill_mark || found.step != approved.step {
            let (was, is) = (&approved.step, &found.step);
            format!("invoice `{}` ({place}) has moved since the plan was made: it was to be `{was}`, now `{is}`", row.invoice_number)
        } else {
            continue;
        };
        return Err(format!("{moved}\nhint: {again}"));
    }
    Ok(())
}
