//! What the books know of what DOKU pays out: settlement rows, the batches they stand in, and their days.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::fact::RowKind;
use super::item::ItemId;
use crate::domain::amount::Rupiah;

/// What became of a settlement row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// It settled its payment.
    Settled,
    /// It stands in suspense, or did until it was decided.
    Suspense,
    /// Its payment was paid out already, or it stands twice in a file.
    Twice,
    /// Another product's.
    Other,
    /// It cannot be understood.
    Unreadable,
}

/// What a row that seemed to come twice would have posted, had its payment been known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unposted {
    /// What DOKU kept, VAT included, in rupiah.
    pub fee: i64,
    /// A discount borne by the merchant, in rupiah.
    pub discount: i64,
    /// What others get of it, in rupiah.
    pub shares: i64,
}

/// A settlement row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedRow {
    /// Its batch.
    pub batch: ItemId,
    /// Its number in the batch; empty where it has none, and in books of before that was kept.
    #[serde(default)]
    pub number: Box<str>,
    /// What it names, where no payment was known for it.
    pub invoice_number: Box<str>,
    /// The codes it names, where no payment was known for it; none in books of before that was kept.
    #[serde(default)]
    pub codes: Vec<Box<str>>,
    /// The WIB day on which it says that it was paid, where no payment was known for it; none in books of before that was kept.
    #[serde(default)]
    pub paid_on: Option<Date>,
    /// The bill it names, where no payment was known for it; none in books of before that was kept.
    #[serde(default)]
    pub bill: Option<ItemId>,
    /// The id under which lists of discrepancies show what is wrong with it.
    pub listed_as: Box<str>,
    /// When it was paid out.
    pub paid_out_on: Date,
    /// What it is.
    pub kind: RowKind,
    /// Its amount, signed.
    pub gross: Rupiah,
    /// What became of it.
    pub state: RowState,
    /// Of one that seemed to come twice: what is still to be posted if its payment becomes known; none in books of before that was kept.
    #[serde(default)]
    pub unposted: Option<Unposted>,
}

impl BookedRow {
    /// Whether every run looks for its payment anew: it stands in suspense, or seemed to come twice while only one payment was known.
    #[must_use]
    pub fn waits(&self) -> bool {
        match self.state {
            RowState::Suspense => !matches!(self.kind, RowKind::Refund(_)),
            RowState::Twice => self.unposted.is_some(),
            RowState::Settled | RowState::Other | RowState::Unreadable => false,
        }
    }
}

/// What a batch pays on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchDay {
    /// Σ `PAY TO MERCHANT` of its rows.
    pub column: Rupiah,
    /// What of it DOKU pays to third parties instead.
    #[serde(default)]
    pub shared: Rupiah,
    /// What was posted as paid out.
    pub posted: Rupiah,
}

impl BatchDay {
    /// Takes what other rows of the day come to, and what was posted of it.
    pub(super) fn add(&mut self, other: &Self) {
        let Self { column, shared, posted } = *other;
        (self.column, self.shared, self.posted) = (self.column.plus(column), self.shared.plus(shared), self.posted.plus(posted));
    }
}

/// A settlement batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedBatch {
    /// Its name in the files.
    pub name: Box<str>,
    /// What its files state, if they agree.
    pub stated: Option<Rupiah>,
    /// Its days.
    pub days: BTreeMap<Date, BatchDay>,
}

/// A pay-out: which batch, on which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payout {
    /// Its batch.
    pub batch: ItemId,
    /// Its day.
    pub on: Date,
}
