//! What can go wrong below the trait, before it has a ledger's name on it.

use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::IllegalTransition;

/// A failure inside a store's function.
#[derive(Debug)]
pub(in crate::ledger) enum Fault {
    /// SQLite's own.
    Sql(rusqlite::Error),
    /// PostgreSQL's own, or the way to it.
    Postgres(tokio_postgres::Error),
    /// The server did not answer, in our words.
    Unreachable(String),
    /// The file system's.
    Io(std::io::Error),
    /// Something that cannot be done, in our words.
    Failed(String),
    /// What is stored contradicts itself.
    Damaged(String),
    /// Whoever wrote under a lease has it no more.
    LeaseLost,
    /// Another writer was quicker.
    Lost(InvoiceNumber),
    /// An operation of the bill is open, and that other holder is at it.
    Busy(InvoiceNumber, String),
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

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    /// A number that no ledger of ours comes to: nobody ever issued so many bills, so it was put there.
    pub(in crate::ledger) fn absurd() -> Self {
        Self::Damaged("a number or an amount is one that no ledger comes to by itself".into())
    }

    /// What it says, without the ledger's name.
    pub(in crate::ledger) fn in_words(&self) -> String {
        match self {
            Self::Damaged(reason) | Self::Failed(reason) | Self::Unreachable(reason) => reason.clone(),
            Self::Sql(rusqlite::Error::SqlInputError { msg, .. }) => msg.clone(),
            Self::Sql(error) => error.to_string(),
            Self::Postgres(error) => error.to_string(),
            Self::Io(error) => error.to_string(),
            Self::LeaseLost => "the lease it was written under has ended".into(),
            Self::Lost(bill) => format!("another writer was quicker with bill `{bill}`"),
            Self::Busy(bill, holder) => format!("{holder} is at bill `{bill}`"),
            Self::Illegal(illegal) => illegal.to_string(),
            Self::CodeTaken(bill, holder) => format!("bill `{bill}` was to get a code that bill `{holder}` has"),
            Self::NumberTaken(bill, number, other) => {
                format!("bill `{bill}` was to be known as `{number}`, which stands for bill `{other}`")
            }
        }
    }

    /// Whether a rule says no, before anything was done.
    pub(in crate::ledger) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Busy(..) | Self::Illegal(_) | Self::CodeTaken(..) | Self::NumberTaken(..))
    }

    /// Whether the whole transaction is lost with it; otherwise only the call that met it fails.
    pub(in crate::ledger) const fn spoils_transaction(&self) -> bool {
        matches!(self, Self::Sql(_) | Self::Postgres(_) | Self::Unreachable(_) | Self::Io(_) | Self::Failed(_) | Self::LeaseLost)
    }
}
