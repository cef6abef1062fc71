//! From a clean machine to the first morning: what `tagih install` prints is run in the order of its timers, and nobody does anything.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Command;

use crate::support::world::{Doku, Ran, World, signal};

/// From the afternoon on which it was installed to the next morning, in minutes of WIB.
const NIGHT: std::ops::Range<u32> = 17 * 60..31 * 60;

/// A machine with settings, a file of bills and the folder that a package makes; and a DOKU, which writes what it notifies into the logs.
fn machine(runner: &str) -> (World, Doku, tempfile::TempDir) {
    let day = jiff::Timestamp::now().strftime("%F").to_string();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join(format!("notifications-{day}.jsonl")).display().to_string();
    let doku = Doku::process_with(&["--notification-log", &log]);
    let settings = format!("[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"{}\"\n", folder.path().display());
    let world = World::at(&doku.base_url(), &settings);
    fs::create_dir(world.path("state")).unwrap();
    world.many("today.csv", "N", 3);
    let (state, bills) = (world.path("state").display().to_string(), world.path("today.csv").display().to_string());
    world.run(&["install", runner, "--out", "jobs", "--state", &state, "--bills", &bills]).expect(0);
    (world, doku, folder)
}

/// As systemd or cron would.
fn shell(world: &World, command: &str) -> Ran {
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().env("PATH", "/usr/bin:/bin").current_dir(world.path("")).args(["-c", command]);
    Ran::from(shell.output().unwrap())
}

#[track_caller]
fn silently(world: &World, command: &str) {
    let ran = shell(world, command);
    assert!(ran.code == 0 && ran.stdout.is_empty() && ran.stderr.is_empty(), "{command}: {ran:#?}");
}

/// The values of a key of a unit.
fn values(world: &World, unit: &str, key: &str) -> Vec<String> {
    let text = fs::read_to_string(world.path("jobs").join(unit)).unwrap();
    text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned).collect()
}

/// Starts a unit, after what it requires.
fn start(world: &World, unit: &str) {
    for required in values(world, unit, "Requires") {
        start(world, &required);
    }
    for command in ["ExecStart", "ExecStartPost"].iter().flat_map(|key| values(world, unit, key)) {
        silently(world, &command);
    }
}

/// What is due when, by the timers.
fn due(world: &World) -> Vec<(u32, String)> {
    let mut due = Vec::new();
    for entry in fs::read_dir(world.path("jobs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(job) = name.strip_suffix(".timer") else { continue };
        let calendar = &values(world, &name, "OnCalendar")[0];
        let time = calendar.strip_prefix("*-*-* ").and_then(|rest| rest.strip_suffix(":00 Asia/Jakarta")).unwrap();
        let (hour, minute) = time.split_once(':').unwrap();
        let is_due =
            |at: &u32| at % 60 == minute.parse::<u32>().unwrap() && (hour == "*" || (at / 60) % 24 == hour.parse::<u32>().unwrap());
        due.extend(NIGHT.filter(is_due).map(|at| (at, format!("{job}.service"))));
    }
    due.sort();
    due
}

/// Everything was issued, one was paid, and all is kept as it should be.
fn is_morning(world: &World) {
    let statuses = world.statuses();
    assert_eq!(statuses.values().sum::<u64>(), 3, "{statuses:?}");
    let status = world.run(&["status", "--json"]).expect(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["paid"]["count"], &status["bills"]["active"]["count"]), (&1.into(), &3.into()), "{status}");
    assert!(world.path("state/ledger.head").exists() && world.path("state/out/accepted.csv").exists());
    assert_eq!(fs::read_dir(world.path("state/backup")).unwrap().count(), 1);
    let runs = world.run(&["runs", "list", "--failed", "--json"]).expect(0).stdout;
    assert_eq!(runs.trim(), "[]", "none failed");
}

#[test]
fn the_first_night_of_the_units_goes_without_hands_or_words() {
    let (world, doku, _logs) = machine("systemd");
    let due = due(&world);
    assert_eq!(due.iter().filter(|(_, unit)| unit == "tagih-ingest.service").count(), 14);
    for (at, unit) in &due {
        start(&world, unit);
        // A customer is awake.
        if unit == "tagih-issue.service" {
            assert_eq!(*at, 25 * 60 + 30);
            doku.pay("N-0001", "");
        }
    }
    is_morning(&world);
}

#[test]
fn the_first_night_of_the_crontab_goes_without_hands_or_words() {
    let (world, doku, _logs) = machine("cron");
    let crontab = fs::read_to_string(world.path("jobs/tagih")).unwrap();
    let night = world.path("jobs/tagih-night").display().to_string();
    let lines = crontab.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let mut jobs: Vec<(u32, String)> = lines
        .map(|line| {
            let words: Vec<&str> = line.splitn(7, ' ').collect();
            let number = |word: &str| word.parse::<u32>().unwrap();
            (number(words[1]) * 60 + number(words[0]), words[6].replace("\\%", "%").replace("/usr/local/bin/tagih-night", &night))
        })
        .collect();
    jobs.sort();
    assert_eq!(jobs.len(), 3);
    for (_, job) in &jobs {
        silently(&world, job);
        if job.contains("tagih-night") {
            doku.pay("N-0001", "");
            // The next night.
            silently(&world, job);
        }
    }
    is_morning(&world);
}

#[test]
fn a_ledger_that_was_made_at_once_lets_the_server_and_every_job_begin_and_only_production_needs_it() {
    let (world, _doku, _logs) = machine("systemd");
    let made = world.run(&["ledger", "create", "--json"]).expect(0);
    assert!(made.stdout.contains("\"created\":true"), "{made:?}");
    let head = world.run(&["ledger", "verify"]).expect(0).stdout;
    let again = world.run(&["ledger", "create"]).expect(0);
    assert!(again.stdout.contains("is there already"), "{again:?}");
    assert_eq!(world.run(&["ledger", "verify"]).expect(0).stdout, head, "what is there stays as it is");
    let serve = values(&world, "tagih-serve.service", "ExecStart").remove(0);
    let mut server = Command::new("/bin/sh")
        .args(["-c", &format!("exec {serve}")])
        .env_clear()
        .current_dir(world.path(""))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("http://127.0.0.1"), "{line}");
    // In any order.
    for job in ["ledger-verify", "ledger-backup", "sync", "ingest"] {
        start(&world, &format!("tagih-{job}.service"));
    }
    signal(&server, "TERM");
    server.wait().unwrap();
    // Where there is money, a ledger that is missing is not mounted, unless a person says that there was none.
    let missing = World::at("https://api.doku.com", "");
    missing.reconfigure("[doku]\n", "[doku]\nenvironment = \"production\"\n");
    missing.run(&["ingest", "none-*.jsonl", "--allow-no-logs"]).expect(2).says(&["tagih ledger create"]);
    missing.run(&["ledger", "create"]).expect(0);
    missing.run(&["ingest", "none-*.jsonl", "--allow-no-logs"]).expect(0);
}
