//! What DOKU sends, and what passes for it.

use std::hint::black_box;
use std::sync::LazyLock;

use secrecy::SecretString;
use tagih::doku::answer::{Expected, SignaturePolicy, Trust, UnsignedErrors, judge};
use tagih::doku::incoming::Incoming;
use tagih::doku::signature::{Components, SigningKey, Stamp};
use tagih::doku::wire::{Answer, Delivery, SignatureFinding};
use tagih::doku::{claim, inquiry, notification, status as check_status};
use tagih::domain::classify::MatchingPolicy;
use tagih::domain::conclusion::Whose;
use tagih::domain::ids::InvoiceNumber;
use tagih::evidence::{Evidence, EvidenceError, NoPairs, ReadOptions, read_bytes};
use tagih::table::TableSettings;

pub static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::new(&SecretString::from("SK-fuzz-0123456789")));
pub const CLIENT: &str = "C";

/// The first byte chooses among these, so that each way through is tried.
fn answered(data: &[u8]) -> (Answer, Trust) {
    const STATUSES: [u16; 10] = [200, 201, 400, 401, 403, 404, 409, 429, 500, 302];
    let (choice, body) = data.split_first().map_or((0, data), |(choice, body)| (usize::from(*choice), body));
    let signature = [SignatureFinding::Valid, SignatureFinding::Absent, SignatureFinding::Wrong][choice / 10 % 3];
    let policy = if choice >= 128 { SignaturePolicy::Off } else { SignaturePolicy::Enforce };
    let answer = Answer { status: STATUSES[choice % 10], signature, body: body.to_vec().into(), ..Answer::default() };
    (answer, Trust { policy, unsigned_errors: UnsignedErrors::Accept })
}

pub fn answer(data: &[u8]) {
    let (answer, trust) = answered(data);
    let invoice = InvoiceNumber::new("I-1").unwrap();
    let judged = judge(&answer, &Expected { wire_invoice_number: &invoice, payment_code: None, trust });
    assert!(judged.answer.is_none() || judged.whose != Whose::Foreign, "nobody's answer holds no code");
}

pub fn status(data: &[u8]) {
    let (answer, trust) = answered(data);
    black_box(check_status::reading(&Delivery::Answered(answer), "I-1", trust));
}

pub fn inquiry(data: &[u8]) {
    black_box(Incoming::of(data));
    if let Ok(text) = std::str::from_utf8(data) {
        black_box((notification::parse(text), claim::claim(text), inquiry::parse(text).is_ok()));
    }
}

/// A body that DOKU has signed, in a line of the log: what it says is believed.
pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let stamp = "2026-10-05T03:00:01Z";
    let components = Components { client_id: CLIENT, request_id: "r1", stamp: Stamp::Request(stamp), target: "/n", body: Some(data) };
    let headers = serde_json::json!({
        "Client-Id": CLIENT, "Request-Id": "r1", "Request-Timestamp": stamp, "Signature": KEY.sign(&components).unwrap(),
    });
    let line = serde_json::json!({"received_at": "2026-10-05T03:00:02Z", "target": "/n", "headers": headers, "body": text}).to_string();
    let evidence = read(line.as_bytes()).unwrap();
    assert_eq!(evidence.lines.len(), 1, "a line is one line, whatever it says");
}

pub fn read(bytes: &[u8]) -> Result<Evidence, EvidenceError> {
    let (policy, tables, keys) = (MatchingPolicy::default(), TableSettings::default(), vec![KEY.clone()].into());
    read_bytes(bytes, &ReadOptions { keys: &keys, client_id: CLIENT, policy: &policy, pairs: &NoPairs, tables: &tables })
}

/// Fields of what is signed, and the header, divided by line ends.
pub fn signature(data: &[u8]) {
    let mut parts = data.splitn(6, |byte| *byte == b'\n').map(|part| std::str::from_utf8(part).unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    let (header, client_id, request_id, stamp, target, body) = (part(), part(), part(), part(), part(), part());
    let components = Components { client_id, request_id, stamp: Stamp::Request(stamp), target, body: Some(body.as_bytes()) };
    let is_believed = KEY.verify(&components, header).is_ok();
    if let Ok(ours) = KEY.sign(&components) {
        assert!(KEY.verify(&components, &ours).is_ok(), "what is signed is believed");
        assert!(!is_believed || header.trim_end_matches('=').contains(ours.trim_end_matches('=')), "and nothing else");
    } else {
        assert!(!is_believed, "what cannot be signed is not believed");
    }
}
