//! Clients that go away, at every stage of a message, and disks that do not take it: what arrived whole is finished, what did
//! not leaves no trace, and money that is known to anybody here is not asked for a second time.

use std::io::Read as _;
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use super::shop::*;
use crate::support::world::until;

const PATIENCE: Duration = Duration::from_millis(30);

/// How a client goes away.
#[derive(Clone, Copy, Debug)]
enum Leave {
    /// Closes both ways.
    Close,
    /// Closes with an answer unread, which resets the connection.
    Reset,
    /// Says that it has said all, waits a moment for nothing, and closes.
    HalfClose,
}

#[test]
fn what_arrived_whole_is_finished_whenever_and_however_its_sender_goes_away() {
    let mut shop = Shop::new("");
    shop.many(100);
    shop.open();
    let mut number = 0;
    let mut whole = Vec::new();
    for leave in [Leave::Close, Leave::Reset, Leave::HalfClose] {
        for target in [NOTIFICATION, INQUIRY] {
            let length = Message::new(target, "t", notification_body(1, "t-00", "SUCCESS")).bytes().len();
            let body = notification_body(1, "t-00", "SUCCESS").len();
            let head = length - body;
            // Bytes sent before: within the request line, the head, at its end, within the body, one short, all.
            for sent in [5, head / 2, head - 1, head, head + 1, head + body / 2, length - 1, length] {
                number += 1;
                let message = Message::new(target, "t", notification_body(number, &format!("t-{:02}", number % 100), "SUCCESS")).bytes();
                assert_eq!(message.len(), length);
                let mut line = shop.connect();
                if matches!(leave, Leave::Reset) {
                    line.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
                    thread::sleep(PATIENCE);
                }
                line.write(&message[..sent]).unwrap();
                if matches!(leave, Leave::HalfClose) {
                    line.stream.get_ref().shutdown(Shutdown::Write).unwrap();
                    thread::sleep(PATIENCE);
                }
                drop(line);
                if sent == length {
                    whole.push(format!("N-{number:05}"));
                }
            }
        }
    }
    until("the ledger has those that were whole", || shop.payments().len() >= whole.len());
    let mut payments = shop.payments();
    payments.sort();
    assert_eq!(payments, whole);
    assert_eq!(shop.lines("notifications-").len(), whole.len());
    until("nobody holds a place", || shop.metric("tagih_connections") == 1);
    assert_eq!((shop.metric("tagih_ledger_waiting_payments"), shop.metric("tagih_unkept_payments")), (0, 0));
}

#[test]
fn senders_that_hang_up_while_the_server_stands_still_are_heard_all_the_same() {
    let mut shop = Shop::new("");
    shop.many(40);
    shop.open();
    let mut waiting: Vec<Line> = (0..40).map(|_| shop.connect()).collect();
    until("all are connected", || shop.metric("tagih_connections") == 41);
    shop.signal("STOP");
    for (index, line) in waiting.iter_mut().enumerate() {
        line.write(&Message::notification(index + 1, &format!("t-{index}")).bytes()).unwrap();
    }
    drop(waiting);
    shop.signal("CONT");
    // A line can be read before its fsync is over; until then its bill is not answered for.
    until("the log has them", || shop.lines("notifications-").len() == 40 && shop.metric("tagih_unkept_payments") == 0);
    // At once in the answers, soon in the ledger.
    for number in 1..=40 {
        assert_eq!(shop.send(&Message::inquiry(&format!("i-{number}"), &code_of(number))).word(), "billing_already_paid");
    }
    until("the ledger has them", || shop.payments().len() == 40);
    assert_eq!(shop.close(), Some(0));
}

#[test]
fn what_is_under_way_when_the_server_is_asked_to_stop_reaches_the_ledger_though_its_senders_are_gone() {
    let mut shop = Shop::new("");
    shop.many(30);
    shop.open();
    let mut waiting: Vec<Line> = (0..30).map(|_| shop.connect()).collect();
    until("all are connected", || shop.metric("tagih_connections") == 31);
    shop.signal("STOP");
    for (index, line) in waiting.iter_mut().enumerate() {
        line.write(&Message::notification(index + 1, &format!("t-{index}")).bytes()).unwrap();
    }
    drop(waiting);
    shop.signal("TERM");
    shop.signal("CONT");
    assert_eq!(shop.ended().code(), Some(0));
    // Which of them were read before the stop is chance; what was kept is in the books.
    assert_eq!(shop.payments().len(), shop.lines("notifications-").len());
}

