//! Two writers at one bill: who is late hears that it is, and nothing of its call stands.

use super::*;

fn based(entry: NewEvent, basis: Basis) -> NewEvent {
    NewEvent { basis, ..entry }
}

fn retired(invoice: &str, basis: Basis) -> NewEvent {
    based(entry(invoice, 9, Event::Retired { reason: "expired".into() }), basis)
}

fn state(ledger: &impl Ledger, invoice: &str) -> BillState {
    wait(ledger.bill(&number(invoice))).unwrap().unwrap()
}

/// The call's error: `lost` or `illegal`, and of which bill.
fn refusal(ledger: &impl Ledger, entries: Vec<NewEvent>) -> String {
    match wait(ledger.record(entries)).unwrap_err() {
        LedgerError::Lost { invoice_number } => format!("lost {invoice_number}"),
        LedgerError::Illegal(illegal) => format!("illegal {}", illegal.invoice_number),
        other => other.to_string(),
    }
}

pub(super) fn a_lost_race_is_told_apart_from_what_cannot_be(ledger: &impl Ledger) {
    let issue = intended("OPEN", 1, OperationKind::Issue, terms(5));
    let (ours, _) = issue.private.body.clone().unwrap();
    let others = RequestId::from_digest(&[9; 32]);
    wait(ledger.record(vec![planned("PLANNED"), planned("OPEN"), issue, adopted("ACTIVE", "77")])).unwrap();
    let seen = |invoice: &str| Basis::of(Some(&state(ledger, invoice)));
    let accepted =
        |invoice: &str| entry(invoice, 5, Event::Accepted { answer: answer("78", None), replayed: false, amount: None, remark: None });
    for (entries, expected) in [
        // It cannot happen to what was looked at: nobody else is to blame.
        (vec![retired("PLANNED", seen("PLANNED"))], "illegal PLANNED"),
        (vec![retired("OPEN", Basis::Operation(ours))], "illegal OPEN"),
        (vec![based(accepted("NEW"), Basis::Since(0))], "illegal NEW"),
        // Nor to what the call itself has made of it.
        (vec![planned("NEW"), accepted("NEW")], "illegal NEW"),
        (vec![based(planned("PLANNED"), seen("PLANNED")), retired("PLANNED", seen("PLANNED"))], "illegal PLANNED"),
        // It was looked at before others came, or as it never was.
        (vec![retired("ACTIVE", Basis::Since(0))], "lost ACTIVE"),
        (vec![retired("ACTIVE", seen("PLANNED"))], "lost ACTIVE"),
        (vec![based(planned("NEW"), seen("ACTIVE"))], "lost NEW"),
        (vec![based(accepted("OPEN"), Basis::Operation(others))], "lost OPEN"),
        (vec![based(accepted("ACTIVE"), Basis::Operation(ours))], "lost ACTIVE"),
        (vec![based(accepted("NEW"), Basis::Operation(ours))], "lost NEW"),
        // What was not looked at has moved on, if it cannot happen to it.
        (vec![retired("PLANNED", Basis::Any)], "lost PLANNED"),
        (vec![accepted("NEW")], "lost NEW"),
    ] {
        let before = wait(ledger.head()).unwrap();
        assert_eq!(refusal(ledger, entries.clone()), expected, "{entries:?}");
        assert_eq!(wait(ledger.head()).unwrap(), before, "nothing of it was recorded");
    }
    // Payments are folded apart, and several events of one call are one decision.
    let planned_at = seen("ACTIVE");
    wait(ledger.apply_payments(&[payment(1, "ACTIVE", "77", 8)])).unwrap();
    let again = |basis| based(entry("ACTIVE", 10, Event::Noted { terms: terms(150_000) }), basis);
    wait(ledger.record(vec![again(planned_at), retired("ACTIVE", planned_at)])).unwrap();
    wait(ledger.record(vec![based(accepted("OPEN"), Basis::Operation(ours))])).unwrap();
}

pub(super) fn what_another_writer_did_after_the_look_is_lost_whole(ledger: &impl Ledger) {
    wait(ledger.record(vec![adopted("A", "77"), adopted("B", "78")])).unwrap();
    let seen = |invoice: &str| Basis::of(Some(&state(ledger, invoice)));
    let (a, b) = (seen("A"), seen("B"));
    // Legal on its own, and yet not what the first one decided on: a hold must be seen before the bill is changed.
    let held = Event::Held { cause: crate::domain::lifecycle::HoldCause::NotUnderstood, reason: "money".into(), evidence: "e".into() };
    wait(ledger.record(vec![entry("B", 5, held)])).unwrap();
    let amend = |invoice: &str, basis| based(intended(invoice, 6, OperationKind::Amend, terms(6)), basis);
    assert_eq!(refusal(ledger, vec![amend("A", a), amend("B", b)]), "lost B");
    assert_eq!((state(ledger, "A").status, seen("A")), (Status::Active, a), "the call's other entries are gone with it");
    wait(ledger.record(vec![amend("A", a), amend("B", seen("B"))])).unwrap();
}
