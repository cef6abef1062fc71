//! Values as people read them: `Rp1.500.000`, `21 November 2026`, WIB. Groups of three are parted by dots in both languages.

use jiff::Timestamp;
use jiff::civil::Date;

use super::document::{Cell, CellKind};
use super::words::phrases::Words;
pub(super) use crate::domain::amount::grouped;
use crate::domain::calendar::wib;
use crate::domain::spreadsheet;

/// `Rp1.500.000`, with a minus sign in front where it is one.
pub(super) fn rupiah(amount: i128) -> String {
    let sign = if amount < 0 { "−" } else { "" };
    format!("{sign}Rp{}", grouped(amount.unsigned_abs()))
}

/// The same, with a plus sign too.
fn difference(amount: i128) -> String {
    let sign = if amount > 0 { "+" } else { "" };
    format!("{sign}{}", rupiah(amount))
}

/// `21 November 2026`.
pub(super) fn day(words: &Words, day: Date) -> String {
    let month = usize::try_from(day.month()).ok().and_then(|month| words.months.get(month.saturating_sub(1)));
    format!("{} {} {}", day.day(), month.copied().unwrap_or_default(), day.year())
}

/// `21 November 2026, 14:05:00 WIB`.
pub(super) fn instant(words: &Words, at: Timestamp) -> String {
    let there = at.to_zoned(wib());
    format!("{}, {} WIB", day(words, there.date()), there.strftime("%H:%M:%S"))
}

/// `21 Nov 2026 14:05:00`; the column says that it is WIB. In both languages three letters tell the months apart.
fn short_instant(words: &Words, at: Timestamp) -> String {
    let there = at.to_zoned(wib());
    let day = day(words, there.date());
    let (number, rest) = day.split_once(' ').unwrap_or_default();
    let (month, year) = rest.split_once(' ').unwrap_or_default();
    format!("{number} {} {year} {}", month.chars().take(3).collect::<String>(), there.strftime("%H:%M:%S"))
}

/// `12,5 %` in hundredths, with the language's decimal sign.
fn percent(words: &Words, hundredths: i64) -> String {
    let sign = if hundredths < 0 { "−" } else { "" };
    let size = hundredths.unsigned_abs();
    format!("{sign}{}{}{:02}%", grouped(u128::from(size / 100)), words.decimal_sign, size % 100)
}

/// A value in words, as a column of `kind` shows it.
pub(super) fn cell(words: &Words, kind: CellKind, cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.clone().into_owned(),
        Cell::Count(count) => format!("{}{}", if *count < 0 { "−" } else { "" }, grouped(count.unsigned_abs().into())),
        Cell::Rupiah(amount) if kind == CellKind::Difference => difference(amount.get()),
        Cell::Rupiah(amount) => rupiah(amount.get()),
        Cell::Date(date) => day(words, *date),
        Cell::Instant(at) => short_instant(words, *at),
        Cell::Percent(hundredths) => percent(words, *hundredths),
    }
}

/// A text cell that a spreadsheet would take for a formula, marked as text.
pub(super) fn neutral(text: &str) -> std::borrow::Cow<'_, str> {
    spreadsheet::escaped(text)
}

/// `pattern` with `{0}`, `{1}` … replaced; what stands in a value is left alone.
pub(super) fn fill(pattern: &str, values: &[&str]) -> String {
    let mut pieces = pattern.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (place, rest) = piece.split_once('}').unwrap_or((piece, ""));
        text.push_str(place.parse().ok().and_then(|place: usize| values.get(place)).copied().unwrap_or_default());
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Rupiah;
    use crate::domain::language::Language;

    #[test]
    fn amounts_and_days_read_as_indonesians_write_them() {
        let (english, indonesian) = (Words::of(Language::English), Words::of(Language::Indonesian));
        let written = [0, 999, 1_000, 1_500_000, -12_345].map(rupiah);
        assert_eq!(written, ["Rp0", "Rp999", "Rp1.000", "Rp1.500.000", "−Rp12.345"]);
        assert_eq!(cell(english, CellKind::Difference, &Cell::Rupiah(Rupiah::new(1_000))), "+Rp1.000");
        let day = jiff::civil::date(2026, 8, 17);
        assert_eq!(cell(english, CellKind::Date, &day.into()), "17 August 2026");
        assert_eq!(cell(indonesian, CellKind::Date, &day.into()), "17 Agustus 2026");
        let midnight: Timestamp = "2026-08-16T17:00:00Z".parse().unwrap();
        assert_eq!(cell(indonesian, CellKind::Instant, &midnight.into()), "17 Agu 2026 00:00:00");
        assert_eq!(instant(indonesian, midnight), "17 Agustus 2026, 00:00:00 WIB");
        assert_eq!(cell(indonesian, CellKind::Percent, &Cell::Percent(1_205)), "12,05%");
        assert_eq!(cell(english, CellKind::Percent, &Cell::Percent(-5)), "−0.05%");
    }
}
