//! Where a decision has moved a debt, every figure says one thing of the payments that come and of their bills: classes, days, items and the list;
//! in the month of the decision and in later ones, for bills of ours and of another system.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::told::{agrees, class_of, why};
use crate::month_end::period::{Books, code};
use crate::reconcile::ours::{line, summary};

/// One bill of 100.000: what is decided about it, or about money that has come, and what comes afterwards.
struct Case {
    /// Paid for it before the decision.
    earlier: &'static [u64],
    /// Paid as nobody's, to be applied to it.
    orphan: Option<u64>,
    decision: &'static [&'static str],
    /// Paid for it after the decision.
    then: Option<u64>,
    /// The class of that payment, and what of it is held.
    payment: (&'static str, u64),
    /// The bill's class and what is owed on it by the end.
    bill: (&'static str, u64),
}

const fn case(decision: &'static [&'static str], then: u64, payment: (&'static str, u64), bill: (&'static str, u64)) -> Case {
    Case { earlier: &[], orphan: None, decision, then: Some(then), payment, bill }
}

const WAIVE: &[&str] = &["waive"];
const WAIVE_PART: &[&str] = &["waive", "--amount", "40000"];
const WRITE_OFF: &[&str] = &["write_off"];
const WRITE_OFF_PART: &[&str] = &["write_off", "--amount", "40000"];
const LAPSE: &[&str] = &["lapse"];
const ELSEWHERE: &[&str] = &["paid_elsewhere", "--reference", "branch 7"];
const ELSEWHERE_PART: &[&str] = &["paid_elsewhere", "--reference", "branch 7", "--amount", "40000"];

static CASES: [Case; 40] = [
    case(WAIVE, 100_000, ("P06", 100_000), ("L12", 0)),
    case(WAIVE_PART, 100_000, ("P04", 40_000), ("L12", 0)),
    case(WAIVE_PART, 60_000, ("P14", 0), ("L00", 0)),
    case(WAIVE_PART, 50_000, ("P03", 0), ("L11", 10_000)),
    case(WRITE_OFF, 100_000, ("P00", 0), ("L00", 0)),
    case(WRITE_OFF, 60_000, ("P14", 0), ("L00", 0)),
    case(WRITE_OFF, 120_000, ("P04", 20_000), ("L12", 0)),
    case(WRITE_OFF_PART, 100_000, ("P00", 0), ("L00", 0)),
    case(WRITE_OFF_PART, 80_000, ("P14", 0), ("L00", 0)),
    case(WRITE_OFF_PART, 60_000, ("P14", 0), ("L00", 0)),
    case(WRITE_OFF_PART, 50_000, ("P03", 0), ("L11", 10_000)),
    case(WRITE_OFF_PART, 120_000, ("P04", 20_000), ("L12", 0)),
    case(WAIVE, 50_000, ("P06", 50_000), ("L12", 0)),
    case(LAPSE, 100_000, ("P00", 0), ("L00", 0)),
    case(LAPSE, 60_000, ("P14", 0), ("L00", 0)),
    case(ELSEWHERE_PART, 60_000, ("P14", 0), ("L00", 0)),
    case(ELSEWHERE_PART, 50_000, ("P03", 0), ("L11", 10_000)),
    case(ELSEWHERE, 100_000, ("P12", 100_000), ("L12", 0)),
    case(ELSEWHERE_PART, 100_000, ("P04", 40_000), ("L12", 0)),
    case(&["accept"], 100_000, ("P00", 0), ("L00", 0)),
    Case { orphan: Some(100_000), ..case(&["apply"], 100_000, ("P06", 100_000), ("L12", 0)) },
    Case { orphan: Some(40_000), ..case(&["apply"], 100_000, ("P04", 40_000), ("L12", 0)) },
    Case { orphan: Some(40_000), ..case(&["apply"], 60_000, ("P14", 0), ("L00", 0)) },
    Case { earlier: &[60_000], ..case(WAIVE, 40_000, ("P06", 40_000), ("L12", 0)) },
    Case { earlier: &[60_000], ..case(WRITE_OFF, 40_000, ("P14", 0), ("L00", 0)) },
    Case { earlier: &[60_000], ..case(ELSEWHERE, 40_000, ("P12", 40_000), ("L12", 0)) },
    Case { earlier: &[150_000], ..case(&["refund"], 20_000, ("P06", 20_000), ("L12", 0)) },
    Case { earlier: &[150_000], ..case(&["credit"], 20_000, ("P06", 20_000), ("L12", 0)) },
    // Nothing comes afterwards.
    Case { then: None, ..case(WAIVE, 0, ("", 0), ("L00", 0)) },
    Case { then: None, ..case(WRITE_OFF, 0, ("", 0), ("L00", 0)) },
    Case { then: None, ..case(LAPSE, 0, ("", 0), ("L00", 0)) },
    Case { then: None, ..case(ELSEWHERE, 0, ("", 0), ("L00", 0)) },
    Case { then: None, ..case(WAIVE_PART, 0, ("", 0), ("L01", 60_000)) },
    Case { then: None, ..case(WRITE_OFF_PART, 0, ("", 0), ("L01", 60_000)) },
    Case { then: None, ..case(ELSEWHERE_PART, 0, ("", 0), ("L01", 60_000)) },
    Case { then: None, earlier: &[60_000], ..case(WAIVE, 0, ("", 0), ("L00", 0)) },
    Case { then: None, earlier: &[60_000], ..case(WRITE_OFF, 0, ("", 0), ("L00", 0)) },
    Case { then: None, earlier: &[150_000], ..case(&["refund"], 0, ("", 0), ("L00", 0)) },
    Case { then: None, earlier: &[150_000], ..case(&["refund", "--amount", "20000"], 0, ("P04", 30_000), ("L12", 0)) },
    Case { then: None, earlier: &[150_000], ..case(&["keep"], 0, ("", 0), ("L00", 0)) },
];

