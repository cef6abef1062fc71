//! Several hosts at one PostgreSQL: every command does what it does on a file, and hosts do not get into each other's way.

mod campaign;
mod demo;
mod serving;
mod storm;

use std::collections::BTreeSet;
use std::process::Child;

use serde_json::Value;
use tagih::sandbox::fault::{FaultKind, Faults};

use crate::flows::town::Town;
use crate::support::cluster;
use crate::support::world::{Doku, Ran, World, signal, until};

/// Puts the ledger of `world` into a database; gives its URL.
fn shared_by(worlds: &[&World], more: &str) -> String {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    for world in worlds {
        world.reconfigure("[ledger]\n", &format!("[ledger]\nurl = \"{url}\"\n{more}"));
    }
    url
}

const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code";

#[test]
fn every_command_does_on_a_database_what_it_does_on_a_file() {
    let mut town = Town::open("[sync]\nspacing_seconds = 0\n", &[]);
    shared_by(&[&town.shop.world], "");
    let ran = town.shop.world.run(&["status"]).expect(2).says(&["there is no ledger at `postgres://postgres@127.0.0.1"]);
    assert!(!ran.stderr.contains("panicked"));
    town.issue(HEAD, &["A-1,150000,Ani,alfa,,", "Q-1,275000,Budi,alfa,inquiry,01", "A-2,90000,Siti,alfa,,"]);
    town.reopen();
    let codes = town.codes();
    assert_eq!(town.asked("01"), "success");
    town.paid("01", "");
    town.paid(&codes["A-1"], "");
    town.delivered();
    assert_eq!(town.asked("01"), "billing_already_paid");
    town.agrees("N00x2", "P00x2", "L00x2 L01");
    let world = &town.shop.world;
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "3 unchanged");
    let told = world.run(&["ingest", "logs/notifications-*"]).expect(0);
    assert!(told.stdout.contains('2'), "{told:?}");
    world.run(&["sync", "A-2"]).expect(0);
    let story = world.run(&["why", "A-1"]).expect(0);
    assert!(story.stdout.contains("150.000") || story.stdout.contains("150,000"), "{story:?}");
    world.file("cancel.csv", format!("{HEAD},action\nA-2,90000,Siti,alfa,,,cancel\n"));
    world.issue("cancel.csv", &[]).expect(0);
    let verified = world.run(&["ledger", "verify"]).expect(0).stdout;
    let head = verified.trim().rsplit(' ').next().unwrap().to_owned();
    world.run(&["ledger", "verify", "--head", &head]).expect(0);

    // The ledger as a file is the same ledger, and goes back.
    world.run(&["ledger", "backup", "copy.ledger"]).expect(0);
    let lines = world.run(&["ledger", "export"]).expect(0).stdout;
    let other = World::at("http://127.0.0.1:1", "");
    other.run(&["ledger", "restore", world.path("copy.ledger").to_str().unwrap()]).expect(0).says(&[]);
    assert_eq!(other.run(&["ledger", "export"]).expect(0).stdout, lines);
    other.run(&["ledger", "verify", "--head", &head]).expect(0);
    shared_by(&[&other], "");
    let restored = other.run(&["ledger", "restore", world.path("copy.ledger").to_str().unwrap()]).expect(0);
    assert!(restored.stdout.contains(&head), "{restored:?}");
    assert_eq!(other.run(&["ledger", "export"]).expect(0).stdout, lines);
    other.run(&["ledger", "restore", world.path("copy.ledger").to_str().unwrap()]).expect(9).says(&["only an empty ledger"]);

    world.run(&["ledger", "purge", "--before", "2099-01-01"]).expect(0);
    world.run(&["ledger", "verify", "--head", &head]).expect(0);
}

/// `issue` on a host of its own, slow enough to be met in the middle.
fn sending(world: &World, rate: &str) -> Child {
    world.start(&[("TAGIH_PACING_RATE_PER_SECOND", rate), ("TAGIH_PACING_BURST", "4")], &["issue", "many.csv", "--out", "out"])
}

/// Two hosts with the same file of so many rows.
fn two_hosts(doku: &Doku, count: usize, lease_seconds: u64) -> [World; 2] {
    at_one_database(doku, count, lease_seconds).0
}

