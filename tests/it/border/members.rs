//! Ways in which money went wrong at the border, each as it was told, on the real binary. Issue items 1, 3 and 6 to 8.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::between::{ALWAYS, Fate, cut_after, cut_before, unavailable};
use super::doku::{Doku, Order, State, finding, refusal, success, wib};
use super::merchant::Merchant;
use super::wire::{Answer, CLIENT, Request, signature};

const ROW: &str = "B-001,150000,Budi,alfa,,,1440,";

fn refuse(status: u16) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync {
    move |request, doku| doku.sign(refusal(status, "not that one"), request).into()
}

#[test]
fn a_merchant_code_whose_issue_is_in_doubt_is_given_to_nobody_else() {
    for status in [400, 402, 404, 422, 451] {
        let merchant = Merchant::open(&[]);
        let mine = "M-001,150000,Budi,alfa,merchant,7700000001,1440,";
        merchant.net.cue("GET", "", ALWAYS, unavailable);
        merchant.net.cue("POST", "M-001", 1, cut_after);
        merchant.net.cue("POST", "M-001", ALWAYS, refuse(status));
        merchant.issue(3, &[mine], &[]);
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out", "--retry-rejected"]);
        assert_eq!(merchant.end("M-001").bucket, "in_doubt", "{status}: {finished:?}");
        merchant.bills("bills.csv", &["M-002,90000,Siti,alfa,merchant,7700000001,1440,"]);
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
        assert_ne!(finished.code(), Some(0), "{status}: {finished:?}");
        assert!(merchant.net.changes(0, "M-002").is_empty(), "{status}: the code may be live for M-001");
        merchant.net.calm();
        merchant.issue(0, &[mine], &[]);
        assert_eq!(merchant.accepted("M-001").unwrap()["payment_code"], "7700000001");
    }
}

#[test]
fn an_amendment_carried_out_and_refused_on_repetition_is_reported_at_no_amount_but_dokus() {
    for status in [400, 402, 404, 405, 406, 410, 413, 422, 451] {
        let merchant = Merchant::open(&[("doku.verify_response", "\"enforce\"")]);
        merchant.issue(0, &[ROW], &[]);
        merchant.net.cue("GET", "", ALWAYS, unavailable);
        merchant.net.cue("PATCH", "", 1, cut_after);
        merchant.net.cue("PATCH", "", ALWAYS, refuse(status));
        let changed = ["B-001,175000,Budi,alfa,,,1440,"];
        merchant.issue(3, &changed, &[]);
        merchant.issue(3, &changed, &["--retry-rejected"]);
        assert_eq!(merchant.status("B-001"), "in_doubt_amend", "{status}");
        let listed = merchant.accepted("B-001");
        assert!(listed.as_ref().is_none_or(|row| row["action"] == "in_doubt"), "{status}: {listed:?}");
        // Check Status alone settles it, as the new amount is seen.
        merchant.net.calm();
        merchant.net.cue("PATCH", "", ALWAYS, refuse(status));
        merchant.issue(0, &changed, &[]);
        assert_eq!(merchant.accepted("B-001").unwrap()["amount"], "175000", "{status}");
    }
}

/// A provisional refusal: unsigned, so DOKU may have done it all the same.
#[test]
fn an_unsigned_refusal_of_what_doku_did_is_found_out_before_a_new_id_is_made() {
    for word in ["PENDING", "SUCCESS", "EXPIRED"] {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("POST", "", 1, |request: &Request, doku: &mut Doku| {
            doku.handle(request);
            refusal(400, "amount is not valid").into()
        });
        merchant.net.cue("GET", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
            let order = doku.orders[&request.about()].clone();
            doku.sign(Answer::json(200, &finding(&order, word)), request).into()
        });
        merchant.issue(1, &[ROW], &[]);
        assert_eq!(merchant.end("B-001").bucket, "rejected");
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out", "--retry-rejected"]);
        let sent = merchant.net.changes(0, "B-001");
        assert!(sent.iter().all(|one| *one == sent[0]), "{word}: the old operation, not a new one: {finished:?}");
        assert_eq!(merchant.net.doku().orders.len(), 1);
        // Another row content, in another night, is no way round it.
        merchant.bills("bills.csv", &["B-001,160000,Budi,alfa,,,1440,"]);
        merchant.run(&["issue", "bills.csv", "--out", "out"]);
        let posts = merchant.net.since(0).into_iter().filter(|one| one.method == "POST");
        assert_eq!(posts.map(|one| one.request_id).collect::<std::collections::BTreeSet<_>>().len(), 1, "{word}");
    }
}

