//! A table's records, one after the other, whatever file they are from; memory is bounded for text.

use std::io::Read;
use std::path::Path;

use super::fault::{Spot, TableFault};
use super::row::Row;
use super::shape::Shape;
use super::source::{self, MARK, Source};
use super::split::{Dialect, PieceKind, physical_lines, split};
use super::{sheet, sniff};
use crate::domain::reason::Wrong;

const CHUNK_BYTES: usize = 256 * 1024;

/// What was read, in physical lines (rows of the sheet in a workbook).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Rows.
    pub rows: u64,
    /// Lines with nothing but delimiters and spaces, or with nothing at all.
    pub blank: u64,
    /// The header, and a line `sep=`.
    pub header: u64,
    /// The header said again.
    pub repeated: u64,
    /// Lines that are no rows.
    pub malformed: u64,
}

impl RecordCounts {
    /// All of them: the file's physical lines.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.rows.saturating_add(self.blank).saturating_add(self.header).saturating_add(self.repeated).saturating_add(self.malformed)
    }
}

/// Where records come from.
enum Origin {
    Text(Box<dyn Read + Send>),
    Sheet(std::vec::IntoIter<Row>),
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Text(_)) { "text" } else { "sheet" })
    }
}

/// See the module.
#[derive(Debug)]
pub struct Records {
    origin: Origin,
    /// Text that was read; what is before `start` has been given out.
    buffer: Vec<u8>,
    start: usize,
    is_at_end: bool,
    is_strict: bool,
    dialect: Dialect,
    bytes_max: u64,
    /// Blank lines at most: a small archive may hold billions.
    blank_max: u64,
    bytes_read: u64,
    line: u64,
    number: u64,
    byte: u64,
    /// What has been read so far.
    pub counts: RecordCounts,
}

impl Records {
    /// Opens `path` (`-` is standard input), and gives the row number of its header.
    pub(super) fn open(path: &Path, shape: &Shape<'_>) -> Result<(Self, u64), TableFault> {
        Self::of(source::open(path)?, shape)
    }

    pub(super) fn of(source: Source, shape: &Shape<'_>) -> Result<(Self, u64), TableFault> {
        let dialect = Dialect::new(b',', shape.limits.record_bytes_max);
        let mut records = Self {
            origin: Origin::Sheet(Vec::new().into_iter()),
            buffer: Vec::new(),
            start: 0,
            is_at_end: true,
            is_strict: shape.is_strict,
            dialect,
            bytes_max: shape.limits.file_bytes_max,
            blank_max: shape.limits.rows_max,
            bytes_read: 0,
            line: 1,
            number: 0,
            byte: 0,
            counts: RecordCounts::default(),
        };
        match source {
            Source::Workbook(content) => {
                let rows = sheet::rows(content, shape.sheet)?;
                let head: Vec<Row> = rows.iter().take(sniff::HEADER_ROWS_MAX).cloned().collect();
                let header = head.get(sniff::header_at(&head, &shape.header)).map_or(0, |row| row.number);
                records.origin = Origin::Sheet(rows.into_iter());
                Ok((records, header))
            }
            Source::Text { head, rest, is_whole } => {
                records.is_at_end = is_whole;
                records.origin = Origin::Text(rest);
                records.bytes_read = u64::try_from(head.len()).unwrap_or(u64::MAX);
                records.buffer = head;
                let header = records.begin(shape)?;
                Ok((records, header))
            }
        }
    }

    /// Takes the mark and the line `sep=` off, finds the delimiter, and gives the number of the header's record.
    fn begin(&mut self, shape: &Shape<'_>) -> Result<u64, TableFault> {
        if self.buffer.starts_with(MARK) {
            self.skip(MARK.len());
        }
        if self.is_at_end && self.rest().iter().all(u8::is_ascii_whitespace) {
            return Err(TableFault::Empty);
        }
        if shape.is_strict {
            // Whatever else is wrong with a file, its encoding is said first.
            encoded(self.rest(), (self.line, self.byte), !self.is_at_end)?;
        }
        let limit = self.dialect.record_bytes_max;
        let declared = sniff::declared(self.rest());
        if let Some((_, length)) = declared {
            let after = self.rest().get(length..).unwrap_or_default();
            let end = if after.starts_with(b"\r\n") { 2 } else { usize::from(!after.is_empty()) };
            self.skip(length.saturating_add(end));
            self.line = self.line.saturating_add(1);
            self.counts.header = self.counts.header.saturating_add(1);
        }
        self.dialect.delimiter = match (shape.delimiter, declared) {
            (Some(delimiter), _) | (None, Some((delimiter, _))) => delimiter,
            (None, None) => sniff::delimiter(self.rest(), limit, &shape.header)?,
        };
        let rows = sniff::first_rows(self.rest(), self.dialect.delimiter, limit);
        let at = rows.get(sniff::header_at(&rows, &shape.header)).map_or(0, |row| row.byte);
        Ok(at.saturating_add(self.byte))
    }

