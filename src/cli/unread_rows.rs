//! Rows of settlement files and bank statements that could not be read: the first are named one by one, the others counted.

use std::fmt::Display;

use super::output;
use super::setup::Setup;
use crate::domain::line::InputFile;
use crate::domain::settlement::RowPlace;

/// Rows that are named.
const SHOWN_MAX: usize = 20;

/// One of them: where it stands, the column at fault, and what is wrong with it.
pub(super) type UnreadRow<'r> = (RowPlace, &'r str, &'r dyn Display);

/// Names the first of `rows` of `files`, each after `code`, and says how many `more` there are.
pub(super) fn warn<'r>(setup: &Setup, files: &[InputFile], rows: impl ExactSizeIterator<Item = UnreadRow<'r>>, code: &str, more: &str) {
    if setup.quiet {
        return;
    }
    let others = rows.len().saturating_sub(SHOWN_MAX);
    for (place, column, reason) in rows.take(SHOWN_MAX) {
        let path = InputFile::shown_path(files, place.file).unwrap_or_default();
        output::note(format_args!("warning: {code}{path}:{}:{column}: {reason}", place.row));
    }
    if others > 0 {
        output::note(format_args!("warning: {code}{others} more {more}"));
    }
}