#[test]
fn a_client_that_has_said_all_gets_its_answers() {
    let mut shop = Shop::new("");
    shop.many(8);
    shop.open();
    let alone = [
        Message::inquiry("a", &code_of(1)),
        Message::notification(2, "a"),
        Message::new(INQUIRY, "b", notification_body(3, "b", "SUCCESS")),
    ];
    for message in alone {
        let mut line = shop.connect();
        line.write(&message.bytes()).unwrap();
        line.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(line.read().unwrap().status, 200, "{message:?}");
        let mut rest = Vec::new();
        line.stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "and then the connection ends");
    }
    // Several in a row, and only then nothing more.
    let mut line = shop.connect();
    let row: Vec<u8> = (4..=8)
        .flat_map(|number| {
            [Message::inquiry(&format!("r-{number}"), &code_of(number)), Message::notification(number, &format!("r-{number}"))]
        })
        .flat_map(|message| message.bytes())
        .collect();
    line.write(&row).unwrap();
    line.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    for _ in 0..10 {
        assert_eq!(line.read().unwrap().status, 200);
    }
    until("the ledger has them", || shop.payments().len() == 7);
    until("no place is held", || shop.metric("tagih_connections") == 1);
}

#[test]
fn a_payment_that_no_disk_has_taken_is_not_asked_for_again() {
    let mut shop = Shop::new("");
    shop.many(3);
    shop.start_on_a_small_disk();
    until("it is ready", || shop.get("/healthz").status == 200);
    let large = |number: usize| Message::new(NOTIFICATION, &number.to_string(), format!("{{\"transaction\":\"{}\"}}", "x".repeat(60_000)));
    let sent = std::cell::Cell::new(0);
    until("the disk is full", || shop.send(&large(sent.replace(sent.get() + 1))).status == 503);
    // Small ones may still fit.
    let payment = |try_number: usize| {
        let body =
            notification_body(1, "t", "SUCCESS").replace("\"original_request_id\":\"x\"", &format!("\"more\":\"{}\"", "x".repeat(50_000)));
        Message::new(NOTIFICATION, &format!("p-{try_number}"), body)
    };
    assert_eq!(shop.send(&payment(0)).status, 503);
    let asked = shop.send(&Message::inquiry("a", &code_of(1)));
    assert_eq!((asked.status, asked.word().as_str()), (400, "decline"), "DOKU has told us that it is paid");
    assert_eq!(shop.send(&Message::inquiry("b", &code_of(2))).word(), "success", "others are as before");
    // The same for money that nobody understands.
    let unread = String::from_utf8(payment(9).body).unwrap().replace("N-00001", "N-00003").replace(&code_of(1), &code_of(3));
    let unread = unread.replace("\"amount\":10001", "\"amount\":\"10.003\"");
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "unread", &unread)).status, 503);
    assert_eq!(shop.send(&Message::inquiry("b3", &code_of(3))).word(), "decline");
    assert_eq!((shop.metric("tagih_unkept_payments"), shop.get("/healthz").status), (2, 503));
    assert_eq!(shop.payments(), Vec::<String>::new());
    let decisions: Vec<String> = shop.lines("inquiries-").iter().map(|line| line["decision"].as_str().unwrap().to_owned()).collect();
    assert_eq!(decisions, ["unrecorded", "success", "unrecorded"]);
    // There is room again: DOKU tells it once more, and from then on it is paid.
    for log in shop.logs("notifications-") {
        std::fs::File::options().write(true).open(log).unwrap().set_len(0).unwrap();
    }
    assert_eq!(shop.send(&payment(1)).status, 200);
    assert_eq!(shop.send(&Message::inquiry("c", &code_of(1))).word(), "billing_already_paid");
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "unread", &unread)).status, 200);
    assert_eq!(shop.metric("tagih_unkept_payments"), 0);
    until("the ledger has it", || shop.payments() == ["N-00001"]);
    assert_eq!(shop.send(&Message::inquiry("d", &code_of(3))).word(), "decline", "held now, until a person has looked");
    assert_eq!(shop.lines("inquiries-").pop().unwrap()["decision"], "held");
}
