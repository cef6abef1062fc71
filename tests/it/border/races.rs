//! Two of our own programs at one bill: a sender is between its look and its record when another one records. The later of the two
//! looks again; nobody ends with a damaged ledger. Issue 10, item 1.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::between::{ALWAYS, Fate, cut_after, unavailable};
use super::doku::Doku;
use super::members::notification;
use super::merchant::Merchant;
use super::wire::Request;

/// What does not come within this never comes.
const WAIT: Duration = Duration::from_mins(1);

/// Holds the next request of `method` about `invoice`: says when it is there, and lets `act` decide when it is told to go on.
fn held_up(
    merchant: &Merchant,
    method: &'static str,
    invoice: &str,
    act: impl Fn(&Request, &mut Doku) -> Fate + Send + Sync + 'static,
) -> (Receiver<()>, Sender<()>) {
    let ((is_there, there), (go, goes)) = (channel(), channel::<()>());
    let ends = Mutex::new((is_there, goes));
    merchant.net.cue(method, invoice, 1, move |request: &Request, doku: &mut Doku| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        ends.1.recv_timeout(WAIT).unwrap();
        act(request, doku)
    });
    (there, go)
}

fn carried_out(request: &Request, doku: &mut Doku) -> Fate {
    doku.handle(request).into()
}

#[test]
fn a_doubt_that_a_notification_ends_while_the_replay_is_on_its_way_is_settled_once() {
    // What the replay hears; cut, the doubt would go on, were it not over by then.
    for act in [carried_out, cut_after] {
        let merchant = Merchant::open(&[("retry.attempts_max", "1")]);
        merchant.net.cue("GET", "", ALWAYS, unavailable);
        merchant.net.cue("POST", "A-001", 1, cut_after);
        merchant.issue(3, &["A-001,150000,Budi,alfa,,,1440,"], &[]);
        let code = merchant.net.doku().orders["A-001"].code.clone();
        let now = merchant.net.doku().now();
        let (there, go) = held_up(&merchant, "POST", "A-001", act);
        let sender = merchant.start(&["issue", "bills.csv", "--out", "out"]);
        there.recv_timeout(WAIT).unwrap();
        merchant.file("notifications.jsonl", notification("A-001", &code, &json!(150_000), now, now));
        merchant.expect(0, &["ingest", "notifications.jsonl"]);
        go.send(()).unwrap();
        let ran = sender.wait();
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        assert_eq!(merchant.status("A-001"), "active");
        assert_eq!(merchant.net.doku().payable().len(), 1, "one code, whoever was first");
        merchant.verify();
    }
}

#[test]
fn a_bill_that_is_held_after_it_was_planned_is_looked_at_again_before_anything_is_sent_for_it() {
    // One at a time: the second row is planned, and waits, while the first is on its way.
    let merchant = Merchant::open(&[("pacing.in_flight_max", "1")]);
    merchant.issue(0, &["A-001,150000,Budi,alfa,,,1440,", "B-001,150000,Siti,alfa,,,1440,"], &[]);
    let code = merchant.net.doku().orders["B-001"].code.clone();
    let now = merchant.net.doku().now();
    let (there, go) = held_up(&merchant, "PATCH", "A-001", carried_out);
    merchant.bills("bills.csv", &["A-001,160000,Budi,alfa,,,1440,", "B-001,160000,Siti,alfa,,,1440,"]);
    let mark = merchant.net.mark();
    let sender = merchant.start(&["issue", "bills.csv", "--out", "out"]);
    there.recv_timeout(WAIT).unwrap();
    merchant.file("notifications.jsonl", notification("B-001", &code, &json!("150.000"), now, now));
    merchant.run(&["ingest", "notifications.jsonl"]);
    go.send(()).unwrap();
    let ran = sender.wait();
    assert_eq!(ran.code(), Some(1), "a person must look: {ran:?}");
    assert_eq!(merchant.end("A-001").bucket, "amended");
    let end = merchant.end("B-001");
    assert!(end.bucket == "refused" && end.reason.contains("E0314"), "{end:?}");
    assert!(merchant.net.changes(mark, "B-001").is_empty(), "nothing was sent for it");
    merchant.verify();
}

#[test]
fn a_bill_that_is_held_while_it_is_asked_about_is_not_issued_anew() {
    let merchant = Merchant::open(&[]);
    super::members::expired(&merchant, "A-001", "6059777", 5);
    let now = merchant.net.doku().now();
    let (there, go) = held_up(&merchant, "GET", "A-001", carried_out);
    merchant.bills("bills.csv", &["A-001,150000,Budi,alfa,,,1440,"]);
    let sender = merchant.start(&["issue", "bills.csv", "--out", "out", "--reissue-expired"]);
    there.recv_timeout(WAIT).unwrap();
    merchant.file("notifications.jsonl", notification("A-001", "6059777", &json!("150.000"), now - SignedDuration::from_hours(6), now));
    merchant.run(&["ingest", "notifications.jsonl"]);
    go.send(()).unwrap();
    let ran = sender.wait();
    assert_ne!(ran.code(), Some(8), "{ran:?}");
    assert!(merchant.net.doku().payable().is_empty(), "it is held, and gets no second code");
    merchant.verify();
}
