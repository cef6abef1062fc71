//! Somebody who makes an index say less than its table: no seal covers it, and what it lacks is not found.

use super::*;
use crate::ledger::sqlite::tests::edits::forced;

/// Edits an index as if it were a table, which its file cannot tell from one.
fn unfound(path: &Path, index: &str, edit: &str) {
    let run = |sql: &str| Connection::open(path).unwrap().execute_batch(sql).unwrap_or_else(|error| panic!("{index}: {sql}: {error}"));
    run(&format!(
        "CREATE TABLE lookalike (key, row, PRIMARY KEY (key, row)) WITHOUT ROWID; PRAGMA writable_schema = ON; \
         CREATE TABLE place AS SELECT rootpage FROM sqlite_schema WHERE name = 'lookalike'; \
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = '{index}') WHERE name = 'lookalike'"
    ));
    run(edit);
    run("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM place) WHERE name = 'lookalike'");
    run("DROP TABLE lookalike; DROP TABLE place");
}

/// A ledger with a bill under way, one that goes by several names, and payments.
fn ledger() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, ledger) = new_sqlite();
    wait(
        ledger.record(
            [
                crate::ledger::conformance::orders::reissued(),
                vec![planned("OPEN"), intended("OPEN", 1, OperationKind::Issue, terms(5)), adopted("B", "77")],
            ]
            .concat(),
        ),
    )
    .unwrap();
    wait(ledger.apply_payments(&[payment(1, "B", "77", 50)])).unwrap();
    drop(ledger);
    let path = folder.path().join("ledger.db");
    (folder, path)
}

fn is_damage<T>(result: &Result<T, LedgerError>) -> bool {
    matches!(result, Err(LedgerError::Damaged { .. }))
}

#[test]
fn what_an_index_does_not_have_is_not_taken_for_missing() {
    let (_folder, path) = ledger();
    let sound = fs::read(&path).unwrap();
    let attacks: &[(&str, &str)] = &[
        ("sqlite_autoindex_bills_1", "key = 'B'"),
        ("bills_one_a_live_code", "key = '77'"),
        ("bills_by_code", "TRUE"),
        ("bills_by_end", "TRUE"),
        ("bills_open", "TRUE"),
        ("sqlite_autoindex_payments_1", "TRUE"),
        ("payments_by_invoice", "key = 'B'"),
        ("payments_by_code", "key = '77'"),
    ];
    // And entries that lead to the bill by what it is not called.
    let taken = attacks.iter().map(|(index, which)| (*index, format!("DELETE FROM lookalike WHERE {which}")));
    let called = ["sqlite_autoindex_bills_1", "bills_one_a_live_code", "payments_by_code"];
    let changed = called.map(|index| (index, "UPDATE lookalike SET key = key || 'X'".to_owned()));
    for (index, edit) in taken.chain(changed) {
        fs::write(&path, &sound).unwrap();
        unfound(&path, index, &edit);
        let ledger = reopen(&path).unwrap();
        assert!(is_damage(&wait(async { ledger.view().await?.whole().await })), "{index}");
        drop(ledger);
        assert!(findings(&path).contains(index), "{index}");
    }
}

#[test]
fn a_bill_that_its_names_do_not_lead_to_is_found_missing() {
    let (_folder, path) = ledger();
    let sound = fs::read(&path).unwrap();
    for edit in [
        "DELETE FROM names",
        "DELETE FROM names WHERE name = (SELECT MIN(name) FROM names)",
        "UPDATE names SET name = name || 'X' WHERE kind = 'number'",
        "UPDATE names SET bill = (SELECT id FROM bills WHERE invoice_number = 'B')",
        "INSERT INTO names (bill, kind, name) VALUES ((SELECT id FROM bills WHERE invoice_number = 'B'), 'number', 'NEW')",
    ] {
        fs::write(&path, &sound).unwrap();
        forced(&path, edit);
        assert!(is_damage(&wait(async { reopen(&path)?.view().await?.whole().await })), "{edit}");
    }
}

#[test]
fn an_index_of_other_rows_is_no_index_of_ours() {
    let (_folder, path) = ledger();
    let sound = fs::read(&path).unwrap();
    let redefined =
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql || ' AND code <> ''77''' WHERE name = 'bills_one_a_live_code'";
    let like_sqlites = "CREATE TRIGGER sqlitexstat AFTER INSERT ON bills BEGIN DELETE FROM names; END";
    for edit in [redefined, like_sqlites, "DROP INDEX bills_by_code", "CREATE INDEX others ON bills (amount)"] {
        fs::write(&path, &sound).unwrap();
        tamper(&path, edit);
        drop(Connection::open(&path).unwrap().execute_batch("REINDEX"));
        assert!(is_damage(&reopen(&path)), "{edit}");
        assert!(is_damage(&SqliteLedger::open_read_only(&path, &binding())), "{edit}");
        // And whoever had it open before hears of it with the next look at all.
        fs::write(&path, &sound).unwrap();
        let ledger = reopen(&path).unwrap();
        wait(async { ledger.view().await?.whole().await }).unwrap();
        tamper(&path, edit);
        assert!(is_damage(&wait(async { ledger.view().await?.whole().await })), "{edit}");
    }
}

#[test]
fn a_file_that_says_it_is_older_than_it_is_is_damaged() {
    let (_folder, path) = ledger();
    let sound = fs::read(&path).unwrap();
    for version in 0..7 {
        fs::write(&path, &sound).unwrap();
        tamper(&path, &format!("PRAGMA user_version = {version}"));
        let refused = reopen(&path);
        assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{version}: {refused:?}");
    }
}
