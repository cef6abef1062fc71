//! House rules that no compiler checks, read from the sources: who may use whom, which module owns which heavy crate, sizes.
//! All violations are printed at once, as `file:line: what`.

mod asserts;
mod circles;
mod explained;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most lines of a source file.
const FILE_LINES_MAX: usize = 400;
/// A function has fewer lines than this, its signature and closing brace included.
const FUNCTION_LINES_END: usize = 70;

/// Which of our top-level modules each may use besides itself (the dependency rule of ARCHITECTURE.md). `cli` may use all.
const LAYERS: [(&str, &[&str]); 27] = [
    ("domain", &[]),
    ("columns", &["domain", "private"]),
    ("clock", &[]),
    ("random", &[]),
    ("parallel", &[]),
    ("private", &["clock"]),
    ("temporary", &["private"]),
    ("spool", &["exit", "private"]),
    ("witness", &[]),
    ("exit", &["domain"]),
    ("secret", &["clock", "domain", "doku", "exit", "private"]),
    ("config", &["books", "domain", "doku", "exit"]),
    ("doku", &["domain"]),
    ("table", &["domain", "private"]),
    ("intake", &["domain", "exit", "private", "spool", "table"]),
    ("books", &["columns", "domain", "parallel", "private"]),
    ("register", &["books", "domain", "exit"]),
    ("journal", &["books", "clock", "domain", "exit", "private", "register"]),
    ("ledger", &["domain", "clock", "exit", "parallel", "private", "random", "temporary"]),
    ("evidence", &["columns", "domain", "doku", "exit", "private", "table"]),
    ("reconcile", &["books", "columns", "domain", "evidence", "exit", "private", "register", "table"]),
    ("gateway", &["domain", "doku", "clock", "random"]),
    ("report", &["books", "columns", "domain", "exit", "parallel", "private", "reconcile", "register", "table", "temporary"]),
    ("sandbox", &["domain", "doku", "clock", "private"]),
    ("serve", &["domain", "doku", "clock", "exit", "private"]),
    (
        "jobs",
        &[
            "books",
            "domain",
            "doku",
            "intake",
            "journal",
            "ledger",
            "private",
            "evidence",
            "reconcile",
            "register",
            "gateway",
            "report",
            "sandbox",
            "serve",
            "spool",
            "table",
            "clock",
            "exit",
            "parallel",
            "random",
        ],
    ),
    ("cli", &["*"]),
];

/// What single files may use beyond their module: the report of a sending run speaks of its rows.
const LAYER_EXCEPTIONS: [(&str, &[&str]); 5] = [
    // An audit kit has bank lines as they were read.
    ("report/audit/settlement.rs", &["evidence"]),
    ("report/issue.rs", &["intake", "ledger"]),
    ("report/issue/columns.rs", &["intake"]),
    ("report/issue/rows.rs", &["intake"]),
    ("report/issue/checked.rs", &["intake"]),
];

