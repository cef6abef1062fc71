//! From payment to delivery, on a clock that is an argument: schedule, faults by seed, resend, and where messages go.

use jiff::SignedDuration;

use super::*;
use crate::sandbox::notify::{FAULTS, ResendError};
use crate::sandbox::outbox::{DeliveryState, Outcome};
use crate::sandbox::payment::{PaymentScript, Quirk};

fn minutes(count: i64) -> Timestamp {
    noon().checked_add(SignedDuration::from_mins(count)).unwrap()
}

/// A code of a fresh model, and one more.
fn with_codes(settings: Settings) -> (Model, String, String) {
    let mut model = Model::new(settings);
    let (first, second) = (issued(&mut model, "INV-1"), issued(&mut model, "INV-2"));
    (model, first, second)
}

fn pay(model: &mut Model, code: &str, quirks: &[Quirk], now: Timestamp) {
    let script = PaymentScript { quirks: quirks.to_vec(), ..PaymentScript::at(noon()) };
    model.pay_and_notify(code, &script, now).unwrap();
}

/// Makes every attempt due at `now`, answered with `status`; gives (delivery, attempt, invoice) in order.
fn deliver(model: &mut Model, status: u16, now: Timestamp) -> Vec<(usize, usize, String)> {
    let mut made = Vec::new();
    loop {
        let due = model.take_due(now);
        if due.is_empty() {
            return made;
        }
        for due in due {
            made.push((due.number, due.attempt, due.message.invoice_number.clone()));
            let outcome = Outcome { status: Some(status), url: Some("http://127.0.0.1:1/".into()), ..Outcome::default() };
            model.conclude_attempt(due.number, outcome, now);
        }
    }
}

fn states(model: &Model) -> Vec<DeliveryState> {
    model.deliveries().iter().map(|delivery| delivery.state).collect()
}

#[test]
fn four_attempts_follow_the_schedule_on_the_scaled_clock_and_then_doku_gives_up() {
    for (scale, offsets_ms) in [(1, [0, 1_800_000, 21_600_000, 43_200_000]), (3_600, [0, 500, 6_000, 12_000])] {
        let (mut model, code, _) = with_codes(Settings { time_scale: scale, ..settings() });
        pay(&mut model, &code, &[], noon());
        for (attempt, offset_ms) in offsets_ms.into_iter().enumerate() {
            let due_at = noon().checked_add(SignedDuration::from_millis(offset_ms)).unwrap();
            let just_before = due_at.checked_sub(SignedDuration::from_millis(1)).unwrap();
            assert_eq!(model.outbox.next_at(), Some(due_at));
            assert!(model.take_due(just_before).is_empty(), "scale {scale}, attempt {attempt}");
            assert_eq!(deliver(&mut model, 503, due_at), [(1, attempt, "INV-1".to_owned())]);
        }
        assert_eq!((states(&model), model.outbox.next_at()), (vec![DeliveryState::GivenUp], None));
    }
}

#[test]
fn any_2xx_confirms_and_nothing_else_does() {
    for (status, confirms) in [(200, true), (204, true), (299, true), (199, false), (301, false), (404, false), (500, false)] {
        let (mut model, code, _) = with_codes(settings());
        pay(&mut model, &code, &[], noon());
        deliver(&mut model, status, noon());
        assert_eq!(states(&model)[0] == DeliveryState::Confirmed, confirms, "{status}");
        assert_eq!(model.outbox.next_at().is_none(), confirms, "{status}");
    }
}

#[test]
fn what_doku_did_not_sign_is_posted_once() {
    for quirk in [Quirk::Forged, Quirk::Tampered, Quirk::Unsigned, Quirk::ForeignClient] {
        let (mut model, code, _) = with_codes(settings());
        pay(&mut model, &code, std::slice::from_ref(&quirk), noon());
        deliver(&mut model, 401, noon());
        assert_eq!(states(&model), [DeliveryState::GivenUp], "{quirk:?}");
    }
}

#[test]
fn a_lost_notification_leaves_a_payment_that_only_check_status_knows() {
    let (mut model, code, _) = with_codes(settings());
    pay(&mut model, &code, &[Quirk::Lost], noon());
    assert!(deliver(&mut model, 200, minutes(2_000)).is_empty());
    assert_eq!(states(&model), [DeliveryState::Lost]);
    assert_eq!(value(&status_at(&mut model, "INV-1", minutes(5)))["transaction"]["status"], "SUCCESS");
    assert!(model.settlement(None, crate::sandbox::settlement::Layout::Current).contains("INV-1"));
    assert_eq!(model.resend(1, minutes(9)), Ok(2), "the Back Office can still send it");
    assert_eq!(deliver(&mut model, 200, minutes(9)).len(), 1);
}

#[test]
fn a_notification_held_back_is_overtaken_by_the_next_or_goes_half_an_hour_later() {
    let (mut model, first, second) = with_codes(settings());
    pay(&mut model, &first, &[Quirk::HeldBack], noon());
    assert!(deliver(&mut model, 200, minutes(1)).is_empty());
    pay(&mut model, &second, &[], minutes(2));
    let invoices: Vec<String> = deliver(&mut model, 200, minutes(2)).into_iter().map(|(_, _, invoice)| invoice).collect();
    assert_eq!(invoices, ["INV-2", "INV-1"]);
    let (mut alone, first, _) = with_codes(settings());
    pay(&mut alone, &first, &[Quirk::HeldBack], noon());
    assert_eq!(alone.outbox.next_at(), Some(minutes(30)));
    assert_eq!(alone.outbox.take_unsent().len(), 1, "stopping before that does not lose it for the log");
}

