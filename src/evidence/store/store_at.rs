//! Where a store is, and by what its list is sealed.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::digest::Digest;

/// What the list is chained with; the ledger's seals, in a program that has a ledger.
pub trait Sealing: Send + Sync {
    /// The digest of `parts`, with a key if there is one.
    fn digest(&self, parts: &[&[u8]]) -> Digest;
    /// What tells the key from others; `None` without one.
    fn fingerprint(&self) -> Option<String>;
}

/// Where a store is, whose it must be, and what it is sealed with.
#[derive(Clone)]
pub struct StoreAt {
    /// The folder.
    pub path: PathBuf,
    /// `production` or `sandbox`.
    pub environment: String,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What its list is chained with.
    pub seals: Arc<dyn Sealing>,
    /// The WIB days of receipt that are read.
    pub days: ReceiptDays,
}

impl std::fmt::Debug for StoreAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreAt").field("path", &self.path).field("key", &self.seals.fingerprint()).finish_non_exhaustive()
    }
}

/// Days of receipt from one to another, as far as they are bounded. A message that does not say when it was received is of any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptDays {
    /// The first.
    pub from: Option<Date>,
    /// The last.
    pub to: Option<Date>,
}

impl ReceiptDays {
    pub(super) fn has(self, day: Option<Date>) -> bool {
        day.is_none_or(|day| self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to))
    }
}
