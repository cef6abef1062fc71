//! Runs the engine on a world, reads back what it wrote, and holds it against the oracle; shrinks what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tagih::doku::signature::SigningKey;
use tagih::domain::classify::{MatchingPolicy, Unverifiable};
use tagih::jobs::reconcile::{self, Billed, ReconcileOptions};

use super::evidence::hex;
use super::naive::{Outcome, Totals};
use super::world::{HOUR, MINUTE, Settings, World};
use crate::support::folder::temporary;
use crate::support::message::{CLIENT, SECRET};

/// Runs the engine on the world's files in `folder`; the results are in the folder this gives.
pub(crate) fn run(world: &World, folder: &Path) -> PathBuf {
    let (ledger, logs) = world.write(folder);
    let out = folder.join("out");
    run_on_file(&ledger, &options(&world.settings, logs, out.clone()));
    out
}

/// Runs the engine on an external ledger.
pub(crate) fn run_on_file(ledger: &Path, options: &ReconcileOptions) -> reconcile::ReconcileReport {
    let report = Billed::external(ledger, options).and_then(|billed| reconcile::run(billed, options));
    report.unwrap_or_else(|error| panic!("the engine refused: {error}"))
}

pub(crate) fn policy(settings: &Settings) -> MatchingPolicy {
    MatchingPolicy {
        tolerance_rupiah: settings.tolerance,
        expiry_grace_minutes: settings.expiry_grace / MINUTE,
        skew_minutes: settings.skew / MINUTE,
        unverifiable: if settings.trust_log { Unverifiable::TrustLog } else { Unverifiable::Strict },
        ..MatchingPolicy::default()
    }
}

/// The first and the last WIB day.
pub(crate) fn days(settings: &Settings) -> (Date, Date) {
    let wib_day = |second: i64| Timestamp::from_second(second + 7 * HOUR).unwrap().to_zoned(TimeZone::UTC).date();
    (wib_day(settings.from), wib_day(settings.until - 1))
}

pub(crate) fn options(settings: &Settings, notifications: Vec<PathBuf>, out: PathBuf) -> ReconcileOptions {
    let as_of = Timestamp::from_second(settings.as_of).unwrap();
    ReconcileOptions { policy: policy(settings), ..plain(days(settings), as_of, notifications, out) }
}

/// A run over logs alone, as of `as_of`, of the tests' client.
pub(crate) fn plain((from, to): (Date, Date), as_of: Timestamp, notifications: Vec<PathBuf>, out: PathBuf) -> ReconcileOptions {
    ReconcileOptions {
        asked: reconcile::LedgersAsked::default(),
        evidence: None,
        tables: tagih::table::TableSettings::default(),
        inquiries: Vec::new(),
        bank: Vec::new(),
        notifications,
        from,
        to,
        as_of,
        keys: vec![SigningKey::new(&SecretString::from(SECRET.to_owned()))].into(),
        client_id: CLIENT.to_owned(),
        policy: MatchingPolicy::default(),
        carry_in: None,
        request_history: None,
        settlement: None,
        opening: None,
        journal: None,
        books: tagih::books::BooksSettings::default(),
        out,
        presentation: None,
    }
}

/// What the engine says of a world.
pub(crate) fn actual(world: &World) -> Outcome {
    let folder = temporary();
    read_outcome(&run(world, folder.path()))
}

