//! What an operator ran into once: full disks, closed pipes, media that are read only, pipes without writers, what killed runs leave.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::world::{Ran, World};

/// An account that owns nothing.
const NOBODY: u32 = 65_534;

/// A ledger with many adopted codes.
fn large() -> World {
    adopted(3_000)
}

fn adopted(count: u32) -> World {
    let world = World::at("http://127.0.0.1:1", "");
    let rows: Vec<String> = (0..count).map(|n| format!("A-{n:05},88965{n:08},alfa,{},2026-11-02\n", 1_000 + n)).collect();
    world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,created_at\n{}", rows.concat()));
    world.file("log.jsonl", "");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger", "--quiet"]).expect(0);
    world
}

/// Runs it by a shell that does something first.
fn after(world: &World, first: &str, arguments: &[&str]) -> Ran {
    let inner = world.command(arguments);
    let mut command = Command::new("/bin/sh");
    command.env_clear().current_dir(world.path("")).stdin(Stdio::null());
    command.args(["-c", &format!("{first}; exec \"$0\" \"$@\"")]).arg(inner.get_program()).args(inner.get_args());
    Ran::from(command.output().unwrap())
}

/// Names of what drafts are called, wherever a run may leave them.
fn drafts(world: &World, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(world.path(folder)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|name| name.starts_with(".tagih-")).collect()
}

#[test]
fn a_disk_that_is_full_or_a_file_that_may_not_grow_is_nine_whatever_is_being_written() {
    let world = large();
    let report = ["reconcile", "--period", "2026-11", "--as-of", "2026-12-02T00:00:00Z", "--notifications", "log.jsonl", "--out", "report"];
    // In blocks of 512 bytes: the first files, the rows that wait for the workbook, the workbook.
    for blocks in [200, 800, 1_200, 1_600, 2_000] {
        let ran = after(&world, &format!("ulimit -f {blocks}"), &report);
        if ran.code != 0 && ran.code != 1 {
            ran.expect(9);
        }
        assert_eq!(drafts(&world, "report"), Vec::<String>::new(), "{blocks}");
    }
    after(&world, "ulimit -f 800", &report).expect(9);
    let full = after(&world, "ulimit -f 64", &["ledger", "backup", "copy.ledger"]).expect(9);
    assert!(full.stderr.contains("hint: "), "{full:?}");
}

