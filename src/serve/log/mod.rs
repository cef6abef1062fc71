//! Logs of what arrived: one JSON line a message, one file a kind and WIB day (of answers: a minute).
//!
//! Belongs here: durability. Notifications are written by one thread: those of all requests that wait while the disk works share its next
//! fsync. A caller hears that its line is there only when it is. Must not be here: what the lines say.

mod closing;
mod files;
mod folder;
pub(super) mod kind;
mod lock;
mod records;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::oneshot;

pub use self::closing::day_of;
use self::files::Files;
pub use self::folder::LogFolder;
pub(super) use self::kind::AnswerPlace;
pub use self::kind::LogKind;
use self::kind::{Durability, Stretch};
pub(super) use self::records::Records;
use super::error::ServeError;
use super::metrics::Metrics;
use crate::private;

/// Lines that may share an fsync.
const BATCH: usize = 4_096;

impl LogFolder {
    /// Starts the thread that writes lines which must survive a power cut. The folder is tried out first.
    pub(super) fn writer(&self, reserved_bytes: u64, metrics: &Arc<Metrics>) -> Result<LogWriter, ServeError> {
        let mut files = self.files_of(Durability::Synced, reserved_bytes, metrics)?;
        let (sender, receiver) = mpsc::channel();
        let folder = self.clone();
        let thread = std::thread::Builder::new().name("log-writer".into()).spawn(move || {
            // The whole of it: the folder stays ours until the last line is written.
            let folder = folder;
            write_all(&receiver, &mut files, &folder.open_from);
        });
        let thread = thread.map_err(|error| self.failed(&error))?;
        Ok(LogWriter { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Lines which must survive the death of this process. The folder is tried out first.
    pub(super) fn records(&self, reserved_bytes: u64, metrics: &Arc<Metrics>) -> Result<Records, ServeError> {
        Ok(Records::new(self.clone(), self.files_of(Durability::Written, reserved_bytes, metrics)?))
    }

    fn files_of(&self, durability: Durability, reserved_bytes: u64, metrics: &Arc<Metrics>) -> Result<Files, ServeError> {
        private::unnamed(&self.path).map_err(|error| self.failed(&error))?;
        Ok(Files::new(&self.path, Arc::clone(&self.lock), durability, reserved_bytes, Arc::clone(metrics)))
    }
}

/// One line on its way to the disk; without one, only the question whether as much as failed last could be written now.
struct Job {
    kind: LogKind,
    stretch: Stretch,
    line: Option<Vec<u8>>,
    done: oneshot::Sender<bool>,
}

/// A thread that writes lines. Callers share its work.
#[derive(Debug)]
pub(super) struct LogWriter {
    sender: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LogWriter {
    /// Appends a line (its line feed is added) to the file of the day `at` falls on; whether it is there.
    pub(super) async fn append(&self, kind: LogKind, at: Timestamp, line: Vec<u8>) -> bool {
        self.ask(kind, at, Some(line)).await
    }

    /// Whether as much as failed last could be written now. Nothing of it stays.
    pub(super) async fn could_append(&self, kind: LogKind, at: Timestamp) -> bool {
        self.ask(kind, at, None).await
    }

    async fn ask(&self, kind: LogKind, at: Timestamp, line: Option<Vec<u8>>) -> bool {
        let (done, answer) = oneshot::channel();
        let job = Job { kind, stretch: kind.stretch(at), line, done };
        let sent = match &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(sender) => sender.send(job).is_ok(),
            None => false,
        };
        sent && answer.await.unwrap_or(false)
    }

    /// Writes what is under way, makes it durable, and ends the thread.
    pub(super) fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(thread.join());
        }
    }
}

/// Group commit: whatever came while the last batch was being made durable is the next batch.
fn write_all(receiver: &mpsc::Receiver<Job>, files: &mut Files, open_from: &Mutex<Date>) {
    while let Ok(first) = receiver.recv() {
        let mut batch = vec![first];
        batch.extend(receiver.try_iter().take(BATCH));
        // Held until the lines are there, so that nobody closes a day meanwhile.
        let open_from = open_from.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = batch.iter().filter_map(|job| Some((job.kind, job.stretch.not_before(*open_from), job.line.as_deref()?, u64::MAX)));
        let written = files.append(lines);
        let could = batch
            .iter()
            .find(|job| job.line.is_none())
            .map(|job| written && files.could_append(job.kind, job.stretch.not_before(*open_from)));
        drop(open_from);
        for job in batch {
            let answer = if job.line.is_none() { could.unwrap_or(written) } else { written };
            if job.done.send(answer).is_err() {
                tracing::debug!("a message was kept after its sender had hung up");
            }
        }
    }
    files.finish();
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::lock::FolderLock;
    use super::*;

    #[test]
    fn all_that_wait_share_one_fsync_and_hear_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Arc::<Metrics>::default();
        let mut files = Files::new(
            folder.path(),
            Arc::new(FolderLock::take(folder.path()).unwrap().unwrap()),
            Durability::Synced,
            0,
            Arc::clone(&metrics),
        );
        let (sender, receiver) = mpsc::channel();
        let day: Date = "2026-11-21".parse().unwrap();
        let answers: Vec<oneshot::Receiver<bool>> = (0..100)
            .map(|number: u8| {
                let (done, answer) = oneshot::channel();
                sender
                    .send(Job {
                        kind: LogKind::Notifications,
                        stretch: Stretch { day, minute: None },
                        line: Some(vec![b'a' + number % 26]),
                        done,
                    })
                    .unwrap();
                answer
            })
            .collect();
        drop(sender);
        write_all(&receiver, &mut files, &Mutex::new(Date::MIN));
        assert_eq!(metrics.log_syncs.get(), 1);
        assert!(answers.into_iter().all(|answer| answer.blocking_recv().unwrap()));
        assert_eq!(fs::read_to_string(folder.path().join("notifications-2026-11-21.jsonl")).unwrap().lines().count(), 100);
    }

