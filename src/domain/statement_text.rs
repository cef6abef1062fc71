//! What a bank writes beside an amount, and whether it names somebody or something.
//!
//! Banks break what they write by length, so a line break may stand for a blank or, inside a word, for nothing. Belongs here: which words
//! a text holds, and which names. Must not be here: what follows from that (`books`).

use std::collections::HashSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Where the bank broke the line.
const BREAK: char = '\n';

/// See the module. Words stand apart by one blank or one break.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementText(Box<str>);

impl StatementText {
    /// What `parts` say, one after the other; a line break in them may stand inside a word.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
            if !text.is_empty() {
                text.push(' ');
            }
            for (at, line) in part.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
                if at > 0 {
                    text.push(BREAK);
                }
                text.push_str(&line.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        Self(text.into())
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With a blank for every break: what it is shown as, and by which equal lines are equal, however a bank breaks them.
    #[must_use]
    pub fn on_one_line(&self) -> String {
        self.0.replace(BREAK, " ")
    }

    /// Whether it holds `words`, in any case.
    #[must_use]
    pub fn holds(&self, words: &str) -> bool {
        let text: Vec<char> = self.0.to_lowercase().chars().collect();
        let words: Vec<char> = words.to_lowercase().chars().collect();
        (0..=text.len()).any(|from| text.get(from..).is_some_and(|text| begins(text, &words)))
    }

    /// Which of `names` it holds as whole words; of names that lie within each other the longest.
    #[must_use]
    pub fn names<'n>(&self, names: &HashSet<&'n str>) -> Vec<&'n str> {
        let edges = self.edges();
        let length_max = names.iter().map(|name| name.len()).max().unwrap_or(0).saturating_mul(2);
        let mut found: Vec<(Range<usize>, &'n str)> = Vec::new();
        for (at, &from) in edges.iter().enumerate() {
            let ends = edges.get(at..).unwrap_or_default().iter().skip_while(|to| **to <= from);
            for &to in ends.take_while(|to| to.saturating_sub(from) <= length_max) {
                let Some(piece) = self.0.get(from..to) else { continue };
                let closed = names.get(piece.replace(BREAK, "").as_str());
                let name = closed.or_else(|| names.get(piece.replace(BREAK, " ").as_str()));
                found.extend(name.map(|name| (from..to, *name)));
            }
        }
        let is_within = |inner: &Range<usize>, outer: &Range<usize>| outer != inner && outer.start <= inner.start && inner.end <= outer.end;
        let longest = found.iter().filter(|(range, _)| !found.iter().any(|(other, _)| is_within(range, other)));
        longest.map(|(_, name)| *name).collect()
    }

    /// Where a word may begin or end: between two characters that are not both letters or digits, and at breaks.
    fn edges(&self) -> Vec<usize> {
        let mut edges = vec![0];
        let mut before: Option<char> = None;
        for (at, next) in self.0.char_indices() {
            if at > 0 && !(before.is_some_and(char::is_alphanumeric) && next.is_alphanumeric()) {
                edges.push(at);
            }
            before = Some(next);
        }
        edges.push(self.0.len());
        edges
    }
}

impl From<&str> for StatementText {
    fn from(text: &str) -> Self {
        Self::of(&[text])
    }
}

/// Whether `text` begins with `words`, each break of it being a blank or nothing.
fn begins(text: &[char], words: &[char]) -> bool {
    match (text, words) {
        (_, []) => true,
        ([BREAK, rest @ ..], [' ', more @ ..]) if begins(rest, more) => true,
        ([BREAK, rest @ ..], _) => begins(rest, words),
        ([one, rest @ ..], [other, more @ ..]) if one == other => begins(rest, more),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_the_bank_breaks_the_line() {
        let holds = |text: &str| StatementText::from(text).holds("doku pay");
        assert!(["DOKU PAY", "Trsf  Doku   Pay 1", "DO\nKU PAY", "DOKU\nPAY", "DOKU P\r\nAY", "x\nDOKU PAY"].into_iter().all(holds));
        // Only a break may be nothing or a blank: a blank is one, and what touches does.
        assert!(!["PADO KU PAY", "DOKUPAY", "DOKU-PAY", "DO KU PAY", ""].into_iter().any(holds));
        assert!(StatementText::from("anything").holds(""));
    }

    #[test]
    fn names_are_whole_words_and_the_longest_that_is_known() {
        let known: HashSet<&str> = ["B-1", "B-10", "B-1-2", "20261009", "20261009001", "PAY 7"].into();
        let names = |text: &str| {
            let mut names = StatementText::from(text).names(&known);
            names.sort_unstable();
            names.join(",")
        };
        assert_eq!(names("DOKU B-1"), "B-1");
        assert_eq!(names("DOKU B-10"), "B-10");
        assert_eq!(names("DOKU B-100"), "", "no batch that is known");
        assert_eq!(names("DOKU B-1-2/x"), "B-1-2");
        assert_eq!(names("(B-1,B-10)"), "B-1,B-10");
        assert_eq!(names("DB-1"), "");
        assert_eq!(names("ref 202610\n09001 IDR"), "20261009001");
        assert_eq!(names("PAY\n7"), "PAY 7");
        assert_eq!(names("20261009 001"), "20261009");
        assert_eq!(names(""), "");
    }

    #[test]
    fn a_break_is_shown_as_a_blank_and_makes_no_other_line() {
        assert_eq!(StatementText::from(" a\r\n b  c\n\n").on_one_line(), "a b c");
        assert_eq!(StatementText::of(&["", " x ", "y"]).on_one_line(), "x y");
    }
}
