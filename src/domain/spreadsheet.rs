//! Text that a spreadsheet would run as a formula, made harmless in files for people, and read back as it was.
//!
//! An apostrophe goes before `= + - @`, tab and CR where a cell begins, and also after what a spreadsheet of another language parts
//! cells or lines at: it does not see the quotes that a cell of ours stands in, as they are not where its own cells begin. There quotes
//! of the text's own would be a cell's, so what is behind them counts. Apostrophes that stand there already get one more, so that
//! reading back is exact.

use std::borrow::Cow;

/// Full-width ones too: some spreadsheets take them for the others.
const fn runs(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '\t' | '\r' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
}

/// What a spreadsheet of some language takes for the end of a cell or line.
#[must_use]
pub const fn begins_a_cell(character: char) -> bool {
    matches!(character, ';' | ',' | '|' | '\t' | '\n' | '\r') || stands_in_words(character)
}

/// What only a spreadsheet that somebody has told so parts cells at, and any text is full of.
#[must_use]
pub const fn stands_in_words(character: char) -> bool {
    matches!(character, ' ' | ':')
}

/// Whether `rest`, where a cell begins, is some quotes and apostrophes and then something that runs.
fn is_dangerous(rest: &str) -> bool {
    rest.trim_start_matches(['\'', '"']).starts_with(runs)
}

/// Where in `text` a cell may begin.
fn beginnings(text: &str) -> impl Iterator<Item = usize> {
    let after = |(at, found): (usize, &str)| at.saturating_add(found.len());
    std::iter::once(0).chain(text.match_indices(begins_a_cell).map(after))
}

/// `text` with an apostrophe before everything that would run.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    changed(text, is_dangerous, 0, "'")
}

/// `text` without the apostrophes that [`escaped`] put in; others stay.
#[must_use]
pub fn unescaped(text: &str) -> Cow<'_, str> {
    changed(text, |rest| rest.strip_prefix('\'').is_some_and(is_dangerous), 1, "")
}

/// `text`, changed at each beginning that `is_meant`: `dropped` bytes left out, `added` put in.
fn changed<'t>(text: &'t str, is_meant: impl Fn(&str) -> bool, dropped: usize, added: &str) -> Cow<'t, str> {
    let mut made = String::new();
    let mut done = 0;
    for at in beginnings(text) {
        let rest = text.get(at..).unwrap_or_default();
        if is_meant(rest) {
            made.push_str(text.get(done..at).unwrap_or_default());
            made.push_str(added);
            done = at.saturating_add(dropped);
        }
    }
    if made.is_empty() && done == 0 {
        return Cow::Borrowed(text);
    }
    made.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_run_gets_an_apostrophe_wherever_a_spreadsheet_may_begin_a_cell() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+62812", "'+62812"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("a\n=1", "a\n'=1"),
            ("X;\"=1+41;Y", "X;'\"=1+41;Y"),
            ("X;\"\"=1+41", "X;'\"\"=1+41"),
            ("\"=1+41", "'\"=1+41"),
            ("X,=1+41,Y", "X,'=1+41,Y"),
            ("|=1", "|'=1"),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("Budi;=cmd|' /C calc'!A0", "Budi;'=cmd|' /C calc'!A0"),
            ("a\t@b", "a\t'@b"),
            ("'=1", "''=1"),
            ("'Aisyah", "'Aisyah"),
            ("a-b=c", "a-b=c"),
            ("", ""),
            ("a;b; -c", "a;b; '-c"),
            ("Budi =1+41", "Budi '=1+41"),
            ("Budi: \"=1", "Budi: '\"=1"),
            ("10:=1+41:x", "10:'=1+41:x"),
            ("10:30 WIB", "10:30 WIB"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected, "{text:?}");
            assert_eq!(unescaped(expected), text, "{expected:?}");
        }
        assert_eq!(unescaped("'Aisyah"), "'Aisyah", "only our own escape is undone");
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was_and_nothing_in_it_runs(text in "[='\"+;,|@a: \\-\t\r\n]{0,12}|.{0,20}") {
            let written = escaped(&text).into_owned();
            prop_assert_eq!(unescaped(&written), text);
            // As another spreadsheet would part it, which takes quotes off where its cells begin.
            let mut cells = written.split([';', ',', '|', '\t', '\n', '\r', ' ', ':']);
            prop_assert!(!cells.any(|cell| cell.trim_start_matches('"').starts_with(['=', '+', '-', '@'])), "{written:?}");
        }
    }
}
