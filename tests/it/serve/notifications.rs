//! Notifications: kept before they are acknowledged, in the form the other commands read, and never money without a signature.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::shop::*;
use crate::support::world::{CLIENT, until};

#[test]
fn every_genuine_message_is_kept_and_only_money_reaches_the_ledger() {
    let mut shop = Shop::new("");
    shop.many(4);
    shop.open();
    let body = |number: usize| notification_body(number, &format!("trx-{number}"), "SUCCESS");
    let quirky = body(2)
        .replace("\"amount\":10002", "\"amount\":\"10002.0\",\"currency\":\"IDR\",\"info1\":true")
        .replace("\"identifier\"", "\"identifer\"")
        .replace(&format!("\"payment_code\":\"{}\"", code_of(2)), &format!("\"payment\":{},\"reusable_status\":\"false\"", code_of(2)))
        .replace("\"SUCCESS\"", "\"success\"");
    let messages = [
        ("plain", body(1), 200),
        ("every quirk at once", quirky, 200),
        ("twice", body(1), 200),
        ("an unknown invoice", body(4).replace("N-00004", "UNKNOWN"), 200),
        ("failed", notification_body(3, "trx-f", "FAILED"), 200),
        ("expired", notification_body(3, "trx-e", "EXPIRED"), 200),
        ("a status nobody knows", notification_body(3, "trx-s", "REVERSED"), 200),
        ("another service", body(3).replace("ONLINE_TO_OFFLINE\"", "VIRTUAL_ACCOUNT\""), 200),
        ("an amount that is none", body(3).replace("10003", "\"1.5\""), 200),
        ("no JSON", "{\"service\":".into(), 400),
        ("no object", "[]".into(), 400),
    ];
    for (index, (what, body, status)) in messages.iter().enumerate() {
        assert_eq!(shop.send(&Message::new(NOTIFICATION, &index.to_string(), body)).status, *status, "{what}");
    }
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "bytes", [b'{', 0xff, b'}'])).status, 400);
    let kept = shop.lines("notifications-");
    let bodies: Vec<&str> = kept.iter().filter_map(|line| line["body"].as_str()).collect();
    assert_eq!(bodies, messages.iter().map(|(_, body, _)| body.as_str()).collect::<Vec<_>>());
    assert_eq!(kept.last().unwrap()["body_base64"], "e/99");
    // At once in answers, soon in the ledger.
    assert_eq!(shop.send(&Message::inquiry("a", &code_of(2))).word(), "billing_already_paid");
    assert_eq!(shop.send(&Message::inquiry("b", &code_of(3))).word(), "decline", "money was told of for it, and not understood");
    assert_eq!(shop.send(&Message::inquiry("c", &code_of(4))).word(), "billing_already_paid", "by its code, whatever number was named");
    until("the ledger has them", || shop.payments() == ["N-00001", "N-00002", "UNKNOWN"]);
    // What we wrote is what `ingest` reads: nothing new, and all lines verify.
    let log = shop.logs("notifications-")[0].display().to_string();
    let ingested = shop.world.run(&["--json", "ingest", &log]).expect(0).stdout;
    let ingested: Value = serde_json::from_str(&ingested).unwrap();
    assert_eq!((ingested["new"].as_u64(), ingested["known"].as_u64()), (Some(0), Some(3)), "{ingested}");
    assert_eq!(shop.close(), Some(0));
}

#[test]
fn forged_messages_are_refused_and_kept_apart_from_money() {
    let mut shop = Shop::new("");
    shop.many(2);
    shop.open();
    let good = || Message::notification(1, "trx");
    let (path, body) = (NOTIFICATION.to_owned(), notification_body(2, "trx", "SUCCESS").into_bytes());
    let forged = [
        Message { body, ..good() },
        Message::signed_as("SK-other", NOTIFICATION, "id", "2026-10-12T07:06:28Z", notification_body(1, "x", "SUCCESS")),
        Message { path, ..Message::new(INQUIRY, "id", notification_body(1, "x", "SUCCESS")) },
        good().with("Client-Id", "MCH-OTHER"),
        good().and("Client-Id", CLIENT),
        good().with("Signature", ""),
        Message { headers: Vec::new(), ..good() },
        Message { body: vec![0xff], ..good() },
    ];
    for message in &forged {
        assert_eq!(shop.send(message).status, 401, "{message:?}");
    }
    assert_eq!(shop.lines("forged-").len(), forged.len());
    assert!(shop.logs("notifications-").is_empty());
    // One of the past is DOKU's all the same: it may have tried for twelve hours.
    let late =
        Message::signed_as(crate::support::world::SECRET, NOTIFICATION, "l", "2026-10-12T07:06:28Z", notification_body(2, "l", "SUCCESS"));
    assert_eq!(shop.send(&late).status, 200);
    until("the ledger has it", || shop.payments() == ["N-00002"]);
    assert_eq!(shop.send(&Message::inquiry("a", &code_of(1))).word(), "success");
    assert_eq!(shop.metric("tagih_notifications_total{is=\"forged\"}"), forged.len() as u64);
}

