//! From log text and a ledger file to the folder: every class that is evaluated, and what must not change the result.

mod books;
mod order;
mod own;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jiff::civil::date;
use secrecy::SecretString;

use super::*;
use crate::doku::keyring::Keyring;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::classify::{MatchingPolicy, Unverifiable};
use crate::domain::digest;

const CLIENT: &str = "MCH-0001";
const HEADER: &str = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,paid_at,paid_amount,amount_history,bill_group";

fn key(secret: &str) -> SigningKey {
    SigningKey::new(&SecretString::from(secret.to_owned()))
}

/// A notification, to be changed before it is signed.
#[derive(Clone)]
struct Note {
    invoice: String,
    code: String,
    amount: String,
    date: String,
    trx: String,
    status: &'static str,
    chain: &'static str,
    received: String,
    request_id: String,
    client: &'static str,
    secret: &'static str,
}

fn note(invoice: &str, code: &str, amount: &str) -> Note {
    Note {
        invoice: invoice.into(),
        code: code.into(),
        amount: amount.into(),
        date: "2026-10-05T03:00:00Z".into(),
        trx: format!("T-{invoice}-{code}"),
        status: "SUCCESS",
        chain: "ALFA",
        received: "2026-10-05T03:00:05Z".into(),
        request_id: format!("r-{invoice}-{code}-{amount}"),
        client: CLIENT,
        secret: "present",
    }
}

impl Note {
    fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn body(&self) -> String {
        let Self { invoice, code, amount, date, trx, status, chain, .. } = self;
        format!(
            r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"{chain}"}},"channel":{{"id":"ONLINE_TO_OFFLINE_{chain}"}},"transaction":{{"status":"{status}","date":"{date}"}},"order":{{"invoice_number":"{invoice}","amount":{amount}}},"online_to_offline_info":{{"payment_code":"{code}"}},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_ID","value":"A"}},{{"name":"AGENT_STORE_ID","value":"S"}},{{"name":"AGENT_TRX_ID","value":"{trx}"}}]}}}}"#
        )
    }

    fn line(&self) -> String {
        self.line_with(&self.body())
    }

    fn line_with(&self, body: &str) -> String {
        let stamp = "2026-10-05T03:00:01Z";
        let components = Components {
            client_id: self.client,
            request_id: &self.request_id,
            stamp: Stamp::Request(stamp),
            target: "/payments/notifications",
            body: Some(body.as_bytes()),
        };
        let signature = key(self.secret).sign(&components).unwrap();
        serde_json::json!({
            "received_at": self.received,
            "target": "/payments/notifications",
            "headers": {"client-id": self.client, "request-id": self.request_id, "request-timestamp": stamp, "signature": signature},
            "body": body,
        })
        .to_string()
    }
}

