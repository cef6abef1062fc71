//! Why a store cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::evidence::codes;
use crate::exit::{Exit, Explained, Explanation};

/// Why a store of evidence cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// See [`codes::NO_STORE`] (exit 7).
    #[error("{}: there is no evidence store in `{}`\nhint: {}", codes::NO_STORE.id, .0.display(), codes::NO_STORE.remedy)]
    None(PathBuf),
    /// See [`codes::STORE_DAMAGED`] (exit 8).
    #[error("{}: the evidence store is not what was written: `{}` {reason}\nhint: {}", codes::STORE_DAMAGED.id, path.display(), codes::STORE_DAMAGED.remedy)]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// See [`codes::STORE_OTHER`] (exit 2).
    #[error("{}: the evidence store in `{}` {reason}\nhint: {}", codes::STORE_OTHER.id, path.display(), codes::STORE_OTHER.remedy)]
    Other {
        /// Which store.
        path: PathBuf,
        /// What it is of.
        reason: String,
    },
    /// See [`codes::STORE_HELD`] (exit 6).
    #[error("{}: another process writes into the evidence store `{}`\nhint: {}", codes::STORE_HELD.id, .0.display(), codes::STORE_HELD.remedy)]
    Held(PathBuf),
    /// See [`codes::STORE_DISK`] (exit 9).
    #[error("{}: the evidence store cannot be used: `{}`: {reason}\nhint: {}", codes::STORE_DISK.id, path.display(), codes::STORE_DISK.remedy)]
    Disk {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

impl Explained for StoreError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::None(_) => Explanation::new(Exit::Input, codes::NO_STORE),
            Self::Damaged { .. } => Explanation::new(Exit::Damaged, codes::STORE_DAMAGED),
            Self::Other { .. } => Explanation::new(Exit::Usage, codes::STORE_OTHER),
            Self::Held(_) => Explanation::new(Exit::Held, codes::STORE_HELD),
            Self::Disk { .. } => Explanation::new(Exit::Disk, codes::STORE_DISK),
        }
    }
}

impl StoreError {
    #[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn disk(path: &Path, error: &io::Error) -> Self {
        Self::Disk { path: path.to_owned(), reason: error.to_string() }
    }

    /// A file that is listed and cannot be read: one that is not there is no matter of the disk.
    pub(super) fn reading(path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::damaged(path, "is missing") } else { Self::disk(path, error) }
    }
}
