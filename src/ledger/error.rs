//! Why a ledger could not do what it was asked.

use std::path::Path;

use super::codes;
use super::seals::Seals;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::IllegalTransition;
use crate::exit::{Exit, Explained, Explanation};

/// A ledger's place as messages have it: the whole path of a file.
#[must_use]
pub fn full(place: &str) -> String {
    let whole = |place| std::path::absolute(place).unwrap_or_else(|_| Path::new(place).to_path_buf()).display().to_string();
    if place.contains("://") { place.to_owned() } else { whole(place) }
}

/// Why the ledger could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk or the database failed (exit 9).
    #[error("the ledger `{path}` failed: {reason}\nhint: check free space and permissions, then run the same command again: it resumes")]
    Storage {
        /// Which ledger.
        path: String,
        /// The store's words.
        reason: String,
    },
    /// The server cannot be asked (exit 9).
    #[error(
        "the ledger `{path}` cannot be reached: {reason}\n\
         hint: check that the server runs and lets this user in, then run the same command again: it resumes"
    )]
    Unreachable {
        /// Which ledger.
        path: String,
        /// The server's words, or the network's.
        reason: String,
    },
    /// This host may not write any more, as it was out of touch for too long (exit 3).
    #[error(
        "this host was out of touch with the ledger `{path}` for longer than its lease lasts, and records nothing more\n\
         hint: another host may have gone on; run the same command again, which settles what is open first"
    )]
    LeaseLost {
        /// Which ledger.
        path: String,
    },
    /// What is stored contradicts itself (exit 8).
    #[error(
        "the ledger `{path}` is damaged: {reason}\nhint: restore the last backup and run `tagih ledger verify`; send nothing meanwhile"
    )]
    Damaged {
        /// Which ledger.
        path: String,
        /// What was found.
        reason: String,
    },
    /// It belongs to another environment or client (exit 2).
    #[error(
        "the ledger `{path}` belongs to {found}, this configuration is {wanted}\nhint: use a ledger of its own for each environment and client"
    )]
    OtherBinding {
        /// Which ledger.
        path: String,
        /// What it is bound to.
        found: String,
        /// What the configuration says.
        wanted: String,
    },
    /// Its seals are made with another key, or with none, or the configuration has none (exit 2).
    #[error(
        "the seals of the ledger `{path}` are made {found}, and this configuration would make them {wanted}\n\
         hint: set `ledger.seal_key_file` to the key that they are made with. If the ledger had the configured key before, this is an older copy or \
         another's work: do not seal it anew. To give a ledger its first or another key: `tagih ledger rekey --head …`, with the last known head"
    )]
    OtherKey {
        /// Which ledger.
        path: String,
        /// With what its seals are made, in words.
        found: String,
        /// What the configuration says, in words.
        wanted: String,
    },
    /// There is none, and it was not asked for (exit 2).
    #[error(
        "there is no ledger at `{}`\nhint: check `ledger.path` or `ledger.url`; the first ledger is made by `tagih ledger create` (or with `--new-ledger`)",
        full(path)
    )]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// Another sender holds it (exit 6).
    #[error("another sender holds the ledger `{path}`: {holder}\nhint: wait until it has finished, then run the same command again")]
    Held {
        /// Which ledger.
        path: String,
        /// Who holds it.
        holder: String,
    },
    /// It was written by a newer tagih (exit 2).
    #[error("the ledger `{path}` has schema version {found}, this tagih knows up to {known}\nhint: use the newer tagih")]
    TooNew {
        /// Which ledger.
        path: String,
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// It was written by an older tagih, and reading alone does not migrate it (exit 2).
    #[error(
        "the ledger `{path}` has schema version {found}, this tagih reads {known}, and this command only reads\n\
         hint: `tagih ledger migrate`, or whatever writes, brings it up to date and keeps a copy of it as it was; nothing is lost"
    )]
    TooOld {
        /// Which ledger.
        path: String,
        /// Its version.
        found: usize,
        /// The version this program reads.
        known: usize,
    },
    /// Another writer has changed the bill since it was looked at (exit 3, where nobody looks again).
    #[error(
        "invoice `{invoice_number}` was changed by another run meanwhile\nhint: nothing of this was recorded; run the same command again"
    )]
    Lost {
        /// The bill.
        invoice_number: InvoiceNumber,
    },
    /// Another host is at an operation of the bill (exit 3, where nobody looks again).
    #[error("invoice `{invoice_number}` has an operation under way, and {holder}, is at it\nhint: run the same command again later")]
    Busy {
        /// The bill.
        invoice_number: InvoiceNumber,
        /// Who.
        holder: String,
    },
    /// An event that cannot happen (exit 8, I6).
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// A payment code would be live for two invoices (exit 8, I11).
    #[error("payment code of invoice `{invoice_number}` is already live for invoice `{other}`")]
    CodeTaken {
        /// The bill that was to get it.
        invoice_number: InvoiceNumber,
        /// The bill that has it.
        other: InvoiceNumber,
    },
    /// The bytes of a request do not say what is recorded of it (exit 8); they were not sent.
    #[error(
        "E0518: the request for invoice `{invoice_number}` would ask for {}, and {recorded} is recorded of it, so it was not sent\n\
         hint: send nothing more; keep the ledger as it is, and report the defect",
        asked.map_or_else(|| "no amount".to_owned(), |asked| asked.to_string())
    )]
    OtherAmount {
        /// The bill.
        invoice_number: InvoiceNumber,
        /// What the bytes ask for, in rupiah.
        asked: Option<u64>,
        /// What is recorded, in rupiah.
        recorded: u64,
    },
    /// A number would stand for two bills at DOKU (exit 8).
    #[error("number `{number}` of invoice `{invoice_number}` already stands for invoice `{other}`")]
    NumberTaken {
        /// The bill that was to get it.
        invoice_number: InvoiceNumber,
        /// The number.
        number: InvoiceNumber,
        /// The bill that has or had it.
        other: InvoiceNumber,
    },
}

