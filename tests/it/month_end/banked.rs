//! A month with a bank statement, decisions and alarms of the ledger, for another engine to look at: each kind of item of the books that no line,
//! payment, bill or row tells of.

use std::collections::BTreeSet;

use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{EXTERNAL, line};
use crate::reconcile::settlement::{Row, csv, row};
use crate::support::audit;

const SETTINGS: &str = "[bank]\nstatement = true\nfilter = [\"DOKU\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n";

/// Bills: number, amount, group.
const BILLS: [(&str, u64, &str); 5] =
    [("P-01", 100_000, ""), ("P-02", 100_000, ""), ("P-03", 100_000, ""), ("G-04", 100_000, "G"), ("G-05", 150_000, "G")];

#[test]
fn another_engine_names_what_the_books_alone_tell_of_and_finds_faults_in_it() {
    let of = Books::new(SETTINGS);
    let ledger = |name: &str, bills: &[(&str, u64, &str)]| {
        let head = format!("{EXTERNAL},bill_group");
        let rows = bills.iter().map(|(invoice, amount, group)| {
            format!("{invoice},{},alfa,{amount},ACTIVE,no,2026-09-01T05:00:00Z,2026-12-30T05:00:00Z,,{group}\n", code(invoice))
        });
        of.world.file(name, format!("{head}\n{}", rows.collect::<String>()));
    };
    ledger("september.csv", &[&BILLS[..], &[("V-06", 70_000, ""), ("V-07", 30_000, "")]].concat());
    ledger("october.csv", &BILLS);
    of.world.file("none.jsonl", "");
    of.reconcile("2026-09", "none.jsonl", "2026-10-03", &["--external-ledger", "september.csv"]);

    let paid = |invoice: &str, amount: u64, day: &str| line(invoice, &code(invoice), amount, &format!("{day}T03:00:00Z"), invoice);
    let forged = paid("P-03", 55_000, "2026-10-07").replace("55000", "55001");
    let lines = [
        paid("P-01", 100_000, "2026-10-05"),
        paid("P-02", 100_000, "2026-10-06"),
        paid("P-03", 100_000, "2026-10-07"),
        paid("X-08", 77_000, "2026-10-08"),
        paid("X-09", 88_000, "2026-10-08"),
        forged,
    ];
    of.world.file("october.jsonl", lines.join("\n") + "\n");
    let settled = |invoice: &str, date: &'static str, out: &'static str| Row {
        invoice: invoice.to_owned(),
        code: code(invoice),
        date,
        out,
        share: 0,
        ..row(1)
    };
    for (batch, row) in [
        ("BATCH-ONE", settled("P-01", "05-10-2026", "09-10-2026")),
        ("BATCH-TWO", settled("P-02", "06-10-2026", "12-10-2026")),
        ("BATCH-THREE", settled("P-03", "07-10-2026", "13-10-2026")),
    ] {
        of.world.file(&format!("{batch}.csv"), csv(&[row], batch));
    }
    let statement =
        "date,amount,description\n2026-10-09,94450,DOKU BATCH-ONE\n2026-10-12,94450,DOKU BATCH-TWO\n2026-10-20,12345,DOKU LAIN\n";
    of.world.file("bank.csv", statement);
    let october = || {
        let settlement = ["--settlement", "BATCH-ONE.csv", "--settlement", "BATCH-TWO.csv", "--settlement", "BATCH-THREE.csv"];
        let more = ["--external-ledger", "october.csv", "--opening", "2026-09", "--bank", "bank.csv"];
        of.reconcile("2026-10", "october.jsonl", "2026-11-04", &[&settlement[..], &more].concat());
    };
    october();
    of.world.run(&["discrepancies", "take", "2026-10", "--by", "Sari"]).expect(0);
    let listed = of.world.rows("2026-10/discrepancies.csv");
    for (invoice, action) in [("X-08", "refund"), ("X-09", "credit")] {
        let id = &listed.iter().find(|row| row["invoice_number"] == invoice).unwrap()["discrepancy_id"];
        let decision = ["--action", action, "--reason", "agreed", "--effective", "2026-10-31", "--by", "Sari"];
        of.world.run(&[&["discrepancies", "accept", id], &decision[..]].concat()).expect(0);
    }
    october();
    let items = of.world.rows("2026-10/open_items.csv");
    let met: BTreeSet<&str> = items.iter().map(|row| row["class"].as_str()).collect();
    for class in ["B01", "B02", "B03", "B05", "L13", "L14", "N02"] {
        assert!(met.contains(class), "{class} is in {met:?}");
    }
    audit::agrees(&of.world, "2026-10");
    audit::finds_faults(&of.world, "2026-10", &["of-the-bank"]);
}
