//! POST: who is let in, what a body must hold, replay, and what may not be used twice.

use super::*;
use crate::domain::channel::{Channel, IssuanceMethod, PerChannel};
use crate::sandbox::record::Handling;

#[test]
fn a_code_is_made_with_dates_in_wib_and_utc_and_the_answer_is_signed() {
    let mut model = model();
    let request = signed("POST", ALFA, "id-1", &alfa_body("INV-1").to_string(), noon());
    let reply = model.handle(&request, noon());
    assert_eq!(reply.answer.status, 200);
    assert!(is_signed(&reply.answer, &request));
    let answer = value(&reply.answer);
    assert_eq!(answer["order"]["invoice_number"], "INV-1");
    let info = &answer["online_to_offline_info"];
    assert_eq!(info["created_date"], "20261005120000");
    assert_eq!(info["expired_date"], "20261005130000");
    assert_eq!(info["created_date_utc"], "2026-10-05T05:00:00Z");
    assert_eq!(info["expired_date_utc"], "2026-10-05T06:00:00Z");
    let code = info["payment_code"].as_str().unwrap();
    assert!(code.len() == 16 && code.starts_with("60590"), "{code}");
    assert_eq!(info["how_to_pay_page"], format!("http://127.0.0.1:1/how-to-pay/v2/alfa-online-to-offline/{code}"));
    let order = model.order("INV-1").unwrap();
    assert_eq!((order.channel, order.method, order.created_by.as_str()), (Channel::Alfa, IssuanceMethod::Doku, "id-1"));
}

#[test]
fn every_method_makes_its_kind_of_code() {
    let mut model = model();
    let indomaret = post(&mut model, INDOMARET, "id-2", &indomaret_body("INV-2"));
    assert!(value(&indomaret.answer)["online_to_offline_info"]["payment_code"].as_str().unwrap().starts_with("88888"));
    let merchant = post(&mut model, MERCHANT, "id-3", &merchant_body("INV-3", "0019006000000000461"));
    assert_eq!(value(&merchant.answer)["online_to_offline_info"]["payment_code"], "0019006000000000461");
    assert_eq!(model.order("INV-2").unwrap().channel, Channel::Indomaret);
    assert_eq!(model.order("INV-3").unwrap().method, IssuanceMethod::Merchant);
}

#[test]
fn nobody_is_let_in_without_the_right_client_signature_and_headers() {
    let body = alfa_body("INV-1").to_string();
    let good = signed("POST", ALFA, "id", &body, noon());
    let changed = |name: &str, value: &str| {
        let mut request = good.clone();
        request.headers.retain(|(key, _)| key != name);
        request.headers.push((name.into(), value.into()));
        request
    };
    let mut other_body = good.clone();
    other_body.body = format!("{body} ").into();
    let mut other_path = good.clone();
    other_path.path = INDOMARET.into();
    let cases = [
        (changed("client-id", "MCH-9"), 401, "Invalid Header Signature"),
        (changed("signature", "HMACSHA256=AAAA"), 401, "Invalid Header Signature"),
        (changed("request-id", "another"), 401, "Invalid Header Signature"),
        (changed("request-timestamp", "2026-10-05T05:00:01Z"), 401, "Invalid Header Signature"),
        (other_body, 401, "Invalid Header Signature"),
        (other_path, 401, "Invalid Header Signature"),
        (signed("POST", ALFA, "", &body, noon()), 400, "Invalid Header Request-Id"),
        (signed("POST", ALFA, &"x".repeat(129), &body, noon()), 400, "Invalid Header Request-Id"),
        (changed("content-type", "text/plain"), 415, "Content type 'text/plain' not supported"),
        (signed("PATCH", MERCHANT, "id", &body, noon()), 405, "Request method 'PATCH' not supported"),
    ];
    let mut model = model();
    for (request, status, text) in cases {
        let answer = model.handle(&request, noon()).answer;
        assert_eq!((answer.status, message(&answer).as_str()), (status, text), "{:?}", request.headers);
    }
    let nowhere = model.handle(&signed("POST", "/v2/nowhere", "id", &body, noon()), noon()).answer;
    assert_eq!(nowhere.status, 404);
    assert_eq!(value(&nowhere)["message"], "No static resource v2/nowhere.");
    assert!(model.orders().is_empty());
    assert!(model.calls().iter().all(|call| call.handling == Handling::Denied));
}

