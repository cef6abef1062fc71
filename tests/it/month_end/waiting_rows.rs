//! Whatever waits of settlement, whatever comes and whatever people decide: a settlement file of an earlier month, given again, tells nothing new.

use crate::month_end::period::Books;
use crate::reconcile::ours::{line, summary};
use crate::reconcile::settlement::{Row, csv, row};
use crate::support::dice::Dice;

/// How many random businesses are tried, and from which number on.
const WORLDS: &str = "TAGIH_WAITING_WORLDS";
const FROM: &str = "TAGIH_WAITING_FROM";

const HEAD: &str = "channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at";
/// About the ends of the months, as logs and as settlement files say it.
const DAYS: [(&str, &str); 6] = [
    ("2026-07-29", "29-07-2026"),
    ("2026-07-30", "30-07-2026"),
    ("2026-07-31", "31-07-2026"),
    ("2026-08-01", "01-08-2026"),
    ("2026-08-02", "02-08-2026"),
    ("2026-09-01", "01-09-2026"),
];
const AMOUNTS: [u64; 3] = [100_000, 40_000, 60_000];
/// Name, days that may be told of, when DOKU pays out, when the month is looked at.
const MONTHS: [(&str, u64, &str, &str); 3] = [
    ("2026-07", 3, "31-07-2026", "2026-08-03T05:00:00Z"),
    ("2026-08", 5, "04-08-2026", "2026-09-03T05:00:00Z"),
    ("2026-09", 6, "04-09-2026", "2026-10-03T05:00:00Z"),
];
const DECISIONS: [&[&str]; 5] =
    [&["--action", "keep"], &["--action", "refund"], &["--action", "credit"], &["--action", "apply", "--target", "INV-1"], &[]];

struct Walk {
    of: Books,
    dice: Dice,
    told: Vec<String>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let (of, mut dice) = (Books::new("[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n"), Dice::new(seed));
        let bill =
            |number: u64, reusable: bool| format!("alfa,{number:016},INV-{number},100000,2026-07-01,2026-12-31,ACTIVE,{reusable},\n");
        let bills = [1, 2].map(|number| bill(number, dice.percent(30))).concat();
        of.world.file("bills.csv", format!("{HEAD}\n{bills}"));
        Self { of, dice, told: vec![bills] }
    }

    fn pick(&mut self, below: u64) -> usize {
        usize::try_from(self.dice.below(below)).unwrap()
    }

    /// What DOKU pays out in a month, and what it notifies: mostly of one bill, some of another, of nobody, or by the code alone.
    fn month(&mut self, number: usize) {
        let (month, days, out, _) = MONTHS[number];
        let mut rows = Vec::new();
        for _ in 0..self.pick(4) {
            let amount = i64::try_from(AMOUNTS[self.pick(3)]).unwrap();
            let fee = if self.dice.percent(30) { 500 } else { 0 };
            let of = 1 + self.dice.below(10) / 7;
            let invoice = if self.dice.percent(80) { format!("INV-{of}") } else { String::new() };
            let invoice = if self.dice.percent(10) { "NOBODY".to_owned() } else { invoice };
            let date = DAYS[self.pick(days)].1;
            rows.push(Row { date, out, amount, fee, paid_out: amount - fee, share: 0, invoice, ..row(of) });
        }
        self.of.world.file(&format!("{month}.csv"), csv(&rows, &format!("B-{number}")));
        let mut log = String::new();
        for at in 0..self.pick(4) {
            let (day, amount, of) = (DAYS[self.pick(days)].0, AMOUNTS[self.pick(3)], 1 + self.dice.below(10) / 7);
            let invoice = if self.dice.percent(10) { "NOBODY".to_owned() } else { format!("INV-{of}") };
            log += &(line(&invoice, &format!("{of:016}"), amount, &format!("{day}T05:00:00Z"), &format!("T{number}{at}")) + "\n");
            self.told.push(format!("{month} notified {invoice} {day} {amount}"));
        }
        self.told
            .extend(rows.iter().map(|row| format!("{month} row {} {} {} {} {}", row.invoice, row.code, row.date, row.amount, row.fee)));
        self.of.world.file(&format!("{month}.jsonl"), log);
    }

    /// Reconciles a month; what is open, and the balances.
    fn reconcile(&self, number: usize, opening: Option<&str>, out: &str, with_old: bool) -> (Vec<String>, Vec<String>) {
        let (month, _, _, as_of) = MONTHS[number];
        let log = format!("{month}.jsonl");
        let files: Vec<String> = (if with_old { 0 } else { number }..=number).map(|one| format!("{}.csv", MONTHS[one].0)).collect();
        let mut arguments = vec!["reconcile", "--period", month, "--as-of", as_of, "--notifications", &log, "--out", out];
        arguments.extend(["--external-ledger", "bills.csv"]);
        arguments.extend(opening.iter().flat_map(|opening| ["--opening", opening]));
        arguments.extend(files.iter().flat_map(|file| ["--settlement", file.as_str()]));
        let ran = self.of.world.run(&arguments);
        assert!(ran.code <= 1, "{ran:#?} {:#?}", self.told);
        let books = summary(&self.of.world.path(out))["books"].clone();
        assert!(books["identities"].as_array().unwrap().iter().all(|one| one["holds"] == true), "{books:#} {:#?}", self.told);
        let items = self.of.world.rows(&format!("{out}/open_items.csv"));
        let columns = ["account", "class", "item", "amount", "status", "decision"];
        let mut items: Vec<String> = items
            .iter()
            .filter(|item| item["account"] != "alarm")
            .map(|item| columns.map(|column| item[column].as_str()).join(" "))
            .collect();
        items.sort();
        let closing = books["accounts"].as_array().unwrap().iter().map(|one| format!("{} {}", one["account"], one["closing"]["amount"]));
        (items, closing.collect())
    }

    /// Decides about some of what waits.
    fn decide(&mut self, report: &str) {
        self.of.world.run(&["discrepancies", "take", report, "--by", "Sari"]).expect(0);
        for item in self.of.world.rows(&format!("{report}/open_items.csv")).iter().filter(|item| item["account"] == "suspense") {
            if self.dice.percent(30) {
                let (id, what) = (&item["discrepancy_id"], DECISIONS[self.pick(5)]);
                let common = ["discrepancies", "accept", id, "--reason", "agreed", "--effective", "2026-07-31", "--by", "Sari"];
                let ran = self.of.world.run(&[&common[..], what].concat());
                self.told.push(format!("{what:?} about {}: {}", item["item"], ran.code));
            }
        }
    }
}

fn three_months(seed: u64) {
    let mut walk = Walk::new(seed);
    (0..MONTHS.len()).for_each(|number| walk.month(number));
    walk.reconcile(0, None, "2026-07", true);
    walk.decide("2026-07");
    walk.reconcile(0, None, "2026-07", true);
    let without = walk.reconcile(1, Some("2026-07"), "2026-08", false);
    assert_eq!(walk.reconcile(1, Some("2026-07"), "with", true), without, "{FROM}={seed}: {:#?}", walk.told);
    let without = walk.reconcile(2, Some("2026-08"), "2026-09", false);
    for (opening, with_old) in [("2026-08", true), ("with", false), ("with", true)] {
        assert_eq!(walk.reconcile(2, Some(opening), "again", with_old), without, "{FROM}={seed}, {opening} {with_old}: {:#?}", walk.told);
    }
}

#[test]
fn whatever_waits_and_whatever_comes_the_file_of_a_month_before_tells_nothing_new() {
    let wanted = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let from = wanted(FROM, 1);
    (from..from + wanted(WORLDS, 6)).for_each(three_months);
}
