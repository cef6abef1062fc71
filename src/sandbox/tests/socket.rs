//! The sandbox over a real socket, spoken to in raw HTTP so that nothing between hides a cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::sandbox::fault::{FaultKind, Faults};
use crate::sandbox::server::{Options, Running, start, start_with};

/// One exchange on a connection of its own: everything the server sent until it closed.
pub(super) async fn exchange(addr: SocketAddr, request: &Request) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (method, path, length) = (&request.method, &request.path, request.body.len());
    let fixed = format!("host: {addr}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    let head = format!("{method} {path} HTTP/1.1\r\n{fixed}{}\r\n", headers.concat());
    stream.write_all(&[head.as_bytes(), &request.body].concat()).await.unwrap();
    let mut received = Vec::new();
    // A reset after the last byte is as good as a close.
    stream.read_to_end(&mut received).await.ok();
    String::from_utf8(received).unwrap()
}

pub(super) fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(super) fn create(invoice: &str) -> Request {
    signed("POST", ALFA, invoice, &alfa_body(invoice).to_string(), Timestamp::now())
}

pub(super) fn plain(method: &str, path: &str, body: &Value) -> Request {
    Request { method: method.into(), path: path.into(), headers: Vec::new(), body: body.to_string().into() }
}

pub(super) fn parts(received: &str) -> (u16, &str, &str) {
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head, body)
}

fn set_faults(running: &Running, kind: FaultKind) {
    running.model.lock().unwrap().set_faults(Faults { delay_ms: 50, ..Faults::only(kind) });
}

#[tokio::test]
async fn a_signed_request_is_answered_replayed_cut_and_torn_on_the_wire() {
    let running = start(Model::new(Settings { base_url: String::new(), ..settings() }), anywhere()).await.unwrap();
    let first = exchange(running.addr, &create("INV-1")).await;
    let (status, head, body) = parts(&first);
    assert_eq!(status, 200);
    assert!(head.contains("\r\nSignature: HMACSHA256=") && head.contains("\r\nResponse-Timestamp: "), "{head}");
    assert!(body.contains(&format!("{}/how-to-pay/", running.base_url())));
    let again = exchange(running.addr, &create("INV-1")).await;
    assert_eq!((parts(&again).0, parts(&again).2), (409, body));

    set_faults(&running, FaultKind::ResetAfter);
    assert_eq!(exchange(running.addr, &create("INV-2")).await, "");
    set_faults(&running, FaultKind::ResetBefore);
    assert_eq!(exchange(running.addr, &create("INV-3")).await, "");
    set_faults(&running, FaultKind::Truncated);
    let torn = exchange(running.addr, &create("INV-4")).await;
    let (status, head, body) = parts(&torn);
    let announced: usize = head.to_lowercase().split_once("content-length: ").unwrap().1.split('\r').next().unwrap().parse().unwrap();
    assert_eq!((status, body.len()), (200, announced / 2));
    set_faults(&running, FaultKind::DelayAfter);
    let begun = Instant::now();
    assert_eq!(parts(&exchange(running.addr, &create("INV-5")).await).0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(50));

    let made: Vec<String> = running.model.lock().unwrap().orders().iter().map(|order| order.invoice_number.to_string()).collect();
    assert_eq!(made, ["INV-1", "INV-2", "INV-4", "INV-5"]);
    let addr = running.addr;
    running.shutdown().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_request_delayed_before_processing_is_done_although_its_client_gave_up() {
    let running = start(model(), anywhere()).await.unwrap();
    set_faults(&running, FaultKind::DelayBefore);
    let gave_up = tokio::time::timeout(Duration::from_millis(10), exchange(running.addr, &create("INV-1"))).await;
    assert!(gave_up.is_err());
    assert!(running.model.lock().unwrap().orders().is_empty());
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if running.model.lock().unwrap().orders().len() == 1 {
            return;
        }
    }
    panic!("it was never done");
}

#[tokio::test]
async fn it_serves_loopback_only_and_limits_bodies() {
    let refused = start(model(), "0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    for url in ["https://127.0.0.1/payments/notifications", "http://192.0.2.1/payments/notifications", "http://127.0.0.1/elsewhere"] {
        let options = Options { notification_url: Some(url.into()), ..Options::new(anywhere()) };
        assert!(start_with(model(), options).await.is_err(), "{url}");
    }
    let running = start(model(), anywhere()).await.unwrap();
    let large = signed("POST", ALFA, "id", &" ".repeat(70_000), Timestamp::now());
    assert_eq!(parts(&exchange(running.addr, &large).await).0, 413);
}

