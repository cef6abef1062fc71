//! Logs into a store: each as a whole or not at all, and none twice.

use std::io;
use std::path::Path;

use super::added::{Added, AddedAs};
use super::entry::Entry;
use super::error::StoreError;
use super::list::List;
use super::log::StoredLog;
use super::raw;
use super::reading::{AddOptions, Reading, parts};
use super::relation::{Index, Relation, relation, verified_from};
use super::store_at::StoreAt;
use super::writer::StoreWriter;
use crate::doku::signature::SigningKey;
use crate::evidence::EvidenceError;
use crate::evidence::source::Decoder;

/// Logs made durable together, or a quarter of those that are there, as the list is written each time; and their bytes.
const TOGETHER: usize = 256;
const TOGETHER_BYTES: usize = 32 << 20;

/// Adds `options.logs`; what became of each, in their order, and the head of the list afterwards.
///
/// # Errors
/// When a log cannot be read to its end, or the store cannot be used; what was added before stays.
pub fn add(options: &AddOptions<'_>) -> Result<(Vec<Added>, String), EvidenceError> {
    let store = Opened::of(options.at)?;
    let index = Index::of(store.list());
    let mut adding = Adding { store, index, options, entries: Vec::new(), files: Vec::new() };
    let all: Result<Vec<Added>, EvidenceError> = options.logs.iter().map(|path| adding.add(path)).collect();
    adding.commit()?;
    Ok((all?, adding.store.list().head()))
}

/// A store that can be written, or one that can only be read, and why: that is enough for logs that are there already.
enum Opened {
    Written(StoreWriter),
    Read(List, StoreError),
}

impl Opened {
    fn of(at: &StoreAt) -> Result<Self, StoreError> {
        match StoreWriter::open(at) {
            Err(error @ StoreError::Disk { .. }) => List::read(at).map_or(Err(error.clone()), |list| Ok(Self::Read(list, error))),
            opened => opened.map(Self::Written),
        }
    }

    const fn list(&self) -> &List {
        match self {
            Self::Written(writer) => writer.list(),
            Self::Read(list, _) => list,
        }
    }

    fn commit(&mut self, entries: Vec<Entry>, files: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        match self {
            Self::Written(writer) => writer.commit(entries, files),
            Self::Read(_, error) => Err(error.clone()),
        }
    }
}

/// Logs on their way into a store. Small ones are made durable together.
struct Adding<'a> {
    store: Opened,
    index: Index,
    options: &'a AddOptions<'a>,
    /// What is not in the store yet.
    entries: Vec<Entry>,
    files: Vec<(String, Vec<u8>)>,
}

