//! What went wrong when months were closed one after the other, through the program itself: each month is opened with the books of the
//! one before.

use serde_json::Value;

use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{EXTERNAL, line, summary};
use crate::reconcile::settlement::{Row, csv, row};
use crate::support::world::World;

const SETTINGS: &str = "[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n[settlement.alfa]\nfee_rupiah = 5000\n";

fn books(of: &Books, month: &str) -> Value {
    let summary = summary(&of.world.path(month));
    for identity in summary["books"]["identities"].as_array().unwrap().iter().chain(summary["identities"].as_array().unwrap()) {
        assert_eq!(identity["holds"], true, "{month}: {identity}");
    }
    summary["books"].clone()
}

/// An account's lines that are not zero, such as `opening 1/100, received -1/-100, closing 0/0`.
fn account(of: &Books, month: &str, account: &str) -> String {
    let books = books(of, month);
    let Some(found) = books["accounts"].as_array().unwrap().iter().find(|one| one["account"] == account) else { return String::new() };
    let figure = |value: &Value| format!("{}/{}", value["count"], value["amount"]);
    let line = |line: &Value| {
        let late = if line["prior_period"] == true { " (late)" } else { "" };
        format!("{}{late} {}", line["name"].as_str().unwrap(), figure(line))
    };
    let mut lines = vec![format!("opening {}", figure(&found["opening"]))];
    lines.extend(found["movements"].as_array().unwrap().iter().map(line));
    lines.push(format!("closing {}", figure(&found["closing"])));
    lines.join(", ")
}

/// The open items of an account, such as `I-1 40000 L11 to_do`.
fn open(of: &Books, month: &str, account: &str) -> Vec<String> {
    let rows = of.world.rows(&format!("{month}/open_items.csv"));
    let rows = rows.iter().filter(|row| row["account"] == account);
    rows.map(|row| [&row["invoice_number"], &row["amount"], &row["class"], &row["status"]].map(String::as_str).join(" ")).collect()
}

/// Reconciles a month of an external ledger, opened with the month before.
fn external(of: &Books, month: &str, ledger: &str, log: &[String], as_of: &str, more: &[&str]) {
    let log_name = format!("{month}.jsonl");
    of.world.file(&log_name, format!("{}\n", log.join("\n")));
    let mut arguments = vec!["--external-ledger", ledger];
    arguments.extend(more);
    of.reconcile(month, &log_name, as_of, &arguments);
}

fn ledger(of: &Books, name: &str, rows: &[&str]) {
    let head = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";
    let rows: Vec<String> = rows.iter().map(|row| format!("{row},ACTIVE,false,")).collect();
    of.world.file(name, format!("{head}\n{}\n", rows.join("\n")));
}

const BILL: &str = "alfa,6059000000000001,I-01,100000,2026-08-03T00:00:00Z,2026-12-30T00:00:00Z";

fn paid(invoice: &str, amount: u64, at: &str, id: &str) -> String {
    line(invoice, &code(invoice), amount, at, id)
}

#[test]
fn a_bill_paid_in_two_months_is_settled_in_the_second() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL]);
    let (first, second) = (paid("I-01", 60_000, "2026-08-10T03:00:00Z", "T1"), paid("I-01", 40_000, "2026-09-10T03:00:00Z", "T2"));
    external(&of, "2026-08", "bills.csv", std::slice::from_ref(&first), "2026-09-03", &[]);
    assert_eq!(account(&of, "2026-08", "receivable"), "opening 0/0, billed 1/100000, received 0/-60000, closing 1/40000");
    assert_eq!(open(&of, "2026-08", "receivable"), ["I-01 40000 L11 to_do"]);
    for evidence in [vec![second.clone()], vec![first, second]] {
        external(&of, "2026-09", "bills.csv", &evidence, "2026-10-03", &["--opening", "2026-08"]);
        assert_eq!(account(&of, "2026-09", "receivable"), "opening 1/40000, received -1/-40000, closing 0/0");
        assert_eq!(account(&of, "2026-09", "suspense"), "");
        let summary = summary(&of.world.path("2026-09"));
        assert_eq!((&summary["bills"]["L00"]["count"], &summary["payments"]["P14"]["count"]), (&1.into(), &1.into()));
    }
    // It stays settled when a month tells of none of its payments.
    external(&of, "2026-10", "bills.csv", &[], "2026-11-03", &["--opening", "2026-09"]);
    assert_eq!(summary(&of.world.path("2026-10"))["bills"]["L00"]["count"], 1);
}

