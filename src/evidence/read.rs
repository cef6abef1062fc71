//! Reads logs in parallel: one batch of blocks is read and digested while the one before it is parsed and verified.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::blocks::{Block, Blocks, Content};
use super::inspect::{Inspector, Raw, refused};
use super::lines::{self, Piece, Place, Span};
use super::wrapper::{self, Wrapper};
use super::{EvidenceError, Pairs};
use crate::doku::signature::SigningKey;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Policy};
use crate::domain::digest;
use crate::domain::line::{Detail, InputFile, Line, Lines, LogContents, Marks, RawTotals};
use crate::domain::store::Stores;
use crate::table::Settings;

/// Blocks a thread parses at once; together with those being read, twice as many megabytes a thread.
const BATCH_PER_THREAD: usize = 2;

/// What lines are held against.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The keys that may have signed: the present one, and the one before it while it is being replaced.
    pub keys: &'a [SigningKey],
    /// Our `Client-Id`.
    pub client_id: &'a str,
    /// What the rules leave to the merchant.
    pub policy: &'a Policy,
    /// The bills, for ids that need not be kept.
    pub pairs: &'a dyn Pairs,
    /// How notifications that are kept in tables are understood.
    pub tables: &'a Settings,
}

impl std::fmt::Debug for ReadOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOptions").field("client_id", &self.client_id).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Everything the logs say.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Every line; SUCCESS lines provisionally N00, other notifications N09.
    pub lines: Lines,
    /// The files, in the order given.
    pub files: Vec<InputFile>,
    /// Sums of what was parsed.
    pub raw: RawTotals,
}

/// Reads `files`, every line of which is accounted for.
///
/// # Errors
/// When a file cannot be read to its end, or there is more than one run can hold.
pub fn read(files: &[PathBuf], options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    read_blocks(Blocks::new(files, options.tables), options)
}

/// The same of a log that is in no file, whatever its bytes are: where a fuzzer begins.
///
/// # Errors
/// When compressed bytes are damaged.
pub fn read_bytes(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    read_blocks(Blocks::of_bytes(bytes, options.tables)?, options)
}

fn read_blocks(mut blocks: Blocks<'_>, options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    let mut evidence = Evidence::default();
    let mut contents: Vec<LogContents> = Vec::new();
    let count = rayon::current_num_threads().saturating_mul(BATCH_PER_THREAD);
    let mut batch = blocks.batch(count)?;
    while !batch.is_empty() {
        let (next, parsed) =
            rayon::join(|| blocks.batch(count), || batch.par_iter().map(|block| Parsed::of(block, options)).collect::<Vec<_>>());
        for (block, parsed) in batch.iter().zip(parsed) {
            let file = usize::try_from(block.file).unwrap_or(usize::MAX);
            if contents.len() <= file {
                contents.resize(file.saturating_add(1), LogContents::default());
            }
            if let Some(contents) = contents.get_mut(file) {
                *contents = contents.plus(parsed.contents);
            }
            evidence.take(parsed)?;
        }
        blocks.take_back(batch);
        batch = next?;
    }
    evidence.files = blocks.done;
    for (file, found) in evidence.files.iter_mut().zip(contents) {
        file.contents = file.contents.plus(found);
    }
    evidence.name_faults();
    Ok(evidence)
}

impl Evidence {
    /// Says of each file why its lines could not be parsed, most often.
    fn name_faults(&mut self) {
        if self.files.iter().all(|file| file.contents.malformed == 0) {
            return;
        }
        let mut faults: BTreeMap<u32, BTreeMap<Detail, u64>> = BTreeMap::new();
        for (_, line) in self.lines.iter().filter(|(_, line)| line.class == Class::N01) {
            let Some(detail) = line.detail else { continue };
            let count = faults.entry(line.file).or_default().entry(detail).or_default();
            *count = count.saturating_add(1);
        }
        for (number, file) in (0_u32..).zip(&mut self.files) {
            let own = faults.get(&number).into_iter().flatten();
            file.contents.fault = own.max_by_key(|(_, count)| **count).map(|(detail, _)| *detail);
        }
    }

