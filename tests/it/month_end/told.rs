//! `why` and the report are one voice: the same classes, the same amount owed, the same things to do, the same exit.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::world::World;

/// What `why` says of an invoice, and its exit.
pub(super) fn why(world: &World, invoice: &str, more: &[&str]) -> (Value, i32) {
    let ran = world.run(&[&["why", invoice, "--json", "--lang", "en"], more].concat());
    (serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{invoice} {more:?}: {ran:?}")), ran.code)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// Holds a story against the list and the open items of the report that it speaks of.
pub(super) fn agrees(world: &World, report: &str, invoice: &str, (story, code): &(Value, i32), what: &str) {
    let books = &story["books"];
    assert!(world.path(text(books, "report")).canonicalize().unwrap() == world.path(report).canonicalize().unwrap(), "{what}: {books}");
    let is_open = |status: &str| ["open", "proposed", "reopened"].contains(&status);
    let listed = world.rows(&format!("{report}/discrepancies.csv"));
    let of_list = listed.iter().filter(|row| row["invoice_number"] == invoice && row["nature"] == "BREAK" && is_open(&row["status"]));
    let of_list: BTreeSet<(&str, &str)> = of_list.map(|row| (&*row["discrepancy_id"], &*row["class"])).collect();
    let rows: Vec<&Value> = books["discrepancies"].as_array().unwrap().iter().collect();
    let open = rows.iter().filter(|row| row["nature"] == "BREAK" && is_open(text(row, "status")));
    let open: BTreeSet<(&str, &str, bool)> =
        open.map(|row| (text(row, "discrepancy_id"), text(row, "class"), row["invoice_number"] == invoice)).collect();
    let own: BTreeSet<(&str, &str)> = open.iter().filter(|(.., is_own)| *is_own).map(|(id, class, _)| (*id, *class)).collect();
    assert_eq!(own, of_list, "{what}: {story:#}");
    assert_eq!((*code == 1, &story["needs_person"]), (!open.is_empty(), &Value::from(!open.is_empty())), "{what}: {story:#}");
    let items = world.rows(&format!("{report}/open_items.csv"));
    let owed = items.iter().filter(|row| row["account"] == "receivable" && row["invoice_number"] == invoice);
    assert_eq!(books["owed"].as_i64().unwrap(), owed.map(|row| row["amount"].parse::<i64>().unwrap()).sum::<i64>(), "{what}: {books}");
    let steps: Vec<&str> = story["next"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    let asked: BTreeSet<&str> = steps.iter().filter_map(|step| step.split_once(": ")).map(|(class, _)| class).collect();
    // What is short or over has no row of its own, and explains one.
    let asked: BTreeSet<&str> = asked.into_iter().filter(|class| class.len() == 3 && !["P03", "P10", "L12"].contains(class)).collect();
    assert_eq!(asked, open.iter().map(|(_, class, _)| *class).collect(), "{what}: {steps:?}");
    for row in &listed {
        let says_how_it_stands = ["L01", "L02", "L04", "L05", "L06", "L11"].contains(&&*row["class"]);
        if row["invoice_number"] == invoice && says_how_it_stands {
            assert_eq!(class_of(story, invoice), row["class"], "{what}: {books}");
        }
    }
}

/// The class of a bill by the books that the story speaks of.
pub(super) fn class_of<'s>(story: &'s Value, invoice: &str) -> &'s str {
    let bills = story["books"]["bills"].as_array().unwrap_or_else(|| panic!("{story:#}"));
    text(bills.iter().find(|bill| bill["invoice_number"] == invoice).unwrap_or_else(|| panic!("{invoice} in {story:#}")), "class")
}