#[test]
fn who_has_seen_enough_of_an_export_is_no_fault_of_the_disk() {
    let world = large();
    let mut child = world.command(&["ledger", "export"]).spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"sequence\":1"), "{first}");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_backup_that_nobody_can_write_beside_is_verified_and_read_where_it_lies() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,8896500000000001,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    fs::create_dir(world.path("medium 1")).unwrap();
    world.run(&["ledger", "backup", "medium 1/copy.ledger"]).expect(0);
    let copy = world.path("medium 1/copy.ledger");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(world.path("medium 1"), fs::Permissions::from_mode(0o500)).unwrap();
    // Root could write all the same.
    let is_root = fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0);
    if is_root {
        fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        for path in ["", "medium 1", "medium 1/copy.ledger", "secret", "tagih.toml"] {
            chown(world.path(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    for arguments in [&["ledger", "verify"][..], &["status"], &["why", "A"], &["ledger", "export"]] {
        let mut command = world.command(arguments);
        command.env("TAGIH_LEDGER_PATH", &copy);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        Ran::from(command.output().unwrap()).expect(0);
    }
    assert_eq!(fs::read_dir(world.path("medium 1")).unwrap().count(), 1);
    fs::set_permissions(world.path("medium 1"), fs::Permissions::from_mode(0o700)).unwrap();
}

/// Whoever names a folder names what lies in it.
#[test]
fn a_pipe_in_the_place_of_any_file_of_a_report_is_refused_and_not_waited_for() {
    let world = adopted(1);
    world.run(&["reconcile", "--period", "2026-11", "--notifications", "log.jsonl", "--out", "report"]).expect(0);
    let is_of = |file: &str, kind: &str| Path::new(file).extension().is_some_and(|extension| extension == kind);
    // The first few read more of a report than what it says of itself.
    let commands: [&[&str]; 9] = [
        &["reconcile", "--period", "2026-12", "--notifications", "log.jsonl", "--opening", "report", "--out", "next"],
        &["audit-kit", "--report", "report", "--out", "kit"],
        &["discrepancies", "list", "--report", "report"],
        &["reconcile", "--period", "2026-12", "--notifications", "log.jsonl", "--carry-in", "report", "--out", "next"],
        &["why", "A-00000", "--report", "report"],
        &["discrepancies", "entries", "--report", "report", "--out", "entries.csv", "--by", "ani"],
        &["discrepancies", "take", "report", "--by", "ani"],
        &["period", "propose", "2026-11", "--report", "report", "--by", "ani", "--reason", "r"],
        &["period", "close", "2026-11", "--report", "report", "--by", "ani", "--reason", "r"],
    ];
    let mut files = vec!["carry/carry.json".to_owned()];
    files.extend(fs::read_dir(world.path("report")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    for file in files.iter().filter(|file| *file != "carry" && !is_of(file, "lock")) {
        let (place, kept) = (world.path("report").join(file), world.path("kept"));
        fs::rename(&place, &kept).unwrap();
        assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
        let count = if is_of(file, "json") { commands.len() } else { 3 };
        for arguments in &commands[..count] {
            let inner = world.command(arguments);
            let mut command = Command::new("timeout");
            command.env_clear().current_dir(world.path("")).arg("30").arg(inner.get_program()).args(inner.get_args());
            let ran = Ran::from(command.output().unwrap());
            assert_ne!(ran.code, 124, "{arguments:?} waits for {file}");
            let is_said = ran.code != 0 && ran.stderr.contains("no regular file");
            assert!(file != "summary.json" || is_said, "{arguments:?} without {file}: {ran:?}");
        }
        fs::remove_file(&place).unwrap();
        fs::rename(&kept, &place).unwrap();
    }
}

#[test]
fn a_pipe_that_nobody_writes_into_is_refused_and_not_waited_for() {
    let world = World::at("http://127.0.0.1:1", "");
    assert!(Command::new("mkfifo").arg(world.path("pipe")).status().unwrap().success());
    let pipe = world.path("pipe").display().to_string();
    for (arguments, code) in [
        (&["check", "pipe"][..], 7),
        (&["issue", "pipe", "--dry-run"], 7),
        (&["issue", "--plan", "pipe", "--yes"], 2),
        (&["ledger", "import", "pipe"], 7),
        (&["ingest", "pipe"], 7),
        (&["--config", &pipe, "status"], 2),
    ] {
        let inner = if arguments[0] == "--config" {
            let mut command = crate::support::world::program();
            command.current_dir(world.path("")).args(arguments);
            command
        } else {
            world.command(arguments)
        };
        let mut command = Command::new("timeout");
        command.env_clear().current_dir(world.path("")).arg("20").arg(inner.get_program()).args(inner.get_args());
        let ran = Ran::from(command.output().unwrap()).expect(code);
        assert!(ran.stderr.contains("pipe"), "{arguments:?}: {ran:?}");
    }
    // One that somebody writes into is a file like any other.
    let shell = format!(
        "{} --config tagih.toml check <(printf 'invoice_number,amount,customer_name,channel\\nA,1000,Budi,alfa\\n')",
        env!("CARGO_BIN_EXE_tagih")
    );
    if let Ok(output) = Command::new("bash").env_clear().current_dir(world.path("")).args(["-c", &shell]).output() {
        assert!(Ran::from(output).expect(0).stdout.contains("1 rows: 1 valid"));
    }
}

#[test]
fn what_a_killed_run_left_half_written_is_removed_by_the_next() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,8896500000000001,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    world.file("log.jsonl", "");
    fs::create_dir(world.path("report")).unwrap();
    let left = world.file("report/.tagih-AbCdEf", "half of a report");
    let long_ago = fs::metadata(&left).unwrap().modified().unwrap() - Duration::from_hours(1);
    fs::File::options().write(true).open(&left).unwrap().set_modified(long_ago).unwrap();
    let report = ["reconcile", "--period", "2026-11", "--as-of", "2026-12-02T00:00:00Z", "--notifications", "log.jsonl", "--out", "report"];
    world.run(&report).expect(0);
    assert_eq!(drafts(&world, "report"), Vec::<String>::new());
}

#[test]
fn standard_input_is_kept_where_nobody_else_finds_it() {
    let world = World::at("http://127.0.0.1:1", "");
    fs::create_dir(world.path("tmp")).unwrap();
    let mut command = world.command(&["check", "-", "--out", "checked"]);
    let mut child = command.env("TMPDIR", world.path("tmp")).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"invoice_number,amount,customer_name,channel\nA,1.5,Budi,alfa\nB,1000,Siti,alfa\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 0, "no name while it is read");
    drop(input);
    let ran = Ran::of(child).expect(1);
    assert!(ran.stdout.contains("2 rows: 1 valid"), "{ran:?}");
}

#[test]
fn a_time_that_nothing_can_be_of_is_refused_wherever_one_is_named() {
    let world = World::at("http://127.0.0.1:1", "");
    let reconcile = ["reconcile", "--notifications", "none.jsonl", "--out", "report"];
    let years = "of the years 2000 to 2199";
    for more in [
        &["--period", "0001-01"][..],
        &["--period", "9999-12"],
        &["--from", "0001-01-01", "--to", "2026-10-31"],
        &["--from", "2026-10-01", "--to", "9999-12-31"],
        &["--period", "2026-10", "--as-of", "0000-01-01T00:00:00Z"],
        &["--period", "2026-10", "--evidence", "store", "--evidence-from", "0001-01-01"],
        &["--period", "2026-10", "--evidence", "store", "--evidence-to", "9999-12-31"],
    ] {
        world.run(&[&reconcile[..], more].concat()).expect(2).says(&[years]);
    }
    world.run(&["why", "I-1", "--as-of", "9999-12-30T00:00:00Z"]).expect(2).says(&[years]);
    world.run(&["ledger", "purge", "--before", "0001-01-01"]).expect(2).says(&[years]);
    let decided = ["discrepancies", "accept", "D-1", "--reason", "so", "--by", "Siti", "--effective", "0001-01-01"];
    world.run(&decided).expect(2).says(&[years]);
    let revoked = ["keys", "revoke", "present", "--reason", "so", "--by", "Siti", "--received-after", "0000-01-01T00:00:00Z"];
    world.run(&revoked).expect(2).says(&[years]);
    for until in ["0000-01-01", "9999-12-31", "0001-01-01T00:00:00Z"] {
        world.run_with(&[("TAGIH_DOKU_PREVIOUS_UNTIL", until)], &["status"]).expect(2).says(&["previous_until", "2000 to 2199"]);
    }
    world.reconfigure("[ledger]", "[settlement]\nholidays = [\"0001-01-01\"]\n[ledger]");
    world.run(&["status"]).expect(2).says(&["holidays", "0001-01-01", years]);
}