    fn take(&mut self, parsed: Parsed) -> Result<(), EvidenceError> {
        let fits = |length: usize| u32::try_from(length).is_ok_and(|length| length < u32::MAX);
        if !fits(self.lines.len().saturating_add(parsed.lines.len())) || !fits(self.lines.text_len().saturating_add(parsed.texts.len())) {
            return Err(EvidenceError::TooMany);
        }
        self.lines.append(parsed.lines, &parsed.texts, &parsed.stores);
        self.raw.success_count = self.raw.success_count.saturating_add(parsed.raw.success_count);
        self.raw.success_amount = self.raw.success_amount.plus(parsed.raw.success_amount);
        Ok(())
    }
}

/// What one block says.
#[derive(Default)]
struct Parsed {
    lines: Vec<Line>,
    texts: Vec<u8>,
    stores: Stores,
    raw: RawTotals,
    contents: LogContents,
}

impl Parsed {
    fn of(block: &Block, options: &ReadOptions<'_>) -> Self {
        let mut parsed = Self::default();
        if let Content::Oversized(digest) = block.content {
            let line = refused(digest, Class::N01, Detail::TooLong);
            parsed.push(line, block, Span { line: 0, offset: 0, length: 0 });
        }
        parsed.read_pieces(block, options);
        parsed
    }

    fn read_pieces(&mut self, block: &Block, options: &ReadOptions<'_>) {
        let (inspector, bytes) = (Inspector::new(options), block.bytes());
        self.lines.reserve(bytes.len() / 600);
        block.pieces(|piece| match piece {
            Piece::Malformed { span, why } => self.push(refused(digest::of_bytes(span.of(bytes)), Class::N01, why), block, span),
            Piece::Blank => self.contents.blank = self.contents.blank.saturating_add(1),
            Piece::Wrapping => self.contents.wrapping = self.contents.wrapping.saturating_add(1),
            Piece::Message { span, text, place } => {
                let raw = span.of(bytes);
                match text {
                    Some(text) => self.message(&inspector, &Message { block, span, raw, text: &text, place }),
                    None => self.line(&inspector, block, span, raw),
                }
            }
        });
    }

    /// A line as it stands; one that is no message may be a record where its file did not begin with records.
    fn line(&mut self, inspector: &Inspector<'_>, block: &Block, span: Span, raw: &[u8]) {
        let line = inspector.inspect(Raw::Line(raw), &mut self.texts, &mut self.stores);
        let record = if line.class == Class::N01 && block.wrapper == Wrapper::None { str::from_utf8(raw).ok() } else { None };
        match record.and_then(wrapper::record) {
            Some((_, record)) => lines::inner(record.texts, span, &mut |piece| match piece {
                Piece::Message { span, text: Some(text), place } => {
                    self.message(inspector, &Message { block, span, raw, text: &text, place });
                }
                _ => self.contents.wrapping = self.contents.wrapping.saturating_add(1),
            }),
            None => self.push(line, block, span),
        }
    }

    /// What was logged with a record. Its digest is the line's, so that the line can be found; of several in one line, each has
    /// its own.
    fn message(&mut self, inspector: &Inspector<'_>, message: &Message<'_>) {
        let own = if message.place == Place::Only { message.raw } else { message.text.as_bytes() };
        let raw = Raw::Wrapped { digest: digest::of_bytes(own), text: message.text };
        let line = inspector.inspect(raw, &mut self.texts, &mut self.stores);
        if message.place == Place::Further {
            self.contents.packed = self.contents.packed.saturating_add(1);
        }
        self.push(line, message.block, message.span);
    }

    fn push(&mut self, mut line: Line, block: &Block, span: Span) {
        line.file = block.file;
        line.number = u32::try_from(block.first_line.saturating_add(span.line)).unwrap_or(u32::MAX);
        line.byte = block.byte.saturating_add(u64::try_from(span.offset).unwrap_or(u64::MAX));
        self.contents.messages = self.contents.messages.saturating_add(1);
        let count = |slot: &mut u64, on: bool| *slot = slot.saturating_add(u64::from(on));
        count(&mut self.contents.malformed, line.class == Class::N01);
        count(&mut self.contents.verified, line.marks.has(Marks::VERIFIED));
        count(&mut self.contents.rewritten, line.detail == Some(Detail::Rewritten));
        if line.class == Class::N00 {
            self.raw.success_count = self.raw.success_count.saturating_add(1);
            self.raw.success_amount = self.raw.success_amount.plus(Rupiah::new(line.amount.into()));
        }
        self.lines.push(line);
    }
}

/// A message that stands in a record, and where.
struct Message<'a> {
    block: &'a Block,
    span: Span,
    /// The physical line.
    raw: &'a [u8],
    text: &'a str,
    place: Place,
}
