//! `[report] dimensions`: columns of bills by which a month's receivables are broken down, from the file to the ledger to the report.

use crate::reconcile::ours::line;
use crate::support::world::{Doku, World};

const SETTINGS: &str = "[report]\ndimensions = [\"branch\", \"agent\"]\n[intake.columns]\nbranch = \"KODE CABANG\"\n[layouts.theirs.columns]\n\
                        branch = \"CABANG\"\nagent = \"AGEN\"\n[layouts.theirs.values]\nbranch.JKT = \"Jakarta\"\n";

/// What a report says of a dimension: value, then the columns asked for.
fn broken_down(world: &World, report: &str, dimension: &str, columns: &[&str]) -> Vec<String> {
    let rows = world.rows(&format!("{report}/breakdown_dimension.csv"));
    let of_it = rows.into_iter().filter(|row| row["dimension"] == dimension);
    of_it
        .map(|row| std::iter::once("value").chain(columns.iter().copied()).map(|column| row[column].clone()).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn receivables_of_another_system_are_broken_down_and_next_month_goes_on_from_there() {
    let world = World::at("http://127.0.0.1:1", SETTINGS);
    let head =
        "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,policy_type,CABANG,AGEN,due_date";
    let rows = [
        "A,0001,alfa,10000,ACTIVE,no,2026-08-01,2026-11-30,,Life,JKT,Ani,2026-08-15",
        "B,0002,alfa,20000,ACTIVE,no,2026-10-01,2026-11-30,,Life,Medan,Ani,2026-10-31",
        "C,0003,alfa,30000,ACTIVE,no,2026-10-01,2026-11-30,,Fire,JKT,,2026-10-31",
        "D,0004,alfa,40000,ACTIVE,no,2026-10-01,2026-11-30,,,,,",
    ];
    world.file("ledger.csv", format!("{head}\n{}\n", rows.join("\n")));
    world.file("log.jsonl", format!("{}\n", line("B", "0002", 20_000, "2026-10-05T05:00:00Z", "T1")));
    world.file("none.jsonl", format!("{}\n", line("C", "0003", 30_000, "2026-11-05T05:00:00Z", "T2")));
    let month = |period: &str, as_of: &str, log: &str, out: &str, more: &[&str]| {
        let all =
            ["reconcile", "--period", period, "--as-of", as_of, "--notifications", log, "--external-ledger", "ledger.csv", "--out", out];
        world.run(&[&all[..], more].concat())
    };
    month("2026-10", "2026-11-02T00:00:00Z", "log.jsonl", "october", &[]).expect(0);
    let columns =
        ["opening_amount", "billed_amount", "received_amount", "closing_count", "closing_amount", "over_90_amount", "61_to_90_amount"];
    assert_eq!(
        broken_down(&world, "october", "branch", &columns),
        [" 0 40000 0 1 40000 0 0", "Jakarta 10000 30000 0 2 40000 0 10000", "Medan 0 20000 -20000 0 0 0 0"]
    );
    assert_eq!(
        broken_down(&world, "october", "agent", &["closing_amount"]),
        [" 70000", "Ani 10000"],
        "a bill without an agent is shown beside those that have one"
    );
    assert_eq!(broken_down(&world, "october", "product", &["closing_amount"]), [" 40000", "Fire 30000", "Life 10000"]);
    let items = world.rows("october/open_items.csv");
    let of_a = items.iter().find(|row| row["invoice_number"] == "A").unwrap();
    assert_eq!(of_a["dimensions"], "agent=Ani; branch=Jakarta; product=Life");
    // The next month's file no longer lists A; what is known of it is carried.
    world.file("ledger.csv", format!("{head}\n{}\n", rows[1..].join("\n")));
    month("2026-11", "2026-12-02T00:00:00Z", "none.jsonl", "november", &["--opening", "october"]).expect(1);
    let november = broken_down(&world, "november", "branch", &["opening_amount", "received_amount", "closing_amount"]);
    assert_eq!(november, [" 40000 0 40000", "Jakarta 40000 -30000 10000"]);
    // Medan takes D over: what it opened with stands where it stood, and what moved has a column.
    let moved = rows[1..].join("\n").replace("no,2026-10-01,2026-11-30,,,,,", "no,2026-10-01,2026-11-30,,,Medan,,");
    world.file("ledger.csv", format!("{head}\n{moved}\n"));
    month("2026-11", "2026-12-02T00:00:00Z", "none.jsonl", "moved", &["--opening", "october"]).expect(1);
    let found = broken_down(&world, "moved", "branch", &["opening_amount", "received_amount", "moved_amount", "closing_amount"]);
    assert_eq!(found, [" 40000 0 -40000 0", "Jakarta 40000 -30000 0 10000", "Medan 0 0 40000 40000"]);
    let page = std::fs::read_to_string(world.path("november/report.html")).unwrap();
    assert!(page.contains("Premium receivables by branch") && page.contains("Premium receivables by Product"));
}

#[test]
fn dimensions_of_our_own_bills_are_in_the_ledger_and_change_without_a_word_to_doku() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), SETTINGS);
    let head = "invoice_number,amount,customer_name,channel,policy_type,Kode Cabang,agent";
    world.file("bills.csv", format!("{head}\nA,10000,Budi,alfa,Life,Jakarta,Ani\nB,20000,Budi,alfa,Life,Medan,\n"));
    world.issue("bills.csv", &[]).expect(0);
    let calls = doku.calls().len();
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "2 unchanged");
    world.file("bills.csv", format!("{head}\nA,10000,Budi,alfa,Life,Bandung,Ani\nB,20000,Budi,alfa,Life,Medan,\n"));
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(doku.calls().len(), calls, "a counter knows no branch");
    let long = "x".repeat(65);
    world.file("long.csv", format!("{head}\nC,10000,Budi,alfa,Life,{long},Ani\n"));
    world.issue("long.csv", &[]).expect(1).says(&["Kode Cabang", "65 characters"]);
    world.file("without.csv", "invoice_number,amount,customer_name,channel\nD,10000,Budi,alfa\n");
    world.issue("without.csv", &["--dry-run"]).expect(0).says(&["has no column `branch`, which `report.dimensions` asks for"]);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(7))).date();
    let period = format!("{:04}-{:02}", today.year(), today.month());
    let stranger = format!("{{\"received_at\":\"{}\",\"target\":\"/x\",\"headers\":{{}},\"body\":\"{{}}\"}}\n", jiff::Timestamp::now());
    world.file("log.jsonl", stranger);
    world.run(&["reconcile", "--period", &period, "--notifications", "log.jsonl", "--out", "report"]);
    assert_eq!(broken_down(&world, "report", "branch", &["billed_amount", "closing_amount"]), ["Bandung 10000 10000", "Medan 20000 20000"]);
    assert_eq!(broken_down(&world, "report", "agent", &["closing_count"]), [" 1", "Ani 1"]);
}

#[test]
fn names_that_are_taken_or_unusable_are_refused_before_anything_is_read() {
    for (names, complaint) in [
        ("[\"amount\"]", "`amount`, which is a column of tagih's own"),
        ("[\"product\"]", "`product`, which is a column of tagih's own"),
        ("[\"paid_at\"]", "`paid_at`, which is a column of tagih's own"),
        ("[\"Cabang\"]", "not `Cabang`"),
        ("[\"branch\", \"branch\"]", "a name twice"),
    ] {
        let world = World::at("http://127.0.0.1:1", &format!("[report]\ndimensions = {names}\n"));
        world.many("bills.csv", "A", 1);
        world.run(&["check", "bills.csv"]).expect(2).says(&["report.dimensions", complaint]);
    }
}
