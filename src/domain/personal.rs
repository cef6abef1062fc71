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

/// `text` as a message may show it where no name belongs: masked if it may be one, cut if it is long.
#[must_use]
pub fn shown(text: &str, meant: &[&str]) -> String {
    const LENGTH_MAX: usize = 40;
    if may_be_personal(text, meant) {
        return masked(text);
    }
    let start: String = text.chars().take(LENGTH_MAX).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(LENGTH_MAX).is_some() { start + "…" } else { start }
}

/// Whether `text`, found where no name belongs, may be somebody's name or address all the same, so that a message masks it:
/// an `@` or a line break in it, several words of letters, or one that is written like a name and resembles none of `meant`.
#[must_use]
pub fn may_be_personal(text: &str, meant: &[&str]) -> bool {
    if text.contains(['@', '\n', '\r']) {
        return true;
    }
    let is_like = |word: &str, meant: &str| word.starts_with(meant) || strsim::damerau_levenshtein(word, meant) <= meant.len() / 4;
    let is_meant = |word: &str| meant.iter().any(|meant| is_like(&word.to_lowercase(), meant));
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 1).collect();
    match words.as_slice() {
        [] => false,
        [word] => {
            !text.contains(|c: char| c.is_ascii_digit())
                && word.chars().count() > 2
                && word.starts_with(char::is_uppercase)
                && !is_meant(word)
        }
        several => text.contains(char::is_whitespace) && several.iter().filter(|word| !is_meant(word)).count() > 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_name_is_told_from_codes_amounts_and_misspelt_choices() {
        for text in ["Budi", "BUDI", "Budi Utomo", "budi utomo", "budi@x", "Jl. Sudirman 5", "PT Maju Jaya 7", "'Aisyah", "a\nb"] {
            assert!(may_be_personal(text, &["alfa", "indomaret"]), "{text}");
        }
        for text in
            ["1.250.000", "Rp 1.000", "8,89651E+15", "INV-2026/10", "88965A", "ALFAMART", "Indomart", "31 Oktober 2026", "", "delete"]
        {
            assert!(!may_be_personal(text, &["alfa", "indomaret"]), "{text}");
        }
    }
}
