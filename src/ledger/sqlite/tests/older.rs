//! Ledgers of earlier versions: brought up to date with all they hold, and kept as they were.

use super::*;
use crate::ledger::chain::{Covered, Origin, PaymentRecord, payment_event_at, truncated_payment};

/// A ledger as an earlier version left it: its events, and as much of its rows as the fold of today looks at.
fn older(place: &Place, version: usize, entries: &[NewEvent], payments: &[Payment]) -> LedgerHead {
    let connection = open::writable(place, &binding(), Create::IfMissing, &migrate::MIGRATIONS[..version]).unwrap().connection;
    let mut head = LedgerHead::EMPTY;
    let mut event = |at: i64, kind: &str, invoice: &str, json: &str| {
        head = head
            .then(&Origin::of("", "", &[], u64::MAX), &Covered { at, kind, invoice_number: invoice, json, beside: None, fence: None })
            .unwrap();
        let sql = "INSERT INTO events (sequence, at, kind, invoice_number, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        connection
            .execute(sql, rusqlite::params![crate::ledger::sql::cells::signed(head.sequence).unwrap(), at, kind, invoice, json, head.hash])
            .unwrap();
        head
    };
    for NewEvent { invoice_number, at, event: of_bill, .. } in entries {
        event(at.as_microsecond(), "bill", invoice_number.as_str(), &serde_json::to_string(of_bill).unwrap());
        let sql = "INSERT OR IGNORE INTO bills (invoice_number, status, may_be_live, generation, retired_count, channel, method, amount, \
                   reusable, terms, planned_at) VALUES (?1, 'planned', 0, 0, 0, 'alfa', 'doku', 1, 0, '{}', 0)";
        connection.execute(sql, [invoice_number.as_str()]).unwrap();
    }
    for payment in payments.iter().map(truncated_payment) {
        let json = serde_json::to_string(&PaymentRecord::of(&payment)).unwrap();
        let head = event(payment_event_at(&payment), "payment", payment.invoice_number.as_str(), &json);
        let sql = "INSERT INTO payments (sequence, identity, invoice_number, payment_code, channel, amount, paid_at, received_at, line_digest) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (sequence, received_at) =
            (crate::ledger::sql::cells::signed(head.sequence).unwrap(), payment.received_at.map(Timestamp::as_microsecond));
        let (number, code) = (payment.invoice_number.as_str(), payment.payment_code.as_str());
        let amount = crate::ledger::sql::cells::signed(payment.amount.get()).unwrap();
        let (channel, paid_at) = (payment.channel.name(), payment.paid_at.as_microsecond());
        let row = rusqlite::params![sequence, payment.identity, number, code, channel, amount, paid_at, received_at, payment.line_digest];
        connection.execute(sql, row).unwrap();
    }
    event(0, "purge", "", r#"{"before":"2026-01-01T00:00:00Z","customers":0,"bodies":0}"#)
}

/// What a ledger held before numbers were kept apart: A, issued anew as A-R1, and a bill that is called so.
#[test]
fn former_orders_of_an_older_ledger_are_folded_anew_and_its_collisions_are_notes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let entries = [crate::ledger::conformance::orders::reissued(), vec![planned("A-R1")]].concat();
    older(&Place::new(&path), 2, &entries, &[payment(1, "A", "11", 40)]);

    let ledger = reopen(&path).unwrap();
    let collisions = &ledger.migrated().unwrap().collisions;
    assert!(collisions.concat().contains("number `A-R1` stands for invoice `A` and for invoice `A-R1`"), "{collisions:?}");
    let state = wait(ledger.bill(&number("A"))).unwrap().unwrap();
    assert_eq!(state.former.iter().map(|order| order.payment_code.as_ref().unwrap().as_str()).collect::<Vec<_>>(), ["11"]);
    assert_eq!(ask!(ledger, scope_totals(at(41), at(9_999), 0)).count, 1, "A was paid by the code it had");
    drop(ledger);
    let report = SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert!(report.notes.concat().contains("number `A-R1` stands for invoice `A` and for invoice `A-R1`"), "{:?}", report.notes);
    tamper(&path, "DELETE FROM names WHERE kind = 'code'");
    assert!(findings(&path).contains("what invoice `A` goes by"), "{}", findings(&path));
}

#[test]
fn an_older_schema_is_migrated_with_a_copy_kept_and_a_newer_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let place = Place::new(&path);
    let older = &migrate::MIGRATIONS[..migrate::MIGRATIONS.len() - 1];
    drop(open::writable(&place, &binding(), Create::IfMissing, older).unwrap());
    assert!(matches!(open::read_only(&place, &binding()), Err(LedgerError::TooOld { found: 6, known: 7, .. })), "readers do not migrate");
    let other = Binding { client_id: "BRN-9".into(), ..binding() };
    assert!(matches!(SqliteLedger::open(&path, &other, Create::Never, &MachineRandomness), Err(LedgerError::OtherBinding { .. })));
    let ledger = reopen(&path).unwrap();
    let migrated = ledger.migrated().unwrap();
    assert_eq!((migrated.from, migrated.to, &migrated.backup), (6, 7, &folder.path().join("ledger.db.schema-6")));
    assert!(matches!(SqliteLedger::open_read_only(&migrated.backup, &binding()), Err(LedgerError::TooOld { found: 6, .. })));
    drop(ledger);
    assert!(reopen(&path).unwrap().migrated().is_none(), "once");
    tamper(&path, "PRAGMA user_version = 9");
    assert!(matches!(reopen(&path), Err(LedgerError::TooNew { found: 9, known: 7, .. })));
}