/// What the engine wrote into `folder`. Its control identities must hold.
pub(crate) fn read_outcome(folder: &Path) -> Outcome {
    let summary: Value = serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap();
    for identity in summary["identities"].as_array().unwrap() {
        assert_eq!(identity["holds"], true, "{identity}");
        assert_eq!(identity["left"], identity["right"], "{identity}");
    }
    for identity in summary["books"]["identities"].as_array().unwrap() {
        assert_eq!(identity["left"], identity["right"], "{identity}");
    }
    let totals = |name: &str| -> Totals {
        let classes = summary[name].as_object().unwrap().iter();
        let numbers = classes.map(|(class, total)| (class.clone(), (total["count"].as_u64().unwrap(), integer(&total["amount"]))));
        numbers.filter(|(_, (count, _))| *count > 0).collect()
    };
    let flags = summary["flags"].as_object().unwrap().iter().map(|(flag, count)| (flag.clone(), count["count"].as_u64().unwrap()));
    let mut outcome = Outcome {
        lines: totals("lines"),
        payments: totals("payments"),
        bills: totals("bills"),
        settlement: if summary.get("settlement").is_some() { totals("settlement") } else { Totals::new() },
        flags: flags.filter(|(_, count)| *count > 0).collect(),
        ..Outcome::default()
    };
    let mut rows = csv::Reader::from_path(folder.join("discrepancies.csv")).unwrap();
    let mut ids: BTreeMap<[String; 3], BTreeMap<String, String>> = BTreeMap::new();
    for row in rows.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        // A decision names a row by its id. (Worlds have ledgers that list one number and code at both chains, or for two sums: bills of one id.)
        let before = ids.insert(["discrepancy_id", "channel", "amount_expected"].map(|name| row[name].clone()), row.clone());
        assert_eq!(before, None, "two rows of one id: {row:?}");
        // What the books alone tell of is theirs to prove; of groups, another test tells.
        if row["reason"].starts_with("open since") || row["class"] == "L14" {
            // But what it tells of a bill besides, in place of a row of that bill's own.
            let flags = row["flags"].split(';').filter(|flag| !flag.is_empty());
            let bills = row["invoice_number"].split(' ');
            outcome.told_in_books.extend(flags.flat_map(|flag| bills.clone().map(move |bill| (flag.to_owned(), bill.to_owned()))));
            continue;
        }
        if ["L10", "S10"].contains(&row["class"].as_str()) {
            outcome.malformed_rows += 1;
        } else {
            *outcome.findings.entry(finding(&row)).or_default() += 1;
        }
    }
    outcome
}

/// Whether oracle and engine disagree. The oracle has no books, and the list is theirs: a payment short or over and a bill paid twice have no
/// row of their own, what came to no rupiah has none, and a bill has one as long as something is owed on it, which a cancellation or what
/// the ledger marks may end, and which never is on a reusable one; an open bill that is an alarm is told with what nothing proves of it. Whatever
/// the engine lists of evidence, the oracle lists too; money that waits, alarms and settlement agree.
pub(crate) fn differs(oracle: &Outcome, engine: &Outcome) -> bool {
    // An open bill by its flags, a doubt by its class.
    let is_told_in_books = |finding: &str| {
        let bill = finding.split_once("] ").and_then(|(_, rest)| rest.split(' ').nth(2)).unwrap_or_default();
        let flags = finding.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(flags, _)| flags);
        let class = finding.get(..3).filter(|class| *class != "L01");
        let mut told = class.into_iter().chain(flags.split(';').filter(|flag| !flag.is_empty()));
        told.all(|flag| engine.told_in_books.contains(&(flag.to_owned(), bill.to_owned())))
    };
    let missing = |finding: &str| match finding.get(..3).unwrap_or_default() {
        "L01" | "L06" => is_told_in_books(finding),
        "P03" | "P04" | "P10" | "L12" | "L11" | "L05" | "L02" => true,
        "S02" => finding.contains(" paid 0 "),
        _ => false,
    };
    let agree = |(finding, count): (&String, &u64)| engine.findings.get(finding).map_or(missing(finding), |found| found == count);
    let same = Outcome { findings: oracle.findings.clone(), told_in_books: BTreeSet::new(), ..engine.clone() };
    same != *oracle || !oracle.findings.iter().all(agree) || engine.findings.keys().any(|finding| !oracle.findings.contains_key(finding))
}

/// A row of discrepancies.csv in the oracle's words.
fn finding(row: &BTreeMap<String, String>) -> String {
    let cell = |name: &str| row[name].as_str();
    let subject = match cell("class").as_bytes()[0] {
        b'N' => cell("evidence").to_owned(),
        side => {
            // An unsettled payment (S02) is a payment, too.
            let paid_at = if side == b'P' || !cell("paid_at").is_empty() {
                format!("{} ", cell("paid_at").parse::<Timestamp>().unwrap())
            } else {
                String::new()
            };
            let (due, paid, difference) = (cell("amount_expected"), cell("amount_paid"), cell("amount_difference"));
            if let (Ok(due), Ok(paid)) = (due.parse::<i128>(), paid.parse::<i128>()) {
                assert_eq!(difference, (paid - due).to_string(), "{row:?}");
            }
            format!("{} {} due {due} paid {paid} {paid_at}{}", cell("invoice_number"), cell("payment_code"), cell("evidence"))
        }
    };
    format!("{} [{}] {} {} {subject}", cell("class"), cell("flags"), cell("nature"), cell("severity"))
}

