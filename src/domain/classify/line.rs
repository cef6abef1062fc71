//! Rules on lines that need another line, or the clock of the receiver.

use jiff::{SignedDuration, Timestamp};

use super::{Class, MatchingPolicy};

/// N08 or N09: what a FAILED, PENDING or EXPIRED line is, given whether its payment has a SUCCESS.
#[must_use]
pub const fn not_final(has_success: bool) -> Class {
    if has_success { Class::N08 } else { Class::N09 }
}

/// N06 or N07: what a SUCCESS after the first is, given whether its amount, date and invoice are the first one's.
#[must_use]
pub const fn further_success(same_content: bool) -> Class {
    if same_content { Class::N06 } else { Class::N07 }
}

/// When DOKU redelivers, and what a person's resend looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetrySlot {
    /// With the first.
    Immediate,
    /// After 30 minutes.
    HalfHour,
    /// After 6 hours.
    SixHours,
    /// After 12 hours.
    TwelveHours,
    /// At another time, or at a time nobody logged.
    Manual,
}

impl RetrySlot {
    /// All of them, in time order.
    pub const ALL: [Self; 5] = [Self::Immediate, Self::HalfHour, Self::SixHours, Self::TwelveHours, Self::Manual];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Immediate => "0",
            Self::HalfHour => "30m",
            Self::SixHours => "6h",
            Self::TwelveHours => "12h",
            Self::Manual => "manual",
        }
    }
}

/// The slot of DOKU's schedule a repeated notification fits, by its distance from the first.
#[must_use]
pub fn retry_slot(first: Option<Timestamp>, this: Option<Timestamp>) -> RetrySlot {
    let (Some(first), Some(this)) = (first, this) else { return RetrySlot::Manual };
    let minutes = this.duration_since(first).abs().as_mins();
    match minutes {
        ..15 => RetrySlot::Immediate,
        15..180 => RetrySlot::HalfHour,
        180..540 => RetrySlot::SixHours,
        540..900 => RetrySlot::TwelveHours,
        _ => RetrySlot::Manual,
    }
}

/// What the flags N10 and N11 look at.
#[derive(Clone, Copy, Debug)]
pub struct LateFacts {
    /// When the message arrived.
    pub received_at: Timestamp,
    /// The time it is stamped with; `None` when unreadable.
    pub stamped_at: Option<Timestamp>,
    /// When the payment was made.
    pub paid_at: Timestamp,
}

/// The flags of a line that follow from times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineFlags {
    /// N10.
    pub skewed: bool,
    /// N11.
    pub late: bool,
}

/// N10 and N11.
#[must_use]
pub fn line_flags(facts: &LateFacts, policy: &MatchingPolicy) -> LineFlags {
    let window = SignedDuration::from_mins(policy.replay_window_minutes);
    let late = SignedDuration::from_mins(policy.late_notification_minutes);
    LineFlags {
        skewed: facts.stamped_at.is_none_or(|stamped_at| facts.received_at.duration_since(stamped_at).abs() > window),
        late: facts.received_at.duration_since(facts.paid_at) > late,
    }
}