#[test]
fn an_orphan_stays_in_every_later_list_until_its_bill_comes() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL]);
    external(&of, "2026-08", "bills.csv", &[paid("X-07", 77_000, "2026-08-30T03:00:00Z", "T9")], "2026-09-03", &[]);
    assert_eq!(open(&of, "2026-08", "suspense"), ["X-07 77000 P01 to_do"]);
    external(&of, "2026-09", "bills.csv", &[], "2026-10-03", &["--opening", "2026-08"]);
    assert_eq!(open(&of, "2026-09", "suspense"), ["X-07 77000 P01 to_do"], "nobody has looked at it, and it is still there");
    let late = "alfa,6059000000000007,X-07,77000,2026-08-20T00:00:00Z,2026-12-30T00:00:00Z";
    ledger(&of, "more.csv", &[BILL, late]);
    external(&of, "2026-10", "more.csv", &[], "2026-11-03", &["--opening", "2026-09"]);
    assert_eq!(account(&of, "2026-10", "suspense"), "opening 1/77000, matched (late) -1/-77000, closing 0/0");
    assert_eq!(open(&of, "2026-10", "receivable"), ["I-01 100000 L01 not_yet_due"]);
}

#[test]
fn a_payment_notified_in_one_month_and_paid_out_in_the_next_is_settled_then_and_the_bank_ties() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL]);
    external(&of, "2026-08", "bills.csv", &[paid("I-01", 100_000, "2026-08-31T03:00:00Z", "T1")], "2026-09-01", &[]);
    assert_eq!(account(&of, "2026-08", "doku"), "opening 0/0, notified 1/100000, closing 1/100000");
    let settled = Row {
        invoice: "I-01".into(),
        code: code("I-01"),
        amount: 100_000,
        fee: 5_550,
        paid_out: 94_450,
        date: "31-08-2026",
        out: "02-09-2026",
        share: 0,
        ..row(1)
    };
    of.world.file("s.csv", csv(&[settled], "B-1"));
    external(&of, "2026-09", "bills.csv", &[], "2026-10-03", &["--opening", "2026-08", "--settlement", "s.csv"]);
    assert_eq!(account(&of, "2026-09", "doku"), "opening 1/100000, settled -1/-100000, closing 0/0");
    assert_eq!(account(&of, "2026-09", "bank"), "opening 0/0, banked 1/94450, closing 1/94450");
    assert_eq!((open(&of, "2026-09", "clearing"), open(&of, "2026-09", "suspense")), (vec![], vec![]));
    let classes = summary(&of.world.path("2026-09"))["settlement"].clone();
    assert_eq!((&classes["S01"]["count"], &classes["S08"]["count"]), (&0.into(), &1.into()), "{classes}");
}

#[test]
fn a_payment_of_a_closed_month_that_comes_to_light_settles_its_bill_in_every_figure() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL, &BILL.replace("0001,I-01", "0002,I-02")]);
    external(&of, "2026-08", "bills.csv", &[], "2026-09-03", &[]);
    let late = [paid("I-01", 100_000, "2026-08-31T16:59:00Z", "T1"), paid("I-02", 60_000, "2026-08-31T16:59:00Z", "T2")];
    external(&of, "2026-09", "bills.csv", &late, "2026-10-03", &["--opening", "2026-08"]);
    assert_eq!(account(&of, "2026-09", "receivable"), "opening 2/200000, received (late) -1/-160000, closing 1/40000");
    assert_eq!(open(&of, "2026-09", "receivable"), ["I-02 40000 L11 to_do"]);
    let bills = summary(&of.world.path("2026-09"))["bills"].clone();
    assert_eq!(["L00", "L01", "L11"].map(|class| bills[class]["count"].as_u64().unwrap()), [1, 0, 1]);
}

#[test]
fn our_own_ledgers_earlier_payments_are_no_money_on_its_way_unless_a_row_says_so() {
    let of = Books::new(SETTINGS);
    for (number, amount) in [(1, 100_000), (2, 200_000), (3, 300_000)] {
        of.issue(&format!("B-{number}"), amount, "2026-07-01", "2026-12-30");
    }
    of.log("july.jsonl", &[paid("B-1", 100_000, "2026-07-05T03:00:00Z", "T1"), paid("B-2", 200_000, "2026-07-31T03:00:00Z", "T2")]);
    of.world.file("none.jsonl", "");
    let settled = Row {
        invoice: "B-2".into(),
        code: code("B-2"),
        amount: 200_000,
        fee: 5_550,
        paid_out: 194_450,
        date: "31-07-2026",
        out: "04-08-2026",
        share: 0,
        ..row(1)
    };
    of.world.file("s.csv", csv(&[settled], "B-1"));
    of.reconcile("2026-08", "july.jsonl", "2026-09-03", &["--settlement", "s.csv"]);
    assert_eq!(account(&of, "2026-08", "receivable"), "opening 1/300000, closing 1/300000");
    assert_eq!(account(&of, "2026-08", "doku"), "opening 0/0, settled -1/-200000, taken_on (late) 1/200000, closing 0/0");
    assert_eq!(account(&of, "2026-08", "suspense"), "");
}