fn integer(value: &Value) -> i128 {
    value.to_string().trim_matches('"').parse().unwrap()
}

/// Leaves out files, lines and rows for as long as `differs` holds.
pub(crate) fn shrink(world: &World, differs: impl Fn(&World) -> bool) -> World {
    let mut smallest = world.clone();
    loop {
        let mut candidates = Vec::new();
        for row in 0..smallest.rows.len() {
            let mut candidate = smallest.clone();
            candidate.rows.remove(row);
            candidates.push(candidate);
        }
        for file in 0..smallest.files.len() {
            for line in 0..smallest.files[file].lines.len() {
                let mut candidate = smallest.clone();
                candidate.files[file].lines.remove(line);
                candidates.push(candidate);
            }
            if smallest.files.len() > 1 && smallest.files[file].lines.is_empty() {
                let mut candidate = smallest.clone();
                candidate.files.remove(file);
                candidates.push(candidate);
            }
        }
        match candidates.into_iter().find(|candidate| differs(candidate)) {
            Some(candidate) => smallest = candidate,
            None => return smallest,
        }
    }
}

/// The world and both results, for a person to judge.
pub(crate) fn describe(seed: u64, world: &World, oracle: &Outcome, engine: &Outcome) -> String {
    let mut text = format!("seed {seed}: oracle and engine disagree\n{:#?}\nledger:\n{}", world.settings, world.ledger_text());
    for file in &world.files {
        writeln!(text, "log:\n{}", file.text()).unwrap();
    }
    for (name, ours, theirs) in
        [("lines", &oracle.lines, &engine.lines), ("payments", &oracle.payments, &engine.payments), ("bills", &oracle.bills, &engine.bills)]
    {
        if ours != theirs {
            writeln!(text, "{name}: oracle {ours:?}\n{name}: engine {theirs:?}").unwrap();
        }
    }
    if oracle.flags != engine.flags || oracle.malformed_rows != engine.malformed_rows {
        writeln!(text, "flags: oracle {:?} L10 {}", oracle.flags, oracle.malformed_rows).unwrap();
        writeln!(text, "flags: engine {:?} L10 {}", engine.flags, engine.malformed_rows).unwrap();
    }
    for (whose, ours, theirs) in [("oracle", oracle, engine), ("engine", engine, oracle)] {
        for (finding, count) in ours.findings.iter().filter(|(finding, count)| theirs.findings.get(*finding) != Some(count)) {
            writeln!(text, "only {whose}: {count} x {finding}").unwrap();
        }
    }
    text
}

/// Every file of a folder, and of those in it, with its bytes.
pub(crate) fn bytes_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(bytes_of(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Every digest in discrepancies.csv but those of ledger rows is in evidence.csv, and the bytes at its position have it.
pub(crate) fn check_positions(out: &Path, inputs: &Path) {
    let mut cited: BTreeSet<String> = BTreeSet::new();
    let mut rows = csv::Reader::from_path(out.join("discrepancies.csv")).unwrap();
    for row in rows.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        if row["class"] != "L10" {
            cited.extend(row["evidence"].split(';').filter(|digest| !digest.is_empty()).map(str::to_owned));
        }
    }
    let mut found = BTreeSet::new();
    let mut positions = csv::Reader::from_path(out.join("evidence.csv")).unwrap();
    for row in positions.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let name = Path::new(&row["file"]).file_name().unwrap();
        if name == "ledger.csv" {
            continue;
        }
        let bytes = fs::read(inputs.join(name)).unwrap();
        let start: usize = row["byte"].parse().unwrap();
        let line = bytes[start..].split(|byte| *byte == b'\n').next().unwrap();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert_eq!(hex(&Sha256::digest(line)), row["digest"], "{row:?}");
        let number = bytes[..start].split(|byte| *byte == b'\n').count();
        assert_eq!(row["line"], number.to_string(), "{row:?}");
        found.insert(row["digest"].clone());
    }
    assert_eq!(cited, found, "digests cited and digests with a position");
}
