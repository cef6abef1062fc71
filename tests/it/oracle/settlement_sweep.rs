//! Random months with settlement reports: the engine against the oracle, and against itself with the reports cut up anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tagih::domain::calendar::WorkingDays;
use tagih::domain::channel::{Channel, PerChannel};
use tagih::domain::fee::{FeeSchedule, FeeShare};
use tagih::domain::settlement::{ChannelTerms, NamedChannel, SettlementTerms};
use tagih::jobs::reconcile::{ReconcileOptions, SettlementFiles};

use super::compare::{self, check_positions, options, read_outcome, run_on_file};
use super::naive::{self, Outcome};
use super::settlement::Contract;
use super::sweep::{each, worlds};
use super::world::{HOUR, LogFile, World};
use super::{evidence, ledger};
use crate::support::folder::temporary;
use crate::support::random::Random;

/// Worlds in this sweep, for the 2,000 of the other.
const WORLDS: u64 = 500;
const COLUMNS: [&str; 17] = [
    "No",
    "MERCHANT NAME",
    "PAYMENT CHANNEL NAME",
    "TRANSACTION DATE",
    "INVOICE NUMBER",
    "CUSTOMER NAME",
    "REPORT CODE",
    "AMOUNT",
    "RECON CODE",
    "FEE",
    "DISCOUNT",
    "PAY TO MERCHANT",
    "PAY OUT DATE",
    "TRANSACTION TYPE",
    "PROMO CODE",
    "SUB ACCOUNT",
    "Agent",
];

/// One report: what stands above its table, and its rows.
#[derive(Clone, Debug)]
struct Report {
    batch: String,
    totals: Vec<(&'static str, i64)>,
    rows: Vec<Vec<String>>,
}

impl Report {
    fn text(&self) -> String {
        let totals: String = self.totals.iter().map(|(label, value)| format!("{label},{value}\n")).collect();
        let rows: String = self.rows.iter().map(|row| row.join(",") + "\n").collect();
        format!("\u{feff}{totals}Batch ID_,{}\n\n{}\n{rows}", self.batch, COLUMNS.join(","))
    }
}

#[derive(Clone, Debug)]
struct Month {
    world: World,
    contract: Contract,
    reports: Vec<Report>,
}

fn day_text(day: Date) -> String {
    day.strftime("%d-%m-%Y").to_string()
}

fn wib_day(at: Timestamp) -> Date {
    (at + SignedDuration::from_secs(7 * HOUR)).to_zoned(TimeZone::UTC).date()
}

fn contract(random: &mut Random) -> Contract {
    Contract {
        names: vec![("Alfa Group", "alfa"), ("INDOMARET", "indomaret"), ("Virtual Account BCA", "other")],
        working_days: random.pick(&[0, 1, 4, 4]),
        holidays: if random.chance(50) { vec![Date::constant(2026, 10, 14), Date::constant(2026, 11, 2)] } else { Vec::new() },
        fee: random.pick(&[Some(5_000), Some(4_505), None]),
        grace_hours: random.pick(&[0, 24, 24, 300]),
        indomaret_is_settled: random.chance(80),
        share: random.chance(40).then_some(7),
    }
}

fn terms(contract: &Contract) -> SettlementTerms {
    let channel = |is_settled| ChannelTerms {
        is_settled,
        working_days: contract.working_days,
        fee: contract.fee.map(|flat_rupiah| FeeSchedule { flat_rupiah, basis_points: 0, vat_percent: 11 }),
    };
    let named = |(name, means): &(&str, &str)| {
        let means = Channel::parse(means).map_or(NamedChannel::Other, NamedChannel::Ours);
        (name.to_lowercase(), means)
    };
    SettlementTerms {
        channels: contract.names.iter().map(named).collect(),
        terms: PerChannel::new([channel(true), channel(contract.indomaret_is_settled)]),
        working_days: WorkingDays::without(contract.holidays.clone()),
        notification_grace_hours: contract.grace_hours,
        shares: contract.share.map(|percent| ("Agent".to_owned(), FeeShare::BasisPoints(percent as u32 * 100))).into_iter().collect(),
        third_parties: std::collections::BTreeSet::new(),
    }
}

impl Month {
    fn generate(seed: u64) -> Self {
        let world = World::generate(seed);
        let mut random = Random::new(seed ^ 0x5e77_1e00);
        let contract = contract(&mut random);
        let texts: Vec<String> = world.files.iter().map(LogFile::text).collect();
        let (_, payments) = evidence::read(&texts, world.settings.trust_log);
        let mut paid: Vec<(String, String, &str, u64, Date)> = Vec::new();
        for one in payments.iter().filter(|_| random.chance(80)) {
            let facts = &one.facts;
            paid.push((facts.invoice.clone(), facts.code.clone(), facts.channel, facts.amount.unwrap_or(77), wib_day(facts.date)));
        }
        // Money for bills that nobody notified, and for nobody's.
        for bill in ledger::read(&world.ledger_text()).into_iter().flatten() {
            if random.chance(25) {
                let days = random.below(40) as i64;
                let day = wib_day(Timestamp::from_second(world.settings.from).unwrap()).checked_add(days.days()).unwrap();
                let channel = if bill.channel == "alfa" { "alfa" } else { "indomaret" };
                paid.push((bill.invoice, bill.code, channel, bill.amount, day));
            }
        }
        if random.chance(20) {
            paid.push(("NOBODY".to_owned(), "77".to_owned(), "alfa", 5_000, Date::constant(2026, 10, 12)));
        }
        let mut batches: Vec<Vec<Vec<String>>> = vec![Vec::new(); 1 + random.below(3)];
        for one in &paid {
            // Most are settled once; some twice, in another batch or the same one.
            for _ in 0..random.weighted(&[(12, 1), (1, 2), (1, 3)]) {
                let batch = random.below(batches.len());
                let number = batches[batch].len() + 1;
                batches[batch].push(row(&mut random, &contract, one, number));
            }
        }
        let reports = batches.into_iter().zip(1..).flat_map(|(rows, number)| reports(&mut random, rows, number)).collect();
        Self { world, contract, reports }
    }

