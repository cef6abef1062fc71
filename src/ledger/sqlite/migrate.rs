//! Bringing older files up to date: SQL that is never edited once released, and what SQL alone cannot do.

use rusqlite::params;
use rusqlite::types::Value;

use super::db::Db;
use super::{chain, names, paid, payments, rows, terms, totals, tree, write};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::ledger::LedgerHead;
use crate::ledger::chain::NO_SALT;
use crate::ledger::sql::cells::signed;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Kept, names_of};
use crate::ledger::sql::standing::Standing;
use crate::ledger::sql::totals::Changes;
use crate::ledger::terms::TermsText;

/// What SQL alone cannot do, of a ledger that had that schema before.
type Work = fn(&Db, usize) -> Result<(), Fault>;

/// One step from a schema version to the next.
pub(super) struct Migration {
    sql: &'static str,
    /// What follows the SQL, in the same transaction.
    then: Option<Work>,
}

impl Migration {
    /// SQL alone.
    pub(super) const fn sql(sql: &'static str) -> Self {
        Self { sql, then: None }
    }
}

/// Every migration, oldest first; the schema version is how many were applied.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration::sql(include_str!("../schema/0001_first.sql")),
    Migration::sql(include_str!("../schema/0002_checks.sql")),
    Migration::sql(include_str!("../schema/0003_borders.sql")),
    Migration::sql(include_str!("../schema/0004_payments.sql")),
    Migration { sql: include_str!("../schema/0005_sets.sql"), then: Some(nothing_to_fold) },
    Migration::sql(include_str!("../schema/0006_sealed.sql")),
    Migration { sql: include_str!("../schema/0007_whole.sql"), then: Some(seal_all) },
];

/// The first schema whose bills have seals.
const SEALED: usize = 6;

/// Applies what is missing from `version` on, all of it or nothing; nothing, too, unless `holds` says that it holds together.
pub(super) fn from(
    connection: &Db,
    version: usize,
    migrations: &[Migration],
    holds: impl FnOnce() -> Result<(), Fault>,
) -> Result<(), Fault> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let migrated = applied(connection, version, migrations).and_then(|()| holds()).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if migrated.is_err() {
        drop(connection.execute_batch("ROLLBACK"));
    }
    migrated
}

fn applied(connection: &Db, version: usize, migrations: &[Migration]) -> Result<(), Fault> {
    for (index, migration) in migrations.iter().enumerate().skip(version) {
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        // Another process may have migrated between our look and our lock.
        let present: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if present == number {
            connection.execute_batch(migration.sql)?;
            if let Some(then) = migration.then {
                then(connection, version)?;
            }
            connection.pragma_update(None, "user_version", number.saturating_add(1))?;
        }
    }
    Ok(())
}

const HAS_BEFORE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'bills_before')";

/// What a ledger of before holds is folded into the tables of today, so not before those are there; a new one holds nothing.
fn nothing_to_fold(connection: &Db, _: usize) -> Result<(), Fault> {
    let holds_any: bool = connection.query_row("SELECT EXISTS (SELECT 1 FROM events)", [], |row| row.get(0))?;
    if !holds_any {
        connection.execute_batch(include_str!("../schema/0005_sets_filled.sql"))?;
    }
    Ok(())
}

/// Gives every payment its seal, and makes the trees of all seals.
fn seal_all(connection: &Db, from: usize) -> Result<(), Fault> {
    write::seal_payments(connection)?;
    if from < SEALED {
        seal_bills(connection)?;
    }
    connection.execute("DELETE FROM totals WHERE count = 0", [])?;
    tree::make(connection, totals::sealed(connection)?)
}

