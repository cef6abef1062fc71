//! Payments: what DOKU notifies, every planted anomaly, redelivery and the log line.

use super::*;
use crate::domain::amount::Amount;
use crate::sandbox::notification::{NotificationMessage, redeliveries};
use crate::sandbox::payment::{PayError, PaymentScript, Quirk};
use crate::sandbox::record::OrderState;
use crate::sandbox::settings::RedeliveryId;

fn paid_at() -> Timestamp {
    at("2026-10-05T05:10:00Z")
}

fn genuine(message: &NotificationMessage) -> bool {
    let Some(signature) = message.header("Signature") else { return false };
    let components = Components {
        client_id: CLIENT,
        request_id: message.header("Request-Id").unwrap(),
        stamp: Stamp::Request(message.header("Request-Timestamp").unwrap()),
        target: "/payments/notifications",
        body: Some(&message.body),
    };
    key().verify(&components, signature).is_ok()
}

fn body(message: &NotificationMessage) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

fn pay(model: &mut Model, code: &str, quirks: &[Quirk]) -> NotificationMessage {
    model.pay(code, &PaymentScript { quirks: quirks.to_vec(), ..PaymentScript::at(paid_at()) }).unwrap()
}

#[test]
fn a_payment_is_notified_with_a_signature_and_the_identity_of_the_counter() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let message = pay(&mut model, &code, &[]);
    assert!(genuine(&message));
    let body = body(&message);
    assert_eq!(body["transaction"]["status"], "SUCCESS");
    assert_eq!(body["transaction"]["date"], "2026-10-05T05:10:00Z");
    assert_eq!(body["transaction"]["original_request_id"], "create-INV-1");
    assert_eq!((&body["order"]["invoice_number"], &body["order"]["amount"]), (&json!("INV-1"), &json!(150_000)));
    assert_eq!(body["online_to_offline_info"]["payment_code"], *code);
    let names: Vec<&str> =
        body["online_to_offline_payment"]["identifier"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AGENT_ID", "AGENT_STORE_ID", "AGENT_TRX_ID"]);
    assert_eq!(message.header("Request-Timestamp"), Some("2026-10-05T05:10:02Z"));
    assert_eq!(model.order("INV-1").unwrap().payments[0].transaction_id, message.transaction_id);
}

#[test]
fn the_counter_refuses_what_cannot_be_paid_unless_told_otherwise() {
    let mut model = model();
    let (paid, cancelled, expired) = (issued(&mut model, "INV-1"), issued(&mut model, "INV-2"), issued(&mut model, "INV-3"));
    let first = pay(&mut model, &paid, &[]);
    patch_at(&mut model, "cancel", &change_body("INV-2", &cancelled, "DELETE"), noon());
    let late = PaymentScript::at(at("2026-10-05T06:00:00Z"));
    let soon = PaymentScript::at(paid_at());
    let cases =
        [(paid.as_str(), &soon, PayError::AlreadyPaid), (&cancelled, &soon, PayError::Cancelled), (&expired, &late, PayError::Expired)];
    for (code, script, error) in cases {
        assert_eq!(model.pay(code, script), Err(error));
        let message = model.pay(code, &script.clone().with(Quirk::Anyway)).unwrap();
        assert!(genuine(&message));
        assert_ne!(message.transaction_id, first.transaction_id);
    }
    assert_eq!(model.order("INV-1").unwrap().payments.len(), 2);
    assert_eq!(model.order("INV-2").unwrap().state, OrderState::Cancelled);
    assert_eq!(model.pay("73", &soon), Err(PayError::UnknownCode));
    let fresh = issued(&mut model, "INV-4");
    assert_eq!(model.pay(&fresh, &soon.clone().with(Quirk::Conflicting)), Err(PayError::NothingSent));
    assert_eq!(model.pay(&fresh, &soon.with(Quirk::Repeated(RedeliveryId::New))), Err(PayError::NothingSent));
}

#[test]
fn a_reusable_code_is_paid_more_than_once_under_new_identities() {
    let mut model = model();
    let mut reusable = alfa_body("INV-1");
    reusable["online_to_offline_info"]["reusable_status"] = true.into();
    post(&mut model, ALFA, "id", &reusable);
    let code = model.order("INV-1").unwrap().payment_code.to_string();
    let ids: std::collections::HashSet<String> = (0..20).map(|_| pay(&mut model, &code, &[]).transaction_id).collect();
    assert_eq!(ids.len(), 20);
}

