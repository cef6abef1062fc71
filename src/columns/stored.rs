//! Tables read back from Parquet: whole, or group by group so that none stands in memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{AnyValue, DataFrame, DataType};
use polars_io::SerReader as _;
use polars_io::mmap::MmapBytesReader;
use polars_io::parquet::metadata::FileMetadataRef;
use polars_io::parquet::read::{ParallelStrategy, ParquetReader};

use super::pages;
use super::parquet::into_io;
use super::value::Value;
use super::vouched::{self, Vouched};
use crate::domain::digest::Digest;

/// What a file from elsewhere can do to its parser is not ours to vouch for: it must refuse the file, not end the run.
fn parsed<R: MmapBytesReader + 'static>(reader: ParquetReader<R>) -> io::Result<Stored> {
    let read = catch_unwind(AssertUnwindSafe(|| reader.finish()));
    read.map_err(|_| damaged())?.map(Stored).map_err(into_io)
}

fn damaged() -> io::Error {
    io::Error::other("the inside of the table is damaged")
}

/// Rows that are read at once, where a group has more.
const SLICE: usize = 1 << 16;

/// A file of ours that is read group by group, so that no table stands in memory whole.
#[derive(Debug)]
pub struct Slices<'f> {
    file: &'f Vouched,
    metadata: FileMetadataRef,
    /// Where those begin that were not read yet, and how many rows each has.
    left: VecDeque<(usize, usize)>,
}

impl<'f> Slices<'f> {
    /// None was read yet.
    ///
    /// # Errors
    /// That it is no Parquet.
    pub fn of(file: &'f Vouched) -> io::Result<Self> {
        let mut reader = ParquetReader::new(file.file().try_clone()?);
        let metadata = catch_unwind(AssertUnwindSafe(|| reader.get_metadata().cloned())).map_err(|_| damaged())?.map_err(into_io)?;
        let (mut left, mut from) = (VecDeque::new(), 0_usize);
        for group in &metadata.row_groups {
            let mut rows = group.num_rows();
            while rows > 0 {
                let some = rows.min(SLICE);
                left.push_back((from, some));
                (from, rows) = (from.saturating_add(some), rows.saturating_sub(some));
            }
        }
        // Of a table without rows the columns are seen all the same.
        if left.is_empty() {
            left.push_back((0, 0));
        }
        Ok(Self { file, metadata, left })
    }

    /// The next rows, if there are any.
    ///
    /// # Errors
    /// That they cannot be read.
    pub fn take(&mut self) -> io::Result<Option<Stored>> {
        let Some(slice) = self.left.pop_front() else { return Ok(None) };
        let mut reader = ParquetReader::new(self.file.file().try_clone()?).with_slice(Some(slice));
        reader.set_metadata(FileMetadataRef::clone(&self.metadata));
        parsed(reader).map(Some)
    }
}

/// A table that was read.
#[derive(Debug)]
pub struct Stored(DataFrame);

/// The cells of a column, one after the other.
enum StoredCells<'s> {
    Text(Box<dyn Iterator<Item = Option<&'s str>> + 's>),
    Number(Box<dyn Iterator<Item = Option<i64>> + 's>),
    Bytes(Box<dyn Iterator<Item = Option<&'s [u8]>> + 's>),
}

impl<'s> StoredCells<'s> {
    fn of(column: &'s polars::prelude::Column) -> io::Result<Self> {
        match column.dtype() {
            DataType::String => Ok(Self::Text(Box::new(column.str().map_err(into_io)?.iter()))),
            DataType::Int64 => Ok(Self::Number(Box::new(column.i64().map_err(into_io)?.iter()))),
            DataType::Binary => Ok(Self::Bytes(Box::new(column.binary().map_err(into_io)?.iter()))),
            other => Err(io::Error::other(format!("`{}` holds {other}", column.name()))),
        }
    }

    /// The next cell; there is one for each row.
    fn next(&mut self) -> Value<'s> {
        match self {
            Self::Text(texts) => texts.next().flatten().into(),
            Self::Number(numbers) => numbers.next().flatten().into(),
            Self::Bytes(bytes) => bytes.next().flatten().map_or(Value::Empty, Value::digest),
        }
    }
}