#[test]
fn many_at_once_share_an_fsync() {
    let mut shop = Shop::new("");
    shop.open();
    let (senders, each) = (32, 40);
    thread::scope(|scope| {
        for sender in 0..senders {
            let mut line = shop.connect();
            scope.spawn(move || {
                for number in 0..each {
                    let message = Message::notification(1, &format!("{sender}-{number}"));
                    assert_eq!(line.exchange(&message.bytes()).unwrap().status, 200);
                }
            });
        }
    });
    let (lines, syncs) = (shop.metric("tagih_log_lines_total{is=\"notifications\"}"), shop.metric("tagih_log_syncs_total"));
    assert_eq!(lines, senders * each);
    assert_eq!(shop.lines("notifications-").len() as u64, lines);
    assert!(syncs >= 1 && syncs < lines, "{syncs} fsyncs for {lines} messages of {senders} at a time");
}

#[test]
fn a_log_that_is_removed_under_the_server_loses_no_line() {
    let mut shop = Shop::new("");
    shop.open();
    assert_eq!(shop.send(&Message::notification(1, "before")).status, 200);
    fs::remove_file(shop.logs("notifications-").remove(0)).unwrap();
    assert_eq!(shop.send(&Message::notification(1, "after")).status, 200);
    assert_eq!(shop.lines("notifications-").len(), 1, "what is acknowledged is in the file of the day");
    let log = shop.logs("notifications-").remove(0);
    fs::rename(&log, log.with_extension("rotated")).unwrap();
    assert_eq!(shop.send(&Message::notification(1, "rotated")).status, 200);
    assert_eq!(shop.lines("notifications-").len(), 2, "one in the file that was put aside, one in the new one");
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 1);
}

#[test]
fn what_could_not_be_kept_is_not_acknowledged() {
    let mut shop = Shop::new("");
    shop.start_on_a_small_disk();
    until("it is ready", || shop.get("/healthz").status == 200);
    let large = |number: usize| Message::new(NOTIFICATION, &number.to_string(), format!("{{\"transaction\":\"{}\"}}", "x".repeat(60_000)));
    let statuses: Vec<u16> = (0..30).map(|number| shop.send(&large(number)).status).collect();
    let kept = statuses.iter().filter(|status| **status == 200).count();
    assert!((10..20).contains(&kept) && statuses[kept..].iter().all(|status| *status == 503), "{statuses:?}");
    assert_eq!(shop.lines("notifications-").len(), kept, "each of them, and none that was refused");
    assert_eq!((shop.get("/readyz").status, shop.get("/healthz").body), (503, b"log failing\n".to_vec()));
    assert_eq!(shop.get("/livez").status, 200, "a restart would mend nothing");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(shop.get("/readyz").status, 503, "what failed would fail again");
    assert_eq!(shop.lines("notifications-").len(), kept, "trying leaves nothing behind");
    let log = shop.logs("notifications-").remove(0);
    let aside = log.with_extension("aside");
    fs::rename(&log, &aside).unwrap();
    until("there is room, and it is ready by itself", || shop.get("/readyz").status == 200);
    fs::rename(&aside, &log).unwrap();
    assert_eq!(shop.send(&Message::inquiry("i", "404")).status, 404, "inquiries are answered all the same");
    assert_eq!(shop.close(), Some(0));
    shop.open();
    assert_eq!(shop.send(&large(99)).status, 200);
    assert_eq!(shop.lines("notifications-").len(), kept + 1);
    assert_eq!(shop.get("/healthz").status, 200);
}

#[test]
fn a_signal_lets_requests_under_way_finish_and_then_ends_with_zero() {
    for name in ["TERM", "INT"] {
        let mut shop = Shop::new("");
        shop.many(1);
        shop.open();
        let message = Message::notification(1, "under-way").bytes();
        let (head, rest) = message.split_at(message.len() - 10);
        let mut busy = shop.connect();
        busy.write(head).unwrap();
        let mut idle = shop.connect();
        assert_eq!(idle.exchange(&Message::inquiry("i", &code_of(1)).bytes()).unwrap().status, 200);
        shop.signal(name);
        until("no connection is taken any more", || Line::to(&shop.address).is_err());
        busy.write(rest).unwrap();
        assert_eq!(busy.read().unwrap().status, 200);
        assert!(idle.read().is_err(), "an idle connection is closed");
        assert_eq!(shop.ended().code(), Some(0));
        assert_eq!(shop.payments(), ["N-00001"], "the ledger was brought up to date on the way out");
    }
}

