//! Why whole files are refused. Belongs here: the words. Must not be here: the checks; rows are `RefusedRow`'s.

use std::fmt;
use std::path::PathBuf;

use super::codes;
use crate::domain::code::Code;

/// One or more files were refused, so nothing of the input is used (exit 7). Every refused file is listed, in the order given.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct IntakeError(pub Vec<RefusedFile>);

/// One refused file.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {fault} [{}]\nhint: {}", .file.display(), .fault.code(), .fault.code().remedy)]
pub struct RefusedFile {
    /// Which file, as it was named.
    pub file: PathBuf,
    /// Why.
    pub fault: Fault,
}

/// Where in a file: lines count from 1, bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The line, from 1.
    pub line: u64,
    /// The byte from the beginning of the file, from 0.
    pub byte: u64,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}", self.line, self.byte)
    }
}

/// Why a whole file is refused.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is UTF-16.
    #[error("is encoded as {0}, tagih reads UTF-8")]
    Utf16(&'static str),
    /// It has bytes that are not UTF-8.
    #[error("is not UTF-8 at {spot}: byte {found:#04x}, probably {likely}")]
    NotUtf8 {
        /// Where.
        spot: Spot,
        /// The byte.
        found: u8,
        /// The encoding it probably is.
        likely: &'static str,
    },
    /// It has a null byte.
    #[error("holds a null byte at {0}")]
    Nul(Spot),
    /// There is nothing in it.
    #[error("is empty: not even a header")]
    Empty,
    /// Its header can be split in several ways.
    #[error("has a header that can be split in more than one way, by {0}")]
    Delimiter(String),
    /// It lacks columns.
    #[error("lacks {missing}; {found}")]
    ColumnMissing {
        /// What is missing.
        missing: String,
        /// What is there.
        found: String,
    },
    /// Two of its columns mean the same.
    #[error("has `{column}` twice: columns {first} and {second}")]
    ColumnTwice {
        /// Which.
        column: String,
        /// The first one's position, from 1.
        first: usize,
        /// The other one's position.
        second: usize,
    },
    /// A quote is never closed.
    #[error("has a quote that is never closed, in row {row}, which starts on line {line}")]
    QuoteOpen {
        /// The record's number; the header is 1.
        row: u64,
        /// The line it starts on.
        line: u64,
    },
    /// A record is over the limit.
    #[error("has a record of more than {limit} bytes: row {row}, which starts on line {line}")]
    RecordTooLarge {
        /// The record's number; the header is 1.
        row: u64,
        /// The line it starts on.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// Too many columns.
    #[error("has {count} columns, at most {limit} are allowed")]
    ColumnsTooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Too many rows.
    #[error("has more than {0} rows")]
    RowsTooMany(u64),
    /// Too many bytes.
    #[error("has more than {0} bytes")]
    TooLarge(u64),
    /// The template needs a cycle and none was given.
    #[error("has no invoice numbers of its own, and the template `{0}` needs `--cycle`")]
    CycleMissing(String),
    /// The template cannot be used.
    #[error("has no invoice numbers of its own, and the template `{template}` cannot be used: {reason}")]
    Template {
        /// The template.
        template: String,
        /// Why not.
        reason: String,
    },
    /// The mapping names a column that does not exist.
    #[error("cannot be mapped: `{name}` in `intake.columns` is not a column of tagih{suggestion}")]
    Mapping {
        /// The name.
        name: String,
        /// `, did you mean …`, or nothing.
        suggestion: String,
    },
}

impl Fault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unreadable(_) => codes::FILE_UNREADABLE,
            Self::Utf16(_) => codes::FILE_UTF16,
            Self::NotUtf8 { .. } => codes::FILE_NOT_UTF8,
            Self::Nul(_) => codes::FILE_NUL,
            Self::Empty => codes::FILE_EMPTY,
            Self::Delimiter(_) => codes::FILE_DELIMITER,
            Self::ColumnMissing { .. } => codes::COLUMN_MISSING,
            Self::ColumnTwice { .. } => codes::COLUMN_TWICE,
            Self::QuoteOpen { .. } => codes::QUOTE_OPEN,
            Self::RecordTooLarge { .. } => codes::RECORD_TOO_LARGE,
            Self::ColumnsTooMany { .. } => codes::COLUMNS_TOO_MANY,
            Self::RowsTooMany(_) => codes::ROWS_TOO_MANY,
            Self::TooLarge(_) => codes::FILE_TOO_LARGE,
            Self::CycleMissing(_) => codes::CYCLE_MISSING,
            Self::Template { .. } => codes::TEMPLATE,
            Self::Mapping { .. } => codes::MAPPING,
        }
    }
}
