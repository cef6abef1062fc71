//! What may be said of a header: where a column is, what is missing, what may be meant.
//!
//! The first row of a file without a header is a customer's, so a header is shown only if it is known, or looks like one.

use super::fault::TableFault;
use super::row::Row;

/// Characters of a header that is shown without being known.
const SHOWN_LENGTH_MAX: usize = 30;
const RESEMBLANCE_MIN: f64 = 0.88;

/// Where the only column is that `is_it`, from 0.
///
/// # Errors
/// [`Fault::ColumnTwice`], naming both places.
pub fn unique_place(names: &[String], column: &str, is_it: impl Fn(&str) -> bool) -> Result<Option<usize>, TableFault> {
    let mut places = names.iter().enumerate().filter(|(_, name)| !name.is_empty() && is_it(name)).map(|(index, _)| index);
    match (places.next(), places.next()) {
        (Some(first), Some(second)) => {
            Err(TableFault::ColumnTwice { column: column.to_owned(), first: first.saturating_add(1), second: second.saturating_add(1) })
        }
        (place, _) => Ok(place),
    }
}

/// The known name that `name` most resembles, if it does.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = normalized(name);
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(&name, &normalized(known)), known));
    let alike = scored.filter(|(resemblance, _)| *resemblance >= RESEMBLANCE_MIN);
    alike.max_by(|(left, _), (right, _)| left.total_cmp(right)).map(|(_, known)| known)
}

/// Of each cell of a header, whether a message may show it: it is known, or it looks like a header among headers.
#[must_use]
pub fn shown_headers(header: &Row, is_known: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let names = names(header);
    let is_data = names.iter().any(|name| !is_known(name) && looks_like_data(name));
    let is_plain =
        |name: &String| name.chars().count() <= SHOWN_LENGTH_MAX && name.chars().all(|c| c.is_alphanumeric() || "_./()#%".contains(c));
    names.iter().map(|name| !name.is_empty() && (is_known(name) || (!is_data && is_plain(name)))).collect()
}

/// What a header has, for an error about what it lacks; cells that may be a customer's are not shown.
#[must_use]
pub fn found_words(header: &Row, is_known: &dyn Fn(&str) -> bool) -> String {
    let is_shown = shown_headers(header, is_known);
    let count = header.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    let cells = header.iter().zip(&is_shown).filter(|(_, is_shown)| **is_shown);
    let words: Vec<String> = cells.map(|(cell, _)| format!("`{}`", String::from_utf8_lossy(cell).trim())).collect();
    match (words.len(), count.saturating_sub(words.len())) {
        (0, _) => "its first row looks like a bill or other data, not like a header".to_owned(),
        (_, 0) => format!("it has {}", words.join(", ")),
        (_, hidden) => format!("it has {} and {hidden} more, not shown", words.join(", ")),
    }
}

/// Whether a (normalized) cell of a first row looks like a value: a number, a date, an address.
fn looks_like_data(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    name.contains('@') || digits >= 3 || name.starts_with(|c: char| c.is_ascii_digit())
}

/// What a consumer knows of headers.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    /// Whether a (normalized) header means something.
    pub is_known: &'a dyn Fn(&str) -> bool,
    /// Whether (normalized) headers have all that is needed.
    pub is_enough: &'a dyn Fn(&[String]) -> bool,
}

impl std::fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Header")
    }
}

/// A header as it is compared: `" Invoice Number "`, `invoice-number` and `INVOICE_NUMBER` are one.
#[must_use]
pub fn normalized(header: &str) -> String {
    let plain = |c: char| if c == ' ' || c == '-' || c == '\u{a0}' { '_' } else { c.to_ascii_lowercase() };
    header.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').chars().map(plain).collect()
}

/// The normalized names of a row.
#[must_use]
pub fn names(row: &Row) -> Vec<String> {
    row.iter().map(|cell| normalized(&String::from_utf8_lossy(cell))).collect()
}
