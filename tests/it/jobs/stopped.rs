//! A signal in the midst of a large file.

use std::fs;

use crate::support::world::{Doku, Ran, World, signal, until};

#[test]
fn a_signal_while_bills_enter_the_ledger_ends_the_run_there_and_the_next_finishes() {
    const BILLS: usize = 20_000;
    let doku = Doku::process();
    let world = World::of(&doku);
    let head = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minutes\n".to_owned();
    let row = |n: usize| format!("S-{n:06},{},Budi,alfa,inquiry,88{n:08},10080\n", 10_000 + n);
    world.file("many.csv", std::iter::once(head).chain((0..BILLS).map(row)).collect::<String>());
    let run = world.start(&[], &["issue", "many.csv", "--out", "out"]);
    let size = || {
        ["tagih.ledger", "tagih.ledger-wal"]
            .iter()
            .filter_map(|name| fs::metadata(world.path(name)).ok())
            .map(|file| file.len())
            .sum::<u64>()
    };
    until("some bills are in", || size() > 2_000_000);
    signal(&run, "TERM");
    Ran::of(run).expect(143).says(&["interrupted by a signal"]);
    let summary = world.summary();
    let count = |bucket: &str| summary["buckets"][bucket].as_u64().unwrap();
    assert!(count("issued") > 0 && count("deferred") > 0, "{summary}");
    assert_eq!(count("issued"), world.statuses()["active"], "what is told is what is in the ledger");
    assert_eq!(world.rows("out/deferred.csv").len() as u64, count("deferred"));
    world.issue("many.csv", &["--quiet"]).expect(0);
    assert_eq!(world.statuses()["active"], BILLS as u64);
    assert_eq!(world.rows("out/accepted.csv").len(), BILLS);
}
