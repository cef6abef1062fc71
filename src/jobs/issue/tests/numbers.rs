//! Numbers and codes of bills that were issued anew, and bills that wait for a person.

use super::*;
use crate::domain::lifecycle::HoldCause;

fn record(office: &Office, event: Event) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(office.ledger.record(vec![entry(office.clock(), event)])).unwrap();
}

/// A bill whose first code, 7, has expired, and which has 8 now under another number.
fn reissued(suffix: &'static str) -> Office {
    let office = Office { reissues: true, suffix, ..Office::new() };
    office.end(row("I", 100), vec![yes("I", "7")]);
    let wire = format!("I{suffix}1");
    let ends_at = 1_790_000_000 + 2 * 36_000;
    let end = office.after_minutes(700).end(row("I", 100), vec![seen("EXPIRED", 100), Act::Say(200, success(&wire, "8", ends_at))]);
    assert_eq!(end.bucket, Bucket::Issued, "{end:?}");
    office
}

#[test]
fn a_late_payment_of_a_code_that_was_replaced_leaves_the_live_one_to_be_cancelled_and_is_a_finding() {
    for (named, code) in [("I", "7"), ("I-R1", "7"), ("I", "99"), ("ELSE", "7")] {
        let office = reissued("-R");
        now(office.ledger.apply_payments(&[payment(&office, named, code)])).unwrap();
        assert_eq!(office.end(row("I", 100), vec![]).action, "paid_by_earlier_code", "{named} {code}");
        assert_eq!(office.end(row("I", 200), vec![]).action, "paid_by_earlier_code", "it is not amended either");
        assert_eq!(office.end(cancel("I"), vec![Act::Say(200, success("I-R1", "8", 1_790_000_000))]).bucket, Bucket::Cancelled);
    }
    for (named, code) in [("I", "8"), ("I-R1", "8"), ("ELSE", "8")] {
        let office = reissued("-R");
        now(office.ledger.apply_payments(&[payment(&office, named, code)])).unwrap();
        assert_eq!(office.end(row("I", 100), vec![]).action, "paid", "{named} {code}");
        assert_eq!(office.end(cancel("I"), vec![]).code, "E0309", "{named} {code}");
    }
}

#[test]
fn a_number_of_an_earlier_suffix_stays_the_bills() {
    let office = Office { suffix: "-R", ..reissued("_") };
    office.after_minutes(2_000);
    now(office.ledger.apply_payments(&[payment(&office, "I_1", "99")])).unwrap();
    assert_eq!(office.end(row("I", 100), vec![]).action, "paid", "its code has expired, and nothing is issued anew");
    // Unpaid, it is issued anew under the suffix of today.
    let office = Office { suffix: "-R", ..reissued("_") };
    let answer = Act::Say(200, success("I-R2", "9", 1_790_000_000 + 900_000));
    let end = office.after_minutes(2_000).end(row("I", 100), vec![seen("EXPIRED", 100), answer]);
    assert_eq!((end.bucket, office.state("I").code.unwrap().wire_invoice_number), (Bucket::Issued, number("I-R2")), "{}", end.reason);
}

#[test]
fn a_bill_that_nobody_knew_when_it_was_paid_is_not_issued() {
    let office = Office::new();
    now(office.ledger.apply_payments(&[payment(&office, "OTHER", "9")])).unwrap();
    assert_eq!(office.end(row("OTHER", 100), vec![]).action, "paid");
}

#[test]
fn a_new_bill_of_a_number_that_is_a_re_issues_is_refused_unrecorded_and_a_re_issue_takes_the_next() {
    let office = reissued("-R");
    let end = office.end(row("I-R1", 100), vec![]);
    assert_eq!((end.bucket, end.code.as_str()), (Bucket::Refused, "E0313"));
    assert!(end.reason.contains("invoice `I`"), "{}", end.reason);
    assert!(now(office.ledger.bill(&number("I-R1"))).unwrap().is_none());
    // I-R2 is a bill of its own, so the next re-issue is I-R3.
    office.end(row("I-R2", 100), vec![Act::Say(200, success("I-R2", "9", 1_790_000_000 + 900_000))]);
    let end = office
        .after_minutes(2_000)
        .end(row("I", 100), vec![seen("EXPIRED", 100), Act::Say(200, success("I-R3", "10", 1_790_000_000 + 900_000))]);
    assert_eq!(end.bucket, Bucket::Issued, "{end:?}");
    assert_eq!(office.state("I").code.unwrap().wire_invoice_number, number("I-R3"));
}

#[test]
fn a_bill_and_a_re_issue_that_meet_in_one_run_get_a_number_each() {
    let office = reissued("-R");
    office.after_minutes(2_000);
    let far = 1_790_000_000 + 900_000;
    let script = vec![seen("EXPIRED", 100), Act::Say(200, success("I-R2", "9", far)), Act::Say(200, success("I-R3", "10", far))];
    let ends = office.run(&[row("I", 100), row("I-R2", 100)], script).unwrap();
    assert!(ends.iter().all(|end| matches!(end.bucket, Bucket::Issued | Bucket::InDoubt)), "{ends:?}");
    let numbers = ["I", "I-R2"].map(|invoice| office.state(invoice).orders().next().unwrap().wire_invoice_number.to_string());
    assert_eq!(numbers, ["I-R3", "I-R2"]);
}

#[test]
fn a_held_bill_is_left_as_it_is_and_its_code_given_to_nobody() {
    let (office, code) = (Office::new(), Some("8896500001"));
    office.end(with_code("I", 100, code), vec![yes("I", "8896500001")]);
    let hold = Event::Held { cause: HoldCause::NotUnderstood, reason: "amount `5.0E4`".into(), evidence: "ab".into() };
    record(&office, hold);
    assert_eq!(office.end(with_code("I", 100, code), vec![]).action, "held");
    for wanted in [with_code("I", 200, code), cancel("I")] {
        let end = office.end(wanted, vec![]);
        assert_eq!((end.bucket, end.code.as_str(), end.reason.as_str()), (Bucket::Refused, "E0314", "amount `5.0E4`"));
    }
    office.after_minutes(2_000);
    assert_eq!(office.end(with_code("I", 100, code), vec![]).action, "held", "also when it has expired");
    assert_eq!(office.end(with_code("NEXT", 100, code), vec![]).code, "E0305", "its code goes to nobody");
    record(&office, Event::Released { by: "person".into(), reason: "seen".into() });
    assert_eq!(office.end(with_code("I", 100, code), vec![]).action, "expired");
}
