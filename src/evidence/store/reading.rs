//! One log on its way into a store: what was read of it, by the day of receipt, and the files made of that.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use super::added::{Added, AddedAs};
use super::entry::{Addition, Contents, NO_DAY, Part};
use super::relation::{Message, content};
use super::row::{Row, encoded};
use super::store_at::StoreAt;
use crate::doku::claim::Claim;
use crate::domain::calendar::wib_date;
use crate::domain::digest;
use crate::domain::digest::Digest;
use crate::domain::line::{InputFile, Lines};
use crate::evidence::blocks::Blocks;
use crate::evidence::fact::{Beside, Verdict, instant};
use crate::evidence::parsed::Evidence;
use crate::evidence::read::each;
use crate::evidence::read_options::ReadOptions;
use crate::evidence::{EvidenceError, NoPairs};

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

pub(super) fn parts(made: &[Made]) -> Vec<Part> {
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
    pub(super) messages: Vec<Message>,
}

impl Reading {
    pub(super) fn of(path: &Path, options: &AddOptions<'_>) -> Result<Self, EvidenceError> {
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
    pub(super) fn added(self, what: AddedAs, messages: u64) -> Added {
        Added { what, messages, forged: self.forged(), path: self.path, file: Some(self.file) }
    }

    /// How many messages nobody has signed whose key is known.
    fn forged(&self) -> u64 {
        let forged = self.beside.iter().filter(|beside| matches!(beside.verdict, Verdict::Forged(_))).count();
        u64::try_from(forged).unwrap_or(u64::MAX)
    }

    /// Whether the message at a place is signed by a known key.
    pub(super) fn is_signed(&self, at: u32) -> bool {
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
    pub(super) fn files_from(&self, from: usize, entry: u64, read: &ReadOptions<'_>) -> io::Result<Vec<Made>> {
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

    pub(super) fn addition(&self, log: u64, from: usize, options: &AddOptions<'_>, parts: Vec<Part>, raw: Vec<Part>) -> Addition {
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

/// Rows of one file: so many are read by one thread at once.
const PART: usize = 1 << 17;
