//! Text that a spreadsheet would run as a formula, made harmless in files for people, and read back as it was.
//!
//! An apostrophe goes before `= + - @`, tab and CR where a cell begins, and also after a `;` or a tab inside of it, where a
//! spreadsheet that splits there begins a cell. Apostrophes that stand there already get one more, so that reading back is exact.

use std::borrow::Cow;

const fn runs(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '\t' | '\r')
}

const fn begins_a_cell(character: char) -> bool {
    matches!(character, ';' | '\t')
}

/// Whether `rest`, where a cell begins, is some apostrophes and then something that runs.
fn is_dangerous(rest: &str) -> bool {
    rest.trim_start_matches('\'').starts_with(runs)
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
            ("\r=1", "'\r=1"),
            ("Budi;=cmd|' /C calc'!A0", "Budi;'=cmd|' /C calc'!A0"),
            ("a\t@b", "a\t'@b"),
            ("'=1", "''=1"),
            ("'Aisyah", "'Aisyah"),
            ("a-b=c", "a-b=c"),
            ("", ""),
            ("a;b; -c", "a;b; -c"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected, "{text:?}");
            assert_eq!(unescaped(expected), text, "{expected:?}");
        }
        assert_eq!(unescaped("'Aisyah"), "'Aisyah", "only our own escape is undone");
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was_and_nothing_in_it_runs(text in "[='+;@a\\-\t\r]{0,12}|.{0,20}") {
            let written = escaped(&text).into_owned();
            prop_assert_eq!(unescaped(&written), text);
            let cells = written.split([';', '\t']).enumerate();
            // A tab at the very beginning is what runs itself, and is escaped as such.
            for (place, cell) in cells.filter(|(place, _)| *place > 0 || !written.starts_with('\t')) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\r']), "{place}: {cell:?}");
            }
        }
    }
}
