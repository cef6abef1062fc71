//! Why something is found, as values; the words for them stand beside them, in every language.
//!
//! Belongs here: what can be said, and its words in both languages. Must not be here: deciding which of them holds.
//! A reason is kept beside its English words in discrepancies.jsonl and in the journal, so names of variants and fields are never changed.

mod bill;
mod payment;
mod record;
mod row;
mod settlement;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::classify::Class;
use super::detail::Detail;
use super::language::{Language, Say, say};
use super::texts;

pub use bill::{BillReason, OpenReason};
pub use payment::{InquiryReason, PaymentReason, TimeReason};
pub use record::Wrong;
pub use row::{AmountFault, CellFault, DateFault, Encoding, ForeignByte, RowFault, Spoilt, WordFault};
pub use settlement::{BatchReason, Candidates, SettlementReason, TotalReason};

/// Why something is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is nothing to say.
    #[default]
    Nothing,
    /// Its class says it all.
    Class(Class),
    /// What is wrong with a line.
    Line(LineReason),
    /// A payment beside its bill.
    Payment(Box<PaymentReason>),
    /// When a payment was made.
    PaymentTime(Box<TimeReason>),
    /// A payment beside what was answered before it.
    Inquiry(Box<InquiryReason>),
    /// A bill.
    Bill(Box<BillReason>),
    /// A row that cannot be read.
    Row(Box<RowFault>),
    /// A settlement row, or a payment without one.
    Settlement(Box<SettlementReason>),
    /// A batch.
    Batch(Box<BatchReason>),
    /// An open item of the books.
    Open(Box<OpenReason>),
}

// There may be a million findings, each with one; what it says is apart.
const _: () = assert!(size_of::<Reason>() <= 16, "a reason is small");

impl Reason {
    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// One as it was kept; nothing where another version kept what this one does not know.
    ///
    /// # Errors
    /// The reader's.
    pub fn kept<'de, D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(reader)?;
        Ok(Self::deserialize(value).unwrap_or_default())
    }
}

/// In English.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}

impl Say for Reason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Class(class) => to.write_str(texts::text(&class.info().code, language).title),
            Self::Line(reason) => reason.say(language, to),
            Self::Payment(reason) => reason.say(language, to),
            Self::PaymentTime(reason) => reason.say(language, to),
            Self::Inquiry(reason) => reason.say(language, to),
            Self::Bill(reason) => reason.say(language, to),
            Self::Row(fault) => fault.say(language, to),
            Self::Settlement(reason) => reason.say(language, to),
            Self::Batch(reason) => reason.say(language, to),
            Self::Open(reason) => reason.say(language, to),
        }
    }
}

macro_rules! from_parts {
    ($($variant:ident $part:ident;)*) => {$(
        impl From<$part> for Reason {
            fn from(part: $part) -> Self {
                Self::$variant(Box::new(part))
            }
        }
    )*};
}

from_parts! {
    Payment PaymentReason;
    PaymentTime TimeReason;
    Inquiry InquiryReason;
    Bill BillReason;
    Row RowFault;
    Settlement SettlementReason;
    Batch BatchReason;
    Open OpenReason;
}

/// What is wrong with a line of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineReason {
    /// Its Request-Id was used for another body.
    RequestReused,
    /// It contradicts the first message of its payment.
    Contradicts,
    /// It got no further.
    Stopped(Detail),
}

impl Say for LineReason {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestReused => {
                say!(to, language, "its Request-Id was used for another body", "Request-Id-nya sudah dipakai untuk isi lain")
            }
            Self::Contradicts => say!(
                to,
                language,
                "the amount, date or invoice differs from the first message of this payment",
                "jumlah, tanggal, atau faktur berbeda dari pesan pertama pembayaran ini"
            ),
            Self::Stopped(detail) => detail.say(language, to),
        }
    }
}

/// What a bill is named by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The invoice number.
    pub invoice_number: String,
    /// The code.
    pub payment_code: String,
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.invoice_number, self.payment_code)
    }
}

fn joined(bills: &[Ids]) -> String {
    bills.iter().map(Ids::to_string).collect::<Vec<_>>().join(", ")
}