#[tokio::test]
async fn what_was_done_is_recorded_before_it_is_answered_and_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let (record, log) = (folder.path().join("record.jsonl"), folder.path().join("log.jsonl"));
    let options = Options { record_path: Some(record.clone()), notification_log_path: Some(log.clone()), ..Options::new(anywhere()) };
    let running = start_with(model(), options).await.unwrap();
    for _ in 0..2 {
        exchange(running.addr, &create("INV-1")).await;
    }
    let lines: Vec<Value> = std::fs::read_to_string(&record).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "a replay does nothing");
    assert_eq!((&lines[0]["call"]["request_id"], &lines[0]["order"]["invoice_number"]), (&json!("INV-1"), &json!("INV-1")));

    let orders = exchange(running.addr, &plain("GET", "/_sandbox/orders", &Value::Null)).await;
    let orders: Value = serde_json::from_str(parts(&orders).2).unwrap();
    assert_eq!(orders[0]["payment_code"], lines[0]["order"]["payment_code"]);
    let calls = exchange(running.addr, &plain("GET", "/_sandbox/calls", &Value::Null)).await;
    let calls: Value = serde_json::from_str(parts(&calls).2).unwrap();
    assert_eq!((&calls[0]["handling"], &calls[1]["handling"]), (&json!("processed"), &json!("replayed")));

    let pay = json!({ "payment_code": orders[0]["payment_code"], "quirk": "amount_as_string" });
    let paid = exchange(running.addr, &plain("POST", "/_sandbox/pay", &pay)).await;
    assert_eq!(parts(&paid).0, 200, "{paid}");
    let paid: Value = serde_json::from_str(parts(&paid).2).unwrap();
    let logged: Value = serde_json::from_str(std::fs::read_to_string(&log).unwrap().trim_end()).unwrap();
    assert_eq!((&logged["body"], &logged["headers"]), (&paid["body"], &paid["headers"]));
    let twice = exchange(running.addr, &plain("POST", "/_sandbox/pay", &pay)).await;
    assert_eq!(parts(&twice).0, 409);
}

/// A merchant that answers with `statuses` in turn and keeps what it got.
async fn merchant(statuses: &'static [u16]) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 16_384];
            let mut length = 0;
            while !String::from_utf8_lossy(&buffer[..length]).ends_with("}]}}") {
                length += stream.read(&mut buffer[length..]).await.unwrap();
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (addr, received)
}

#[tokio::test]
async fn a_notification_is_posted_again_until_the_merchant_confirms_it() {
    let (merchant_addr, received) = merchant(&[500, 404, 200, 200]).await;
    let url = format!("http://{merchant_addr}/payments/notifications");
    let options = Options { notification_url: Some(url), ..Options::new(anywhere()) };
    let running = start_with(Model::new(Settings { time_scale: 432_000, ..settings() }), options).await.unwrap();
    exchange(running.addr, &create("INV-1")).await;
    let code = running.model.lock().unwrap().orders()[0].payment_code.to_string();
    let begun = Instant::now();
    exchange(running.addr, &plain("POST", "/_sandbox/pay", &json!({ "payment_code": code }))).await;
    while received.lock().unwrap().len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(10), "three attempts were expected");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 3, "the third was confirmed");
    assert!(received[0].starts_with("POST /payments/notifications HTTP/1.1"));
    for name in ["Client-Id", "Request-Id", "Request-Timestamp", "Signature", "Content-Type"] {
        assert!(received[0].contains(&format!("\r\n{name}: ")), "{name} as DOKU spells it: {}", received[0]);
    }
    let bodies: Vec<&str> = received.iter().map(|message| message.split_once("\r\n\r\n").unwrap().1).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

/// Repeats one request until a whole, properly signed success arrives; gives the code and the number of attempts.
async fn until_success(addr: SocketAddr, invoice: String) -> (String, usize) {
    for attempt in 1..20 {
        let request = create(&invoice);
        let received = exchange(addr, &request).await;
        let Some((head, body)) = received.split_once("\r\n\r\n") else { continue };
        let headers = head.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = HttpAnswer { status, headers: headers.collect(), body: body.to_owned().into() };
        if matches!(answer.status, 200 | 409) && is_signed(&answer, &request) {
            let code = value(&answer)["online_to_offline_info"]["payment_code"].as_str().unwrap().to_owned();
            return (code, attempt);
        }
    }
    panic!("{invoice} never succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_mixed_faults_and_many_connections_every_invoice_ends_with_the_one_code_it_was_told() {
    let faults = Faults { delay_ms: 5, ..Faults::mixed(50) };
    let running = start(Model::new(Settings { faults, ..settings() }), anywhere()).await.unwrap();
    let mut campaign = tokio::task::JoinSet::new();
    for n in 0..200 {
        let addr = running.addr;
        campaign.spawn(async move { (n, until_success(addr, format!("INV-{n}")).await) });
    }
    let told = campaign.join_all().await;
    assert!(told.iter().any(|(_, (_, attempts))| *attempts > 1), "some met a fault");
    let model = running.model.lock().unwrap();
    assert_eq!((model.orders().len(), model.processed().count()), (200, 200));
    for (n, (code, _)) in &told {
        assert_eq!(model.order(&format!("INV-{n}")).unwrap().payment_code.as_str(), code);
    }
}
