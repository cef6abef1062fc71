//! What single cells of an external ledger mean.

use super::*;
use crate::domain::calendar::{end_of_wib_day, start_of_wib_day};

#[test]
fn a_bare_day_is_its_columns_end_of_it_a_time_is_of_wib_and_an_instant_is_what_it_says() {
    let at = |text, day| time("expires_at", text, day).map(|at| at.map(|at| at.to_string()).unwrap_or_default());
    for (text, expires, created) in [
        ("", "", ""),
        ("2026-10-15", "2026-10-15T16:59:59Z", "2026-10-14T17:00:00Z"),
        ("2026-10-15T12:00", "2026-10-15T05:00:00Z", "2026-10-15T05:00:00Z"),
        ("2026-10-15 12:00:30", "2026-10-15T05:00:30Z", "2026-10-15T05:00:30Z"),
        ("2026-10-15T12:00:00Z", "2026-10-15T12:00:00Z", "2026-10-15T12:00:00Z"),
        ("2026-10-15T12:00:00+08:00", "2026-10-15T04:00:00Z", "2026-10-15T04:00:00Z"),
    ] {
        assert_eq!(at(text, end_of_wib_day).unwrap(), expires, "{text}");
        assert_eq!(at(text, start_of_wib_day).unwrap(), created, "{text}");
    }
    for text in ["2026-10-32", "15-10-2026", "tomorrow", "20261015120000"] {
        assert!(at(text, end_of_wib_day).is_err(), "{text}");
    }
}
