//! Parquet, Snappy-compressed, written group by group so that no table stands in memory whole.

use std::io::{self, Write};

use polars::prelude::{
    BinaryChunkedBuilder, ChunkedBuilder as _, DataFrame, Int64Type, IntoColumn as _, IntoSeries as _, PolarsError,
    PrimitiveChunkedBuilder, StringChunkedBuilder,
};
use polars_io::parquet::write::{BatchedWriter, KeyValueMetadata, ParquetCompression, ParquetWriter};

use super::column::{Cells, Column, ColumnKind, not_of_its_column};
use super::value::Value;

/// Rows written as one group.
const GROUP: usize = 1 << 14;

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}

/// A column that is filled.
enum Builder {
    Text(StringChunkedBuilder),
    Number(PrimitiveChunkedBuilder<Int64Type>),
    Bytes(BinaryChunkedBuilder),
    /// Not in Parquet.
    Left,
}

impl Builder {
    fn of(name: &str, kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text | ColumnKind::Foreign | ColumnKind::Date | ColumnKind::List => {
                Self::Text(StringChunkedBuilder::new(name.into(), 0))
            }
            ColumnKind::Count | ColumnKind::Rupiah => Self::Number(PrimitiveChunkedBuilder::new(name.into(), 0)),
            ColumnKind::Instant => Self::Number(PrimitiveChunkedBuilder::new(format!("{name}_us").into(), 0)),
            ColumnKind::Digest => Self::Bytes(BinaryChunkedBuilder::new(name.into(), 0)),
            ColumnKind::Json => Self::Left,
        }
    }

    fn finish(self) -> Option<polars::prelude::Column> {
        Some(match self {
            Self::Text(builder) => builder.finish().into_series().into_column(),
            Self::Number(builder) => builder.finish().into_series().into_column(),
            Self::Bytes(builder) => builder.finish().into_series().into_column(),
            Self::Left => return None,
        })
    }
}

/// Rows in memory, column by column.
pub struct ParquetRows {
    builders: Vec<Builder>,
    /// The column of the next cell.
    next: usize,
    height: usize,
    /// A text that had to be made.
    made: String,
}

impl std::fmt::Debug for ParquetRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows", self.height)
    }
}

/// Rows that were made, for [`Groups::put`].
#[derive(Clone, Debug)]
pub struct Frame(DataFrame);

impl ParquetRows {
    /// None yet, of columns of these names and kinds.
    pub fn of<'c>(columns: impl Iterator<Item = (&'c str, ColumnKind)>) -> Self {
        let builders = columns.map(|(name, kind)| Builder::of(name, kind)).collect();
        Self { builders, next: 0, height: 0, made: String::new() }
    }

    /// All of them.
    ///
    /// # Errors
    /// That a row has not a cell for each column.
    pub fn finish(self) -> io::Result<Frame> {
        DataFrame::new_infer_height(self.builders.into_iter().filter_map(Builder::finish).collect()).map(Frame).map_err(into_io)
    }
}