/// The heavy crates, and under which paths of `src` each may be named.
const OWNERS: [(&str, &[&str]); 32] = [
    ("zeroize", &["secret.rs", "secret/"]),
    ("polars", &["columns/parquet.rs", "columns/stored.rs"]),
    ("polars_io", &["columns/pages.rs", "columns/parquet.rs", "columns/stored.rs"]),
    ("polars_parquet_format", &["columns/pages.rs"]),
    ("reqwest", &["gateway/"]),
    ("h2", &["gateway/client.rs"]),
    ("rustix", &["private.rs", "private/", "serve/log/files.rs", "cli/doctor/"]),
    ("url", &["domain/address.rs"]),
    ("governor", &["gateway/pacing.rs"]),
    ("hmac", &["doku/signature.rs", "ledger/seals.rs"]),
    ("sha2", &["doku/signature.rs", "domain/digest.rs", "ledger/seals.rs"]),
    ("csv", &["report/", "cli/demo.rs", "cli/demo_settlement.rs"]),
    ("rayon", &["intake/", "evidence/", "reconcile/", "parallel.rs"]),
    ("rusqlite", &["ledger/"]),
    ("tokio_postgres", &["ledger/"]),
    ("tokio_postgres_rustls", &["ledger/postgres/server.rs"]),
    ("rustls", &["ledger/postgres/server.rs"]),
    ("rustls_native_certs", &["ledger/postgres/server.rs"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("tracing_journald", &["cli/log.rs"]),
    ("hyper", &["sandbox/", "serve/"]),
    ("hyper_util", &["sandbox/", "serve/"]),
    ("axum", &["serve/"]),
    ("prometheus_client", &["serve/"]),
    ("rust_xlsxwriter", &["columns/", "report/"]),
    ("calamine", &["table/sheet.rs"]),
    ("zip", &["table/unpacked.rs", "cli/support/"]),
    ("askama", &["report/", "sandbox/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("http_body_util", &["sandbox/"]),
];

/// What reads a clock, waits or draws at random, each with its only owner: everybody else is handed them.
const NOT_DIRECTLY: [(&str, &str); 12] = [
    ("Timestamp::now", "clock.rs"),
    ("Zoned::now", "clock.rs"),
    ("SystemTime", "clock.rs"),
    ("Instant::now", "clock.rs"),
    ("Utc::now", "clock.rs"),
    ("tokio::time", "clock.rs"),
    ("thread::sleep", "clock.rs"),
    ("recv_timeout", "clock.rs"),
    ("rand::", "random.rs"),
    ("getrandom", "random.rs"),
    ("new_v4", "random.rs"),
    ("now_v7", "random.rs"),
];

/// What makes, opens to write, moves or removes files: `private`'s alone, which looks where a name leads first.
const WRITING: [&str; 13] = [
    "OpenOptions",
    "DirBuilder",
    "File::options",
    "File::create",
    "fs::write",
    "fs::copy",
    "fs::rename",
    "fs::create_dir",
    "fs::remove_",
    "fs::hard_link",
    "fs::symlink(",
    "fs::set_permissions",
    "tempfile::",
];

/// Where classes are told apart one by one: their table and rules, and those who plant them for a demo.
const BY_CLASS: [&str; 7] = [
    "domain/classify/",
    "jobs/demo.rs",
    "cli/demo_settlement.rs",
    // What postings replace.
    "jobs/entries.rs",
    "reconcile/month/",
    "report/matched.rs",
    // Whose word a line is, told in words before anything is concluded.
    "report/audit/lines.rs",
];

/// Who makes a clock or a source of randomness instead of being handed one, and why that is right.
const COMPOSITION: [(&str, &str); 3] = [
    ("cli/", "it is the composition root"),
    ("sandbox/server.rs", "a DOKU of its own, whose time its control endpoint sets"),
    ("clock.rs", "its own definition"),
];

/// A source file; `code` is its text with comments and the tests at its end blanked, line for line.
struct Source {
    /// Below `src`, with `/`.
    path: String,
    text: String,
    code: String,
    is_test: bool,
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/conformance");
        let inline_tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let code = text[..inline_tests].lines().map(without_comment).collect::<Vec<_>>().join("\n");
        Self { path, text, code, is_test }
    }

    /// The top-level module it belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Where in `code` each occurrence of `word` as a whole word begins.
    fn words(&self, word: &str) -> Vec<usize> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let is_whole = |&(at, _): &(usize, &str)| {
            let (before, after) = (self.code[..at].chars().next_back(), self.code[at + word.len()..].chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        };
        self.code.match_indices(word).filter(is_whole).map(|(at, _)| at).collect()
    }

    fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// A line up to its comment; `//` inside a text or after a colon (`https://`) is none.
fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line[from..].find("//").map(|at| from + at) {
        let is_in_text = line[..at].matches('"').count() % 2 == 1 || line[..at].ends_with(':');
        if !is_in_text {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let mut folders = vec![root()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Source::new(name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(found.len() > 80, "the sources were not found");
    found
}

#[track_caller]
fn none(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

/// The modules named by `crate::…` at `at`, also in a group.
fn named(code: &str, at: usize) -> Vec<&str> {
    let rest = &code[at + "crate::".len()..];
    let name = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(group) = rest.strip_prefix('{') else { return vec![&rest[..name(rest)]] };
    let (mut depth, mut names, mut is_start) = (0, Vec::new(), true);
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                names.push(&group[index..index + name(&group[index..])]);
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn every_module_uses_only_what_its_layer_allows() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.into();
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test && !matches!(source.path.as_str(), "main.rs" | "lib.rs")) {
        let Some(allowed) = layers.get(source.module()) else {
            violations.push(format!("src/{}:1: `{}` has no place in the layer table", source.path, source.module()));
            continue;
        };
        let more = LAYER_EXCEPTIONS.iter().find(|(path, _)| *path == source.path).map_or(&[][..], |(_, more)| more);
        for at in source.words("crate") {
            if !source.code[at..].starts_with("crate::") {
                continue;
            }
            for used in named(&source.code, at) {
                let is_allowed = used == source.module() || allowed.contains(&"*") || allowed.contains(&used) || more.contains(&used);
                // Whatever else follows `crate::` is a macro or an item of the crate root.
                if layers.contains_key(used) && !is_allowed {
                    violations.push(format!("src/{}:{}: `{}` may not use `{used}`", source.path, source.line_of(at), source.module()));
                }
            }
        }
    }
    none(&violations);
}

#[test]
fn every_heavy_crate_is_named_by_its_owners_only() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        for (name, owners) in OWNERS {
            let is_owner = owners.iter().any(|owner| source.path == *owner || (owner.ends_with('/') && source.path.starts_with(owner)));
            let is_use = |&at: &usize| {
                let (before, after) = (&source.code[..at], &source.code[at + name.len()..]);
                !before.ends_with("::")
                    && (after.starts_with("::") || before.trim_end().ends_with("use") || before.ends_with("extern crate "))
            };
            if !is_owner {
                let uses = source.words(name).into_iter().filter(is_use);
                violations.extend(
                    uses.map(|at| format!("src/{}:{}: `{name}` belongs to {}", source.path, source.line_of(at), owners.join(", "))),
                );
            }
        }
    }
    none(&violations);
}

#[test]
fn clocks_waiting_and_randomness_have_one_owner_each() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        for (name, owner) in NOT_DIRECTLY.iter().filter(|(_, owner)| source.path != *owner) {
            let is_whole = |at: usize| !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let found = source.code.match_indices(name).map(|(at, _)| at).filter(|&at| is_whole(at));
            violations.extend(found.map(|at| format!("src/{}:{}: `{name}` is {owner}'s alone", source.path, source.line_of(at))));
        }
        let composes = COMPOSITION.iter().any(|(place, _)| source.path.starts_with(place));
        for name in ["Clock::default", "MachineRandomness"].into_iter().filter(|_| !composes && source.path != "random.rs") {
            let made = source.words(name).into_iter();
            violations.extend(made.map(|at| format!("src/{}:{}: `{name}` is handed in", source.path, source.line_of(at))));
        }
    }
    none(&violations);
}

#[test]
fn files_are_written_through_private_alone() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test && source.module() != "private") {
        for name in WRITING {
            let found = source.code.match_indices(name);
            violations.extend(found.map(|(at, _)| format!("src/{}:{}: `{name}` is private's alone", source.path, source.line_of(at))));
        }
    }
    none(&violations);
}

/// What reads a file whole by its name alone would wait for a pipe that nobody writes into: `private` refuses it.
#[test]
fn whole_files_are_read_through_private_alone() {
    /// Who asks the kernel, and the system's own list of accounts.
    const OF_THE_SYSTEM: [&str; 5] = ["cli/doctor/machine.rs", "cli/person.rs", "cli/stopping.rs", "cli/support/mod.rs", "ledger/lock.rs"];
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test && source.module() != "private") {
        for name in ["fs::read(", "fs::read_to_string("] {
            for (at, _) in source.code.match_indices(name) {
                if !OF_THE_SYSTEM.contains(&source.path.as_str()) {
                    violations.push(format!(
                        "src/{}:{}: `{name}…)` is `private::whole` or `private::text`",
                        source.path,
                        source.line_of(at)
                    ));
                }
            }
        }
    }
    none(&violations);
}

