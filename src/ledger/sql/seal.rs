//! The seal of a bill's row: a MAC over its fields, its terms and the hash of its last event. Whoever reads a row checks it, so that
//! an edited row, or one of another history, is found when it is used.
//!
//! Belongs here: what a seal covers. Must not be here: reading and writing rows.

use super::cells::{Value, ValueRef};
use crate::domain::digest::{self, Digest};
use crate::domain::mark::TermsDigest;

/// Half of SHA-256.
pub(in crate::ledger) type Seal = [u8; 16];

/// The key of all seals. Without one they find what was edited by hand or by accident, and not an edit whose author seals it anew.
const KEY: Option<&[u8]> = None;

/// The seal of the row `id` with these fields, in the order of their columns.
pub(in crate::ledger) fn of<'v>(id: i64, terms: TermsDigest, last_event: &Digest, fields: impl Iterator<Item = ValueRef<'v>>) -> Seal {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(&terms.0);
    bytes.extend_from_slice(last_event);
    for field in fields {
        put(&mut bytes, field);
    }
    let [first, _] = digest::halves(&digest::of_parts(&[KEY.unwrap_or_default(), &bytes]));
    first
}

/// The same of fields that are about to be written.
pub(in crate::ledger) fn of_values(id: i64, terms: TermsDigest, last_event: &Digest, fields: &[Value]) -> Seal {
    of(id, terms, last_event, fields.iter().map(ValueRef::from))
}

/// A field so that no two lists of fields have the same bytes.
fn put(bytes: &mut Vec<u8>, field: ValueRef<'_>) {
    let mut whole = |kind: u8, content: &[u8]| {
        bytes.push(kind);
        bytes.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(content);
    };
    match field {
        ValueRef::Null => whole(0, &[]),
        ValueRef::Integer(number) => whole(1, &number.to_be_bytes()),
        ValueRef::Real(number) => whole(2, &number.to_be_bytes()),
        ValueRef::Text(text) => whole(3, text),
        ValueRef::Blob(blob) => whole(4, blob),
    }
}