    fn texts(&self) -> Vec<String> {
        self.reports.iter().map(Report::text).collect()
    }

    fn expected(&self) -> Outcome {
        let rows = ledger::read(&self.world.ledger_text());
        let malformed_rows = rows.iter().filter(|row| row.is_none()).count() as u64;
        let bills: Vec<_> = rows.into_iter().flatten().collect();
        let logs: Vec<String> = self.world.files.iter().map(LogFile::text).collect();
        let outcome = naive::reconcile_with(&bills, &[], &logs, &self.world.settings, Some((&self.texts(), &self.contract)));
        Outcome { malformed_rows: outcome.malformed_rows + malformed_rows, ..outcome }
    }

    /// Runs the engine in `folder`, in its `out`.
    fn run(&self, folder: &Path) {
        let (ledger, logs) = self.world.write(folder);
        let mut files = Vec::new();
        for (text, number) in self.texts().iter().zip(1..) {
            files.push(folder.join(format!("settlement-{number}.csv")));
            fs::write(files.last().unwrap(), text).unwrap();
        }
        let options = options(&self.world.settings, logs, folder.join("out"));
        let settlement = Some(SettlementFiles { files, terms: terms(&self.contract) });
        run_on_file(&ledger, &ReconcileOptions { settlement, ..options });
    }

    fn actual(&self) -> Outcome {
        let folder = temporary();
        self.run(folder.path());
        read_outcome(&folder.path().join("out"))
    }

    fn differs(&self) -> bool {
        // A panic, of a control identity for one, is a disagreement too.
        catch_unwind(|| compare::differs(&self.expected(), &self.actual())).unwrap_or(true)
    }

