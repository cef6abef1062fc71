//! Three months of our own ledger in a row, with money on its way at each end, decisions, and late notifications.

use serde_json::Value;
use tagih::domain::lifecycle::{CodeAnswer, Event, OperationKind};

use crate::month_end::period::{Books, at, code, late, terms};
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};
use crate::support::bills;

const SETTINGS: &str = "[settlement]\nholidays = [\"2025-12-25\", \"2026-01-01\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n\
                        [settlement.alfa]\nfee_rupiah = 5000\n";

/// The row of a payment, with the dates of a report.
fn paid_out(invoice: &str, code: &str, amount: i64, date: &'static str, out: &'static str) -> Row {
    let (invoice, code, fee) = (invoice.to_owned(), code.to_owned(), 5_550);
    Row { invoice, code, amount, fee, paid_out: amount - fee, date, out, share: 0, ..row(1) }
}

/// Classes of settlement that were met, such as `S00 1/100000, S08 2/300000`.
fn settled(books: &Books, month: &str) -> String {
    let summary = summary(&books.world.path(month));
    for identity in summary["identities"].as_array().unwrap() {
        assert_eq!(identity["holds"], true, "{month}: {identity}");
    }
    let met = summary["settlement"].as_object().unwrap().iter().filter(|(_, tally)| tally["count"] != 0);
    met.map(|(class, tally)| format!("{class} {}/{}", tally["count"], tally["amount"])).collect::<Vec<_>>().join(", ")
}

/// What was on its way at the end: S02 that is no BREAK, in rupiah.
fn in_transit(books: &Books, month: &str) -> i64 {
    let all = summary(&books.world.path(month))["settlement"]["S02"]["amount"].as_i64().unwrap();
    let rows = books.world.rows(&format!("{month}/discrepancies.csv"));
    let of_month = rows.iter().filter(|row| row["class"] == "S02" && !row["reason"].starts_with("open since"));
    let overdue = of_month.map(|row| row["amount_expected"].parse::<i64>().unwrap());
    all - overdue.sum::<i64>()
}

/// Runs a month and closes nothing; every balance must come from its opening and its movements.
fn run(books: &Books, month: &str, log: &str, as_of: &str, settlement: &str) {
    books.reconcile(month, log, as_of, &["--opening", "auto", "--settlement", settlement]);
    let month_figures: Value = books.month(month);
    for (balance, roll) in month_figures["roll_forwards"].as_object().unwrap() {
        for unit in ["count", "amount"] {
            let of = |value: &Value| value[unit].as_i64().unwrap();
            let prior = roll.get("prior_period").filter(|value| value.is_object()).map_or(0, of);
            let moved: i64 = roll["movements"].as_array().unwrap().iter().map(of).sum();
            assert_eq!(of(&roll["opening"]) + prior + moved, of(&roll["closing"]), "{month} {balance} {unit}: {roll}");
        }
    }
}

fn id_of(books: &Books, month: &str, class: &str) -> String {
    let rows = books.world.rows(&format!("{month}/discrepancies.csv"));
    rows.iter().find(|row| row["class"] == class).unwrap_or_else(|| panic!("{class} in {month}"))["discrepancy_id"].clone()
}

fn decide(books: &Books, arguments: &[&str]) {
    books.world.run(&[&["discrepancies"], arguments, &["--by", "Sari"]].concat()).expect(0);
}

/// The settlement of a month, exactly as the tests say.
fn reports(books: &Books) {
    let october = [
        paid_out("B-1", &code("B-1"), 100_000, "05-10-2025", "09-10-2025"),
        Row { fee: 6_000, paid_out: 294_000, ..paid_out("B-3", &code("B-3"), 300_000, "08-10-2025", "14-10-2025") },
    ];
    let november = [
        paid_out("B-2", &code("B-2"), 200_000, "30-10-2025", "05-11-2025"),
        paid_out("B-4", &code("B-4"), 400_000, "29-10-2025", "04-11-2025"),
    ];
    let december = [paid_out("B-5", &code("B-5"), 500_000, "27-11-2025", "03-12-2025")];
    books.world.file("s-10.csv", csv(&october, "B-10"));
    books.world.file("s-11.csv", csv(&november, "B-11"));
    books.world.file("s-12.csv", csv(&december, "B-12"));
}

