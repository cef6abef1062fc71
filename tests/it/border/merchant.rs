//! A merchant's desk: a configuration written by the test, the real binary, and what it left behind.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::Value;

use super::between::Between;
use super::wire::{CLIENT, SECRET};
use crate::support::preload::clock_ahead;
use crate::support::process::{Desk, Finished, Running};

/// The header of every file of bills here.
pub const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minutes,action";

/// Where a row ended, by the result files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub bucket: String,
    /// The words beside it in rejected.csv or deferred.csv.
    pub reason: String,
}

pub struct Merchant {
    desk: Desk,
    pub net: Between,
    settings: std::cell::RefCell<BTreeMap<String, String>>,
    ahead: Cell<i64>,
}

impl Merchant {
    /// A desk whose calls go through `net`; `settings` are dotted keys with their TOML values.
    pub fn open(settings: &[(&str, &str)]) -> Self {
        let merchant = Self { desk: Desk::new(), net: Between::open(), settings: std::cell::RefCell::default(), ahead: Cell::default() };
        let secret = merchant.file("secret", SECRET);
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let text = |value: &str| format!("{value:?}");
        for (key, value) in [
            ("doku.base_url", text(&merchant.net.base_url())),
            ("doku.client_id", text(CLIENT)),
            ("doku.secret_file", text(secret.to_str().unwrap())),
            ("ledger.path", text(merchant.path("tagih.ledger").to_str().unwrap())),
            ("pacing.rate_per_second", "5000".into()),
            ("pacing.burst", "100".into()),
            ("pacing.in_flight_max", "8".into()),
            ("retry.base_ms", "1".into()),
            ("retry.cap_ms", "2".into()),
            ("retry.attempts_max", "2".into()),
            ("retry.breaker_failures", "0".into()),
            ("timeout.request_ms", "10000".into()),
        ] {
            merchant.settings.borrow_mut().insert(key.into(), value);
        }
        merchant.set(settings);
        merchant
    }

    /// Changes the configuration.
    pub fn set(&self, settings: &[(&str, &str)]) {
        let mut all = self.settings.borrow_mut();
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let lines: Vec<String> = all.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        self.file("tagih.toml", lines.join("\n"));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.desk.path(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Writes bills under [`HEAD`].
    pub fn bills<S: AsRef<str>>(&self, name: &str, rows: &[S]) {
        let rows: Vec<&str> = rows.iter().map(AsRef::as_ref).collect();
        self.file(name, format!("{HEAD}\n{}\n", rows.join("\n")));
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let config = self.path("tagih.toml");
        let later = Some(self.ahead.get()).filter(|ahead| *ahead > 0).map(clock_ahead);
        self.desk.start(&[&["--config", config.to_str().unwrap()], arguments].concat(), later.as_ref().map_or(&[], |later| &later[..]))
    }

    /// Time goes by, here and at DOKU, and nobody waits for it.
    pub fn pass(&self, seconds: i64) {
        self.ahead.set(self.ahead.get() + seconds);
        self.net.doku().ahead += SignedDuration::from_secs(seconds);
    }

    /// Runs the program; nothing is ever allowed to panic.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let finished = self.start(arguments).wait();
        assert!(!finished.stderr.contains("panicked"), "{finished:?}");
        finished
    }

    /// Runs it and demands an exit code.
    #[track_caller]
    pub fn expect(&self, exit: i32, arguments: &[&str]) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code(), Some(exit), "{finished:?}");
        finished
    }

    /// `issue` of these bills; the counts of its result files add up, whatever happened (I13).
    #[track_caller]
    pub fn issue<S: AsRef<str>>(&self, exit: i32, rows: &[S], more: &[&str]) -> Finished {
        self.bills("bills.csv", rows);
        drop(fs::remove_dir_all(self.path("out")));
        let finished = self.expect(exit, &[&["issue", "bills.csv", "--out", "out"], more].concat());
        self.ends();
        finished
    }

    /// The same, whatever its exit code.
    #[track_caller]
    pub fn run_issue<S: AsRef<str>>(&self, rows: &[S]) -> Finished {
        self.bills("bills.csv", rows);
        self.run(&["issue", "bills.csv", "--out", "out"])
    }

    pub fn summary(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("out/summary.json")).unwrap()).unwrap()
    }

    /// The rows of a result file, by column.
    pub fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_path(self.path(name)).unwrap().deserialize().map(Result::unwrap).collect()
    }

    /// Where each row of the last run ended, by invoice number. A row stands in no file when it is cancelled or has no live code.
    #[track_caller]
    pub fn ends(&self) -> BTreeMap<String, End> {
        let mut ends = BTreeMap::new();
        for mut row in self.rows("out/accepted.csv") {
            let end = End { bucket: row.remove("action").unwrap(), reason: String::new() };
            ends.insert(row.remove("invoice_number").unwrap(), end);
        }
        for mut row in self.rows("out/rejected.csv") {
            let bucket = if row["code"].starts_with("E04") { "rejected" } else { "refused" };
            let reason = format!("{} {}", row["code"], row["reason"]);
            ends.insert(row.remove("invoice_number").unwrap(), End { bucket: bucket.into(), reason });
        }
        for mut row in self.rows("out/deferred.csv") {
            let end = End { bucket: row.remove("state").unwrap(), reason: row.remove("reason").unwrap() };
            ends.insert(row.remove("invoice_number").unwrap(), end);
        }
        let summary = self.summary();
        let buckets = summary["buckets"].as_object().unwrap();
        let count = |bucket: &str| buckets[bucket].as_u64().unwrap();
        assert_eq!(buckets.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), summary["input_rows"], "I13: {summary}");
        let among = |names: &[&str]| ends.values().filter(|end| names.contains(&end.bucket.as_str())).count() as u64;
        assert_eq!(among(&["in_doubt"]), count("in_doubt"), "{summary} {ends:#?}");
        assert_eq!(among(&["deferred"]), count("deferred"), "{summary} {ends:#?}");
        assert_eq!(among(&["rejected", "refused"]), count("rejected") + count("refused"), "{summary} {ends:#?}");
        ends
    }

    /// The bucket of one row of the last run; `cancelled` or `unchanged` without a code where it stands in no file.
    #[track_caller]
    pub fn end(&self, invoice: &str) -> End {
        self.ends().remove(invoice).unwrap_or_else(|| End { bucket: "in no file".into(), reason: String::new() })
    }

    /// A line of accepted.csv.
    pub fn accepted(&self, invoice: &str) -> Option<BTreeMap<String, String>> {
        self.rows("out/accepted.csv").into_iter().find(|row| row["invoice_number"] == invoice)
    }

    /// Bills by status, those that occur.
    pub fn statuses(&self) -> BTreeMap<String, u64> {
        let ran = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        let counts = status["bills"].as_object().unwrap().iter();
        counts.map(|(name, slot)| (name.clone(), slot["count"].as_u64().unwrap())).filter(|(_, count)| *count > 0).collect()
    }

    /// One bill's status.
    pub fn status(&self, invoice: &str) -> String {
        let ran = self.run(&["why", invoice, "--json"]);
        let why: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        why["status"].as_str().unwrap_or_else(|| panic!("{why}")).to_owned()
    }

    /// The whole story of a bill, for people, on one line.
    pub fn why(&self, invoice: &str) -> String {
        self.run(&["why", invoice]).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The ledger holds together.
    #[track_caller]
    pub fn verify(&self) {
        self.expect(0, &["ledger", "verify"]);
    }
}
