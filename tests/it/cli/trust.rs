//! What a person with a keyboard on this machine, and a stranger on the network, must not get through (docs/security.md).

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::month_end::period::Books;
use crate::support::world::{Doku, Ran, SECRET, World};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_ours_is_for_us_alone_whatever_the_umask_says() {
    let (doku, place) = (Doku::process(), tempfile::tempdir().unwrap());
    let world = World::of(&doku);
    world.many("bills.csv", "A", 1);
    let open = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_tagih"), "--config"]).arg(world.path("tagih.toml"));
        command.args(arguments).current_dir(world.path(".")).env_clear().stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    };
    open(&["issue", "bills.csv", "--out", "out/a"]).expect(0);
    open(&["ledger", "backup", place.path().join("copy.ledger").to_str().unwrap()]).expect(0);
    for private in [world.path("tagih.ledger"), world.path("tagih.ledger.lock"), place.path().join("copy.ledger")] {
        assert_eq!(mode(&private), 0o600, "{}", private.display());
    }
    for shared in ["out", "out/a", "out/a/accepted.csv"] {
        assert_eq!(mode(&world.path(shared)) & 0o022, 0, "{shared}");
    }
}

#[test]
fn a_link_in_the_place_of_a_lock_or_a_log_is_refused() {
    let world = World::at("http://127.0.0.1:1", "[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"logs\"\n");
    world.many("bills.csv", "A", 1);
    world.run(&["issue", "bills.csv", "--out", "out", "--new-ledger", "--max-duration", "0s"]);
    let victim = world.file("victim", "precious");
    fs::create_dir(world.path("logs")).unwrap();
    for (name, command) in [
        ("tagih.ledger.lock", &["issue", "bills.csv", "--out", "out"][..]),
        ("logs/.lock", &["serve"]),
        ("tagih.journal", &["discrepancies", "list"]),
    ] {
        drop(fs::remove_file(world.path(name)));
        std::os::unix::fs::symlink(&victim, world.path(name)).unwrap();
        world.run(command).expect(9).says(&["symbolic link"]);
        fs::remove_file(world.path(name)).unwrap();
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
}

#[test]
fn root_writes_nothing_where_others_decide_what_a_name_leads_to_and_leaves_nothing_there() {
    let world = World::at("http://127.0.0.1:1", "");
    let theirs = world.path("theirs");
    fs::create_dir(&theirs).unwrap();
    if std::os::unix::fs::chown(&theirs, Some(1001), Some(1001)).is_err() {
        // Nobody but root is led anywhere by it.
        return;
    }
    std::os::unix::fs::symlink("theirs", world.path("link")).unwrap();
    world.many("bills.csv", "A", 1);
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,77,alfa,10000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    for place in ["theirs", "theirs/new", "link/new"] {
        let file = |name: &str| format!("{place}/{name}");
        world.run(&["issue", "bills.csv", "--dry-run", "--out", place]).expect(9).says(&["root does not write", "theirs", "sudo -u"]);
        world.run(&["check", "bills.csv", "--out", place]).expect(9).says(&["root does not write"]);
        world.run(&["ledger", "backup", &file("copy.ledger")]).expect(9).says(&["root does not write"]);
        world.run(&["ledger", "backup", &file("")]).expect(9).says(&["root does not write"]);
        world.run(&["init", &file("tagih.toml")]).expect(2).says(&["root does not write"]);
        world.run(&["man", place]).expect(9).says(&["root does not write"]);
        world.run(&["ledger", "verify", "--head-file", &file("head")]).expect(9).says(&["root does not write"]);
    }
    // What is opened for long: through their folder, and through a link of theirs that leads to what is root's.
    world.file("victim", "precious");
    fs::create_dir(world.path("roots")).unwrap();
    world.run(&["ledger", "backup", "roots/there.ledger"]).expect(0);
    for (to, name) in [("victim", "to_file"), ("roots", "to_folder"), ("roots/there.ledger", "to_ledger")] {
        std::os::unix::fs::symlink(world.path(to), theirs.join(name)).unwrap();
        std::os::unix::fs::lchown(theirs.join(name), Some(1001), Some(1001)).unwrap();
    }
    let entries = || [&theirs, &world.path("roots")].map(|folder| fs::read_dir(folder).unwrap().count());
    let before = entries();
    for name in ["new", "to_file", "to_folder/new", "to_ledger", "to_folder/there.ledger"] {
        let path = theirs.join(name).display().to_string();
        let refused = |setting: &str, arguments: &[&str]| {
            let ran = world.run_with(&[(setting, &path)], arguments).expect(9);
            assert!(
                ran.stderr.contains("root does not write") && ran.stderr.contains("sudo -u"),
                "{setting} {path} {arguments:?}: {ran:?}"
            );
        };
        refused("TAGIH_JOURNAL_PATH", &["discrepancies", "four-eyes", "on", "--by", "Sari", "--reason", "x"]);
        refused("TAGIH_SERVE_LOG_DIR", &["serve", "--listen", "127.0.0.1:0"]);
        refused("TAGIH_LEDGER_PATH", &["issue", "bills.csv", "--new-ledger", "--out", "ours/issued"]);
        refused("UNUSED", &["sandbox", "--listen", "127.0.0.1:0", "--record", &path]);
        refused("UNUSED", &["sandbox", "--listen", "127.0.0.1:0", "--notification-log", &path]);
    }
    assert_eq!((entries(), fs::read_to_string(world.path("victim")).unwrap().as_str()), (before, "precious"));
    world.run(&["issue", "bills.csv", "--dry-run", "--out", "ours/new"]).expect(0);
}

#[test]
fn root_reads_the_ledger_of_a_service_and_changes_nothing_of_it() {
    let world = World::at("http://127.0.0.1:1", "");
    world.many("bills.csv", "A", 1);
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,77,alfa,10000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    fs::create_dir(world.path("service")).unwrap();
    world.run(&["ledger", "backup", "service/tagih.ledger"]).expect(0);
    let ledger = world.path("service/tagih.ledger");
    for path in [&ledger, &world.path("service")] {
        if std::os::unix::fs::chown(path, Some(1001), Some(1001)).is_err() {
            return;
        }
    }
    let variables = [("TAGIH_LEDGER_PATH", ledger.to_str().unwrap())];
    for arguments in [&["status"][..], &["why", "A"], &["ledger", "export"], &["issue", "bills.csv", "--dry-run", "--out", "out"]] {
        world.run_with(&variables, arguments).expect(0);
    }
    let bytes = fs::read(&ledger).unwrap();
    for arguments in [&["sync"][..], &["issue", "bills.csv", "--out", "out"], &["ledger", "purge", "--before", "2026-01-01"]] {
        world.run_with(&variables, arguments).expect(9).says(&["root does not write", "sudo -u"]);
    }
    assert_eq!(fs::read(&ledger).unwrap(), bytes);
    assert!(!world.path("service/tagih.ledger.lock").exists() && !world.path("service/tagih.ledger.runs").exists());
}

#[test]
fn no_command_prints_what_acts_on_a_terminal() {
    let world = World::at("http://127.0.0.1:1", "");
    let esc = "ev\u{1b}[31mil\u{1b}]0;x\u{7}";
    fs::write(world.path(&format!("{esc}.csv")), "invoice_number,amount\nA,x\n").unwrap();
    let (file, absent) = (format!("{esc}.csv"), format!("absent{esc}"));
    for arguments in [
        &["check", &file][..],
        &["issue", &file, "--dry-run"],
        &["issue", &absent],
        &["ingest", &absent],
        &["reconcile", "--period", "2026-10", "--notifications", &absent, "--out", &absent],
        &["why", &absent],
        &["explain", &absent],
        &["period", "close", &absent, "--report", &absent, "--reason", "x"],
        &["discrepancies", "take", &absent],
        &["ledger", "backup", &absent],
        &["cancel", &absent],
        &[esc],
        &["init", &absent],
        &["issue", &file, "--layout", &absent],
        &["resolve", &absent, "--as", "done", "--reason", "x"],
    ] {
        let ran = world.run(arguments);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}']) && !ran.stderr.contains(['\u{1b}', '\u{7}']), "{arguments:?}: {ran:#?}");
    }
    let ran = Ran::from(crate::support::world::program().args(["status", "--config", &absent]).output().unwrap()).expect(2);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
}

