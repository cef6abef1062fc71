//! Files of rows and columns, whoever wrote them: one strict reader for CSV (plain, gzip, zstd) and XLSX.
//!
//! Belongs here: encodings, delimiters, quotes, lines, sheets, and where the header is. Must not be here: what a column means.
//! Nothing of a file is lost without a word: lines spanned by rows, blank lines, the header, the header said again and
//! malformed lines are together the physical lines of the file.

pub mod codes;
mod fault;
mod header;
mod layout;
mod mostly;
mod records;
mod row;
mod shape;
mod sheet;
mod sniff;
mod source;
mod split;
#[cfg(test)]
mod tests;
mod unpacked;

use std::io::Read;
use std::path::Path;

pub use crate::domain::formats::{AmountFormat, DateFormat};
pub use crate::domain::reason::Wrong;
pub use fault::{Spot, TableFault};
pub use header::{Header, found_words, names, nearest, normalized, shown_headers, unique_place};
pub use layout::{Mapping, TableLayout, TableSettings, chosen};
pub use mostly::{Mostly, mostly};
pub use records::{RecordCounts, Records};
pub use row::{Row, StoredAs};
pub use shape::{Shape, TableLimits};
pub use sheet::{Sheet, sheets};
pub use sniff::{Sniffed, sniffed};
pub use source::STANDARD_INPUT;
pub use split::{CELL_LINES_MAX, Dialect, Piece, PieceKind, physical_lines, split};

/// What a file holds, for a reader that finds the header by itself.
#[derive(Debug)]
pub enum Content {
    /// CSV.
    Text(Records),
    /// The sheets of a workbook.
    Workbook(Vec<Sheet>),
}

impl Content {
    /// Looks at bytes from anywhere.
    ///
    /// # Errors
    /// [`Fault`] when they are no table.
    pub fn of(reader: impl Read + Send + 'static, shape: &Shape<'_>) -> Result<Self, TableFault> {
        match source::of(Box::new(reader))? {
            source::Source::Workbook(content) => sheets(content).map(Self::Workbook),
            text @ source::Source::Text { .. } => Ok(Self::Text(Records::of(text, shape)?.0)),
        }
    }
}

/// A table with one header; rows are read one after the other.
#[derive(Debug)]
pub struct Table {
    records: Records,
    header: Row,
    /// Rows above the header.
    above: std::vec::IntoIter<Row>,
    rows_max: u64,
    rows: u64,
}

impl Table {
    /// Opens the table at `path` (`-` is standard input) and finds its header.
    ///
    /// # Errors
    /// [`Fault`] when the file is none, or holds too much.
    pub fn open(path: &Path, shape: &Shape<'_>) -> Result<Self, TableFault> {
        Self::begin(Records::open(path, shape)?, shape)
    }

    /// The same of bytes from anywhere.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn of(reader: impl Read + Send + 'static, shape: &Shape<'_>) -> Result<Self, TableFault> {
        Self::begin(Records::of(source::of(Box::new(reader))?, shape)?, shape)
    }

    fn begin((mut records, at): (Records, u64), shape: &Shape<'_>) -> Result<Self, TableFault> {
        let (mut above, mut header) = (Vec::new(), Row::default());
        loop {
            if !records.read(&mut header)? {
                return Err(TableFault::Empty);
            }
            // In a workbook all bytes are 0 and the row says where; rows in front of the header come first either way.
            let place = if header.byte == 0 && header.raw().is_empty() { header.number } else { header.byte };
            if header.wrong.is_none() && place >= at {
                break;
            }
            let lines = header.lines.max(1);
            records.counts.malformed = records.counts.malformed.saturating_add(lines);
            header.wrong = Some(header.wrong.unwrap_or(Wrong::Unclaimed));
            above.push(std::mem::take(&mut header));
            if above.len() > sniff::HEADER_ROWS_MAX {
                // What was taken for the header cannot be read as one.
                return Err(TableFault::Empty);
            }
        }
        let count = header.len();
        if count > shape.limits.columns_max {
            return Err(TableFault::ColumnsTooMany { count, limit: shape.limits.columns_max });
        }
        records.counts.header = records.counts.header.saturating_add(header.lines);
        records.set_width(count, true);
        Ok(Self { records, header, above: above.into_iter(), rows_max: shape.limits.rows_max, rows: 0 })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Row {
        &self.header
    }

    /// What has been read so far.
    #[must_use]
    pub const fn counts(&self) -> RecordCounts {
        self.records.counts
    }

    /// Reads the next row into `row`, good or malformed; false at the end.
    ///
    /// # Errors
    /// [`Fault`] when the file cannot be read on, or holds too much.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, TableFault> {
        if let Some(above) = self.above.next() {
            *row = above;
            return Ok(true);
        }
        loop {
            if !self.records.read(row)? {
                return Ok(false);
            }
            let counts = &mut self.records.counts;
            let slot = if row.wrong.is_some() {
                &mut counts.malformed
            } else if row.has_cells_of(&self.header) {
                &mut counts.repeated
            } else {
                &mut counts.rows
            };
            *slot = slot.saturating_add(row.lines);
            if row.wrong.is_none() && row.has_cells_of(&self.header) {
                continue;
            }
            row.pad(self.header.len());
            self.rows = self.rows.saturating_add(1);
            return if self.rows > self.rows_max { Err(TableFault::RowsTooMany(self.rows_max)) } else { Ok(true) };
        }
    }

    /// Fills `batch` from its beginning, and gives how many rows there are; fewer only at the end.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn fill(&mut self, batch: &mut [Row]) -> Result<usize, TableFault> {
        let mut count = 0_usize;
        for row in batch {
            if !self.read(row)? {
                break;
            }
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}
