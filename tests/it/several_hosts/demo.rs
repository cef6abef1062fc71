//! The tour that `make demo-cluster` shows: two issuers and two servers on one PostgreSQL, of which one each is killed.

use std::time::Duration;

use crate::serve::shop::{Message, Shop, code_of};
use crate::support::cluster;
use crate::support::world::{Doku, Ran, World, signal, until};

const BILLS: usize = 120;

fn say(words: &str) {
    eprintln!("\n▸ {words}");
}

/// Shows what PostgreSQL answers.
fn show(database: &str, sql: &str) {
    let said = cluster::shared().sql(database, sql);
    eprintln!("{}", said.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"));
}

const LEASES: &str = "SELECT 'lease ' || number || ', ' || split_part(holder, ',', 2) || ': ' || share / 1000 || ' requests/s, ' \
                      || (SELECT COUNT(*) FROM tagih.operations WHERE lease = number) || ' operations under way' FROM tagih.leases ORDER BY number";

#[test]
fn the_tour_of_several_hosts_ends_with_every_bill_issued_once_and_every_payment_known() {
    let doku = Doku::process();
    let [first, second] = [World::of(&doku), World::of(&doku)];
    let url = super::shared_by(&[&first, &second], "lease_seconds = 2\n");
    let database = url.rsplit('/').next().unwrap();
    say(&format!("one PostgreSQL at {url}, one DOKU at {}, and a file of {BILLS} bills that two hosts are given", doku.base_url()));
    let start = |world: &World| {
        world.many("many.csv", "M", BILLS);
        world.start(&[("TAGIH_PACING_RATE_PER_SECOND", "30"), ("TAGIH_PACING_BURST", "4")], &["issue", "many.csv", "--out", "out"])
    };
    let runs = [&first, &second].map(start);
    until("both send", || doku.orders().len() >= BILLS / 4);
    say("both send, each with its part of the one rate of 30 requests/s");
    show(database, LEASES);
    let [mut killed, other] = runs;
    signal(&killed, "KILL");
    killed.wait().unwrap();
    say(&format!(
        "the first is killed after {} orders; its lease lapses within 2 s, and the other has the whole rate",
        doku.orders().len()
    ));
    std::thread::sleep(Duration::from_millis(2_800));
    show(database, LEASES);
    let ended = Ran::of(other);
    eprintln!("    {}", ended.stderr.trim().lines().last().unwrap_or_default());
    second.issue("many.csv", &[]).expect(0);
    say(&format!(
        "the file once more: {}; DOKU has {} orders and was called {} times",
        second.buckets(),
        doku.orders().len(),
        doku.calls().len()
    ));
    assert_eq!((doku.orders().len(), second.buckets()), (BILLS, format!("{BILLS} unchanged")));

    let mut shops = [Shop::new(""), Shop::new("")];
    let [one, another] = shops.each_ref().map(|shop| &shop.world);
    let url = super::shared_by(&[one, another], "");
    shops[0].many(2);
    shops.iter_mut().for_each(Shop::open);
    say(&format!("two servers on one ledger, {url}: at {} and {}", shops[0].address, shops[1].address));
    let asked = |shop: &Shop, id: &str| shop.send(&Message::inquiry(id, &code_of(1))).word();
    eprintln!("    the first is asked about a code: {}", asked(&shops[0], "Q-1"));
    let told = shops[1].send(&Message::notification(1, "T-1")).status;
    let known = asked(&shops[0], "Q-2");
    eprintln!("    the second is told that it was paid: {told}; the first is asked again: {known}");
    shops[1].kill();
    let (repeated, still) = (asked(&shops[0], "Q-1"), asked(&shops[0], "Q-3"));
    eprintln!("    the second is killed; the first goes on: {still}, and repeats to the first question: {repeated}");
    assert_eq!([told.to_string().as_str(), &known, &repeated, &still], ["200", "billing_already_paid", "success", "billing_already_paid"]);
    say("both ledgers are whole:");
    for world in [&second, &shops[0].world] {
        eprintln!("    {}", world.run(&["ledger", "verify"]).expect(0).stdout.trim());
    }
}
