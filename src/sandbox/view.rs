//! How things are written for people in a browser: rupiah, codes, times, words and colours of states; what every page is sent with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::http::HttpAnswer;
use super::record::{Order, OrderState};
use crate::domain::calendar::wib;
use crate::domain::language::Language;

/// The content type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Where the style sheet and the icon are; everything else is in the page.
pub(super) const STYLE: &str = "/simulator/style.css";
pub(super) const ICON: &str = "/simulator/icon.svg";

/// Nothing is loaded from elsewhere, no script runs, no other site frames a page, and no page with names in it is kept.
/// `same-origin`, because without a referrer browsers send `Origin: null` with a form.
pub(super) fn page_headers() -> [(String, String); 4] {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    [
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// A page with its headers.
pub(super) fn page(status: u16, template: &impl askama::Template) -> HttpAnswer {
    let (status, body) = match template.render() {
        Ok(html) => (status, html),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (500, String::new())
        }
    };
    let headers = [("Content-Type".to_owned(), HTML.to_owned())].into_iter().chain(page_headers()).collect();
    HttpAnswer { status, headers, body: body.into() }
}

/// The style sheet or the icon.
pub(super) fn asset(target: &str) -> Option<HttpAnswer> {
    let (kind, text) = match target {
        STYLE => ("text/css; charset=utf-8", include_str!("templates/style.css")),
        ICON => ("image/svg+xml", include_str!("templates/icon.svg")),
        _ => return None,
    };
    let headers = vec![("Content-Type".into(), kind.into()), ("X-Content-Type-Options".into(), "nosniff".into())];
    Some(HttpAnswer { status: 200, headers, body: text.into() })
}

/// `1500000` → `Rp1.500.000`.
pub(super) fn rupiah(amount: u64) -> String {
    let digits = amount.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("Rp{}", groups.join("."))
}

/// `6059003891501341` → `6059 0038 9150 1341`.
pub(super) fn code_groups(code: &str) -> String {
    let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// `5 October 2026, 12:00 WIB`, `5 Oktober 2026, 12.00 WIB`.
pub(super) fn wib_words(at: Timestamp, language: Language) -> String {
    let at = at.to_zoned(wib());
    match language {
        Language::English => at.strftime("%-d %B %Y, %H:%M WIB").to_string(),
        Language::Indonesian => {
            let month = match at.month() {
                1 => "Januari",
                2 => "Februari",
                3 => "Maret",
                4 => "April",
                5 => "Mei",
                6 => "Juni",
                7 => "Juli",
                8 => "Agustus",
                9 => "September",
                10 => "Oktober",
                11 => "November",
                _ => "Desember",
            };
            format!("{} {month} {}, {} WIB", at.day(), at.year(), at.strftime("%H.%M"))
        }
    }
}

/// `5 Oct 2026, 12:00:01 WIB`: for lists.
pub(super) fn wib_short(at: Timestamp) -> String {
    at.to_zoned(wib()).strftime("%-d %b %Y, %H:%M:%S WIB").to_string()
}

/// Reads a `datetime-local` field, with or without seconds, as WIB.
pub(super) fn read_wib_field(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    crate::domain::calendar::at_wib(civil)
}

/// The class of a Check Status word, for its colour.
pub(super) fn tone(status: &str) -> &'static str {
    match status {
        "SUCCESS" => "good",
        "PENDING" => "open",
        _ => "off",
    }
}

/// What a person calls the state of an order.
pub(super) fn state_words(order: &Order, now: Timestamp) -> &'static str {
    match (order.status(now), order.state) {
        ("SUCCESS", _) => "paid",
        (_, OrderState::Cancelled) => "cancelled",
        ("PENDING", OrderState::Live) => "waiting for payment",
        _ => "expired",
    }
}

/// `at` in UTC, as messages have it.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_codes_and_times_are_written_as_people_in_indonesia_read_them() {
        assert_eq!([0, 999, 1_000, 1_500_000].map(rupiah), ["Rp0", "Rp999", "Rp1.000", "Rp1.500.000"]);
        assert_eq!(code_groups("60590038915013417"), "6059 0038 9150 1341 7");
        let at = "2026-08-31T17:05:09Z".parse().unwrap();
        assert_eq!(wib_words(at, Language::English), "1 September 2026, 00:05 WIB");
        assert_eq!(wib_words(at, Language::Indonesian), "1 September 2026, 00.05 WIB");
        assert_eq!(read_wib_field("2026-09-01T00:05:09"), Some(at));
        assert_eq!(read_wib_field("2026-09-01T00:05"), "2026-08-31T17:05:00Z".parse().ok());
    }
}
