//! The table of codes and numbers: whose a payment is, and by which of its codes the bill is paid.

#![allow(clippy::arithmetic_side_effects, reason = "a test that goes wrong should panic at once")]

use jiff::Timestamp;

use super::*;
use crate::domain::amount::Amount;
use crate::domain::bill::{Expiry, Policy, RecordedTerms};
use crate::domain::channel::IssuanceMethod;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{CodeAnswer, DoubtVerdict, Event, OperationKind};

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

fn code(text: &str) -> PaymentCode {
    PaymentCode::new(text).unwrap()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

fn terms(own: Option<&str>) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: if own.is_some() { IssuanceMethod::Merchant } else { IssuanceMethod::Doku },
        payment_code: own.map(code),
        amount: Amount::new(100_000).unwrap(),
        expiry: Expiry::Minutes(60),
        reusable: false,
        name_digest: "d".into(),
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

/// One issue of a bill: under which number, with a code of our making or not, and how it ended.
enum Issue {
    Accepted(&'static str, Option<&'static str>, &'static str),
    Doubted(&'static str, Option<&'static str>),
    Dead(&'static str, Option<&'static str>),
}

/// A bill that had these orders, one after the other.
fn bill(invoice: &str, issues: &[Issue]) -> BillState {
    let mut events = vec![Event::Planned { terms: terms(None) }];
    for (turn, issue) in issues.iter().enumerate() {
        let (Issue::Accepted(wire, own, _) | Issue::Doubted(wire, own) | Issue::Dead(wire, own)) = issue;
        if turn > 0 && matches!(issues[turn - 1], Issue::Accepted(..)) {
            events.push(Event::Retired { reason: "expired".into() });
        }
        events.push(Event::Intended {
            operation: OperationKind::Issue,
            terms: terms(*own),
            request_id: RequestId::from_digest(&[u8::try_from(turn).unwrap(); 32]),
            wire_invoice_number: number(wire),
            body_digest: String::new(),
        });
        let doubted = || Event::Doubted { reason: "cut".into(), answered: false, refusal: None };
        match issue {
            Issue::Accepted(_, _, made) => {
                let answer = CodeAnswer {
                    payment_code: code(made),
                    created_at: None,
                    expires_at: None,
                    how_to_pay_page: None,
                    how_to_pay_api: None,
                };
                events.push(Event::Accepted { answer, replayed: false, amount: None, remark: None });
            }
            Issue::Doubted(..) => events.push(doubted()),
            Issue::Dead(..) => events.extend([
                doubted(),
                Event::DoubtEnded {
                    verdict: DoubtVerdict::Dead,
                    answer: None,
                    by: "status".into(),
                    reason: "expired".into(),
                    unsettled_since: None,
                },
            ]),
        }
    }
    let fold = |before, event| Some(BillState::apply(before, &number(invoice), at(0), event).unwrap());
    events.iter().fold(None, fold).unwrap()
}

fn payment(identity: u8, invoice: &str, paid: &str) -> Payment {
    Payment {
        identity: [identity; 32],
        canonical: [identity; 32],
        invoice_number: number(invoice),
        payment_code: code(paid),
        channel: Channel::Alfa,
        amount: Amount::new(100_000).unwrap(),
        paid_at: at(1),
        received_at: None,
        line_digest: [identity; 32],
    }
}

/// Which bills one payment pays, in the order of their numbers.
fn paid_by(bills: &[BillState], invoice: &str, paid: &str) -> Vec<(String, Paid)> {
    let mut found: Vec<_> =
        notified(bills.iter(), &[payment(1, invoice, paid)]).into_iter().map(|(number, by)| (number.to_string(), by)).collect();
    found.sort();
    found
}

/// Number and code that a payment names, and the bills it pays.
type Row = (&'static str, &'static str, &'static [(&'static str, Paid)]);

use Paid::{ByEarlierCode as Earlier, ByItsCode as Present};

