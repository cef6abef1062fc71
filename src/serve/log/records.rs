//! Logs that only have to survive this process: whoever has a line writes it, as there is no fsync to share, and no thread to wait for.

use std::sync::PoisonError;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::files::Files;
use super::folder::LogFolder;
use super::kind::LogKind;

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

    /// Appends a line (its line feed is added) to the file of the day `at` falls on; whether it is there.
    pub(in crate::serve) async fn append(&self, kind: LogKind, at: Timestamp, line: &[u8]) -> bool {
        self.append_within(kind, at, line, u64::MAX).await
    }

    /// The same, unless the file would become larger than that, or the disk too full: then the line is only counted.
    pub(in crate::serve) async fn append_within(&self, kind: LogKind, at: Timestamp, line: &[u8], bytes_max: u64) -> bool {
        let mut files = self.files.lock().await;
        let Some(files) = files.as_mut() else { return false };
        // Held until the line is there, so that nobody closes its day meanwhile.
        let open_from = self.folder.open_from.lock().unwrap_or_else(PoisonError::into_inner);
        files.append(std::iter::once((kind, kind.stretch(at).not_before(*open_from), line, bytes_max)))
    }

    /// Makes everything durable, and takes no more.
    pub(in crate::serve) async fn close(&self) {
        if let Some(mut files) = self.files.lock().await.take() {
            files.finish();
        }
    }
}
