//! The books: whose a code is, and whether it is paid, at every moment of a payment's way into the ledger.

use super::*;
use crate::domain::amount::Amount;
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{CodeAnswer, Event, OperationKind};
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Basis, NewEvent, Private};

fn now() -> Timestamp {
    "2026-10-06T00:00:00Z".parse().unwrap()
}

fn code(text: &str) -> PaymentCode {
    PaymentCode::new(text).unwrap()
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

fn terms(own: &str) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Inquiry,
        payment_code: Some(code(own)),
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
    }
}

fn answer(own: &str) -> CodeAnswer {
    CodeAnswer { payment_code: code(own), created_at: None, expires_at: None, how_to_pay_page: None, how_to_pay_api: None }
}

async fn record(books: &LedgerBooks<MemoryLedger>, bill: &str, events: Vec<Event>) {
    let entry = |event| NewEvent { invoice_number: number(bill), at: now(), event, basis: Basis::Any, private: Private::default() };
    books.ledger().record(events.into_iter().map(entry).collect()).await.unwrap();
}

fn adopted(own: &str) -> Event {
    Event::Adopted { terms: terms(own), answer: answer(own), wire_invoice_number: None }
}

fn intended(operation: OperationKind, own: &str) -> Event {
    let request_id = RequestId::from_digest(&[9; 32]);
    Event::Intended { operation, terms: terms(own), request_id, wire_invoice_number: number("B"), body_digest: String::new() }
}

fn payment(identity: u8, bill: &str, own: &str) -> Payment {
    Payment {
        identity: [identity; 32],
        canonical: [identity; 32],
        invoice_number: number(bill),
        payment_code: code(own),
        channel: Channel::Alfa,
        amount: Amount::new(5_000).unwrap(),
        paid_at: now(),
        received_at: Some(now()),
        line_digest: [0; 32],
    }
}

/// Whose the code is, its status, and whether it is paid.
async fn look(books: &LedgerBooks<MemoryLedger>, own: &str) -> Option<(String, &'static str, bool)> {
    let found = books.look(&code(own)).await.unwrap()?;
    Some((found.state.invoice_number.to_string(), found.state.status.name(), found.paid))
}

#[tokio::test]
async fn a_payment_is_known_from_its_acknowledgement_on_and_only_to_its_bill() {
    let books = LedgerBooks::new(MemoryLedger::new(), Arc::default());
    record(&books, "A", vec![adopted("1")]).await;
    assert_eq!(look(&books, "1").await, Some(("A".into(), "active", false)), "found without any earlier refresh");
    // Money for the code under the number of a bill that had it before is not this bill's.
    let registered = |own: &str| Event::Registered { operation: OperationKind::Issue, terms: terms(own), answer: answer(own) };
    let retired = || Event::Retired { reason: String::new() };
    record(&books, "OTHER", vec![Event::Planned { terms: terms("5") }, registered("5"), retired(), registered("6")]).await;
    books.paid(payment(1, "OTHER", "5"));
    assert_eq!(look(&books, "1").await, Some(("A".into(), "active", false)));
    books.paid(payment(2, "A", "1"));
    assert_eq!(look(&books, "1").await, Some(("A".into(), "active", true)), "before the ledger has it");
    let waiting = books.waiting(10);
    books.ledger().apply_payments(&waiting).await.unwrap();
    assert_eq!(look(&books, "1").await, Some(("A".into(), "active", true)), "while both have it");
    books.written(&waiting);
    assert_eq!(look(&books, "1").await, Some(("A".into(), "active", true)), "when only the ledger has it");
    assert!(books.waiting(10).is_empty() && books.oldest_waiting().is_none() && books.keeps_nothing());
}

#[tokio::test]
async fn late_money_for_a_code_that_a_bill_has_lost_pays_the_bill() {
    let books = LedgerBooks::new(MemoryLedger::new(), Arc::default());
    let registered = Event::Registered { operation: OperationKind::Issue, terms: terms("2"), answer: answer("2") };
    record(&books, "A", vec![adopted("1"), Event::Retired { reason: String::new() }, registered]).await;
    assert_eq!(look(&books, "2").await, Some(("A".into(), "active", false)));
    books.paid(payment(1, "OTHER", "9"));
    assert_eq!(look(&books, "2").await, Some(("A".into(), "active", false)));
    books.paid(payment(2, "A", "1"));
    assert_eq!(look(&books, "2").await, Some(("A".into(), "active", true)), "on its way");
    let waiting = books.waiting(10);
    books.ledger().apply_payments(&waiting).await.unwrap();
    books.written(&waiting);
    assert_eq!(look(&books, "2").await, Some(("A".into(), "active", true)), "in the ledger");
}

#[tokio::test]
async fn the_code_of_a_payment_decides_whose_it_is_before_the_number_does() {
    let registered = |own: &str| Event::Registered { operation: OperationKind::Issue, terms: terms(own), answer: answer(own) };
    let retired = || Event::Retired { reason: String::new() };
    let of = |number: &'static str, own: &'static str| async move {
        let books = LedgerBooks::new(MemoryLedger::new(), Arc::default());
        // B had code 1 before A has it now.
        record(&books, "B", vec![Event::Planned { terms: terms("1") }, registered("1"), retired(), registered("2")]).await;
        record(&books, "A", vec![adopted("1")]).await;
        let seen = async |when: &str| {
            assert_eq!(look(&books, "1").await.unwrap().0, "A", "{when}");
            [look(&books, "1").await.unwrap().2, look(&books, "2").await.unwrap().2]
        };
        books.paid(payment(1, number, own));
        let on_its_way = seen("on its way").await;
        let waiting = books.waiting(10);
        books.ledger().apply_payments(&waiting).await.unwrap();
        books.written(&waiting);
        assert_eq!(seen("in the ledger").await, on_its_way);
        on_its_way
    };
    assert_eq!(of("A", "1").await, [true, false]);
    assert_eq!(of("B", "1").await, [false, true], "the code that B has lost, under its number");
    assert_eq!(of("NOBODY", "1").await, [true, false], "who has the code now");
    assert_eq!(of("A", "2").await, [false, true], "the code is B's, whatever the number");
    assert_eq!(of("A", "9").await, [true, false], "a code of nobody: the number");
    assert_eq!(of("NOBODY", "9").await, [false, false]);
}

#[tokio::test]
async fn what_another_process_does_to_a_code_holds_at_once() {
    let books = LedgerBooks::new(MemoryLedger::new(), Arc::default());
    assert_eq!(look(&books, "1").await, None);
    record(&books, "A", vec![adopted("1")]).await;
    record(&books, "A", vec![intended(OperationKind::Cancel, "1")]).await;
    assert_eq!(look(&books, "1").await, Some(("A".into(), "cancelling", false)));
    record(&books, "A", vec![Event::Accepted { answer: answer("1"), replayed: false, amount: None, remark: None }]).await;
    assert_eq!(look(&books, "1").await, Some(("A".into(), "cancelled", false)));
    // The freed code is registered for B.
    record(&books, "B", vec![Event::Planned { terms: terms("1") }, intended(OperationKind::Issue, "1")]).await;
    assert_eq!(look(&books, "1").await, Some(("B".into(), "requested", false)));
    record(&books, "B", vec![Event::Accepted { answer: answer("1"), replayed: false, amount: None, remark: None }]).await;
    assert_eq!(look(&books, "1").await, Some(("B".into(), "active", false)));
    assert_eq!(look(&books, "01").await, None);
}
