//! What is said of a row that is refused, and of a file that is not.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::place::InputPlace;
use crate::domain::code::StableCode;

/// One reason to refuse a row; a row with several bad cells has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where.
    pub place: InputPlace,
    /// The header of the bad cell; tagih's name if the file has no such column; empty if the row as a whole is bad.
    pub column: String,
    /// The cell, masked where it is or may be personal, escaped and cut where it is long.
    pub value: String,
    /// The row's invoice number, if it has a valid one.
    pub invoice_number: Option<String>,
    /// The stable code.
    pub code: StableCode,
    /// What is wrong with this cell.
    pub reason: String,
}

impl fmt::Display for RefusedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, column, value, code, reason, .. } = self;
        write!(f, "{place}:{column}: `{value}`: {reason} [{code}]")
    }
}

/// Something a person should know about a file, though nothing was refused for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which file.
    pub file: Arc<Path>,
    /// What.
    pub text: String,
}
