//! What a closed month has settled stays settled by the row that did, whichever files the month after is given again.

use crate::month_end::period::Books;
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};

const HEAD: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at,paid_at";

fn settled(date: &'static str, out: &'static str, amount: i64) -> Row {
    Row { date, out, amount, fee: 0, paid_out: amount, share: 0, ..row(1) }
}

fn business(bill: &str) -> Books {
    let of = Books::new("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n");
    of.world.file("bills.csv", format!("{HEAD}\n{bill}\n"));
    of.world.file("none.jsonl", "");
    of
}

fn code() -> String {
    format!("{:016}", 1)
}

fn bill(amount: u64, reusable: bool) -> String {
    format!("alfa,{},INV-1,{amount},2026-07-01,2026-12-31,ACTIVE,{reusable},,", code())
}

fn notified(of: &Books, name: &str, paid: &[(&str, u64, &str)]) {
    let lines = paid.iter().map(|(day, amount, id)| line("INV-1", &code(), *amount, &format!("{day}T05:00:00Z"), id) + "\n");
    of.world.file(name, lines.collect::<String>());
}

/// What is open in a report: class, nature, and what is short or over.
fn listed(of: &Books, report: &str) -> Vec<String> {
    let rows = of.world.rows(&format!("{report}/discrepancies.csv"));
    let open = rows.iter().filter(|row| row["status"] == "open");
    let mut rows: Vec<String> = open.map(|row| format!("{} {} {}", row["class"], row["nature"], row["amount_difference"])).collect();
    rows.sort();
    rows
}

/// Takes July's list and decides about one of it.
fn decide(of: &Books, id: &str, what: &[&str]) {
    of.world.run(&["discrepancies", "take", "2026-07", "--by", "Sari"]).expect(0);
    of.world.run(&[&["discrepancies", "accept", id, "--reason", "agreed", "--by", "Sari"], what].concat()).expect(0);
}

/// August with July's settlement file and without; neither is told anything else.
fn august(of: &Books, more: &[&str]) -> Vec<String> {
    let [with, without] = [("with", &["--settlement", "july.csv"][..]), ("without", &[])].map(|(out, july)| {
        let common = ["reconcile", "--period", "2026-08", "--as-of", "2026-09-03T05:00:00Z", "--external-ledger", "bills.csv"];
        let arguments = [&common[..], &["--settlement", "august.csv", "--opening", "2026-07", "--out", out], july, more].concat();
        let ran = of.world.run(&arguments);
        assert!(ran.code <= 1, "{ran:#?}");
        let books = summary(&of.world.path(out))["books"].clone();
        assert!(books["identities"].as_array().unwrap().iter().all(|one| one["left"] == one["right"]), "{books:#}");
        (listed(of, out), books["accounts"].clone())
    });
    assert_eq!(with, without, "the file of the month before, given again, tells nothing new");
    without.0
}

#[test]
fn a_second_row_for_a_payment_that_a_closed_month_settled_is_that_and_the_decision_about_the_first_stands() {
    let of = business(&bill(100_000, false));
    notified(&of, "july.jsonl", &[("2026-07-13", 100_000, "T1")]);
    of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 90_000)], "B-1"));
    let july = || of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    july();
    assert_eq!(listed(&of, "2026-07"), ["S03 BREAK -10000"]);
    let id = of.world.column("2026-07/discrepancies.csv", "discrepancy_id")[0].clone();
    decide(&of, &id, &["--action", "write_off", "--effective", "2026-07-31"]);
    july();
    of.close("2026-07").expect(0);
    // What was short comes in another row: asked for, it is the same money again.
    of.world.file("august.csv", csv(&[settled("13-07-2026", "04-08-2026", 10_000)], "B-2"));
    for logs in [&["--notifications", "none.jsonl"][..], &["--notifications", "july.jsonl"], &["--notifications", "*.jsonl"]] {
        assert_eq!(august(&of, logs), ["S05 BREAK ", "S07 BREAK 10000"], "{logs:?}");
    }
    of.world.run(&["discrepancies", "take", "without", "--by", "Sari"]).expect(0);
    let told = of.world.run(&["discrepancies", "show", &id]).expect(0);
    assert!(!told.stdout.contains("reopened"), "{}", told.stdout);
}

