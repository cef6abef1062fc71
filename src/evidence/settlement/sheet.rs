//! Settlement reports as XLSX: the one sheet that holds the table, cell by cell.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx};
use jiff::civil::Date;

use super::cells::{Cell, RawRow};
use super::error::SettlementFault;
use super::table::{self, Table};
use crate::domain::digest;

/// A report has 16 columns and a few of the merchant's own; a cell far to the right would only cost memory.
const COLUMNS_MAX: u32 = 512;

/// Hands every row of the report's sheet to `table`.
pub(super) fn read(content: Vec<u8>, table: &mut Table<'_>) -> Result<(), SettlementFault> {
    // What a workbook from elsewhere can do to its parser is not ours to vouch for; it must refuse the file, not end the run.
    let sheets = catch_unwind(AssertUnwindSafe(|| sheets(content)));
    let sheets = sheets.map_err(|_| SettlementFault::Unreadable("its inside is damaged".to_owned()))??;
    let mut reports = sheets.into_iter().filter(|rows| rows.iter().any(table::is_header));
    let report = reports.next().ok_or(table::NO_TABLE)?;
    if reports.next().is_some() {
        return Err(SettlementFault::NoReport("more than one sheet holds such a table; give each a file of its own"));
    }
    report.iter().try_for_each(|row| table.take(row))
}

fn sheets(content: Vec<u8>) -> Result<Vec<Vec<RawRow>>, SettlementFault> {
    let unreadable = |error: calamine::XlsxError| SettlementFault::Unreadable(error.to_string());
    let mut workbook = Xlsx::new(Cursor::new(content)).map_err(unreadable)?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        // Charts are sheets too, and have no cells.
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else { continue };
        let mut rows: Vec<RawRow> = Vec::new();
        while let Some(found) = cells.next_cell().map_err(unreadable)? {
            let (row, column) = found.get_position();
            if column >= COLUMNS_MAX {
                return Err(SettlementFault::NoReport("it has cells beyond its 512th column"));
            }
            push(&mut rows, u64::from(row).saturating_add(1), column, cell(found.get_value()));
        }
        for row in &mut rows {
            let parts: Vec<&[u8]> = row.cells.iter().map(|cell| cell.text().as_bytes()).collect();
            row.digest = digest::of_parts(&parts);
        }
        sheets.push(rows);
    }
    Ok(sheets)
}

/// Puts a cell at its place; cells come row by row.
fn push(rows: &mut Vec<RawRow>, number: u64, column: u32, cell: Cell) {
    if cell.text().is_empty() {
        return;
    }
    if rows.last().is_none_or(|row| row.number != number) {
        rows.push(RawRow { number, byte: 0, digest: [0; 32], cells: Vec::new() });
    }
    if let Some(row) = rows.last_mut() {
        let place = usize::try_from(column).unwrap_or(0);
        if row.cells.len() <= place {
            row.cells.resize(place.saturating_add(1), Cell::Text(String::new()));
        }
        if let Some(slot) = row.cells.get_mut(place) {
            *slot = cell;
        }
    }
}

fn cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(number) => Cell::Number(number.to_string()),
        // Written out, a float is its exact digits, and a fraction shows.
        DataRef::Float(number) => Cell::Number(number.to_string()),
        DataRef::String(text) => Cell::Text(text.trim().to_owned()),
        DataRef::SharedString(text) => Cell::Text(text.trim().to_owned()),
        DataRef::Bool(yes) => Cell::Text(yes.to_string()),
        DataRef::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            Cell::Text(format!("{day:02}-{month:02}-{year:04}"))
        }
        DataRef::DateTimeIso(text) => {
            let date = text.get(..10).and_then(|day| day.parse::<Date>().ok());
            Cell::Text(date.map_or_else(|| text.clone(), |date| date.strftime("%d-%m-%Y").to_string()))
        }
        DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::Error(error) => Cell::Text(error.to_string()),
        DataRef::Empty => Cell::Text(String::new()),
    }
}