impl Cells for ParquetRows {
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()> {
        let Some(builder) = self.builders.get_mut(self.next) else { return Err(not_of_its_column(kind, value)) };
        self.next = self.next.saturating_add(1);
        match (builder, value) {
            (Builder::Text(builder), Value::Empty) => builder.append_null(),
            (Builder::Text(builder), Value::Text(_) | Value::Shown(_) | Value::Date(_) | Value::List(_)) => {
                builder.append_value(value.text(&mut self.made).map_err(io::Error::other)?);
            }
            (Builder::Number(builder), Value::Empty) => builder.append_null(),
            (Builder::Number(builder), Value::Number(number)) => builder.append_value(i64::try_from(*number).map_err(io::Error::other)?),
            (Builder::Number(builder), Value::Instant(at)) if kind == ColumnKind::Instant => builder.append_value(at.as_microsecond()),
            (Builder::Bytes(builder), Value::Empty) => builder.append_null(),
            (Builder::Bytes(builder), Value::Digest(bytes)) => builder.append_value(bytes.as_ref()),
            (Builder::Left, _) => {}
            (_, value) => return Err(not_of_its_column(kind, value)),
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        (self.next, self.height) = (0, self.height.saturating_add(1));
        Ok(())
    }
}

/// A table on its way into a file.
pub struct Groups<W: Write> {
    batches: BatchedWriter<W>,
    columns: Vec<(String, ColumnKind)>,
    /// Rows that are no frame yet.
    rows: ParquetRows,
    /// Rows that do not fill a group yet.
    waiting: DataFrame,
}

impl<W: Write> std::fmt::Debug for Groups<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl<W: Write> Groups<W> {
    /// Begins the file of a table with `columns`.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin<Row>(out: W, columns: &[Column<'_, Row>]) -> io::Result<Self> {
        Self::of(out, columns.iter().map(|column| (column.name(), column.kind())))
    }

    /// Begins the file of a table with columns of these names and kinds.
    ///
    /// # Errors
    /// The writer's.
    pub fn of<'c>(out: W, columns: impl Iterator<Item = (&'c str, ColumnKind)>) -> io::Result<Self> {
        Self::noted(out, columns, ParquetCompression::Snappy, None)
    }

    /// Begins a file that is kept for long: compressed with zstd, and saying `notes` of itself in its metadata.
    ///
    /// # Errors
    /// The writer's.
    pub fn lasting<Row>(out: W, columns: &[Column<'_, Row>], notes: Vec<(String, String)>) -> io::Result<Self> {
        let columns = columns.iter().map(|column| (column.name(), column.kind()));
        Self::noted(out, columns, ParquetCompression::Zstd(None), Some(KeyValueMetadata::from_static(notes)))
    }

    fn noted<'c>(
        out: W,
        columns: impl Iterator<Item = (&'c str, ColumnKind)>,
        compression: ParquetCompression,
        notes: Option<KeyValueMetadata>,
    ) -> io::Result<Self> {
        let columns: Vec<(String, ColumnKind)> = columns.map(|(name, kind)| (name.to_owned(), kind)).collect();
        let Frame(waiting) = rows_of(&columns).finish()?;
        let writer = ParquetWriter::new(out).with_compression(compression).with_key_value_metadata(notes);
        Ok(Self { batches: writer.batched(waiting.schema()).map_err(into_io)?, rows: rows_of(&columns), columns, waiting })
    }

    /// Writes rows that were made elsewhere.
    ///
    /// # Errors
    /// The writer's.
    pub fn put(&mut self, Frame(rows): &Frame) -> io::Result<()> {
        self.waiting.vstack_mut(rows).map_err(into_io)?;
        if self.waiting.height() >= GROUP { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        let empty = self.waiting.clear();
        let mut group = std::mem::replace(&mut self.waiting, empty);
        group.rechunk_mut();
        self.batches.write_batch(&group).map_err(into_io)
    }

    fn take_rows(&mut self) -> io::Result<()> {
        let empty = rows_of(&self.columns);
        let rows = std::mem::replace(&mut self.rows, empty).finish()?;
        self.put(&rows)
    }

    /// Writes what is left, and the end.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self) -> io::Result<()> {
        self.take_rows()?;
        if self.waiting.height() > 0 {
            self.write()?;
        }
        self.batches.finish().map(drop).map_err(into_io)
    }
}

fn rows_of(columns: &[(String, ColumnKind)]) -> ParquetRows {
    ParquetRows::of(columns.iter().map(|(name, kind)| (name.as_str(), *kind)))
}

impl<W: Write> Cells for Groups<W> {
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()> {
        self.rows.cell(kind, value)
    }

    fn end(&mut self) -> io::Result<()> {
        self.rows.end()?;
        if self.rows.height >= GROUP { self.take_rows() } else { Ok(()) }
    }
}
