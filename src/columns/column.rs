//! A column of a table of ours: what it is called, what it holds, and how its value is had from a row; and what takes a row's cells.
//!
//! Must not be here: a format; each of those takes cells.

use std::borrow::Cow;
use std::io;

use super::value::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words, names and ids of ours.
    Text,
    /// Text that somebody else wrote: made harmless where a spreadsheet may read it.
    Foreign,
    /// How many.
    Count,
    /// Whole rupiah, with the sign they have in a sum.
    Rupiah,
    /// A WIB day.
    Date,
    /// An instant: as text WIB to the second, in Parquet microseconds since 1970 under a name that ends with `_us`.
    Instant,
    /// A digest: as text its hexadecimal digits, in Parquet its bytes.
    Digest,
    /// Several words: joined by `;` except in JSON.
    List,
    /// What has parts of its own, as JSON: in JSON Lines only, and only where there is one.
    Json,
}

impl ColumnKind {
    /// What its values are called, for who says that something else stands there.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "texts",
            Self::Foreign => "texts from outside",
            Self::Count => "counts",
            Self::Rupiah => "rupiah",
            Self::Date => "days",
            Self::Instant => "instants",
            Self::Digest => "digests",
            Self::List => "lists",
            Self::Json => "JSON",
        }
    }
}

/// How a column's value is had from a row.
enum Of<Row> {
    Row(for<'r> fn(&'r Row) -> Value<'r>),
    /// Of several columns that differ by their number alone.
    Numbered(for<'r> fn(&'r Row, usize) -> Value<'r>, usize),
}

/// One column of a table whose rows are made from a `Row`.
pub struct Column<'n, Row> {
    name: Cow<'n, str>,
    kind: ColumnKind,
    of: Of<Row>,
}

impl<Row> std::fmt::Debug for Column<'_, Row> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.name, self.kind)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)*) => {
        impl<Row> Column<'_, Row> {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(name: &'static str, of: for<'r> fn(&'r Row) -> Value<'r>) -> Self {
                    Self { name: Cow::Borrowed(name), kind: ColumnKind::$kind, of: Of::Row(of) }
                }
            )*
        }
    };
}

kinds! {
    /// A column of [`ColumnKind::Text`].
    text Text;
    /// A column of [`ColumnKind::Foreign`].
    foreign Foreign;
    /// A column of [`ColumnKind::Count`].
    count Count;
    /// A column of [`ColumnKind::Rupiah`].
    rupiah Rupiah;
    /// A column of [`ColumnKind::Date`].
    date Date;
    /// A column of [`ColumnKind::Instant`].
    instant Instant;
    /// A column of [`ColumnKind::Digest`].
    digest Digest;
    /// A column of [`ColumnKind::List`].
    list List;
    /// A column of [`ColumnKind::Json`].
    json Json;
}

impl<'n, Row> Column<'n, Row> {
    /// One of several columns of `kind` that `of` tells apart by their number.
    pub fn numbered(name: impl Into<Cow<'n, str>>, kind: ColumnKind, of: for<'r> fn(&'r Row, usize) -> Value<'r>, number: usize) -> Self {
        Self { name: name.into(), kind, of: Of::Numbered(of, number) }
    }

    /// What it is called in files.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Its value of `row`.
    pub fn value<'r>(&self, row: &'r Row) -> Value<'r> {
        match &self.of {
            Of::Row(of) => of(row),
            Of::Numbered(of, number) => of(row, *number),
        }
    }
}

/// The names of `columns` in their order.
pub fn names<'c, Row>(columns: &'c [Column<'_, Row>]) -> impl Iterator<Item = &'c str> {
    columns.iter().map(Column::name)
}

/// The names of those that stand in rows of plain cells.
pub(super) fn plain_names<'c, Row>(columns: &'c [Column<'_, Row>]) -> impl Iterator<Item = &'c str> {
    columns.iter().filter(|column| column.kind != ColumnKind::Json).map(Column::name)
}

/// A table on its way in some format, cell by cell.
pub trait Cells {
    /// Takes the next cell of a row, whose column is of `kind`.
    ///
    /// # Errors
    /// That it cannot be written, or that its column holds no such values.
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()>;

    /// Ends a row.
    ///
    /// # Errors
    /// That it cannot be written.
    fn end(&mut self) -> io::Result<()>;

    /// Takes a whole row.
    ///
    /// # Errors
    /// That it cannot be written.
    fn row<Row>(&mut self, columns: &[Column<'_, Row>], row: &Row) -> io::Result<()> {
        columns.iter().try_for_each(|column| self.cell(column.kind, &column.value(row)))?;
        self.end()
    }
}

/// What a format says of a cell that it cannot have there.
pub(super) fn not_of_its_column(kind: ColumnKind, value: &Value<'_>) -> io::Error {
    io::Error::other(format!("a column of {} holds {}", kind.name(), value.what()))
}
