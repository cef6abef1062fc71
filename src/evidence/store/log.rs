//! A log as the entries of the list make it: what was added of it, in which files, and what of that counts.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use super::entry::{Addition, Contents, Part};
use crate::domain::digest::Digest;
use crate::domain::line::InputFile;

/// A file of a log that is to be read.
#[derive(Clone, Debug)]
pub(super) struct Held<'l> {
    pub(super) part: &'l Part,
    /// Messages of the log from this one on are another entry's.
    pub(super) until_message: u64,
}

/// A log as the store knows it now.
#[derive(Clone, Debug)]
pub struct StoredLog<'l> {
    pub(super) last: &'l Addition,
    pub(super) held: Vec<Held<'l>>,
    pub(super) raw: Vec<Held<'l>>,
    /// Whether some of it is kept no longer.
    pub(super) is_partly_gone: bool,
}

impl StoredLog<'_> {
    /// What it was called when it was added.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.last.name
    }

    /// SHA-256 of the file as it was read last.
    #[must_use]
    pub const fn sha256(&self) -> &Digest {
        &self.last.sha256
    }

    /// Its messages that are kept.
    #[must_use]
    pub fn messages(&self) -> u64 {
        if self.is_partly_gone { self.held.iter().map(|held| held.part.rows).sum() } else { self.last.contents.messages }
    }

    /// The first and the last WIB day on which messages of it were received.
    #[must_use]
    pub fn days(&self) -> Option<(Date, Date)> {
        let days = || self.held.iter().filter_map(|held| held.part.day);
        days().min().zip(days().max())
    }

    /// How many messages no key had signed that was there when it was added.
    #[must_use]
    pub fn forged(&self) -> u64 {
        let Contents { messages, malformed, verified, .. } = self.last.contents;
        self.last.forged.unwrap_or_else(|| messages.saturating_sub(malformed).saturating_sub(verified))
    }

    /// The keys that signed them.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.last.keys
    }

    /// When it was added last.
    #[must_use]
    pub const fn added_at(&self) -> Timestamp {
        self.last.added_at
    }

    /// Whether its lines are kept as they were.
    #[must_use]
    pub const fn has_raw(&self) -> bool {
        !self.raw.is_empty()
    }

    /// Whether it passed for a whole log when it was read last.
    pub(super) fn is_whole(&self, malformed_max_percent: u64) -> bool {
        self.file(self.last.contents.messages).contents.is_whole(malformed_max_percent)
    }

    /// The file as it was read last, of whose messages `here` are counted.
    pub(super) fn file(&self, here: u64) -> InputFile {
        let Addition { name, sha256, bytes, lines, contents, remark, .. } = self.last;
        let contents = contents.with(here);
        InputFile { path: name.clone(), digest: *sha256, bytes: *bytes, lines: *lines, contents, remark: remark.clone() }
    }
}
