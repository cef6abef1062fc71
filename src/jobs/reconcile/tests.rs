//! From log text and a ledger file to the folder: every class that is evaluated, and what must not change the result.

mod scale;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use jiff::civil::date;
use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::doku::signature::{Components, Stamp};
use crate::domain::classify::Unverifiable;

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
        source: BillSource::External(ledger),
        notifications: notifications.collect(),
        from: date(2026, 10, 1),
        to: date(2026, 10, 31),
        as_of: "2026-12-05T00:00:00Z".parse().unwrap(),
        keys: vec![key("present"), key("earlier")],
        client_id: CLIENT.into(),
        policy: Policy::default(),
        carry_in: None,
        out: folder.join("out"),
    }
}

fn text(lines: &[String]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// The classes that occurred, as `P00×1`.
fn counts(figures: &BTreeMap<&'static str, crate::report::summary::Figures>) -> String {
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
    assert_eq!(summary.not_evaluated, ["P18", "P19", "L06", "L08", "L09", "S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "S09"]);
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
    let (_, cited) = second.rsplit_once(',').unwrap();
    assert_eq!(cited, digest::hex(&digest::of_bytes(lines[6].as_bytes())));
    let evidence = String::from_utf8(file(&options, "evidence.csv")).unwrap();
    let offset: usize = lines[..6].iter().map(|line| line.len() + 1).sum();
    let found = evidence.lines().find(|row| row.starts_with(cited)).unwrap();
    assert!(found.ends_with(&format!("a.jsonl,7,{offset}")), "{found}");
    let superseded = rows.lines().find(|row| row.contains(",P10,")).unwrap();
    assert!(superseded.contains(",P10,P03,"), "the lower hit is a flag: {superseded}");
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
    let options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    let report = run(&options).unwrap();
    assert_eq!(report.summary.flags.get("N05").unwrap().count, 2);
    assert_eq!(report.summary.lines.get("N00").unwrap().count, 3);
    assert_eq!(counts(&report.summary.payments), "P00×2 P07×1");
    let rows = String::from_utf8(file(&options, "discrepancies.csv")).unwrap();
    assert_eq!(rows.lines().filter(|row| row.contains(",N00,N05,BREAK,critical,")).count(), 2);
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
    options.keys.clear();
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

/// Our own ledger, folded from events as a store does.
mod own {
    use std::collections::HashMap;

    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::bill::{Expiry, Policy as Insurance, RecordedTerms};
    use crate::domain::channel::{Channel, Method};
    use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
    use crate::domain::lifecycle::{BillState, CodeAnswer, Event, OperationKind};
    use crate::domain::payment::Payment;
    use crate::ledger::Head;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn invoice(number: &str) -> InvoiceNumber {
        InvoiceNumber::new(number).unwrap()
    }

    fn terms(amount: u64) -> RecordedTerms {
        RecordedTerms {
            channel: Channel::Alfa,
            method: Method::Doku,
            payment_code: None,
            amount: Amount::new(amount).unwrap(),
            expiry: Expiry::At(at("2026-11-20T00:00:00Z")),
            reusable: false,
            name_digest: "n".into(),
            email_digest: String::new(),
            info: None,
            receipt_description: None,
            receipt_footer: None,
            policy: Insurance::default(),
            bill_group: None,
        }
    }

    fn intended(operation: OperationKind, number: &str, amount: u64) -> Event {
        let request_id = RequestId::from_digest(&[7; 32]);
        let wire_invoice_number = invoice(number);
        Event::Intended { operation, terms: terms(amount), request_id, wire_invoice_number, body_digest: String::new() }
    }

    fn accepted(code: &str) -> Event {
        let answer = CodeAnswer {
            payment_code: PaymentCode::new(code).unwrap(),
            created_at: Some(at("2026-10-01T00:00:00Z")),
            expires_at: Some(at("2026-11-20T00:00:00Z")),
            how_to_pay_page: None,
        };
        Event::Accepted { answer, replayed: false }
    }

    fn state(number: &str, events: Vec<Event>) -> (InvoiceNumber, BillState) {
        let planned = Event::Planned { terms: terms(150_000) };
        let folded = std::iter::once(planned)
            .chain(events)
            .fold(None, |state, event| Some(BillState::apply(state, &invoice(number), at("2026-10-01T00:00:00Z"), &event).unwrap()));
        (invoice(number), folded.unwrap())
    }

    fn known(number: &str, code: &str, paid_at: &str) -> Payment {
        Payment {
            identity: digest::of_bytes(paid_at.as_bytes()),
            invoice_number: invoice(number),
            payment_code: PaymentCode::new(code).unwrap(),
            channel: Channel::Alfa,
            amount: Amount::new(150_000).unwrap(),
            paid_at: at(paid_at),
            received_at: None,
            line_digest: [0; 32],
        }
    }

    /// Counted by hand: every bill of the test but the one paid in September.
    fn reconciled(bills: Vec<(InvoiceNumber, BillState)>, payments: Vec<Payment>, lines: &[String], in_scope: u64) -> ReconcileReport {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path(), &[("a.jsonl", text(lines))], &[]);
        options.as_of = at("2026-11-01T00:00:00Z");
        let head = Head { sequence: 1, hash: [1; 32] };
        let snapshot = Snapshot { bills: bills.into_iter().collect::<HashMap<_, _>>(), payments, head };
        let scope = ScopeTotals { count: in_scope, amount: i128::from(in_scope) * 150_000 };
        options.source = BillSource::Ledger { snapshot, scope };
        run(&options).unwrap()
    }

    fn issued(number: &str, code: &str) -> (InvoiceNumber, BillState) {
        state(number, vec![intended(OperationKind::Issue, number, 150_000), accepted(code)])
    }

    #[test]
    fn states_of_our_ledger_give_the_classes_of_their_facts() {
        let issue = |number: &str| intended(OperationKind::Issue, number, 150_000);
        let doubted = || Event::Doubted { reason: String::new() };
        let bills = vec![
            issued("OPEN", "1"),
            state("PLANNED", vec![]),
            state("DOUBT", vec![issue("DOUBT"), doubted()]),
            state("DOUBT-PAID", vec![issue("DOUBT-PAID"), doubted()]),
            state(
                "DOUBT-REISSUE",
                vec![issue("DOUBT-REISSUE"), accepted("2"), Event::Retired { reason: String::new() }, issue("DOUBT-REISSUE-R1"), doubted()],
            ),
            issued("SEPTEMBER", "3"),
            issued("NO-EVIDENCE", "4"),
            state(
                "CANCELLED",
                vec![issue("CANCELLED"), accepted("5"), intended(OperationKind::Cancel, "CANCELLED", 150_000), accepted("5")],
            ),
            state("WIRE", vec![issue("WIRE-R1"), accepted("6")]),
        ];
        let payments = vec![known("SEPTEMBER", "3", "2026-09-20T00:00:00Z"), known("NO-EVIDENCE", "4", "2026-10-20T00:00:00Z")];
        let lines = [
            note("DOUBT-PAID", "77", "150000").line(),
            note("DOUBT-REISSUE-R1", "78", "150000").line(),
            note("SEPTEMBER", "3", "150000").line(),
            note("WIRE-R1", "6", "150000").line(),
            note("PLANNED", "79", "150000").line(),
        ];
        let report = reconciled(bills, payments, &lines, 8);
        assert_eq!(counts(&report.summary.payments), "P00×3 P02×1 P06×1");
        assert_eq!(counts(&report.summary.bills), "L00×3 L01×1 L03×1 L04×1 L05×1 L06×1");
        assert!(report.identities_hold, "{:#?}", report.summary.identities);
        assert!(!report.summary.not_evaluated.contains(&"L06"));
    }

    #[test]
    fn a_count_of_the_ledger_that_differs_breaks_the_identity() {
        let report = reconciled(vec![issued("OPEN", "1")], Vec::new(), &[], 2);
        assert!(!report.identities_hold);
    }

    #[test]
    fn an_amended_amount_is_remembered_and_other_terms_are_flagged() {
        let amended = vec![
            intended(OperationKind::Issue, "A", 150_000),
            accepted("1"),
            intended(OperationKind::Amend, "A", 150_000 + 1),
            accepted("1"),
        ];
        let mut odd = issued("B", "2");
        odd.1.code.as_mut().unwrap().answer.expires_at = Some(at("2026-11-19T00:00:00Z"));
        let bills = vec![state("A", amended), odd];
        let report = reconciled(bills, Vec::new(), &[note("A", "1", "150000").line()], 2);
        assert_eq!(counts(&report.summary.payments), "P10×1");
        assert_eq!(counts(&report.summary.bills), "L01×1 L11×1");
        assert_eq!(report.summary.flags.get("L08").unwrap().count, 1);
    }
}

/// What must not depend on order, splitting or threads: everything but positions and the input list.
fn invariant(options: &ReconcileOptions) -> (Vec<u8>, Vec<u8>, Vec<u8>, String) {
    let summary = run(options).unwrap().summary;
    let rest = (&summary.run_id, &summary.lines, &summary.payments, &summary.bills, &summary.natures, &summary.flags, &summary.retry_slots);
    let rest = serde_json::to_string(&rest).unwrap();
    (file(options, "discrepancies.csv"), file(options, "discrepancies.jsonl"), file(options, "matched.parquet"), rest)
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_splitting_compression_and_threads_change_no_byte(
        lines in Just(world().1).prop_shuffle(),
        bills in Just(world().0).prop_shuffle(),
        cut in 0_usize..31,
        threads in 1_usize..5,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (reference_bills, reference_lines) = world();
        let wanted = invariant(&options(folder.path(), &[("all.jsonl", text(&reference_lines))], &reference_bills));
        let (head, tail) = lines.split_at(cut);
        let mut first = text(head);
        first.extend(if head.is_empty() { &b""[..] } else { b"\n" });
        let logs = [("1.jsonl.gz", zipped(&first)), ("2.jsonl.zst", zstd::encode_all(&*text(tail), 1).unwrap())];
        let shuffled = options(folder.path(), &logs, &bills);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| invariant(&shuffled));
        prop_assert_eq!(String::from_utf8_lossy(&wanted.0), String::from_utf8_lossy(&found.0));
        prop_assert_eq!(wanted, found);
    }

    #[test]
    fn whatever_the_lines_are_the_classes_add_up(lines in prop::collection::vec(arbitrary_line(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let report = run(&options(folder.path(), &[("a.jsonl", text(&lines))], &world().0)).unwrap();
        prop_assert!(report.identities_hold, "{:#?}", report.summary.identities);
    }
}

/// Few ids, amounts and times, so that repeats, conflicts and second payments abound.
fn arbitrary_line() -> impl Strategy<Value = String> {
    let invoice = prop::sample::select(vec!["I-OK", "I-TWICE", "I-SAME-A", "I-MANY", "I-SEPTEMBER", "I-NONE", "I-NOBODY"]);
    let code = prop::sample::select(vec!["1001", "1004", "1016", "1013", "1017", "9999"]);
    let amount = prop::sample::select(vec!["150000", "1", "\"x\"", "150000.0"]);
    let day = prop::sample::select(vec!["2026-09-05T00:00:00Z", "2026-10-05T00:00:00Z", "2026-11-05T00:00:00Z"]);
    let status = prop::sample::select(vec!["SUCCESS", "FAILED", "EXPIRED", "SETTLED"]);
    let trx = prop::sample::select(vec!["1", "2", ""]);
    let rest = (prop::sample::select(vec!["present", "earlier", "wrong"]), 0_u8..60, prop::option::weighted(0.1, "[ -~]{0,20}"));
    (invoice, code, amount, day, status, trx, rest).prop_map(|(invoice, code, amount, day, status, trx, (secret, minute, junk))| {
        let made = note(invoice, code, amount).but(|n| {
            (n.date, n.status, n.trx, n.secret) = (day.into(), status, trx.into(), secret);
            n.received = format!("2026-10-05T03:{minute:02}:00Z");
        });
        junk.unwrap_or_else(|| made.line())
    })
}
