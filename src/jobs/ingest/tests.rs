//! Ingesting twice, and ending the doubt of an issue.

use secrecy::SecretString;

use super::*;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::amount::Amount;
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::{PaymentCode, RequestId};
use crate::ledger::Basis;
use crate::ledger::memory::MemoryLedger;

fn state(ledger: &MemoryLedger, number: &str) -> BillState {
    futures_util::FutureExt::now_or_never(ledger.bill(&invoice(number))).unwrap().unwrap().unwrap()
}

fn now() -> Timestamp {
    "2026-10-06T00:00:00Z".parse().unwrap()
}

fn invoice(number: &str) -> InvoiceNumber {
    InvoiceNumber::new(number).unwrap()
}

fn entry(number: &str, event: Event) -> NewEvent {
    NewEvent { invoice_number: invoice(number), at: now(), event, basis: Basis::Any, private: Private::default() }
}

fn doubted(number: &str, wire: &str) -> Vec<NewEvent> {
    let terms = RecordedTerms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(5_000).unwrap(),
        expiry: Expiry::Minutes(60),
        reusable: false,
        name_digest: "n".into(),
        email_digest: String::new(),
        account_name_digest: String::new(),
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    };
    let request_id = RequestId::from_digest(&[1; 32]);
    vec![
        entry(number, Event::Planned { terms: terms.clone() }),
        entry(
            number,
            Event::Intended {
                operation: OperationKind::Issue,
                terms,
                request_id,
                wire_invoice_number: invoice(wire),
                body_digest: String::new(),
            },
        ),
        entry(number, Event::Doubted { reason: String::new(), answered: false, refusal: None }),
    ]
}

fn line(number: &str, code: &str, trx: &str, amount: &str, status: &str) -> String {
    let body = format!(
        r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},"transaction":{{"status":"{status}","date":"2026-10-05T03:00:00Z"}},"order":{{"invoice_number":"{number}","amount":{amount}}},"online_to_offline_info":{{"payment_code":"{code}"}},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_TRX_ID","value":"{trx}"}}]}}}}"#
    );
    let components = Components {
        client_id: "C",
        request_id: trx,
        stamp: Stamp::Request("2026-10-05T03:00:01Z"),
        target: "/n",
        body: Some(body.as_bytes()),
    };
    let signature = SigningKey::new(&SecretString::from("s")).sign(&components).unwrap();
    serde_json::json!({
        "received_at": "2026-10-05T03:00:02Z",
        "target": "/n",
        "headers": {"Client-Id": "C", "Request-Id": trx, "Request-Timestamp": "2026-10-05T03:00:01Z", "Signature": signature},
        "body": body,
    })
    .to_string()
}

async fn ingested(ledger: &MemoryLedger, lines: &[String]) -> IngestReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let keys = vec![SigningKey::new(&SecretString::from("s"))].into();
    let options = IngestOptions {
        logs: vec![path],
        evidence: None,
        keys,
        client_id: "C".into(),
        policy: MatchingPolicy::default(),
        tables: TableSettings::default(),
        now: now(),
    };
    ingest(ledger, &options).await.unwrap()
}

#[tokio::test]
async fn only_verified_successes_are_applied_and_a_second_time_changes_nothing() {
    let ledger = MemoryLedger::new();
    let mut forged = line("FORGED", "3", "t3", "5000", "SUCCESS");
    forged = forged.replace("5000", "9000");
    let lines = [
        line("A", "1", "t1", "5000", "SUCCESS"),
        line("A", "1", "t1", "5000", "SUCCESS"),
        line("B", "2", "t2", "5000", "FAILED"),
        forged,
        line("C", "4", "t4", "0.5", "SUCCESS"),
    ];
    let first = ingested(&ledger, &lines).await;
    assert_eq!((first.lines, first.new, first.known, first.unusable), (5, 1, 0, 1));
    let second = ingested(&ledger, &lines).await;
    assert_eq!((second.new, second.known), (0, 1));
    let mut payments = Vec::new();
    ledger.view().await.unwrap().visit_payments(|payment| payments.push(payment)).await.unwrap();
    assert_eq!((payments.len(), payments[0].invoice_number.as_str(), payments[0].amount.get()), (1, "A", 5_000));
}

#[tokio::test]
async fn payments_of_many_codes_are_applied_in_the_order_of_their_numbers_whatever_that_of_their_lines() {
    let number = |nth: u32| format!("INV-{nth:04}");
    let mut lines: Vec<String> =
        (0..300).map(|nth| line(&number(nth), &format!("88{nth}"), &format!("t{nth}"), "5000", "SUCCESS")).collect();
    lines.extend(lines.clone().into_iter().step_by(3));
    lines.extend((0..50).map(|nth| line(&number(nth), &format!("88{nth}"), &format!("t{nth}"), "5000", "FAILED")));
    lines.rotate_left(170);
    let mut heads = Vec::new();
    for _ in 0..2 {
        lines.reverse();
        let ledger = MemoryLedger::new();
        let report = ingested(&ledger, &lines).await;
        assert_eq!((report.lines, report.new, report.known), (450, 300, 0));
        let counts: Vec<(Class, u64)> = report.by_class.iter().map(|(class, sum)| (*class, sum.count)).collect();
        assert_eq!(counts, [(Class::N08, 50), (Class::N06, 100), (Class::N00, 300)], "of what is told in all lines");
        let (view, mut numbers) = (ledger.view().await.unwrap(), Vec::new());
        view.visit_payments(|payment| numbers.push(payment.invoice_number.to_string())).await.unwrap();
        assert_eq!(numbers, (0..300).map(number).collect::<Vec<_>>());
        heads.push(view.head().await.unwrap());
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn a_payment_that_names_invoice_and_code_ends_the_doubt_once() {
    let ledger = MemoryLedger::new();
    ledger.record(doubted("A", "A-R1")).await.unwrap();
    ledger.record(doubted("B", "B")).await.unwrap();
    let lines =
        [line("A-R1", "71", "t1", "5000", "SUCCESS"), line("B", "72", "t2", "5000", "SUCCESS"), line("B", "73", "t3", "5000", "SUCCESS")];
    let report = ingested(&ledger, &lines).await;
    assert_eq!((report.settled, report.new), (1, 3));
    let settled = state(&ledger, "A");
    assert_eq!(settled.status, Status::Active);
    assert_eq!(settled.code.unwrap().answer.payment_code.as_str(), "71");
    assert_eq!(state(&ledger, "B").status, Status::InDoubt(OperationKind::Issue), "two codes: none is picked");
    assert_eq!(ingested(&ledger, &lines).await.settled, 0);
}

#[tokio::test]
async fn a_code_that_is_live_for_another_bill_ends_no_doubt_and_keeps_no_payment_out() {
    let ledger = MemoryLedger::new();
    let mut live = doubted("LIVE", "LIVE");
    let answer = CodeAnswer {
        payment_code: PaymentCode::new("71").unwrap(),
        created_at: None,
        expires_at: None,
        how_to_pay_page: None,
        how_to_pay_api: None,
    };
    live.push(entry("LIVE", Event::Accepted { answer, replayed: false, amount: None, remark: None }));
    ledger.record(live).await.unwrap();
    ledger.record(doubted("A", "A")).await.unwrap();
    let report = ingested(&ledger, &[line("A", "71", "t1", "5000", "SUCCESS"), line("B", "72", "t2", "5000", "SUCCESS")]).await;
    assert_eq!((report.settled, report.new), (0, 2));
    assert_eq!(state(&ledger, "A").status, Status::InDoubt(OperationKind::Issue), "a person must look");
}
