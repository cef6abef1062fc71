//! The same of settlement reports: repeated, split, shuffled, doubled.

use std::fs;
use std::path::Path;

use jiff::{Timestamp, tz};
use tagih::domain::calendar::WorkingDays;
use tagih::domain::channel::{Channel, PerChannel};
use tagih::domain::fee::FeeSchedule;
use tagih::domain::settlement::{ChannelTerms, NamedChannel, SettlementTerms};
use tagih::jobs::reconcile::SettlementFiles;

use super::{Case, DAY, OCTOBER, Random, SEEDS, code, compare, invoice};

const HEADER: &str =
    "NO,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,REPORT CODE,AMOUNT,FEE,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE";

/// A settlement row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    number: usize,
    bill: usize,
    channel: &'static str,
    amount: u64,
    fee: u64,
    short: u64,
    date: i64,
    kind: &'static str,
}

impl Row {
    fn line(&self, factor: u64) -> String {
        let Self { number, bill, channel, amount, fee, short, date, kind } = self;
        let wib = |second: i64| {
            Timestamp::from_second(second).unwrap().to_zoned(tz::TimeZone::fixed(tz::offset(7))).strftime("%d-%m-%Y").to_string()
        };
        let (amount, fee) = (amount * factor, fee * factor);
        let paid_out = amount as i64 - fee as i64 - (short * factor) as i64;
        let (invoice, code, day, out) = (invoice(*bill), code(*bill), wib(*date), wib(*date + 6 * DAY));
        format!("{number},{channel},{day},{invoice},{code},{amount},{fee},{paid_out},{out},{kind}\n")
    }
}

/// Writes the case's reports; what the contract says doubles with the amounts.
pub(super) fn files(case: &Case, folder: &Path) -> Option<SettlementFiles> {
    if case.settlement.is_empty() {
        return None;
    }
    let files = case.settlement.iter().enumerate().map(|(number, rows)| {
        let path = folder.join(format!("settlement-{number}.csv"));
        let rows: String = rows.iter().map(|row| row.line(case.factor)).collect();
        fs::write(&path, format!("Batch ID_,B-1\n\n{HEADER}\n{rows}")).unwrap();
        path
    });
    let fee = FeeSchedule { flat_rupiah: 5_000 * case.factor, basis_points: 0, vat_percent: 11 };
    let terms = ChannelTerms { is_settled: true, working_days: 4, fee: Some(fee) };
    let channels = [("alfa", Channel::Alfa), ("indomaret", Channel::Indomaret)];
    let terms = SettlementTerms {
        channels: channels.map(|(name, channel)| (name.to_owned(), NamedChannel::Ours(channel))).into(),
        terms: PerChannel::from_fn(|_| terms),
        working_days: WorkingDays::without([]),
        notification_grace_hours: 24,
        shares: std::collections::BTreeMap::new(),
        third_parties: std::collections::BTreeSet::new(),
    };
    Some(SettlementFiles { files: files.collect(), terms })
}

/// The rows of settlement.csv without the place each was read from.
pub(super) fn without_places(text: &str) -> String {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().take(row.len() - 2).collect::<Vec<_>>().join(",")
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Whether a figure of the settlement sections is money.
pub(super) fn is_sum(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("/settlement_") && ["gross", "refund", "fee", "discount", "net"].contains(&name)
}

/// A case whose payments are settled: most rightly, some not, some of nobody's.
fn settled(seed: u64) -> Case {
    let mut case = Case::generate(seed);
    let mut random = Random::new(seed ^ 0x5e77);
    let mut rows: Vec<Row> = Vec::new();
    let notes = case.files.iter().flatten().filter(|note| note.status == "SUCCESS" && note.date >= OCTOBER);
    for note in notes {
        if random.chance(20) {
            continue;
        }
        rows.push(Row {
            number: rows.len() + 1,
            // Some were never notified.
            bill: if random.chance(6) { 800 + rows.len() } else { note.bill },
            channel: note.channel,
            amount: note.amount + random.pick(&[0, 0, 0, 0, 0, 1_000]),
            fee: random.pick(&[5_550, 5_550, 5_550, 6_000]),
            short: random.pick(&[0, 0, 0, 0, 500]),
            date: note.date,
            kind: random.weighted(&[(12, "Purchase"), (1, "Refund")]),
        });
    }
    let mut files = vec![Vec::new(); 3];
    for row in rows {
        files[random.below(3)].push(row);
    }
    case.settlement = files;
    case
}

#[test]
fn repeating_a_settlement_report_changes_no_figure_and_counts_its_rows_as_copies() {
    let mut all = 0;
    for seed in 0..SEEDS {
        let case = settled(seed);
        let mut repeated = case.clone();
        repeated.settlement.push(case.settlement[0].clone());
        let ((mut before, _), (mut after, _)) = (case.report(), repeated.report());
        let copies = |summary: &mut serde_json::Value| summary["books"]["aside"]["copies"].take().as_u64().unwrap();
        let (had, has) = (copies(&mut before), copies(&mut after));
        assert_eq!(has - had, case.settlement[0].len() as u64, "seed {seed}");
        all += has - had;
        for section in ["lines", "payments", "bills", "settlement", "settlement_totals", "books"] {
            assert_eq!(before[section], after[section], "{section}, seed {seed}");
        }
    }
    assert!(all > 0, "no report had a row");
}

#[test]
fn splitting_and_shuffling_settlement_reports_changes_no_figure_and_no_row() {
    for seed in 0..SEEDS {
        let case = settled(seed);
        let mut random = Random::new(seed + 2_000);
        let mut rows: Vec<Row> = case.settlement.iter().flatten().cloned().collect();
        random.shuffle(&mut rows);
        let mut files = vec![Vec::new(); 1 + random.below(6)];
        for row in rows {
            let file = random.below(files.len());
            files[file].push(row);
        }
        let shuffled = Case { settlement: files, ..case.clone() };
        assert_eq!(case.report(), shuffled.report(), "seed {seed}");
    }
}

#[test]
fn doubling_every_amount_and_the_fees_doubles_every_sum_three_way() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 0..SEEDS {
        let case = settled(seed);
        let doubled = Case { factor: 2, ..case.clone() };
        let ((once, _), (twice, _)) = (case.report(), doubled.report());
        compare(&once, &twice, "");
        let classes = once["settlement"].as_object().unwrap().iter().filter(|(_, tally)| tally["count"] != 0);
        reached.extend(classes.map(|(class, _)| class.clone()));
    }
    for class in ["S00", "S01", "S02", "S03", "S04", "S05", "S06", "S08"] {
        assert!(reached.contains(class), "{class} is never reached: {reached:?}");
    }
}
