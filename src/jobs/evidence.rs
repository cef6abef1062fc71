//! The evidence store: what it is sealed with here, and logs into it.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::doku::keyring::Keyring;
use crate::domain::classify::MatchingPolicy;
use crate::domain::digest::Digest;
use crate::evidence::store::{self, AddOptions, Added};
use crate::evidence::{EvidenceError, NoPairs, ReadOptions, Sealing, StoreAt};
use crate::ledger::Seals;
use crate::table::TableSettings;

impl Sealing for Seals {
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        self.over(parts)
    }

    fn fingerprint(&self) -> Option<String> {
        Self::fingerprint(self)
    }
}

/// What is needed to add logs to a store, beside the logs.
#[derive(Clone, Debug)]
pub struct EvidenceOptions {
    /// The store.
    pub at: StoreAt,
    /// Whether the lines themselves are kept as well.
    pub keep_raw: bool,
    /// A log of whose messages more cannot be read than so many percent is none, and is not taken in.
    pub malformed_max_percent: u64,
    /// What the rules leave to the merchant; it decides nothing that is kept.
    pub policy: MatchingPolicy,
    /// How notifications that are kept in tables are understood.
    pub tables: TableSettings,
}

/// Adds `logs`, verified by `keys` as the settings have them: whether one was revoked is asked whenever the store is read. What became of each, and the head of the store's list afterwards.
///
/// # Errors
/// When a log cannot be read to its end, or the store cannot be used; what was added before stays.
pub fn add(options: &EvidenceOptions, logs: &[PathBuf], keys: &Keyring, now: Timestamp) -> Result<(Vec<Added>, String), EvidenceError> {
    let EvidenceOptions { at, keep_raw, malformed_max_percent, policy, tables } = options;
    let read = ReadOptions { keys, client_id: &at.client_id, policy, pairs: &NoPairs, tables };
    let (keep_raw, malformed_max_percent) = (*keep_raw, *malformed_max_percent);
    store::add(&AddOptions { at, logs, read, keep_raw, malformed_max_percent, now })
}