    /// Leaves out bills, lines and rows for as long as the two disagree.
    fn shrunk(&self) -> Self {
        let mut smallest = self.clone();
        loop {
            let mut candidates = Vec::new();
            for report in 0..smallest.reports.len() {
                for row in 0..smallest.reports[report].rows.len() {
                    let mut candidate = smallest.clone();
                    candidate.reports[report].rows.remove(row);
                    candidates.push(candidate);
                }
            }
            for row in 0..smallest.world.rows.len() {
                let mut candidate = smallest.clone();
                candidate.world.rows.remove(row);
                candidates.push(candidate);
            }
            for file in 0..smallest.world.files.len() {
                for line in 0..smallest.world.files[file].lines.len() {
                    let mut candidate = smallest.clone();
                    candidate.world.files[file].lines.remove(line);
                    candidates.push(candidate);
                }
            }
            match candidates.into_iter().find(Self::differs) {
                Some(candidate) => smallest = candidate,
                None => return smallest,
            }
        }
    }
}

/// A row that settles `paid`, mostly as it should.
fn row(random: &mut Random, contract: &Contract, paid: &(String, String, &str, u64, Date), number: usize) -> Vec<String> {
    let (invoice, code, channel, amount, day) = paid;
    let name = match *channel {
        "alfa" => random.pick(&["Alfa Group", "alfa group"]),
        _ => "Indomaret",
    };
    let name = random.weighted(&[(30, name), (1, "Virtual Account BCA"), (1, "Alfamart O2O")]);
    let day = day.checked_add(random.weighted(&[(20, 0), (1, 1), (1, -1)]).days()).unwrap();
    let amount = (*amount as i64 + random.weighted(&[(15, 0), (1, -1), (1, 1_000)])).clamp(1, 999_999_999_999);
    let is_refund = random.chance(5);
    let fee = contract.fee.unwrap_or(4_500);
    let fee = (fee + (fee * 11 + 50) / 100) as i64 + random.weighted(&[(15, 0), (1, 1)]);
    let discount = random.weighted(&[(9, 0), (1, 100)]);
    let net = if is_refund { -amount } else { amount } - fee - discount + random.weighted(&[(15, 0), (1, -7)]);
    let share = net.div_euclid(100) * 7 + net.rem_euclid(100) * 7 / 100 + random.weighted(&[(10, 0), (1, 3)]);
    let out = day.checked_add(random.pick(&[4, 4, 6, 20]).days()).unwrap();
    let empty = String::new;
    let mut cells = [
        number.to_string(),
        "M".to_owned(),
        name.to_owned(),
        day_text(day),
        if random.chance(10) { empty() } else { invoice.clone() },
        "Budi".to_owned(),
        if random.chance(10) { empty() } else { code.clone() },
        amount.to_string(),
        if random.chance(10) { empty() } else { code.clone() },
        fee.to_string(),
        discount.to_string(),
        net.to_string(),
        if random.chance(5) { empty() } else { day_text(out) },
        if is_refund { "Refund" } else { random.pick(&["Purchase", "PURCHASE"]) }.to_owned(),
        empty(),
        empty(),
        share.to_string(),
    ]
    .to_vec();
    match random.below(60) {
        0 => cells[7] = "150.000".to_owned(),
        1 => cells[3] = "2026-10-05".to_owned(),
        2 => cells.truncate(10),
        3 => cells[2] = empty(),
        4 => (cells[4], cells[6], cells[8]) = (empty(), empty(), empty()),
        _ => {}
    }
    cells
}

/// A batch as one report, or cut in two, or with a copy of itself; its totals mostly true to it.
fn reports(random: &mut Random, rows: Vec<Vec<String>>, number: usize) -> Vec<Report> {
    let amount = |row: &Vec<String>, at: usize| row.get(at).and_then(|cell| cell.parse::<i64>().ok()).unwrap_or(0);
    let is_purchase = |row: &&Vec<String>| row.get(13).is_some_and(|kind| kind.eq_ignore_ascii_case("purchase"));
    let sum = |at: usize| rows.iter().map(|row| amount(row, at)).sum::<i64>();
    let bought: i64 = rows.iter().filter(is_purchase).map(|row| amount(row, 7)).sum();
    let mut totals = vec![
        ("Total Amount Purchase_", bought),
        ("Total Fee_", sum(9)),
        ("Total Purchase_", rows.iter().filter(is_purchase).count() as i64),
        ("Total Amount Refund_", sum(7) - bought),
        ("Total Refund_", rows.iter().filter(|row| !is_purchase(row)).count() as i64),
        ("Total Settlement Amount_", sum(11)),
        ("Total Discount_", sum(10)),
        ("Total Transactions_", rows.len() as i64),
    ];
    if random.chance(15) {
        let at = random.below(totals.len());
        totals[at].1 += 5;
    }
    totals.retain(|_| !random.chance(3));
    let whole = Report { batch: format!("B-{number}"), totals, rows };
    match random.below(10) {
        0 => vec![whole.clone(), whole],
        1 | 2 => {
            let (mut first, mut second) = (whole.clone(), whole);
            second.rows = first.rows.split_off(first.rows.len() / 2);
            if random.chance(20) {
                second.totals.iter_mut().for_each(|(_, total)| *total += 1);
            }
            vec![first, second]
        }
        _ => vec![whole],
    }
}

#[test]
fn the_engine_agrees_with_the_oracle_on_settlement() {
    let found = Mutex::new(BTreeSet::new());
    each(worlds(WORLDS), |seed| {
        if Month::generate(seed).differs() {
            found.lock().unwrap().insert(seed);
        }
    });
    let mismatches = found.into_inner().unwrap();
    for seed in mismatches.iter().take(2) {
        let month = Month::generate(*seed).shrunk();
        let (oracle, engine) = (month.expected(), catch_unwind(|| month.actual()).unwrap_or_default());
        eprintln!("seed {seed}\n{:#?}\n{:#?}\n{}", month.world.settings, month.contract, month.world.ledger_text());
        for text in month.world.files.iter().map(LogFile::text).chain(month.texts()) {
            eprintln!("file:\n{text}");
        }
        eprintln!(
            "oracle {:?} {:?} {}\nengine {:?} {:?} {}",
            oracle.settlement, oracle.flags, oracle.malformed_rows, engine.settlement, engine.flags, engine.malformed_rows
        );
        for (whose, ours, theirs) in [("oracle", &oracle, &engine), ("engine", &engine, &oracle)] {
            for (finding, count) in ours.findings.iter().filter(|(finding, count)| theirs.findings.get(*finding) != Some(count)) {
                eprintln!("only {whose}: {count} x {finding}");
            }
        }
    }
    assert!(mismatches.is_empty(), "{} worlds differ: {mismatches:?}", mismatches.len());
}

#[test]
fn the_months_reach_every_class_of_settlement() {
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..1_500 {
        let outcome = Month::generate(seed).expected();
        for (class, (count, _)) in outcome.settlement {
            *reached.entry(class).or_default() += count;
        }
        for (flag, count) in outcome.flags {
            *reached.entry(format!("flag {flag}")).or_default() += count;
        }
    }
    eprintln!("{reached:?}");
    for class in "S00 S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11 S12 S13 S14".split(' ') {
        assert!(reached.get(class).is_some_and(|count| *count >= 20), "{class} is hardly ever reached: {reached:?}");
    }
    for flag in ["flag S04", "flag S05", "flag S08", "flag S09"] {
        assert!(reached.get(flag).is_some_and(|count| *count >= 20), "{flag} is hardly ever reached: {reached:?}");
    }
}

/// What may depend on nothing but content: findings with ids, rows, sums.
fn results(month: &Month) -> BTreeMap<String, String> {
    let folder = temporary();
    month.run(folder.path());
    let out = folder.path().join("out");
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    let mut results = BTreeMap::new();
    for key in ["run_id", "settlement", "settlement_natures", "settlement_totals", "settlement_batches", "bills", "flags", "identities"] {
        results.insert(key.to_owned(), summary[key].to_string());
    }
    results.insert("discrepancies.csv".to_owned(), fs::read_to_string(out.join("discrepancies.csv")).unwrap());
    let mut rows = csv::Reader::from_path(out.join("settlement.csv")).unwrap();
    let rows = rows.records().map(|row| row.unwrap().iter().take(28).collect::<Vec<_>>().join("|"));
    // Rows that cannot be read have nothing to be sorted by but their places.
    results.insert("settlement.csv".to_owned(), rows.collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join("\n"));
    results
}

#[test]
fn neither_the_order_of_rows_nor_how_a_batch_is_cut_into_files_changes_a_figure() {
    each(worlds(100), |seed| {
        let month = Month::generate(seed);
        let mut random = Random::new(seed ^ 0xc07_f11e5);
        let mut cut = Vec::new();
        for report in &month.reports {
            let mut parts = vec![Report { rows: Vec::new(), ..report.clone() }; 1 + random.below(3)];
            let mut rows = report.rows.clone();
            random.shuffle(&mut rows);
            for row in rows {
                let part = random.below(parts.len());
                parts[part].rows.push(row);
            }
            cut.extend(parts);
        }
        random.shuffle(&mut cut);
        let (before, after) = (results(&month), results(&Month { reports: cut, ..month.clone() }));
        for (name, text) in &before {
            assert!(after[name] == *text, "seed {seed}: {name} changed\n{text}\n{}", after[name]);
        }
    });
}

#[test]
fn every_settlement_row_cited_has_its_position() {
    each(worlds(60), |seed| {
        let folder = temporary();
        Month::generate(seed).run(folder.path());
        check_positions(&folder.path().join("out"), folder.path());
    });
}
