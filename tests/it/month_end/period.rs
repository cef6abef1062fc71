//! `tagih period` and balances carried over: three months of our own ledger, closed one after the other.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use tagih::domain::bill::{Expiry, Policy, RecordedTerms};
use tagih::domain::lifecycle::{CodeAnswer, Event, OperationKind};
use tagih::ledger::{Basis, Ledger as _, NewEvent as LedgerEntry, Private, SqliteLedger};

use crate::reconcile::ours::{line, summary};
use crate::support::bills;
use crate::support::world::{CLIENT, Ran, World};

pub(crate) fn at(text: &str) -> Timestamp {
    format!("{text}T05:00:00Z").parse().unwrap()
}

pub(crate) fn terms(amount: u64, expires: &str, kind: &str) -> RecordedTerms {
    RecordedTerms {
        expiry: Expiry::At(at(expires)),
        policy: Policy { kind: Some(kind.to_owned()), ..Policy::default() },
        ..bills::recorded(amount)
    }
}

pub(crate) fn code(invoice: &str) -> String {
    format!("60590000000000{:02}", invoice[2..].parse::<u8>().unwrap())
}

/// A ledger whose events happened when the test says.
pub(crate) struct Books {
    pub(crate) world: World,
    ledger: SqliteLedger,
    runtime: tokio::runtime::Runtime,
}

impl Books {
    pub(crate) fn new(more: &str) -> Self {
        Self::of(World::at("http://127.0.0.1:1", more))
    }

