//! A key is revoked after months were closed that had believed it, or on a ledger that is not the one a report is made with: whoever signs hears of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tagih::doku::signature::SigningKey;

use crate::month_end::signed::rewrite_summary;
use crate::reconcile::ours::{EXTERNAL, classes, line, line_signed, summary};
use crate::support::message::{Envelope, Message};
use crate::support::world::{Ran, SECRET, World};

const FORMER: &str = "SK-former-0123456789";
const EARLY: &str = "2026-09-10T05:00:00Z";
const T: &str = "2026-09-15T05:00:00Z";
const LATE: &str = "2026-09-20T05:00:00Z";
const HEAD: &str = "invoice_number,payment_code,channel,amount,created_at,expires_at";

fn fingerprint(secret: &str) -> String {
    SigningKey::new(&secret.to_owned().into()).fingerprint()
}

fn codes(numbers: &[usize]) -> String {
    let row = |n: &usize| format!("I-{n},88{n}4321,alfa,1000,2026-09-01T00:00:00Z,2026-11-30T00:00:00Z\n");
    format!("{HEAD}\n{}", numbers.iter().map(row).collect::<String>())
}

/// Two bills of September, paid before T and after; October has nothing.
fn world() -> World {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", codes(&[1, 2]));
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let lines = [(1, EARLY), (2, LATE)].map(|(n, at)| line(&format!("I-{n}"), &format!("88{n}4321"), 1000, at, &format!("t{n}")) + "\n");
    world.file("september.jsonl", lines.concat());
    world.file("october.jsonl", "");
    world.run(&["ingest", "september.jsonl"]).expect(0);
    world
}

const SEPTEMBER: [&str; 9] =
    ["reconcile", "--period", "2026-09", "--notifications", "september.jsonl", "--as-of", "2026-10-02T00:00:00Z", "--out", "2026-09"];
const OCTOBER: [&str; 11] = [
    "reconcile",
    "--period",
    "2026-10",
    "--notifications",
    "october.jsonl",
    "--as-of",
    "2026-11-03T00:00:00Z",
    "--opening",
    "auto",
    "--out",
    "2026-10",
];

/// September, of other evidence.
fn of_source(source: [&str; 2]) -> Vec<&str> {
    let september: [&str; 9] = SEPTEMBER;
    let (before, after) = (september.iter().take(3), september.iter().skip(5));
    before.chain(&source).chain(after).copied().collect()
}

/// On this ledger.
fn reconcile(world: &World, ledger: &str, arguments: &[&str]) -> Ran {
    let ran = world.run_with(&[("TAGIH_LEDGER_PATH", world.path(ledger).to_str().unwrap())], arguments);
    assert!(ran.code <= 1, "{ran:#?}");
    ran
}

fn close(world: &World, ledger: &str, month: &str, accept: &[&str]) -> Ran {
    let accept: Vec<&str> = accept.iter().flat_map(|caveat| ["--accept", caveat]).collect();
    let arguments = [&["period", "close", month, "--report", month, "--by", "Sari", "--reason", "month end"][..], &accept].concat();
    world.run_with(&[("TAGIH_LEDGER_PATH", world.path(ledger).to_str().unwrap())], &arguments)
}

fn reopen(world: &World, month: &str) {
    world.run(&["period", "reopen", month, "--by", "Sari", "--reason", "a key was revoked"]).expect(0);
}

fn revoke(world: &World, more: &[&str]) -> Ran {
    world.run(&[&["keys", "revoke", "present", "--received-after", T, "--reason", "a laptop was stolen", "--by", "Siti"], more].concat())
}

fn caveats(world: &World, folder: &str) -> Vec<Value> {
    summary(&world.path(folder))["caveats"].as_array().unwrap().clone()
}

fn page(world: &World, folder: &str) -> String {
    fs::read_to_string(world.path(folder).join("report.html")).unwrap()
}

