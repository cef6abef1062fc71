//! A month of two thousand bills, three-way: what was planted is what is found, in count, in rupiah and by name.

use std::collections::{BTreeMap, BTreeSet};

use super::planter::{Figures, Month, plant};
use super::told::{agrees, why};
use crate::month_end::period::Books;
use crate::oracle::compare::bytes_of;
use crate::reconcile::ours::summary;
use crate::reconcile::settlement::{csv, xlsx};
use crate::support::audit;
use crate::support::world::World;

const SETTINGS: &str = "[reconcile]\ntolerance_rupiah = 100\nexpired_break_days = 20\n\
                        [settlement]\nholidays = [\"2026-12-25\"]\n[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n\
                        \"Indomaret\" = \"indomaret\"\n\"Virtual Account BCA\" = \"other\"\n[settlement.shares]\n\"Share Agent\" = \"10%\"\n\
                        [settlement.alfa]\nfee_rupiah = 5000\n[settlement.indomaret]\nfee_rupiah = 6500\n\
                        [accounts]\nin_transit = \"1130\"\nreceivable = \"1120\"\nsuspense = \"2190\"\ncustomer_deposit = \"2150\"\n\
                        shortfall = \"1125\"\nrounding = \"7900\"\nfee_expense = \"6100\"\nvat_input = \"1150\"\nbank = \"1110\"\n\
                        unproven = \"1\"\nclearing = \"2\"\npayouts = \"3\"\ndirect = \"4\"\nother_products = \"5\"\ndiscounts = \"6\"\n";

/// Sides of a summary that must hold what was planted, no more and no less.
const SIDES: [&str; 5] = ["lines", "payments", "bills", "settlement", "counted_apart"];

#[test]
fn every_class_of_a_month_is_found_as_planted_and_nothing_else() {
    let books = Books::new(SETTINGS);
    let world = &books.world;
    // A code of our own ledger that the other one does not know.
    books.issue("H-77", 100_000, "2026-10-02", "2026-12-30");
    let mut month = Month::new(20_261_031);
    plant(&mut month, 4);
    while month.bills.len() < 2_000 {
        if month.bills.len().is_multiple_of(8) {
            month.bill("L01", |_| {});
        } else {
            month.exact();
        }
    }
    month.shuffle();
    month.is("counted_apart", "L09", 100_000);
    month.finds("L09", "H-77");
    month.finds("S11", "");
    let (alfa, rest) = month.rows.split_at(600);
    let (second, third) = rest.split_at(600);
    let (alfa, second, third) = (alfa.to_vec(), second.to_vec(), third.to_vec());
    // One row cannot be read, and one batch's totals are wrong.
    let unreadable = "99,PT,Alfa Group,05-10-2026,UNREADABLE-1,Canary Name,,100.000,,5550,0,94450,09-10-2026,Purchase,,,9445\n";
    world.file("s-1.csv", csv(&alfa, "B-1") + unreadable);
    month.is("settlement", "S10", 0);
    month.finds("S10", "UNREADABLE-1");
    let text = csv(&second, "B-2");
    let (before, stated) = text.split_once("Total Settlement Amount_,").unwrap();
    let (total, after) = stated.split_once('\n').unwrap();
    let wrong = format!("{before}Total Settlement Amount_,{}\n{after}", total.parse::<i64>().unwrap() + 1);
    world.file("s-2.csv.zst", zstd::encode_all(wrong.as_bytes(), 1).unwrap());
    month.is("settlement", "S05", 0);
    month.finds("S05", "");
    xlsx(&world.path("s-3.xlsx"), &third, "B-3");
    world.file("ledger.csv", month.ledger());
    let (first, second) = month.lines.split_at(month.lines.len() / 2);
    world.file("log-1.jsonl", first.join("\n") + "\n");
    world.file("log-2.jsonl.zst", zstd::encode_all((second.join("\n") + "\n").as_bytes(), 1).unwrap());
    let arguments = "reconcile --period 2026-10 --as-of 2026-11-03T00:00:00Z --external-ledger ledger.csv --request-history tagih.ledger \
                     --out report --notifications log-* --settlement s-*";
    world.run(&arguments.split_whitespace().collect::<Vec<_>>()).expect(1);

    let summary = summary(&world.path("report"));
    for identity in summary["identities"].as_array().unwrap() {
        assert_eq!(identity["holds"], true, "{identity}");
    }
    let mut figures = Figures::new();
    for side in SIDES {
        for (class, tally) in summary[side].as_object().unwrap() {
            let (count, amount) = (tally["count"].as_i64().unwrap(), tally["amount"].as_i64().unwrap_or(0));
            if count > 0 {
                figures.insert((side, class.clone().leak()), (count, amount));
            }
        }
    }
    for flag in ["N05", "N10", "N11", "L07"] {
        let tally = &summary["flags"][flag];
        figures.insert(("flags", flag), (tally["count"].as_i64().unwrap(), tally["amount"].as_i64().unwrap()));
    }
    let differing: Vec<_> = month.figures.iter().filter(|(key, figure)| figures.get(*key) != Some(*figure)).collect();
    let unplanted: Vec<_> = figures.iter().filter(|(key, _)| !month.figures.contains_key(*key)).collect();
    assert!(differing.is_empty() && unplanted.is_empty(), "planted {differing:?}; found {unplanted:?} of {figures:?}");
    assert!(month.figures.len() > 55, "{}", month.figures.len());

    let mut expected: BTreeMap<(String, String), i64> = BTreeMap::new();
    // What is short stands on its bill, a bill paid twice on the payment that is over.
    for (class, subject) in month.found.iter().filter(|(class, _)| !["P03", "P10", "L12"].contains(class)) {
        *expected.entry(((*class).to_owned(), subject.clone())).or_default() += 1;
    }
    // What rows leave open on a batch is told beside them.
    let is_planted = |row: &&BTreeMap<String, String>| !row["reason"].starts_with("open since");
    for row in world.rows("report/discrepancies.csv").iter().filter(is_planted) {
        let line = row["class"].starts_with('N');
        let subject = if line { row["evidence"].split(';').next().unwrap().to_owned() } else { row["invoice_number"].clone() };
        *expected.entry((row["class"].clone(), subject)).or_default() -= 1;
    }
    expected.retain(|_, left| *left != 0);
    assert!(expected.is_empty(), "missed (positive) or invented (negative): {expected:?}");
    told(world);
    entries(world, &month);
    audit::agrees(world, "report");
    audit::finds_faults(world, "report", &[]);
    audit::is_handed_out_as_it_is(world, "report");
    from_the_store(world, arguments);
}