#[test]
fn a_payment_that_a_closed_month_settled_is_not_there_for_a_row_of_the_day_beside_it() {
    // The code is paid twice on one day, one of them settled in July; the other's row comes in August, short.
    let of = business(&bill(50_000, true));
    notified(&of, "july.jsonl", &[("2026-07-30", 50_000, "T1"), ("2026-07-30", 50_000, "T2")]);
    of.world.file("july.csv", csv(&[settled("30-07-2026", "31-07-2026", 50_000)], "B-1"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    of.close("2026-07").expect(0);
    of.world.file("august.csv", csv(&[settled("30-07-2026", "04-08-2026", 45_000)], "B-2"));
    assert_eq!(august(&of, &["--notifications", "july.jsonl"]), ["S03 BREAK -5000"]);
    assert_eq!(august(&of, &["--notifications", "none.jsonl"]), ["S03 BREAK -5000"]);
}

#[test]
fn a_row_that_is_told_again_corrected_in_its_batch_is_no_second_pay_out() {
    let of = business(&bill(100_000, false));
    notified(&of, "july.jsonl", &[("2026-07-13", 100_000, "T1")]);
    of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 90_000)], "B-1"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    of.close("2026-07").expect(0);
    let before = summary(&of.world.path("2026-07"))["books"]["accounts"].clone();
    let closing = |books: &serde_json::Value| {
        let closing = books.as_array().unwrap().iter().map(|one| (one["account"].to_string(), one["closing"].clone()));
        closing.filter(|(_, closing)| closing["amount"] != 0).collect::<Vec<_>>()
    };
    // July's batch as it is sent again: alone, and beside the file of before.
    of.world.file("august.csv", csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1"));
    for (out, files) in [("alone", &["august.csv"][..]), ("beside", &["august.csv", "july.csv"])] {
        let files: Vec<&str> = files.iter().flat_map(|file| ["--settlement", file]).collect();
        let common = ["reconcile", "--period", "2026-08", "--as-of", "2026-09-03T05:00:00Z", "--external-ledger", "bills.csv"];
        let more = ["--notifications", "none.jsonl", "--opening", "2026-07", "--out", out];
        assert!(of.world.run(&[&common[..], &more, &files].concat()).code <= 1);
        let books = summary(&of.world.path(out))["books"].clone();
        assert_eq!(closing(&books["accounts"]), closing(&before), "{out}: what was posted stands");
    }
}

#[test]
fn a_settled_row_of_a_bill_that_the_ledger_lists_no_more_stays_what_it_was() {
    let of = business(&bill(100_000, false));
    notified(&of, "july.jsonl", &[("2026-07-13", 100_000, "T1")]);
    of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    of.close("2026-07").expect(0);
    of.world.file("bills.csv", format!("{HEAD}\nalfa,{:016},INV-2,1,2026-08-01,2026-12-31,ACTIVE,false,,\n", 2));
    of.world.file("august.csv", csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1"));
    assert_eq!(august(&of, &["--notifications", "none.jsonl"]), Vec::<String>::new());
    // Seen in a report of July it would be S00; of another month it is of another period.
    assert_eq!(summary(&of.world.path("with"))["settlement"]["S08"]["count"], 1);
}

#[test]
fn a_payment_that_comes_after_a_mark_nothing_proved_is_its_proof_in_list_and_books_alike() {
    let of = business(&format!("alfa,{},INV-1,100000,2026-07-01,2026-12-31,PAID,false,,2026-07-21", code()));
    of.reconcile("2026-07", "none.jsonl", "2026-08-03", &["--external-ledger", "bills.csv"]);
    assert_eq!(listed(&of, "2026-07"), ["L04 BREAK -100000"]);
    of.close("2026-07").expect(0);
    notified(&of, "august.jsonl", &[("2026-08-05", 100_000, "T1")]);
    of.reconcile("2026-08", "august.jsonl", "2026-09-03", &["--external-ledger", "bills.csv", "--opening", "2026-07"]);
    assert_eq!(listed(&of, "2026-08"), Vec::<String>::new());
    let closing = |account: &str| {
        let accounts = summary(&of.world.path("2026-08"))["books"]["accounts"].clone();
        accounts
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["account"] == account)
            .map_or(0, |one| one["closing"]["amount"].as_i64().unwrap())
    };
    assert_eq!((closing("unproven"), closing("doku"), closing("suspense")), (0, 100_000, 0));
    // A second one is one, then.
    notified(&of, "august.jsonl", &[("2026-08-05", 100_000, "T1"), ("2026-08-06", 100_000, "T2")]);
    of.reconcile("2026-08", "august.jsonl", "2026-09-03", &["--external-ledger", "bills.csv", "--opening", "2026-07"]);
    assert_eq!(listed(&of, "2026-08"), ["P06 BREAK 0"]);
}

#[test]
fn what_doku_has_paid_too_much_for_a_chain_that_pays_out_itself_may_be_written_off() {
    let of = Books::new("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n[settlement.alfa]\nsettled_by_doku = false\n");
    of.world.file("bills.csv", format!("{HEAD}\n{}\n", bill(100_000, false)));
    notified(&of, "july.jsonl", &[("2026-07-13", 100_000, "T1")]);
    of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 120_000)], "B-1"));
    let july = || of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    july();
    assert_eq!(listed(&of, "2026-07"), ["S03 BREAK 20000"]);
    let id = of.world.column("2026-07/discrepancies.csv", "discrepancy_id")[0].clone();
    decide(&of, &id, &["--action", "write_off", "--effective", "2026-07-31"]);
    july();
    assert_eq!(listed(&of, "2026-07"), Vec::<String>::new());
}

