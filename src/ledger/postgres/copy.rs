//! Moving a ledger whole, table by table: out of the database into an SQLite file, and back. What was copied is verified before it counts.
//!
//! One verifier is enough: a ledger of the database is verified as the copy it would have.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::engine::Engine;
use super::server::{Access, PostgresServer};
use super::session::Session;
use super::tables::{self, Table};
use super::{origin, read, schema, tree};
use crate::ledger::sql::cells::{Cells as _, Value, bytes, integer, required, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::ledger::sqlite::open::{Blank, of_whomever};
use crate::ledger::sqlite::{SqliteLedger, VerifyReport};
use crate::ledger::{Binding, LedgerError, LedgerHead};
use crate::private::folder_of;

/// Rows written at once.
const ROWS_AT_ONCE: usize = 1_000;

/// Copies the ledger as it is now to an SQLite ledger at `to`, which must not exist yet.
pub(super) async fn out(engine: &Arc<Engine>, to: &Path) -> Result<LedgerHead, LedgerError> {
    let (place, target) = (engine.server.place(), Place::new(to));
    if to.exists() {
        return Err(target.failed("it exists already, and a backup never overwrites"));
    }
    let lent = engine.lend().await.map_err(|fault| place.error(fault))?;
    let copied = async {
        let blank = copied(lent.session()?, folder_of(to)).await?;
        Ok::<_, Fault>(blank)
    };
    let blank = copied
        .await
        .map_err(|fault| if matches!(fault, Fault::Sql(_) | Fault::Io(_)) { target.error(fault) } else { place.error(fault) })?;
    blank.keep(to).map_err(|fault| target.error(fault))?;
    Ok(lent.head)
}

/// Verifies the ledger as it is now. With `expected`, also that its chain still contains that head.
pub(super) async fn verify(engine: &Arc<Engine>, expected: Option<&LedgerHead>) -> Result<VerifyReport, LedgerError> {
    let place = engine.server.place();
    let lent = engine.lend().await.map_err(|fault| place.error(fault))?;
    let looked = async {
        let session = lent.session()?;
        let differences = schema::differences(session).await?;
        let end = origin::said_end(session).await?;
        let blank = copied(session, &std::env::temp_dir()).await?;
        Ok::<_, Fault>((differences, end, blank))
    };
    let (differences, end, blank) = looked.await.map_err(|fault| place.error(fault))?;
    let mut report = verified(&blank, expected, place)?;
    if end != Some(report.head) {
        report.find(format!("the chain ends at event {}, and is said to end elsewhere", report.head.sequence));
    }
    for difference in differences {
        report.find(difference);
    }
    Ok(report)
}

/// What verifying a copy finds, as if it were found in the ledger itself.
fn verified(blank: &Blank, expected: Option<&LedgerHead>, place: &Place) -> Result<VerifyReport, LedgerError> {
    let report = match expected {
        Some(head) => SqliteLedger::verify_against(blank.path(), &blank.seals, head),
        None => SqliteLedger::verify(blank.path(), &blank.seals),
    };
    report.map_err(|error| match error {
        LedgerError::Damaged { reason, .. } => place.damaged(reason),
        LedgerError::Storage { reason, .. } => place.failed(format!("its copy for verifying: {reason}")),
        error => error,
    })
}

/// Fills the ledger, which must be empty, with the SQLite ledger at `from`.
pub(super) async fn fill(engine: &Arc<Engine>, from: &Path) -> Result<LedgerHead, LedgerError> {
    let (place, source) = (engine.server.place(), Place::new(from));
    let report = SqliteLedger::verify(from, &engine.server.seals)?;
    if let Some(finding) = report.findings.first() {
        return Err(source.damaged(finding.clone()));
    }
    let opened = of_whomever(&source, &engine.server.seals)?;
    let server = engine.server.clone();
    let session = engine.done(async move { server.connect(Access::Write).await }).await.map_err(|fault| place.error(fault))?;
    let filled = filled(&session, &engine.server, &opened.connection, report.head).await;
    if filled.is_err() {
        drop(session.batch("ROLLBACK").await);
    }
    filled.map_err(|fault| place.error(fault))?;
    Ok(report.head)
}

async fn filled(session: &Session, server: &PostgresServer, from: &Connection, head: LedgerHead) -> Result<(), Fault> {
    session.takes_time(true);
    session.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    session.query("SELECT sequence FROM head FOR UPDATE", &[]).await?;
    if read::head(session).await? != LedgerHead::EMPTY {
        return Err(Fault::Failed("it has events already, and only an empty ledger can be filled".into()));
    }
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let (environment, client_id, salt, after, keyed_after): (String, String, Vec<u8>, i64, i64) =
        from.query_row("SELECT environment, client_id, salt, chained_after, keyed_after FROM meta", [], row)?;
    let sql = "UPDATE meta SET salt = $3, chained_after = $4, keyed_after = $5 WHERE environment = $1 AND client_id = $2";
    if session.execute(sql, &[&environment, &client_id, &salt, &after, &keyed_after]).await? != 1 {
        let binding = Binding { environment, client_id, seals: session.seals.clone() };
        return Err(Fault::Failed(format!("what is to fill it belongs to {binding}")));
    }
    for table in &tables::ALL {
        copy_in(session, table, from).await?;
    }
    let last = |sql: &str| from.query_row(sql, [], |row| row.get::<_, i64>(0));
    let (bill, terms) = (last("SELECT COALESCE(MAX(id), 0) FROM bills")?, last("SELECT COALESCE(MAX(id), 0) FROM terms")?);
    let lease = last("SELECT COALESCE(MAX(fence), 0) FROM events")?;
    let ends: [read::Parameter<'_>; 5] = [&signed(head.sequence)?, &head.hash.to_vec(), &bill, &terms, &lease];
    session.execute("UPDATE head SET sequence = $1, hash = $2, bill = $3, terms = $4, lease = GREATEST(lease, $5)", &ends).await?;
    // Read back before it counts.
    let blank = copied(session, &std::env::temp_dir()).await?;
    match verified(&blank, Some(&head), server.place()) {
        Ok(report) if report.is_sound() && report.head == head => session.batch("COMMIT").await,
        Ok(report) => Err(Fault::Failed(format!("what was written is not what is read: {}", report.findings.join("; ")))),
        Err(error) => Err(Fault::Failed(error.to_string())),
    }
}

/// Whether what the session's transaction sees holds together.
pub(super) async fn check(session: &Session) -> Result<(), Fault> {
    let blank = copied(session, &std::env::temp_dir()).await?;
    let report = SqliteLedger::verify(blank.path(), &session.seals).map_err(|error| Fault::Damaged(error.to_string()))?;
    match report.findings.first() {
        Some(finding) => Err(Fault::Damaged(format!("it was not brought up to date, and is as it was: {finding}"))),
        None => Ok(()),
    }
}

async fn copy_in(session: &Session, table: &Table, from: &Connection) -> Result<(), Fault> {
    let mut statement = from.prepare(&format!("SELECT {} FROM {}", table.names(), table.name))?;
    let mut found = statement.query([])?;
    let mut rows: Vec<tables::Row> = Vec::with_capacity(ROWS_AT_ONCE);
    loop {
        let row = found.next()?;
        if rows.len() >= ROWS_AT_ONCE || row.is_none() {
            // The one row that an empty ledger has is the top of its trees.
            let otherwise = if table.name == tables::SEALS.name { tree::AGAIN } else { "" };
            table.insert(session, std::mem::take(&mut rows), otherwise).await?;
        }
        let Some(row) = row else { return Ok(()) };
        rows.push((0..table.columns.len()).map(|column| row.get::<_, Value>(column)).collect::<Result<_, _>>()?);
    }
}

/// A copy in `folder` of what the session's transaction sees.
async fn copied(session: &Session, folder: &Path) -> Result<Blank, Fault> {
    let meta = session.row("SELECT environment, client_id, salt, chained_after, keyed_after FROM meta", &[]).await?;
    let meta = meta.ok_or_else(|| Fault::Damaged("it does not say what it is bound to".into()))?;
    let seals = session.seals.clone();
    let binding = Binding { environment: required(&meta, 0)?.into(), client_id: required(&meta, 1)?.into(), seals };
    let blank = Blank::newest(folder, &binding)?;
    let to = &blank.connection;
    // It is made durable whole, or not at all; and what does not hold together is for the verifier to say.
    to.pragma_update(None, "synchronous", "OFF")?;
    to.pragma_update(None, "foreign_keys", false)?;
    to.pragma_update(None, "ignore_check_constraints", true)?;
    to.execute_batch("BEGIN")?;
    let salt: [u8; 16] = bytes(&meta, 2)?;
    to.execute("UPDATE meta SET salt = ?1, chained_after = ?2, keyed_after = ?3", (salt, integer(&meta, 3)?, integer(&meta, 4)?))?;
    to.execute("DELETE FROM seals", [])?;
    for table in &tables::ALL {
        copy_out(session, table, to).await?;
    }
    to.execute_batch("COMMIT")?;
    to.pragma_update(None, "foreign_keys", true)?;
    Ok(blank)
}

async fn copy_out(session: &Session, table: &Table, to: &Connection) -> Result<(), Fault> {
    let places: Vec<String> = (1..=table.columns.len()).map(|number| format!("?{number}")).collect();
    let mut insert = to.prepare(&format!("INSERT INTO {} ({}) VALUES ({})", table.name, table.names(), places.join(", ")))?;
    let one = |row: &tokio_postgres::Row| {
        let values = (0..table.columns.len()).map(|column| {
            Value::try_from(row.cell(column)?).map_err(|error| Fault::Damaged(format!("a row of `{}` cannot be read: {error}", table.name)))
        });
        let values = values.collect::<Result<Vec<Value>, Fault>>()?;
        insert.execute(rusqlite::params_from_iter(values)).map_err(|error| unkept(table, &error, row))?;
        Ok(true)
    };
    session.visit(&format!("SELECT {} FROM {}", table.names(), table.name), &[], one).await
}

/// What the same table of SQLite does not take contradicts what the table is for.
fn unkept(table: &Table, error: &rusqlite::Error, row: &tokio_postgres::Row) -> Fault {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        let key = integer(row, 0).map_or_else(|_| required(row, 0).unwrap_or("?").to_owned(), |number| number.to_string());
        return Fault::Damaged(format!("row `{key}` of `{}` cannot be: {error}", table.name));
    }
    Fault::Failed(format!("the copy cannot be written: {error}"))
}
