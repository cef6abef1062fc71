//! `tagih install`: what it prints is what systemd and a shell take, and a night by its script does what it must.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::world::{Doku, Ran, World};

/// More than this is more exposed than a unit of ours may be.
const EXPOSURE_MAX: f64 = 1.5;

/// Units for `world`, in a folder of their own.
fn units(world: &World, folder: &str, more: &[&str]) -> Vec<std::path::PathBuf> {
    world.run(&[&["install", "systemd", "--out", folder], more].concat()).expect(0);
    let mut found: Vec<_> = fs::read_dir(world.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn units_and_timers_are_printed_for_every_job_with_restart_rules_and_a_way_to_hear_of_failures() {
    let world = World::at("http://127.0.0.1:1", "[serve]\nlog_dir = \"logs\"\nconnections_max = 5000\n");
    let units = units(&world, "units", &["--bills", "/srv/bills of today/50%.csv", "--textfiles", "/var/lib/node exporter"]);
    let names: Vec<&str> = units.iter().map(|path| name(path)).collect();
    let jobs = ["evidence", "ingest", "issue", "ledger-backup", "ledger-verify", "sync"];
    let mut wanted: Vec<String> = jobs.iter().flat_map(|job| ["service", "timer"].map(|kind| format!("tagih-{job}.{kind}"))).collect();
    wanted.extend(["tagih-serve.service".into(), "tagih-failed@.service".into()]);
    wanted.sort();
    assert_eq!(names, wanted);
    let text = |name: &str| fs::read_to_string(world.path("units").join(name)).unwrap();
    for service in names.iter().filter(|name| name.ends_with(".service") && !name.contains("failed")) {
        assert!(text(service).contains("OnFailure=tagih-failed@%n.service"), "{service}");
    }
    for timer in names.iter().filter(|name| name.rsplit_once('.').is_some_and(|(_, kind)| kind == "timer")) {
        assert!(text(timer).contains("Asia/Jakarta") && text(timer).contains("Persistent=true"), "{timer}");
    }
    let issue = text("tagih-issue.service");
    for line in [
        "Requires=tagih-ingest.service",
        "After=tagih-ingest.service",
        "Restart=on-failure",
        "RestartPreventExitStatus=1 2 4 6 7 8 9",
        "\"/srv/bills of today/50%%.csv\" --yes",
        "--metrics \"/var/lib/node exporter/tagih-issue.prom\"",
        "ReadWritePaths=-\"/var/lib/node exporter\"",
        "--quiet",
    ] {
        assert!(issue.contains(line), "{line} in {issue}");
    }
    assert!(text("tagih-ingest.service").contains("--allow-no-logs") && text("tagih-ingest.service").contains("PrivateNetwork=true"));
    let serve = text("tagih-serve.service");
    for line in
        ["Restart=always", "RestartPreventExitStatus=2 6 8", "ExecReload=/bin/kill -HUP $MAINPID", "TimeoutStopSec=40", "LimitNOFILE=8192"]
    {
        assert!(serve.contains(line), "{line} in {serve}");
    }
    // A heartbeat is told over the network.
    world.file("tagih.toml", fs::read_to_string(world.path("tagih.toml")).unwrap() + "[heartbeat]\nurl = \"https://hc.example/k\"\n");
    self::units(&world, "units", &[]);
    assert!(!text("tagih-ledger-verify.service").contains("PrivateNetwork=true"));
}

#[test]
fn systemd_takes_the_units_and_calls_none_of_them_exposed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("SKIPPED, AND WITH IT THE PROOF THAT THE UNITS ARE CONFINED: there is no `systemd-analyze` (apt-get install systemd)");
        return;
    }
    let world = World::at("http://127.0.0.1:1", "[serve]\nlog_dir = \"logs\"\n");
    let units = units(&world, "units", &["--textfiles", "/var/lib/prometheus/node-exporter"]);
    let output = Command::new("systemd-analyze")
        .arg("verify")
        .args(&units)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", world.path("units").display()))
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("tagih")).collect();
    assert!(output.status.success() && of_ours.is_empty(), "{said}");
    for unit in units.iter().filter(|unit| name(unit).ends_with(".service")) {
        let output = Command::new("systemd-analyze").args(["security", "--offline=true"]).arg(unit).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let exposure = said.lines().find_map(|line| line.split_once("Overall exposure level for")?.1.split_once(": ")?.1.split(' ').next());
        let exposure: f64 = exposure.unwrap_or_else(|| panic!("{said}")).parse().unwrap();
        assert!(exposure < EXPOSURE_MAX, "{}: {said}", unit.display());
    }
}

/// The night's script of `world`, with its bills.
fn night(world: &World, arguments: &[&str]) -> Ran {
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(world.path("")).arg(world.path("cron/tagih-night")).args(arguments);
    Ran::from(command.output().unwrap())
}

#[test]
fn a_night_by_the_script_is_silent_when_it_succeeds_and_ends_with_the_weightiest_code() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), "[serve]\nlog_dir = \"logs\"\n");
    let state = world.path("state").display().to_string();
    let bills = world.path("it's today.csv").display().to_string();
    let install = || world.run(&["install", "cron", "--out", "cron", "--state", &state, "--bills", &bills]).expect(0);
    install();
    assert_eq!(fs::metadata(world.path("cron/tagih-night")).unwrap().permissions().mode() & 0o777, 0o755);
    world.many("it's today.csv", "N", 2);
    world.issue("it's today.csv", &[]).expect(0);
    // No log was ever written: that is a night too.
    let ran = night(&world, &[]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert!(world.path("state/out/accepted.csv").exists());
    // What `issue` ends with counts, and `sync` runs all the same.
    world.bills("it's today.csv", &["N-0001,1.5,Budi,alfa,,,,,"]);
    night(&world, &[]).expect(1);
    // What `ingest` ends with counts, and nothing is sent after it.
    fs::create_dir(world.path("logs")).unwrap();
    world.file("logs/notifications-2026-11-01.jsonl", "no log\n".repeat(10));
    world.many("it's today.csv", "AFTER", 1);
    night(&world, &[]).expect(7);
    assert_eq!(doku.invoices(), ["N-0001", "N-0002"], "nothing was sent while payments may be missing");
    fs::remove_file(world.path("logs/notifications-2026-11-01.jsonl")).unwrap();
    // What `sync` ends with counts: its lock is held by another sender, which makes both end so.
    let lock = fs::File::options().write(true).open(world.path("tagih.ledger.lock")).unwrap();
    lock.lock().unwrap();
    night(&world, &[]).expect(6);
    drop(lock);
    let crontab = fs::read_to_string(world.path("cron/tagih")).unwrap();
    for line in crontab.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        assert!(line.split_whitespace().nth(5) == Some("tagih") && !line.contains('%'), "{line}");
    }
}

#[test]
fn a_backup_into_a_folder_is_named_by_the_time() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "B", 1);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["ledger", "backup", "copies/"]).expect(0);
    let copies: Vec<String> =
        fs::read_dir(world.path("copies")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(copies.len() == 1 && copies[0].starts_with("ledger-20") && copies[0].ends_with('Z'), "{copies:?}");
}
