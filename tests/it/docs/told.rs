//! Whether a command said what its page prints.

use std::sync::LazyLock;

use regex::Regex;

/// What is another each time, and what stands for it on both sides.
static MASKS: LazyLock<[(Regex, &str); 8]> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "<instant>"),
        (r"\d{4}-\d\d-\d\d", "<day>"),
        (r"\b\d\d-\d\d-\d{4}\b", "<day>"),
        (r"\b\d\d:\d\d:\d\d\b", "<instant>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\b[0-9a-f]{24,64}\b", "<digest>"),
        (r"\bkey [0-9a-f]{16}\b", "key <digest>"),
        (r"\b\d+(\.\d+)? (ms|s|min|h)\b", "<duration>"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
});

fn masked(line: &str) -> String {
    MASKS.iter().fold(line.trim_end().to_owned(), |line, (mask, word)| mask.replace_all(&line, *word).into_owned())
}

/// A printed line as a pattern; none for `...`.
fn pattern(line: &str, varies: &[String]) -> Option<Regex> {
    if line.trim() == "..." {
        return None;
    }
    let mut escaped = regex::escape(&masked(line)).replace('…', ".*");
    for number in varies {
        let word = Regex::new(&format!(r"\b{}\b", regex::escape(&regex::escape(number)))).unwrap();
        escaped = word.replace_all(&escaped, r"[0-9.]+").into_owned();
    }
    Some(Regex::new(&format!("^{escaped}$")).unwrap())
}

pub fn is_told(printed: &[String], said: &str, varies: &[String]) -> bool {
    let patterns: Vec<Option<Regex>> = printed.iter().map(|line| pattern(line, varies)).collect();
    let said: Vec<String> = said.trim_end().lines().map(masked).collect();
    fits(&patterns, &said)
}

fn fits(patterns: &[Option<Regex>], said: &[String]) -> bool {
    match patterns.split_first() {
        None => said.is_empty(),
        Some((None, rest)) => (0..=said.len()).any(|skipped| fits(rest, &said[skipped..])),
        Some((Some(line), rest)) => said.first().is_some_and(|first| line.is_match(first)) && fits(rest, &said[1..]),
    }
}

#[test]
fn instants_digests_and_durations_may_differ_and_nothing_else_may() {
    let is_told = |printed: &str, said: &str| is_told(&printed.lines().map(str::to_owned).collect::<Vec<_>>(), said, &["20".into()]);
    for (printed, said) in [
        ("at 2026-11-21 18:00:38 for 4 s", "at 2027-01-02 00:00:00 for 1.5 s\n"),
        ("a\n...\nz", "a\nb\nc\nz"),
        ("a\n...\nz", "a\nz"),
        ("made: …/tagih.ledger", "made: /tmp/x/tagih.ledger"),
        ("40 rows: 20 issued", "40 rows: 19 issued"),
    ] {
        assert!(is_told(printed, said), "{printed} / {said}");
    }
    for (printed, said) in [
        ("Rp1.000", "Rp1.001"),
        ("a\nz", "a\nb\nz"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("40 rows: 20 issued", "41 rows: 20 issued"),
        ("a.b", "a-b"),
    ] {
        assert!(!is_told(printed, said), "{printed} / {said}");
    }
}
