//! Why a file is no bank statement. Belongs here: the words. Must not be here: the checks.

use std::path::PathBuf;

use crate::domain::code::StableCode;
use crate::evidence::codes;
use crate::exit::{Exit, Explained, Explanation};
use crate::table::TableFault;

/// A refused statement (exit 7; see [`codes`]).
#[derive(Debug, thiserror::Error)]
#[error("{}: the bank statement `{}` {fault}\nhint: {}", self.code().id, .path.display(), self.code().remedy)]
pub struct BankError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub fault: TableFault,
}

impl Explained for BankError {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Input, self.code())
    }
}

impl BankError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> StableCode {
        match &self.fault {
            TableFault::Unreadable(_) => codes::BANK_UNREADABLE,
            TableFault::Empty | TableFault::ColumnMissing { .. } | TableFault::ColumnTwice { .. } => codes::BANK_COLUMN,
            other => other.code(),
        }
    }
}
