//! When a table is not the table it is taken for: more than half its rows cannot be read.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::codes;

/// A table most rows of which cannot be read (exit 7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{malformed} of {rows} rows cannot be read; the commonest cause ({count} rows): {cause} [{}]\nhint: {}", codes::MOSTLY_MALFORMED, codes::MOSTLY_MALFORMED.remedy)]
pub struct Mostly {
    /// Rows that cannot be read.
    pub malformed: u64,
    /// Rows in all.
    pub rows: u64,
    /// The commonest cause.
    pub cause: String,
    /// How often it was found.
    pub count: u64,
}

/// The judgement on a table of `rows` rows, of which those with a cause cannot be read. Of a single row nothing can be said.
#[must_use]
pub fn mostly(rows: u64, causes: impl Iterator<Item = (impl Display, impl ToString)>) -> Option<Mostly> {
    let mut counted: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut malformed = 0_u64;
    for (column, reason) in causes {
        malformed = malformed.saturating_add(1);
        let reason = reason.to_string();
        let slot = counted.entry(format!("{column}: {}", kind_of(&reason))).or_insert_with(|| (0, format!("{column}: {reason}")));
        slot.0 = slot.0.saturating_add(1);
    }
    let (count, cause) = counted.into_values().max_by_key(|(count, _)| *count)?;
    (rows > 1 && malformed.saturating_mul(2) > rows).then_some(Mostly { malformed, rows, cause, count })
}

/// A reason without the cell it quotes and without its figures, so that reasons of one kind are counted together.
fn kind_of(reason: &str) -> String {
    let outside: Vec<&str> = reason.split('`').step_by(2).collect();
    outside.concat().chars().filter(|c| !c.is_ascii_digit()).collect()
}
