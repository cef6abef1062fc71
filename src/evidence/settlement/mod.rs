//! Settlement reports (CSV and XLSX) → rows, totals, and what cannot be read, each with its place and digest.
//!
//! Belongs here: what the bytes say. Must not be here: whose a row is, what it settles, whether its sums are right.

mod cells;
mod error;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use super::source;
use crate::domain::line::{InputFile, LogContents};
use crate::domain::settlement::Settlement;
use table::Table;

pub use error::{SettlementError, SettlementFault};

/// The largest file that is read, in bytes after decompression: a settlement of millions of rows fits.
const BYTES_MAX: u64 = 1 << 30;

/// Reads `files` in their order: XLSX by the ending, else CSV (`.gz` and `.zst` decompressed).
///
/// # Errors
/// [`SettlementError`] for the first file that is no settlement report; rows that cannot be read are listed instead.
pub fn read(files: &[PathBuf]) -> Result<Settlement, SettlementError> {
    let mut settlement = Settlement::default();
    for path in files {
        read_file(path, &mut settlement).map_err(|fault| SettlementError { path: path.clone(), fault })?;
    }
    Ok(settlement)
}

fn read_file(path: &Path, settlement: &mut Settlement) -> Result<(), SettlementFault> {
    let unreadable = |error: std::io::Error| SettlementFault::Unreadable(error.to_string());
    let (content, digest, bytes) = source::read_whole(path, BYTES_MAX).map_err(unreadable)?;
    let file = u32::try_from(settlement.files.len()).unwrap_or(u32::MAX);
    let before = settlement.raw.rows;
    let mut table = Table::new(settlement, file);
    let is_workbook = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
    if is_workbook {
        sheet::read(content, &mut table)?;
    } else {
        text::read(&content, &mut table)?;
    }
    table.finish()?;
    let lines = settlement.raw.rows.saturating_sub(before);
    settlement.files.push(InputFile { path: path.to_owned(), digest, bytes, lines, contents: LogContents::default() });
    Ok(())
}
