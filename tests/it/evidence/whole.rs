//! `tagih evidence`: a list without its end, a store with nothing in it, one that cannot be written, logs that are none, and keys.

use std::fs;

use jiff::Timestamp;
use serde_json::Value;
use tagih::doku::signature::SigningKey;

use crate::evidence::logs::{ledger_of, paid};
use crate::reconcile::ours::{classes, line, line_signed, summary};
use crate::support::world::{Ran, SECRET, World, bytes_in};

const MONTH: [&str; 6] = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-03T00:00:00Z", "--out"];

/// A key that signed nothing here.
const OTHER: &str = "SK-another-0123456789";

fn world() -> World {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    world
}

fn text(numbers: &[usize]) -> String {
    numbers.iter().map(|number| paid(*number) + "\n").collect()
}

fn told(ran: &Ran) -> Vec<(String, u64, u64)> {
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let logs = found["logs"].as_array().unwrap().iter();
    logs.map(|log| (log["what"].as_str().unwrap().to_owned(), log["messages"].as_u64().unwrap(), log["forged"].as_u64().unwrap())).collect()
}

#[test]
fn a_list_that_has_lost_its_end_or_is_gone_is_no_list_for_whoever_reads_or_adds() {
    let world = world();
    world.file("one.jsonl", text(&[1]));
    world.file("two.jsonl", line("I-2", "2000", 1000, "2026-10-16T05:00:00Z", "t2") + "\n");
    let add = |name: &str| world.run(&["evidence", "add", name, "--store", "store"]);
    add("one.jsonl").expect(0);
    add("two.jsonl").expect(0);
    world.run(&["evidence", "verify", "--store", "store", "--head-file", "head"]).expect(0);
    let list = world.path("store/manifest.jsonl");
    let whole = fs::read_to_string(&list).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(lines.len(), 3);
    let everybody: [&[&str]; 7] = [
        &["evidence", "list", "--store", "store"],
        &["evidence", "verify", "--store", "store"],
        &["evidence", "add", "one.jsonl", "--store", "store"],
        &["evidence", "add", "more.jsonl", "--store", "store"],
        &["ingest", "--evidence", "store"],
        &["why", "I-1", "--evidence", "store"],
        &[&MONTH[..], &["report", "--evidence", "store"]].concat(),
    ];
    world.file("more.jsonl", text(&[3]));
    for (what, kept) in [("its end", Some(2)), ("all but its header", Some(1)), ("all of it", None)] {
        match kept {
            Some(count) => fs::write(&list, lines[..count].join("\n") + "\n").unwrap(),
            None => fs::remove_file(&list).unwrap(),
        }
        for command in everybody {
            let ran = world.run(command).expect(8).says(&["E0716"]);
            assert!(
                ran.stderr.contains("the list has lost its end") || ran.stderr.contains("manifest.jsonl` is missing"),
                "{what}: {ran:?}"
            );
        }
        fs::write(&list, &whole).unwrap();
        world.run(&["evidence", "verify", "--store", "store", "--head-file", "head"]).expect(0);
    }
    // A file that the list tells of is missing: what was to be added to it would not mend that.
    let part =
        fs::read_dir(world.path("store")).unwrap().map(|entry| entry.unwrap().path().join("000002-1.parquet")).find(|path| path.exists());
    let part = part.unwrap();
    let bytes = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    for command in everybody.iter().filter(|command| command[1] != "list") {
        world.run(command).expect(8).says(&["E0716", "000002-1.parquet", "is missing"]);
    }
    fs::write(&part, bytes).unwrap();
    // What is gone without a trace is an older copy, which its head alone tells.
    fs::write(&list, lines[..2].join("\n") + "\n").unwrap();
    fs::remove_file(&part).unwrap();
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&["evidence", "verify", "--store", "store", "--head-file", "head"]).expect(8).says(&["an older copy was put back"]);
}

#[test]
fn a_store_with_nothing_in_it_is_one() {
    let world = world();
    world.run(&["evidence", "add", "none-*.jsonl", "--allow-no-logs", "--store", "store"]).expect(0);
    let listed = world.run(&["evidence", "list", "--store", "store"]).expect(0);
    assert!(listed.stdout.contains("0 logs in"), "{listed:?}");
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&["ingest", "--evidence", "store"]).expect(0).says(&["warning: the evidence store `store` has no log"]);
    world
        .run(&[&MONTH[..], &["report", "--evidence", "store"]].concat())
        .expect(0)
        .says(&["warning: the evidence store `store` has no log"]);
    let days = ["--evidence", "store", "--evidence-from", "2026-10-02", "--evidence-to", "2026-10-01"];
    world.run(&[&MONTH[..], &["report"], &days].concat()).expect(2).says(&["`--evidence-from` must not be after `--evidence-to`"]);
}

