//! The rules of the sandbox, asserted on the model without a network, and once over a socket.

mod change;
mod create;
mod faults;
mod hospitable;
mod inquiry;
mod notify;
mod pages;
mod payments;
mod settlement;
mod socket;
mod vectors;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::http::{HttpAnswer, Reply, Request};
use super::model::Model;
use super::settings::Settings;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::calendar::format_utc_seconds;

const CLIENT: &str = "MCH-0001-10791114622547";
const SECRET: &str = "SK-test-0123456789abcdef";
const ALFA: &str = "/alfa-online-to-offline/v2/payment-code";
const MERCHANT: &str = "/alfa-online-to-offline/v2/merchant-payment-code";
const INDOMARET: &str = "/indomaret-online-to-offline/v2/payment-code";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-10-05T05:00:00Z")
}

fn settings() -> Settings {
    Settings { base_url: "http://127.0.0.1:1".into(), ..Settings::new(CLIENT, SecretString::from(SECRET), 42) }
}

fn model() -> Model {
    Model::new(settings())
}

fn key() -> SigningKey {
    SigningKey::new(&SecretString::from(SECRET))
}

/// A request signed as the client signs.
fn signed(method: &str, path: &str, request_id: &str, body: &str, now: Timestamp) -> Request {
    let stamp = format_utc_seconds(now);
    let bytes = (method != "GET").then_some(body.as_bytes());
    let target = path.split('?').next().unwrap();
    let components = Components { client_id: CLIENT, request_id, stamp: Stamp::Request(&stamp), target, body: bytes };
    let signature = key().sign(&components).unwrap();
    let headers = [("client-id", CLIENT), ("request-id", request_id), ("request-timestamp", &stamp), ("signature", &signature)];
    Request {
        method: method.into(),
        path: path.into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.to_owned().into(),
    }
}

/// Whether the answer carries DOKU's signature for this request.
fn is_signed(answer: &HttpAnswer, request: &Request) -> bool {
    let (Some(stamp), Some(signature)) = (answer.header("Response-Timestamp"), answer.header("Signature")) else { return false };
    let components = Components {
        client_id: CLIENT,
        request_id: request.header("Request-Id").unwrap(),
        stamp: Stamp::Response(stamp),
        target: request.target(),
        body: Some(&answer.body),
    };
    key().verify(&components, signature).is_ok()
}

fn value(answer: &HttpAnswer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn message(answer: &HttpAnswer) -> String {
    value(answer)["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn alfa_body(invoice: &str) -> Value {
    json!({
        "order": { "invoice_number": invoice, "amount": 150_000 },
        "online_to_offline_info": { "expired_time": 60, "reusable_status": false, "info": "Thank you" },
        "customer": { "name": "Anton Budiman", "email": "anton@example.com" },
        "alfa_info": { "receipt": { "footer_message": "Call Center 021 555-0525" } }
    })
}

fn indomaret_body(invoice: &str) -> Value {
    json!({
        "order": { "invoice_number": invoice, "amount": 150_000 },
        "online_to_offline_info": { "expired_time": 60, "reusable_status": false },
        "customer": { "name": "Anton Budiman" },
        "indomaret_info": { "receipt": { "description": "Premi polis 9090901234", "footer_message": "Call 13555" } }
    })
}

fn merchant_body(invoice: &str, code: &str) -> Value {
    let mut body = alfa_body(invoice);
    body["online_to_offline_info"]["payment_code"] = code.into();
    body
}

fn change_body(invoice: &str, code: &str, status: &str) -> Value {
    json!({
        "order": { "invoice_number": invoice, "amount": 175_000 },
        "online_to_offline_info": { "payment_code": code, "status": status, "expired_time": 120, "reusable_status": false },
        "customer": { "name": "Anton Budiman" }
    })
}

fn post(model: &mut Model, path: &str, request_id: &str, body: &Value) -> Reply {
    model.handle(&signed("POST", path, request_id, &body.to_string(), noon()), noon())
}

fn patch_at(model: &mut Model, request_id: &str, body: &Value, now: Timestamp) -> Reply {
    model.handle(&signed("PATCH", ALFA, request_id, &body.to_string(), now), now)
}

fn status_at(model: &mut Model, id: &str, now: Timestamp) -> HttpAnswer {
    model.handle(&signed("GET", &format!("/orders/v1/status/{id}"), "status-id", "", now), now).answer
}

/// Makes an Alfa code for `invoice` at noon and gives it.
fn issued(model: &mut Model, invoice: &str) -> String {
    let reply = post(model, ALFA, &format!("create-{invoice}"), &alfa_body(invoice));
    assert_eq!(reply.answer.status, 200, "{reply:?}");
    value(&reply.answer)["online_to_offline_info"]["payment_code"].as_str().unwrap().to_owned()
}
