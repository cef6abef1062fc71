//! What was answered at the counter, held against what was paid there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::town::Town;
use crate::reconcile::ours::{classes, days, reconciled, summary};
use crate::support::world::until;

const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code,action";

impl Town {
    /// The cashier takes the money, whatever was answered.
    fn forced(&self, code: &str, amount: u64) {
        self.doku.exchange("POST", "/simulator/pay", &format!("payment_code={code}&amount={amount}"));
    }

    /// The report beside the inquiry log without the lines that name one of `lost`.
    #[track_caller]
    fn held_against_answers(&self, lost: &[&str], out: &str) -> Value {
        let is_lost = |line: &&Value| lost.iter().any(|invoice| line["invoice_number"] == *invoice);
        let kept = self.shop.lines("inquiries-");
        let kept = kept.iter().filter(|line| !is_lost(line)).map(|line| format!("{line}\n"));
        self.shop.world.file("asked.jsonl", kept.collect::<String>());
        let [from, to] = days();
        let logs = self.shop.world.path("logs/notifications-*").display().to_string();
        let days = ["--from", &from, "--to", &to, "--out", out];
        let evidence = ["reconcile", "--notifications", &logs, "--inquiries", "asked.jsonl"];
        self.shop.world.run(&[&evidence[..], &days].concat()).expect(1);
        summary(&self.shop.world.path(out))
    }
}

#[test]
fn every_payment_of_a_code_only_we_know_is_held_against_the_last_answer_before_it() {
    let town = Town::open("", &[]);
    let row = |number: u64, amount: u64| format!("Q-{number},{amount},Ani,alfa,inquiry,0{number},");
    let rows = [row(1, 150_000), row(2, 200_000), row(3, 90_000), row(4, 60_000), row(5, 70_000), "A-1,80000,Siti,alfa,,,".to_owned()];
    town.issue(HEAD, &rows.each_ref().map(String::as_str));
    let registered = town.codes()["A-1"].clone();
    for code in ["01", "02", "03", "04", "05"] {
        assert_eq!(town.asked(code), "success");
    }
    town.issue(HEAD, &[&row(3, 95_000), "Q-5,,,,,,cancel"]);
    assert_eq!(town.asked("05"), "decline");
    // Payments are dated in whole seconds, and an answer of the same second would count in their favour.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    for (code, amount) in [("01", 150_000), ("03", 95_000), ("04", 60_000), ("05", 70_000)] {
        town.forced(code, amount);
    }
    town.paid(&registered, "");
    town.delivered();
    until("the ledger has every payment", || town.ledger() == (5, 455_000));

    let logs = town.shop.world.path("logs/notifications-*").display().to_string();
    let plain = reconciled(&town.shop.world, &logs, 1);
    let without = summary(&town.shop.world.path("report"));
    assert!(without.get("inquiries").is_none());
    assert!(["I00", "I01", "I02", "I03", "I04"].iter().all(|class| without["not_evaluated"].as_array().unwrap().contains(&json!(class))));

    let found = town.held_against_answers(&["Q-4"], "asked");
    let figures = |count: u64, amount: u64| json!({"count": count, "amount": amount});
    let expected = json!({
        "I00": figures(1, 150_000), "I01": figures(1, 200_000), "I02": figures(1, 60_000), "I03": figures(1, 70_000), "I04": figures(1, 95_000),
    });
    assert_eq!(found["inquiries"], expected);
    assert_eq!(["lines", "payments", "bills"].map(|side| classes(&found, side)), plain, "nothing else changes");
    assert_eq!(found["identities"].as_array().unwrap().len(), without["identities"].as_array().unwrap().len() + 2);
    assert!(found["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true));
    assert!(!found["not_evaluated"].to_string().contains("\"I0"));
    let of_inquiries = |out: &str| -> BTreeMap<String, [String; 3]> {
        let rows = town.shop.world.rows(&format!("{out}/discrepancies.csv")).into_iter().filter(|row| row["class"].starts_with('I'));
        rows.map(|row| (row["class"].clone(), ["invoice_number", "severity", "reason"].map(|column| row[column].clone()))).collect()
    };
    let row = |class: &str, rest: [&str; 3]| (class.to_owned(), rest.map(str::to_owned));
    let expected = [
        row("I02", ["Q-4", "medium", "paid 60000, and no inquiry before is in the logs"]),
        row("I03", ["Q-5", "high", "paid 70000 although the last answer before was that it may not be"]),
        row("I04", ["Q-3", "high", "paid 95000, answered 90000"]),
    ];
    assert_eq!(of_inquiries("asked"), BTreeMap::from(expected));

    let whole = town.held_against_answers(&[], "whole");
    assert_eq!((classes(&whole, "inquiries"), &whole["inquiries"]["I00"]), ("I00x2 I01 I03 I04".to_owned(), &figures(2, 210_000)));
    assert_ne!(whole["run_id"], found["run_id"]);
}
