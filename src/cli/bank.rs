//! Bank statements: which files they are, and what of them could not be read.

use std::path::PathBuf;

use super::failure::Failure;
use super::logs;
use super::output;
use super::setup::Setup;
use super::unread_rows::{self, UnreadRow};
use crate::evidence::codes;
use crate::reconcile::Reconciled;

/// The files that `patterns` name, if the settings expect any.
pub(super) fn files(setup: &Setup, patterns: &[String]) -> Result<Vec<PathBuf>, Failure> {
    if !patterns.is_empty() && !setup.config.bank.statement {
        let code = &codes::BANK_UNEXPECTED;
        return Err(Failure::setting(format!("{}: {}: {}\nhint: {}", code.id, code.title, code.meaning, code.remedy)));
    }
    if patterns.is_empty() && setup.config.bank.statement && !setup.quiet {
        output::note(format_args!("note: no bank statement is given (`--bank`), so pay-outs stay open until one is"));
    }
    logs::expand(patterns)
}

/// Names the rows that are no lines, and counts lines that were given twice.
pub(super) fn warn(setup: &Setup, outcome: &Reconciled) {
    let Some(statements) = outcome.inputs.bank.as_ref().filter(|_| !setup.quiet) else { return };
    let rows = statements.malformed.iter().map(|row| -> UnreadRow<'_> { (row.place, row.column, &row.reason) });
    unread_rows::warn(setup, &statements.files, rows, &format!("{}: ", codes::BANK_LINE.id), "rows of the bank statements are no lines");
    if !statements.copies.is_empty() {
        let count = statements.copies.len();
        output::note(format_args!("note: {count} lines of the bank statements stand in another file too and count once"));
    }
}
