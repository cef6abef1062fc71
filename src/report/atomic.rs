//! Output files appear whole or not at all: written beside their place, made durable, then renamed (I19).

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Explained, Explanation};
use crate::private::{self, NamedTempFile, folder_of};
use crate::reconcile::codes::NOT_WRITTEN;
use crate::temporary;

/// Why a result file could not be written (exit 9).
#[derive(Debug, thiserror::Error)]
#[error("E0724: `{path}` cannot be written: {reason}\nhint: check free space and permissions; whatever was there before is unchanged")]
pub struct WriteError {
    /// Which file.
    pub path: String,
    /// The system's words.
    pub reason: String,
}

impl Explained for WriteError {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Disk, NOT_WRITTEN)
    }
}

/// What files are written through.
pub type FileWriter = BufWriter<NamedTempFile>;

/// A file on its way: nothing is to be seen of it until it is put in its place.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    writer: FileWriter,
}

impl Draft {
    /// Begins a file that is to stand at `path`. Missing folders are made.
    pub fn begin(path: &Path) -> Result<Self, WriteError> {
        let attempt = || -> io::Result<NamedTempFile> {
            make_folder(folder_of(path))?;
            temporary::file(folder_of(path))
        };
        let temporary = attempt().map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(1 << 18, temporary) })
    }

    /// Lets `fill` write what comes next.
    pub fn put(&mut self, fill: impl FnOnce(&mut FileWriter) -> io::Result<()>) -> Result<(), WriteError> {
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

pub(super) fn failed(path: &Path, error: &io::Error) -> WriteError {
    WriteError { path: path.display().to_string(), reason: error.to_string() }
}

/// Lets `fill` write a temporary file, then puts it in `path`'s place, durably. Missing folders are made.
pub fn write(path: &Path, fill: impl FnOnce(&mut FileWriter) -> io::Result<()>) -> Result<(), WriteError> {
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
    use std::fs;
    use std::io::Write as _;

    use super::*;

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
