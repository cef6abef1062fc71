//! `tagih demo`: the whole loop offline, with faults, anomalies and a planted truth to be measured against.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::args::Sending;
use super::demo_settlement;
use super::failure::Failure;
use super::global::Global;
use super::keys::Asking;
use super::logs;
use super::output;
use super::reconcile::{self, Task};
use super::sender::Flags;
use super::sending;
use super::setup::Setup;
use super::standard_input::StandardInput;
use super::tables::BillFlags;
use super::times::month;
use crate::clock::Stopwatch;
use crate::doku::keyring::Keyring;
use crate::doku::signature::SigningKey;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::wib_date;
use crate::domain::ids::InvoiceNumber;
use crate::domain::sum::Sum;
use crate::exit::Exit;
use crate::intake;
use crate::jobs::demo::{self, DemoStory, Planted};
use crate::private;
use crate::report::atomic;
use crate::report::manifest;
use crate::sandbox::fault::Faults;
use crate::sandbox::model::Model;
use crate::sandbox::server::{self, Running};

/// The sample policies, so that the demo needs no file beside the program.
const POLICIES: &str = include_str!("../../samples/policies.csv");

const CLIENT_ID: &str = "MCH-0001-DEMO";
const SECRET: &str = "SK-demo-not-a-secret";
/// One billing night; amendments and cancellations follow half an hour later, the report on the first of November.
const ISSUED_AT: &str = "2026-10-15T03:00:00Z";
const AMENDED_AT: &str = "2026-10-15T03:30:00Z";
const AS_OF: &str = "2026-11-01T10:00:00Z";
const PERIOD: &str = "2026-10";
const FAULT_PERCENT: u8 = 20;

