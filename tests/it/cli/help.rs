//! What the program says of itself: help, manual pages, exit codes explained, what may have been meant; to people and to programs.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::world::{Doku, Ran, World, program};

fn run(arguments: &[&str]) -> Ran {
    Ran::from(program().args(arguments).output().unwrap())
}

#[test]
fn help_of_a_command_has_its_arguments_and_examples_and_says_what_may_have_been_meant() {
    let help = run(&["help", "period", "close"]).expect(0);
    for words in ["--reviewed-by", "Examples:", "tagih period close 2026-10 --report close/2026-10"] {
        assert!(help.stdout.contains(words), "{words}: {help:?}");
    }
    assert!(run(&["issue", "--help"]).expect(0).stdout.contains("tagih issue bills.csv --dry-run"));
    assert!(run(&["help"]).expect(0).stdout.contains("support-bundle"));
    run(&["help", "perod", "close"]).expect(2).says(&["did you mean `tagih help period`?"]);
    run(&["help", "period", "clos"]).expect(2).says(&["did you mean `tagih help period close`?"]);
}

#[test]
fn whatever_is_mistyped_is_answered_by_what_may_have_been_meant() {
    let world = World::at("http://127.0.0.1:1", "");
    for (arguments, meant) in [
        (&["isue", "x.csv"][..], "'issue'"),
        (&["ledger", "verfy"], "'verify'"),
        (&["issue", "x.csv", "--dry-rn"], "'--dry-run'"),
        (&["resolve", "A", "--as", "don", "--reason", "x"], "'done'"),
        (&["explain", "P0 6"], "did you mean `P06`"),
        (&["explain", "E1017"], "did you mean `E0117`"),
        (&["explain", "l3"], "did you mean"),
    ] {
        let ran = world.run(arguments).expect(2);
        assert!(ran.stderr.contains(meant), "{arguments:?}: {ran:?}");
    }
    world.run_with(&[("TAGIH_PACING_BRUST", "1")], &["status"]).expect(2).says(&["did you mean `TAGIH_PACING_BURST`?"]);
    world.reconfigure("rate_per_second", "rate_per_secnd");
    world.run(&["status"]).expect(2).says(&["did you mean `pacing.rate_per_second`?"]);
}

#[test]
fn each_exit_code_is_explained_with_an_example_in_both_languages() {
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130", "143"] {
        let english = run(&["explain", code]).expect(0).stdout;
        assert!(english.starts_with(&format!("{code}: ")) && english.contains("For example"), "{english}");
        let indonesian = run(&["explain", code, "--lang", "id"]).expect(0).stdout;
        assert!(indonesian.contains("Misalnya"), "{indonesian}");
    }
    let all: Vec<Value> = serde_json::from_str(&run(&["explain", "--json"]).expect(0).stdout).unwrap();
    assert!(all.len() > 100 && all.iter().any(|code| code["code"] == "143"));
}

#[test]
fn manual_pages_have_exit_codes_environment_and_examples_and_man_can_read_them() {
    let world = World::at("http://127.0.0.1:1", "");
    world.run(&["man", "man"]).expect(0);
    let page = world.path("man/tagih-ledger-verify.1");
    let text = fs::read_to_string(&page).unwrap();
    for section in [".SH \"EXIT STATUS\"", ".SH ENVIRONMENT", ".SH EXAMPLES"] {
        assert!(text.contains(section), "{section}");
    }
    let Ok(read) = Command::new("groff").args(["-man", "-Tutf8", "-P-cbou", "-ww"]).arg(&page).output() else { return };
    let shown = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success() && read.stderr.is_empty(), "{}", String::from_utf8_lossy(&read.stderr));
    for words in ["TAGIH_DOKU_SECRET", "ledger.head", "another process holds it"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

/// Runs it on a terminal of its own.
fn on_a_terminal(world: &World, term: &str, arguments: &str) -> Option<String> {
    let line = format!("{} --config {} {arguments}", env!("CARGO_BIN_EXE_tagih"), world.path("tagih.toml").display());
    let mut command = Command::new("script");
    command.env_clear().env("TERM", term).env("PATH", "/usr/bin:/bin").current_dir(world.path("")).stdin(Stdio::null());
    let told = command.args(["-qec", &line, "/dev/null"]).output().ok()?;
    Some(String::from_utf8_lossy(&told.stdout).into_owned())
}

#[test]
fn a_terminal_has_colours_and_a_bar_and_a_dumb_one_plain_lines() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "T", 200);
    let Some(coloured) = on_a_terminal(&world, "xterm", "issue missing.csv") else { return };
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m"), "{coloured:?}");
    let plain = on_a_terminal(&world, "dumb", "issue missing.csv").unwrap();
    assert!(plain.contains("error: ") && !plain.contains('\u{1b}'), "{plain:?}");
    let progress = on_a_terminal(&world, "dumb", "issue bills.csv --out out").unwrap();
    assert!(progress.contains("issue 20/200") && !progress.contains('\u{1b}'), "{progress:?}");
    world.many("more.csv", "U", 200);
    let bar = on_a_terminal(&world, "xterm", "issue more.csv --out out").unwrap();
    assert!(bar.contains('\u{1b}') && !bar.contains("issue 20/200\r\n"), "{bar:?}");
}