#[test]
fn each_quirk_changes_what_it_says_and_leaves_the_signature_honest() {
    let cases = [
        (Quirk::Invoice("INV-9".into()), "/order/invoice_number", json!("INV-9")),
        (Quirk::WithoutInvoice, "/order/invoice_number", Value::Null),
        (Quirk::Code("73".into()), "/online_to_offline_info/payment_code", json!("73")),
        (Quirk::WrongChannel, "/channel/id", json!("ONLINE_TO_OFFLINE_INDOMARET")),
        (Quirk::WrongChannel, "/acquirer/id", json!("INDOMARET")),
        (Quirk::Service("VIRTUAL_ACCOUNT".into()), "/service/id", json!("VIRTUAL_ACCOUNT")),
        (Quirk::Status("FAILED".into()), "/transaction/status", json!("FAILED")),
        (Quirk::AmountAsString, "/order/amount", json!("150000")),
        (Quirk::AmountToken("150000.5".into()), "/order/amount", json!(150_000.5)),
    ];
    for (quirk, pointer, expected) in cases {
        let mut model = model();
        let code = issued(&mut model, "INV-1");
        let message = pay(&mut model, &code, std::slice::from_ref(&quirk));
        assert!(genuine(&message), "{quirk:?}");
        assert_eq!(body(&message).pointer(pointer).cloned().unwrap_or_default(), expected, "{quirk:?}");
    }
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let message = pay(&mut model, &code, &[Quirk::AmountAsDecimal]);
    assert!(String::from_utf8_lossy(&message.body).contains(r#""amount":150000.0}"#));
    let over = Amount::MAX + 1;
    let code = issued(&mut model, "INV-2");
    assert_eq!(body(&model.pay(&code, &PaymentScript::at(paid_at()).paying(over)).unwrap())["order"]["amount"], over);
}

#[test]
fn a_forged_tampered_unsigned_or_foreign_message_does_not_verify() {
    for quirk in [Quirk::Forged, Quirk::Tampered, Quirk::Unsigned, Quirk::ForeignClient] {
        let mut model = model();
        let code = issued(&mut model, "INV-1");
        let message = pay(&mut model, &code, std::slice::from_ref(&quirk));
        assert!(!genuine(&message), "{quirk:?}");
        let by_another = matches!(quirk, Quirk::Forged | Quirk::ForeignClient);
        assert_eq!(model.order("INV-1").unwrap().is_paid(), !by_another, "{quirk:?}");
        let again = model.pay(&code, &PaymentScript::at(paid_at()).with(Quirk::Repeated(RedeliveryId::New)));
        match again {
            Ok(message) => assert!(genuine(&message) && body(&message)["order"]["amount"] == 150_000, "{quirk:?}"),
            Err(error) => assert!(by_another && error == PayError::NothingSent, "{quirk:?}"),
        }
    }
}

#[test]
fn a_failed_payment_does_not_cover_the_order_and_a_success_may_follow() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    pay(&mut model, &code, &[Quirk::Status("FAILED".into())]);
    assert!(!model.order("INV-1").unwrap().is_paid());
    pay(&mut model, &code, &[]);
    assert!(model.order("INV-1").unwrap().is_paid());
}

#[test]
fn a_repetition_keeps_body_and_identity_and_a_contradiction_only_the_identity() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let first = pay(&mut model, &code, &[]);
    let same = pay(&mut model, &code, &[Quirk::Repeated(RedeliveryId::Same)]);
    let new = pay(&mut model, &code, &[Quirk::Repeated(RedeliveryId::New)]);
    assert_eq!((&same.body, &new.body), (&first.body, &first.body));
    assert_eq!(same.header("Request-Id"), first.header("Request-Id"));
    assert_ne!(new.header("Request-Id"), first.header("Request-Id"));
    assert_eq!(same.header("Request-Timestamp"), Some("2026-10-05T05:40:02Z"));
    assert_eq!(new.header("Request-Timestamp"), Some("2026-10-05T06:10:02Z"));
    assert!(genuine(&same) && genuine(&new));
    let script = PaymentScript::at(paid_at()).paying(99_000).with(Quirk::Conflicting);
    let other = model.pay(&code, &script).unwrap();
    assert!(genuine(&other));
    assert_eq!((&other.transaction_id, &body(&other)["order"]["amount"]), (&first.transaction_id, &json!(99_000)));
    assert_eq!(model.order("INV-1").unwrap().payments.len(), 1);
}

#[test]
fn a_log_line_keeps_headers_and_the_raw_body() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let message = pay(&mut model, &code, &[]);
    let line = message.log_line(at("2026-10-05T05:10:03Z"));
    assert!(
        line.starts_with(r#"{"received_at":"2026-10-05T05:10:03Z","target":"/payments/notifications","headers":{"Client-Id":"#),
        "{line}"
    );
    assert!(!line.contains('\n'));
    let read: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(read["body"].as_str().unwrap().as_bytes(), &message.body[..]);
    assert_eq!(read["headers"]["Signature"], message.header("Signature").unwrap());
}

#[test]
fn redeliveries_follow_dokus_schedule_on_a_scaled_clock() {
    let first = paid_at();
    let real = ["2026-10-05T05:10:00Z", "2026-10-05T05:40:00Z", "2026-10-05T11:10:00Z", "2026-10-05T17:10:00Z"];
    assert_eq!(redeliveries(first, 1), real.map(at));
    let scaled = ["2026-10-05T05:10:00Z", "2026-10-05T05:10:00.5Z", "2026-10-05T05:10:06Z", "2026-10-05T05:10:12Z"];
    assert_eq!(redeliveries(first, 3_600), scaled.map(at));
}

#[test]
fn scripts_are_read_from_json() {
    let text = r#"{"paid_at":"2026-10-05T05:10:00Z","amount":1,"quirks":["forged",{"status":"FAILED"},{"repeated":"same"}]}"#;
    let script: PaymentScript = serde_json::from_str(text).unwrap();
    let quirks = [Quirk::Forged, Quirk::Status("FAILED".into()), Quirk::Repeated(RedeliveryId::Same)];
    assert_eq!((script.amount, script.quirks), (Some(1), quirks.to_vec()));
}
