//! `tagih discrepancies`: three months on the real program, decisions by command and by spreadsheet, and the journal under attack.

use std::fs;

use serde_json::Value;

use crate::reconcile::ours::{EXTERNAL as HEAD, line, summary};
use crate::support::preload::clock_at;
use crate::support::world::{Ran, World};

/// Marked paid without evidence (L04), unless it says otherwise.
const MARKED: &str = "Z,0026,alfa,80000,PAID,no,2026-09-01,2027-03-31,";
const OPEN: &str = "Z,0026,alfa,80000,ACTIVE,no,2026-09-01,2027-03-31,";
const ACCOUNTS: &str = "[accounts]\nin_transit = \"1130\"\nreceivable = \"1120\"\nsuspense = \"2190\"\ncustomer_deposit = \"2150\"\n\
                        shortfall = \"1125\"\nwrite_off = \"6990\"\nfee_expense = \"6100\"\nvat_input = \"1150\"\nbank = \"1110\"\nunproven = \"1121\"\nrefunds_due = \"2151\"\n";

pub(crate) fn world(more: &str) -> World {
    let world = World::at("http://127.0.0.1:1", more);
    ledger(&world, MARKED);
    // Exact, short, twice, and one that nobody knows.
    let october = [
        line("A", "0001", 10_000, "2026-10-05T05:00:00Z", "T1"),
        line("B", "0002", 19_000, "2026-10-05T06:00:00Z", "T2"),
        line("C", "0003", 30_000, "2026-10-05T07:00:00Z", "T3"),
        line("C", "0003", 30_000, "2026-10-06T07:00:00Z", "T4"),
        line("NOBODY", "00990000000000123", 5_000, "2026-10-07T07:00:00Z", "T5"),
    ];
    world.file("2026-10.jsonl", october.join("\n") + "\n");
    world.file("2026-11.jsonl", line("D", "0004", 40_000, "2026-11-05T05:00:00Z", "T6") + "\n");
    world.file("2026-12.jsonl", line("E", "0005", 50_000, "2026-12-05T05:00:00Z", "T7") + "\n");
    world
}

