//! Copies what the log holds into the file, beside the writing thread, so that no commit waits for it.
//!
//! Belongs here: when that is done. Must not be here: what is written (`writer`).

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};

use super::connect;
use super::connect::Pages;
use crate::ledger::sql::place::Place;

/// Has commits of `connection` wake a thread that copies; it ends with the connection.
pub(super) fn beside(connection: &mut Connection, place: &Place, pages: Pages) -> std::io::Result<JoinHandle<()>> {
    let (wake, woken) = sync_channel(1);
    let (place, copied) = (place.clone(), Arc::new(AtomicBool::new(false)));
    let mut hook = Hook { pages, wake, copied: Arc::clone(&copied), wakes_at: pages.usual };
    let thread = std::thread::Builder::new().name("ledger-checkpoint".into());
    let thread = thread.spawn(move || copy_when(&woken, &place, &copied))?;
    let committed = move |log: &mut Wal, count| {
        hook.committed(log, count);
        Ok(())
    };
    connection.wal_hook(Some(committed)).map_err(std::io::Error::other)?;
    Ok(thread)
}

/// What the writer does after a commit.
struct Hook {
    pages: Pages,
    wake: SyncSender<()>,
    /// Whether the thread has copied what there was when it was woken.
    copied: Arc<AtomicBool>,
    wakes_at: c_int,
}

impl Hook {
    /// The log has `count` pages.
    fn committed(&mut self, log: &mut Wal, count: c_int) {
        if count < self.pages.usual {
            self.wakes_at = self.pages.usual;
        }
        // What came while the thread copied is little. Once all is copied and nobody reads the log, the next commit begins it anew. What cannot
        // be copied now, because somebody does, stays in the log and is as durable there.
        if self.copied.swap(false, Ordering::AcqRel) || count >= self.pages.most {
            drop(log.checkpoint());
        } else if count >= self.wakes_at {
            self.wakes_at = count.saturating_add(self.pages.usual / 8);
            // It may be at it already.
            self.wake.try_send(()).unwrap_or_default();
        }
    }
}

fn copy_when(woken: &Receiver<()>, place: &Place, copied: &AtomicBool) {
    let mut connection = None;
    while woken.recv().is_ok() {
        if connection.is_none() {
            connection = connect::for_checkpoints(place).inspect_err(|error| tell(place, error)).ok();
        }
        match connection.as_ref().map(|connection| connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)) {
            Some(Ok(_)) => copied.store(true, Ordering::Release),
            Some(Err(error)) => tell(place, &error),
            None => {}
        }
    }
}

fn tell(place: &Place, error: &dyn std::fmt::Display) {
    tracing::warn!(ledger = %place.path().display(), %error, "the ledger's log could not be copied into its file; it stays as it is, and grows");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in a file, its writer with checkpoints beside it, and the path of its log.
    fn written(folder: &std::path::Path, pages: Pages, rows: u32, reader: bool) -> (u64, u32) {
        let path = folder.join("file");
        let mut connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE kept (number INTEGER PRIMARY KEY, text TEXT)").unwrap();
        let thread = beside(&mut connection, &Place::new(&path), pages).unwrap();
        let reading = reader.then(|| {
            let reading = Connection::open(&path).unwrap();
            reading.execute_batch("BEGIN; SELECT count(*) FROM kept").unwrap();
            reading
        });
        for number in 0..rows {
            connection.execute("INSERT INTO kept VALUES (?1, ?2)", (number, "x".repeat(3_000))).unwrap();
        }
        let bytes = std::fs::metadata(folder.join("file-wal")).unwrap().len();
        drop(connection);
        thread.join().unwrap();
        drop(reading);
        let count = Connection::open(&path).unwrap().query_row("SELECT count(*) FROM kept", [], |row| row.get(0)).unwrap();
        (bytes, count)
    }

    #[test]
    fn the_log_begins_anew_while_its_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, count) = written(folder.path(), Pages { usual: 32, most: 4_096 }, 3_000, false);
        assert_eq!(count, 3_000);
        assert!(bytes < 12 * 1_024 * 1_024, "3,000 rows are 24 MB of log; {bytes} bytes");
    }

    #[test]
    fn a_log_that_nobody_copies_beside_is_copied_by_its_writer_and_one_that_is_read_grows() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, count) = written(folder.path(), Pages { usual: c_int::MAX, most: 64 }, 1_000, false);
        assert_eq!(count, 1_000);
        assert!(bytes < 1_024 * 1_024, "{bytes} bytes");
        let folder = tempfile::tempdir().unwrap();
        let (bytes, count) = written(folder.path(), Pages { usual: 32, most: 64 }, 1_000, true);
        assert_eq!(count, 1_000, "a reader keeps the log, and holds nobody up for long");
        assert!(bytes > 4 * 1_024 * 1_024, "{bytes} bytes");
    }
}
