//! What is asked for when a period is signed. Belongs here: whose word it is, about which report. Must not be here: whether it may be.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::journal::Author;

/// What is to be closed.
#[derive(Debug)]
pub struct CloseOptions<'a> {
    /// The journal.
    pub journal: &'a Path,
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// The report that is signed.
    pub report: &'a Path,
    /// The same, made again just now from what the report says it was made from.
    pub again: &'a Path,
    /// Who signs, and why.
    pub author: Author,
    /// What the signature does.
    pub signing: Signing,
    /// The kinds of caveats that it stands in spite of.
    pub accept: &'a [String],
    /// When (UTC).
    pub now: Timestamp,
}

/// What a signature does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// It closes, where one person may.
    Closes {
        /// Who looked at it besides.
        reviewed_by: Option<String>,
    },
    /// It is a proposal only, until a second person approves.
    Proposes,
}
