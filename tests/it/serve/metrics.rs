//! What `/metrics` says against what is on disk.

use super::shop::*;
use crate::support::exposition::{Dialect, Scraped, parse};
use crate::support::world::{SECRET, until};

fn scraped(shop: &Shop) -> Scraped {
    parse(&String::from_utf8(shop.get("/metrics").body).unwrap(), Dialect::OpenMetrics)
}

fn lines_on_disk(shop: &Shop, kind: &str) -> usize {
    shop.logs(&format!("{kind}-")).iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count()).sum()
}

#[test]
fn counters_equal_what_is_on_disk_and_tell_apart_what_was_turned_down() {
    let mut shop = Shop::new("");
    shop.many(3);
    shop.open();
    for number in 1..=3 {
        shop.send(&Message::new(NOTIFICATION, &format!("n{number}"), notification_body(number, &format!("trx-{number}"), "SUCCESS")));
    }
    // Where it does not belong, unreadable, of a stranger, of yesterday.
    shop.send(&Message::new(INQUIRY, "n4", notification_body(1, "trx-4", "FAILED")));
    shop.send(&Message::new(NOTIFICATION, "n5", "[]"));
    shop.send(&Message::new(NOTIFICATION, "n6", "{}").with("Signature", "HMACSHA256=forged"));
    shop.send(&Message::inquiry("i1", &code_of(1)));
    shop.send(&Message::inquiry("i2", &code_of(2)).with("Signature", "HMACSHA256=forged"));
    let hour_ago = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    shop.send(&Message::signed_as(SECRET, INQUIRY, "i3", &hour_ago, inquiry_body(&format!("{:?}", code_of(2)))));
    let told = scraped(&shop);
    for kind in ["notifications", "inquiries", "forged", "answers"] {
        let counted = told.one("tagih_log_lines_total", &[("is", kind)]) as usize;
        assert_eq!(counted, lines_on_disk(&shop, kind), "{kind}");
        assert_eq!(told.one("tagih_log_errors_total", &[("is", kind)]) as i64, 0);
    }
    let count = |name: &str, is: &str| told.one(name, &[("is", is)]) as i64;
    assert_eq!(count("tagih_notifications_total", "payment"), 3);
    assert_eq!(count("tagih_notifications_total", "forged"), 1);
    assert_eq!((count("tagih_misrouted_total", "notification"), count("tagih_misrouted_total", "inquiry")), (1, 0));
    assert_eq!(count("tagih_misunderstood_total", "notification"), 1);
    assert_eq!(count("tagih_inquiries_turned_down_total", "forged"), 1);
    assert_eq!(count("tagih_inquiries_turned_down_total", "stale"), 1);
    let skew = told.one("tagih_inquiry_clock_skew_seconds", &[]);
    assert!((3_590.0..3_700.0).contains(&skew), "{skew}");
    assert_eq!(told.one("tagih_ready", &[]) as i64, 1);
    assert_eq!(told.one("tagih_build_info", &[("version", env!("CARGO_PKG_VERSION"))]) as i64, 1);
    until("payments are in the ledger", || shop.payments().len() == 3);
    assert_eq!(shop.close(), Some(0));
}

#[test]
fn what_a_full_disk_does_not_take_is_an_error_and_no_line() {
    let mut shop = Shop::new("");
    shop.many(1);
    shop.start_on_a_small_disk();
    until("it is ready", || shop.get("/healthz").status == 200);
    let large = |number: usize| Message::new(NOTIFICATION, &number.to_string(), format!("{{\"transaction\":\"{}\"}}", "x".repeat(60_000)));
    let kept = (0..30).filter(|number| shop.send(&large(*number)).status == 200).count();
    let told = scraped(&shop);
    let count = |name: &str| told.one(name, &[("is", "notifications")]) as usize;
    assert_eq!((count("tagih_log_lines_total"), count("tagih_log_errors_total")), (kept, 30 - kept));
    assert_eq!(lines_on_disk(&shop, "notifications"), kept);
    assert_eq!(told.one("tagih_misunderstood_total", &[("is", "notification")]) as usize, kept, "what comes again is not counted twice");
    assert_eq!(told.one("tagih_ready", &[]) as i64, 0);
}

#[test]
fn a_bill_that_is_held_is_counted_until_a_person_has_looked() {
    let mut shop = Shop::new("");
    shop.many(2);
    shop.open();
    shop.send(&Message::new(NOTIFICATION, "h1", notification_body(1, "trx-1", "SUCCESS").replace("10001", "\"1.5\"")));
    let held = |shop: &Shop| scraped(shop).one("tagih_held_bills", &[]) as i64;
    until("the bill is held", || held(&shop) == 1);
    assert_eq!(scraped(&shop).one("tagih_money_not_understood_total", &[]) as i64, 1);
    shop.world.run(&["resolve", "N-00001", "--as", "released", "--reason", "looked"]).expect(0);
    until("it is not held any more", || held(&shop) == 0);
    assert_eq!(shop.close(), Some(0));
}