#[test]
fn a_configured_window_turns_away_old_requests_and_none_is_configured_at_first() {
    let old = signed("POST", ALFA, "id", &alfa_body("INV-1").to_string(), at("2026-10-05T04:00:00Z"));
    let mut strict = Model::new(Settings { timestamp_window_seconds: Some(300), ..settings() });
    let answer = strict.handle(&old, noon()).answer;
    assert_eq!((answer.status, message(&answer).as_str()), (400, "Invalid Header Request-Timestamp"));
    assert_eq!(model().handle(&old, noon()).answer.status, 200);
}

/// Sets `path` in a body to `to`; `Value::Null` removes it.
fn edited(mut body: Value, path: &str, to: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if to.is_null() {
        parent.remove(name)
    } else {
        parent.insert(name.into(), to)
    };
    body
}

#[test]
fn a_body_that_breaks_a_rule_is_answered_400_with_the_field() {
    let long = |length: usize| Value::from("é".repeat(length));
    let alfa: &[(&str, Value, &str)] = &[
        ("/order", Value::Null, "order is required"),
        ("/order/invoice_number", Value::Null, "order.invoice_number is required"),
        ("/order/invoice_number", json!(" "), "order.invoice_number is required"),
        ("/order/invoice_number", json!("I".repeat(65)), "order.invoice_number length must be at most 64"),
        ("/order/invoice_number", json!("INV\u{7}1"), "order.invoice_number is not valid"),
        ("/order/invoice_number", json!(17), "Invalid JSON Format: order.invoice_number"),
        ("/order/amount", Value::Null, "order.amount is required"),
        ("/order/amount", json!(0), "order.amount is not valid"),
        ("/order/amount", json!(-5), "order.amount is not valid"),
        ("/order/amount", json!(1.5), "order.amount is not valid"),
        ("/order/amount", json!(1_000_000_000_000_u64), "order.amount is not valid"),
        ("/order/amount", json!("150000"), "Invalid JSON Format: order.amount"),
        ("/order/currency", json!("IDR"), "Invalid JSON Format: order.currency"),
        ("/online_to_offline_info", Value::Null, "online_to_offline_info is required"),
        ("/online_to_offline_info/payment_code", json!("123"), "Invalid JSON Format: online_to_offline_info.payment_code"),
        ("/online_to_offline_info/expired_time", json!(0), "online_to_offline_info.expired_time is not valid"),
        ("/online_to_offline_info/expired_time", json!(100_000), "online_to_offline_info.expired_time is not valid"),
        ("/online_to_offline_info/expired_time", json!("60"), "Invalid JSON Format: online_to_offline_info.expired_time"),
        ("/online_to_offline_info/reusable_status", Value::Null, "online_to_offline_info.reusable_status is required"),
        ("/online_to_offline_info/reusable_status", json!("false"), "Invalid JSON Format: online_to_offline_info.reusable_status"),
        ("/online_to_offline_info/info", long(31), "online_to_offline_info.info length must be at most 30"),
        ("/customer", Value::Null, "customer is required"),
        ("/customer/name", Value::Null, "customer.name is required"),
        ("/customer/name", json!(""), "customer.name is required"),
        ("/customer/name", long(65), "customer.name length must be at most 64"),
        ("/customer/email", json!(""), "customer.email is not valid"),
        ("/customer/email", json!("anton@"), "customer.email is not valid"),
        ("/customer/email", json!("anton@example"), "customer.email is not valid"),
        ("/customer/email", json!("an ton@example.com"), "customer.email is not valid"),
        ("/customer/email", json!("a@b@example.com"), "customer.email is not valid"),
        ("/customer/email", json!(format!("{}@example.com", "a".repeat(120))), "customer.email length must be at most 128"),
        ("/customer/phone", json!("0812"), "Invalid JSON Format: customer.phone"),
        ("/alfa_info/receipt/footer_message", long(121), "alfa_info.receipt.footer_message length must be at most 120"),
        ("/indomaret_info", json!({}), "Invalid JSON Format: indomaret_info"),
        ("/note", json!("x"), "Invalid JSON Format: note"),
        ("/additional_info", json!({ "insurance": {} }), "Invalid JSON Format: additional_info.insurance"),
        ("/additional_info", json!({ "settlement": [{ "account": "SBA-1" }] }), "Invalid JSON Format: additional_info.settlement.account"),
        (
            "/additional_info",
            json!({ "settlement": [{ "bank_account_settlement_id": "SBA-1", "value": 5, "type": "fix" }] }),
            "additional_info.settlement.type is not valid",
        ),
        (
            "/additional_info",
            json!({ "settlement": [{ "bank_account_settlement_id": "SBA-1", "value": 101, "type": "PERCENTAGE" }] }),
            "additional_info.settlement.value is not valid",
        ),
        ("/additional_info", json!({ "report": [{ "key": "Branch" }] }), "additional_info.report.value is required"),
        ("/additional_info", json!({ "account": {} }), "additional_info.account.id is required"),
        (
            "/additional_info",
            json!({ "override_notification_url": "https://example.com/elsewhere" }),
            "additional_info.override_notification_url is not valid",
        ),
        (
            "/additional_info",
            json!({ "insurance_info": { "policy_number": "9".repeat(65) } }),
            "additional_info.insurance_info.policy_number length must be at most 64",
        ),
    ];
    let indomaret: &[(&str, Value, &str)] = &[
        ("/indomaret_info", Value::Null, "indomaret_info.receipt is required"),
        ("/indomaret_info/receipt/description", Value::Null, "indomaret_info.receipt.description is required"),
        ("/indomaret_info/receipt/description", long(129), "indomaret_info.receipt.description length must be at most 128"),
        ("/indomaret_info/receipt/footer_message", long(256), "indomaret_info.receipt.footer_message length must be at most 255"),
        ("/online_to_offline_info/info", long(33), "online_to_offline_info.info length must be at most 32"),
        ("/online_to_offline_info/expired_time", json!(100_000_000), "online_to_offline_info.expired_time is not valid"),
        ("/alfa_info", json!({}), "Invalid JSON Format: alfa_info"),
        ("/additional_info", json!({ "insurance_info": {} }), "Invalid JSON Format: additional_info.insurance_info"),
    ];
    let merchant: &[(&str, Value, &str)] = &[
        ("/online_to_offline_info/payment_code", Value::Null, "online_to_offline_info.payment_code is required"),
        ("/online_to_offline_info/payment_code", json!("9".repeat(21)), "online_to_offline_info.payment_code length must be at most 20"),
        ("/online_to_offline_info/payment_code", json!("19006X"), "online_to_offline_info.payment_code is not valid"),
        ("/online_to_offline_info/payment_code", json!("29006"), "online_to_offline_info.payment_code must begin with 19006"),
        ("/online_to_offline_info/payment_code", json!(19_006), "Invalid JSON Format: online_to_offline_info.payment_code"),
    ];
    let mut model = Model::new(Settings { merchant_bin: "19006".into(), ..settings() });
    let tables = [
        (ALFA, alfa_body("INV-1"), alfa),
        (INDOMARET, indomaret_body("INV-2"), indomaret),
        (MERCHANT, merchant_body("INV-3", "1900600000000046"), merchant),
    ];
    for (path, good, table) in tables {
        for (field, to, text) in table {
            let reply = post(&mut model, path, "same-id", &edited(good.clone(), field, to.clone()));
            assert_eq!((reply.answer.status, message(&reply.answer).as_str()), (400, *text), "{path} {field}");
        }
        assert!(model.orders().is_empty());
    }
    assert!(model.calls().iter().all(|call| call.handling == Handling::Rejected));
    for (path, good) in [(ALFA, alfa_body("INV-1")), (MERCHANT, merchant_body("INV-3", "1900600000000046"))] {
        let reply = post(&mut model, path, path, &good);
        assert_eq!(reply.answer.status, 200, "the untouched body is in order: {path}");
    }
}

