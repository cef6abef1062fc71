//! An edit of any table, and of what makes them tables, is found: every column of every row, as SQLite itself lists them.

use rusqlite::types::Value;

use super::*;
use crate::domain::lifecycle::HoldCause;
use crate::ledger::conformance::orders::reissued;

/// Runs SQL behind triggers and constraints, which are back afterwards.
pub(super) fn forced(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    let triggers: Vec<(String, String)> = listed(&connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;").unwrap();
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    for (_, text) in &triggers {
        connection.execute_batch(text).unwrap();
    }
}

fn listed(connection: &Connection, sql: &str) -> Vec<(String, String)> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// A ledger with a row in every table that a store of one host writes, purged bills among them.
fn full() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, ledger) = new_sqlite();
    let named = |entry: NewEvent, name: &str, salt: u8| {
        let customer = Customer { name: Personal::new(name), email: Some(Personal::new("a@b.id")), account_name: None };
        NewEvent { private: Private { customer: Some((customer, Salt::new([salt; 16]))), ..entry.private }, ..entry }
    };
    let checked = found(1, "HELD", 5);
    let answer_body = Private { body: Some((checked.request_id, b"answer".to_vec())), customer: None };
    let checked = Event::Checked {
        order: number("HELD"),
        word: Word::Success,
        chosen: true,
        payment: Some(checked),
        details: StatusDetails::default(),
    };
    let held = Event::Held { cause: HoldCause::NotUnderstood, reason: "money".into(), evidence: "e".into() };
    let expired = Event::Adopted { terms: terms(5), answer: answer("66", Some(at(20))), wire_invoice_number: None };
    wait(
        ledger.record(
            [
                reissued(),
                vec![
                    named(planned("OPEN"), "Siti", 1),
                    named(intended("OPEN", 1, OperationKind::Issue, terms(5)), "Siti", 1),
                    named(entry("GONE", 2, expired), "Budi", 2),
                    adopted("HELD", "44"),
                    NewEvent { private: answer_body, ..entry("HELD", 6, checked) },
                    entry("HELD", 7, held),
                ],
            ]
            .concat(),
        ),
    )
    .unwrap();
    wait(ledger.apply_payments(&[payment(1, "A", "11", 50), payment(2, "HELD", "44", 60)])).unwrap();
    assert_eq!(wait(ledger.purge_personal(at(30), at(6_000))).unwrap().customers, 1);
    let path = folder.path().join("ledger.db");
    (folder, path)
}

/// Whether verifying says that something is wrong; never that all is well, and never that the disk is at fault.
fn is_found(path: &Path) -> bool {
    match SqliteLedger::verify(path, &Seals::UNKEYED) {
        Ok(report) => !report.is_sound(),
        Err(error) => matches!(error, LedgerError::Damaged { .. } | LedgerError::OtherKey { .. }),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => format!("x'{}'", digest::hex(bytes)),
    }
}

/// Another value of the same type; of nothing, something of the column's.
fn other(value: &Value, declared: &str) -> Value {
    match (value, declared) {
        (Value::Integer(number), _) => Value::Integer(number + 1_000),
        (Value::Text(text), _) => Value::Text(format!("{text}x")),
        (Value::Blob(bytes), _) => Value::Blob(bytes.iter().map(|byte| byte ^ 1).collect()),
        (_, "INTEGER") => Value::Integer(1),
        (_, "TEXT") => Value::Text("x".into()),
        (_, _) => Value::Blob(vec![7; 16]),
    }
}