#[test]
fn what_was_decided_about_a_row_is_decided_about_its_payment_whichever_files_the_month_after_is_given() {
    for (action, open) in
        [("apply", &[][..]), ("keep", &["receivable L01 100000"]), ("credit", &["deposits B05 100000", "receivable L01 100000"])]
    {
        let of = business(&bill(100_000, false));
        of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1"));
        let july = || of.reconcile("2026-07", "none.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
        july();
        let id = of.world.rows("2026-07/open_items.csv").into_iter().find(|item| item["class"] == "S01").unwrap()["discrepancy_id"].clone();
        let target: &[&str] = if action == "apply" { &["--target", "INV-1"] } else { &[] };
        decide(&of, &id, &[&["--action", action, "--effective", "2026-07-31"], target].concat());
        july();
        of.close("2026-07").expect(0);
        notified(&of, "august.jsonl", &[("2026-07-13", 100_000, "T1")]);
        for (out, files) in [("without", &[][..]), ("with", &["--settlement", "july.csv"])] {
            let more = [&["--external-ledger", "bills.csv", "--opening", "2026-07"][..], files].concat();
            let common =
                ["reconcile", "--period", "2026-08", "--as-of", "2026-09-03T05:00:00Z", "--notifications", "august.jsonl", "--out", out];
            assert!(of.world.run(&[&common[..], &more].concat()).code <= 1);
            let items = of.world.rows(&format!("{out}/open_items.csv")).into_iter().filter(|item| item["account"] != "alarm");
            let mut items: Vec<String> = items.map(|item| format!("{} {} {}", item["account"], item["class"], item["amount"])).collect();
            items.sort();
            assert_eq!(items, open, "{action} {out}");
        }
    }
}

#[test]
fn a_row_that_is_accepted_by_its_id_is_decided_on_the_first_page_too() {
    let of = business(&bill(100_000, false));
    let unreadable = csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1").replace("13-07-2026", "31-02-2026");
    of.world.file("july.csv", unreadable);
    let july = || of.reconcile("2026-07", "none.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    july();
    let rows = of.world.rows("2026-07/discrepancies.csv");
    let id = rows.iter().find(|row| row["class"] == "S10").unwrap()["discrepancy_id"].clone();
    let counted = || {
        let told = summary(&of.world.path("2026-07"));
        let of_alarms = |todo: &str| told["books"]["items"][todo]["alarm"]["count"].as_u64().unwrap_or(0);
        (told["discrepancies"]["breaks"].as_u64().unwrap(), of_alarms("to_do"), of_alarms("decided"))
    };
    let before = counted();
    decide(&of, &id, &[]);
    july();
    assert_eq!(counted(), (before.0 - 1, before.1 - 1, before.2 + 1));
}

#[test]
fn a_row_that_is_held_and_then_paid_out_on_a_code_that_is_paid_again_and_again_is_one() {
    for number_two in [&[][..], &[settled("13-07-2026", "20-07-2026", 100_000)]] {
        let of = business(&bill(100_000, true));
        notified(&of, "july.jsonl", &[("2026-07-13", 100_000, "T1")]);
        of.world.file("held.csv", csv(&[settled("13-07-2026", "", 100_000)], "B-0"));
        // In the batch of before, or in one of its own; once, or with a second that nobody notified.
        let rows = [&[settled("13-07-2026", "20-07-2026", 100_000)][..], number_two].concat();
        // Two files of one batch that state different totals would be another matter.
        for batch in ["B-0", "B-1"].into_iter().filter(|batch| number_two.is_empty() || *batch == "B-1") {
            of.world.file("paid.csv", csv(&rows, batch));
            let more = ["--external-ledger", "bills.csv", "--settlement", "held.csv", "--settlement", "paid.csv"];
            of.reconcile("2026-07", "july.jsonl", "2026-08-03", &more);
            let classes = summary(&of.world.path("2026-07"))["settlement"].clone();
            let classes: Vec<_> =
                classes.as_object().unwrap().iter().filter(|(_, sum)| sum["count"] != 0).map(|(class, _)| class.clone()).collect();
            let expected = if number_two.is_empty() { &["S00", "S14"][..] } else { &["S00", "S01", "S14"] };
            assert_eq!(classes, expected, "{batch}");
        }
    }
}

#[test]
fn a_bill_whose_row_waits_since_the_month_before_is_not_called_paid_without_proof() {
    let of = business(&format!("alfa,{},INV-1,100000,2026-07-01,2026-12-31,PAID,false,,", code()));
    of.world.file("july.csv", csv(&[settled("13-07-2026", "20-07-2026", 100_000)], "B-1"));
    of.reconcile("2026-07", "none.jsonl", "2026-08-03", &["--external-ledger", "bills.csv", "--settlement", "july.csv"]);
    assert_eq!(listed(&of, "2026-07"), ["S01 BREAK "]);
    of.close("2026-07").expect(0);
    of.world.file(
        "august.csv",
        csv(&[Row { invoice: "NOBODY".to_owned(), code: "99".to_owned(), ..settled("13-08-2026", "20-08-2026", 7) }], "B-2"),
    );
    assert_eq!(august(&of, &["--notifications", "none.jsonl"]), ["S01 BREAK ", "S01 BREAK "]);
}