/// Bills and lines of which each evaluated class occurs, as a table of what is expected.
fn world() -> (Vec<String>, Vec<String>) {
    let bills = [
        "I-OK,1001,alfa,150000,PAID,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,2026-10-05T03:00:00Z,150000,,",
        "I-MARK,1002,alfa,150000,PAID,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,2026-10-06T03:00:00Z,,,",
        "I-UNDER,1003,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-TWICE,1004,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-CANCELLED,1005,alfa,150000,CANCELLED,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,2026-10-03T00:00:00Z,,,,",
        "I-LATE,1006,alfa,150000,EXPIRED,false,2026-10-01T00:00:00Z,2026-10-04T00:00:00Z,,,,,",
        "I-EXPIRED,1007,alfa,150000,EXPIRED,false,2026-10-01T00:00:00Z,2026-10-20T00:00:00Z,,,,,",
        "I-OPEN,1008,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-NONE,,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,,,,,,",
        "I-AMENDED,1009,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,100000;120000,",
        "I-CHANNEL,1010,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-EARLY,1011,alfa,150000,ACTIVE,false,2026-10-05T03:20:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-OVER,1012,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-MANY,1013,alfa,150000,ACTIVE,true,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-GROUP-A,1014,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,debt",
        "I-GROUP-B,1015,indomaret,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,debt",
        "I-SAME-A,1016,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-SAME-B,1016,alfa,150000,ACTIVE,false,2026-10-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,",
        "I-SEPTEMBER,1017,alfa,150000,PAID,false,2026-09-01T00:00:00Z,2026-11-20T00:00:00Z,,2026-09-05T00:00:00Z,,,",
        "I-AGED,1018,alfa,150000,EXPIRED,false,2026-10-01T00:00:00Z,2026-10-01T00:00:00Z,,,,,",
        "I-GONE,1019,alfa,150000,EXPIRED,false,2026-08-01T00:00:00Z,2026-09-01T00:00:00Z,,,,,",
        "I-BAD,10x9,alfa,150000,ACTIVE,false,,,,,,,",
    ];
    let ok = note("I-OK", "1001", "150000");
    let twice = note("I-TWICE", "1004", "150000");
    let conflict = note("I-CONFLICT", "9001", "5000");
    let virtual_account = note("I-VA", "1", "1").line_with(r#"{"service":{"id":"VIRTUAL_ACCOUNT"}}"#);
    let lines = vec![
        ok.line(),
        ok.clone().but(|n| n.received = "2026-10-05T03:30:06Z".into()).line(),
        ok.clone().but(|n| (n.status, n.request_id) = ("FAILED", "f".into())).line(),
        note("I-OPEN", "1008", "150000").but(|n| (n.status, n.trx) = ("PENDING", "waiting".into())).line(),
        note("I-UNDER", "1003", "149000").line(),
        twice.line(),
        twice.clone().but(|n| (n.trx, n.date, n.request_id) = ("second".into(), "2026-10-06T03:00:00Z".into(), "s".into())).line(),
        note("I-CANCELLED", "1005", "150000").line(),
        note("I-LATE", "1006", "150000").line(),
        note("I-AMENDED", "1009", "120000").line(),
        note("I-CHANNEL", "1010", "150000").but(|n| n.chain = "INDOMARET").line(),
        note("I-EARLY", "1011", "150000").line(),
        note("I-OVER", "1012", "150500").line(),
        note("I-MANY", "1013", "150000").line(),
        note("I-MANY", "1013", "150000").but(|n| (n.trx, n.request_id) = ("again".into(), "m".into())).line(),
        note("I-GROUP-A", "1014", "150000").line(),
        note("I-GROUP-B", "1015", "150000").but(|n| (n.chain, n.date) = ("INDOMARET", "2026-10-07T03:00:00Z".into())).line(),
        note("I-UNKNOWN", "1016", "150000").line(),
        note("I-STRANGE", "9999", "77000").line(),
        note("I-OK", "1002", "150000").but(|n| n.trx = "mixed".into()).line(),
        note("I-SEPTEMBER", "1017", "150000").line(),
        note("I-OPEN", "1008", "150000").but(|n| n.date = "2026-11-01T03:00:00Z".into()).line(),
        note("I-OPEN", "1008", "150000.5").but(|n| n.trx = "half".into()).line(),
        conflict.line(),
        conflict.clone().but(|n| (n.amount, n.received) = ("6000".into(), "2026-10-05T03:10:00Z".into())).line(),
        note("I-FORGED", "1", "150000").but(|n| n.secret = "another").line(),
        note("I-FOREIGN", "1", "150000").but(|n| n.client = "MCH-OTHER").line(),
        ok.body(),
        virtual_account,
        note("I-OK", "", "150000").line(),
        "{\"received_at\":\"2026".to_owned(),
    ];
    (bills.map(str::to_owned).to_vec(), lines)
}

fn options(folder: &Path, logs: &[(&str, Vec<u8>)], bills: &[String]) -> ReconcileOptions {
    let ledger = folder.join("bills.csv");
    std::fs::write(&ledger, format!("{HEADER}\n{}\n", bills.join("\n"))).unwrap();
    let notifications = logs.iter().map(|(name, bytes)| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    });
    ReconcileOptions {
        asked: LedgersAsked::default(),
        evidence: None,
        tables: crate::table::TableSettings::default(),
        notifications: notifications.collect(),
        from: date(2026, 10, 1),
        to: date(2026, 10, 31),
        as_of: "2026-12-05T00:00:00Z".parse().unwrap(),
        keys: vec![key("present"), key("earlier")].into(),
        client_id: CLIENT.into(),
        policy: MatchingPolicy::default(),
        carry_in: None,
        request_history: None,
        settlement: None,
        inquiries: Vec::new(),
        bank: Vec::new(),
        opening: None,
        journal: None,
        books: crate::books::BooksSettings::default(),
        out: folder.join("out"),
        presentation: None,
    }
}

/// On the bills beside the output folder.
fn run(options: &ReconcileOptions) -> Result<ReconcileReport, ReconcileError> {
    super::run(Billed::external(&options.out.with_file_name("bills.csv"), options)?, options)
}