#[test]
fn broken_json_is_refused_whatever_breaks_it() {
    let mut model = model();
    for body in ["", "{", "[]", "null", r#"{"order":{"invoice_number":"A","invoice_number":"B"}}"#, r#"{"order":{},}"#] {
        let answer = model.handle(&signed("POST", ALFA, "id", body, noon()), noon()).answer;
        assert_eq!((answer.status, message(&answer).as_str()), (400, "Invalid JSON Format"), "{body}");
    }
}

#[test]
fn the_same_request_again_gets_the_same_body_with_409_and_makes_no_second_code() {
    let mut model = model();
    let first = post(&mut model, ALFA, "id-1", &alfa_body("INV-1"));
    let later = at("2026-10-05T09:00:00Z");
    let again = signed("POST", ALFA, "id-1", &alfa_body("INV-1").to_string(), later);
    let replay = model.handle(&again, later);
    assert_eq!(replay.answer.status, 409);
    assert_eq!(replay.answer.body, first.answer.body);
    assert!(is_signed(&replay.answer, &again));
    assert_eq!(model.orders().len(), 1);
    let handlings: Vec<Handling> = model.calls().iter().map(|call| call.handling).collect();
    assert_eq!(handlings, [Handling::Processed, Handling::Replayed]);
    assert_eq!(model.calls()[0].body_digest, model.calls()[1].body_digest);
    assert_eq!(model.processed().count(), 1);
}

