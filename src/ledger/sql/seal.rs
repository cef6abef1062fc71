//! The seals of rows: a MAC over the fields of a bill, its terms and the hash of its last event, or over those of a payment. Whoever reads
//! a row checks it, so that an edited row, or one of another history, is found when it is used.
//!
//! Belongs here: what a seal covers. Must not be here: reading and writing rows.

use super::cells::{Value, ValueRef};
use crate::domain::digest::Digest;
use crate::domain::mark::TermsDigest;
use crate::ledger::seals::{Seal, Seals};

/// The seal of a bill's row with these fields, in the order of their columns.
pub(in crate::ledger) fn of<'v>(
    seals: &Seals,
    id: i64,
    terms: TermsDigest,
    last_event: &Digest,
    fields: impl Iterator<Item = ValueRef<'v>>,
) -> Seal {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(&terms.0);
    bytes.extend_from_slice(last_event);
    for field in fields {
        put(&mut bytes, field);
    }
    seals.seal(b"", &[&bytes])
}

/// The same of fields that are about to be written.
pub(in crate::ledger) fn of_values(seals: &Seals, id: i64, terms: TermsDigest, last_event: &Digest, fields: &[Value]) -> Seal {
    of(seals, id, terms, last_event, fields.iter().map(ValueRef::from))
}

/// The seal of a payment's row with these fields, in the order of their columns.
pub(in crate::ledger) fn of_payment<'v>(seals: &Seals, fields: impl Iterator<Item = ValueRef<'v>>) -> Seal {
    let mut bytes = Vec::with_capacity(256);
    for field in fields {
        put(&mut bytes, field);
    }
    seals.seal(b"payment", &[&bytes])
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
