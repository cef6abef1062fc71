//! What earlier versions wrote is carried on: a folder of each former format of the carry stands under `tests/fixtures`.

use std::fs;
use std::path::Path;

use crate::reconcile::ours::line;
use crate::support::world::World;

const HEAD: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,policy_type";

/// September, closed in each format there is: A owes Rp10.000, B has paid Rp20.000 that DOKU has not paid out, Rp1 is of nobody.
#[test]
fn a_month_in_an_older_format_opens_the_next_one() {
    for format in [1, 2, 3, 4, 5, 6] {
        opens(format);
    }
}

/// Run by hand (`cargo test --test it older -- --ignored`) when the format has changed: leaves September as `target/carry-format`, to be kept as a fixture.
#[test]
#[ignore = "makes a fixture"]
fn september_is_closed_in_the_format_of_today() {
    let world = World::at("http://127.0.0.1:1", "");
    let row = |name: &str, code: &str, amount: u64| format!("{name},{code},alfa,{amount},ACTIVE,no,2026-09-01,2026-12-31,,Life\n");
    world.file("ledger.csv", format!("{HEAD}\n{}{}", row("A", "0001", 10_000), row("B", "0002", 20_000)));
    let paid = [line("B", "0002", 20_000, "2026-09-05T05:00:00Z", "T1"), line("NOBODY", "99", 1, "2026-09-06T05:00:00Z", "T2")];
    world.file("log.jsonl", paid.join("\n") + "\n");
    let period = ["reconcile", "--period", "2026-09", "--as-of", "2026-10-02T00:00:00Z", "--notifications", "log.jsonl"];
    world.run(&[&period[..], &["--external-ledger", "ledger.csv", "--out", "september"]].concat()).expect(1);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/carry-format");
    fs::create_dir_all(kept.join("carry")).unwrap();
    let parts = fs::read_dir(world.path("september/carry")).unwrap().map(|entry| entry.unwrap().path());
    for file in parts.chain(["outstanding.parquet", "suspense.csv", "summary.json"].map(|name| world.path("september").join(name))) {
        fs::copy(&file, kept.join(file.strip_prefix(world.path("september")).unwrap())).unwrap();
    }
    assert!(kept.join("carry/carry.json").is_file());
}

fn opens(format: u32) {
    let world = World::at("http://127.0.0.1:1", "");
    let september = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/carry-format-{format}"));
    let head = fs::read_to_string(september.join("carry/carry.json")).unwrap();
    assert!(head.contains(&format!("\"format\": {format},")), "the fixture is what it says");
    let rows = ["A,0001,alfa,10000,ACTIVE,no,2026-09-01,2026-12-31,,Life", "B,0002,alfa,20000,ACTIVE,no,2026-09-01,2026-12-31,,Life"];
    world.file("ledger.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
    world.file("log.jsonl", format!("{}\n", line("A", "0001", 4_000, "2026-10-05T05:00:00Z", "T1")));
    let opening = september.display().to_string();
    let period = ["reconcile", "--period", "2026-10", "--as-of", "2026-11-02T00:00:00Z", "--notifications", "log.jsonl"];
    world.run(&[&period[..], &["--external-ledger", "ledger.csv", "--opening", &opening, "--out", "october"]].concat()).expect(1);
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(world.path("october/summary.json")).unwrap()).unwrap();
    let accounts = summary["books"]["accounts"].as_array().unwrap();
    let account = |name: &str| {
        let of = accounts.iter().find(|account| account["account"] == name).unwrap();
        (of["opening"]["amount"].as_i64().unwrap(), of["closing"]["amount"].as_i64().unwrap())
    };
    assert_eq!([account("receivable"), account("doku"), account("suspense")], [(10_000, 6_000), (20_001, 24_001), (1, 1)]);
    let carried = fs::read_to_string(world.path("october/carry/carry.json")).unwrap();
    assert!(carried.contains("\"format\": 6,"), "what goes on is written as today");
    let products = world.rows("october/breakdown_dimension.csv");
    let life: Vec<_> =
        products.iter().filter(|row| row["dimension"] == "product").map(|row| (&*row["value"], &*row["closing_amount"])).collect();
    assert_eq!(life, [("Life", "6000")], "its products are known by the name they have now");
}
