//! PATCH, Check Status and the how-to-pay pages.

use super::*;
use crate::sandbox::payment::PaymentScript;
use crate::sandbox::record::OrderState;
use crate::sandbox::settings::AmendBase;

#[test]
fn an_amendment_sets_amount_and_expiry_and_answers_without_links() {
    for (base, expiry) in [(AmendBase::Amendment, "2026-10-05T07:30:00Z"), (AmendBase::Creation, "2026-10-05T07:00:00Z")] {
        let mut model = Model::new(Settings { amend_base: base, ..settings() });
        let code = issued(&mut model, "INV-1");
        let reply = patch_at(&mut model, "amend", &change_body("INV-1", &code, "ACTIVE"), at("2026-10-05T05:30:00Z"));
        assert_eq!(reply.answer.status, 200);
        let info = &value(&reply.answer)["online_to_offline_info"];
        assert_eq!(info["expired_date_utc"], expiry);
        assert_eq!(info["payment_code"], *code);
        assert!(info.get("how_to_pay_page").is_none());
        let order = model.order("INV-1").unwrap();
        assert_eq!((order.amount.get(), order.state), (175_000, OrderState::Live));
        assert_eq!(order.changed_by, ["amend"]);
    }
}

#[test]
fn an_amendment_without_amount_keeps_it_and_without_expiry_resets_it_to_an_hour() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let mut body = change_body("INV-1", &code, "ACTIVE");
    body["order"].as_object_mut().unwrap().remove("amount");
    body["online_to_offline_info"].as_object_mut().unwrap().remove("expired_time");
    assert_eq!(patch_at(&mut model, "amend", &body, at("2026-10-05T05:30:00Z")).answer.status, 200);
    let order = model.order("INV-1").unwrap();
    assert_eq!((order.amount.get(), order.expires_at), (150_000, at("2026-10-05T06:30:00Z")));
}

#[test]
fn a_change_again_is_replayed_even_after_the_state_moved_on() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let first = patch_at(&mut model, "amend", &change_body("INV-1", &code, "ACTIVE"), noon());
    assert_eq!(patch_at(&mut model, "cancel", &change_body("INV-1", &code, "DELETE"), noon()).answer.status, 200);
    let replay = patch_at(&mut model, "amend", &change_body("INV-1", &code, "ACTIVE"), noon());
    assert_eq!((replay.answer.status, &replay.answer.body), (409, &first.answer.body));
    assert_eq!(model.order("INV-1").unwrap().state, OrderState::Cancelled);
    let cancel_again = patch_at(&mut model, "cancel", &change_body("INV-1", &code, "DELETE"), noon());
    assert_eq!(cancel_again.answer.status, 409);
    assert_eq!(model.processed().count(), 3);
}

#[test]
fn only_a_live_code_of_that_invoice_can_be_changed() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let paid = issued(&mut model, "INV-2");
    let indomaret = post(&mut model, INDOMARET, "create-3", &indomaret_body("INV-3"));
    let indomaret = value(&indomaret.answer)["online_to_offline_info"]["payment_code"].as_str().unwrap().to_owned();
    model.pay(&paid, &PaymentScript::at(noon())).unwrap();
    let late = at("2026-10-05T06:00:00Z");
    let cases = [
        ("INV-9", code.as_str(), noon(), 404, "Payment code not found"),
        ("INV-2", &code, noon(), 404, "Payment code not found"),
        ("INV-1", "73", noon(), 404, "Payment code not found"),
        ("INV-3", &indomaret, noon(), 404, "Payment code not found"),
        ("INV-2", &paid, noon(), 400, "Payment code is already paid"),
        ("INV-1", &code, late, 400, "Payment code is already expired"),
    ];
    for status in ["ACTIVE", "DELETE"] {
        for (invoice, code, now, http, text) in cases {
            let answer = patch_at(&mut model, "change", &change_body(invoice, code, status), now).answer;
            assert_eq!((answer.status, message(&answer).as_str()), (http, text), "{status} {invoice}");
        }
    }
    assert_eq!(patch_at(&mut model, "cancel", &change_body("INV-1", &code, "DELETE"), noon()).answer.status, 200);
    let answer = patch_at(&mut model, "after", &change_body("INV-1", &code, "ACTIVE"), noon()).answer;
    assert_eq!((answer.status, message(&answer).as_str()), (400, "Payment code is already cancelled"));
}

