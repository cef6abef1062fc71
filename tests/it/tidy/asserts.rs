//! A test that holds nothing against anything is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use super::none;

/// What ends a test that finds something wrong.
const HOLDS: &str = r"assert|panic!|\.expect\(|\.says\(|unreachable!|unwrap_err|expect_err";
/// How deep below a test that may stand.
const CALLS_MAX: usize = 3;
/// Tests that hold what they hold by coming to their end.
const ENDS: [&str; 1] = ["no_damage_to_a_workbook_ends_the_reader"];

struct Function {
    place: String,
    name: String,
    body: String,
    is_test: bool,
}

/// The functions of a file, each as far as a brace that is indented as it is.
fn functions(path: &str, text: &str) -> Vec<Function> {
    let head = Regex::new(r"^( *)(?:pub(?:\(\w+\))? )?(?:const |async )?fn (\w+)").unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let one = |(at, line): (usize, &&str)| {
        let head = head.captures(line)?;
        let end = format!("{}}}", &head[1]);
        let length = if line.ends_with('}') { 0 } else { lines[at..].iter().position(|line| **line == end).unwrap_or(0) };
        let mut above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
        let is_test = above.any(|line| line.trim() == "#[test]");
        Some(Function { place: format!("{path}:{}", at + 1), name: head[2].into(), body: lines[at..=at + length].join("\n"), is_test })
    };
    lines.iter().enumerate().filter_map(one).collect()
}

/// Tests of these that assert nothing, neither themselves nor in what they call.
fn without_assertion(functions: &[Function]) -> Vec<String> {
    let (holds, call) = (Regex::new(HOLDS).unwrap(), Regex::new(r"\b(\w+)\(").unwrap());
    let calls =
        |function: &Function| -> Vec<String> { call.captures_iter(&function.body).skip(1).map(|name| name[1].to_owned()).collect() };
    let mut known: BTreeSet<&str> = ENDS.into();
    known.extend(functions.iter().filter(|function| holds.is_match(&function.body)).map(|function| function.name.as_str()));
    for _ in 0..CALLS_MAX {
        let more = functions.iter().filter(|function| calls(function).iter().any(|name| known.contains(name.as_str())));
        known.extend(more.map(|function| function.name.as_str()).collect::<Vec<_>>());
    }
    let tests = functions.iter().filter(|function| function.is_test && !known.contains(function.name.as_str()));
    tests.map(|test| format!("{}: `{}` asserts nothing", test.place, test.name)).collect()
}

#[test]
fn every_test_asserts_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut all) = (vec![root.join("src"), root.join("tests/it")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                all.extend(functions(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(all.iter().filter(|function| function.is_test).count() > 1_200, "the tests were not found");
    none(&without_assertion(&all));
    let planted = "#[test]\nfn one() {\n    two();\n}\nfn two() {\n    assert!(true);\n}\n#[test]\nfn three() {\n    drop(4);\n}\n";
    assert_eq!(without_assertion(&functions("x.rs", planted)), ["x.rs:9: `three` asserts nothing"]);
}
