//! The database beside what every store promises: whose it is, several writers, leases, moving it.

#[path = "../../../tests/it/support/cluster.rs"]
#[allow(unreachable_pub, missing_docs, clippy::disallowed_methods, reason = "it is the integration tests' too, and no part of the library")]
mod cluster;
#[path = "../../../tests/it/support/network.rs"]
#[allow(unreachable_pub, missing_docs, clippy::disallowed_methods, reason = "it is the integration tests' too, and no part of the library")]
mod network;

mod insider;
mod leases;
mod reaching;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::lifecycle::Event;
use crate::ledger::conformance::orders::reissued;
use crate::ledger::conformance::{adopted, answer, ask, at, binding, entry, intended, number, payment, planned, terms, wait, whole};
use crate::ledger::{Basis, LedgerView as _, Seals, SqliteLedger};
use crate::random::MachineRandomness;

/// The server at `url`, with little patience.
fn server(url: &str) -> PostgresServer {
    let access = ServerAccess {
        password: None,
        ca_file: None,
        patience: Duration::from_secs(20),
        lease: Duration::from_secs(3),
        seals: &Seals::UNKEYED,
    };
    PostgresServer::new(url, &access, Arc::new(MachineRandomness)).unwrap()
}

/// A new ledger in a database of its own, and where it is.
pub(in crate::ledger) fn new_postgres() -> (String, PostgresLedger) {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    let ledger = PostgresLedger::open(server(&url), &binding(), Create::IfMissing).unwrap();
    (url, ledger)
}

fn opened(url: &str) -> PostgresLedger {
    PostgresLedger::open(server(url), &binding(), Create::Never).unwrap()
}

