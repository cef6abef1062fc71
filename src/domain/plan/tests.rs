//! The plan as a table: what the ledger holds × what the row wants → the step.

#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm, reason = "a test that goes wrong should panic at once")]

use std::collections::HashMap;

use super::*;
use crate::domain::amount::Amount;
use crate::domain::bill::Expiry;
use crate::domain::bill::{Customer, Policy, Salt};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::PaymentCode;
use crate::domain::lifecycle::{CodeAnswer, Event};
use crate::domain::mark::{BillMark, TermsDigest};
use crate::domain::personal::Personal;

mod methods;

const SALT: Salt = Salt::new([1; 16]);
const SALTS: Salts = Salts::new([2; 32]);

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

fn terms() -> Terms {
    Terms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(100_000).unwrap(),
        expiry: Expiry::Minutes(60),
        reusable: false,
        customer: Customer { name: Personal::new("Siti"), email: None, account_name: None },
        info: None,
        receipt_description: None,
        receipt_footer: None,
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    }
}

fn with(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = terms();
    change(&mut terms);
    terms
}

fn merchant(code: &str) -> Terms {
    with(|terms| {
        terms.method = IssuanceMethod::Merchant;
        terms.payment_code = Some(PaymentCode::new(code).unwrap());
    })
}

/// A ledger made by folding events, as the real ones are.
#[derive(Default)]
struct World {
    bills: HashMap<InvoiceNumber, BillState>,
    paid: HashMap<InvoiceNumber, Paid>,
    rules: Option<Rules>,
}

impl World {
    fn with(mut self, invoice: &str, events: &[Event]) -> Self {
        for event in events {
            let state = BillState::apply(self.bills.remove(&number(invoice)), &number(invoice), at(0), event).unwrap();
            self.bills.insert(number(invoice), BillState { salt: Some(SALT), ..state });
        }
        self
    }

    fn rules(mut self, reissue_expired: bool, retry_rejected: bool) -> Self {
        self.rules = Some(Rules { reissue_expired, reissue_suffix: "-R".into(), reissue_grace_minutes: 30, retry_rejected });
        self
    }

    fn step(&self, wanted: Wanted, minute: i64) -> Step {
        self.step_of("I", wanted, minute)
    }

    fn step_of(&self, invoice: &str, wanted: Wanted, minute: i64) -> Step {
        let default = Rules { reissue_expired: false, reissue_suffix: "-R".into(), reissue_grace_minutes: 30, retry_rejected: false };
        let view = MapView::new(&self.bills, &self.paid);
        let bill = Bill { invoice_number: number(invoice), wanted };
        let step = step(&bill, &view, &SALTS, at(minute), self.rules.as_ref().unwrap_or(&default));
        if let (Wanted::Live(terms), Some(state)) = (&bill.wanted, self.bills.get(&bill.invoice_number)) {
            let mark = BillMark::of(state, self.paid.get(&bill.invoice_number).copied()).unwrap();
            let wanted = TermsDigest::of(&terms.recorded(&SALT)).unwrap();
            if let Some(why) = mark.leaves_alone(wanted, at(minute)) {
                assert_eq!(step, Step::Unchanged(why), "a mark says what the plan says");
            }
        }
        step
    }
}

fn live(terms: Terms) -> Wanted {
    Wanted::Live(Box::new(terms))
}

fn planned(terms: &Terms) -> Event {
    Event::Planned { terms: terms.recorded(&SALT) }
}

fn intended(operation: OperationKind, terms: &Terms) -> Event {
    Event::Intended {
        operation,
        terms: terms.recorded(&SALT),
        request_id: crate::domain::ids::RequestId::from_digest(&[9; 32]),
        wire_invoice_number: number("I"),
        body_digest: String::new(),
    }
}

fn accepted(code: &str) -> Event {
    let answer = CodeAnswer {
        payment_code: PaymentCode::new(code).unwrap(),
        created_at: Some(at(0)),
        expires_at: Some(at(60)),
        how_to_pay_page: None,
        how_to_pay_api: None,
    };
    Event::Accepted { answer, replayed: false, amount: None, remark: None }
}