#[test]
fn days_that_are_over_are_compressed_and_a_torn_line_stands_alone() {
    let mut shop = Shop::new("");
    shop.many(3);
    shop.open();
    assert_eq!(shop.send(&Message::notification(1, "a")).status, 200);
    assert_eq!(shop.send(&Message::inquiry("i", &code_of(2))).status, 200);
    assert_eq!(shop.close(), Some(0));
    // The day's file becomes one of an earlier day, with a line that a killed process left torn; today's has only such a line.
    let today = shop.logs("notifications-")[0].clone();
    let line = fs::read_to_string(&today).unwrap();
    let payment_of_two = Message::notification(2, "b");
    let torn = &line[..line.len() / 2];
    let headers: serde_json::Map<String, Value> =
        payment_of_two.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let body = String::from_utf8(payment_of_two.body).unwrap();
    let unapplied = serde_json::json!({"received_at": "2026-01-02T03:04:05Z", "target": NOTIFICATION, "headers": headers, "body": body});
    shop.world.file("logs/notifications-2026-01-02.jsonl", format!("{line}{unapplied}\n{torn}"));
    shop.world.file("logs/answers-2026-01-02.jsonl", "{}\n");
    fs::write(&today, torn).unwrap();
    shop.open();
    assert_eq!(shop.send(&Message::inquiry("j", &code_of(2))).word(), "billing_already_paid", "caught up from the open log");
    assert_eq!(shop.send(&Message::notification(3, "c")).status, 200);
    let closed = shop.world.path("logs/notifications-2026-01-02.jsonl.zst");
    until("the day is closed", || closed.exists() && !shop.world.path("logs/notifications-2026-01-02.jsonl").exists());
    until("old answers are gone", || !shop.world.path("logs/answers-2026-01-02.jsonl").exists());
    let text = fs::read_to_string(&today).unwrap();
    assert!(text.starts_with(&format!("{torn}\n{{")) && text.ends_with("}\n"), "{text}");
    until("the ledger has all", || shop.payments().len() == 3);
    // Whoever reads all logs, closed ones too, finds the same payments.
    let pattern = shop.world.path("logs/notifications-*").display().to_string();
    let ingested: Value = serde_json::from_str(&shop.world.run(&["--json", "ingest", &pattern]).expect(0).stdout).unwrap();
    assert_eq!((ingested["new"].as_u64(), ingested["known"].as_u64()), (Some(0), Some(3)), "{ingested}");
}

#[test]
fn money_that_was_not_understood_declines_inquiries_until_a_person_has_looked_and_only_once() {
    let mut shop = Shop::new("");
    shop.many(2);
    shop.open();
    // A repeated id would be answered alike.
    let asked = std::cell::Cell::new(0);
    let another = || {
        asked.set(asked.get() + 1);
        format!("again-{}", asked.get())
    };
    let ask = |shop: &Shop, id: &str| shop.send(&Message::inquiry(id, &code_of(1))).word();
    assert_eq!(ask(&shop, "before"), "success");
    let body = notification_body(1, "trx-1", "SUCCESS").replace("\"amount\":10001", "\"amount\":\"10.001\"");
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "n", &body)).status, 200);
    assert_eq!(ask(&shop, "at-once"), "decline");
    assert_eq!(shop.send(&Message::inquiry("other", &code_of(2))).word(), "success", "nobody else is held");
    let held = |shop: &Shop| {
        let status: Value = serde_json::from_str(&shop.world.run(&["status", "--json"]).expect(0).stdout).unwrap();
        status["attention"]["held"].as_array().unwrap().clone()
    };
    until("the ledger knows", || held(&shop).len() == 1);
    assert_eq!((&held(&shop)[0]["invoice_number"], &held(&shop)[0]["counter_takes_money"]), (&Value::from("N-00001"), &Value::from(false)));
    assert_eq!(shop.metric("tagih_money_not_understood_total"), 1);
    shop.kill();
    shop.open();
    assert_eq!(ask(&shop, "after-a-crash"), "decline");
    shop.world.run(&["resolve", "N-00001", "--as", "released", "--reason", "DOKU: nothing was paid"]).expect(0);
    until("it is payable again", || ask(&shop, &another()) == "success");
    shop.kill();
    shop.open();
    until("the same log holds it no more", || ask(&shop, &another()) == "success");
    let log = shop.logs("notifications-")[0].display().to_string();
    shop.world.run(&["ingest", &log]).expect(0);
    assert!(held(&shop).is_empty());
    assert_eq!(shop.close(), Some(0));
}