fn text(lines: &[String]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// The classes that occurred, as `P00×1`.
fn counts(figures: &BTreeMap<&'static str, crate::domain::sum::Sum>) -> String {
    let mut text = String::new();
    for (class, figures) in figures.iter().filter(|(_, figures)| figures.count > 0) {
        write!(text, "{class}×{} ", figures.count).unwrap();
    }
    text.trim_end().to_owned()
}

fn file(options: &ReconcileOptions, name: &str) -> Vec<u8> {
    std::fs::read(options.out.join(name)).unwrap()
}

#[test]
fn every_evaluated_class_comes_out_of_log_text_and_every_identity_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, lines) = world();
    let options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    let report = run(&options).unwrap();
    let summary = &report.summary;
    assert_eq!(counts(&summary.lines), "N00×21 N01×1 N02×1 N03×1 N04×1 N06×1 N07×1 N08×1 N09×1 N12×1 N13×1");
    assert_eq!(
        counts(&summary.payments),
        "P00×3 P01×2 P02×1 P03×1 P04×1 P06×2 P07×1 P08×1 P09×1 P10×1 P11×1 P12×1 P13×2 P15×1 P16×1 P17×1"
    );
    // As of 5 December the bills that expire on 20 November are expired; one of them is paid in November.
    assert_eq!(counts(&summary.bills), "L00×8 L01×1 L02×4 L04×1 L05×1 L11×2 L12×2");
    assert_eq!(counts(&summary.counted_apart), "L10×1");
    assert_eq!(
        summary.not_evaluated,
        [
            "P18", "P19", "L06", "L08", "L09", "S10", "S11", "S12", "S07", "S14", "S06", "S13", "S01", "S03", "S05", "S04", "S09", "S08",
            "S00", "S02", "I03", "I04", "I02", "I00", "I01"
        ]
    );
    assert_eq!(summary.flags.get("conflicting").unwrap().count, 1);
    assert_eq!(summary.flags.get("L07"), None, "both codes have expired by December");
    assert!(report.identities_hold, "{:#?}", summary.identities);
    assert_eq!(report.breaks, summary.discrepancies.breaks);
}

#[test]
fn discrepancies_say_why_and_evidence_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, lines) = world();
    let options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    run(&options).unwrap();
    let rows = String::from_utf8(file(&options, "discrepancies.csv")).unwrap();
    let second = rows.lines().find(|row| row.contains("P06") && row.contains("I-TWICE")).unwrap();
    assert!(second.contains(",BREAK,critical,I-TWICE,1004,alfa,150000,150000,0,2026-10-06T10:00:00+07:00,"), "{second}");
    let (rest, _) = second.rsplit_once(",2026-10,2026-10,open,,").expect("how it stands comes last");
    let (_, cited) = rest.rsplit_once(',').unwrap();
    assert_eq!(cited, digest::hex(&digest::of_bytes(lines[6].as_bytes())));
    let evidence = String::from_utf8(file(&options, "evidence.csv")).unwrap();
    let offset: usize = lines[..6].iter().map(|line| line.len() + 1).sum();
    let found = evidence.lines().find(|row| row.starts_with(cited)).unwrap();
    assert!(found.ends_with(&format!("a.jsonl,7,{offset}")), "{found}");
    assert!(!rows.contains(",P10,") && !rows.contains(",L12,"), "what is short stands on its bill, what is over in suspense: {rows}");
    let candidates = rows.lines().find(|row| row.contains(",P15,")).unwrap();
    assert!(candidates.contains("I-SAME-A / 1016, I-SAME-B / 1016"), "{candidates}");
    assert_eq!(rows.lines().count(), file(&options, "discrepancies.jsonl").split(|&byte| byte == b'\n').count());
}

#[test]
fn open_codes_shared_by_two_invoices_are_critical() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, lines) = world();
    let mut options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    options.as_of = "2026-11-01T00:00:00Z".parse().unwrap();
    let report = run(&options).unwrap();
    assert_eq!(report.summary.flags.get("L07").unwrap().count, 2);
    let rows = String::from_utf8(file(&options, "discrepancies.csv")).unwrap();
    assert_eq!(rows.lines().filter(|row| row.contains(",L01,L07,BREAK,critical,I-SAME-")).count(), 2);
}

#[test]
fn a_reused_request_id_is_flagged_on_every_line_and_its_money_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, _) = world();
    let reused = |invoice: &str, code: &str| note(invoice, code, "150000").but(|n| n.request_id = "same".into()).line();
    let lines = [reused("I-OK", "1001"), reused("I-OVER", "1012"), note("I-LATE", "1006", "150000").line()];
    let elsewhere = note("I-CHANNEL", "1010", "150000").but(|n| (n.request_id, n.chain) = ("same".into(), "INDOMARET")).line();
    let options = options(folder.path(), &[("a.jsonl", text(&[&lines[..], &[elsewhere]].concat()))], &bills);
    let report = run(&options).unwrap();
    assert_eq!(report.summary.flags.get("N05").unwrap().count, 3);
    assert_eq!(report.summary.lines.get("N00").unwrap().count, 4);
    assert_eq!(counts(&report.summary.payments), "P00×2 P07×1 P11×1");
    let rows = String::from_utf8(file(&options, "discrepancies.csv")).unwrap();
    assert_eq!(rows.lines().filter(|row| row.contains(",N00,N05,BREAK,critical,")).count(), 3);
    assert!(rows.contains(",N00,N05,BREAK,critical,I-CHANNEL,1010,alfa,"), "the bill's channel, as in every row of it: {rows}");
}

