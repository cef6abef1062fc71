//! One row as its cells, whatever file it is from, with its place in that file.

use std::borrow::Cow;

use crate::domain::reason::Wrong;
use crate::domain::spreadsheet::unescaped;

/// How a cell was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoredAs {
    /// As text: every character is as somebody wrote it.
    #[default]
    Text,
    /// As a number of a workbook, written out: digits after the 15th and zeros in front are lost.
    Number,
    /// As a date of a workbook, written out as `2026-10-31` or `2026-10-31 17:00:00`.
    Date,
}

/// A record without its line end, then cells whose doubled quotes were undone. Looked at once: what is UTF-8 is text from there on.
#[derive(Clone, Debug)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Empties it, keeping its memory.
    fn clear(&mut self) {
        match self {
            Self::Text(text) => text.clear(),
            Self::Bytes(_) => *self = Self::default(),
        }
    }

    fn push(&mut self, more: &[u8]) {
        match (&mut *self, str::from_utf8(more)) {
            (Self::Text(text), Ok(more)) => text.push_str(more),
            (Self::Text(text), Err(_)) => {
                let mut bytes = std::mem::take(text).into_bytes();
                bytes.extend_from_slice(more);
                *self = Self::Bytes(bytes);
            }
            (Self::Bytes(bytes), _) => bytes.extend_from_slice(more),
        }
    }
}

/// Cells, and where they stand. The bytes of a CSV record are kept as they are in the file.
#[derive(Clone, Debug, Default)]
pub struct Row {
    content: Content,
    /// How much of it is the record.
    raw: usize,
    cells: Vec<(usize, usize)>,
    /// Of each cell; empty for CSV, where all are text.
    kinds: Vec<StoredAs>,
    /// The record's number, from 1, empty lines not counted; in a workbook the row of the sheet.
    pub number: u64,
    /// The line it starts on, from 1; in a workbook the row of the sheet.
    pub line: u64,
    /// Lines it spans.
    pub lines: u64,
    /// Where it starts, in bytes from the beginning of the (decompressed) file; 0 in a workbook.
    pub byte: u64,
    /// Why it is no row of the table. Its cells are then what its first line looks like.
    pub wrong: Option<Wrong>,
}

impl Row {
    /// Empties it, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.content.clear();
        self.cells.clear();
        self.kinds.clear();
        self.raw = 0;
        self.wrong = None;
    }

    /// Takes a record's bytes, of which cells are then marked.
    pub(super) fn set_raw(&mut self, raw: &[u8]) {
        self.clear();
        self.content.push(raw);
        self.raw = raw.len();
    }

    /// Marks `bytes[start..end]` as the next cell.
    pub(super) fn mark(&mut self, start: usize, end: usize) {
        self.cells.push((start, end));
    }

    /// Adds a cell that is not in the record as it stands.
    pub(super) fn push(&mut self, cell: &[u8]) {
        let start = self.content.as_bytes().len();
        self.content.push(cell);
        self.cells.push((start, self.content.as_bytes().len()));
    }

    /// Adds a cell of a workbook.
    pub(super) fn push_kind(&mut self, cell: &[u8], kind: StoredAs) {
        self.push(cell);
        self.kinds.push(kind);
    }

    /// A row of these cells, for tables that are no text.
    pub fn from_cells<C: AsRef<[u8]>>(cells: impl IntoIterator<Item = C>, number: u64) -> Self {
        let mut row = Self { number, line: number, lines: 1, ..Self::default() };
        for cell in cells {
            row.push(cell.as_ref());
        }
        row
    }

    /// A row of a workbook ends with its last cell that holds something; the others are empty.
    pub(super) fn pad(&mut self, width: usize) {
        if self.raw == 0 && self.wrong.is_none() {
            while self.len() < width {
                self.push_kind(b"", StoredAs::Text);
            }
        }
    }

    /// Undoes tagih's own escape, with which it keeps a spreadsheet from running a cell. No other apostrophe is touched.
    pub(super) fn undo_escapes(&mut self) {
        if memchr::memchr(b'\'', self.content.as_bytes()).is_none() {
            return;
        }
        for index in 0..self.len() {
            if let Some(Cow::Owned(plain)) = self.text(index).map(unescaped) {
                self.replace(index, &plain);
            }
        }
    }

    /// Puts another text in the place of a cell.
    pub fn replace(&mut self, index: usize, text: &str) {
        let start = self.content.as_bytes().len();
        self.content.push(text.as_bytes());
        let end = self.content.as_bytes().len();
        if let Some(slot) = self.cells.get_mut(index) {
            *slot = (start, end);
        }
    }

    /// Adds a cell at the end.
    pub fn append(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// How many cells it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no cell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// A cell as it is.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.cells.get(index).and_then(|&(start, end)| self.content.as_bytes().get(start..end))
    }

    /// A cell as text; `None` where it is not UTF-8 or not there.
    #[must_use]
    pub fn text(&self, index: usize) -> Option<&str> {
        let &(start, end) = self.cells.get(index)?;
        match &self.content {
            Content::Text(text) => text.get(start..end),
            Content::Bytes(bytes) => str::from_utf8(bytes.get(start..end)?).ok(),
        }
    }

    /// Whether all of it is UTF-8.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.content, Content::Text(_))
    }

    /// How a cell was stored.
    #[must_use]
    pub fn kind(&self, index: usize) -> StoredAs {
        self.kinds.get(index).copied().unwrap_or_default()
    }

    /// All cells.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.iter().map(|&(start, end)| self.content.as_bytes().get(start..end).unwrap_or_default())
    }

    /// The record as it stands in the file, without its line end; empty in a workbook.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.content.as_bytes().get(..self.raw).unwrap_or_default()
    }

    /// Whether no cell holds anything but spaces.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace))
    }

    /// Whether all cells are the same.
    #[must_use]
    pub fn has_cells_of(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}
