//! One row as cells, whatever file it is from, and what a cell must be to count as a code, an amount or a date.

use jiff::civil::Date;

use crate::domain::digest::Digest;

/// Digits a number in a workbook keeps; the rest are zeros in place of what was typed.
const NUMBER_DIGITS_MAX: usize = 15;
/// Characters of a cell that a message shows.
const SHOWN_MAX: usize = 40;

/// A row before anybody knows what it means.
#[derive(Debug)]
pub(super) struct RawRow {
    /// Its line, or row of the sheet, from 1.
    pub(super) number: u64,
    /// Where it starts; 0 in a workbook.
    pub(super) byte: u64,
    pub(super) digest: Digest,
    pub(super) cells: Vec<Cell>,
}

impl RawRow {
    pub(super) fn text(&self, place: usize) -> &str {
        self.cells.get(place).map_or("", Cell::text)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text().is_empty())
    }
}

/// A trimmed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// As it is written.
    Text(String),
    /// A number of a workbook, written out.
    Number(String),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    /// A text in which every digit counts.
    pub(super) fn exact(&self) -> Result<&str, String> {
        let Self::Number(number) = self else { return Ok(self.text()) };
        if number.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS_MAX {
            return Err(format!(
                "it is stored as a number of more than {NUMBER_DIGITS_MAX} digits, and spreadsheets replace the digits after those by zeros: store it as text"
            ));
        }
        if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            Ok(number)
        } else {
            Err(format!("`{number}` is no whole number"))
        }
    }

    /// Printable ASCII of a usual length; may be empty.
    pub(super) fn code(&self) -> Result<String, String> {
        let text = self.exact()?;
        match text.chars().find(|c| !(' '..='~').contains(c)) {
            Some(wrong) => Err(format!("it holds a character that is not allowed: {wrong:?}")),
            None if text.len() > 64 => Err(format!("it has {} characters, at most 64 are allowed", text.len())),
            None => Ok(text.to_owned()),
        }
    }

    /// A plain integer: digits, and a minus before them.
    pub(super) fn integer(&self) -> Result<i64, String> {
        let text = self.exact()?;
        integer(text)
            .ok_or_else(|| format!("`{}` is no plain integer: no separators, decimals or currency, at most 15 digits", shown(text)))
    }

    /// `DD-MM-YYYY`; `None` when empty.
    pub(super) fn date(&self) -> Result<Option<Date>, String> {
        let text = self.text();
        if text.is_empty() {
            return Ok(None);
        }
        date(text).map(Some).ok_or_else(|| format!("`{}` is no date: write 05-03-2026", shown(text)))
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

/// The start of a text, for a message.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { '?' } else { c }).collect();
    if start.len() < text.len() { start + "…" } else { start }
}