pub(super) fn demo(global: &Global, out: Option<&Path>) -> Result<Exit, Failure> {
    let began = Stopwatch::start();
    let out = match out {
        Some(out) => out.to_path_buf(),
        None => private::temporary_folder(&std::env::temp_dir(), "tagih-demo-")?.keep(),
    };
    let secret = SecretString::from(SECRET);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut setup = Setup::for_demo(global, &out, "http://127.0.0.1:1")?;
    setup.clock.set(instant(ISSUED_AT));
    let sandbox = runtime.block_on(start(&setup, &secret))?;
    setup = Setup { clock: setup.clock, ..Setup::for_demo(global, &out, &sandbox.base_url())? };

    step("1. issue", &format!("500 policies; DOKU's stand-in fails {FAULT_PERCENT} % of all attempts"));
    let policies = written(&out, "policies.csv", POLICIES)?;
    send(&setup, &policies, &secret, &out.join("1-issue"))?;
    output::done(attempts(&sandbox));

    step("2. amend", "the same file with some premiums changed and some policies cancelled");
    setup.clock.set(instant(AMENDED_AT));
    let (changed, superseded) = amended_policies()?;
    let changed = written(&out, "policies-amended.csv", &changed)?;
    send(&setup, &changed, &secret, &out.join("2-amend"))?;

    step("3. pay", "customers pay at the counters: most exactly, some not");
    setup.clock.set(instant(AS_OF));
    let story = DemoStory { issued_at: instant(ISSUED_AT), amended_at: instant(AMENDED_AT), superseded, lapsed: lapsed(&setup)? };
    let mut planted = plant(&sandbox, &story)?;
    let settlement = settle(&out, &sandbox, &mut planted)?;
    write_logs(&out, &planted)?;
    output::done(format_args!("{} signed notifications in {}", planted.messages.len(), out.join("logs").display()));
    output::done(format_args!("{} settlement reports in {}", settlement.len(), out.join("settlement").display()));

    step("4. ingest", "the notification log becomes payments in the ledger");
    let logs = logs::expand(&[out.join("logs/*.jsonl").display().to_string()])?;
    let (keys, tables) = (Keyring::from(vec![SigningKey::new(&secret)]), crate::table::TableSettings::default());
    logs::ingest_files(&setup, &logs, tables.clone(), &keys)?;

    step("5. reconcile", "every line, payment, bill and settlement row of October in exactly one class");
    let ((from, to), report) = (month(PERIOD)?, out.join("5-reconcile"));
    let task = Task {
        evidence: None,
        tables,
        from,
        to,
        as_of: instant(AS_OF),
        logs,
        external_ledger: None,
        request_history: None,
        carry_in: None,
        inquiries: Vec::new(),
        bank: Vec::new(),
        opening: None,
        settlement,
        out: report.clone(),
        language: None,
    };
    let exit = reconcile::run(&setup, &task, &Asking::nobody(keys))?;
    runtime.block_on(sandbox.shutdown());
    step("6. compare", "what was found with what was planted");
    let matches = compare(&out, &report, &planted)?;
    let [workbook, page] = ["workbook.xlsx", "report.html"].map(|name| report.join(name));
    output::done(format_args!("workbook: {}\npage:     {}", workbook.display(), page.display()));
    output::done(format_args!("done in {} s; everything is in {}", began.elapsed().as_secs(), out.display()));
    Ok(match (exit, matches) {
        (Exit::Damaged, _) | (_, false) => Exit::Damaged,
        _ => Exit::Done,
    })
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn step(name: &str, what: &str) {
    output::done(format_args!("\n{name}: {what}"));
}

async fn start(setup: &Setup, secret: &SecretString) -> Result<Running, Failure> {
    let mut settings = crate::sandbox::settings::Settings::new(CLIENT_ID, secret.clone(), 20_261_001);
    settings.faults = Faults { delay_ms: 300, ..Faults::mixed(FAULT_PERCENT) };
    let options = server::Options { clock: setup.clock.clone(), ..server::Options::new(([127, 0, 0, 1], 0).into()) };
    Ok(server::start_with(Model::new(settings), options).await?)
}

fn written(out: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = out.join("input").join(name);
    atomic::write(&path, |file| file.write_all(text.as_bytes()))?;
    Ok(path)
}

/// Runs `issue` until nothing is left over, as cron would on the next night.
fn send(setup: &Setup, file: &Path, secret: &SecretString, out: &Path) -> Result<(), Failure> {
    let flags = Flags { command: "issue", new_ledger: true, reissue_expired: false, retry_rejected: false, sequence_from: None };
    for _ in 0..5 {
        let intake = intake::read(&[file.to_path_buf()], &setup.intake(None, &BillFlags::default())?)?;
        let sent = sending::send(setup, &intake, &flags, &Sending::default(), Ok(secret.clone()), out, None)?;
        if sent != Exit::Partial {
            break;
        }
        output::done("again, for the rest");
    }
    Ok(())
}

/// The sample with every thirteenth premium of an Alfa policy raised and every twenty-ninth policy cancelled.
fn amended_policies() -> Result<(String, BTreeMap<InvoiceNumber, Amount>), Failure> {
    let unusable = |error: csv::Error| Failure::usage(error);
    let mut reader = csv::Reader::from_reader(POLICIES.as_bytes());
    let headers = reader.headers().map_err(unusable)?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap_or(usize::MAX);
    let (invoice, premium, channel) = (column("invoice_number"), column("premium"), column("channel"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut superseded = BTreeMap::new();
    writer.write_record(headers.iter().chain(["action"])).map_err(unusable)?;
    for (row, record) in (0_u64..).zip(reader.records()) {
        let record = record.map_err(unusable)?;
        let is_alfa = record.get(channel) == Some("alfa");
        let before = record.get(premium).and_then(|text| Amount::parse(text).ok());
        let (mut cells, mut action) = (record.iter().map(str::to_owned).collect::<Vec<String>>(), "");
        if is_alfa && row % 29 == 0 {
            action = "cancel";
        } else if let (true, Some(before), Some(cell)) = (is_alfa && row % 13 == 0, before, cells.get_mut(premium)) {
            *cell = before.get().saturating_add(25_000).to_string();
            let number = record.get(invoice).and_then(|text| InvoiceNumber::new(text).ok());
            superseded.extend(number.map(|number| (number, before)));
        }
        cells.push(action.to_owned());
        writer.write_record(&cells).map_err(unusable)?;
    }
    let text = writer.into_inner().map_err(Failure::usage)?;
    Ok((String::from_utf8_lossy(&text).into_owned(), superseded))
}

/// The bills of policies that had lapsed.
fn lapsed(setup: &Setup) -> Result<BTreeSet<InvoiceNumber>, Failure> {
    let mut reader = csv::Reader::from_reader(POLICIES.as_bytes());
    let mut lapsed = BTreeSet::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.map_err(Failure::usage)?;
        let cell = |name: &str| row.get(name).map_or("", String::as_str);
        if setup.config.reconcile.lapsed_policy_statuses.iter().any(|word| word == cell("policy_status")) {
            lapsed.extend(InvoiceNumber::new(cell("invoice_number")).ok());
        }
    }
    Ok(lapsed)
}

fn locked(sandbox: &Running) -> std::sync::MutexGuard<'_, Model> {
    sandbox.model.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the faults did to the run, from the sandbox's own record.
fn attempts(sandbox: &Running) -> String {
    let model = locked(sandbox);
    let faulty = model.calls().iter().filter(|call| call.fault.is_some()).count();
    format!("the sandbox saw {} attempts, {faulty} of them met a fault; it made {} codes", model.calls().len(), model.orders().len())
}

fn plant(sandbox: &Running, story: &DemoStory) -> Result<Planted, Failure> {
    demo::plant(&mut locked(sandbox), story).map_err(Failure::usage)
}

/// DOKU's settlement reports, one file a pay-out day.
fn settle(out: &Path, sandbox: &Running, planted: &mut Planted) -> Result<Vec<PathBuf>, Failure> {
    let reports = demo_settlement::plant(&locked(sandbox), planted)?;
    let written = reports.into_iter().map(|(day, text)| {
        let path = out.join("settlement").join(format!("settlement-{day}.csv"));
        atomic::write(&path, |file| file.write_all(text.as_bytes()))?;
        Ok(path)
    });
    written.collect()
}

impl Setup {
    /// The demo's own configuration: fast pacing, short timeouts, signatures enforced; files and environment do not matter.
    fn for_demo(global: &Global, out: &Path, base_url: &str) -> Result<Self, Failure> {
        let flags = [
            ("doku.base_url", base_url.to_owned()),
            ("doku.client_id", "MCH-0001-DEMO".to_owned()),
            ("doku.verify_response", "enforce".to_owned()),
            ("ledger.path", out.join("demo.ledger").display().to_string()),
            ("journal.path", out.join("demo.journal").display().to_string()),
            ("pacing.rate_per_second", "500".to_owned()),
            ("pacing.burst", "100".to_owned()),
            ("pacing.in_flight_max", "32".to_owned()),
            ("retry.base_ms", "10".to_owned()),
            ("retry.cap_ms", "100".to_owned()),
            ("timeout.request_ms", "200".to_owned()),
        ];
        let mut config = crate::config::resolve(None, [], &flags)?;
        // The stand-in's names and fees; it knows no holidays.
        let names = [("Alfa Group", "alfa"), ("Indomaret", "indomaret")];
        config.settlement.channels = names.map(|(name, channel)| (name.to_owned(), channel.to_owned())).into();
        (config.settlement.alfa.fee_rupiah, config.settlement.indomaret.fee_rupiah) = (5_000, 6_500);
        Ok(Self {
            config,
            json: false,
            quiet: global.quiet,
            clock: crate::clock::Clock::default(),
            file: None,
            standard_input: StandardInput::default(),
            figures: std::cell::RefCell::default(),
            recording: std::cell::OnceCell::new(),
        })
    }
}

/// One log file for each WIB day, lines in the order they arrived; the truth beside them, apart from every result.
fn write_logs(out: &Path, planted: &Planted) -> Result<(), Failure> {
    let mut days: BTreeMap<jiff::civil::Date, Vec<String>> = BTreeMap::new();
    for (received_at, message) in &planted.messages {
        days.entry(wib_date(*received_at)).or_default().push(message.log_line(*received_at));
    }
    for (day, lines) in days {
        let path = out.join("logs").join(format!("notifications-{day}.jsonl"));
        atomic::write(&path, |file| lines.iter().try_for_each(|line| writeln!(file, "{line}")))?;
    }
    atomic::write(&out.join("planted/truth.json"), |file| Ok(serde_json::to_writer_pretty(file, &planted.truth)?))?;
    Ok(())
}

/// Every class, found against planted; a class that appears only on one side counts too.
fn compare(out: &Path, report: &Path, planted: &Planted) -> Result<bool, Failure> {
    let found: Value = serde_json::from_slice(&manifest::summary(report)?).map_err(Failure::usage)?;
    let mut all = true;
    let truth = &planted.truth;
    for (section, truth) in [("lines", &truth.lines), ("payments", &truth.payments), ("settlement", &truth.settlement)] {
        let mut classes: BTreeMap<&str, [Sum; 2]> = truth.iter().map(|(class, tally)| (*class, [*tally, Sum::default()])).collect();
        for (class, tally) in found.get(section).and_then(Value::as_object).into_iter().flatten() {
            let number = |key| tally.get(key).and_then(Value::as_u64).unwrap_or(0);
            let seen = Sum { count: number("count"), rupiah: Rupiah::new(number("amount").into()) };
            if seen.count > 0 {
                let slot = classes.entry(class).or_default();
                *slot = [slot[0], seen];
            }
        }
        for (class, [planted, seen]) in classes {
            let agrees = planted == seen;
            all &= agrees;
            let mark = if agrees { "ok" } else { "DIFFERS" };
            output::done(format_args!("  {class}  planted {:>4}  found {:>4}  {mark}", planted.count, seen.count));
        }
    }
    let words = if all { "every class was found exactly, in count and in rupiah" } else { "found and planted differ" };
    output::done(format_args!("{words}; see {}", out.join("planted/truth.json").display()));
    Ok(all)
}
