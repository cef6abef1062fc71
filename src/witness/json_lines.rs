//! Files of JSON Lines, as both accounts are written.

use std::io::{self, BufRead};

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A line is not of its kind.
    #[error("line {line} is no {what}: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Of what.
        what: &'static str,
        /// Why.
        reason: serde_json::Error,
    },
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// Reads JSON Lines; a blank line is none.
pub(super) fn lines<T: serde::de::DeserializeOwned>(from: impl BufRead, what: &'static str) -> impl Iterator<Item = Result<T, Unreadable>> {
    (1..).zip(from.lines()).filter_map(move |(line, text)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(serde_json::from_str(&text).map_err(|reason| Unreadable::Line { line, what, reason })),
        Err(error) => Some(Err(error.into())),
    })
}