/// The same, and the URL of their database.
fn at_one_database(doku: &Doku, count: usize, lease_seconds: u64) -> ([World; 2], String) {
    let worlds = [World::of(doku), World::of(doku)];
    let url = shared_by(&[&worlds[0], &worlds[1]], &format!("lease_seconds = {lease_seconds}\n"));
    for world in &worlds {
        world.many("many.csv", "M", count);
    }
    (worlds, url)
}

/// What a result folder says is so.
#[track_caller]
fn tells_the_truth(world: &World, doku: &Doku, input: usize) {
    let (orders, accepted, deferred) = (doku.orders(), world.rows("out/accepted.csv"), world.rows("out/deferred.csv"));
    for row in &accepted {
        assert_eq!(orders[&row["invoice_number"]].code, row["payment_code"], "{row:?}");
    }
    let told: BTreeSet<&String> = accepted.iter().chain(&deferred).map(|row| &row["invoice_number"]).collect();
    assert_eq!(told.len(), input);
    for row in &deferred {
        assert!(row["reason"].starts_with("`issue`, process ") && row["reason"].ends_with(", is at it"), "{row:?}");
    }
}

/// The leases under which operations were begun.
fn fences(world: &World) -> BTreeSet<u64> {
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    let lines = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"]["event"] == "intended").filter_map(|line| line["fence"].as_u64()).collect()
}

#[test]
fn two_hosts_given_the_same_file_share_its_rows_and_none_is_called_for_twice() {
    let doku = Doku::process();
    let [first, second] = two_hosts(&doku, 120, 6);
    let runs = [&first, &second].map(|world| sending(world, "40"));
    for (world, run) in [&first, &second].into_iter().zip(runs) {
        let ran = Ran::of(run);
        assert!(matches!(ran.code, 0 | 3) && !ran.stderr.contains("panicked"), "{ran:#?}");
        tells_the_truth(world, &doku, 120);
    }
    assert_eq!((doku.orders().len(), doku.calls().len()), (120, 120), "each once");
    assert!(fences(&first).len() == 2, "both have begun operations");
    for world in [&first, &second] {
        world.issue("many.csv", &[]).expect(0);
        assert_eq!(world.buckets(), "120 unchanged");
    }
    first.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn what_a_dead_host_was_at_is_deferred_with_its_name_until_its_lease_has_lapsed() {
    // Its answers take so long that the first host is at them whenever it dies.
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, delay_ms: 8_000, ..Faults::only(FaultKind::DelayAfter) });
    let ([first, second], url) = at_one_database(&doku, 4, 60);
    let mut run = sending(&first, "1");
    until("the first host sends", || doku.orders().keys().any(|number| number.starts_with('M')));
    signal(&run, "KILL");
    run.wait().unwrap();
    doku.set_faults(Faults::none());
    second.issue("many.csv", &[]).expect(3).says(&["is at it"]);
    tells_the_truth(&second, &doku, 4);
    assert!(!second.rows("out/deferred.csv").is_empty());
    // What the next heartbeat does with one that has lapsed; that it lapses by itself is the next test's.
    cluster::shared().sql(url.rsplit('/').next().unwrap(), "DELETE FROM tagih.leases");
    second.issue("many.csv", &[]).expect(0);
    assert_eq!((doku.orders().len(), second.rows("out/accepted.csv").len()), (4, 4), "each once");
    second.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_host_that_was_frozen_past_its_lease_records_nothing_more() {
    let doku = Doku::process();
    let [frozen, next] = two_hosts(&doku, 40, 6);
    let run = sending(&frozen, "4");
    until("it sends", || doku.calls().len() >= 3);
    signal(&run, "STOP");
    until("its lease lapses, and another takes over", || next.issue("many.csv", &[]).code == 0);
    let events = next.run(&["ledger", "export"]).expect(0).stdout;
    signal(&run, "CONT");
    Ran::of(run).expect(3).says(&["records nothing more"]);
    assert_eq!(next.run(&["ledger", "export"]).expect(0).stdout, events);
    assert_eq!(doku.orders().len(), 40, "each once");
    next.run(&["ledger", "verify"]).expect(0);
}
