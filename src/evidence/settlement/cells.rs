//! One row as cells, whatever file it is from, and what a cell must be to count as a code, an amount or a date.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::domain::ids::IdError;
use crate::domain::personal::shown;
use crate::domain::reason::{AmountFault, CellFault, DateFault, Spoilt};
use crate::table::{AmountFormat, Row, StoredAs};

/// Digits a number in a workbook keeps; the rest are zeros in place of what was typed.
const NUMBER_DIGITS_MAX: usize = 15;
/// Characters a code may have.
const CODE_LENGTH_MAX: usize = 64;

/// A trimmed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// As it is written.
    Text(String),
    /// A number of a workbook, written out.
    Number(String),
    /// A date of a workbook, or of a layout, as `2026-10-31`.
    Date(String),
}

impl Cell {
    /// The cell at `place`; empty where the row is shorter.
    pub(super) fn of(row: &Row, place: usize) -> Self {
        let text = String::from_utf8_lossy(row.get(place).unwrap_or_default()).trim().to_owned();
        match row.kind(place) {
            StoredAs::Text => Self::Text(text),
            StoredAs::Number => Self::Number(text),
            StoredAs::Date => Self::Date(text),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Date(text) => text,
        }
    }

    /// A text in which every digit counts.
    pub(super) fn exact(&self) -> Result<&str, CellFault> {
        let Self::Number(number) = self else { return Ok(self.text()) };
        if number.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS_MAX {
            return Err(CellFault::Spoilt(Spoilt::LongNumber));
        }
        if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            Ok(number)
        } else {
            Err(CellFault::Amount(AmountFault::Fraction(number.clone())))
        }
    }

    /// Printable ASCII of a usual length; may be empty.
    pub(super) fn code(&self) -> Result<String, CellFault> {
        let text = self.exact()?;
        match text.chars().find(|c| !(' '..='~').contains(c)) {
            Some(wrong) => Err(CellFault::Id(IdError::Character(wrong))),
            None if text.len() > CODE_LENGTH_MAX => {
                Err(CellFault::Id(IdError::TooLong { length: text.len(), length_max: CODE_LENGTH_MAX }))
            }
            None => Ok(text.to_owned()),
        }
    }

    /// A plain integer: digits, and a minus before them; separators as `format` has them.
    pub(super) fn integer(&self, format: AmountFormat) -> Result<i64, CellFault> {
        let text = self.exact()?;
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let format = if matches!(self, Self::Number(_)) { AmountFormat::Plain } else { format };
        let plain = format.plain(digits).map_err(AmountFault::Separators);
        let amount = |plain: Cow<'_, str>| {
            let wrong = || AmountFault::NoInteger { text: shown(text, &[]), fits: AmountFormat::that_fits(text) };
            integer(&format!("{sign}{plain}")).ok_or_else(wrong)
        };
        plain.and_then(amount).map_err(CellFault::Amount)
    }

    /// `DD-MM-YYYY`; `None` when empty.
    pub(super) fn date(&self) -> Result<Option<Date>, CellFault> {
        let text = self.text();
        if text.is_empty() {
            return Ok(None);
        }
        let stored = if matches!(self, Self::Date(_)) { text.get(..10).and_then(|day| day.parse().ok()) } else { None };
        let wrong = || CellFault::Date(DateFault::NoDateOfDoku(shown(text, &[])));
        stored.or_else(|| date(text)).map(Some).ok_or_else(wrong)
    }
}

pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = (1..=NUMBER_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next()?;
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<i16>().ok())?
    };
    let (day, month, year) = (next(2)?, next(2)?, next(4)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