#[test]
fn what_is_there_already_needs_no_store_that_can_be_written() {
    let world = world();
    world.file("one.jsonl", text(&[1]));
    world.run(&["evidence", "add", "one.jsonl", "--store", "store"]).expect(0);
    // Nobody can open it to write, whoever it is.
    fs::remove_file(world.path("store/.lock")).unwrap();
    fs::create_dir(world.path("store/.lock")).unwrap();
    let ran = world.run(&["evidence", "add", "one.jsonl", "--store", "store", "--json"]).expect(0);
    assert_eq!(told(&ran), [("known".to_owned(), 0, 0)]);
    world.file("more.jsonl", text(&[1, 2]));
    world.run(&["evidence", "add", "one.jsonl", "more.jsonl", "--store", "store"]).expect(9).says(&["E0719"]);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
}

#[test]
fn a_log_that_was_added_with_a_wrong_key_is_added_again_with_the_right_one_and_loses_nothing() {
    let world = world();
    let add = |keys: &[(&str, &str)], name: &str| world.run_with(keys, &["evidence", "add", name, "--store", "store", "--json"]).expect(0);
    let wrong = [("TAGIH_DOKU_SECRET", OTHER)];
    world.file("day.jsonl", text(&[1, 2]));
    let ran = add(&wrong, "day.jsonl");
    assert_eq!(told(&ran), [("new".to_owned(), 2, 2)]);
    assert!(ran.stderr.contains("2 of 2 messages of `day.jsonl` are signed by no key") && ran.stderr.contains("again"), "{ran:?}");
    assert_eq!(told(&add(&wrong, "day.jsonl")), [("known".to_owned(), 0, 2)]);
    let listed = world.run(&["evidence", "list", "--store", "store"]).expect(0);
    assert!(listed.stdout.contains("no key, 2 signed by none"), "{listed:?}");
    world.run(&[&MONTH[..], &["before", "--evidence", "store"]].concat()).expect(1);
    assert_eq!(classes(&summary(&world.path("before")), "lines"), "N02x2");
    assert_eq!(told(&add(&[], "day.jsonl")), [("verified".to_owned(), 2, 0)]);
    assert_eq!(told(&add(&[], "day.jsonl")), [("known".to_owned(), 0, 0)]);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&[&MONTH[..], &["after", "--evidence", "store"]].concat()).expect(0);
    let after = summary(&world.path("after"));
    assert_eq!((classes(&after, "lines"), classes(&after, "payments")), ("N00x2".to_owned(), "P00x2".to_owned()));
    // A key that is gone by now takes back nothing that it has proven.
    assert_eq!(told(&add(&wrong, "day.jsonl")), [("known".to_owned(), 0, 0)]);
    // What had grown meanwhile is verified from its beginning.
    drop(fs::remove_dir_all(world.path("store")));
    world.file("day.jsonl", text(&[1]));
    add(&wrong, "day.jsonl");
    world.file("day.jsonl", text(&[1, 2, 3]));
    assert_eq!(told(&add(&[], "day.jsonl")), [("grown".to_owned(), 2, 0)]);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&[&MONTH[..], &["grown", "--evidence", "store"]].concat()).expect(0);
    assert_eq!(classes(&summary(&world.path("grown")), "lines"), "N00x3");
}

