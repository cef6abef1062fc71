//! The lock of a folder of logs, which one server alone may write into: also when somebody removes the folder under it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::private;

/// Held for as long as the folder is written into.
#[derive(Debug)]
pub(super) struct FolderLock {
    path: PathBuf,
    file: Mutex<File>,
}

impl FolderLock {
    /// Makes the folder if it is missing, and takes its lock; none where another process has it.
    pub(super) fn take(folder: &Path) -> io::Result<Option<Self>> {
        private::folder(folder)?;
        let path = folder.join(".lock");
        Ok(locked(&path)?.map(|file| Self { path, file: Mutex::new(file) }))
    }

    /// Whether the folder's lock is still the one that is held here. A folder that was put in the place of the one before is taken, unless
    /// another server was quicker: two of them would write into one file. One that is gone is not made: its disk may be.
    pub(super) fn hold(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let here = file.metadata()?;
        match self.path.symlink_metadata() {
            Ok(there) if (here.dev(), here.ino()) == (there.dev(), there.ino()) => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        match locked(&self.path)? {
            Some(taken) => {
                tracing::error!(folder = %folder.display(), "the folder of the logs was replaced; it is begun again");
                *file = taken;
                Ok(())
            }
            None => Err(io::Error::other("the folder was removed, and another server has taken it since")),
        }
    }
}

fn locked(path: &Path) -> io::Result<Option<File>> {
    let file = private::update(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a server writes into `folder` now.
pub(super) fn is_held(folder: &Path) -> bool {
    let lock = private::read(&folder.join(".lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_removed_is_taken_anew_unless_another_was_quicker() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("logs");
        let first = FolderLock::take(&folder).unwrap().unwrap();
        assert!(FolderLock::take(&folder).unwrap().is_none() && is_held(&folder));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(first.hold().is_err() && !folder.exists(), "what is gone is not made");
        std::fs::create_dir(&folder).unwrap();
        first.hold().unwrap();
        assert!(FolderLock::take(&folder).unwrap().is_none(), "it is ours again");
        std::fs::remove_dir_all(&folder).unwrap();
        let second = FolderLock::take(&folder).unwrap().unwrap();
        assert!(first.hold().unwrap_err().to_string().contains("another server"));
        second.hold().unwrap();
        drop(second);
        assert!(!is_held(&folder));
    }
}
