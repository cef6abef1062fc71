//! What seals are made with: SHA-256, or HMAC-SHA-256 where the configuration has a key of its own for the ledger.
//!
//! Without a key a seal finds what was edited by hand or by accident, and not an edit whose author makes it anew. With one, nobody makes a
//! seal or an event who does not have it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::domain::digest::{self, Digest};

/// Half of a digest.
pub(super) type Seal = [u8; 16];

/// The makers of all seals of a ledger.
#[derive(Clone, Default)]
pub struct Seals {
    key: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key.is_some() { "Seals(***)" } else { "Seals" })
    }
}

impl PartialEq for Seals {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl Eq for Seals {}

impl Seals {
    /// Made without a key.
    pub const UNKEYED: Self = Self { key: None };

    /// Made with the bytes of `key`.
    #[must_use]
    pub fn keyed(key: &SecretString) -> Self {
        match Hmac::new_from_slice(key.expose_secret().as_bytes()) {
            Ok(mac) => Self { key: Some(mac) },
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// What tells the key from others and says nothing of it: 16 hexadecimal digits; `None` without one.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        let mac = self.keyed_digest(&[b"fingerprint"])?;
        let [first, _] = digest::halves(&mac);
        Some(digest::hex(&first).chars().take(16).collect())
    }

    /// What seals are made with, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        Self::words_of(self.fingerprint().as_deref())
    }

    /// The same of a key by its fingerprint.
    pub(super) fn words_of(key: Option<&str>) -> String {
        key.map_or_else(|| "without a key".to_owned(), |key| format!("with the key {key}"))
    }

    /// The digest of `parts`, with the key if there is one.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> Digest {
        self.keyed_digest(parts).unwrap_or_else(|| digest::of_parts(parts))
    }

    /// The same for a chain of something else than a ledger.
    #[must_use]
    pub fn over(&self, parts: &[&[u8]]) -> Digest {
        self.digest(parts)
    }

    fn keyed_digest(&self, parts: &[&[u8]]) -> Option<Digest> {
        let mut mac = self.key.clone()?;
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    /// Half of it. `what` it is of is a part of it, so that no seal of one kind is one of another.
    pub(super) fn seal(&self, what: &[u8], parts: &[&[u8]]) -> Seal {
        let all: Vec<&[u8]> = std::iter::once(what).chain(parts.iter().copied()).collect();
        let [first, _] = digest::halves(&self.digest(&all));
        first
    }
}