#[test]
fn money_in_transit_at_each_month_end_is_settled_in_the_next_and_every_balance_rolls_forward() {
    let books = Books::new(SETTINGS);
    reports(&books);
    for (number, amount) in (1..=6).zip([100_000, 200_000, 300_000, 400_000, 500_000, 600_000]) {
        books.issue(&format!("B-{number}"), amount, "2025-10-01", "2026-01-30");
    }
    let paid = |invoice: &str, amount, at: &str, id: &str| line(invoice, &code(invoice), amount, at, id);
    books.log(
        "october.jsonl",
        &[
            paid("B-1", 100_000, "2025-10-05T03:00:00Z", "T1"),
            paid("B-2", 200_000, "2025-10-30T03:00:00Z", "T2"),
            paid("B-3", 300_000, "2025-10-08T03:00:00Z", "T3"),
            line("X-1", "6059999999999991", 77_000, "2025-10-10T03:00:00Z", "T9"),
        ],
    );
    run(&books, "2025-10", "october.jsonl", "2025-11-03", "s-10.csv");
    assert_eq!(settled(&books, "2025-10"), "S00 1/100000, S02 2/277000, S04 1/300000");
    decide(&books, &["take", "2025-10"]);
    let fee = id_of(&books, "2025-10", "S04");
    decide(&books, &["accept", &fee, "--action", "accept", "--reason", "a new price list"]);
    // The orphan is decided in the exported file.
    decide(&books, &["export", "--report", "2025-10", "--out", "items.csv"]);
    let orphan = id_of(&books, "2025-10", "P01");
    let mut rows = csv::Reader::from_path(books.world.path("items.csv")).unwrap();
    let header = rows.headers().unwrap().clone();
    let mut back = csv::Writer::from_path(books.world.path("back.csv")).unwrap();
    back.write_record(&header).unwrap();
    for record in rows.records() {
        let record = record.unwrap();
        let is_orphan = record.iter().any(|cell| cell.ends_with(&orphan));
        let cell = |(name, cell): (&str, &str)| match name {
            "action" if is_orphan => "refund".to_owned(),
            "reason" if is_orphan => "payer found".to_owned(),
            _ => cell.to_owned(),
        };
        back.write_record(header.iter().zip(record.iter()).map(cell)).unwrap();
    }
    back.flush().unwrap();
    decide(&books, &["import", "back.csv"]);
    run(&books, "2025-10", "october.jsonl", "2025-11-03", "s-10.csv");
    assert_eq!(in_transit(&books, "2025-10"), 200_000, "B-2; the orphan is overdue");
    assert_eq!(books.rolled("2025-10", "outstanding_codes"), "issued 6/2100000, settled -3/-600000, closing 3/1500000");
    crate::support::audit::agrees(&books.world, "2025-10");
    books.close("2025-10").expect(0);

    books.log(
        "november.jsonl",
        &[
            // A payment of the month that is closed, notified when it was.
            late(&paid("B-4", 400_000, "2025-10-29T03:00:00Z", "T4"), "2025-10-29", "2025-11-05"),
            paid("B-5", 500_000, "2025-11-27T03:00:00Z", "T5"),
        ],
    );
    decide(&books, &["reopen", &fee, "--reason", "there is no such price list"]);
    run(&books, "2025-11", "november.jsonl", "2025-12-02", "s-11.csv");
    assert_eq!(settled(&books, "2025-11"), "S02 1/500000, S08 2/600000", "what was on its way, and what was notified late");
    assert_eq!(in_transit(&books, "2025-11"), 500_000);
    assert_eq!(
        books.rolled("2025-11", "outstanding_codes"),
        "opening 3/1500000, prior_period -1/-400000, settled -1/-500000, closing 1/600000"
    );
    decide(&books, &["take", "2025-11"]);
    run(&books, "2025-11", "november.jsonl", "2025-12-02", "s-11.csv");
    crate::support::audit::agrees(&books.world, "2025-11");
    books.close("2025-11").expect(0);

    books.log("december.jsonl", &[paid("B-6", 600_000, "2025-12-30T03:00:00Z", "T6")]);
    run(&books, "2025-12", "december.jsonl", "2026-01-02", "s-12.csv");
    assert_eq!(settled(&books, "2025-12"), "S02 1/600000, S08 1/500000");
    assert_eq!(in_transit(&books, "2025-12"), 600_000);
    assert_eq!(books.rolled("2025-12", "outstanding_codes"), "opening 1/600000, settled -1/-600000");
    crate::support::audit::agrees(&books.world, "2025-12");
    books.close("2025-12").expect(0);
    // The journal names the report of a closed month.
    books.world.run(&["audit-kit", "--period", "2025-12", "--out", "december.kit"]).expect(0);
    for (earlier, later) in [("2025-10", "2025-11"), ("2025-11", "2025-12")] {
        let (before, after) = (books.month(earlier), books.month(later));
        assert_eq!(after["opening_from"]["hash"], before["closing_hash"]);
        for (balance, roll) in after["roll_forwards"].as_object().unwrap() {
            assert_eq!(roll["opening"], before["roll_forwards"][balance]["closing"], "{balance} of {later}");
        }
    }
    let listed = books.world.run(&["discrepancies", "list", "--status", "all", "--json"]).expect(0).stdout;
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let status = |class: &str| listed.iter().find(|item| item["class"] == class).map(|item| item["status"].as_str().unwrap());
    assert_eq!((status("P01"), status("S04")), (Some("accepted"), Some("reopened")), "decided in the file, and taken back");
}

