//! Why an external ledger cannot be read. Belongs here: the words. Must not be here: the checks.

use std::path::PathBuf;

use super::codes;
use crate::domain::code::StableCode;
use crate::domain::digest::Digest;
use crate::domain::reason::CellFault;
use crate::exit::{Exit, Explained, Explanation};
use crate::table;

/// Why an external ledger cannot be read (exit 7; see [`super::codes`]).
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// See [`super::codes::LEDGER_UNREADABLE`].
    #[error("E0720: the external ledger `{}` cannot be read: {reason}\nhint: check the path and the permissions, and export it again", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// It is no table that can be used: the table's own codes, and for columns [`super::codes::COLUMN_MISSING`].
    #[error("{}: the external ledger `{}` {fault}\nhint: {}", outer(fault).id, path.display(), fault.code().remedy)]
    Table {
        /// Which file.
        path: PathBuf,
        /// Why.
        fault: table::TableFault,
    },
    /// See [`super::codes::TOO_MANY_BILLS`].
    #[error("E0722: the external ledger holds more bills than one run can\nhint: split it by channel or by year")]
    TooMany,
}

impl Explained for ExternalError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Unreadable { .. } => Explanation::new(Exit::Input, codes::LEDGER_UNREADABLE),
            Self::Table { fault, .. } => Explanation::new(Exit::Input, outer(fault)),
            Self::TooMany => Explanation::new(Exit::Input, codes::TOO_MANY_BILLS),
        }
    }
}

/// The code of a fault as it has always been named for an external ledger.
const fn outer(fault: &table::TableFault) -> StableCode {
    match fault {
        table::TableFault::ColumnMissing { .. } => codes::COLUMN_MISSING,
        table::TableFault::Unreadable(_) => codes::LEDGER_UNREADABLE,
        other => other.code(),
    }
}

/// A row that is no bill (L10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedBill {
    /// SHA-256 over its cells.
    pub digest: Digest,
    /// The row of the file, from 1, the header included.
    pub row: u64,
    /// Where it starts in the file.
    pub byte: u64,
    /// Its invoice number, if it has a usable one.
    pub invoice_number: String,
    /// The column at fault.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: CellFault,
}
