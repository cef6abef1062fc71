//! Names of things, each checked once when it is made: invoice numbers, payment codes, request ids.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the id it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum IdError {
    /// Nothing was written.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit, in characters.
    #[error("it has {length} characters, at most {length_max} are allowed")]
    TooLong {
        /// How many characters there are.
        length: usize,
        /// How many there may be.
        length_max: usize,
    },
    /// A character outside the allowed set.
    #[error("it holds a character that is not allowed: {}", quoted(*.0))]
    Character(char),
}

/// A character in quotes, as messages show it: one that cannot be seen by its escape.
#[must_use]
pub fn quoted(character: char) -> String {
    if character == '"' { "'\"'".to_owned() } else { format!("'{}'", character.escape_debug()) }
}

fn check(text: &str, length_max: usize, allowed: impl Fn(char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if let Some(wrong) = text.chars().find(|&c| !allowed(c)) {
        return Err(IdError::Character(wrong));
    }
    let length = text.chars().count();
    if length > length_max {
        return Err(IdError::TooLong { length, length_max });
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $length_max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The most characters it may have.
            pub const LENGTH_MAX: usize = $length_max;

            /// Checks and keeps `text`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check(text, Self::LENGTH_MAX, $allowed)?;
                Ok(Self(text.into()))
            }

            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// The key of a bill: 1 to 64 printable ASCII characters without spaces at either end (DOKU's `order.invoice_number`).
    InvoiceNumber,
    64,
    |c| c.is_ascii_graphic() || c == ' '
);

text_id!(
    /// What the customer shows at the counter: 1 to 20 digits, leading zeros kept (`online_to_offline_info.payment_code`).
    PaymentCode,
    20,
    |c| c.is_ascii_digit()
);

/// The idempotency key of one operation: a UUID derived from the operation and its body, so equal work has an equal id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Uuid);

impl RequestId {
    /// The id whose random bits are the first 16 bytes of `digest` (UUID version 8, RFC 9562).
    #[must_use]
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Reads the usual hyphenated form.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_code_keeps_its_zeros_and_refuses_what_excel_makes_of_it() {
        assert_eq!(PaymentCode::new("0073").unwrap().as_str(), "0073");
        assert_eq!(PaymentCode::new("8,89651E+15"), Err(IdError::Character(',')));
        assert!(matches!(PaymentCode::new("123456789012345678901"), Err(IdError::TooLong { length: 21, .. })));
        assert_eq!(PaymentCode::new(""), Err(IdError::Empty));
    }

    #[test]
    fn request_ids_are_version_eight_uuids_of_their_digest() {
        let id = RequestId::from_digest(&[0xff; 32]).to_string();
        assert_eq!(id, "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(RequestId::parse(&id).unwrap().to_string(), id);
    }
}
