//! What a balance is about: an item, with a stable id made from its subject and from nothing else.
//!
//! The key of a payment's item is the discrepancy id that lists and journals have always shown for it.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::digest;

/// Length of a key in bytes.
const KEY_LENGTH: usize = 12;

/// What an item, a fact or a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BooksSubject {
    /// A bill, by its invoice number.
    Bill,
    /// Something that happened to a bill or a debt: made, amended, cancelled, lapsed, matched.
    Event,
    /// What is owed: a bill's own, or that of a group of bills.
    Debt,
    /// A payment, by its identity.
    Payment,
    /// A settlement row, by its content (and which of equal rows of one file it is).
    Row,
    /// A settlement batch, by its id.
    Batch,
    /// What a batch pays on one day.
    Payout,
    /// A line of a bank statement.
    BankLine,
    /// A person's decision.
    Decision,
    /// A finding that has no balance.
    Alarm,
    /// The books themselves: what they were begun with.
    Books,
}

impl BooksSubject {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Bill,
        Self::Event,
        Self::Debt,
        Self::Payment,
        Self::Row,
        Self::Batch,
        Self::Payout,
        Self::BankLine,
        Self::Decision,
        Self::Alarm,
        Self::Books,
    ];

    /// The name used in files, which digests depend on.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Event => "event",
            Self::Debt => "debt",
            Self::Payment => "payment",
            Self::Row => "row",
            Self::Batch => "batch",
            Self::Payout => "payout",
            Self::BankLine => "bank_line",
            Self::Decision => "decision",
            Self::Alarm => "alarm",
            Self::Books => "books",
        }
    }
}

/// The id of an item: its subject and 12 bytes of a digest. Written `payment:0123456789abcdef01234567`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    subject: BooksSubject,
    key: [u8; KEY_LENGTH],
}

impl ItemId {
    /// The id of what `parts` name. Equal parts, equal id.
    #[must_use]
    pub fn of(subject: BooksSubject, parts: &[&[u8]]) -> Self {
        let digest = digest::of_each(std::iter::once(subject.name().as_bytes()).chain(parts.iter().copied()));
        Self { subject, key: digest.first_chunk().copied().unwrap_or_default() }
    }

    /// The bill with this invoice number.
    #[must_use]
    pub fn bill(invoice_number: &str) -> Self {
        Self::of(BooksSubject::Bill, &[invoice_number.as_bytes()])
    }

    /// What a bill that belongs to no group owes.
    #[must_use]
    pub fn debt_of(invoice_number: &str) -> Self {
        Self::of(BooksSubject::Debt, &[b"bill", invoice_number.as_bytes()])
    }

    /// What the bills of a group owe once.
    #[must_use]
    pub fn group(bill_group: &str) -> Self {
        Self::of(BooksSubject::Debt, &[b"group", bill_group.as_bytes()])
    }

    /// The id whose key is written as `key`, as lists of discrepancies show it.
    #[must_use]
    pub fn with_key(subject: BooksSubject, key: &str) -> Option<Self> {
        Self::parse(&format!("{}:{key}", subject.name()))
    }

    /// Its key as lists of discrepancies show it.
    #[must_use]
    pub fn key_text(&self) -> String {
        digest::hex(&self.key)
    }

    /// What it is about.
    #[must_use]
    pub const fn subject(self) -> BooksSubject {
        self.subject
    }

    /// The bytes that tell it from others of its subject.
    #[must_use]
    pub const fn key(&self) -> &[u8; KEY_LENGTH] {
        &self.key
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, key) = text.split_once(':')?;
        let subject = BooksSubject::ALL.into_iter().find(|subject| subject.name() == name)?;
        let bytes = digest::read_hex(key)?;
        Some(Self { subject, key: bytes })
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 2 * KEY_LENGTH];
        digest::write_hex(&self.key, &mut digits);
        f.write_str(self.subject.name())?;
        f.write_str(":")?;
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ItemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.to_string()
    }
}

impl<'de> Deserialize<'de> for ItemId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = ItemId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an item's id")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ItemId, E> {
                ItemId::parse(text).ok_or_else(|| E::custom("not an item's id"))
            }
        }
        // Millions are read of one carry: no text is made for each.
        deserializer.deserialize_str(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is() {
        for subject in BooksSubject::ALL {
            let id = ItemId::of(subject, &[b"A", b"1"]);
            assert_eq!(ItemId::parse(&id.to_string()), Some(id));
            assert_ne!(id, ItemId::of(subject, &[b"A1"]), "parts do not run together");
        }
        for wrong in ["", "payment", "payment:", "payment:00", "coin:000000000000000000000000", "payment:+00000000000000000000000"] {
            assert_eq!(ItemId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_payments_item_has_the_id_that_discrepancies_have_always_shown() {
        let identity = digest::of_bytes(b"a payment");
        let shown = digest::hex(&digest::of_parts(&[b"payment", &identity])[..12]);
        assert_eq!(ItemId::of(BooksSubject::Payment, &[&identity]).to_string(), format!("payment:{shown}"));
    }
}
