//! What one cell may hold: each rule a small function of a text.
//!
//! Belongs here: lexical rules. Must not be here: rules that need the row's other cells.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::bill_column::BillColumn;
use super::codes;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::calendar;
use crate::domain::code::StableCode;
use crate::domain::personal::{masked, may_be_personal};
use crate::table::{AmountFormat, DateFormat};

/// Why a cell is refused: the code and what is wrong with this value.
pub(super) type Wrong = (StableCode, String);

/// Reads an amount as `format` writes it; digits alone are understood in every format.
pub(super) fn amount(text: &str, format: AmountFormat) -> Result<Amount, Wrong> {
    let wrong = |error: AmountError| {
        let code = match error {
            AmountError::Empty => codes::CELL_EMPTY,
            AmountError::NotDigits if text.starts_with('-') => codes::AMOUNT_NOT_POSITIVE,
            AmountError::NotDigits => codes::AMOUNT_FORMAT,
            AmountError::Zero => codes::AMOUNT_NOT_POSITIVE,
            AmountError::TooLarge => codes::AMOUNT_TOO_LARGE,
        };
        (code, error.to_string())
    };
    let plain = format.plain(text).map_err(|wrong| (codes::AMOUNT_FORMAT, wrong.to_string()))?;
    Amount::parse(&plain).map_err(wrong).map_err(|(code, reason)| {
        let hint = if code == codes::AMOUNT_FORMAT { AmountFormat::hint(text) } else { String::new() };
        (code, format!("{reason}{hint}"))
    })
}

/// Reads a date or a time with `parse`; a date in another order is named with the setting that reads it.
pub(super) fn dated<T>(text: &str, example: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
    parse(text).ok_or_else(|| (codes::DATE, format!("not {example}{}", DateFormat::hint(text))))
}

/// What no cell may hold, whatever its column. A line break is refused in a column that is used: a receipt has one line for it.
pub(super) fn unprintable(cell: &str, is_used: bool, bytes_max: usize) -> Option<Wrong> {
    if cell.len() > bytes_max {
        return Some((codes::CELL_TOO_LARGE, format!("the value has {} bytes, at most {bytes_max} are allowed", cell.len())));
    }
    let is_break = |c: char| c == '\n' || c == '\r';
    if is_used && cell.contains(is_break) {
        return Some((codes::LINE_BREAK, "the value spans lines".into()));
    }
    let control = cell.chars().find(|&c| c.is_control() && !is_break(c))?;
    Some((codes::CONTROL_CHARACTER, format!("the value holds the control character {}", control.escape_unicode())))
}

/// Whether a spreadsheet made E-notation of a long number: `8,89651E+15`.
pub(super) fn is_spreadsheet_damage(text: &str) -> bool {
    let Some(at) = memchr::memchr2(b'E', b'e', text.as_bytes()) else { return false };
    let (mantissa, exponent) = (text.get(..at).unwrap_or_default(), text.get(at.saturating_add(1)..).unwrap_or_default());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_number = match mantissa.split_once([',', '.']) {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    mantissa_is_number && exponent.strip_prefix('+').is_some_and(digits)
}

/// What programs write where they have no value; exactly so, because `Null` and `Nan` are names.
const PLACEHOLDERS: [&str; 9] = ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "NULL", "nan"];

/// `B7`: the name a spreadsheet has for a cell.
pub(super) fn cell_name(column: usize, row: u64) -> String {
    let (mut rest, mut letters) = (column, String::new());
    loop {
        let letter = u8::try_from(rest % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A'.saturating_add(letter)));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => return format!("{letters}{row}"),
        }
    }
}

/// Whether `text` cannot be meant in `column`.
pub(super) fn is_placeholder(column: BillColumn, text: &str) -> bool {
    let may_be = matches!(text.as_bytes().first(), Some(b'#' | b'N' | b'n'));
    (may_be && PLACEHOLDERS.contains(&text))
        || (matches!(column, BillColumn::CustomerName | BillColumn::PolicyAccountName) && matches!(text, "-" | "0"))
}

/// Whether a number of a workbook may have lost digits that count in `column`. In a code every zero counts; other numbers are
/// whole as long as they have no fraction and at most 15 digits.
pub(super) fn is_damaged_by_storing(column: BillColumn, text: &str) -> bool {
    let is_exact = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    match column {
        BillColumn::PaymentCode | BillColumn::CustomerNumber => true,
        BillColumn::InvoiceNumber | BillColumn::PolicyNumber | BillColumn::Email | BillColumn::BillGroup => !is_exact,
        _ => false,
    }
}

/// Whether it says yes or no.
pub(super) fn parsed_yes_or_no(text: &str) -> Result<bool, Wrong> {
    yes_or_no(text).ok_or_else(|| (codes::YES_OR_NO, "only `true`, `false`, `yes`, `no`, `1` and `0` are understood".into()))
}

