//! The strict grammar of CSV: what the front of a text is. Pure, and the entry point for fuzzing.
//!
//! A line that is no row of the table is given back alone, and what follows it is looked at afresh: no fault of one line can
//! take the lines below it along.

use super::row::Row;
use crate::domain::reason::Wrong;

/// Lines a quoted cell may span, unless a table is known to hold longer ones.
pub const CELL_LINES_MAX: usize = 32;

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// What separates cells.
    pub delimiter: u8,
    /// Bytes of one record.
    pub record_bytes_max: usize,
    /// Lines of one quoted cell.
    pub cell_lines_max: usize,
    /// Cells of a row, once the header is known.
    pub width: Option<usize>,
    /// Whether a line of another width is none of the table's.
    pub is_exact: bool,
    /// A byte that every row holds, if there is one: a line without it is not taken for a row that a stray quote swallowed.
    pub holds: Option<u8>,
}

impl Dialect {
    /// Cells between `delimiter`, in rows of any width.
    #[must_use]
    pub const fn new(delimiter: u8, record_bytes_max: usize) -> Self {
        Self { delimiter, record_bytes_max, cell_lines_max: CELL_LINES_MAX, width: None, is_exact: false, holds: None }
    }
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// A line without anything in it, not even a delimiter.
    Empty,
    /// A line of delimiters and spaces.
    Blank,
    /// A row.
    Row,
    /// One line that is none.
    Wrong(Wrong),
}

/// The front of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub what: PieceKind,
    /// Its bytes, line end included.
    pub bytes: usize,
    /// Its physical lines, at least 1.
    pub lines: usize,
}

/// Where the line at `from` ends: without its line end, and with it. LF, CR and CRLF end a line, as does the end of the text.
fn line_end(text: &[u8], from: usize) -> (usize, usize) {
    let rest = text.get(from..).unwrap_or_default();
    match memchr::memchr2(b'\n', b'\r', rest) {
        None => (text.len(), text.len()),
        Some(at) => {
            let end = from.saturating_add(at);
            let is_pair = rest.get(at) == Some(&b'\r') && rest.get(at.saturating_add(1)) == Some(&b'\n');
            (end, end.saturating_add(if is_pair { 2 } else { 1 }))
        }
    }
}

/// Cuts the front of `text` off into `row`; `None` at its end. Unless `text` is the rest of the file, it must hold more bytes
/// than a record may have, and two.
pub fn split(text: &[u8], dialect: &Dialect, row: &mut Row) -> Option<Piece> {
    if text.is_empty() {
        return None;
    }
    let (end, next) = line_end(text, 0);
    let line = text.get(..end).unwrap_or_default();
    let alone = |what| Some(Piece { what, bytes: next, lines: 1 });
    if line.len() > dialect.record_bytes_max {
        row.set_raw(line.get(..dialect.record_bytes_max).unwrap_or_default());
        return alone(PieceKind::Wrong(Wrong::TooLarge(dialect.record_bytes_max)));
    }
    if line.is_empty() {
        row.set_raw(line);
        return alone(PieceKind::Empty);
    }
    let piece = if memchr::memchr(b'"', line).is_none() {
        unquoted(line, dialect.delimiter, row);
        Ok(Piece { what: PieceKind::Row, bytes: next, lines: 1 })
    } else {
        quoted(text, dialect, row)
    };
    let fault = match piece {
        Ok(piece) if row.is_blank() => return Some(Piece { what: PieceKind::Blank, ..piece }),
        Ok(piece) => match dialect.width.filter(|&wanted| wanted != row.len()) {
            None => return Some(piece),
            Some(_) if piece.lines > 1 => Wrong::QuoteStray,
            Some(_) if !dialect.is_exact => return Some(piece),
            Some(wanted) => Wrong::Width { found: row.len(), wanted },
        },
        Err(wrong) => wrong,
    };
    // The line as it looks without regard to quotes, so that a message can name what it seems to be about.
    unquoted(line, dialect.delimiter, row);
    alone(PieceKind::Wrong(fault))
}

fn unquoted(line: &[u8], delimiter: u8, row: &mut Row) {
    row.set_raw(line);
    let mut start = 0;
    for at in memchr::memchr_iter(delimiter, line) {
        row.mark(start, at);
        start = at.saturating_add(1);
    }
    row.mark(start, line.len());
}

