//! How a table is to be opened, and what it may at most hold.

use super::header::Header;

/// What a table may at most hold; more is refused, so memory stays bounded.
#[derive(Clone, Debug)]
pub struct TableLimits {
    /// Bytes of one record.
    pub record_bytes_max: usize,
    /// Columns of the header.
    pub columns_max: usize,
    /// Rows of one file, without the header.
    pub rows_max: u64,
    /// Bytes of one cell.
    pub field_bytes_max: usize,
    /// Bytes of one file, decompressed.
    pub file_bytes_max: u64,
    /// How many times its own size a log may have, decompressed.
    pub expansion_max: u64,
}

impl Default for TableLimits {
    /// 64 KiB a record, 8 KiB a cell, 256 columns, 10 million rows, 8 GiB, 200 times.
    fn default() -> Self {
        Self {
            record_bytes_max: 64 * 1024,
            columns_max: 256,
            rows_max: 10_000_000,
            field_bytes_max: 8 * 1024,
            file_bytes_max: 8 * 1024 * 1024 * 1024,
            expansion_max: 200,
        }
    }
}

/// How a table is to be opened.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// What separates cells; sniffed among `, ; tab |` when not given.
    pub delimiter: Option<u8>,
    /// The sheet of a workbook; the first when not given.
    pub sheet: Option<&'a str>,
    /// See [`Limits`].
    pub limits: &'a TableLimits,
    /// What is known of its header.
    pub header: Header<'a>,
    /// Whether one stray quote, one byte that is not UTF-8 or one oversized record refuses the whole file.
    pub is_strict: bool,
}
