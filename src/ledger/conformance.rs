//! One suite for every store: what the [`Ledger`] trait promises, asked of the memory ledger and of SQLite alike.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::memory::{CrashMoment, CrashPlan, MemoryLedger};
use super::{Applied, Binding, Create, Entry, FoundTotals, Head, Ledger, LedgerError, Private, SqliteLedger};
use crate::domain::amount::Amount;
use crate::domain::bill::{Customer, Expiry, Policy, RecordedTerms};
use crate::domain::channel::{Channel, Method};
use crate::domain::check::{FoundPayment, Word};
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
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    }
}

pub(super) fn answer(code: &str, expires_at: Option<Timestamp>) -> CodeAnswer {
    CodeAnswer { payment_code: PaymentCode::new(code).unwrap(), created_at: None, expires_at, how_to_pay_page: None }
}

pub(super) fn entry(invoice: &str, second: i64, event: Event) -> Entry {
    Entry { invoice_number: number(invoice), at: at(second), event, private: Private::default() }
}

pub(super) fn planned(invoice: &str) -> Entry {
    entry(invoice, 0, Event::Planned { terms: terms(150_000) })
}

pub(super) fn adopted(invoice: &str, code: &str) -> Entry {
    entry(invoice, 0, Event::Adopted { terms: terms(150_000), answer: answer(code, None) })
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
        invoice_number: number(invoice),
        payment_code: PaymentCode::new(code).unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(150_000).unwrap(),
        paid_at: at(second),
        received_at: Some(at(second + 2)),
        line_digest: [identity ^ 0xff; 32],
    }
}

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
        entry("A", 2, Event::Accepted { answer: answer("11", None), replayed: false }),
    ]))
    .unwrap();
    let own = RecordedTerms { method: Method::Inquiry, payment_code: Some(PaymentCode::new("11").unwrap()), ..terms(150_000) };
    wait(ledger.record(vec![intended("B", 3, OperationKind::Issue, own)])).unwrap();
    assert_eq!(codes(3), (vec!["11:A:dead".into(), "11:B:live".into()], 6));
    wait(ledger.record(vec![entry("B", 4, Event::Accepted { answer: answer("11", None), replayed: false })])).unwrap();
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
    let accepted = entry("A", 2, Event::Accepted { answer: answer("77", None), replayed: false });
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
    wait(ledger.record(vec![entry("A", 2, Event::Rejected { code: "E".into(), reason: "no".into() }), adopted("B", "77")])).unwrap();
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
    let customer = |name: &str| Some(Customer { name: Personal::new(name), email: Some(Personal::new("a@b.id")) });
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
    let expiring = entry("A", 10, Event::Adopted { terms: terms(100), answer: answer("1", Some(at(100))) });
    let paid = entry("B", 10, Event::Adopted { terms: terms(20), answer: answer("2", None) });
    let reusable = RecordedTerms { reusable: true, ..terms(3) };
    let reusable = entry("C", 10, Event::Adopted { terms: reusable, answer: answer("3", None) });
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
        let event = Event::Checked { order: number("A"), word: Word::Success, chosen: false, payment };
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

/// A random step: which bill, which of the events legal for it, how many seconds later.
type Step = (usize, prop::sample::Index, i64);

const BILLS: [&str; 4] = ["INV-1", "INV-2", "INV-3", "INV-4"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..BILLS.len(), any::<prop::sample::Index>(), 0..5_i64), 1..60)
}

