//! Cells: the three kinds a carry has, and their way from and to the fields of a record.

use std::io;

use serde::Serialize;

use crate::domain::digest::{self, Digest};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, an id, a day, an instant.
    Text,
    /// A digest.
    Hex,
    /// Rupiah, or another whole number.
    Number,
    /// Whatever has parts, as JSON.
    Json,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(i64),
}

/// Makes cells of fields, through the text that JSON would have of each: a carry has millions of them, so it is written into one place.
#[derive(Debug, Default)]
pub(super) struct Cells {
    json: Vec<u8>,
}

impl Cells {
    fn put(&mut self, field: &impl Serialize) -> io::Result<&[u8]> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, field)?;
        Ok(&self.json)
    }

    pub(super) fn text(&mut self, field: &impl Serialize) -> io::Result<Cell> {
        let text: Option<String> = serde_json::from_slice(self.put(field)?)?;
        Ok(text.map_or(Cell::Empty, Cell::Text))
    }

    pub(super) fn number(&mut self, field: &impl Serialize) -> io::Result<Cell> {
        let number: Option<i64> = serde_json::from_slice(self.put(field)?)?;
        Ok(number.map_or(Cell::Empty, Cell::Number))
    }

    pub(super) fn json(&mut self, field: &impl Serialize) -> io::Result<Cell> {
        String::from_utf8(self.put(field)?.to_vec()).map(Cell::Text).map_err(io::Error::other)
    }
}

/// A digest that a field has or may have.
pub(super) fn hex(digest: impl Into<Option<Digest>>) -> Cell {
    digest.into().map_or(Cell::Empty, |digest| Cell::Text(digest::hex(&digest)))
}

impl Kind {
    /// Writes a cell as the value of a JSON field.
    pub(super) fn write_json(self, cell: &Cell, out: &mut Vec<u8>) -> Result<(), String> {
        match (self, cell) {
            (Self::Text | Self::Hex | Self::Number, Cell::Empty) => out.extend_from_slice(b"null"),
            (Self::Text | Self::Hex, Cell::Text(text)) => serde_json::to_writer(out, text).map_err(|error| error.to_string())?,
            (Self::Number, Cell::Number(number)) => serde_json::to_writer(out, number).map_err(|error| error.to_string())?,
            (Self::Json, Cell::Text(text)) => out.extend_from_slice(text.as_bytes()),
            (kind, cell) => return Err(format!("{cell:?} is not {kind:?}")),
        }
        Ok(())
    }
}
