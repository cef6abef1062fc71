//! Direct inquiry against a small merchant: what is asked, how strictly answers are read, what is paid and echoed.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::socket::{anywhere, exchange, parts, plain};
use super::*;
use crate::sandbox::http::HttpAnswer;
use crate::sandbox::payment::{PaymentScript, Quirk};
use crate::sandbox::question::{Inquiry, InquiryMessage, InquiryQuirk};
use crate::sandbox::server::{Options, start_with};

const CODE: &str = "8896512345678123";
const TARGET: &str = "/doku/inquiry";

/// Spoils an answer.
type Change = fn(&mut HttpAnswer);

fn asking() -> Model {
    Model::new(Settings { inquiry_bins: vec!["88965".into()], ..settings() })
}

fn body(status: &str) -> Value {
    json!({
        "order": { "invoice_number": "POL-1", "amount": 1_500_000 },
        "online_to_offline_info": { "payment_code": CODE, "info": "Thank you" },
        "online_to_offline_inquiry": { "status": status },
        "customer": { "name": "Anton Budiman" },
        "additional_info": { "insurance_info": { "policy_type": "Dana Pendidikan", "policy_number": "9090901234" } }
    })
}

/// The merchant's answer, signed for `message`.
fn answered(message: &InquiryMessage, http_status: u16, body: &str) -> HttpAnswer {
    let stamp = "2026-10-05T05:00:01Z";
    let components = Components {
        client_id: CLIENT,
        request_id: &message.request_id,
        stamp: Stamp::Response(stamp),
        target: TARGET,
        body: Some(body.as_bytes()),
    };
    let signature = key().sign(&components).unwrap();
    let headers = [("client-id", CLIENT), ("request-id", &message.request_id), ("response-timestamp", stamp), ("signature", &signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    HttpAnswer { status: http_status, headers, body: body.to_owned().into() }
}

/// Asks about the code and concludes with what `answer` makes of the message.
fn concluded(model: &mut Model, answer: impl FnOnce(&InquiryMessage) -> HttpAnswer) -> Inquiry {
    let message = model.next_inquiry(CODE, TARGET, &[], noon());
    let answer = answer(&message);
    model.conclude_inquiry(&message, Ok(answer), noon())
}

#[test]
fn each_status_belongs_to_one_http_status_and_only_success_can_be_paid() {
    let table = [
        ("success", 200),
        ("decline", 400),
        ("billing_already_paid", 400),
        ("billing_was_expired", 400),
        ("billing_not_found", 404),
        ("invalid_signature", 401),
    ];
    for (status, expected) in table {
        for http_status in [200, 400, 401, 404, 500] {
            let mut model = asking();
            let inquiry = concluded(&mut model, |message| answered(message, http_status, &body(status).to_string()));
            assert_eq!(inquiry.status.as_deref(), Some(status));
            assert_eq!(inquiry.problem.is_none(), http_status == expected, "{status} with {http_status}: {inquiry:?}");
            assert_eq!(inquiry.is_payable(), (status, http_status) == ("success", 200));
            assert_eq!(model.orders().len(), usize::from(inquiry.is_payable()));
        }
    }
}

#[test]
fn an_answer_that_is_not_signed_for_this_inquiry_or_breaks_a_limit_is_a_visible_error() {
    let with = |pointer: &str, value: Value| {
        let mut body = body("success");
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let fields = [
        ("/order/amount", json!("1500000")),
        ("/order/amount", json!(0)),
        ("/order/amount", json!(1_000_000_000_000_u64)),
        ("/order/amount", json!(1.5)),
        ("/order/invoice_number", json!("X".repeat(65))),
        ("/online_to_offline_info/payment_code", json!("73")),
        ("/online_to_offline_info/info", json!("X".repeat(31))),
        ("/online_to_offline_inquiry/status", json!("SUCCESS")),
        ("/customer/name", json!(" ")),
        ("/customer/name", json!("X".repeat(65))),
        ("/additional_info/insurance_info/policy_number", json!(9)),
    ];
    for (pointer, wrong) in fields {
        let inquiry = concluded(&mut asking(), |message| answered(message, 200, &with(pointer, wrong.clone())));
        assert!(inquiry.problem.is_some() && !inquiry.is_payable(), "{pointer} {wrong}");
    }
    let right = body("success").to_string();
    let changes: [(&str, Change); 6] = [
        ("signature", |answer| answer.headers.retain(|(name, _)| name != "signature")),
        ("Response-Timestamp", |answer| answer.headers.retain(|(name, _)| name != "response-timestamp")),
        ("Request-Id", |answer| answer.headers[1].1 = "other".into()),
        ("Client-Id", |answer| answer.headers[0].1 = "other".into()),
        ("signature", |answer| answer.body = String::from_utf8_lossy(&answer.body).replace("1500000", "1500001").into()),
        ("signature", |answer| answer.headers[2].1 = "2026-10-05T05:00:02Z".into()),
    ];
    for (named, change) in changes {
        let inquiry = concluded(&mut asking(), |message| {
            let mut answer = answered(message, 200, &right);
            change(&mut answer);
            answer
        });
        let problem = inquiry.problem.unwrap();
        assert!(problem.to_lowercase().contains(&named.to_lowercase()), "{named}: {problem}");
    }
    assert_eq!(concluded(&mut asking(), |message| answered(message, 200, &right)).problem, None);
}

#[test]
fn the_answered_amount_is_paid_under_the_answered_invoice_and_additional_info_is_echoed_as_it_was() {
    let mut model = asking();
    let text = body("success").to_string().replace(r#""policy_number""#, r#"  "policy_number""#);
    let inquiry = concluded(&mut model, |message| answered(message, 200, &text));
    let message = model.pay(CODE, &PaymentScript::at(noon())).unwrap();
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&body["order"]["invoice_number"], &body["order"]["amount"]), (&json!("POL-1"), &json!(1_500_000)));
    assert_eq!(body["transaction"]["original_request_id"], *inquiry.request_id);
    assert!(String::from_utf8_lossy(&message.body).contains(r#"  "policy_number":"9090901234""#));
    assert_eq!(value(&status_at(&mut model, "POL-1", noon()))["transaction"]["status"], "SUCCESS");
    assert!(!format!("{:?}", model.orders()).contains("Anton"), "names stay out of Debug");
    assert!(!serde_json::to_string(model.orders()).unwrap().contains("Anton"), "and out of listings");
}

#[test]
fn only_codes_nobody_registered_and_of_a_known_prefix_are_asked_about() {
    let mut model = asking();
    let registered = issued(&mut model, "INV-1");
    post(&mut model, MERCHANT, "id", &merchant_body("INV-2", "8896500000000001"));
    assert!(model.is_inquired(CODE));
    for code in [registered.as_str(), "8896500000000001", "77777", "88965x", ""] {
        assert!(!model.is_inquired(code), "{code}");
    }
    concluded(&mut model, |message| answered(message, 200, &body("success").to_string()));
    assert!(model.is_inquired(CODE), "DOKU asks each time");
    let change = patch_at(&mut model, "change", &change_body("POL-1", CODE, "DELETE"), noon());
    assert_eq!(change.answer.status, 404, "it is registered nowhere");
    let mut stolen = body("success");
    stolen["order"]["invoice_number"] = "INV-1".into();
    let inquiry = concluded(&mut model, |message| answered(message, 200, &stolen.to_string()));
    assert!(inquiry.problem.unwrap().contains("belongs to another code"));
}

#[test]
fn each_inquiry_quirk_changes_what_it_says() {
    let model = asking();
    let ask = |quirk| model.next_inquiry(CODE, TARGET, &[quirk], noon());
    let read = |message: &InquiryMessage| serde_json::from_slice::<Value>(&message.body).unwrap();
    let header = |message: &InquiryMessage, name: &str| message.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let genuine = |message: &InquiryMessage| {
        let (stamp, signature) = (header(message, "Request-Timestamp").unwrap(), header(message, "Signature").unwrap_or_default());
        let (request_id, body) = (message.request_id.as_str(), Some(message.body.as_ref()));
        key().verify(&Components { client_id: CLIENT, request_id, stamp: Stamp::Request(&stamp), target: TARGET, body }, &signature).is_ok()
    };
    for quirk in InquiryQuirk::ALL {
        let message = ask(quirk);
        assert_eq!(genuine(&message), !matches!(quirk, InquiryQuirk::Forged | InquiryQuirk::Unsigned), "{quirk:?}");
        let code = &read(&message)["online_to_offline_info"]["payment_code"];
        assert_eq!(code.is_u64(), quirk == InquiryQuirk::CodeAsNumber);
        let asked = &read(&message)["online_to_offline_inquiry"];
        assert_eq!(
            asked["identifier"][0]["name"] == "AGENT_ID",
            !matches!(quirk, InquiryQuirk::WithoutIdentifiers | InquiryQuirk::MisspeltIdentifiers)
        );
        assert_eq!(asked["identifer"].is_array(), quirk == InquiryQuirk::MisspeltIdentifiers);
        assert_eq!(asked["date"] == "2026-10-05T05:00:00Z", quirk != InquiryQuirk::Stale);
        assert_eq!(read(&message)["x_trace"].is_object(), quirk == InquiryQuirk::ExtraFields);
    }
    let mut model = asking();
    let first = concluded(&mut model, |message| answered(message, 404, &body("billing_not_found").to_string()));
    assert_eq!(model.next_inquiry(CODE, TARGET, &[InquiryQuirk::SameId], noon()).request_id, first.request_id);
    assert_ne!(model.next_inquiry(CODE, TARGET, &[], noon()).request_id, first.request_id);
    let zero = model.next_inquiry("0896512345678123", TARGET, &[InquiryQuirk::CodeAsNumber], noon());
    assert_eq!(read(&zero)["online_to_offline_info"]["payment_code"], "0896512345678123");
}

/// A merchant on a socket that gives `answers` in turn, and keeps what it was asked.
async fn merchant(answers: Vec<(u16, Value)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let url = format!("http://{}{TARGET}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut buffer, mut length) = (vec![0; 16_384], 0);
            while !buffer[..length].ends_with(b"}]}}") {
                length += stream.read(&mut buffer[length..]).await.unwrap();
            }
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let id = text.lines().find_map(|line| line.strip_prefix("Request-Id: ")).unwrap().trim().to_owned();
            kept.lock().unwrap().push(text);
            let message = InquiryMessage {
                target: TARGET.into(),
                headers: Vec::new(),
                body: bytes::Bytes::new(),
                payment_code: CODE.into(),
                request_id: id,
            };
            let answer = answered(&message, status, &body.to_string());
            let headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{}\r\n", answer.body.len(), headers.concat());
            stream.write_all(&[head.as_bytes(), &answer.body].concat()).await.unwrap();
        }
    });
    (url, asked)
}

#[tokio::test]
async fn paying_an_unknown_code_asks_the_merchant_first_and_takes_no_money_when_it_declines() {
    let answers = vec![(404, body("billing_not_found")), (200, body("success")), (200, body("decline"))];
    let (url, asked) = merchant(answers).await;
    let options = Options { inquiry_url: Some(url), ..Options::new(anywhere()) };
    let running = start_with(asking(), options).await.unwrap();
    let pay = plain("POST", "/_sandbox/pay", &json!({ "payment_code": CODE, "inquiry_quirks": ["code_as_number"] }));
    let declined = exchange(running.addr, &pay).await;
    assert_eq!(parts(&declined).0, 409);
    assert!(parts(&declined).2.contains("billing_not_found"), "{declined}");
    let paid = exchange(running.addr, &pay).await;
    assert_eq!(parts(&paid).0, 200, "{paid}");
    let message: Value = serde_json::from_str(parts(&paid).2).unwrap();
    assert_eq!(message["invoice_number"], "POL-1");
    let flawed = exchange(running.addr, &plain("POST", "/_sandbox/inquire", &json!({ "payment_code": CODE }))).await;
    assert!(parts(&flawed).2.contains("`decline` belongs to HTTP 400"), "{flawed}");
    let gone = exchange(running.addr, &pay).await;
    assert!(parts(&gone).2.contains("no answer"), "{gone}");
    let unknown = exchange(running.addr, &plain("POST", "/_sandbox/pay", &json!({ "payment_code": "73" }))).await;
    assert!(parts(&unknown).2.contains("no order has this payment code"));
    let first = asked.lock().unwrap()[0].clone();
    assert!(first.starts_with("POST /doku/inquiry HTTP/1.1") && first.contains(&format!(r#""payment_code":{CODE}"#)));
    let listed = exchange(running.addr, &plain("GET", "/_sandbox/inquiries", &Value::Null)).await;
    assert_eq!(serde_json::from_str::<Value>(parts(&listed).2).unwrap().as_array().unwrap().len(), 4);
    let repeated = PaymentScript::at(noon()).with(Quirk::Repeated(crate::sandbox::settings::RedeliveryId::New));
    assert!(running.model.lock().unwrap().pay(CODE, &repeated).is_ok(), "what was paid can be notified again");
}