fn ledger(world: &World, last: &str) {
    let rows = [("A", 1), ("B", 2), ("C", 3), ("D", 4), ("E", 5)];
    let row = |(name, number): (&str, u32)| format!("{name},000{number},alfa,{number}0000,ACTIVE,no,2026-09-01,2027-03-31,");
    let rows: Vec<String> = rows.into_iter().map(row).chain([last.to_owned()]).collect();
    world.file("ledger.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
}

pub(crate) fn reconciled(world: &World, period: &str, out: &str) -> Ran {
    let (log, as_of) = (format!("{period}.jsonl"), if period == "2026-12" { "2027-01-02" } else { "2026-12-02" });
    let as_of = if period == "2026-10" { "2026-11-02" } else { as_of }.to_owned() + "T00:00:00Z";
    let ledger = ["--external-ledger", "ledger.csv", "--as-of", &as_of, "--out", out];
    world.run(&[&["reconcile", "--period", period, "--notifications", &log][..], &ledger].concat())
}

/// Runs `tagih discrepancies` in November: a decision belongs to the month in which it was taken.
pub(crate) fn discrepancies(world: &World, arguments: &[&str]) -> Ran {
    world.run_with(&clock_at("2026-11-20T03:00:00Z"), &[&["discrepancies"], arguments].concat())
}

fn take(world: &World, folder: &str) -> Value {
    serde_json::from_str(&discrepancies(world, &["take", folder, "--by", "Siti", "--json"]).expect(0).stdout).unwrap()
}

/// `class: status` of every item, sorted.
pub(crate) fn statuses(world: &World) -> Vec<String> {
    let all: Vec<Value> = serde_json::from_str(&discrepancies(world, &["list", "--status", "all", "--json"]).expect(0).stdout).unwrap();
    let mut all: Vec<String> =
        all.iter().map(|item| format!("{}: {}", item["class"].as_str().unwrap(), item["status"].as_str().unwrap())).collect();
    all.sort();
    all
}

/// The id of the only item of a class in a report.
pub(crate) fn id_of(world: &World, folder: &str, class: &str) -> String {
    let rows = world.rows(&format!("{folder}/discrepancies.csv"));
    rows.iter().find(|row| row["class"] == class).unwrap_or_else(|| panic!("no {class}"))["discrepancy_id"].clone()
}

fn row(world: &World, folder: &str, class: &str) -> [String; 4] {
    let rows = world.rows(&format!("{folder}/discrepancies.csv"));
    let row = rows.iter().find(|row| row["class"] == class).unwrap();
    ["first_seen", "last_seen", "status", "owner"].map(|column| row[column].clone())
}

#[test]
fn a_decision_stands_while_the_facts_do_falls_when_they_change_and_the_item_clears_when_it_is_mended() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    assert_eq!(row(&world, "oct", "L04"), ["2026-10", "2026-10", "open", ""], "a report without a journal");
    assert_eq!(take(&world, "oct")["new"], 4);
    assert_eq!(take(&world, "oct")["known_run"], true);
    assert_eq!(statuses(&world), ["L04: open", "L11: open", "P01: open", "P06: open"]);
    let marked = id_of(&world, "oct", "L04");
    let ids: Vec<String> = world.column("oct/discrepancies.csv", "discrepancy_id");
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let decided = [&["accept"], &all[..], &["--reason", "known from the branch", "--by", "Siti", "--owner", "Finance"]].concat();
    discrepancies(&world, &decided).expect(0);
    discrepancies(&world, &decided).expect(2).says(&["E0805", "accepted", "hint:"]);
    reconciled(&world, "2026-10", "oct-again").expect(0);
    let found = &summary(&world.path("oct-again"))["discrepancies"];
    assert_eq!((&found["count"], &found["breaks"], &found["accepted"]), (&4.into(), &0.into(), &4.into()));
    assert!(found["journal_head"].as_str().unwrap().starts_with("2:"), "{found}");

    // November: the payments of October are none of its business; the bills are found again as they were.
    reconciled(&world, "2026-11", "nov").expect(0);
    assert_eq!(row(&world, "nov", "L04"), ["2026-10", "2026-11", "accepted", "Finance"]);
    let taken = take(&world, "nov");
    assert_eq!((&taken["new"], &taken["again"]), (&0.into(), &2.into()));
    assert!(statuses(&world).contains(&"P01: accepted".to_owned()), "{:?}", statuses(&world));

    // December: its amount has changed.
    ledger(&world, &MARKED.replace("80000", "85000"));
    reconciled(&world, "2026-12", "dec").expect(1);
    assert_eq!(row(&world, "dec", "L04"), ["2026-10", "2026-12", "reopened", "Finance"]);
    take(&world, "dec");
    assert!(statuses(&world).contains(&"L04: reopened".to_owned()));

    // Mended, then broken again.
    ledger(&world, OPEN);
    reconciled(&world, "2026-12", "dec-mended").expect(0);
    assert_eq!(summary(&world.path("dec-mended"))["discrepancies"]["cleared"], serde_json::json!([marked]));
    take(&world, "dec-mended");
    assert!(statuses(&world).contains(&"L04: cleared".to_owned()));
    ledger(&world, MARKED);
    reconciled(&world, "2026-12", "dec-broken").expect(1);
    take(&world, "dec-broken");
    let story = discrepancies(&world, &["show", &marked]).expect(0).stdout;
    let places: Vec<_> = ["first seen", "decided", "facts changed", "no longer found", "→ reopened"].map(|word| story.find(word)).into();
    assert!(places.iter().all(Option::is_some) && story.contains("by Siti to accept: known from the branch"), "{story}");
}

