//! Somebody who has the file and old copies of it: rows put back with the seals they had, rows removed, an end cut off. Whatever is asked
//! afterwards is refused or answered as before.

use super::edits::forced;
use super::*;
use crate::ledger::Names;
use crate::ledger::seals::Seals;

/// What an insider does, and the question that is refused then; `old` is a copy of the ledger from before the amendment, `unpaid` one from
/// before the payment.
const ATTACKS: &[(&str, &str, &str)] = &[
    (
        "a bill as it was before an amendment",
        "DELETE FROM bills WHERE id = 1; INSERT INTO bills SELECT * FROM old.bills WHERE id = 1",
        INQUIRY,
    ),
    (
        "the same, without the events since",
        "DELETE FROM bills WHERE id = 1; INSERT INTO bills SELECT * FROM old.bills WHERE id = 1; \
         DELETE FROM events WHERE kind = 'bill' AND invoice_number = 'A' AND sequence > (SELECT last_event FROM bills WHERE id = 1)",
        INQUIRY,
    ),
    ("a payment is gone", "DELETE FROM payments WHERE invoice_number = 'A'", "the story of A"),
    (
        "a payment is gone with its event",
        "DELETE FROM payments WHERE invoice_number = 'A'; DELETE FROM events WHERE kind = 'payment' AND invoice_number = 'A'",
        ALL,
    ),
    (
        "a payment is gone with what it paid",
        "DELETE FROM payments WHERE invoice_number = 'A'; DELETE FROM bills WHERE id = 1; \
         INSERT INTO bills SELECT * FROM unpaid.bills WHERE id = 1",
        INQUIRY,
    ),
    ("a bill is gone", "DELETE FROM bills WHERE id = 2; DELETE FROM customers WHERE bill = 2; DELETE FROM names WHERE bill = 2", ALL),
    ("a bill is gone with all its events", "DELETE FROM bills WHERE id = 2; DELETE FROM events WHERE invoice_number = 'B'", ALL),
    ("the end of the chain is cut off", "DELETE FROM events WHERE sequence = (SELECT MAX(sequence) FROM events)", INQUIRY),
    (
        "the end of the chain is cut off with what it did",
        "DELETE FROM events WHERE sequence > (SELECT MAX(sequence) FROM old.events); DELETE FROM bills; INSERT INTO bills SELECT * FROM old.bills; \
         DELETE FROM payments; DELETE FROM totals; INSERT INTO totals SELECT * FROM old.totals",
        INQUIRY,
    ),
    (
        "everything as it was but the chain",
        "DELETE FROM bills; INSERT INTO bills SELECT * FROM old.bills; DELETE FROM payments; DELETE FROM totals; \
         INSERT INTO totals SELECT * FROM old.totals; DELETE FROM seals; INSERT INTO seals SELECT * FROM old.seals",
        INQUIRY,
    ),
    (
        "two bills have each other's seals",
        "CREATE TEMP TABLE two AS SELECT id, seal FROM bills; \
         UPDATE bills SET seal = (SELECT seal FROM two WHERE two.id = 3 - bills.id) WHERE id IN (1, 2)",
        INQUIRY,
    ),
    ("a payment is another", "UPDATE payments SET amount = amount - 1", "all payments"),
    ("the totals are others", "UPDATE totals SET amount = amount - 1 WHERE what = 'payment'", "the totals"),
    ("the totals were put back", "DELETE FROM totals; INSERT INTO totals SELECT * FROM old.totals", "the totals"),
    (
        "a node is another",
        "UPDATE seals SET digests = zeroblob(length(digests)) WHERE place = (SELECT MAX(place) FROM seals)",
        "the payments of A",
    ),
    ("a node is gone", "DELETE FROM seals WHERE place = (SELECT MAX(place) FROM seals)", "the payments of A"),
    ("all nodes are gone", "DELETE FROM seals", INQUIRY),
];

