//! One suite for every store: what the [`Ledger`] trait promises, asked of the memory ledger, of SQLite and of PostgreSQL alike.

use jiff::{SignedDuration, Timestamp};

use super::memory::{CrashMoment, CrashPlan, MemoryLedger};
use super::postgres::tests::new_postgres;
use super::{
    AppliedPayments, Basis, Binding, Create, Ledger, LedgerError, LedgerHead, LedgerView, Names, NewEvent, Private, Seals, SqliteLedger,
};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::bill::{Customer, Expiry, Policy, RecordedTerms, Salt};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::check_status::{FoundPayment, StatusDetails, Word};
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, EventKind, OperationKind, Status, next_status};
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::random::MachineRandomness;

pub(super) const SALT: Salt = Salt::new([5; 16]);

pub(super) fn binding() -> Binding {
    Binding { environment: "sandbox".into(), client_id: "BRN-0001".into(), seals: Seals::default() }
}

pub(super) fn new_sqlite() -> (tempfile::TempDir, SqliteLedger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), &binding(), Create::IfMissing, &MachineRandomness).unwrap();
    (folder, ledger)
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The answer to one question.
macro_rules! ask {
    ($ledger:expr, $($question:tt)*) => {
        wait(async { $ledger.view().await.unwrap().$($question)*.await.unwrap() })
    };
}
pub(in crate::ledger) use ask;

mod histories;
pub(in crate::ledger) mod orders;
mod races;

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
        method: IssuanceMethod::Doku,
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

pub(super) fn entry(invoice: &str, second: i64, event: Event) -> NewEvent {
    NewEvent { invoice_number: number(invoice), at: at(second), event, basis: Basis::Any, private: Private::default() }
}

pub(super) fn planned(invoice: &str) -> NewEvent {
    entry(invoice, 0, Event::Planned { terms: terms(150_000) })
}

pub(super) fn adopted(invoice: &str, code: &str) -> NewEvent {
    entry(invoice, 0, Event::Adopted { terms: terms(150_000), answer: answer(code, None), wire_invoice_number: None })
}

