//! Looking after the ledger: adopting codes, copies, proofs, and what a person asks about.

use std::fs;

use tagih::sandbox::fault::{FaultKind, Faults};

use crate::reconcile::why::unwrapped;
use crate::support::world::{Doku, World};

/// Codes issued from elsewhere, as the file an insurer would bring.
fn codes_of(world: &World) -> String {
    let rows = world.rows("out/accepted.csv");
    let line = |row: &std::collections::BTreeMap<String, String>| {
        ["invoice_number", "payment_code", "channel", "amount", "expires_at"].map(|column| row[column].clone()).join(",")
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("invoice_number,payment_code,channel,amount,expires_at\n{}\n", lines.join("\n"))
}

const BILLS: [&str; 3] = ["A,1000,Budi,alfa,,,,,", "B,2000,Siti,alfa,,,,,", "C,3000,Tini,alfa,,,,,"];

/// A ledger that adopted the codes of [`BILLS`], which another one issued.
fn adopted(doku: &Doku) -> World {
    let elsewhere = World::of(doku);
    elsewhere.bills("bills.csv", &BILLS);
    elsewhere.issue("bills.csv", &[]).expect(0);
    let here = World::of(doku);
    here.file("codes.csv", codes_of(&elsewhere));
    let ran = here.run(&["ledger", "import", "codes.csv"]).expect(0);
    assert!(ran.stdout.contains("3 rows: 3 adopted, 0 known, 0 refused, 0 duplicate"), "{}", ran.stdout);
    here
}

#[test]
fn adopted_codes_that_match_their_rows_are_left_alone_and_changed_ones_are_amended() {
    let doku = Doku::process();
    let world = adopted(&doku);
    let again = world.run(&["ledger", "import", "codes.csv"]).expect(0);
    assert!(again.stdout.contains("0 adopted, 3 known"), "{}", again.stdout);
    world.bills("bills.csv", &[BILLS[0], "B,2500,Siti,alfa,,,,,", BILLS[2]]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders()["B"].amount), ("1 amended, 2 unchanged", 2500));
    assert_eq!(doku.calls().len(), 4, "three issues elsewhere, one amendment here");
    let head = world.summary()["ledger_head"].clone();
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((doku.calls().len(), &world.summary()["ledger_head"]), (4, &head), "a finished run records nothing");
}

#[test]
fn an_adopted_code_is_cancelled_once_its_full_row_was_seen_or_a_name_is_configured() {
    let doku = Doku::process();
    let world = adopted(&doku);
    world.run(&["cancel", "A", "--out", "out"]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0311"]);
    world.run_with(&[("TAGIH_PLAN_CANCEL_NAME", "Pelanggan")], &["cancel", "B", "--out", "out"]).expect(0);
    world.bills("bills.csv", &[BILLS[0]]);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["cancel", "A", "--out", "out"]).expect(0);
    let states: Vec<String> = doku.orders().into_values().map(|order| order.state).collect();
    assert_eq!(states, ["cancelled", "cancelled", "live"]);
}

#[test]
fn a_code_that_contradicts_the_ledger_is_not_adopted() {
    let doku = Doku::process();
    let world = adopted(&doku);
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,999,alfa,1000\nNEW,998,alfa,1000\n");
    let ran = world.run(&["ledger", "import", "codes.csv"]).expect(1).says(&["codes.csv:2", "`A` is active with another code"]);
    assert!(ran.stdout.contains("1 adopted, 0 known, 1 refused"), "{}", ran.stdout);
}

#[test]
fn a_backup_is_whole_and_an_older_copy_put_back_is_found_by_its_head() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "V", 5);
    world.issue("bills.csv", &[]).expect(0);
    let early = world.summary()["ledger_head"].as_str().unwrap().to_owned();
    world.run(&["ledger", "backup", "copy.ledger"]).expect(0);
    world.run(&["ledger", "backup", "copy.ledger"]).expect(2).says(&["never overwrites"]);
    world.many("bills.csv", "V", 6);
    world.issue("bills.csv", &[]).expect(0);
    let late = world.summary()["ledger_head"].as_str().unwrap().to_owned();
    world.run(&["ledger", "verify", "--head", &early]).expect(0);
    world.run(&["ledger", "verify", "--head", &late]).expect(0);
    world.run(&["ledger", "verify", "--head", "5:xyz"]).expect(2).says(&["sequence:hash"]);
    let copy = [("TAGIH_LEDGER_PATH", "copy.ledger")];
    let ran = world.run_with(&copy, &["ledger", "verify"]).expect(0);
    assert!(ran.stdout.contains("of 5 bills are whole") && ran.stdout.contains(&early), "{}", ran.stdout);
    world.run_with(&copy, &["ledger", "verify", "--head", &late]).expect(8).says(&["older copy"]);
    let other = early.replace(|c: char| ('a'..='f').contains(&c), "0");
    world.run(&["ledger", "verify", "--head", &other]).expect(8).says(&["another history"]);
}