/// A record with quotes in it, possibly over several lines.
fn quoted(text: &[u8], dialect: &Dialect, row: &mut Row) -> Result<Piece, Wrong> {
    let mut cells: Vec<(usize, usize, bool)> = Vec::new();
    let (mut at, mut lines) = (0_usize, 1_usize);
    let (end, next) = loop {
        if text.get(at) == Some(&b'"') {
            let start = at.saturating_add(1);
            let (close, is_doubled, breaks) = closing(text, start, dialect)?;
            lines = lines.saturating_add(breaks);
            cells.push((start, close, is_doubled));
            at = close.saturating_add(1);
        } else {
            let rest = text.get(at..).unwrap_or_default();
            let end = memchr::memchr3(dialect.delimiter, b'\n', b'\r', rest).map_or(text.len(), |found| at.saturating_add(found));
            cells.push((at, end, false));
            at = end;
        }
        match text.get(at) {
            Some(&byte) if byte == dialect.delimiter => at = at.saturating_add(1),
            None | Some(b'\n' | b'\r') => break line_end(text, at),
            Some(_) => return Err(Wrong::QuoteInside),
        }
    };
    if end > dialect.record_bytes_max {
        return Err(if lines > 1 { Wrong::QuoteOpen } else { Wrong::TooLarge(dialect.record_bytes_max) });
    }
    let record = text.get(..end).unwrap_or_default();
    if lines > 1 && swallows_rows(record, &cells, dialect) {
        return Err(Wrong::QuoteStray);
    }
    row.set_raw(record);
    for (start, end, is_doubled) in cells {
        if is_doubled {
            row.push(&undoubled(text.get(start..end).unwrap_or_default()));
        } else {
            row.mark(start, end);
        }
    }
    Ok(Piece { what: PieceKind::Row, bytes: next, lines })
}

/// Where the cell that begins at `start` is closed, whether it holds doubled quotes, and its line breaks.
fn closing(text: &[u8], start: usize, dialect: &Dialect) -> Result<(usize, bool, usize), Wrong> {
    let (mut at, mut is_doubled, mut breaks) = (start, false, 0_usize);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let found = at.saturating_add(memchr::memchr3(b'"', b'\n', b'\r', rest).ok_or(Wrong::QuoteOpen)?);
        if found > dialect.record_bytes_max {
            return Err(Wrong::QuoteOpen);
        }
        if text.get(found) == Some(&b'"') {
            if text.get(found.saturating_add(1)) != Some(&b'"') {
                return Ok((found, is_doubled, breaks));
            }
            is_doubled = true;
            at = found.saturating_add(2);
        } else {
            breaks = breaks.saturating_add(1);
            if breaks >= dialect.cell_lines_max {
                return Err(Wrong::QuoteOpen);
            }
            at = line_end(text, found).1;
        }
    }
}

fn undoubled(cell: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(cell.len());
    let mut after_quote = false;
    for &byte in cell {
        if byte == b'"' && after_quote {
            after_quote = false;
            continue;
        }
        after_quote = byte == b'"';
        out.push(byte);
    }
    out
}

/// Whether the lines of a record look like rows of their own: one in the middle of a cell that does, or first and last both.
///
/// Two stray quotes in the same column make a record of the right width, so the width alone proves nothing. A cell that
/// really spans lines looks so only if its parts have as many delimiters as whole rows have.
fn swallows_rows(record: &[u8], cells: &[(usize, usize, bool)], dialect: &Dialect) -> bool {
    let Some(width) = dialect.width.filter(|&width| width > 1) else { return false };
    let is_full = |line: &&[u8]| {
        let holds = dialect.holds.is_none_or(|byte| memchr::memchr(byte, line).is_some());
        holds && memchr::memchr_iter(dialect.delimiter, line).count() >= width.saturating_sub(1)
    };
    let lines = physical(record);
    let ends_are_full = lines.first().is_some_and(is_full) && lines.last().is_some_and(is_full);
    let has_full_middle = |&(start, end, _): &(usize, usize, bool)| match physical(record.get(start..end).unwrap_or_default()).as_slice() {
        [_, middle @ .., _] => middle.iter().any(&is_full),
        _ => false,
    };
    ends_are_full || cells.iter().any(has_full_middle)
}

/// The lines of `text` without their line ends.
fn physical(text: &[u8]) -> Vec<&[u8]> {
    let (mut from, mut lines) = (0, Vec::new());
    loop {
        let (end, next) = line_end(text, from);
        lines.push(text.get(from..end).unwrap_or_default());
        if next == end {
            return lines;
        }
        from = next;
    }
}

/// Physical lines of `text`, counted apart from the grammar.
#[must_use]
pub fn physical_lines(text: &[u8]) -> u64 {
    let ends = |(at, &byte): (usize, &u8)| byte == b'\n' || (byte == b'\r' && text.get(at.saturating_add(1)) != Some(&b'\n'));
    let terminated = text.iter().enumerate().filter(|&pair| ends(pair)).count();
    let torn = usize::from(text.last().is_some_and(|last| !matches!(last, b'\n' | b'\r')));
    u64::try_from(terminated.saturating_add(torn)).unwrap_or(u64::MAX)
}
