//! The month's figures a second time: each bill's life is walked event by event, and every line recounted from that.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::evidence::Paid;
use super::ledger::{self, Bill};
use super::naive;
use super::sweep::{ROLLS_FORWARD, holds};
use super::world::{DAY, HOUR, LogFile, Settings, World};

/// Worlds in this sweep, for the 2,000 of the first.
pub(super) const WORLDS: u64 = 800;
/// Every figure by its name; those of zero left out.
type Figures = BTreeMap<String, (i64, i128)>;

fn add(figures: &mut Figures, name: impl Into<String>, count: i64, amount: i128) {
    let sum = figures.entry(name.into()).or_default();
    *sum = (sum.0 + count, sum.1 + amount);
}

fn us(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn day(at_us: i64) -> i64 {
    (at_us + 7 * HOUR * 1_000_000).div_euclid(DAY * 1_000_000)
}

/// What happened to one bill, in order: time, which of two at one time counts first, what.
fn happenings(bill: &Bill, paid: &[i64], grace_us: i64) -> Vec<(i64, u8, &'static str)> {
    let mut all: Vec<(i64, u8, &str)> = paid.iter().map(|&at| (at, 0, "settled")).collect();
    all.extend(bill.cancelled.map(|at| (us(at), 1, "cancelled")));
    all.extend(bill.expires.map(|at| (us(at) + grace_us, 2, "expired_unpaid")));
    all.sort_unstable();
    all
}

/// When a bill was paid, by evidence or by its own ledger.
fn paid_times(index: usize, bill: &Bill, payments: &[(Paid, &str, Option<usize>)]) -> Vec<i64> {
    let attached = payments.iter().filter(|(_, class, of)| *of == Some(index) && !["P01", "P02", "P15", "P17"].contains(class));
    let mut times: Vec<i64> = attached.map(|(paid, ..)| us(paid.facts.date)).collect();
    times.extend(bill.paid.map(|at| at.map_or(i64::MIN, us)));
    times
}

fn codes(figures: &mut Figures, bills: &[Bill], payments: &[(Paid, &str, Option<usize>)], settings: &Settings) {
    let start = settings.from * 1_000_000;
    let close = (settings.until * 1_000_000).min(settings.as_of * 1_000_000 + 1).max(start);
    for (index, bill) in bills.iter().enumerate().filter(|(_, bill)| !bill.code.is_empty()) {
        let amount = i128::from(bill.amount);
        let created = bill.created.map_or(i64::MIN, us);
        let mut count = |line: &str, sign: i64| {
            add(figures, format!("outstanding_codes {line}"), sign, i128::from(sign) * amount);
            add(figures, format!("{} {line}", bill.channel), sign, i128::from(sign) * amount);
        };
        if (start..close).contains(&created) {
            count("issued", 1);
        }
        let (mut open_at_start, mut open_at_close) = (created < start, created < close);
        let mut was_paid = false;
        for (at, _, what) in happenings(bill, &paid_times(index, bill, payments), settings.expiry_grace * 1_000_000) {
            let at = at.max(created);
            was_paid |= what == "settled";
            if bill.reusable && what == "settled" {
                continue;
            }
            let what = if bill.reusable && was_paid { "settled" } else { what };
            open_at_start &= at >= start;
            open_at_close &= at >= close;
            if (start..close).contains(&at) {
                count(what, -1);
            }
            break;
        }
        if open_at_start {
            count("opening", 1);
        }
        if open_at_close {
            count("closing", 1);
        }
    }
}

fn money(figures: &mut Figures, payments: &[(Paid, &str, Option<usize>)]) {
    for (paid, class, _) in payments.iter().filter(|(_, class, _)| *class != "P16") {
        let facts = &paid.facts;
        let amount = i128::from(facts.amount.unwrap_or(0));
        let held = ["P01", "P02", "P15"].contains(class);
        let part = match *class {
            _ if held => "held",
            "P00" | "P05" | "P13" | "P14" => "agreed",
            _ => "differing",
        };
        let at = day(us(facts.date));
        for column in ["paid", part] {
            add(figures, format!("day {at} {} {column}", facts.channel), 1, amount);
        }
        let [agent, store] = &facts.store;
        if !agent.is_empty() || !store.is_empty() {
            add(figures, format!("store {agent} {store} {}", facts.channel), 1, amount);
        }
    }
}

fn recounted(world: &World) -> Figures {
    let files: Vec<String> = world.files.iter().map(LogFile::text).collect();
    let bills: Vec<Bill> = ledger::read(&world.ledger_text()).into_iter().flatten().collect();
    let payments = naive::payments(&bills, &files, &world.settings);
    let mut figures = Figures::new();
    codes(&mut figures, &bills, &payments, &world.settings);
    money(&mut figures, &payments);
    figures.retain(|_, figure| *figure != (0, 0));
    figures
}

fn figure(value: &Value) -> (i64, i128) {
    (value["count"].as_i64().unwrap(), value["amount"].to_string().parse().unwrap())
}

/// What the engine wrote, under the same names.
fn written(folder: &Path) -> Figures {
    let summary: Value = serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap();
    let month = &summary["month"];
    let mut figures = Figures::new();
    let mut take = |name: String, value: &Value| {
        let (count, amount) = figure(value);
        add(&mut figures, name, count, amount);
    };
    for (name, roll) in month["roll_forwards"].as_object().unwrap() {
        take(format!("{name} opening"), &roll["opening"]);
        take(format!("{name} closing"), &roll["closing"]);
        for movement in roll["movements"].as_array().unwrap() {
            take(format!("{name} {}", movement["name"].as_str().unwrap()), movement);
        }
    }
    let rows = |name: &str| -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_path(folder.join(name)).unwrap().deserialize().map(Result::unwrap).collect()
    };
    let sums = |row: &BTreeMap<String, String>, column: &str| -> (i64, i128) {
        (row[&format!("{column}_count")].parse().unwrap(), row[&format!("{column}_amount")].parse().unwrap())
    };
    for row in rows("breakdown_product.csv") {
        for line in ["opening", "issued", "amended", "settled", "cancelled", "expired_unpaid", "closing"] {
            let (count, amount) = sums(&row, line);
            add(&mut figures, format!("{} {line}", row["channel"]), count, amount);
        }
    }
    for row in rows("breakdown_day_channel.csv") {
        let midnight: Timestamp = format!("{}T00:00:00+07:00", row["day"]).parse().unwrap();
        for column in ["paid", "agreed", "differing", "held"] {
            let (count, amount) = sums(&row, column);
            add(&mut figures, format!("day {} {} {column}", day(us(midnight)), row["channel"]), count, amount);
        }
    }
    for row in rows("breakdown_store.csv").iter().filter(|row| !row["agent_id"].is_empty() || !row["store_id"].is_empty()) {
        let (count, amount) = sums(row, "paid");
        add(&mut figures, format!("store {} {} {}", row["agent_id"], row["store_id"], row["channel"]), count, amount);
    }
    figures.retain(|_, figure| *figure != (0, 0));
    figures
}

pub(super) fn rolls_forward(world: &World, out: &Path) {
    let (ours, theirs) = (recounted(world), written(out));
    // Suspense is the books': their own book-keeper recounts it.
    let counted: Figures = theirs.clone().into_iter().filter(|(name, _)| !name.starts_with("suspense ")).collect();
    assert_eq!(ours, counted, "{:#?}\n{}", world.settings, world.ledger_text());
    for balance in ["outstanding_codes", "suspense"] {
        let of = |figures: &Figures, line: &str| figures.get(&format!("{balance} {line}")).copied().unwrap_or_default();
        let prefix = format!("{balance} ");
        let lines = theirs.iter().filter(|(name, _)| name.starts_with(&prefix) && !name.ends_with("closing"));
        let carried = lines.fold((0, 0), |sum, (_, line)| (sum.0 + line.0, sum.1 + line.1));
        assert_eq!(carried, of(&theirs, "closing"));
    }
}

#[test]
fn every_line_of_the_month_equals_a_naive_recount_and_every_balance_rolls_forward() {
    holds(ROLLS_FORWARD);
}