#[test]
fn the_code_decides_first_then_the_number_and_then_the_present_order() {
    let reissued = || bill("A", &[Issue::Accepted("A", None, "11"), Issue::Accepted("A-R1", None, "12")]);
    let twice = || bill("B", &[Issue::Accepted("B", Some("20"), "20"), Issue::Accepted("B-R1", Some("20"), "20")]);
    let homonym = || bill("A-R1", &[Issue::Accepted("A-R1", None, "31")]);
    let others_suffix =
        || bill("C", &[Issue::Accepted("C", None, "41"), Issue::Accepted("C_1", None, "42"), Issue::Accepted("C-R2", None, "43")]);
    let bills = [reissued(), twice(), homonym(), others_suffix()];
    let table: [Row; 16] = [
        // A bill that was issued anew: either code, by any of its numbers.
        ("A", "11", &[("A", Earlier)]),
        ("A-R1", "12", &[("A", Present)]),
        ("A", "12", &[("A", Present)]),
        // The number is two bills'; the code says whose.
        ("A-R1", "31", &[("A-R1", Present)]),
        ("A-R1", "11", &[("A", Earlier)]),
        // A number nobody has, or another bill's: the code is known all the same.
        ("X", "12", &[("A", Present)]),
        ("B", "12", &[("A", Present)]),
        // A code nobody knows: the number decides, and it is not the code the bill holds.
        ("A", "99", &[("A", Earlier)]),
        ("B-R1", "99", &[("B", Earlier)]),
        ("X", "99", &[("X", Present)]),
        // The number is two bills' and the code nobody's: neither is asked for money again.
        ("A-R1", "99", &[("A", Earlier), ("A-R1", Earlier)]),
        // One code of our making in both orders: the number says which order.
        ("B", "20", &[("B", Earlier)]),
        ("B-R1", "20", &[("B", Present)]),
        // Numbers of another suffix stay the bill's.
        ("C_1", "42", &[("C", Earlier)]),
        ("C_1", "99", &[("C", Earlier)]),
        ("C-R2", "43", &[("C", Present)]),
    ];
    for (invoice, paid, wanted) in table {
        let wanted: Vec<_> = wanted.iter().map(|(number, by)| ((*number).to_owned(), *by)).collect();
        assert_eq!(paid_by(&bills, invoice, paid), wanted, "{invoice} {paid}");
        let backwards: Vec<BillState> = bills.iter().rev().cloned().collect();
        assert_eq!(paid_by(&backwards, invoice, paid), wanted, "{invoice} {paid}, whatever the order of the bills");
    }
}

#[test]
fn an_open_issue_is_the_present_order_and_a_dead_one_stays_known() {
    let open = [bill("A", &[Issue::Accepted("A", None, "11"), Issue::Doubted("A-R1", None)])];
    assert_eq!(paid_by(&open, "A-R1", "12"), [("A".to_owned(), Present)], "its code was not heard");
    assert_eq!(paid_by(&open, "A", "11"), [("A".to_owned(), Earlier)]);
    let dead = [bill("A", &[Issue::Dead("A", Some("11")), Issue::Accepted("A-R1", Some("12"), "12")])];
    assert_eq!(paid_by(&dead, "A", "11"), [("A".to_owned(), Earlier)]);
    assert_eq!(paid_by(&dead, "A-R1", "12"), [("A".to_owned(), Present)]);
    let planned = [bill("A", &[])];
    assert_eq!(paid_by(&planned, "A", "11"), [("A".to_owned(), Present)], "there is no code to cancel");
}

#[test]
fn a_bill_paid_by_both_is_paid_by_its_code_and_a_code_handed_on_is_its_holders() {
    let reissued = bill("A", &[Issue::Accepted("A", None, "11"), Issue::Accepted("A-R1", None, "12")]);
    let both = notified([&reissued].into_iter(), &[payment(1, "A", "11"), payment(2, "A-R1", "12")]);
    assert_eq!(both[&number("A")], Present);
    let former = bill("OLD", &[Issue::Accepted("OLD", Some("77"), "77"), Issue::Accepted("OLD-R1", Some("78"), "78")]);
    let holder = bill("NEW", &[Issue::Accepted("NEW", Some("77"), "77")]);
    let bills = [former, holder];
    assert_eq!(paid_by(&bills, "NEW", "77"), [("NEW".to_owned(), Present)]);
    assert_eq!(paid_by(&bills, "OLD", "77"), [("OLD".to_owned(), Earlier)]);
    assert_eq!(paid_by(&bills, "X", "77"), [("NEW".to_owned(), Present)], "the present order before a former one");
}
