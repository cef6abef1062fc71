//! WIB, Western Indonesian Time: UTC+7 without daylight saving. Business days are WIB days; instants are UTC inside.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;

const WIB: Offset = Offset::constant(7);

/// Of which years the times can be that people name; any other is a slip.
pub const YEARS: RangeInclusive<i16> = 2000..=2199;

/// Whether a WIB day that somebody named can be meant.
#[must_use]
pub fn can_be_meant(day: Date) -> bool {
    YEARS.contains(&day.year())
}

/// UTC+7.
#[must_use]
pub fn wib() -> TimeZone {
    TimeZone::fixed(WIB)
}

/// The WIB day an instant falls on.
#[must_use]
pub fn wib_date(at: Timestamp) -> Date {
    at.to_zoned(wib()).date()
}

/// The last second of a WIB day: what a bare expiry date means.
#[must_use]
pub fn end_of_wib_day(date: Date) -> Option<Timestamp> {
    at_wib(date.at(23, 59, 59, 0))
}

/// The first instant of a WIB day.
#[must_use]
pub fn start_of_wib_day(date: Date) -> Option<Timestamp> {
    at_wib(date.at(0, 0, 0, 0))
}

/// The instant of a WIB wall-clock time.
#[must_use]
pub fn at_wib(civil: DateTime) -> Option<Timestamp> {
    civil.to_zoned(wib()).ok().map(|zoned| zoned.timestamp())
}

/// Reads DOKU's `yyyyMMddHHmmss`, which is WIB.
#[must_use]
pub fn parse_compact_wib(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    at_wib(DateTime::strptime("%Y%m%d%H%M%S", text).ok()?)
}

/// Writes DOKU's `yyyyMMddHHmmss` in WIB.
#[must_use]
pub fn format_compact_wib(at: Timestamp) -> String {
    at.to_zoned(wib()).strftime("%Y%m%d%H%M%S").to_string()
}

/// Writes whole seconds of UTC: `2026-10-05T12:00:00Z`, the form of every DOKU timestamp header.
#[must_use]
pub fn format_utc_seconds(at: Timestamp) -> String {
    whole_seconds(at).to_string()
}

/// WIB in ISO form to the second, `2026-10-31T17:00:00+07:00`.
#[must_use]
pub fn format_wib_seconds(at: Timestamp) -> String {
    DateTimePrinter::new().timestamp_with_offset_to_string(&whole_seconds(at), WIB)
}

/// Without what is less than a second.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Days on which banks settle: Monday to Friday, less the holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkingDays {
    holidays: BTreeSet<Date>,
}

impl WorkingDays {
    /// All weekdays but `holidays`.
    #[must_use]
    pub fn without(holidays: impl IntoIterator<Item = Date>) -> Self {
        Self { holidays: holidays.into_iter().collect() }
    }

    /// The holidays, in order.
    pub fn holidays(&self) -> impl Iterator<Item = Date> + '_ {
        self.holidays.iter().copied()
    }

    /// Whether any holiday of `year` is known.
    #[must_use]
    pub fn knows_year(&self, year: i16) -> bool {
        self.holidays.iter().any(|day| day.year() == year)
    }

    /// Whether banks settle on `day`.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.holidays.contains(&day)
    }

    /// The `count`-th working day after `day` (T+n); 0 gives `day` itself.
    #[must_use]
    pub fn after(&self, day: Date, count: u32) -> Date {
        let mut at = day;
        let mut left = count;
        while left > 0 {
            // The calendar ends in the year 9999; what falls due then never does.
            let Ok(next) = at.tomorrow() else { return Date::MAX };
            at = next;
            left = left.saturating_sub(u32::from(self.contains(at)));
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_weekend_and_a_holiday_are_no_working_days() {
        let days = WorkingDays::without([date(2026, 12, 25), date(2026, 12, 27)]);
        // Thursday the 24th; Friday is Christmas, and a holiday on a Sunday counts once.
        assert_eq!(days.after(date(2026, 12, 24), 0), date(2026, 12, 24));
        assert_eq!(days.after(date(2026, 12, 24), 1), date(2026, 12, 28));
        assert_eq!(days.after(date(2026, 12, 24), 4), date(2026, 12, 31));
        assert_eq!(WorkingDays::default().after(date(2026, 12, 24), 4), date(2026, 12, 30));
        assert_eq!(days.after(date(2026, 12, 26), 1), date(2026, 12, 28), "from a Saturday");
        assert_eq!((days.knows_year(2026), days.knows_year(2027)), (true, false));
        assert_eq!(days.after(Date::MAX, 3), Date::MAX);
    }

    #[test]
    fn the_wib_day_turns_seven_hours_before_the_utc_day() {
        let last: Timestamp = "2026-10-31T16:59:59Z".parse().unwrap();
        let first: Timestamp = "2026-10-31T17:00:00Z".parse().unwrap();
        assert_eq!(wib_date(last).to_string(), "2026-10-31");
        assert_eq!(wib_date(first).to_string(), "2026-11-01");
        assert_eq!(end_of_wib_day(wib_date(last)), Some(last));
        assert_eq!(start_of_wib_day(wib_date(first)), Some(first));
    }

    #[test]
    fn dokus_compact_dates_are_wib() {
        let at: Timestamp = "2021-06-24T07:10:49Z".parse().unwrap();
        assert_eq!(parse_compact_wib("20210624141049"), Some(at));
        assert_eq!(format_compact_wib(at), "20210624141049");
        assert_eq!(format_utc_seconds(at), "2021-06-24T07:10:49Z");
        assert_eq!(parse_compact_wib("2021062414104"), None);
        assert_eq!(parse_compact_wib("20211324141049"), None);
    }
}
