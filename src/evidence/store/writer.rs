//! The one writer of a store: files first, then the list, then their names.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::entry::{Entry, NAME, files, with_new};
use super::error::StoreError;
use super::list::List;
use super::store_at::StoreAt;
use crate::private;

/// What is locked by who writes.
const LOCK: &str = ".lock";

/// A store that nobody else writes into. The kernel lets go with the process.
#[derive(Debug)]
pub struct StoreWriter {
    at: StoreAt,
    list: List,
    _lock: File,
}

impl StoreWriter {
    /// Takes the store at `at`, which is made, with nothing in it, if there is none, and ends what a killed writer had begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(at: &StoreAt) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::disk(&at.path, &error);
        private::folder(&at.path).map_err(failed)?;
        let lock = private::update(&at.path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Held(at.path.clone())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let found = match List::read(at) {
            Err(StoreError::None(_)) => None,
            read => Some(read?),
        };
        let is_new = found.is_none();
        let mut writer = Self { at: at.clone(), list: found.unwrap_or_else(|| List::begun(at)), _lock: lock };
        writer.finish()?;
        if is_new {
            writer.commit(Vec::new(), &[])?;
        }
        Ok(writer)
    }

    /// The list as it is.
    #[must_use]
    pub const fn list(&self) -> &List {
        &self.list
    }

    /// Makes `files` and `entries`, which tell of them, part of the store: all or nothing, whenever the process ends.
    pub(super) fn commit(&mut self, entries: Vec<Entry>, files: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let after = self.list.after(&entries, &self.at);
        if let Err(error) = self.list_with(files, &after.0) {
            // What is not listed is nobody's. Where it cannot be removed either, the next writer does.
            for path in files.iter().map(|(path, _)| path.as_str()).chain([NAME]) {
                drop(private::remove(&with_new(&self.at.path.join(path))));
            }
            return Err(error);
        }
        self.sync(&self.at.path)?;
        self.list.take(entries, after);
        for (path, _) in files {
            self.rename(path)?;
        }
        self.sync_folders(files.iter().map(|(path, _)| path.as_str()))
    }

    /// Writes `files`, none under its own name, and the list with `lines` that tell of them: once that is called as it is, it is so.
    fn list_with(&self, files: &[(String, Vec<u8>)], lines: &str) -> Result<(), StoreError> {
        for (path, bytes) in files {
            self.put(path, &[bytes])?;
        }
        self.sync_folders(files.iter().map(|(path, _)| path.as_str()))?;
        self.put(NAME, &[self.list.text.as_bytes(), lines.as_bytes()])?;
        self.rename(NAME)
    }

    /// Keeps no longer what was received on days before `before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remove_before(&mut self, before: Date, at: Timestamp) -> Result<(), StoreError> {
        self.commit(vec![Entry::Removed { before, at }], &[])?;
        self.finish()
    }

    /// What would go with days before `before`: files, and their bytes.
    #[must_use]
    pub fn due(&self, before: Date) -> Vec<(PathBuf, u64)> {
        let is_due = |(part, is_kept): &(&super::entry::Part, bool)| *is_kept && part.day.is_some_and(|day| day < before);
        self.list.parts().filter(is_due).map(|(part, _)| (self.at.path.join(&part.path), part.bytes)).collect()
    }

    /// Ends what was begun: what is listed gets its name, what is not, or not any more, goes.
    fn finish(&self) -> Result<(), StoreError> {
        let mut named = Vec::new();
        for (part, is_kept) in self.list.parts() {
            let path = self.at.path.join(&part.path);
            if is_kept {
                if !path.exists() && with_new(&path).exists() {
                    self.rename(&part.path)?;
                    named.push(part.path.as_str());
                } else if !path.exists() {
                    return Err(StoreError::damaged(&path, "is missing"));
                }
            } else {
                remove(&path)?;
                remove(&with_new(&path))?;
            }
        }
        self.sync_folders(named.into_iter())?;
        for path in files(&self.at.path).map_err(|error| StoreError::disk(&self.at.path, &error))? {
            // A listed file has its name by now.
            if is_draft(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn put(&self, path: &str, pieces: &[&[u8]]) -> Result<(), StoreError> {
        let path = with_new(&self.at.path.join(path));
        let attempt = || -> io::Result<()> {
            if let Some(folder) = path.parent() {
                private::folder(folder)?;
            }
            let mut file = private::update(&path)?;
            file.set_len(0)?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))?;
            file.sync_all()
        };
        attempt().map_err(|error| StoreError::disk(&path, &error))
    }

    fn rename(&self, path: &str) -> Result<(), StoreError> {
        let path = self.at.path.join(path);
        private::rename(&with_new(&path), &path).map_err(|error| StoreError::disk(&path, &error))
    }

    /// Makes the names in the folders of `paths`, and those of the folders, durable.
    fn sync_folders<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Result<(), StoreError> {
        let folders: BTreeSet<&Path> = paths.flat_map(|path| Path::new(path).ancestors().skip(1)).collect();
        folders.into_iter().try_for_each(|folder| self.sync(&self.at.path.join(folder)))
    }

    #[allow(clippy::unused_self, reason = "the other steps are called the same way")]
    fn sync(&self, folder: &Path) -> Result<(), StoreError> {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| StoreError::disk(folder, &error))
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match private::remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::disk(path, &error)),
        _ => Ok(()),
    }
}

/// Whether a file of the store has not got its name yet.
pub(super) fn is_draft(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.ends_with(b".parquet.new") || name == b"manifest.jsonl.new"
}
