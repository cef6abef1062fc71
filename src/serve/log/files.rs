//! The file of the day, for each kind: opened after whatever a killed process left, appended to, made durable.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kind::{AnswerPlace, Durability, LogKind, Stretch};
use super::lock::FolderLock;
use crate::private;
use crate::serve::metrics::Metrics;

/// How often a file may be replaced under one batch before it is given up.
const REPLACED_MAX: usize = 3;

/// An open file, known to hold whole lines up to `bytes`.
#[derive(Debug)]
struct Open {
    kind: LogKind,
    path: PathBuf,
    stretch: Stretch,
    file: File,
    bytes: u64,
    /// Lines of the batch being written, and how many.
    pending: Vec<u8>,
    pending_count: u64,
}

/// The files of a writer.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    lock: Arc<FolderLock>,
    durability: Durability,
    /// Bytes of the disk that what has a bound leaves free.
    reserved_bytes: u64,
    metrics: Arc<Metrics>,
    open: BTreeMap<LogKind, Open>,
    /// How much could not be written last.
    failed_bytes: usize,
}

impl Files {
    pub(super) fn new(folder: &Path, lock: Arc<FolderLock>, durability: Durability, reserved_bytes: u64, metrics: Arc<Metrics>) -> Self {
        Self { folder: folder.to_owned(), lock, durability, reserved_bytes, metrics, open: BTreeMap::new(), failed_bytes: 0 }
    }

    /// Appends lines, all or none of them for certain; whether all are there. After a failure some may be there all the same,
    /// which is no harm: none was acknowledged.
    pub(super) fn append<'a>(&mut self, lines: impl Iterator<Item = (LogKind, Stretch, &'a [u8], u64)>) -> bool {
        let (mut bytes, mut kinds) = (0_usize, Vec::new());
        let counted = lines.inspect(|(kind, _, line, _)| {
            bytes = bytes.saturating_add(line.len());
            kinds.push(*kind);
        });
        match self.try_append(counted) {
            Ok(()) => true,
            Err(error) => {
                self.failed_bytes = bytes;
                for kind in kinds {
                    self.metrics.not_kept(kind);
                }
                tracing::error!(folder = %self.folder.display(), %error, "messages could not be kept, so they were not acknowledged");
                // What the files hold now is uncertain: they are looked at again when they are opened again.
                self.open.clear();
                false
            }
        }
    }

    /// Whether as many bytes as failed last could be appended now: written as blank lines, made durable and taken back.
    pub(super) fn could_append(&mut self, kind: LogKind, stretch: Stretch) -> bool {
        let blank = vec![b'\n'; self.failed_bytes.max(1)];
        let attempt = || -> io::Result<()> {
            self.lock.hold()?;
            let mut open = Open::at(&self.folder, kind, stretch)?;
            let written = open.file.write_all(&blank).and_then(|()| open.file.sync_data());
            open.file.set_len(open.bytes)?;
            written
        };
        // Whatever is open is looked at again.
        let could = attempt().is_ok();
        self.open.remove(&kind);
        could
    }

    fn try_append<'a>(&mut self, lines: impl Iterator<Item = (LogKind, Stretch, &'a [u8], u64)>) -> io::Result<()> {
        self.lock.hold()?;
        for (kind, stretch, line, bytes_max) in lines {
            self.queue(kind, stretch, line, bytes_max)?;
        }
        for open in self.open.values_mut() {
            open.write(self.durability, &self.metrics)?;
        }
        Ok(())
    }

    fn queue(&mut self, kind: LogKind, stretch: Stretch, line: &[u8], bytes_max: u64) -> io::Result<()> {
        // A clock that is put back does not reopen a day: it may be closed by now.
        if self.open.get(&kind).is_none_or(|open| open.stretch.key() < stretch.key()) {
            if let Some(mut before) = self.open.remove(&kind) {
                before.write(self.durability, &self.metrics)?;
                before.file.sync_data()?;
            }
            let open = Open::at(&self.folder, kind, stretch)?;
            self.open.insert(kind, open);
        }
        let Some(open) = self.open.get_mut(&kind) else { return Ok(()) };
        let length = u64::try_from(open.pending.len().saturating_add(line.len())).unwrap_or(u64::MAX);
        // Strangers must fill neither their own log nor the disk that payments are kept on; they are still counted.
        if bytes_max != u64::MAX {
            let is_over = open.bytes.saturating_add(length) > bytes_max;
            if is_over || free_bytes(&self.folder)? < self.reserved_bytes.saturating_add(length) {
                self.metrics.dropped(if is_over { "cap" } else { "space" });
                return Ok(());
            }
        }
        open.pending.extend_from_slice(line);
        open.pending.push(b'\n');
        open.pending_count = open.pending_count.saturating_add(1);
        Ok(())
    }

    /// Where the answer is that was appended last, of so many bytes.
    pub(super) fn last_answer(&self, bytes: usize) -> Option<AnswerPlace> {
        let open = self.open.get(&LogKind::Answers)?;
        let bytes = u32::try_from(bytes).ok()?;
        let from = open.bytes.checked_sub(u64::from(bytes).checked_add(1)?)?;
        Some(AnswerPlace { stretch: open.stretch, from, bytes })
    }

    /// Makes everything durable.
    pub(super) fn finish(&mut self) {
        for open in std::mem::take(&mut self.open).into_values() {
            if let Err(error) = open.file.sync_data() {
                tracing::error!(%error, "a log could not be made durable at its end");
            }
        }
    }
}

