//! Logs into a store: each as a whole or not at all, and none twice.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use super::list::{Addition, Contents, Entry, NO_DAY, Part};
use super::raw;
use super::relation::{Index, Message, Relation, content, relation};
use super::row::{Row, encoded};
use super::writer::Writer;
use super::{StoreAt, StoreError};
use crate::doku::claim::Claim;
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
    /// The time to record (UTC).
    pub now: Timestamp,
}

/// What became of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is there now.
    New,
    /// It is there now, beside another one of its name.
    Renewed,
    /// What it has had more since it was added is there now.
    Grown,
    /// It was there.
    Known,
    /// It has lost its end since it was added; the store keeps what it has.
    Cut,
    /// A line of it, this one, is another than when it was added; the store keeps what it has.
    Changed(u64),
}

impl What {
    /// Whether the log is not what it was.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Cut | Self::Changed(_))
    }

    /// What is said of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Renewed => "renewed",
            Self::Grown => "grown",
            Self::Known => "known",
            Self::Cut => "cut",
            Self::Changed(_) => "changed",
        }
    }
}

/// One log.
#[derive(Clone, Debug)]
pub struct Added {
    /// Which.
    pub path: PathBuf,
    /// What became of it.
    pub what: What,
    /// How many messages are new.
    pub messages: u64,
    /// What its lines are, if they had to be read.
    pub file: Option<InputFile>,
}

/// Adds `options.logs`; what became of each, in their order, and the head of the list afterwards.
///
/// # Errors
/// When a log cannot be read to its end, or the store cannot be used; what was added before stays.
pub fn add(options: &AddOptions<'_>) -> Result<(Vec<Added>, String), EvidenceError> {
    let writer = Writer::open(options.at)?;
    let index = Index::of(writer.list());
    let mut adding = Adding { writer, index, options, entries: Vec::new(), files: Vec::new() };
    let all: Result<Vec<Added>, EvidenceError> = options.logs.iter().map(|path| adding.add(path)).collect();
    adding.commit()?;
    Ok((all?, adding.writer.list().head()))
}

/// Logs on their way into a store. Small ones are made durable together.
struct Adding<'a> {
    writer: Writer,
    index: Index,
    options: &'a AddOptions<'a>,
    /// What is not in the store yet.
    entries: Vec<Entry>,
    files: Vec<(String, Vec<u8>)>,
}

impl Adding<'_> {
    fn add(&mut self, path: &Path) -> Result<Added, EvidenceError> {
        let done = |what, messages, file| Added { path: path.to_owned(), what, messages, file };
        let unreadable = |error: io::Error| EvidenceError::unreadable(path, &error);
        // What lies there byte for byte as it did need not be read again.
        let (sha256, _) = Decoder::open(path).map_err(unreadable)?.finish().map_err(unreadable)?;
        if self.index.has_file(&sha256) {
            return Ok(done(What::Known, 0, None));
        }
        let reading = Reading::of(path, self.options)?;
        let (from, log, what) = match self.relation(path, &reading)? {
            Relation::Known => return Ok(done(What::Known, 0, Some(reading.file))),
            Relation::Cut => return Ok(done(What::Cut, 0, Some(reading.file))),
            Relation::Changed(line) => return Ok(done(What::Changed(line), 0, Some(reading.file))),
            Relation::New => (0, None, What::New),
            Relation::Renewed => (0, None, What::Renewed),
            Relation::Grown(log, from) => (from, Some(log), What::Grown),
        };
        self.take(&reading, from, log)?;
        let messages = u64::try_from(reading.messages.len().saturating_sub(from)).unwrap_or(u64::MAX);
        tracing::info!(log = %path.display(), messages, "a log was added to the evidence");
        Ok(done(what, messages, Some(reading.file)))
    }

    fn relation(&mut self, path: &Path, reading: &Reading) -> Result<Relation, EvidenceError> {
        if self.index.has_content(&reading.messages) {
            return Ok(Relation::Known);
        }
        let near = self.index.near(path, &reading.messages);
        if !near.is_empty() {
            // It is held against what is in the store.
            self.commit()?;
        }
        Ok(relation(self.options.at, (self.writer.list(), &self.index), path, &reading.messages, &near)?)
    }

    fn take(&mut self, reading: &Reading, from: usize, log: Option<u64>) -> Result<(), EvidenceError> {
        let place = self.writer.list().entries.len().saturating_add(self.entries.len());
        let number = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
        let options = self.options;
        let lines = reading.files_from(from, number, &options.read).map_err(|error| StoreError::disk(&options.at.path, &error))?;
        let raw = if options.keep_raw { raw::files(reading, from, number, options)? } else { Vec::new() };
        let addition = reading.addition(log.unwrap_or(number), from, options, parts(&lines), parts(&raw));
        self.index.take(place, &addition);
        self.entries.push(Entry::Added(Box::new(addition)));
        self.files.extend(lines.into_iter().chain(raw).map(|made| (made.part.path, made.bytes)));
        let bytes = self.files.iter().map(|(_, bytes)| bytes.len()).fold(0, usize::saturating_add);
        if bytes > TOGETHER_BYTES || self.entries.len() >= TOGETHER.max(self.writer.list().entries.len() / 4) {
            self.commit()
        } else {
            Ok(())
        }
    }

    fn commit(&mut self) -> Result<(), EvidenceError> {
        if !self.entries.is_empty() {
            self.writer.commit(std::mem::take(&mut self.entries), &std::mem::take(&mut self.files))?;
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
            added_at: options.now,
            parts,
            raw,
        }
    }
}
