//! Codes that DOKU is never told of: the office's script is empty wherever nothing may be sent.

use super::*;

const CODE: &str = "8896500001";

fn inquiry(invoice: &str, rupiah: u64, minutes: u32) -> Bill {
    let mut bill = with_code(invoice, rupiah, Some(CODE));
    if let Wanted::Live(terms) = &mut bill.wanted {
        (terms.method, terms.expiry) = (IssuanceMethod::Inquiry, Expiry::Minutes(minutes));
    }
    bill
}

fn ends_in(office: &Office, minutes: i64) -> Timestamp {
    Timestamp::from_second(office.now.load(Ordering::Relaxed) + minutes * 60).unwrap()
}

#[test]
fn the_whole_life_of_an_inquiry_code_is_written_down_and_nothing_is_sent() {
    let office = Office::new();
    assert_eq!(office.end(inquiry("I", 100, 600), vec![]).bucket, Bucket::Issued);
    let state = office.state("I");
    let code = state.code.clone().unwrap();
    assert_eq!((state.status, code.answer.expires_at), (Status::Active, Some(ends_in(&office, 600))));
    assert_eq!((state.generation, code.issued_as, code.wire_invoice_number), (0, None, number("I")));
    assert_eq!(now(office.ledger.customer(&number("I"))).unwrap().unwrap().name.reveal(), "Siti Rahma", "DOKU will ask for it");

    assert_eq!(office.after_minutes(10).end(inquiry("I", 250, 600), vec![]).bucket, Bucket::Amended);
    let state = office.state("I");
    let code = state.code.unwrap();
    assert_eq!(code.answer.expires_at, Some(ends_in(&office, 590)), "the end it was given stays");
    assert_eq!((code.superseded.len(), code.superseded[0].amount.get(), state.terms.amount.get()), (1, 100, 250));

    assert_eq!(office.after_minutes(700).end(inquiry("I", 250, 600), vec![]).action, "expired");
    assert_eq!(office.end(inquiry("I", 250, 900), vec![]).bucket, Bucket::Amended, "a longer time counts from now");
    assert_eq!(office.state("I").expires_at(), Some(ends_in(&office, 900)));
    assert_eq!(office.end(cancel("I"), vec![]).bucket, Bucket::Cancelled);
    assert_eq!(office.end(inquiry("I", 250, 900), vec![]).action, "cancelled");
    assert_eq!(office.ledger.events().len(), 4, "registered, changed twice, cancelled");
}

#[test]
fn a_code_passes_between_what_doku_knows_and_what_it_does_not() {
    // Registered here and expired: it goes to DOKU without a question.
    let office = Office::new();
    office.end(inquiry("OLD", 100, 600), vec![]);
    office.after_minutes(660);
    let registered = Act::Say(200, success("NEW", CODE, 1_790_000_000 + 39_600));
    assert_eq!(office.end(with_code("NEW", 100, Some(CODE)), vec![registered]).bucket, Bucket::Issued);
    assert_eq!(office.state("OLD").status, Status::Retired);
    // The other way DOKU is asked whether the code is dead there.
    office.after_minutes(660);
    assert_eq!(office.end(inquiry("NEXT", 100, 600), vec![seen("PENDING", 100)]).code, "E0305");
    assert_eq!(office.end(inquiry("NEXT", 100, 600), vec![seen("EXPIRED", 100)]).bucket, Bucket::Issued);
    assert_eq!((office.state("NEW").status, office.state("NEXT").status), (Status::Retired, Status::Active));
}

#[test]
fn a_row_that_waits_for_a_local_cancellation_follows_in_the_same_run() {
    let office = Office::new();
    office.end(inquiry("OLD", 100, 600), vec![]);
    let ends = office.run(&[inquiry("NEW", 100, 600), cancel("OLD")], vec![]).unwrap();
    assert_eq!([ends[0].bucket, ends[1].bucket], [Bucket::Issued, Bucket::Cancelled]);
}