/// Of lines of a log only known texts go into a support bundle.
#[test]
fn every_text_of_the_log_is_known_to_the_support_bundle() {
    const KNOWN: &str = "cli/support/logs.rs";
    let sources = sources();
    let known = &sources.iter().find(|source| source.path == KNOWN).unwrap().code;
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test && source.module() != "sandbox") {
        for (at, _) in source.code.match_indices("tracing::") {
            let Some((_, call)) = source.code[at..].split_once("!(").filter(|(name, _)| name.len() < 16) else { continue };
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let text = call[..end.unwrap()].rsplit('"').nth(1).unwrap_or_default();
            if !text.contains('{') && !known.contains(&format!("\"{text}\"")) {
                violations.push(format!("src/{}:{}: `{text}` is not in {KNOWN}", source.path, source.line_of(at)));
            }
        }
    }
    none(&violations);
}

#[test]
fn every_file_opens_with_its_purpose_and_has_at_most_400_lines() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.text.trim().is_empty()) {
        if !source.text.starts_with("//! ") {
            violations.push(format!("src/{}:1: does not open with a `//!` header", source.path));
        }
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            violations.push(format!("src/{}:{lines}: has {lines} lines, at most {FILE_LINES_MAX} are allowed", source.path));
        }
    }
    none(&violations);
}