#[test]
fn the_ends_of_every_number_of_reconcile_end_no_run() {
    let books = Books::new("[reconcile]\nexpired_break_days = 60\n");
    books.august();
    let mut before = "expired_break_days = 60".to_owned();
    for (key, ends) in [
        ("tolerance_rupiah", [0_i64, 999_999_999_999]),
        ("expiry_grace_minutes", [0, 525_600]),
        ("skew_minutes", [0, 525_600]),
        ("late_evidence_hours", [0, 87_840]),
        ("expired_break_days", [0, 3_660]),
        ("status_grace_hours", [0, 87_840]),
        ("malformed_lines_max_percent", [0, 100]),
    ] {
        for end in ends {
            let now = format!("{key} = {end}");
            books.world.reconfigure(&before, &now);
            books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
            before = now;
        }
        for beyond in [i64::MIN, -1, i64::MAX] {
            let now = format!("{key} = {beyond}");
            books.world.reconfigure(&before, &now);
            books.world.run(&["status"]).expect(2).says(&[key, "must be"]);
            before = now;
        }
    }
}

#[test]
fn four_eyes_are_not_turned_off_by_a_variable() {
    let books = Books::new("[discrepancies]\nfour_eyes = true\n");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let off = [("TAGIH_DISCREPANCIES_FOUR_EYES", "false"), ("SUDO_UID", "1001")];
    let close = ["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reviewed-by", "Budi", "--reason", "r"];
    books.world.run(&close).expect(2).says(&["E0855"]);
    books.world.run_with(&off, &close).expect(2).says(&["E0855"]);
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let take = |by: &str| books.world.run(&["discrepancies", "take", "2026-08", "--by", by]).expect(0);
    take("Sari");
    let id = books.world.column("2026-08/discrepancies.csv", "discrepancy_id")[0].clone();
    let decided = |variables: &[(&str, &str)], by: &str| {
        books.world.run_with(variables, &["discrepancies", "accept", &id, "--by", by, "--reason", "r"])
    };
    assert!(decided(&off, "Sari").expect(0).stdout.contains("another person approves"));
    let turn_off = |uid: &str, by: &str| {
        books.world.run_with(&[("SUDO_UID", uid)], &["discrepancies", "four-eyes", "off", "--by", by, "--reason", "r"])
    };
    turn_off("1001", "Sari").expect(0);
    turn_off("1001", "Budi").expect(2).says(&["E0855"]);
    assert!(turn_off("1002", "Budi").expect(0).stdout.contains("alone from now on"));
    for by in ["Sari\u{200b}", "S\u{430}ri", "\u{202e}iraS"] {
        decided(&[], by).expect(2).says(&["E0809"]);
    }
}