/// Turns random steps into a legal history, folded beside it by hand.
fn history_of(steps: &[Step]) -> (Vec<Entry>, Vec<Payment>, BTreeMap<InvoiceNumber, BillState>) {
    let (mut entries, mut payments, mut states) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut second = 0;
    for (count, (bill, choice, pause)) in steps.iter().enumerate() {
        second += pause;
        let (invoice, before) = (BILLS[*bill], states.get(&number(BILLS[*bill])).cloned());
        if choice.index(5) == 0 {
            let identity = u8::try_from(payments.len() / 2).unwrap();
            let code = before.as_ref().and_then(|state: &BillState| state.code.as_ref());
            let code = code.map_or_else(|| "1".to_owned(), |code| code.answer.payment_code.as_str().to_owned());
            payments.push(payment(identity, invoice, &code, second));
        }
        let current = before.as_ref().map(|state| state.status);
        let legal: Vec<EventKind> = EventKind::ALL.into_iter().filter(|kind| next_status(current, *kind).is_some()).collect();
        if legal.is_empty() {
            continue;
        }
        let kind = legal[choice.index(legal.len())];
        let entry = entry_of(kind, invoice, second, count);
        let folded_at = Timestamp::from_microsecond(entry.at.as_microsecond()).unwrap();
        let state = BillState::apply(before, &entry.invoice_number, folded_at, &entry.event).unwrap();
        states.insert(entry.invoice_number.clone(), state);
        entries.push(entry);
    }
    (entries, payments, states)
}

fn entry_of(kind: EventKind, invoice: &str, second: i64, count: usize) -> Entry {
    let terms = RecordedTerms { reusable: count.is_multiple_of(3), ..terms(1_000 + u64::try_from(count).unwrap()) };
    let code = answer(&format!("9{count:04}"), (!count.is_multiple_of(4)).then(|| at(second + 20)));
    let reason = "because".to_owned();
    let event = match kind {
        EventKind::Intended(operation) => {
            return intended(invoice, second + i64::try_from(count).unwrap() * 1_000_000, operation, terms).with_at(second);
        }
        EventKind::Planned => Event::Planned { terms },
        EventKind::Adopted => Event::Adopted { terms, answer: code },
        EventKind::NotSent => Event::NotSent { reason },
        EventKind::Accepted => Event::Accepted { answer: code, replayed: false },
        EventKind::Rejected => Event::Rejected { code: "E".into(), reason },
        EventKind::Doubted => Event::Doubted { reason },
        EventKind::Settled(verdict) => {
            let answer = (verdict == Verdict::Done && count.is_multiple_of(2)).then_some(code);
            Event::Settled { verdict, answer, by: "status".into(), reason }
        }
        EventKind::Retired => Event::Retired { reason },
        EventKind::Noted => Event::Noted { terms },
        EventKind::Checked => {
            let payment = count.is_multiple_of(2).then(|| found(u8::try_from(count % 5).unwrap(), invoice, second));
            let order = number(&format!("{invoice}-R{}", count % 3));
            Event::Checked { order, word: Word::Success, chosen: count.is_multiple_of(3), payment }
        }
        EventKind::Registered(operation) => Event::Registered { operation, terms, answer: code },
    };
    entry(invoice, second, event)
}

pub(super) fn found(identity: u8, invoice: &str, second: i64) -> FoundPayment {
    FoundPayment {
        identity: [identity; 32],
        invoice_number: number(invoice),
        payment_code: PaymentCode::new("77").unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(150_000).unwrap(),
        paid_at: Timestamp::from_second(1_790_000_000 + second).unwrap(),
        request_id: RequestId::from_digest(&[identity; 32]),
        answer_digest: digest::of_bytes(b"answer"),
    }
}

impl Entry {
    fn with_at(self, second: i64) -> Self {
        Self { at: at(second), ..self }
    }
}