/// First line, name and length of every function; relies on rustfmt, which puts the closing brace under the signature.
fn functions(code: &str) -> Vec<(usize, &str, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_modifier =
            |word: &&str| word.starts_with("pub") || matches!(*word, "const" | "async" | "unsafe" | "extern" | "in" | "super)");
        let mut words = trimmed.split(' ').skip_while(is_modifier);
        let (Some("fn"), Some(rest)) = (words.next(), words.next()) else { continue };
        let Some(body) = (start..lines.len()).find(|&at| lines[at].ends_with(['{', ';', '}'])) else { continue };
        let closing = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let end = if lines[body].ends_with('{') { (body..lines.len()).find(|&at| lines[at] == closing).unwrap_or(body) } else { body };
        let name = &rest[..rest.find(['(', '<']).unwrap_or(rest.len())];
        found.push((start + 1, name, end - start + 1));
    }
    found
}

#[test]
fn every_function_has_fewer_than_70_lines() {
    let mut violations = Vec::new();
    let mut count = 0;
    for source in sources().iter().filter(|source| !source.is_test) {
        for (line, name, length) in functions(&source.code) {
            count += 1;
            if length >= FUNCTION_LINES_END {
                violations.push(format!("src/{}:{line}: `{name}` has {length} lines", source.path));
            }
        }
    }
    assert!(count > 500, "only {count} functions were found");
    none(&violations);
}

#[test]
fn nothing_prints_past_the_output_module_and_nothing_is_left_to_do() {
    let forbidden = ["println", "print", "eprintln", "eprint", "dbg", "todo", "unimplemented"];
    let mut violations = Vec::new();
    for source in sources() {
        for name in forbidden {
            let calls = source.words(name).into_iter().filter(|&at| source.code[at + name.len()..].starts_with('!'));
            violations.extend(calls.map(|at| format!("src/{}:{}: `{name}!`", source.path, source.line_of(at))));
        }
    }
    none(&violations);
}

/// What decides on several classes, or on the text of one, outside their table: it is a column there.
#[test]
fn what_follows_from_a_class_stands_in_its_row() {
    let mut violations = Vec::new();
    let is_id = |text: &str| {
        let digits = text.strip_prefix(['N', 'P', 'L', 'S', 'I']);
        digits.is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let sources = sources();
    for source in sources.iter().filter(|source| !source.is_test && !BY_CLASS.iter().any(|path| source.path.starts_with(path))) {
        for (number, line) in (1..).zip(source.code.lines()) {
            let line = line.replace("||", "  ");
            let ends_in_class =
                |part: &&str| part.contains("Class::") && part.trim_end_matches([' ', ')', ',']).rsplit("::").next().is_some_and(is_id);
            let classes = line.split('|').filter(ends_in_class);
            if classes.count() > 1 {
                violations.push(format!("src/{}:{number}: several classes in one pattern", source.path));
            }
            for text in line.split('"').skip(1).step_by(2).filter(|text| is_id(text)) {
                violations.push(format!("src/{}:{number}: `{text}` as a text", source.path));
            }
        }
    }
    none(&violations);
}

#[test]
fn no_float_comes_near_money() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "domain") {
        for name in ["f32", "f64"] {
            violations
                .extend(source.words(name).into_iter().map(|at| format!("src/{}:{}: `{name}` (I12)", source.path, source.line_of(at))));
        }
    }
    none(&violations);
}

