//! The records of runs: a file for each, in a folder beside the ledger. It is written when the run begins and again when it ends, and
//! locked in between, so that a run that was killed is told from one that goes on.

use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::arguments::{HIDDEN_WORD, shown_file};
use crate::clock::Stopwatch;
use crate::domain::digest::{self, Running};
use crate::private;
use crate::report::atomic;
use crate::secret::unsaid;

/// What is kept of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Run {
    /// Its id, which stands in every line of its log.
    #[serde(rename = "run")]
    pub(in crate::cli) id: String,
    /// Such as `period close`.
    pub(in crate::cli) command: String,
    pub(in crate::cli) arguments: Map<String, Value>,
    /// Of the program.
    pub(in crate::cli) version: String,
    /// The account of the system, as the journal has it.
    pub(in crate::cli) account: String,
    pub(in crate::cli) host: String,
    pub(in crate::cli) process: u32,
    pub(in crate::cli) environment: String,
    pub(in crate::cli) configuration: Option<String>,
    pub(in crate::cli) ledger: String,
    pub(in crate::cli) inputs: Vec<Input>,
    /// SHA-256 of the summary.json of each report that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli) reports: Vec<String>,
    pub(in crate::cli) started_at: Timestamp,
    /// `sequence:hash` when the ledger was opened; none where it was not.
    pub(in crate::cli) head_before: Option<String>,
    pub(in crate::cli) head_after: Option<String>,
    /// None of a run that goes on, or never ended.
    pub(in crate::cli) ended_at: Option<Timestamp>,
    pub(in crate::cli) duration_ms: Option<u64>,
    pub(in crate::cli) exit_code: Option<u8>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::cli) struct Input {
    pub(in crate::cli) path: String,
    pub(in crate::cli) sha256: String,
    pub(in crate::cli) bytes: u64,
}

impl Input {
    /// With what a record may have of where it lies.
    pub(super) fn recorded(self) -> Self {
        Self { path: shown_file(&self.path).unwrap_or_else(|| HIDDEN_WORD.to_owned()), ..self }
    }

    /// Digests a file; none of what is no regular file, or cannot be read: whoever needs it says so.
    pub(super) fn of(path: &str) -> Option<Self> {
        Path::new(path).metadata().ok().filter(fs::Metadata::is_file)?;
        let mut file = File::open(path).ok()?;
        let (mut running, mut bytes, mut part) = (Running::default(), 0_u64, vec![0; 1 << 16]);
        loop {
            let count = file.read(&mut part).ok()?;
            if count == 0 {
                break;
            }
            running.update(part.get(..count)?);
            bytes = bytes.saturating_add(u64::try_from(count).ok()?);
        }
        Some(Self { path: path.to_owned(), sha256: digest::hex(&running.finish()), bytes })
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum State {
    Running,
    Ended,
    /// It was killed, or its machine stopped.
    NeverEnded,
}

/// The run of this process, and its record.
#[derive(Debug)]
pub(in crate::cli) struct Recording {
    folder: PathBuf,
    run: RefCell<Run>,
    /// The record on the disk, locked for as long as the run goes on; none where there is none yet.
    held: RefCell<Option<File>>,
    watch: Stopwatch,
}

impl Recording {
    /// To be written into `folder`; nothing is written yet.
    pub(super) fn new(folder: PathBuf, run: Run) -> Self {
        Self { folder, run: RefCell::new(run), held: RefCell::default(), watch: Stopwatch::start() }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Run)) {
        change(&mut self.run.borrow_mut());
    }

    pub(super) fn run(&self) -> Run {
        self.run.borrow().clone()
    }

    /// Whether there is a record on the disk.
    pub(super) fn is_begun(&self) -> bool {
        self.held.borrow().is_some()
    }

    /// Writes what is known so far. The folder is made, and never the one it is in: that is missing where a disk is not mounted.
    pub(super) fn put(&self) -> io::Result<()> {
        if !self.folder.parent().is_some_and(Path::is_dir) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the folder it lies in does not exist"));
        }
        private::folder(&self.folder)?;
        let run = self.run.borrow();
        let mut next = None;
        atomic::write(&file_of(&self.folder, &run.id), |draft| {
            let file = draft.get_ref().as_file().try_clone()?;
            // Before anybody can see it.
            file.lock()?;
            next = Some(file);
            let text = serde_json::to_string_pretty(&*run)?;
            draft.write_all(unsaid::without(&text).as_bytes())?;
            draft.write_all(b"\n")
        })
        .map_err(|error| io::Error::other(error.reason))?;
        *self.held.borrow_mut() = next;
        Ok(())
    }

    /// Writes how it ended.
    pub(super) fn end(&self, at: Timestamp, exit_code: u8, head_after: Option<String>) -> io::Result<()> {
        let milliseconds = u64::try_from(self.watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.change(|run| {
            run.head_after = head_after;
            (run.ended_at, run.duration_ms, run.exit_code) = (Some(at), Some(milliseconds), Some(exit_code));
        });
        self.put()
    }
}

/// Where the record of a run is.
pub(in crate::cli) fn file_of(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.json"))
}

/// The runs recorded in `folder`, the latest first; and how many records could not be read.
pub(in crate::cli) fn read(folder: &Path) -> io::Result<(Vec<(Run, State)>, usize)> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        entries => entries?,
    };
    let (mut runs, mut unreadable) = (Vec::new(), 0_usize);
    for entry in entries {
        let path = entry?.path();
        // Drafts have no such name.
        if path.extension().is_some_and(|extension| extension == "json") {
            match read_one(&path) {
                Ok(found) => runs.push(found),
                Err(_) => unreadable = unreadable.saturating_add(1),
            }
        }
    }
    runs.sort_by(|(a, _), (b, _)| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    Ok((runs, unreadable))
}

fn read_one(path: &Path) -> io::Result<(Run, State)> {
    let mut file = File::open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let run: Run = serde_json::from_str(&text)?;
    let state = match file.try_lock_shared() {
        _ if run.ended_at.is_some() => State::Ended,
        // Whoever has ended meanwhile has put another file in its place.
        Err(TryLockError::WouldBlock) => State::Running,
        Ok(()) | Err(TryLockError::Error(_)) => match private::text(path).map(|text| serde_json::from_str::<Run>(&text)) {
            Ok(Ok(run)) if run.ended_at.is_some() => return Ok((run, State::Ended)),
            _ => State::NeverEnded,
        },
    };
    Ok((run, state))
}
