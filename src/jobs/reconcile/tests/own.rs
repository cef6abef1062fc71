//! Our own ledger, folded from events as a store does.

use jiff::Timestamp;

use super::*;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{CodeAnswer, Event, OperationKind, Remark};
use crate::domain::payment::Payment;
use crate::domain::sum::Sum;
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Basis, Ledger as _, NewEvent, Private};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn invoice(number: &str) -> InvoiceNumber {
    InvoiceNumber::new(number).unwrap()
}

fn terms(amount: u64) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(amount).unwrap(),
        expiry: Expiry::At(at("2026-11-20T00:00:00Z")),
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
        how_to_pay_api: None,
    };
    Event::Accepted { answer, replayed: false, amount: None, remark: None }
}

fn state(number: &str, events: Vec<Event>) -> (InvoiceNumber, Vec<Event>) {
    (invoice(number), std::iter::once(Event::Planned { terms: terms(150_000) }).chain(events).collect())
}

fn known(number: &str, code: &str, paid_at: &str) -> Payment {
    Payment {
        identity: digest::of_bytes(paid_at.as_bytes()),
        canonical: digest::of_bytes(paid_at.as_bytes()),
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
fn reconciled(bills: Vec<(InvoiceNumber, Vec<Event>)>, payments: &[Payment], lines: &[String], in_scope: u64) -> ReconcileReport {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), &[("a.jsonl", text(lines))], &[]);
    options.as_of = at("2026-11-01T00:00:00Z");
    let scope = Sum { count: in_scope, rupiah: Rupiah::new(i128::from(in_scope) * 150_000) };
    let ledger = MemoryLedger::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let billed = runtime.block_on(async {
        for (invoice_number, events) in bills {
            let entry = |event| NewEvent {
                invoice_number: invoice_number.clone(),
                at: at("2026-10-01T00:00:00Z"),
                event,
                basis: Basis::Any,
                private: Private::default(),
            };
            ledger.record(events.into_iter().map(entry).collect()).await.unwrap();
        }
        ledger.apply_payments(payments).await.unwrap();
        Billed::of_view(&ledger.view().await.unwrap(), scope, &options.terms().unwrap()).await.unwrap()
    });
    super::super::run(billed, &options).unwrap()
}

fn issued(number: &str, code: &str) -> (InvoiceNumber, Vec<Event>) {
    state(number, vec![intended(OperationKind::Issue, number, 150_000), accepted(code)])
}

#[test]
fn states_of_our_ledger_give_the_classes_of_their_facts() {
    let issue = |number: &str| intended(OperationKind::Issue, number, 150_000);
    let doubted = || Event::Doubted { reason: String::new(), answered: false, refusal: None };
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
        state("CANCELLED", vec![issue("CANCELLED"), accepted("5"), intended(OperationKind::Cancel, "CANCELLED", 150_000), accepted("5")]),
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
    let report = reconciled(bills, &payments, &lines, 8);
    assert_eq!(counts(&report.summary.payments), "P00×3 P02×1 P06×1");
    assert_eq!(counts(&report.summary.bills), "L00×3 L01×1 L03×1 L04×1 L05×1 L06×1");
    assert!(report.identities_hold, "{:#?}", report.summary.identities);
    assert!(!report.summary.not_evaluated.contains(&"L06"));
}

#[test]
fn a_count_of_the_ledger_that_differs_breaks_the_identity() {
    let report = reconciled(vec![issued("OPEN", "1")], &[], &[], 2);
    assert!(!report.identities_hold);
}

#[test]
fn an_amended_amount_is_remembered_and_other_terms_are_flagged() {
    let amended =
        vec![intended(OperationKind::Issue, "A", 150_000), accepted("1"), intended(OperationKind::Amend, "A", 150_000 + 1), accepted("1")];
    let mut odd = issued("B", "2");
    if let Some(Event::Accepted { answer, .. }) = odd.1.last_mut() {
        answer.expires_at = Some(at("2026-11-19T00:00:00Z"));
    }
    // What was odd about the end when the answer came is in the events: past already, or two dates that disagree.
    let remarked = |number: &str, code: &str, about_expiry: bool| {
        let Event::Accepted { answer, .. } = accepted(code) else { unreachable!() };
        let remark = Some(Remark { note: "odd".into(), about_expiry });
        state(
            number,
            vec![intended(OperationKind::Issue, number, 150_000), Event::Accepted { answer, replayed: false, amount: None, remark }],
        )
    };
    let bills = vec![state("A", amended), odd, remarked("C", "3", true), remarked("D", "4", false)];
    let report = reconciled(bills, &[], &[note("A", "1", "150000").line()], 4);
    assert_eq!(counts(&report.summary.payments), "P10×1");
    assert_eq!(counts(&report.summary.bills), "L01×3 L11×1");
    assert_eq!(report.summary.flags.get("L08").unwrap().count, 2);
}
