//! Printing: results to stdout, everything else to stderr. A closed pipe ends the printing, not the program.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::names::is_invisible;

/// Whether a result could not be written.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a result line.
pub(super) fn result(text: impl Display) {
    // Nobody is left to tell when stdout is closed; a disk that is full is another matter.
    let written = writeln!(io::stdout().lock(), "{}", shown(&text.to_string()));
    if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// Whether any result could not be written, though somebody waits for it.
pub(super) fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Prints a line of progress or a note.
pub(super) fn note(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{}", shown(&text.to_string())));
}

/// `text` as a terminal may have it: what would move its cursor, set its title or turn its letters about is written out instead.
/// Names of files, arguments and cells are anybody's.
fn shown(text: &str) -> Cow<'_, str> {
    let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || is_invisible(c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Prints an error.
pub(super) fn error(text: impl Display) {
    note(format_args!("error: {text}"));
}

/// Shows how many of `total` are done: a bar on a terminal, a line every tenth elsewhere, nothing when quiet.
pub(super) struct Progress {
    bar: ProgressBar,
    total: u64,
    lines: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, total: u64, quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = if quiet || !terminal { ProgressBar::hidden() } else { ProgressBar::new(total) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self { bar, total, lines: !quiet && !terminal }
    }

    pub(super) fn advance(&self) {
        self.bar.inc(1);
        let (done, step) = (self.bar.position(), (self.total / 10).max(1));
        if self.lines && self.total >= 100 && done.is_multiple_of(step) {
            note(format_args!("{} {done}/{}", self.bar.message(), self.total));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1500000` as `Rp1.500.000`.
pub(super) fn rupiah(amount: i128) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{}Rp{grouped}", if amount < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_printed_acts_on_a_terminal() {
        assert_eq!(super::shown("a\u{1b}[31m\u{7}\r\u{9b}b\u{202e}c\n\td é"), "a\\u{1b}[31m\\u{7}\\u{d}\\u{9b}b\\u{202e}c\n\td é");
    }

    #[test]
    fn rupiah_are_grouped_by_dots() {
        let written: Vec<String> = [0, 999, 1_000, 1_500_000, -12_345].map(super::rupiah).into();
        assert_eq!(written, ["Rp0", "Rp999", "Rp1.000", "Rp1.500.000", "-Rp12.345"]);
    }
}
