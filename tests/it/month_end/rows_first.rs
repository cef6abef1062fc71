//! A settlement row that comes before the notification of its payment: whose money it is, whichever files the month after is given again; and
//! what is received from a chain that DOKU does not settle.

use crate::month_end::period::Books;
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};

const HEAD: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";

fn settled(date: &'static str, out: &'static str, amount: i64) -> Row {
    Row { date, out, amount, fee: 0, paid_out: amount, share: 0, ..row(1) }
}

/// A row of a bill that nobody knows.
fn nobodys() -> Row {
    Row { invoice: "NOBODY".to_owned(), code: "99".to_owned(), ..settled("10-08-2026", "14-08-2026", 7) }
}

/// A business of one bill that expires on this day, and what of July is known: a row of a payment that nobody has notified.
fn july(expires: &str, rows: &[Row]) -> Books {
    let of = Books::new("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n");
    of.world.file("bills.csv", format!("{HEAD}\nalfa,{:016},INV-1,150000,2026-07-01,{expires},ACTIVE,false,\n", 1));
    of.world.file("july.csv", csv(rows, "B-1"));
    of.world.file("none.jsonl", "");
    of.reconcile("2026-07", "none.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    of
}

/// August with these notifications and rows, July's rows given again or not.
fn august(of: &Books, name: &str, paid: &[(&str, u64, &str)], rows: &[Row], with_july: bool) -> Vec<String> {
    let lines = paid.iter().map(|(day, amount, id)| line("INV-1", &format!("{:016}", 1), *amount, &format!("{day}T05:00:00Z"), id) + "\n");
    of.world.file("august.jsonl", lines.collect::<String>());
    of.world.file("august.csv", csv(rows, "B-2"));
    let files: &[&str] = if with_july { &["--settlement", "july.csv"] } else { &[] };
    let more = ["--external-ledger", "bills.csv", "--settlement", "august.csv", "--opening", "2026-07", "--out", name];
    let common = ["reconcile", "--period", "2026-08", "--as-of", "2026-09-03T05:00:00Z", "--notifications", "august.jsonl"];
    let ran = of.world.run(&[&common[..], &more, files].concat());
    assert!(ran.code <= 1, "{ran:#?}");
    let books = summary(&of.world.path(name))["books"].clone();
    assert!(books["identities"].as_array().unwrap().iter().all(|one| one["holds"] == true), "{books:#}");
    let items = of.world.rows(&format!("{name}/open_items.csv"));
    let mut items: Vec<String> = items
        .iter()
        .filter(|item| item["account"] != "alarm")
        .map(|item| format!("{} {} {} {}", item["account"], item["class"], item["owner"], item["amount"]))
        .collect();
    items.sort();
    items
}

/// With and without the old file, which says nothing new.
fn both(of: &Books, paid: &[(&str, u64, &str)], rows: &[Row]) -> Vec<String> {
    let [with, without] = [("with", true), ("without", false)].map(|(name, with_july)| august(of, name, paid, rows, with_july));
    assert_eq!(with, without, "the file of the month before, given again, tells nothing new");
    without
}

#[test]
fn a_row_that_waits_is_not_the_money_of_a_payment_of_another_day_that_has_its_own() {
    let of = july("2026-12-31", &[settled("02-07-2026", "22-07-2026", 150_000)]);
    let items = both(&of, &[("2026-08-20", 150_000, "T1")], &[settled("20-08-2026", "25-08-2026", 150_000)]);
    assert_eq!(items, ["suspense S01 settlement 150000"]);
}

#[test]
fn a_row_that_waits_is_the_money_of_the_payment_of_its_day_whatever_else_was_paid_of_the_bill() {
    let of = july("2026-12-31", &[settled("20-07-2026", "24-07-2026", 40_000)]);
    let paid = [("2026-07-20", 40_000, "T1"), ("2026-08-10", 40_000, "T2")];
    let items = both(&of, &paid, &[settled("10-08-2026", "14-08-2026", 40_000)]);
    assert_eq!(items, ["receivable L11 collections 70000"]);
    // Two clocks put midnight between them; or what was settled is less than what is told.
    for (day, amount, left) in [
        ("2026-07-21", 40_000, &["receivable L11 collections 110000"][..]),
        ("2026-07-20", 45_000, &["doku S03 settlement 5000", "receivable L11 collections 105000"]),
    ] {
        assert_eq!(
            both(&of, &[(day, amount, "T3")], &[nobodys()]).iter().filter(|item| !item.ends_with(" 7")).collect::<Vec<_>>(),
            left,
            "{day}"
        );
    }
}

#[test]
fn the_money_of_a_row_whose_payment_is_held_is_called_what_the_payment_is() {
    let of = july("2026-07-10", &[settled("20-07-2026", "24-07-2026", 150_000)]);
    let items = both(&of, &[("2026-07-20", 150_000, "T1")], &[nobodys()]);
    assert!(items.contains(&"suspense P07 finance 150000".to_owned()), "{items:?}");
}

#[test]
fn what_a_chain_has_paid_itself_may_be_recorded_in_the_month_of_its_payments() {
    let of = Books::new("[settlement.alfa]\nsettled_by_doku = false\n");
    of.world.file("bills.csv", format!("{HEAD}\nalfa,{:016},INV-1,100000,2026-07-01,2026-12-31,ACTIVE,false,\n", 1));
    let paid = line("INV-1", &format!("{:016}", 1), 100_000, "2026-07-20T05:00:00Z", "T1");
    of.world.file("paid.jsonl", paid + "\n");
    let run = || of.reconcile("2026-07", "paid.jsonl", "2026-08-03", &["--external-ledger", "bills.csv"]);
    run();
    let direct = || of.world.rows("2026-07/open_items.csv").into_iter().filter(|item| item["account"] == "direct").collect::<Vec<_>>();
    let id = direct()[0]["discrepancy_id"].clone();
    of.world.run(&["discrepancies", "take", "2026-07", "--by", "Sari"]).expect(0);
    let take = ["discrepancies", "take", "2026-07", "--item", &id, "--by", "Sari"];
    of.world.run(&take).expect(0);
    let received =
        ["accept", &id, "--action", "received", "--reference", "TRF 1", "--effective", "2026-07-31", "--reason", "paid", "--by", "Sari"];
    of.world.run(&[&["discrepancies"], &received[..]].concat()).expect(0);
    run();
    assert!(direct().is_empty());
    let identities = summary(&of.world.path("2026-07"))["books"]["identities"].as_array().unwrap().clone();
    let told = identities.iter().find(|identity| identity["name"] == "payments notified = payments as read").unwrap();
    assert_eq!((told["left"].as_i64(), told["right"].as_i64()), (Some(100_000), Some(100_000)));
    of.close("2026-07").expect(0);
}
