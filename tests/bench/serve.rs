//! `serve-ledger BILLS LEDGER` fills a ledger with bills that DOKU asks about; `serve-load inquiries|notifications ADDRESS RATE
//! SECONDS BILLS` sends at a fixed rate and prints one JSON line.
//!
//! Each request has an instant at which it is due, whatever became of those before it, and its latency counts from then: a
//! server that stalls is not asked less.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;
use secrecy::SecretString;
use tagih::doku::signature::{Components, SigningKey, Stamp};
use tagih::domain::amount::Amount;
use tagih::domain::bill::{Customer, Expiry, Policy, RecordedTerms};
use tagih::domain::calendar::format_utc_seconds;
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::ids::{InvoiceNumber, PaymentCode};
use tagih::domain::lifecycle::{CodeAnswer, Event};
use tagih::domain::personal::Personal;
use tagih::ledger::{Basis, Binding, Create, Ledger as _, NewEvent, Private, SqliteLedger};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Connections of the load; a proxy in front keeps about as many.
const CONNECTIONS: u64 = 64;
const BATCH: u64 = 2_000;

fn code(bill: u64) -> String {
    format!("88{bill:014}")
}

fn entry(bill: u64) -> NewEvent {
    let payment_code = PaymentCode::new(code(bill)).unwrap();
    let expires_at: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
    let terms = RecordedTerms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Inquiry,
        payment_code: Some(payment_code.clone()),
        amount: Amount::new(50_000 + bill % 2_000 * 500).unwrap(),
        expiry: Expiry::At(expires_at),
        reusable: false,
        name_digest: "000000000000000000000000".into(),
        email_digest: String::new(),
        account_name_digest: String::new(),
        info: Some("Premi Kendaraan Bermotor".into()),
        receipt_description: None,
        receipt_footer: Some("Layanan nasabah 021 555 0100".into()),
        policy: Policy {
            number: Some(format!("POL-{bill:010}")),
            kind: Some("Kendaraan Bermotor".into()),
            status: Some("aktif".into()),
            due_date: Some(date(2026, 12, 1)),
            ..Policy::default()
        },
        bill_group: None,
        additional: None,
    };
    let answer = CodeAnswer { payment_code, created_at: None, expires_at: Some(expires_at), how_to_pay_page: None, how_to_pay_api: None };
    let customer = Customer {
        name: Personal::new(format!("Nasabah {bill:07}")),
        email: Some(Personal::new(format!("n{bill}@example.com"))),
        account_name: None,
    };
    NewEvent {
        invoice_number: InvoiceNumber::new(format!("SERVE-{bill:09}")).unwrap(),
        at: Timestamp::now(),
        event: Event::Adopted { terms, answer, wire_invoice_number: None },
        basis: Basis::Any,
        private: Private { customer: Some((customer, tagih::domain::bill::Salt::new([5; 16]))), ..Private::default() },
    }
}

/// Fills a new ledger.
pub fn ledger(bills: u64, path: &Path) {
    let binding = Binding {
        environment: "sandbox".into(),
        client_id: std::env::var("TAGIH_DOKU_CLIENT_ID").unwrap(),
        seals: tagih::ledger::Seals::UNKEYED,
    };
    let ledger = SqliteLedger::open(path, &binding, Create::IfMissing, &tagih::random::MachineRandomness).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for from in (0..bills).step_by(BATCH as usize) {
        let entries = (from..bills.min(from + BATCH)).map(entry).collect();
        runtime.block_on(ledger.record(entries)).unwrap();
    }
    println!("{bills} bills in {}", path.display());
}

/// What every sender needs.
#[derive(Clone)]
struct Load {
    notifications: bool,
    address: String,
    count: u64,
    gap: Duration,
    bills: u64,
    client_id: String,
    key: SigningKey,
    begun: Instant,
    run: i64,
}