impl Explained for LedgerError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Storage { .. } => Explanation::new(Exit::Disk, codes::STORAGE),
            Self::Unreachable { .. } => Explanation::new(Exit::Disk, codes::UNREACHABLE),
            Self::Damaged { .. } => Explanation::new(Exit::Damaged, codes::DAMAGED),
            Self::Illegal(_) => Explanation::new(Exit::Damaged, codes::ILLEGAL),
            Self::CodeTaken { .. } => Explanation::new(Exit::Damaged, codes::CODE_TAKEN),
            Self::NumberTaken { .. } => Explanation::new(Exit::Damaged, codes::NUMBER_TAKEN),
            Self::OtherAmount { .. } => Explanation::new(Exit::Damaged, codes::OTHER_AMOUNT),
            Self::Missing { .. } => Explanation::new(Exit::Usage, codes::MISSING).of_setting(),
            Self::OtherBinding { .. } => Explanation::new(Exit::Usage, codes::OTHER_BINDING).of_setting(),
            Self::OtherKey { .. } => Explanation::new(Exit::Usage, codes::OTHER_KEY).of_setting(),
            Self::TooNew { .. } => Explanation::new(Exit::Usage, codes::TOO_NEW),
            Self::TooOld { .. } => Explanation::new(Exit::Usage, codes::TOO_OLD),
            Self::Held { .. } => Explanation::new(Exit::Held, codes::HELD),
            Self::Lost { .. } => Explanation::new(Exit::Partial, codes::LOST),
            Self::LeaseLost { .. } => Explanation::new(Exit::Partial, codes::LEASE_LOST),
            Self::Busy { .. } => Explanation::new(Exit::Partial, codes::BUSY),
        }
    }
}

impl LedgerError {
    /// That the seals are made with the key of one fingerprint, and another is configured.
    pub(super) fn other_key(path: String, found: Option<String>, wanted: Option<String>) -> Self {
        let [found, wanted] = [found, wanted].map(|key| Seals::words_of(key.as_deref()));
        Self::OtherKey { path, found, wanted }
    }
}
