//! Printing: results to stdout, everything else to stderr. A closed pipe ends the printing, not the program.
//!
//! Under `--quiet` whatever is not asked for is held until the end is known: a success says nothing, anything else says all of it.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use tracing::Level;

use super::failure::Failure;
use super::log;
use super::terminal::{has_colours, is_dumb, shown};
use crate::domain::amount::grouped;
use crate::exit::Exit;

/// Whether a result could not be written.
static FAILED: AtomicBool = AtomicBool::new(false);

/// What is held back, in order; none where it is printed at once.
static HELD: Mutex<Option<Vec<Said>>> = Mutex::new(None);

/// The most lines that are held back; what comes after them is printed at once.
const HELD_MAX: usize = 10_000;

/// A line that waits for the end.
enum Said {
    /// What was done.
    Done(String),
    /// Anything else.
    Note(String),
    /// What went wrong.
    Error(String),
    /// An error as programs read it, which is a line of its own kind.
    ErrorJson(String),
}

fn held() -> MutexGuard<'static, Option<Vec<Said>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on what nobody asked for waits for the end.
pub(super) fn hold() {
    held().get_or_insert_default();
}

/// The end is known: after a success what was held is forgotten, else it is printed.
pub(super) fn release(exit: Exit) {
    let lines = held().take().unwrap_or_default();
    for said in lines {
        match said {
            _ if exit == Exit::Done => {}
            said => print(said),
        }
    }
}

fn print(said: Said) {
    match said {
        Said::Done(text) => result(text),
        Said::Note(text) => at_once(text),
        Said::Error(text) => told(Level::ERROR, &text, &format!("error: {text}")),
        Said::ErrorJson(text) => to_stderr(&text),
    }
}

/// Prints the line unless it is held back.
fn say(said: Said) {
    match &mut *held() {
        Some(lines) if lines.len() < HELD_MAX => lines.push(said),
        _ => print(said),
    }
}

/// Prints a line of what was done, which nobody asked to see.
pub(super) fn done(text: impl Display) {
    say(Said::Done(text.to_string()));
}

/// Prints what was done: `fields` for programs that asked for JSON, else a line which nobody asked to see.
pub(super) fn outcome(json: bool, fields: &serde_json::Value, text: impl Display) {
    if json { result(fields) } else { done(text) }
}

/// Prints a line of what was asked for.
pub(super) fn result(text: impl Display) {
    // Nobody is left to tell when stdout is closed; a disk that is full is another matter.
    let written = writeln!(io::stdout().lock(), "{}", shown(&text.to_string()));
    if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// Writes a stream of what was asked for to standard output. Whoever has seen enough closes the pipe (`… | head`), and that is no failure.
pub(super) fn stream(fill: impl FnOnce(&mut dyn io::Write) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(Pipe { out: io::stdout().lock(), is_closed: false });
    let filled = fill(&mut out).and_then(|()| Ok(out.flush()?));
    let is_closed = out.get_ref().is_closed;
    // What waits in it has nobody to go to.
    drop(out.into_parts());
    if is_closed { Ok(()) } else { filled }
}

/// Standard output, which somebody may have closed.
struct Pipe {
    out: io::StdoutLock<'static>,
    is_closed: bool,
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| self.is_closed |= error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().inspect_err(|error| self.is_closed |= error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Whether any result could not be written, though somebody waits for it.
pub(super) fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Prints a line of progress or a note.
pub(super) fn note(text: impl Display) {
    say(Said::Note(text.to_string()));
}

/// Prints what a person is waiting for, also under `--quiet`.
pub(super) fn at_once(text: impl Display) {
    let text = text.to_string();
    let level = if text.starts_with("warning: ") { Level::WARN } else { Level::INFO };
    told(level, text.strip_prefix("warning: ").unwrap_or(&text), &text);
}

/// The log is told `message`, people are told `text`.
fn told(level: Level, message: &str, text: &str) {
    if !log::tell(level, message) {
        to_stderr(text);
    }
}

fn to_stderr(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", painted(&shown(text), has_colours())));
}

/// The words that a line begins with, in the colours that clap gives its own.
fn painted(text: &str, has_colours: bool) -> Cow<'_, str> {
    if !has_colours {
        return Cow::Borrowed(text);
    }
    let styles = clap::builder::Styles::styled();
    let line = |line: &str| {
        for (word, style) in [
            ("error:", styles.get_error()),
            ("warning:", styles.get_invalid()),
            ("hint:", styles.get_valid()),
            ("note:", styles.get_literal()),
            ("tip:", styles.get_valid()),
        ] {
            let trimmed = line.trim_start();
            if let Some(rest) = trimmed.strip_prefix(word) {
                let indent = line.get(..line.len().saturating_sub(trimmed.len())).unwrap_or_default();
                return format!("{indent}{style}{word}{style:#}{rest}");
            }
        }
        line.to_owned()
    };
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// Prints an error.
pub(super) fn error(text: impl Display) {
    say(Said::Error(text.to_string()));
}

/// Prints an error as programs read it under `--json`, whatever the log looks like.
pub(super) fn error_json(line: String) {
    say(Said::ErrorJson(line));
}

/// Shows how many of `total` are done: a bar on a terminal, a line every tenth elsewhere, nothing when quiet.
pub(super) struct Progress {
    bar: ProgressBar,
    total: u64,
    lines: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, total: u64, quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal() && !log::is_for_programs() && !is_dumb();
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
    format!("{}Rp{}", if amount < 0 { "-" } else { "" }, grouped(amount.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_word_of_an_error_and_of_its_hint_has_claps_colours_on_a_terminal_only() {
        let text = "error: no\nhint: try\n  tip: error: x\nplain";
        assert_eq!(super::painted(text, false), text);
        let painted = super::painted(text, true);
        let wanted = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no\n\u{1b}[32mhint:\u{1b}[0m try\n  \u{1b}[32mtip:\u{1b}[0m error: x\nplain";
        assert_eq!(painted, wanted);
    }

    #[test]
    fn rupiah_are_grouped_by_dots() {
        let written: Vec<String> = [0, 999, 1_000, 1_500_000, -12_345].map(super::rupiah).into();
        assert_eq!(written, ["Rp0", "Rp999", "Rp1.000", "Rp1.500.000", "-Rp12.345"]);
    }
}