    /// Rows have so many cells from here on; if `is_exact`, others are malformed.
    pub const fn set_width(&mut self, width: usize, is_exact: bool) {
        self.dialect.width = Some(width);
        self.dialect.is_exact = is_exact;
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes);
        self.byte = self.byte.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Reads on until a whole record is there, or the end.
    fn fill(&mut self) -> Result<(), TableFault> {
        let wanted = self.dialect.record_bytes_max.saturating_add(2);
        if self.is_at_end || self.rest().len() >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let Origin::Text(reader) = &mut self.origin else { return Ok(()) };
        let missing = wanted.saturating_add(CHUNK_BYTES).saturating_sub(self.buffer.len());
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        let count = reader.take(limit).read_to_end(&mut self.buffer).map_err(|error| TableFault::Unreadable(error.to_string()))?;
        self.is_at_end = count < missing;
        self.bytes_read = self.bytes_read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.bytes_read > self.bytes_max { Err(TableFault::TooLarge(self.bytes_max)) } else { Ok(()) }
    }

    /// Reads the next record that is not blank into `row`; false at the end. Whether it counts as a row is for the caller to say.
    ///
    /// # Errors
    /// [`Fault`] when the file cannot be read on, or holds too much.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, TableFault> {
        if let Origin::Sheet(rows) = &mut self.origin {
            let Some(next) = rows.next() else { return Ok(false) };
            *row = next;
            row.undo_escapes();
            row.wrong = self
                .dialect
                .width
                .filter(|&wanted| self.dialect.is_exact && row.len() > wanted)
                .map(|wanted| Wrong::Width { found: row.len(), wanted });
            return Ok(true);
        }
        loop {
            self.fill()?;
            let piece = split(self.buffer.get(self.start..).unwrap_or_default(), &self.dialect, row);
            let Some(mut piece) = piece else { return Ok(false) };
            (row.line, row.byte, row.lines) = (self.line, self.byte, u64::try_from(piece.lines).unwrap_or(u64::MAX));
            self.line = self.line.saturating_add(row.lines);
            if piece.what != PieceKind::Empty {
                self.number = self.number.saturating_add(1);
            }
            row.number = self.number;
            if self.is_strict {
                Self::check(row, piece.what)?;
            }
            if matches!(piece.what, PieceKind::Wrong(Wrong::TooLarge(_))) {
                self.skip_line()?;
                piece.bytes = 0;
            }
            self.skip(piece.bytes);
            row.wrong = if let PieceKind::Wrong(wrong) = piece.what { Some(wrong) } else { None };
            row.undo_escapes();
            match piece.what {
                PieceKind::Empty | PieceKind::Blank => {
                    self.counts.blank = self.counts.blank.saturating_add(row.lines);
                    if self.counts.blank > self.blank_max {
                        return Err(TableFault::RowsTooMany(self.blank_max));
                    }
                }
                PieceKind::Row | PieceKind::Wrong(_) => return Ok(true),
            }
        }
    }

    /// Goes over a line that is too long to be kept.
    fn skip_line(&mut self) -> Result<(), TableFault> {
        loop {
            let rest = self.rest();
            if let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
                // A pair may be cut by the end of what was read.
                if rest.get(at.saturating_add(1)).is_some() || self.is_at_end {
                    let is_pair = rest.get(at..at.saturating_add(2)) == Some(b"\r\n");
                    self.skip(at.saturating_add(if is_pair { 2 } else { 1 }));
                    return Ok(());
                }
                self.skip(at);
            } else {
                self.skip(rest.len());
                if self.is_at_end {
                    return Ok(());
                }
            }
            self.fill()?;
        }
    }

    /// What refuses a whole file, where its reader is strict.
    fn check(row: &Row, what: PieceKind) -> Result<(), TableFault> {
        if !row.is_text() || memchr::memchr(0, row.raw()).is_some() {
            encoded(row.raw(), (row.line, row.byte), matches!(what, PieceKind::Wrong(Wrong::TooLarge(_))))?;
        }
        match what {
            PieceKind::Wrong(Wrong::TooLarge(limit)) => Err(TableFault::RecordTooLarge { row: row.number, line: row.line, limit }),
            PieceKind::Wrong(wrong) if wrong.is_quote() => Err(TableFault::Quote { row: row.number, line: row.line, wrong }),
            _ => Ok(()),
        }
    }
}

/// Refuses what is no text in UTF-8; `text` begins at this line and byte, and if `is_cut` may end in the middle of a character.
fn encoded(text: &[u8], (line, byte): (u64, u64), is_cut: bool) -> Result<(), TableFault> {
    let spot = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Spot { line: line.saturating_add(physical_lines(before)).saturating_sub(torn(before)), byte: byte.saturating_add(count(offset)) }
    };
    if let Some(at) = memchr::memchr(0, text) {
        return Err(TableFault::Nul(spot(at)));
    }
    match str::from_utf8(text) {
        Err(error) if error.error_len().is_some() || !is_cut => {
            let at = error.valid_up_to();
            Err(TableFault::NotUtf8 { spot: spot(at), found: text.get(at).copied().unwrap_or_default() })
        }
        _ => Ok(()),
    }
}

/// 1 where `text` ends in the middle of a line, which is then the line of what follows.
fn torn(text: &[u8]) -> u64 {
    u64::from(text.last().is_some_and(|last| !matches!(last, b'\n' | b'\r')))
}
