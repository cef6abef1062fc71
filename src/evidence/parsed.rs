//! What was read, block by block, and all of it together.
//!
//! Belongs here: putting together what was found of messages. Must not be here: which files are read, and in which order (`read`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::blocks::{Block, Content};
use super::fact::{Beside, Fact, Verdict, refused};
use super::inspect::{Inspector, Kept, Raw};
use super::lines::{Piece, Place};
use super::physical_lines::Span;
use super::read_options::ReadOptions;
use super::wrapper::Wrapper;
use super::{EvidenceError, lines, wrapper};
use crate::doku::claim::Claim;
use crate::doku::signature::SigningKey;
use crate::domain::amount::Rupiah;
use crate::domain::caveat::Signers;
use crate::domain::classify::{Class, MatchingPolicy};
use crate::domain::digest;
use crate::domain::digest::Digest;
use crate::domain::line::{Detail, InputFile, Line, Lines, LogContents, Marks, RawTotals};

/// Everything the logs say.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Every line; SUCCESS lines provisionally N00, other notifications N09.
    pub lines: Lines,
    /// The files, those of the store first, then the logs in the order given.
    pub files: Vec<InputFile>,
    /// For each log that was given, its place in `files`; none where the store has all of it.
    pub places: Vec<Option<u32>>,
    /// Sums of what was parsed.
    pub raw: RawTotals,
    /// What verified messages claim that tell of money and cannot be booked (N12, P17), each with the digest of its line; sorted.
    pub claims: Vec<(Digest, Claim)>,
    /// The keys that have signed what counts, also those that only a store knows.
    pub signers: Signers,
}

/// Lines that cannot be read are kept one by one, to be named; so many of them that they would fill the memory are no log.
#[derive(Default)]
pub(super) struct Flood {
    messages: u64,
    malformed: u64,
}

impl Flood {
    /// More of them than any log has, whatever happened to it.
    const MALFORMED_MAX: u64 = 1_000_000;

    pub(super) fn check(&mut self, found: &LogContents, path: impl FnOnce() -> PathBuf) -> Result<(), EvidenceError> {
        self.messages = self.messages.saturating_add(found.messages);
        self.malformed = self.malformed.saturating_add(found.malformed);
        let is_most = self.malformed.saturating_mul(2) > self.messages;
        if self.malformed > Self::MALFORMED_MAX && is_most {
            return Err(EvidenceError::Flood { path: path(), malformed: self.malformed });
        }
        Ok(())
    }
}

/// Why lines of each file could not be parsed, and how often.
#[derive(Default)]
pub(super) struct Faults(BTreeMap<u32, BTreeMap<Detail, u64>>);

impl Faults {
    pub(super) fn count(&mut self, lines: &Lines) {
        for (_, line) in lines.iter().filter(|(_, line)| line.class == Class::N01) {
            let Some(detail) = line.detail else { continue };
            let count = self.0.entry(line.file).or_default().entry(detail).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Says it of each file, if it was most often.
    pub(super) fn name(&self, files: &mut [InputFile]) {
        for (number, file) in (0_u32..).zip(files).filter(|(_, file)| file.contents.malformed > 0) {
            let own = self.0.get(&number).into_iter().flatten();
            file.contents.fault = own.max_by_key(|(_, count)| **count).map(|(detail, _)| *detail);
        }
    }
}

impl Evidence {
    /// All of these logs were read.
    pub(super) fn have(&mut self, files: Vec<InputFile>) {
        self.places = (0_u32..).take(files.len()).map(Some).collect();
        self.files = files;
        self.finish();
    }

    /// What can be said once all is there.
    pub(super) fn finish(&mut self) {
        self.claims.sort_by_key(|(digest, _)| *digest);
        self.claims.dedup();
        if self.files.iter().any(|file| file.contents.malformed > 0) {
            let mut faults = Faults::default();
            faults.count(&self.lines);
            faults.name(&mut self.files);
        }
    }

    pub(super) fn take(&mut self, parsed: Parsed) -> Result<(), EvidenceError> {
        let fits = |length: usize| u32::try_from(length).is_ok_and(|length| length < u32::MAX);
        if !fits(self.lines.len().saturating_add(parsed.lines.len()))
            || !fits(self.lines.text_len().saturating_add(parsed.kept.texts.len()))
        {
            return Err(EvidenceError::TooMany);
        }
        self.lines.append(parsed.lines, &parsed.kept.texts, &parsed.kept.stores);
        self.claims.extend(parsed.kept.claims);
        self.signers.absorb(parsed.signers);
        self.raw.success_count = self.raw.success_count.saturating_add(parsed.raw.success_count);
        self.raw.success_amount = self.raw.success_amount.plus(parsed.raw.success_amount);
        Ok(())
    }
}

/// What one block says.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) lines: Vec<Line>,
    /// What is known beside each line, where all is kept: then the lines are not concluded yet.
    pub(super) beside: Vec<Beside>,
    pub(super) kept: Kept,
    pub(super) raw: RawTotals,
    pub(super) signers: Signers,
    pub(super) contents: LogContents,
    keeps_all: bool,
}

impl Parsed {
    pub(super) fn of(block: &Block, options: &ReadOptions<'_>, keeps_all: bool) -> Self {
        let mut parsed = Self { keeps_all, ..Self::default() };
        let keys = options.keys.iter().map(SigningKey::fingerprint).collect();
        let reader = Reader { inspector: Inspector::new(options, keeps_all), keys, policy: options.policy, block };
        if let Content::Oversized(digest) = block.content {
            let fact = Fact::unread(refused(digest, Class::N01, Detail::TooLong));
            parsed.push(fact, &reader, Span { line: 0, offset: 0, length: 0 });
        }
        parsed.read_pieces(&reader);
        parsed
    }

