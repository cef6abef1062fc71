//! Making and opening the tables: schema, binding, and the cheap checks every opening makes.

use super::engine::Engine;
use super::patience::Patience;
use super::read;
use super::server::{Access, SCHEMA, Server};
use super::session::Session;
use crate::ledger::chain::{NO_SALT, Origin};
use crate::ledger::sql::cells::{bytes, count, integer, required, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{LINKS, Link};
use crate::ledger::{Binding, Create, Head, LedgerError};

/// Every migration, oldest first; the schema version is how many were applied. SQL that is never edited once released.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("../schema/postgres/0001_first.sql")];

/// Whoever makes or migrates tables holds this.
const MIGRATING: i64 = 0x5447_4948;

/// What opening found.
enum Found {
    Nothing,
    Tables { version: usize, binding: Binding },
}

/// Opens for writing; creates and migrates as needed. Gives whether it was created.
pub(super) fn writable(engine: &Engine, binding: &Binding, create: Create) -> Result<bool, LedgerError> {
    let (server, place) = (engine.server.clone(), engine.server.place());
    let known = MIGRATIONS.len();
    let found = ask(engine, &server, Access::Write).map_err(|fault| place.error(fault))?;
    let (version, is_new) = match found {
        Found::Nothing if create == Create::Never => return Err(LedgerError::Missing { path: server.name() }),
        Found::Nothing => (0, true),
        Found::Tables { version, binding: found } => {
            check(&server, version, &found, Some(binding))?;
            (version, false)
        }
    };
    if version < known {
        let (server, binding) = (server.clone(), binding.clone());
        engine
            .wait(async move { migrate(&server.connect(Access::Write).await?, &binding, MIGRATIONS).await })
            .map_err(|fault| place.error(fault))?;
    }
    engine.wait(checked(server)).map_err(|fault| place.error(fault))?;
    Ok(is_new)
}

/// Opens for reading; never creates nor migrates. Without a `binding`, whatever the ledger belongs to is accepted.
pub(super) fn read_only(engine: &Engine, binding: Option<&Binding>) -> Result<(), LedgerError> {
    let server = engine.server.clone();
    match ask(engine, &server, Access::Read).map_err(|fault| server.place().error(fault))? {
        Found::Nothing => Err(LedgerError::Missing { path: server.name() }),
        Found::Tables { version, binding: found } => {
            check(&server, version, &found, binding)?;
            if version < MIGRATIONS.len() {
                return Err(LedgerError::TooOld { path: server.name(), found: version, known: MIGRATIONS.len() });
            }
            Ok(())
        }
    }
}

fn check(server: &Server, version: usize, found: &Binding, wanted: Option<&Binding>) -> Result<(), LedgerError> {
    if version > MIGRATIONS.len() {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        return Err(LedgerError::TooNew { path: server.name(), found: number(version), known: number(MIGRATIONS.len()) });
    }
    match wanted.filter(|wanted| *wanted != found) {
        Some(wanted) => Err(LedgerError::OtherBinding { path: server.name(), found: found.to_string(), wanted: wanted.to_string() }),
        None => Ok(()),
    }
}

fn ask(engine: &Engine, server: &Server, access: Access) -> Result<Found, Fault> {
    let server = server.clone();
    engine.wait(async move {
        let mut patience = Patience::of(&server);
        loop {
            let looking = async { look(&server.connect(access).await?).await };
            match looking.await {
                Err(fault) => patience.with(fault).await?,
                found => return found,
            }
        }
    })
}

async fn checked(server: Server) -> Result<(), Fault> {
    let mut patience = Patience::of(&server);
    loop {
        let checking = async { check_end(&server.connect(Access::Write).await?).await };
        match checking.await {
            Err(fault) => patience.with(fault).await?,
            checked => return checked,
        }
    }
}

async fn look(session: &Session) -> Result<Found, Fault> {
    if !is_there(session).await? {
        return Ok(Found::Nothing);
    }
    let found = session.row("SELECT schema_version, environment, client_id FROM meta", &[]).await?;
    let row = found.ok_or_else(|| Fault::Damaged("it does not say what it is bound to".into()))?;
    let version = usize::try_from(integer(&row, 0)?).map_err(|_| Fault::Damaged("its schema version is none".into()))?;
    Ok(Found::Tables { version, binding: Binding { environment: required(&row, 1)?.into(), client_id: required(&row, 2)?.into() } })
}

async fn is_there(session: &Session) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1 AND relname = 'meta')";
    let found = session.row(sql, &[&SCHEMA]).await?;
    found.map_or(Ok(false), |row| Ok(integer(&row, 0)? != 0))
}

