//! `tagih evidence`: what is added, found changed, killed in between, damaged and kept no longer; and evidence made to do harm.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::evidence::logs::{counted, gzip, ledger_of, paid};
use crate::reconcile::ours::{classes, line, summary};
use crate::support::world::{CLIENT, Ran, World, until};

const OUT: [&str; 6] = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-03T00:00:00Z", "--out"];

fn world(more: &str) -> World {
    let world = World::at("http://127.0.0.1:1", more);
    ledger_of(&world);
    world
}

fn text(numbers: &[usize]) -> String {
    numbers.iter().map(|number| paid(*number) + "\n").collect()
}

fn added(ran: &Ran) -> Vec<(String, u64)> {
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let logs = found["logs"].as_array().unwrap().iter();
    logs.map(|log| (log["what"].as_str().unwrap().to_owned(), log["messages"].as_u64().unwrap())).collect()
}

/// Every file of the store.
fn files(store: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![store.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn logs_are_added_once_and_what_became_of_each_is_said() {
    let world = world("");
    let add = |names: &[&str]| world.run(&[&["evidence", "add", "--store", "store", "--json"], names].concat());
    world.file("day.jsonl", text(&[1]));
    assert_eq!(added(&add(&["day.jsonl"]).expect(0)), [("new".to_owned(), 1)]);
    assert_eq!(added(&add(&["day.jsonl"]).expect(0)), [("known".to_owned(), 0)]);
    world.file("day.jsonl.gz", gzip(&text(&[1])));
    assert_eq!(added(&add(&["day.jsonl.gz"]).expect(0)), [("known".to_owned(), 0)], "the same lines under another name");
    world.file("day.jsonl", text(&[1, 2]));
    assert_eq!(added(&add(&["day.jsonl"]).expect(0)), [("grown".to_owned(), 1)]);
    // Another host's log of the same name, and one that was put away.
    world.file("day.jsonl", text(&[3]));
    assert_eq!(added(&add(&["day.jsonl"]).expect(0).says(&["note: `day.jsonl` has no line"])), [("renewed".to_owned(), 1)]);
    let before = files(&world.path("store"));
    world.file("day.jsonl", text(&[1]));
    assert_eq!(added(&add(&["day.jsonl"]).expect(7).says(&["E0714", "`day.jsonl` has lost its end"])), [("cut".to_owned(), 0)]);
    world.file("day.jsonl", text(&[1]) + &text(&[2]).replace("1000", "9000"));
    assert_eq!(added(&add(&["day.jsonl"]).expect(7).says(&["E0714", "another line 2"])), [("changed".to_owned(), 0)]);
    assert_eq!(files(&world.path("store")), before, "what is changed leaves the store as it was");
    world.run(&["evidence", "verify", "--store", "store"]).expect(0).says(&[]);
    let listed = world.run(&["evidence", "list", "--store", "store"]).expect(0);
    assert!(listed.stdout.contains("day.jsonl: 2 messages, 2026-10-15 to 2026-10-15, key "), "{listed:?}");
    // It is what the logs were.
    world.run(&[&OUT[..], &["report", "--evidence", "store"]].concat()).expect(0);
    let summary = summary(&world.path("report"));
    assert_eq!((classes(&summary, "lines"), classes(&summary, "payments")), ("N00x3".to_owned(), "P00x3".to_owned()));
    let ran = world.run(&["ingest", "--evidence", "store", "--json"]).expect(0);
    assert_eq!(counted(&ran)[..2], [3, 0]);
    let why = world.run(&["why", "I-2", "--evidence", "store"]).expect(0);
    assert!(why.stdout.contains("P00"), "{why:?}");
}

#[test]
fn what_cannot_be_used_is_named_with_its_code() {
    let world = world("");
    world.file("day.jsonl", text(&[1]));
    world.run(&["evidence", "add", "day.jsonl"]).expect(2).says(&["--store", "evidence.store"]);
    world.run(&[&OUT[..], &["report", "--evidence", "none"]].concat()).expect(7).says(&["E0715", "none"]);
    world.run(&["evidence", "verify", "--store", "none"]).expect(7).says(&["E0715"]);
    world.run(&["evidence", "add", "day.jsonl", "--store", "store"]).expect(0);
    let other = [("TAGIH_DOKU_CLIENT_ID", "MCH-OTHER")];
    world.run_with(&other, &["evidence", "list", "--store", "store"]).expect(2).says(&["E0717", CLIENT, "MCH-OTHER"]);
    let sealed = [("TAGIH_LEDGER_SEAL_KEY", "0123456789abcdef0123456789abcdef")];
    world.run_with(&sealed, &["evidence", "add", "day.jsonl", "--store", "store"]).expect(2).says(&["E0717", "without a key"]);
    world.run_with(&sealed, &["evidence", "add", "day.jsonl", "--store", "sealed"]).expect(0);
    world.run(&["evidence", "verify", "--store", "sealed"]).expect(2).says(&["E0717", "sealed with the key"]);
    // Without a seal, whoever could write it would be believed.
    let mode = |mode| fs::set_permissions(world.path("store"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    for command in [&["evidence", "list", "--store", "store"][..], &["ingest", "--evidence", "store"]] {
        world.run(command).expect(2).says(&["E0717", "others can write", "chmod go-w"]);
    }
    mode(0o700);
    let lock = fs::File::open(world.path("store/.lock")).unwrap();
    lock.lock().unwrap();
    world.run(&["evidence", "add", "day.jsonl", "--store", "store"]).expect(6).says(&["E0718"]);
    world.run(&["evidence", "list", "--store", "store"]).expect(0);
}

#[test]
fn a_log_that_grows_within_a_split_message_loses_nothing() {
    let world = world("");
    let piece = |text: &str| serde_json::json!({"log": text, "stream": "stdout", "time": "2026-10-15T05:00:00Z"}).to_string() + "\n";
    let split = |number: usize| {
        let line = paid(number);
        let (head, tail) = line.split_at(line.len() / 2);
        [piece(head), piece(&format!("{tail}\n"))]
    };
    let pieces: Vec<String> = [1, 2, 3].into_iter().flat_map(split).collect();
    for cut in 1..pieces.len() {
        for steps in [vec![cut, pieces.len()], vec![cut, cut + 1, pieces.len()]] {
            drop(fs::remove_dir_all(world.path("store")));
            for count in steps {
                world.file("docker.log", pieces[..count].concat());
                // Mostly pieces at first, it may be called malformed.
                world.run(&["evidence", "add", "docker.log", "--store", "store"]);
            }
            world.run(&["evidence", "verify", "--store", "store"]).expect(0);
            world.run(&[&OUT[..], &["report", "--evidence", "store"]].concat()).expect(0);
            let summary = summary(&world.path("report"));
            assert_eq!((classes(&summary, "lines"), classes(&summary, "payments")), ("N00x3".to_owned(), "P00x3".to_owned()), "{cut}");
        }
    }
}

#[test]
fn copies_beside_the_store_count_as_they_do_without_it() {
    let world = world("");
    for name in ["one.jsonl", "two.jsonl"] {
        world.file(name, text(&[1, 2, 3]));
    }
    world.run(&["evidence", "add", "one.jsonl", "--store", "store"]).expect(0);
    let both = ["--notifications", "one.jsonl", "--notifications", "two.jsonl"];
    let logs = world.run(&[&OUT[..], &["logs"], &both].concat());
    let store = world.run(&[&OUT[..], &["report", "--evidence", "store"], &both].concat()).expect(logs.code);
    let lines = |folder: &str| (classes(&summary(&world.path(folder)), "lines"), classes(&summary(&world.path(folder)), "payments"));
    assert_eq!(lines("report"), lines("logs"), "{store:?}");
}

#[test]
fn every_flipped_byte_and_every_file_that_is_missing_added_or_put_back_is_found() {
    let world = world("[evidence]\nstore = \"store\"\nkeep_raw = true\n");
    world.file("day.jsonl", text(&[1, 2]));
    world.run(&["evidence", "add", "day.jsonl"]).expect(0);
    let verify = |more: &[&str]| world.run(&[&["evidence", "verify"], more].concat());
    verify(&["--head-file", "head"]).expect(0);
    let older: Vec<(PathBuf, Vec<u8>)> =
        files(&world.path("store")).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    assert_eq!(older.len(), 4, "list, lock, lines and the lines themselves");
    for (path, bytes) in older.iter().filter(|(path, _)| !path.ends_with(".lock")) {
        for at in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            fs::write(path, flipped).unwrap();
            let found = verify(&[]);
            assert!([2, 8].contains(&found.code), "{} {at}: {found:?}", path.display());
            let ran = world.run(&[&OUT[..], &["report", "--evidence", "store"]].concat());
            assert!([2, 8].contains(&ran.code) || path.starts_with(world.path("store/raw")), "{} {at}: {ran:?}", path.display());
        }
        fs::remove_file(path).unwrap();
        assert!([7, 8].contains(&verify(&[]).code), "{}", path.display());
        fs::write(path, bytes).unwrap();
    }
    let part = older.iter().find(|(path, _)| path.ends_with("000001-1.parquet")).unwrap();
    let beside = part.0.with_file_name("000002-1.parquet");
    fs::write(&beside, &part.1).unwrap();
    verify(&[]).expect(8).says(&["E0716", "000002-1.parquet", "is no file of the store's"]);
    fs::remove_file(&beside).unwrap();
    world.file("more.jsonl", text(&[3]));
    world.run(&["evidence", "add", "more.jsonl"]).expect(0);
    verify(&["--head-file", "head"]).expect(0);
    for path in files(&world.path("store")).iter().filter(|path| !older.iter().any(|(known, _)| known == *path)) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in &older {
        fs::write(path, bytes).unwrap();
    }
    verify(&[]).expect(0);
    verify(&["--head-file", "head"]).expect(8).says(&["an older copy was put back"]);
}

#[test]
fn whoever_is_killed_while_adding_leaves_the_store_as_before_or_after() {
    let world = world("");
    let bulk: String = (0..400).map(|n| line(&format!("K-{n}"), "9000", 1000, "2026-10-15T05:00:00Z", &format!("k{n}")) + "\n").collect();
    for day in 0..6 {
        world.file(&format!("day-{day}.jsonl"), bulk.replace("K-", &format!("K{day}-")));
    }
    let add = ["evidence", "add", "day-*.jsonl", "--store", "store", "--json"];
    let mut killed = 0;
    for wait in 0..60_u64 {
        let mut child = world.start(&[], &add);
        std::thread::sleep(Duration::from_millis(wait * 4));
        killed += u32::from(child.try_wait().unwrap().is_none());
        drop(child.kill());
        drop(child.wait());
        if world.path("store/manifest.jsonl").exists() {
            let found = world.run(&["evidence", "verify", "--store", "store", "--json"]).expect(0);
            let messages = serde_json::from_str::<Value>(&found.stdout).unwrap()["messages"].as_u64().unwrap();
            assert_eq!(messages % 400, 0, "a log is there as a whole or not at all");
        }
        if wait % 20 == 19 {
            fs::remove_dir_all(world.path("store")).unwrap_or_default();
        }
    }
    assert!(killed > 10, "{killed}");
    world.run(&add).expect(0);
    assert!(files(&world.path("store")).iter().all(|path| path.extension().is_none_or(|extension| extension != "new")));
    let found = world.run(&["evidence", "verify", "--store", "store", "--json"]).expect(0);
    assert_eq!(serde_json::from_str::<Value>(&found.stdout).unwrap()["messages"], 2_400);
}

#[test]
fn days_of_closed_months_are_kept_no_longer_than_said() {
    let world = world("[evidence]\nstore = \"store\"\nkeep_raw = true\n[retention]\nevidence_days = 1\n");
    world.file("old.jsonl", text(&[1, 2]));
    world.run(&["evidence", "add", "old.jsonl"]).expect(0);
    let purge = || world.run(&["purge", "--due"]).expect(0);
    assert!(purge().stdout.contains("their month is not closed"));
    world.run(&[&OUT[..], &["report", "--evidence", "store"]].concat()).expect(0);
    // The store is enough to make the report again.
    fs::remove_file(world.path("old.jsonl")).unwrap();
    world.run(&["period", "close", "2026-10", "--report", "report", "--reason", "month end", "--by", "Sari"]).expect(0);
    let done = purge();
    assert!(done.stdout.contains("evidence of days before") && done.stdout.contains("2 files"), "{done:?}");
    world.run(&["evidence", "verify"]).expect(0);
    assert_eq!(files(&world.path("store")).len(), 2, "the list and the lock");
    world.file("old.jsonl", text(&[1, 2]));
    let ran = world.run(&["evidence", "add", "old.jsonl", "--json"]).expect(0);
    assert_eq!(added(&ran), [("known".to_owned(), 0)], "what was removed does not come back");
    world.run(&[&OUT[..], &["report", "--evidence", "store"]].concat()).expect(0);
}

#[test]
fn the_server_adds_its_closed_days_by_itself() {
    let world = world("[evidence]\nstore = \"store\"\n[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"logs\"\n");
    fs::create_dir(world.path("logs")).unwrap();
    world.file("logs/notifications-2026-10-15.jsonl", text(&[1, 2]));
    let mut server = world.start(&[], &["serve"]);
    until("the day is in the store", || world.path("store/day=2026-10-15/000001-1.parquet").exists());
    drop(server.kill());
    drop(server.wait());
    assert!(world.path("logs/notifications-2026-10-15.jsonl.zst").exists());
    world.run(&["evidence", "verify"]).expect(0);
    let ran = world.run(&["evidence", "add", "logs/*.zst", "--json"]).expect(0);
    assert_eq!(added(&ran), [("known".to_owned(), 0)]);
}

/// The program under a limit on its addresses.
fn confined(world: &World, kilobytes: u64, arguments: &[&str]) -> Ran {
    let script = format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(env!("CARGO_BIN_EXE_tagih")).arg("--config").arg(world.path("tagih.toml")).args(arguments);
    Ran::from(command.current_dir(world.path("")).env_clear().output().unwrap())
}

#[test]
fn evidence_made_to_do_harm_takes_little_memory_and_is_named() {
    let world = world("");
    fs::create_dir(world.path("many")).unwrap();
    for number in 0..100_000 {
        fs::write(world.path(&format!("many/{number}.jsonl")), if number % 1_000 == 0 { paid(1) } else { String::new() }).unwrap();
    }
    let pack = |bytes: &mut dyn std::io::Read| zstd::encode_all(bytes, 19).unwrap();
    let blank = pack(&mut std::io::Read::take(std::io::repeat(b'\n'), 10_000_000));
    assert!(blank.len() < 2_000, "{}", blank.len());
    world.file("blank.zst", blank);
    world.file("bomb.zst", pack(&mut std::io::Read::take(std::io::repeat(b'{'), 1 << 30)));
    world.file("bomb.gz", gzip(&"x\n".repeat(20_000_000)));
    world.file("torn.jsonl", "x\n".repeat(5_000_000));
    let wide = fs::File::create(world.path("wide.jsonl")).unwrap();
    std::io::Write::write_all(&mut &wide, b"{\"body\":\"").unwrap();
    wide.set_len(2 << 30).unwrap();
    let deep = |open: &str| format!("{}\n", open.repeat(300_000));
    world.file("deep.jsonl", deep("[") + &deep("{\"a\":") + &format!("{{\"body\":\"{}\"}}\n", "[".repeat(400_000)) + &paid(1));
    for (name, code, words) in [
        ("blank.zst", 7, ["E0712", "blank.zst"]),
        ("bomb.zst", 7, ["E0712", "bomb.zst"]),
        ("bomb.gz", 7, ["E0713", "bomb.gz"]),
        ("torn.jsonl", 7, ["E0713", "torn.jsonl"]),
        ("wide.jsonl", 7, ["E0727", "wide.jsonl"]),
        // A torn line stops no night.
        ("deep.jsonl", 0, ["", ""]),
        ("many/*.jsonl", 0, ["", ""]),
    ] {
        // Each file that is added becomes a durable part of the list, which takes its time.
        let some = if name.starts_with("many") { "many/*00.jsonl" } else { name };
        for command in [&["ingest", name][..], &["evidence", "add", some, "--store", "store"]] {
            confined(&world, 900_000, command).expect(code).says(&words);
        }
    }
}
