//! How each row of a run ended: exactly one bucket a row, so that the counts add up to the input (I13).

use std::collections::{BTreeMap, HashMap};

use super::code::StableCode;
use super::codes;
use super::ids::InvoiceNumber;
use super::lifecycle::OperationKind;
use super::plan::{Step, Unchanged};

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    pub fn refused(code: StableCode, column: &'static str, reason: &str) -> Self {
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

impl Step {
    /// How a row ends whose step needs no call to DOKU, once what was planned is recorded.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        match self {
            Self::Unchanged(why) => Some(End::unchanged(*why)),
            Self::Note => Some(End::unchanged(Unchanged::Live)),
            Self::Refused { code, column, reason } => Some(End::refused(*code, column, reason)),
            Self::RejectedBefore { code, reason } => Some(End::rejected(code, reason)),
            Self::Register(operation) => Some(End::done(*operation, false)),
            Self::Issue { .. }
            | Self::Amend
            | Self::Cancel
            | Self::Resolve
            | Self::ConfirmExpiry
            | Self::ConfirmRefusal
            | Self::Wait { .. }
            | Self::Release { .. }
            | Self::Retire { .. } => None,
        }
    }
}

/// How the rows of a run ended: most of them alike, so each different end is kept once.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    different: Vec<End>,
    places: HashMap<End, u32>,
    /// Of each row: which end, counted from 1; 0 for none.
    rows: Vec<u32>,
}

impl Ends {
    /// Of so many rows, none of which has ended.
    #[must_use]
    pub fn of(rows: usize) -> Self {
        Self { rows: vec![0; rows], ..Self::default() }
    }

    /// Notes how a row ended, whatever was noted before.
    pub fn set(&mut self, row: usize, end: End) {
        let place = self.places.get(&end).copied().unwrap_or_else(|| {
            self.different.push(end.clone());
            let place = u32::try_from(self.different.len()).unwrap_or(u32::MAX);
            self.places.insert(end, place);
            place
        });
        if let Some(slot) = self.rows.get_mut(row) {
            *slot = place;
        }
    }

    /// Forgets how a row ended: it goes on.
    pub fn clear(&mut self, row: usize) {
        if let Some(slot) = self.rows.get_mut(row) {
            *slot = 0;
        }
    }

    /// How a row ended; `None` if it has not, or is none of the run's.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&End> {
        let place = usize::try_from(*self.rows.get(row)?).ok()?.checked_sub(1)?;
        self.different.get(place)
    }

    /// All ends, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = &End> {
        (0..self.rows.len()).filter_map(|row| self.get(row))
    }
}

/// How many rows ended in each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowCounts(pub BTreeMap<Bucket, u64>);

impl RowCounts {
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