    pub(crate) fn of(world: World) -> Self {
        let ledger = bills::ledger(&world.path("tagih.ledger"), CLIENT);
        Self { world, ledger, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    pub(crate) fn tell(&self, when: &str, invoice: &str, event: Event) {
        let body = match &event {
            Event::Intended { request_id, .. } => Some((*request_id, bills::BODY.to_vec())),
            Event::Checked { payment: Some(payment), .. } => Some((payment.request_id, invoice.as_bytes().to_vec())),
            _ => None,
        };
        let entry = LedgerEntry {
            invoice_number: bills::invoice(invoice),
            at: at(when),
            event,
            basis: Basis::Any,
            private: Private { body, ..Private::default() },
        };
        self.runtime.block_on(self.ledger.record(vec![entry])).unwrap();
    }

    pub(crate) fn operate(&self, operation: OperationKind, when: &str, invoice: &str, terms: &RecordedTerms, created: &str, expires: &str) {
        self.tell(when, invoice, bills::intended(operation, terms, invoice, &format!("{operation:?} {when} {invoice}")));
        let answer = CodeAnswer { created_at: Some(at(created)), expires_at: Some(at(expires)), ..bills::answer(&code(invoice)) };
        self.tell(when, invoice, bills::accepted(answer));
    }

    pub(crate) fn issue(&self, invoice: &str, amount: u64, when: &str, expires: &str) {
        let kind = if amount < 500_000 { "Motor" } else { "Health" };
        let terms = terms(amount, expires, kind);
        self.tell(when, invoice, Event::Planned { terms: terms.clone() });
        self.operate(OperationKind::Issue, when, invoice, &terms, when, expires);
    }

    fn amend(&self, invoice: &str, amount: u64, when: &str, created: &str, expires: &str) {
        let kind = if amount < 500_000 { "Motor" } else { "Health" };
        self.operate(OperationKind::Amend, when, invoice, &terms(amount, expires, kind), created, expires);
    }

    /// Writes a month's log and takes its payments into the ledger.
    pub(crate) fn log(&self, name: &str, lines: &[String]) {
        self.world.file(name, format!("{}\n", lines.join("\n")));
        self.world.run(&["ingest", name]).expect(0);
    }

    pub(crate) fn reconcile(&self, month: &str, log: &str, as_of: &str, more: &[&str]) -> Ran {
        let as_of = format!("{as_of}T00:00:00Z");
        let ran =
            self.world.run(&[&["reconcile", "--period", month, "--notifications", log, "--as-of", &as_of, "--out", month], more].concat());
        assert!(ran.code <= 1, "{ran:#?}");
        ran
    }

    pub(crate) fn month(&self, month: &str) -> Value {
        summary(&self.world.path(month))["month"].clone()
    }

    /// The lines of a balance that are not zero, such as `opening 1/100, issued 2/300, closing 3/400`.
    pub(crate) fn rolled(&self, month: &str, balance: &str) -> String {
        let rows = self.world.rows(&format!("{month}/roll_forward.csv"));
        let rows = rows.iter().filter(|row| row["balance"] == balance && row["line"] != "carried");
        let lines = rows.map(|row| (row["line"].as_str(), format!("{}/{}", row["count"], row["amount"])));
        lines.filter(|(_, figure)| figure != "0/0").map(|(line, figure)| format!("{line} {figure}")).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn close(&self, month: &str) -> Ran {
        self.world.run(&["period", "close", month, "--report", month, "--by", "Sari", "--reason", "month end"])
    }

    pub(crate) fn august(&self) {
        for (number, amount, when, expires) in [
            (1, 100_000, "2026-08-03", "2026-12-30"),
            (2, 200_000, "2026-08-03", "2026-12-30"),
            (3, 300_000, "2026-08-03", "2026-08-25"),
            (4, 400_000, "2026-08-05", "2026-10-30"),
            (5, 500_000, "2026-08-05", "2026-09-15"),
            (6, 600_000, "2026-08-06", "2026-11-30"),
        ] {
            self.issue(&format!("A-{number}"), amount, when, expires);
        }
        self.operate(OperationKind::Cancel, "2026-08-20", "A-2", &terms(200_000, "2026-12-30", "Motor"), "2026-08-03", "2026-12-30");
        self.amend("A-6", 650_000, "2026-08-15", "2026-08-06", "2026-11-30");
        let lines = [
            line("A-1", &code("A-1"), 100_000, "2026-08-10T03:00:00Z", "T1"),
            line("A-1", &code("A-1"), 100_000, "2026-08-11T03:00:00Z", "T2"),
            line("X-1", "6059999999999991", 77_000, "2026-08-12T03:00:00Z", "T3"),
        ];
        self.log("august.jsonl", &lines);
    }

    fn september(&self) {
        self.amend("A-4", 450_000, "2026-09-10", "2026-08-05", "2026-10-30");
        self.issue("A-7", 700_000, "2026-09-02", "2026-12-30");
        let lines = [
            late(&line("A-5", &code("A-5"), 500_000, "2026-08-30T03:00:00Z", "T4"), "2026-08-30", "2026-09-03"),
            late(&line("X-2", "6059999999999992", 88_000, "2026-08-31T03:00:00Z", "T5"), "2026-08-31", "2026-09-03"),
            line("A-7", &code("A-7"), 700_000, "2026-09-09T03:00:00Z", "T6"),
        ];
        self.log("september.jsonl", &lines);
    }

    fn october(&self) {
        self.issue("A-8", 800_000, "2026-10-08", "2026-12-30");
        self.log("october.jsonl", &[line("A-4", &code("A-4"), 450_000, "2026-10-05T03:00:00Z", "T7")]);
    }
}

/// The same line, received later than it was sent.
pub(crate) fn late(line: &str, from: &str, to: &str) -> String {
    let changed = line.replacen(&format!("\"received_at\":\"{from}"), &format!("\"received_at\":\"{to}"), 1);
    assert_ne!(changed, line);
    changed
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn three_months_roll_forward_to_the_rupiah_and_each_opens_with_what_was_signed_before() {
    let books = Books::new("");
    books.august();
    let ran = books.reconcile("2026-08", "august.jsonl", "2026-09-02", &["--opening", "auto"]);
    ran.says(&["no period before it is closed"]);
    assert_eq!(
        books.rolled("2026-08", "outstanding_codes"),
        "issued 6/2100000, amended 0/50000, settled -1/-100000, cancelled -1/-200000, expired_unpaid -1/-300000, closing 3/1550000"
    );
    assert_eq!(books.rolled("2026-08", "suspense"), "held 1/77000, excess 1/100000, closing 2/177000");
    books.close("2026-08").expect(0);

    books.september();
    books.reconcile("2026-09", "september.jsonl", "2026-10-02", &["--opening", "auto"]);
    assert_eq!(
        books.rolled("2026-09", "outstanding_codes"),
        "opening 3/1550000, prior_period -1/-500000, issued 1/700000, amended 0/50000, settled -1/-700000, closing 2/1100000"
    );
    assert_eq!(books.rolled("2026-09", "suspense"), "opening 2/177000, prior_period 1/88000, closing 3/265000");
    let prior = books.world.rows("2026-09/prior_period.csv");
    let told = |row: &std::collections::BTreeMap<String, String>| {
        format!("{} {} {} {}/{}", row["balance"], row["kind"], row["invoice_number"], row["count"], row["amount"])
    };
    assert_eq!(
        prior.iter().map(told).collect::<Vec<_>>(),
        [
            "doku held X-2 1/88000",
            "doku received A-5 1/500000",
            "outstanding_codes settled A-5 -1/-500000",
            "receivable received A-5 0/-500000",
            "suspense held X-2 1/88000"
        ]
    );
    books.close("2026-09").expect(0);

    books.october();
    books.reconcile("2026-10", "october.jsonl", "2026-11-02", &["--opening", "auto"]);
    assert_eq!(books.rolled("2026-10", "outstanding_codes"), "opening 2/1100000, issued 1/800000, settled -1/-450000, closing 2/1450000");
    books.close("2026-10").expect(0);

    let listed: Value = serde_json::from_str(&books.world.run(&["period", "list", "--json"]).expect(0).stdout).unwrap();
    for (earlier, later) in [("2026-08", "2026-09"), ("2026-09", "2026-10")] {
        let (before, after) = (books.month(earlier), books.month(later));
        assert_eq!(after["opening_from"]["hash"], before["closing_hash"]);
        assert_eq!(after["opening_from"]["signed"], true);
        assert_eq!(after["roll_forwards"]["outstanding_codes"]["opening"], before["roll_forwards"]["outstanding_codes"]["closing"]);
        assert_eq!(after["roll_forwards"]["suspense"]["opening"], before["roll_forwards"]["suspense"]["closing"]);
    }
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert_eq!(listed[2]["close"]["closing"]["opening_hash"], listed[1]["close"]["closing_hash"]);
    assert_eq!(listed[0]["by"], "Sari");
}

#[test]
fn a_closed_period_stays_as_signed_and_a_later_run_says_how_it_differs() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.close("2026-08").expect(0);
    // The report says who signed it, as the list of periods does: closing has written it once more.
    let (signed, page) =
        (books.month("2026-08")["signed"].clone(), std::fs::read_to_string(books.world.path("2026-08/report.html")).unwrap());
    let same = books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    assert!(same.stdout.contains("closed with these balances"), "{same:#?}");
    let listed = books.world.run(&["period", "list"]).expect(0).stdout;
    for part in ["by", "reason"] {
        let text = signed[part].as_str().unwrap();
        assert!(listed.contains(text) && page.contains(text), "{part}: {text}\n{listed}");
    }
    books.september();
    let again = books.reconcile("2026-08", "*.jsonl", "2026-10-02", &[]);
    assert!(again.stdout.contains("outstanding_codes: signed 3 / 1550000, now 2 / 1050000"), "{again:#?}");
    let differences = books.month("2026-08")["signed"]["differences"].as_array().unwrap().len();
    assert_eq!(differences, 5, "codes, suspense, the two lists behind them, and the books");
}

#[test]
fn a_changed_folder_or_journal_is_found_before_anything_rests_on_it() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let as_written: Vec<(String, Vec<u8>)> = crate::support::world::bytes_in(&books.world.path("2026-08")).into_iter().collect();
    for (name, bytes) in as_written.iter().filter(|(name, _)| name != "summary.json") {
        flip(&books.world.path(&format!("2026-08/{name}")));
        books.close("2026-08").expect(7).says(&["E0851", name]);
        books.world.file(&format!("2026-08/{name}"), bytes);
    }
    books.close("2026-08").expect(0);
    books.september();
    let next = ["reconcile", "--period", "2026-09", "--notifications", "september.jsonl", "--opening", "auto", "--out", "2026-09"];
    for name in ["outstanding.parquet", "carry/carry.json", "summary.json"] {
        let path = books.world.path(&format!("2026-08/{name}"));
        let bytes = fs::read(&path).unwrap();
        if name == "summary.json" {
            let text = String::from_utf8(bytes.clone()).unwrap();
            fs::write(&path, text.replace("1550000", "1550001")).unwrap();
        } else if name == "carry/carry.json" {
            fs::write(&path, String::from_utf8(bytes.clone()).unwrap().replace("\"suspense\": -177000", "\"suspense\": -177001")).unwrap();
        } else {
            flip(&path);
        }
        books.world.run(&next).expect(8).says(&["E0850"]);
        fs::write(&path, bytes).unwrap();
    }
    // Another report of the same month, whole but not the one that was signed.
    books.world.run(&[
        "reconcile",
        "--period",
        "2026-08",
        "--notifications",
        "*.jsonl",
        "--as-of",
        "2026-10-02T00:00:00Z",
        "--out",
        "other",
    ]);
    let other = [&next[..5], &["--opening", "other", "--out", "2026-09"]].concat();
    books.world.run(&other).expect(8).says(&["E0850", "was signed"]);
    let journal = books.world.path("tagih.journal");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, String::from_utf8(bytes).unwrap().replace("1550000", "1550001")).unwrap();
    books.world.run(&next).expect(8).says(&["E0801"]);
}

#[test]
fn periods_are_closed_in_order_with_carried_balances_and_reopened_the_last_one_first() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-08-20", &[]);
    books.close("2026-08").expect(2).says(&["E0852", "before their end"]);
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.world.run(&["period", "close", "2026-07", "--report", "2026-08", "--by", "Sari", "--reason", "r"]).expect(2).says(&["E0852"]);
    books.close("2026-08").expect(0);
    books.close("2026-08").expect(2).says(&["E0854", "closed already"]);
    books.september();
    books.reconcile("2026-09", "september.jsonl", "2026-10-02", &[]);
    books.close("2026-09").expect(2).says(&["E0854", "not carried over"]);
    books.october();
    books.reconcile("2026-10", "october.jsonl", "2026-11-02", &[]);
    books.close("2026-10").expect(2).says(&["E0854", "without a gap"]);
    books.reconcile("2026-09", "september.jsonl", "2026-10-02", &["--opening", "auto"]);
    books.close("2026-09").expect(0);
    let reopen = |month: &str| books.world.run(&["period", "reopen", month, "--by", "Budi", "--reason", "a bill was missing"]);
    reopen("2026-08").expect(2).says(&["E0854", "closed after it"]);
    reopen("2026-10").expect(2).says(&["E0854", "not closed"]);
    reopen("2026-09").expect(0);
    reopen("2026-08").expect(0);
    assert_eq!(books.world.run(&["period", "list"]).expect(0).stdout, "");
}

