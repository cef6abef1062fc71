//! Cells: the kinds a carry has, and their way from and to the fields of a record. A carry has millions of rows, so nothing is made for a
//! single cell.

use std::io;

use serde::Serialize;

use super::cell::word;
use crate::columns::parquet::{self, Frame};
use crate::columns::{self, Cells, Csv, Value};
use crate::domain::amount::Rupiah;
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

/// A column: its name, and what it holds.
pub(super) type Named = (&'static str, Kind);

/// Rows of a table, filled field by field.
pub(super) struct Rows {
    cells: parquet::ParquetRows,
    csv: Option<Csv<Vec<u8>>>,
    /// What a field is as a word, and as JSON.
    text: String,
    json: Vec<u8>,
    row: RowDigest,
    /// The digests of the rows, one after the other.
    pub(super) digests: Vec<u8>,
    /// How many rows.
    pub(super) count: u64,
}

/// A digest of a row that is put together cell by cell.
#[derive(Debug, Default)]
pub(super) struct RowDigest(Vec<u8>);

impl RowDigest {
    /// Takes the next cell.
    pub(super) fn take(&mut self, cell: &Value<'_>) -> io::Result<()> {
        if let Some(text) = cell.as_text() {
            self.0.push(1);
            self.0.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.0.extend(text.as_bytes());
        } else if let Some(number) = cell.as_number() {
            self.0.push(2);
            self.0.extend(number.to_be_bytes());
        } else if cell.is_empty() {
            self.0.push(0);
        } else {
            return Err(io::Error::other("a cell holds neither a text nor a whole number"));
        }
        Ok(())
    }

    /// Ends the row.
    pub(super) fn end(&mut self) -> Digest {
        let digest = digest::of_bytes(&self.0);
        self.0.clear();
        digest
    }
}

impl Rows {
    pub(super) fn of<'c>(columns: impl Iterator<Item = (&'c str, columns::ColumnKind)>, has_csv: bool) -> Self {
        Self {
            cells: parquet::ParquetRows::of(columns),
            csv: has_csv.then(|| Csv::new(Vec::new())),
            text: String::new(),
            json: Vec::new(),
            row: RowDigest::default(),
            digests: Vec::new(),
            count: 0,
        }
    }

    fn put(&mut self, kind: Kind, cell: &Value<'_>) -> io::Result<()> {
        self.row.take(cell)?;
        self.cells.cell(kind.written(), cell)?;
        self.csv.as_mut().map_or(Ok(()), |csv| csv.cell(kind.written(), cell))
    }

    /// A word, or nothing.
    pub(super) fn text(&mut self, field: &impl Serialize) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.text);
        let is_said = word(field, &mut text).map_err(io::Error::other)?;
        let done = if is_said { self.put(Kind::Text, &text.as_str().into()) } else { self.put(Kind::Text, &Value::Empty) };
        self.text = text;
        done
    }

    /// Rupiah, if there are any.
    pub(super) fn number(&mut self, field: impl Into<Option<Rupiah>>) -> io::Result<()> {
        self.put(Kind::Number, &field.into().into())
    }

    /// Whatever a field is, as JSON.
    pub(super) fn json(&mut self, field: &impl Serialize) -> io::Result<()> {
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        serde_json::to_writer(&mut json, field)?;
        let done = self.put(Kind::Json, &str::from_utf8(&json).map_err(io::Error::other)?.into());
        self.json = json;
        done
    }

    /// A digest that a field has or may have.
    pub(super) fn hex(&mut self, digest: impl Into<Option<Digest>>) -> io::Result<()> {
        let Some(digest) = digest.into() else { return self.put(Kind::Hex, &Value::Empty) };
        let mut digits = [0; 2 * size_of::<Digest>()];
        digest::write_hex(&digest, &mut digits);
        self.put(Kind::Hex, &str::from_utf8(&digits).map_err(io::Error::other)?.into())
    }

    /// Ends a row.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.digests.extend(self.row.end());
        self.count = self.count.saturating_add(1);
        self.cells.end()?;
        self.csv.as_mut().map_or(Ok(()), Cells::end)
    }

    /// All of them, for Parquet; and as CSV, if people read the table.
    pub(super) fn finish(self) -> io::Result<(Frame, Vec<u8>)> {
        Ok((self.cells.finish()?, self.csv.map(Csv::into_inner).unwrap_or_default()))
    }
}

impl Kind {
    /// As what it is written. Names that stand in a carry are other people's.
    pub(super) const fn written(self) -> columns::ColumnKind {
        match self {
            Self::Number => columns::ColumnKind::Rupiah,
            Self::Text | Self::Hex | Self::Json => columns::ColumnKind::Foreign,
        }
    }
}