/// Whoever has recorded a genuine message cannot fill the disk with it.
#[test]
fn a_message_that_comes_again_word_for_word_is_acknowledged_and_kept_once() {
    let mut shop = Shop::new("");
    shop.many(1);
    shop.open();
    let told = Message::notification(1, "t");
    for _ in 0..50 {
        assert_eq!(shop.send(&told).status, 200);
    }
    assert_eq!(shop.lines("notifications-").len(), 1);
    assert_eq!(shop.metric("tagih_notifications_total{is=\"repeated\"}"), 49);
    // The same id with another body, and the same body under another id, are messages of their own.
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "other", String::from_utf8(told.body.clone()).unwrap())).status, 200);
    assert_eq!(shop.lines("notifications-").len(), 2);
}

#[test]
fn a_server_whose_folder_another_has_taken_writes_no_more_into_it() {
    let mut first = Shop::new("");
    first.open();
    assert_eq!(first.send(&Message::notification(1, "before")).status, 200);
    fs::remove_dir_all(first.world.path("logs")).unwrap();
    assert_eq!(first.send(&Message::notification(1, "gone")).status, 503, "a folder that is gone may be on a disk that is");
    let second = first.world.start(&[], &["serve", "--listen", "127.0.0.1:0"]);
    until("the second has the folder", || first.world.path("logs/.lock").exists());
    assert_eq!(first.send(&Message::notification(1, "taken")).status, 503);
    assert!(first.lines("notifications-").is_empty(), "nothing of the first is in the second's log");
    assert!(first.said().contains("another server has taken it"), "{}", first.said());
    crate::support::world::signal(&second, "TERM");
    assert_eq!(crate::support::world::Ran::of(second).code, 0);
    until("the first takes it again", || first.send(&Message::notification(1, "after")).status == 200);
    assert_eq!(first.close(), Some(0));
}

#[test]
fn a_ledger_is_not_restored_beside_a_server_that_has_the_one_before() {
    let mut shop = Shop::new("");
    shop.many(1);
    shop.world.run(&["ledger", "backup", "copy.ledger"]).expect(0);
    shop.open();
    fs::rename(shop.world.path("tagih.ledger"), shop.world.path("aside.ledger")).unwrap();
    shop.world.run(&["ledger", "restore", "copy.ledger"]).expect(6).says(&["tagih serve", "stop it"]);
    assert!(!shop.world.path("tagih.ledger").exists());
    let _ended_as_it_may = shop.close();
    for suffix in ["-wal", "-shm"] {
        drop(fs::remove_file(shop.world.path(&format!("tagih.ledger{suffix}"))));
    }
    shop.world.run(&["ledger", "restore", "copy.ledger"]).expect(0);
}

#[test]
fn a_big_day_log_does_not_delay_readiness() {
    // An unoptimized build reads a tenth as fast.
    let megabytes = if cfg!(debug_assertions) { 5 } else { 50 };
    let mut shop = Shop::new("");
    shop.many(1);
    shop.open();
    assert_eq!(shop.send(&Message::notification(1, "trx")).status, 200);
    // Of up to twenty starts, for a busy machine may hold any of them up; but a log that is read first would delay each.
    let mut quickest = |enough: Duration| {
        let mut quickest = Duration::MAX;
        for _ in 0..20 {
            assert_eq!(shop.close(), Some(0));
            let begun = Instant::now();
            shop.start();
            until("it is ready", || shop.get("/readyz").status == 200);
            quickest = quickest.min(begun.elapsed());
            if quickest < enough {
                break;
            }
        }
        (quickest, shop.logs("notifications-").remove(0))
    };
    let (without, log) = quickest(Duration::from_secs(1));
    // As one captured message would fill it that is sent again and again.
    let line = fs::read_to_string(&log).unwrap();
    fs::write(&log, line.repeat((megabytes << 20) / line.len())).unwrap();
    let enough = without + Duration::from_secs(1);
    let (with, _) = quickest(enough);
    assert!(with < enough, "{megabytes} MB: {with:?}, and {without:?} without");
    println!("{megabytes} MB: ready after {with:?}, and after {without:?} without");
}