const INQUIRY: &str = "an inquiry about A";
const ALL: &str = "whether all is there";

fn amended(amount: u64) -> NewEvent {
    entry("A", 9, Event::Adopted { terms: terms(amount), answer: answer("77", None), wire_invoice_number: None })
}

struct Office {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    copies: [(&'static str, std::path::PathBuf); 2],
}

impl Office {
    fn new(seals: &Seals) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let bound = Binding { seals: seals.clone(), ..binding() };
        let ledger = SqliteLedger::open(&path, &bound, Create::IfMissing, &MachineRandomness).unwrap();
        let copies = [("old", folder.path().join("old.db")), ("unpaid", folder.path().join("unpaid.db"))];
        wait(ledger.record(vec![adopted("A", "77"), adopted("B", "88"), planned("C")])).unwrap();
        SqliteLedger::backup(&path, &copies[0].1).unwrap();
        wait(ledger.record(vec![amended(1)])).unwrap();
        SqliteLedger::backup(&path, &copies[1].1).unwrap();
        wait(ledger.apply_payments(&[payment(1, "A", "77", 50)])).unwrap();
        drop(ledger);
        Self { _folder: folder, path, copies }
    }

    fn attack(&self, sql: &str) {
        let attached = self.copies.iter().map(|(name, path)| format!("ATTACH '{}' AS {name};", path.display()));
        forced(&self.path, &format!("{}{sql}", attached.collect::<String>()));
    }
}

/// What is asked, in words; an error where it is refused.
fn answers(path: &Path, seals: &Seals) -> Vec<(&'static str, Result<String, String>)> {
    let bound = Binding { seals: seals.clone(), ..binding() };
    let ledger = match SqliteLedger::open_read_only(path, &bound) {
        Ok(ledger) => ledger,
        Err(error) => return vec![("open", Err(error.to_string()))],
    };
    macro_rules! answer {
        ($name:literal, $($question:tt)*) => {
            ($name, wait(async { ledger.view().await?.$($question)*.await }).map(|found| format!("{found:?}")).map_err(|error| error.to_string()))
        };
    }
    let (a, b) = (number("A"), number("B"));
    let both = Names { codes: ["77", "88"].map(|code| crate::domain::ids::PaymentCode::new(code).unwrap()).into(), ..Names::default() };
    let mut visited = Vec::new();
    let all = wait(async { ledger.view().await?.visit_bills(|state| visited.push(format!("{state:?}"))).await });
    let mut paid = Vec::new();
    let payments = wait(async { ledger.view().await?.visit_payments(|payment| paid.push(format!("{payment:?}"))).await });
    vec![
        (INQUIRY, wait(async { ledger.view().await?.bill(&a).await }).map(|found| format!("{found:?}")).map_err(|error| error.to_string())),
        answer!("an inquiry about B", bill(&b)),
        answer!("the codes' bills", bills_about(&both)),
        answer!("the marks of A", marks(&[&a])),
        answer!("the payments of A", payments_about(&Names { numbers: [a.clone()].into(), ..Names::default() })),
        answer!("whether A is paid", paid(std::slice::from_ref(&a))),
        answer!("the story of A", history(&a)),
        answer!("the totals", totals(at(9))),
        ("all bills", all.map(|()| visited.concat()).map_err(|error| error.to_string())),
        ("all payments", payments.map(|()| paid.concat()).map_err(|error| error.to_string())),
        (ALL, ask_whole(&ledger).map(|()| String::new()).map_err(|error| error.to_string())),
    ]
}

/// What names nothing any more is answered as unknown; that something is missing is for those to find who look at all.
const UNKNOWN: &[&str] = &["None", "[]", "{}"];

#[test]
fn what_was_put_back_or_removed_is_refused_or_changes_no_answer() {
    for seals in [Seals::UNKEYED, Seals::keyed(&"a-key-of-the-ledger-0123456789".into())] {
        let office = Office::new(&seals);
        let (sound, before) = (fs::read(&office.path).unwrap(), answers(&office.path, &seals));
        assert!(before.iter().all(|(_, answer)| answer.is_ok()), "{before:?}");
        for (what, sql, refused) in ATTACKS {
            fs::write(&office.path, &sound).unwrap();
            office.attack(sql);
            let after = answers(&office.path, &seals);
            for ((question, was), (_, is)) in before.iter().zip(&after) {
                let is_unknown = is.as_ref().is_ok_and(|answer| UNKNOWN.contains(&answer.as_str()));
                let may_be_unknown = is_unknown && what.contains("gone");
                assert!(is.is_err() || is == was || may_be_unknown, "{what}: {question} is answered: {is:?}\nand was: {was:?}");
            }
            assert!(after.iter().any(|(name, answer)| ["open", *refused].contains(name) && answer.is_err()), "{what}: {after:?}");
            let verified = SqliteLedger::verify(&office.path, &seals);
            assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{what}: verify finds nothing");
        }
    }
}

#[test]
fn what_was_put_back_is_not_laundered_by_what_is_written_on_it() {
    for (what, sql, _) in ATTACKS.iter().take(7) {
        let office = Office::new(&Seals::UNKEYED);
        office.attack(sql);
        if let Ok(ledger) = reopen(&office.path) {
            // Some of it is refused already.
            drop(wait(ledger.record(vec![amended(2)])));
            drop(wait(ledger.record(vec![planned("D"), adopted("E", "99")])));
            drop(wait(ledger.apply_payments(&[payment(2, "E", "99", 60)])));
            assert!(ask_whole(&ledger).is_err(), "{what}");
        }
        let verified = SqliteLedger::verify(&office.path, &Seals::UNKEYED);
        assert!(verified.is_err() || verified.is_ok_and(|report| !report.is_sound()), "{what}: verify finds nothing");
    }
}

fn ask_whole(ledger: &SqliteLedger) -> Result<(), LedgerError> {
    wait(async { ledger.view().await?.whole().await })
}

/// A ledger as the version before trees of seals left it.
fn as_schema_6(path: &Path) {
    forced(
        path,
        "DROP TABLE seals; ALTER TABLE payments DROP COLUMN seal; ALTER TABLE meta DROP COLUMN key; ALTER TABLE meta DROP COLUMN keyed_after; \
         PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' OR kind = ''key''', '') WHERE name = 'events'; \
         PRAGMA writable_schema = RESET; PRAGMA user_version = 6",
    );
}

#[test]
fn an_older_ledger_that_does_not_hold_together_is_not_migrated() {
    let office = Office::new(&Seals::UNKEYED);
    office.copies.iter().for_each(|(_, copy)| as_schema_6(copy));
    as_schema_6(&office.path);
    let sound = fs::read(&office.path).unwrap();
    let beside = || fs::read_dir(office.path.parent().unwrap()).unwrap().count();
    let files = beside();
    let edited = [("an event is another", "UPDATE events SET event = event || ' ' WHERE sequence = 2", "")];
    for (what, sql, _) in ATTACKS.iter().filter(|(_, sql, _)| !sql.contains("seals")).chain(&edited) {
        fs::write(&office.path, &sound).unwrap();
        office.attack(sql);
        let before = fs::read(&office.path).unwrap();
        let refused = reopen(&office.path);
        assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{what}: {refused:?}");
        assert!(fs::read(&office.path).unwrap() == before, "{what}: nothing was changed");
        assert_eq!(beside(), files, "{what}: nothing is beside it");
    }
    fs::write(&office.path, &sound).unwrap();
    let ledger = reopen(&office.path).unwrap();
    assert_eq!(ledger.migrated().map(|migrated| (migrated.from, migrated.to)), Some((6, 7)));
    ask_whole(&ledger).unwrap();
}