#[test]
fn doubled_forged_and_failed_companions_go_out_beside_the_one_payment() {
    let cases = [
        (Quirk::Duplicated, vec![None, Some("duplicate")]),
        (Quirk::ForgedBeside, vec![None, Some("forged")]),
        (Quirk::FailedFirst, vec![Some("failed"), None]),
    ];
    for (quirk, notes) in cases {
        let (mut model, code, _) = with_codes(settings());
        pay(&mut model, &code, std::slice::from_ref(&quirk), noon());
        assert_eq!(model.deliveries().iter().map(|delivery| delivery.note).collect::<Vec<_>>(), notes, "{quirk:?}");
        let paid = model.order("INV-1").unwrap().payments.iter().filter(|payment| payment.status == "SUCCESS").count();
        assert_eq!(paid, 1, "{quirk:?}");
        let genuine = model.deliveries().iter().filter(|delivery| model.is_signed_by_doku(delivery.message())).count();
        assert_eq!(genuine, if quirk == Quirk::ForgedBeside { 1 } else { 2 }, "{quirk:?}");
    }
    let (mut model, code, _) = with_codes(settings());
    pay(&mut model, &code, &[Quirk::Duplicated], noon());
    let [first, second] = model.deliveries() else { panic!("two deliveries") };
    assert_eq!((&first.message().body, &first.transaction_id), (&second.message().body, &second.transaction_id));
}

#[test]
fn a_code_that_expires_between_two_attempts_is_not_paid_by_halves() {
    let (mut model, code, _) = with_codes(settings());
    let script = PaymentScript::at(minutes(60)).with(Quirk::FailedFirst);
    assert!(model.pay_and_notify(&code, &script, minutes(60)).is_err());
    assert!(model.deliveries().is_empty() && model.order("INV-1").unwrap().payments.is_empty());
}

#[test]
fn faults_on_the_way_fall_by_seed_and_invoice_in_whatever_order_customers_come() {
    let campaign = |seed, percent, reversed: bool| {
        let mut model = Model::new(Settings { notification_faults_percent: percent, seed, ..settings() });
        let mut codes: Vec<String> = (0..150).map(|n| issued(&mut model, &format!("INV-{n}"))).collect();
        if reversed {
            codes.reverse();
        }
        for code in &codes {
            pay(&mut model, code, &[], noon());
        }
        deliver(&mut model, 200, minutes(40));
        let one = |delivery: &crate::sandbox::outbox::Delivery| (delivery.invoice_number.clone(), delivery.note, delivery.state);
        let mut told: Vec<_> = model.deliveries().iter().map(one).collect();
        told.sort_by_key(|(invoice, note, _)| (invoice.clone(), *note));
        told
    };
    assert_eq!(campaign(1, 40, false), campaign(1, 40, true));
    assert_ne!(campaign(1, 40, false), campaign(2, 40, false));
    assert_eq!(campaign(1, 0, false).iter().filter(|(_, note, state)| note.is_none() && *state == DeliveryState::Confirmed).count(), 150);
    let all = campaign(3, 100, false);
    let notes: std::collections::HashSet<_> = all.iter().filter_map(|(_, note, _)| *note).collect();
    assert!(["duplicate", "held back", "forged", "failed"].iter().all(|note| notes.contains(note)), "{notes:?}");
    assert!(all.iter().any(|(_, _, state)| *state == DeliveryState::Lost));
    assert_eq!(FAULTS.len(), 5, "every fault is among the five asserted here");
}

#[test]
fn the_back_office_sends_again_what_doku_sent_and_nothing_else() {
    use crate::sandbox::settings::RedeliveryId;
    for (policy, keeps_id) in [(RedeliveryId::New, false), (RedeliveryId::Same, true)] {
        let (mut model, code, other) = with_codes(Settings { redelivery_id: policy, ..settings() });
        pay(&mut model, &code, &[], noon());
        pay(&mut model, &other, &[Quirk::Forged], noon());
        deliver(&mut model, 200, noon());
        assert_eq!(model.resend(1, minutes(60)), Ok(3));
        assert_eq!((model.resend(2, noon()), model.resend(9, noon())), (Err(ResendError::NotOurs), Err(ResendError::Unknown)));
        let (first, again) = (model.deliveries()[0].message().clone(), model.deliveries()[2].message().clone());
        assert!(model.is_signed_by_doku(&again) && again.body == first.body);
        assert_eq!(again.header("Request-Timestamp"), Some("2026-10-05T06:00:00Z"));
        assert_eq!(again.header("Request-Id") == first.header("Request-Id"), keeps_id);
        deliver(&mut model, 500, minutes(60));
        assert_eq!((model.deliveries()[2].state, model.deliveries()[2].resend_of), (DeliveryState::GivenUp, Some(1)));
    }
}