impl Load {
    fn body(&self, number: u64) -> String {
        // Spread over the whole ledger: neighbours would share pages.
        let bill = number.wrapping_mul(7_919) % self.bills;
        let code = code(bill);
        let head = r#""service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"}"#;
        if self.notifications {
            let (run, amount) = (self.run, 50_000 + bill % 2_000 * 500);
            return format!(
                r#"{{{head},"transaction":{{"status":"SUCCESS","date":"2026-10-12T07:06:28Z","original_request_id":"x"}},"order":{{"invoice_number":"SERVE-{bill:09}","amount":{amount}}},"online_to_offline_info":{{"payment_code":"{code}"}},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_ID","value":"ALFAMART"}},{{"name":"AGENT_STORE_ID","value":"T001"}},{{"name":"AGENT_TRX_ID","value":"{run}-{number}"}}]}}}}"#
            );
        }
        format!(
            r#"{{{head},"online_to_offline_info":{{"payment_code":"{code}"}},"online_to_offline_inquiry":{{"date":"2026-10-12T07:06:28Z","identifier":[]}}}}"#
        )
    }

    fn request(&self, number: u64) -> Vec<u8> {
        let target = if self.notifications { "/payments/notifications" } else { "/doku/inquiry" };
        let (body, request_id) = (self.body(number), format!("{}-{number}", self.run));
        let stamp = format_utc_seconds(Timestamp::now());
        let (client_id, length) = (&self.client_id, body.len());
        let components =
            Components { client_id, request_id: &request_id, stamp: Stamp::Request(&stamp), target, body: Some(body.as_bytes()) };
        let signature = self.key.sign(&components).unwrap();
        format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nClient-Id: {client_id}\r\n\
             Request-Id: {request_id}\r\nRequest-Timestamp: {stamp}\r\nSignature: {signature}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Every `CONNECTIONS`th request, on one connection; latencies in microseconds, and how many were not answered 200.
    async fn send(self, first: u64) -> (Vec<u64>, u64) {
        let (mut latencies, mut errors) = (Vec::new(), 0);
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut number = first;
        while number < self.count {
            let due = self.begun + self.gap * u32::try_from(number).unwrap();
            tokio::time::sleep_until(due).await;
            match exchange(&mut stream, &self.request(number)).await {
                Ok(200) => {}
                Ok(_) => errors += 1,
                Err(_) => {
                    errors += 1;
                    stream = TcpStream::connect(&self.address).await.unwrap();
                }
            }
            latencies.push(u64::try_from(due.elapsed().as_micros()).unwrap());
            number += CONNECTIONS;
        }
        (latencies, errors)
    }
}

/// One request and its whole answer; the status.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> std::io::Result<u16> {
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(2_048);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Ok(head.split(' ').nth(1).unwrap().parse().unwrap());
        }
    }
}

/// Sends `rate` requests a second for `seconds` seconds.
pub fn load(kind: &str, address: &str, rate: u64, seconds: u64, bills: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let load = Load {
        notifications: kind == "notifications",
        address: address.to_owned(),
        count: rate * seconds,
        gap: Duration::from_nanos(1_000_000_000 / rate),
        bills,
        client_id: std::env::var("TAGIH_DOKU_CLIENT_ID").unwrap(),
        key: SigningKey::new(&SecretString::from(std::env::var("TAGIH_DOKU_SECRET").unwrap())),
        begun: Instant::now() + Duration::from_millis(200),
        run: Timestamp::now().as_microsecond(),
    };
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let begun = load.begun;
    runtime.block_on(async {
        let senders: Vec<_> = (0..CONNECTIONS).map(|first| tokio::spawn(load.clone().send(first))).collect();
        for sender in senders {
            let (found, failed) = sender.await.unwrap();
            latencies.extend(found);
            errors += failed;
        }
    });
    let took = begun.elapsed().as_micros().max(1);
    latencies.sort_unstable();
    let at = |permille: usize| latencies[(latencies.len() * permille / 1_000).min(latencies.len() - 1)];
    let sent = latencies.len();
    println!(
        r#"{{"sent": {sent}, "errors": {errors}, "rate": {}, "p50_us": {}, "p99_us": {}, "p999_us": {}, "max_us": {}}}"#,
        sent as u128 * 1_000_000 / took,
        at(500),
        at(990),
        at(999),
        at(1_000)
    );
}
