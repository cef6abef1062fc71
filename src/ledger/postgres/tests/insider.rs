//! Somebody who owns the database, and has a copy of it from before.

use super::*;
use crate::ledger::Names;

const ATTACKS: &[(&str, &str)] = &[
    ("a bill as it was", "DELETE FROM tagih.bills WHERE id = 1; INSERT INTO tagih.bills SELECT * FROM old.bills WHERE id = 1"),
    ("a payment is gone", "DELETE FROM tagih.payments; DELETE FROM tagih.events WHERE kind = 'payment'"),
    ("a bill is gone", "DELETE FROM tagih.bills WHERE id = 2; DELETE FROM tagih.events WHERE invoice_number = 'B'"),
    (
        "the end is cut off",
        "DELETE FROM tagih.events WHERE sequence > (SELECT MAX(sequence) FROM old.events); DELETE FROM tagih.head; INSERT INTO tagih.head SELECT * FROM old.head",
    ),
    ("the totals were put back", "DELETE FROM tagih.totals; INSERT INTO tagih.totals SELECT * FROM old.totals"),
    ("the seals were put back", "DELETE FROM tagih.seals; INSERT INTO tagih.seals SELECT * FROM old.seals"),
    (
        "a payment is gone, and its bill unpaid again",
        "DELETE FROM tagih.payments; UPDATE tagih.bills SET paid = NULL, first_paid_at = NULL",
    ),
    ("an event is another", "UPDATE tagih.events SET at = at - 1 WHERE sequence = 1"),
    ("rows are hidden", "ALTER TABLE tagih.bills ENABLE ROW LEVEL SECURITY"),
    (
        "an index is out of use",
        "UPDATE pg_index SET indisready = FALSE, indisvalid = FALSE WHERE indexrelid = 'tagih.bills_by_code'::regclass",
    ),
    ("a key is not revoked", "DELETE FROM tagih.totals WHERE what = 'revocation'"),
    ("a key is revoked otherwise", "UPDATE tagih.events SET event = replace(event, 'leak', 'slip') WHERE kind = 'key'"),
    ("a payment is another", "UPDATE tagih.payments SET amount = amount - 1"),
];

/// What is asked: bills one by one and all, payments, totals, all there is.
fn asked(ledger: &PostgresLedger) -> Vec<Result<String, String>> {
    let codes = ["77", "88"].map(|code| crate::domain::ids::PaymentCode::new(code).unwrap());
    let names = Names { codes: codes.into(), ..Names::default() };
    let (mut bills, mut payments) = (Vec::new(), Vec::new());
    macro_rules! answer {
        ($($question:tt)*) => {
            wait(async { ledger.view().await?.$($question)*.await }).map(|found| format!("{found:?}")).map_err(|error| error.to_string())
        };
    }
    let all = answer!(visit_bills(|state| bills.push(format!("{state:?}"))));
    let mut unpaid = Vec::new();
    let live = answer!(visit_unpaid(|state| {
        unpaid.push(format!("{state:?}"));
        true
    }));
    let paid = answer!(visit_payments(|payment| payments.push(format!("{payment:?}"))));
    vec![
        answer!(bill(&number("A"))),
        answer!(bills_about(&names)),
        answer!(payments_about(&names)),
        answer!(totals(at(9))),
        answer!(revocations()),
        answer!(whole()),
        answer!(history(&number("A"))),
        live.map(|_| unpaid.concat()),
        all.map(|_| bills.concat()),
        paid.map(|_| payments.concat()),
    ]
}

