//! Why a file is no table that can be used. Belongs here: the words. Must not be here: the checks.

use std::fmt;

use super::codes;
use crate::domain::code::StableCode;
use crate::domain::language::{Language, Say as _};
use crate::domain::reason::{Encoding, Wrong};

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

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is something else.
    #[error("is no table: it is {0}")]
    OtherKind(&'static str),
    /// It is UTF-16.
    #[error("is encoded as {0}, tagih reads UTF-8")]
    Utf16(&'static str),
    /// It has bytes that are not UTF-8.
    #[error("is not UTF-8 at {spot}: byte {found:#04x}, probably {}", Encoding::of(*found).told(Language::English))]
    NotUtf8 {
        /// Where.
        spot: Spot,
        /// The byte.
        found: u8,
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
        /// What is missing, and what may be meant.
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
    /// A quote is where none may be.
    #[error("has a stray quote in row {row}, which starts on line {line}: {wrong}")]
    Quote {
        /// The record's number; the header is 1.
        row: u64,
        /// The line it starts on.
        line: u64,
        /// In which way.
        wrong: Wrong,
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
    /// A sheet that is not there.
    #[error("has no sheet {0}")]
    Sheet(String),
}

impl TableFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> StableCode {
        match self {
            Self::Unreadable(_) => codes::FILE_UNREADABLE,
            Self::OtherKind(_) => codes::FILE_KIND,
            Self::Utf16(_) => codes::FILE_UTF16,
            Self::NotUtf8 { .. } => codes::FILE_NOT_UTF8,
            Self::Nul(_) => codes::FILE_NUL,
            Self::Empty => codes::FILE_EMPTY,
            Self::Delimiter(_) => codes::FILE_DELIMITER,
            Self::ColumnMissing { .. } => codes::COLUMN_MISSING,
            Self::ColumnTwice { .. } => codes::COLUMN_TWICE,
            Self::Quote { .. } => codes::QUOTE_OPEN,
            Self::RecordTooLarge { .. } => codes::RECORD_TOO_LARGE,
            Self::ColumnsTooMany { .. } => codes::COLUMNS_TOO_MANY,
            Self::RowsTooMany(_) => codes::ROWS_TOO_MANY,
            Self::TooLarge(_) => codes::FILE_TOO_LARGE,
            Self::Sheet(_) => codes::SHEET,
        }
    }
}