/// One of each class that has an invoice number, and some that need nobody.
fn told(world: &World) {
    let rows = world.rows("report/discrepancies.csv");
    let found: BTreeMap<&str, &str> = rows.iter().map(|row| (&*row["class"], &*row["invoice_number"])).collect();
    let items = world.rows("report/open_items.csv");
    let quiet = items.iter().filter(|item| item["status"] == "not_yet_due").step_by(200).map(|item| &*item["invoice_number"]);
    let one = |invoice: &&str| !invoice.is_empty() && !invoice.contains(' ');
    let names: BTreeSet<&str> = found.into_values().chain(quiet).filter(one).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        agrees(world, "report", name, &why(world, name, &["--report", "report"]), name);
    }
}

/// The same report from the evidence store, byte for byte.
fn from_the_store(world: &World, arguments: &str) {
    let logs = bytes_of(&world.path("report"));
    world.run(&["evidence", "add", "log-*", "--store", "store"]).expect(0);
    world.run(&["evidence", "verify", "--store", "store"]).expect(0);
    for evidence in ["--evidence store", "--evidence store --notifications log-*", "--evidence store --notifications log-1.jsonl"] {
        std::fs::remove_dir_all(world.path("report")).unwrap();
        let arguments = arguments.replace("--notifications log-*", evidence);
        world.run(&arguments.split_whitespace().collect::<Vec<_>>()).expect(1);
        let mut store = bytes_of(&world.path("report"));
        assert!(logs.keys().eq(store.keys()));
        let mut summary: serde_json::Value = serde_json::from_slice(&store.remove("summary.json").unwrap()).unwrap();
        assert_eq!(summary["request"].as_object_mut().unwrap().remove("evidence").unwrap(), "store");
        assert_eq!(summary, serde_json::from_slice::<serde_json::Value>(&logs["summary.json"]).unwrap(), "{evidence}");
        for (name, bytes) in &store {
            assert!(*bytes == logs[name], "{evidence}: {name}");
        }
    }
}

/// What the same folder books: every entry balances, and what is held, charged and received follows from what was planted.
fn entries(world: &World, month: &Month) {
    let preliminary = ["discrepancies", "entries", "--report", "report", "--preliminary", "--out", "entries.csv", "--by", "Sari"];
    world.run(&preliminary).expect(0);
    let paid = |classes: &[&'static str]| classes.iter().map(|class| month.figures[&("payments", *class)].1).sum::<i64>();
    let each = |class| month.figures[&("payments", class)].0;
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    let mut of_entry: BTreeMap<String, i64> = BTreeMap::new();
    for row in world.rows("entries.csv") {
        let net = row["debit"].parse::<i64>().unwrap() - row["credit"].parse::<i64>().unwrap();
        *balances.entry(row["purpose"].clone()).or_default() += net;
        *of_entry.entry(row["entry_id"].clone()).or_default() += net;
    }
    assert!(of_entry.values().all(|net| *net == 0), "debits are credits, entry by entry");
    assert_eq!(balances.values().sum::<i64>(), 0);
    let held = paid(&["P01", "P02", "P15", "P06", "P07", "P08"]) + month.group_excess + 1_000 * each("P04");
    let open = world.rows("report/open_items.csv");
    let of_payments = open.iter().filter(|row| row["account"] == "suspense" && row["item"].starts_with("payment:"));
    assert_eq!(of_payments.map(|row| row["amount"].parse::<i64>().unwrap()).sum::<i64>(), held, "money that no bill is owed");
    assert_eq!(balances["rounding"].abs(), 50 * each("P05"));
}
