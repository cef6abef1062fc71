//! The server beside the other commands: on one ledger at the same time, in doubt, over a change of key, after expiry.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::town::Town;
use crate::reconcile::ours::{classes, days, summary};
use crate::support::world::{Ran, SECRET, until};

const HEAD: &str = "invoice_number,amount,customer_name,channel,method,payment_code";

#[test]
fn customers_pay_while_another_run_issues_into_the_same_ledger() {
    let town = Town::open("", &[]);
    let rows: Vec<String> = (1..=30).map(|n| format!("Q-{n:02},{},Ani,alfa,inquiry,88{n:02}", 100_000 + n)).collect();
    town.issue(HEAD, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let codes = town.codes();
    town.shop.world.many("more.csv", "M", 400);
    let run = town.shop.world.start(&[], &["issue", "more.csv", "--out", "more"]);
    for code in codes.values() {
        town.paid(code, "");
    }
    Ran::of(run).expect(0);
    town.agrees("N00x30", "P00x30", "L00x30 L01x400");
    for code in codes.values() {
        assert_eq!(town.asked(code), "billing_already_paid");
    }
}

/// `TAGIH_BESIDE_RUNS`: how many reconciliations (default 12).
#[test]
fn a_report_beside_writers_while_bills_change_and_payments_come_is_of_one_moment() {
    let runs: usize = std::env::var("TAGIH_BESIDE_RUNS").map_or(12, |runs| runs.parse().unwrap());
    let town = Town::open("", &[]);
    let world = &town.shop.world;
    let write = |round: usize| {
        let bill = |n: usize| format!("Q-{n:04},{},Ani,alfa,inquiry,88{n:04}", 100_000 + (n + round) % 7);
        let rows: Vec<String> = (1..=400).map(bill).collect();
        world.file("changing.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
        world.issue("changing.csv", &["--quiet"]).code
    };
    assert_eq!(write(0), 0);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let [from, to] = days();
    let ended: Vec<i32> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let rounds = (1..).take_while(|_| !is_over.load(std::sync::atomic::Ordering::Relaxed));
            rounds.for_each(|round| assert_eq!(write(round), 0));
        });
        let codes: Vec<String> = town.codes().into_values().collect();
        let ended = (0..runs).map(|run| {
            codes.iter().skip(run).step_by(runs).take(3).for_each(|code| drop(town.pays(code, "")));
            let logs = world.path("logs/notifications-*").display().to_string();
            world.run(&["reconcile", "--from", &from, "--to", &to, "--notifications", &logs, "--out", "report", "--allow-no-logs"]).code
        });
        let ended = ended.collect();
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        ended
    });
    assert!(ended.iter().all(|code| [0, 1].contains(code)), "never 8, and nothing else: {ended:?}");
}