#[test]
fn the_environment_does_not_say_whose_certificates_vouch_for_doku() {
    let world = World::at("https://127.0.0.1:9", "");
    world.many("bills.csv", "A", 1);
    let pem = world.file("roots.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let issue = ["issue", "bills.csv", "--out", "out"];
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let ran = world.run_with(&[(name, pem.to_str().unwrap())], &issue).expect(2);
        ran.says(&[name, "doku.root_certificates_file"]);
    }
    let named = |name: &str| format!("secret_file = \"secret\"\nroot_certificates_file = \"{name}\"");
    world.reconfigure(&format!("secret_file = \"{}\"", world.path("secret").display()), &named("none.pem"));
    world.run(&issue).expect(2).says(&["doku.root_certificates_file", "none.pem"]);
    world.reconfigure("none.pem", "tagih.toml");
    world.run(&issue).expect(2).says(&["holds no certificate"]);
    let shown = world.run(&["config", "show"]).expect(0).stdout;
    assert!(shown.contains("root_certificates_file = \""), "{shown}");
}

#[test]
fn an_older_copy_of_the_ledger_is_found_by_the_head_of_last_night() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "H", 1);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["ledger", "backup", "older"]).expect(0);
    let nightly = || world.run(&["ledger", "verify", "--head-file", "night.head"]);
    nightly().expect(0).says(&["no head was kept"]);
    world.many("bills.csv", "H", 2);
    world.issue("bills.csv", &[]).expect(0);
    let first = fs::read_to_string(world.path("night.head")).unwrap();
    assert!(!nightly().expect(0).stderr.contains("no head was kept"));
    let second = fs::read_to_string(world.path("night.head")).unwrap();
    assert_ne!(first, second);
    for log in ["tagih.ledger-wal", "tagih.ledger-shm"] {
        drop(fs::remove_file(world.path(log)));
    }
    fs::copy(world.path("older"), world.path("tagih.ledger")).unwrap();
    nightly().expect(8).says(&["this is an older copy"]);
    assert_eq!(fs::read_to_string(world.path("night.head")).unwrap(), second, "what was kept stays until the ledger holds against it");
    world.file("night.head", "meddled with");
    nightly().expect(2).says(&["holds no head"]);
}

