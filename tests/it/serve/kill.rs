//! The server killed with SIGKILL at seeded instants in a flood of notifications, and started again, round after round: what
//! was acknowledged is in the log, and its payment exactly once in the ledger.
//!
//! `TAGIH_SERVE_KILLS` sets the rounds, `TAGIH_SERVE_SEED` the instants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tagih::domain::digest;

use super::shop::*;
use crate::support::dice::Dice;

const SENDERS: usize = 6;
const BILLS: usize = 200;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{name}` must be a whole number, not `{text}`")))
}

/// Sends until the server is gone; the store's numbers of the payments that were acknowledged. Some are sent twice.
fn flood(shop: &Shop, round: u64, sender: usize, sent: &AtomicUsize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut line) = Line::to(&shop.address) else { return acknowledged };
    for number in 0.. {
        let transaction = format!("{round}-{sender}-{}", number - number % 7 / 6);
        let message = Message::notification(1 + (number * SENDERS + sender) % BILLS, &transaction);
        // One payment is one bill's, however often it is told of.
        let message =
            if number % 7 == 6 { Message::notification(1 + ((number - 1) * SENDERS + sender) % BILLS, &transaction) } else { message };
        match line.exchange(&message.bytes()) {
            Ok(answer) => assert_eq!(answer.status, 200),
            Err(_) => return acknowledged,
        }
        acknowledged.push(transaction);
        sent.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// The identities of the payments in the ledger, each with how often it is there.
fn in_ledger(shop: &Shop) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in shop.world.run(&["ledger", "export"]).expect(0).stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "payment" {
            *found.entry(line["event"]["identity"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    found
}

fn transaction(line: &Value) -> Option<(String, String)> {
    let body: Value = serde_json::from_str(line["body"].as_str()?).unwrap();
    let code = body["online_to_offline_info"]["payment_code"].as_str().unwrap();
    let transaction = body["online_to_offline_payment"]["identifier"][2]["value"].as_str().unwrap();
    let identity = digest::of_parts(&[b"trx", b"alfa", code.as_bytes(), b"ALFAMART", b"s", transaction.as_bytes()]);
    Some((transaction.to_owned(), digest::hex(&identity)))
}

#[test]
fn what_a_killed_server_has_acknowledged_is_in_the_log_and_once_in_the_ledger() {
    let (kills, seed) = (setting("TAGIH_SERVE_KILLS", 15), setting("TAGIH_SERVE_SEED", 1));
    let mut dice = Dice::new(seed);
    let mut shop = Shop::new("");
    shop.many(BILLS);
    let mut acknowledged = BTreeSet::new();
    let mut behind = 0;
    for round in 0..kills {
        shop.start();
        let (sent, wanted, pause) = (AtomicUsize::new(0), 1 + dice.below(600), Duration::from_micros(dice.below(80_000)));
        // Some rounds die while they catch up with the rounds before.
        let early = dice.percent(20);
        let shared = &shop;
        let told: Vec<String> = thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS).map(|sender| (sender, &sent)).collect();
            let senders: Vec<_> =
                senders.into_iter().map(|(sender, sent)| scope.spawn(move || flood(shared, round, sender, sent))).collect();
            let begun = Instant::now();
            while !early && (sent.load(Ordering::Relaxed) as u64) < wanted && begun.elapsed() < Duration::from_secs(3) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(pause);
            shared.signal("KILL");
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
        });
        shop.ended();
        acknowledged.extend(told);
        let logged: BTreeMap<String, String> = shop.lines("notifications-").iter().filter_map(transaction).collect();
        let lost: Vec<&String> = acknowledged.iter().filter(|transaction| !logged.contains_key(*transaction)).collect();
        assert!(lost.is_empty(), "seed {seed}, round {round}: acknowledged and not in the log: {lost:?}");
        behind += u64::from(in_ledger(&shop).len() < logged.len());
    }
    shop.open();
    let logged: BTreeMap<String, String> = shop.lines("notifications-").iter().filter_map(transaction).collect();
    let expected: BTreeMap<String, usize> = logged.values().map(|identity| (identity.clone(), 1)).collect();
    assert_eq!(in_ledger(&shop), expected, "seed {seed}: every payment of the log, once, as soon as inquiries are answered");
    assert_eq!(shop.send(&Message::inquiry("a", &code_of(1))).word(), "billing_already_paid");
    assert_eq!(shop.close(), Some(0));
    shop.world.run(&["ledger", "verify"]).expect(0);
    println!("{kills} kills from seed {seed}: {} payments acknowledged, {behind} kills left the ledger behind", acknowledged.len());
    assert!(behind * 3 >= kills, "too few kills left the ledger behind: {behind} of {kills}");
}
