//! The keys that may have signed. They can be changed while messages are being served.

use std::sync::{Arc, PoisonError, RwLock};

use crate::doku::signature::SigningKey;

/// Keys, the present one first.
#[derive(Debug)]
pub struct Keys(RwLock<Arc<[SigningKey]>>);

impl Keys {
    /// These keys, until others replace them.
    #[must_use]
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self(RwLock::new(keys.into()))
    }

    /// The keys of now; a message that is under way is finished with those it began with.
    #[must_use]
    pub fn current(&self) -> Arc<[SigningKey]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on `keys` are the keys.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }
}
