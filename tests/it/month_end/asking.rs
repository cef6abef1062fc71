//! A bill that nobody asks for owes nothing: what its ledger called paid and then cancelled, and what has lapsed, in months of a ledger that is not
//! ours.

use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{line, summary};

const HEAD: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";

fn bill(invoice: &str, created: &str, expires: &str, status: &str, cancelled: &str) -> String {
    let at = |day: &str| if day.is_empty() { String::new() } else { format!("2026-{day}T05:00:00Z") };
    format!("alfa,{},{invoice},100000,{},{},{status},false,{}\n", code(invoice), at(created), at(expires), at(cancelled))
}

/// What a month ends with on an account.
fn closing(month: &serde_json::Value, account: &str) -> i64 {
    let accounts = month["books"]["accounts"].as_array().unwrap();
    accounts.iter().find(|row| row["account"] == account).map_or(0, |row| row["closing"]["amount"].as_i64().unwrap())
}

#[test]
fn a_bill_that_was_called_paid_and_is_cancelled_owes_nothing_and_what_lapses_leaves_the_premium() {
    let of = Books::new("[books]\nlapse_after_days = 10\n");
    of.world.file("none.jsonl", "");
    let paid = line("B-03", &code("B-03"), 100_000, "2026-08-09T03:00:00Z", "T1");
    of.world.file("paid.jsonl", format!("{paid}\n"));
    let lapsing = bill("B-01", "08-01", "08-05", "ACTIVE", "");
    let (settled, open) = (bill("B-03", "08-01", "12-30", "PAID", ""), bill("B-04", "08-20", "09-05", "ACTIVE", ""));
    let called_paid = bill("B-02", "08-01", "12-30", "PAID", "");
    let cancelled = bill("B-02", "08-01", "12-30", "CANCELLED", "09-10");
    let run = |month: &str, bills: &[&String], log: &str, as_of: &str, more: &[&str]| {
        let rows: String = bills.iter().map(|row| row.as_str()).collect();
        of.world.file("bills.csv", format!("{HEAD}\n{rows}"));
        of.reconcile(month, log, as_of, &[&["--external-ledger", "bills.csv"], more].concat());
        let told = summary(&of.world.path(month));
        let holds = told["books"]["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true);
        assert!(holds, "{month}: {}", told["books"]["identities"]);
        crate::support::audit::agrees(&of.world, month);
        told
    };
    // August: 400.000 billed; B-01 lapsed, B-02 without proof, B-03 received, B-04 open.
    let august = run("2026-08", &[&lapsing, &called_paid, &settled, &open], "paid.jsonl", "2026-09-03", &[]);
    assert_eq!(["receivable", "unproven", "premium"].map(|account| closing(&august, account)), [100_000, 100_000, 300_000]);
    of.close("2026-08").expect(0);
    // September: B-04 lapses, B-02 is cancelled after all.
    let september = run("2026-09", &[&lapsing, &cancelled, &settled, &open], "none.jsonl", "2026-10-03", &["--opening", "2026-08"]);
    assert_eq!(["receivable", "unproven", "premium"].map(|account| closing(&september, account)), [0, 0, 100_000]);
    let rows = of.world.rows("2026-09/open_items.csv");
    assert!(rows.iter().all(|row| row["account"] != "receivable" && row["account"] != "unproven"), "{rows:#?}");
}
