//! The file of the day, for each kind: opened after whatever a killed process left, appended to, made durable.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Durability, Kind};
use crate::serve::metrics::Metrics;

/// Readable by the service's user only: customers' names may be in a message.
const MODE: u32 = 0o600;

/// An open file, known to hold whole lines up to `bytes`.
struct Open {
    day: Date,
    file: File,
    bytes: u64,
    /// Lines of the batch being written.
    pending: Vec<u8>,
}

/// The files one thread writes.
pub(super) struct Files {
    folder: PathBuf,
    durability: Durability,
    forged_bytes_max: u64,
    metrics: Arc<Metrics>,
    open: BTreeMap<Kind, Open>,
}

impl Files {
    pub(super) fn new(folder: &Path, durability: Durability, forged_bytes_max: u64, metrics: Arc<Metrics>) -> Self {
        Self { folder: folder.to_owned(), durability, forged_bytes_max, metrics, open: BTreeMap::new() }
    }

    /// Appends lines, all or none of them for certain; whether all are there. After a failure some may be there all the same,
    /// which is no harm: none was acknowledged.
    pub(super) fn append<'a>(&mut self, lines: impl Iterator<Item = (Kind, Date, &'a [u8])>) -> bool {
        match self.try_append(lines) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(folder = %self.folder.display(), %error, "messages could not be kept, so they were not acknowledged");
                // What the files hold now is uncertain: they are looked at again when they are opened again.
                self.open.clear();
                false
            }
        }
    }

    fn try_append<'a>(&mut self, lines: impl Iterator<Item = (Kind, Date, &'a [u8])>) -> io::Result<()> {
        for (kind, day, line) in lines {
            self.queue(kind, day, line)?;
        }
        for open in self.open.values_mut() {
            open.write(self.durability, &self.metrics)?;
        }
        Ok(())
    }

    fn queue(&mut self, kind: Kind, day: Date, line: &[u8]) -> io::Result<()> {
        // A clock that is put back does not reopen a day: it may be closed by now.
        if self.open.get(&kind).is_none_or(|open| open.day < day) {
            if let Some(mut before) = self.open.remove(&kind) {
                before.write(self.durability, &self.metrics)?;
                before.file.sync_data()?;
            }
            let open = Open::at(&self.folder, kind, day)?;
            self.open.insert(kind, open);
        }
        let Some(open) = self.open.get_mut(&kind) else { return Ok(()) };
        let length = u64::try_from(open.pending.len().saturating_add(line.len())).unwrap_or(u64::MAX);
        if kind == Kind::Forged && open.bytes.saturating_add(length) > self.forged_bytes_max {
            // Strangers must not fill the disk; they are still counted.
            return Ok(());
        }
        open.pending.extend_from_slice(line);
        open.pending.push(b'\n');
        self.metrics.line(kind.name());
        Ok(())
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
    fn at(folder: &Path, kind: Kind, day: Date) -> io::Result<Self> {
        let path = folder.join(kind.file_name(day));
        let is_new = !path.exists();
        let mut file = File::options().create(true).read(true).append(true).mode(MODE).open(&path)?;
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
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { day, file, bytes, pending: Vec::new() })
    }

    fn write(&mut self, durability: Durability, metrics: &Metrics) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
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
        self.pending.clear();
        Ok(())
    }
}

/// A file's folder made durable, so that what was created, renamed or removed in it is.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn lines_stand_alone_after_a_torn_one_and_a_day_is_never_reopened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("notifications-2026-11-21.jsonl"), "whole\ntorn").unwrap();
        let mut files = Files::new(path, Durability::Synced, 10, Arc::default());
        let (first, second) = (day("2026-11-21"), day("2026-11-22"));
        assert!(files.append([(Kind::Notifications, first, &b"a"[..]), (Kind::Notifications, first, b"b")].into_iter()));
        assert!(files.append([(Kind::Notifications, second, &b"c"[..]), (Kind::Notifications, first, b"d")].into_iter()));
        assert_eq!(read(path, "notifications-2026-11-21.jsonl"), "whole\ntorn\na\nb\n");
        assert_eq!(read(path, "notifications-2026-11-22.jsonl"), "c\nd\n");
        assert_eq!(files.metrics.log_syncs.get(), 2, "one fsync a batch and file");
    }

    #[test]
    fn strangers_get_so_many_bytes_a_day_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path(), Durability::Written, 10, Arc::default());
        for _ in 0..5 {
            assert!(
                files.append([(Kind::Forged, day("2026-11-21"), &b"1234"[..]), (Kind::Inquiries, day("2026-11-21"), b"x")].into_iter())
            );
        }
        assert_eq!(read(folder.path(), "forged-2026-11-21.jsonl"), "1234\n1234\n");
        assert_eq!(read(folder.path(), "inquiries-2026-11-21.jsonl"), "x\n".repeat(5));
    }

    #[test]
    fn a_folder_that_is_gone_is_a_failure_and_not_a_loss() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs");
        let mut files = Files::new(&path, Durability::Synced, 10, Arc::default());
        assert!(!files.append([(Kind::Notifications, day("2026-11-21"), &b"a"[..])].into_iter()));
        fs::create_dir(&path).unwrap();
        assert!(files.append([(Kind::Notifications, day("2026-11-21"), &b"b"[..])].into_iter()));
        assert_eq!(read(&path, "notifications-2026-11-21.jsonl"), "b\n");
    }
}
