//! Whatever the settings of the books, evidence and settlement are, three months in which every class is planted, bills change, money comes late
//! and people decide follow one another, and every identity holds in each.

use std::fmt::Write as _;

use super::period::Books;
use super::planter::{Month, plant};
use crate::reconcile::ours::summary;
use crate::reconcile::settlement::{Row, csv};
use crate::support::dice::Dice;

/// How many choices of settings are tried, and from which number on.
const WORLDS: &str = "TAGIH_SETTINGS_WORLDS";
const FROM: &str = "TAGIH_SETTINGS_FROM";

/// What a merchant may choose: section, key, and values.
const CHOICES: [(&str, &str, &[&str]); 22] = [
    ("reconcile", "tolerance_rupiah", &["0", "100", "5000"]),
    ("reconcile", "expiry_grace_minutes", &["0", "5", "1440"]),
    ("reconcile", "skew_minutes", &["0", "10", "60"]),
    ("reconcile", "expired_break_days", &["1", "20", "60"]),
    ("reconcile", "unverifiable", &["\"strict\"", "\"trust_log\""]),
    ("reconcile", "lapsed_policy_statuses", &["[]", "[\"lapsed\"]"]),
    ("settlement", "third_parties", &["[]", "[\"Share Agent\"]"]),
    ("settlement", "notification_grace_hours", &["1", "24"]),
    ("settlement.alfa", "settled_by_doku", &["true", "false"]),
    ("settlement.alfa", "fee_rupiah", &["0", "5000"]),
    ("settlement.alfa", "vat_percent", &["0", "11"]),
    ("settlement.indomaret", "settled_by_doku", &["true", "false"]),
    ("settlement.indomaret", "fee_basis_points", &["0", "150"]),
    ("settlement.indomaret", "working_days", &["1", "4"]),
    ("books", "premium", &["\"core\"", "\"tagih\""]),
    ("books", "receipts", &["\"core\"", "\"tagih\""]),
    ("books", "lapse_after_days", &["0", "1", "10", "40"]),
    ("books", "accept_late", &["true", "false"]),
    ("books", "known_months", &["3", "25"]),
    ("bank", "statement", &["true", "false"]),
    ("bank", "window_days", &["0", "5"]),
    ("report", "language", &["\"en\"", "\"id\""]),
];

/// Written as a configuration; the sections of a file stand together.
fn choose(dice: &mut Dice) -> String {
    let (mut text, mut section) = (String::new(), "");
    for (of, key, values) in CHOICES {
        if of != section {
            writeln!(text, "[{of}]").unwrap();
            section = of;
        }
        let value = values[usize::try_from(dice.below(values.len() as u64)).unwrap()];
        writeln!(text, "{key} = {value}").unwrap();
    }
    text + "[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n\"Indomaret\" = \"indomaret\"\n\"Virtual Account BCA\" = \"other\"\n\
            [settlement.shares]\n\"Share Agent\" = \"10%\"\n"
}

