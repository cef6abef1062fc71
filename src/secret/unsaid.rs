//! What is never said: a key that somebody has put where a setting of another kind belongs. Settings are repeated in errors, findings,
//! logs, records and bundles, and no place of them knows of all others. So what may be a key is taken out of whatever leaves the program.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use crate::domain::keylike;

/// A shorter word stands in too many others.
const LENGTH_MIN: usize = 8;

/// What stands in its place.
const MASK: &str = "***";

static UNSAID: RwLock<Unsaid> = RwLock::new(Unsaid { settings: Vec::new(), hushed: Vec::new() });

struct Unsaid {
    /// The texts that were configured.
    settings: Vec<String>,
    /// What of them is not repeated, the longest first.
    hushed: Vec<String>,
}

impl Unsaid {
    /// The host of an address is written small, whatever was given.
    fn hush<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        for word in words.into_iter().flat_map(|word| [word.to_owned(), word.to_ascii_lowercase()]) {
            if !self.hushed.contains(&word) {
                self.hushed.push(word);
            }
        }
        self.hushed.sort_by_key(|word| std::cmp::Reverse(word.len()));
    }
}

/// That these texts were configured: whatever of them may be a key is not repeated from now on.
pub fn configured(texts: impl IntoIterator<Item = String>) {
    let mut unsaid = UNSAID.write().unwrap_or_else(PoisonError::into_inner);
    for text in texts {
        unsaid.hush(keylike::keys(&text));
        unsaid.settings.push(text);
    }
}

/// That this is a secret: where it was configured as something else, it is not repeated from now on. No copy of any other is kept.
pub fn known(secret: &str) {
    let mut unsaid = UNSAID.write().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= LENGTH_MIN && unsaid.settings.iter().any(|text| text.contains(secret)) {
        unsaid.hush([secret]);
    }
}

/// `text` without what is not repeated.
#[must_use]
pub fn without(text: &str) -> Cow<'_, str> {
    let unsaid = UNSAID.read().unwrap_or_else(PoisonError::into_inner);
    let hushed = unsaid.hushed.iter().filter(|word| text.contains(word.as_str()));
    hushed.fold(Cow::Borrowed(text), |text, word| Cow::Owned(text.replace(word.as_str(), MASK)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_configured_and_may_be_a_key_or_is_a_secret_is_not_repeated_and_nothing_else_is_hidden() {
        let random = "q83vEjRWeJq83vEjRWeJq7zN/u8BI0VniavN";
        configured([format!("/etc/{random}"), "ordinary.pem".to_owned(), "correct-horse-battery".to_owned(), "short".to_owned()]);
        let said = format!("cannot read /etc/{random}: ordinary.pem, correct-horse-battery, short");
        assert!(!without(&said).contains("q83vEjRW") && without(&said).contains("correct-horse-battery"), "{}", without(&said));
        for secret in ["correct-horse-battery", "short", "never-configured"] {
            known(secret);
        }
        assert!(!without(&said).contains("horse") && without(&said).ends_with("ordinary.pem, ***, short"), "{}", without(&said));
        let digest = "sha256 8fdff8f41d3d4436e1a8ac128c2d9edb5b4ad53ea72200e8d58895dfa3ba56b6 of never-configured";
        assert_eq!(without(digest), digest, "what was not configured is none of it");
    }
}
