//! Classes of the reconciliation: what each is called, how bad it is, and which facts lead to it.
//!
//! Belongs here: the table of classes and one small pure function a rule, over facts. Must not be here: how the facts
//! were gathered in bulk (`reconcile`), or any status that was derived from payments.

mod bill;
mod columns;
mod inquiry;
mod line;
mod payment;
mod settlement;
mod table;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use bill::{BillSituation, PaidMark, bill_class, is_live, issued_otherwise};
pub use columns::{ClassMoney, ClassSubject, Family, Flag, Stands};
pub use inquiry::{InquiryAnswer, inquiry_class, may_follow};
pub use line::{LateFacts, LineFlags, RetrySlot, further_success, line_flags, not_final, retry_slot};
pub use payment::{BillFacts, Match, PaymentFacts, covers, is_after_cancellation, is_after_expiry, payment_class, payment_nature};
pub use settlement::{RowChannel, RowFacts, Settles, row_class, row_nature, settlement_due, unsettled_nature};
pub use table::{ALL, Class, ClassInfo};

/// Whether someone must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// As it should be.
    Ok,
    /// Clears by itself.
    Timing,
    /// Someone must act.
    Break,
}

impl Nature {
    /// All three, mildest first.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Timing, Self::Break];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Timing => "TIMING",
            Self::Break => "BREAK",
        }
    }
}

/// How bad a BREAK is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Not a BREAK.
    None,
    /// Can wait for the monthly close.
    Medium,
    /// Money or a customer is affected.
    High,
    /// Money is at risk now.
    Critical,
}

impl Severity {
    /// All of them, the worst last.
    pub const ALL: [Self; 4] = [Self::None, Self::Medium, Self::High, Self::Critical];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A set of classes: the lower hits and flags of one subject. Three words, because a `u128` would align, and lengthen, the record of
/// every payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSet([u32; 3]);

impl ClassSet {
    /// No class.
    pub const EMPTY: Self = Self([0; 3]);

    /// How many classes there may be.
    pub const PLACES: usize = 96;

    /// The word a class stands in, and its bit there.
    fn place(class: Class) -> (usize, u32) {
        let index = u32::from(class.index());
        (usize::from(class.index() / 32), 1_u32.checked_shl(index % 32).unwrap_or(0))
    }

    /// This set and `class`.
    #[must_use]
    pub fn with(mut self, class: Class) -> Self {
        let (word, bit) = Self::place(class);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
        self
    }

    /// This set without `class`.
    #[must_use]
    pub fn without(mut self, class: Class) -> Self {
        let (word, bit) = Self::place(class);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
        self
    }

    /// Whether `class` is in it.
    #[must_use]
    pub fn contains(self, class: Class) -> bool {
        let (word, bit) = Self::place(class);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The flag that makes its bearer one somebody must look at, whatever its class.
    #[must_use]
    pub fn raising(self) -> Option<Class> {
        self.iter().find(|class| class.info().flag == Flag::Raises)
    }

    /// Its classes in the order of the rules.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        // Most sets are empty, and millions are looked at.
        let count = if self == Self::EMPTY { 0 } else { Class::COUNT };
        Class::all().take(count).filter(move |&class| self.contains(class))
    }
}

impl FromIterator<Class> for ClassSet {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        classes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// Whether evidence that nobody can verify counts as money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Unverifiable {
    /// It does not; the line is N03.
    Strict,
    /// It does, flagged N03: the log is trusted in place of the signature.
    TrustLog,
}

/// What the rules leave to the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchingPolicy {
    /// By how many rupiah a payment may differ from what is due and still match (default 0).
    pub tolerance_rupiah: u64,
    /// Minutes after expiry in which a payment is still in time (default 5).
    pub expiry_grace_minutes: i64,
    /// Minutes a payment may lie before its code's creation (default 10).
    pub skew_minutes: i64,
    /// Default: strict.
    pub unverifiable: Unverifiable,
    /// Hours after the period's end in which evidence is expected to trickle in (default 24).
    pub late_evidence_grace_hours: i64,
    /// Minutes between a request's stamp and its arrival that are not remarkable (default 1,440).
    pub replay_window_minutes: i64,
    /// Minutes between payment and arrival that are not remarkable (default 780: the last redelivery and an hour).
    pub late_notification_minutes: i64,
    /// Days after expiry from which an unpaid bill is a BREAK (default 60).
    pub expired_break_days: i64,
    /// Hours after Check Status told of a payment from which a missing notification is a BREAK (default 72).
    pub status_grace_hours: i64,
    /// What a policy that is lapsed or cancelled is called; without one, P18 is not evaluated.
    pub lapsed_policy_statuses: Vec<String>,
}

impl MatchingPolicy {
    /// Whether a policy in the state `status` is lapsed or cancelled; letter case does not matter.
    #[must_use]
    pub fn is_lapsed(&self, status: &str) -> bool {
        self.lapsed_policy_statuses.iter().any(|lapsed| lapsed.eq_ignore_ascii_case(status.trim()))
    }
}

impl Default for MatchingPolicy {
    fn default() -> Self {
        Self {
            tolerance_rupiah: 0,
            expiry_grace_minutes: 5,
            skew_minutes: 10,
            unverifiable: Unverifiable::Strict,
            late_evidence_grace_hours: 24,
            replay_window_minutes: 1_440,
            late_notification_minutes: 780,
            expired_break_days: 60,
            status_grace_hours: 72,
            lapsed_policy_statuses: ["lapsed", "lapse", "cancelled", "canceled", "terminated", "batal"].map(str::to_owned).into(),
        }
    }
}

/// WIB days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The first instant of the first day.
    starts_at: Timestamp,
    /// The first instant after the last day.
    ends_at: Timestamp,
}

impl Period {
    /// The days `from` to `to`; `None` when `to` is before `from` or outside the calendar.
    #[must_use]
    pub fn new(from: Date, to: Date) -> Option<Self> {
        let starts_at = super::calendar::start_of_wib_day(from)?;
        let ends_at = super::calendar::start_of_wib_day(to.tomorrow().ok()?)?;
        (from <= to).then_some(Self { from, to, starts_at, ends_at })
    }

    /// The first instant.
    #[must_use]
    pub const fn starts_at(&self) -> Timestamp {
        self.starts_at
    }

    /// The first instant after it.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// Whether `at` falls on one of its days.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

/// `at` plus `minutes`, at most the end of time.
#[must_use]
pub fn minutes_after(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
