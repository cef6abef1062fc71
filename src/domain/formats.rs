//! How amounts and dates are written where they are not written as tagih does, and back to that.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::language::{Language, Say, say};

/// How amounts are written. Whatever the format, a decimal other than zero is refused and grouping must be exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFormat {
    /// Digits only: `1500000`.
    #[default]
    Plain,
    /// Indonesian: `1.500.000`, also `1.500.000,00`.
    DotThousands,
    /// English: `1,500,000`, also `1,500,000.00`.
    CommaThousands,
}

impl AmountFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::DotThousands, Self::CommaThousands];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::DotThousands => "dot_thousands",
            Self::CommaThousands => "comma_thousands",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// `text` without its separators; digits alone are understood in every format. What is left need not be an amount.
    ///
    /// # Errors
    /// What is wrong with the separators.
    pub fn plain(self, text: &str) -> Result<Cow<'_, str>, Separators> {
        let (thousands, decimal) = match self {
            Self::Plain => return Ok(Cow::Borrowed(text)),
            Self::DotThousands => ('.', ','),
            Self::CommaThousands => (',', '.'),
        };
        let (whole, fraction) = text.split_once(decimal).unwrap_or((text, "00"));
        if fraction != "00" {
            return Err(Separators::Decimals(decimal));
        }
        if !whole.contains(thousands) {
            return Ok(Cow::Borrowed(whole));
        }
        let mut groups = whole.split(thousands);
        let first = groups.next().unwrap_or_default();
        let is_exact = (1..=3).contains(&first.len()) && !first.starts_with('0') && groups.all(|group| group.len() == 3);
        if !is_exact {
            return Err(Separators::Groups(thousands));
        }
        Ok(Cow::Owned(whole.replace(thousands, "")))
    }

    /// The setting that would make an amount of `text`, in English as the end of a sentence; empty where none would.
    #[must_use]
    pub fn hint(text: &str) -> String {
        Self::that_fits(text).map_or_else(String::new, |format| format.told(Language::English).to_string())
    }

    /// The other format in which `text` would be an amount with separators.
    #[must_use]
    pub fn that_fits(text: &str) -> Option<Self> {
        let is_digits = |plain: &str| !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
        let mut fitting = [Self::DotThousands, Self::CommaThousands]
            .into_iter()
            .filter(|format| text.contains(['.', ',']) && format.plain(text).is_ok_and(|plain| is_digits(&plain)));
        let first = fitting.next();
        if fitting.next().is_some() { None } else { first }
    }
}

/// As the end of a sentence: the setting that would read what is written so.
impl Say for AmountFormat {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        say!(
            to,
            language,
            "; if all amounts are written so, set `amount_format = \"{name}\"`",
            "; bila semua jumlah uang ditulis begitu, atur `amount_format = \"{name}\"`"
        )
    }
}

/// What is wrong with the separators of an amount: which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separators {
    /// After it stand decimals other than zero.
    Decimals(char),
    /// It does not stand before every group of three digits, or elsewhere too.
    Groups(char),
}

impl Say for Separators {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimals(decimal) => say!(
                to,
                language,
                "after `{decimal}` only `00` is allowed: rupiah have no decimals",
                "sesudah `{decimal}` hanya boleh `00`: rupiah tidak punya desimal"
            ),
            Self::Groups(thousands) => say!(
                to,
                language,
                "`{thousands}` must stand before every group of three digits and nowhere else",
                "`{thousands}` harus berdiri di depan setiap kelompok tiga angka dan tidak di tempat lain"
            ),
        }
    }
}

/// In English.
impl fmt::Display for Separators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(Language::English, f)
    }
}

/// How dates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2026-10-31`.
    #[default]
    Iso,
    /// `31/10/2026`, also with `-` or `.`.
    DayFirst,
    /// `10/31/2026`, also with `-` or `.`.
    MonthFirst,
    /// `20261031`.
    Compact,
}

impl DateFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Iso, Self::DayFirst, Self::MonthFirst, Self::Compact];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::DayFirst => "day_first",
            Self::MonthFirst => "month_first",
            Self::Compact => "compact",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// `text` with its date written `2026-10-31` and any time after it left alone; `None` where it is no such date.
    #[must_use]
    pub fn iso(self, text: &str) -> Option<String> {
        let (date, time) = text.split_once([' ', 'T']).map_or((text, None), |(date, time)| (date, Some(time)));
        let date = self.date(date)?;
        Some(time.map_or_else(|| date.to_string(), |time| format!("{date} {time}")))
    }

    fn date(self, text: &str) -> Option<Date> {
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i16>().ok())?;
        let (year, month, day) = match self {
            Self::Iso => return if text.len() == 10 { text.parse().ok() } else { None },
            Self::Compact if text.len() == 8 => (text.get(..4)?, text.get(4..6)?, text.get(6..)?),
            Self::Compact => return None,
            Self::DayFirst | Self::MonthFirst => {
                let separator = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| "/-.".contains(*c))?;
                let mut parts = text.split(separator);
                let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
                let is_right =
                    parts.next().is_none() && (1..=2).contains(&first.len()) && (1..=2).contains(&second.len()) && year.len() == 4;
                if !is_right {
                    return None;
                }
                if self == Self::DayFirst { (year, second, first) } else { (year, first, second) }
            }
        };
        Date::new(number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?).ok()
    }

    /// The setting that would make a date of `text`, in English as the end of a sentence; empty where none would.
    #[must_use]
    pub fn hint(text: &str) -> String {
        Self::that_fits(text).map_or_else(String::new, |format| format.told(Language::English).to_string())
    }

    /// The other format in which `text` would be a date.
    #[must_use]
    pub fn that_fits(text: &str) -> Option<Self> {
        [Self::DayFirst, Self::MonthFirst, Self::Compact].into_iter().find(|format| format.iso(text).is_some())
    }
}

/// As the end of a sentence: the setting that would read what is written so.
impl Say for DateFormat {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        say!(
            to,
            language,
            "; if all dates are written so, set `date_format = \"{name}\"` in a layout",
            "; bila semua tanggal ditulis begitu, atur `date_format = \"{name}\"` di tata letak"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_rewritten_in_their_format_only() {
        for (text, format, iso) in [
            ("31/10/2026", DateFormat::DayFirst, Some("2026-10-31")),
            ("1-2-2026", DateFormat::DayFirst, Some("2026-02-01")),
            ("31.10.2026 17:00", DateFormat::DayFirst, Some("2026-10-31 17:00")),
            ("10/31/2026", DateFormat::MonthFirst, Some("2026-10-31")),
            ("20261031", DateFormat::Compact, Some("2026-10-31")),
            ("2026-10-31", DateFormat::Iso, Some("2026-10-31")),
            ("10/31/2026", DateFormat::DayFirst, None),
            ("31/10/26", DateFormat::DayFirst, None),
            ("31/10-2026", DateFormat::DayFirst, None),
            ("31/02/2026", DateFormat::DayFirst, None),
            ("", DateFormat::DayFirst, None),
        ] {
            assert_eq!(format.iso(text).as_deref(), iso, "{text}");
        }
    }

    #[test]
    fn the_format_that_would_fit_is_named_only_where_one_does() {
        for (text, fits) in [
            ("1.250.000", Some(AmountFormat::DotThousands)),
            ("1,250,000.00", Some(AmountFormat::CommaThousands)),
            ("1250000", None),
            ("1.25", None),
            ("Rp1.250", None),
        ] {
            assert_eq!(AmountFormat::that_fits(text), fits, "{text}");
        }
    }
}
