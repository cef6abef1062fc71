//! What a message is follows from its body: both bodies at both URLs, with every kind of signature, and with whatever a proxy
//! does to the headers nobody signs.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;

use super::shop::*;
use crate::support::world::{SECRET, until};

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Signed {
    /// By DOKU, for the path it is posted to.
    Truly,
    /// By DOKU, for the other path.
    ForTheOther,
    ByAStranger,
    Not,
}

fn message(target: &str, id: &str, body: &str, signed: Signed) -> Message {
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let other = if target == INQUIRY { NOTIFICATION } else { INQUIRY };
    let (secret, signed_for) = match signed {
        Signed::Truly | Signed::Not => (SECRET, target),
        Signed::ForTheOther => (SECRET, other),
        Signed::ByAStranger => ("SK-stranger", target),
    };
    let mut message = Message { path: target.to_owned(), ..Message::signed_as(secret, signed_for, id, &stamp, body) };
    if signed == Signed::Not {
        message.headers.retain(|(name, _)| name != "Signature");
    }
    message
}

/// What a body is, how it is written for a bill, where it is kept, and what it is answered at the Inquiry and the Notification URL.
type Row<'a> = (&'a str, &'a dyn Fn(usize) -> String, Kept, [u16; 2]);

/// Where a message ends up.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Notifications,
    Inquiries,
    Forged,
}

#[test]
fn a_message_is_what_its_body_says_at_either_url_and_nothing_else_is_acknowledged() {
    let mut shop = Shop::new("");
    shop.many(60);
    shop.open();
    let paid = |number: usize| notification_body(number, &format!("t-{number}"), "SUCCESS");
    let asked = |number: usize| inquiry_body(&format!("{:?}", code_of(number)));
    let both = |number: usize| {
        let section = "\"online_to_offline_inquiry\":{\"date\":\"2020-08-11T08:45:42Z\"}}";
        format!("{},{section}", paid(number).strip_suffix('}').unwrap())
    };
    let neither = |number: usize| {
        format!("{{\"service\":{{\"id\":\"ONLINE_TO_OFFLINE\"}},\"online_to_offline_info\":{{\"payment_code\":\"{}\"}}}}", code_of(number))
    };
    let nulls = |number: usize| asked(number).replacen('{', "{\"transaction\":null,", 1);
    let table: [Row<'_>; 9] = [
        ("a notification", &paid, Kept::Notifications, [200, 200]),
        ("a notification that also has the other section", &both, Kept::Notifications, [200, 200]),
        ("another service's", &|n| paid(n).replace("ONLINE_TO_OFFLINE\"", "VIRTUAL_ACCOUNT\""), Kept::Notifications, [200, 200]),
        ("an inquiry", &asked, Kept::Inquiries, [200, 200]),
        ("an inquiry with a null", &nulls, Kept::Inquiries, [200, 200]),
        ("neither", &neither, Kept::Inquiries, [400, 400]),
        ("an array", &|n| format!("[{}]", paid(n)), Kept::Inquiries, [400, 400]),
        ("half of it", &|n| paid(n)[..50].to_owned(), Kept::Inquiries, [400, 400]),
        ("nothing", &|_| String::new(), Kept::Inquiries, [400, 400]),
    ];
    let mut number = 0;
    let mut expected = [0_usize; 3];
    for (what, body, kept, answered) in table {
        for (door, target) in [INQUIRY, NOTIFICATION].into_iter().enumerate() {
            number += 1;
            let body = body(number);
            for signed in [Signed::ForTheOther, Signed::ByAStranger, Signed::Not, Signed::Truly] {
                let id = format!("{number}-{signed:?}");
                let answer = shop.send(&message(target, &id, &body, signed));
                let case = format!("{what} at {target}, signed {signed:?}: {answer:?}");
                let genuine = signed == Signed::Truly;
                assert_eq!(answer.status, if genuine { answered[door] } else { 401 }, "{case}");
                let kept = match kept {
                    _ if !genuine => Kept::Forged,
                    // A message that is neither stays with the door it came to.
                    Kept::Inquiries if answered[door] == 400 && target == NOTIFICATION => Kept::Notifications,
                    kept => kept,
                };
                expected[kept as usize] += 1;
                // Nothing is signed for a stranger.
                let is_signed = genuine && kept == Kept::Inquiries;
                assert_eq!(answer.is_signed_at(target, SECRET, &id), is_signed, "{case}");
                if genuine && kept == Kept::Inquiries && answered[door] == 200 {
                    assert_eq!(
                        (answer.word().as_str(), answer.json()["order"]["amount"].as_u64()),
                        ("success", Some(10_000 + number as u64))
                    );
                }
            }
        }
    }
    let lines = |prefix: &str| shop.lines(prefix).len();
    assert_eq!([lines("notifications-"), lines("inquiries-"), lines("forged-")], expected);
    // Money is money wherever it was posted, and nothing else is.
    until("the ledger has it", || shop.payments() == ["N-00001", "N-00002", "N-00003", "N-00004"]);
    assert_eq!(shop.send(&Message::inquiry("paid", &code_of(1))).word(), "billing_already_paid");
    assert_eq!(shop.metric("tagih_misrouted_total{is=\"notification\"}"), 3);
    assert_eq!(shop.metric("tagih_misrouted_total{is=\"inquiry\"}"), 2);
    assert_eq!(shop.metric("tagih_misunderstood_total{is=\"notification\"}"), 4);
    assert_eq!(shop.metric("tagih_misunderstood_total{is=\"inquiry\"}"), 4);
    // What was kept under the path it came to verifies there, so the other commands find the same payments.
    let log = shop.logs("notifications-")[0].display().to_string();
    let ingested = shop.world.run(&["--json", "ingest", &log]).expect(0).stdout;
    assert!(ingested.contains("\"known\":4") || ingested.contains("\"known\": 4"), "{ingested}");
}

