//! The entries of a store's list, as they are written: a log that was added, and its files with what stands in each.

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::digest::{self, Digest};
use crate::domain::line::{FileOddity, LogContents};
use crate::evidence::wrapper::Wrapper;

/// What it is called.
pub(super) const NAME: &str = "manifest.jsonl";

/// What a file is called that is not listed yet, after its name.
const NEW: &str = ".new";

/// The version of what is written; docs/formats-evidence.md.
pub(super) const FORMAT: u32 = 1;

/// What a part of no known day has in the place of one.
pub(super) const NO_DAY: &str = "unknown";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) environment: String,
    pub(super) client_id: String,
    pub(super) sealed_with: Option<String>,
}

/// A file of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Below the store's folder.
    pub(super) path: String,
    pub(super) day: Option<Date>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    #[serde(with = "digest::as_hex")]
    pub(super) sha256: Digest,
}

/// What was added of one log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Addition {
    /// The number of the entry that began this log.
    pub(super) log: u64,
    pub(super) name: PathBuf,
    #[serde(with = "digest::as_hex")]
    pub(super) sha256: Digest,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) contents: Contents,
    pub(super) remark: String,
    /// Over the places and digests of all messages of the log, in their order.
    #[serde(with = "digest::as_hex")]
    pub(super) content: Digest,
    /// The digest of its first message.
    #[serde(with = "digest::as_hex_or_none")]
    pub(super) first: Option<Digest>,
    /// The first message of it that is in this entry's parts; what earlier entries have from this one on was not whole then.
    pub(super) from_message: u64,
    /// The keys its messages are signed by.
    pub(super) keys: Vec<String>,
    /// How many of its messages no key of these settings had signed; lists of before do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) forged: Option<u64>,
    pub(super) added_at: Timestamp,
    pub(super) parts: Vec<Part>,
    /// The lines themselves, if they are kept.
    pub(super) raw: Vec<Part>,
}

/// What the lines of a log are, as the list says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) messages: u64,
    pub(super) malformed: u64,
    pub(super) verified: u64,
    rewritten: u64,
    blank: u64,
    wrapping: u64,
    packed: u64,
    wrapper: String,
    oddity: Option<FileOddity>,
}

impl Contents {
    pub(super) fn of(found: &LogContents) -> Self {
        let LogContents { messages, malformed, verified, rewritten, blank, wrapping, packed, .. } = *found;
        let (wrapper, oddity) = (found.wrapper.to_owned(), found.oddity.clone());
        Self { messages, malformed, verified, rewritten, blank, wrapping, packed, wrapper, oddity }
    }

    /// With only `here` of the messages counted here.
    pub(super) fn with(&self, here: u64) -> LogContents {
        let Self { messages, malformed, verified, rewritten, blank, wrapping, packed, .. } = *self;
        LogContents {
            messages: here,
            elsewhere: messages.saturating_sub(here),
            malformed,
            verified,
            rewritten,
            blank,
            wrapping,
            packed,
            wrapper: Wrapper::named(&self.wrapper),
            oddity: self.oddity.clone(),
            fault: None,
        }
    }
}

/// One entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Entry {
    /// A log was read.
    Added(Box<Addition>),
    /// What was added before of days before this one is kept no longer.
    Removed { before: Date, at: Timestamp },
}

/// The path with what a file is called that is not listed yet.
pub(super) fn with_new(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEW);
    name.into()
}

/// Every file below `folder`.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