/// An order of DOKU's books that expired so many hours ago, adopted by the ledger.
pub fn expired(merchant: &Merchant, invoice: &str, code: &str, hours: i64) {
    let mut doku = merchant.net.doku();
    let now = doku.now();
    let order = Order {
        invoice: invoice.into(),
        code: code.into(),
        amount: 150_000,
        state: State::Live,
        created_at: now - SignedDuration::from_hours(hours + 24),
        expires_at: now - SignedDuration::from_hours(hours),
        made_by: format!("before {invoice}"),
    };
    let head = "invoice_number,payment_code,channel,amount,created_at,expires_at";
    let file = format!("{head}\n{invoice},{code},alfa,150000,{},{}\n", order.created_at, order.expires_at);
    doku.orders.insert(invoice.into(), order);
    drop(doku);
    merchant.file("codes.csv", file);
    merchant.expect(0, &["ledger", "import", "codes.csv"]);
}

/// DOKU's word that a code was paid, as a line of a notification log.
pub fn notified(merchant: &Merchant, invoice: &str, code: &str, paid_at: Timestamp) {
    let now = merchant.net.doku().now();
    merchant.file("notifications.jsonl", notification(invoice, code, &json!(150_000), paid_at, now));
    merchant.expect(0, &["ingest", "notifications.jsonl"]);
}

/// The log's line of a notification.
pub fn notification(invoice: &str, code: &str, amount: &Value, paid_at: Timestamp, now: Timestamp) -> String {
    let (target, request_id, stamp) = ("/payments/notifications", format!("n-{invoice}-{code}"), now.to_string());
    let body = json!({
        "service": {"id": "ONLINE_TO_OFFLINE"}, "acquirer": {"id": "ALFA"}, "channel": {"id": "ONLINE_TO_OFFLINE_ALFA"},
        "transaction": {"status": "SUCCESS", "date": paid_at.to_string(), "original_request_id": "1"},
        "order": {"invoice_number": invoice, "amount": amount},
        "online_to_offline_info": {"payment_code": code},
        "online_to_offline_payment": {"identifier": [{"name": "AGENT_TRX_ID", "value": format!("T-{code}")}]},
    })
    .to_string();
    let signature = signature(&request_id, ("Request-Timestamp", &stamp), target, Some(body.as_bytes()));
    let headers = json!({"Client-Id": CLIENT, "Request-Id": request_id, "Request-Timestamp": stamp, "Signature": signature});
    let line = json!({"received_at": stamp, "target": target, "headers": headers, "body": body});
    format!("{line}\n")
}

#[test]
fn only_dokus_own_expired_about_the_order_itself_lets_a_bill_be_issued_anew() {
    type Told = fn(&Request, &mut Doku) -> Fate;
    fn own(request: &Request, doku: &Doku, word: &str, invoice: &str) -> Answer {
        let order = Order { invoice: invoice.into(), ..doku.orders["A-001"].clone() };
        doku.sign(Answer::json(200, &finding(&order, word)), request)
    }
    let table: [(&str, Told, bool); 8] = [
        ("expired", |request, doku| own(request, doku, "EXPIRED", "A-001").into(), true),
        ("pending", |request, doku| own(request, doku, "PENDING", "A-001").into(), false),
        ("paid", |request, doku| own(request, doku, "SUCCESS", "A-001").into(), false),
        ("another's", |request, doku| own(request, doku, "EXPIRED", "A-002").into(), false),
        ("forged", |request, doku| own(request, doku, "EXPIRED", "A-001").forged(request, &doku.now().to_string()).into(), false),
        ("a page", |_, _| Answer::new(404, "text/plain", "404 page not found").into(), false),
        ("order expired", |request, doku| own(request, doku, "ORDER_EXPIRED", "A-001").into(), false),
        ("not found", |request, doku| doku.sign(Answer::json(404, &json!({"message": "Order not found"})), request).into(), false),
    ];
    for policy in ["\"warn\"", "\"enforce\""] {
        for (name, told, is_sent) in table {
            let merchant = Merchant::open(&[("doku.verify_response", policy)]);
            expired(&merchant, "A-001", "6059777", 5);
            merchant.net.cue("GET", "", ALWAYS, told);
            merchant.bills("bills.csv", &["A-001,150000,Budi,alfa,,,1440,"]);
            let finished = merchant.run(&["issue", "bills.csv", "--out", "out", "--reissue-expired"]);
            assert_eq!(merchant.net.doku().payable().len(), usize::from(is_sent), "{name} under {policy}: {finished:?}");
        }
    }
}