/// A live code under `terms`, made at minute 0, payable until minute 60.
fn issued(terms: &Terms) -> Vec<Event> {
    let code = terms.payment_code.as_ref().map_or("123", PaymentCode::as_str).to_owned();
    vec![planned(terms), intended(OperationKind::Issue, terms), accepted(&code)]
}

fn code_of(step: &Step) -> &'static str {
    match step {
        Step::Refused { code, .. } => code.id,
        other => panic!("{other:?} is not a refusal"),
    }
}

#[test]
fn a_new_row_is_issued_and_the_same_row_again_is_left_alone() {
    assert_eq!(World::default().step(live(terms()), 0), Step::Issue { wire_invoice_number: number("I") });
    assert_eq!(World::default().with("I", &[planned(&terms())]).step(live(terms()), 0), Step::Issue { wire_invoice_number: number("I") });
    assert_eq!(World::default().with("I", &issued(&terms())).step(live(terms()), 1), Step::Unchanged(Unchanged::Live));
}

#[test]
fn a_bill_whose_money_came_before_it_had_a_code_gets_none() {
    let rejected = Event::Rejected { code: "E".into(), reason: String::new(), provisional: false };
    let histories: [&[Event]; 3] = [&[], &[planned(&terms())], &[planned(&terms()), intended(OperationKind::Issue, &terms()), rejected]];
    for history in histories {
        let mut world = World::default().with("I", history).rules(true, true);
        world.paid.insert(number("I"), Paid::ByItsCode);
        for method in [
            terms(),
            merchant("77"),
            with(|terms| (terms.method, terms.payment_code) = (IssuanceMethod::Inquiry, PaymentCode::new("77").ok())),
        ] {
            assert_eq!(world.step(live(method), 1), Step::Unchanged(Unchanged::Paid), "{history:?}");
        }
        let reusable = with(|terms| terms.reusable = true);
        assert!(matches!(world.step(live(reusable), 1), Step::Issue { .. }), "one payment is not the last");
    }
}

#[test]
fn a_change_goes_out_only_where_the_channel_and_the_column_allow_it() {
    let world = World::default().with("I", &issued(&terms()));
    assert_eq!(world.step(live(with(|terms| terms.amount = Amount::new(5).unwrap())), 1), Step::Amend);
    assert_eq!(world.step(live(with(|terms| terms.customer.name = Personal::new("Sita"))), 1), Step::Amend);
    assert_eq!(world.step(live(with(|terms| terms.bill_group = Some("G".into()))), 1), Step::Note);
    assert_eq!(code_of(&world.step(live(with(|terms| terms.receipt_footer = Some("x".into()))), 1)), "E0301");
    assert_eq!(code_of(&world.step(live(with(|terms| terms.channel = Channel::Indomaret)), 1)), "E0302");
    let long = with(|terms| terms.customer.name = Personal::new("N".repeat(41)));
    assert_eq!(code_of(&world.step(live(long), 1)), "E0304");

    let indomaret = with(|terms| terms.channel = Channel::Indomaret);
    let world = World::default().with("I", &issued(&indomaret));
    let dearer = with(|terms| (terms.channel, terms.amount) = (Channel::Indomaret, Amount::new(5).unwrap()));
    assert_eq!(code_of(&world.step(live(dearer), 1)), "E0303");
    assert_eq!(code_of(&world.step(Wanted::Cancelled, 1)), "E0303");
}