/// Scope by the words of the trait, without the stores' own rule.
fn counted_by_hand(
    states: &BTreeMap<InvoiceNumber, BillState>,
    payments: &[Payment],
    from: Timestamp,
    as_of: Timestamp,
    grace: i64,
) -> (u64, i128) {
    let mut totals = (0, 0);
    for state in states.values() {
        let code = state.code.as_ref();
        let own = |payment: &&Payment| {
            payment.invoice_number == state.invoice_number && code.is_none_or(|code| code.answer.payment_code == payment.payment_code)
        };
        let first_paid = payments.iter().filter(own).map(|payment| payment.paid_at).min();
        // While another code is being asked for, when it expires is not known yet.
        let asked_anew = matches!(state.status, Status::Requested | Status::InDoubt(OperationKind::Issue));
        let expires_at = code.filter(|_| !asked_anew).and_then(|code| code.answer.expires_at);
        let expiry = expires_at.map(|expiry| expiry + SignedDuration::from_mins(grace));
        let closed = [state.cancelled_at, expiry, first_paid.filter(|_| !state.terms.reusable)];
        let as_kept = |at: Timestamp| at.as_microsecond();
        if as_kept(state.planned_at) <= as_kept(as_of) && closed.into_iter().flatten().all(|closed| as_kept(closed) >= as_kept(from)) {
            totals.0 += 1;
            totals.1 += i128::from(state.terms.amount.get());
        }
    }
    totals
}

/// Feeds a history in calls of varying size, payments in between, and checks what the trait lets us see.
fn lives_through(ledger: &impl Ledger, steps: &[Step]) -> Head {
    let (entries, payments, states) = history_of(steps);
    let mut known = std::collections::HashSet::new();
    let unique: Vec<Payment> = payments.iter().filter(|payment| known.insert(payment.identity)).cloned().collect();
    let half = payments.len() / 2;
    ledger.apply_payments(&payments[..half]).unwrap();
    for part in entries.chunks(3) {
        let folded = wait(ledger.record(part.to_vec())).unwrap();
        assert_eq!(folded.len(), part.len());
    }
    let applied = ledger.apply_payments(&payments[half..]).unwrap();
    assert!(usize::try_from(applied.new).unwrap() <= unique.len());
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.bills.clone().into_iter().collect::<BTreeMap<_, _>>(), states);
    assert_eq!(snapshot.payments.len(), unique.len());
    assert_eq!(usize::try_from(snapshot.head.sequence).unwrap(), entries.len() + unique.len());
    let told: u64 = states.values().flat_map(|state| &state.checks).map(|checks| u64::try_from(checks.found.len()).unwrap()).sum();
    assert_eq!(ledger.found_totals().unwrap(), FoundTotals { count: told, amount: 150_000 * i128::from(told) });
    for (from, as_of, grace) in [(0, 1000, 0), (30, 1000, 0), (90, 100, 1), (40, 20, 0), (100, 1000, 1)] {
        let totals = ledger.scope_totals(at(from), at(as_of), grace).unwrap();
        assert_eq!((totals.count, totals.amount), counted_by_hand(&states, &unique, at(from), at(as_of), grace), "from {from}");
    }
    snapshot.head
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_legal_history_folds_alike_in_every_store_and_verifies(steps in steps()) {
        let (folder, sqlite) = new_sqlite();
        let head = lives_through(&sqlite, &steps);
        prop_assert_eq!(head, lives_through(&MemoryLedger::new(), &steps));

        let mut exported = Vec::new();
        prop_assert_eq!(sqlite.export(&mut exported).unwrap(), head);
        prop_assert_eq!(refolded(&exported), sqlite.snapshot().unwrap().bills.into_iter().collect::<BTreeMap<_, _>>());
        let report = SqliteLedger::verify_against(&folder.path().join("ledger.db"), &head).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.findings);
    }
}

/// The fold of an export's lines.
fn refolded(exported: &[u8]) -> BTreeMap<InvoiceNumber, BillState> {
    let mut states = BTreeMap::new();
    for line in std::str::from_utf8(exported).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "bill" {
            let invoice = number(line["invoice_number"].as_str().unwrap());
            let event: Event = serde_json::from_value(line["event"].clone()).unwrap();
            let state = BillState::apply(states.remove(&invoice), &invoice, line["at"].as_str().unwrap().parse().unwrap(), &event).unwrap();
            states.insert(invoice, state);
        }
    }
    states
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
