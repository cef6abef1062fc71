//! What payments, rows and batches are called in the books: by what they say of themselves.

use jiff::civil::Date;

use crate::books::item::{BooksSubject, ItemId};
use crate::domain::digest::Digest;
use crate::domain::settlement::SettlementRow;

pub(super) fn payment_id(identity: &Digest) -> ItemId {
    ItemId::of(BooksSubject::Payment, &[identity])
}

/// A settlement row is called by the digest of all its cells, and by which of equal rows of one file it is.
pub(super) fn row_id(content: &Digest, occurrence: u32) -> ItemId {
    ItemId::of(BooksSubject::Row, &[content, occurrence.to_string().as_bytes()])
}

pub(super) fn batch_id(name: &str) -> ItemId {
    ItemId::of(BooksSubject::Batch, &[name.as_bytes()])
}

/// The batch of a row. Where files do not name theirs, what DOKU pays out on one day is a batch: else all months would be one.
pub(super) fn batch_of(row: &SettlementRow) -> ItemId {
    match row.paid_out_on.filter(|_| row.batch_id.is_empty()) {
        Some(on) => nameless_batch(on),
        None => batch_id(&row.batch_id),
    }
}

/// The batch of what DOKU pays out on one day, where files do not name theirs.
#[must_use]
pub fn nameless_batch(paid_out_on: Date) -> ItemId {
    ItemId::of(BooksSubject::Batch, &[b"", paid_out_on.to_string().as_bytes()])
}

pub(super) fn place(at: u32) -> Option<usize> {
    usize::try_from(at).ok()
}