#[test]
fn the_export_is_json_lines_of_every_event_and_the_same_every_time() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "J", 4);
    world.issue("bills.csv", &[]).expect(0);
    let export = world.run(&["ledger", "export"]).expect(0).stdout;
    let lines: Vec<serde_json::Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4 * 3 + 1, "planned, intended, accepted of each, and the head");
    assert!(!export.contains("Budi"), "I22");
    assert_eq!(world.run(&["ledger", "export"]).expect(0).stdout, export);
}

#[test]
fn why_tells_the_story_of_a_bill_in_order() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    world.bills("bills.csv", &["A,1500000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["cancel", "A"]).expect(0);
    let story = unwrapped(&world.run(&["why", "A"]).expect(0).stdout);
    let code = &doku.orders()["A"].code;
    let marks = [
        "A: cancelled at alfa, Rp1.500.000",
        "planned: Rp1.000",
        "issue intended",
        code,
        "amend intended",
        "cancel intended",
        "DOKU accepted",
        "What to do next",
        "1. nothing",
    ];
    let mut rest = story.as_str();
    for mark in marks {
        rest = rest.split_once(mark).unwrap_or_else(|| panic!("`{mark}` is missing or out of place in {story}")).1;
    }
    let json = world.run(&["why", "A", "--json"]).expect(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(told["story"].as_array().unwrap().len(), 7, "planned, and three times intended and accepted");
    world.run(&["why", "UNKNOWN"]).expect(2).says(&["holds no invoice `UNKNOWN`", "hint: "]);
}

#[test]
fn purging_spares_what_is_open_and_records_itself() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,", "B,1000,Siti,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    world.run(&["cancel", "A", "--out", "out"]).expect(0);
    let tomorrow = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(48)).unwrap().to_string();
    let ran = world.run(&["ledger", "purge", "--before", &tomorrow[..10]]).expect(0);
    assert!(ran.stdout.contains("purged 1 customers and 2 request bodies"), "{}", ran.stdout);
    world.run(&["ledger", "verify"]).expect(0);
    world.run(&["cancel", "B", "--out", "out"]).expect(0);
}

#[test]
fn an_import_refuses_the_rows_that_cannot_be_and_adopts_the_others() {
    let doku = Doku::process();
    let world = adopted(&doku);
    world.run_with(&[("TAGIH_PLAN_CANCEL_NAME", "Pelanggan")], &["cancel", "A", "--out", "out"]).expect(0);
    let live = world.rows("codes.csv")[1]["payment_code"].clone();
    world
        .file("codes.csv", format!("invoice_number,payment_code,channel,amount\nA,999,alfa,1000\nX,{live},alfa,1000\nNEW,998,alfa,1000\n"));
    let ran = world.run(&["ledger", "import", "codes.csv"]).expect(1);
    let ran = ran.says(&["`A` is cancelled with another code", "codes.csv:3", "live for invoice `B`"]);
    assert!(ran.stdout.contains("1 adopted, 0 known, 2 refused"), "{}", ran.stdout);
}