/// Decides as a person does: by the id that the list shows.
fn decide(of: &Books, month: &str, invoice: &str, arguments: &[&str]) {
    of.world.run(&["discrepancies", "take", month, "--by", "Sari"]).expect(0);
    let rows = of.world.rows(&format!("{month}/discrepancies.csv"));
    let row = rows.iter().find(|row| row["invoice_number"] == invoice && !row["class"].starts_with("P03"));
    let id = &row.unwrap_or_else(|| panic!("{invoice} in {month}: {rows:?}"))["discrepancy_id"];
    of.world.run(&[&["discrepancies", "accept", id, "--by", "Sari", "--reason", "agreed with the customer"], arguments].concat()).expect(0);
}

#[test]
fn a_decision_stands_in_every_later_run_of_its_month_and_in_the_months_after() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL]);
    let first = [paid("I-01", 60_000, "2026-08-10T03:00:00Z", "T1"), paid("X-07", 77_000, "2026-08-30T03:00:00Z", "T9")];
    external(&of, "2026-08", "bills.csv", &first, "2026-09-03", &[]);
    decide(&of, "2026-08", "I-01", &["--action", "write_off", "--effective", "2026-08-31"]);
    decide(&of, "2026-08", "X-07", &["--action", "refund", "--effective", "2026-08-31"]);
    // With all of its evidence, with part of it, with none.
    for evidence in [&first[..], &first[..1], &[]] {
        external(&of, "2026-08", "bills.csv", evidence, "2026-09-04", &[]);
        assert_eq!(open(&of, "2026-08", "receivable"), Vec::<String>::new());
        assert_eq!(account(&of, "2026-08", "write_off"), "opening 0/0, written_off 1/40000, closing 1/40000");
        assert_eq!(account(&of, "2026-08", "refunds_due"), "opening 0/0, refund_decided 1/77000, closing 1/77000");
        of.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    }
    external(&of, "2026-08", "bills.csv", &first, "2026-09-04", &[]);
    of.world.run(&["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"]).expect(0);
    external(&of, "2026-08", "bills.csv", &first, "2026-09-04", &["--opening", "auto"]);
    for month in [("2026-09", "2026-10-03"), ("2026-10", "2026-11-03")] {
        external(&of, month.0, "bills.csv", &[], month.1, &["--opening", "auto"]);
        assert_eq!(account(&of, month.0, "receivable"), "", "nothing moves, and nothing is owed");
        assert_eq!(account(&of, month.0, "write_off"), "opening 1/40000, closing 1/40000");
        assert_eq!(open(&of, month.0, "refunds_due"), ["X-07 77000 B03 to_do"]);
        of.world.run(&["discrepancies", "take", month.0, "--by", "Sari"]).expect(0);
        let shown = of.world.run(&["discrepancies", "list", "--status", "all"]).expect(0).stdout;
        assert!(shown.matches("accepted").count() == 2, "{shown}");
        of.world.run(&["period", "close", month.0, "--report", month.0, "--by", "Sari", "--reason", "month end"]).expect(0);
    }
}

