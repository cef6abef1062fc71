//! Bills of one debt (`bill_group`): owed once, and an alarm while they do not ask for the same.

use crate::reconcile::ours::{EXTERNAL, line};
use crate::support::world::World;

#[test]
fn bills_of_a_debt_that_ask_for_different_amounts_are_an_alarm_until_they_agree() {
    let world = World::at("http://127.0.0.1:1", "");
    let head = format!("{EXTERNAL},bill_group");
    let ledger = |second: &str| {
        let rows = [
            "A,0001,alfa,10000,ACTIVE,no,2026-10-01,2026-12-31,,G",
            second,
            "C,0003,alfa,30000,ACTIVE,no,2026-10-01,2026-12-31,,H",
            "D,0004,indomaret,30000,ACTIVE,no,2026-10-01,2026-12-31,,H",
            "E,0005,indomaret,99000,CANCELLED,no,2026-10-01,2026-12-31,2026-10-02,H",
        ];
        world.file("ledger.csv", format!("{head}\n{}\n", rows.join("\n")));
    };
    for (name, day) in [("october.jsonl", "2026-10-05"), ("november.jsonl", "2026-11-05"), ("december.jsonl", "2026-12-05")] {
        world.file(name, format!("{}\n", line("NOBODY", "99", 1, &format!("{day}T05:00:00Z"), day)));
    }
    let month = |period: &str, as_of: &str, log: &str, more: &[&str], out: &str| {
        let all =
            ["reconcile", "--period", period, "--as-of", as_of, "--notifications", log, "--external-ledger", "ledger.csv", "--out", out];
        world.run(&[&all[..], more].concat()).expect(1);
        let rows = world.rows(&format!("{out}/discrepancies.csv")).into_iter();
        let summary: serde_json::Value =
            serde_json::from_slice(&std::fs::read(world.path(&format!("{out}/summary.json"))).unwrap()).unwrap();
        let ledger = &summary["books"]["ledger"];
        let lines = ["asked", "received", "differing", "unlisted"].map(|name| ledger[name]["amount"].as_i64());
        (rows.filter(|row| row["class"] == "L14").map(|row| row["reason"].clone()).collect::<Vec<_>>(), lines)
    };
    let open = |month: &str| {
        let rows = world.rows(&format!("{month}/open_items.csv")).into_iter().filter(|row| row["class"] == "L14");
        rows.map(|row| format!("{} since {}", row["amount"], row["since"])).collect::<Vec<_>>()
    };
    ledger("B,0002,indomaret,12000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    let (alarms, ledger_says) = month("2026-10", "2026-11-02T00:00:00Z", "october.jsonl", &[], "october");
    assert_eq!(alarms, ["the 2 bills of group `G` ask for 10000 to 12000; 12000 counts as owed"]);
    assert_eq!(ledger_says, [Some(42_000), None, None, None], "each debt once, at its largest amount");
    let (alarms, _) = month("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "still");
    assert_eq!(alarms.len(), 1, "it is carried until somebody or the ledger answers it");
    assert_eq!(open("still"), ["12000 since 2026-10-31"]);
    ledger("B,0002,indomaret,15000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    month("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "more");
    assert_eq!(open("more"), ["15000 since 2026-10-31"], "what is at stake is what they ask for now");
    ledger("B,0002,indomaret,10000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    let (alarms, ledger_says) = month("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "november");
    assert_eq!((alarms.len(), ledger_says), (0, [Some(40_000), None, None, None]));
    assert!(open("november").is_empty());
    ledger("B,0002,indomaret,13000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    month("2026-12", "2027-01-02T00:00:00Z", "december.jsonl", &["--opening", "november"], "december");
    assert_eq!(open("december"), ["13000 since 2026-12-31"], "what was answered and is so again is new");
}

#[test]
fn money_in_suspense_is_called_next_month_what_it_was_called_when_it_came() {
    let world = World::at("http://127.0.0.1:1", "");
    let head = format!("{EXTERNAL},bill_group,amount_history");
    let rows = [
        "A,0001,alfa,10000,ACTIVE,no,2026-10-01,2026-12-31,,G,",
        "B,0002,alfa,10000,ACTIVE,no,2026-10-01,2026-12-31,,G,",
        "C,0003,alfa,20000,ACTIVE,no,2026-10-01,2026-12-31,,,",
        "D,0004,alfa,30000,ACTIVE,no,2026-10-01,2026-12-31,,,40000",
    ];
    world.file("ledger.csv", format!("{head}\n{}\n", rows.join("\n")));
    let paid = [("A", "0001", 10_000), ("B", "0002", 10_000), ("C", "0003", 20_000), ("C", "0003", 20_000), ("D", "0004", 40_000)];
    let lines = paid.iter().zip(1..).map(|((invoice, code, amount), day)| {
        line(invoice, code, *amount, &format!("2026-10-{day:02}T05:00:00Z"), &format!("T{day}")) + "\n"
    });
    world.file("october.jsonl", lines.collect::<String>());
    world.file("november.jsonl", line("C", "0003", 7, "2026-11-05T05:00:00Z", "T9") + "\n");
    let suspense = |period: &str, as_of: &str, log: &str, more: &[&str], out: &str| {
        let all =
            ["reconcile", "--period", period, "--as-of", as_of, "--notifications", log, "--external-ledger", "ledger.csv", "--out", out];
        world.run(&[&all[..], more].concat()).expect(1);
        let items = world.rows(&format!("{out}/open_items.csv")).into_iter().filter(|row| row["account"] == "suspense");
        let mut items: Vec<_> = items.map(|row| (row["invoice_number"].clone(), row["class"].clone(), row["amount"].clone())).collect();
        items.sort();
        items
    };
    let told = |items: &[(String, String, String)]| {
        items.iter().map(|(invoice, class, amount)| format!("{invoice} {class} {amount}")).collect::<Vec<_>>()
    };
    let october = suspense("2026-10", "2026-11-02T00:00:00Z", "october.jsonl", &[], "october");
    assert_eq!(told(&october), ["B P12 10000", "C P06 20000", "D P10 10000"]);
    let november = suspense("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "november");
    assert_eq!(told(&november), ["B P12 10000", "C P06 20000", "C P06 7", "D P10 10000"]);
}
