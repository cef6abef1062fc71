//! Where settings come from, and what the program says about itself without a ledger.

use std::process::Output;

use crate::support::world::{Ran, SECRET, World, program};

fn shown(output: Output) -> toml::Table {
    Ran::from(output).expect(0).stdout.parse().unwrap()
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
    let world = World::at("http://127.0.0.1:1", "");
    let show = |variables: &[(&str, &str)]| shown(world.command(&["config", "show"]).envs(variables.iter().copied()).output().unwrap());
    assert_eq!(show(&[])["pacing"]["in_flight_max"].as_integer(), Some(4), "file over default");
    assert_eq!(show(&[])["retry"]["attempts_max"].as_integer(), Some(4), "default");
    let variables = [("TAGIH_PACING_IN_FLIGHT_MAX", "9"), ("TAGIH_INTAKE_LIMITS_ROWS_MAX", "5"), ("TAGIH_DOKU_PATHS_ALFA_DOKU", "/x")];
    let table = show(&variables);
    assert_eq!(table["pacing"]["in_flight_max"].as_integer(), Some(9), "environment over file");
    assert_eq!((table["intake"]["limits"]["rows_max"].as_integer(), table["doku"]["paths"]["alfa_doku"].as_str()), (Some(5), Some("/x")));
    let other = world.file("other.toml", "[pacing]\nin_flight_max = 3\n");
    let by_variable = program().args(["config", "show"]).env("TAGIH_CONFIG", &other).output().unwrap();
    assert_eq!(shown(by_variable)["pacing"]["in_flight_max"].as_integer(), Some(3));
    let flag_wins = world.command(&["config", "show"]).env("TAGIH_CONFIG", &other).output().unwrap();
    assert_eq!(shown(flag_wins)["pacing"]["in_flight_max"].as_integer(), Some(4), "--config over TAGIH_CONFIG");
}

#[test]
fn the_origin_of_each_setting_is_told_as_toml_and_as_json() {
    let world = World::at("http://127.0.0.1:1", "");
    let variables = [("TAGIH_PACING_BURST", "9")];
    let table: toml::Table = world.run_with(&variables, &["config", "show", "--origin"]).expect(0).stdout.parse().unwrap();
    assert_eq!(table["pacing"]["burst"].as_integer(), Some(9));
    let json = world.run_with(&variables, &["config", "show", "--origin", "--json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let file = world.path("tagih.toml").display().to_string();
    for (key, origin) in [("pacing.burst", "TAGIH_PACING_BURST"), ("pacing.in_flight_max", &file), ("retry.attempts_max", "default")] {
        assert_eq!(json[key]["origin"], origin, "{key}");
    }
}

#[test]
fn an_error_under_json_is_one_line_of_a_stable_shape_and_a_mistyped_word_is_met_with_another() {
    let world = World::at("http://127.0.0.1:1", "");
    let error = |arguments: &[&str], code: i32| {
        let ran = world.run(&[arguments, &["--json"]].concat()).expect(code);
        let told: serde_json::Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap_or_else(|_| panic!("{ran:?}"));
        let keys: Vec<&str> = told["error"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((keys, told["error"]["exit_code"].as_i64()), (vec!["code", "exit_code", "hint", "message", "note"], Some(code.into())));
        told["error"].clone()
    };
    let missing = error(&["status"], 2);
    assert_eq!(missing["code"], "E0504", "also where the words do not name it");
    assert!(missing["message"].as_str().unwrap().contains("there is no ledger"));
    assert!(error(&["isue", "x.csv"], 2)["message"].as_str().unwrap().contains("'issue'"), "what may be meant");
    assert!(error(&["explain", "E9999"], 2)["hint"].as_str().unwrap().contains("lists them all"));
    assert_eq!(error(&["ingest", "missing-*.jsonl"], 7)["code"], "E0701");
}

#[test]
fn the_secret_is_never_shown_and_may_not_stand_in_the_configuration() {
    let world = World::at("http://127.0.0.1:1", "");
    let ran = Ran::from(world.command(&["config", "show"]).env("TAGIH_DOKU_SECRET", SECRET).output().unwrap()).expect(0);
    assert!(!ran.stdout.contains(SECRET), "I22");
    world.file("secret.toml", "[doku]\nsecret = \"x\"\n");
    let output = program().current_dir(world.path("")).args(["--config", "secret.toml", "config", "show"]).output().unwrap();
    Ran::from(output).expect(2).says(&["`doku.secret`"]);
}

#[test]
fn init_writes_a_configuration_that_works_and_never_overwrites() {
    let world = World::at("http://127.0.0.1:1", "");
    let run = |arguments: &[&str]| Ran::from(program().current_dir(world.path("")).args(arguments).output().unwrap());
    run(&["init", "new.toml"]).expect(0);
    run(&["--config", "new.toml", "config", "show"]).expect(0);
    run(&["init", "new.toml"]).expect(2).says(&["never overwritten"]);
    run(&["init", "no/such/folder.toml"]).expect(2);
}

#[test]
fn every_code_is_explained_offline_and_without_a_configuration() {
    let list = Ran::from(program().arg("explain").env("TAGIH_CONFIG", "/nonexistent").output().unwrap()).expect(0).stdout;
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(ids.len() > 70 && ids.contains(&"E0107") && ids.contains(&"E0405"), "{ids:?}");
    for id in ["E0107", "e0209", "E0502"] {
        let text = Ran::from(program().args(["explain", id]).output().unwrap()).expect(0).stdout;
        assert!(text.starts_with(&format!("{}: ", id.to_uppercase())) && text.contains("What to do: "), "{text}");
    }
    let json = Ran::from(program().args(["explain", "E0107", "--json"]).output().unwrap()).expect(0).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["code"], "E0107");
}

#[test]
fn help_and_version_are_results() {
    let version = Ran::from(program().arg("--version").output().unwrap()).expect(0);
    assert!(version.stdout.starts_with("tagih ") && version.stderr.is_empty());
    for command in ["issue", "cancel", "sync", "resolve", "ledger", "explain", "sandbox"] {
        let help = Ran::from(program().args([command, "--help"]).output().unwrap()).expect(0);
        assert!(help.stdout.contains("Usage: tagih"), "{}", help.stdout);
    }
}
