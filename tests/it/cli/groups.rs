//! Bills of one debt (`bill_group`): owed once, and an alarm while they do not ask for the same.

use super::reconcile::line;
use super::world::World;

#[test]
fn bills_of_a_debt_that_ask_for_different_amounts_are_an_alarm_until_they_agree() {
    let world = World::at("http://127.0.0.1:1", "");
    let head = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,bill_group";
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
    for (name, day) in [("october.jsonl", "2026-10-05"), ("november.jsonl", "2026-11-05")] {
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
    ledger("B,0002,indomaret,12000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    let (alarms, ledger_says) = month("2026-10", "2026-11-02T00:00:00Z", "october.jsonl", &[], "october");
    assert_eq!(alarms, ["the 2 bills of group `G` ask for 10000 to 12000; 12000 counts as owed"]);
    assert_eq!(ledger_says, [Some(42_000), None, None, None], "each debt once, at its largest amount");
    let (alarms, _) = month("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "still");
    assert_eq!(alarms.len(), 1, "it is carried until somebody or the ledger answers it");
    ledger("B,0002,indomaret,10000,ACTIVE,no,2026-10-01,2026-12-31,,G");
    let (alarms, ledger_says) = month("2026-11", "2026-12-02T00:00:00Z", "november.jsonl", &["--opening", "october"], "november");
    assert_eq!((alarms.len(), ledger_says), (0, [Some(40_000), None, None, None]));
}