/// Where `E` and four digits stand as a whole word.
fn error_ids(source: &Source) -> Vec<(usize, &str)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = source.code.as_bytes();
    let is_id = |&at: &usize| {
        let is_digits = bytes.get(at + 1..at + 5).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
        is_digits && !bytes.get(at + 5).is_some_and(is_part) && (at == 0 || !is_part(&bytes[at - 1]))
    };
    source.code.match_indices('E').map(|(at, _)| at).filter(is_id).map(|at| (at, &source.code[at..at + 5])).collect()
}

#[test]
fn every_error_code_is_defined_once_and_explained() {
    let output = super::support::world::program().arg("explain").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let explained: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let sources = sources();
    let (mut violations, mut defined) = (Vec::new(), BTreeMap::<&str, String>::new());
    for source in sources.iter().filter(|source| source.path.ends_with("codes.rs")) {
        for (at, id) in error_ids(source).into_iter().filter(|&(at, _)| source.code[..at].ends_with('"')) {
            let place = format!("src/{}:{}", source.path, source.line_of(at));
            if let Some(first) = defined.get(id) {
                violations.push(format!("{place}: `{id}` is defined at {first} already"));
            }
            if !explained.contains(&id) {
                violations.push(format!("{place}: `tagih explain` does not know `{id}`"));
            }
            defined.insert(id, place);
        }
    }
    assert!(defined.len() > 60, "only {} codes were found", defined.len());
    for source in sources.iter().filter(|source| !source.is_test) {
        for (at, id) in error_ids(source).into_iter().filter(|(_, id)| !defined.contains_key(id)) {
            violations.push(format!("src/{}:{}: `{id}` is defined nowhere", source.path, source.line_of(at)));
        }
    }
    none(&violations);
}

/// A code that nothing names is one that nobody is ever told.
#[test]
fn every_error_code_is_named_by_what_ends_with_it() {
    /// An identity that does not hold is told with its figures; the code explains it. Entries whose sides differ are what earlier versions
    /// could write: pairs cannot.
    const EXPLAINED_ONLY: [&str; 2] = ["E0725", "E0813"];
    let sources = sources();
    let mut violations = Vec::new();
    let mut count = 0;
    for source in sources.iter().filter(|source| source.path.ends_with("codes.rs")) {
        for (at, id) in error_ids(source).into_iter().filter(|&(at, _)| source.code[..at].ends_with('"')) {
            count += 1;
            // `pub const NAME: StableCode = StableCode::new("E…`, or `NAME = "E…` in a table.
            let before = source.code[..at].rsplit(';').next().unwrap();
            let is_name = |word: &&str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
            let name = before.split(|c: char| !c.is_alphanumeric() && c != '_').rfind(is_name).filter(|name| *name != "ALL");
            if name.is_none() {
                violations.push(format!("src/{}:{}: `{id}` has no name to end with", source.path, source.line_of(at)));
            }
            let is_named = |other: &Source| {
                other.path != source.path && (other.code.contains(id) || name.is_some_and(|name| !other.words(name).is_empty()))
            };
            // Besides its definition and the list of all: where errors are given their codes.
            let is_given_here = name.is_some_and(|name| source.words(name).len() > 2);
            let is_told = is_given_here || EXPLAINED_ONLY.contains(&id) || sources.iter().filter(|other| !other.is_test).any(is_named);
            if !is_told {
                violations.push(format!("src/{}:{}: nothing ends with `{id}`", source.path, source.line_of(at)));
            }
        }
    }
    assert!(count > 60, "only {count} codes were found");
    none(&violations);
}

/// What shares nothing with the rest on purpose has the rest's words a second time.
const WRITTEN_APART: [&str; 2] = ["sandbox", "witness"];

/// The public types of a source, with where each is defined; what a macro names is left to the compiler.
fn public_types(source: &Source) -> impl Iterator<Item = (&str, usize)> {
    ["pub struct ", "pub enum ", "pub trait ", "pub type "].into_iter().flat_map(|kind| {
        source.code.match_indices(kind).map(|(at, kind)| {
            let name = &source.code[at + kind.len()..];
            (&name[..name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len())], source.line_of(at))
        })
    })
}

#[test]
fn one_public_type_has_a_name_alone() {
    let sources = sources();
    let (mut violations, mut defined) = (Vec::new(), BTreeMap::<&str, String>::new());
    for source in sources.iter().filter(|source| !source.is_test && !WRITTEN_APART.contains(&source.module())) {
        for (name, line) in public_types(source).filter(|(name, _)| !name.is_empty()) {
            let place = format!("src/{}:{line}", source.path);
            if let Some(first) = defined.get(name) {
                violations.push(format!("{place}: `{name}` is a type at {first} already"));
            }
            defined.insert(name, place);
        }
    }
    assert!(defined.len() > 500, "only {} types were found", defined.len());
    none(&violations);
}

