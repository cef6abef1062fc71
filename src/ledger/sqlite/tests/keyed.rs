//! A ledger whose chain and seals are made with a key: given, changed, and not to be made by others.

use super::edits::forced;
use super::*;
use crate::ledger::seals::Seals;

fn seals(key: &str) -> Seals {
    Seals::keyed(&key.into())
}

fn bound(seals: &Seals) -> Binding {
    Binding { seals: seals.clone(), ..binding() }
}

fn open(path: &Path, seals: &Seals) -> Result<SqliteLedger, LedgerError> {
    SqliteLedger::open(path, &bound(seals), Create::IfMissing, &MachineRandomness)
}

fn filled(path: &Path, seals: &Seals) -> LedgerHead {
    let ledger = open(path, seals).unwrap();
    wait(ledger.record(vec![adopted("A", "77"), planned("B")])).unwrap();
    wait(ledger.apply_payments(&[payment(1, "A", "77", 50)])).unwrap();
    wait(ledger.head()).unwrap()
}

#[test]
fn without_the_key_nobody_makes_a_ledger_that_is_believed() {
    let (folder, key) = (tempfile::tempdir().unwrap(), seals("a-key-of-the-ledger-0123456789"));
    let (real, forged) = (folder.path().join("real.db"), folder.path().join("forged.db"));
    filled(&real, &key);
    // With the program and all that the file says, but for the key: the same history, and a better one.
    filled(&forged, &Seals::UNKEYED);
    for (path, sql) in [
        (&real, "UPDATE meta SET key = NULL".to_owned()),
        (&forged, "SELECT 1".to_owned()),
        (&forged, format!("UPDATE meta SET key = '{}'", key.fingerprint().unwrap())),
        (&forged, format!("UPDATE meta SET key = '{}', keyed_after = 3", key.fingerprint().unwrap())),
    ] {
        let before = fs::read(path).unwrap();
        forced(path, &sql);
        let believed = open(path, &key).and_then(|ledger| wait(ledger.bill(&number("A"))));
        assert!(matches!(believed, Err(LedgerError::OtherKey { .. } | LedgerError::Damaged { .. })), "{sql}: {believed:?}");
        let verified = SqliteLedger::verify(path, &key);
        assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{sql}");
        fs::write(path, before).unwrap();
    }
    assert!(SqliteLedger::verify(&real, &key).unwrap().is_sound());
    for other in [Seals::UNKEYED, seals("another-key-0123456789")] {
        assert!(matches!(open(&real, &other), Err(LedgerError::OtherKey { .. })));
        assert!(matches!(SqliteLedger::verify(&real, &other), Err(LedgerError::OtherKey { .. })));
    }
}

#[test]
fn a_ledger_is_given_a_key_and_another_one_and_answers_for_all_that_was_before() {
    let (folder, first, second) = (tempfile::tempdir().unwrap(), seals("first-key-0123456789"), seals("second-key-0123456789"));
    let path = folder.path().join("ledger.db");
    let mut heads = vec![filled(&path, &Seals::UNKEYED)];
    let mut former = Seals::UNKEYED;
    for (invoice, seals) in [("C", &first), ("D", &second)] {
        let wrong = SqliteLedger::rekey(&path, &bound(seals), seals, at(70)).unwrap_err();
        assert!(matches!(wrong, LedgerError::OtherKey { .. }), "{wrong}");
        heads.push(SqliteLedger::rekey(&path, &bound(seals), &former, at(70)).unwrap());
        assert!(matches!(open(&path, &former), Err(LedgerError::OtherKey { .. })));
        let ledger = open(&path, seals).unwrap();
        wait(ledger.record(vec![planned(invoice)])).unwrap();
        heads.push(wait(ledger.head()).unwrap());
        for head in &heads {
            let report = SqliteLedger::verify_against(&path, seals, head).unwrap();
            assert!(report.is_sound(), "{:?}", report.findings);
        }
        former = seals.clone();
    }
    let sound = fs::read(&path).unwrap();
    for edit in [
        "UPDATE events SET event = event || ' ' WHERE sequence = 1",
        "UPDATE events SET at = at + 1 WHERE kind = 'payment'",
        "UPDATE events SET hash = zeroblob(32) WHERE sequence = 2",
        "DELETE FROM events WHERE kind = 'key' AND sequence = (SELECT MIN(sequence) FROM events WHERE kind = 'key')",
        "UPDATE meta SET keyed_after = keyed_after - 1",
        "UPDATE meta SET keyed_after = keyed_after + 1",
        "UPDATE meta SET keyed_after = 1000",
    ] {
        fs::write(&path, &sound).unwrap();
        forced(&path, edit);
        let verified = SqliteLedger::verify(&path, &second);
        assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{edit}");
    }
}

#[test]
fn what_does_not_hold_together_is_not_sealed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    filled(&path, &Seals::UNKEYED);
    forced(&path, "DELETE FROM payments");
    let before = fs::read(&path).unwrap();
    let refused = SqliteLedger::rekey(&path, &bound(&seals("first-key-0123456789")), &Seals::UNKEYED, at(70)).unwrap_err();
    assert!(matches!(refused, LedgerError::Damaged { .. }), "{refused}");
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn no_story_has_an_event_that_was_edited() {
    let (folder, first) = (tempfile::tempdir().unwrap(), seals("first-key-0123456789"));
    let path = folder.path().join("ledger.db");
    filled(&path, &Seals::UNKEYED);
    let story =
        |seals: &Seals| wait(async { SqliteLedger::open_read_only(&path, &bound(seals))?.view().await?.history(&number("A")).await });
    // The last event is the payment, so that what opening looks at is not what finds it.
    let edits = ["at = at - 1", "event = replace(event, '\"77\"', '\"78\"')", "invoice_number = 'B'", "beside = zeroblob(16)"];
    let edits = edits.map(|edit| format!("UPDATE events SET {edit} WHERE sequence = 1"));
    for is_keyed in [false, true] {
        if is_keyed {
            SqliteLedger::rekey(&path, &bound(&first), &Seals::UNKEYED, at(70)).unwrap();
        }
        let (seals, sound) = (if is_keyed { &first } else { &Seals::UNKEYED }, fs::read(&path).unwrap());
        assert_eq!(story(seals).unwrap().len(), 2);
        for edit in &edits {
            forced(&path, edit);
            let told = story(seals);
            assert!(matches!(told, Err(LedgerError::Damaged { .. })), "{edit}: {told:?}");
            fs::write(&path, &sound).unwrap();
        }
    }
}
