//! When a message arrived, as databases and spreadsheets write it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::domain::line::Detail;
use crate::table::DateFormat;

/// What databases call an offset.
const ZONES: [(&str, &str); 5] = [("utc", "Z"), ("gmt", "Z"), ("wib", "+07:00"), ("wita", "+08:00"), ("wit", "+09:00")];

/// Reads `text`: with its own offset, as seconds or parts of them since 1970, or as a local time of `offset`.
///
/// # Errors
/// What is wrong with it, and the setting that would cure it.
pub(super) fn received_at(text: &str, format: DateFormat, offset: Option<Offset>) -> Result<Timestamp, Detail> {
    if let Some(at) = since_1970(text).or_else(|| text.parse().ok()) {
        return Ok(at);
    }
    let (local, zone) = zoned(text);
    let Some(civil) = civil(local, format) else {
        let others = DateFormat::ALL.into_iter().filter(|other| *other != format);
        let fits = others.into_iter().any(|other| civil(local, other).is_some());
        return Err(if fits { Detail::ArrivalInOtherFormat } else { Detail::ArrivalUnreadable });
    };
    if let Some(zone) = zone {
        return format!("{civil}{zone}").parse().map_err(|_| Detail::ArrivalUnreadable);
    }
    let offset = offset.ok_or(Detail::ArrivalWithoutOffset)?;
    offset.to_timestamp(civil).map_err(|_| Detail::ArrivalUnreadable)
}

/// Seconds, milliseconds or microseconds since 1970: of this century they have 10, 13 or 16 digits.
fn since_1970(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        16 => Timestamp::from_microsecond(number).ok(),
        _ => None,
    }
}

/// The local part of a time and its offset, where one stands behind it: ` +0700`, `+07`, ` UTC`.
fn zoned(text: &str) -> (&str, Option<String>) {
    if let Some((local, name)) = text.rsplit_once(' ')
        && let Some((_, offset)) = ZONES.iter().find(|(zone, _)| zone.eq_ignore_ascii_case(name))
    {
        return (local, Some((*offset).to_owned()));
    }
    // A date has hyphens too, so a sign counts only behind a time.
    let time = text.find(':').unwrap_or(text.len());
    match text.get(time..).and_then(|rest| rest.find(['+', '-'])).map(|at| text.split_at(time.saturating_add(at))) {
        Some((local, offset)) => (local.trim_end(), Some(offset.to_owned())),
        None => (text.strip_suffix('Z').unwrap_or(text), text.ends_with('Z').then(|| "Z".to_owned())),
    }
}

/// A date in `format`, or with its year first, and a time, midnight where none is written: `17:00`, `17.00.05`, `17:00:00.123`.
fn civil(text: &str, format: DateFormat) -> Option<DateTime> {
    let iso = format.iso(text).or_else(|| DateFormat::Iso.iso(text))?;
    let (date, time) = iso.split_once(' ').unwrap_or((&iso, "00:00"));
    let time = if time.contains(':') { time.to_owned() } else { time.replace('.', ":") };
    let (hour, rest) = time.split_once(':')?;
    let rest = if rest.contains(':') { rest.to_owned() } else { format!("{rest}:00") };
    format!("{date}T{hour:0>2}:{rest}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_databases_and_spreadsheets_write_them() {
        let wib = Offset::from_hours(7).ok();
        let expected = "2026-10-05T03:00:02Z";
        for (text, format, offset) in [
            ("2026-10-05T03:00:02Z", DateFormat::Iso, None),
            ("2026-10-05 10:00:02+07", DateFormat::Iso, None),
            ("2026-10-05 10:00:02+07:00", DateFormat::DayFirst, None),
            ("2026-10-05 10:00:02.000 +0700", DateFormat::Iso, None),
            ("2026-10-05 03:00:02 UTC", DateFormat::Iso, None),
            ("2026-10-05 10:00:02 WIB", DateFormat::Iso, None),
            ("05/10/2026 10:00:02 WIB", DateFormat::DayFirst, None),
            ("1791169202", DateFormat::Iso, None),
            ("1791169202000", DateFormat::Iso, wib),
            ("2026-10-05 10:00:02", DateFormat::Iso, wib),
            ("2026-10-05T10:00:02.000", DateFormat::Iso, wib),
            ("2026-10-05 10:00:02", DateFormat::DayFirst, wib),
            ("05/10/2026 10:00:02", DateFormat::DayFirst, wib),
            ("5-10-2026 10.00.02", DateFormat::DayFirst, wib),
            ("10/05/2026 10:00:02", DateFormat::MonthFirst, wib),
        ] {
            assert_eq!(received_at(text, format, offset).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        }
        let noon = received_at("05/10/2026 12:00", DateFormat::DayFirst, wib).map(|at| at.to_string());
        assert_eq!(noon, Ok("2026-10-05T05:00:00Z".to_owned()));
    }

    #[test]
    fn what_is_wrong_with_a_time_names_its_cure() {
        for (text, why) in [
            ("2026-10-05 10:00:02", Detail::ArrivalWithoutOffset),
            ("2026-10-05", Detail::ArrivalWithoutOffset),
            ("05/10/2026 12:00", Detail::ArrivalInOtherFormat),
            ("yesterday", Detail::ArrivalUnreadable),
            ("05/10/26 12:00", Detail::ArrivalUnreadable),
            ("46300.5", Detail::ArrivalUnreadable),
        ] {
            assert_eq!(received_at(text, DateFormat::Iso, None), Err(why), "{text}");
        }
    }
}
