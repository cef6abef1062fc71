//! A ledger held against the sandbox's own record of what it carried out: two accounts of the same nights, by two who keep no books together.
//!
//! Belongs here: what must hold between the two, read from the invariants of ARCHITECTURE.md and from both files as anybody sees them:
//! `ledger export` and `sandbox --record`. Must not be here: anything of the code that sends, folds or stores; a mistake there must not be
//! able to hide itself. What customers paid makes codes free; whether the ledger knows of it is not judged here.

mod ledger;
mod record;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead};

pub use ledger::Told;
pub use record::{Call, Change, Order, Payment, Record};

/// An invariant, as ARCHITECTURE.md numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Invariant(pub u8);

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}", self.0)
    }
}

impl serde::Serialize for Invariant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that must hold, and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Difference {
    /// Which invariant.
    pub invariant: Invariant,
    /// The bill or order it is about.
    pub invoice_number: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.invoice_number, self.what, self.invariant)
    }
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Changes the sandbox carried out.
    pub changes: usize,
    /// Bills of the ledger that it ever sent anything about.
    pub bills: usize,
    /// What does not hold, sorted.
    pub differences: Vec<Difference>,
}

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

/// Holds a ledger's export against a sandbox's record.
#[must_use]
pub fn compare(ledger: &Told, record: &Record) -> Compared {
    let mut differences = rules::differences(ledger, record);
    differences.sort_unstable();
    differences.dedup();
    Compared { changes: record.changes.iter().filter(|change| change.call.is_some()).count(), bills: ledger.sent_about(), differences }
}

/// Reads JSON Lines; a blank line is none.
fn lines<T: serde::de::DeserializeOwned>(from: impl BufRead, what: &'static str) -> impl Iterator<Item = Result<T, Unreadable>> {
    (1..).zip(from.lines()).filter_map(move |(line, text)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(serde_json::from_str(&text).map_err(|reason| Unreadable::Line { line, what, reason })),
        Err(error) => Some(Err(error.into())),
    })
}
