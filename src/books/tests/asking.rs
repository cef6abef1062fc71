//! What a bill asks for decides what is owed, whatever comes back to its debt and in whatever order things are heard of.

use super::business::*;
use crate::books::account::Account as A;
use crate::books::decision::Action;
use crate::books::fact::{BillFact, Change, Hold, Mark};
use crate::books::item::{ItemId, Subject};
use crate::books::known::Known;
use crate::books::pair::Leg;

fn owed(known: &Known) -> i128 {
    total(known, A::Receivable)
}

fn premium(known: &Known) -> i128 {
    total(known, A::Premium)
}

fn marked(bill: BillFact, is_marked: bool) -> BillFact {
    BillFact { mark: is_marked.then_some(Mark { at: None, paid: None }), ..bill }
}

#[test]
fn a_cancelled_bill_owes_nothing_whatever_comes_back_to_it() {
    let open = bill("b", day(8, 1), 40_000);
    let cancelled = || open.clone().then(day(9, 10), Change::Cancelled);
    let late = |amount| {
        let mut held = pays("held", day(8, 1), amount, "b");
        held.hold = Some(Hold::AfterExpiry);
        held
    };
    // What nothing proved comes back: since money waits for a decision, in part or whole, or since the mark is withdrawn.
    let proofs = [(true, vec![late(50_000)], 0), (true, vec![late(15_000)], 25_000), (false, Vec::new(), 0), (false, vec![late(9_000)], 0)];
    for (still_marked, payments, unproven) in proofs {
        let mut business = Business::default();
        let august = business.close(8, &facts(&[marked(open.clone(), true)], &[], &[]));
        assert_eq!((owed(&august.known), total(&august.known, A::Unproven)), (0, 40_000));
        let september = business.close(9, &facts(&[marked(cancelled(), still_marked)], &payments, &[]));
        assert_eq!((owed(&september.known), total(&september.known, A::Unproven)), (0, unproven), "{payments:?}");
        assert_eq!(premium(&september.known), -unproven, "{payments:?}");
    }
    // What was written off before the cancellation is, when that decision is taken back, cancelled too.
    let mut business = Business::default();
    let about = Leg::of(A::Receivable, ItemId::debt_of("b"));
    business.decisions.push(decide("loss", day(8, 20), Action::WriteOff, about, facts(std::slice::from_ref(&open), &[], &[])));
    let august = business.close(8, &facts(std::slice::from_ref(&open), &[], &[]));
    assert_eq!((owed(&august.known), total(&august.known, A::WriteOff)), (0, 40_000));
    let mut back = decide("back", day(9, 20), Action::Reopen, about, facts(&[cancelled()], &[], &[]));
    (back.account, back.item) = (None, ItemId::of(Subject::Decision, &[b"loss"]));
    business.decisions.push(back);
    let september = business.close(9, &facts(&[cancelled()], &[], &[]));
    assert!(september.aside.refused.is_empty(), "{:?}", september.aside.refused);
    assert_eq!((owed(&september.known), total(&september.known, A::WriteOff), premium(&september.known)), (0, 0, 0));
}

#[test]
fn what_is_heard_of_late_stands_where_its_day_puts_it() {
    let made = || bill("b", day(8, 1), 40_000);
    let amended = |bill: BillFact| bill.then(day(9, 8), Change::Amended(rupiah(20_000)));
    let cancelled = |bill: BillFact| bill.then(day(9, 1), Change::Cancelled);
    let reinstated = |bill: BillFact| bill.then(day(9, 4), Change::Reinstated(rupiah(10_000)));
    // What September's run knew, what October's tells of September besides, and what is owed then.
    let heard = [
        (amended(made()), amended(cancelled(made())), 0),
        (amended(cancelled(made())), amended(reinstated(cancelled(made()))), 20_000),
        (amended(made()), amended(reinstated(cancelled(made()))), 20_000),
        (reinstated(made()), amended(reinstated(made())), 20_000),
        (amended(made()), amended(made().then(day(9, 2), Change::Amended(rupiah(35_000)))), 20_000),
    ];
    for (known, told, asked) in heard {
        let mut business = Business::default();
        business.close(8, &facts(&[made()], &[], &[]));
        business.close(9, &facts(std::slice::from_ref(&known), &[], &[]));
        let october = business.close(10, &facts(std::slice::from_ref(&told), &[], &[]));
        assert_eq!((owed(&october.known), premium(&october.known)), (asked, -asked), "{known:?} then {told:?}");
        let at_once = Business::default().close(10, &facts(std::slice::from_ref(&told), &[], &[]));
        assert_eq!(owed(&at_once.known), asked, "{told:?}");
    }
}