#[track_caller]
fn sound(ledger: &PostgresLedger, expected: Option<&LedgerHead>) {
    let report = wait(ledger.verify(expected)).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

fn database(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

fn retired(invoice: &str, basis: Basis) -> NewEvent {
    NewEvent { basis, ..entry(invoice, 9, Event::Retired { reason: "expired".into() }) }
}

#[test]
fn a_ledger_is_made_when_asked_for_and_belongs_to_one_client() {
    let cluster = cluster::shared();
    let url = cluster.url(&cluster.database());
    let missing = PostgresLedger::open(server(&url), &binding(), Create::Never).unwrap_err();
    assert!(matches!(&missing, LedgerError::Missing { path } if path.starts_with("postgres://postgres@127.0.0.1")), "{missing}");
    assert!(PostgresLedger::open(server(&url), &binding(), Create::IfMissing).unwrap().is_new());
    assert!(!PostgresLedger::open(server(&url), &binding(), Create::IfMissing).unwrap().is_new());
    let other = Binding { client_id: "BRN-0002".into(), ..binding() };
    let refused = PostgresLedger::open(server(&url), &other, Create::IfMissing).unwrap_err();
    assert!(matches!(refused, LedgerError::OtherBinding { .. }), "{refused}");
    let reading = PostgresLedger::open_read_only(server(&url), &binding()).unwrap();
    assert!(matches!(wait(reading.record(vec![planned("A")])), Err(LedgerError::Storage { .. })));
    cluster.sql(database(&url), "UPDATE tagih.meta SET schema_version = 99");
    assert!(matches!(PostgresLedger::open_read_only(server(&url), &binding()), Err(LedgerError::TooNew { found: 99, .. })));
}

#[test]
fn hosts_take_turns_at_one_chain_and_each_sees_what_the_other_did() {
    let (url, first) = new_postgres();
    let second = opened(&url);
    wait(first.record(vec![adopted("A", "77")])).unwrap();
    let seen = Basis::of(wait(second.bill(&number("A"))).unwrap().as_ref());
    wait(second.record(vec![retired("A", seen)])).unwrap();
    let lost = wait(first.record(vec![retired("A", seen)])).unwrap_err();
    assert!(matches!(lost, LedgerError::Lost { .. }), "{lost}");
    std::thread::scope(|threads| {
        for (ledger, host) in [(&first, "H1"), (&second, "H2")] {
            for worker in 0..4 {
                threads.spawn(move || {
                    for count in 0..25 {
                        let invoice = format!("{host}-{worker}-{count}");
                        wait(ledger.record(vec![planned(&invoice)])).unwrap();
                        assert!(wait(ledger.bill(&number(&invoice))).unwrap().is_some(), "what was recorded is seen at once");
                    }
                });
            }
        }
    });
    assert_eq!(whole(&first).head.sequence, 202);
    sound(&second, None);
}

#[test]
fn a_view_stays_as_it_was_whatever_is_recorded_meanwhile() {
    let (_url, ledger) = new_postgres();
    wait(ledger.record(vec![adopted("A", "77")])).unwrap();
    wait(async {
        let view = ledger.view().await.unwrap();
        ledger.record(vec![adopted("B", "78")]).await.unwrap();
        ledger.apply_payments(&[payment(1, "A", "77", 5)]).await.unwrap();
        let mut bills = 0;
        view.visit_bills(|_| bills += 1).await.unwrap();
        assert_eq!((bills, view.totals(at(9)).await.unwrap().paid.count, view.head().await.unwrap().sequence), (1, 0, 1));
    });
    assert_eq!(ask!(ledger, totals(at(9))).paid.count, 1);
}

/// A ledger with much in it, purged in part.
fn filled(ledger: &PostgresLedger) {
    let customer = crate::domain::bill::Customer { name: crate::domain::personal::Personal::new("Siti"), email: None, account_name: None };
    let expired = Event::Adopted { terms: terms(5), answer: answer("66", Some(at(20))), wire_invoice_number: None };
    let mut gone = entry("GONE", 2, expired);
    gone.private.customer = Some((customer, crate::ledger::conformance::SALT));
    wait(ledger.record([reissued(), vec![gone, adopted("HELD", "44")]].concat())).unwrap();
    wait(ledger.apply_payments(&[payment(1, "A", "11", 50), payment(2, "HELD", "44", 60)])).unwrap();
    let due = wait(ledger.purgeable(at(30))).unwrap();
    assert_eq!((due.customers, wait(ledger.purge_personal(at(30), at(6_000))).unwrap()), (1, due), "what was said to be due went");
    wait(ledger.revoke(crate::ledger::conformance::revocation("0123456789abcdef", Some(7)), at(6_001))).unwrap();
    wait(ledger.record(vec![retired("HELD", Basis::Any), adopted("NEXT", "44")])).unwrap();
}

#[test]
fn a_ledger_moves_to_a_file_and_back_with_its_chain_and_all() {
    let (_url, ledger) = new_postgres();
    filled(&ledger);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.ledger");
    let head = wait(ledger.copy_to(&file)).unwrap();
    let copy = SqliteLedger::open(&file, &binding(), Create::Never, &MachineRandomness).unwrap();
    let of_file = |ledger: &SqliteLedger| {
        let mut lines = Vec::new();
        (ledger.export(&mut lines).unwrap(), lines)
    };
    let of_database = |ledger: &PostgresLedger| {
        let mut lines = Vec::new();
        (wait(ledger.export(&mut lines)).unwrap(), lines)
    };
    assert!(of_database(&ledger) == of_file(&copy));
    assert_eq!(ask!(ledger, revocations()).len(), 1);
    assert_eq!(ask!(copy, revocations()), ask!(ledger, revocations()));
    // The file goes on by itself, and fills an empty database.
    wait(copy.record(vec![planned("LATER")])).unwrap();
    let later = wait(copy.head()).unwrap();
    assert_eq!(later.sequence, head.sequence + 1);
    let (_url, other) = new_postgres();
    assert_eq!(wait(other.fill_from(&file)).unwrap(), later);
    assert!(of_database(&other) == of_file(&copy));
    wait(other.record(vec![planned("LAST")])).unwrap();
    sound(&other, Some(&later));
    let refused = wait(other.fill_from(&file)).unwrap_err();
    assert!(refused.to_string().contains("only an empty ledger"), "{refused}");
}