/// The ledger as it is a month later: cancelled, called paid or no longer, asked for at another price, gone.
fn later(ledger: &str, month: u8, dice: &mut Dice) -> String {
    let (head, rows) = ledger.split_once('\n').unwrap();
    let column = |name: &str| head.split(',').position(|column| column == name).unwrap();
    let [amount, status, cancelled] = ["amount", "status", "cancelled_at"].map(column);
    let mut text = format!("{head}\n");
    for row in rows.lines() {
        let mut cells: Vec<String> = row.split(',').map(str::to_owned).collect();
        match dice.below(20) {
            0 | 1 if cells[status] != "CANCELLED" => {
                "CANCELLED".clone_into(&mut cells[status]);
                cells[cancelled] = format!("2026-{month:02}-{:02}", 1 + dice.below(25));
            }
            2 if cells[status] == "ACTIVE" => "PAID".clone_into(&mut cells[status]),
            3 | 4 if cells[status] == "PAID" => "ACTIVE".clone_into(&mut cells[status]),
            5 if cells[status] == "CANCELLED" => (cells[status], cells[cancelled]) = ("ACTIVE".to_owned(), String::new()),
            6 => cells[amount] = (50_000 + dice.below(500_000)).to_string(),
            7 => continue,
            _ => {}
        }
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

/// A ledger that lists only what it holds for open.
fn what_is_open(ledger: &str) -> String {
    let (head, rows) = ledger.split_once('\n').unwrap();
    let open = rows.lines().filter(|row| row.contains(",ACTIVE,"));
    let rows: Vec<&str> = std::iter::once(head).chain(open).collect();
    rows.join("\n") + "\n"
}

/// Decides about some of what is open, in whatever way its account allows.
fn decide(of: &Books, month: &str, on: &str, dice: &mut Dice) {
    of.world.run(&["discrepancies", "take", month, "--by", "Sari"]).expect(0);
    for item in of.world.rows(&format!("{month}/open_items.csv")) {
        let actions: &[&str] = match &*item["account"] {
            "receivable" => &["waive", "lapse", "write_off", "paid_elsewhere"],
            "suspense" => &["keep", "refund", "credit", "apply"],
            "unproven" => &["paid_elsewhere", "write_off"],
            _ => continue,
        };
        if item["discrepancy_id"].is_empty() || !dice.percent(10) {
            continue;
        }
        let action = actions[usize::try_from(dice.below(actions.len() as u64)).unwrap()];
        let id = &item["discrepancy_id"];
        let ran =
            of.world.run(&["discrepancies", "accept", id, "--action", action, "--reason", "agreed", "--effective", on, "--by", "Sari"]);
        assert!([0, 2].contains(&ran.code), "{action} on {item:?}: {ran:#?}");
    }
}

fn three_months(number: u64) {
    let dice = &mut Dice::new(number);
    let settings = choose(dice);
    let of = Books::new(&settings);
    let mut planted = Month::new(number);
    plant(&mut planted, 1);
    for _ in 0..20 {
        planted.exact();
    }
    planted.shuffle();
    let october = planted.ledger();
    let november = later(&october, 11, dice);
    let december = later(&november, 12, dice);
    let december = if dice.percent(50) { what_is_open(&december) } else { december };
    let cut = planted.lines.len() / 2 + usize::try_from(dice.below(planted.lines.len() as u64 / 2)).unwrap();
    of.world.file("early.jsonl", planted.lines[..cut].join("\n") + "\n");
    of.world.file("all.jsonl", planted.lines.join("\n") + "\n");
    of.world.file("late.jsonl", planted.lines[cut / 2..].join("\n") + "\n");
    // DOKU pays out in two batches; what is told twice is told once, and some of it is paid out again, otherwise.
    let (first, second) = planted.rows.split_at(planted.rows.len() / 2);
    let again: Vec<Row> = planted.rows.iter().filter(|_| dice.percent(15)).cloned().collect();
    let again = again.into_iter().map(|row| Row { amount: row.amount - 1_000, paid_out: row.paid_out - 1_000, out: "15-12-2026", ..row });
    of.world.file("first.csv", csv(first, "B-1"));
    of.world.file("copy.csv", csv(first, "B-1"));
    of.world.file("second.csv", csv(second, "B-2"));
    of.world.file("again.csv", csv(&again.collect::<Vec<_>>(), "B-3"));
    of.world.file("bank.csv", "date,amount,description\n2026-10-30,94450,DOKU B-1\n2026-11-20,12345,DOKU LAIN\n");
    let has_bank = settings.contains("statement = true");
    let mut opening: Option<&str> = None;
    for (month, ledger, log, settled, as_of, decided_on) in [
        ("2026-10", &october, "early.jsonl", &["first.csv"][..], "2026-11-03", "2026-10-31"),
        ("2026-11", &november, "all.jsonl", &["second.csv", "copy.csv", "first.csv"], "2026-12-03", "2026-11-30"),
        ("2026-12", &december, "late.jsonl", &["again.csv", "second.csv"], "2027-01-03", ""),
    ] {
        let file = format!("{month}.csv");
        of.world.file(&file, ledger);
        let mut more = vec!["--external-ledger", &file];
        more.extend(settled.iter().flat_map(|file| ["--settlement", file]));
        more.extend(opening.iter().flat_map(|month| ["--opening", month]));
        more.extend(has_bank.then_some(["--bank", "bank.csv"]).into_iter().flatten());
        let reconcile = || {
            of.reconcile(month, log, as_of, &more);
            let told = summary(&of.world.path(month));
            let all = [&told["identities"], &told["books"]["identities"]].map(|list| list.as_array().unwrap().clone()).concat();
            let broken: Vec<_> = all.iter().filter(|identity| identity["holds"] != true).collect();
            assert!(broken.is_empty(), "{FROM}={number}, {month}: {broken:#?}\n{settings}");
            let items = of.world.rows(&format!("{month}/open_items.csv"));
            for row in of.world.rows(&format!("{month}/discrepancies.csv")).iter().filter(|row| row["status"] == "open") {
                let of_row = || items.iter().filter(|item| item["discrepancy_id"] == row["discrepancy_id"]);
                let is_one = of_row().next().is_none()
                    || of_row().any(|item| item["class"] == row["class"] || row["flags"].contains(&item["class"]));
                assert!(is_one, "{FROM}={number}, {month}: {row:?} {:?}", of_row().collect::<Vec<_>>());
            }
        };
        reconcile();
        if !decided_on.is_empty() {
            decide(&of, month, decided_on, dice);
            reconcile();
        }
        opening = Some(month);
    }
}

#[test]
fn whatever_the_settings_are_every_identity_holds_month_after_month() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let from = number(FROM, 1);
    (from..from + number(WORLDS, 3)).for_each(three_months);
}