/// Money is applied to a bill as the run finds that bill: what has come for it in the same month goes first, and the decision is made anew.
fn cases(months_later: usize) -> impl Iterator<Item = (usize, &'static Case)> {
    CASES.iter().enumerate().filter(move |(_, case)| case.orphan.is_none() || months_later > 0)
}

fn invoice(number: usize) -> String {
    format!("B-{:02}", number + 1)
}

/// When the payments after the decision come, counted in months from it.
fn the_figures_agree(is_own: bool, months_later: usize) {
    const MONTHS: [(&str, &str); 3] = [("2026-08", "2026-09-03"), ("2026-09", "2026-10-03"), ("2026-10", "2026-11-03")];
    let what = format!("own: {is_own}, {months_later} months later");
    let of = Books::new("");
    let mut rows = vec!["channel,payment_code,invoice_number,amount,created_at,expires_at,status,reusable,cancelled_at".to_owned()];
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (number, case) in cases(months_later) {
        let name = invoice(number);
        if is_own {
            of.issue(&name, 100_000, "2026-08-01", "2026-12-30");
        }
        rows.push(format!("alfa,{},{name},100000,2026-08-01T05:00:00Z,2026-12-30T00:00:00Z,ACTIVE,false,", code(&name)));
        let paid = |name: &str, code: &str, amount: u64, day: &str| {
            line(name, code, amount, &format!("{day}T03:00:00Z"), &format!("{name}{amount}{day}"))
        };
        before.extend(case.earlier.iter().map(|amount| paid(&name, &code(&name), *amount, "2026-08-10")));
        before.extend(case.orphan.map(|amount| paid(&format!("X{name}"), &format!("60599999999999{number:02}"), amount, "2026-08-10")));
        let day = format!("{}-25", MONTHS[months_later].0);
        after.extend(case.then.map(|amount| paid(&name, &code(&name), amount, &day)));
    }
    of.world.file("bills.csv", rows.join("\n") + "\n");
    let run = |month: usize, lines: &[String]| {
        let log = match month {
            _ if lines.is_empty() => "none.jsonl",
            month if month == months_later => "last.jsonl",
            _ => "august.jsonl",
        };
        if is_own {
            of.log(log, lines);
        } else {
            of.world.file(log, lines.join("\n") + "\n");
        }
        let mut more = if is_own { vec![] } else { vec!["--external-ledger", "bills.csv"] };
        if month > 0 {
            more.extend(["--opening", MONTHS[month - 1].0]);
        }
        of.reconcile(MONTHS[month].0, log, MONTHS[month].1, &more);
    };
    run(0, &before);
    decide(&of, months_later, &what);
    for month in 0..=months_later {
        let mut lines = if month == 0 { before.clone() } else { Vec::new() };
        lines.extend(if month == months_later { after.clone() } else { Vec::new() });
        run(month, &lines);
    }
    let month = MONTHS[months_later].0;
    says(&of, month, &what, (is_own, months_later));
    crate::support::audit::agrees(&of.world, month);
    // A process each takes its time.
    if is_own == (months_later != 1) {
        tells(&of, month, &what, (is_own, months_later));
    }
}