#[test]
fn every_command_that_does_or_shows_something_prints_one_json_value_and_fails_with_one() {
    let doku = Doku::process();
    let world = World::on_disk(&doku.base_url(), "");
    world.many("bills.csv", "J", 3);
    world.file("log.jsonl", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nC-1,6059000000000001,alfa,1000\n");
    let reconcile =
        ["reconcile", "--period", "2026-10", "--notifications", "log.jsonl", "--out", "report", "--as-of", "2026-11-02T00:00:00Z"];
    let commands: [&[&str]; 31] = [
        &["check", "bills.csv"],
        &["issue", "bills.csv", "--dry-run"],
        &["issue", "bills.csv"],
        &["cancel", "J-0001"],
        &["sync"],
        &["ingest", "log.jsonl"],
        &["ledger", "import", "codes.csv"],
        &["ledger", "verify"],
        &["ledger", "backup", "copies/"],
        &["ledger", "create"],
        &["ledger", "migrate"],
        &["ledger", "purge", "--before", "2026-01-01"],
        &reconcile,
        &["discrepancies", "take", "report", "--by", "Siti"],
        &["discrepancies", "list"],
        &["discrepancies", "export", "--report", "report", "--by", "Siti", "--out", "items.csv"],
        &["discrepancies", "import", "items.csv", "--by", "Siti"],
        &["discrepancies", "verify"],
        &["period", "close", "2026-10", "--report", "report", "--by", "Siti", "--reason", "done"],
        &["period", "list"],
        &["period", "reopen", "2026-10", "--by", "Siti", "--reason", "again"],
        &["discrepancies", "four-eyes", "on", "--by", "Siti", "--reason", "policy"],
        &["status"],
        &["explain", "P06"],
        &["config", "show"],
        &["doctor", "--offline", "--quick"],
        &["install", "cron"],
        &["install", "systemd", "--out", "units"],
        &["privacy", "report", "--customer", "Budi"],
        &["runs", "list"],
        &["support-bundle", "--out", "bundle.zip", "--offline", "--quick"],
    ];
    for arguments in commands {
        let ran = world.run(&[arguments, &["--json"]].concat());
        assert!([0, 1].contains(&ran.code), "{arguments:?}: {ran:?}");
        let value: Result<Value, _> = serde_json::from_str(&ran.stdout);
        assert!(value.is_ok_and(|value| value.is_object() || value.is_array()), "{arguments:?}: {ran:?}");
    }
    for arguments in [
        &["status"][..],
        &["ledger", "verify"],
        &["purge", "--due"],
        &["runs", "show", "none"],
        &["explain", "X99"],
        &["help", "x"],
        &["nonsense"],
    ] {
        let ran = World::at("http://127.0.0.1:1", "").run(&[arguments, &["--json"]].concat());
        let error: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap_or_else(|_| panic!("{arguments:?}: {ran:?}"));
        assert_eq!(error["error"]["exit_code"].as_i64(), Some(i64::from(ran.code)), "{arguments:?}");
    }
}