/// Every edit of one cell and every loss of one row, and the tables without any.
fn edits_of(path: &Path) -> (Vec<String>, Vec<String>) {
    let connection = Connection::open(path).unwrap();
    let (mut edits, mut empty) = (Vec::new(), Vec::new());
    for (table, _) in listed(&connection, "SELECT name, name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let columns = listed(&connection, &format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY cid"));
        let keys = listed(&connection, &format!("SELECT name, type FROM pragma_table_info('{table}') WHERE pk > 0"));
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut statement = connection.prepare(&format!("SELECT {} FROM {table}", names.join(", "))).unwrap();
        let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>();
        let rows: Vec<Vec<Value>> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
        if rows.is_empty() {
            empty.push(table.clone());
        }
        for row in rows {
            let of = |column: &str| shown(&row[names.iter().position(|name| *name == column).unwrap()]);
            let place = keys.iter().map(|(key, _)| format!("{key} = {}", of(key))).collect::<Vec<_>>().join(" AND ");
            edits.push(format!("DELETE FROM {table} WHERE {place}"));
            for ((column, declared), value) in columns.iter().zip(&row) {
                edits.push(format!("UPDATE {table} SET {column} = {} WHERE {place}", shown(&other(value, declared))));
            }
        }
    }
    empty.sort();
    (edits, empty)
}

