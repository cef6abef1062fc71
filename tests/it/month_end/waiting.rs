//! Money that came too late waits beside its bill: the customer is asked for the rest, this month and every later one, and what the money is
//! called stays what it was called.

use serde_json::Value;

use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{line, summary};

const MONTHS: [(&str, &str); 3] = [("2026-07", "2026-08-02"), ("2026-08", "2026-09-02"), ("2026-09", "2026-10-02")];

fn ledger(of: &Books) {
    let head = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";
    let row = |name: &str| format!("alfa,{},{name},100000,2026-07-03T00:00:00Z,2026-07-10T00:00:00Z,ACTIVE,false,", code(name));
    let rows: Vec<String> = ["I-01", "I-02", "I-03", "I-04"].into_iter().map(row).collect();
    of.world.file("bills.csv", format!("{head}\n{}\n", rows.join("\n")));
}

fn reconciled(of: &Books, month: usize, log: &str) {
    let opening: &[&str] = if month > 0 { &["--opening", MONTHS[month - 1].0] } else { &[] };
    of.reconcile(MONTHS[month].0, log, MONTHS[month].1, &[&["--external-ledger", "bills.csv"], opening].concat());
}

fn figures(of: &Books, month: usize) -> Value {
    let summary = summary(&of.world.path(MONTHS[month].0));
    for identity in summary["books"]["identities"].as_array().unwrap().iter().chain(summary["identities"].as_array().unwrap()) {
        assert_eq!(identity["holds"], true, "{month}: {identity}");
    }
    summary
}

/// The open items of an account, such as `I-01 40000 L11 to_do`.
fn open(of: &Books, month: usize, account: &str) -> Vec<String> {
    let rows = of.world.rows(&format!("{}/open_items.csv", MONTHS[month].0));
    let rows = rows.iter().filter(|row| row["account"] == account);
    let mut rows: Vec<String> =
        rows.map(|row| [&row["invoice_number"], &row["amount"], &row["class"], &row["status"]].map(String::as_str).join(" ")).collect();
    rows.sort();
    rows
}

/// What the list says of a class, such as `I-01 100000 40000 -60000`.
fn listed(of: &Books, month: usize, class: &str) -> Vec<String> {
    let rows = of.world.rows(&format!("{}/discrepancies.csv", MONTHS[month].0));
    let rows = rows.iter().filter(|row| row["class"] == class);
    let columns = ["invoice_number", "amount_expected", "amount_paid", "amount_difference"];
    rows.map(|row| columns.map(|column| row[column].as_str()).join(" ")).collect()
}

fn journal(of: &Books, arguments: &[&str]) -> String {
    of.world.run(&[&["discrepancies"], arguments, &["--by", "Sari"]].concat()).expect(0).stdout
}

#[test]
fn a_bill_paid_in_part_too_late_is_asked_for_the_rest_in_every_month_until_a_posting_changes_it() {
    let of = Books::new("");
    ledger(&of);
    // Paid too late in part, in full, and not at all.
    let late = [("I-01", 40_000, "T1"), ("I-02", 100_000, "T2")];
    let late = late.map(|(name, amount, id)| line(name, &code(name), amount, "2026-07-20T03:00:00Z", id));
    of.world.file("july.jsonl", late.join("\n") + "\n");
    of.world.file("none.jsonl", "");
    for (month, log) in [(0, "july.jsonl"), (1, "july.jsonl"), (1, "none.jsonl")] {
        reconciled(&of, month, log);
        let owed = ["I-01 100000 L11 to_do", "I-02 100000 L02 not_yet_due", "I-03 100000 L02 not_yet_due", "I-04 100000 L02 not_yet_due"];
        assert_eq!(open(&of, month, "receivable"), owed, "{month} {log}");
        assert_eq!(open(&of, month, "suspense"), ["I-01 40000 P07 to_do", "I-02 100000 P07 to_do"], "{month} {log}");
        assert_eq!(listed(&of, month, "L11"), ["I-01 100000 40000 -60000"], "{month} {log}");
        let figures = figures(&of, month);
        assert_eq!(figures["books"]["to_do"]["collections"], serde_json::json!({"count": 1, "amount": 60_000}), "{month} {log}");
        assert_eq!(figures["books"]["to_do"]["finance"], serde_json::json!({"count": 2, "amount": 140_000}), "{month} {log}");
        assert_eq!(figures["discrepancies"]["cleared"], serde_json::json!([]), "{month} {log}");
        journal(&of, &["take", MONTHS[month].0]);
        let list = of.world.run(&["discrepancies", "list"]).expect(0).stdout;
        assert!(list.contains("  L11  ") && list.contains("3 discrepancies"), "{month} {log}: {list}");
    }
}