    fn read_pieces(&mut self, reader: &Reader<'_>) {
        let bytes = reader.block.bytes();
        self.lines.reserve(bytes.len() / 600);
        reader.block.pieces(|piece| match piece {
            Piece::Malformed { span, why } => {
                self.push(Fact::unread(refused(digest::of_bytes(span.of(bytes)), Class::N01, why)), reader, span);
            }
            Piece::Blank => self.contents.blank = self.contents.blank.saturating_add(1),
            Piece::Wrapping => self.contents.wrapping = self.contents.wrapping.saturating_add(1),
            Piece::Message { span, text, place } => match text {
                Some(text) => self.message(reader, span, &text, place),
                None => self.line(reader, span),
            },
        });
    }

    /// A line as it stands; one that is no message may be a record where its file did not begin with records.
    fn line(&mut self, reader: &Reader<'_>, span: Span) {
        let raw = span.of(reader.block.bytes());
        let fact = reader.inspector.inspect(Raw::Line(raw), &mut self.kept);
        let is_unread = fact.line.class == Class::N01 && reader.block.wrapper == Wrapper::None;
        let record = if is_unread { str::from_utf8(raw).ok() } else { None };
        match record.and_then(wrapper::record) {
            Some((_, record)) => lines::inner(record.texts, span, &mut |piece| match piece {
                Piece::Message { span, text: Some(text), place } => self.message(reader, span, &text, place),
                _ => self.contents.wrapping = self.contents.wrapping.saturating_add(1),
            }),
            None => self.push(fact, reader, span),
        }
    }

    /// What was logged with a record. Its digest is the line's, so that the line can be found; of several in one line, each has
    /// its own.
    fn message(&mut self, reader: &Reader<'_>, span: Span, text: &str, place: Place) {
        let own = if place == Place::Only { span.of(reader.block.bytes()) } else { text.as_bytes() };
        let fact = reader.inspector.inspect(Raw::Wrapped { digest: digest::of_bytes(own), text }, &mut self.kept);
        if place == Place::Further {
            self.contents.packed = self.contents.packed.saturating_add(1);
        }
        self.push(fact, reader, span);
    }

    fn push(&mut self, mut fact: Fact, reader: &Reader<'_>, span: Span) {
        let block = reader.block;
        fact.line.file = block.file;
        fact.line.number = u32::try_from(block.first_line.saturating_add(span.line)).unwrap_or(u32::MAX);
        fact.line.byte = block.byte.saturating_add(u64::try_from(span.offset).unwrap_or(u64::MAX));
        if let Verdict::Signed(place) = fact.beside.verdict
            && let Some(key) = reader.keys.get(usize::from(place))
        {
            self.signers.add(key, fact.beside.came_at(fact.line.paid_at_us, reader.policy));
        }
        let kept = self.keeps_all.then(|| fact.clone());
        let line = fact.concluded(reader.policy);
        self.contents.messages = self.contents.messages.saturating_add(1);
        let count = |slot: &mut u64, on: bool| *slot = slot.saturating_add(u64::from(on));
        count(&mut self.contents.malformed, line.class == Class::N01);
        count(&mut self.contents.verified, line.marks.has(Marks::VERIFIED));
        count(&mut self.contents.rewritten, line.detail == Some(Detail::Rewritten));
        match kept {
            Some(Fact { line, beside }) => {
                self.lines.push(line);
                self.beside.push(beside);
            }
            None => self.conclude(line),
        }
    }

    /// Takes a line that is concluded.
    pub(super) fn conclude(&mut self, line: Line) {
        if line.class == Class::N00 {
            self.raw.success_count = self.raw.success_count.saturating_add(1);
            self.raw.success_amount = self.raw.success_amount.plus(Rupiah::new(line.amount.into()));
        }
        self.lines.push(line);
    }
}

/// What one block is read with.
pub(super) struct Reader<'a> {
    inspector: Inspector<'a>,
    /// The fingerprints of the keys, in their order.
    keys: Vec<String>,
    policy: &'a MatchingPolicy,
    block: &'a Block,
}
