//! The rules that end a doubt, each with the findings that just do and those that just do not.

#![allow(clippy::arithmetic_side_effects, reason = "test values are small")]

use super::*;
use crate::domain::amount::Amount;
use crate::domain::bill::{Policy, RecordedTerms};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{CodeAnswer, Event};

const START: i64 = 1_790_000_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(START + minute * 60).unwrap()
}

fn number() -> InvoiceNumber {
    InvoiceNumber::new("A").unwrap()
}

fn terms(rupiah: u64, code: Option<&str>) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: if code.is_some() { IssuanceMethod::Merchant } else { IssuanceMethod::Doku },
        payment_code: code.map(|code| PaymentCode::new(code).unwrap()),
        amount: Amount::new(rupiah).unwrap(),
        expiry: Expiry::Minutes(600),
        reusable: false,
        name_digest: "x".into(),
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

fn patience() -> Patience {
    Patience {
        not_found: NotFound::WithControl,
        not_found_minutes: 1_440,
        unchanged_minutes: 60,
        grace_minutes: 60,
        cancelled_words: vec!["Deleted".into()],
    }
}

/// A bill with one operation, sent at minute 0.
struct Doubt {
    state: BillState,
}

impl Doubt {
    fn fold(events: Vec<(i64, Event)>) -> Self {
        let fold =
            |state: Option<BillState>, (minute, event): (i64, Event)| Some(BillState::apply(state, &number(), at(minute), &event).unwrap());
        Self { state: events.into_iter().fold(None, fold).unwrap() }
    }

    fn intended(operation: OperationKind, terms: RecordedTerms) -> Event {
        let (request_id, wire) = (RequestId::from_digest(&[1; 32]), number());
        Event::Intended { operation, terms, request_id, wire_invoice_number: wire, body_digest: String::new() }
    }

    fn issue(code: Option<&str>) -> Self {
        Self::issue_for(code, 600)
    }

    fn issue_for(code: Option<&str>, minutes: u32) -> Self {
        let terms = RecordedTerms { expiry: Expiry::Minutes(minutes), ..terms(100, code) };
        Self::fold(vec![(0, Event::Planned { terms: terms.clone() }), (0, Self::intended(OperationKind::Issue, terms))]).lost()
    }

    /// Of a code that asks 100 rupiah until minute 600.
    fn change(operation: OperationKind, asked: RecordedTerms) -> Self {
        let answer = CodeAnswer {
            payment_code: PaymentCode::new("77").unwrap(),
            created_at: Some(at(0)),
            expires_at: Some(at(600)),
            how_to_pay_page: None,
            how_to_pay_api: None,
        };
        let issued = terms(100, None);
        Self::fold(vec![
            (0, Event::Planned { terms: issued.clone() }),
            (0, Self::intended(OperationKind::Issue, issued)),
            (0, Event::Accepted { answer, replayed: false, amount: None, remark: None }),
            (0, Self::intended(operation, asked)),
        ])
        .lost()
    }

    fn then(self, minute: i64, event: &Event) -> Self {
        Self { state: BillState::apply(Some(self.state), &number(), at(minute), event).unwrap() }
    }

    fn lost(self) -> Self {
        self.then(0, &Event::Doubted { reason: "cut".into(), answered: false, refusal: None })
    }

    fn heard(self) -> Self {
        self.then(0, &Event::Doubted { reason: "no".into(), answered: true, refusal: Some("E0401".into()) })
    }

    fn seen(self, minute: i64, word: Word, details: StatusDetails) -> Self {
        self.then(minute, &Event::Checked { order: number(), word, chosen: true, payment: None, details })
    }

    fn ending(&self) -> Option<Ending> {
        ending(&self.state, &patience())
    }
}

fn asking(amount: u64) -> StatusDetails {
    StatusDetails { amount: Some(amount), expires_at: Some(at(600)), ..StatusDetails::default() }
}

fn absent() -> StatusDetails {
    StatusDetails { controlled: true, ..StatusDetails::default() }
}

const DONE: Option<Ending> = Some(Ending::Over(DoubtVerdict::Done));
const NOT_DONE: Option<Ending> = Some(Ending::Over(DoubtVerdict::NotDone));
const DEAD: Option<Ending> = Some(Ending::Over(DoubtVerdict::Dead));