    #[test]
    fn a_line_of_a_day_that_is_closed_goes_to_an_open_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = LogFolder::take(place.path()).unwrap();
        let writer = folder.writer(0, &Arc::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let keep = |at: &str, line: &str| {
            let line = line.as_bytes().to_vec();
            assert!(runtime.block_on(writer.append(LogKind::Notifications, at.parse().unwrap(), line)));
        };
        keep("2026-11-21T10:00:00Z", "before");
        // No message came since, so the day's file is still the one in use when it is closed; then the clock is put back.
        assert_eq!(folder.close_before("2026-11-23".parse().unwrap()).unwrap(), 1);
        keep("2026-11-21T11:00:00Z", "after");
        keep("2026-11-25T11:00:00Z", "later");
        let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap_or_default();
        assert_eq!(read("notifications-2026-11-23.jsonl"), "after\n", "acknowledged, so it must be found again");
        assert_eq!(read("notifications-2026-11-25.jsonl"), "later\n");
        writer.close();
    }

    #[test]
    fn a_folder_has_one_owner_until_its_last_line_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let ours = LogFolder::take(folder.path()).unwrap();
        assert!(matches!(LogFolder::take(folder.path()), Err(ServeError::Held { .. })));
        let writer = ours.writer(0, &Arc::default()).unwrap();
        drop(ours);
        assert!(matches!(LogFolder::take(folder.path()), Err(ServeError::Held { .. })));
        writer.close();
        LogFolder::take(folder.path()).unwrap();
    }

    #[test]
    fn answers_are_kept_for_as_long_as_they_may_be_asked_for_and_so_many_bytes_at_most() {
        let place = tempfile::tempdir().unwrap();
        let folder = LogFolder::take(place.path()).unwrap();
        let records = folder.records(0, &Arc::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // As an earlier version left them.
        fs::write(place.path().join("answers-2026-11-20.jsonl"), "of the day before\n").unwrap();
        fs::write(place.path().join("answers-2026-11-21.jsonl"), "of the day\n").unwrap();
        let mut places = Vec::new();
        for minute in 0..30 {
            let at: Timestamp = format!("2026-11-21T03:{minute:02}:10Z").parse().unwrap();
            places.push(runtime.block_on(records.answer(at, format!("answer {minute:02}").as_bytes())).unwrap());
        }
        let read = |since: &str, bytes_max: u64| {
            let mut lines = Vec::new();
            folder.answers_since(since.parse().unwrap(), bytes_max, |place, line| {
                assert_eq!(folder.answer(place).unwrap(), line, "it is where it was said to be");
                lines.push(String::from_utf8_lossy(line).into_owned());
            });
            lines
        };
        for (minute, place) in places.iter().enumerate() {
            assert_eq!(folder.answer(*place).unwrap(), format!("answer {minute:02}").as_bytes());
        }
        let since = "2026-11-21T03:28:00Z";
        assert_eq!(read(since, 1_000), ["answer 28", "answer 29", "of the day"]);
        assert_eq!(read(since, 25), ["answer 29", "of the day"], "the rest of a line is none");
        folder.forget_answers(since.parse().unwrap(), 1_000).unwrap();
        assert_eq!(read("2026-11-01T00:00:00Z", 1_000), ["answer 28", "answer 29", "of the day"]);
        folder.forget_answers("2026-11-22T03:00:00Z".parse().unwrap(), 1_000).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name() != ".lock").count(), 1);
        assert!(folder.answer(places[29]).is_err(), "its file is removed");
        runtime.block_on(records.close());
    }
}
