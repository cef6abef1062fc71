//! `tagih keys`: what a revoked key has signed is believed by nobody who reads logs or a store, as far as it arrived later; who said so is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tagih::doku::signature::SigningKey;

use crate::evidence::logs::counted;
use crate::reconcile::ours::{EXTERNAL, classes, line_signed, summary};
use crate::support::world::{Doku, Ran, SECRET, World};

/// The key before the present one.
const FORMER: &str = "SK-former-0123456789";

const EARLY: &str = "2026-10-10T05:00:00Z";
const T: &str = "2026-10-15T05:00:00Z";
const LATE: &str = "2026-10-20T05:00:00Z";

const MONTH: [&str; 7] = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-03T00:00:00Z", "--quiet", "--out"];

fn fingerprint(secret: &str) -> String {
    SigningKey::new(&secret.to_owned().into()).fingerprint()
}

/// Four bills, each paid once: by the present key before T and after, by the former one before T and after; a log, and a store made of it.
fn world() -> World {
    let world = World::at("http://127.0.0.1:1", "");
    let rows = |more: &str| [1, 2, 3, 4].map(|n| format!("I-{n},88{n}4321,alfa,1000,{more}\n")).concat();
    let codes = rows("2026-10-01T00:00:00Z,2026-11-30T00:00:00Z");
    world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,created_at,expires_at\n{codes}"));
    let bills = rows("ACTIVE,no,2026-10-01,2026-11-30,");
    let head = EXTERNAL;
    world.file("external.csv", format!("{head}\n{bills}"));
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let previous = world.file("previous", FORMER);
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    let both = format!("secret_file_previous = \"{}\"\nprevious_until = \"2036-01-01\"\n[ledger]", previous.display());
    world.reconfigure("[ledger]", &both);
    let lines = [(1, EARLY, SECRET), (2, LATE, SECRET), (3, EARLY, FORMER), (4, LATE, FORMER)];
    let line =
        |(n, at, key): (usize, &str, &str)| line_signed(&format!("I-{n}"), &format!("88{n}4321"), 1000, at, &format!("t{n}"), key) + "\n";
    world.file("day.jsonl", lines.map(line).concat());
    world.run(&["evidence", "add", "day.jsonl", "--store", "store"]).expect(0);
    world
}

fn revoke(world: &World, key: &str, after: &str) -> Ran {
    world.run(&["keys", "revoke", key, "--received-after", after, "--reason", "a laptop was stolen", "--by", "Siti"])
}

fn reinstate(world: &World, key: &str) -> Ran {
    world.run(&["keys", "reinstate", key, "--reason", "it was found", "--by", "Budi"])
}

fn head(world: &World) -> String {
    let told: Value = serde_json::from_str(&world.run(&["status", "--json"]).stdout).unwrap();
    told["ledger_head"].as_str().unwrap().to_owned()
}

/// Every reader counts exactly the lines of these bills, from the log and from the store; the others are N02.
fn believed(world: &World, what: &str, bills: &[usize]) {
    let count = |class: &str, count: usize| match count {
        0 => String::new(),
        1 => class.to_owned(),
        many => format!("{class}x{many}"),
    };
    let lines = [count("N00", bills.len()), count("N02", 4 - bills.len())].join(" ");
    for source in [["--notifications", "day.jsonl"], ["--evidence", "store"]] {
        for more in [&[][..], &["--external-ledger", "external.csv"]] {
            let ran = world.run(&[&MONTH[..], &["report"], &source, more].concat());
            assert!(matches!(ran.code, 0 | 1), "{what}, {source:?} {more:?}: {ran:?}");
            assert_eq!(classes(&summary(&world.path("report")), "lines"), lines.trim(), "{what}, {source:?} {more:?}");
            fs::remove_dir_all(world.path("report")).unwrap();
        }
        for bill in 1..=4 {
            let told = world.run(&["why", &format!("I-{bill}"), source[0], source[1]]).stdout;
            assert_eq!(told.contains("N00"), bills.contains(&bill), "{what}, {source:?}: why I-{bill}: {told}");
        }
    }
    // A ledger that has not heard of any yet hears of these.
    for source in [&["day.jsonl"][..], &["--evidence", "store"]] {
        let ledger = fs::read(world.path("tagih.ledger")).unwrap();
        let ran = world.run(&[&["ingest", "--json"], source].concat()).expect(0);
        assert_eq!(counted(&ran)[0], u64::try_from(bills.len()).unwrap(), "{what}, {source:?}: {ran:?}");
        fs::write(world.path("tagih.ledger"), ledger).unwrap();
    }
}

