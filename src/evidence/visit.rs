//! Lines as they stand in logs, for those who look for a name in what could not be read as a message.

use std::path::PathBuf;

use super::EvidenceError;
use super::blocks::{Blocks, Content};
use super::lines::Piece;
use crate::domain::line::InputFile;
use crate::table::TableSettings;

/// Shows every message of `files`: which file, which line of it from 1, its bytes without what stands around them, of
/// a table's row the line that `serve` would have written. Lines that are
/// too long are left out.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn visit(files: &[PathBuf], tables: &TableSettings, see: impl FnMut(u32, u32, &[u8])) -> Result<(), EvidenceError> {
    visit_all(files, tables, see).map(drop)
}

/// The same, with what was found of the files and how many lines were too long.
pub(super) fn visit_all(
    files: &[PathBuf],
    tables: &TableSettings,
    mut see: impl FnMut(u32, u32, &[u8]),
) -> Result<(Vec<InputFile>, u64), EvidenceError> {
    let (mut blocks, mut oversized) = (Blocks::new(files, tables), 0_u64);
    loop {
        let batch = blocks.batch(1)?;
        let Some(block) = batch.first() else { return Ok((blocks.done, oversized)) };
        oversized = oversized.saturating_add(u64::from(matches!(block.content, Content::Oversized(_))));
        block.pieces(|piece| {
            let (span, text) = match piece {
                Piece::Message { span, text, .. } => (span, text),
                Piece::Malformed { span, .. } => (span, None),
                Piece::Blank | Piece::Wrapping => return,
            };
            let number = u32::try_from(block.first_line.saturating_add(span.line)).unwrap_or(u32::MAX);
            see(block.file, number, text.as_ref().map_or(span.of(block.bytes()), |text| text.as_bytes()));
        });
        blocks.take_back(batch);
    }
}

/// Shows the lines of `files` that hold messages, each with its number in its file and its bytes as they stand there; gives the files.
///
/// # Errors
/// When a file cannot be read to its end.
pub(super) fn visit_lines(
    files: &[PathBuf],
    tables: &TableSettings,
    mut see: impl FnMut(u32, &[u8]),
) -> Result<Vec<InputFile>, EvidenceError> {
    let mut blocks = Blocks::new(files, tables);
    loop {
        let batch = blocks.batch(1)?;
        let Some(block) = batch.first() else { return Ok(blocks.done) };
        block.pieces(|piece| {
            let (Piece::Message { span, .. } | Piece::Malformed { span, .. }) = piece else { return };
            see(u32::try_from(block.first_line.saturating_add(span.line)).unwrap_or(u32::MAX), span.of(block.bytes()));
        });
        blocks.take_back(batch);
    }
}

/// Whether `name` stands in `line` as a whole JSON text, also inside a body that is a text itself, or as a whole number.
#[must_use]
pub fn names(line: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    let mut from = 0_usize;
    while let Some(at) = line.get(from..).and_then(|rest| memchr::memmem::find(rest, name)).map(|at| at.saturating_add(from)) {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at.saturating_add(name.len()));
        let is_text = before.ends_with(b"\"") && matches!(after, Some(b'"' | b'\\'));
        let is_number = before.trim_ascii_end().ends_with(b":") && matches!(after, Some(b',' | b'}' | b' ' | b'\\'));
        if is_text || is_number {
            return true;
        }
        from = at.saturating_add(1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole_in_texts_in_texts_within_texts_and_as_a_number() {
        for line in [r#"{"a":"INV-1"}"#, r#"{"body":"{\"a\":\"INV-1\"}"}"#, r#"{"INV-12":0,"a":"INV-1"}"#] {
            assert!(names(line.as_bytes(), "INV-1"), "{line}");
        }
        assert!(names(br#"{"code":8896,"b":1}"#, "8896") && names(br#"{"code": 8896}"#, "8896"));
        for line in [r#"{"a":"INV-12"}"#, r#"{"a":"XINV-1"}"#, r#"{"a":"of INV-1 too"}"#, ""] {
            assert!(!names(line.as_bytes(), "INV-1"), "{line}");
        }
        assert!(!names(br#"{"code":88961}"#, "8896"));
    }
}
