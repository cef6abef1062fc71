//! How each row of a run ended: exactly one bucket a row, so that the counts add up to the input (I13).

use std::collections::BTreeMap;

use super::code::Code;
use super::codes;
use super::ids::InvoiceNumber;
use super::lifecycle::OperationKind;
use super::plan::Unchanged;

/// The one result of an input row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// A code was issued.
    Issued,
    /// A live code has new terms.
    Amended,
    /// A code was cancelled.
    Cancelled,
    /// Nothing was to be done.
    Unchanged,
    /// We did not send it.
    Refused,
    /// DOKU refused it.
    Rejected,
    /// The same row stands earlier in the input.
    Duplicate,
    /// Not sent; the same command sends it.
    Deferred,
    /// Sent, and its outcome is not known yet.
    InDoubt,
}

impl Bucket {
    /// Every bucket, in the order of the last line.
    pub const ALL: [Self; 9] = [
        Self::Issued,
        Self::Amended,
        Self::Cancelled,
        Self::Unchanged,
        Self::Refused,
        Self::Rejected,
        Self::Duplicate,
        Self::Deferred,
        Self::InDoubt,
    ];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Amended => "amended",
            Self::Cancelled => "cancelled",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::Deferred => "deferred",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// How one row ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The one bucket.
    pub bucket: Bucket,
    /// What happened, as accepted.csv names it: `issued`, `replayed`, `amended`, `unchanged`, ...
    pub action: &'static str,
    /// A stable code, where there is one.
    pub code: String,
    /// The column at fault, where there is one.
    pub column: &'static str,
    /// Why, in words.
    pub reason: String,
}

impl End {
    const fn plain(bucket: Bucket, action: &'static str) -> Self {
        Self { bucket, action, code: String::new(), column: "", reason: String::new() }
    }

    /// Nothing was to be done.
    #[must_use]
    pub const fn unchanged(why: Unchanged) -> Self {
        Self::plain(Bucket::Unchanged, why.name())
    }

    /// We did not send it, and will not while the row is as it is.
    #[must_use]
    pub fn refused(code: Code, column: &'static str, reason: &str) -> Self {
        Self { code: code.id.into(), column, reason: reason.into(), ..Self::plain(Bucket::Refused, "refused") }
    }

    /// Its code may still be paid for `holder`.
    #[must_use]
    pub fn live_elsewhere(holder: &InvoiceNumber) -> Self {
        Self::refused(codes::CODE_LIVE_ELSEWHERE, "payment_code", &format!("it is live for invoice `{holder}`"))
    }

    /// DOKU refused it.
    #[must_use]
    pub fn rejected(code: &str, reason: &str) -> Self {
        Self { code: code.into(), reason: reason.into(), ..Self::plain(Bucket::Rejected, "rejected") }
    }

    /// An operation was carried out; `replayed` when DOKU repeated an earlier answer.
    #[must_use]
    pub const fn done(operation: OperationKind, replayed: bool) -> Self {
        match operation {
            OperationKind::Issue if replayed => Self::plain(Bucket::Issued, "replayed"),
            OperationKind::Issue => Self::plain(Bucket::Issued, "issued"),
            OperationKind::Amend => Self::plain(Bucket::Amended, "amended"),
            OperationKind::Cancel => Self::plain(Bucket::Cancelled, "cancelled"),
        }
    }

    /// Nobody knows yet whether it was carried out.
    #[must_use]
    pub fn in_doubt(reason: &str) -> Self {
        Self { reason: reason.into(), ..Self::plain(Bucket::InDoubt, "in_doubt") }
    }

    /// It did not get its turn.
    #[must_use]
    pub fn deferred(reason: &str) -> Self {
        Self { reason: reason.into(), ..Self::plain(Bucket::Deferred, "deferred") }
    }
}

/// How many rows ended in each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<Bucket, u64>);

impl Counts {
    /// Counts `ends`.
    #[must_use]
    pub fn of<'a>(ends: impl Iterator<Item = &'a End>) -> Self {
        let mut counts = Self::default();
        for end in ends {
            counts.add(end.bucket, 1);
        }
        counts
    }

    /// Adds `count` rows to `bucket`.
    pub fn add(&mut self, bucket: Bucket, count: u64) {
        let total = self.0.entry(bucket).or_default();
        *total = total.saturating_add(count);
    }

    /// Rows in `bucket`.
    #[must_use]
    pub fn get(&self, bucket: Bucket) -> u64 {
        self.0.get(&bucket).copied().unwrap_or(0)
    }

    /// Rows in all buckets: the input's rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}
