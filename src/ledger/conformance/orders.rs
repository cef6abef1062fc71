//! Bills that were issued anew: whose their numbers and codes are, and when they were paid.

use super::*;
use crate::domain::owner::Paid;

/// The events of an issue under `wire` that DOKU answered with `code`, then of its end.
pub(super) fn order(invoice: &str, second: i64, wire: &str, code: &str) -> Vec<NewEvent> {
    let mut intent = intended(invoice, second, OperationKind::Issue, terms(5));
    if let Event::Intended { wire_invoice_number, .. } = &mut intent.event {
        *wire_invoice_number = number(wire);
    }
    let accepted = Event::Accepted { answer: answer(code, None), replayed: false, amount: None, remark: None };
    vec![intent, entry(invoice, second + 1, accepted)]
}

pub(super) fn retired(invoice: &str, second: i64) -> NewEvent {
    entry(invoice, second, Event::Retired { reason: "expired".into() })
}

/// A, whose first code 11 expired, and which has 12 now, as A-R1.
pub(in crate::ledger) fn reissued() -> Vec<NewEvent> {
    [vec![planned("A")], order("A", 1, "A", "11"), vec![retired("A", 3)], order("A", 4, "A-R1", "12")].concat()
}

pub(super) fn a_number_that_stands_for_a_bill_at_doku_is_never_anothers(ledger: &impl Ledger) {
    wait(ledger.record(reissued())).unwrap();
    let before = whole(ledger);
    let taken = |entries: Vec<NewEvent>| match wait(ledger.record(entries)) {
        Err(LedgerError::NumberTaken { invoice_number, number, other }) => format!("{invoice_number} {number} {other}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(vec![planned("B"), planned("A-R1")]), "A-R1 A-R1 A", "a new bill of that number");
    let adopted_as = |wire: &str| Event::Adopted { terms: terms(5), answer: answer("30", None), wire_invoice_number: Some(number(wire)) };
    assert_eq!(taken(vec![entry("C", 9, adopted_as("A-R1"))]), "C A-R1 A", "an adopted one");
    assert_eq!(taken(vec![entry("C", 9, adopted_as("A"))]), "C A A", "that of a bill of its own");
    assert_eq!(whole(ledger).head, before.head, "nothing of a refused call is there");
    wait(ledger.record(vec![entry("C", 9, adopted_as("C-R3"))])).unwrap();
    let state = wait(ledger.bill(&number("C"))).unwrap().unwrap();
    assert_eq!(state.code.unwrap().wire_invoice_number, number("C-R3"));
    assert_eq!(taken(vec![planned("C-R3")]), "C-R3 C-R3 C");
    // A bill that is issued anew takes no number of a bill or of another's order.
    wait(ledger.record(vec![planned("A-R2"), retired("A", 10)])).unwrap();
    assert_eq!(taken(order("A", 11, "A-R2", "13")), "A A-R2 A-R2");
    assert_eq!(taken(order("A", 11, "C-R3", "13")), "A C-R3 C");
    wait(ledger.record(order("A", 11, "A-R3", "13"))).unwrap();
    assert_eq!(taken(vec![planned("A-R1")]), "A-R1 A-R1 A", "also one it had before");
    let intent = order("B", 1, "A-R3", "40").swap_remove(0);
    assert_eq!(taken(vec![planned("B"), intent]), "B A-R3 A");
}

pub(super) fn a_bill_is_paid_from_the_first_payment_of_any_code_it_had(ledger: &impl Ledger) {
    // A bill that was paid in a second is in scope of spans that begin with it, and of none that begin later.
    let open = |second: i64| ask!(ledger, scope_totals(at(second), at(9_999), 0)).count;
    let paid = |invoice: &str| ask!(ledger, paid(&[number(invoice)])).get(&number(invoice)).copied();
    wait(ledger.record(reissued())).unwrap();
    wait(ledger.apply_payments(&[payment(1, "Z", "99", 10), payment(2, "X", "12", 11)])).unwrap();
    assert_eq!((open(500), paid("A")), (1, Some(Paid::ByItsCode)), "its code under a stranger's number: paid, but no pair");
    wait(ledger.apply_payments(&[payment(3, "A-R1", "12", 50)])).unwrap();
    assert_eq!((open(50), open(51)), (1, 0));
    wait(ledger.apply_payments(&[payment(4, "A", "11", 40)])).unwrap();
    assert_eq!((open(40), open(41)), (1, 0), "the code it has lost");
    // The same when the money was there first, and when the order is lost only later.
    let other = [vec![planned("B")], order("B", 1, "B", "21"), vec![retired("B", 3)], order("B", 4, "B-R1", "22")].concat();
    wait(ledger.apply_payments(&[payment(5, "B", "21", 30), payment(6, "B-R1", "22", 60)])).unwrap();
    assert_eq!(paid("B"), Some(Paid::ByItsCode), "under the number it will have");
    wait(ledger.record(other)).unwrap();
    assert_eq!((open(30), open(31)), (2, 1));
    wait(ledger.record([vec![retired("B", 9)], order("B", 10, "B-R2", "23")].concat())).unwrap();
    assert_eq!((open(30), open(31), paid("B")), (2, 1, Some(Paid::ByEarlierCode)));
    wait(ledger.apply_payments(&[payment(7, "B-R1", "23", 20)])).unwrap();
    assert_eq!((open(20), open(21), paid("B")), (2, 1, Some(Paid::ByItsCode)), "the code it holds, under a number it had");
}

pub(super) fn what_is_about_a_bill_is_found_by_every_number_and_code_it_had(ledger: &impl Ledger) {
    wait(ledger.record([reissued(), vec![adopted("Z", "70")]].concat())).unwrap();
    let all = [("A", "90"), ("A-R1", "91"), ("X", "11"), ("X", "12"), ("Z", "12"), ("Z", "70"), ("X", "92")];
    let payments: Vec<Payment> = (1..).zip(all).map(|(identity, (invoice, code))| payment(identity, invoice, code, 1)).collect();
    wait(ledger.apply_payments(&payments)).unwrap();
    let state = wait(ledger.bill(&number("A"))).unwrap().unwrap();
    let about: Vec<u8> = ask!(ledger, payments_about(&Names::of(&state))).iter().map(|payment| payment.identity[0]).collect();
    assert_eq!(about, [1, 2, 3, 4, 5]);
    let bills = |invoice: &str, code: &str| -> Vec<String> {
        let names = Names { numbers: [number(invoice)].into(), codes: [PaymentCode::new(code).unwrap()].into() };
        ask!(ledger, bills_about(&names)).iter().map(|state| state.invoice_number.to_string()).collect()
    };
    assert_eq!(bills("A", "1"), ["A"]);
    assert_eq!(bills("A-R1", "1"), ["A"]);
    assert_eq!(bills("Z", "11"), ["A", "Z"], "one by its number, the other by a code it lost");
    assert!(bills("X", "1").is_empty());
    assert!(ask!(ledger, bills_about(&Names::default())).is_empty());
    let beginning = |prefix: &str| -> Vec<String> {
        ask!(ledger, bills_beginning(prefix)).iter().map(|state| state.invoice_number.to_string()).collect()
    };
    assert_eq!((beginning("A-R"), beginning("A"), beginning("B")), (vec!["A".into()], vec!["A".into()], vec![]));
}

pub(super) fn what_held_a_bill_once_is_remembered_after_its_release(ledger: &impl Ledger) {
    wait(ledger.record(vec![adopted("A", "77"), adopted("B", "78")])).unwrap();
    let held = |evidence: &str| Event::Held {
        cause: crate::domain::lifecycle::HoldCause::NotUnderstood,
        reason: "its amount cannot be used".into(),
        evidence: evidence.into(),
    };
    assert!(!ask!(ledger, was_held_for(&number("A"), "aa")));
    let states = wait(ledger.record(vec![entry("A", 1, held("aa")), entry("A", 2, held("bb"))])).unwrap();
    assert_eq!(states[1].hold.as_ref().unwrap().evidence, "aa", "the first stands");
    let released = entry("A", 3, Event::Released { by: "person".into(), reason: "seen".into() });
    assert_eq!(wait(ledger.record(vec![released])).unwrap()[0].hold, None);
    for (invoice, evidence, known) in [("A", "aa", true), ("A", "bb", true), ("A", "cc", false), ("B", "aa", false)] {
        assert_eq!(ask!(ledger, was_held_for(&number(invoice), evidence)), known, "{invoice} {evidence}");
    }
}

pub(super) fn a_payment_is_known_however_its_message_is_written(ledger: &impl Ledger) {
    use crate::domain::payment::{AgentIds, Payment, canonical, identity_by_date, identity_by_transaction};
    let told = |agent: &str, store: &str, transaction: &str, second: i64, nanoseconds: i64| {
        let plain = payment(0, "A", "77", second);
        let paid_at = plain.paid_at + SignedDuration::from_nanos(nanoseconds);
        let identity = if transaction.is_empty() {
            identity_by_date(Channel::Alfa, "77", "A", paid_at)
        } else {
            identity_by_transaction(Channel::Alfa, "77", agent, store, transaction)
        };
        let canonical = canonical(Channel::Alfa, "77", "A", paid_at, AgentIds { agent, store, transaction });
        Payment { identity, canonical, paid_at, ..plain }
    };
    let apply = |payments: &[Payment]| {
        let applied = wait(ledger.apply_payments(payments)).unwrap();
        (applied.new, applied.known)
    };
    assert_eq!(apply(&[told("ALFAMART", "S1", "T1", 5, 0)]), (1, 0));
    for variant in [
        told("Alfamart", " s1", "t1 ", 5, 0),
        told("ALFAMART", "S1", "T1", 5, 250_000_000),
        told("", "", "", 5, 0),
        told("", "", "", 5, 500_000_000),
    ] {
        assert_eq!(apply(&[variant.clone(), variant]), (0, 2));
    }
    assert_eq!(apply(&[told("ALFAMART", "S1", "T2", 5, 0), told("", "", "", 6, 0)]), (2, 0), "another number, another second");
    // What came without a number first is the first of what comes with one, and of no other from then on: in one run or in many.
    let without = told("", "", "", 6, 0);
    let numbered = |number: &str| told("ALFAMART", "S1", number, 6, 0);
    assert_eq!(apply(&[numbered("T3")]), (0, 1));
    assert_eq!(apply(&[without.clone(), numbered("T4")]), (1, 1), "two payments that are told of together are two");
    let kept = |identity| whole(ledger).payments.into_iter().find(|kept| kept.identity == identity).unwrap();
    assert_eq!(kept(without.identity).canonical, numbered("T3").canonical, "its identity is what it was, and its number is known");
    // A later reading of logs in which only the message without a number and another number stand.
    let mixed = Payment { canonical: numbered("T5").canonical, ..without.clone() };
    assert_eq!(apply(std::slice::from_ref(&mixed)), (1, 0), "another number is another payment, whatever message it came beside");
    assert_eq!(apply(&[mixed, numbered("T5"), numbered("T4"), numbered("T3"), without]), (0, 5));
    // The live server applies messages as they come, in one batch or not.
    assert_eq!(apply(&[told("", "", "", 7, 0), told("ALFAMART", "S1", "T7", 7, 0), told("", "", "", 7, 500_000_000)]), (1, 2));
    assert_eq!(apply(&[told("ALFAMART", "S1", "T8", 7, 0)]), (1, 0));
    let identities: std::collections::BTreeSet<_> = whole(ledger).payments.iter().map(|payment| payment.identity).collect();
    assert_eq!(identities.len(), 7);
}
