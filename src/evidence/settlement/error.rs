//! Why a settlement file is refused. Belongs here: the words. Must not be here: the checks.

use std::path::PathBuf;

use crate::domain::code::StableCode;
use crate::evidence::codes;
use crate::exit::{Exit, Explained, Explanation};

/// A refused settlement file (exit 7; see [`codes`]).
#[derive(Debug, thiserror::Error)]
#[error("{}: the settlement file `{}` {fault}\nhint: {}", .fault.code().id, .path.display(), .fault.code().remedy)]
pub struct SettlementError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub fault: SettlementFault,
}

impl Explained for SettlementError {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Input, self.fault.code())
    }
}

/// Why a whole file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettlementFault {
    /// See [`codes::SETTLEMENT_UNREADABLE`].
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// See [`codes::SETTLEMENT_NONE`].
    #[error("is no settlement report: {0}")]
    NoReport(&'static str),
    /// See [`crate::table::codes`].
    #[error("{0}")]
    Table(crate::table::TableFault),
    /// See [`codes::SETTLEMENT_COLUMN`].
    #[error("has no column {columns} in row {row}; {found}")]
    ColumnMissing {
        /// Which columns, and what may be meant.
        columns: String,
        /// What there is.
        found: String,
        /// The header's row.
        row: u64,
    },
    /// See [`codes::SETTLEMENT_COLUMN`].
    #[error("has the column `{column}` twice in row {row}: columns {first} and {second}")]
    ColumnTwice {
        /// Which column.
        column: &'static str,
        /// The first one's position, from 1.
        first: usize,
        /// The other one's position.
        second: usize,
        /// The header's row.
        row: u64,
    },
    /// See [`codes::SETTLEMENT_TOTAL`].
    #[error("has a total that is no plain integer: `{label}` in row {row} is `{value}`")]
    Total {
        /// Which total.
        label: String,
        /// What stands there.
        value: String,
        /// Where.
        row: u64,
    },
}

impl SettlementFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> StableCode {
        match self {
            Self::Unreadable(_) => codes::SETTLEMENT_UNREADABLE,
            Self::NoReport(_) => codes::SETTLEMENT_NONE,
            Self::Table(fault) => fault.code(),
            Self::ColumnMissing { .. } | Self::ColumnTwice { .. } => codes::SETTLEMENT_COLUMN,
            Self::Total { .. } => codes::SETTLEMENT_TOTAL,
        }
    }
}
