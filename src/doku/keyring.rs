//! The keys that may have signed, and what is known of keys that are not among them any more.

use std::ops::Deref;

use super::signature::SigningKey;
use crate::domain::revocation::Revoked;

/// Keys, the present one first, each believed until its end or until it was revoked.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SigningKey>,
    revoked: Revoked,
}

impl Keyring {
    /// These keys, as far as nothing stands against them.
    #[must_use]
    pub fn new(keys: &[SigningKey], revoked: Revoked) -> Self {
        let until = |key: &SigningKey| match revoked.after(&key.fingerprint()) {
            Some(after) => key.clone().until(key.ends().map_or(after, |ends| ends.min(after))),
            None => key.clone(),
        };
        Self { keys: keys.iter().map(until).collect(), revoked }
    }

    /// What stands against keys, also such as were in use once.
    #[must_use]
    pub const fn revoked(&self) -> &Revoked {
        &self.revoked
    }
}

impl From<Vec<SigningKey>> for Keyring {
    fn from(keys: Vec<SigningKey>) -> Self {
        Self { keys, revoked: Revoked::default() }
    }
}

impl Deref for Keyring {
    type Target = [SigningKey];

    fn deref(&self) -> &[SigningKey] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::revocation::Revocation;

    #[test]
    fn a_key_is_believed_until_the_earlier_of_its_end_and_its_revocation() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let key = SigningKey::new(&"SK-0123456789".to_owned().into());
        let other = SigningKey::new(&"SK-9876543210".to_owned().into());
        for (ends, revoked, until) in [
            (None, None, None),
            (Some(5), None, Some(5)),
            (None, Some(3), Some(3)),
            (Some(5), Some(3), Some(3)),
            (Some(3), Some(5), Some(3)),
        ] {
            let given = ends.map_or_else(|| key.clone(), |ends| key.clone().until(at(ends)));
            let said = revoked.map(|second| Revocation {
                fingerprint: key.fingerprint(),
                received_after: Some(at(second)),
                actor: String::new(),
                person: String::new(),
                reason: String::new(),
            });
            let keyring = Keyring::new(&[given, other.clone()], Revoked::of(&said));
            assert_eq!(keyring.iter().map(SigningKey::ends).collect::<Vec<_>>(), [until.map(at), None]);
        }
    }
}
