//! What can go wrong below the trait, before it has a ledger's name on it.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::IllegalTransition;
use crate::ledger::LedgerError;

/// A failure inside a store's function.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite's own.
    Sql(rusqlite::Error),
    /// The file system's.
    Io(std::io::Error),
    /// Something that cannot be done, in our words.
    Failed(String),
    /// What is stored contradicts itself.
    Damaged(String),
    /// Another writer was quicker.
    Lost(InvoiceNumber),
    /// I6.
    Illegal(IllegalTransition),
    /// I11: the bill that was to get the code, and the one that has it.
    CodeTaken(InvoiceNumber, InvoiceNumber),
    /// A number that stands for another bill: the bill that was to get it, the number, and that bill.
    NumberTaken(InvoiceNumber, InvoiceNumber, InvoiceNumber),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    /// What it says, without the ledger's name.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Damaged(reason) | Self::Failed(reason) => reason.clone(),
            Self::Sql(error) => error.to_string(),
            Self::Io(error) => error.to_string(),
            Self::Lost(bill) => format!("another writer was quicker with bill `{bill}`"),
            Self::Illegal(illegal) => illegal.to_string(),
            Self::CodeTaken(bill, holder) => format!("bill `{bill}` was to get a code that bill `{holder}` has"),
            Self::NumberTaken(bill, number, other) => {
                format!("bill `{bill}` was to be known as `{number}`, which stands for bill `{other}`")
            }
        }
    }

    /// Whether the whole transaction is lost with it; otherwise only the call that met it fails.
    pub(super) const fn spoils_transaction(&self) -> bool {
        matches!(self, Self::Sql(_) | Self::Io(_) | Self::Failed(_))
    }
}

/// The ledger's path, for errors.
#[derive(Clone, Debug)]
pub(super) struct Place(Arc<Path>);

impl Place {
    /// The ledger at `path`.
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::from(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// How errors call it.
    pub(super) fn name(&self) -> String {
        self.0.display().to_string()
    }

    /// `reason` as an error of the disk or the database.
    pub(super) fn failed(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Storage { path: self.name(), reason: reason.into() }
    }

    /// `reason` as damage.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Damaged { path: self.name(), reason: reason.into() }
    }

    /// `fault` with this ledger's name.
    pub(super) fn error(&self, fault: Fault) -> LedgerError {
        match fault {
            Fault::Sql(error) if is_damage(&error) => self.damaged(error.to_string()),
            Fault::Sql(error) => self.failed(error.to_string()),
            Fault::Io(error) => self.failed(error.to_string()),
            Fault::Failed(reason) => self.failed(reason),
            Fault::Damaged(reason) => self.damaged(reason),
            Fault::Lost(invoice_number) => LedgerError::Lost { invoice_number },
            Fault::Illegal(illegal) => LedgerError::Illegal(illegal),
            Fault::CodeTaken(invoice_number, other) => LedgerError::CodeTaken { invoice_number, other },
            Fault::NumberTaken(invoice_number, number, other) => LedgerError::NumberTaken { invoice_number, number, other },
        }
    }
}

/// Whether SQLite says that the file, not the disk, is wrong.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    let is_other_schema = |words: &str| ["no such table", "no such column", "malformed JSON"].iter().any(|known| words.starts_with(known));
    if matches!(error, E::SqliteFailure(_, Some(words)) | E::SqlInputError { msg: words, .. } if is_other_schema(words)) {
        return true;
    }
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(error, E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) | E::Utf8Error(..))
}
