//! What must follow when the inputs change in a known way, whatever the right result is: nothing here computes a class.

mod evidence;
mod settlement;

use std::fs;

use serde_json::Value;
use tagih::jobs::reconcile::ReconcileOptions;

use crate::oracle::compare::{options, run_on_file};
use crate::oracle::world::{DAY, HOUR, Settings};
use crate::support::folder::temporary;
use crate::support::message::{Envelope, Message, SECRET, utc};
use crate::support::random::Random;

const SEEDS: u64 = 30;
/// 2026-10-01 00:00 in WIB.
const OCTOBER: i64 = 1_790_787_600;
const HEADER: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,policy_type,due_date";

#[derive(Clone)]
struct Bill {
    number: usize,
    channel: &'static str,
    amount: u64,
    reusable: bool,
    created: i64,
    expires: i64,
    cancelled: Option<i64>,
    product: &'static str,
}

#[derive(Clone)]
struct Note {
    /// A bill of this number, which may not exist.
    bill: usize,
    channel: &'static str,
    amount: u64,
    date: i64,
    store: usize,
    transaction: usize,
    status: &'static str,
    received: i64,
}

/// Bills, notifications in files, and by how much every amount is multiplied.
#[derive(Clone)]
struct Case {
    bills: Vec<Bill>,
    files: Vec<Vec<Note>>,
    /// Settlement reports; none when the money is not followed to the bank.
    settlement: Vec<Vec<settlement::Row>>,
    factor: u64,
}

fn invoice(number: usize) -> String {
    format!("INV-{number:03}")
}

fn code(number: usize) -> String {
    format!("{:016}", 6_059_000_000_000_000_u64 + number as u64)
}

impl Bill {
    fn row(&self, factor: u64) -> String {
        let Self { number, channel, amount, reusable, created, expires, cancelled, product } = self;
        let (status, cancelled) = cancelled.map_or(("ACTIVE", String::new()), |at| ("CANCELLED", utc(at)));
        let (invoice, code, amount) = (invoice(*number), code(*number), amount * factor);
        format!("{invoice},{code},{channel},{amount},{status},{reusable},{},{},{cancelled},{product},", utc(*created), utc(*expires))
    }
}

impl Note {
    fn line(&self, factor: u64) -> String {
        let (store, transaction) = (format!("S{}", self.store), format!("T{}", self.transaction));
        let message = Message::paid(invoice(self.bill), &code(self.bill), self.amount * factor, utc(self.date));
        let message = Message { channel: self.channel, status: self.status, ..message.by("CHAIN", &store, &transaction) };
        Envelope::of(&message, format!("r-{}-{}", self.transaction, self.received), utc(self.received)).line(SECRET)
    }
}

impl Case {
    fn generate(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let bills: Vec<Bill> = (0..4 + random.below(12))
            .map(|number| {
                let created = OCTOBER + (random.below(40) as i64 - 10) * DAY + random.below(86_400) as i64;
                let expires = created + random.pick(&[DAY, 5 * DAY, 40 * DAY, 100 * DAY]);
                Bill {
                    number,
                    channel: random.pick(&["alfa", "indomaret"]),
                    amount: random.pick(&[10_000, 150_000, 275_500]),
                    reusable: random.chance(15),
                    created,
                    expires,
                    cancelled: random.chance(20).then(|| created + random.below(20) as i64 * DAY),
                    product: random.pick(&["", "Motor", "Health"]),
                }
            })
            .collect();
        let mut files = vec![Vec::new(); 3];
        for transaction in 0..6 + random.below(20) {
            let bill = random.below(bills.len() + 2);
            let of = bills.get(bill).unwrap_or(&bills[0]);
            let date = of.created + random.below(12) as i64 * DAY + random.below(80_000) as i64;
            let note = Note {
                bill,
                channel: if random.chance(90) { of.channel } else { "alfa" },
                amount: random.pick(&[of.amount, of.amount, of.amount, of.amount / 2, of.amount + 1_000]),
                date,
                store: random.below(4),
                transaction,
                status: random.weighted(&[(9, "SUCCESS"), (1, "FAILED")]),
                received: date + random.pick(&[5, 60, 20 * HOUR, 5 * DAY]),
            };
            files[random.below(3)].push(note.clone());
            if random.chance(20) {
                files[random.below(3)].push(Note { received: note.received + 1_800, ..note });
            }
        }
        Self { bills, files, settlement: Vec::new(), factor: 1 }
    }

