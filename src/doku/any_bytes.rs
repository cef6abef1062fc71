//! No bytes from outside end the program: every reader of DOKU's messages, against real ones with damage anywhere.

use std::hint::black_box;

use proptest::prelude::*;

use super::answer::{Expected, SignaturePolicy, Trust, UnsignedErrors, judge};
use super::incoming::Incoming;
use super::wire::{Answer, Delivery, SignatureFinding};
use super::{claim, inquiry, notification, status};
use crate::domain::conclusion::Whose;
use crate::domain::ids::InvoiceNumber;

const MESSAGES: [&str; 5] = [
    r#"{"order":{"invoice_number":"I-1"},"online_to_offline_info":{"payment_code":"0073","expired_date":"20210331125005","expired_date_utc":"2021-03-31T05:50:05Z","how_to_pay_page":"x"}}"#,
    r#"{"error":{"code":"x","message":"order not found"},"message":["a","b"]}"#,
    r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"transaction":{"status":"SUCCESS","date":"2021-08-12T07:06:28Z"},"order":{"invoice_number":"I-1","amount":1.5E5},"online_to_offline_info":{"payment_code":"73"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_TRX_ID","value":1246}]}}"#,
    r#"{"order":{"invoice_number":"I-1","amount":"120000.0"},"transaction":{"status":"EXPIRED","date":"2021-12-29T02:37:35Z"},"online_to_offline_info":{"expired_date":20211229100732}}"#,
    r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"online_to_offline_inquiry":{"date":"20210813170728"},"online_to_offline_info":{"payment_code":"8896500000000001"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"}}"#,
];

/// A message with up to four stretches replaced by others.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec!["null", "\"", "{", "[", "1e999", "-0", "\\u0000", "\\ud800", "\u{7f}\u{661}"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let wound = (any::<prop::sample::Index>(), 0..12_usize, piece);
    (prop::sample::select(MESSAGES.to_vec()), prop::collection::vec(wound, 0..4)).prop_map(|(message, wounds)| {
        let mut bytes = message.as_bytes().to_vec();
        for (at, length, piece) in wounds {
            let from = at.index(bytes.len() + 1);
            let to = bytes.len().min(from + length);
            bytes.splice(from..to, piece);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_to_an_end(bytes in damaged(), status in 100..600_u16, noise in prop::collection::vec(any::<u8>(), 0..40)) {
        let trust = Trust { policy: SignaturePolicy::Off, unsigned_errors: UnsignedErrors::Accept };
        for body in [bytes, noise] {
            let answer = Answer { status, signature: SignatureFinding::Valid, body: body.clone().into(), ..Answer::default() };
            let invoice = InvoiceNumber::new("I-1").unwrap();
            let judged = judge(&answer, &Expected { wire_invoice_number: &invoice, payment_code: None, trust });
            prop_assert!(judged.answer.is_none() || judged.whose != Whose::Foreign, "nobody's answer holds no code: {:?}", judged);
            black_box(status::reading(&Delivery::Answered(answer), "I-1", trust));
            black_box(Incoming::of(&body));
            if let Ok(text) = str::from_utf8(&body) {
                black_box((notification::parse(text), claim::claim(text), inquiry::parse(text).is_ok()));
            }
        }
    }
}
