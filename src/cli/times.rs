//! Times as people name them on the command line. One that no bill, key or month can be of is a slip.

use jiff::Timestamp;
use jiff::civil::Date;

use super::failure::Failure;
use crate::domain::calendar::{YEARS, can_be_meant, wib_date};

/// A WIB day.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let day = text.parse::<Date>().map_err(|error| error.to_string())?;
    if can_be_meant(day) { Ok(day) } else { Err(out_of_time()) }
}

/// An instant.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let at = text.parse::<Timestamp>().map_err(|error| error.to_string())?;
    if can_be_meant(wib_date(at)) { Ok(at) } else { Err(out_of_time()) }
}

/// `2026-10` → its first and last WIB day.
pub(super) fn month(period: &str) -> Result<(Date, Date), Failure> {
    let first: Date = format!("{period}-01")
        .parse()
        .map_err(|_| Failure::usage(format!("`--period {period}` is not a month\nhint: write it like `2026-10`")))?;
    if !can_be_meant(first) {
        return Err(Failure::usage(format!("`--period {period}` {}", out_of_time())));
    }
    Ok((first, first.last_of_month()))
}

/// Why a time is refused that is one.
fn out_of_time() -> String {
    format!("must be of the years {} to {}", YEARS.start(), YEARS.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_nothing_can_be_of_is_a_slip() {
        for text in ["2000-01-01T00:00:00+07:00", "2026-12-05T03:00:00Z", "2199-12-31T23:59:59+07:00"] {
            assert!(instant(text).is_ok(), "{text}");
        }
        for text in
            ["0000-01-01T00:00:00Z", "-000001-01-01T00:00:00Z", "1999-12-31T16:59:59Z", "2199-12-31T17:00:00Z", "9999-12-30T00:00:00Z"]
        {
            assert!(instant(text).unwrap_err().contains("2000 to 2199"), "{text}");
        }
        assert!(day("2026-10-01").is_ok() && day("1999-12-31").is_err() && day("2200-01-01").is_err() && day("soon").is_err());
    }
}