/// Decides every case, by one file: a process for each would take its time.
fn decide(of: &Books, months_later: usize, what: &str) {
    let items = of.world.rows("2026-08/open_items.csv");
    let decided = cases(months_later).map(|(number, case)| {
        let account = if ["apply", "refund", "credit", "keep"].contains(&case.decision[0]) { "suspense" } else { "receivable" };
        let name = if case.orphan.is_some() { format!("X{}", invoice(number)) } else { invoice(number) };
        let item = items.iter().find(|row| row["account"] == account && row["invoice_number"] == name);
        (&*item.unwrap_or_else(|| panic!("{what}: no {account} of {name}"))["discrepancy_id"], (number, case))
    });
    let decided: BTreeMap<&str, (usize, &Case)> = decided.collect();
    let taken = decided.keys().flat_map(|id| ["--item", *id]);
    of.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"].into_iter().chain(taken).collect::<Vec<_>>()).expect(0);
    of.world.run(&["discrepancies", "export", "--out", "items.csv", "--by", "Sari"]).expect(0);
    let mut csv = csv::Reader::from_path(of.world.path("items.csv")).unwrap();
    let header = csv.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {header:?}"));
    let mut filled = csv::Writer::from_path(of.world.path("filled.csv")).unwrap();
    filled.write_record(&header).unwrap();
    for row in csv.records().map(Result::unwrap) {
        let mut cells: Vec<String> = row.iter().map(str::to_owned).collect();
        if let Some((number, case)) = decided.get(cells[at("discrepancy_id")].trim_start_matches("D-")) {
            let mut fill = |column: &str, text: &str| text.clone_into(&mut cells[at(column)]);
            let [action, details @ ..] = case.decision else { panic!("{what}: no decision") };
            fill("action", action);
            fill("reason", "agreed");
            fill("effective_on", "2026-08-20");
            details.chunks(2).for_each(|detail| fill(detail[0].trim_start_matches("--"), detail[1]));
            if *action == "apply" {
                fill("target", &invoice(*number));
            }
        }
        filled.write_record(&cells).unwrap();
    }
    filled.flush().unwrap();
    of.world.run(&["discrepancies", "import", "filled.csv", "--by", "Sari"]).expect(0);
}

/// Holds what `why` says of each case against that report: with evidence that its books do not know yet, by its folder, and by the journal.
fn tells(of: &Books, month: &str, what: &str, (is_own, months_later): (bool, usize)) {
    let mut evidence = vec!["--as-of", "2026-11-03T00:00:00Z", "--notifications", "last.jsonl"];
    evidence.extend((months_later > 0).then_some("august.jsonl"));
    let more: &[&str] = if is_own { &evidence } else { &[] };
    for (number, case) in cases(months_later) {
        let (name, what) = (invoice(number), format!("{what}: {:?} then {:?}", case.decision, case.then));
        let told = |(story, _): &(Value, i32)| {
            let payments = story["payments"].as_array().unwrap();
            let last = payments.iter().max_by_key(|payment| payment["paid_at"].as_str()).map(|payment| payment["class"].as_str().unwrap());
            if case.then.is_some() {
                assert_eq!(last, Some(case.payment.0), "{what}: {story:#}");
            }
            assert_eq!(story["bill"]["class"], case.bill.0, "{what}: {story:#}");
        };
        if is_own && months_later > 0 {
            told(&why(&of.world, &name, more));
        }
        let story = why(&of.world, &name, &[&["--report", month], more].concat());
        agrees(&of.world, month, &name, &story, &what);
        assert_eq!(class_of(&story.0, &name), case.bill.0, "{what}: {:#}", story.0);
        assert!(case.decision == ["accept"] || story.0["books"]["story"].to_string().contains("decided: "), "{what}: {:#}", story.0);
        if is_own {
            told(&story);
        }
    }
    of.world.run(&["discrepancies", "take", month, "--by", "Sari"]).expect(0);
    for (number, case) in cases(months_later).step_by(4) {
        let name = invoice(number);
        agrees(&of.world, month, &name, &why(&of.world, &name, more), &format!("{what}, by the journal: {:?}", case.decision));
    }
}

