//! Logs that only have to survive this process: whoever has a line writes it, as there is no fsync to share, and no thread to wait for.

use std::io;
use std::sync::PoisonError;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::files::Files;
use super::folder::LogFolder;
use super::kind::{AnswerPlace, LogKind};

/// Lines of what was asked and answered, and of strangers.
#[derive(Debug)]
pub(in crate::serve) struct Records {
    /// None once it is closed. One line at a time: a disk that hangs takes one thread.
    files: Mutex<Option<Files>>,
    /// The whole of it: it stays ours until the last line is written.
    folder: LogFolder,
}

impl Records {
    pub(super) fn new(folder: LogFolder, files: Files) -> Self {
        Self { files: Mutex::new(Some(files)), folder }
    }

    /// Appends a line (its line feed is added) to the file of the day `at` falls on.
    pub(in crate::serve) async fn append(&self, kind: LogKind, at: Timestamp, line: &[u8]) {
        self.append_within(kind, at, line, u64::MAX).await;
    }

    /// The same, unless the file would become larger than that, or the disk too full: then the line is only counted.
    pub(in crate::serve) async fn append_within(&self, kind: LogKind, at: Timestamp, line: &[u8], bytes_max: u64) {
        self.appended(kind, at, line, bytes_max, |_| ()).await;
    }

    /// Appends an answer to those of its minute; where it is from now on, if the disk has taken it.
    pub(in crate::serve) async fn answer(&self, at: Timestamp, line: &[u8]) -> Option<AnswerPlace> {
        self.appended(LogKind::Answers, at, line, u64::MAX, |files| files.last_answer(line.len())).await?
    }

    /// One that was appended, as its log has it.
    ///
    /// # Errors
    /// The system's.
    pub(in crate::serve) fn answered(&self, place: AnswerPlace) -> io::Result<Vec<u8>> {
        self.folder.answer(place)
    }

    /// What `then` finds once the line is there; none where it is not.
    async fn appended<T>(&self, kind: LogKind, at: Timestamp, line: &[u8], bytes_max: u64, then: impl FnOnce(&Files) -> T) -> Option<T> {
        let mut files = self.files.lock().await;
        let files = files.as_mut()?;
        // Held until the line is there, so that nobody closes its day meanwhile.
        let open_from = self.folder.open_from.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = files.append(std::iter::once((kind, kind.stretch(at).not_before(*open_from), line, bytes_max)));
        is_there.then(|| then(files))
    }

    /// Makes everything durable, and takes no more.
    pub(in crate::serve) async fn close(&self) {
        if let Some(mut files) = self.files.lock().await.take() {
            files.finish();
        }
    }
}
