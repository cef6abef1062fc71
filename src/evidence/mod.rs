//! Notification logs (and settlement files, and bank statements) → verified evidence lines and payments, with provenance.
//!
//! Belongs here: reading, splitting, verifying, digesting. Must not be here: bills, classification against them.

mod arrival;
pub mod bank;
mod blocks;
pub mod codes;
mod envelope;
mod fact;
mod first_bytes;
mod inquiries;
mod inspect;
mod lines;
mod mentions;
mod merged;
mod parsed;
mod physical_lines;
mod read;
mod read_options;
pub mod settlement;
mod source;
pub mod store;
mod table_line;
mod unnamed_wrapper;
mod visit;
mod wrapper;

use std::path::{Path, PathBuf};

pub use self::parsed::Evidence;
pub use self::read::{EvidenceSources, read, read_bytes, read_stretches};
pub use self::read_options::ReadOptions;
pub use inquiries::{Inquiries, inquiries};
pub use mentions::lines_naming;
pub use store::{Sealing, StoreAt, StoreError};
pub use table_line::COLUMNS;
pub use visit::{names, visit};

use self::source::Expansion;
use crate::exit::{Exit, Explained, Explanation};

/// Which bill an invoice number and a code name together, for those who know; then a line need not keep its texts.
pub trait Pairs: Sync {
    /// The only bill of this pair.
    fn pair(&self, invoice_number: &str, payment_code: &str) -> Option<u32>;
}

/// Knows no bill: every line keeps its texts.
#[derive(Clone, Copy, Debug)]
pub struct NoPairs;

impl Pairs for NoPairs {
    fn pair(&self, _: &str, _: &str) -> Option<u32> {
        None
    }
}

/// Why evidence cannot be read (exit 7; see [`codes`]).
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// See [`codes::NO_FILES`].
    #[error(
        "E0701: no file matches `{pattern}`\nhint: check the path, or fetch the logs first; quote patterns so the shell leaves them alone; \
         `--allow-no-logs` where there may be no notification log yet"
    )]
    NoFiles {
        /// What was asked for.
        pattern: String,
    },
    /// See [`codes::UNREADABLE`].
    #[error("E0702: the notification log `{}` cannot be read: {reason}\nhint: check the path, the permissions and whether the copy is complete", path.display())]
    Unreadable {
        /// Which log.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// See [`codes::TOO_MANY`].
    #[error(
        "E0703: this is more evidence than one run can hold\nhint: reconcile a shorter period, or check that the logs belong to this ledger"
    )]
    TooMany,
    /// See [`codes::EXPANSION`].
    #[error("{}: the log `{}` expands to more than {times} times its size\nhint: {}", codes::EXPANSION.id, path.display(), codes::EXPANSION.remedy)]
    Expansion {
        /// Which log.
        path: PathBuf,
        /// The limit.
        times: u64,
    },
    /// See [`codes::FLOOD`].
    #[error(
        "{}: {malformed} lines could not be read up to the log `{}`, most of all that were\nhint: {}",
        codes::FLOOD.id, path.display(), codes::FLOOD.remedy
    )]
    Flood {
        /// Which log was being read.
        path: PathBuf,
        /// How many.
        malformed: u64,
    },
    /// The store of evidence.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explained for EvidenceError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::NoFiles { .. } => Explanation::new(Exit::Input, codes::NO_FILES),
            Self::Unreadable { .. } => Explanation::new(Exit::Input, codes::UNREADABLE),
            Self::TooMany => Explanation::new(Exit::Input, codes::TOO_MANY),
            Self::Expansion { .. } => Explanation::new(Exit::Input, codes::EXPANSION),
            Self::Flood { .. } => Explanation::new(Exit::Input, codes::FLOOD),
            Self::Store(error) => error.explanation(),
        }
    }
}

impl EvidenceError {
    fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        if let Some(Expansion(times)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::Expansion { path: path.to_owned(), times: *times };
        }
        Self::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }
}

/// The files `patterns` name, in sorted order and once each. A pattern that names none is an error, not an empty month.
///
/// # Errors
/// [`EvidenceError::NoFiles`], and [`EvidenceError::Unreadable`] for a folder that cannot be looked into.
pub fn expand(patterns: &[String]) -> Result<Vec<PathBuf>, EvidenceError> {
    let mut files = Vec::new();
    for pattern in patterns {
        let found = matching(pattern)?;
        if found.is_empty() {
            return Err(EvidenceError::NoFiles { pattern: pattern.clone() });
        }
        files.extend(found);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The files of one pattern, none if there are none; a file that is called like a pattern is itself.
///
/// # Errors
/// [`EvidenceError::Unreadable`] for a folder that cannot be looked into; [`EvidenceError::NoFiles`] for what is no pattern.
pub fn matching(pattern: &str) -> Result<Vec<PathBuf>, EvidenceError> {
    if Path::new(pattern).is_file() {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let found = glob::glob(pattern).map_err(|_| EvidenceError::NoFiles { pattern: pattern.to_owned() })?;
    let checked = |file: glob::GlobResult| regular(file.map_err(|error| EvidenceError::unreadable(error.path(), error.error()))?);
    found.map(checked).collect()
}

/// A log is read twice where it tells of money that cannot be booked, and a folder is not searched.
fn regular(path: PathBuf) -> Result<PathBuf, EvidenceError> {
    let reason = match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => return Ok(path),
        Ok(found) if found.is_dir() => format!("it is a folder: name the files in it, such as `{}`", path.join("*.jsonl*").display()),
        Ok(_) => "it is no file but a pipe or a device, which can be read only once: write what comes from it into a file".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(EvidenceError::Unreadable { path, reason })
}

#[cfg(test)]
mod tests;
