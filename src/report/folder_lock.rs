//! A folder that one run writes into at a time: the files of two would stand mixed in it, and each would seem to belong to the other's summary.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::atomic::{self, WriteError};
use crate::exit::{Exit, Explained, Explanation};
use crate::reconcile::codes::FOLDER_HELD;

/// Held while a run lasts: the kernel lets go with the process.
#[derive(Debug)]
#[must_use = "the folder is only held as long as this lives"]
pub struct HeldFolder(#[expect(dead_code, reason = "it is locked as long as it is open")] File);

/// Why a folder cannot be written into.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Another run writes there (exit 6).
    #[error("{}: another run writes into `{}` now\nhint: {}", FOLDER_HELD.id, .0.display(), FOLDER_HELD.remedy)]
    Held(PathBuf),
    /// It is not writable (exit 9).
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Explained for TakeError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Held(_) => Explanation::new(Exit::Held, FOLDER_HELD),
            Self::Write(error) => error.explanation(),
        }
    }
}

impl HeldFolder {
    /// Takes `folder`, which is made if it is missing, or says that another run has it.
    ///
    /// # Errors
    /// [`TakeError`].
    pub fn take(folder: &Path) -> Result<Self, TakeError> {
        atomic::probe(folder)?;
        let opened = File::open(folder).map_err(|error| atomic::failed(folder, &error))?;
        match opened.try_lock() {
            Err(TryLockError::WouldBlock) => Err(TakeError::Held(folder.to_owned())),
            // Not every file system locks folders; there it is as it always was.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self(opened)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_runs_until_it_ends_and_nothing_is_left_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let first = HeldFolder::take(&out).unwrap();
        let refused = HeldFolder::take(&out).unwrap_err().to_string();
        assert!(refused.starts_with("E0728") && refused.contains("hint:"), "{refused}");
        drop(first);
        drop(HeldFolder::take(&out).unwrap());
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
    }
}