#[test]
fn a_changes_body_has_rules_of_its_own() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let edits: [(&str, &str, Value, &str); 7] = [
        ("customer", "name", json!("n".repeat(41)), "customer.name length must be at most 40"),
        ("online_to_offline_info", "status", json!("CLOSED"), "online_to_offline_info.status is not valid"),
        ("online_to_offline_info", "status", Value::Null, "online_to_offline_info.status is required"),
        ("online_to_offline_info", "payment_code", Value::Null, "online_to_offline_info.payment_code is required"),
        ("online_to_offline_info", "expired_time", json!(100_000), "online_to_offline_info.expired_time is not valid"),
        ("order", "amount", json!(0), "order.amount is not valid"),
        ("order", "note", json!(1), "Invalid JSON Format: order.note"),
    ];
    for (part, field, to, text) in edits {
        let mut body = change_body("INV-1", &code, "ACTIVE");
        body[part][field] = to;
        let answer = patch_at(&mut model, "change", &body, noon()).answer;
        assert_eq!((answer.status, message(&answer).as_str()), (400, text));
    }
    let mut with_receipt = change_body("INV-1", &code, "ACTIVE");
    with_receipt["alfa_info"] = json!({ "receipt": { "footer_message": "x" } });
    assert_eq!(message(&patch_at(&mut model, "change", &with_receipt, noon()).answer), "Invalid JSON Format: alfa_info");
}

#[test]
fn check_status_knows_pending_expired_and_paid_and_never_tells_the_code() {
    let mut model = model();
    let code = issued(&mut model, "INV 1");
    let pending = status_at(&mut model, "INV%201", noon());
    assert_eq!(pending.status, 200);
    let shown = value(&pending);
    assert_eq!(shown["transaction"]["status"], "PENDING");
    assert_eq!(shown["online_to_offline_info"]["reusable_status"], "false");
    assert_eq!(shown["order"]["amount"], 150_000);
    assert!(!String::from_utf8_lossy(&pending.body).contains(&code));
    let by_id = status_at(&mut model, "create-INV%201", noon());
    assert_eq!(value(&by_id), shown);
    assert_eq!(value(&status_at(&mut model, "INV%201", at("2026-10-05T06:00:00Z")))["transaction"]["status"], "EXPIRED");
    model.pay(&code, &PaymentScript::at(at("2026-10-05T05:59:59Z"))).unwrap();
    let paid = value(&status_at(&mut model, "INV%201", at("2026-10-05T06:00:00Z")));
    assert_eq!(paid["transaction"]["status"], "SUCCESS");
    assert_eq!(paid["transaction"]["date"], "2026-10-05T05:59:59Z");
    assert_eq!(paid["online_to_offline_payment"]["identifier"][2]["name"], "AGENT_TRX_ID");
    let unknown = status_at(&mut model, "INV-9", noon());
    assert_eq!((unknown.status, message(&unknown).as_str()), (404, "Order not found"));
    assert_eq!(model.calls().len(), 1, "queries are not calls");
}

#[test]
fn answers_to_queries_are_signed_over_their_body() {
    let mut model = model();
    issued(&mut model, "INV-1");
    let request = signed("GET", "/orders/v1/status/INV-1", "q", "", noon());
    assert!(is_signed(&model.handle(&request, noon()).answer, &request));
}

#[test]
fn the_how_to_pay_pages_need_no_signature_and_name_code_and_amount() {
    let mut model = model();
    let code = issued(&mut model, "INV-1");
    let mut get = |path: String| {
        let request = Request { method: "GET".into(), path, headers: Vec::new(), body: bytes::Bytes::new() };
        model.handle(&request, noon()).answer
    };
    let page = get(format!("/how-to-pay/v2/alfa-online-to-offline/{code}"));
    let html = String::from_utf8_lossy(&page.body).into_owned();
    let grouped = code.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(" ");
    assert!(page.header("Content-Type").unwrap().starts_with("text/html"));
    assert!(html.contains(&grouped) && html.contains("Rp150.000") && html.contains("13:00 WIB"), "{html}");
    assert!(page.header("Content-Security-Policy").unwrap().starts_with("default-src 'none'"));
    let page = get(format!("/how-to-pay/v2/alfa-online-to-offline/{code}?lang=id"));
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert!(html.contains("<html lang=\"id\">") && html.contains("Cara bayar") && html.contains("13.00 WIB"), "{html}");
    let steps = value(&get(format!("/alfa-online-to-offline/v2/how-to-pay-api/{code}")));
    assert_eq!(steps["payment_instruction"][0]["channel"], "ALFA");
    assert_eq!(get("/how-to-pay/v2/indomaret-online-to-offline/73".into()).status, 404);
}
