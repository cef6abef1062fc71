//! WIB, Western Indonesian Time: UTC+7 without daylight saving. Business days are WIB days; instants are UTC inside.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// UTC+7.
#[must_use]
pub fn wib() -> TimeZone {
    TimeZone::fixed(Offset::constant(7))
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
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
