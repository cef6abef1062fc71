//! Which delimiter a text is written with, and which of its records is the header.

use super::fault::TableFault;
use super::header::{Header, names};
use super::row::Row;
use super::shape::Shape;
use super::source::MARK;
use super::split::{Dialect, PieceKind, split};

/// Records that are looked at for a header.
pub(super) const HEADER_ROWS_MAX: usize = 32;
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The header among the first records: the first that has enough, else the one with the most known names, else the first.
pub(super) fn header_at(rows: &[Row], header: &Header<'_>) -> usize {
    let known = |row: &Row| names(row).iter().filter(|name| (header.is_known)(name)).count();
    let whole = rows.iter().position(|row| (header.is_enough)(&names(row)));
    let best = || {
        let counted = rows.iter().map(known).enumerate();
        counted.fold((0, 0), |best, (at, count)| if count > best.1 { (at, count) } else { best }).0
    };
    whole.unwrap_or_else(best)
}

/// What `sep=;` in the first line says, and the length of that line.
pub(super) fn declared(head: &[u8]) -> Option<(u8, usize)> {
    let end = memchr::memchr2(b'\n', b'\r', head).unwrap_or(head.len());
    let line = head.get(..end)?.trim_ascii();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let name = line.get(..4)?;
    match line.get(4..) {
        Some(&[delimiter]) if name.eq_ignore_ascii_case(b"sep=") && DELIMITERS.contains(&delimiter) => Some((delimiter, end)),
        // The tab was trimmed.
        Some([]) if name.eq_ignore_ascii_case(b"sep=") && head.get(..end)?.contains(&b'\t') => Some((b'\t', end)),
        _ => None,
    }
}

/// How a text is split, and its header.
#[derive(Debug)]
pub struct Sniffed {
    /// What separates cells.
    pub delimiter: u8,
    /// The header, with the byte it stands at.
    pub header: Row,
}

/// What the first records of `text`, of at most so many bytes each, tell; `None` where there is none.
///
/// # Errors
/// [`Fault::Delimiter`] when it can be split in several ways.
pub fn sniffed(text: &[u8], record_bytes_max: usize, shape: &Shape<'_>) -> Result<Option<Sniffed>, TableFault> {
    let plain = text.strip_prefix(MARK).unwrap_or(text);
    let declared = declared(plain);
    let rest = declared.and_then(|(_, length)| plain.get(length..)).unwrap_or(plain);
    let delimiter = match (shape.delimiter, declared) {
        (Some(delimiter), _) | (None, Some((delimiter, _))) => delimiter,
        (None, None) => delimiter(rest, record_bytes_max, &shape.header)?,
    };
    let mut rows = first_rows(rest, delimiter, record_bytes_max);
    let at = header_at(&rows, &shape.header);
    if at >= rows.len() {
        return Ok(None);
    }
    let mut header = rows.swap_remove(at);
    header.byte = header.byte.saturating_add(u64::try_from(text.len().saturating_sub(rest.len())).unwrap_or(u64::MAX));
    Ok(Some(Sniffed { delimiter, header }))
}

/// The first records of `head` as `delimiter` splits them.
pub(super) fn first_rows(head: &[u8], delimiter: u8, record_bytes_max: usize) -> Vec<Row> {
    let dialect = Dialect::new(delimiter, record_bytes_max);
    let (mut rows, mut at) = (Vec::new(), 0_usize);
    while rows.len() < HEADER_ROWS_MAX {
        let mut row = Row::default();
        let Some(piece) = split(head.get(at..).unwrap_or_default(), &dialect, &mut row) else { break };
        row.byte = u64::try_from(at).unwrap_or(u64::MAX);
        at = at.saturating_add(piece.bytes);
        if piece.what == PieceKind::Row {
            rows.push(row);
        }
    }
    rows
}

/// The delimiter under which the header has cells; if several do, the one under which most are known.
pub(super) fn delimiter(head: &[u8], record_bytes_max: usize, header: &Header<'_>) -> Result<u8, TableFault> {
    let mut best: Vec<(u8, (bool, usize))> = Vec::new();
    for delimiter in DELIMITERS {
        let rows = first_rows(head, delimiter, record_bytes_max);
        let Some(row) = rows.get(header_at(&rows, header)).filter(|row| row.len() > 1) else { continue };
        let names = names(row);
        let score = ((header.is_enough)(&names), names.iter().filter(|name| (header.is_known)(name)).count());
        let best_score = best.first().map_or((false, 0), |&(_, score)| score);
        if score > best_score {
            best.clear();
        }
        if score >= best_score {
            best.push((delimiter, score));
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
            Err(TableFault::Delimiter(names.collect::<Vec<_>>().join(" and ")))
        }
    }
}
