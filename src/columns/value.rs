//! One cell, borrowed from its row wherever that is possible.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::domain::amount::Rupiah;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::digest;

/// What a cell holds.
#[derive(Clone, Debug, Default)]
pub enum Value<'v> {
    /// Nothing is known, or nothing applies.
    #[default]
    Empty,
    /// Text.
    Text(Cow<'v, str>),
    /// Text as something shows itself.
    Shown(ShownValue<'v>),
    /// A count, or rupiah.
    Number(i128),
    /// A WIB day.
    Date(Date),
    /// An instant.
    Instant(Timestamp),
    /// A digest.
    Digest(Cow<'v, [u8]>),
    /// Words.
    List(Vec<Cow<'v, str>>),
}

/// Something that shows itself.
#[derive(Clone, Copy)]
pub struct ShownValue<'v>(&'v dyn Display);

impl fmt::Debug for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'v> Value<'v> {
    /// Text as `what` shows itself, nothing being made of it before.
    #[must_use]
    pub fn shown(what: &'v dyn Display) -> Self {
        Self::Shown(ShownValue(what))
    }

    /// A digest.
    #[must_use]
    pub const fn digest(bytes: &'v [u8]) -> Self {
        Self::Digest(Cow::Borrowed(bytes))
    }

    /// What has parts of its own, as JSON.
    #[must_use]
    pub fn json(parts: &impl Serialize) -> Self {
        match serde_json::to_string(parts) {
            Ok(text) => Self::Text(Cow::Owned(text)),
            Err(_) => unreachable!("structs of texts, numbers and days, and maps by texts, are always JSON"),
        }
    }

    /// Words, in their order.
    pub fn list<Word: Into<Cow<'v, str>>>(words: impl IntoIterator<Item = Word>) -> Self {
        Self::List(words.into_iter().map(Into::into).collect())
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The text it holds, if it holds one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number it holds, if it holds one.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        if let Self::Number(number) = self { i64::try_from(*number).ok() } else { None }
    }

    /// As text: what stands in a CSV. Text that is text already is given as it is, any other is written into `made`.
    ///
    /// # Errors
    /// What the value itself ends with when it is shown.
    pub fn text<'t>(&'t self, made: &'t mut String) -> Result<&'t str, fmt::Error> {
        made.clear();
        match self {
            Self::Empty => {}
            Self::Text(text) => return Ok(text),
            Self::Shown(ShownValue(what)) => write!(made, "{what}")?,
            // Nearly every number is a short one, and those are written three times as fast.
            Self::Number(number) => match i64::try_from(*number) {
                Ok(number) => write!(made, "{number}")?,
                Err(_) => write!(made, "{number}")?,
            },
            Self::Date(day) => write!(made, "{day}")?,
            Self::Instant(at) => made.push_str(&format_wib_seconds(*at)),
            Self::Digest(bytes) => made.push_str(&digest::hex(bytes)),
            Self::List(words) => {
                for (place, word) in words.iter().enumerate() {
                    made.push_str(if place > 0 { ";" } else { "" });
                    made.push_str(word);
                }
            }
        }
        Ok(made)
    }

    /// What it is, for who says that it stands in the wrong column.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Text(_) | Self::Shown(_) => "a text",
            Self::Number(_) => "a number",
            Self::Date(_) => "a day",
            Self::Instant(_) => "an instant",
            Self::Digest(_) => "a digest",
            Self::List(_) => "a list",
        }
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'v> From<Cow<'v, str>> for Value<'v> {
    fn from(text: Cow<'v, str>) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(is_so: bool) -> Self {
        if is_so { "yes" } else { "no" }.into()
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Rupiah> for Value<'_> {
    fn from(amount: Rupiah) -> Self {
        Self::Number(amount.get())
    }
}

impl From<Date> for Value<'_> {
    fn from(day: Date) -> Self {
        Self::Date(day)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Instant(at)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}