#[test]
fn an_issue_is_proved_by_its_own_code_at_its_own_amount_and_by_nothing_else() {
    let after = |code, word, details| Doubt::issue(code).seen(1, word, details).ending();
    assert_eq!(after(Some("88"), Word::Pending, asking(100)), DONE);
    assert_eq!(after(Some("88"), Word::Success, asking(100)), DONE);
    assert_eq!(after(None, Word::Pending, asking(100)), None, "a code DOKU made is not known by this");
    assert_eq!(after(Some("88"), Word::Pending, asking(1)), None, "somebody else's order");
    assert_eq!(after(Some("88"), Word::Pending, StatusDetails::default()), None, "no amount");
    assert_eq!(after(Some("88"), Word::Success, asking(1)), Some(Ending::Hold));
    assert_eq!(after(None, Word::Success, asking(1)), Some(Ending::Hold));
    assert_eq!(after(Some("88"), Word::Other, asking(100)), None);
    let never_lost = Doubt::fold(vec![
        (0, Event::Planned { terms: terms(100, Some("88")) }),
        (0, Doubt::intended(OperationKind::Issue, terms(100, Some("88")))),
        (0, Event::Doubted { reason: "duplicate".into(), answered: true, refusal: Some("E0403".into()) }),
    ]);
    assert_eq!(never_lost.seen(1, Word::Pending, asking(100)).ending(), None, "it was there before ours can have arrived");
}

#[test]
fn not_found_counts_twice_late_and_with_a_control() {
    let twice = |first, last, details: StatusDetails| {
        Doubt::issue_for(None, 9_000).seen(first, Word::NotFound, details.clone()).seen(last, Word::NotFound, details)
    };
    assert_eq!(twice(1_440, 1_441, absent()).ending(), NOT_DONE);
    assert_eq!(twice(1_439, 1_441, absent()).ending(), None, "what was found too soon counts for nothing");
    assert_eq!(twice(10, 1_440, absent()).seen(1_441, Word::NotFound, absent()).ending(), NOT_DONE, "and spoils nothing");
    assert_eq!(twice(10, 1_438, absent()).ending(), None, "too soon");
    assert_eq!(twice(1_441, 1_441, absent()).ending(), None, "one moment is no two findings");
    assert_eq!(Doubt::issue_for(None, 9_000).seen(1_441, Word::NotFound, absent()).ending(), None, "once is not twice");
    let never = Patience { not_found: NotFound::Never, ..patience() };
    assert_eq!(ending(&twice(10, 640, absent()).state, &never), None);
    assert_eq!(twice(10, 640, StatusDetails::default()).ending(), None, "no control");
    let sent_again = Doubt::issue_for(None, 9_000).seen(1_450, Word::NotFound, absent()).then(1_451, &Event::Repeated).seen(
        1_452,
        Word::NotFound,
        absent(),
    );
    assert_eq!(sent_again.ending(), None, "what was found before it was sent again is of no use");
    let refused = Doubt::issue_for(None, 9_000).heard().seen(1_440, Word::NotFound, absent()).seen(1_442, Word::NotFound, absent());
    assert!(matches!(refused.ending(), Some(Ending::Refused(HeardRefusal { code, .. })) if code == "E0401"), "DOKU refused it after all");
}

