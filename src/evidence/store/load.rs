//! What a store holds, as the logs would say it: for the present settings, keys and bills.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::entry::with_new;
use super::error::StoreError;
use super::list::List;
use super::log::{Held, StoredLog};
use super::row::{Keys, Reader};
use super::store_at::StoreAt;
use crate::columns::stored::Stored;
use crate::evidence::EvidenceError;
use crate::evidence::parsed::{Evidence, Parsed};
use crate::evidence::read_options::ReadOptions;
use crate::private;

/// Files a thread reads at once.
const BATCH_PER_THREAD: usize = 2;

/// Reads all of the store at `at`.
///
/// # Errors
/// When it is not what was written, or there is more than one run can hold.
pub(in crate::evidence) fn load(at: &StoreAt, options: &ReadOptions<'_>) -> Result<Evidence, EvidenceError> {
    let list = List::read(at)?;
    let logs: Vec<StoredLog<'_>> = list.logs();
    let wanted = |log: &StoredLog<'_>| log.held.iter().all(|held| at.days.has(held.part.day));
    let any = |log: &&StoredLog<'_>| log.held.is_empty() || log.held.iter().any(|held| at.days.has(held.part.day));
    let logs: Vec<&StoredLog<'_>> = logs.iter().filter(any).collect();
    let parts = (0_u32..).zip(&logs).flat_map(|(file, log)| log.held.iter().map(move |held| (file, held)));
    let parts: Vec<(u32, &Held<'_>)> = parts.filter(|(_, held)| at.days.has(held.part.day)).collect();
    let keys: Vec<_> = options.keys.iter().map(|key| (key.fingerprint(), key)).collect();
    let (mut evidence, mut counts) = (Evidence::default(), vec![0_u64; logs.len()]);
    for batch in parts.chunks(rayon::current_num_threads().saturating_mul(BATCH_PER_THREAD)) {
        let read = |(file, held): &(u32, &Held<'_>)| parsed(at, options, &keys, *file, held);
        let found: Vec<Result<Parsed, StoreError>> = batch.par_iter().map(read).collect();
        for ((file, _), parsed) in batch.iter().zip(found) {
            let parsed = parsed?;
            let count = usize::try_from(*file).ok().and_then(|file| counts.get_mut(file));
            if let Some(count) = count {
                *count = count.saturating_add(u64::try_from(parsed.lines.len()).unwrap_or(u64::MAX));
            }
            evidence.take(parsed)?;
        }
    }
    for (log, here) in logs.iter().zip(counts) {
        if !log.is_partly_gone && wanted(log) && here != log.last.contents.messages {
            return Err(StoreError::damaged(
                &at.path,
                format!("has {here} messages of the log `{}`, which has others", log.name().display()),
            )
            .into());
        }
        evidence.files.push(log.file(here));
    }
    evidence.finish();
    Ok(evidence)
}

fn parsed(at: &StoreAt, options: &ReadOptions<'_>, keys: &Keys<'_>, file: u32, held: &Held<'_>) -> Result<Parsed, StoreError> {
    let stored = stored(at, held)?;
    let reader = Reader { options, keys, file, until_message: held.until_message };
    reader.parsed(&stored).map_err(|error| StoreError::damaged(&at.path.join(&held.part.path), error))
}

/// The table of a file, once it is what was written.
pub(super) fn stored(at: &StoreAt, held: &Held<'_>) -> Result<Stored, StoreError> {
    let path = at.path.join(&held.part.path);
    let bytes = bytes(&path)?;
    let stored = Stored::of_bytes(bytes, &held.part.sha256).map_err(|error| StoreError::damaged(&path, error))?;
    let rows = u64::try_from(stored.height()).unwrap_or(u64::MAX);
    if rows == held.part.rows { Ok(stored) } else { Err(StoreError::damaged(&path, format!("has {rows} rows, not {}", held.part.rows))) }
}

/// A listed file, which may not have got its name yet.
fn bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let read = |path: &PathBuf| {
        private::regular(path).and_then(|mut file| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).map(|_| bytes)
        })
    };
    let named = path.to_path_buf();
    match read(&named) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => read(&with_new(path)).or_else(|_| read(&named)),
        found => found,
    }
    .map_err(|error| StoreError::reading(path, &error))
}
