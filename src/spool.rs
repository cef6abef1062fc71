//! Rows and lines that were read, kept while a command works on them: the files are read once, whatever happens to them meanwhile.
//!
//! Belongs here: keeping rows and giving them again, some thousand at a time. Must not be here: what they mean. Few rows stay in
//! memory; more go into a file without a name, which ends with the process and which nobody else can open.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Explained, Explanation};
use crate::private;

/// Bytes that are kept in memory at most.
const MEMORY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Why rows could not be kept (exit 9).
#[derive(Debug, thiserror::Error)]
#[error(
    "the rows that were read cannot be kept while they are worked on: {reason}\nhint: free space in `{folder}`, or name another folder in TMPDIR; nothing was sent that is not in the ledger"
)]
pub struct KeepingError {
    folder: String,
    reason: String,
}

impl Explained for KeepingError {
    fn explanation(&self) -> Explanation {
        Explanation::plain(Exit::Disk)
    }
}

impl KeepingError {
    /// For that reason.
    pub fn of(reason: &dyn std::fmt::Display) -> Self {
        Self { folder: folder().display().to_string(), reason: reason.to_string() }
    }
}

/// Where a file of many rows goes: TMPDIR where it is set; else the folder for large temporary files, which is on a disk where the
/// usual one may be in memory.
fn folder() -> PathBuf {
    const LARGE: &str = "/var/tmp";
    if std::env::var_os("TMPDIR").is_none() && private::unnamed(Path::new(LARGE)).is_ok() { LARGE.into() } else { std::env::temp_dir() }
}

/// Where a part's bytes are, and the index of its first row.
#[derive(Clone, Copy, Debug)]
pub struct SpooledPart {
    number: usize,
    offset: u64,
    length: usize,
    /// The index of its first row.
    pub first: usize,
    /// How many rows it has.
    pub count: usize,
}

#[derive(Debug)]
enum Store {
    /// Each part's bytes.
    Memory(Vec<Vec<u8>>),
    File(File),
}

/// See the module.
#[derive(Debug)]
pub struct Spool {
    store: Store,
    length: u64,
    rows: usize,
    parts: Vec<SpooledPart>,
}

impl Default for Spool {
    fn default() -> Self {
        Self { store: Store::Memory(Vec::new()), length: 0, rows: 0, parts: Vec::new() }
    }
}

impl Spool {
    /// How many rows are kept.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The parts, in the order of their rows.
    #[must_use]
    pub fn parts(&self) -> &[SpooledPart] {
        &self.parts
    }

    /// Keeps the next `count` rows, whose bytes are in these pieces; see [`row_begins`].
    ///
    /// # Errors
    /// When no disk takes them.
    pub fn push(&mut self, pieces: &[Vec<u8>], count: usize) -> Result<(), KeepingError> {
        let length = pieces.iter().map(Vec::len).sum();
        self.append(pieces, length).map_err(|error| KeepingError::of(&error))?;
        self.parts.push(SpooledPart { number: self.parts.len(), offset: self.length, length, first: self.rows, count });
        self.length = self.length.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.rows = self.rows.saturating_add(count);
        Ok(())
    }

    fn append(&mut self, pieces: &[Vec<u8>], length: usize) -> io::Result<()> {
        if let Store::Memory(kept) = &mut self.store {
            if self.length.saturating_add(u64::try_from(length).unwrap_or(u64::MAX)) <= MEMORY_BYTES_MAX {
                kept.push(pieces.concat());
                return Ok(());
            }
            let mut file = private::unnamed(&folder())?;
            for part in kept {
                file.write_all(part)?;
            }
            self.store = Store::File(file);
        }
        match &mut self.store {
            Store::File(file) => pieces.iter().try_for_each(|piece| file.write_all(piece)),
            Store::Memory(_) => Ok(()),
        }
    }

    /// The rows of a part, one behind the other; see [`rows_of`].
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&self, part: &SpooledPart) -> Result<Cow<'_, [u8]>, KeepingError> {
        match &self.store {
            Store::Memory(kept) => Ok(Cow::Borrowed(kept.get(part.number).map_or(&[], Vec::as_slice))),
            Store::File(file) => {
                let mut bytes = vec![0; part.length];
                file.read_exact_at(&mut bytes, part.offset).map_err(|error| KeepingError::of(&error))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// Begins the next row in a part's bytes. What is put behind it is its own, until [`row_ends`].
pub fn row_begins(bytes: &mut Vec<u8>) -> usize {
    bytes.extend_from_slice(&[0; 4]);
    bytes.len()
}

/// Ends the row that began at `start`.
pub fn row_ends(bytes: &mut [u8], start: usize) {
    let length = u32::try_from(bytes.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(slot) = bytes.get_mut(..start).and_then(<[u8]>::last_chunk_mut::<4>) {
        *slot = length.to_be_bytes();
    }
}

/// The rows in a part's bytes.
#[must_use]
pub fn rows_of(mut bytes: &[u8]) -> Vec<&[u8]> {
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
            let mut bytes = Vec::new();
            for row_of in 0..10 {
                let start = row_begins(&mut bytes);
                bytes.extend_from_slice(&row(part * 10 + row_of));
                row_ends(&mut bytes, start);
            }
            spool.push(&[bytes], 10).unwrap();
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