#[test]
fn an_amendment_is_proved_by_what_it_was_to_change() {
    let after = |asked: RecordedTerms, word, details| Doubt::change(OperationKind::Amend, asked).seen(1, word, details).ending();
    assert_eq!(after(terms(200, None), Word::Pending, asking(200)), DONE);
    assert_eq!(after(terms(200, None), Word::Success, asking(200)), DONE);
    assert_eq!(after(terms(200, None), Word::Success, asking(100)), NOT_DONE, "paid as it was");
    assert_eq!(after(terms(200, None), Word::Success, asking(150)), Some(Ending::Hold));
    assert_eq!(after(terms(200, None), Word::Pending, asking(150)), None);
    assert_eq!(after(terms(200, None), Word::Pending, StatusDetails::default()), None);
    let longer = RecordedTerms { expiry: Expiry::At(at(900)), ..terms(100, None) };
    let until = |minute| StatusDetails { amount: Some(100), expires_at: Some(at(minute)), ..StatusDetails::default() };
    assert_eq!(after(longer.clone(), Word::Pending, until(899)), DONE, "minutes are sent rounded down");
    assert_eq!(after(longer.clone(), Word::Pending, until(600)), None);
    assert_eq!(after(longer.clone(), Word::Success, until(899)), DONE);
    assert_eq!(after(longer.clone(), Word::Success, until(600)), NOT_DONE, "paid: its end matters no more");
    assert_eq!(after(longer.clone(), Word::Success, asking(100)), NOT_DONE, "nor where nobody tells it");
    let a_little_longer = RecordedTerms { expiry: Expiry::At(at(605)), ..terms(100, None) };
    assert_eq!(after(a_little_longer.clone(), Word::Pending, until(604)), DONE);
    assert_eq!(after(a_little_longer.clone(), Word::Pending, until(600)), None, "its end is still the old one");
    assert_eq!(after(a_little_longer.clone(), Word::Success, until(600)), NOT_DONE);
    let old_twice = |asked: RecordedTerms, first, last| {
        Doubt::change(OperationKind::Amend, asked).seen(first, Word::Pending, asking(100)).seen(last, Word::Pending, asking(100)).ending()
    };
    assert_eq!(old_twice(terms(200, None), 60, 61), NOT_DONE);
    assert_eq!(old_twice(longer, 60, 61), NOT_DONE);
    assert_eq!(old_twice(a_little_longer, 60, 61), NOT_DONE);
    assert_eq!(old_twice(terms(200, None), 59, 61), None, "too soon");
    let renamed = RecordedTerms { name_digest: "y".into(), ..terms(100, None) };
    assert_eq!(old_twice(renamed.clone(), 60, 90), None, "nothing visible was to change");
    assert_eq!(after(renamed.clone(), Word::Success, asking(100)), NOT_DONE, "nor does a name");
    let mut reusable = Doubt::change(OperationKind::Amend, renamed.clone()).heard().seen(1, Word::Success, asking(100));
    reusable.state.terms.reusable = true;
    assert_eq!(reusable.ending(), None, "it is paid again and again");
    assert!(may_be_sent_anew(&reusable.state, true));
    let blind = Doubt::change(OperationKind::Amend, renamed).heard().seen(60, Word::Pending, asking(100));
    assert!(may_be_sent_anew(&blind.state, false) && !may_be_sent_anew(&Doubt::issue(None).state, true));
}

#[test]
fn a_cancellation_is_proved_by_the_end_of_its_code_and_disproved_by_a_lasting_one() {
    let cancel = || Doubt::change(OperationKind::Cancel, terms(100, None));
    let after = |word, details| cancel().seen(1, word, details).ending();
    assert_eq!(after(Word::Expired, StatusDetails::default()), DONE);
    assert_eq!(after(Word::Other, StatusDetails { verbatim: Some("DELETED".into()), ..StatusDetails::default() }), DONE);
    assert_eq!(after(Word::Other, StatusDetails { verbatim: Some("REFUNDED".into()), ..StatusDetails::default() }), None);
    assert_eq!(after(Word::Success, asking(100)), NOT_DONE);
    assert_eq!(after(Word::Success, StatusDetails::default()), None, "no amount");
    assert_eq!(after(Word::Success, asking(7)), Some(Ending::Hold));
    let twice = |doubt: Doubt| doubt.seen(60, Word::Pending, asking(100)).seen(61, Word::Pending, asking(100)).ending();
    assert_eq!(twice(cancel()), NOT_DONE);
    assert_eq!(twice(cancel().heard()), None, "whoever refused the repetition may have had the first carried out");
    assert!(may_be_sent_anew(&cancel().heard().state, true) && !may_be_sent_anew(&cancel().state, false));
}