/// Gives every bill what `0006_sealed.sql` brought: the ledger's salt where it salted anything of the bill, whether it was purged, and a
/// seal.
fn seal_bills(connection: &Db) -> Result<(), Fault> {
    if connection.query_row(HAS_BEFORE, [], |row| row.get(0))? {
        fold_anew(connection)?;
    }
    let last_purge: Option<i64> = connection.query_row("SELECT MAX(sequence) FROM events WHERE kind = 'purge'", [], |row| row.get(0))?;
    let salt: Vec<u8> = connection.query_row("SELECT COALESCE(MAX(salt), zeroblob(16)) FROM meta", [], |row| row.get(0))?;
    let mut statement = connection.prepare(
        "SELECT id, EXISTS (SELECT 1 FROM customers WHERE bill = bills.id), EXISTS (SELECT 1 FROM bodies WHERE bill = bills.id) FROM bills",
    )?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let (id, has_customer, has_bodies): (i64, bool, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let purged_by = last_purge.filter(|_| !has_customer && !has_bodies).map_or(Value::Null, Value::Integer);
        let salt = if has_customer { Value::Blob(salt.clone()) } else { Value::Null };
        write::write_columns(connection, id, &[("salt", salt), ("purged_by", purged_by)], false)?;
    }
    connection.execute("UPDATE meta SET salt = ?1, chained_after = (SELECT COALESCE(MAX(sequence), 0) FROM events)", [NO_SALT])?;
    Ok(())
}

/// Fills the tables of `0005_sets.sql` from the events and from what lay beside the tables of before.
fn fold_anew(connection: &Db) -> Result<(), Fault> {
    let mut changes = Changes::default();
    let mut numbers = connection.prepare("SELECT invoice_number FROM bills_before ORDER BY rowid")?;
    let mut found = numbers.query([])?;
    while let Some(row) = found.next()? {
        let text: String = row.get(0)?;
        let number = InvoiceNumber::new(text).map_err(|error| Fault::Damaged(format!("an invoice number is none: {error}")))?;
        fold_bill(connection, &number)?;
    }
    drop(found);
    connection.execute_batch(
        "INSERT INTO bodies (bill, request_id, body) SELECT bills.id, request_id, body FROM bodies_before \
         JOIN bills ON bills.invoice_number = bodies_before.invoice_number; \
         INSERT INTO customers (bill, name, email, account_name) SELECT bills.id, name, email, account_name FROM customers_before \
         JOIN bills ON bills.invoice_number = customers_before.invoice_number ORDER BY bills.id",
    )?;
    // Whose payments are can be told only when all names are there.
    let last: i64 = connection.query_row("SELECT COALESCE(MAX(id), 0) FROM bills", [], |row| row.get(0))?;
    for id in 1..=last {
        let Some(row) = rows::load_by_id(connection, id)? else { continue };
        let (standing, _) = paid::standing(connection, &row.state)?;
        if standing != Standing::default() {
            write::write_columns(connection, row.id, &standing.columns(), true)?;
        }
        changes.bill(None, &row.state, standing.paid.is_some())?;
    }
    payments::visit_payments(connection, |_, payment| changes.payment(payment.amount.get()))?;
    totals::write(&mut changes, connection)?;
    drop(numbers);
    Ok(connection.execute_batch(include_str!("../schema/0005_sets_filled.sql"))?)
}

/// One bill out of its events, which learn what came before them.
fn fold_bill(connection: &Db, number: &InvoiceNumber) -> Result<(), Fault> {
    let (mut state, mut last_hash) = (None::<BillState>, LedgerHead::EMPTY.hash);
    let mut sequences: Vec<i64> = Vec::new();
    chain::visit_links(connection, "WHERE invoice_number = ?1 AND kind = 'bill' ORDER BY sequence", [number.as_str()], |link| {
        let after = BillState::apply(state.take(), number, link.timestamp()?, &link.event()?).map_err(Fault::Illegal)?;
        state = Some(BillState { last_event: link.sequence, ..after });
        last_hash = link.hash;
        sequences.push(signed(link.sequence)?);
        Ok(())
    })?;
    let Some(state) = state else {
        return Err(Fault::Damaged(format!("invoice `{number}` has no events")));
    };
    let mut update = connection.prepare_cached("UPDATE events SET previous = ?2 WHERE sequence = ?1")?;
    for pair in sequences.windows(2) {
        if let [previous, sequence] = pair {
            update.execute(params![sequence, previous])?;
        }
    }
    let text = TermsText::of(&state.terms).map_err(Fault::Failed)?;
    let kept = Kept { terms: terms::insert(connection, &text)?, terms_digest: text.digest, ..Kept::default() };
    let id = write::last_bill(connection)?.saturating_add(1);
    write::insert(connection, id, &state, &kept, &last_hash)?;
    names::store(connection, id, &[], &names_of(&state))
}
