//! L09 against a naive count: worlds of our own ledger become a request history, and a part of their codes an external ledger.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use tagih::jobs::reconcile::{self, Billed};
use tagih::ledger::Ledger as _;
use tagih::ledger::memory::MemoryLedger;

use super::compare::options;
use super::own::OwnWorld;
use super::own_sweep::record;
use super::sweep::worlds;
use crate::reconcile::ours::EXTERNAL;
use crate::support::bills;
use crate::support::folder::temporary;
use crate::support::random::Random;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The lines `invoice code amount` of a run, from its discrepancies and from its summary.
fn engine(world: &OwnWorld, listed: &[String]) -> Vec<String> {
    let folder = temporary();
    let ledger = MemoryLedger::new();
    record(world, &ledger);
    let path = folder.path().join("ledger.csv");
    let header = EXTERNAL;
    let rows = listed.iter().zip(0..).map(|(code, number)| format!("EXT-{number},{code},alfa,1000,ACTIVE,false,,,\n"));
    fs::write(&path, format!("{header}\n{}", rows.collect::<String>())).unwrap();
    let log = folder.path().join("log.jsonl");
    fs::write(&log, "").unwrap();
    let out = folder.path().join("out");
    let options = options(&world.settings, vec![log], out.clone());
    let billed = Billed::external(&path, &options).unwrap();
    let billed = bills::wait(async { billed.beside(&ledger.view().await.unwrap(), &options).await.unwrap() });
    let report = reconcile::run(billed, &options).unwrap();
    assert!(report.identities_hold && !report.summary.not_evaluated.contains(&"L09"));
    let mut rows = csv::Reader::from_path(out.join("discrepancies.csv")).unwrap();
    let rows = rows.deserialize::<std::collections::BTreeMap<String, String>>().map(Result::unwrap).filter(|row| row["class"] == "L09");
    let mut found: Vec<String> = rows
        .map(|row| format!("{} {} {} {}", row["invoice_number"], row["payment_code"], row["amount_expected"], row["severity"]))
        .collect();
    found.sort();
    let counted = report.summary.counted_apart["L09"];
    assert_eq!(counted.count, found.len() as u64);
    let amounts: i128 = found.iter().map(|line| line.split(' ').nth(2).unwrap().parse::<i128>().unwrap()).sum();
    assert_eq!(counted.rupiah.get(), amounts);
    found
}

#[test]
fn a_code_of_ours_that_the_external_ledger_lacks_is_counted_apart_and_no_other() {
    let mut unlisted_in_all = 0;
    for seed in worlds(150) {
        let (world, mut random) = (OwnWorld::generate(seed), Random::new(seed));
        let settings = &world.settings;
        let mut listed: Vec<String> = Vec::new();
        let mut expected: Vec<String> = Vec::new();
        let bills = world.bills();
        for bill in &bills {
            let Some((_, code)) = &bill.own.held else { continue };
            if random.chance(40) {
                listed.push(code.clone());
            }
        }
        for bill in &bills {
            let Some((_, code)) = &bill.own.held else { continue };
            let begins = at(settings.from);
            let over = bill.cancelled.is_some_and(|cancelled| cancelled < begins)
                || bill.expires.is_some_and(|expires| expires + SignedDuration::from_secs(settings.expiry_grace) < begins);
            if bill.own.planned.unwrap() <= at(settings.as_of) && !over && !listed.contains(code) {
                expected.push(format!("{} {code} {} high", bill.invoice, bill.amount));
            }
        }
        expected.sort();
        assert_eq!(engine(&world, &listed), expected, "seed {seed}");
        unlisted_in_all += expected.len();
    }
    assert!(unlisted_in_all > 100, "{unlisted_in_all}");
}
