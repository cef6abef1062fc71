//! One suite for every store: what the [`Ledger`] trait promises, asked of the memory ledger and of SQLite alike.

mod histories;
pub(in crate::ledger) mod orders;

use jiff::{SignedDuration, Timestamp};

use super::memory::{CrashMoment, CrashPlan, MemoryLedger};
use super::{Applied, Binding, Create, Entry, FoundTotals, Head, Ledger, LedgerError, Private, SqliteLedger};
use crate::domain::amount::Amount;
use crate::domain::bill::{Customer, Expiry, Policy, RecordedTerms};
use crate::domain::channel::{Channel, Method};
use crate::domain::check::{Details, FoundPayment, Word};
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, CodeAnswer, Event, EventKind, OperationKind, Status, Verdict, next_status};
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;

pub(super) fn binding() -> Binding {
    Binding { environment: "sandbox".into(), client_id: "BRN-0001".into() }
}

pub(super) fn new_sqlite() -> (tempfile::TempDir, SqliteLedger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), &binding(), Create::IfMissing).unwrap();
    (folder, ledger)
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(super) fn at(second: i64) -> Timestamp {
    // A tail below the store's precision, to see that it is cut alike everywhere.
    Timestamp::from_second(1_790_000_000 + second).unwrap() + SignedDuration::from_nanos(1_234_567)
}

pub(super) fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

pub(super) fn terms(amount: u64) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: Method::Doku,
        payment_code: None,
        amount: Amount::new(amount).unwrap(),
        expiry: Expiry::Minutes(1440),
        reusable: false,
        name_digest: "d1".into(),
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

pub(super) fn answer(code: &str, expires_at: Option<Timestamp>) -> CodeAnswer {
    CodeAnswer { payment_code: PaymentCode::new(code).unwrap(), created_at: None, expires_at, how_to_pay_page: None, how_to_pay_api: None }
}

pub(super) fn entry(invoice: &str, second: i64, event: Event) -> Entry {
    Entry { invoice_number: number(invoice), at: at(second), event, private: Private::default() }
}

pub(super) fn planned(invoice: &str) -> Entry {
    entry(invoice, 0, Event::Planned { terms: terms(150_000) })
}

pub(super) fn adopted(invoice: &str, code: &str) -> Entry {
    entry(invoice, 0, Event::Adopted { terms: terms(150_000), answer: answer(code, None), wire_invoice_number: None })
}

pub(super) fn intended(invoice: &str, second: i64, operation: OperationKind, terms: RecordedTerms) -> Entry {
    let body = format!("{invoice} {second}").into_bytes();
    let request_id = RequestId::from_digest(&digest::of_bytes(&body));
    let body_digest = digest::hex(&digest::of_bytes(&body));
    let event = Event::Intended { operation, terms, request_id, wire_invoice_number: number(invoice), body_digest };
    Entry { private: Private { body: Some((request_id, body)), customer: None }, ..entry(invoice, second, event) }
}

pub(super) fn payment(identity: u8, invoice: &str, code: &str, second: i64) -> Payment {
    Payment {
        identity: [identity; 32],
        canonical: [identity; 32],
        invoice_number: number(invoice),
        payment_code: PaymentCode::new(code).unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(150_000).unwrap(),
        paid_at: at(second),
        received_at: Some(at(second + 2)),
        line_digest: [identity ^ 0xff; 32],
    }
}

pub(super) fn found(identity: u8, invoice: &str, second: i64) -> FoundPayment {
    FoundPayment {
        identity: [identity; 32],
        canonical: None,
        invoice_number: number(invoice),
        payment_code: PaymentCode::new("77").unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(150_000).unwrap(),
        paid_at: Timestamp::from_second(1_790_000_000 + second).unwrap(),
        request_id: RequestId::from_digest(&[identity; 32]),
        answer_digest: digest::of_bytes(b"answer"),
    }
}

use orders::{
    a_bill_is_paid_from_the_first_payment_of_any_code_it_had, a_number_that_stands_for_a_bill_at_doku_is_never_anothers,
    a_payment_is_known_however_its_message_is_written, what_held_a_bill_once_is_remembered_after_its_release,
    what_is_about_a_bill_is_found_by_every_number_and_code_it_had,
};