#[test]
fn a_log_of_two_keys_is_verified_by_both_and_by_one_alone_loses_none() {
    let world = world();
    let of_other = line_signed("I-3", "3000", 1000, "2026-10-15T05:00:00Z", "t3", OTHER);
    world.file("day.jsonl", text(&[1, 2]) + &of_other + "\n");
    let add =
        |keys: &[(&str, &str)]| told(&world.run_with(keys, &["evidence", "add", "day.jsonl", "--store", "store", "--json"]).expect(0));
    assert_eq!(add(&[]), [("new".to_owned(), 3, 1)]);
    assert_eq!(add(&[("TAGIH_DOKU_SECRET", OTHER)]), [("known".to_owned(), 0, 2)], "it would lose two for one");
    fs::write(world.path("previous"), SECRET).unwrap();
    fs::set_permissions(world.path("previous"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let previous = world.path("previous");
    let both = [
        ("TAGIH_DOKU_SECRET", OTHER),
        ("TAGIH_DOKU_SECRET_FILE_PREVIOUS", previous.to_str().unwrap()),
        ("TAGIH_DOKU_PREVIOUS_UNTIL", "2036-01-01"),
    ];
    assert_eq!(add(&both), [("verified".to_owned(), 1, 0)]);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
}

#[test]
fn a_full_disk_leaves_nothing_half_made_in_the_store() {
    let world = world();
    world.file("one.jsonl", text(&[1]));
    world.run(&["evidence", "add", "one.jsonl", "--store", "store"]).expect(0);
    let day = || bytes_in(&world.path("store/day=2026-10-15"));
    let (before, list) = (day(), bytes_in(&world.path("store")));
    let blocks = before["000001-1.parquet"].len() / 1024;
    assert!(blocks > 4, "a run's record is smaller than half of it");
    world.file("two.jsonl", text(&[2, 3]));
    let add = ["evidence", "add", "two.jsonl", "--store", "store"];
    // A file-size limit whose signal is ignored makes every further write fail, as a full disk does.
    let tagih = world.command(&add);
    let mut limited = std::process::Command::new("sh");
    limited.env_clear().current_dir(world.path("")).args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    Ran::from(limited.arg(tagih.get_program()).args(tagih.get_args()).output().unwrap()).expect(9).says(&["E0719", "parquet.new"]);
    assert_eq!((day(), bytes_in(&world.path("store"))), (before, list));
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&add).expect(0);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
}

#[test]
fn what_is_no_log_or_mostly_none_is_not_taken_in_and_said_each_night() {
    let world = world();
    let ledger = fs::read(world.path("tagih.ledger")).unwrap();
    let utf16: Vec<u8> = paid(2).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let add = |name: &str| world.run(&["evidence", "add", name, "--store", "store", "--json"]);
    for (name, bytes) in [
        ("ledger.jsonl", ledger),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\n\0".repeat(40)),
        ("wide.jsonl", [b"\xff\xfe".as_slice(), &utf16].concat()),
        ("mostly.jsonl", format!("{}torn\ntorn too\n", text(&[1])).into_bytes()),
    ] {
        world.file(name, bytes);
        for _ in 0..2 {
            let ran = add(name).expect(7).says(&["E0727", name, "nothing was added of it"]);
            assert_eq!(told(&ran).first().map(|log| (log.0.as_str(), log.1)), Some(("no_log", 0)), "{ran:?}");
        }
    }
    let listed = world.run(&["evidence", "list", "--store", "store"]).expect(0);
    assert!(listed.stdout.starts_with("0 logs"), "{listed:?}");
    // Others beside it are; what it was before stays; and who says that it is meant to be so is believed.
    world.file("good.jsonl", text(&[3]));
    let ran = world.run(&["evidence", "add", "good.jsonl", "mostly.jsonl", "--store", "store", "--json"]).expect(7);
    assert_eq!(told(&ran).iter().map(|log| (log.0.as_str(), log.1)).collect::<Vec<_>>(), [("new", 1), ("no_log", 0)]);
    world.file("good.jsonl", text(&[3]) + "torn\ntorn too\n");
    assert_eq!(told(&add("good.jsonl").expect(7))[0].0, "no_log");
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    world.run(&[&MONTH[..], &["report", "--evidence", "store"]].concat()).expect(0);
    assert_eq!(classes(&summary(&world.path("report")), "lines"), "N00");
    let meant = [("TAGIH_RECONCILE_MALFORMED_LINES_MAX_PERCENT", "70")];
    let ran = world.run_with(&meant, &["evidence", "add", "mostly.jsonl", "--store", "store", "--json"]).expect(0);
    assert_eq!(told(&ran)[0].0, "new");
    add("mostly.jsonl").expect(7).says(&["E0727"]);
}

#[test]
fn a_report_and_a_store_name_the_keys_that_signed_by_their_fingerprints_and_a_report_their_ends() {
    let world = world();
    let of_other = line_signed("I-3", "3000", 1000, "2026-10-15T05:00:00Z", "t3", OTHER);
    world.file("day.jsonl", text(&[1, 2]) + &of_other + "\n");
    fs::write(world.path("previous"), OTHER).unwrap();
    fs::set_permissions(world.path("previous"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let previous = world.path("previous");
    let both = [("TAGIH_DOKU_SECRET_FILE_PREVIOUS", previous.to_str().unwrap()), ("TAGIH_DOKU_PREVIOUS_UNTIL", "2036-01-01T00:00:00Z")];
    let [present, former] = [SECRET, OTHER].map(|secret| SigningKey::new(&secret.to_owned().into()).fingerprint());
    world.run_with(&both, &["evidence", "add", "day.jsonl", "--store", "store"]).expect(0);
    let listed = world.run(&["evidence", "list", "--store", "store", "--json"]).expect(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["logs"][0]["keys"], serde_json::json!([present, former]));
    for (folder, source) in [("of-log", ["--notifications", "day.jsonl"]), ("of-store", ["--evidence", "store"])] {
        world.run_with(&both, &[&MONTH[..], &[folder], &source].concat()).expect(0);
        let summary = summary(&world.path(folder));
        assert_eq!(classes(&summary, "lines"), "N00x3", "both have verified");
        let keys = summary["keys"].as_array().unwrap();
        let named: Vec<&str> = keys.iter().map(|key| key["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(named, [&*present, &*former]);
        let end = keys[1]["until"].as_str().and_then(|until| until.parse::<Timestamp>().ok());
        assert_eq!((keys[0]["until"].is_null(), end), (true, "2036-01-01T00:00:00Z".parse().ok()));
    }
}