fn count(summary: &Value, kind: &str) -> BTreeMap<String, u64> {
    let classes = summary[kind].as_object().unwrap().iter();
    classes.map(|(class, sum)| (class.clone(), sum["count"].as_u64().unwrap())).filter(|(_, count)| *count > 0).collect()
}

/// Holds every figure of a month's report against what is expected of each case.
fn says(of: &Books, month: &str, what: &str, (is_own, months_later): (bool, usize)) {
    let summary = summary(&of.world.path(month));
    for identity in summary["books"]["identities"].as_array().unwrap().iter().chain(summary["identities"].as_array().unwrap()) {
        assert_eq!(identity["holds"], true, "{what}: {identity}");
    }
    let (mut payments, mut bills): (BTreeMap<String, u64>, BTreeMap<String, u64>) = Default::default();
    let (mut agreed, mut differing) = (0, 0);
    for (_, case) in cases(months_later) {
        // A bill of our own ledger that was paid, or paid in part, before the period is not in scope.
        if !(is_own && months_later > 0) || case.earlier.is_empty() {
            *bills.entry(case.bill.0.to_owned()).or_default() += 1;
        }
        let earlier = case.earlier.iter().map(|amount| (if *amount < 100_000 { "P03" } else { "P04" }, *amount));
        let orphan = case.orphan.map(|amount| ("P01", amount));
        let then = case.then.map(|amount| (case.payment.0, amount));
        for (class, amount) in earlier.chain(orphan).filter(|_| months_later == 0).chain(then) {
            *payments.entry(class.to_owned()).or_default() += 1;
            match class {
                "P00" | "P14" => agreed += amount,
                "P01" => {}
                _ => differing += amount,
            }
        }
    }
    assert_eq!(count(&summary, "payments"), payments, "{what}");
    assert_eq!(count(&summary, "bills"), bills, "{what}");
    let days = of.world.rows(&format!("{month}/breakdown_day_channel.csv"));
    let of_days = |column: &str| days.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((of_days("agreed_amount"), of_days("differing_amount")), (agreed, differing), "{what}");
    let items = of.world.rows(&format!("{month}/open_items.csv"));
    let listed = of.world.rows(&format!("{month}/discrepancies.csv"));
    for (number, case) in cases(months_later) {
        let (name, what) = (invoice(number), format!("{what}: {:?} then {:?}", case.decision, case.then));
        let on = |account: &str| {
            let of = items.iter().filter(|row| row["account"] == account && row["invoice_number"] == name);
            of.map(|row| (row["class"].clone(), row["amount"].trim_start_matches('-').parse::<u64>().unwrap())).collect::<Vec<_>>()
        };
        let held = if case.payment.1 > 0 { vec![(case.payment.0.to_owned(), case.payment.1)] } else { vec![] };
        assert_eq!(on("suspense"), held, "{what}");
        let owed = if case.bill.1 > 0 { vec![(case.bill.0.to_owned(), case.bill.1)] } else { vec![] };
        assert_eq!(on("receivable"), owed, "{what}");
        let to_see: BTreeSet<&str> = listed
            .iter()
            .filter(|row| row["invoice_number"] == name && ["open", "reopened"].contains(&&*row["status"]))
            .map(|row| &*row["class"])
            .collect();
        // What is still to be done about money that was decided about is there, too.
        let moved = [on("refunds_due"), on("deposits")].concat();
        let expected = held.iter().chain(&owed).chain(&moved).map(|(class, _)| class.as_str());
        let expected: BTreeSet<&str> = expected.filter(|class| *class != "L01").collect();
        assert_eq!(to_see, expected, "{what}");
    }
    let waiting = listed.iter().filter(|row| row["nature"] == "BREAK" && ["open", "reopened"].contains(&&*row["status"])).count() as u64;
    assert_eq!(
        summary["books"]["to_do"].as_object().unwrap().values().map(|owner| owner["count"].as_u64().unwrap()).sum::<u64>(),
        waiting,
        "{what}"
    );
}

#[test]
fn a_payment_after_a_decision_is_what_the_books_say_it_is_in_the_same_month() {
    the_figures_agree(false, 0);
    the_figures_agree(true, 0);
}

#[test]
fn a_payment_after_a_decision_is_what_the_books_say_it_is_in_the_next_month_and_the_one_after() {
    for months_later in [1, 2] {
        the_figures_agree(false, months_later);
        the_figures_agree(true, months_later);
    }
}