#[test]
fn a_person_cannot_bind_a_code_that_is_anothers() {
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ServerErrorAfter) });
    let world = World::of(&doku);
    world.bills("bills.csv", &["D,1000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(3);
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nB,998,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv"]).expect(0);
    let resolve = ["resolve", "D", "--as", "done", "--reason", "typed wrongly", "--payment-code", "998"];
    world.run(&resolve).expect(2).says(&["already live for invoice `B`", "hint:"]);
    assert_eq!(world.statuses()["in_doubt_issue"], 1);
}

#[test]
fn an_edited_ledger_is_found_by_whoever_uses_it_and_by_verify() {
    let doku = Doku::process();
    // What was edited, and whether a command that reads the bill meets it; a dropped trigger only `verify` looks for.
    for (edit, is_met, says) in [
        ("UPDATE bills SET amount = 1 WHERE invoice_number = 'A'", true, "the row of invoice `A`"),
        ("UPDATE terms SET text = replace(text, '1000', '1')", true, "the row of invoice `A`"),
        ("UPDATE customers SET name = 'Agus'", false, "the customer of invoice `A`"),
        ("UPDATE meta SET client_id = client_id, chained_after = 1", false, "event 2 does not follow"),
        ("DROP TRIGGER events_are_never_removed", false, "`events_are_never_removed` is missing"),
        ("DROP INDEX bills_silent", false, "`bills_silent` is missing"),
        ("ALTER TABLE payments RENAME COLUMN amount TO rupiah", false, "`payments` is not as this program makes it"),
    ] {
        let world = World::of(&doku);
        world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,"]);
        world.run(&["issue", "bills.csv", "--out", "out"]);
        world.run(&["ledger", "verify"]).expect(0);
        rusqlite::Connection::open(world.path("tagih.ledger")).unwrap().execute_batch(edit).unwrap();
        let verified = world.run(&["ledger", "verify"]).expect(8);
        assert!(verified.stderr.contains(says), "{edit}: {}", verified.stderr);
        if is_met {
            for command in [&["why", "A"][..], &["issue", "bills.csv", "--out", "out"], &["cancel", "A", "--out", "out"]] {
                let ran = world.run(command).expect(8);
                assert!(ran.stderr.contains("its seal does not fit"), "{edit}: {}", ran.stderr);
            }
        }
    }
}

#[test]
fn a_ledger_with_a_key_is_read_with_that_key_only() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,77,alfa,10000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let verify = ["ledger", "verify", "--head-file", "head"];
    world.run(&verify).expect(0);
    let (first, second) = ([("TAGIH_LEDGER_SEAL_KEY", "first-key-0123456789")], [("TAGIH_LEDGER_SEAL_KEY", "second-key-0123456789")]);
    world.run_with(&first, &["status"]).expect(2).says(&["are made without a key", "with the key"]);
    world.run(&["ledger", "rekey", "--backup", "a.ledger", "--head-file", "head"]).expect(2).says(&["sealed as it is already"]);
    // As it was a while ago it is not sealed anew, whatever a hint says.
    let older = fs::read(world.path("tagih.ledger")).unwrap();
    world.file("more.csv", "invoice_number,payment_code,channel,amount\nB,78,alfa,10000\n");
    world.run(&["ledger", "import", "more.csv"]).expect(0);
    world.run(&verify).expect(0);
    let newer = fs::read(world.path("tagih.ledger")).unwrap();
    fs::write(world.path("tagih.ledger"), &older).unwrap();
    world.run_with(&first, &["status"]).expect(2).says(&["older copy", "--head"]);
    world.run_with(&first, &["ledger", "rekey", "--backup", "a.ledger"]).expect(2).says(&["--head"]);
    world.run_with(&first, &["ledger", "rekey", "--backup", "a.ledger", "--head-file", "none"]).expect(2).says(&["no head is known"]);
    world.run_with(&first, &["ledger", "rekey", "--backup", "a.ledger", "--head-file", "head"]).expect(8).says(&["this is an older copy"]);
    assert!(!world.path("a.ledger").exists() && fs::read(world.path("tagih.ledger")).unwrap() == older, "nothing was done");
    fs::write(world.path("tagih.ledger"), &newer).unwrap();
    world.run_with(&first, &["ledger", "rekey", "--backup", "a.ledger", "--head-file", "head"]).expect(0);
    world.run_with(&first, &verify).expect(0);
    world.run_with(&first, &["why", "A"]).expect(0);
    for command in [&["status"][..], &verify, &["why", "A"], &["ledger", "export"]] {
        world.run(command).expect(2).says(&["are made with the key", "without a key"]);
    }
    let former = world.file("former.key", "first-key-0123456789\n");
    fs::set_permissions(&former, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let rekey = ["ledger", "rekey", "--backup", "b.ledger", "--former", "former.key", "--head-file", "head"];
    world.run_with(&second, &rekey).expect(0);
    world.run_with(&first, &["status"]).expect(2).says(&["are made with the key"]);
    world.run_with(&second, &verify).expect(0);
    let exported = world.run_with(&second, &["ledger", "export"]).expect(0).stdout;
    assert_eq!(exported.matches("\"kind\":\"key\"").count(), 2, "{exported}");
    world.run_with(&[("TAGIH_LEDGER_SEAL_KEY", "short")], &["status"]).expect(2).says(&["too short"]);
}

#[test]
fn a_backup_of_a_damaged_ledger_is_kept_and_said_to_be_one() {
    let world = World::at("http://127.0.0.1:1", "");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA,77,alfa,10000\n");
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    let whole = world.run(&["ledger", "backup", "whole.ledger"]).expect(0);
    assert!(whole.stdout.contains("are whole; head "), "{whole:?}");
    let edit = "UPDATE customers SET name = 'x'; UPDATE bills SET amount = amount + 1; UPDATE totals SET amount = amount + 1";
    rusqlite::Connection::open(world.path("tagih.ledger")).unwrap().execute_batch(edit).unwrap();
    world.run(&["ledger", "backup", "damaged.ledger"]).expect(8).says(&["damaged.ledger", "do not hold together", "E0502"]);
    let edited = rusqlite::Connection::open(world.path("damaged.ledger")).unwrap();
    assert_eq!(edited.query_row("SELECT amount FROM bills", [], |row| row.get::<_, i64>(0)).unwrap(), 10_001, "the bytes are kept");
}