#[test]
fn what_is_open_or_in_doubt_is_settled_before_anything_else() {
    let amendment = intended(OperationKind::Amend, &with(|terms| terms.amount = Amount::new(5).unwrap()));
    let doubted = Event::Doubted { reason: String::new(), answered: false, refusal: None };
    let worlds = [
        World::default().with("I", &[planned(&terms()), intended(OperationKind::Issue, &terms())]),
        World::default().with("I", &[planned(&terms()), intended(OperationKind::Issue, &terms()), doubted.clone()]),
        World::default().with("I", &issued(&terms())).with("I", std::slice::from_ref(&amendment)),
        World::default().with("I", &issued(&terms())).with("I", &[amendment, doubted.clone()]),
        World::default().with("I", &issued(&terms())).with("I", &[intended(OperationKind::Cancel, &terms()), doubted]),
    ];
    for world in worlds {
        assert_eq!(world.step(live(terms()), 1), Step::Resolve);
        assert_eq!(world.step(Wanted::Cancelled, 1), Step::Resolve);
    }
}

#[test]
fn what_doku_refused_is_not_sent_again_in_the_same_words() {
    let no = Event::Rejected { code: "E0401".into(), reason: "no".into(), provisional: false };
    let before = || Step::RejectedBefore { code: "E0401".into(), reason: "no".into() };
    let world = World::default().with("I", &[planned(&terms()), intended(OperationKind::Issue, &terms()), no.clone()]);
    assert_eq!(world.step(live(terms()), 1), before());
    assert!(matches!(world.step(live(with(|terms| terms.amount = Amount::new(5).unwrap())), 1), Step::Issue { .. }));
    assert!(matches!(world.rules(false, true).step(live(terms()), 1), Step::Issue { .. }));

    let dearer = with(|terms| terms.amount = Amount::new(5).unwrap());
    let world = World::default().with("I", &issued(&terms())).with("I", &[intended(OperationKind::Amend, &dearer), no.clone()]);
    assert_eq!(world.step(live(dearer), 1), before());
    assert_eq!(world.step(live(terms()), 1), Step::Unchanged(Unchanged::Live), "the row went back to what is live");

    let world = World::default().with("I", &issued(&terms())).with("I", &[intended(OperationKind::Cancel, &terms()), no]);
    assert_eq!(world.step(Wanted::Cancelled, 1), before());
}

#[test]
fn paid_expired_and_cancelled_bills_are_left_alone() {
    let mut world = World::default().with("I", &issued(&terms()));
    let dearer = live(with(|terms| terms.amount = Amount::new(5).unwrap()));
    assert_eq!(world.step(dearer.clone(), 60), Step::Unchanged(Unchanged::Expired));
    assert_eq!(world.step(Wanted::Cancelled, 60), Step::Unchanged(Unchanged::Expired));
    world.paid.insert(number("I"), Paid::ByItsCode);
    assert_eq!(world.step(dearer.clone(), 1), Step::Unchanged(Unchanged::Paid));
    assert_eq!(code_of(&world.step(Wanted::Cancelled, 1)), "E0309");

    let world = World::default().with("I", &issued(&terms())).with("I", &[intended(OperationKind::Cancel, &terms()), accepted("123")]);
    assert_eq!(world.step(live(terms()), 1), Step::Unchanged(Unchanged::Cancelled));
    assert_eq!(world.step(Wanted::Cancelled, 1), Step::Unchanged(Unchanged::Cancelled));
    assert_eq!(code_of(&world.step(dearer, 1)), "E0307");
    assert_eq!(code_of(&World::default().step(Wanted::Cancelled, 1)), "E0308");
}

#[test]
fn an_expired_bill_is_issued_anew_only_when_asked_after_a_grace_and_under_a_suffixed_number() {
    let world = World::default().with("I", &issued(&terms())).rules(true, false);
    assert_eq!(world.step(live(terms()), 89), Step::Unchanged(Unchanged::Expired));
    assert_eq!(world.step(live(terms()), 90), Step::ConfirmExpiry);
    let world = world.with("I", &[Event::Retired { reason: String::new() }]);
    assert_eq!(world.step(live(terms()), 90), Step::Issue { wire_invoice_number: number("I-R1") });
    assert_eq!(world.rules(false, false).step(live(terms()), 90), Step::Unchanged(Unchanged::Expired));
}

