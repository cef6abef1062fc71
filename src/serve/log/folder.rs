//! The folder of the logs: whose it is, which files it has, and which of them are closed or forgotten.

use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use jiff::Timestamp;
use jiff::civil::Date;

use super::closing::day_of;
use super::kind::{AnswerPlace, LogKind, Stretch};
use super::lock::FolderLock;
use super::{closing, kind, lock};
use crate::private;
use crate::serve::error::ServeError;

/// The folder of the logs, held by this process alone.
#[derive(Clone, Debug)]
pub struct LogFolder {
    pub(super) path: PathBuf,
    /// Days before this one are closed, or being closed: no line goes there any more, whatever the clock says.
    pub(super) open_from: Arc<Mutex<Date>>,
    pub(super) lock: Arc<FolderLock>,
}

impl LogFolder {
    /// Makes the folder if it is missing, and takes it.
    ///
    /// # Errors
    /// [`ServeError::Folder`] and [`ServeError::Held`].
    pub fn take(path: &Path) -> Result<Self, ServeError> {
        let failed = |error: &io::Error| ServeError::Folder { path: path.to_owned(), reason: error.to_string() };
        let lock = FolderLock::take(path).map_err(|error| failed(&error))?;
        let lock = lock.ok_or_else(|| ServeError::Held { path: path.to_owned() })?;
        closing::sweep(path).map_err(|error| failed(&error))?;
        Ok(Self { path: path.to_owned(), open_from: Arc::new(Mutex::new(Date::MIN)), lock: Arc::new(lock) })
    }

    /// Whether a server writes into the folder at `path` now.
    #[must_use]
    pub fn is_served(path: &Path) -> bool {
        lock::is_held(path)
    }

    /// The notification files that are not closed yet: what the ledger may lack after a crash is in them.
    ///
    /// # Errors
    /// [`ServeError::Folder`].
    pub fn open_notifications(&self) -> Result<Vec<PathBuf>, ServeError> {
        let files = self.files(LogKind::Notifications).map_err(|error| self.failed(&error))?;
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }

    /// Compresses the files of days before `day`.
    ///
    /// # Errors
    /// The system's; what was not finished is done by the next call.
    pub fn close_before(&self, day: Date) -> io::Result<u64> {
        // Once this is said, every line of an earlier day is in its file.
        let mut open_from = self.open_from.lock().unwrap_or_else(PoisonError::into_inner);
        *open_from = day.max(*open_from);
        drop(open_from);
        let mut count = 0_u64;
        for kind in kind::LASTING {
            for (_, path) in self.files(kind)?.into_iter().filter(|(of, _)| of.day < day) {
                closing::close(&path)?;
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }

    /// Removes answers that nobody may ask for again: given before `since`, or older than the last `bytes_max` bytes of them.
    ///
    /// # Errors
    /// The system's; what was not removed is by the next call.
    pub fn forget_answers(&self, since: Timestamp, bytes_max: u64) -> io::Result<()> {
        let (oldest, mut kept) = (LogKind::Answers.stretch(since).key(), 0_u64);
        let mut newest_first = self.files(LogKind::Answers)?;
        newest_first.reverse();
        for (place, (stretch, path)) in newest_first.into_iter().enumerate() {
            kept = kept.saturating_add(fs::metadata(&path)?.len());
            // The newest may be being written.
            if place > 0 && (stretch.key() < oldest || kept > bytes_max) {
                private::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Visits the answers given since `since`, of the last `bytes_max` bytes at most. What cannot be read is passed over.
    pub(in crate::serve) fn answers_since(&self, since: Timestamp, bytes_max: u64, mut visit: impl FnMut(AnswerPlace, &[u8])) {
        let oldest = LogKind::Answers.stretch(since).key();
        let (mut parts, mut left) = (Vec::new(), bytes_max);
        for (stretch, path) in self.files(LogKind::Answers).unwrap_or_default().into_iter().rev() {
            let Ok(bytes) = fs::metadata(&path).map(|metadata| metadata.len()) else { continue };
            if left == 0 || stretch.key() < oldest {
                break;
            }
            let skipped = bytes.saturating_sub(left);
            left = left.saturating_sub(bytes);
            parts.push((stretch, path, skipped));
        }
        for (stretch, path, skipped) in parts.into_iter().rev() {
            let Ok(mut file) = private::read(&path) else { continue };
            if file.seek(SeekFrom::Start(skipped)).is_err() {
                continue;
            }
            // The first line may be the rest of one.
            let (mut from, mut is_cut) = (skipped, skipped > 0);
            for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
                let Ok(bytes) = u32::try_from(line.len()) else { break };
                if !std::mem::take(&mut is_cut) {
                    visit(AnswerPlace { stretch, from, bytes }, &line);
                }
                from = from.saturating_add(u64::from(bytes).saturating_add(1));
            }
        }
    }

    /// The answer at `place`, or what somebody has put there.
    pub(super) fn answer(&self, place: AnswerPlace) -> io::Result<Vec<u8>> {
        let AnswerPlace { stretch, from, bytes } = place;
        let file = private::read(&self.path.join(LogKind::Answers.file_name(stretch)))?;
        let mut line = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        file.read_exact_at(&mut line, from)?;
        Ok(line)
    }

    /// The open files of a kind, the oldest first.
    fn files(&self, kind: LogKind) -> io::Result<Vec<(Stretch, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let Some(stretch) = entry.file_name().to_str().and_then(|name| kind.stretch_of(name)) {
                found.push((stretch, entry.path()));
            }
        }
        found.sort_by_key(|(stretch, _)| stretch.key());
        Ok(found)
    }

    pub(super) fn failed(&self, error: &io::Error) -> ServeError {
        ServeError::Folder { path: self.path.clone(), reason: error.to_string() }
    }
}

impl LogFolder {
    /// The notification files of days that are closed, sorted.
    ///
    /// # Errors
    /// [`ServeError::Folder`].
    pub fn closed_notifications(&self) -> Result<Vec<PathBuf>, ServeError> {
        let prefix = format!("{}-", LogKind::Notifications.name());
        let paths = || fs::read_dir(&self.path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>();
        let mut paths = paths().map_err(|error| self.failed(&error))?;
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
            name.starts_with(&prefix) && is_compressed && day_of(name).is_some()
        });
        paths.sort();
        Ok(paths)
    }
}
