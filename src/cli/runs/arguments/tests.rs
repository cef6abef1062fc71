//! Which words of a command stand in its record, and that no name, key, code or number does.

use std::collections::BTreeSet;

use clap::{Arg, CommandFactory as _};

use super::*;
use crate::cli::command_line::Cli;

fn invocation(words: &[&str]) -> Invocation {
    let definition = Cli::command();
    let matches = definition.clone().try_get_matches_from([&["tagih"], words].concat()).unwrap();
    Invocation::of(&definition, &matches)
}

/// Every command of the program with the arguments that are its own.
fn commands(definition: &Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    for below in definition.get_subcommands() {
        let name = format!("{path} {}", below.get_name()).trim().to_owned();
        found.push((name.clone(), below.get_arguments().map(|argument| argument.get_id().to_string()).collect()));
        commands(below, &name, found);
    }
}

#[test]
fn every_argument_of_a_recorded_command_is_known_to_be_shown_or_hidden() {
    let mut all = Vec::new();
    commands(&Cli::command(), "", &mut all);
    let is_recorded = |(name, _): &&(String, _)| Invocation { command: name.clone(), ..Invocation::default() }.is_recorded();
    let unknown: BTreeSet<String> = all
        .iter()
        .filter(is_recorded)
        .flat_map(|(name, arguments)| arguments.iter().map(move |id| (name, id)))
        .filter(|(_, id)| Kind::of(id).next().is_none() && !HIDDEN.contains(&id.as_str()))
        .map(|(name, id)| format!("{name}: {id}"))
        .collect();
    assert!(unknown.is_empty(), "say whether a record may hold their words: {unknown:?}");
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let gone: Vec<_> = UNRECORDED.iter().filter(|name| !names.contains(name)).collect();
    assert!(gone.is_empty(), "no such commands: {gone:?}");
}

#[test]
fn a_record_has_what_was_asked_for_and_no_free_text() {
    let found = invocation(&["--quiet", "resolve", "D-1", "--as", "done", "--payment-code", "60590", "--reason", "Budi said so"]);
    assert_eq!(found.command, "resolve");
    let wanted = serde_json::json!({
        "quiet": true, "invoice": ["***"], "verdict": ["done"], "payment_code": ["***"], "reason": ["***"],
    });
    assert_eq!(Value::Object(found.arguments()), wanted);
    assert!(found.is_recorded());
    let issue = invocation(&["issue", "src/../Cargo.toml", "b.csv", "--yes", "--config", "t.toml", "--out", "tests", "--until", "05:30"]);
    let wanted = serde_json::json!({
        "files": ["Cargo.toml", "***"], "yes": true, "config": ["***"], "out": ["tests"], "until": ["05:30"],
    });
    assert_eq!(Value::Object(issue.arguments()), wanted, "what is no file may be anything, and a folder's name somebody's");
    assert_eq!(Value::Object(issue.made()), serde_json::json!({"out": ["tests"]}));
    assert_eq!(issue.inputs, ["src/../Cargo.toml", "b.csv"]);
}

/// Whether the command line takes `value` for this argument.
fn is_taken(argument: &Arg, value: &str) -> bool {
    let alone = Arg::new("alone").long("alone").num_args(1).value_parser(argument.get_value_parser().clone());
    Command::new("tagih").arg(alone).try_get_matches_from(["tagih", &format!("--alone={value}")]).is_ok()
}