#[test]
fn an_id_or_an_invoice_used_for_something_else_is_a_conflict() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let other_body = post(&mut model, ALFA, "create-INV-1", &alfa_body("INV-2"));
    assert_eq!((other_body.answer.status, message(&other_body.answer).contains("different request data")), (409, true));
    let other_path = post(&mut model, INDOMARET, "create-INV-1", &alfa_body("INV-1"));
    assert_eq!((other_path.answer.status, message(&other_path.answer).contains("different request data")), (409, true));
    let other_id = post(&mut model, ALFA, "id-2", &alfa_body("INV-1"));
    assert_eq!((other_id.answer.status, message(&other_id.answer).contains("different request data")), (409, true));
    let other_channel = post(&mut model, INDOMARET, "id-3", &indomaret_body("INV-1"));
    assert_eq!(other_channel.answer.status, 409);
    assert_eq!(model.orders().len(), 1);
    patch_at(&mut model, "cancel", &change_body("INV-1", &code, "DELETE"), noon());
    assert_eq!(post(&mut model, ALFA, "id-4", &alfa_body("INV-1")).answer.status, 409, "a cancelled order keeps its invoice number");
}

#[test]
fn a_refused_request_is_not_remembered_so_its_id_may_be_used_once_it_is_in_order() {
    let mut model = model();
    let bad = edited(alfa_body("INV-1"), "/customer/email", json!(""));
    assert_eq!(post(&mut model, ALFA, "id-1", &bad).answer.status, 400);
    assert_eq!(post(&mut model, ALFA, "id-1", &bad).answer.status, 400, "not a replay");
    assert_eq!(post(&mut model, ALFA, "id-1", &alfa_body("INV-1")).answer.status, 200);
}

#[test]
fn a_merchants_code_serves_one_live_order_at_a_time() {
    let mut model = model();
    let code = "1900600000000046";
    assert_eq!(post(&mut model, MERCHANT, "id-1", &merchant_body("INV-1", code)).answer.status, 200);
    let taken = post(&mut model, MERCHANT, "id-2", &merchant_body("INV-2", code));
    assert_eq!((taken.answer.status, message(&taken.answer).contains("payment_code is already used")), (409, true));
    let cancel = patch_at(&mut model, "id-3", &change_body("INV-1", code, "DELETE"), noon());
    assert_eq!(cancel.answer.status, 200);
    assert_eq!(post(&mut model, MERCHANT, "id-2", &merchant_body("INV-2", code)).answer.status, 200);
    assert_eq!(model.order_of_code(code).unwrap().invoice_number.as_str(), "INV-2");
    let expired = at("2026-10-05T06:00:00Z");
    let third = signed("POST", MERCHANT, "id-4", &merchant_body("INV-3", code).to_string(), expired);
    assert_eq!(model.handle(&third, expired).answer.status, 200, "an expired code is free");
}

#[test]
fn codes_are_unique_and_depend_on_the_seed_but_not_on_the_order_of_arrival() {
    let codes = |order: &mut dyn Iterator<Item = u32>, seed: u64| {
        let mut model = Model::new(Settings { seed, ..settings() });
        let mut pairs: Vec<(u32, String)> = order.map(|n| (n, issued(&mut model, &format!("INV-{n}")))).collect();
        pairs.sort();
        pairs
    };
    let forwards = codes(&mut (0..300), 1);
    assert_eq!(forwards, codes(&mut (0..300).rev(), 1));
    assert_ne!(forwards, codes(&mut (0..300), 2));
    let unique: std::collections::HashSet<&String> = forwards.iter().map(|(_, code)| code).collect();
    assert_eq!(unique.len(), 300);
    assert!(forwards.iter().any(|(_, code)| code.starts_with("605900")), "some unique parts begin with a zero");
}

#[test]
fn codes_stay_unique_when_hardly_any_are_left() {
    let mut model = Model::new(Settings { bins: PerChannel::from_fn(|_| "6059000000000".into()), ..settings() });
    let unique: std::collections::HashSet<String> = (0..500).map(|n| issued(&mut model, &format!("INV-{n}"))).collect();
    assert_eq!(unique.len(), 500, "of a thousand");
}