#[test]
fn an_alarm_of_an_earlier_month_still_says_what_it_is_about() {
    let world = world("");
    let text = fs::read_to_string(world.path("ledger.csv")).unwrap();
    world.file("ledger.csv", text.replace("A,0001,alfa", "A,0001,indomaret"));
    reconciled(&world, "2026-10", "oct").expect(1);
    let about = |out: &str| {
        let rows = world.rows(&format!("{out}/open_items.csv"));
        let alarm = rows.iter().find(|row| row["class"] == "P11").unwrap_or_else(|| panic!("no P11 in {out}"));
        ["invoice_number", "payment_code", "channel"].map(|column| alarm[column].clone())
    };
    assert_eq!(about("oct"), ["A", "0001", "indomaret"]);
    let next = ["--external-ledger", "ledger.csv", "--as-of", "2026-12-02T00:00:00Z", "--out", "nov", "--opening", "oct"];
    world.run(&[&["reconcile", "--period", "2026-11", "--notifications", "2026-11.jsonl"][..], &next].concat()).expect(1);
    assert_eq!(about("nov"), about("oct"));
}

#[test]
fn the_same_inputs_and_journal_give_the_same_bytes_and_the_journal_is_only_read() {
    let world = world("");
    reconciled(&world, "2026-10", "a").expect(1);
    take(&world, "a");
    let journal = fs::read(world.path("tagih.journal")).unwrap();
    reconciled(&world, "2026-10", "b").expect(1);
    reconciled(&world, "2026-10", "c").expect(1);
    assert_eq!(crate::support::world::bytes_in(&world.path("b")), crate::support::world::bytes_in(&world.path("c")));
    assert_eq!(fs::read(world.path("tagih.journal")).unwrap(), journal);
    assert_ne!(summary(&world.path("a"))["run_id"], summary(&world.path("b"))["run_id"], "decisions are an input");
}

/// An exported file as a spreadsheet gives it back: semicolons, a byte order mark, CRLF, numbers and dates rewritten, and these
/// cells filled in by class.
fn mangled(world: &World, from: &str, to: &str, decided: &[(&str, &[(&str, &str)])]) {
    let mut csv = csv::Reader::from_path(world.path(from)).unwrap();
    let header = csv.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut text = format!("\u{feff}{}\r\n", header.iter().collect::<Vec<_>>().join(";"));
    for record in csv.records().map(Result::unwrap) {
        let mut cells: Vec<String> = record.iter().map(|cell| cell.replace([';', '"'], " ")).collect();
        cells[at("payment_code")] = "1,23E+15".into();
        cells[at("paid_at")] = "07/10/2026 14:00".into();
        cells[at("first_seen")] = "Okt-26".into();
        let class = cells[at("class")].clone();
        for (_, filled) in decided.iter().filter(|(wanted, _)| *wanted == class) {
            for (column, cell) in *filled {
                (*cell).clone_into(&mut cells[at(column)]);
            }
        }
        text += &(cells.join(";") + "\r\n");
    }
    world.file(to, text);
}

#[test]
fn decisions_survive_what_a_spreadsheet_does_to_a_file_and_are_recorded_once() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    discrepancies(&world, &["export", "--report", "oct", "--out", "items.csv", "--by", "Siti"]).expect(0);
    let codes = world.column("items.csv", "payment_code");
    assert!(codes.contains(&"'00990000000000123".to_owned()) && codes.iter().all(|code| code.starts_with('\'')), "{codes:?}");
    assert!(world.column("items.csv", "discrepancy_id").iter().all(|id| id.starts_with("D-")));
    let refund: &[_] = &[("action", "Refund"), ("reason", "returned to the payer"), ("actor", "Budi"), ("owner", "Treasury")];
    let write_off: &[_] = &[("action", "write off"), ("reason", "below the limit")];
    let look: &[_] = &[("action", "investigate"), ("reason", "the store was asked")];
    mangled(&world, "items.csv", "back.csv", &[("P01", refund), ("L11", write_off), ("L04", look)]);
    let ran = discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(0);
    assert!(ran.stdout.starts_with("3 decisions recorded, 0 known, 1 rows without an action"), "{}", ran.stdout);
    assert_eq!(statuses(&world), ["L04: open", "L11: accepted", "P01: accepted", "P06: open"]);
    let shown: Value =
        serde_json::from_str(&discrepancies(&world, &["show", &id_of(&world, "oct", "P01"), "--json"]).expect(0).stdout).unwrap();
    assert_eq!((&shown["resolution"]["action"], &shown["resolution"]["decided_by"]), (&"refund".into(), &"Budi".into()));
    assert_eq!((&shown["owner"], &shown["payment_code"]), (&"Treasury".into(), &"00990000000000123".into()));
    let ran = discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(0);
    assert!(ran.stdout.starts_with("0 decisions recorded, 3 known"), "{}", ran.stdout);
}