#[test]
fn a_code_just_made_is_issued_and_listed_whatever_its_dates_say() {
    type Bend = fn(&mut Order);
    let back = |order: &mut Order| {
        order.created_at -= SignedDuration::from_hours(25);
        order.expires_at -= SignedDuration::from_hours(25);
    };
    let beyond = |order: &mut Order| order.expires_at += SignedDuration::from_hours(20);
    let bends: [(&str, Bend); 2] = [("25 hours back", back), ("20 hours beyond", beyond)];
    for (name, bend) in bends {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("POST", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
            doku.handle(request);
            let order = doku.orders.get_mut(&request.about()).unwrap();
            bend(order);
            let body = success(order);
            doku.sign(Answer::json(200, &body), request).into()
        });
        let finished = merchant.run_issue(&[ROW]);
        let row = merchant.accepted("B-001").unwrap_or_else(|| panic!("{name}: missing in accepted.csv: {finished:?}"));
        assert_eq!((row["action"].as_str(), row["payment_code"].as_str()), ("issued", "6059000000000001"), "{name}");
        assert!(!row["note"].is_empty(), "{name}: {row:?}");
        assert!(matches!(finished.code(), Some(0 | 1)), "{name}: {finished:?}");
        is_told_later(&merchant, &row["note"]);
    }
    // UTC is past while WIB is future.
    let merchant = Merchant::open(&[]);
    merchant.net.cue("POST", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.handle(request);
        let order = doku.orders[&request.about()].clone();
        let mut body = success(&order);
        body["online_to_offline_info"]["expired_date_utc"] = json!((order.expires_at - SignedDuration::from_hours(48)).to_string());
        body["online_to_offline_info"]["expired_date"] = json!(wib(order.expires_at));
        doku.sign(Answer::json(200, &body), request).into()
    });
    let finished = merchant.run_issue(&[ROW]);
    let row = merchant.accepted("B-001").unwrap_or_else(|| panic!("missing in accepted.csv: {finished:?}"));
    assert!(row["action"] == "issued" && !row["note"].is_empty(), "{row:?}");
    is_told_later(&merchant, &row["note"]);
}

/// What is odd about the end of B-001's code is in its story and in the month's report (L08), out of the ledger's events.
fn is_told_later(merchant: &Merchant, note: &str) {
    let why = merchant.why("B-001");
    assert!(why.contains(note), "{note}: {why}");
    let flags = reconciled(merchant)["flags"].clone();
    assert_eq!(flags["L08"]["count"], 1, "{flags}");
}

/// The summary of a reconciliation of the last days, without a notification.
pub fn reconciled(merchant: &Merchant) -> Value {
    let now = merchant.net.doku().now();
    let day = |hours: i64| (now + SignedDuration::from_hours(hours)).to_string()[..10].to_owned();
    let (from, to) = (day(-96), day(7));
    let reconcile =
        ["reconcile", "--from", &from, "--to", &to, "--notifications", "none.jsonl", "--allow-no-logs", "--out", "month", "--json"];
    let ran = merchant.run(&reconcile);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn an_optional_field_of_another_type_leaves_a_note_and_nothing_else() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("POST", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.handle(request);
        let mut body = success(&doku.orders[&request.about()]);
        body["online_to_offline_info"]["how_to_pay_page"] = json!(0);
        doku.sign(Answer::json(200, &body), request).into()
    });
    merchant.issue(0, &[ROW], &[]);
    let row = merchant.accepted("B-001").unwrap();
    assert_eq!(row["note"], "of another type and left out: how_to_pay_page");
    assert!(merchant.why("B-001").contains(&row["note"]));
    assert_eq!(reconciled(&merchant)["flags"]["L08"], Value::Null, "it is not about the end");
}

fn twenty() -> Vec<String> {
    (1..=20).map(|number| format!("B-{number:03},{},Budi,alfa,,,1440,", 10_000 + number)).collect()
}

