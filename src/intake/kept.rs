//! Rows that were read, kept while a command works on them: the files are read once, whatever happens to them meanwhile.
//!
//! Belongs here: keeping rows and giving them again, some thousand at a time. Must not be here: what they mean. Few rows stay in
//! memory; more go into a file without a name, which ends with the process and which nobody else can open.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// Bytes that are kept in memory at most.
const MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why rows could not be kept (exit 9).
#[derive(Debug, thiserror::Error)]
#[error(
    "the rows that were read cannot be kept while they are worked on: {reason}\nhint: free space in `{folder}`, or name another folder in TMPDIR; nothing was sent that is not in the ledger"
)]
pub struct KeepingError {
    folder: String,
    reason: String,
}

impl KeepingError {
    pub(super) fn of(reason: &dyn std::fmt::Display) -> Self {
        Self { folder: folder().display().to_string(), reason: reason.to_string() }
    }
}

/// Where a file of many rows goes: TMPDIR where it is set; else the folder for large temporary files, which is on a disk where the
/// usual one may be in memory.
fn folder() -> PathBuf {
    const LARGE: &str = "/var/tmp";
    if std::env::var_os("TMPDIR").is_none() && tempfile::tempfile_in(LARGE).is_ok() { LARGE.into() } else { std::env::temp_dir() }
}

/// Where a part's bytes are, and the index of its first row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    offset: u64,
    length: usize,
    /// The index of its first row.
    pub(super) first: usize,
    /// How many rows it has.
    pub(super) count: usize,
}

#[derive(Debug)]
enum Store {
    Memory(Vec<u8>),
    File(File),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Spool {
    store: Store,
    length: u64,
    rows: usize,
    parts: Vec<Part>,
}

impl Default for Spool {
    fn default() -> Self {
        Self { store: Store::Memory(Vec::new()), length: 0, rows: 0, parts: Vec::new() }
    }
}

impl Spool {
    /// How many rows are kept.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// The parts, in the order of their rows.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Keeps the next rows, each the bytes it was made into.
    pub(super) fn push(&mut self, rows: &[Vec<u8>]) -> Result<(), KeepingError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(rows.iter().map(|row| row.len().saturating_add(4)).sum());
        for row in rows {
            bytes.extend_from_slice(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(row);
        }
        self.append(&bytes).map_err(|error| KeepingError::of(&error))?;
        self.parts.push(Part { offset: self.length, length: bytes.len(), first: self.rows, count: rows.len() });
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.rows = self.rows.saturating_add(rows.len());
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Store::Memory(kept) = &mut self.store {
            if kept.len().saturating_add(bytes.len()) <= MEMORY_BYTES_MAX {
                kept.extend_from_slice(bytes);
                return Ok(());
            }
            let mut file = tempfile::tempfile_in(folder())?;
            file.write_all(kept)?;
            self.store = Store::File(file);
        }
        match &mut self.store {
            Store::File(file) => file.write_all(bytes),
            Store::Memory(_) => Ok(()),
        }
    }

    /// The rows of a part, one behind the other; see [`rows_of`].
    pub(super) fn read(&self, part: &Part) -> Result<Vec<u8>, KeepingError> {
        match &self.store {
            Store::Memory(kept) => {
                let start = usize::try_from(part.offset).unwrap_or(usize::MAX);
                Ok(kept.get(start..start.saturating_add(part.length)).unwrap_or_default().to_vec())
            }
            Store::File(file) => {
                let mut bytes = vec![0; part.length];
                file.read_exact_at(&mut bytes, part.offset).map_err(|error| KeepingError::of(&error))?;
                Ok(bytes)
            }
        }
    }
}

/// The rows in a part's bytes.
pub(super) fn rows_of(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut rows = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((row, after)) = rest.split_at_checked(length) else { break };
        rows.push(row);
        bytes = after;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_kept_in_memory_and_beyond_it() {
        let mut spool = Spool::default();
        let row = |number: usize| vec![u8::try_from(number % 251).unwrap(); 40_000 + number];
        for part in 0..60_usize {
            spool.push(&(0..10).map(|row_of| row(part * 10 + row_of)).collect::<Vec<_>>()).unwrap();
        }
        assert!(matches!(spool.store, Store::File(_)), "24 MB are too many for memory");
        assert_eq!(spool.rows(), 600);
        for part in spool.parts().iter().rev() {
            let bytes = spool.read(part).unwrap();
            let expected: Vec<Vec<u8>> = (part.first..part.first + part.count).map(row).collect();
            assert_eq!(rows_of(&bytes), expected);
        }
    }
}
