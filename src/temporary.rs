//! Names that are given for a while: files and folders on their way to their own. Each is locked for as long as its process lives, so that
//! whoever comes next takes away what a killed one has left behind.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::private::{self, NamedTempFile, TempDir, folder_of};

/// How all of them begin.
const PREFIX: &str = ".tagih-";
/// One that is younger than this may not have its lock yet.
const UNLOCKED_MAX: SignedDuration = SignedDuration::from_mins(1);

/// A file in `folder`, for everybody to read once it has its name, as far as the umask lets them.
///
/// # Errors
/// The system's.
pub fn file(folder: &Path) -> io::Result<NamedTempFile> {
    let file = private::temporary(folder, PREFIX, 0o644)?;
    hold(file.as_file(), folder)?;
    Ok(file)
}

/// A folder for this account alone, which is gone when it is dropped.
#[derive(Debug)]
pub struct TemporaryFolder {
    _place: TempDir,
    /// Within the one that is locked, so that it can be locked for another reason.
    within: PathBuf,
    /// The lock ends with it.
    _held: File,
}

impl TemporaryFolder {
    /// In `folder`.
    ///
    /// # Errors
    /// The system's.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let attempt = || {
            let place = private::temporary_folder(folder, PREFIX)?;
            let held = File::open(place.path())?;
            hold(&held, folder)?;
            let within = place.path().join("within");
            private::folder(&within)?;
            Ok(Self { _place: place, within, _held: held })
        };
        attempt().map_err(|error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", folder.display())))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.within
    }
}

/// A file in a folder of its own: whoever writes it may make others beside it.
#[derive(Debug)]
pub struct Apart {
    file: NamedTempFile,
    folder: TemporaryFolder,
}

impl Apart {
    /// Below `folder`.
    ///
    /// # Errors
    /// The system's.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let folder = TemporaryFolder::new(folder)?;
        Ok(Self { file: private::temporary(folder.path(), "", 0o600)?, folder })
    }

    /// Where it is meanwhile.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Makes it durable as `path`, which must be free.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(self, path: &Path) -> io::Result<()> {
        let Self { file, folder } = self;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        drop(folder);
        File::open(folder_of(path))?.sync_all()
    }
}

/// Locks what was just made in `folder`, and looks for what others have left there; once a folder.
fn hold(made: &File, folder: &Path) -> io::Result<()> {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    // Where there are no locks, nothing is swept either.
    drop(made.try_lock());
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf()) {
        // By the clock that times of files are from.
        sweep(folder, Timestamp::try_from(made.metadata()?.modified()?).unwrap_or(Timestamp::MIN));
    }
    Ok(())
}

/// Removes from `folder` what killed processes have left. Whatever stands in the way of that is no matter of whoever comes next.
pub fn sweep(folder: &Path, now: Timestamp) {
    for path in left(folder, now) {
        let removed = if path.is_dir() { private::remove_folder(&path) } else { private::remove(&path) };
        if let Err(error) = removed {
            tracing::warn!(reason = %error, "what a killed run has left cannot be removed");
        }
    }
}

/// What killed processes of this account have left in `folder`, by the locks that ended with them.
#[must_use]
pub fn left(folder: &Path, now: Timestamp) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)));
    let mut found: Vec<PathBuf> = ours.map(|entry| entry.path()).filter(|path| is_left(path, now).unwrap_or(false)).collect();
    found.sort();
    found
}

fn is_left(path: &Path, now: Timestamp) -> io::Result<bool> {
    let found = path.symlink_metadata()?;
    let written_at = Timestamp::try_from(found.modified()?).map_err(io::Error::other)?;
    if !(found.is_file() || found.is_dir()) || now.duration_since(written_at) < UNLOCKED_MAX || !private::is_ours(path, &found) {
        return Ok(false);
    }
    Ok(File::open(path)?.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_processes_left_is_removed_and_what_living_ones_make_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let long_ago = fs::metadata(place.path()).unwrap().modified().unwrap() - std::time::Duration::from_hours(1);
        let aged = |name: &str| {
            let file = File::open(path(name)).unwrap();
            file.set_modified(long_ago).unwrap();
            file
        };
        for name in [".tagih-left", ".tagih-living", "tagih-other", ".tagih-young"] {
            fs::write(path(name), "x").unwrap();
        }
        for name in [".tagih-left-folder", ".tagih-living-folder"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("inside"), "x").unwrap();
        }
        std::os::unix::fs::symlink("tagih-other", path(".tagih-link")).unwrap();
        for name in [".tagih-left", "tagih-other", ".tagih-left-folder"] {
            drop(aged(name));
        }
        let living = [aged(".tagih-living"), aged(".tagih-living-folder")];
        for file in &living {
            file.try_lock().unwrap();
        }
        let made = file(place.path()).unwrap();
        let held = TemporaryFolder::new(place.path()).unwrap();
        assert!(held.path().is_dir());
        let stays = [".tagih-link", ".tagih-living", ".tagih-living-folder", ".tagih-young", "tagih-other"].map(path);
        let mut expected = [&stays[..], &[made.path().to_owned(), held.path().parent().unwrap().to_owned()]].concat();
        let mut found: Vec<PathBuf> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        drop((made, held));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), stays.len());
    }
}