#[test]
fn a_clock_five_minutes_off_stops_sending_and_what_was_answered_is_recorded() {
    let rows = twenty();
    // (how far DOKU is ahead in seconds; exit; whether it is said)
    for (ahead, exit, is_told) in [(0, 0, false), (30, 0, false), (120, 0, true), (-120, 0, true), (400, 2, true), (-25_200, 2, true)] {
        let merchant = Merchant::open(&[("pacing.in_flight_max", "1")]);
        merchant.net.doku().ahead = SignedDuration::from_secs(ahead);
        let finished = merchant.issue(exit, &rows, &[]);
        assert_eq!(finished.stderr.contains("clock"), is_told, "{ahead} s: {finished:?}");
        let made = merchant.net.doku().orders.len();
        assert_eq!(merchant.summary()["buckets"]["issued"], made, "{ahead} s: every answer is recorded");
        assert_eq!(made, if exit == 0 { 20 } else { 3 }, "{ahead} s");
    }
}

/// A stranger's Date, an unprovable stamp, a replay's stored one.
#[test]
fn only_a_proven_first_answer_tells_dokus_clock() {
    type Bend = fn(&Request, &mut Doku) -> Fate;
    let bends: [Bend; 3] = [
        |request, doku| doku.handle(request).with("Date", "Wed, 01 Jan 2020 00:00:00 GMT").into(),
        |request, doku| doku.handle(request).forged(request, "2020-01-01T00:00:00Z").into(),
        |request, doku| {
            let answer = doku.handle(request);
            if answer.status == 409 { answer.signed_at(request, "2020-01-01T00:00:00Z").into() } else { Fate::Cut }
        },
    ];
    for bend in bends {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("POST", "", ALWAYS, bend);
        merchant.issue(0, &twenty(), &[]);
        assert_eq!(merchant.net.doku().payable().len(), 20);
    }
}

#[test]
fn two_answers_in_a_row_are_not_three() {
    let rows = twenty();
    let merchant = Merchant::open(&[("pacing.in_flight_max", "1")]);
    let number = Mutex::new(0);
    merchant.net.cue("POST", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
        let mut number = number.lock().unwrap();
        *number += 1;
        let answer = doku.handle(request);
        let answer = if *number % 3 == 0 { answer } else { answer.signed_at(request, "2020-01-01T00:00:00Z") };
        answer.into()
    });
    merchant.issue(0, &rows, &[]);
}

#[test]
fn a_code_that_doku_gives_to_two_bills_ends_the_second_row_alone() {
    let rows: Vec<String> = (1..=12).map(|number| format!("B-{number:03},{},Budi,alfa,,,1440,", 10_000 + number)).collect();
    for is_paid in [false, true] {
        let merchant = Merchant::open(&[("pacing.in_flight_max", if is_paid { "1" } else { "8" })]);
        merchant.issue(0, &rows[..1], &[]);
        let first = merchant.net.doku().orders["B-001"].code.clone();
        if is_paid {
            let now = merchant.net.doku().now();
            notified(&merchant, "B-001", &first, now);
        }
        merchant.net.cue("POST", "B-005", ALWAYS, move |request: &Request, doku: &mut Doku| {
            doku.handle(request);
            let order = doku.orders.get_mut("B-005").unwrap();
            order.code.clone_from(&first);
            let body = success(order);
            doku.sign(Answer::json(200, &body), request).into()
        });
        let finished = merchant.issue(1, &rows, &[]);
        let buckets = &merchant.summary()["buckets"];
        assert_eq!(buckets["issued"], 10, "paid: {is_paid}: every other row went on: {buckets} {finished:?}");
        let end = merchant.end("B-005");
        assert!(end.reason.contains("B-001") || finished.stderr.contains("B-001"), "both are named: {end:?} {finished:?}");
        assert!(merchant.accepted("B-005").is_none());
        merchant.verify();
    }
}

#[test]
fn a_lost_issue_is_not_settled_by_the_clock() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("POST", "", ALWAYS, cut_before);
    for _night in 0..3 {
        merchant.issue(3, &[ROW], &[]);
    }
    let sent = merchant.net.changes(0, "B-001");
    assert!(sent.len() >= 3 && sent.iter().all(|one| *one == sent[0]));
}