#[test]
fn what_is_proposed_waits_for_a_second_person_whether_or_not_one_is_asked_for() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    let proposed = ["period", "propose", "2026-08", "--report", "2026-08", "--by", "Sari", "--reason", "month end"];
    assert!(books.world.run(&proposed).expect(0).stdout.contains("waits to be approved"));
    let listed = books.world.run(&["period", "list", "--json"]).expect(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert!(listed.as_array().unwrap().iter().all(|entry| entry.get("close").is_none_or(Value::is_null)), "{listed}");
}

#[test]
fn under_four_eyes_a_second_person_must_have_looked() {
    let books = Books::new("[discrepancies]\nfour_eyes = true\n");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.close("2026-08").expect(2).says(&["E0855", "tagih period propose"]);
    let as_person = |uid: &str, arguments: &[&str]| books.world.run_with(&[("SUDO_UID", uid)], &[&["period"], arguments].concat());
    let reason = ["--reason", "month end"];
    let agree =
        |uid: &str, by: &str, to: &str| as_person(uid, &[&["approve", "2026-08", "--proposal", to, "--by", by], &reason[..]].concat());
    let proposal = || -> String {
        let listed = books.world.run(&["period", "list"]).expect(0).stdout.clone();
        let waiting = listed.lines().find_map(|line| line.strip_prefix("proposal ")?.split(' ').next());
        waiting.unwrap_or("none waits").to_owned()
    };
    let approve = |uid: &str, by: &str| agree(uid, by, &proposal());
    let propose = || as_person("1001", &[&["propose", "2026-08", "--report", "2026-08", "--by", "Sari"], &reason[..]].concat()).expect(0);
    propose();
    let looked_at = proposal();
    // Made anew meanwhile, it is another.
    books.reconcile("2026-08", "august.jsonl", "2026-09-03", &[]);
    assert!(propose().stdout.contains(&format!("--proposal {}", proposal())));
    agree("1002", "Budi", &looked_at).expect(2).says(&["E0818", &proposal()]);
    // And the folder alone, under the same proposal, is not what was proposed.
    books.reconcile("2026-08", "august.jsonl", "2026-09-04", &[]);
    approve("1002", "Budi").expect(7).says(&["E0858"]);
    propose();
    // Nor is one of which any file was altered since, if only by a space.
    let files = ["report.html", "workbook.xlsx", "summary.json", "carry/carry.json", "discrepancies.csv", "matched.parquet"];
    for name in files {
        let path = books.world.path(&format!("2026-08/{name}"));
        let sound = fs::read(&path).unwrap();
        fs::write(&path, [&sound[..], b" "].concat()).unwrap();
        approve("1002", "Budi").expect(7).says(&["E0851"]);
        fs::write(&path, sound).unwrap();
    }
    assert!(!books.world.run(&["period", "list"]).expect(0).stdout.contains("  hash"), "a proposal closes nothing");
    approve("1001", "Budi").expect(2).says(&["E0855", "who proposed it"]);
    approve("1002", " SARI ").expect(2).says(&["E0855"]);
    approve("1002", "Budi").expect(0);
    approve("1002", "Budi").expect(2).says(&["E0856"]);
    assert!(books.world.run(&["period", "list"]).expect(0).stdout.contains("reviewed by Sari"));
    as_person("1001", &[&["reopen", "2026-08", "--by", "Sari"], &reason[..]].concat()).expect(2).says(&["E0855"]);
    as_person("1001", &[&["propose", "2026-08", "--reopen", "--by", "Sari"], &reason[..]].concat()).expect(0);
    assert!(books.world.run(&["period", "list"]).expect(0).stdout.contains("2026-08-01"));
    agree("1002", "Budi", &looked_at).expect(2).says(&["E0818"]);
    approve("1002", "Budi").expect(0);
    assert!(!books.world.run(&["period", "list"]).expect(0).stdout.contains("2026-08-01"));
}

