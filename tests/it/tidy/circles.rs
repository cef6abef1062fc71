//! No file is roof and foundation at once: what a file uses, uses nothing of it, by however many others between them.
//!
//! A file that only hands on what another defines (`pub use`) does not use it. Tests may use whatever they test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Source, none, sources};

/// What each module uses, by its path: `books::pair` is `books/pair.rs` or `books/pair/mod.rs`.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn path_of(source: &Source) -> String {
    let path = source.path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { String::new() } else { path.replace('/', "::") }
}

fn below(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// The code without its `use` statements, and the paths that they name; what is handed on is left out.
fn imports(code: &str) -> (String, Vec<String>) {
    let (mut rest, mut paths, mut lines) = (String::new(), Vec::new(), code.lines());
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let is_handed_on = trimmed.starts_with("pub") && trimmed.contains(" use ") && !trimmed.contains(" fn ");
        if !trimmed.starts_with("use ") && !is_handed_on {
            rest.push_str(line);
            rest.push('\n');
            continue;
        }
        let mut statement = trimmed.to_owned();
        while !statement.contains(';') {
            statement.push_str(lines.next().unwrap().trim());
        }
        if !is_handed_on {
            expand("", statement.trim_start_matches("use ").trim_end_matches(';'), &mut paths);
        }
    }
    (rest, paths)
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((start, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap();
        if !tree.is_empty() {
            paths.push(format!("{before}{name}"));
        }
        return;
    };
    let (before, mut depth, mut from) = (format!("{before}{start}"), 0, 0);
    let group = group.strip_suffix('}').unwrap();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&before, &group[from..at], paths);
                from = at + 1;
            }
            _ => {}
        }
    }
    expand(&before, &group[from..], paths);
}

/// The paths that stand in the code itself; `pub(in …)` says who may look, not what is used.
fn paths_in(code: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.split("pub(in ").enumerate().flat_map(move |(nth, part)| {
        let part = if nth == 0 { part } else { part.split_once(')').unwrap().1 };
        part.split(move |c| !is_part(c)).filter(|path| path.contains("::"))
    })
}

/// The module that `path` leads to from `module`: as far as there are files.
fn led_to(module: &str, path: &str, is_module: impl Fn(&str) -> bool) -> Option<String> {
    let mut names = path.split("::").peekable();
    let mut at = module.to_owned();
    match *names.peek()? {
        "crate" => {
            at.clear();
            names.next();
        }
        "super" | "self" => {
            while let Some(name) = names.next_if(|name| matches!(*name, "super" | "self")) {
                let parent = at.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned();
                at = if name == "super" { parent } else { at };
            }
        }
        first if !is_module(&below(module, first)) => return None,
        _ => {}
    }
    for name in names {
        let next = below(&at, name);
        if !is_module(&next) {
            break;
        }
        at = next;
    }
    (at != module).then_some(at)
}

fn uses(sources: &[Source]) -> Uses {
    let sources: BTreeMap<String, &Source> =
        sources.iter().filter(|source| !source.is_test).map(|source| (path_of(source), source)).collect();
    let used = |module: &String, source: &Source| {
        let (code, imports) = imports(&source.code);
        let paths = imports.iter().map(String::as_str).chain(paths_in(&code));
        paths.filter_map(|path| led_to(module, path, |module| sources.contains_key(module))).collect()
    };
    sources.iter().map(|(module, source)| (module.clone(), used(module, source))).collect()
}

/// Every module that `from` uses, by however many others, with the one that it is used by on the shortest way.
fn reached<'u>(uses: &'u Uses, from: &'u str) -> BTreeMap<&'u str, &'u str> {
    let (mut found, mut next) = (BTreeMap::new(), VecDeque::from([from]));
    while let Some(module) = next.pop_front() {
        for used in uses.get(module).into_iter().flatten() {
            if !found.contains_key(used.as_str()) {
                found.insert(used.as_str(), module);
                next.push_back(used);
            }
        }
    }
    found
}

/// The circles, each with its modules, and the shortest way round from the first of them.
fn circles(uses: &Uses) -> Vec<(BTreeSet<&str>, Vec<&str>)> {
    let reached: BTreeMap<&str, BTreeMap<&str, &str>> = uses.keys().map(|module| (module.as_str(), reached(uses, module))).collect();
    let (mut circles, mut seen) = (Vec::new(), BTreeSet::<&str>::new());
    for (module, others) in &reached {
        if !others.contains_key(module) || seen.contains(*module) {
            continue;
        }
        let circle: BTreeSet<&str> = others.keys().copied().filter(|other| reached[other].contains_key(module)).collect();
        seen.extend(&circle);
        let mut round = vec![*module];
        while round.len() == 1 || round.last() != Some(module) {
            round.push(others[round.last().unwrap()]);
        }
        round.reverse();
        circles.push((circle, round));
    }
    circles
}

#[test]
fn no_circle_joins_files() {
    let uses = uses(&sources());
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 2_000, "the paths were not found");
    let told = |(circle, round): &(BTreeSet<&str>, Vec<&str>)| format!("{} files in a circle: {}", circle.len(), round.join(" → "));
    none(&circles(&uses).iter().map(told).collect::<Vec<_>>());
}

#[test]
fn circles_are_seen_however_a_file_is_named() {
    let source = |path: &str, text: &str| Source::new(path.into(), text.into());
    let sources = [
        source("lib.rs", "pub mod a;\npub mod b;\n"),
        source("a/mod.rs", "mod leaf;\nmod other;\npub use leaf::Leaf;\nfn f() {\n    other::g()\n}\n"),
        source("a/leaf.rs", "use super::{\n    other::{self, Other},\n};\n// use crate::b::B;\n"),
        source("a/other.rs", "pub(in crate::a) fn g() -> super::super::b::B {}\n#[cfg(test)]\nmod tests {\n    use crate::a;\n"),
        source("b.rs", "use crate::a::leaf::Leaf as Of;\n"),
        source("a/tests.rs", "use super::*;\nuse crate::b;\n"),
    ];
    let uses = uses(&sources);
    let by = |module: &str| uses[module].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(by("a"), ["a::other"]);
    assert_eq!((by("a::leaf"), by("a::other"), by("b")), (vec!["a::other"], vec!["b"], vec!["a::leaf"]));
    let found = circles(&uses);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, ["a::leaf", "a::other", "b", "a::leaf"]);
}