#[test]
fn a_merchant_code_waits_for_whoever_may_still_hold_it() {
    let code = merchant("8896500001");
    let cancelling = intended(OperationKind::Cancel, &code);
    let doubted = Event::Doubted { reason: String::new(), answered: false, refusal: None };
    let waits = |world: World| assert_eq!(world.step_of("NEW", live(merchant("8896500001")), 1), Step::Wait { holder: number("I") });
    waits(World::default().with("I", &[planned(&code), intended(OperationKind::Issue, &code)]));
    waits(World::default().with("I", &issued(&code)));
    waits(World::default().with("I", &issued(&code)).with("I", std::slice::from_ref(&cancelling)));
    waits(World::default().with("I", &issued(&code)).with("I", &[cancelling.clone(), doubted]));
    let freed = World::default().with("I", &issued(&code)).with("I", &[cancelling, accepted("8896500001")]);
    assert!(matches!(freed.step_of("NEW", live(merchant("8896500001")), 1), Step::Issue { .. }));
}

#[test]
fn minutes_are_rounded_down_and_never_below_one() {
    assert_eq!(issue_minutes(Expiry::At(at(2)), at(0)), Some(2));
    assert_eq!(issue_minutes(Expiry::At(Timestamp::from_second(at(2).as_second() - 1).unwrap()), at(0)), Some(1));
    assert_eq!(issue_minutes(Expiry::At(at(0)), at(0)), None);
    assert_eq!(code_of(&World::default().step(live(with(|terms| terms.expiry = Expiry::At(at(0)))), 0)), "E0306");

    let world = World::default().with("I", &issued(&terms()));
    let state = &world.bills[&number("I")];
    let unchanged = terms().recorded(&SALT);
    assert_eq!(amend_minutes(&unchanged, state, AmendBase::Amendment, at(10)), 50, "an unchanged expiry keeps DOKU's");
    assert_eq!(amend_minutes(&unchanged, state, AmendBase::Creation, at(10)), 60);
    let later = with(|terms| terms.expiry = Expiry::Minutes(90)).recorded(&SALT);
    assert_eq!(amend_minutes(&later, state, AmendBase::Amendment, at(10)), 80);
    assert_eq!(amend_minutes(&unchanged, state, AmendBase::Amendment, at(99)), 1);
}

#[test]
fn a_bill_that_was_paid_after_its_code_was_given_up_is_not_issued_anew() {
    let retired = Event::Retired { reason: String::new() };
    let never_left = Event::NotSent { reason: String::new() };
    let mut world = World::default().with("I", &issued(&terms())).with("I", &[retired]).rules(true, false);
    world.paid.insert(number("I"), Paid::ByItsCode);
    assert_eq!(world.step(live(terms()), 90), Step::Unchanged(Unchanged::Paid));
    let world = world.with("I", &[intended(OperationKind::Issue, &terms()), never_left]);
    assert_eq!(world.step(live(terms()), 90), Step::Unchanged(Unchanged::Paid));
}

#[test]
fn an_adopted_code_keeps_its_end_when_the_row_gives_minutes() {
    let adopted = RecordedTerms { name_digest: String::new(), expiry: Expiry::At(at(500)), ..terms().recorded(&SALT) };
    let answer = CodeAnswer {
        payment_code: PaymentCode::new("123").unwrap(),
        created_at: None,
        expires_at: Some(at(500)),
        how_to_pay_page: None,
        how_to_pay_api: None,
    };
    let world = World::default().with("I", &[Event::Adopted { terms: adopted, answer, wire_invoice_number: None }]);
    let dearer = with(|terms| terms.amount = Amount::new(5).unwrap());
    assert_eq!(world.step(live(dearer.clone()), 100), Step::Amend, "60 minutes after its adoption have passed, its own end has not");
    assert_eq!(amend_minutes(&dearer.recorded(&SALT), &world.bills[&number("I")], AmendBase::Amendment, at(100)), 400);
}
