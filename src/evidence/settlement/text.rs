//! Settlement reports as CSV: records with the place and digest of their raw lines.

use super::cells::{Cell, RawRow};
use super::error::SettlementFault;
use super::table::Table;
use crate::domain::digest;

/// Hands every record of `content` to `table`.
pub(super) fn read(content: &[u8], table: &mut Table<'_>) -> Result<(), SettlementFault> {
    let mark = if content.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = content.get(mark..).unwrap_or_default();
    if memchr::memchr(0, text).is_some() {
        return Err(SettlementFault::NoReport("it holds null bytes; a workbook must end in `.xlsx`, and text must be UTF-8"));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = csv::ByteRecord::new();
    let (mut end, mut line) = (0_usize, 1_u64);
    let mut last_raw: &[u8] = &[];
    loop {
        let is_there = reader.read_byte_record(&mut record).map_err(|error| SettlementFault::Unreadable(error.to_string()))?;
        if !is_there {
            break;
        }
        // The parser skips blank lines and may stop between the two characters of a line end, so the record's own bytes are
        // what is left of those it went over.
        let next = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let passed = text.get(end..next).unwrap_or_default();
        let leading = passed.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let raw = passed.get(leading..).unwrap_or_default();
        line = line.saturating_add(feeds(passed.get(..leading).unwrap_or_default()));
        let byte = u64::try_from(mark.saturating_add(end).saturating_add(leading)).unwrap_or(u64::MAX);
        let cells = record.iter().map(|cell| Cell::Text(String::from_utf8_lossy(cell).trim().to_owned())).collect();
        last_raw = raw;
        table.take(&RawRow { number: line, byte, digest: digest::of_bytes(without_end(raw)), cells })?;
        line = line.saturating_add(feeds(raw));
        end = next;
    }
    // A quote that is never closed swallows the rest of the file, which must not pass for one odd row.
    if memchr::memchr_iter(b'"', last_raw).count() % 2 == 1 {
        return Err(SettlementFault::Unreadable("a quote is never closed".to_owned()));
    }
    Ok(())
}

fn feeds(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}

/// A line without its line feed and the one carriage return before it.
fn without_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}