#[test]
fn customers_pay_what_they_were_shown_while_the_amounts_change() {
    let town = Town::open("", &[]);
    let world = &town.shop.world;
    let write = |month: usize| {
        let rows: Vec<String> = (1..=40).map(|n| format!("Q-{n:02},{},Ani,alfa,inquiry,88{n:02}", 100_000 * month + n)).collect();
        world.file(&format!("bills-{month}.csv"), format!("{HEAD}\n{}\n", rows.join("\n")));
        world.issue(&format!("bills-{month}.csv"), &["--quiet"]).code
    };
    assert_eq!(write(1), 0);
    let codes = town.codes();
    let ended = std::thread::scope(|scope| {
        let runs = scope.spawn(|| (2..=5).map(write).collect::<Vec<_>>());
        for code in codes.values() {
            town.paid(code, "");
        }
        runs.join().unwrap()
    });
    assert_eq!(ended, [0; 4]);
    town.delivered();
    let orders = town.doku.look("/_sandbox/orders");
    let taken: Vec<u64> = orders.iter().map(|order| order["payments"][0]["amount"].as_u64().unwrap()).collect();
    let rupiah: u64 = taken.iter().sum();
    until("the ledger has every payment", || town.ledger() == (40, rupiah));
    let ([from, to], logs) = (days(), world.path("logs/notifications-*").display().to_string());
    let ran = world.run(&["reconcile", "--from", &from, "--to", &to, "--notifications", &logs, "--out", "report"]);
    let report = summary(&world.path("report"));
    let met = classes(&report, "payments");
    assert!(ran.code <= 1 && met.split(' ').all(|class| class.starts_with("P00") || class.starts_with("P10")), "{met}");
    let sum: u64 = ["P00", "P10"].iter().map(|class| report["payments"][class]["amount"].as_u64().unwrap()).sum();
    assert_eq!(sum, rupiah);
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_payment_settles_the_doubt_about_its_code_whoever_hears_of_it_first() {
    let town = Town::open("", &["--faults", "100", "--seed", "5", "--delay-ms", "5"]);
    town.shop.world.reconfigure("[retry]\n", "[retry]\nattempts_max = 1\nbreaker_failures = 0\n");
    let rows: Vec<String> = (1..=24).map(|n| format!("M-{n:02},{},Ani,alfa,merchant,77{n:02}", 100_000 + n)).collect();
    town.shop.world.file("bills.csv", format!("{HEAD}\n{}\n", rows.join("\n")));
    town.shop.world.issue("bills.csv", &[]).expect(3);
    let in_doubt = || town.shop.world.statuses().get("in_doubt_issue").copied().unwrap_or(0);
    let doubts = in_doubt();
    let mut paid = BTreeSet::new();
    for order in town.doku.orders().into_values() {
        town.paid(&order.code, "");
        paid.insert(order.code);
    }
    town.delivered();
    until("the ledger has every payment", || town.ledger().0 == paid.len() as u64);
    assert!(doubts > 0 && in_doubt() < doubts, "customers knew more than we did: {doubts}");
    let ended = (0..8).map(|_| town.shop.world.issue("bills.csv", &[]).code).find(|code| *code == 0);
    assert_eq!(ended, Some(0), "the same command finishes it");
    for order in town.doku.orders().into_values().filter(|order| !paid.contains(&order.code)) {
        town.paid(&order.code, "");
    }
    town.agrees("N00x24", "P00x24", "L00x24");
}

#[test]
fn while_the_secret_is_changed_nothing_is_refused_and_nothing_is_lost() {
    let mut town = Town::open("", &[]);
    let next = "SK-the-next-key-0123456789";
    town.issue(HEAD, &["Q-1,150000,Ani,alfa,inquiry,01", "Q-2,275000,Budi,alfa,inquiry,02", "Q-3,90000,Siti,alfa,inquiry,03"]);
    town.paid("01", "");
    town.delivered();
    let private = |name: &str, secret: &str| {
        let path = town.shop.world.file(name, secret);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let previous = private("previous", SECRET);
    private("secret", next);
    town.shop.world.reconfigure("[doku]\n", &format!("[doku]\nsecret_file_previous = \"{}\"\n", previous.display()));
    town.reopen();
    // DOKU still has the old key, and takes only answers signed with it.
    town.paid("02", "");
    town.delivered();
    assert_eq!(town.asked("02"), "billing_already_paid");
    town.rekey(next);
    town.paid("03", "");
    town.delivered();
    assert_eq!((town.asked("01"), town.asked("03")), ("billing_already_paid".into(), "billing_already_paid".into()));
    until("the ledger has every payment", || town.ledger() == (3, 515_000));
    town.reports("N00x3", "P00x3", "L00x3", (3, 515_000));
    assert!(town.shop.logs("forged-").is_empty());
}

#[test]
fn a_bill_issued_anew_after_its_expiry_is_paid_under_its_new_number_or_the_same_code() {
    let mut town = Town::open("", &[]);
    town.issue(HEAD, &["A-1,150000,Ani,alfa,,"]);
    let old = town.codes()["A-1"].clone();
    // A cancelled order and an expired one have the same status at DOKU; to this ledger they are codes of last month.
    town.shop.world.run(&["cancel", "A-1", "--out", "out"]).expect(0);
    town.shop.world.reconfigure("tagih.ledger", "late.ledger");
    let rows =
        format!("A-1,{old},alfa,doku,150000,2026-10-01,2026-10-02T00:00:00Z\nQ-1,01,alfa,inquiry,275000,2026-10-01,2026-10-02T00:00:00Z\n");
    town.shop.world.file("codes.csv", format!("invoice_number,payment_code,channel,method,amount,created_at,expires_at\n{rows}"));
    town.shop.world.run(&["ledger", "import", "codes.csv"]).expect(0);
    town.reopen();
    assert_eq!(town.asked("01"), "billing_was_expired");
    town.shop.world.file("bills.csv", format!("{HEAD}\nA-1,150000,Ani,alfa,,\nQ-1,275000,Budi,alfa,inquiry,01\n"));
    town.shop.world.issue("bills.csv", &["--reissue-expired"]).expect(0);
    let new = town.codes()["A-1"].clone();
    assert_eq!(town.doku.orders()["A-1-R1"].code, new);
    town.paid(&new, "");
    town.paid("01", "");
    town.agrees("N00x2", "P00x2", "L00x2");
    assert_eq!(town.asked("01"), "billing_already_paid");
    assert!(town.shop.world.run(&["why", "A-1"]).expect(0).stdout.contains(&format!("paid Rp150.000 with code {new}")));
}
