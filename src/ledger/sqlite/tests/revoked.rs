//! What was said of DOKU's keys: found among all other events, and by whoever looks when somebody meddled with it.

use super::edits::forced;
use super::*;
use crate::domain::revocation::{Revocation, Revoked};
use crate::ledger::conformance::revocation;
use crate::ledger::rules::truncated;

const A: &str = "0123456789abcdef";
const B: &str = "fedcba9876543210";

fn said(ledger: &SqliteLedger) -> Result<Vec<(Timestamp, Revocation)>, LedgerError> {
    wait(async { ledger.view().await?.revocations().await })
}

/// Two keys revoked between bills and payments; the file, and what was said.
fn filled() -> (tempfile::TempDir, std::path::PathBuf, Vec<(Timestamp, Revocation)>) {
    let (folder, ledger) = new_sqlite();
    assert_eq!(said(&ledger).unwrap(), []);
    wait(ledger.record(vec![planned("A"), adopted("B", "77")])).unwrap();
    let mut all = Vec::new();
    for (second, revocation) in [(8, revocation(A, Some(7))), (9, revocation(B, Some(5))), (11, revocation(A, None))] {
        wait(ledger.revoke(revocation.clone(), at(second))).unwrap();
        all.push((truncated(at(second)), revocation));
        wait(ledger.apply_payments(&[payment(u8::try_from(second).unwrap(), "B", "77", 50)])).unwrap();
    }
    assert_eq!(said(&ledger).unwrap(), all);
    let path = folder.path().join("ledger.db");
    (folder, path, all)
}

#[test]
fn what_was_said_of_a_key_is_an_event_that_is_found_verified_and_kept_through_another_seal() {
    let (_folder, path, all) = filled();
    let revoked = Revoked::of(all.iter().map(|(_, said)| said));
    assert_eq!((revoked.after(A), revoked.after(B)), (None, Some(at(5))));
    let ledger = reopen(&path).unwrap();
    assert_eq!(said(&ledger).unwrap(), all);
    let mut lines = Vec::new();
    ledger.export(&mut lines).unwrap();
    assert_eq!(String::from_utf8(lines).unwrap().matches(r#""kind":"key""#).count(), 3);
    drop(ledger);
    let report = SqliteLedger::verify(&path, &Seals::UNKEYED).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    // Sealed anew, the event that does it answers for them; and more may be said afterwards.
    let key = Seals::keyed(&"first-key-0123456789".into());
    let bound = Binding { seals: key.clone(), ..binding() };
    SqliteLedger::rekey(&path, &bound, &Seals::UNKEYED, at(70)).unwrap();
    let ledger = SqliteLedger::open(&path, &bound, Create::Never, &MachineRandomness).unwrap();
    assert_eq!(said(&ledger).unwrap(), all);
    wait(ledger.revoke(revocation(A, Some(3)), at(71))).unwrap();
    assert_eq!(said(&ledger).unwrap().len(), 4);
    drop(ledger);
    let report = SqliteLedger::verify(&path, &key).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    // Of before the key, too, nothing is believed that was edited since.
    forced(&path, "UPDATE events SET event = replace(event, 'leak', 'slip') WHERE sequence = 3");
    let ledger = SqliteLedger::open(&path, &bound, Create::Never, &MachineRandomness).unwrap();
    assert!(matches!(said(&ledger), Err(LedgerError::Damaged { .. })));
}

#[test]
fn a_revocation_that_somebody_removed_added_or_edited_is_refused_by_who_asks_and_by_who_verifies() {
    let (_folder, path, _) = filled();
    let sound = fs::read(&path).unwrap();
    let of_b = "(SELECT sequence FROM events WHERE kind = 'key' AND event LIKE '%fedc%')";
    for edit in [
        format!("DELETE FROM events WHERE sequence = {of_b}"),
        format!("DELETE FROM totals WHERE what = 'revocation' AND ends_on = {of_b}"),
        format!("DELETE FROM events WHERE sequence = {of_b}; DELETE FROM totals WHERE what = 'revocation' AND ends_on = 5"),
        "DELETE FROM totals WHERE what = 'revocation'".to_owned(),
        format!("UPDATE totals SET ends_on = 1 WHERE what = 'revocation' AND ends_on = {of_b}"),
        "INSERT INTO totals VALUES ('revocation', 0, 0, 1, 1, 0)".to_owned(),
        format!(
            "UPDATE events SET event = replace(event, '\"received_after\":\"2026', '\"received_after\":\"2027') WHERE sequence = {of_b}"
        ),
        format!("UPDATE events SET kind = 'purge' WHERE sequence = {of_b}"),
    ] {
        fs::write(&path, &sound).unwrap();
        forced(&path, &edit);
        let asked = reopen(&path).and_then(|ledger| said(&ledger));
        assert!(matches!(asked, Err(LedgerError::Damaged { .. })), "{edit}: {asked:?}");
        let verified = SqliteLedger::verify(&path, &Seals::UNKEYED);
        assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{edit}");
    }
}