#[test]
fn what_is_not_due_any_more_is_open_still_and_told_as_timing() {
    let of = Books::new("");
    ledger(&of);
    of.world.file("july.jsonl", line("I-01", &code("I-01"), 40_000, "2026-07-20T03:00:00Z", "T1") + "\n");
    of.world.file("none.jsonl", "");
    reconciled(&of, 0, "july.jsonl");
    journal(&of, &["take", "2026-07"]);
    let rows = of.world.rows("2026-07/discrepancies.csv");
    let id = |class: &str| rows.iter().find(|row| row["class"] == class).unwrap()["discrepancy_id"].clone();
    // The money goes back, so the bill is what it was: expired, and not yet of an age at which somebody sees to it.
    journal(&of, &["accept", &id("P07"), "--action", "refund", "--reason", "too late", "--effective", "2026-08-05"]);
    reconciled(&of, 1, "none.jsonl");
    assert!(open(&of, 1, "receivable").contains(&"I-01 100000 L02 not_yet_due".to_owned()));
    assert_eq!(figures(&of, 1)["discrepancies"]["cleared"], serde_json::json!([]));
    journal(&of, &["take", "2026-08"]);
    let shown: Value = serde_json::from_str(&of.world.run(&["--json", "discrepancies", "show", &id("L11")]).expect(0).stdout).unwrap();
    assert_eq!([&shown["class"], &shown["nature"], &shown["status"]], ["L02", "TIMING", "open"], "{shown:#}");
}

#[test]
fn a_second_payment_that_came_late_is_called_that_in_every_later_month() {
    let of = Books::new("");
    ledger(&of);
    let paid = |name: &str, at: &str, id: &str| line(name, &code(name), 100_000, at, id);
    let july = ["I-01", "I-02"].map(|name| {
        [paid(name, "2026-07-05T03:00:00Z", &format!("{name}1")), paid(name, "2026-07-15T03:00:00Z", &format!("{name}2"))].join("\n")
    });
    of.world.file("july.jsonl", july.join("\n") + "\n");
    of.world.file("none.jsonl", "");
    reconciled(&of, 0, "july.jsonl");
    journal(&of, &["take", "2026-07"]);
    let rows = of.world.rows("2026-07/discrepancies.csv");
    let accepted = rows.iter().find(|row| row["class"] == "P06" && row["invoice_number"] == "I-02").unwrap();
    assert!(accepted["flags"].contains("P07"), "{accepted:?}");
    let decided = ["accept", &accepted["discrepancy_id"], "--reason", "agreed", "--effective", "2026-07-31"];
    journal(&of, &decided);
    for (month, log) in [(0, "july.jsonl"), (1, "july.jsonl"), (1, "none.jsonl"), (2, "none.jsonl")] {
        reconciled(&of, month, log);
        assert_eq!(open(&of, month, "suspense"), ["I-01 100000 P06 to_do", "I-02 100000 P06 decided"], "{month} {log}");
        figures(&of, month);
        let taken = journal(&of, &["take", MONTHS[month].0]);
        assert!(taken.contains(" 0 changed"), "{month} {log}: {taken}");
    }
}