impl Stored {
    /// Reads a file of somebody else's, of whose bytes nobody can say what they should be.
    ///
    /// # Errors
    /// That it is no Parquet, or cannot be read.
    pub fn foreign(file: File) -> io::Result<Self> {
        let pages_of = file.try_clone()?;
        let mut reader = ParquetReader::new(file);
        let are_believable = || pages::are_believable(&pages_of, reader.get_metadata().map_err(into_io)?);
        if catch_unwind(AssertUnwindSafe(are_believable)).map_err(|_| damaged())?? { parsed(reader) } else { Err(damaged()) }
    }

    /// Reads a file of ours.
    ///
    /// # Errors
    /// That it is no Parquet, or cannot be read.
    pub fn read(file: &Vouched) -> io::Result<Self> {
        parsed(ParquetReader::new(file.file().try_clone()?))
    }

    /// Reads a file of ours whose bytes these are, on this thread alone: for those who read many.
    ///
    /// # Errors
    /// That they are not those of `sha256`; that it is no Parquet.
    pub fn of_bytes(bytes: Vec<u8>, sha256: &Digest) -> io::Result<Self> {
        vouched::check(&bytes, sha256)?;
        parsed(ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None))
    }

    /// It, as about `count` tables of rows that follow one another.
    pub fn pieces(&self, count: usize) -> impl Iterator<Item = Self> + '_ {
        let (height, size) = (self.height(), self.height().div_ceil(count.max(1)).max(1));
        let starts = std::iter::successors(Some(0), move |start: &usize| start.checked_add(size).filter(|start| *start < height));
        starts.map(move |start| Self(self.0.slice(i64::try_from(start).unwrap_or(i64::MAX), size)))
    }

    /// Hands on row by row.
    ///
    /// # Errors
    /// That a column holds neither texts, whole numbers nor digests; what `take` ends with.
    pub fn each_row(&self, mut take: impl FnMut(&[Value<'_>]) -> io::Result<()>) -> io::Result<()> {
        let mut columns: Vec<StoredCells<'_>> = self.0.columns().iter().map(StoredCells::of).collect::<io::Result<_>>()?;
        let mut row = Vec::with_capacity(columns.len());
        for _ in 0..self.0.height() {
            row.clear();
            row.extend(columns.iter_mut().map(StoredCells::next));
            take(&row)?;
        }
        Ok(())
    }

    /// All of a column of whole numbers or instants.
    ///
    /// # Errors
    /// That there is no such column.
    pub fn numbers(&self, name: &str) -> io::Result<Vec<Option<i64>>> {
        Ok(self.0.column(name).and_then(polars::prelude::Column::i64).map_err(into_io)?.iter().collect())
    }

    /// All of a column of texts.
    ///
    /// # Errors
    /// That there is no such column.
    pub fn texts(&self, name: &str) -> io::Result<Vec<Option<&str>>> {
        Ok(self.0.column(name).and_then(polars::prelude::Column::str).map_err(into_io)?.iter().collect())
    }

    /// All of a column of digests.
    ///
    /// # Errors
    /// That there is no such column.
    pub fn digests(&self, name: &str) -> io::Result<Vec<Option<&[u8]>>> {
        Ok(self.0.column(name).and_then(polars::prelude::Column::binary).map_err(into_io)?.iter().collect())
    }

    /// The names of its columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.columns().iter().map(|column| column.name().as_str())
    }

    /// Where the columns of these names stand.
    ///
    /// # Errors
    /// That one is missing.
    pub fn places<const COUNT: usize>(&self, names: [&str; COUNT]) -> io::Result<[usize; COUNT]> {
        let mut places = [0; COUNT];
        for (place, name) in places.iter_mut().zip(names) {
            let found = self.names().position(|one| one == name);
            *place = found.ok_or_else(|| io::Error::other(format!("it has no column `{name}`")))?;
        }
        Ok(places)
    }

    /// How many rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.0.height()
    }

    /// A cell; whatever is no text, whole number or digest, as text.
    ///
    /// # Errors
    /// That there is none.
    pub fn cell(&self, row: usize, column: usize) -> io::Result<Value<'_>> {
        let column = self.0.columns().get(column).ok_or_else(|| io::Error::other("a row has fewer cells"))?;
        Ok(match column.get(row).map_err(into_io)? {
            AnyValue::Null => Value::Empty,
            AnyValue::String(text) => text.into(),
            AnyValue::StringOwned(text) => text.to_string().into(),
            AnyValue::Int64(number) => number.into(),
            AnyValue::Binary(bytes) => Value::digest(bytes),
            AnyValue::BinaryOwned(bytes) => Value::Digest(bytes.into()),
            other => other.to_string().into(),
        })
    }
}
