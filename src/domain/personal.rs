//! Personal data: text that must not reach a log, an error, a `Debug` print or a metric.

use std::fmt;

/// A name or an e-mail address. Only [`Personal::reveal`] shows it, so every place that does can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Box<str>);

impl Personal {
    /// Keeps `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire and the purgeable side table.
    #[must_use]
    pub const fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `text` with all but its first character hidden: `A***`. What rejected.csv shows of a personal column.
#[must_use]
pub fn masked(text: &str) -> String {
    text.chars().next().map_or_else(String::new, |first| format!("{first}***"))
}