#[test]
fn a_name_a_key_a_code_or_a_number_that_was_typed_anywhere_stays_in_no_record() {
    let somebodys = [
        "Xaverius Qwertyman",
        "Xaverius",
        "xaverius",
        "siti rahma",
        "siti.rahma@example.com",
        "李小龙",
        "O'Brien",
        "+62 811 2223",
        "+628112223333",
        "081234567890",
        "0812-3456-7890",
        "6059021370094319",
        "D-6059021370094319",
        "POL-2026-0001",
        "SK-Ab3dEfGh1jKlMn0pQrSt",
        "SK-0",
        "8fdff8f41d3d4436e1a8ac128c2d9edb5b4ad53ea72200e8d58895dfa3ba56b6",
        "8fdff8f41d3d4436e1a8ac128c2d9edb",
        "99ee88d2-6046-4ea7-92c2-acac464b1412",
        "q83vEjRWeJq83vEjRWeJq7zN/u8BI0VniavN",
        "5m4cd3h1d",
        "/etc/Xaverius/SK-Ab3dEfGh1jKlMn0pQrSt.csv",
        "2026-Xaverius",
        "0811-2233-4455",
        "2026-0811-2233-4455",
    ];
    let (mut all, mut definitions) = (0, vec![(String::new(), Cli::command())]);
    while let Some((path, definition)) = definitions.pop() {
        let below = |below: &Command| (format!("{path} {}", below.get_name()).trim().to_owned(), below.clone());
        definitions.extend(definition.get_subcommands().map(below));
        if !(Invocation { command: path.clone(), ..Invocation::default() }).is_recorded() {
            continue;
        }
        for argument in definition.get_arguments().filter(|argument| argument.get_action().takes_values()) {
            let id = argument.get_id().as_str();
            for value in somebodys.into_iter().filter(|value| is_taken(argument, value)) {
                let record = written(id, Some(&[value.to_owned()]));
                assert_eq!(record, serde_json::json!(["***"]), "{path}: {id} {value}");
                all += 1;
            }
        }
    }
    assert!(all > 1_000, "{all}");
}

#[test]
fn what_a_record_is_for_is_shown() {
    for (id, value) in [
        ("period", "2026-10"),
        ("as_of", "2026-11-02T12:00:00+07:00"),
        ("until", "tomorrow 05:30"),
        ("until", "2026-11-29 05:30"),
        ("max_duration", "90s"),
        ("max_duration", "1h30m"),
        ("older_than", "30"),
        ("amount", "288000"),
        ("head", "15:8fdff8f41d3d4436e1a8ac128c2d9edb5b4ad53ea72200e8d58895dfa3ba56b6"),
        ("ids", "8fdff8f41d3d4436e1a8ac12"),
        ("proposal", "8fdff8f4"),
        ("class", "P06"),
        ("status", "Open"),
        ("nature", "break"),
        ("opening", "auto"),
        ("files", "-"),
    ] {
        assert_eq!(written(id, Some(&[value.to_owned()])), serde_json::json!([value]), "{id}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, is_shown) in [
        ("notifications-2026-10-15.jsonl.zst", true),
        ("bills_20261015.csv", true),
        ("Xaverius Qwertyman.csv", false),
        ("2026-11-30.jsonl", true),
        ("2026-10", true),
        ("bills_2026-10-15_0530.csv", true),
        ("2026-10-01_2026-10-31.csv", true),
        ("081234567890.csv", false),
        ("0811-2233-4455", false),
        ("0811-2233-4455.csv", false),
        ("62.811.2233.4455", false),
        ("bill_0811_2233_4455.csv", false),
        ("317301-150885-0001", false),
        ("6059-0213-7009-4319.csv", false),
        ("2026-11-30-0811-2233-4455", false),
        ("SK-Ab3dEfGh1jKlMn0pQrSt", false),
        ("8fdff8f41d3d4436e1a8ac128c2d9edb.csv", false),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        let record = written("files", Some(&[path.display().to_string()]));
        assert_eq!(record, serde_json::json!([if is_shown { name } else { "***" }]), "{name}");
    }
}

#[test]
fn what_only_looks_is_not_recorded() {
    for words in [&["status"][..], &["issue", "a.csv", "--dry-run"], &["discrepancies", "list"], &["runs", "list"]] {
        assert!(!invocation(words).is_recorded(), "{words:?}");
    }
    for words in [
        &["serve"][..],
        &["discrepancies", "list", "--report", "r"],
        &["ledger", "verify"],
        &["period", "reopen", "2026-10", "--reason", "x"],
    ] {
        assert!(invocation(words).is_recorded(), "{words:?}");
    }
}