/// Every word of the sources and of what is built beside them, and how often it is written.
fn words_written() -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["src", "tests", "fuzz"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
                for word in code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
                    *words.entry(word.to_owned()).or_default() += 1;
                }
            }
        }
    }
    words
}

#[test]
fn nothing_public_is_without_a_user() {
    let words = words_written();
    let (mut violations, mut seen) = (Vec::new(), 0);
    for source in sources() {
        for kind in ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static "] {
            for (at, _) in source.code.match_indices(kind) {
                let line = source.code[..at].rsplit('\n').next().unwrap();
                let name = source.code[at + kind.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if line.trim_start().starts_with("pub") && !name.is_empty() && name != "fn" {
                    seen += 1;
                    if words.get(name) == Some(&1) {
                        violations.push(format!("src/{}:{}: nobody uses `{name}`", source.path, source.line_of(at)));
                    }
                }
            }
        }
    }
    assert!(seen > 3_000, "only {seen} were found");
    none(&violations);
}

#[test]
fn every_word_of_the_glossary_has_its_type_where_it_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let (_, glossary) = page.split_once("| Term | What it means | Its type |\n").unwrap();
    let rows: Vec<&str> = glossary.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 30, "{} terms", rows.len());
    let sources = sources();
    let mut violations = Vec::new();
    for row in rows {
        let types = row.rsplit('|').nth(1).unwrap();
        let paths: Vec<&str> = types.split('`').skip(1).step_by(2).collect();
        if paths.is_empty() {
            violations.push(format!("ARCHITECTURE.md: no type: {row}"));
        }
        for path in paths {
            let (module, name) = path.rsplit_once("::").unwrap();
            let file = module.replace("::", "/");
            let is_its = |source: &&Source| source.path == format!("{file}.rs") || source.path == format!("{file}/mod.rs");
            if !sources.iter().filter(is_its).any(|source| !source.words(name).is_empty()) {
                violations.push(format!("ARCHITECTURE.md: there is no `{path}`"));
            }
        }
    }
    none(&violations);
}

/// A claim of the security page is worth what its test is worth.
#[test]
fn every_test_that_the_security_page_names_is_there() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(project.join("docs/security.md")).unwrap();
    let mut code: String = sources().into_iter().map(|source| fs::read_to_string(root().join(&source.path)).unwrap()).collect();
    let mut folders = vec![project.join("tests/it")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                code.push_str(&fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let quoted = page.split('`').skip(1).step_by(2);
    let names = quoted.filter_map(|text| text.strip_prefix("it: ").or_else(|| text.contains("tests::").then_some(text)));
    let names: Vec<&str> = names.map(|name| name.rsplit("::").next().unwrap()).filter(|name| *name != "name" && *name != "*").collect();
    assert!(names.len() > 60, "{} tests are named", names.len());
    let missing = names.into_iter().filter(|name| !code.contains(&format!("fn {name}(")));
    none(&missing.map(|name| format!("docs/security.md: there is no test `{name}`")).collect::<Vec<_>>());
}

#[test]
fn the_scanner_sees_what_it_should() {
    let group = "use crate::{domain::{ids::A, bill}, doku::B};";
    assert_eq!(named(group, 4), ["domain", "doku"]);
    assert_eq!(without_comment("let url = \"https://x\"; // why"), "let url = \"https://x\"; ");
    let code =
        "    pub(super) async fn one(a: u8) -> u8 {\n        a\n    }\n    fn two();\n    fn three(\n        a: u8,\n    ) {\n    }\n";
    assert_eq!(functions(code), [(1, "one", 3), (4, "two", 1), (5, "three", 4)]);
    let source = Source::new("cli/x.rs".into(), "a\n// reqwest::x\nreqwest::y\n#[cfg(test)]\nmod tests {\n    println!();\n".into());
    assert_eq!(source.words("reqwest").into_iter().map(|at| source.line_of(at)).collect::<Vec<_>>(), [3]);
    assert!(source.words("println").is_empty());
}