#[test]
fn what_was_put_back_or_removed_is_refused_in_a_database_too() {
    let (url, ledger) = new_postgres();
    let cluster = cluster::shared();
    wait(ledger.record(vec![adopted("A", "77"), adopted("B", "88"), planned("C")])).unwrap();
    let tables = ["bills", "events", "head", "totals", "seals"];
    let copies = tables.map(|table| format!("CREATE TABLE old.{table} AS SELECT * FROM tagih.{table};"));
    cluster.sql(database(&url), &format!("CREATE SCHEMA old; {}", copies.concat()));
    wait(ledger.record(vec![entry("A", 9, Event::Adopted { terms: terms(1), answer: answer("77", None), wire_invoice_number: None })]))
        .unwrap();
    wait(ledger.revoke(crate::ledger::conformance::revocation("0123456789abcdef", Some(7)), at(8))).unwrap();
    wait(ledger.apply_payments(&[payment(1, "A", "77", 50)])).unwrap();
    let before = asked(&ledger);
    assert!(before.iter().all(Result::is_ok), "{before:?}");
    drop(ledger);
    for (what, sql) in ATTACKS {
        let (attacked, name) = (cluster.database(), database(&url));
        cluster.sql("postgres", &format!("DROP DATABASE {attacked}"));
        cluster.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        cluster.sql("postgres", &format!("CREATE DATABASE {attacked} TEMPLATE {name}"));
        cluster
            .sql(&attacked, &format!("ALTER TABLE tagih.events DISABLE TRIGGER USER; {sql}; ALTER TABLE tagih.events ENABLE TRIGGER USER"));
        let ledger = PostgresLedger::open_read_only(server(&cluster.url(&attacked)), &binding()).unwrap();
        let after = asked(&ledger);
        assert!(after.iter().any(Result::is_err), "{what}: {after:?}");
        for (was, is) in before.iter().zip(&after) {
            let is_gone = what.contains("gone") && is.as_ref().is_ok_and(|is| was.as_ref().is_ok_and(|was| is.len() < was.len()));
            assert!(is.is_err() || is == was || is_gone, "{what}: {is:?}\nwas: {was:?}");
        }
        let verified = wait(ledger.verify(None));
        assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{what}");
    }
}

#[test]
fn a_database_is_given_a_key_and_moves_with_it() {
    let (url, ledger) = new_postgres();
    filled(&ledger);
    let before = wait(ledger.head()).unwrap();
    let key = Seals::keyed(&"a-key-of-the-ledger-0123456789".into());
    let bound = crate::ledger::Binding { seals: key.clone(), ..binding() };
    wait(ledger.rekey(&key, at(70))).unwrap();
    drop(ledger);
    let refused = PostgresLedger::open(server(&url), &binding(), Create::Never).unwrap_err();
    assert!(matches!(refused, LedgerError::OtherKey { .. }), "{refused}");
    let ledger = PostgresLedger::open(server(&url), &bound, Create::Never).unwrap();
    wait(ledger.record(vec![planned("LATER")])).unwrap();
    sound(&ledger, Some(&before));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.ledger");
    let head = wait(ledger.copy_to(&file)).unwrap();
    assert!(SqliteLedger::verify_against(&file, &key, &head).unwrap().is_sound());
    let cluster = cluster::shared();
    let other = PostgresLedger::open(server(&cluster.url(&cluster.database())), &bound, Create::IfMissing).unwrap();
    assert_eq!(wait(other.fill_from(&file)).unwrap(), head);
    wait(other.record(vec![planned("LAST")])).unwrap();
    sound(&other, Some(&head));
}

#[test]
fn a_database_of_before_is_sealed_and_one_that_does_not_hold_together_stays_as_it_was() {
    let older = "DROP TABLE tagih.seals; ALTER TABLE tagih.payments DROP COLUMN seal; ALTER TABLE tagih.meta DROP COLUMN key; \
                 ALTER TABLE tagih.meta DROP COLUMN keyed_after; UPDATE tagih.meta SET schema_version = 1";
    for (edit, is_sound) in [("SELECT 1", true), ("UPDATE tagih.payments SET amount = 1", false), ("DELETE FROM tagih.names", false)] {
        let (url, ledger) = new_postgres();
        filled(&ledger);
        drop(ledger);
        let cluster = cluster::shared();
        cluster.sql(database(&url), &format!("{older}; {edit}"));
        let opened = PostgresLedger::open(server(&url), &binding(), Create::Never);
        let version = cluster.sql(database(&url), "SELECT schema_version FROM tagih.meta");
        match opened {
            Ok(ledger) => {
                assert!(is_sound, "{edit}");
                sound(&ledger, None);
                assert_eq!(version, "2");
            }
            Err(error) => {
                assert!(!is_sound && matches!(error, LedgerError::Damaged { .. }), "{edit}: {error}");
                assert_eq!(version, "1", "{edit}");
            }
        }
    }
}