impl Adding<'_> {
    fn add(&mut self, path: &Path) -> Result<Added, EvidenceError> {
        let unreadable = |error: io::Error| EvidenceError::unreadable(path, &error);
        // What lies there byte for byte as it did, and could be no better with these keys, need not be read again.
        let (sha256, _) = Decoder::open(path).map_err(unreadable)?.finish().map_err(unreadable)?;
        if let Some(forged) = self.index.of_file(&sha256).map(<[usize]>::to_vec).and_then(|places| self.is_done(&places)) {
            return Ok(Added { path: path.to_owned(), what: AddedAs::Known, messages: 0, forged, file: None });
        }
        let reading = Reading::of(path, self.options)?;
        if !reading.file.contents.is_whole(self.options.malformed_max_percent) {
            return Ok(reading.added(AddedAs::NoLog, 0));
        }
        let (log, to_messages) = match self.relation(path, &reading)? {
            Relation::Known(log) => (log, reading.messages.len()),
            Relation::Grown(log, from) => (Some(log), from),
            Relation::Cut => return Ok(reading.added(AddedAs::Cut, 0)),
            Relation::Changed(line) => return Ok(reading.added(AddedAs::Changed(line), 0)),
            Relation::New => return self.take(reading, (0, 0), None, AddedAs::New),
            Relation::Renewed => return self.take(reading, (0, 0), None, AddedAs::Renewed),
        };
        let is_grown = to_messages < reading.messages.len();
        let from = match log {
            Some(log) => self.verified_from(log, &reading, to_messages)?.unwrap_or(to_messages),
            None => to_messages,
        };
        match (is_grown, from < to_messages) {
            (false, false) => Ok(reading.added(AddedAs::Known, 0)),
            (true, _) => self.take(reading, (from, to_messages), log, AddedAs::Grown),
            (false, true) => self.take(reading, (from, to_messages), log, AddedAs::Verified),
        }
    }

    /// How many messages of the log with entries at `places` no key has signed, if these keys cannot say more of it than was found.
    fn is_done(&self, places: &[usize]) -> Option<u64> {
        let waiting = |place: &usize| *place >= self.store.list().entries.len();
        if places.iter().any(waiting) {
            return Some(0);
        }
        let log = self.store.list().log(places)?;
        let is_tried = |key: &SigningKey| log.keys().contains(&key.fingerprint());
        // One of before may be none: that is said each time.
        let is_whole = log.is_whole(self.options.malformed_max_percent);
        (is_whole && (log.forged() == 0 || self.options.read.keys.iter().all(is_tried))).then(|| log.forged())
    }

    /// From which message on, of those before `to`, the log says more than the store has of it.
    fn verified_from(&mut self, log: u64, reading: &Reading, to: usize) -> Result<Option<usize>, EvidenceError> {
        self.commit()?;
        let now: Vec<bool> = reading.order.iter().take(to).map(|at| reading.is_signed(*at)).collect();
        let held = self.index.places(log).and_then(|places| self.store.list().log(places));
        Ok(held.map(|held: StoredLog<'_>| verified_from(self.options.at, &held, &now)).transpose()?.flatten())
    }

    fn relation(&mut self, path: &Path, reading: &Reading) -> Result<Relation, EvidenceError> {
        if let Some(log) = self.index.of_content(&reading.messages) {
            return Ok(Relation::Known(Some(log)));
        }
        let near = self.index.near(path, &reading.messages);
        if !near.is_empty() {
            // It is held against what is in the store.
            self.commit()?;
        }
        Ok(relation(self.options.at, (self.store.list(), &self.index), path, &reading.messages, &near)?)
    }

    /// Takes the messages from number `from` on; the lines of those before `raw_from` are there.
    fn take(
        &mut self,
        reading: Reading,
        (from, raw_from): (usize, usize),
        log: Option<u64>,
        what: AddedAs,
    ) -> Result<Added, EvidenceError> {
        let place = self.store.list().entries.len().saturating_add(self.entries.len());
        let number = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
        let options = self.options;
        let lines = reading.files_from(from, number, &options.read).map_err(|error| StoreError::disk(&options.at.path, &error))?;
        let raw = if options.keep_raw { raw::files(&reading, raw_from, number, options)? } else { Vec::new() };
        let addition = reading.addition(log.unwrap_or(number), from, options, parts(&lines), parts(&raw));
        self.index.take(place, &addition);
        self.entries.push(Entry::Added(Box::new(addition)));
        self.files.extend(lines.into_iter().chain(raw).map(|made| (made.part.path, made.bytes)));
        let bytes = self.files.iter().map(|(_, bytes)| bytes.len()).fold(0, usize::saturating_add);
        if bytes > TOGETHER_BYTES || self.entries.len() >= TOGETHER.max(self.store.list().entries.len() / 4) {
            self.commit()?;
        }
        let first = if what == AddedAs::Verified { from } else { raw_from };
        let messages = u64::try_from(reading.messages.len().saturating_sub(first)).unwrap_or(u64::MAX);
        tracing::info!(log = %reading.path.display(), messages, "a log was added to the evidence");
        Ok(reading.added(what, messages))
    }

    fn commit(&mut self) -> Result<(), EvidenceError> {
        if !self.entries.is_empty() {
            self.store.commit(std::mem::take(&mut self.entries), &std::mem::take(&mut self.files))?;
        }
        Ok(())
    }
}
