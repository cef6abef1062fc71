//! A report is made while every other command changes the ledger.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::reconcile::ours::{days, summary};
use crate::support::world::{Doku, World};

const BILLS: usize = 200;

/// `TAGIH_BESIDE_RUNS`: how many reports (default 10; `make soak`: 200).
#[test]
fn no_report_beside_issue_ingest_and_sync_ever_calls_the_ledger_damaged() {
    let runs: usize = std::env::var("TAGIH_BESIDE_RUNS").map_or(10, |runs| runs.parse().unwrap());
    let log = tempfile::NamedTempFile::new().unwrap();
    let faults = ["--faults", "15", "--delay-ms", "5", "--notification-log", log.path().to_str().unwrap()];
    let doku = Doku::process_with(&faults);
    let world = World::at(&doku.base_url(), "[sync]\nspacing_seconds = 0\n");
    let amount = |n: usize, round: usize| 10_000 + (n + round) % 7;
    let write = |round: usize| {
        let rows: Vec<String> = (1..=BILLS).map(|n| format!("A-{n:04},{},Budi,alfa,,,,,", amount(n, round))).collect();
        world.bills("changing.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
        world.issue("changing.csv", &["--quiet"]).code
    };
    let is_over = AtomicBool::new(false);
    let again = |act: &(dyn Fn(usize) -> i32 + Sync), allowed: &[i32]| {
        for round in (1..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
            let code = act(round);
            assert!(allowed.contains(&code), "{code}");
        }
    };
    // Until every bill has its code.
    assert!((0..20).any(|_| write(0) == 0));
    let ended = thread::scope(|scope| {
        // In doubt, one after the other without an answer, or the other sender has the ledger: all that is no news here.
        scope.spawn(|| again(&write, &[0, 1, 3, 5, 6]));
        scope.spawn(|| again(&|_| world.run(&["ingest", path(log.path())]).code, &[0, 1, 7]));
        scope.spawn(|| again(&|_| world.run(&["sync", "--quiet"]).code, &[0, 1, 3, 5, 6]));
        let codes: Vec<String> = doku.orders().into_values().map(|order| order.code).collect();
        let paid = |run: usize| codes.iter().skip(3 * run).take(3);
        let ended: Vec<i32> = (0..runs).map(|run| reported(&world, &doku, log.path(), paid(run))).collect();
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    assert!(ended.iter().all(|code| [0, 1].contains(code)), "never 8, and nothing else: {ended:?}");
    world.run(&["ledger", "verify"]).expect(0);
}

/// Some customers pay, and a report is made meanwhile.
fn reported<'c>(world: &World, doku: &Doku, log: &Path, paid: impl Iterator<Item = &'c String>) -> i32 {
    for code in paid {
        let answer = doku.ask("POST", "/_sandbox/pay", &format!(r#"{{"payment_code":"{code}"}}"#));
        assert!(answer.get("error").is_none(), "{answer}");
    }
    let [from, to] = days();
    let ran = world.run(&["reconcile", "--from", &from, "--to", &to, "--notifications", path(log), "--out", "report", "--allow-no-logs"]);
    let broken =
        summary(&world.path("report"))["identities"].as_array().unwrap().iter().filter(|identity| identity["holds"] != true).count();
    assert_eq!(broken, 0, "{ran:?}");
    ran.code
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
