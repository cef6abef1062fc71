//! The pages as a browser without scripts uses them, what they let in, and deliveries over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::socket::{anywhere, create, exchange, parts, plain};
use super::*;
use crate::sandbox::server::{Options, Running, start, start_with};

fn get(path: &str) -> Request {
    Request { method: "GET".into(), path: path.into(), headers: Vec::new(), body: bytes::Bytes::new() }
}

/// A form as Chromium sends it from a page of the sandbox.
fn form(running: &Running, path: &str, body: &str) -> Request {
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned()), ("origin", running.base_url())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Request { method: "POST".into(), path: path.into(), headers, body: body.to_owned().into() }
}

fn location(received: &str) -> &str {
    assert_eq!(parts(received).0, 303, "{received}");
    received.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap()
}

async fn with_order(options: Options) -> (Running, String) {
    let running = start_with(Model::new(Settings { time_scale: 43_200, ..settings() }), options).await.unwrap();
    exchange(running.addr, &create("INV-1")).await;
    let code = running.model.lock().unwrap().orders()[0].payment_code.to_string();
    (running, code)
}

#[tokio::test]
async fn a_code_is_entered_paid_and_seen_paid_with_plain_forms_and_redirects() {
    let (running, code) = with_order(Options::new(anywhere())).await;
    assert_eq!(location(&exchange(running.addr, &get("/")).await), "/simulator");
    let list = exchange(running.addr, &get("/simulator")).await;
    assert!(list.contains("INV-1") && list.contains("Rp150.000") && list.contains("Content-Security-Policy: default-src 'none'"));
    let spaced = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("+");
    let entered = exchange(running.addr, &form(&running, "/simulator/enter", &format!("payment_code={spaced}"))).await;
    assert_eq!(location(&entered), format!("/simulator/code/{code}"));
    let till = exchange(running.addr, &get(location(&entered))).await;
    assert!(till.contains("Anton Budiman") && till.contains("waiting for payment") && till.contains("Call Center 021 555-0525"));
    let wrong = exchange(running.addr, &form(&running, "/simulator/pay", &format!("payment_code={code}&amount=12x"))).await;
    assert!(location(&wrong).ends_with("?notice=amount"));
    let filled = format!("payment_code={code}&amount=150.000&paid_at=&quirk=%22duplicated%22");
    let paid = exchange(running.addr, &form(&running, "/simulator/pay", &filled)).await;
    assert!(location(&paid).ends_with("?notice=paid"));
    let shown = exchange(running.addr, &get(location(&paid))).await;
    assert!(shown.contains("SUCCESS") && shown.contains("(duplicate)"), "{shown}");
    let again = exchange(running.addr, &form(&running, "/simulator/pay", &filled)).await;
    assert!(location(&again).ends_with("?notice=refused"));
    assert_eq!(running.model.lock().unwrap().orders()[0].payments.len(), 1);
    let filtered = exchange(running.addr, &get("/simulator?state=expired&search=")).await;
    assert!(!filtered.contains("INV-1"), "it is paid");
    let unknown = exchange(running.addr, &form(&running, "/simulator/enter", "payment_code=73")).await;
    let unknown = exchange(running.addr, &get(location(&unknown))).await;
    assert_eq!(location(&unknown), "/simulator?problem=unknown");
}

#[tokio::test]
async fn whatever_a_merchant_names_is_escaped() {
    let running = start(model(), anywhere()).await.unwrap();
    let evil = r#"<script>alert("1")</script>"#;
    let mut body = alfa_body("INV-1");
    body["customer"]["name"] = evil.into();
    body["online_to_offline_info"]["info"] = "<b>'&".into();
    exchange(running.addr, &signed("POST", ALFA, "id", &body.to_string(), Timestamp::now())).await;
    let code = running.model.lock().unwrap().orders()[0].payment_code.to_string();
    let paths = ["/simulator".to_owned(), format!("/simulator/code/{code}"), "/simulator?search=%3Cscript%3E%22".to_owned()];
    for path in paths {
        let page = exchange(running.addr, &get(&path)).await;
        assert!(!page.contains("<script") && !page.contains("<b>'"), "{path}: {page}");
    }
    assert!(exchange(running.addr, &get(&format!("/simulator/code/{code}"))).await.contains("alert"), "the name is shown");
}

