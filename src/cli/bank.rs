//! Bank statements: which files they are, and what of them could not be read.

use std::path::PathBuf;

use super::failure::Failure;
use super::logs;
use super::output;
use super::setup::Setup;
use crate::evidence::codes;
use crate::reconcile::Reconciled;

/// Rows that are no lines and are named on stderr.
const MALFORMED_SHOWN: usize = 20;

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

/// Names the rows that are no lines, the first of them one by one, and counts lines that were given twice.
pub(super) fn warn(setup: &Setup, outcome: &Reconciled) {
    let Some(statements) = outcome.inputs.bank.as_ref().filter(|_| !setup.quiet) else { return };
    for row in statements.malformed.iter().take(MALFORMED_SHOWN) {
        let file = usize::try_from(row.place.file).ok().and_then(|at| statements.files.get(at));
        let path = file.map_or_else(String::new, |file| file.path.display().to_string());
        output::note(format_args!("warning: {}: {path}:{}:{}: {}", codes::BANK_LINE.id, row.place.row, row.column, row.reason));
    }
    let more = statements.malformed.len().saturating_sub(MALFORMED_SHOWN);
    if more > 0 {
        output::note(format_args!("warning: {}: {more} more rows of the bank statements are no lines", codes::BANK_LINE.id));
    }
    if !statements.copies.is_empty() {
        let count = statements.copies.len();
        output::note(format_args!("note: {count} lines of the bank statements stand in another file too and count once"));
    }
}