#[test]
fn one_wrong_row_stops_all_of_them_and_every_one_is_named() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    discrepancies(&world, &["export", "--report", "oct", "--out", "items.csv", "--by", "Siti"]).expect(0);
    let good: &[_] = &[("action", "refund"), ("reason", "returned")];
    let no_reason: &[_] = &[("action", "accept")];
    let no_action: &[_] = &[("action", "burn"), ("reason", "x")];
    let unfit: &[_] = &[("action", "refund"), ("reason", "there is no money here")];
    let unknown: &[_] = &[("discrepancy_id", "D-123"), ("action", "accept"), ("reason", "x")];
    let stale: &[_] = &[("facts", "F-1,2E+15"), ("action", "accept"), ("reason", "x")];
    mangled(&world, "items.csv", "other.csv", &[("P01", good), ("L11", unknown), ("L04", stale)]);
    mangled(&world, "items.csv", "back.csv", &[("P01", good), ("P06", no_reason), ("L11", no_action), ("L04", unfit)]);
    let journal = fs::read(world.path("tagih.journal")).unwrap();
    let ran = discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(7);
    let ran = ran.says(&["E0807", "E0808", "E0811", "`burn` is no action", "3 of 4 rows"]);
    for (line, column) in [(":action: ", 2), (":reason: ", 1)] {
        assert_eq!(ran.stderr.matches(line).count(), column, "{line} in {}", ran.stderr);
    }
    let ran = discrepancies(&world, &["import", "other.csv", "--by", "Siti"]).expect(7);
    let ran = ran.says(&["E0803", "E0804", "2 of 4 rows"]);
    for (line, column) in [(":discrepancy_id: ", 1), (":facts: ", 1)] {
        assert_eq!(ran.stderr.matches(line).count(), column, "{line} in {}", ran.stderr);
    }
    assert_eq!(fs::read(world.path("tagih.journal")).unwrap(), journal, "nothing is recorded");
    discrepancies(&world, &["import", "back.csv", "--by", "Siti", "--partial"]).expect(1);
    assert!(statuses(&world).contains(&"P01: accepted".to_owned()));
    world.file("no.csv", "a,b\n1,2\n");
    world.file("no-utf8.csv", b"discrepancy_id,facts,action,reason\nD-1,F-1,accept,\xe9\n");
    for name in ["no.csv", "no-utf8.csv", "absent.csv"] {
        discrepancies(&world, &["import", name, "--by", "Siti"]).expect(7).says(&["E0811", name, "hint:"]);
    }
}