/// A bill whose order has another number on the wire, under a code of the caller's choice.
fn issue_as(books: &Books, invoice: &str, wire: &str, code: &str, when: &str, expires: &str) {
    let terms = terms(100_000, expires, "Motor");
    books.tell(when, invoice, Event::Planned { terms: terms.clone() });
    books.tell(when, invoice, bills::intended(OperationKind::Issue, &terms, wire, wire));
    let answer = CodeAnswer { created_at: Some(at(when)), expires_at: Some(at(expires)), ..bills::answer(code) };
    books.tell(when, invoice, bills::accepted(answer));
}

#[test]
fn settlement_rows_find_our_own_bills_by_suffixed_numbers_fixed_codes_and_payments_the_ledger_knows() {
    let books = Books::new(SETTINGS);
    let fixed = "8896500000000001";
    issue_as(&books, "R-1", "R-1-R1", "6059000000000101", "2025-10-01", "2025-12-30");
    issue_as(&books, "R-2", "R-2-R1", "6059000000000102", "2025-10-01", "2025-12-30");
    issue_as(&books, "M-10", "M-10", fixed, "2025-10-01", "2025-10-31");
    books.issue("K-1", 100_000, "2025-10-01", "2025-12-30");
    books.issue("K-2", 100_000, "2025-10-01", "2025-12-30");
    books.issue("E-3", 100_000, "2025-10-01", "2025-11-10");
    books.log("october.jsonl", &[line("M-10", fixed, 100_000, "2025-10-29T03:00:00Z", "M10")]);
    // The code is free again once its bill is done.
    books.tell("2025-11-01", "M-10", Event::Retired { reason: "paid".to_owned() });
    issue_as(&books, "M-11", "M-11", fixed, "2025-11-01", "2025-12-30");
    // Two payments the ledger knows whose log is missing.
    books.log("lost.jsonl", &["K-1", "K-2"].map(|invoice| line(invoice, &code(invoice), 100_000, "2025-11-04T03:00:00Z", invoice)));
    books.log(
        "november.jsonl",
        &[
            line("R-1-R1", "6059000000000101", 100_000, "2025-11-03T03:00:00Z", "R1"),
            line("R-2-R1", "6059000000000102", 100_000, "2025-11-03T03:00:00Z", "R2"),
            line("M-11", fixed, 100_000, "2025-11-03T03:00:00Z", "M11"),
        ],
    );
    let (day, out) = ("03-11-2025", "09-11-2025");
    let rows = [
        // By the number DOKU knows, and by the bill's own.
        paid_out("R-1-R1", "", 100_000, day, out),
        paid_out("R-2", "6059000000000102", 100_000, day, out),
        paid_out("M-10", fixed, 100_000, "29-10-2025", "04-11-2025"),
        paid_out("M-11", fixed, 100_000, day, out),
        paid_out("K-1", &code("K-1"), 100_000, "04-11-2025", "10-11-2025"),
        paid_out("E-3", &code("E-3"), 100_000, "05-11-2025", "11-11-2025"),
    ];
    books.world.file("s.csv", csv(&rows, "B-1"));
    books.reconcile("2025-11", "november.jsonl", "2025-12-02", &["--settlement", "s.csv"]);
    assert_eq!(settled(&books, "2025-11"), "S00 4/400000, S01 1/100000, S08 1/100000");
    let bills = summary(&books.world.path("2025-11"))["bills"].clone();
    let met = bills.as_object().unwrap().iter().filter(|(_, tally)| tally["count"] != 0);
    let met: Vec<_> = met.map(|(class, tally)| (class.as_str(), tally["count"].as_u64().unwrap())).collect();
    // K-1 and E-3 were paid out, so neither is missing evidence or expired unpaid; nothing speaks for K-2.
    assert_eq!(met, [("L00", 3), ("L01", 2), ("L04", 1)]);
    let row = |invoice: &str| books.world.rows("2025-11/settlement.csv").into_iter().find(|row| row["invoice_number"] == invoice).unwrap();
    assert_eq!(row("R-1-R1")["bill_invoice_number"], "R-1");
    assert_eq!((row("M-10")["bill_invoice_number"].as_str(), row("M-11")["bill_invoice_number"].as_str()), ("M-10", "M-11"));
    assert_eq!(row("K-1")["amount_notified"], "100000");
    crate::support::audit::agrees(&books.world, "2025-11");
}
