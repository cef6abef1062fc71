//! Ages in WIB days and the buckets finance sorts them into.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{start_of_wib_day, wib_date};

const DAY_SECONDS: i64 = 86_400;
const WIB_SECONDS: i64 = 7 * 3_600;

/// The WIB day of an instant, in days since 1970-01-01.
#[must_use]
pub fn wib_day_number(at: Timestamp) -> i32 {
    let days = at.as_second().saturating_add(WIB_SECONDS).div_euclid(DAY_SECONDS);
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// A date in days since 1970-01-01.
#[must_use]
pub fn day_number(date: Date) -> i32 {
    start_of_wib_day(date).map_or(0, wib_day_number)
}

/// The date of such a number.
#[must_use]
pub fn date_of(day: i32) -> Date {
    let start = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(i64::from(day).saturating_mul(24)));
    start.map_or(Date::MAX, wib_date)
}

/// From which day the age of something open counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgesFrom {
    /// The day a debt is due, else the day its last code expires, else the day it arose.
    Due,
    /// The original date of what made it.
    Origin,
    /// The day it was first seen: it says no day itself.
    Seen,
    /// It is never open, so it does not age.
    Never,
}

/// How old something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgeBucket {
    /// Its day has not come.
    NotDue,
    /// 0 to 30 days.
    UpTo30,
    /// 31 to 60 days.
    UpTo60,
    /// 61 to 90 days: past the limit for premium receivables.
    UpTo90,
    /// More than 90 days.
    Over90,
}

impl AgeBucket {
    /// All of them, youngest first.
    pub const ALL: [Self; 5] = [Self::NotDue, Self::UpTo30, Self::UpTo60, Self::UpTo90, Self::Over90];

    /// The bucket of something `days` old.
    #[must_use]
    pub const fn of(days: i32) -> Self {
        match days {
            ..0 => Self::NotDue,
            0..=30 => Self::UpTo30,
            31..=60 => Self::UpTo60,
            61..=90 => Self::UpTo90,
            91.. => Self::Over90,
        }
    }

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotDue => "not_due",
            Self::UpTo30 => "0-30",
            Self::UpTo60 => "31-60",
            Self::UpTo90 => "61-90",
            Self::Over90 => "over_90",
        }
    }

    /// Whether it lies beyond the 60 days that Indonesian insurers watch.
    #[must_use]
    pub const fn is_past_limit(self) -> bool {
        matches!(self, Self::UpTo90 | Self::Over90)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_turn_at_midnight_in_wib_and_buckets_at_30_60_and_90_days() {
        let due = day_number("2026-10-01".parse().unwrap());
        let age = |at: &str| wib_day_number(at.parse().unwrap()) - due;
        assert_eq!(age("2026-09-30T16:59:59Z"), -1);
        assert_eq!(age("2026-09-30T17:00:00Z"), 0);
        assert_eq!(age("2026-12-01T00:00:00Z"), 61);
        let buckets = [-1, 0, 30, 31, 60, 61, 90, 91].map(|days| AgeBucket::of(days).name());
        assert_eq!(buckets, ["not_due", "0-30", "0-30", "31-60", "31-60", "61-90", "61-90", "over_90"]);
        assert!(!AgeBucket::of(60).is_past_limit() && AgeBucket::of(61).is_past_limit());
    }

    #[test]
    fn day_numbers_lead_back_to_their_dates() {
        for text in ["1970-01-01", "1969-12-31", "2024-02-29", "2026-10-31"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date_of(day_number(date)), date);
        }
        assert_eq!(day_number("1970-01-02".parse().unwrap()), 1);
    }
}