#[test]
fn a_month_closed_before_a_revocation_is_told_by_it_by_the_next_report_and_by_its_close_until_it_is_made_anew() {
    let world = world();
    reconcile(&world, "tagih.ledger", &SEPTEMBER);
    close(&world, "tagih.ledger", "2026-09", &[]).expect(0);
    let key = fingerprint(SECRET);
    let told: Value = serde_json::from_str(&revoke(&world, &["--json"]).expect(0).stdout).unwrap();
    let month = serde_json::json!({
        "kind": "revoked_key", "from": "2026-09-01", "to": "2026-09-30", "key": key, "received_after": T, "last_received_at": LATE,
    });
    assert_eq!(told["closed_months"], Value::Array(vec![month.clone()]));
    revoke(&world, &[]).expect(0).says(&["2026-09-01 to 2026-09-30", &key, "the last of 2026-09-20", "period reopen"]);
    // The next month.
    let ran = reconcile(&world, "tagih.ledger", &OCTOBER).says(&["before this month is signed", "2026-09-01 to 2026-09-30", &key]);
    assert_eq!(ran.code, 1);
    let noted = |accepted: Value| {
        let mut caveat = month.clone();
        caveat["accepted_with"] = accepted;
        vec![caveat]
    };
    assert_eq!(caveats(&world, "2026-10"), noted(Value::Null));
    assert!(page(&world, "2026-10").contains("Before this month is signed: 2026-09-01 to 2026-09-30"));
    close(&world, "tagih.ledger", "2026-10", &[]).expect(2).says(&["E0861", "2026-09-01", &key, "--accept revoked-key"]);
    close(&world, "tagih.ledger", "2026-10", &["other-ledger"]).expect(2).says(&["E0861"]);
    let propose = ["period", "propose", "2026-10", "--report", "2026-10", "--by", "Sari", "--reason", "month end"];
    world.run(&propose).expect(2).says(&["E0861"]);
    world.run(&[&propose[..], &["--accept", "revoked-key"]].concat()).expect(0);
    assert!(world.run(&["period", "list"]).expect(0).stdout.contains("although 2026-09-01 to 2026-09-30"));
    close(&world, "tagih.ledger", "2026-10", &["revoked-key"]).expect(0);
    assert!(world.run(&["period", "list"]).expect(0).stdout.contains("signed although 2026-09-01 to 2026-09-30"));
    assert_eq!(caveats(&world, "2026-10"), noted("2026-10-01".into()), "the page says so too, and with which month it was accepted");
    // Made anew, nothing is left to be known.
    reopen(&world, "2026-10");
    reopen(&world, "2026-09");
    reconcile(&world, "tagih.ledger", &SEPTEMBER);
    assert_eq!(classes(&summary(&world.path("2026-09")), "lines"), "N00 N02");
    assert!(caveats(&world, "2026-09").is_empty());
    close(&world, "tagih.ledger", "2026-09", &[]).expect(0);
    reconcile(&world, "tagih.ledger", &OCTOBER);
    assert!(caveats(&world, "2026-10").is_empty());
    close(&world, "tagih.ledger", "2026-10", &[]).expect(0);
    assert!(!revoke(&world, &[]).expect(0).stderr.contains("2026-09-01 to 2026-09-30"));
}

#[test]
fn a_month_whose_messages_all_came_before_is_no_caveat_and_a_folder_that_is_not_closed_is_one() {
    let world = world();
    reconcile(&world, "tagih.ledger", &SEPTEMBER);
    close(&world, "tagih.ledger", "2026-09", &[]).expect(0);
    let after = |at: &str| {
        let ran = world.run(&["keys", "revoke", "present", "--received-after", at, "--reason", "leak", "--by", "Siti"]).expect(0);
        ran.stderr.contains("2026-09-01 to 2026-09-30")
    };
    assert!(!after(LATE), "the last came at that instant");
    assert!(!reconcile(&world, "tagih.ledger", &OCTOBER).stderr.contains("before this month is signed"));
    assert!(after("2026-09-20T04:59:59Z"));
    reopen(&world, "2026-09");
    let folder: Vec<&str> = OCTOBER.iter().map(|word| if *word == "auto" { "2026-09" } else { *word }).collect();
    reconcile(&world, "tagih.ledger", &folder).says(&["before this month is signed", "2026-09-01 to 2026-09-30"]);
}