#[test]
fn a_code_whose_end_is_put_off_is_not_given_away_in_the_same_run() {
    let office = Office::new();
    office.end(inquiry("OLD", 100, 600), vec![]);
    office.after_minutes(660);
    let (longer, taker) = (inquiry("OLD", 100, 900), inquiry("NEW", 100, 600));
    for bills in [[longer.clone(), taker.clone()], [taker, longer]] {
        let ends = office.run(&bills, vec![]).unwrap();
        let old = bills.iter().position(|bill| bill.invoice_number == number("OLD")).unwrap();
        assert_eq!((office.state("OLD").status, office.state("NEW").status), (Status::Active, Status::Planned), "{ends:?}");
        assert_eq!(ends[1 - old].code, "E0305");
    }
}

#[test]
fn a_code_that_comes_free_for_two_rows_goes_to_one_and_the_run_goes_on() {
    let office = Office { reissues: true, ..Office::new() };
    office.end(with_code("OLD", 100, Some(CODE)), vec![yes("OLD", CODE)]);
    office.after_minutes(660);
    let (from, other) = (1_790_000_000 + 39_600, "5");
    let (again, doku) = (Act::Say(200, success("OLD-R1", CODE, from)), Act::Say(200, success("DOKU", other, from)));
    let bills = [with_code("OLD", 100, Some(CODE)), with_code("NEW", 100, Some(CODE)), row("DOKU", 100)];
    let ends = office.run(&bills, vec![seen("EXPIRED", 100), seen("EXPIRED", 100), doku, again]).unwrap();
    assert_eq!([ends[0].bucket, ends[2].bucket], [Bucket::Issued; 2]);
    assert_eq!((ends[1].code.as_str(), office.state("NEW").status), ("E0305", Status::Planned));
}

#[test]
fn a_code_that_its_bill_has_lost_is_not_made_again() {
    let office = Office { reissues: true, ..Office::new() };
    let minting = Minting { prefix: "889650".into(), length: CODE.len(), from: 1 };
    let unnumbered = |invoice: &str| {
        let mut bill = with_code(invoice, 100, Some(CODE));
        if let Wanted::Live(terms) = &mut bill.wanted {
            terms.payment_code = None;
        }
        bill
    };
    let minted = |bill: Bill| {
        let (bills, view) = ([bill.clone()], now(office.ledger.view()).unwrap());
        [now(Coded::of(&bills[..], true, Some(&view), Some(&minting), office.clock())).unwrap().coded(0, bill)]
    };
    let [old] = minted(unnumbered("OLD"));
    assert_eq!(old, with_code("OLD", 100, Some(CODE)));
    office.end(old, vec![yes("OLD", CODE)]);
    // It expires unpaid, and DOKU makes the next one.
    office.after_minutes(660);
    let again = Act::Say(200, success("OLD-R1", "5", 1_790_000_000 + 39_600));
    assert_eq!(office.end(row("OLD", 100), vec![seen("EXPIRED", 100), again]).bucket, Bucket::Issued);
    assert_eq!(minted(unnumbered("NEW")), [with_code("NEW", 100, Some("8896500002"))], "a customer may still hold the first");
}

#[test]
fn refused_credentials_stop_what_doku_must_hear_of_and_nothing_else() {
    let office = Office::new();
    let refused = Act::Say(401, r#"{"error":{"message":"Invalid Header Signature"}}"#.into());
    let ends = office.run(&[row("DOKU", 100), inquiry("I", 100, 600)], vec![refused]).unwrap();
    assert_eq!([ends[0].bucket, ends[1].bucket], [Bucket::Deferred, Bucket::Issued]);
}

#[test]
fn a_bill_that_changes_its_method_before_it_is_sent_takes_the_new_one() {
    let office = Office::new();
    let refused = office.end(with_code("I", 100, Some(CODE)), vec![no("this code is not yours")]);
    assert_eq!((refused.bucket, office.state("I").status), (Bucket::Rejected, Status::Rejected));
    assert_eq!(office.end(inquiry("I", 100, 600), vec![]).bucket, Bucket::Issued);
    assert_eq!(office.end(with_code("I", 100, Some(CODE)), vec![]).code, "E0301", "once it is live it keeps it");
}

#[test]
fn a_code_that_an_inquiry_bill_holds_is_given_to_no_other_in_the_ledger_at_the_latest() {
    let office = Office::new();
    office.end(inquiry("I", 100, 600), vec![]);
    let end = office.end(row("OTHER", 100), vec![yes("OTHER", CODE)]);
    assert_eq!((end.bucket, end.code.as_str()), (Bucket::Rejected, "E0407"));
}