#[test]
fn an_inquiry_must_be_of_now_at_either_url_and_a_notification_need_not() {
    let mut shop = Shop::new("");
    shop.many(2);
    shop.open();
    for target in [INQUIRY, NOTIFICATION] {
        let stamped = |id: &str, body: String| Message::signed_as(SECRET, target, id, "2026-10-12T07:06:28Z", body);
        let old = shop.send(&stamped("old", inquiry_body(&format!("{:?}", code_of(1)))));
        assert_eq!((old.status, old.word().as_str()), (401, "invalid_signature"), "{target}");
        assert_eq!(shop.send(&stamped("told", notification_body(2, "t", "SUCCESS"))).status, 200, "{target}");
    }
    // A question that is repeated at the other URL hears the same, signed for where it came to.
    let asked = |target: &str| shop.send(&Message::new(target, "same", inquiry_body(&format!("{:?}", code_of(1)))));
    let (first, second) = (asked(INQUIRY), asked(NOTIFICATION));
    assert!(first.status == 200 && first.body == second.body && second.is_signed_at(NOTIFICATION, SECRET, "same"), "{second:?}");
}

#[test]
fn a_query_decides_nothing_and_may_have_been_signed_or_not() {
    let mut shop = Shop::new("");
    shop.many(24);
    shop.open();
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (mut number, mut paid) = (0, Vec::new());
    for query in ["?tenant=7", "?", "?next=/other/path?x=%20y&b", "?code=88&status=SUCCESS"] {
        for (signed_for, is_genuine) in [("", true), (query, true), ("?tenant=8", false)] {
            number += 1;
            let id = format!("{number}");
            let sent = |path: &str, body: String| {
                let message = Message::signed_as(SECRET, &format!("{path}{signed_for}"), &id, &stamp, body);
                shop.send(&Message { path: format!("{path}{query}"), ..message })
            };
            let case = format!("posted with `{query}`, signed with `{signed_for}`");
            let asked = sent(INQUIRY, inquiry_body(&format!("{:?}", code_of(number))));
            assert_eq!(asked.status, if is_genuine { 200 } else { 401 }, "{case}: {asked:?}");
            // Signed for what the question was signed for, and not for a stranger.
            assert_eq!(asked.is_signed_at(&format!("{INQUIRY}{signed_for}"), SECRET, &id), is_genuine, "{case}: {asked:?}");
            let told = sent(NOTIFICATION, notification_body(number, &id, "SUCCESS"));
            assert_eq!(told.status, if is_genuine { 200 } else { 401 }, "{case}: {told:?}");
            if is_genuine {
                paid.push(format!("N-{number:05}"));
            }
        }
    }
    until("the ledger has what was genuine", || shop.payments() == paid);
    // The log keeps the target as posted; the other commands take either reading, too.
    assert!(shop.lines("notifications-").iter().all(|line| line["target"].as_str().unwrap().contains('?')));
    let log = shop.logs("notifications-")[0].display().to_string();
    let ingested: serde_json::Value = serde_json::from_str(&shop.world.run(&["--json", "ingest", &log]).expect(0).stdout).unwrap();
    assert_eq!(ingested["known"], paid.len(), "{ingested}");
}