#[test]
fn what_was_exported_before_the_facts_changed_is_refused() {
    let world = world("");
    reconciled(&world, "2026-11", "nov").expect(1);
    discrepancies(&world, &["export", "--report", "nov", "--out", "items.csv", "--by", "Siti"]).expect(0);
    ledger(&world, &MARKED.replace("80000", "85000"));
    reconciled(&world, "2026-12", "dec").expect(1);
    take(&world, "dec");
    mangled(&world, "items.csv", "back.csv", &[("L04", &[("action", "accept"), ("reason", "the branch has the receipt")])]);
    discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(7).says(&["E0804", "back.csv:2:facts"]);
    // A report that is older than what is known says nothing about it.
    ledger(&world, MARKED);
    reconciled(&world, "2026-11", "nov-again").expect(1);
    take(&world, "nov-again");
    let shown = discrepancies(&world, &["show", &id_of(&world, "nov", "L04")]).expect(0).stdout;
    assert!(shown.contains("Rp85.000"), "{shown}");
}

#[test]
fn with_four_eyes_a_decision_needs_a_second_person() {
    let world = world("[discrepancies]\nfour_eyes = true\n");
    reconciled(&world, "2026-10", "oct").expect(1);
    take(&world, "oct");
    let (orphan, marked) = (id_of(&world, "oct", "P01"), id_of(&world, "oct", "L04"));
    let refund = ["accept", &orphan, "--action", "refund", "--reason", "returned", "--by", "Siti Aminah"];
    let ran = discrepancies(&world, &refund).expect(0);
    assert!(ran.stdout.contains("approve"), "{}", ran.stdout);
    assert!(statuses(&world).contains(&"P01: proposed".to_owned()));
    let proposal = |id: &str| -> String {
        let shown: serde_json::Value = serde_json::from_str(&world.run(&["--json", "discrepancies", "show", id]).expect(0).stdout).unwrap();
        shown["proposal_id"].as_str().unwrap_or("none waits").to_owned()
    };
    let agree = |uid: &str, id: &str, by: &str, to: &str| {
        world.run_with(&[("SUDO_UID", uid)], &["discrepancies", "approve", id, "--proposal", to, "--reason", "seen", "--by", by])
    };
    let approve = |uid: &str, id: &str, by: &str| agree(uid, id, by, &proposal(id));
    assert!(ran.stdout.contains(&format!("approve {orphan} --proposal {}", proposal(&orphan))), "{}", ran.stdout);
    // What was looked at is made anew meanwhile, as something else.
    let looked_at = proposal(&orphan);
    discrepancies(&world, &["export", "--out", "looked_at.csv"]).expect(0);
    discrepancies(&world, &["reopen", &orphan, "--reason", "a slip", "--by", "Siti Aminah"]).expect(0);
    discrepancies(&world, &[&refund[..], &["--amount", "1"]].concat()).expect(0);
    agree("1002", &orphan, "Budi", &looked_at).expect(2).says(&["E0818", &format!("tagih discrepancies show {orphan}")]);
    agree("1002", &orphan, "Budi", &proposal(&orphan)[..7]).expect(2).says(&["E0818"]);
    mangled(&world, "looked_at.csv", "agreed.csv", &[("P01", &[("action", "approve"), ("reason", "seen")])]);
    world
        .run_with(&[("SUDO_UID", "1002")], &["discrepancies", "import", "agreed.csv", "--by", "Budi"])
        .expect(7)
        .says(&["E0818", ":facts: "]);
    assert!(world.run(&["discrepancies", "show", &orphan]).expect(0).stdout.contains("by Siti Aminah to refund (Rp1)"));
    for same in ["Siti Aminah", " siti  AMINAH "] {
        approve("1002", &orphan, same).expect(2).says(&["E0806"]);
    }
    // Another name from the same account of the system is the same person.
    discrepancies(&world, &["approve", &orphan, "--proposal", &proposal(&orphan), "--reason", "seen", "--by", "Budi"])
        .expect(2)
        .says(&["E0806"]);
    approve("1002", &orphan, "Budi").expect(0);
    approve("1002", &marked, "Budi").expect(2).says(&["E0805"]);
    discrepancies(&world, &["export", "--out", "items.csv"]).expect(0);
    // Two names in one row are one person's import.
    let reviewed: &[_] = &[("action", "accept"), ("reason", "x"), ("reviewer", "Budi")];
    mangled(&world, "items.csv", "reviewed.csv", &[("L04", reviewed)]);
    discrepancies(&world, &["import", "reviewed.csv", "--by", "siti"]).expect(7).says(&["E0806", ":reviewer: "]);
    let (accepted, proposed): (&[_], &[_]) = (&[("action", "accept"), ("reason", "x")], &[("action", "refund"), ("reason", "x")]);
    mangled(&world, "items.csv", "back.csv", &[("L04", accepted), ("P06", proposed)]);
    discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(0);
    assert_eq!(statuses(&world), ["L04: proposed", "L11: open", "P01: accepted", "P06: proposed"]);
    // Nobody may decide without a name or a reason; a decision can be taken back.
    discrepancies(&world, &["reopen", &orphan, "--reason", "the payer called"]).expect(2).says(&["E0809", "--by"]);
    discrepancies(&world, &["reopen", &orphan, "--reason", " ", "--by", "Budi"]).expect(2).says(&["E0809"]);
    // What two decided, two take back.
    discrepancies(&world, &["reopen", &orphan, "--reason", "the payer called", "--by", "Budi"]).expect(0);
    assert!(statuses(&world).contains(&"P01: accepted".to_owned()));
    discrepancies(&world, &["approve", &orphan, "--proposal", &proposal(&orphan), "--reason", "so it is", "--by", "Siti"])
        .expect(2)
        .says(&["E0806"]);
    agree("1002", &orphan, "Siti", &looked_at).expect(2).says(&["E0818"]);
    approve("1002", &orphan, "Siti").expect(0);
    assert!(statuses(&world).contains(&"P01: reopened".to_owned()));
}

