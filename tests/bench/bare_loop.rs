//! `bare-loop CSV BASE_URL IN_FLIGHT`: signs and sends what `tagih issue` would, with the same client, and keeps nothing.
//!
//! Client-Id and secret come from `TAGIH_DOKU_CLIENT_ID` and `TAGIH_DOKU_SECRET`, as for tagih itself. Prints one JSON line.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use secrecy::SecretString;
use tagih::clock::Clock;
use tagih::doku::answer::{SignaturePolicy, Trust, UnsignedErrors};
use tagih::doku::info::InfoKey;
use tagih::doku::signature::SigningKey;
use tagih::doku::wire::{Delivery, HttpMethod, WireRequest};
use tagih::doku::{answer, body};
use tagih::domain::bill::{Bill, Wanted};
use tagih::domain::conclusion::AnswerSays;
use tagih::domain::digest;
use tagih::domain::ids::RequestId;
use tagih::domain::plan;
use tagih::gateway::Gateway as _;
use tagih::gateway::client::{Endpoint, HttpGateway, ProxyChoice};
use tagih::intake;

const PATHS: [&str; 2] = ["/alfa-online-to-offline/v2/payment-code", "/indomaret-online-to-offline/v2/payment-code"];

fn request(bill: &Bill, client_id: &str) -> WireRequest {
    let Wanted::Live(terms) = &bill.wanted else { panic!("a cancel row") };
    let minutes = plan::issue_minutes(terms.expiry, Timestamp::now()).expect("an expiry ahead");
    let body = body::issue(&bill.invoice_number, terms, minutes, InfoKey::Info);
    let parts = [b"bare".as_slice(), client_id.as_bytes(), bill.invoice_number.as_str().as_bytes(), &body];
    let request_id = RequestId::from_digest(&digest::of_parts(&parts));
    let path = PATHS.into_iter().find(|path| path.contains(terms.channel.name())).unwrap().to_owned();
    WireRequest { method: HttpMethod::Post, path, request_id, body: body.into() }
}

/// Sends every row of `csv`, `in_flight` at a time.
pub fn run(csv: &Path, base_url: String, in_flight: usize) {
    let client_id = std::env::var("TAGIH_DOKU_CLIENT_ID").unwrap();
    let key = SigningKey::new(&SecretString::from(std::env::var("TAGIH_DOKU_SECRET").unwrap()));
    let whole = Instant::now();
    let read = intake::read(&[csv.to_owned()], &intake::Options::new(Timestamp::now())).unwrap();
    let parts = read.parts(|_| true).map(Result::unwrap);
    let bills: Vec<Bill> = parts.flatten().filter_map(|row| row.valid().cloned()).collect();
    let endpoint = Endpoint {
        base_url,
        client_id: client_id.clone(),
        connect_ms: 5_000,
        request_ms: 30_000,
        proxy: ProxyChoice::Direct,
        root_certificates: None,
    };
    let gateway = HttpGateway::new(endpoint, key, Clock::default()).unwrap();
    let accepted = AtomicU64::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let started = Instant::now();
    runtime.block_on(async {
        let work = futures_util::stream::iter(&bills).for_each_concurrent(in_flight, |bill| async {
            let request = request(bill, &client_id);
            let delivery = gateway.send(&request).await;
            let trust = Trust { policy: SignaturePolicy::Warn, unsigned_errors: UnsignedErrors::Accept };
            let expected = answer::Expected { wire_invoice_number: &bill.invoice_number, payment_code: None, trust };
            let Delivery::Answered(answer) = delivery else { panic!("no answer") };
            if answer::judge(&answer, &expected).says == AnswerSays::Success {
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        });
        work.await;
    });
    let (sending_ms, whole_ms) = (started.elapsed().as_millis(), whole.elapsed().as_millis());
    println!(r#"{{"codes": {}, "sending_ms": {sending_ms}, "whole_ms": {whole_ms}}}"#, accepted.into_inner());
}
