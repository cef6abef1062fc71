//! What the register holds open leaves by a posting alone, and what was decided can be taken back until its money has moved on.

use serde_json::Value;

use super::discrepancies::{discrepancies, id_of, statuses, world};
use crate::reconcile::ours::summary;
use crate::support::preload::clock_at;
use crate::support::world::World;

/// Reconciles a month, opened with the books of another.
fn reconciled(world: &World, (month, out): (&str, &str), opening: Option<&str>, as_of: &str) {
    let (log, as_of) = (format!("{month}.jsonl"), format!("{as_of}T00:00:00Z"));
    let arguments = ["reconcile", "--period", month, "--notifications", &log, "--external-ledger", "ledger.csv", "--as-of", &as_of];
    let opening: Vec<&str> = opening.into_iter().flat_map(|opening| ["--opening", opening]).collect();
    let ran = world.run(&[&arguments[..], &["--out", out], &opening].concat());
    assert!(ran.code <= 1, "{ran:#?}");
    let summary = summary(&world.path(out));
    let identities = summary["books"]["identities"].as_array().unwrap();
    assert!(identities.iter().all(|identity| identity["holds"] == true), "{identities:#?}");
}

fn take(world: &World, folder: &str, more: &[&str]) {
    discrepancies(world, &[&["take", folder, "--by", "Siti"], more].concat()).expect(0);
}

/// Decides with effect in October.
fn decide(world: &World, id: &str, action: &[&str]) {
    let arguments = [&["accept", id, "--by", "Siti", "--reason", "known", "--effective", "2026-10-31", "--action"], action].concat();
    discrepancies(world, &arguments).expect(0);
}

fn cleared(world: &World, folder: &str) -> Value {
    summary(&world.path(folder))["discrepancies"]["cleared"].clone()
}

/// What stands on an account, such as `P06 30000 to_do`.
fn stands(world: &World, folder: &str, account: &str) -> Vec<String> {
    let rows = world.rows(&format!("{folder}/open_items.csv"));
    let rows = rows.iter().filter(|row| row["account"] == account);
    let mut stands: Vec<String> = rows.map(|row| [&row["class"], &row["amount"], &row["status"]].map(String::as_str).join(" ")).collect();
    stands.sort();
    stands
}

fn has(world: &World, status: &str) -> bool {
    statuses(world).contains(&status.to_owned())
}

#[test]
fn what_is_taken_back_after_a_months_end_is_not_cleared_by_that_month_whatever_was_decided() {
    let world = world("");
    reconciled(&world, ("2026-10", "oct"), None, "2026-11-02");
    take(&world, "oct", &[]);
    let [orphan, second] = ["P01", "P06"].map(|class| id_of(&world, "oct", class));
    // One may stay where it is, the other has left suspense.
    decide(&world, &orphan, &["accept"]);
    decide(&world, &second, &["refund"]);
    reconciled(&world, ("2026-10", "oct-decided"), None, "2026-11-02");
    take(&world, "oct-decided", &[]);
    reconciled(&world, ("2026-11", "nov"), Some("oct-decided"), "2026-12-02");
    take(&world, "nov", &[]);
    assert!(has(&world, "P01: accepted") && has(&world, "P06: accepted"), "{:?}", statuses(&world));
    // The first of December in Jakarta.
    let reopen = ["discrepancies", "reopen", &orphan, &second, "--by", "Siti", "--reason", "it was another's"];
    world.run_with(&clock_at("2026-11-30T18:00:00Z"), &reopen).expect(0);

    for folder in ["nov-again", "nov-once-more"] {
        reconciled(&world, ("2026-11", folder), Some("oct-decided"), "2026-12-02");
        assert_eq!(cleared(&world, folder), serde_json::json!([]));
        // November's balances are what they were; that somebody must act is known already.
        assert_eq!(stands(&world, folder, "suspense"), ["P01 5000 to_do"]);
        let listed = world.rows(&format!("{folder}/discrepancies.csv"));
        let listed = listed.iter().find(|row| row["discrepancy_id"] == orphan).unwrap();
        assert_eq!((&*listed["class"], &*listed["nature"], &*listed["status"]), ("P01", "BREAK", "reopened"));
        take(&world, folder, &[]);
        assert!(has(&world, "P01: reopened") && has(&world, "P06: reopened"), "{:?}", statuses(&world));
    }
    reconciled(&world, ("2026-12", "dec"), Some("nov-again"), "2027-01-02");
    assert_eq!(stands(&world, "dec", "suspense"), ["P01 5000 to_do", "P06 30000 to_do"]);
    take(&world, "dec", &[]);
    assert!(has(&world, "P01: reopened") && has(&world, "P06: reopened"), "{:?}", statuses(&world));
}

#[test]
fn what_is_not_due_stays_in_the_register_until_a_posting_takes_it() {
    let world = world("");
    reconciled(&world, ("2026-10", "oct"), None, "2026-11-02");
    let rows = world.rows("oct/open_items.csv");
    let bill = &rows.iter().find(|row| row["account"] == "receivable" && row["invoice_number"] == "E").unwrap()["discrepancy_id"];
    take(&world, "oct", &["--item", bill]);
    reconciled(&world, ("2026-11", "nov"), Some("oct"), "2026-12-02");
    assert_eq!(cleared(&world, "nov"), serde_json::json!([]));
    take(&world, "nov", &[]);
    let shown = |what: &str| -> Value {
        let shown: Value = serde_json::from_str(&discrepancies(&world, &["show", bill, "--json"]).expect(0).stdout).unwrap();
        shown[what].clone()
    };
    assert_eq!([shown("class"), shown("nature"), shown("status"), shown("last_seen")], ["L01", "TIMING", "open", "2026-11"]);
    reconciled(&world, ("2026-12", "dec"), Some("nov"), "2027-01-02");
    assert_eq!(cleared(&world, "dec"), serde_json::json!([bill]));
    take(&world, "dec", &[]);
    assert_eq!(shown("status"), "cleared");
}