#[test]
fn headers_that_nobody_signed_are_never_a_reason_to_refuse() {
    let mut shop = Shop::new("");
    shop.many(40);
    shop.open();
    let json = "application/json";
    let types: [&[&str]; 14] = [
        &[],
        &[""],
        &[json, json],
        &[json, json, json],
        &["application/json, application/json"],
        &["application/json,application/json; charset=utf-8"],
        &["application/json; charset=ISO-8859-1"],
        &["application/json;charset=\"utf-8"],
        &["Application/JSON ;charset=UTF-8"],
        &["text/plain"],
        &["application/x-www-form-urlencoded"],
        &["application/vnd.api+json"],
        &["application/json; charset=\u{fc}tf-8"],
        &[";;;"],
    ];
    for (index, values) in types.iter().enumerate() {
        let number = index + 1;
        let with_it = |mut message: Message| {
            message.headers.retain(|(name, _)| name != "Content-Type");
            values.iter().fold(message, |message, value| message.and("Content-Type", value))
        };
        let asked = shop.send(&with_it(Message::inquiry(&format!("i-{number}"), &code_of(number))));
        assert_eq!((asked.status, asked.word().as_str()), (200, "success"), "{values:?}");
        assert_eq!(shop.send(&with_it(Message::notification(number, &format!("t-{number}")))).status, 200, "{values:?}");
    }
    let others = [
        ("Accept", "text/html"),
        ("Content-Encoding", "gzip"),
        ("Digest", "SHA-256=of-something-else"),
        ("Request-Target", "/elsewhere"),
        ("Expect", "100-continue"),
        ("User-Agent", "\u{e4}\u{f6}"),
        ("X-Forwarded-For", "10.0.0.1, 10.0.0.2"),
        ("Host", "second.example.com"),
        ("Connection", "close"),
        ("Response-Timestamp", "2020-01-01T00:00:00Z"),
    ];
    for (index, (name, value)) in others.into_iter().enumerate() {
        let number = 20 + index;
        // A server that is asked to say so first says 100, which is no answer yet.
        let mut line = shop.connect();
        let message = Message::notification(number, &format!("o-{number}")).and(name, value);
        let mut answer = line.exchange(&message.bytes()).unwrap();
        if answer.status == 100 {
            answer = line.read().unwrap();
        }
        assert_eq!(answer.status, 200, "{name}: {value}");
    }
    until("the ledger has all", || shop.payments().len() == types.len() + others.len());
    assert!(shop.logs("forged-").is_empty());
}

#[test]
fn header_names_go_out_as_doku_spells_them() {
    let mut shop = Shop::new("");
    shop.many(1);
    shop.open();
    let mut line = shop.connect();
    line.write(&Message::inquiry("id", &code_of(1)).and("Connection", "close").bytes()).unwrap();
    let mut raw = String::new();
    line.stream.read_to_string(&mut raw).unwrap();
    for name in ["Client-Id", "Request-Id", "Response-Timestamp", "Signature", "Content-Type", "Content-Length"] {
        assert!(raw.contains(&format!("\r\n{name}: ")), "{name}: {raw}");
    }
}

#[test]
fn a_hangup_reloads_the_keys_and_never_ends_the_server() {
    let mut shop = Shop::new("");
    let secret = |text: &str| {
        let path = shop.world.file("rotated", text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let path = secret("SK-before-0123456789");
    shop.world.reconfigure("[ledger]", &format!("secret_file_previous = \"{}\"\n[ledger]", path.display()));
    shop.many(1);
    // While it starts, too.
    shop.start();
    shop.signal("HUP");
    until("the server is ready", || shop.get("/healthz").status == 200);
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = |key: &str| shop.send(&Message::signed_as(key, NOTIFICATION, key, &stamp, notification_body(1, key, "SUCCESS"))).status;
    assert_eq!((status(SECRET), status("SK-before-0123456789"), status("SK-after-0123456789")), (200, 200, 401));
    let secret = |text: &str| fs::write(&path, text).unwrap();
    secret("SK-after-0123456789\n");
    shop.signal("HUP");
    until("the new key counts", || status("SK-after-0123456789") == 200);
    assert_eq!((status(SECRET), status("SK-before-0123456789")), (200, 401));
    // A file that cannot be used leaves the keys as they are.
    secret("");
    shop.signal("HUP");
    until("it has said so", || shop.said().contains("could not be read again"));
    assert_eq!((status(SECRET), status("SK-after-0123456789")), (200, 200));
    assert_eq!(shop.close(), Some(0));
}

#[test]
fn settings_of_the_keys_that_are_written_while_it_runs_count_from_the_next_hang_up_on() {
    let mut shop = Shop::new("");
    let secret = |name: &str, text: &str| {
        let path = shop.world.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let before = secret("before", SECRET);
    shop.many(1);
    shop.open();
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = |shop: &Shop, key: &str| {
        shop.send(&Message::signed_as(key, NOTIFICATION, key, &stamp, notification_body(1, key, "SUCCESS"))).status
    };
    // In the order of docs/operating.md: the present key is named as the previous one, then the new one takes its place.
    let new = "SK-after-0123456789";
    shop.world.reconfigure("[ledger]", &format!("secret_file_previous = \"{}\"\n[ledger]", before.display()));
    fs::write(shop.world.path("secret"), new).unwrap();
    assert_eq!((status(&shop, SECRET), status(&shop, new)), (200, 401), "nothing has changed for the server yet");
    shop.signal("HUP");
    until("the new key counts", || status(&shop, new) == 200);
    assert_eq!(status(&shop, SECRET), 200, "and so does the one before");
    // A command that takes its time holds nobody up, a stop least of all.
    shop.world.reconfigure("secret_file =", "secret_command = [\"sleep\", \"60\"]\nsecret_command_seconds = 60\n# secret_file =");
    shop.signal("HUP");
    assert_eq!((status(&shop, SECRET), status(&shop, new)), (200, 200));
    assert_eq!(shop.close(), Some(0));
}