#[test]
fn two_imports_at_once_take_turns_and_the_second_meets_what_the_first_decided() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    discrepancies(&world, &["export", "--report", "oct", "--out", "items.csv", "--by", "Siti"]).expect(0);
    let files = ["refund", "accept", "write_off", "apply"];
    for action in files {
        mangled(&world, "items.csv", &format!("{action}.csv"), &[("P01", &[("action", action), ("reason", "mine")])]);
    }
    let start = |action: &str| world.start(&[], &["discrepancies", "import", &format!("{action}.csv"), "--by", action]);
    let running: Vec<_> = files.into_iter().map(start).collect();
    let mut codes: Vec<i32> = running.into_iter().map(|child| Ran::of(child).code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 7, 7, 7], "one decides, the others are told");
    discrepancies(&world, &["verify"]).expect(0);
}

#[test]
fn a_torn_line_is_passed_over_and_a_changed_one_stops_everything() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    take(&world, "oct");
    let orphan = id_of(&world, "oct", "P01");
    let path = world.path("tagih.journal");
    let whole = fs::read(&path).unwrap();
    let head = discrepancies(&world, &["verify"]).expect(0).stdout.split("head ").nth(1).unwrap().trim().to_owned();
    fs::write(&path, [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
    assert_eq!(statuses(&world).len(), 4, "nobody was told that the half line was recorded");
    discrepancies(&world, &["accept", &orphan, "--reason", "known", "--by", "Siti"]).expect(0);
    discrepancies(&world, &["verify", "--head", &head]).expect(0);
    let longer = fs::read(&path).unwrap();
    let later = discrepancies(&world, &["verify"]).expect(0).stdout.split("head ").nth(1).unwrap().trim().to_owned();
    fs::write(&path, &whole).unwrap();
    discrepancies(&world, &["verify", "--head", &later]).expect(8).says(&["E0801", "older"]);
    let changed = String::from_utf8(longer).unwrap().replace("\"by\":\"Siti\"", "\"by\":\"Budi\"");
    fs::write(&path, changed).unwrap();
    discrepancies(&world, &["list"]).expect(8).says(&["E0801", "line 2", "hint:"]);
    reconciled(&world, "2026-10", "x").expect(8).says(&["E0801"]);
    assert!(!world.path("x/summary.json").exists());
}

#[test]
fn entries_balance_are_repeatable_and_name_the_account_that_is_missing() {
    let world = world(ACCOUNTS);
    reconciled(&world, "2026-10", "oct").expect(1);
    take(&world, "oct");
    let (orphan, second) = (id_of(&world, "oct", "P01"), id_of(&world, "oct", "P06"));
    discrepancies(&world, &["accept", &orphan, "--action", "refund", "--reason", "returned", "--effective", "2026-10-31", "--by", "Siti"])
        .expect(0);
    let credit = ["accept", &second, "--action", "credit", "--reason", "next premium", "--effective", "2026-10-31", "--by", "Siti"];
    discrepancies(&world, &credit).expect(0);
    let write = |out: &str| discrepancies(&world, &["entries", "--report", "oct", "--out", out, "--by", "Siti", "--preliminary"]).expect(0);
    reconciled(&world, "2026-10", "oct").expect(1);
    write("entries.csv");
    write("again.csv");
    assert_eq!(fs::read(world.path("entries.csv")).unwrap(), fs::read(world.path("again.csv")).unwrap());
    let rows = world.rows("entries.csv");
    let sum = |column: &str| rows.iter().map(|row| row[column].parse::<i64>().unwrap_or(0)).sum::<i64>();
    assert_eq!(sum("debit"), sum("credit"));
    let net = |purpose: &str| {
        let of = |column: &str| {
            rows.iter().filter(|row| row["purpose"] == purpose).map(|row| row[column].parse::<i64>().unwrap_or(0)).sum::<i64>()
        };
        of("debit") - of("credit")
    };
    // The orphan of 5,000 is to go back; the second payment of 30,000 is the customer's.
    assert_eq!(["suspense", "refunds_due", "deposits"].map(net), [0, -5_000, -30_000]);
    // What is not closed is exported on no account but a look.
    discrepancies(&world, &["entries", "--report", "oct", "--out", "no.csv", "--by", "Siti"]).expect(2).says(&["E0815", "--preliminary"]);
    assert!(!world.path("no.csv").exists());
    world.reconfigure("suspense = \"2190\"", "suspense = \"\"");
    discrepancies(&world, &["entries", "--report", "oct", "--preliminary", "--out", "no.csv", "--by", "Siti"])
        .expect(2)
        .says(&["E0812", "accounts.suspense"]);
    assert!(!world.path("no.csv").exists());
}

#[test]
fn an_import_killed_at_any_instant_is_recorded_whole_or_not_at_all_and_once_in_the_end() {
    let world = world("");
    reconciled(&world, "2026-10", "oct").expect(1);
    discrepancies(&world, &["export", "--report", "oct", "--out", "items.csv", "--by", "Siti"]).expect(0);
    let refund: &[_] = &[("action", "refund"), ("reason", "returned")];
    let accept: &[_] = &[("action", "accept"), ("reason", "known")];
    mangled(&world, "items.csv", "back.csv", &[("P01", refund), ("P06", refund), ("L04", accept)]);
    for instant in 0..12 {
        let mut child = world.start(&[], &["discrepancies", "import", "back.csv", "--by", "Siti"]);
        std::thread::sleep(std::time::Duration::from_millis(instant));
        drop(child.kill());
        child.wait().unwrap();
        let accepted = statuses(&world).iter().filter(|status| status.ends_with("accepted")).count();
        assert!([0, 3].contains(&accepted), "{accepted} of 3 after {instant} ms");
    }
    discrepancies(&world, &["import", "back.csv", "--by", "Siti"]).expect(0);
    assert_eq!(statuses(&world), ["L04: accepted", "L11: open", "P01: accepted", "P06: accepted"]);
    let journal = fs::read_to_string(world.path("tagih.journal")).unwrap();
    assert_eq!(journal.lines().count(), 2, "the report, and the decisions once");
}