/// Reads `true`, `yes`, `1`, `false`, `no`, `0`, in any case.
fn yes_or_no(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_one_of(["true", "yes", "1"]) {
        Some(true)
    } else if is_one_of(["false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Reads `2026-10-31`.
pub(super) fn date(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

/// Reads an instant: with an offset as it stands, without one as WIB, a bare date as the end of that WIB day.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Some(date) = date(text) {
        return calendar::end_of_wib_day(date);
    }
    if matches!(text.len(), 16 | 19) && text.bytes().all(|byte| byte.is_ascii_digit() || b"-: T".contains(&byte)) {
        return text.parse::<DateTime>().ok().and_then(calendar::at_wib);
    }
    text.parse().ok()
}

/// A sanity check, not a grammar: one `@`, something before it, a dotted name after it, no spaces.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;\"".contains(c));
    is_plain && !local.is_empty() && domain.contains('.') && !domain.contains('@') && domain.split('.').all(|label| !label.is_empty())
}

/// A value as a refusal may show it: personal data masked, control characters escaped, long texts cut.
///
/// A name may stand in any column, as when a row has shifted; so what looks like one, or like an address, is masked wherever
/// it is found, and in a column tagih does not know everything is.
pub(super) fn shown(column: Option<BillColumn>, value: &str) -> String {
    const LENGTH_MAX: usize = 60;
    let meant = column.map_or(&[][..], BillColumn::choices);
    let is_private = column.is_none_or(BillColumn::is_personal) || may_be_personal(value, meant);
    let plain = if is_private { masked(value) } else { value.to_owned() };
    let escaped: String = plain.chars().take(LENGTH_MAX).flat_map(Escaped::of).collect();
    if plain.chars().nth(LENGTH_MAX).is_some() { format!("{escaped}…") } else { escaped }
}

/// One character, escaped if it is a control character.
enum Escaped {
    As(Option<char>),
    Control(std::char::EscapeDefault),
}

impl Escaped {
    fn of(c: char) -> Self {
        if c.is_control() { Self::Control(c.escape_default()) } else { Self::As(Some(c)) }
    }
}

impl Iterator for Escaped {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        match self {
            Self::As(c) => c.take(),
            Self::Control(escape) => escape.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_count_only_in_the_configured_format_and_only_when_exact() {
        use AmountFormat::{CommaThousands, DotThousands, Plain};
        let read = |text, format| amount(text, format).map(Amount::get).map_err(|(code, _)| code.id);
        for (text, format, rupiah) in [
            ("1500000", Plain, 1_500_000),
            ("1500000", DotThousands, 1_500_000),
            ("1.500.000", DotThousands, 1_500_000),
            ("1.500", DotThousands, 1_500),
            ("1.500.000,00", DotThousands, 1_500_000),
            ("1500,00", DotThousands, 1_500),
            ("1,500,000.00", CommaThousands, 1_500_000),
            ("12,500", CommaThousands, 12_500),
        ] {
            assert_eq!(read(text, format), Ok(rupiah), "{text}");
        }
        for (text, format) in [
            ("1.500", Plain),
            ("1500,00", Plain),
            ("1.50", DotThousands),
            ("1500.000", DotThousands),
            ("1.500,50", DotThousands),
            ("1.500,0", DotThousands),
            ("1,500", DotThousands),
            ("0.500", DotThousands),
            (".500", DotThousands),
            ("1..500", DotThousands),
            ("1.500.", DotThousands),
            ("1.500.000", CommaThousands),
            ("Rp1.500", DotThousands),
            ("1 500", Plain),
        ] {
            assert_eq!(read(text, format), Err("E0107"), "{text} {format:?}");
        }
        assert_eq!(read("-5", Plain), Err("E0108"));
        assert_eq!(read("0,00", DotThousands), Err("E0108"));
        assert_eq!(read("1.000.000.000.000", DotThousands), Err("E0109"));
    }

    #[test]
    fn an_instant_without_an_offset_is_wib_and_a_bare_date_is_the_end_of_that_wib_day() {
        for (text, utc) in [
            ("2026-10-31", "2026-10-31T16:59:59Z"),
            ("2026-10-31 10:00", "2026-10-31T03:00:00Z"),
            ("2026-10-31 10:00:30", "2026-10-31T03:00:30Z"),
            ("2026-10-31T10:00:00+08:00", "2026-10-31T02:00:00Z"),
            ("2026-10-31T10:00:00Z", "2026-10-31T10:00:00Z"),
        ] {
            assert_eq!(instant(text).map(|at| at.to_string()).as_deref(), Some(utc), "{text}");
        }
        for text in ["31/10/2026", "2026-10-32", "2026-1-1", "20261031", "2026-10", "besok", "", "2026-10-31 25:00"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn only_e_notation_is_spreadsheet_damage() {
        assert!(["8,89651E+15", "8.89651e+15", "8E+15"].into_iter().all(is_spreadsheet_damage));
        assert!(!["INV-1E+5", "8896510000000000", "1E5", "E+5", "1,E+5"].into_iter().any(is_spreadsheet_damage));
    }

    #[test]
    fn addresses_are_checked_for_sense_and_no_more() {
        assert!(["a@b.co", "a.b+c@mail.example.com"].into_iter().all(is_email));
        assert!(!["a", "a@b", "@b.co", "a@@b.co", "a@b@c.co", "a b@c.co", "a@.co", "a@b.", "a@b.co;c@d.co"].into_iter().any(is_email));
    }

    #[test]
    fn what_may_be_personal_is_never_shown() {
        assert_eq!(shown(Some(BillColumn::CustomerName), "Budi"), "B***");
        assert_eq!(shown(None, "0812345"), "0***");
        assert_eq!(shown(Some(BillColumn::Info), "x\nINV-2,Siti"), "x***");
        assert_eq!(shown(Some(BillColumn::Info), "siti@example.com"), "s***");
        assert_eq!(shown(Some(BillColumn::Info), "a\tb"), "a\\tb");
        assert_eq!(shown(Some(BillColumn::Info), &"é".repeat(61)).chars().count(), 61);
    }
}