#[test]
fn what_a_revoked_key_signed_is_believed_by_no_reader_as_far_as_it_arrived_later() {
    type Say = fn(&World);
    let cases: [(&str, &[usize], Say); 8] = [
        ("nothing was said", &[1, 2, 3, 4], |_| {}),
        ("the present one", &[1, 3, 4], |world| drop(revoke(world, "present", T).expect(0))),
        ("the former one, by its fingerprint", &[1, 2, 3], |world| drop(revoke(world, &fingerprint(FORMER), T).expect(0))),
        ("both", &[1, 3], |world| {
            revoke(world, "present", T).expect(0);
            revoke(world, "previous", T).expect(0);
        }),
        ("from earlier on after all", &[3, 4], |world| {
            revoke(world, "present", T).expect(0);
            revoke(world, "present", "2026-10-10T04:59:59Z").expect(0);
        }),
        ("to its very instant", &[1, 2, 3, 4], |world| drop(revoke(world, "present", LATE).expect(0))),
        ("later than before is refused", &[3, 4], |world| {
            revoke(world, "present", "2026-10-01T00:00:00Z").expect(0);
            revoke(world, "present", T).expect(2).says(&["already", "nothing was recorded", "keys reinstate"]);
        }),
        ("taken back", &[1, 2, 3, 4], |world| {
            revoke(world, "present", T).expect(0);
            reinstate(world, "present").expect(0);
        }),
    ];
    for (what, bills, say) in cases {
        let world = world();
        say(&world);
        believed(&world, what, bills);
        world.run(&["ledger", "verify"]).expect(0);
    }
}

#[test]
fn a_key_that_the_settings_no_longer_have_is_revoked_where_a_store_knows_it() {
    let world = world();
    world.reconfigure("previous_until", "#previous_until");
    world.reconfigure("secret_file_previous", "#secret_file_previous");
    let store = |folder: &str| {
        world.run(&[&MONTH[..], &[folder, "--evidence", "store"]].concat());
        classes(&summary(&world.path(folder)), "lines")
    };
    assert_eq!(store("before"), "N00x4", "what a store has verified needs no key");
    let before = head(&world);
    revoke(&world, &fingerprint(FORMER), T).expect(2).says(&["nobody has such a key", "--evidence DIR"]);
    assert_eq!(head(&world), before);
    let known = ["keys", "revoke", &fingerprint(FORMER), "--received-after", T, "--reason", "leak", "--by", "Siti", "--evidence", "store"];
    world.run(&known).expect(0);
    assert_eq!(store("after"), "N00x3 N02");
    let listed = world.run(&["keys", "list"]).expect(0).stdout;
    assert!(listed.contains(&format!("not set  {}  believed until {T}, revoked", fingerprint(FORMER))), "{listed}");
    // With one key there is no question which is meant.
    world.run(&["keys", "revoke", "--received-after", T, "--reason", "leak", "--by", "Siti"]).expect(0);
    assert_eq!(store("both"), "N00x2 N02x2");
    reinstate(&world, &fingerprint(FORMER)).expect(0);
    assert_eq!(store("again"), "N00x3 N02");
}