#[test]
fn a_ledger_that_is_older_another_or_gone_signs_nothing_without_a_word() {
    let world = world();
    world.run(&["ledger", "backup", "older.ledger"]).expect(0);
    world.file("more.csv", codes(&[3]));
    world.run(&["ledger", "import", "more.csv"]).expect(0);
    reconcile(&world, "tagih.ledger", &SEPTEMBER);
    close(&world, "tagih.ledger", "2026-09", &[]).expect(0);
    world.run(&["ledger", "backup", "copy.ledger"]).expect(0);
    // A copy of now is as good as the ledger.
    let kinds = |ledger: &str| {
        let ran = reconcile(&world, ledger, &OCTOBER);
        let found: Vec<String> = caveats(&world, "2026-10").iter().map(|caveat| caveat["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ran.stderr.contains("before this month is signed"), !found.is_empty(), "{ran:#?}");
        found
    };
    assert!(kinds("copy.ledger").is_empty() && kinds("tagih.ledger").is_empty());
    assert_eq!(kinds("older.ledger"), ["other_ledger"]);
    close(&world, "older.ledger", "2026-10", &["revoked-key"]).expect(2).says(&["E0861", "older copy", "--accept other-ledger"]);
    // What is said of a key since is in no copy of before.
    let before = summary_sequence(&world);
    world.run(&["keys", "revoke", "present", "--received-after", LATE, "--reason", "leak", "--by", "Siti"]).expect(0);
    assert_eq!(kinds("copy.ledger"), ["unheard_key"]);
    let said = caveats(&world, "2026-10").remove(0);
    assert!(said["ledger_head"].as_str().unwrap().starts_with(&format!("{}:", before + 1)), "{said}");
    close(&world, "copy.ledger", "2026-10", &[]).expect(2).says(&["E0861", &fingerprint(SECRET), "--accept other-ledger"]);
    close(&world, "copy.ledger", "2026-10", &["other-ledger"]).expect(0);
    reopen(&world, "2026-10");
    // Once it was said there as well, it is known there.
    let copy = world.path("copy.ledger").display().to_string();
    let again = ["keys", "revoke", "present", "--received-after", LATE, "--reason", "leak", "--by", "Siti"];
    world.run_with(&[("TAGIH_LEDGER_PATH", copy.as_str())], &again).expect(0);
    assert!(kinds("copy.ledger").is_empty());
    close(&world, "copy.ledger", "2026-10", &[]).expect(0);
    reopen(&world, "2026-10");
    assert!(kinds("tagih.ledger").is_empty());
    close(&world, "tagih.ledger", "2026-10", &[]).expect(0);
    // Whatever a folder says that is not closed: it is no fault of the ledger.
    reopen(&world, "2026-10");
    reopen(&world, "2026-09");
    for head in ["nonsense", "18446744073709551615:0000000000000000000000000000000000000000000000000000000000000000"] {
        rewrite_summary(&world.path("2026-09"), |summary| summary["revocations_asked"] = serde_json::json!([head]));
        let folder: Vec<&str> = OCTOBER.iter().map(|word| if *word == "auto" { "2026-09" } else { *word }).collect();
        reconcile(&world, "tagih.ledger", &folder);
        assert!(caveats(&world, "2026-10").iter().any(|caveat| caveat["ledger_head"] == head));
    }
    reconcile(&world, "tagih.ledger", &SEPTEMBER);
    close(&world, "tagih.ledger", "2026-09", &[]).expect(0);
    // None at all, for the bills of another system.
    let bills = "I-1,8814321,alfa,1000,ACTIVE,no,2026-09-01,2026-11-30,\n";
    world.file("external.csv", format!("{EXTERNAL}\n{bills}"));
    let external = [&OCTOBER[..], &["--external-ledger", "external.csv"]].concat();
    let ran = reconcile(&world, "nowhere.ledger", &external).says(&["warning: there is no ledger", "nowhere.ledger", "nobody was asked"]);
    assert_eq!(ran.code, 1);
    assert_eq!(summary(&world.path("2026-10"))["revocations_asked"], serde_json::json!([]));
    assert!(caveats(&world, "2026-10").iter().any(|caveat| caveat["kind"] == "other_ledger"));
}

fn summary_sequence(world: &World) -> u64 {
    let told: Value = serde_json::from_str(&world.run(&["status", "--json"]).stdout).unwrap();
    told["ledger_head"].as_str().unwrap().split_once(':').unwrap().0.parse().unwrap()
}

#[test]
fn a_report_says_which_ledgers_were_asked_and_of_two_the_one_that_believes_less_counts() {
    let world = world();
    let bills: String = [1, 2].map(|n| format!("I-{n},88{n}4321,alfa,1000,ACTIVE,no,2026-09-01,2026-11-30,\n")).concat();
    world.file("external.csv", format!("{EXTERNAL}\n{bills}"));
    let history = world.path("history.ledger").display().to_string();
    let history = [("TAGIH_LEDGER_PATH", history.as_str())];
    world.run_with(&history, &["ledger", "create"]).expect(0);
    let asked = |more: &[&str]| {
        reconcile(&world, "tagih.ledger", &[&SEPTEMBER[..], &["--external-ledger", "external.csv"], more].concat());
        let summary = summary(&world.path("2026-09"));
        (summary["revocations_asked"].as_array().unwrap().len(), classes(&summary, "lines"))
    };
    let beside = ["--request-history", "history.ledger"];
    assert_eq!(asked(&beside), (2, "N00x2".to_owned()));
    let said = |at: &str| ["keys", "revoke", "present", "--received-after", at, "--reason", "leak", "--by", "Siti"].map(str::to_owned);
    let run = |variables: &[(&str, &str)], words: &[String]| {
        drop(world.run_with(variables, &words.iter().map(String::as_str).collect::<Vec<_>>()).expect(0));
    };
    run(&history, &said(T));
    assert_eq!(asked(&[]), (1, "N00x2".to_owned()), "only the ledger of the settings was asked");
    assert_eq!(asked(&beside), (2, "N00 N02".to_owned()));
    run(&[], &said("2026-09-10T04:00:00Z"));
    assert_eq!(asked(&beside), (2, "N02x2".to_owned()), "the one that believes less");
    run(&[], &["keys", "reinstate", "present", "--reason", "found", "--by", "Siti"].map(str::to_owned));
    assert_eq!(asked(&beside), (2, "N00 N02".to_owned()), "what one takes back the other still says");
}

#[test]
fn a_report_names_every_key_that_signed_what_counts_and_all_that_was_said_of_it() {
    let world = world();
    let by_former = line_signed("I-1", "8814321", 1000, EARLY, "t3", FORMER);
    world.file("september.jsonl", format!("{}{by_former}\n", fs::read_to_string(world.path("september.jsonl")).unwrap()));
    let previous = world.file("previous", FORMER);
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    let both = [("TAGIH_DOKU_SECRET_FILE_PREVIOUS", previous.to_str().unwrap()), ("TAGIH_DOKU_PREVIOUS_UNTIL", "2036-01-01")];
    world.run_with(&both, &["evidence", "add", "september.jsonl", "--store", "store"]).expect(0);
    let of_store = of_source(["--evidence", "store"]);
    let keys = || {
        reconcile(&world, "tagih.ledger", &of_store);
        summary(&world.path("2026-09"))["keys"].as_array().unwrap().clone()
    };
    let named = |keys: &[Value]| {
        let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
        keys.iter().map(|key| [text(key, "fingerprint"), text(key, "until"), text(key, "last_received_at")]).collect::<Vec<_>>()
    };
    let [present, former] = [SECRET, FORMER].map(fingerprint);
    let none = String::new();
    assert_eq!(named(&keys()), [[present.clone(), none.clone(), LATE.into()], [former.clone(), none.clone(), EARLY.into()]]);
    revoke(&world, &[]).expect(0);
    assert_eq!(named(&keys())[0], [present.clone(), T.into(), EARLY.into()]);
    world.run(&["keys", "reinstate", "present", "--reason", "it was found", "--by", "Budi"]).expect(0);
    let after = keys();
    assert_eq!(named(&after)[0], [present, none, LATE.into()]);
    let said: Vec<(&str, &str)> = after[0]["said"]
        .as_array()
        .unwrap()
        .iter()
        .map(|said| (said["by"].as_str().unwrap(), said["received_after"].as_str().unwrap_or("taken back")))
        .collect();
    assert_eq!(said, [("Siti", T), ("Budi", "taken back")], "that it was revoked for a time stays to be seen");
    let page = page(&world, "2026-09");
    assert!(
        page.contains("taken back (it was found)") && page.contains("a laptop was stolen") && page.contains(&former),
        "on the page, too"
    );
}

#[test]
fn a_message_that_tells_of_later_than_it_arrived_has_not_arrived_then_for_a_revoked_key() {
    let message = |n: usize, paid: &str, stamp: &str, received: &str| {
        let message = Message::paid(format!("I-{n}"), &format!("88{n}4321"), 1_000, paid).by("ALFAMART", "S1", &format!("t{n}"));
        let envelope = Envelope::of(&message, format!("request-{n}"), received);
        Envelope { stamp: stamp.to_owned(), ..envelope }.line(SECRET) + "\n"
    };
    // Paid, stamped, received; ten minutes are what clocks may differ by.
    let lines = [
        (EARLY, EARLY, EARLY, true),
        (EARLY, "2026-09-15T05:10:00Z", EARLY, true),
        (EARLY, "2026-09-15T05:10:01Z", EARLY, false),
        ("2026-09-15T05:10:00Z", EARLY, EARLY, true),
        ("2026-09-15T05:10:01Z", EARLY, EARLY, false),
        (LATE, LATE, T, false),
        (EARLY, EARLY, "2026-09-15T05:00:01Z", false),
    ];
    let world = world();
    for (number, (paid, stamp, received, is_believed)) in lines.into_iter().enumerate() {
        let (log, store) = (format!("{number}.jsonl"), format!("{number}.store"));
        world.file(&log, message(number + 1, paid, stamp, received));
        world.run(&["evidence", "add", &log, "--store", &store]).expect(0);
        let count = |source: [&str; 2]| {
            reconcile(&world, "tagih.ledger", &of_source(source));
            classes(&summary(&world.path("2026-09")), "lines")
        };
        let sources = [["--notifications", &log], ["--evidence", &store]];
        for source in sources {
            assert_eq!(count(source), "N00", "{number}: nothing was said");
        }
        revoke(&world, &[]).expect(0);
        for source in sources {
            assert_eq!(count(source), if is_believed { "N00" } else { "N02" }, "{number}: {paid} {stamp} {received}, {source:?}");
        }
        world.run(&["keys", "reinstate", "present", "--reason", "found", "--by", "Siti"]).expect(0);
    }
}
