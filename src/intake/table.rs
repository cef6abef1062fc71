//! One CSV file, read record by record within limits: encoding, delimiter, header, quotes.
//!
//! Belongs here: everything that can refuse a whole file. Must not be here: what a row means.

use std::fs::File;
use std::io::{Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, ErrorKind, ReaderBuilder, StringRecord};

use super::Limits;
use super::columns::{Column, Columns, Mapping, is_known, normalized};
use super::error::{Fault, RefusedFile};
use super::guard::{Endless, Guard, Watch, utf16};

/// What follows the last byte of every file. The guard lets no null byte through, so these bytes alone are the end; met
/// inside a value, they prove that its quote was never closed.
const END: &[u8] = b"\n\0end\n";
const END_CELL: &str = "\0end";
const BUFFER_BYTES: usize = 64 * 1024;

type Source = Chain<Guard<Chain<Cursor<Vec<u8>>, File>>, &'static [u8]>;

/// What is needed to make sense of a file before its rows are looked at.
pub(super) struct Shape<'a> {
    pub(super) wanted: &'static [Column],
    pub(super) mapping: &'a Mapping,
    pub(super) delimiter: Option<u8>,
    pub(super) limits: &'a Limits,
}

/// A file whose header has been understood.
pub(super) struct Table {
    pub(super) path: Arc<Path>,
    pub(super) columns: Columns,
    reader: csv::Reader<Source>,
    watch: Watch,
    /// Where the file's text begins, after its byte order mark.
    start: u64,
    next_line: u64,
    limits: Limits,
    rows: u64,
    is_done: bool,
}

impl Table {
    pub(super) fn open(path: &Path, shape: &Shape<'_>) -> Result<Self, RefusedFile> {
        Self::try_open(path, shape).map_err(|fault| RefusedFile { file: path.to_owned(), fault })
    }

