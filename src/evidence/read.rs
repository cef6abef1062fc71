//! Reads logs in parallel: one batch of blocks is read and digested while the one before it is parsed and verified.

use std::path::PathBuf;

use rayon::prelude::*;

use super::EvidenceError;
use super::blocks::{Block, Blocks};
use super::parsed::{Evidence, Faults, Flood, Parsed};
use super::read_options::ReadOptions;
use super::store::{self, StoreAt};
use crate::domain::line::{InputFile, Lines, LogContents};

/// Blocks a thread parses at once; together with those being read, twice as many megabytes a thread.
const BATCH_PER_THREAD: usize = 2;

/// Where evidence is read from: logs, a store of what was read from logs before, or both.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvidenceSources<'a> {
    /// The logs.
    pub logs: &'a [PathBuf],
    /// The store.
    pub store: Option<&'a StoreAt>,
}

/// Reads all of `sources`: every line is accounted for, and one that is in a log and in the store counts once.
///
/// # Errors
/// When a file cannot be read to its end, the store is not what was written, or there is more than one run can hold.
pub fn read(sources: EvidenceSources<'_>, options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    let logs = || read_blocks(Blocks::new(sources.logs, options.tables), options);
    let Some(store) = sources.store else { return logs() };
    let stored = store::load(store, options)?;
    if sources.logs.is_empty() { Ok(stored) } else { stored.and(logs()?) }
}

/// The same, a stretch of lines at a time, none of which is in what is given back: so nobody need hold them all. What a store and logs have
/// in common is only known of them all, so beside a store it is one stretch.
///
/// # Errors
/// As for [`read`], and what `see` ends with.
pub fn read_stretches<E: From<EvidenceError>>(
    sources: EvidenceSources<'_>,
    options: &ReadOptions<'_>,
    mut see: impl FnMut(Lines) -> Result<(), E>,
) -> Result<Evidence, E> {
    if sources.store.is_some() {
        let mut evidence = read(sources, options)?;
        see(std::mem::take(&mut evidence.lines))?;
        return Ok(evidence);
    }
    let (mut evidence, mut faults) = (Evidence::default(), Faults::default());
    let files = each(Blocks::new(sources.logs, options.tables), options, false, |parsed| {
        evidence.take(parsed)?;
        let lines = std::mem::take(&mut evidence.lines);
        faults.count(&lines);
        see(lines)
    })?;
    evidence.have(files);
    faults.name(&mut evidence.files);
    Ok(evidence)
}

/// The same of a log that is in no file, whatever its bytes are: where a fuzzer begins.
///
/// # Errors
/// When compressed bytes are damaged.
pub fn read_bytes(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    read_blocks(Blocks::of_bytes(bytes, options.tables)?, options)
}

fn read_blocks(blocks: Blocks<'_>, options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    let mut evidence = Evidence::default();
    let files = each(blocks, options, false, |parsed| evidence.take(parsed))?;
    evidence.have(files);
    Ok(evidence)
}

/// Shows what each block says, in order; gives the files. `keeps_all`: also what the present settings do not count.
pub(super) fn each<E: From<EvidenceError>>(
    mut blocks: Blocks<'_>,
    options: &ReadOptions<'_>,
    keeps_all: bool,
    mut take: impl FnMut(Parsed) -> Result<(), E>,
) -> Result<Vec<InputFile>, E> {
    let mut contents: Vec<LogContents> = Vec::new();
    let count = rayon::current_num_threads().saturating_mul(BATCH_PER_THREAD);
    let mut batch = blocks.batch(count)?;
    let mut flood = Flood::default();
    while !batch.is_empty() {
        let parse = |block: &Block| Parsed::of(block, options, keeps_all);
        let (next, parsed) = rayon::join(|| blocks.batch(count), || batch.par_iter().map(parse).collect::<Vec<_>>());
        for (block, parsed) in batch.iter().zip(parsed) {
            let file = usize::try_from(block.file).unwrap_or(usize::MAX);
            if contents.len() <= file {
                contents.resize(file.saturating_add(1), LogContents::default());
            }
            if let Some(contents) = contents.get_mut(file) {
                *contents = std::mem::take(contents).plus(&parsed.contents);
            }
            flood.check(&parsed.contents, || blocks.path(block.file))?;
            take(parsed)?;
        }
        blocks.take_back(batch);
        batch = next?;
    }
    let mut files = blocks.done;
    for (file, found) in files.iter_mut().zip(&contents) {
        file.contents = std::mem::take(&mut file.contents).plus(found);
    }
    Ok(files)
}
