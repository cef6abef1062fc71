//! SHA-256 of bytes: request ids, the ledger's hash chain, the digests that stand for personal data and raw lines.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The digest of `parts`, each preceded by its length so that no two lists of parts collide.
#[must_use]
pub fn of_parts(parts: &[&[u8]]) -> Digest {
    of_each(parts.iter().copied())
}

/// As [`of_parts`], of parts that need not stand beside one another.
#[must_use]
pub fn of_each<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// A digest of bytes that arrive in pieces.
#[derive(Clone, Debug, Default)]
pub struct Running(Sha256);

impl Running {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// The digest of `bytes` as they are.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// The digest of what `value` is as JSON: equal for equal values, whatever they are shown as in a message or masked in a log.
#[must_use]
pub fn of_value(value: &impl Serialize) -> Digest {
    match serde_json::to_vec(value) {
        Ok(text) => of_bytes(&text),
        Err(_) => unreachable!("structs of texts, numbers and days, and maps by texts, are always JSON"),
    }
}

/// The two halves of a digest.
#[must_use]
pub const fn halves(digest: &Digest) -> [[u8; 16]; 2] {
    let ([first, second], []) = digest.as_chunks::<16>() else { return [[0; 16]; 2] };
    [*first, *second]
}

/// Reads 64 hexadecimal digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<Digest> {
    read_hex(&text.to_ascii_lowercase())
}

/// Reads two lower-case hexadecimal digits a byte, and nothing else.
#[must_use]
pub fn read_hex<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != LENGTH || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len().saturating_mul(2)];
    write_hex(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// Writes lower-case hexadecimal into `digits`, two of them a byte.
pub fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?');
    for (byte, pair) in bytes.iter().zip(digits.as_chunks_mut::<2>().0) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
}

/// A digest that may be missing in JSON.
pub mod as_hex_or_none {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Digest;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.serialize_some(&super::hex(digest)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no such text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        super::from_hex(&text).map(Some).ok_or_else(|| D::Error::custom("not a digest of 64 hexadecimal digits"))
    }
}

/// A digest in JSON: 64 hexadecimal digits.
pub mod as_hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Digest;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(digest))
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no such text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_hex(&text).ok_or_else(|| D::Error::custom("not a digest of 64 hexadecimal digits"))
    }
}