#[test]
fn what_can_no_longer_be_paid_is_dead_once_no_money_can_be_on_its_way() {
    let expired = |told: Option<i64>| StatusDetails { expires_at: told.map(at), ..StatusDetails::default() };
    let once = |minute, details| Doubt::issue(None).seen(minute, Word::Expired, details).ending();
    assert_eq!(once(659, expired(Some(600))), None, "the late-payment grace goes first");
    assert_eq!(once(660, expired(Some(600))), DEAD);
    assert_eq!(once(100, expired(Some(30))), DEAD, "DOKU says when it ended");
    assert_eq!(once(100, expired(None)), None);
    let seen_twice = Doubt::issue(None).seen(100, Word::Expired, expired(None)).seen(160, Word::Expired, expired(None));
    assert_eq!(seen_twice.ending(), DEAD, "an hour after DOKU said so first");
    for word in [Word::NotFound, Word::Failed] {
        assert_eq!(Doubt::issue(None).seen(659, word, StatusDetails::default()).ending(), None);
        assert_eq!(Doubt::issue(None).seen(660, word, StatusDetails::default()).ending(), DEAD);
    }
    for word in [Word::Pending, Word::Success, Word::Other] {
        assert_eq!(Doubt::issue(None).seen(9_999, word, StatusDetails::default()).ending(), None, "{word:?}");
    }
    let amended = RecordedTerms { expiry: Expiry::At(at(900)), ..terms(100, None) };
    let amend =
        |minute| Doubt::change(OperationKind::Amend, amended.clone()).seen(minute, Word::NotFound, StatusDetails::default()).ending();
    assert_eq!((amend(700), amend(960)), (None, DEAD), "the longer of the two ends counts");
}

#[test]
fn a_repeated_answer_is_confirmed_only_by_what_the_operation_asks_for() {
    let of = |doubt: &Doubt, word, details: StatusDetails| confirmation(&doubt.state, word, &details);
    let issue = Doubt::issue(None);
    assert_eq!(of(&issue, Word::Pending, asking(100)), Confirmation::Confirmed);
    assert_eq!(of(&issue, Word::Success, asking(100)), Confirmation::Confirmed);
    assert_eq!(of(&issue, Word::Pending, asking(200)), Confirmation::AsksFor(200));
    for (word, details) in [
        (Word::Success, asking(200)),
        (Word::Pending, StatusDetails::default()),
        (Word::Expired, asking(100)),
        (Word::NotFound, absent()),
        (Word::Other, asking(100)),
        (Word::Failed, asking(100)),
    ] {
        assert_eq!(of(&issue, word, details), Confirmation::Unconfirmed, "{word:?}");
    }
    let amend = Doubt::change(OperationKind::Amend, terms(200, None));
    assert_eq!(of(&amend, Word::Pending, asking(200)), Confirmation::Confirmed);
    assert_eq!(of(&amend, Word::Pending, asking(100)), Confirmation::Unconfirmed);
    let cancel = Doubt::change(OperationKind::Cancel, terms(100, None));
    for word in [Word::NotFound, Word::Expired, Word::Failed, Word::Other] {
        assert_eq!(of(&cancel, word, StatusDetails::default()), Confirmation::Confirmed, "{word:?}");
    }
    for word in [Word::Pending, Word::Success] {
        assert_eq!(of(&cancel, word, asking(100)), Confirmation::Unconfirmed, "{word:?}");
    }
}

#[test]
fn a_refusal_nobody_signed_falls_when_the_order_is_there() {
    let stands = |doubt: &Doubt, minute, word, details: StatusDetails| {
        let open = doubt.state.open.as_ref().unwrap();
        refusal_stands(&doubt.state, open, word, &details, at(minute), &patience())
    };
    let issue = Doubt::issue(None);
    for (word, expected) in [
        (Word::NotFound, true),
        (Word::Failed, true),
        (Word::Other, true),
        (Word::Pending, false),
        (Word::Success, false),
        (Word::Expired, false),
    ] {
        assert_eq!(stands(&issue, 999, word, asking(100)), expected, "{word:?}");
    }
    let amend = Doubt::change(OperationKind::Amend, terms(200, None));
    assert!(!stands(&amend, 59, Word::Pending, asking(100)), "too soon to be seen");
    assert!(stands(&amend, 60, Word::Pending, asking(100)), "it still asks for what it asked for");
    assert!(!stands(&amend, 60, Word::Pending, asking(200)));
    let renamed = Doubt::change(OperationKind::Amend, RecordedTerms { name_digest: "y".into(), ..terms(100, None) });
    assert!(!stands(&renamed, 60, Word::Pending, asking(100)), "nothing visible was to change");
}