#[test]
fn a_refund_decided_in_the_next_month_leaves_suspense_and_the_open_discrepancies_of_that_month() {
    let books = Books::new("");
    books.august();
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    books.world.run(&["discrepancies", "take", "2026-08", "--by", "Sari"]).expect(0);
    books.reconcile("2026-08", "august.jsonl", "2026-09-02", &[]);
    assert_eq!(books.month("2026-08")["closing"]["open_discrepancies"]["count"], 2, "P01 and P06");
    books.close("2026-08").expect(0);
    let ids = books.world.rows("2026-08/suspense.csv").into_iter().filter(|row| row["class"] == "P01");
    let id = ids.map(|row| row["discrepancy_id"].clone()).next().unwrap();
    // What is signed does not change: by no decision, and by no row of a file.
    let back = ["discrepancies", "accept", &id, "--action", "refund", "--effective", "2026-08-31", "--reason", "found", "--by", "Sari"];
    books.world.run(&back).expect(2).says(&["E0817", "2026-08-31", "hint:"]);
    books.world.run(&["discrepancies", "export", "--out", "items.csv", "--report", "2026-08", "--by", "Sari"]).expect(0);
    let mut rows = books.world.rows("items.csv");
    let filled = rows.iter_mut().find(|row| row["discrepancy_id"].trim_start_matches("D-") == id).unwrap();
    for (column, value) in [("action", "refund"), ("reason", "found"), ("effective_on", "2026-08-31")] {
        filled.insert(column.to_owned(), value.to_owned());
    }
    let header: Vec<String> = filled.keys().cloned().collect();
    let cells: Vec<String> = filled.values().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    fs::write(books.world.path("filled.csv"), format!("{}\n{}\n", header.join(","), cells.join(","))).unwrap();
    books.world.run(&["discrepancies", "import", "filled.csv", "--by", "Sari"]).expect(7).says(&["filled.csv:2:effective_on", "E0817"]);
    let refund = ["discrepancies", "accept", &id, "--action", "refund", "--effective", "2026-09-15"];
    books.world.run(&[&refund[..], &["--reason", "payer found", "--by", "Sari"]].concat()).expect(0);
    books.september();
    books.reconcile("2026-09", "september.jsonl", "2026-10-02", &["--opening", "auto"]);
    let suspense = books.rolled("2026-09", "suspense");
    assert_eq!(suspense, "opening 2/177000, prior_period 1/88000, refund_decided -1/-77000, closing 2/188000");
    books.close("2026-09").expect(0);
}