#[test]
fn a_decision_about_a_part_can_be_taken_back_until_its_money_has_moved_on() {
    let world = world("");
    reconciled(&world, ("2026-10", "oct"), None, "2026-11-02");
    take(&world, "oct", &[]);
    let second = id_of(&world, "oct", "P06");
    decide(&world, &second, &["refund", "--amount", "10000"]);
    reconciled(&world, ("2026-10", "oct-1"), None, "2026-11-02");
    take(&world, "oct-1", &[]);
    decide(&world, &second, &["credit", "--amount", "5000"]);
    reconciled(&world, ("2026-10", "oct-2"), None, "2026-11-02");
    take(&world, "oct-2", &[]);
    assert_eq!(stands(&world, "oct-2", "suspense"), ["P01 5000 to_do", "P06 15000 to_do"]);
    let due = id_of(&world, "oct-2", "B03");
    decide(&world, &due, &["transferred", "--reference", "TRF 1"]);
    let reopen = |id: &str| discrepancies(&world, &["reopen", id, "--by", "Siti", "--reason", "a slip"]);
    // The credit was the last; the refund was sent.
    let shown = discrepancies(&world, &["show", &second]).expect(0).stdout;
    assert!(shown.contains("in force by Siti to refund (Rp10.000") && shown.contains("in force by Siti to credit (Rp5.000"), "{shown}");
    reopen(&second).expect(0);
    reopen(&second).expect(2).says(&["E0805", "moved on", &format!("reopen {due}")]);
    reopen(&due).expect(0);
    // Where the money is there was nothing decided but that; and the decision that put it there is another item's.
    reopen(&due).expect(2).says(&["E0805", &format!("reopen {second}")]);
    reopen(&second).expect(0);
    reopen(&second).expect(2).says(&["E0805", "reopened"]);
    reconciled(&world, ("2026-11", "nov"), Some("oct-2"), "2026-12-02");
    assert_eq!(stands(&world, "nov", "suspense"), ["P01 5000 to_do", "P06 30000 to_do"]);
    assert_eq!([stands(&world, "nov", "refunds_due"), stands(&world, "nov", "deposits")], [vec![], vec![] as Vec<String>]);
    let refused = summary(&world.path("nov"))["books"]["refused"].clone();
    assert!(refused.as_array().is_none_or(Vec::is_empty), "{refused}");
    take(&world, "nov", &[]);
    assert!(has(&world, "P06: reopened") && has(&world, "B03: cleared"), "{:?}", statuses(&world));
}

#[test]
fn a_refused_decision_is_nothing_to_take_back() {
    let world = world("");
    reconciled(&world, ("2026-10", "oct"), None, "2026-11-02");
    take(&world, "oct", &[]);
    let second = id_of(&world, "oct", "P06");
    decide(&world, &second, &["refund", "--amount", "40000"]);
    reconciled(&world, ("2026-10", "oct-1"), None, "2026-11-02");
    take(&world, "oct-1", &[]);
    assert!(has(&world, "P06: reopened"), "{:?}", statuses(&world));
    discrepancies(&world, &["reopen", &second, "--by", "Siti", "--reason", "a slip"]).expect(2).says(&["E0805", "reopened"]);
}

#[test]
fn what_two_decided_about_a_part_two_take_back() {
    let world = world("[discrepancies]\nfour_eyes = true\n");
    reconciled(&world, ("2026-10", "oct"), None, "2026-11-02");
    take(&world, "oct", &[]);
    let second = id_of(&world, "oct", "P06");
    let agree = || {
        let shown: Value = serde_json::from_str(&discrepancies(&world, &["show", &second, "--json"]).expect(0).stdout).unwrap();
        let proposal = shown["proposal_id"].as_str().unwrap().to_owned();
        let approve = ["discrepancies", "approve", &second, "--proposal", &proposal, "--reason", "seen", "--by", "Budi"];
        let clock = clock_at("2026-11-20T03:00:00Z");
        world.run_with(&[&clock[..], &[("SUDO_UID", "1002")]].concat(), &approve).expect(0);
    };
    decide(&world, &second, &["refund", "--amount", "10000"]);
    agree();
    reconciled(&world, ("2026-10", "oct-1"), None, "2026-11-02");
    take(&world, "oct-1", &[]);
    assert!(has(&world, "P06: reopened"));
    let told = discrepancies(&world, &["reopen", &second, "--by", "Siti", "--reason", "a slip"]).expect(0).stdout;
    assert!(told.contains("another person approves"), "{told}");
    let refunds = |folder: &str| {
        reconciled(&world, ("2026-11", folder), Some("oct-1"), "2026-12-02");
        stands(&world, folder, "refunds_due")
    };
    assert_eq!(refunds("nov"), ["B03 10000 to_do"]);
    agree();
    assert_eq!(refunds("nov-again"), Vec::<String>::new());
}
