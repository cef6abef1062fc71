//! Output files appear whole or not at all: written beside their place, made durable, then renamed (I19).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::private::{self, NamedTempFile, folder_of};

/// Why a result file could not be written (exit 9).
#[derive(Debug, thiserror::Error)]
#[error("E0724: `{path}` cannot be written: {reason}\nhint: check free space and permissions; whatever was there before is unchanged")]
pub struct WriteError {
    /// Which file.
    pub path: String,
    /// The system's words.
    pub reason: String,
}

/// What files are written through.
pub type Writer = BufWriter<NamedTempFile>;

/// A file on its way: nothing is to be seen of it until it is put in its place.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    writer: Writer,
}

impl Draft {
    /// Begins a file that is to stand at `path`. Missing folders are made.
    pub fn begin(path: &Path) -> Result<Self, WriteError> {
        let attempt = || -> io::Result<NamedTempFile> {
            make_folder(folder_of(path))?;
            let draft = private::temporary(folder_of(path), DRAFT, READABLE)?;
            // For as long as this process lives; where there are no locks, nothing is swept either.
            drop(draft.as_file().try_lock());
            sweep(folder_of(path), draft.as_file());
            Ok(draft)
        };
        let temporary = attempt().map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(1 << 18, temporary) })
    }

    /// Lets `fill` write what comes next.
    pub fn put(&mut self, fill: impl FnOnce(&mut Writer) -> io::Result<()>) -> Result<(), WriteError> {
        fill(&mut self.writer).map_err(|error| failed(&self.path, &error))
    }

    /// That what comes next could not be made.
    pub(super) fn failed(&self, error: &io::Error) -> WriteError {
        failed(&self.path, error)
    }

    /// Puts the file in its place, durably.
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { path, writer } = self;
        let attempt = || -> io::Result<()> {
            let temporary = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            temporary.as_file().sync_all()?;
            temporary.persist(&path).map_err(|error| error.error)?;
            File::open(folder_of(&path))?.sync_all()
        };
        attempt().map_err(|error| failed(&path, &error))
    }
}

/// What a file made in the ordinary way would have, before the umask.
const READABLE: u32 = 0o644;
/// How drafts begin.
const DRAFT: &str = ".tagih-";
/// A draft that is younger than another by less may not have its lock yet.
const UNLOCKED_MAX: Duration = Duration::from_mins(1);

/// Removes drafts that killed processes have left in `folder`, by their locks, which ended with them; once a folder. `newest` was just made.
fn sweep(folder: &Path, newest: &File) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if !SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf()) {
        return;
    }
    let is_left = |path: &Path| -> io::Result<bool> {
        let draft = File::open(path)?;
        let age = newest.metadata()?.modified()?.duration_since(draft.metadata()?.modified()?).unwrap_or_default();
        Ok(draft.metadata()?.is_file() && age >= UNLOCKED_MAX && draft.try_lock().is_ok())
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for path in entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(DRAFT))).map(|entry| entry.path()) {
        // Whatever stands in the way of this is no matter of the file that is written.
        if is_left(&path).unwrap_or(false) {
            drop(private::remove(&path));
        }
    }
}

pub(super) fn failed(path: &Path, error: &io::Error) -> WriteError {
    WriteError { path: path.display().to_string(), reason: error.to_string() }
}

/// Lets `fill` write a temporary file, then puts it in `path`'s place, durably. Missing folders are made.
pub fn write(path: &Path, fill: impl FnOnce(&mut Writer) -> io::Result<()>) -> Result<(), WriteError> {
    let mut draft = Draft::begin(path)?;
    draft.put(fill)?;
    draft.finish()
}

/// Makes a folder for files of any name, if it is missing, and if this account may have one there.
///
/// # Errors
/// The system's; and root's, where others decide what a name leads to.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    private::shared_folder(folder)
}

/// Takes a result file of an earlier run away; that there is none is fine.
pub fn remove(path: &Path) -> Result<(), WriteError> {
    let attempt = || match private::remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    };
    attempt().map_err(|error| failed(path, &error))
}

/// Finds out whether files could be written into `directory`, which is made if it is missing.
pub fn probe(directory: &Path) -> Result<(), WriteError> {
    let attempt = || make_folder(directory).and_then(|()| private::unnamed(directory)).map(drop);
    attempt().map_err(|error| failed(directory, &error))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn drafts_of_killed_processes_are_removed_and_those_of_living_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let long_ago = fs::metadata(folder.path()).unwrap().modified().unwrap() - Duration::from_hours(1);
        let draft = |name: &str| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
            file
        };
        let (left, living, other) = (draft(".tagih-left"), draft(".tagih-living"), draft("tagih-other"));
        living.try_lock().unwrap();
        drop(left);
        drop(other);
        drop(File::create(folder.path().join(".tagih-young")).unwrap());
        write(&folder.path().join("a"), |file| file.write_all(b"x")).unwrap();
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".tagih-living", ".tagih-young", "a", "tagih-other"]);
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/result.csv");
        write(&path, |file| file.write_all(b"first")).unwrap();
        let failed = write(&path, |file| {
            file.write_all(b"sec")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk full"));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }
}
