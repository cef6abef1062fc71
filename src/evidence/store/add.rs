//! Logs into a store: each as a whole or not at all, and none twice.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use super::added::{Added, AddedAs};
use super::list::{Addition, Contents, Entry, List, NO_DAY, Part};
use super::log::StoredLog;
use super::raw;
use super::relation::{Index, Message, Relation, content, relation, verified_from};
use super::row::{Row, encoded};
use super::writer::StoreWriter;
use super::{StoreAt, StoreError};
use crate::doku::claim::Claim;
use crate::doku::signature::SigningKey;
use crate::domain::calendar::wib_date;
use crate::domain::digest::{self, Digest};
use crate::domain::line::{InputFile, Lines};
use crate::evidence::blocks::Blocks;
use crate::evidence::fact::{Beside, Verdict, instant};
use crate::evidence::read::{Evidence, ReadOptions, each};
use crate::evidence::source::Decoder;
use crate::evidence::{EvidenceError, NoPairs};

/// Rows of one file: so many are read by one thread at once.
const PART: usize = 1 << 17;

/// Logs made durable together, or a quarter of those that are there, as the list is written each time; and their bytes.
const TOGETHER: usize = 256;
const TOGETHER_BYTES: usize = 32 << 20;

/// What is added, and how.
#[derive(Clone, Copy, Debug)]
pub struct AddOptions<'a> {
    /// The store.
    pub at: &'a StoreAt,
    /// The logs.
    pub logs: &'a [PathBuf],
    /// What their lines are held against; the bills are left aside.
    pub read: ReadOptions<'a>,
    /// Whether the lines themselves are kept as well.
    pub keep_raw: bool,
    /// A log of whose messages more cannot be read than so many percent is none.
    pub malformed_max_percent: u64,
    /// The time to record (UTC).
    pub now: Timestamp,
}

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

/// A file that is to be part of the store.
pub(super) struct Made {
    pub(super) part: Part,
    pub(super) bytes: Vec<u8>,
}

impl Made {
    pub(super) fn of(path: String, day: Option<Date>, rows: usize, bytes: Vec<u8>) -> Self {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let sha256 = digest::of_bytes(&bytes);
        Self { part: Part { path, day, rows: count(rows), bytes: count(bytes.len()), sha256 }, bytes }
    }
}

fn parts(made: &[Made]) -> Vec<Part> {
    made.iter().map(|made| made.part.clone()).collect()
}

/// The folder of a day.
pub(super) fn folder(day: Option<Date>) -> String {
    format!("day={}", day.map_or_else(|| NO_DAY.to_owned(), |day| day.to_string()))
}

/// A log as it was read.
pub(super) struct Reading {
    pub(super) path: PathBuf,
    pub(super) file: InputFile,
    lines: Lines,
    beside: Vec<Beside>,
    claims: Vec<(Digest, Claim)>,
    /// The places of its messages, in the order of their lines.
    pub(super) order: Vec<u32>,
    messages: Vec<Message>,
}

impl Reading {
    fn of(path: &Path, options: &AddOptions<'_>) -> Result<Self, EvidenceError> {
        let read = ReadOptions { pairs: &NoPairs, ..options.read };
        let (mut evidence, mut beside) = (Evidence::default(), Vec::new());
        let paths = [path.to_path_buf()];
        let files = each(Blocks::new(&paths, read.tables), &read, true, |mut parsed| {
            beside.append(&mut parsed.beside);
            evidence.take(parsed)
        })?;
        evidence.files = files;
        evidence.finish();
        let Evidence { lines, files, claims, .. } = evidence;
        let Some(file) = files.into_iter().next() else { return Err(EvidenceError::unreadable(path, &io::ErrorKind::NotFound.into())) };
        let mut order: Vec<u32> = lines.iter().map(|(at, _)| at).collect();
        order.sort_by_key(|at| lines.get(*at).map(|line| line.number));
        let mut reading = Self { path: path.to_path_buf(), file, lines, beside, claims, order, messages: Vec::new() };
        let message = |at: &u32| {
            let (line, beside) = (reading.lines.get(*at)?, reading.beside(*at)?);
            Some(Message { line: line.number.into(), digest: line.digest, is_unread: beside.verdict == Verdict::Unread })
        };
        reading.messages = reading.order.iter().filter_map(message).collect();
        Ok(reading)
    }

