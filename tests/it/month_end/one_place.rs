//! A sum stands in one place: whoever tells of a payment (the ledger, the logs, a settlement row), in its own month and in the one after, it is
//! one thing to do, or none.

use std::collections::BTreeMap;

use super::told::{agrees, why};
use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};

const SETTINGS: &str = "[settlement]\nholidays = [\"2026-12-25\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n";

/// Who knows of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Ledger,
    Log,
    Both,
    Neither,
}

/// What DOKU's settlement says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    None,
    Held,
    PaidOut,
    /// In October's file, and paid out in November.
    Later,
    Two,
}

/// Whose the bills are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Us,
    Others,
    /// A ledger that does not say when its bills were paid.
    OthersUndated,
}

const KNOWN: [Known; 4] = [Known::Ledger, Known::Log, Known::Both, Known::Neither];
const ROWS: [Rows; 5] = [Rows::None, Rows::Held, Rows::PaidOut, Rows::Later, Rows::Two];

fn cells() -> impl Iterator<Item = (String, Known, Rows)> {
    let cells = KNOWN.into_iter().flat_map(|known| ROWS.into_iter().map(move |rows| (known, rows)));
    cells.zip(1..).map(|((known, rows), number)| (format!("B-{number:02}"), known, rows))
}

fn settled(name: &str, out: &'static str) -> Row {
    let code = code(name);
    Row { invoice: name.to_owned(), code, date: "15-10-2026", out, share: 0, ..row(1) }
}

/// A month's run, and what it is given of settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    October,
    /// With October's file once more.
    November,
    NovemberWithout,
}

/// What is to be done about a bill, by the accountant's own words: money that was told and not paid out is DOKU's to pay; money that was paid out
/// and not told is a message to be asked for; a payment that the ledger alone knows of is a log to be found. Nothing is two of them.
fn to_do(of: Of, known: Known, rows: Rows, run: Run) -> &'static [&'static str] {
    let (is_first, is_paid_out) = (run == Run::October, matches!(rows, Rows::PaidOut | Rows::Two));
    // Our ledger's payment was verified when it was taken in: a row proves it, and so does time.
    let is_told = match known {
        Known::Log | Known::Both => true,
        Known::Ledger => of == Of::Us && (rows != Rows::None || !is_first),
        Known::Neither => false,
    };
    let is_out = is_paid_out || rows == Rows::Later && run == Run::November;
    // What a row says stands in the books once it is paid out; until then it is seen in the month of its payment.
    let is_row_seen = is_out || is_first && rows != Rows::None;
    let twice: &[&str] = match rows {
        Rows::Two if is_first => &["S07"],
        _ => &[],
    };
    match () {
        () if is_told && (is_out || rows == Rows::Later && is_first) => twice,
        () if is_told => &["S02"],
        () if is_row_seen && twice.is_empty() => &["S01"],
        () if is_row_seen => &["S01", "S07"],
        () if known == Known::Ledger => &["L04"],
        // Its code has just expired.
        () => &[],
    }
}

/// The bills of every cell, their payments and rows, in one folder.
fn planted(of: Of) -> Books {
    let books = Books::new(SETTINGS);
    let mut bills =
        vec!["channel,payment_code,invoice_number,amount,created_at,expires_at,status,paid_at,reusable,cancelled_at".to_owned()];
    let (mut taken_in, mut given, mut first, mut second) = (vec![], vec![], vec![], vec![]);
    for (name, known, rows) in cells() {
        if of == Of::Us {
            books.issue(&name, 100_000, "2026-10-01", "2026-10-31");
        }
        let is_known = matches!(known, Known::Ledger | Known::Both);
        let (status, paid_at) = match of {
            Of::Others if is_known => ("PAID", "2026-10-15T03:00:00Z"),
            Of::OthersUndated if is_known => ("PAID", ""),
            _ => ("ACTIVE", ""),
        };
        bills.push(format!("alfa,{},{name},100000,2026-10-01T05:00:00Z,2026-10-31T05:00:00Z,{status},{paid_at},false,", code(&name)));
        let line = line(&name, &code(&name), 100_000, "2026-10-15T03:00:00Z", &name);
        taken_in.extend(is_known.then(|| line.clone()));
        given.extend(matches!(known, Known::Log | Known::Both).then_some(line));
        first.extend(match rows {
            Rows::None => None,
            Rows::Held => Some(settled(&name, "")),
            Rows::PaidOut | Rows::Two => Some(settled(&name, "20-10-2026")),
            Rows::Later => Some(settled(&name, "03-11-2026")),
        });
        second.extend((rows == Rows::Two).then(|| settled(&name, "22-10-2026")));
    }
    books.world.file("bills.csv", bills.join("\n") + "\n");
    if of == Of::Us {
        books.log("ledger.jsonl", &taken_in);
    }
    books.world.file("october.jsonl", given.join("\n") + "\n");
    books.world.file("none.jsonl", "");
    books.world.file("first.csv", csv(&first, "X-1"));
    books.world.file("second.csv", csv(&second, "X-2"));
    books
}