#[test]
fn entries_of_a_closed_month_are_exported_once_and_taken_back_when_its_books_change() {
    let accounts = ["doku", "receivable", "suspense", "clearing", "payouts", "bank", "fees", "vat", "write_off", "refunds_due"];
    let accounts = accounts.iter().zip(1_000..).map(|(name, number)| format!("{name} = \"{number}\"")).collect::<Vec<_>>().join("\n");
    let of = Books::new(&format!("{SETTINGS}[accounts]\n{accounts}\n"));
    ledger(&of, "bills.csv", &[BILL]);
    let august = [paid("I-01", 60_000, "2026-08-10T03:00:00Z", "T1"), paid("X-07", 77_000, "2026-08-30T03:00:00Z", "T9")];
    external(&of, "2026-08", "bills.csv", &august[..1], "2026-09-03", &[]);
    let entries = |out: &str, more: &[&str]| {
        of.world.run(&[&["discrepancies", "entries", "--period", "2026-08", "--out", out, "--by", "Sari"], more].concat())
    };
    of.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    entries("e.csv", &[]).expect(2).says(&["E0815"]);
    let close = ["period", "close", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"];
    of.world.run(&close).expect(0);
    assert!(entries("first.csv", &[]).expect(0).stdout.contains("1 entries, debits = credits = Rp60.000"));
    assert!(entries("second.csv", &[]).expect(0).stdout.contains("0 entries"));
    entries("third.csv", &["--again"]).expect(0);
    assert_eq!(of.world.rows("first.csv"), of.world.rows("third.csv"));
    of.world.run(&["period", "reopen", "2026-08", "--by", "Sari", "--reason", "a log was missing"]).expect(0);
    // The payment was of another amount than the month was closed with.
    let right = [paid("I-01", 65_000, "2026-08-10T03:00:00Z", "T2"), august[1].clone()];
    external(&of, "2026-08", "bills.csv", &right, "2026-09-03", &[]);
    of.world.run(&close).expect(0);
    let ran = entries("fourth.csv", &[]).expect(0);
    assert!(ran.stderr.contains("1 of them take back"), "{ran:#?}");
    let rows = of.world.rows("fourth.csv");
    let net = |purpose: &str| {
        let of =
            |column: &str| rows.iter().filter(|row| row["purpose"] == purpose).map(|row| row[column].parse::<i64>().unwrap()).sum::<i64>();
        of("debit") - of("credit")
    };
    assert_eq!(["doku", "receivable", "suspense"].map(net), [82_000, -5_000, -77_000]);
}

#[test]
fn a_row_that_came_before_its_notification_is_met_by_it_without_being_given_again() {
    let world = World::at("http://127.0.0.1:1", SETTINGS);
    let head = EXTERNAL;
    world.file("ledger.csv", format!("{head}\nINV-1,{:016},alfa,100000,ACTIVE,no,2026-10-01,2026-12-31,\n", 1));
    world.file("settlement.csv", csv(&[row(1)], "B-1"));
    world.file("other.jsonl", line("NOBODY", "99", 1, "2026-10-05T05:00:00Z", "T0") + "\n");
    world.file("late.jsonl", line("INV-1", &format!("{:016}", 1), 100_000, "2026-10-05T05:00:00Z", "T1") + "\n");
    let month = |period: &str, as_of: &str, more: &[&str], out: &str| {
        let all = ["reconcile", "--period", period, "--external-ledger", "ledger.csv", "--as-of", as_of, "--out", out];
        world.run(&[&all[..], more].concat()).expect(1);
        let items = world.rows(&format!("{out}/open_items.csv")).into_iter();
        items.map(|row| format!("{} {} {}", row["account"], row["class"], row["amount"])).collect::<Vec<_>>()
    };
    let october =
        month("2026-10", "2026-11-02T00:00:00Z", &["--notifications", "other.jsonl", "--settlement", "settlement.csv"], "october");
    assert_eq!(october, ["receivable L01 100000", "doku S02 1", "suspense P01 1", "suspense S01 100000"]);
    let november = month("2026-11", "2026-12-02T00:00:00Z", &["--notifications", "late.jsonl", "--opening", "october"], "november");
    assert_eq!(november, ["doku S02 1", "suspense P01 1"], "in whatever part of the books each of the three is");
}

#[test]
fn a_report_that_the_journal_has_taken_in_since_is_signed_and_one_that_was_decided_about_since_is_made_again_first() {
    let of = Books::new(SETTINGS);
    ledger(&of, "bills.csv", &[BILL]);
    external(&of, "2026-08", "bills.csv", &[paid("I-01", 60_000, "2026-08-10T03:00:00Z", "T1")], "2026-09-03", &[]);
    let take = |month: &str| of.world.run(&["discrepancies", "take", month, "--by", "Sari"]).expect(0);
    take("2026-08");
    of.close("2026-08").expect(0);
    external(&of, "2026-09", "bills.csv", &[paid("I-01", 40_000, "2026-09-10T03:00:00Z", "T2")], "2026-10-03", &["--opening", "auto"]);
    assert_eq!(summary(&of.world.path("2026-09"))["discrepancies"]["cleared"].as_array().unwrap().len(), 1);
    take("2026-09");
    of.close("2026-09").expect(0);
    external(&of, "2026-10", "bills.csv", &[paid("X-07", 77_000, "2026-10-30T03:00:00Z", "T9")], "2026-11-03", &["--opening", "auto"]);
    decide(&of, "2026-10", "X-07", &["--action", "accept", "--effective", "2026-10-31"]);
    of.close("2026-10").expect(7).says(&["E0858", "the journal or the settings have gone on since", "reconcile the period again"]);
    external(&of, "2026-10", "bills.csv", &[paid("X-07", 77_000, "2026-10-30T03:00:00Z", "T9")], "2026-11-03", &["--opening", "auto"]);
    of.close("2026-10").expect(0);
}
