//! What only the file has: reopening, damage, tampering, migrations, many callers.

mod edits;
mod insider;
mod keyed;
mod older;
mod revoked;
mod size;
mod unfound;

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::domain::bill::Customer;
use crate::domain::bill::{RecordedTerms, Salt};
use crate::domain::check_status::{FoundPayment, StatusDetails, Word};
use crate::domain::digest;
use crate::domain::lifecycle::{Event, OperationKind, Status};
use crate::domain::personal::Personal;
use crate::ledger::conformance::{
    SALT, adopted, answer, ask, at, binding, entry, found, intended, new_sqlite, number, payment, planned, terms, wait, whole,
};
use crate::ledger::{BillHappening, LedgerView as _, Private};
use crate::random::MachineRandomness;

fn reopen(path: &Path) -> Result<SqliteLedger, LedgerError> {
    SqliteLedger::open(path, &binding(), Create::Never, &MachineRandomness)
}

/// A ledger with an open operation, a live code and a payment, closed again.
fn closed_ledger() -> (tempfile::TempDir, std::path::PathBuf, LedgerHead) {
    let (folder, ledger) = new_sqlite();
    wait(ledger.record(vec![planned("A"), intended("A", 1, OperationKind::Issue, terms(5)), adopted("B", "77")])).unwrap();
    wait(ledger.apply_payments(&[payment(1, "B", "77", 50)])).unwrap();
    let head = wait(ledger.head()).unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path, head)
}

