//! Which bills are asked about, and when: the rules as properties of random bills and instants.

#![allow(clippy::arithmetic_side_effects, reason = "a test that goes wrong should panic at once")]

use proptest::prelude::*;

use super::*;
use crate::domain::bill::{Policy, RecordedTerms};
use crate::domain::lifecycle::{CodeAnswer, Event};

const SCHEDULE: Schedule = Schedule { first_minutes: 780, window_days: 30, spacing_seconds: 60 };
const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn number(text: &str) -> InvoiceNumber {
    InvoiceNumber::new(text).unwrap()
}

fn apply(state: Option<BillState>, second: i64, event: &Event) -> BillState {
    let number = state.as_ref().map_or_else(|| number("A"), |state| state.invoice_number.clone());
    BillState::apply(state, &number, at(second), event).unwrap()
}

/// A bill whose code expires at second 0.
fn bill(method: IssuanceMethod) -> BillState {
    let terms = RecordedTerms {
        channel: Channel::Alfa,
        method,
        payment_code: None,
        amount: Amount::new(150_000).unwrap(),
        expiry: Expiry::At(at(0)),
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
    };
    let payment_code = PaymentCode::new("77").unwrap();
    let answer = CodeAnswer { payment_code, created_at: None, expires_at: Some(at(0)), how_to_pay_page: None, how_to_pay_api: None };
    apply(None, -DAY, &Event::Adopted { terms, answer, wire_invoice_number: None })
}

fn checked(state: BillState, second: i64, word: Word, chosen: bool) -> BillState {
    let payment = (word == Word::Success).then(|| found(b"7", 5));
    apply(Some(state), second, &Event::Checked { order: number("A"), word, chosen, payment, details: StatusDetails::default() })
}

fn found(transaction: &[u8], paid: i64) -> FoundPayment {
    let by_date = payment::identity_by_date(Channel::Alfa, "77", "A", at(paid));
    FoundPayment {
        identity: if transaction.is_empty() { by_date } else { digest::of_parts(&[transaction]) },
        canonical: None,
        invoice_number: number("A"),
        payment_code: PaymentCode::new("77").unwrap(),
        channel: Channel::Alfa,
        amount: Amount::new(150_000).unwrap(),
        paid_at: at(paid),
        request_id: RequestId::from_digest(&[1; 32]),
        answer_digest: [2; 32],
    }
}

fn due<'a>(states: impl IntoIterator<Item = &'a BillState>, now: Timestamp, count_max: usize) -> Vec<BillState> {
    let mut due = Due::new(now, &SCHEDULE, count_max);
    for state in states {
        due.take(state.clone(), false);
    }
    due.bills()
}

fn due_second(state: &BillState) -> Option<i64> {
    due_at(state, false, &SCHEDULE).map(|due| due.as_second() - 1_790_000_000)
}

#[test]
fn the_schedule_asks_after_expiry_and_then_after_1_2_4_and_8_days_until_the_window_ends() {
    let mut state = bill(IssuanceMethod::Doku);
    let mut asked = Vec::new();
    while let Some(due) = due_second(&state) {
        asked.push(due - 780 * 60);
        state = checked(state, due, Word::Pending, false);
    }
    assert_eq!(asked.iter().map(|second| second / DAY).collect::<Vec<_>>(), [0, 1, 3, 7, 15]);
}

#[test]
fn only_dokus_final_words_end_it() {
    for word in Word::ALL {
        let due = due_second(&checked(bill(IssuanceMethod::Doku), 780 * 60, word, false));
        let is_final = matches!(word, Word::Success | Word::Expired);
        assert_eq!(due.is_none(), is_final, "{word:?}");
    }
    // Paid, but of no payment that could be recorded: it must be asked again.
    let event = Event::Checked { order: number("A"), word: Word::Success, chosen: false, payment: None, details: StatusDetails::default() };
    assert!(due_second(&apply(Some(bill(IssuanceMethod::Doku)), 780 * 60, &event)).is_some());
}

#[test]
fn what_is_notified_inquired_cancelled_or_dead_is_not_asked_about_by_itself() {
    assert_eq!(due_at(&bill(IssuanceMethod::Doku), true, &SCHEDULE), None);
    assert_eq!(due_at(&bill(IssuanceMethod::Inquiry), false, &SCHEDULE), None);
    assert_eq!(due_second(&apply(Some(bill(IssuanceMethod::Doku)), 5, &Event::Retired { reason: "expired".into() })), None);
}

#[test]
fn a_persons_own_query_delays_the_schedule_by_the_spacing_only() {
    let state = checked(bill(IssuanceMethod::Doku), 780 * 60, Word::Pending, true);
    assert_eq!(due_second(&state), Some(780 * 60));
    let asked = |now: i64| due([&state], at(now), 9).len();
    assert_eq!((asked(780 * 60 + 59), asked(780 * 60 + 60)), (0, 1));
}

#[test]
fn a_payment_is_one_whether_or_not_one_side_leaves_out_the_stores_number_of_it() {
    let by_date = found(b"", 5).identity;
    let of = |found: &FoundPayment, notified: &FoundPayment| found.sameness().is_same(&notified.sameness());
    assert!(of(&found(b"7", 5), &found(b"7", 9)), "the number alone decides where both have it");
    assert!(of(&found(b"7", 5), &found(b"", 5)) && of(&found(b"", 5), &found(b"7", 5)), "{by_date:?}");
    assert!(!of(&found(b"7", 5), &found(b"8", 5)), "two payments of one second");
    assert!(!of(&found(b"", 5), &found(b"7", 6)) && !of(&found(b"", 5), &found(b"", 6)));
}

proptest! {
    #[test]
    fn no_bill_is_asked_before_its_turn_or_within_the_spacing_and_the_longest_due_go_first(
        histories in prop::collection::vec(prop::collection::vec((0..40 * DAY, prop::sample::select(Word::ALL.to_vec()), any::<bool>()), 0..5), 1..9),
        now in -DAY..60 * DAY,
        count_max in 0..9_usize,
    ) {
        let mut states = Vec::new();
        for (mut history, count) in histories.into_iter().zip(0..) {
            history.sort_unstable_by_key(|(second, ..)| *second);
            let state = history.into_iter().fold(bill(IssuanceMethod::Doku), |state, (second, word, chosen)| checked(state, second, word, chosen));
            states.push(BillState { invoice_number: InvoiceNumber::new(format!("I-{count}")).unwrap(), ..state });
        }
        let now = at(now);
        let picked = due(&states, now, count_max);
        let ready = |state: &&BillState| due_at(state, false, &SCHEDULE).is_some_and(|due| due <= now) && askable_from(state, &SCHEDULE) <= now;
        prop_assert_eq!(picked.len(), states.iter().filter(ready).count().min(count_max));
        for state in &picked {
            let last = state.checks.as_ref().map_or(Timestamp::MIN, |checks| checks.at);
            prop_assert!(now.duration_since(at(0)) >= SignedDuration::from_mins(780), "a notification may still come");
            prop_assert!(last == Timestamp::MIN || now.duration_since(last) >= SignedDuration::from_secs(60));
            prop_assert!(state.checks.as_ref().is_none_or(|checks| checks.word != Word::Expired && checks.word != Word::Success));
        }
        let turns: Vec<_> = picked.iter().map(|state| due_at(state, false, &SCHEDULE)).collect();
        prop_assert!(turns.is_sorted());
        let earliest_left = states.iter().filter(ready).filter(|state| !picked.contains(state));
        for left in earliest_left {
            prop_assert!(turns.iter().all(|turn| *turn <= due_at(left, false, &SCHEDULE)));
        }
    }
}