#[test]
fn a_ledger_of_the_first_schema_is_migrated_with_all_it_holds_and_can_keep_status_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let place = Place::new(&path);
    let event = Event::Adopted { terms: terms(150_000), answer: answer("77", None), wire_invoice_number: None };
    let adopted_at = Timestamp::from_microsecond(at(0).as_microsecond()).unwrap();
    let state = crate::domain::lifecycle::BillState::apply(None, &number("A"), adopted_at, &event).unwrap();
    let state = crate::domain::lifecycle::BillState { last_event: 1, ..state };
    let head = older(&place, 1, &[entry("A", 0, event)], &[]);

    let refused = SqliteLedger::open_read_only(&path, &binding()).unwrap_err();
    assert!(matches!(refused, LedgerError::TooOld { found: 1, known: 7, .. }), "readers do not migrate: {refused}");
    let copy = folder.path().join("before.db");
    SqliteLedger::backup(&path, &copy).unwrap();
    assert!(matches!(SqliteLedger::open_read_only(&copy, &binding()), Err(LedgerError::TooOld { found: 1, .. })), "kept as it was");
    let ledger = reopen(&path).unwrap();
    let snapshot = whole(&ledger);
    assert_eq!((snapshot.head, &snapshot.bills[&number("A")]), (head, &state));
    let checked = Event::Checked {
        order: number("A"),
        word: Word::Success,
        chosen: false,
        payment: Some(found(1, "A", 5)),
        details: StatusDetails::default(),
    };
    let body = Some((found(1, "A", 5).request_id, b"answer".to_vec()));
    let checked = NewEvent { private: Private { body, customer: None }, ..entry("A", 9, checked) };
    wait(ledger.record(vec![checked])).unwrap();
    drop(ledger);
    assert_eq!(ask!(reopen(&path).unwrap(), totals(at(0))).told.count, 1);
    let report = SqliteLedger::verify_against(&path, &Seals::UNKEYED, &head).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// A ledger as the version before seals wrote it: issued, amended, cancelled, paid and registered bills.
const SCHEMA_5: &[u8] = include_bytes!("../../../../tests/fixtures/ledgers/schema-5.ledger.zst");
const HEAD_5: (u64, &str) = (19, "e56fc75ecef5f8836ca0e592f2fcbc3875b078a87bdf6e807e52bba9aefc3cda");

fn schema_5() -> (tempfile::TempDir, std::path::PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = (folder.path().join("ledger.db"), zstd::decode_all(SCHEMA_5).unwrap());
    fs::write(&path, &bytes).unwrap();
    (folder, path, bytes)
}

#[test]
fn a_ledger_of_schema_5_is_sealed_in_place_with_all_it_holds_and_edits_of_it_are_found_from_then_on() {
    let (_folder, path, bytes) = schema_5();
    assert!(matches!(SqliteLedger::verify(&path, &Seals::UNKEYED), Err(LedgerError::TooOld { found: 5, .. })));
    let ledger = reopen(&path).unwrap();
    let migrated = ledger.migrated().unwrap();
    assert_eq!((migrated.from, migrated.to), (5, 7));
    assert_eq!(fs::read(&migrated.backup).unwrap().len(), bytes.len(), "kept as it was");
    let head = wait(ledger.head()).unwrap();
    assert_eq!((head.sequence, digest::hex(&head.hash).as_str()), HEAD_5, "no event is another than it was");
    let amended = wait(ledger.bill(&number("INV-1"))).unwrap().unwrap();
    let salt = amended.salt.expect("its digests can still be compared");
    assert_eq!((salt.digest("Budi Santoso"), amended.terms.amount.get()), (amended.terms.name_digest, 155_000));
    let money = Event::Held { cause: crate::domain::lifecycle::HoldCause::NotUnderstood, reason: "money".into(), evidence: "e".into() };
    wait(ledger.record(vec![NewEvent { at: "2026-11-30T00:00:00Z".parse().unwrap(), ..entry("INV-1", 0, money) }])).unwrap();
    drop(ledger);
    let report = SqliteLedger::verify_against(&path, &Seals::UNKEYED, &head).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    edits::none_goes_unnoticed(&path, &["leases", "names"]);
}

#[test]
fn a_migrated_ledger_is_purged_with_its_salts_and_holds_together_afterwards() {
    let (_folder, path, _) = schema_5();
    let ledger = reopen(&path).unwrap();
    let later: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(wait(ledger.purge_personal(later, later)).unwrap(), Purged { customers: 5, bodies: 6 });
    assert_eq!(wait(ledger.purge_personal(later, later)).unwrap(), Purged::default(), "once");
    assert!(whole(&ledger).bills.values().all(|state| state.salt.is_none()), "nobody can guess names any more");
    drop(ledger);
    let report = SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(5).any(|window| window == b"Budi "), "the name is gone from the file itself");
}
