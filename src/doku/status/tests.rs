//! What Check Status is believed, and of which order.

use super::*;
use crate::doku::answer::UnsignedErrors;

const PAID: &str = r#"{"order":{"invoice_number":"INV-1","amount":120000},"transaction":{"status":"SUCCESS","date":"2021-12-29T02:37:35Z"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_STORE_ID","value":"S1"},{"name":"AGENT_TRX_ID","value":"1246"}]}}"#;
const ERROR: &str = r#"{"error":{"message":"order not found"}}"#;

const fn trusting(policy: SignaturePolicy) -> Trust {
    Trust { policy, unsigned_errors: UnsignedErrors::Accept }
}

fn of(status: u16, body: &str, signature: SignatureFinding, trust: Trust) -> StatusReading {
    let answer = Answer { status, body: body.to_owned().into(), signature, ..Answer::default() };
    reading(&Delivery::Answered(answer), "INV-1", trust)
}

fn told(body: &str) -> OrderStatus {
    let StatusReading::Told(told) = of(200, body, SignatureFinding::Valid, trusting(SignaturePolicy::Enforce)) else { panic!("{body}") };
    told
}

#[test]
fn the_documented_sample_is_read_and_its_expiry_is_wib() {
    let sample = r#"{"order":{"invoice_number":"INV-1","amount":"120000.0"},"transaction":{"status":"success","date":"2021-12-29T02:37:35Z"},"online_to_offline_info":{"created_date":"20211229093735","expired_date":"20211229100732","reusable_status":"false"}}"#;
    let paid = told(sample);
    assert_eq!((paid.word, paid.details.amount), (Word::Success, Some(120_000)));
    let pending = told(&sample.replace("success", "PENDING"));
    assert_eq!(pending.word, Word::Pending);
    assert_eq!(pending.details.expires_at.unwrap().to_string(), "2021-12-29T03:07:32Z");
}

#[test]
fn an_unusable_answer_proves_nothing() {
    let of = |status, body| of(status, body, SignatureFinding::Valid, trusting(SignaturePolicy::Warn));
    assert!(matches!(of(404, ERROR), StatusReading::Told(OrderStatus { word: Word::NotFound, .. })));
    for (status, body) in
        [(404, ""), (404, "<html>not found</html>"), (404, "{}"), (500, ""), (200, "{}"), (403, ERROR), (400, ERROR), (401, "")]
    {
        assert!(matches!(of(status, body), StatusReading::NoAnswer(_)), "{status} {body}");
    }
    assert!(matches!(of(401, ERROR), StatusReading::Refused(_)));
}

#[test]
fn not_found_is_dokus_word_only_in_its_shape_and_as_the_settings_trust_it() {
    use SignatureFinding::{Absent, Valid, Wrong};
    use SignaturePolicy::{Enforce, Off, Warn};
    let table = [
        (Off, UnsignedErrors::Accept, [true, true, true]),
        (Warn, UnsignedErrors::Accept, [true, true, false]),
        (Enforce, UnsignedErrors::Accept, [true, true, false]),
        (Warn, UnsignedErrors::Refuse, [true, false, false]),
        (Enforce, UnsignedErrors::Refuse, [true, false, false]),
    ];
    for (policy, unsigned_errors, believed) in table {
        let trust = Trust { policy, unsigned_errors };
        let told = [Valid, Absent, Wrong].map(|signature| matches!(of(404, ERROR, signature, trust), StatusReading::Told(_)));
        assert_eq!(told, believed, "{policy:?} {unsigned_errors:?}");
    }
}

#[test]
fn a_payment_told_of_has_the_identity_its_notification_has() {
    let OrderStatus { word, payment, .. } = told(PAID);
    let payment = payment.unwrap();
    let notified = payment::identity_by_transaction(Channel::Alfa, "77", "ALFAMART", "S1", "1246");
    assert_eq!((word, payment.identity(Channel::Alfa, "77", "INV-1")), (Word::Success, notified));
    assert_eq!((payment.channel, payment.amount.get()), (Some(Channel::Alfa), 120_000));
    let without = PAID.replace("1246", "");
    let by_date = payment::identity_by_date(Channel::Alfa, "77", "INV-1", payment.paid_at);
    assert_eq!(told(&without).payment.unwrap().identity(Channel::Alfa, "77", "INV-1"), by_date);
}

#[test]
fn only_a_success_with_amount_and_date_is_a_payment_and_every_word_is_heard() {
    for (from, to, word) in [
        ("SUCCESS", "FAILED", Word::Failed),
        ("SUCCESS", "PENDING", Word::Pending),
        ("SUCCESS", "REFUNDED", Word::Other),
        (r#","date":"2021-12-29T02:37:35Z""#, "", Word::Success),
        (r#""date":"2021-12-29T02:37:35Z""#, r#""date":1640745455"#, Word::Success),
        (r#","amount":120000"#, r#","amount":"120000.50""#, Word::Success),
        (r#","amount":120000"#, r#","amount":"120.000""#, Word::Success),
    ] {
        assert!(PAID.contains(from));
        let told = told(&PAID.replace(from, to));
        assert_eq!((told.word, told.payment), (word, None), "{to}");
    }
    assert_eq!(told(&PAID.replace("SUCCESS", "Refunded")).details.verbatim.as_deref(), Some("Refunded"));
}

#[test]
fn an_answer_about_another_order_or_without_dokus_signature_proves_nothing() {
    let off = trusting(SignaturePolicy::Off);
    assert!(matches!(of(200, &PAID.replace("INV-1", "INV-2"), SignatureFinding::Valid, off), StatusReading::NoAnswer(_)));
    assert!(matches!(of(200, &PAID.replace("invoice_number", "x"), SignatureFinding::Valid, off), StatusReading::NoAnswer(_)));
    for (signature, believed) in [
        (SignatureFinding::Valid, [true, true, true]),
        (SignatureFinding::Absent, [true, true, false]),
        (SignatureFinding::Wrong, [true, false, false]),
    ] {
        let policies = [SignaturePolicy::Off, SignaturePolicy::Warn, SignaturePolicy::Enforce];
        let told = policies.map(|policy| matches!(of(200, PAID, signature, trusting(policy)), StatusReading::Told(_)));
        assert_eq!(told, believed, "{signature:?}");
    }
}