/// Runs a test for each store.
macro_rules! for_each_store {
    ($($name:ident)*) => {
        mod memory { $(#[test] fn $name() { super::$name(&super::MemoryLedger::new()); })* }
        mod sqlite { $(#[test] fn $name() { let (_folder, ledger) = super::new_sqlite(); super::$name(&ledger); })* }
    };
}

for_each_store! {
    an_illegal_event_fails_its_whole_call_and_nothing_else
    a_code_is_never_live_for_two_invoices
    a_merchant_code_is_taken_from_its_intent_on
    payments_count_once_whatever_the_order_and_status
    what_goes_beside_an_event_is_kept_beside_it
    scope_counts_bills_at_the_very_edges
    what_check_status_told_of_is_counted_once_a_payment_and_kept_with_its_answer
    an_index_of_codes_is_told_of_every_change_after_what_it_knows
    the_codes_of_a_bill_that_lost_one_are_remembered
    a_number_that_stands_for_a_bill_at_doku_is_never_anothers
    a_bill_is_paid_from_the_first_payment_of_any_code_it_had
    what_is_about_a_bill_is_found_by_every_number_and_code_it_had
    what_held_a_bill_once_is_remembered_after_its_release
    a_payment_is_known_however_its_message_is_written
}

fn the_codes_of_a_bill_that_lost_one_are_remembered(ledger: &impl Ledger) {
    let registered = |code: &str| Event::Registered { operation: OperationKind::Issue, terms: terms(1), answer: answer(code, None) };
    wait(ledger.record(vec![adopted("A", "11"), planned("B"), entry("B", 1, registered("12"))])).unwrap();
    assert!(ledger.former_codes().unwrap().is_empty(), "nobody has lost one");
    let lost = entry("B", 2, Event::Retired { reason: String::new() });
    wait(ledger.record(vec![lost, entry("B", 3, registered("13"))])).unwrap();
    let codes: Vec<String> = ledger.former_codes().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(codes, ["12", "13"]);
}

fn an_index_of_codes_is_told_of_every_change_after_what_it_knows(ledger: &impl Ledger) {
    let codes = |sequence: u64| {
        let changes = ledger.codes_since(sequence).unwrap();
        let seen: Vec<String> = changes
            .codes
            .iter()
            .map(|held| format!("{}:{}:{}", held.payment_code, held.invoice_number, if held.live { "live" } else { "dead" }))
            .collect();
        (seen, changes.sequence)
    };
    assert_eq!(codes(0), (vec![], 0));
    wait(ledger.record(vec![planned("P"), adopted("A", "11"), planned("B")])).unwrap();
    assert_eq!(codes(0), (vec!["11:A:live".into()], 3));
    assert_eq!(codes(3), (vec![], 3), "nothing new");
    assert_eq!(ledger.first_paid_at(&number("A")).unwrap(), None);
    // A's code is taken back and registered for B: the dead one comes first, so that the live one wins.
    wait(ledger.record(vec![
        intended("A", 1, OperationKind::Cancel, terms(150_000)),
        entry("A", 2, Event::Accepted { answer: answer("11", None), replayed: false, amount: None, remark: None }),
    ]))
    .unwrap();
    let own = RecordedTerms { method: Method::Inquiry, payment_code: Some(PaymentCode::new("11").unwrap()), ..terms(150_000) };
    wait(ledger.record(vec![intended("B", 3, OperationKind::Issue, own)])).unwrap();
    assert_eq!(codes(3), (vec!["11:A:dead".into(), "11:B:live".into()], 6));
    wait(ledger.record(vec![entry("B", 4, Event::Accepted { answer: answer("11", None), replayed: false, amount: None, remark: None })]))
        .unwrap();
    assert!(codes(6).0.contains(&"11:B:live".to_owned()));
    // Payments move the sequence on and change no code.
    let paid = payment(1, "B", "11", 5);
    ledger.apply_payments(&[paid.clone(), payment(2, "A", "99", 5)]).unwrap();
    assert_eq!(codes(7).1, 9);
    assert_eq!(ledger.first_paid_at(&number("B")).unwrap(), Timestamp::from_microsecond(paid.paid_at.as_microsecond()).ok());
    for unpaid in ["A", "P", "unknown"] {
        assert_eq!(ledger.first_paid_at(&number(unpaid)).unwrap(), None, "{unpaid}");
    }
}

fn an_illegal_event_fails_its_whole_call_and_nothing_else(ledger: &impl Ledger) {
    wait(ledger.record(vec![planned("A")])).unwrap();
    let before = ledger.snapshot().unwrap();
    let accepted = entry("A", 2, Event::Accepted { answer: answer("77", None), replayed: false, amount: None, remark: None });
    let result = wait(ledger.record(vec![planned("B"), intended("B", 1, OperationKind::Issue, terms(1)), accepted]));
    assert!(matches!(&result, Err(LedgerError::Illegal(illegal)) if illegal.status == Some(Status::Planned)), "{result:?}");
    let after = ledger.snapshot().unwrap();
    assert_eq!((after.head, &after.bills), (before.head, &before.bills));
    wait(ledger.record(vec![planned("B")])).unwrap();
    assert_eq!(ledger.snapshot().unwrap().head.sequence, 2);
}

fn a_code_is_never_live_for_two_invoices(ledger: &impl Ledger) {
    wait(ledger.record(vec![adopted("A", "77")])).unwrap();
    let refused = wait(ledger.record(vec![planned("C"), adopted("B", "77")])).unwrap_err();
    assert!(
        matches!(&refused, LedgerError::CodeTaken { invoice_number, other } if invoice_number.as_str() == "B" && other.as_str() == "A"),
        "{refused}"
    );
    assert_eq!(ledger.snapshot().unwrap().bills.len(), 1);
    wait(ledger.record(vec![entry("A", 5, Event::Retired { reason: "expired".into() }), adopted("B", "77")])).unwrap();
    assert_eq!(ledger.snapshot().unwrap().bills[&number("B")].live_code().unwrap().answer.payment_code.as_str(), "77");
}

fn a_merchant_code_is_taken_from_its_intent_on(ledger: &impl Ledger) {
    let own = RecordedTerms { method: Method::Merchant, payment_code: Some(PaymentCode::new("77").unwrap()), ..terms(5) };
    wait(ledger.record(vec![planned("A"), intended("A", 1, OperationKind::Issue, own)])).unwrap();
    assert!(matches!(wait(ledger.record(vec![adopted("B", "77")])), Err(LedgerError::CodeTaken { .. })));
    wait(
        ledger
            .record(vec![entry("A", 2, Event::Rejected { code: "E".into(), reason: "no".into(), provisional: false }), adopted("B", "77")]),
    )
    .unwrap();
}

fn payments_count_once_whatever_the_order_and_status(ledger: &impl Ledger) {
    let (early, late) = (payment(1, "A", "77", 50), payment(2, "A", "77", 60));
    assert_eq!(ledger.apply_payments(&[late.clone(), late.clone()]).unwrap(), Applied { new: 1, known: 1 });
    wait(ledger.record(vec![adopted("A", "77"), entry("A", 9, Event::Retired { reason: "expired".into() })])).unwrap();
    assert_eq!(ledger.apply_payments(&[early.clone(), late.clone()]).unwrap(), Applied { new: 1, known: 1 });
    let snapshot = ledger.snapshot().unwrap();
    let identities: Vec<_> = snapshot.payments.iter().map(|payment| payment.identity[0]).collect();
    assert_eq!(identities, [2, 1], "in the order they were applied");
    assert_eq!(snapshot.payments[1].paid_at.as_microsecond(), early.paid_at.as_microsecond());
    assert_eq!(snapshot.head.sequence, 4, "one event each");
    assert_eq!(snapshot.bills[&number("A")].status, Status::Retired);
}

fn what_goes_beside_an_event_is_kept_beside_it(ledger: &impl Ledger) {
    let customer = |name: &str| {
        Some(Customer { name: Personal::new(name), email: Some(Personal::new("a@b.id")), account_name: Some(Personal::new("Andreas")) })
    };
    let mut first = planned("A");
    first.private.customer = customer("Siti");
    let mut second = intended("A", 1, OperationKind::Issue, terms(5));
    second.private.customer = customer("Siti Aminah");
    let (request_id, body) = second.private.body.clone().unwrap();
    wait(ledger.record(vec![first, second])).unwrap();
    assert_eq!(ledger.body(&number("A"), request_id).unwrap(), Some(body));
    assert_eq!(ledger.body(&number("A"), RequestId::from_digest(&[9; 32])).unwrap(), None);
    assert_eq!(ledger.customer(&number("A")).unwrap(), customer("Siti Aminah"));
    assert_eq!(ledger.customer(&number("B")).unwrap(), None);
    assert!(!format!("{:?}", ledger.snapshot().unwrap()).contains("Siti"));
}

fn scope_counts_bills_at_the_very_edges(ledger: &impl Ledger) {
    let expiring = entry("A", 10, Event::Adopted { terms: terms(100), answer: answer("1", Some(at(100))), wire_invoice_number: None });
    let paid = entry("B", 10, Event::Adopted { terms: terms(20), answer: answer("2", None), wire_invoice_number: None });
    let reusable = RecordedTerms { reusable: true, ..terms(3) };
    let reusable = entry("C", 10, Event::Adopted { terms: reusable, answer: answer("3", None), wire_invoice_number: None });
    wait(ledger.record(vec![expiring, paid, reusable])).unwrap();
    ledger.apply_payments(&[payment(1, "B", "2", 50), payment(2, "C", "3", 50), payment(3, "A", "999", 1)]).unwrap();
    let amount = |from: i64, as_of: i64, grace: i64| ledger.scope_totals(at(from), at(as_of), grace).unwrap().amount;
    assert_eq!(amount(0, 9, 0), 0, "planned after as-of");
    assert_eq!(amount(0, 10, 0), 123, "planned at as-of");
    assert_eq!(amount(50, 999, 0), 123, "paid at the very start");
    assert_eq!(amount(51, 999, 0), 103, "paid before; a reusable bill stays open; another code's payment closes nothing");
    assert_eq!(amount(100, 999, 0), 103, "expires at the very start");
    assert_eq!(amount(101, 999, 0), 3, "expired");
    assert_eq!(amount(160, 999, 1), 103, "expired, within the grace of a minute");
}

fn what_check_status_told_of_is_counted_once_a_payment_and_kept_with_its_answer(ledger: &impl Ledger) {
    let told = |second, payment: Option<FoundPayment>| {
        let body = payment.as_ref().map(|payment| (payment.request_id, b"answer".to_vec()));
        let event = Event::Checked { order: number("A"), word: Word::Success, chosen: false, payment, details: Details::default() };
        Entry { private: Private { body, customer: None }, ..entry("A", second, event) }
    };
    wait(ledger.record(vec![adopted("A", "77"), adopted("B", "88")])).unwrap();
    let states = wait(ledger.record(vec![told(9, Some(found(1, "A", 5))), told(10, None), told(11, Some(found(1, "A", 5)))])).unwrap();
    let checks = states[2].checks.as_ref().unwrap();
    assert_eq!((checks.count, checks.found.len(), checks.found[0].at.as_second()), (3, 1, at(9).as_second()), "told of first");
    wait(ledger.record(vec![told(12, Some(found(2, "A", 6)))])).unwrap();
    assert_eq!(ledger.found_totals().unwrap().count, 2);
    assert_eq!(ledger.body(&number("A"), found(1, "A", 5).request_id).unwrap().as_deref(), Some(&b"answer"[..]));
}

#[test]
fn a_crash_loses_the_call_before_it_is_durable_and_keeps_it_after() {
    for (moment, kept) in [(CrashMoment::BeforeDurable, 1), (CrashMoment::AfterDurable, 2)] {
        let ledger = MemoryLedger::new().crashing(CrashPlan { at_call: 2, moment });
        wait(async {
            ledger.record(vec![planned("A")]).await.unwrap();
            tokio::select! {
                biased;
                heard = ledger.record(vec![planned("B")]) => panic!("the caller must not hear: {heard:?}"),
                () = ledger.crashed() => {}
            }
            tokio::select! {
                biased;
                heard = ledger.record(vec![planned("C")]) => panic!("the dead record nothing: {heard:?}"),
                () = ledger.crashed() => {}
            }
        });
        let reopened = ledger.reopened();
        assert_eq!(reopened.snapshot().unwrap().bills.len(), kept);
        wait(reopened.record(vec![planned("D")])).unwrap();
    }
}
