//! The vectors of the API reference (V2 to V8): what the client signs is let in, what DOKU signs is what the reference says.

use super::*;
use crate::domain::channel::Channel;
use crate::sandbox::notification::{Saying, signed_headers};
use crate::sandbox::question::{InquiryQuirk, InquiryScript};
use crate::sandbox::reception::Draft;

const B2: &str = r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"expired_time":60,"reusable_status":false,"info":"Merchant Demo Store"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#;
const B4: &str = r#"{"order":{"invoice_number":"INV-20210124-0001"},"online_to_offline_info":{"payment_code":"6059000000000205","how_to_pay_page":"https://sandbox.doku.com/how-to-pay/v2/alfa-online-to-offline/6059000000000205","how_to_pay_api":"https://api-sandbox.doku.com/alfa-online-to-offline/v2/how-to-pay-api/6059000000000205","created_date":"20210331115005","expired_date":"20210331125005","created_date_utc":"2021-03-31T04:50:05Z","expired_date_utc":"2021-03-31T05:50:05Z"}}"#;
const B5: &str = r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"payment_code":"6059000000000205","status":"DELETE","reusable_status":false},"customer":{"name":"Anton Budiman"}}"#;
const B6: &str = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"transaction":{"status":"SUCCESS","date":"2021-08-12T07:06:28Z","original_request_id":"5b8e438f-fac1-4103-9e0e-ebfdc38b5acb"},"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"73"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_STORE_ID","value":"store"},{"name":"AGENT_TRX_ID","value":"1246"}]}}"#;
const B7: &str = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"online_to_offline_info":{"payment_code":"8896512345678123"},"online_to_offline_inquiry":{"date":"2020-08-11T08:45:42Z","identifier":[]}}"#;
const B8: &str = r#"{"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"8896512345678123","info":"Thank for shopping in our store"},"online_to_offline_inquiry":{"status":"success"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#;
const ID: &str = "5b8e438f-fac1-4103-9e0e-ebfdc38b5acb";

fn stamped() -> Timestamp {
    at("2020-08-11T08:45:42Z")
}

fn with_signature(method: &str, path: &str, request_id: &str, signature: &str, body: &str) -> Request {
    let headers = [
        ("Client-Id", CLIENT.to_owned()),
        ("Request-Id", request_id.to_owned()),
        ("Request-Timestamp", "2020-08-11T08:45:42Z".to_owned()),
        ("Signature", format!("HMACSHA256={signature}")),
        ("Content-Type", "application/json".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Request { method: method.into(), path: path.into(), headers, body: body.to_owned().into() }
}

#[test]
fn requests_signed_as_in_the_reference_are_let_in() {
    let mut model = model();
    let v2 = with_signature("POST", ALFA, ID, "Lv2BFTLD1QzLU3H0WlGmDrowm+hd9SY8xQkjMhJE0eg=", B2);
    assert_eq!(model.handle(&v2, stamped()).answer.status, 200);
    let status = "/orders/v1/status/INV-123123-12313";
    let get_id = "d895fb53-479c-4f77-a76a-ab81b40d77cb";
    let v3 = with_signature("GET", status, get_id, "uKufaiHbde+wRfBASZODSNX8tCkP4y6qJ7HlnAlqsA8=", "");
    assert_eq!(model.handle(&v3, stamped()).answer.status, 404);
    let v5 = with_signature("PATCH", ALFA, "2dc5985e-adaa-4f82-b126-b09e9006da14", "6lQ8XWR7I9Aw9wir9ptwoUHoOEXXUA3csLnpCp50Xc0=", B5);
    assert_eq!(model.handle(&v5, stamped()).answer.status, 404, "let in, and then the code is not one of ours");
}

#[test]
fn a_get_signed_with_an_empty_digest_is_not_let_in() {
    let request = with_signature(
        "GET",
        "/orders/v1/status/INV-123123-12313",
        "d895fb53-479c-4f77-a76a-ab81b40d77cb",
        "bEqb6tJWLYBxMngEtVDoMSe0hMgW6uqPXdb0KKapJF8=",
        "",
    );
    let answer = model().handle(&request, stamped()).answer;
    assert_eq!((answer.status, message(&answer).as_str()), (401, "Invalid Header Signature"));
}

#[test]
fn answers_are_signed_as_in_the_reference() {
    let model = model();
    let draft = Draft::new(200, B4, ID, ALFA, at("2020-08-11T08:45:43Z"));
    let reply = model.reception.seal(draft);
    assert_eq!(reply.answer.header("Signature"), Some("HMACSHA256=1IePH/ZS/rV9mvgc1FFmD/3fFAybBRSb0OBHtW8q2as="));
    assert_eq!(reply.answer.header("Response-Timestamp"), Some("2020-08-11T08:45:43Z"));
}

#[test]
fn notifications_are_written_and_signed_as_in_the_reference() {
    let saying = Saying {
        service: "ONLINE_TO_OFFLINE",
        channel: Channel::Alfa,
        status: "SUCCESS",
        paid_at: at("2021-08-12T07:06:28Z"),
        original_request_id: ID,
        invoice_number: Some("INV-20210125-0001"),
        amount: "150000",
        payment_code: "73",
        agent_id: "ALFAMART",
        store_id: "store",
        transaction_id: "1246",
        additional_info: None,
    };
    let body = saying.body();
    assert_eq!(std::str::from_utf8(&body).unwrap(), B6);
    let headers = signed_headers(&key(), CLIENT, "479b663f-5c9d-400d-8e80-3e548a8f7639", stamped(), "/payments/notifications", &body);
    let signature = headers.iter().find(|(name, _)| name == "Signature").map(|(_, value)| value.as_str());
    assert_eq!(signature, Some("HMACSHA256=hyMBerex0esOpY4i1iuUCFSVvBzlwT/2I2T2+Vj2uJs="));
}

#[test]
fn inquiries_are_written_and_signed_and_their_answers_verified_as_in_the_reference() {
    let script = InquiryScript {
        target: "/doku/inquiry".into(),
        payment_code: "8896512345678123".into(),
        request_id: ID.into(),
        asked_at: stamped(),
        quirks: vec![InquiryQuirk::WithoutIdentifiers],
    };
    let model = model();
    let inquiry = model.inquire(&script);
    assert_eq!(std::str::from_utf8(&inquiry.body).unwrap(), B7);
    let signature = ("Signature".to_owned(), "HMACSHA256=xpaDGxPRBkkcetkibxkHStkmdFaUZ4mT0PlvsYgbjro=".to_owned());
    assert!(inquiry.headers.contains(&signature));
    let signature = "HMACSHA256=+N8WjUbpQe9rr2ftxOB02qBzLH2NQsjiKcgl8Zlx6nc=";
    assert_eq!(model.verify_inquiry_answer(&inquiry, "2020-08-11T08:45:43Z", signature, B8.as_bytes()), Ok(()));
    assert!(model.verify_inquiry_answer(&inquiry, "2020-08-11T08:45:44Z", signature, B8.as_bytes()).is_err());
}