/// Changes the file behind the ledger's back.
fn tamper(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn findings(path: &Path) -> String {
    let report = SqliteLedger::verify(path, &Seals::UNKEYED).unwrap();
    assert!(!report.is_sound());
    report.findings.join("\n")
}

#[test]
fn reopening_finds_everything_that_was_recorded() {
    let (_folder, path, head) = closed_ledger();
    let ledger = reopen(&path).unwrap();
    let snapshot = whole(&ledger);
    assert_eq!((snapshot.head, snapshot.bills.len(), snapshot.payments.len()), (head, 2, 1));
    drop(ledger);
    let reader = SqliteLedger::open_read_only(&path, &binding()).unwrap();
    assert_eq!(wait(reader.head()).unwrap(), head);
    assert!(matches!(wait(reader.record(vec![planned("C")])), Err(LedgerError::Storage { .. })));
    assert!(SqliteLedger::verify_against(&path, &Seals::UNKEYED, &head).unwrap().is_sound());
}

#[test]
fn a_ledger_is_neither_made_unasked_nor_used_for_another_client() {
    let (folder, path, _) = closed_ledger();
    let missing = folder.path().join("none.db");
    assert!(matches!(SqliteLedger::open(&missing, &binding(), Create::Never, &MachineRandomness), Err(LedgerError::Missing { .. })));
    assert!(!missing.exists());
    let production = Binding { environment: "production".into(), ..binding() };
    assert!(matches!(SqliteLedger::open(&path, &production, Create::IfMissing, &MachineRandomness), Err(LedgerError::OtherBinding { .. })));
    assert!(matches!(SqliteLedger::open_read_only(&path, &production), Err(LedgerError::OtherBinding { .. })));
}

#[test]
fn a_file_cut_short_emptied_or_foreign_is_damaged_and_left_alone() {
    let (folder, path, _) = closed_ledger();
    let whole = fs::read(&path).unwrap();
    for length in [0, 50, 4096, whole.len() - 4096, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let result = SqliteLedger::open(&path, &binding(), Create::IfMissing, &MachineRandomness);
        assert!(matches!(result, Err(LedgerError::Damaged { .. })), "{length} bytes: {result:?}");
    }
    fs::write(&path, b"invoice_number,amount\nA,5\n".repeat(400)).unwrap();
    assert!(matches!(reopen(&path), Err(LedgerError::Damaged { .. })));
    let foreign = folder.path().join("foreign.db");
    tamper(&foreign, "CREATE TABLE something (x)");
    assert!(matches!(SqliteLedger::open(&foreign, &binding(), Create::IfMissing, &MachineRandomness), Err(LedgerError::Damaged { .. })));
    let orphan = folder.path().join("orphan.db");
    fs::write(folder.path().join("orphan.db-wal"), b"frames").unwrap();
    assert!(matches!(SqliteLedger::open(&orphan, &binding(), Create::IfMissing, &MachineRandomness), Err(LedgerError::Damaged { .. })));
}

#[test]
fn overwritten_pages_are_damage_wherever_they_are() {
    let (_folder, path, _) = closed_ledger();
    let whole = fs::read(&path).unwrap();
    for page in 1..whole.len() / 4096 {
        let mut spoiled = whole.clone();
        spoiled[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &spoiled).unwrap();
        let noticed = match SqliteLedger::verify(&path, &Seals::UNKEYED) {
            Ok(report) => !report.is_sound(),
            Err(error) => matches!(error, LedgerError::Damaged { .. }),
        };
        assert!(noticed, "page {page}");
    }
}

#[test]
fn events_cannot_be_changed_or_removed() {
    let (_folder, path, _) = closed_ledger();
    let connection = Connection::open(&path).unwrap();
    for sql in ["UPDATE events SET at = at + 1 WHERE sequence = 1", "DELETE FROM events WHERE sequence = 4"] {
        assert!(connection.execute(sql, []).unwrap_err().to_string().contains("append-only"), "{sql}");
    }
}

#[test]
fn verify_finds_edits_of_events_view_payments_and_bodies() {
    for (sql, expected) in [
        ("UPDATE events SET event = replace(event, '77', '78') WHERE sequence = 3", "event 3 does not follow"),
        ("UPDATE events SET at = at + 1 WHERE sequence = 1", "event 1 does not follow"),
        ("DELETE FROM events WHERE sequence = 2", "event 3 does not follow"),
        ("UPDATE bills SET amount = 1 WHERE invoice_number = 'B'", "`amount` of invoice `B`"),
        ("UPDATE bills SET first_paid_at = NULL", "`first_paid_at` of invoice `B`"),
        ("UPDATE bills SET paid = NULL", "`paid` of invoice `B`"),
        ("UPDATE bills SET code = '78'", "`code` of invoice `B`"),
        ("UPDATE totals SET count = count + 1", "the total of"),
        ("DELETE FROM totals", "the total of"),
        ("DELETE FROM bills WHERE invoice_number = 'B'", "there are 3 events of bills"),
        ("UPDATE payments SET amount = 1", "the payment of event 4"),
        ("DELETE FROM payments", "there are 0 payments"),
        ("DELETE FROM bodies", "of invoice `A` is missing, and was not purged"),
        ("UPDATE bodies SET body = x'00'", "kept for invoice `A` is not the one its event names"),
        ("INSERT INTO bodies SELECT 2, request_id, x'00' FROM bodies", "stands for the bodies of several invoices"),
    ] {
        let (_folder, path, _) = closed_ledger();
        edits::forced(&path, sql);
        assert!(findings(&path).contains(expected), "{sql}: {}", findings(&path));
    }
}

#[test]
fn an_older_copy_put_back_is_found_by_the_head_that_was_printed() {
    let (folder, path, old_head) = closed_ledger();
    let copy = folder.path().join("backup.db");
    let ledger = reopen(&path).unwrap();
    SqliteLedger::backup(&path, &copy).unwrap();
    assert!(matches!(SqliteLedger::backup(&path, &copy), Err(LedgerError::Storage { .. })), "a backup never overwrites");
    wait(ledger.record(vec![planned("C")])).unwrap();
    let head = wait(ledger.head()).unwrap();
    drop(ledger);
    assert!(SqliteLedger::verify_against(&path, &Seals::UNKEYED, &head).unwrap().is_sound());
    assert!(SqliteLedger::verify_against(&path, &Seals::UNKEYED, &old_head).unwrap().is_sound(), "a later head contains the earlier");
    let report = SqliteLedger::verify_against(&copy, &Seals::UNKEYED, &head).unwrap();
    assert!(report.findings.concat().contains("older copy"), "{:?}", report.findings);
    assert_eq!(wait(reopen(&copy).unwrap().head()).unwrap(), old_head);
    let other = LedgerHead { hash: [1; 32], ..old_head };
    assert!(SqliteLedger::verify_against(&path, &Seals::UNKEYED, &other).unwrap().findings.concat().contains("another history"));
}

#[test]
fn a_status_answer_or_what_was_concluded_from_it_cannot_be_changed_unnoticed() {
    for (sql, finding) in [
        ("UPDATE bodies SET body = x'00'", "kept for invoice `A` is not the one its event names"),
        ("UPDATE bills SET checks = json_set(checks, '$.found[0].payment.amount', 1)", "`checks` of invoice `A`"),
        ("UPDATE bills SET checks = NULL", "`checks` of invoice `A`"),
    ] {
        let (folder, ledger) = new_sqlite();
        let payment = FoundPayment { answer_digest: crate::domain::digest::of_bytes(b"{}"), ..found(1, "A", 5) };
        let private = Private { body: Some((payment.request_id, b"{}".to_vec())), customer: None };
        let event = Event::Checked {
            order: number("A"),
            word: Word::Success,
            chosen: true,
            payment: Some(payment),
            details: StatusDetails::default(),
        };
        wait(ledger.record(vec![adopted("A", "77"), NewEvent { private, ..entry("A", 9, event) }])).unwrap();
        drop(ledger);
        let path = folder.path().join("ledger.db");
        assert!(SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap().is_sound());
        tamper(&path, sql);
        assert!(findings(&path).contains(finding), "{sql}: {}", findings(&path));
    }
}

#[test]
fn concurrent_callers_share_transactions_and_each_gets_its_own_answer() {
    let (folder, ledger) = new_sqlite();
    let ledger = std::sync::Arc::new(ledger);
    wait(async {
        let callers: Vec<_> = (0..32)
            .map(|caller| {
                let ledger = ledger.clone();
                tokio::spawn(async move {
                    let invoice = format!("INV-{caller}");
                    for round in 0..20 {
                        let states = ledger.record(vec![planned(&invoice)]).await.unwrap();
                        assert_eq!(states[0].invoice_number.as_str(), invoice);
                        if round % 5 == 0 {
                            let illegal = entry(&invoice, 1, Event::NotSent { reason: String::new() });
                            assert!(matches!(ledger.record(vec![illegal]).await, Err(LedgerError::Lost { .. })));
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    assert_eq!(wait(ledger.head()).unwrap().sequence, 32 * 20);
    drop(ledger);
    assert!(SqliteLedger::verify(&folder.path().join("ledger.db"), &Seals::UNKEYED).unwrap().is_sound());
}

#[test]
fn two_processes_append_to_one_chain() {
    let (_folder, path, _) = closed_ledger();
    let (sender, server) = (reopen(&path).unwrap(), reopen(&path).unwrap());
    for round in 0..10 {
        wait(sender.record(vec![planned(&format!("S-{round}"))])).unwrap();
        wait(server.apply_payments(&[payment(100 + round, "B", "77", 60)])).unwrap();
    }
    assert!(SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap().is_sound());
    assert_eq!(wait(sender.head()).unwrap().sequence, 24);
}

#[test]
fn what_another_connection_recorded_is_what_the_next_event_meets() {
    let (_folder, path, _) = closed_ledger();
    let (sender, server) = (reopen(&path).unwrap(), reopen(&path).unwrap());
    let accepted = || entry("C", 2, Event::Accepted { answer: answer("88", None), replayed: false, amount: None, remark: None });
    wait(sender.record(vec![planned("C"), intended("C", 1, OperationKind::Issue, terms(5))])).unwrap();
    wait(server.record(vec![accepted()])).unwrap();
    assert!(matches!(wait(sender.record(vec![accepted()])), Err(LedgerError::Lost { .. })), "it is active by now");
    let state = wait(sender.record(vec![intended("C", 3, OperationKind::Cancel, terms(5))])).unwrap().remove(0);
    assert_eq!((state.status, state.code.map(|code| code.answer)), (Status::Cancelling, Some(answer("88", None))));
    assert!(SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap().is_sound());
}

#[test]
fn a_refused_call_leaves_no_state_behind_for_the_next() {
    let (_folder, ledger) = new_sqlite();
    let unsent = |invoice: &str| entry(invoice, 1, Event::NotSent { reason: String::new() });
    let issue = |invoice: &str| intended(invoice, 1, OperationKind::Issue, terms(5));
    assert!(matches!(wait(ledger.record(vec![planned("A"), unsent("A")])), Err(LedgerError::Illegal(_))));
    assert!(matches!(wait(ledger.record(vec![issue("A")])), Err(LedgerError::Lost { .. })), "`A` was never planned");
    wait(ledger.record(vec![planned("B")])).unwrap();
    assert!(matches!(wait(ledger.record(vec![issue("B"), planned("B")])), Err(LedgerError::Illegal(_))));
    assert!(matches!(wait(ledger.record(vec![unsent("B")])), Err(LedgerError::Lost { .. })), "`B` is planned still");
    assert_eq!(wait(ledger.record(vec![issue("B")])).unwrap().remove(0).status, Status::Requested);
}

#[test]
fn a_purge_spares_what_is_live_or_open_and_leaves_the_chain_whole() {
    let (_folder, path, _) = closed_ledger();
    let ledger = reopen(&path).unwrap();
    let with_customer = |mut entry: NewEvent, name: &str| {
        entry.private.customer = Some((Customer { name: Personal::new(name), email: None, account_name: None }, SALT));
        entry
    };
    let expiring = |invoice: &str, code: &str| {
        entry(invoice, 0, Event::Adopted { terms: terms(5), answer: answer(code, Some(at(70))), wire_invoice_number: None })
    };
    let reusable = RecordedTerms { reusable: true, ..terms(5) };
    wait(ledger.record(vec![
        with_customer(
            entry("LIVE", 0, Event::Adopted { terms: reusable, answer: answer("1", None), wire_invoice_number: None }),
            "Live Holder",
        ),
        with_customer(expiring("EXPIRED", "2"), "Secretname Holder"),
        with_customer(planned("RECENT"), "Recent Holder"),
        entry("RECENT", 5000, Event::Planned { terms: terms(6) }),
    ]))
    .unwrap();
    wait(ledger.apply_payments(&[payment(9, "LIVE", "1", 40)])).unwrap();
    assert_eq!(ledger.purgeable(at(1000)).unwrap(), Purged { customers: 1, bodies: 0 });
    assert_eq!(wait(ledger.purge_personal(at(1000), at(6000))).unwrap(), Purged { customers: 1, bodies: 0 });
    assert_eq!(ledger.purgeable(at(1000)).unwrap(), Purged::default());
    let has = |invoice: &str| wait(ledger.customer(&number(invoice))).unwrap().is_some();
    assert_eq!([has("LIVE"), has("EXPIRED"), has("RECENT")], [true, false, true]);
    drop(ledger);
    assert!(SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap().is_sound(), "the open operation of A keeps its body");
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"Secretname"), "the name is gone from the file itself");
}

#[test]
fn the_story_of_a_bill_has_its_events_and_the_payments_of_all_its_numbers() {
    let (_folder, ledger) = new_sqlite();
    let Event::Intended { operation, terms, request_id, body_digest, .. } = intended("A", 6, OperationKind::Issue, terms(5)).event else {
        unreachable!()
    };
    let wire_invoice_number = number("A-R1");
    let reissue = Event::Intended { operation, terms, request_id, wire_invoice_number, body_digest };
    wait(ledger.record(vec![adopted("A", "77"), entry("A", 5, Event::Retired { reason: "expired".into() }), entry("A", 6, reissue)]))
        .unwrap();
    wait(ledger.apply_payments(&[payment(1, "A-R1", "78", 7), payment(2, "A", "77", 7), payment(3, "B", "79", 7)])).unwrap();
    let accepted = Event::Accepted { answer: answer("78", None), replayed: false, amount: None, remark: None };
    let state = wait(ledger.record(vec![entry("A", 8, accepted)])).unwrap().remove(0);
    assert_eq!(state.status, Status::Active);
    let story: Vec<_> = ask!(ledger, history(&number("A"))).into_iter().map(|(_, happening)| happening).collect();
    assert!(matches!(
        story.as_slice(),
        [
            BillHappening::Event(_),
            BillHappening::Event(_),
            BillHappening::Event(_),
            BillHappening::Payment(_),
            BillHappening::Payment(_),
            BillHappening::Event(_)
        ]
    ));
    let scope = ask!(ledger, scope_totals(at(8), at(100), 0));
    assert_eq!(scope.count, 0, "the payment under the suffixed number, which came before its code was known, closed the bill");
}

#[test]
fn one_request_id_never_stands_for_two_bodies() {
    let (_folder, ledger) = new_sqlite();
    let first = intended("A", 1, OperationKind::Issue, terms(5));
    let (request_id, _) = first.private.body.clone().unwrap();
    let again = NewEvent {
        private: Private { body: Some((request_id, b"other".to_vec())), customer: None },
        ..intended("A", 3, OperationKind::Issue, terms(5))
    };
    wait(ledger.record(vec![planned("A"), first, entry("A", 2, Event::NotSent { reason: "x".into() })])).unwrap();
    assert!(matches!(wait(ledger.record(vec![again])), Err(LedgerError::Damaged { .. })));
    assert_eq!(wait(ledger.head()).unwrap().sequence, 3);
}
