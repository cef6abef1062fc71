//! Rules of which two readings were possible, one row each, as docs/classes.md settles them: the oracle and the engine say the same, and this.

use std::fs;

use super::compare::{options, read_outcome, run_on_file};
use super::known::{CREATED, EXPIRES, PAID, UNTIL, classes, envelope, message, row, settings};
use super::naive::{self, Outcome};
use super::world::{COLUMNS, DAY, HOUR};
use crate::support::folder::temporary;
use crate::support::message::{Message, SECRET, utc};

/// What both say of these bills and lines.
fn said(rows: &[String], lines: &[String]) -> [Outcome; 2] {
    let ledger = format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"));
    let log: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let folder = temporary();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("ledger.csv"), &ledger).unwrap();
    fs::write(path("log.jsonl"), &log).unwrap();
    run_on_file(&path("ledger.csv"), &options(&settings(), vec![path("log.jsonl")], path("out")));
    [naive::reconcile(&ledger, &[log], &settings()), read_outcome(&path("out"))]
}

struct Reading {
    rule: &'static str,
    rows: Vec<String>,
    lines: Vec<Message>,
    payments: &'static str,
    bills: &'static str,
    flags: &'static str,
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_rule_of_two_readings_is_read_as_the_page_says() {
    let plain = row("ACTIVE", false, "", "", "");
    let second = |date: i64| Message { date: utc(date), agent: Some(("ALFAMART".into(), "S2".into(), "T9".into())), ..message() };
    let unusable = |date: i64| Message { date: utc(date), amount_json: "150000.5".into(), ..message() };
    let live = plain.replace(&utc(EXPIRES), &utc(UNTIL + 2 * DAY));
    let readings = [
        Reading {
            rule: "an amount that nobody can use proves no money: the bill stays L04 beside it",
            rows: vec![row("PAID", false, "", &utc(PAID), "")],
            lines: vec![unusable(PAID)],
            payments: "P17",
            bills: "L04",
            flags: "",
        },
        Reading {
            rule: "and is P17 whatever its day",
            rows: vec![plain.clone()],
            lines: vec![unusable(UNTIL + 60)],
            payments: "P17",
            bills: "L02",
            flags: "",
        },
        Reading {
            rule: "a second payment is P06, late or not",
            rows: vec![plain.clone()],
            lines: vec![message(), second(EXPIRES + HOUR + 1)],
            payments: "P00 P06",
            bills: "L12",
            flags: "P04 P07",
        },
        Reading {
            rule: "and after a cancellation too",
            rows: vec![row("CANCELLED", false, &utc(PAID + 60), "", "")],
            lines: vec![message(), second(PAID + 120)],
            payments: "P00 P06",
            bills: "L12",
            flags: "P04 P08",
        },
        Reading {
            rule: "an invoice number is what it is, in capitals or not",
            rows: vec![plain.clone()],
            lines: vec![Message { invoice: "inv-1".into(), ..message() }],
            payments: "P02",
            bills: "L02",
            flags: "",
        },
        Reading {
            rule: "a code on two invoices is L07 whether or not one of them was paid",
            rows: vec![live.clone(), live.replace("INV-1", "INV-2")],
            lines: vec![message()],
            payments: "P00",
            bills: "L00 L01",
            flags: "L07x2",
        },
        Reading {
            rule: "a reusable code that was paid and then cancelled is settled",
            rows: vec![row("CANCELLED", true, &utc(PAID + 60), "", "")],
            lines: vec![message()],
            payments: "P13",
            bills: "L00",
            flags: "",
        },
        Reading {
            rule: "a payment in the second of the cancellation came before it",
            rows: vec![row("CANCELLED", false, &utc(PAID), "", "")],
            lines: vec![Message { date: utc(CREATED + HOUR), ..message() }],
            payments: "P00",
            bills: "L00",
            flags: "",
        },
    ];
    for Reading { rule, rows, lines, payments, bills, flags } in readings {
        let signed = |(number, message): (i64, &Message)| envelope(message, &format!("r{number}"), PAID + 30 + number).line(SECRET);
        let lines: Vec<String> = (0..).zip(&lines).map(signed).collect();
        for (who, outcome) in ["oracle", "engine"].into_iter().zip(said(&rows, &lines)) {
            let raised = outcome.flags.iter().map(|(flag, count)| if *count == 1 { flag.clone() } else { format!("{flag}x{count}") });
            let raised = raised.filter(|flag| flag.starts_with(['P', 'L'])).collect::<Vec<_>>().join(" ");
            let said = (classes(&outcome.payments), classes(&outcome.bills), raised);
            assert_eq!(said, (payments.to_owned(), bills.to_owned(), flags.to_owned()), "{who}: {rule}\n{rows:?}");
        }
    }
}