#[test]
fn an_earlier_key_still_verifies_and_an_unverifiable_log_counts_only_by_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, _) = world();
    let bare = note("I-OVER", "1012", "150000").body();
    let rotated = note("I-OK", "1001", "150000").but(|n| n.secret = "earlier").line();
    let mut options = options(folder.path(), &[("a.jsonl", text(&[rotated, bare]))], &bills);
    assert_eq!(counts(&run(&options).unwrap().summary.lines), "N00×1 N03×1");
    options.policy.unverifiable = Unverifiable::TrustLog;
    let trusted = run(&options).unwrap();
    assert_eq!(counts(&trusted.summary.lines), "N00×2");
    assert_eq!(trusted.summary.flags.get("N03").unwrap().count, 1);
    assert_eq!(counts(&trusted.summary.payments), "P00×2");
    options.keys = Keyring::default();
    options.policy.unverifiable = Unverifiable::Strict;
    assert_eq!(counts(&run(&options).unwrap().summary.lines), "N03×2", "without a key nothing is forged, only unverifiable");
}

#[test]
fn evidence_after_the_period_is_read_and_flagged() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, _) = world();
    let late = note("I-OK", "1001", "150000")
        .but(|n| (n.date, n.received) = ("2026-10-31T16:50:00Z".into(), "2026-10-31T17:10:00Z".into()))
        .line();
    let later = note("I-OVER", "1012", "150000").but(|n| n.received = "2026-11-01T17:00:01Z".into()).line();
    let report = run(&options(folder.path(), &[("a.jsonl", text(&[late, later]))], &bills)).unwrap();
    assert_eq!(counts(&report.summary.payments), "P00×2");
    assert_eq!((report.summary.late_evidence.count, report.summary.late_evidence_after_grace.count), (2, 1));
}

#[test]
fn a_payment_carried_in_from_an_earlier_folder_makes_the_next_a_second_payment() {
    let folder = tempfile::tempdir().unwrap();
    let bills = ["I-X,7,alfa,5000,ACTIVE,false,2026-09-01T00:00:00Z,2026-11-20T00:00:00Z,,,,,".to_owned()];
    let first = note("I-X", "7", "5000").but(|n| n.date = "2026-09-10T00:00:00Z".into()).line();
    let mut september = options(folder.path(), &[("s.jsonl", text(&[first]))], &bills);
    (september.from, september.to) = (date(2026, 9, 1), date(2026, 9, 30));
    september.out = folder.path().join("september");
    assert_eq!(counts(&run(&september).unwrap().summary.payments), "P00×1");
    let again = note("I-X", "7", "5000").but(|n| n.trx = "another".into()).line();
    let mut october = options(folder.path(), &[("o.jsonl", text(&[again]))], &bills);
    assert_eq!(counts(&run(&october).unwrap().summary.payments), "P00×1");
    october.carry_in = Some(september.out);
    let report = run(&october).unwrap();
    assert_eq!(counts(&report.summary.payments), "P06×1");
    assert!(report.identities_hold);
}

#[test]
fn formulas_are_disarmed_in_csv_and_exact_in_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [note("=HYPERLINK(1)", "9", "5000").line()];
    let options = options(folder.path(), &[("a.jsonl", text(&lines))], &[]);
    run(&options).unwrap();
    let csv = String::from_utf8(file(&options, "discrepancies.csv")).unwrap();
    assert!(csv.contains(",'=HYPERLINK(1),"), "{csv}");
    let json = String::from_utf8(file(&options, "discrepancies.jsonl")).unwrap();
    assert!(json.contains(r#""invoice_number":"=HYPERLINK(1)""#), "{json}");
}

#[test]
fn a_ledger_without_a_mandatory_column_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), &[("a.jsonl", Vec::new())], &[]);
    std::fs::write(folder.path().join("bills.csv"), "invoice_number,amount\n").unwrap();
    let error = run(&options).unwrap_err().to_string();
    assert!(error.starts_with("E0721") && error.contains("`payment_code`") && error.contains("hint:"), "{error}");
}
