//! Keys and names in the wrong place: what was pasted into a setting, or typed as an argument, is repeated nowhere.

use std::fs;

use serde_json::Value;

use crate::cli::support_bundle::unpacked;
use crate::support::world::{Ran, World, program};

/// DOKU's, of the ledger's seals, of a password manager, and one that only looks like any text; the last is the secret in force.
const KEYS: [&str; 5] = [
    "SK-Ab3dEfGh1jKlMn0pQrSt",
    "8fdff8f41d3d4436e1a8ac128c2d9edb5b4ad53ea72200e8d58895dfa3ba56b6",
    "q83vEjRWeJq83vEjRWeJq7zN/u8BI0VniavN",
    "Ab3dEfGh1jKlMn0pQrStUv",
    IN_FORCE,
];
const IN_FORCE: &str = "correct-horse-battery-staple";

/// What of a key is looked for.
fn parts(key: &str) -> impl Iterator<Item = &str> {
    key.split('/').filter(|part| part.len() > 10)
}

fn assert_unsaid(what: &str, key: &str, said: &str) {
    for part in parts(key) {
        assert!(!said.contains(part), "{what}: {said}");
    }
}

/// Every key of the settings with its value.
fn settings(world: &World) -> Vec<(String, Value)> {
    fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
        match value.as_object() {
            Some(table) => table.iter().for_each(|(key, value)| leaves(value, format!("{path}.{key}").trim_start_matches('.'), found)),
            None => found.push((path.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    leaves(&serde_json::from_str(&world.run(&["config", "show", "--json"]).expect(0).stdout).unwrap(), "", &mut found);
    found
}

fn records(world: &World) -> String {
    let entries = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.extension().is_some_and(|extension| extension == "runs"));
    folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_key_in_the_place_of_any_setting_is_repeated_by_no_error_no_finding_no_log_no_record_and_no_bundle() {
    let world = World::at("http://127.0.0.1:1", "");
    world.run(&["ledger", "create"]).expect(0);
    let all = settings(&world);
    assert!(all.len() > 150, "{}", all.len());
    let looks: [&[&str]; 3] = [&["config", "show"], &["config", "show", "--json"], &["config", "show", "--origin"]];
    let commands: [&[&str]; 5] = [
        &["doctor", "--offline", "--quick"],
        &["status", "--json"],
        &["sync", "--log-format", "json"],
        &["evidence", "list", "--store", "none"],
        &["support-bundle", "--offline", "--quick", "--out", "b.zip"],
    ];
    for (number, (setting, value)) in all.iter().enumerate() {
        let variable = format!("TAGIH_{}", setting.replace('.', "_").to_uppercase());
        let is_text = value.is_string();
        for (place, key) in KEYS.into_iter().enumerate() {
            let run = |arguments: &[&str]| world.run_with(&[(&variable, key), ("TAGIH_DOKU_SECRET", IN_FORCE)], arguments);
            let some = looks.iter().filter(|_| is_text).skip(place % 3).take(1);
            let is_turn = (number + place) % KEYS.len() == 0;
            for arguments in some.chain(commands.iter().filter(|_| is_turn)) {
                let ran = run(arguments);
                assert_unsaid(&format!("{variable}={key} {arguments:?}"), key, &format!("{}{}", ran.stdout, ran.stderr));
            }
            if is_turn {
                for (name, text) in unpacked(&world.path("b.zip")) {
                    assert_unsaid(&format!("{variable} {name}"), key, &text);
                }
                fs::remove_file(world.path("b.zip")).unwrap();
            }
            if setting.starts_with("doku.") && is_text && place == 0 {
                run(&["status"]).expect(2).says(&[setting]);
            }
        }
    }
    let records = records(&world);
    assert!(records.contains("sync"), "{records}");
    for key in KEYS {
        assert_unsaid("a record", key, &records);
    }
}

#[test]
fn a_key_in_a_list_in_a_key_of_a_table_or_in_what_is_no_toml_is_not_repeated_either() {
    let world = World::at("http://127.0.0.1:1", "");
    let show = |text: &str| {
        world.file("other.toml", text);
        let mut command = program();
        command.current_dir(world.path("")).args(["--config", "other.toml", "config", "show"]).env("TAGIH_DOKU_SECRET", IN_FORCE);
        Ran::from(command.output().unwrap())
    };
    for key in KEYS {
        for text in [
            format!("[doku]\nsecret_command = [\"{key}\"]"),
            format!("[doku]\nsecret_command = [\"/bin/pass\", \"--token={key}\"]"),
            format!("[doku.status_words]\ncancelled = [\"{key}\"]"),
            format!("[bank]\nfilter = [\"{key}\"]"),
            format!("[report]\ndimensions = [\"{key}\"]"),
            format!("[serve]\nproxies = [\"{key}\"]"),
            format!("[settlement]\nholidays = [\"{key}\"]"),
            format!("[settlement]\nthird_parties = [\"{key}\"]"),
            format!("[settlement.shares]\n\"{key}\" = \"x\""),
            format!("[settlement.channels]\n\"{key}\" = \"{key}\""),
            format!("[accounts]\nbank = \"{key}\""),
            format!("[accounts]\n\"{key}\" = \"1\""),
            format!("[layouts.\"{key}\".columns]\namount = \"{key}\""),
            format!("[pacing]\nburst = \"{key}\""),
            format!("[\"{key}\"]\nx = 1"),
            format!("[doku]\nsecret = {key}"),
            format!("[doku]\n{key}\n"),
            format!("\"{key}"),
        ] {
            let ran = show(&text);
            assert_unsaid(&text, key, &format!("{}{}", ran.stdout, ran.stderr));
        }
    }
}

#[test]
fn what_was_typed_in_the_wrong_place_stays_in_no_record_and_in_no_bundle() {
    let world = World::at("http://127.0.0.1:1", "");
    world.run(&["ledger", "create"]).expect(0);
    world.file("log.jsonl", "");
    for word in ["Xaverius Qwertyman", "Xaverius", "6059021370094319", KEYS[0], KEYS[1], KEYS[2], KEYS[3]] {
        for arguments in [
            &["cancel", word, "--yes"][..],
            &["sync", word],
            &["resolve", word, "--as", "released", "--reason", word],
            &["issue", word, "--out", "out", "--sheet", word, "--layout", word],
            &["issue", "log.jsonl", "--carry", word, "--out", "out"],
            &["ingest", word],
            &["evidence", "add", word, "--store", "S"],
            &["evidence", "verify", "--store", "S", "--head", word],
            &["reconcile", "--period", "2026-10", "--notifications", word, "--out", "report"],
            &["discrepancies", "take", word, "--by", word, "--item", word],
            &["discrepancies", "accept", word, "--reason", word, "--target", word, "--owner", word, "--by", word],
            &["period", "close", word, "--report", word, "--reason", word, "--by", word],
            &["ledger", "verify", "--head", word],
            &["ledger", "restore", word],
            &["ledger", "rekey", "--backup", "b", "--head-file", "h", "--former", word],
            &["privacy", "report", "--customer", word],
        ] {
            world.run(arguments);
        }
    }
    // A name of a file that is there, or is made.
    let telephone = "0811-2233-4455";
    world.file(telephone, "");
    for arguments in [&["evidence", "add", telephone, "--store", "S"][..], &["ingest", telephone], &["issue", telephone, "--out", "out"]] {
        world.run(arguments);
    }
    fs::remove_file(world.path(telephone)).unwrap();
    world.run(&["ledger", "backup", telephone]).expect(0);
    let records = records(&world);
    assert!(["cancel", "rekey", "evidence add", "backup"].iter().all(|command| records.contains(command)), "{records}");
    world.run(&["support-bundle", "--offline", "--quick", "--out", "b.zip"]).expect(0);
    let bundle: String = unpacked(&world.path("b.zip")).into_values().collect();
    for word in ["Xaverius", "Qwertyman", "6059021370094319", telephone, KEYS[0], KEYS[1], KEYS[2], KEYS[3]] {
        assert_unsaid("a record", word, &records);
        assert_unsaid("the bundle", word, &bundle);
    }
}