#[test]
fn what_cannot_be_meant_is_refused_and_records_nothing() {
    let world = world();
    let before = head(&world);
    let secret = SigningKey::new(&"SK-nobodys-0123456789".to_owned().into()).fingerprint();
    for (key, after, words) in [
        (secret.as_str(), T, "nobody has such a key"),
        (SECRET, T, "nobody has such a key"),
        ("present", "2099-01-01T00:00:00Z", "lies ahead"),
        ("present", "2026-10-15", "invalid value"),
        ("present", "0000-01-01T00:00:00Z", "of the years 2000 to 2199"),
        ("present", "9999-12-30T00:00:00Z", "of the years 2000 to 2199"),
    ] {
        let ran = revoke(&world, key, after).expect(2).says(&[words]);
        assert!(key != SECRET || !format!("{ran:?}").contains(SECRET), "{ran:?}");
    }
    world.run(&["keys", "revoke", "--received-after", T, "--reason", "leak"]).expect(2).says(&["which key", "present", "previous"]);
    world.run(&["keys", "revoke", "present", "--received-after", T, "--reason", " ", "--by", "Siti"]).expect(2).says(&["say why"]);
    let typed = "SK-Ax7Kq2Zt9Lm4Vb8Nw3";
    for said in [["--reason", typed, "--by", "Siti"], ["--reason", "leak", "--by", typed]] {
        world.run(&[&["keys", "revoke", "present", "--received-after", T][..], &said].concat()).expect(2).says(&["looks like one"]);
    }
    // One key is set, and a store knows another: the one that has leaked need not be the one in force.
    world.reconfigure("secret_file_previous", "#secret_file_previous");
    world.reconfigure("previous_until", "#previous_until");
    let short = ["keys", "revoke", "--received-after", T, "--reason", "leak", "--by", "Siti", "--evidence", "store"];
    world.run(&short).expect(2).says(&["several", &fingerprint(FORMER), &fingerprint(SECRET)]);
    reinstate(&world, "present").expect(2).says(&["nothing stands against the key"]);
    assert_eq!(head(&world), before);
    let records: String =
        fs::read_dir(world.path("tagih.ledger.runs")).unwrap().map(|f| fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    assert!(records.contains("keys revoke") && !records.contains(SECRET), "{records}");
    fs::remove_file(world.path("tagih.ledger")).unwrap();
    revoke(&world, "present", T).expect(2).says(&["there is no ledger"]);
}

#[test]
fn who_said_what_of_which_key_and_when_is_listed_and_in_the_chain() {
    let world = world();
    let [present, former] = [SECRET, FORMER].map(fingerprint);
    revoke(&world, "previous", T).expect(0).says(&["security.md"]);
    revoke(&world, "previous", T).expect(0);
    reinstate(&world, "previous").expect(0);
    revoke(&world, "present", T).expect(0);
    let told: Value = serde_json::from_str(&world.run(&["keys", "list", "--json"]).expect(0).stdout).unwrap();
    let keys: Vec<[&str; 3]> = told["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| ["role", "key", "revoked_after"].map(|n| key[n].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(keys, [["present", &present, T], ["previous", &former, ""]]);
    let said = told["said"].as_array().unwrap();
    let words: Vec<[&str; 4]> =
        said.iter().map(|said| ["key", "received_after", "by", "reason"].map(|n| said[n].as_str().unwrap_or_default())).collect();
    assert_eq!(
        words,
        [
            [&*former, T, "Siti", "a laptop was stolen"],
            [&*former, "", "Budi", "it was found"],
            [&*present, T, "Siti", "a laptop was stolen"],
        ],
        "what is so already is not said twice"
    );
    assert!(said.iter().all(|said| !said["account"].as_str().unwrap().is_empty() && said["at"].is_string()));
    let text = world.run(&["keys", "list"]).expect(0).stdout;
    assert!(text.contains(&format!("{present}  believed until {T}, revoked")) && text.contains("by Budi"), "{text}");
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    assert_eq!(exported.lines().filter(|line| line.contains(r#""kind":"key""#)).count(), 3);
}

#[test]
fn nothing_is_sent_with_a_key_that_is_revoked() {
    let doku = Doku::process();
    let world = World::on_disk(&doku.base_url(), "");
    world.many("bills.csv", "R", 1);
    world.run(&["ledger", "create"]).expect(0);
    let now = jiff::Timestamp::now().to_string();
    world.run(&["keys", "revoke", "--received-after", &now, "--reason", "leak", "--by", "Siti"]).expect(0);
    world.issue("bills.csv", &[]).expect(2).says(&["the key in force is revoked", "Changing the secret"]);
    world.run(&["sync"]).expect(2).says(&["the key in force is revoked"]);
    world.run(&["doctor", "--offline"]).expect(2);
    let told = world.run(&["doctor", "--offline"]).stdout;
    assert!(told.contains("is revoked: what arrived after"), "{told}");
    assert!(doku.calls().is_empty());
    // Neither does its plan look as if it were: it ends as one that needs a person.
    world.issue("bills.csv", &["--dry-run"]).expect(1).says(&["nothing of it would be sent", "the key in force is revoked"]);
    let planned = world.issue("bills.csv", &["--dry-run", "--json"]).expect(1).stdout;
    assert_eq!(serde_json::from_str::<Value>(&planned).unwrap()["key_revoked_after"].as_str(), Some(now.as_str()));
    world.run(&["keys", "reinstate", "present", "--reason", "found", "--by", "Siti"]).expect(0);
    world.issue("bills.csv", &["--dry-run"]).expect(0);
    world.issue("bills.csv", &[]).expect(0);
}
