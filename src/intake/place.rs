//! Where a row stands.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputPlace {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// Which of the files given it is, from 0: places are ordered by it, then by row.
    pub file_order: usize,
    /// The record's number; the header is 1.
    pub row: u64,
    /// The line the record starts on, from 1.
    pub line: u64,
}

impl InputPlace {
    /// What places are sorted by.
    #[must_use]
    pub const fn order(&self) -> (usize, u64) {
        (self.file_order, self.row)
    }
}

impl fmt::Display for InputPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.row)
    }
}