    fn try_open(path: &Path, shape: &Shape<'_>) -> Result<Self, Fault> {
        let unreadable = |error: std::io::Error| Fault::Unreadable(error.to_string());
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = Vec::with_capacity(BUFFER_BYTES);
        (&mut file).take(u64::try_from(BUFFER_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut head).map_err(unreadable)?;
        if let Some(encoding) = utf16(&head) {
            return Err(Fault::Utf16(encoding));
        }
        let mark: &[u8] = if head.starts_with(b"\xef\xbb\xbf") { b"\xef\xbb\xbf" } else { b"" };
        head.drain(..mark.len());
        if head.iter().all(u8::is_ascii_whitespace) && head.len() < BUFFER_BYTES {
            return Err(Fault::Empty);
        }
        let delimiter = match shape.delimiter {
            Some(delimiter) => delimiter,
            None => sniffed(&head, |name| is_known(name, shape.wanted, shape.mapping))?,
        };
        let (watch, start) = (Watch::default(), u64::try_from(mark.len()).unwrap_or_default());
        let guard = Guard::new(Cursor::new(head).chain(file), start, watch.clone(), shape.limits.file_bytes_max);
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(guard.chain(END));
        let columns = Columns::resolve(&StringRecord::new(), &[], &Mapping::new())?;
        let limits = shape.limits.clone();
        let mut table = Self { path: path.into(), columns, reader, watch, start, next_line: 1, limits, rows: 0, is_done: false };
        let mut header = StringRecord::new();
        if !table.try_next(&mut header)? {
            return Err(Fault::Empty);
        }
        if header.len() > shape.limits.columns_max {
            return Err(Fault::ColumnsTooMany { count: header.len(), limit: shape.limits.columns_max });
        }
        table.columns = Columns::resolve(&header, shape.wanted, shape.mapping)?;
        Ok(table)
    }

    /// Reads up to `batch.len()` records, and gives the first one's row and how many there are; fewer only at the end.
    pub(super) fn fill(&mut self, batch: &mut [StringRecord]) -> Result<(u64, usize), RefusedFile> {
        let first_row = self.rows.saturating_add(1);
        let mut count: usize = 0;
        for record in batch {
            if !self.try_next(record).map_err(|fault| self.refused(fault))? {
                break;
            }
            count = count.saturating_add(1);
        }
        Ok((first_row, count))
    }

    /// This file, refused.
    pub(super) fn refused(&self, fault: Fault) -> RefusedFile {
        RefusedFile { file: self.path.to_path_buf(), fault }
    }

    /// Reads the next record, if there is one.
    fn try_next(&mut self, record: &mut StringRecord) -> Result<bool, Fault> {
        if self.is_done {
            return Ok(false);
        }
        let (row, limit) = (self.rows.saturating_add(1), self.limits.record_bytes_max);
        let slack = u64::try_from(limit.saturating_add(2 * BUFFER_BYTES)).unwrap_or(u64::MAX);
        self.watch.allow(self.reader.position().byte().saturating_add(slack));
        let is_there = self.reader.read_record(record).map_err(|error| fault_of(error, row, self.next_line, limit))?;
        if !is_there || (record.len() == 1 && record.get(0) == Some(END_CELL)) {
            self.is_done = true;
            return Ok(false);
        }
        let line = self.locate(record);
        if memchr::memchr(0, record.as_slice().as_bytes()).is_some() {
            return Err(Fault::QuoteOpen { row, line });
        }
        if record.as_slice().len() > limit {
            return Err(Fault::RecordTooLarge { row, line, limit });
        }
        if row > self.limits.rows_max.saturating_add(1) {
            return Err(Fault::RowsTooMany(self.limits.rows_max));
        }
        self.rows = row;
        Ok(true)
    }

    /// Sets the record's line to the one it starts on, counted back from its end. The parser's own count is of where it
    /// stood before: ahead of blank lines, and between the two characters of a line end.
    fn locate(&mut self, record: &mut StringRecord) -> u64 {
        let end = self.reader.position();
        let is_fed = self.watch.ends_in_line_feed(end.byte().saturating_add(self.start));
        let inside = memchr::memchr_iter(b'\n', record.as_slice().as_bytes()).count();
        let last_line = if is_fed { end.line().saturating_sub(1) } else { end.line() };
        let line = last_line.saturating_sub(u64::try_from(inside).unwrap_or_default());
        self.next_line = last_line.saturating_add(1);
        if let Some(mut position) = record.position().cloned() {
            position.set_line(line);
            record.set_position(Some(position));
        }
        line
    }
}

fn fault_of(error: csv::Error, row: u64, line: u64, limit: usize) -> Fault {
    let text = error.to_string();
    let ErrorKind::Io(error) = error.into_kind() else { return Fault::Unreadable(text) };
    match error.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(error) => match error.downcast::<Endless>() {
            Ok(Endless) => Fault::RecordTooLarge { row, line, limit },
            Err(error) => Fault::Unreadable(error.to_string()),
        },
    }
}

/// The delimiter under which the header has cells; if several do, the one under which most are known.
fn sniffed(head: &[u8], is_known: impl Fn(&str) -> bool) -> Result<u8, Fault> {
    let mut best: Vec<(u8, usize)> = Vec::new();
    for delimiter in *b",;\t|" {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(head);
        let mut header = ByteRecord::new();
        if !matches!(reader.read_byte_record(&mut header), Ok(true)) || header.len() < 2 {
            continue;
        }
        let known = header.iter().filter(|name| is_known(&normalized(&String::from_utf8_lossy(name)))).count();
        let best_known = best.first().map_or(0, |&(_, known)| known);
        if known > best_known {
            best.clear();
        }
        if known >= best_known {
            best.push((delimiter, known));
        }
    }
    match best.as_slice() {
        [] => Ok(b','),
        [(delimiter, _)] => Ok(*delimiter),
        several => {
            let names = several.iter().map(|&(delimiter, _)| match delimiter {
                b'\t' => "tab".to_owned(),
                other => format!("`{}`", char::from(other)),
            });
            Err(Fault::Delimiter(names.collect::<Vec<_>>().join(" and ")))
        }
    }
}