impl Open {
    /// Opens the day's file; a line that a killed process left torn is ended, so that the next one stands alone.
    fn at(folder: &Path, kind: LogKind, stretch: Stretch) -> io::Result<Self> {
        Self::reopened(&folder.join(kind.file_name(stretch)), kind, stretch)
    }

    fn reopened(path: &Path, kind: LogKind, stretch: Stretch) -> io::Result<Self> {
        let path = path.to_owned();
        let is_new = !path.exists();
        let mut file = private::append(&path)?;
        let mut bytes = file.metadata()?.len();
        if bytes > 0 {
            let mut last = [0_u8];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                bytes = bytes.saturating_add(1);
            }
        }
        if is_new {
            file.sync_all()?;
            sync_folder_of(&path)?;
        }
        Ok(Self { kind, path, stretch, file, bytes, pending: Vec::new(), pending_count: 0 })
    }

    /// Writes what is pending, and again into the file of that name if somebody has put another there, or none, meanwhile: what is
    /// written into a file that nobody finds would be acknowledged and lost.
    fn write(&mut self, durability: Durability, metrics: &Metrics) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for _ in 0..REPLACED_MAX {
            if !self.is_in_place()? {
                tracing::error!(path = %self.path.display(), "a log was removed or replaced while it was written; it is begun again");
                let pending = std::mem::take(&mut self.pending);
                *self = Self { pending, pending_count: self.pending_count, ..Self::reopened(&self.path, self.kind, self.stretch)? };
            }
            self.write_here(durability, metrics)?;
            if self.is_in_place()? {
                self.pending.clear();
                // Only what is in its file is counted as a line of it.
                metrics.lines(self.kind, std::mem::take(&mut self.pending_count));
                return Ok(());
            }
        }
        Err(io::Error::other(format!("`{}` is replaced again and again", self.path.display())))
    }

    /// Whether the file is still the one of its name. One that was cut by others is, and shorter.
    fn is_in_place(&mut self) -> io::Result<bool> {
        let here = self.file.metadata()?;
        self.bytes = self.bytes.min(here.len());
        match fs::symlink_metadata(&self.path) {
            Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn write_here(&mut self, durability: Durability, metrics: &Metrics) -> io::Result<()> {
        let written = self.file.write_all(&self.pending);
        if written.is_err() {
            // Half a batch is taken back where possible, so that a full disk does not fill up with torn lines.
            drop(self.file.set_len(self.bytes));
        }
        written?;
        if durability == Durability::Synced {
            self.file.sync_data()?;
            metrics.log_syncs.inc();
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(self.pending.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// What is free on the disk of `folder`.
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// A file's folder made durable, so that what was created, renamed or removed in it is.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a bound.
    const FREE: u64 = u64::MAX;

    fn day(text: &str) -> Stretch {
        Stretch { day: text.parse().unwrap(), minute: None }
    }

    fn files(folder: &Path, durability: Durability, reserved_bytes: u64) -> Files {
        // The one before lets go first.
        let lock = FolderLock::take(folder).unwrap();
        Files::new(folder, Arc::new(lock.unwrap()), durability, reserved_bytes, Arc::default())
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn lines_stand_alone_after_a_torn_one_and_a_day_is_never_reopened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("notifications-2026-11-21.jsonl"), "whole\ntorn").unwrap();
        let mut files = self::files(path, Durability::Synced, 10);
        let (first, second) = (day("2026-11-21"), day("2026-11-22"));
        assert!(files.append([(LogKind::Notifications, first, &b"a"[..], FREE), (LogKind::Notifications, first, b"b", FREE)].into_iter()));
        assert!(files.append([(LogKind::Notifications, second, &b"c"[..], FREE), (LogKind::Notifications, first, b"d", FREE)].into_iter()));
        assert_eq!(read(path, "notifications-2026-11-21.jsonl"), "whole\ntorn\na\nb\n");
        assert_eq!(read(path, "notifications-2026-11-22.jsonl"), "c\nd\n");
        assert_eq!(files.metrics.log_syncs.get(), 2, "one fsync a batch and file");
    }

    #[test]
    fn strangers_get_so_many_bytes_a_day_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = self::files(folder.path(), Durability::Written, 10);
        for _ in 0..5 {
            assert!(files.append(
                [(LogKind::Forged, day("2026-11-21"), &b"1234"[..], 10), (LogKind::Inquiries, day("2026-11-21"), b"x", FREE)].into_iter()
            ));
        }
        assert_eq!(read(folder.path(), "forged-2026-11-21.jsonl"), "1234\n1234\n");
        assert_eq!(read(folder.path(), "inquiries-2026-11-21.jsonl"), "x\n".repeat(5));
        assert!(files.metrics.text().contains("tagih_log_dropped_total{is=\"cap\"} 3"), "{}", files.metrics.text());
        // A disk with less than its reserve takes nothing of theirs either, and everything of DOKU's.
        drop(files);
        let mut files = self::files(folder.path(), Durability::Written, u64::MAX);
        let day = day("2026-11-22");
        assert!(files.append([(LogKind::Forged, day, &b"1234"[..], 10), (LogKind::Notifications, day, b"y", FREE)].into_iter()));
        assert_eq!(read(folder.path(), "forged-2026-11-22.jsonl") + &read(folder.path(), "notifications-2026-11-22.jsonl"), "y\n");
        assert!(files.metrics.text().contains("tagih_log_dropped_total{is=\"space\"} 1"), "{}", files.metrics.text());
    }

    #[test]
    fn a_line_is_in_the_file_of_its_name_whatever_was_done_to_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let name = "notifications-2026-11-21.jsonl";
        let mut files = self::files(path, Durability::Synced, 10);
        let mut append = |line: &[u8]| assert!(files.append([(LogKind::Notifications, day("2026-11-21"), line, FREE)].into_iter()));
        append(b"a");
        fs::remove_file(path.join(name)).unwrap();
        append(b"b");
        assert_eq!(read(path, name), "b\n", "what was removed is gone, what came after is not");
        fs::rename(path.join(name), path.join("rotated")).unwrap();
        fs::write(path.join(name), "another's\n").unwrap();
        append(b"c");
        assert_eq!((read(path, "rotated").as_str(), read(path, name).as_str()), ("b\n", "another's\nc\n"));
        fs::write(path.join(name), "").unwrap();
        append(b"d");
        assert_eq!(read(path, name), "d\n", "cut by others, no hole is left");
    }

    #[test]
    fn a_folder_that_is_gone_is_a_failure_and_not_a_loss() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs");
        let mut files = self::files(&path, Durability::Synced, 10);
        fs::remove_dir_all(&path).unwrap();
        assert!(!files.append([(LogKind::Notifications, day("2026-11-21"), &b"a"[..], FREE)].into_iter()));
        fs::create_dir(&path).unwrap();
        assert!(files.append([(LogKind::Notifications, day("2026-11-21"), &b"b"[..], FREE)].into_iter()));
        assert_eq!(read(&path, "notifications-2026-11-21.jsonl"), "b\n");
    }
}
