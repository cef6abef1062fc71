//! Ledgers that list only what is open: what the books know of a bill counts, whatever the ledger still lists.

use crate::month_end::period::Books;
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};

const HEAD: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";

fn bill(number: u64, expires: &str, reusable: bool) -> String {
    format!("alfa,{number:016},INV-{number},100000,2026-07-01,{expires},ACTIVE,{reusable},\n")
}

fn paid(number: u64, day: &str) -> String {
    line(&format!("INV-{number}"), &format!("{number:016}"), 100_000, &format!("{day}T05:00:00Z"), &format!("{number} {day}")) + "\n"
}

fn settled(number: u64, date: &'static str, out: &'static str) -> Row {
    Row { date, out, fee: 0, paid_out: 100_000, share: 0, ..row(number) }
}

#[test]
fn what_comes_of_bills_that_the_ledger_lists_no_more_is_theirs_by_the_books() {
    let of = Books::new("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n");
    let july: String = [1, 2, 3, 5].map(|number| bill(number, "2026-12-31", false)).concat() + &bill(4, "2026-08-10", false);
    of.world.file("july.csv", format!("{HEAD}\n{july}{}", bill(6, "2026-12-31", true)));
    of.world.file("july.jsonl", [paid(1, "2026-07-30"), paid(3, "2026-07-10"), paid(6, "2026-07-11")].concat());
    of.world.file("july-settled.csv", csv(&[settled(3, "10-07-2026", "15-07-2026"), settled(6, "11-07-2026", "15-07-2026")], "B-1"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "july.csv", "--settlement", "july-settled.csv"]);
    of.close("2026-07").expect(0);
    // August's ledger has one new bill. What July collected of 1 is paid out; 2 is paid, 3 a second time, 4 too late, 6 once more; 5 is open.
    of.world.file("august.csv", format!("{HEAD}\n{}", bill(7, "2026-12-31", false)));
    let second = [paid(2, "2026-08-05"), paid(3, "2026-08-06"), paid(4, "2026-08-20"), paid(6, "2026-08-21")].concat();
    of.world.file("august.jsonl", second);
    of.world.file("august-settled.csv", csv(&[settled(1, "30-07-2026", "03-08-2026"), settled(2, "05-08-2026", "10-08-2026")], "B-2"));
    for files in [&["august-settled.csv"][..], &["august-settled.csv", "july-settled.csv"]] {
        let files: Vec<&str> = files.iter().flat_map(|file| ["--settlement", file]).collect();
        let more = [&["--external-ledger", "august.csv", "--opening", "2026-07"][..], &files].concat();
        of.reconcile("2026-08", "august.jsonl", "2026-08-31", &more);
        let told = summary(&of.world.path("2026-08"));
        let payments = told["payments"].as_object().unwrap().iter().filter(|(_, sum)| sum["count"] != 0);
        let payments: Vec<String> = payments.map(|(class, sum)| format!("{class} {}", sum["count"])).collect();
        assert_eq!(payments, ["P00 1", "P06 1", "P07 1", "P13 1"]);
        let bills = told["bills"].as_object().unwrap().iter().filter(|(_, sum)| sum["count"] != 0);
        assert_eq!(bills.map(|(class, sum)| format!("{class} {}", sum["count"])).collect::<Vec<_>>(), ["L01 1"]);
        let mut list: Vec<String> =
            of.world.rows("2026-08/discrepancies.csv").iter().map(|row| row["class"].clone() + " " + &row["invoice_number"]).collect();
        list.sort();
        assert_eq!(list, ["L13 ", "P06 INV-3", "P07 INV-4", "S02 INV-3", "S02 INV-4", "S02 INV-6"]);
        let mut items: Vec<String> = of
            .world
            .rows("2026-08/open_items.csv")
            .iter()
            .filter(|item| item["account"] != "alarm")
            .map(|item| format!("{} {} {} {}", item["account"], item["class"], item["invoice_number"], item["amount"]))
            .collect();
        items.sort();
        assert_eq!(
            items,
            [
                "doku S02 INV-3 100000",
                "doku S02 INV-4 100000",
                "doku S02 INV-6 100000",
                "receivable L01 INV-5 100000",
                "receivable L01 INV-7 100000",
                "receivable L02 INV-4 100000",
                "suspense P06 INV-3 100000",
                "suspense P07 INV-4 100000",
            ],
            "{files:?}"
        );
    }
}

const GROUPED: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at,bill_group";

/// The classes that were met, and the open items of suspense.
fn told(of: &Books, report: &str) -> (Vec<String>, Vec<String>) {
    let classes = summary(&of.world.path(report))["payments"].as_object().unwrap().clone();
    let met = classes.iter().filter(|(_, sum)| sum["count"] != 0).map(|(class, sum)| format!("{class} {}", sum["count"]));
    let items = of.world.rows(&format!("{report}/open_items.csv"));
    let held = items.iter().filter(|item| item["account"] == "suspense").map(|item| format!("{} {}", item["class"], item["amount"]));
    (met.collect(), held.collect())
}

#[test]
fn a_bill_stays_part_of_the_debt_it_was_billed_in_whatever_group_it_is_listed_in_later() {
    let of = Books::new("");
    let ledger = |groups: [&str; 2]| {
        let row =
            |(number, group): (u64, &str)| format!("alfa,{number:016},INV-{number},100000,2026-07-01,2026-12-31,ACTIVE,false,,{group}\n");
        format!("{GROUPED}\n{}", (1..).zip(groups).map(row).collect::<String>())
    };
    of.world.file("july.csv", ledger(["G-1", "G-1"]));
    of.world.file("july.jsonl", paid(1, "2026-07-13"));
    of.world.file("august.jsonl", paid(2, "2026-08-13"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "july.csv"]);
    of.close("2026-07").expect(0);
    for groups in [["G-1", "G-1"], ["", ""], ["G-1", "G-2"], ["G-2", "G-2"], ["", "G-1"]] {
        of.world.file("august.csv", ledger(groups));
        of.reconcile("2026-08", "august.jsonl", "2026-09-03", &["--external-ledger", "august.csv", "--opening", "2026-07"]);
        assert_eq!(told(&of, "2026-08"), (vec!["P12 1".to_owned()], vec!["P12 100000".to_owned()]), "{groups:?}");
    }
}

#[test]
fn what_a_bill_that_is_paid_again_and_again_asks_for_without_saying_since_when_counts_for_the_whole_month() {
    let of = Books::new("");
    let ledger = |amount: u64| format!("{HEAD}\nalfa,{:016},INV-1,{amount},2026-07-01,2026-12-31,ACTIVE,true,\n", 1);
    let paid = |amount: u64, day: &str| line("INV-1", &format!("{:016}", 1), amount, &format!("{day}T05:00:00Z"), day) + "\n";
    of.world.file("july.csv", ledger(100_000));
    of.world.file("august.csv", ledger(120_000));
    of.world.file("july.jsonl", paid(100_000, "2026-07-13"));
    of.world.file("august.jsonl", paid(100_000, "2026-08-02") + &paid(120_000, "2026-08-13") + &paid(150_000, "2026-08-20"));
    of.reconcile("2026-07", "july.jsonl", "2026-08-03", &["--external-ledger", "july.csv"]);
    of.close("2026-07").expect(0);
    of.reconcile("2026-08", "august.jsonl", "2026-09-03", &["--external-ledger", "august.csv", "--opening", "2026-07"]);
    let met = ["P03 1", "P04 1", "P13 1"].map(str::to_owned).to_vec();
    assert_eq!(told(&of, "2026-08"), (met, vec!["P04 30000".to_owned()]));
}
