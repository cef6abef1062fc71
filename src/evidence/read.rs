//! Reads logs in parallel: one batch of blocks is read and digested while the one before it is parsed and verified.

use std::path::PathBuf;

use rayon::prelude::*;

use super::blocks::{Block, Blocks, Content};
use super::inspect::Inspector;
use super::{EvidenceError, Pairs};
use crate::doku::signature::SigningKey;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Policy};
use crate::domain::line::{Detail, InputFile, Line, Lines, RawTotals};
use crate::domain::store::Stores;

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

/// Reads `files`, every line of which becomes one record.
///
/// # Errors
/// When a file cannot be read to its end, or there is more than one run can hold.
pub fn read(files: &[PathBuf], options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    let mut blocks = Blocks::new(files);
    let mut evidence = Evidence::default();
    let count = rayon::current_num_threads().saturating_mul(BATCH_PER_THREAD);
    let mut batch = blocks.batch(count)?;
    while !batch.is_empty() {
        let (next, parsed) =
            rayon::join(|| blocks.batch(count), || batch.par_iter().map(|block| Parsed::of(block, options)).collect::<Vec<_>>());
        for parsed in parsed {
            evidence.take(parsed)?;
        }
        blocks.take_back(batch);
        batch = next?;
    }
    evidence.files = blocks.done;
    Ok(evidence)
}

impl Evidence {
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
struct Parsed {
    lines: Vec<Line>,
    texts: Vec<u8>,
    stores: Stores,
    raw: RawTotals,
}

impl Parsed {
    fn of(block: &Block, options: &ReadOptions<'_>) -> Self {
        let mut parsed = Self { lines: Vec::new(), texts: Vec::new(), stores: Stores::default(), raw: RawTotals::default() };
        match &block.content {
            Content::Lines(bytes) => parsed.read_lines(block, bytes, options),
            Content::Oversized(digest) => {
                let mut line = Line::of_class(Class::N01, *digest);
                line.detail = Detail::of("the line is longer than 1 MiB");
                parsed.push(line, block, 0, 0);
            }
        }
        parsed
    }

    fn read_lines(&mut self, block: &Block, bytes: &[u8], options: &ReadOptions<'_>) {
        let inspector = Inspector::new(options);
        self.lines.reserve(bytes.len() / 600);
        let mut start = 0_usize;
        let mut number = 0_u64;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let raw = rest.get(..end).unwrap_or_default();
            let raw = if end < rest.len() { raw.strip_suffix(b"\r").unwrap_or(raw) } else { raw };
            let line = inspector.inspect(raw, &mut self.texts, &mut self.stores);
            self.push(line, block, number, start);
            start = start.saturating_add(end).saturating_add(1);
            number = number.saturating_add(1);
        }
    }

    fn push(&mut self, mut line: Line, block: &Block, number: u64, start: usize) {
        line.file = block.file;
        line.number = u32::try_from(block.first_line.saturating_add(number)).unwrap_or(u32::MAX);
        line.byte = block.byte.saturating_add(u64::try_from(start).unwrap_or(u64::MAX));
        if line.class == Class::N00 {
            self.raw.success_count = self.raw.success_count.saturating_add(1);
            self.raw.success_amount = self.raw.success_amount.plus(Rupiah::new(line.amount.into()));
        }
        self.lines.push(line);
    }
}
