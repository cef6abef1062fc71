//! Cells: the kinds a carry has, and their way from and to the fields of a record. A carry has millions of rows, so nothing is made for a
//! single cell.

use std::io;

use polars::prelude::{
    ChunkedBuilder as _, Column, DataFrame, Int64Type, IntoColumn as _, IntoSeries as _, PrimitiveChunkedBuilder, StringChunkedBuilder,
};
use serde::Serialize;

use super::table::Table;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'c> {
    Empty,
    Text(&'c str),
    Number(i64),
}

/// A column that is filled.
enum Builder {
    Text(StringChunkedBuilder),
    Number(PrimitiveChunkedBuilder<Int64Type>),
}

/// Rows of a table, filled field by field.
pub(super) struct Rows {
    builders: Vec<Builder>,
    /// The column of the next field.
    next: usize,
    /// What a field is as JSON.
    json: Vec<u8>,
    row: RowDigest,
    csv: Option<csv::Writer<Vec<u8>>>,
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
    pub(super) fn take(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Empty => self.0.push(0),
            Cell::Text(text) => {
                self.0.push(1);
                self.0.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                self.0.extend(text.as_bytes());
            }
            Cell::Number(number) => {
                self.0.push(2);
                self.0.extend(number.to_be_bytes());
            }
        }
    }

    /// Ends the row.
    pub(super) fn end(&mut self) -> Digest {
        let digest = digest::of_bytes(&self.0);
        self.0.clear();
        digest
    }
}

impl Rows {
    pub(super) fn of(table: &Table) -> Self {
        let names = table.header().zip(table.kinds());
        let builder = |(name, kind): (&'static str, Kind)| match kind {
            Kind::Number => Builder::Number(PrimitiveChunkedBuilder::new(name.into(), 0)),
            Kind::Text | Kind::Hex | Kind::Json => Builder::Text(StringChunkedBuilder::new(name.into(), 0)),
        };
        Self {
            builders: names.map(builder).collect(),
            next: 0,
            json: Vec::new(),
            row: RowDigest::default(),
            csv: table.has_csv.then(|| csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new())),
            digests: Vec::new(),
            count: 0,
        }
    }

    fn put(&mut self, cell: &Cell<'_>) -> io::Result<()> {
        self.row.take(cell);
        match (self.builders.get_mut(self.next), cell) {
            (Some(Builder::Text(builder)), Cell::Text(text)) => builder.append_value(text),
            (Some(Builder::Text(builder)), Cell::Empty) => builder.append_null(),
            (Some(Builder::Number(builder)), Cell::Number(number)) => builder.append_value(*number),
            (Some(Builder::Number(builder)), Cell::Empty) => builder.append_null(),
            _ => return Err(io::Error::other(format!("{cell:?} is not of its column"))),
        }
        self.next = self.next.saturating_add(1);
        let Some(csv) = &mut self.csv else { return Ok(()) };
        match cell {
            Cell::Empty => csv.write_field("")?,
            Cell::Text(text) => csv.write_field(text)?,
            Cell::Number(number) => csv.write_field(number.to_string())?,
        }
        Ok(())
    }

    /// A field as JSON has it.
    fn written(&mut self, field: &impl Serialize) -> io::Result<Vec<u8>> {
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        serde_json::to_writer(&mut json, field)?;
        Ok(json)
    }

    pub(super) fn text(&mut self, field: &impl Serialize) -> io::Result<()> {
        let json = self.written(field)?;
        let done = match json.as_slice() {
            b"null" => self.put(&Cell::Empty),
            [b'"', text @ .., b'"'] if !text.contains(&b'\\') => self.put(&Cell::Text(str::from_utf8(text).map_err(io::Error::other)?)),
            text => self.put(&Cell::Text(&serde_json::from_slice::<String>(text)?)),
        };
        self.json = json;
        done
    }

    pub(super) fn number(&mut self, field: &impl Serialize) -> io::Result<()> {
        let json = self.written(field)?;
        let done = match json.as_slice() {
            b"null" => self.put(&Cell::Empty),
            number => self.put(&Cell::Number(serde_json::from_slice(number)?)),
        };
        self.json = json;
        done
    }

    pub(super) fn json(&mut self, field: &impl Serialize) -> io::Result<()> {
        let json = self.written(field)?;
        let done = self.put(&Cell::Text(str::from_utf8(&json).map_err(io::Error::other)?));
        self.json = json;
        done
    }

    /// A digest that a field has or may have.
    pub(super) fn hex(&mut self, digest: impl Into<Option<Digest>>) -> io::Result<()> {
        match digest.into() {
            None => self.put(&Cell::Empty),
            Some(digest) => self.put(&Cell::Text(&digest::hex(&digest))),
        }
    }

    /// Ends a row.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.digests.extend(self.row.end());
        (self.next, self.count) = (0, self.count.saturating_add(1));
        self.csv.as_mut().map_or(Ok(()), |csv| csv.write_record(None::<&[u8]>)).map_err(io::Error::from)
    }

    /// All of them, for Parquet; and as CSV, if people read the table.
    pub(super) fn finish(self) -> io::Result<(DataFrame, Vec<u8>)> {
        let csv = self.csv.map_or(Ok(Vec::new()), csv::Writer::into_inner).map_err(|error| io::Error::other(error.to_string()))?;
        let columns = self.builders.into_iter().map(|builder| match builder {
            Builder::Text(builder) => builder.finish().into_series().into_column(),
            Builder::Number(builder) => builder.finish().into_series().into_column(),
        });
        let frame = DataFrame::new_infer_height(columns.collect::<Vec<Column>>()).map_err(|error| io::Error::other(error.to_string()))?;
        Ok((frame, csv))
    }
}

impl Kind {
    /// Writes a cell as the value of a JSON field.
    pub(super) fn write_json(self, cell: &Cell<'_>, out: &mut Vec<u8>) -> Result<(), String> {
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
