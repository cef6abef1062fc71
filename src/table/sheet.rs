//! Workbooks in XLSX → the rows of their sheets.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};

use super::fault::TableFault;
use super::row::{Row, StoredAs};
use super::unpacked;

/// A cell far to the right would only cost memory.
const COLUMNS_MAX: u32 = 512;
/// Rows of a sheet: as many as spreadsheets have.
const ROWS_MAX: u32 = 1 << 20;
/// Bytes of the texts of all cells.
const TEXT_BYTES_MAX: usize = 1 << 30;

/// A sheet and its rows that have cells.
#[derive(Debug)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// All sheets of a workbook that have cells.
///
/// # Errors
/// When it cannot be read.
pub fn sheets(content: Vec<u8>) -> Result<Vec<Sheet>, TableFault> {
    // What a workbook from elsewhere can do to its parser is not ours to vouch for; it must refuse the file, not end the run.
    let read = catch_unwind(AssertUnwindSafe(|| all(content)));
    read.map_err(|_| TableFault::Unreadable("the inside of the workbook is damaged".to_owned()))?
}

/// The rows of the sheet `wanted`, or of the first that has cells.
pub(super) fn rows(content: Vec<u8>, wanted: Option<&str>) -> Result<Vec<Row>, TableFault> {
    let sheets = sheets(content)?;
    let names = sheets.iter().map(|sheet| format!("`{}`", sheet.name)).collect::<Vec<_>>().join(", ");
    let is_it = |sheet: &Sheet| wanted.is_none_or(|wanted| sheet.name.trim() == wanted.trim());
    let found = sheets.into_iter().find(is_it);
    let missing = || wanted.map_or_else(|| "with cells".to_owned(), |wanted| format!("`{wanted}`; it has {names}"));
    found.map(|sheet| sheet.rows).ok_or_else(|| TableFault::Sheet(missing()))
}

fn all(content: Vec<u8>) -> Result<Vec<Sheet>, TableFault> {
    let unreadable = |error: XlsxError| TableFault::Unreadable(error.to_string());
    unpacked::check(&content)?;
    let mut workbook = Xlsx::new(Cursor::new(content)).map_err(unreadable)?;
    let (mut sheets, mut text_bytes) = (Vec::new(), 0_usize);
    for name in workbook.sheet_names() {
        // Charts are sheets too, and have no cells.
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else { continue };
        let mut rows: Vec<Row> = Vec::new();
        while let Some(found) = cells.next_cell().map_err(unreadable)? {
            let (number, column) = found.get_position();
            if column >= COLUMNS_MAX {
                return Err(TableFault::Unreadable(format!("the sheet `{name}` has cells beyond its {COLUMNS_MAX}th column")));
            }
            if number >= ROWS_MAX {
                return Err(TableFault::Unreadable(format!(
                    "the sheet `{name}` has cells below its {ROWS_MAX}th row, the last one of a spreadsheet"
                )));
            }
            let (text, kind) = cell(found.get_value());
            text_bytes = text_bytes.saturating_add(text.len());
            if text_bytes > TEXT_BYTES_MAX {
                return Err(TableFault::Unreadable(format!("its cells have more than {} MiB of text", TEXT_BYTES_MAX >> 20)));
            }
            if !text.is_empty() {
                place(&mut rows, u64::from(number).saturating_add(1), column, &text, kind);
            }
        }
        if !rows.is_empty() {
            sheets.push(Sheet { name, rows });
        }
    }
    Ok(sheets)
}

/// Puts a cell at its place; cells come row by row.
fn place(rows: &mut Vec<Row>, number: u64, column: u32, text: &str, kind: StoredAs) {
    if rows.last().is_none_or(|row| row.number != number) {
        rows.push(Row::from_cells::<&[u8]>([], number));
    }
    if let Some(row) = rows.last_mut() {
        while row.len() < usize::try_from(column).unwrap_or_default() {
            row.push_kind(b"", StoredAs::Text);
        }
        row.push_kind(text.as_bytes(), kind);
    }
}

fn cell(value: &DataRef<'_>) -> (String, StoredAs) {
    let text = |text: &str| (text.trim().to_owned(), StoredAs::Text);
    match value {
        DataRef::Int(number) => (number.to_string(), StoredAs::Number),
        // Written out, a float is its exact digits, and a fraction shows.
        DataRef::Float(number) => (number.to_string(), StoredAs::Number),
        DataRef::String(string) | DataRef::DurationIso(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(yes) => text(if *yes { "true" } else { "false" }),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            let has_time = (hour, minute, second) != (0, 0, 0);
            (if has_time { format!("{date} {hour:02}:{minute:02}:{second:02}") } else { date }, StoredAs::Date)
        }
        DataRef::DateTimeIso(string) => (string.trim_end_matches("T00:00:00").replace('T', " "), StoredAs::Date),
        DataRef::Error(error) => text(&error.to_string()),
        DataRef::Empty => text(""),
    }
}
