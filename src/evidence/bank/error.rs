//! Why a file is no bank statement. Belongs here: the words. Must not be here: the checks.

use std::path::PathBuf;

use crate::domain::code::Code;
use crate::evidence::codes;
use crate::table::Fault;

/// A refused statement (exit 7; see [`codes`]).
#[derive(Debug, thiserror::Error)]
#[error("{}: the bank statement `{}` {fault}\nhint: {}", self.code().id, .path.display(), self.code().remedy)]
pub struct BankError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub fault: Fault,
}

impl BankError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match &self.fault {
            Fault::Unreadable(_) => codes::BANK_UNREADABLE,
            Fault::Empty | Fault::ColumnMissing { .. } | Fault::ColumnTwice { .. } => codes::BANK_COLUMN,
            other => other.code(),
        }
    }
}