pub(super) fn intended(invoice: &str, second: i64, operation: OperationKind, terms: RecordedTerms) -> NewEvent {
    let body = format!("{invoice} {second}").into_bytes();
    let request_id = RequestId::from_digest(&digest::of_bytes(&body));
    let body_digest = digest::hex(&digest::of_bytes(&body));
    let event = Event::Intended { operation, terms, request_id, wire_invoice_number: number(invoice), body_digest };
    NewEvent { private: Private { body: Some((request_id, body)), customer: None }, ..entry(invoice, second, event) }
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

pub(super) fn revocation(fingerprint: &str, second: Option<i64>) -> Revocation {
    let text = String::from;
    let (actor, person, reason) = (text("Siti"), text("1000 siti"), text("a leak"));
    Revocation { fingerprint: text(fingerprint), received_after: second.map(at), actor, person, reason }
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
use races::{a_lost_race_is_told_apart_from_what_cannot_be, what_another_writer_did_after_the_look_is_lost_whole};

/// Runs a test for each store.
macro_rules! for_each_store {
    ($($name:ident)*) => {
        mod memory { $(#[test] fn $name() { super::$name(&super::MemoryLedger::new()); })* }
        mod sqlite { $(#[test] fn $name() { let (_folder, ledger) = super::new_sqlite(); super::$name(&ledger); })* }
        mod postgres { $(#[test] fn $name() { let (_url, ledger) = super::new_postgres(); super::$name(&ledger); })* }
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
    a_bill_is_found_by_its_code_from_the_moment_it_is_promised_one
    the_codes_of_a_bill_that_lost_one_are_remembered
    a_number_that_stands_for_a_bill_at_doku_is_never_anothers
    a_bill_is_paid_from_the_first_payment_of_any_code_it_had
    what_is_about_a_bill_is_found_by_every_number_and_code_it_had
    what_held_a_bill_once_is_remembered_after_its_release
    a_payment_is_known_however_its_message_is_written
    a_lost_race_is_told_apart_from_what_cannot_be
    what_another_writer_did_after_the_look_is_lost_whole
}

fn the_codes_of_a_bill_that_lost_one_are_remembered(ledger: &impl Ledger) {
    let all = |prefix: &str, length: usize| -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        wait(async { ledger.view().await.unwrap().visit_codes(prefix, length, |code| codes.push(code.to_string())).await.unwrap() });
        codes.sort();
        codes.dedup();
        codes
    };
    let highest = |prefix: &str, length: usize| ask!(ledger, highest_code(prefix, length)).map(|code| code.to_string());
    wait(ledger.record(vec![adopted("A", "7703"), adopted("B", "7701"), adopted("C", "77999"), adopted("D", "8800")])).unwrap();
    assert_eq!((all("77", 4), highest("77", 4)), (vec!["7701".into(), "7703".into()], Some("7703".into())));
    let own =
        |code: &str| RecordedTerms { method: IssuanceMethod::Merchant, payment_code: Some(PaymentCode::new(code).unwrap()), ..terms(5) };
    wait(ledger.record(vec![
        entry("A", 1, Event::Retired { reason: "expired".into() }),
        intended("A", 2, OperationKind::Issue, own("7702")),
        entry("A", 3, Event::Accepted { answer: answer("7702", None), replayed: false, amount: None, remark: None }),
        entry("E", 4, Event::Planned { terms: own("7705") }),
    ]))
    .unwrap();
    assert_eq!(all("77", 4), ["7701", "7702", "7703", "7705"]);
    wait(ledger.apply_payments(&[payment(1, "X", "7709", 5)])).unwrap();
    assert_eq!((highest("77", 4), highest("77", 5), highest("99", 4)), (Some("7709".into()), Some("77999".into()), None));
}

fn a_bill_is_found_by_its_code_from_the_moment_it_is_promised_one(ledger: &impl Ledger) {
    let holders = |code: &str| -> Vec<String> {
        let names = Names { codes: [PaymentCode::new(code).unwrap()].into(), ..Names::default() };
        ask!(ledger, bills_about(&names)).iter().map(|state| format!("{}:{}", state.invoice_number, state.status.name())).collect()
    };
    let own = RecordedTerms { method: IssuanceMethod::Inquiry, payment_code: Some(PaymentCode::new("11").unwrap()), ..terms(150_000) };
    wait(ledger.record(vec![adopted("A", "11"), entry("B", 0, Event::Planned { terms: own.clone() })])).unwrap();
    assert_eq!(holders("11"), ["A:active", "B:planned"]);
    assert!(holders("011").is_empty() && holders("1").is_empty(), "zeros and lengths count");
    wait(ledger.record(vec![
        intended("A", 1, OperationKind::Cancel, terms(150_000)),
        entry("A", 2, Event::Accepted { answer: answer("11", None), replayed: false, amount: None, remark: None }),
        intended("B", 3, OperationKind::Issue, own),
        entry("B", 4, Event::Accepted { answer: answer("11", None), replayed: false, amount: None, remark: None }),
    ]))
    .unwrap();
    assert_eq!(holders("11"), ["A:cancelled", "B:active"]);
}

fn an_illegal_event_fails_its_whole_call_and_nothing_else(ledger: &impl Ledger) {
    wait(ledger.record(vec![planned("A")])).unwrap();
    let before = whole(ledger);
    let accepted = entry("A", 2, Event::Accepted { answer: answer("77", None), replayed: false, amount: None, remark: None });
    let accepted = NewEvent { basis: Basis::of(before.bills.get(&number("A"))), ..accepted };
    let result = wait(ledger.record(vec![planned("B"), intended("B", 1, OperationKind::Issue, terms(1)), accepted]));
    assert!(matches!(&result, Err(LedgerError::Illegal(illegal)) if illegal.status == Some(Status::Planned)), "{result:?}");
    let after = whole(ledger);
    assert_eq!((after.head, &after.bills), (before.head, &before.bills));
    wait(ledger.record(vec![planned("B")])).unwrap();
    assert_eq!(whole(ledger).head.sequence, 2);
}

fn a_code_is_never_live_for_two_invoices(ledger: &impl Ledger) {
    wait(ledger.record(vec![adopted("A", "77")])).unwrap();
    let refused = wait(ledger.record(vec![planned("C"), adopted("B", "77")])).unwrap_err();
    assert!(
        matches!(&refused, LedgerError::CodeTaken { invoice_number, other } if invoice_number.as_str() == "B" && other.as_str() == "A"),
        "{refused}"
    );
    assert_eq!(whole(ledger).bills.len(), 1);
    wait(ledger.record(vec![entry("A", 5, Event::Retired { reason: "expired".into() }), adopted("B", "77")])).unwrap();
    assert_eq!(whole(ledger).bills[&number("B")].live_code().unwrap().answer.payment_code.as_str(), "77");
}

fn a_merchant_code_is_taken_from_its_intent_on(ledger: &impl Ledger) {
    let own = RecordedTerms { method: IssuanceMethod::Merchant, payment_code: Some(PaymentCode::new("77").unwrap()), ..terms(5) };
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
    assert_eq!(wait(ledger.apply_payments(&[late.clone(), late.clone()])).unwrap(), AppliedPayments { new: 1, known: 1 });
    wait(ledger.record(vec![adopted("A", "77"), entry("A", 9, Event::Retired { reason: "expired".into() })])).unwrap();
    assert_eq!(wait(ledger.apply_payments(&[early.clone(), late.clone()])).unwrap(), AppliedPayments { new: 1, known: 1 });
    let snapshot = whole(ledger);
    let identities: Vec<_> = snapshot.payments.iter().map(|payment| payment.identity[0]).collect();
    assert_eq!(identities, [2, 1], "in the order they were applied");
    assert_eq!(snapshot.payments[1].paid_at.as_microsecond(), early.paid_at.as_microsecond());
    assert_eq!(snapshot.head.sequence, 4, "one event each");
    assert_eq!(snapshot.bills[&number("A")].status, Status::Retired);
}

fn what_goes_beside_an_event_is_kept_beside_it(ledger: &impl Ledger) {
    let customer = |name: &str| {
        let (email, account_name) = (Some(Personal::new("a@b.id")), Some(Personal::new("Andreas")));
        Some((Customer { name: Personal::new(name), email, account_name }, SALT))
    };
    let mut first = planned("A");
    first.private.customer = customer("Siti");
    let mut second = intended("A", 1, OperationKind::Issue, terms(5));
    second.private.customer = customer("Siti Aminah");
    let (request_id, body) = second.private.body.clone().unwrap();
    wait(ledger.record(vec![first, second])).unwrap();
    assert_eq!(ask!(ledger, body(&number("A"), request_id)), Some(body));
    assert_eq!(ask!(ledger, body(&number("A"), RequestId::from_digest(&[9; 32]))), None);
    assert_eq!(wait(ledger.customer(&number("A"))).unwrap(), customer("Siti Aminah").map(|(customer, _)| customer));
    assert_eq!(wait(ledger.bill(&number("A"))).unwrap().unwrap().salt, Some(SALT));
    assert_eq!(wait(ledger.customer(&number("B"))).unwrap(), None);
    let mut visited = Vec::new();
    wait(async { ledger.view().await?.visit_customers(|number, customer| visited.push((number, customer))).await }).unwrap();
    assert_eq!(visited, [(number("A"), customer("Siti Aminah").unwrap().0)]);
    assert!(!format!("{:?}", whole(ledger)).contains("Siti"));
}

fn scope_counts_bills_at_the_very_edges(ledger: &impl Ledger) {
    let expiring = entry("A", 10, Event::Adopted { terms: terms(100), answer: answer("1", Some(at(100))), wire_invoice_number: None });
    let paid = entry("B", 10, Event::Adopted { terms: terms(20), answer: answer("2", None), wire_invoice_number: None });
    let reusable = RecordedTerms { reusable: true, ..terms(3) };
    let reusable = entry("C", 10, Event::Adopted { terms: reusable, answer: answer("3", None), wire_invoice_number: None });
    wait(ledger.record(vec![expiring, paid, reusable])).unwrap();
    wait(ledger.apply_payments(&[payment(1, "B", "2", 50), payment(2, "C", "3", 50), payment(3, "A", "999", 1)])).unwrap();
    let amount = |from: i64, as_of: i64, grace: i64| ask!(ledger, scope_totals(at(from), at(as_of), grace)).rupiah.get();
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
        let event = Event::Checked { order: number("A"), word: Word::Success, chosen: false, payment, details: StatusDetails::default() };
        NewEvent { private: Private { body, customer: None }, ..entry("A", second, event) }
    };
    wait(ledger.record(vec![adopted("A", "77"), adopted("B", "88")])).unwrap();
    let states = wait(ledger.record(vec![told(9, Some(found(1, "A", 5))), told(10, None), told(11, Some(found(1, "A", 5)))])).unwrap();
    let checks = states[2].checks.as_ref().unwrap();
    assert_eq!((checks.count, checks.found.len(), checks.found[0].at.as_second()), (3, 1, at(9).as_second()), "told of first");
    wait(ledger.record(vec![told(12, Some(found(2, "A", 6)))])).unwrap();
    assert_eq!(ask!(ledger, totals(at(0))).told.count, 2);
    assert_eq!(ask!(ledger, body(&number("A"), found(1, "A", 5).request_id)).as_deref(), Some(&b"answer"[..]));
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
        assert_eq!(whole(&reopened).bills.len(), kept);
        wait(reopened.record(vec![planned("D")])).unwrap();
    }
}

/// Everything there is, as no job may ask for it.
#[derive(Clone, Debug)]
pub(in crate::ledger) struct Whole {
    pub(in crate::ledger) bills: std::collections::HashMap<InvoiceNumber, BillState>,
    pub(in crate::ledger) payments: Vec<Payment>,
    pub(in crate::ledger) head: LedgerHead,
}

pub(in crate::ledger) fn whole(ledger: &impl Ledger) -> Whole {
    wait(async {
        let view = ledger.view().await.unwrap();
        let (mut bills, mut payments) = (std::collections::HashMap::new(), Vec::new());
        view.visit_bills(|state| drop(bills.insert(state.invoice_number.clone(), state))).await.unwrap();
        view.visit_payments(|payment| payments.push(payment)).await.unwrap();
        Whole { bills, payments, head: view.head().await.unwrap() }
    })
}
