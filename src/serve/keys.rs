//! The keys that may have signed. They can be changed, and revoked, while messages are being served.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use crate::doku::keyring::Keyring;
use crate::doku::signature::SigningKey;
use crate::domain::revocation::{Revocation, Revoked};

/// Keys, the present one first.
#[derive(Debug)]
pub struct Keys(RwLock<Held>);

#[derive(Debug)]
struct Held {
    configured: Vec<SigningKey>,
    /// How much of what was said of keys is known here.
    heard: usize,
    current: Arc<Keyring>,
}

impl Keys {
    /// These keys, until others replace them.
    #[must_use]
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self(RwLock::new(Held { configured: keys.clone(), heard: 0, current: Arc::new(keys.into()) }))
    }

    /// The keys of now; a message that is under way is finished with those it began with.
    #[must_use]
    pub fn current(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).current)
    }

    /// The keys as the settings have them, whatever was said of them.
    #[must_use]
    pub fn configured(&self) -> Keyring {
        self.0.read().unwrap_or_else(PoisonError::into_inner).configured.clone().into()
    }

    /// From now on `keys` are the keys; what was said of any stands.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.current = Arc::new(Keyring::new(&keys, held.current.revoked().clone()));
        held.configured = keys;
    }

    /// How much of what was said of keys is known here.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).heard
    }

    /// All that was said of keys by now.
    pub fn hear(&self, said: &[(Timestamp, Revocation)]) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (_, Revocation { fingerprint, received_after, .. }) in said.iter().skip(held.heard) {
            if let Some(at) = received_after {
                tracing::warn!(key = fingerprint, received_after = %at, "a key was revoked");
            } else {
                tracing::warn!(key = fingerprint, "a key was reinstated");
            }
        }
        held.heard = said.len();
        held.current = Arc::new(Keyring::new(&held.configured, Revoked::of(said.iter().map(|(_, said)| said))));
    }
}