/// Applies what is missing of `migrations`, all of it or nothing; a new ledger is bound.
pub(super) async fn migrate(session: &Session, binding: &Binding, migrations: &[&str]) -> Result<(), Fault> {
    // Making an index over many bills takes long, and whoever does the same at once waits for it.
    session
        .batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        .await?;
    session.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATING]).await?;
    let mut version = 0;
    if is_there(session).await? {
        let found = session.row("SELECT schema_version FROM meta", &[]).await?;
        version = found.map_or(Ok(0), |row| count(&row, 0))?;
    } else if session.row("SELECT 1::bigint FROM pg_namespace WHERE nspname = $1", &[&SCHEMA]).await?.is_none() {
        session.batch(&format!("CREATE SCHEMA {SCHEMA}")).await?;
    }
    let applied = usize::try_from(version).unwrap_or(usize::MAX);
    for (sql, number) in migrations.iter().zip(1_i64..).skip(applied) {
        session.batch(sql).await?;
        if number == 1 {
            let sql = "INSERT INTO meta (schema_version, environment, client_id, salt, chained_after) VALUES (1, $1, $2, $3, 0)";
            session.execute(sql, &[&binding.environment, &binding.client_id, &&NO_SALT[..]]).await?;
            let sql = "INSERT INTO head (sequence, hash, bill, terms, lease) VALUES (0, $1, 0, 0, 0)";
            session.execute(sql, &[&&Head::EMPTY.hash[..]]).await?;
        }
        session.execute("UPDATE meta SET schema_version = $1", &[&number]).await?;
    }
    session.batch("COMMIT").await
}

/// What the chain covers of the ledger's own row.
pub(super) async fn origin(session: &Session) -> Result<Origin, Fault> {
    let found = session.row("SELECT environment, client_id, salt, chained_after FROM meta", &[]).await?;
    let row = found.ok_or_else(|| Fault::Damaged("it does not say what it is bound to".into()))?;
    let salt: [u8; 16] = bytes(&row, 2)?;
    Ok(Origin::of(required(&row, 0)?, required(&row, 1)?, &salt, count(&row, 3)?))
}

/// Where the chain is said to end.
pub(super) async fn said_end(session: &Session) -> Result<Option<Head>, Fault> {
    let said = session.row("SELECT sequence, hash FROM head", &[]).await?;
    said.map(|row| Ok(Head { sequence: count(&row, 0)?, hash: bytes(&row, 1)? })).transpose()
}

/// The newest event must follow from the one before it, and be where the chain is said to end: the cheapest look that finds an edited or
/// shortened end.
pub(super) async fn check_end(session: &Session) -> Result<(), Fault> {
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let (head, origin) = (read::head(session).await?, origin(session).await?);
    if said_end(session).await? != Some(head) {
        return Err(Fault::Damaged(format!("its chain ends at event {}, and is said to end elsewhere", head.sequence)));
    }
    if let Some(before) = head.sequence.checked_sub(1) {
        let previous = read::head_at(session, before).await?.ok_or_else(|| Fault::Damaged(format!("event {before} is missing")))?;
        let last = session.row(&format!("{LINKS} WHERE sequence = $1"), &[&signed(head.sequence)?]).await?;
        let follows = last.as_ref().map_or(Ok(false), |row| Link::of(row).map(|link| link.follows(&origin, &previous)))?;
        if !follows {
            return Err(Fault::Damaged(format!("event {} does not follow from the one before it", head.sequence)));
        }
    }
    session.batch("ROLLBACK").await
}