    /// Its summary and every CSV of its report, without what names the inputs.
    fn report(&self) -> (Value, Vec<String>) {
        let folder = temporary();
        let ledger = folder.path().join("ledger.csv");
        let rows: Vec<String> = self.bills.iter().map(|bill| bill.row(self.factor)).collect();
        fs::write(&ledger, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
        let logs: Vec<_> = (0_usize..)
            .zip(&self.files)
            .map(|(number, notes)| {
                let path = folder.path().join(format!("{number}.jsonl"));
                fs::write(&path, notes.iter().map(|note| note.line(self.factor) + "\n").collect::<String>()).unwrap();
                path
            })
            .collect();
        let settings = Settings {
            from: OCTOBER,
            until: OCTOBER + 31 * DAY,
            as_of: OCTOBER + 33 * DAY,
            trust_log: false,
            expiry_grace: 300,
            tolerance: 0,
            skew: 600,
        };
        let out = folder.path().join("out");
        let options = options(&settings, logs, out.clone());
        let options = ReconcileOptions { settlement: settlement::files(self, folder.path()), ..options };
        let report = run_on_file(&ledger, &options);
        assert!(report.identities_hold);
        let mut summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
        for key in ["run_id", "inputs", "files", "ledger"] {
            summary.as_object_mut().unwrap().remove(key).unwrap();
        }
        summary["month"]["completeness"].as_object_mut().unwrap().remove("files").unwrap();
        let csv = "discrepancies roll_forward ageing breakdown_day_channel breakdown_product breakdown_store breakdown_class breakdown_dimension completeness \
                   prior_period suspense";
        let texts = csv.split_whitespace().map(|name| fs::read_to_string(out.join(format!("{name}.csv"))).unwrap());
        let mut texts: Vec<String> = texts.collect();
        if let Ok(text) = fs::read_to_string(out.join("settlement.csv")) {
            texts.push(settlement::without_places(&text));
        }
        (summary, texts)
    }
}

/// Takes a class's figures out of a section.
fn taken(summary: &mut Value, section: &str, class: &str) -> (i64, i64) {
    let figures = summary[section].as_object_mut().unwrap().remove(class).unwrap();
    (figures["count"].as_i64().unwrap(), figures["amount"].as_i64().unwrap())
}

#[test]
fn repeating_a_notification_moves_the_repeated_ones_and_nothing_else() {
    for seed in 0..SEEDS {
        let case = Case::generate(seed);
        let mut repeated = case.clone();
        let Some(note) = case.files.iter().flatten().find(|note| note.status == "SUCCESS") else { continue };
        let last = case.files.iter().flatten().map(|note| note.received).max().unwrap();
        repeated.files[1].push(Note { received: last + 7, ..note.clone() });
        let ((mut before, _), (mut after, _)) = (case.report(), repeated.report());
        let (repeats, more) = (taken(&mut before, "lines", "N06"), taken(&mut after, "lines", "N06"));
        assert_eq!((more.0 - repeats.0, more.1 - repeats.1), (1, note.amount as i64), "seed {seed}");
        for section in ["lines", "payments", "bills", "month", "discrepancies"] {
            assert_eq!(before[section], after[section], "seed {seed}");
        }
    }
}

#[test]
fn a_bill_and_its_exact_payment_move_what_is_matched_and_settled_and_nothing_else() {
    for seed in 0..SEEDS {
        let case = Case::generate(seed);
        let mut more = case.clone();
        let (created, date, amount) = (OCTOBER + DAY, OCTOBER + 2 * DAY, 432_100);
        let (channel, expires) = ("alfa", OCTOBER + 60 * DAY);
        more.bills.push(Bill { number: 900, channel, amount, reusable: false, created, expires, cancelled: None, product: "Travel" });
        more.files[2].push(Note { bill: 900, channel, amount, date, store: 77, transaction: 900, status: "SUCCESS", received: date + 5 });
        let ((mut before, _), (mut after, _)) = (case.report(), more.report());
        for (section, class) in [("lines", "N00"), ("payments", "P00"), ("bills", "L00")] {
            let (had, has) = (taken(&mut before, section, class), taken(&mut after, section, class));
            assert_eq!((has.0 - had.0, has.1 - had.1), (1, amount as i64), "{class}, seed {seed}");
        }
        let codes = |summary: &Value, place: usize| {
            let line = &summary["month"]["roll_forwards"]["outstanding_codes"]["movements"][place];
            (line["count"].as_i64().unwrap(), line["amount"].as_i64().unwrap())
        };
        for (place, sign) in [(1, 1), (3, -1)] {
            let (had, has) = (codes(&before, place), codes(&after, place));
            assert_eq!((has.0 - had.0, has.1 - had.1), (sign, sign * amount as i64), "line {place}, seed {seed}");
        }
        for path in [
            "/lines",
            "/payments",
            "/bills",
            "/discrepancies",
            "/month/roll_forwards/suspense",
            "/month/roll_forwards/outstanding_codes/opening",
            "/month/roll_forwards/outstanding_codes/closing",
            "/month/roll_forwards/outstanding_codes/movements/2",
            "/month/roll_forwards/outstanding_codes/movements/4",
            "/month/roll_forwards/outstanding_codes/movements/5",
            "/month/ageing",
            "/month/closing/outstanding_codes",
            "/month/closing/suspense",
            "/books/items/to_do",
            "/books/to_do",
        ] {
            assert_eq!(before.pointer(path).unwrap(), after.pointer(path).unwrap(), "{path}, seed {seed}");
        }
    }
}

#[test]
fn splitting_and_shuffling_the_logs_changes_no_figure_and_no_row() {
    for seed in 0..SEEDS {
        let case = Case::generate(seed);
        let mut random = Random::new(seed + 1_000);
        let mut notes: Vec<Note> = case.files.iter().flatten().cloned().collect();
        random.shuffle(&mut notes);
        let mut files = vec![Vec::new(); 1 + random.below(6)];
        for note in notes {
            let file = random.below(files.len());
            files[file].push(note);
        }
        let mut shuffled = Case { files, ..case.clone() };
        random.shuffle(&mut shuffled.bills);
        assert_eq!(case.report(), shuffled.report(), "seed {seed}");
    }
}

#[test]
fn doubling_every_amount_doubles_every_sum_and_moves_no_count() {
    for seed in 0..SEEDS {
        let case = Case::generate(seed);
        let twice = Case { factor: 2, ..case.clone() };
        let ((once, _), (doubled, _)) = (case.report(), twice.report());
        compare(&once, &doubled, "");
        for (one, two) in once["identities"].as_array().unwrap().iter().zip(doubled["identities"].as_array().unwrap()) {
            let factor = if one["name"].as_str().unwrap().contains("rupiah") { 2 } else { 1 };
            assert_eq!(one["left"].as_i64().unwrap() * factor, two["left"].as_i64().unwrap(), "{one}, seed {seed}");
        }
    }
}

/// Every `amount` is twice as much; every other figure is the same. Digests and identities are looked at elsewhere.
fn compare(once: &Value, twice: &Value, path: &str) {
    match (once, twice) {
        (Value::Object(left), Value::Object(right)) => {
            assert!(left.keys().eq(right.keys()), "{path}");
            for (key, value) in left.iter().filter(|(key, _)| !key.contains("digest") && !key.contains("hash") && *key != "identities") {
                compare(value, &right[key], &format!("{path}/{key}"));
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            assert_eq!(left.len(), right.len(), "{path}");
            left.iter().zip(right).for_each(|(left, right)| compare(left, right, path));
        }
        _ if path.ends_with("/amount") || path.ends_with("_amount") || settlement::is_sum(path) => {
            assert_eq!(once.as_i64().unwrap() * 2, twice.as_i64().unwrap(), "{path}");
        }
        _ => assert_eq!(once, twice, "{path}"),
    }
}

/// The generator must reach what the tests above speak of.
#[test]
fn the_cases_hold_settled_cancelled_expired_and_held_money() {
    let mut reached = std::collections::BTreeMap::<String, i64>::new();
    for seed in 0..SEEDS {
        let (summary, _) = Case::generate(seed).report();
        for roll in summary["month"]["roll_forwards"].as_object().unwrap().values() {
            for line in roll["movements"].as_array().unwrap() {
                *reached.entry(line["name"].as_str().unwrap().to_owned()).or_default() += line["count"].as_i64().unwrap().abs();
            }
        }
        for class in ["N06", "N09"] {
            *reached.entry(class.to_owned()).or_default() += summary["lines"][class]["count"].as_i64().unwrap();
        }
    }
    for name in ["issued", "settled", "cancelled", "expired_unpaid", "held", "N06", "N09"] {
        assert!(reached[name] > 10, "{name} is hardly ever reached: {reached:?}");
    }
}