#[test]
fn a_payment_is_one_thing_to_do_whoever_tells_of_it_in_its_own_month_and_in_the_one_after() {
    for of in [Of::Us, Of::Others, Of::OthersUndated] {
        let books = planted(of);
        let bills: &[&str] = if of == Of::Us { &[] } else { &["--external-ledger", "bills.csv"] };
        for (run, month, log, as_of, more) in [
            (Run::October, "2026-10", "october.jsonl", "2026-11-04", &["--settlement", "first.csv", "--settlement", "second.csv"][..]),
            (Run::November, "2026-11", "none.jsonl", "2026-12-04", &["--opening", "2026-10", "--settlement", "first.csv"]),
            (Run::NovemberWithout, "2026-11", "none.jsonl", "2026-12-04", &["--opening", "2026-10"]),
        ] {
            books.reconcile(month, log, as_of, &[bills, more].concat());
            says(&books, month, of, run);
            crate::support::audit::agrees(&books.world, month);
            if run != Run::NovemberWithout {
                for (name, known, rows) in cells() {
                    let what = format!("{of:?} {known:?} {rows:?} {run:?}");
                    agrees(&books.world, month, &name, &why(&books.world, &name, &["--report", month]), &what);
                }
            }
        }
    }
}

/// Holds list and open items of a month against what is to be done about each bill.
fn says(books: &Books, month: &str, of: Of, run: Run) {
    let summary = summary(&books.world.path(month));
    for identity in summary["books"]["identities"].as_array().unwrap().iter().chain(summary["identities"].as_array().unwrap()) {
        assert_eq!(identity["holds"], true, "{of:?} {run:?}: {identity}");
    }
    let (listed, items) = (books.world.rows(&format!("{month}/discrepancies.csv")), books.world.rows(&format!("{month}/open_items.csv")));
    for (name, known, rows) in cells() {
        let what = format!("{of:?} {known:?} {rows:?} {run:?}");
        let is_open = |row: &&BTreeMap<String, String>| row["invoice_number"] == name && row["nature"] == "BREAK";
        let mut seen: Vec<&str> = listed.iter().filter(is_open).map(|row| row["class"].as_str()).collect();
        seen.sort_unstable();
        assert_eq!(seen, to_do(of, known, rows, run), "{what}: {items:#?}");
        let of_bill = || items.iter().filter(|row| row["invoice_number"] == name);
        let on = |accounts: &[&str]| {
            let amounts = of_bill().filter(|row| accounts.contains(&&*row["account"])).map(|row| row["amount"].parse::<i64>().unwrap());
            amounts.sum::<i64>()
        };
        // Owed by the customer, called paid without proof, or DOKU's to pay: once, and nothing of it once it has come.
        let is_over = rows != Rows::None && on(&["receivable", "unproven", "doku"]) == 0;
        assert!(is_over || on(&["receivable", "unproven", "doku"]) == 100_000, "{what}: {items:#?}");
        let busy = of_bill().filter(|row| row["status"] == "to_do").count();
        assert!(busy <= 1, "{what}: {items:#?}");
    }
    let stray = |row: &&BTreeMap<String, String>| row["invoice_number"].is_empty();
    assert!(listed.iter().chain(&items).find(stray).is_none(), "{of:?} {run:?}: every row names its bill");
}

#[test]
fn of_payments_of_one_instant_classes_and_books_have_the_same_for_the_first() {
    let of = Books::new("");
    let head = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";
    of.world.file("bills.csv", format!("{head}\nalfa,{:016},INV-1,100000,2026-07-01,2026-12-31,ACTIVE,false,\n", 1));
    for turn in 0..6 {
        // Which of the two has the smaller identity, and which the smaller id in the books, depends on how they are called.
        let paid = [60_000, 100_000]
            .map(|amount| line("INV-1", &format!("{:016}", 1), amount, "2026-07-30T05:00:00Z", &format!("T{turn}-{amount}")));
        of.world.file("july.jsonl", paid.join("\n") + "\n");
        of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv"]);
        let rows = of.world.rows("2026-07/discrepancies.csv");
        let told = summary(&of.world.path("2026-07"))["books"]["to_do"]["finance"].clone();
        assert_eq!((rows.len(), &told), (1, &serde_json::json!({"count": 1, "amount": 60_000})), "{turn}: {rows:?}");
    }
}