/// Tries all edits of a sound ledger; each must be found.
pub(super) fn none_goes_unnoticed(path: &Path, empty: &[&str]) {
    let report = SqliteLedger::verify(path, &Seals::UNKEYED).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let sound = fs::read(path).unwrap();
    let (edits, found_empty) = edits_of(path);
    assert_eq!(found_empty, empty, "a row of every other table to edit");
    assert!(edits.len() > 300, "{}", edits.len());
    let mut missed = Vec::new();
    for edit in edits {
        fs::write(path, &sound).unwrap();
        forced(path, &edit);
        if !is_found(path) {
            missed.push(edit);
        }
    }
    fs::write(path, &sound).unwrap();
    assert!(missed.is_empty(), "{} edits were not found:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn an_edit_of_any_column_of_any_row_and_the_loss_of_any_row_are_found() {
    let (_folder, path) = full();
    // Leases are for several hosts; nothing of one host depends on them.
    none_goes_unnoticed(&path, &["leases"]);
}

#[test]
fn what_the_tables_are_made_of_cannot_be_changed_unnoticed() {
    let (_folder, path) = full();
    let sound = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let objects = listed(&connection, "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'");
    let mut edits =
        vec!["CREATE TABLE extra (x)".to_owned(), "CREATE TRIGGER extra AFTER INSERT ON payments BEGIN DELETE FROM names; END".into()];
    for (kind, name) in &objects {
        edits.push(format!("PRAGMA foreign_keys = OFF; DROP {kind} {name}"));
        if kind == "table" {
            edits.push(format!("ALTER TABLE {name} ADD COLUMN extra TEXT"));
            let (column, _) =
                listed(&connection, &format!("SELECT name, type FROM pragma_table_info('{name}') ORDER BY cid DESC LIMIT 1")).remove(0);
            edits.push(format!("ALTER TABLE {name} RENAME COLUMN {column} TO {column}_before"));
        }
    }
    drop(connection);
    for edit in edits {
        fs::write(&path, &sound).unwrap();
        tamper(&path, &edit);
        assert!(is_found(&path), "{edit}");
    }
}

#[test]
fn whoever_reads_an_edited_row_finds_it() {
    for edit in [
        "UPDATE bills SET amount = amount + 1",
        "UPDATE bills SET status = 'cancelled'",
        "UPDATE bills SET paid = NULL, first_paid_at = NULL",
        "UPDATE bills SET salt = zeroblob(16)",
        "UPDATE bills SET seal = NULL",
        "UPDATE terms SET text = replace(text, '150000', '1')",
        "UPDATE events SET hash = zeroblob(32) WHERE sequence < (SELECT MAX(sequence) FROM events)",
    ] {
        let (folder, ledger) = new_sqlite();
        wait(ledger.record(vec![adopted("A", "77"), planned("Z")])).unwrap();
        wait(ledger.apply_payments(&[payment(1, "A", "77", 50)])).unwrap();
        let path = folder.path().join("ledger.db");
        forced(&path, edit);
        let is_damage = |error: LedgerError| assert!(error.to_string().contains("its seal does not fit"), "{edit}: {error}");
        let (a, view) = (number("A"), wait(ledger.view()).unwrap());
        is_damage(wait(view.bills(std::slice::from_ref(&a))).unwrap_err());
        is_damage(wait(view.marks(&[&a])).unwrap_err());
        is_damage(wait(view.visit_bills(drop)).unwrap_err());
        is_damage(wait(ledger.record(vec![entry("A", 5, Event::Retired { reason: "expired".into() })])).unwrap_err());
        is_damage(wait(ledger.apply_payments(&[payment(2, "A", "77", 51)])).unwrap_err());
    }
}

#[test]
fn a_customer_that_is_not_who_was_given_is_shown_to_nobody() {
    let (_folder, path) = full();
    let sound = fs::read(&path).unwrap();
    let customer =
        |invoice: &str| wait(async { SqliteLedger::open_read_only(&path, &binding())?.view().await?.customer(&number(invoice)).await });
    assert_eq!(customer("OPEN").unwrap().unwrap().name.reveal(), "Siti");
    assert_eq!(customer("GONE").unwrap(), None, "it was purged");
    for edit in [
        "UPDATE customers SET name = 'Budi'",
        "UPDATE customers SET email = NULL",
        "DELETE FROM customers",
        "UPDATE events SET beside = zeroblob(16) WHERE beside IS NOT NULL",
        "UPDATE events SET beside = NULL",
    ] {
        forced(&path, edit);
        assert!(matches!(customer("OPEN"), Err(LedgerError::Damaged { .. })), "{edit}");
        fs::write(&path, &sound).unwrap();
    }
}

/// What every command does with a ledger, one after the other; what it came to.
fn uses(path: &Path) -> Vec<(&'static str, Result<(), LedgerError>)> {
    let opened = SqliteLedger::open(path, &binding(), Create::Never, &MachineRandomness);
    let Ok(ledger) = opened else { return vec![("open", opened.map(drop))] };
    let looked = wait(async {
        let view = ledger.view().await?;
        view.whole().await?;
        view.visit_bills(drop).await?;
        view.visit_payments(drop).await?;
        view.visit_customers(|_, _| {}).await?;
        view.totals(at(100)).await.map(drop)
    });
    let found = wait(async { ledger.view().await?.bills(&[number("OPEN"), number("HELD"), number("GONE")]).await.map(drop) });
    let told = wait(async { ledger.view().await?.history(&number("HELD")).await.map(drop) });
    let totals = wait(async { ledger.view().await?.totals(at(100)).await.map(drop) });
    vec![
        ("verify", SqliteLedger::verify(path, &Seals::UNKEYED).map(drop)),
        ("reconcile", looked),
        ("why", found.and(told)),
        ("status", totals),
        ("issue", wait(ledger.record(vec![planned("NEW"), entry("HELD", 90, Event::Retired { reason: "expired".into() })])).map(drop)),
        ("serve", wait(ledger.apply_payments(&[payment(9, "HELD", "44", 70)])).map(drop)),
    ]
}

#[test]
fn no_number_that_somebody_puts_there_is_taken_for_a_fault_of_the_disk() {
    let (_folder, path) = full();
    let sound = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let mut edits = Vec::new();
    for (table, _) in listed(&connection, "SELECT name, name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let numbers = format!("SELECT name, type FROM pragma_table_info('{table}') WHERE type = 'INTEGER'");
        for (column, _) in listed(&connection, &numbers) {
            for (absurd, which) in [(-1, "MIN"), (i64::MIN, "MIN"), (1 << 52, "MAX"), (i64::MAX, "MAX")] {
                edits.push(format!(
                    "UPDATE OR IGNORE {table} SET {column} = {absurd} WHERE {column} = (SELECT {which}({column}) FROM {table})"
                ));
            }
        }
    }
    drop(connection);
    let mut wrong = Vec::new();
    for edit in &edits {
        fs::write(&path, &sound).unwrap();
        forced(&path, edit);
        let blamed = uses(&path).into_iter().filter_map(|(what, came_to)| match came_to {
            Err(LedgerError::Storage { reason, .. }) => Some(format!("{edit}: {what}: {reason}")),
            _ => None,
        });
        wrong.extend(blamed);
    }
    assert!(edits.len() > 100, "{}", edits.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), edits.len(), wrong.join("\n"));
}
