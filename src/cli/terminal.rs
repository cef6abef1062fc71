//! What a terminal may be shown, and what it can show.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

use crate::domain::names::is_invisible;
use crate::secret::unsaid;

/// Whether a terminal would do something else with it than show it.
pub(super) fn acts(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t') || is_invisible(c)
}

/// `text` as a terminal may have it: what would move its cursor, set its title or turn its letters about is written out instead.
/// Names of files, arguments and cells are anybody's. What may be a key is nobody's.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let text = unsaid::without(text);
    if !text.contains(acts) {
        return text;
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

/// Whether the terminal can do nothing but show letters.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether whoever reads standard error wants colours, as clap has it.
pub(super) fn has_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_printed_acts_on_a_terminal() {
        assert_eq!(super::shown("a\u{1b}[31m\u{7}\r\u{9b}b\u{202e}c\n\td é"), "a\\u{1b}[31m\\u{7}\\u{d}\\u{9b}b\\u{202e}c\n\td é");
    }
}
