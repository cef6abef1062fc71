//! Where settings, ledger and journal are found, whatever folder a command is run from.

use std::path::Path;

use crate::support::world::{Doku, Ran, World, program};

/// The program in `folder`, with only the arguments given.
fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    Ran::from(program().current_dir(folder).args(arguments).output().unwrap())
}

/// A merchant's folder whose configuration names its files by relative paths, and another folder below it.
fn relative(base_url: &str) -> World {
    let world = World::at(base_url, "[journal]\npath = \"books/tagih.journal\"\n");
    let folder = world.path("").display().to_string();
    world.reconfigure(&folder, "");
    std::fs::create_dir_all(world.path("elsewhere")).unwrap();
    std::fs::create_dir_all(world.path("books")).unwrap();
    world
}

#[test]
fn a_configuration_means_the_same_from_every_folder() {
    let doku = Doku::process();
    let world = relative(&doku.base_url());
    world.many("bills.csv", "P", 2);
    let bills = world.path("bills.csv").display().to_string();
    let config = world.path("tagih.toml").display().to_string();
    let made = run_in(&world.path(""), &["issue", "bills.csv", "--out", "out"]).expect(0);
    assert!(made.stderr.contains(&world.path("tagih.ledger").display().to_string()), "a new ledger is said with its place: {made:?}");
    let elsewhere = world.path("elsewhere");
    let again = run_in(&elsewhere, &["--config", &config, "issue", &bills, "--out", "out"]).expect(0);
    assert!(!again.stderr.contains("new ledger"), "{again:?}");
    run_in(&elsewhere, &["--config", "../tagih.toml", "issue", &bills, "--out", "out"]).expect(0);
    assert_eq!(doku.invoices().len(), 2);
    assert_eq!(doku.calls().len(), 2, "nothing is issued anew");
    assert!(!elsewhere.join("tagih.ledger").exists());
}

#[test]
fn a_ledger_or_journal_that_lies_in_another_folder_is_never_passed_over() {
    let world = relative("http://127.0.0.1:1");
    let (config, elsewhere) = (world.path("tagih.toml").display().to_string(), world.path("elsewhere"));
    // What today's users have: the paths were those of the working folder.
    std::fs::write(elsewhere.join("tagih.ledger"), "").unwrap();
    for command in [&["status"][..], &["period", "list"], &["issue", "x.csv"]] {
        let told = run_in(&elsewhere, &[&["--config", &config][..], command].concat()).expect(2);
        let [there, here] = [world.path("tagih.ledger"), elsewhere.join("tagih.ledger")].map(|path| path.display().to_string());
        told.says(&["ledger.path", &there, &here, &format!("path = \"{here}\""), "[ledger]", &config]);
    }
    std::fs::remove_file(elsewhere.join("tagih.ledger")).unwrap();
    run_in(&elsewhere, &["--config", &config, "period", "list"]).expect(2).says(&["no journal", "books/tagih.journal", &config]);
    // Defaults are those of the working folder; what lies beside the configuration is meant all the same.
    let bare = World::at("http://127.0.0.1:1", "");
    bare.reconfigure(&format!("path = \"{}\"\n", bare.path("tagih.ledger").display()), "");
    std::fs::create_dir_all(bare.path("elsewhere")).unwrap();
    let (config, elsewhere) = (bare.path("tagih.toml").display().to_string(), bare.path("elsewhere"));
    for (name, setting) in [("tagih.ledger", "ledger.path"), ("tagih.journal", "journal.path")] {
        bare.file(name, "");
        run_in(&elsewhere, &["--config", &config, "period", "list"]).expect(2).says(&[setting, &bare.path(name).display().to_string()]);
        std::fs::remove_file(bare.path(name)).unwrap();
    }
    for command in [&["period", "list"][..], &["discrepancies", "list"], &["discrepancies", "verify"]] {
        run_in(&bare.path(""), command).expect(2).says(&["no journal", &bare.path("tagih.journal").display().to_string()]);
    }
    run_in(&bare.path(""), &["status"]).expect(2).says(&[
        "no ledger",
        &bare.path("tagih.ledger").display().to_string(),
        "tagih ledger create",
    ]);
}

#[test]
fn errors_about_settings_say_which_file_was_read() {
    let world = World::at("http://127.0.0.1:1", "[intake]\namount_format = \"dots\"\n");
    world.file("bills.csv", "invoice_number\n");
    run_in(&world.path(""), &["check", "bills.csv"]).expect(2).says(&["intake.amount_format", "settings were read from `tagih.toml`"]);
    let config = world.path("tagih.toml").display().to_string();
    world.run(&["check", "bills.csv"]).expect(2).says(&[&format!("settings were read from `{config}`")]);
    world.reconfigure("amount_format = \"dots\"", "amount_format = \"plain\"\n[pacing2]\nx = 1");
    world.run(&["check", "bills.csv"]).expect(2).says(&["pacing2", &config]);
    let empty = tempfile::tempdir().unwrap();
    run_in(empty.path(), &["status"]).expect(2).says(&["doku.client_id", "no configuration file was read", "./tagih.toml", "--config"]);
    let wrong = Ran::from(program().current_dir(empty.path()).env("TAGIH_PACING_BURST", "many").arg("status").output().unwrap());
    wrong.expect(2).says(&["TAGIH_PACING_BURST", "no configuration file was read"]);
}

#[test]
fn a_configuration_for_the_sandbox_works_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let said = run_in(folder.path(), &["init", "--sandbox"]).expect(0);
    assert!(said.stdout.contains("tagih sandbox") && !said.stdout.contains("--config"), "{said:?}");
    let shown = run_in(folder.path(), &["config", "show"]).expect(0).stdout;
    let help = run_in(folder.path(), &["sandbox", "--help"]).expect(0).stdout;
    let listen = help.split("[default: ").nth(1).unwrap().split(']').next().unwrap();
    assert!(shown.contains(&format!("base_url = \"http://{listen}\"")), "{shown}");
    std::fs::write(folder.path().join("bills.csv"), "invoice_number,amount,customer_name,channel\nA,1000,Budi,alfa\n").unwrap();
    run_in(folder.path(), &["issue", "bills.csv", "--dry-run"]).expect(0);
    run_in(folder.path(), &["init", "--sandbox"]).expect(2).says(&["never overwritten"]);
    run_in(folder.path(), &["init", "none/tagih.toml"]).expect(2).says(&["check that the folder exists"]);
    let other = run_in(folder.path(), &["init", "other.toml"]).expect(0);
    assert!(other.stdout.contains("--config other.toml"), "{other:?}");
}

#[test]
fn messages_name_the_file_at_fault_and_what_can_be_done() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "M", 1);
    world.issue("bills.csv", &[]).expect(0);
    let backup = world.run(&["ledger", "backup", "none/copy.ledger"]).expect(9).says(&["the backup `none/copy.ledger` cannot be written"]);
    assert!(!backup.stderr.contains("the ledger `"), "nothing is wrong with the ledger: {backup:?}");
}