#[tokio::test]
async fn another_sites_page_or_name_is_turned_away() {
    let (running, code) = with_order(Options::new(anywhere())).await;
    let pay = format!("payment_code={code}");
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"] {
        for path in ["/simulator/pay", "/_sandbox/pay"] {
            let mut request = form(&running, path, &pay);
            request.headers[1].1 = origin.into();
            assert_eq!(parts(&exchange(running.addr, &request).await).0, 403, "{origin} {path}");
        }
    }
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        for path in ["/simulator", "/_sandbox/orders"] {
            let request = Request { headers: vec![("Host".into(), host.into())], ..get(path) };
            let shared_answer = crate::sandbox::guard::check(&request);
            assert!(shared_answer.is_err(), "{host} {path}");
        }
    }
    assert!(running.model.lock().unwrap().orders()[0].payments.is_empty());
    for host in ["localhost:8086", "127.0.0.1", "[::1]:8086", "127.8.0.1:1"] {
        assert!(crate::sandbox::guard::check(&Request { headers: vec![("host".into(), host.into())], ..get("/") }).is_ok(), "{host}");
    }
}

/// A merchant that confirms everything and keeps what it got.
async fn merchant() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let url = format!("http://{}/payments/notifications", listener.local_addr().unwrap());
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut buffer, mut length) = (vec![0; 16_384], 0);
            while !buffer[..length].ends_with(b"}]}}") {
                length += stream.read(&mut buffer[length..]).await.unwrap();
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            stream.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n").await.unwrap();
        }
    });
    (url, got)
}

/// Waits until every delivery has ended; gives the listing.
async fn ended(running: &Running) -> Value {
    for _ in 0..1_000 {
        let listed = exchange(running.addr, &get("/_sandbox/deliveries")).await;
        let listed: Value = serde_json::from_str(parts(&listed).2).unwrap();
        if listed.as_array().unwrap().iter().all(|one| one["next_at"].is_null() && one["state"] != "under_way") {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the deliveries do not end");
}

#[tokio::test]
async fn an_orders_own_url_is_used_and_deliveries_are_listed_and_sent_again_by_hand() {
    let ((configured, at_configured), (own, at_own)) = (merchant().await, merchant().await);
    let options = Options { notification_url: Some(configured), ..Options::new(anywhere()) };
    let (running, code) = with_order(options).await;
    let mut body = alfa_body("INV-2");
    body["additional_info"] = json!({ "override_notification_url": own });
    exchange(running.addr, &signed("POST", ALFA, "id-2", &body.to_string(), Timestamp::now())).await;
    body["order"]["invoice_number"] = "INV-3".into();
    body["additional_info"]["override_notification_url"] = "https://example.com/payments/notifications".into();
    exchange(running.addr, &signed("POST", ALFA, "id-3", &body.to_string(), Timestamp::now())).await;
    let codes: Vec<String> = running.model.lock().unwrap().orders().iter().map(|order| order.payment_code.to_string()).collect();
    for code in &codes {
        let paid = exchange(running.addr, &plain("POST", "/_sandbox/pay", &json!({ "payment_code": code }))).await;
        assert_eq!(parts(&paid).0, 200, "{paid}");
    }
    let listed = ended(&running).await;
    assert_eq!((at_configured.lock().unwrap().len(), at_own.lock().unwrap().len()), (1, 1));
    assert!(at_own.lock().unwrap()[0].contains("INV-2"));
    assert_eq!((&listed[0]["state"], &listed[0]["attempts"][0]["status"]), (&json!("confirmed"), &json!(204)));
    assert_eq!(listed[1]["attempts"][0]["url"], own);
    assert_eq!(listed[2]["state"], "given_up", "nothing is sent beyond this machine");
    let silent = json!({ "payment_code": code, "notify": false, "quirk": "anyway" });
    exchange(running.addr, &plain("POST", "/_sandbox/pay", &silent)).await;
    assert_eq!(ended(&running).await[3]["state"], "lost");
    let again = exchange(running.addr, &plain("POST", "/_sandbox/resend", &json!({ "delivery": 1 }))).await;
    assert_eq!(parts(&again).2, r#"{"delivery":5}"#);
    let listed = ended(&running).await;
    assert_eq!((&listed[4]["resend_of"], &listed[4]["state"]), (&json!(1), &json!("confirmed")));
    let settled = exchange(running.addr, &get("/_sandbox/settlement?format=csv")).await;
    assert!(parts(&settled).2.starts_with("Total Amount Purchase_,600000\n"), "{settled}");
    assert_eq!(parts(&exchange(running.addr, &get("/_sandbox/settlement?date=9-10-2026")).await).0, 400);
}

#[tokio::test]
async fn stopping_writes_what_was_held_back_to_the_notification_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let model = Model::new(settings());
    let options = Options { notification_log_path: Some(log.clone()), ..Options::new(anywhere()) };
    let running = start_with(model, options).await.unwrap();
    exchange(running.addr, &create("INV-1")).await;
    let code = running.model.lock().unwrap().orders()[0].payment_code.to_string();
    exchange(running.addr, &plain("POST", "/_sandbox/pay", &json!({ "payment_code": code, "quirk": "held_back" }))).await;
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "it waits for the next one");
    running.shutdown().await;
    assert!(std::fs::read_to_string(&log).unwrap().contains("INV-1"));
}