#[test]
fn nothing_in_a_ledger_tells_which_of_a_list_of_names_was_purged() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "P", 2);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["cancel", "bills.csv", "--yes", "--out", "cancelled"]).expect(0);
    world.run(&["ledger", "verify"]).expect(0);
    let purged = world.run(&["ledger", "purge", "--before", "2100-01-01"]).expect(0).says(&["backups"]).stdout;
    assert_eq!(purged, "purged 2 customers and 4 request bodies\n");
    world.run(&["ledger", "verify"]).expect(0);
    for file in ["tagih.ledger", "tagih.ledger-wal"] {
        let bytes = fs::read(world.path(file)).unwrap_or_default();
        assert!(!bytes.windows(4).any(|part| part == b"Budi"), "{file} still holds the name");
    }
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    assert!(exported.lines().any(|line| line.contains("\"kind\":\"purge\"")), "{exported}");
    // Whoever knows a bill and has a list of names can write down its requests, name by name, and so their digests.
    let digests: Vec<String> = doku.calls().iter().map(|call| call["body_digest"].as_str().unwrap().to_owned()).collect();
    assert_eq!(digests.len(), 4);
    assert!(digests.iter().all(|digest| !exported.contains(digest)), "the digest of a request's bytes stands for a name");
    // And so the ids of requests, where these follow from their bytes alone.
    let other = World::of(&doku);
    other.file("secret", "SK-another-merchants-key-of-24");
    let ids = |world: &World| {
        let plan = world.run(&["ledger", "export"]).expect(0).stdout;
        let events = plan.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events.filter_map(|event| event["event"]["request_id"].as_str().map(str::to_owned)).collect::<std::collections::BTreeSet<_>>()
    };
    other.many("bills.csv", "P", 2);
    // The key is not DOKU's, so nothing is issued; what was intended is in the ledger all the same.
    other.issue("bills.csv", &[]);
    assert!(!ids(&other).is_empty() && ids(&other).is_disjoint(&ids(&world)), "ids that a list of names leads to");
}

#[test]
fn a_request_that_somebody_has_edited_is_not_sent_again() {
    // Whoever is asked takes the request and never answers: the code is in doubt.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let heard = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let written = std::sync::Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            stream.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
            let (mut all, mut piece) = (Vec::new(), [0; 4096]);
            while let Ok(count) = std::io::Read::read(&mut stream, &mut piece)
                && count > 0
            {
                all.extend_from_slice(&piece[..count]);
            }
            written.lock().unwrap().push(String::from_utf8_lossy(&all).into_owned());
        }
    });
    let world = World::at(&base_url, "");
    world.file("bills.csv", "invoice_number,amount,customer_name,channel\nA,433000,Budi,alfa\n");
    let issue = ["issue", "bills.csv", "--out", "out", "--max-duration", "3s"];
    world.run(&issue).expect(3);
    assert!(heard.lock().unwrap().iter().any(|request| request.contains("433000")), "it was asked");
    heard.lock().unwrap().clear();
    let ledger = rusqlite::Connection::open(world.path("tagih.ledger")).unwrap();
    let edited = ledger.execute("UPDATE bodies SET body = CAST(replace(CAST(body AS TEXT), '433000', '1') AS BLOB)", []).unwrap();
    assert_eq!(edited, 1);
    drop(ledger);
    world.run(&issue).expect(8).says(&["is not the one its event names"]);
    world.run(&["sync"]).expect(8);
    let heard = heard.lock().unwrap();
    assert!(!heard.iter().any(|request| request.starts_with("POST")), "{heard:?}");
}

#[test]
fn nobody_reads_the_memory_of_a_process_that_has_a_key_and_no_core_dump_has_it() {
    const NOBODY: u32 = 65_534;
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_tagih"), "sandbox", "--listen", "127.0.0.1:0"]);
    command.current_dir("/").env_clear().envs([("TAGIH_DOKU_CLIENT_ID", "MCH-1"), ("TAGIH_DOKU_SECRET", SECRET)]);
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        // Root reads everything; so it is seen by whose the memory is.
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("listening"), "{line}");
    for part in ["environ", "mem", "maps"] {
        let path = format!("/proc/{}/{part}", child.id());
        assert!(if is_root { fs::metadata(&path).unwrap().uid() == 0 } else { fs::File::open(&path).is_err() }, "{part}");
    }
    let id = child.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -ABRT $0", &id]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
}
