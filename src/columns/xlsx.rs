//! A workbook of one table. Its rows wait in a file, not in memory; a sheet holds as many as it can, then the next begins.

use std::io::{self, Write};

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, XlsxError};

use super::column::{Cells, Column, ColumnKind, plain_names};
use super::disk::written;
use super::value::Value;

/// Rows of a sheet, by the format.
const SHEET_ROWS_MAX: u32 = 1_048_576;

/// A workbook on its way.
pub struct Workbook {
    sheets: rust_xlsxwriter::Workbook,
    head: Format,
    grouped: Format,
    titles: Vec<String>,
    /// How wide each column is, in characters; further ones are as wide as the last.
    widths: &'static [u16],
    /// Rows of the last sheet, its head included; 0 without a sheet.
    rows: u32,
    /// The column of the next cell.
    next: u16,
    /// A text that had to be made.
    made: String,
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Workbook {
    /// A workbook with `columns`; `made_at` is its own date.
    ///
    /// # Errors
    /// That there is no such date in a workbook.
    pub fn begin<Row>(columns: &[Column<'_, Row>], widths: &'static [u16], made_at: Timestamp) -> io::Result<Self> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let created_at = written(|| ExcelDateTime::from_timestamp(made_at.as_second()))?;
        workbook.set_properties(&DocProperties::new().set_author("tagih").set_creation_datetime(&created_at));
        Ok(Self {
            sheets: workbook,
            head: Format::new().set_bold(),
            grouped: Format::new().set_num_format("#,##0"),
            titles: plain_names(columns).map(str::to_owned).collect(),
            widths,
            rows: 0,
            next: 0,
            made: String::new(),
        })
    }

    /// Begins the first sheet, or the next when one is full.
    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        if self.rows > 0 && self.rows < SHEET_ROWS_MAX {
            return Ok(());
        }
        let sheet = self.sheets.add_worksheet_with_constant_memory()?;
        let last = self.widths.last().copied().unwrap_or_default();
        for ((at, title), width) in (0_u16..).zip(&self.titles).zip(self.widths.iter().copied().chain(std::iter::repeat(last))) {
            sheet.set_column_width(at, width)?;
            sheet.write_string_with_format(0, at, title, &self.head)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        self.rows = 1;
        Ok(())
    }

    fn write(&mut self, value: &Value<'_>) -> io::Result<()> {
        written(|| self.begin_sheet())?;
        let last = self.sheets.worksheets().len().saturating_sub(1);
        let sheets = &mut self.sheets;
        let sheet = written(move || sheets.worksheet_from_index(last))?;
        let text = value.text(&mut self.made).map_err(io::Error::other)?;
        let (row, column) = (self.rows, self.next);
        if matches!(value, Value::Number(_)) {
            // A cell knows no other number; rupiah are exact in it up to 2^53.
            let number: f64 = text.parse().map_err(io::Error::other)?;
            written(|| sheet.write_number_with_format(row, column, number, &self.grouped).map(drop))
        } else {
            written(|| sheet.write_string(row, column, text).map(drop))
        }
    }

    /// Writes the whole of it.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self, out: &mut (impl Write + Send)) -> io::Result<()> {
        written(|| {
            self.begin_sheet()?;
            self.sheets.save_to_writer(out)
        })
    }
}

impl Cells for Workbook {
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()> {
        if kind != ColumnKind::Json {
            self.write(value)?;
            self.next = self.next.saturating_add(1);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        (self.next, self.rows) = (0, self.rows.saturating_add(1));
        Ok(())
    }
}
