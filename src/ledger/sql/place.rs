//! Faults with the name of their ledger on them.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

use super::fault::Fault;
use crate::ledger::LedgerError;

/// Where a ledger is, for errors: a file, or a server's address.
#[derive(Clone, Debug)]
pub(in crate::ledger) struct Place {
    path: Arc<Path>,
    is_still: bool,
}

impl Place {
    /// The ledger at `path`.
    pub(in crate::ledger) fn new(path: &Path) -> Self {
        Self { path: Arc::from(path), is_still: false }
    }

    /// A copy at `path` that nobody uses: it can be read without anything being written beside it.
    pub(in crate::ledger) fn still(path: &Path) -> Self {
        Self { path: Arc::from(path), is_still: true }
    }

    /// Whether nothing changes it while it is read.
    pub(in crate::ledger) const fn is_still(&self) -> bool {
        self.is_still
    }

    /// Where it is.
    pub(in crate::ledger) fn path(&self) -> &Path {
        &self.path
    }

    /// How errors call it.
    pub(in crate::ledger) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// `reason` as an error of the disk or the database.
    pub(in crate::ledger) fn failed(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Storage { path: self.name(), reason: reason.into() }
    }

    /// `reason` as damage.
    pub(in crate::ledger) fn damaged(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Damaged { path: self.name(), reason: reason.into() }
    }

    /// `fault` with this ledger's name.
    pub(in crate::ledger) fn error(&self, fault: Fault) -> LedgerError {
        match fault {
            // All SQL is ours, so what does not go with it is the tables; its text would tell nobody anything.
            Fault::Sql(rusqlite::Error::SqlInputError { msg, .. }) => {
                self.damaged(format!("its tables are not those of its schema: {msg}"))
            }
            Fault::Sql(error) if is_damage(&error) => self.damaged(error.to_string()),
            Fault::Sql(error) => self.failed(error.to_string()),
            Fault::Postgres(error) if is_unreachable(&error) => LedgerError::Unreachable { path: self.name(), reason: in_words(&error) },
            Fault::Postgres(error) if is_unreadable(&error) => self.damaged(in_words(&error)),
            Fault::Postgres(error) => self.failed(in_words(&error)),
            Fault::Unreachable(reason) => LedgerError::Unreachable { path: self.name(), reason },
            Fault::Io(error) => self.failed(error.to_string()),
            Fault::Failed(reason) => self.failed(reason),
            Fault::Damaged(reason) => self.damaged(reason),
            Fault::LeaseLost => LedgerError::LeaseLost { path: self.name() },
            Fault::Lost(invoice_number) => LedgerError::Lost { invoice_number },
            Fault::Busy(invoice_number, holder) => LedgerError::Busy { invoice_number, holder },
            Fault::Illegal(illegal) => LedgerError::Illegal(illegal),
            Fault::CodeTaken(invoice_number, other) => LedgerError::CodeTaken { invoice_number, other },
            Fault::NumberTaken(invoice_number, number, other) => LedgerError::NumberTaken { invoice_number, number, other },
        }
    }
}

/// How SQLite begins to say, of SQL that is ours, that the tables are not; the second half while they are migrated.
const OTHER_SCHEMA: [&str; 8] = [
    "no such table",
    "no such column",
    "malformed JSON",
    "no such index",
    "duplicate column name",
    "there is already another",
    // Of a sum: what is in our tables adds up.
    "integer overflow",
    "cannot store REAL value in INTEGER column",
];

/// Whether SQLite says that the file, not the disk, is wrong.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    let is_other_schema = |words: &str| OTHER_SCHEMA.iter().any(|known| words.starts_with(known));
    if matches!(error, E::SqliteFailure(_, Some(words)) if is_other_schema(words)) {
        return true;
    }
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(error, E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) | E::Utf8Error(..))
}

/// Whether a cell is not what its column is for, or no number of ours (class 22).
fn is_unreadable(error: &tokio_postgres::Error) -> bool {
    if error.code().is_some_and(|code| code.code().starts_with("22")) {
        return true;
    }
    let words = error.to_string();
    words.starts_with("error deserializing") || words.starts_with("invalid column")
}

/// Whether PostgreSQL could not be asked: it is not there, is going, or refused us; nothing is said of what it holds.
pub(in crate::ledger) fn is_unreachable(error: &tokio_postgres::Error) -> bool {
    let Some(told) = error.as_db_error() else {
        // What it sends and we cannot read is another matter.
        return error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>) || is_of_connecting(error);
    };
    let code = told.code();
    // Classes 08, 28, 3D, 53 and 57: connection, login, no such database, no room, an operator's doing.
    let class = code.code().get(..2).unwrap_or_default();
    *code != SqlState::QUERY_CANCELED && ["08", "28", "3D", "53", "57"].contains(&class)
}

/// Whether it is one of the errors that only connecting has; they have no kind of their own in public.
fn is_of_connecting(error: &tokio_postgres::Error) -> bool {
    let words = error.to_string();
    ["error connecting", "error performing TLS", "timeout waiting", "authentication error", "invalid configuration", "connection closed"]
        .iter()
        .any(|known| words.starts_with(known))
}

/// What went wrong, with its causes.
pub(in crate::ledger) fn in_words(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        let detail = told.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let room = if *told.code() == SqlState::TOO_MANY_CONNECTIONS { "it has no room for another connection: " } else { "" };
        return format!("{room}{}{detail}", told.message());
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = source.source();
    }
    words
}