    /// What became of it.
    fn added(self, what: AddedAs, messages: u64) -> Added {
        Added { what, messages, forged: self.forged(), path: self.path, file: Some(self.file) }
    }

    /// How many messages nobody has signed whose key is known.
    fn forged(&self) -> u64 {
        let forged = self.beside.iter().filter(|beside| matches!(beside.verdict, Verdict::Forged(_))).count();
        u64::try_from(forged).unwrap_or(u64::MAX)
    }

    /// Whether the message at a place is signed by a known key.
    fn is_signed(&self, at: u32) -> bool {
        self.beside(at).is_some_and(|beside| matches!(beside.verdict, Verdict::Signed(_) | Verdict::Withdrawn(_)))
    }

    fn beside(&self, at: u32) -> Option<&Beside> {
        self.beside.get(usize::try_from(at).ok()?)
    }

    /// The day of receipt of the message at a place, by its number in the log from 0.
    pub(super) fn day(&self, at: u32) -> Option<Date> {
        self.beside(at).and_then(|beside| instant(beside.arrived_at_us)).map(wib_date)
    }

    /// The line of a message.
    pub(super) fn line(&self, at: u32) -> Option<u32> {
        self.lines.get(at).map(|line| line.number)
    }

    /// The messages from number `from` on, as files by day.
    fn files_from(&self, from: usize, entry: u64, read: &ReadOptions<'_>) -> io::Result<Vec<Made>> {
        let keys: Vec<String> = read.keys.iter().map(crate::doku::signature::SigningKey::fingerprint).collect();
        let mut days: BTreeMap<Option<Date>, Vec<(usize, u32)>> = BTreeMap::new();
        for (number, at) in self.order.iter().enumerate().skip(from) {
            days.entry(self.day(*at)).or_default().push((number, *at));
        }
        let pieces = days.iter().flat_map(|(day, of_day)| of_day.chunks(PART).zip(1_usize..).map(move |(piece, nth)| (*day, piece, nth)));
        let pieces: Vec<_> = pieces.collect();
        let made = |(day, piece, nth): &(Option<Date>, &[(usize, u32)], usize)| {
            let rows = piece.iter().filter_map(|(number, at)| self.row(*number, *at, &keys));
            let path = format!("{}/{entry:06}-{nth}.parquet", folder(*day));
            Ok(Made::of(path, *day, piece.len(), encoded(rows)?))
        };
        pieces.par_iter().map(made).collect()
    }

    fn row<'r>(&'r self, number: usize, at: u32, keys: &'r [String]) -> Option<Row<'r>> {
        let line = self.lines.get(at)?;
        let claim = self.claims.binary_search_by(|(digest, _)| digest.cmp(&line.digest)).ok().and_then(|place| self.claims.get(place));
        Some(Row {
            log: self.file.path.to_str().unwrap_or_default(),
            message: u64::try_from(number).ok()?,
            line,
            beside: self.beside(at)?,
            lines: &self.lines,
            keys,
            claim: claim.map(|(_, claim)| claim),
        })
    }

    fn addition(&self, log: u64, from: usize, options: &AddOptions<'_>, parts: Vec<Part>, raw: Vec<Part>) -> Addition {
        let signed = |place: usize| {
            let is_by =
                |beside: &Beside| matches!(beside.verdict, Verdict::Signed(by) | Verdict::Withdrawn(by) if usize::from(by) == place);
            self.beside.iter().any(is_by)
        };
        let keys = options.read.keys.iter().enumerate().filter(|(place, _)| signed(*place)).map(|(_, key)| key.fingerprint());
        Addition {
            log,
            name: self.file.path.clone(),
            sha256: self.file.digest,
            bytes: self.file.bytes,
            lines: self.file.lines,
            contents: Contents::of(&self.file.contents),
            remark: self.file.remark.clone(),
            content: content(&self.messages),
            first: self.messages.first().map(|message| message.digest),
            from_message: u64::try_from(from).unwrap_or(u64::MAX),
            keys: keys.collect(),
            forged: Some(self.forged()),
            added_at: options.now,
            parts,
            raw,
        }
    }
}
