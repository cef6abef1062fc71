//! What an error ends a command with stands where the error does; the command line hands it on and adds nothing.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{Source, error_ids, none, sources};

/// What codes are called, each with the ids that have the name in some list of codes.
fn named_codes(sources: &[Source]) -> BTreeMap<&str, BTreeSet<&str>> {
    let name = Regex::new(r"(\w+)(?:: StableCode)? = (?:StableCode::new\(\s*)?$").unwrap();
    let mut named = BTreeMap::<_, BTreeSet<_>>::new();
    for source in sources.iter().filter(|source| source.path.ends_with("codes.rs")) {
        for (at, id) in error_ids(source) {
            if let Some(found) = source.code[..at].strip_suffix('"').and_then(|before| name.captures(before)) {
                named.entry(found.get(1).unwrap().as_str()).or_default().insert(id);
            }
        }
    }
    named
}

/// The errors of a source whose words begin with a code: each with the code, and where.
fn coded(source: &Source) -> Vec<(&str, &str, usize)> {
    let error = Regex::new(r#"#\[error\(\s*"(E\d{4}): "#).unwrap();
    let what = Regex::new(r"\)\]\n(?:\s*#\[[^\n]*\n|\s*\n)*\s*(?:pub (?:struct|enum) )?(\w+)").unwrap();
    let of = |found: regex::Captures<'_>| {
        let at = found.get(0).unwrap().start();
        let name = what.captures(&source.code[at..]).unwrap().get(1).unwrap();
        (at + name.start(), at + name.end(), found.get(1).unwrap().range(), source.line_of(at))
    };
    let found = error.captures_iter(&source.code).map(of);
    found.map(|(start, end, id, line)| (&source.code[id], &source.code[start..end], line)).collect()
}

/// The names of the codes that an error, a whole one or a way to fail, says that it ends with.
fn said<'s>(source: &'s Source, error: &str) -> Option<&'s str> {
    let ends = Regex::new(r"Explanation::new\(Exit::\w+, (?:\w+::)*(\w+)\)").unwrap();
    let whole = source.code.find(&format!("Explained for {error} "));
    let one = Regex::new(&format!(r"Self::{error}\b")).unwrap();
    let all = source.code.find("Explained for ")?;
    let from = whole.or_else(|| Some(all + one.find(&source.code[all..])?.start()))?;
    Some(ends.captures(&source.code[from..])?.get(1).unwrap().as_str())
}

#[test]
fn every_error_says_itself_what_a_command_ends_with_and_its_words_begin_with_that_code() {
    let sources = sources();
    let named = named_codes(&sources);
    let (mut violations, mut count, mut conversions) = (Vec::new(), 0, 0);
    for source in sources.iter().filter(|source| !source.is_test) {
        conversions += source.code.matches("> for Failure {").count();
        for (id, error, line) in coded(source) {
            count += 1;
            let name = said(source, error);
            if !name.and_then(|name| named.get(name)).is_some_and(|ids| ids.contains(id)) {
                violations.push(format!("src/{}:{line}: `{error}` is told as {id}, and ends with {name:?}", source.path));
            }
        }
    }
    assert!(count > 35, "only {count} errors were found");
    assert_eq!(conversions, 1, "an error becomes a failure in one way, by what it says of itself");
    none(&violations);
}

#[test]
fn an_error_that_is_told_otherwise_than_it_ends_is_seen() {
    let codes = Source::new("a/codes.rs".into(), "pub const ONE: StableCode = StableCode::new(\n    \"E0001\",\n".into());
    assert_eq!(named_codes(&[codes])["ONE"].iter().collect::<Vec<_>>(), [&"E0001"]);
    let text = "pub enum E {\n    /// One.\n    #[error(\"E0001: a\")]\n    A {},\n    #[error(\n        \"E0002: b\"\n    )]\n    B(u8),\n}\n\
                impl Explained for E {\n    Self::A { .. } => Explanation::new(Exit::Disk, codes::ONE),\n}\n";
    let source = Source::new("a/error.rs".into(), text.into());
    assert_eq!(coded(&source), [("E0001", "A", 3), ("E0002", "B", 5)]);
    assert_eq!((said(&source, "A"), said(&source, "B")), (Some("ONE"), None));
}
