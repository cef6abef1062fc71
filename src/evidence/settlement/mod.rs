//! Settlement reports (CSV and XLSX) → rows, totals, and what cannot be read, each with its place and digest.
//!
//! Belongs here: what the bytes say. Must not be here: whose a row is, what it settles, whether its sums are right.

mod cells;
mod copies;
mod error;
mod table;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::source;
use crate::domain::digest;
use crate::domain::line::{InputFile, LogContents};
use crate::domain::settlement::Settlement;
use crate::table::{Content, Header, Records, Row, Shape, Sheet, TableFault, TableLimits, TableSettings};
use table::Table;

pub use error::{SettlementError, SettlementFault};

/// The largest file that is read, in bytes on disk: a settlement of millions of rows fits.
const BYTES_MAX: u64 = 1 << 30;

/// Reads `files` in their order: XLSX, CSV, or CSV in gzip or zstd, told by the content. A row that several of them list counts once.
///
/// # Errors
/// [`SettlementError`] for the first file that is no settlement report; rows that cannot be read are listed instead.
pub fn read(files: &[PathBuf], tables: &TableSettings) -> Result<Settlement, SettlementError> {
    let mut settlement = Settlement::default();
    for path in files {
        read_file(path, tables, &mut settlement).map_err(|fault| SettlementError { path: path.clone(), fault })?;
    }
    if files.len() > 1 {
        copies::leave_out(&mut settlement);
    }
    Ok(settlement)
}

fn read_file(path: &Path, tables: &TableSettings, settlement: &mut Settlement) -> Result<(), SettlementFault> {
    let unreadable = |error: std::io::Error| SettlementFault::Unreadable(error.to_string());
    let (content, digest, bytes) = source::read_whole(path, BYTES_MAX).map_err(unreadable)?;
    let file = u32::try_from(settlement.files.len()).unwrap_or(u32::MAX);
    let before = settlement.raw.rows;
    let mut table = Table::new(settlement, file, tables);
    let is_known = |name: &str| table::is_known(name, &tables.layouts);
    let is_enough = |names: &[String]| table::is_header(names, &tables.layouts);
    let limits = TableLimits { rows_max: u64::MAX, file_bytes_max: BYTES_MAX.saturating_mul(4), ..TableLimits::default() };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: false };
    match Content::of(Cursor::new(content), &shape).map_err(refused)? {
        Content::Text(records) => read_text(records, &mut table)?,
        Content::Workbook(sheets) => read_workbook(sheets, tables, &mut table)?,
    }
    table.finish()?;
    let lines = settlement.raw.rows.saturating_sub(before);
    settlement.files.push(InputFile {
        path: path.to_owned(),
        digest,
        bytes,
        lines,
        contents: LogContents::default(),
        remark: String::new(),
    });
    Ok(())
}

fn refused(fault: TableFault) -> SettlementFault {
    match fault {
        TableFault::Unreadable(reason) => SettlementFault::Unreadable(reason),
        TableFault::Empty => table::NO_TABLE,
        TableFault::OtherKind(kind) => SettlementFault::NoReport(kind),
        other => SettlementFault::Table(other),
    }
}

fn read_text(mut records: Records, table: &mut Table<'_>) -> Result<(), SettlementFault> {
    let mut row = Row::default();
    while records.read(&mut row).map_err(refused)? {
        // In a workbook and here alike, a row is where it stands: its line.
        row.number = row.line;
        table.take(&mut row, digest::of_bytes)?;
        if let Some(width) = table.width() {
            records.set_width(width, false);
        }
    }
    Ok(())
}

/// The one sheet that holds the table.
fn read_workbook(sheets: Vec<Sheet>, tables: &TableSettings, table: &mut Table<'_>) -> Result<(), SettlementFault> {
    let is_header = |row: &Row| table::is_header(&crate::table::names(row), &tables.layouts);
    let is_meant = |sheet: &Sheet| tables.sheet.as_deref().is_none_or(|name| sheet.name == name);
    let mut reports = sheets.into_iter().filter(|sheet| is_meant(sheet) && sheet.rows.iter().any(is_header));
    let report = reports.next().ok_or(table::NO_TABLE)?;
    if reports.next().is_some() {
        return Err(SettlementFault::NoReport("more than one sheet holds such a table; name one with `--sheet`"));
    }
    for mut row in report.rows {
        let digest = {
            let parts: Vec<&[u8]> = row.iter().collect();
            digest::of_parts(&parts)
        };
        table.take(&mut row, |_| digest)?;
    }
    Ok(())
}
