//! Making and opening the tables: schema, binding, and the cheap checks every opening makes.

use super::engine::Engine;
use super::origin::{origin, said_end};
use super::patience::Patience;
use super::server::{Access, PostgresServer, SCHEMA};
use super::session::Session;
use super::{copy, read, seal_all, tree};
use crate::ledger::chain::NO_SALT;
use crate::ledger::sql::cells::{count, integer, optional, required, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{LINKS, Link};
use crate::ledger::{Binding, Create, LedgerError, LedgerHead};

/// Every migration, oldest first; the schema version is how many were applied. SQL that is never edited once released.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("../schema/postgres/0001_first.sql"), include_str!("../schema/postgres/0002_whole.sql")];

/// The schema that brought trees of seals.
const WHOLE: i64 = 2;

/// Whoever makes or migrates tables holds this.
const MIGRATING: i64 = 0x5447_4948;

/// What opening found.
enum Found {
    Nothing,
    Tables { version: usize, environment: String, client_id: String, key: Option<String> },
}

/// Opens for writing; creates and migrates as needed. Gives whether it was created.
pub(super) fn writable(engine: &Engine, binding: &Binding, create: Create) -> Result<bool, LedgerError> {
    let (server, place) = (engine.server.clone(), engine.server.place());
    let known = MIGRATIONS.len();
    let found = ask(engine, &server, Access::Write).map_err(|fault| place.error(fault))?;
    let version = match found {
        Found::Nothing if create == Create::Never => return Err(LedgerError::Missing { path: server.name() }),
        Found::Nothing => 0,
        found @ Found::Tables { version, .. } => {
            check(&server, found, Some(binding))?;
            version
        }
    };
    let mut is_new = false;
    if version < known {
        is_new = migrated(engine, binding, MIGRATIONS).map_err(|fault| place.error(fault))?;
    }
    engine.wait(checked(server)).map_err(|fault| place.error(fault))?;
    Ok(is_new)
}

/// Opens for reading; never creates nor migrates. Without a `binding`, whatever the ledger belongs to is accepted.
pub(super) fn read_only(engine: &Engine, binding: Option<&Binding>) -> Result<(), LedgerError> {
    let server = engine.server.clone();
    match ask(engine, &server, Access::Read).map_err(|fault| server.place().error(fault))? {
        Found::Nothing => Err(LedgerError::Missing { path: server.name() }),
        found @ Found::Tables { version, .. } => {
            check(&server, found, binding)?;
            if version < MIGRATIONS.len() {
                return Err(LedgerError::TooOld { path: server.name(), found: version, known: MIGRATIONS.len() });
            }
            Ok(())
        }
    }
}

fn check(server: &PostgresServer, found: Found, wanted: Option<&Binding>) -> Result<(), LedgerError> {
    let Found::Tables { version, environment, client_id, key } = found else { return Ok(()) };
    if version > MIGRATIONS.len() {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        return Err(LedgerError::TooNew { path: server.name(), found: number(version), known: number(MIGRATIONS.len()) });
    }
    let found = Binding { environment, client_id, seals: server.seals.clone() };
    if let Some(wanted) = wanted.filter(|wanted| **wanted != found) {
        return Err(LedgerError::OtherBinding { path: server.name(), found: found.to_string(), wanted: wanted.to_string() });
    }
    let wanted = server.seals.fingerprint();
    if key == wanted { Ok(()) } else { Err(LedgerError::other_key(server.name(), key, wanted)) }
}

fn ask(engine: &Engine, server: &PostgresServer, access: Access) -> Result<Found, Fault> {
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

async fn checked(server: PostgresServer) -> Result<(), Fault> {
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
    // A schema of before has no such column.
    let sql = "SELECT schema_version, environment, client_id, to_jsonb(meta) ->> 'key' FROM meta";
    let found = session.row(sql, &[]).await?;
    let row = found.ok_or_else(|| Fault::Damaged("it does not say what it is bound to".into()))?;
    let version = usize::try_from(integer(&row, 0)?).map_err(|_| Fault::Damaged("its schema version is none".into()))?;
    let key = optional(&row, 3)?.map(str::to_owned);
    Ok(Found::Tables { version, environment: required(&row, 1)?.into(), client_id: required(&row, 2)?.into(), key })
}

async fn is_there(session: &Session) -> Result<bool, Fault> {
    let sql = "SELECT (has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT'))::int::bigint \
               FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1 AND relname = 'meta'";
    match session.row(sql, &[&SCHEMA]).await? {
        None => Ok(false),
        Some(row) if integer(&row, 0)? == 0 => {
            Err(Fault::Failed("this user may not look into its tables; their owner lets it in by GRANT (docs/several-hosts.md)".into()))
        }
        Some(_) => Ok(true),
    }
}

/// Brings the tables up to date. What comes of it is looked at in a copy that only one thread may have, so by one of its own.
pub(super) fn migrated(engine: &Engine, binding: &Binding, migrations: &[&str]) -> Result<bool, Fault> {
    let connecting = engine.server.clone();
    let session = engine.wait(async move { connecting.connect(Access::Write).await })?;
    let migrating = || -> Result<bool, Fault> {
        tokio::runtime::Builder::new_current_thread().build()?.block_on(migrate(&session, binding, migrations))
    };
    let done = std::thread::scope(|threads| threads.spawn(migrating).join());
    done.unwrap_or_else(|_| Err(Fault::Failed("the thread that brings it up to date has ended".into())))
}

/// Applies what is missing of `migrations`, all of it or nothing; a new ledger is bound. Gives whether it is one: of hosts that come at once
/// one makes it.
async fn migrate(session: &Session, binding: &Binding, migrations: &[&str]) -> Result<bool, Fault> {
    // Making an index over many bills takes long, and whoever does the same at once waits for it.
    session.takes_time(true);
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
    let is_new = applied == 0;
    for (sql, number) in migrations.iter().zip(1_i64..).skip(applied) {
        session.batch(sql).await?;
        if number == 1 {
            let sql = "INSERT INTO meta (schema_version, environment, client_id, salt, chained_after) VALUES (1, $1, $2, $3, 0)";
            session.execute(sql, &[&binding.environment, &binding.client_id, &&NO_SALT[..]]).await?;
            let sql = "INSERT INTO head (sequence, hash, bill, terms, lease) VALUES (0, $1, 0, 0, 0)";
            session.execute(sql, &[&&LedgerHead::EMPTY.hash[..]]).await?;
        }
        if number == WHOLE {
            seal_all::migrated(session).await?;
        }
        session.execute("UPDATE meta SET schema_version = $1", &[&number]).await?;
    }
    if is_new {
        session.execute("UPDATE meta SET key = $1", &[&session.seals.fingerprint()]).await?;
    } else if migrations.len() == MIGRATIONS.len() {
        copy::check(session).await?;
    }
    session.batch("COMMIT").await?;
    Ok(is_new)
}

/// The newest event must follow from the one before it, and be where the chain is said to end: the cheapest look that finds an edited or
/// shortened end.
pub(super) async fn check_end(session: &Session) -> Result<(), Fault> {
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let (head, origin) = (read::head(session).await?, origin(session).await?);
    if said_end(session).await? != Some(head) {
        return Err(Fault::Damaged(format!("its chain ends at event {}, and is said to end elsewhere", head.sequence)));
    }
    tree::top(session, &head).await?;
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
