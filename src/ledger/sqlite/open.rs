//! Opening and creating a ledger file: settings, binding, migrations, and the cheap checks every opening makes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::checkpoint::Pages;
use super::db::Db;
use super::migrate::{self, Migration};
use super::{names, read, schema, upkeep};
use crate::ledger::chain::{NO_SALT, Origin};
use crate::ledger::lock::beside;
use crate::ledger::seals::Seals;
use crate::ledger::sql::cells::{signed, unsigned};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::ledger::{LedgerError, LedgerHead};
use crate::private::{self, folder_of};
use crate::temporary;

/// What a ledger belongs to, fixed when it is created (I23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The DOKU environment: `sandbox` or `production`.
    pub environment: String,
    /// The `Client-Id`.
    pub client_id: String,
    /// What its seals are made with.
    pub seals: Seals,
}

impl std::fmt::Display for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "environment `{}`, client `{}`", self.environment, self.client_id)
    }
}

/// Whether opening may create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// A missing ledger is an error.
    Never,
    /// A missing ledger is created, empty.
    IfMissing,
}

/// "TGIH": tells a ledger from any other SQLite file.
const APPLICATION_ID: i64 = 0x5447_4948;
/// How long a writer waits for another process's transaction, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 10_000;
const NO_BINDING: &str = "it does not say what it is bound to";
/// Statements a connection keeps prepared.
const STATEMENTS_KEPT: usize = 64;

/// An opened file that is ours.
pub(in crate::ledger) struct Opened {
    pub(in crate::ledger) connection: Db,
    pub(super) origin: Origin,
    /// What opening it for writing changed about it.
    pub(super) migrated: Option<Migrated>,
}

/// That an older file was brought up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Its schema version before.
    pub from: usize,
    /// And now.
    pub to: usize,
    /// Where it is kept as it was.
    pub backup: PathBuf,
    /// Numbers that stand for two bills, in words.
    pub collisions: Vec<String>,
}

/// Opens for writing; creates and migrates as needed.
pub(super) fn writable(place: &Place, binding: &Binding, create: Create, migrations: &[Migration]) -> Result<Opened, LedgerError> {
    if !place.path().exists() {
        match create {
            Create::Never => return Err(LedgerError::Missing { path: place.name() }),
            Create::IfMissing => create_file(place, binding, migrations).map_err(|fault| place.error(fault))?,
        }
    }
    let connection = connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check_file(&connection, place)?;
    let version = schema_version(&connection, place, migrations)?;
    // Never migrated for a client whose it is not.
    let mut opened = bound(connection, place, binding)?;
    if version < migrations.len() {
        opened.migrated = Some(migrated(&opened.connection, place, version, migrations)?);
        opened.origin = origin(&opened.connection).map_err(|fault| place.error(fault))?;
    }
    check_last_event(&opened.connection, &opened.origin).map_err(|fault| place.error(fault))?;
    if migrations.len() == migrate::MIGRATIONS.len() {
        schema::check(&opened.connection).map_err(|fault| place.error(fault))?;
    }
    Ok(opened)
}

/// Opens for sealing anew; never creates nor migrates.
pub(super) fn to_rekey(place: &Place, binding: &Binding) -> Result<Opened, LedgerError> {
    drop(newest_schema(place)?);
    bound(connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?, place, binding)
}

/// Brings a file up to date, after a copy of it as it is was made beside it. One that does not hold together stays as it is.
fn migrated(connection: &Db, place: &Place, from: usize, migrations: &[Migration]) -> Result<Migrated, LedgerError> {
    let backup = free_name(place.path(), from);
    super::upkeep::backup(place, &backup)?;
    if let Err(fault) = migrate::from(connection, from, migrations) {
        drop(private::remove(&backup));
        return Err(place.error(fault));
    }
    let collisions = names::collisions(connection).map_err(|fault| place.error(fault))?;
    Ok(Migrated { from, to: migrations.len(), backup, collisions })
}

/// `ledger.db.schema-3`, or the first free one after it.
fn free_name(path: &Path, version: usize) -> PathBuf {
    let first = beside(path, &format!(".schema-{version}"));
    let others = (2_u32..).map(|count| beside(path, &format!(".schema-{version}-{count}")));
    std::iter::once(first.clone()).chain(others).find(|path| !path.exists()).unwrap_or(first)
}

/// Opens for reading; never creates nor migrates.
pub(in crate::ledger) fn read_only(place: &Place, binding: &Binding) -> Result<Opened, LedgerError> {
    let opened = bound(newest_schema(place)?, place, binding)?;
    schema::check(&opened.connection).map_err(|fault| place.error(fault))?;
    Ok(opened)
}

/// Opens for reading once more.
pub(super) fn again(place: &Place, seals: &Seals) -> Result<Db, LedgerError> {
    let connection = of_whomever(place, seals)?.connection;
    schema::check(&connection).map_err(|fault| place.error(fault))?;
    Ok(connection)
}

/// Opens for reading, whatever its tables are like, the ledger of whomever it is, if that is what its seals are made with.
pub(in crate::ledger) fn of_whomever(place: &Place, seals: &Seals) -> Result<Opened, LedgerError> {
    sealed(newest_schema(place)?, place, seals)
}

fn newest_schema(place: &Place) -> Result<Connection, LedgerError> {
    let known = migrate::MIGRATIONS.len();
    let (connection, found) = any_schema(place)?;
    if found < known {
        return Err(LedgerError::TooOld { path: place.name(), found, known });
    }
    Ok(connection)
}

/// Of pages the writer keeps, in KiB.
const WRITER_CACHE_KIB: i32 = 32_768;
/// Of pages a reader keeps, in KiB. There may be several readers, and what they leave out the system keeps.
const READER_CACHE_KIB: i32 = 4_096;

/// Opens for copying the file as it is, so that it can be kept before it is migrated; gives its schema's version too.
pub(super) fn any_schema(place: &Place) -> Result<(Connection, usize), LedgerError> {
    if !place.path().exists() {
        return Err(LedgerError::Missing { path: place.name() });
    }
    let connection = connect(place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(|error| place.error(Fault::Sql(error)))?;
    check_file(&connection, place)?;
    let found = schema_version(&connection, place, migrate::MIGRATIONS)?;
    Ok((connection, found))
}

/// A connection with our settings and nothing checked yet.
fn connect(place: &Place, access: OpenFlags) -> Result<Connection, LedgerError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection, Fault> {
        // By where a link leads: the link may be the operator's, the file must be ours.
        let is_read = access == OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = if let Some(address) = immutable(place).filter(|_| is_read) {
            private::check_readable(place.path())?;
            Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)?
        } else {
            if is_read { private::close_to_read(place.path()) } else { private::close(place.path()) }?;
            Connection::open_with_flags(place.path(), flags)?
        };
        configure(&connection)?;
        Ok(connection)
    };
    open().map_err(|fault| place.error(fault))
}

/// The address of a file that nothing changes while it is read: nobody uses it yet, or nobody can write where it lies, as on media that are read only, and it has
/// neither a log nor readers. SQLite would want to make files of its own beside any other.
fn immutable(place: &Place) -> Option<String> {
    let path = place.path();
    let is_in_use = ["-wal", "-shm"].iter().any(|suffix| beside(path, suffix).exists());
    if is_in_use || !(place.is_still() || private::is_read_only(path)) {
        return None;
    }
    let mut address = String::from("file:");
    for byte in path.to_str()?.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            write!(address, "%{byte:02x}").unwrap_or_default();
        }
    }
    Some(address + "?immutable=1")
}

/// A connection that copies the log.
pub(super) fn for_checkpoints(place: &Place) -> Result<Connection, LedgerError> {
    connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Else SQLite parses a kept statement anew at each new parameter, to see whether that implies the condition of a partial index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", Pages::USUAL.usual)
}

/// Makes the file under another name and moves it into place whole, so that a ledger file is never half made: an empty or
/// short one is always damage.
fn create_file(place: &Place, binding: &Binding, migrations: &[Migration]) -> Result<(), Fault> {
    let wal = beside(place.path(), "-wal");
    if fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
        return Err(Fault::Damaged(format!("the file is gone, but its log `{}` is still there", wal.display())));
    }
    Blank::new(folder_of(place.path()), binding, migrations)?.keep(place.path())
}

/// Why a new file is given up.
const NO_LOG: &str = "its log cannot be made: the disk refuses it";

/// A ledger without events that has no name yet; unless it gets one, it is gone when it is dropped.
pub(in crate::ledger) struct Blank {
    pub(in crate::ledger) connection: Db,
    file: temporary::Apart,
    /// What its seals are made with.
    pub(in crate::ledger) seals: Seals,
}

impl Blank {
    /// In `folder`, with the newest tables.
    pub(in crate::ledger) fn newest(folder: &Path, binding: &Binding) -> Result<Self, Fault> {
        Self::new(folder, binding, migrate::MIGRATIONS)
    }

    fn new(folder: &Path, binding: &Binding, migrations: &[Migration]) -> Result<Self, Fault> {
        let file = temporary::Apart::new(folder)?;
        let connection = Db::new(Connection::open(file.path())?, binding.seals.clone());
        // Where that fails SQLite stays as it is, and says so in passing.
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(Fault::Failed(NO_LOG.into()));
        }
        configure(&connection)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        migrate::from(&connection, 0, migrations)?;
        connection.execute(
            "INSERT INTO meta (one, environment, client_id, salt) VALUES (1, ?1, ?2, ?3)",
            (&binding.environment, &binding.client_id, NO_SALT),
        )?;
        if let Some(key) = binding.seals.fingerprint() {
            connection.execute("UPDATE meta SET key = ?1", [key])?;
        }
        // No page is left over from tables that later migrations replaced.
        connection.execute_batch("VACUUM")?;
        Ok(Self { connection, file, seals: binding.seals.clone() })
    }

    /// Makes it durable under `path`, which must be free.
    pub(in crate::ledger) fn keep(self, path: &Path) -> Result<(), Fault> {
        upkeep::ended(self.connection.into_connection())?;
        // Who could not remove its journal says that it has a log, and the file has none.
        if upkeep::has_log(self.file.path())? { Ok(self.file.keep(path)?) } else { Err(Fault::Failed(NO_LOG.into())) }
    }

    /// Where it is meanwhile.
    pub(in crate::ledger) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Is it a ledger, in one piece? A file cut short is found here when no write-ahead log could still hold its pages;
/// otherwise SQLite finds it when it reads there.
fn check_file(connection: &Connection, place: &Place) -> Result<(), LedgerError> {
    let pragma = |name: &str| -> Result<i64, LedgerError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| place.error(Fault::Sql(error)))
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(place.damaged("it is not a tagih ledger"));
    }
    let pages = u64::try_from(pragma("page_count")?).unwrap_or(0);
    let bytes_wanted = pages.saturating_mul(u64::try_from(pragma("page_size")?).unwrap_or(0));
    let bytes = fs::metadata(place.path()).map_err(|error| place.error(Fault::Io(error)))?.len();
    let wal_is_empty = fs::metadata(beside(place.path(), "-wal")).map_or(true, |wal| wal.len() == 0);
    if wal_is_empty && bytes < bytes_wanted {
        return Err(place.damaged(format!("it is cut short: {bytes} of {bytes_wanted} bytes are there")));
    }
    Ok(())
}

fn schema_version(connection: &Connection, place: &Place, migrations: &[Migration]) -> Result<usize, LedgerError> {
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| place.error(Fault::Sql(error)))?;
    match usize::try_from(found) {
        Ok(version) if version <= migrations.len() => Ok(version),
        Ok(_) => {
            let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
            Err(LedgerError::TooNew { path: place.name(), found, known })
        }
        Err(_) => Err(place.damaged(format!("its schema version is {found}"))),
    }
}

/// The ledger of this connection, if it is the one that is wanted.
fn bound(connection: Connection, place: &Place, wanted: &Binding) -> Result<Opened, LedgerError> {
    let read = || -> Result<Option<(String, String)>, rusqlite::Error> {
        connection.query_row("SELECT environment, client_id FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    };
    let Some((environment, client_id)) = read().map_err(|error| place.error(Fault::Sql(error)))? else {
        return Err(place.damaged(NO_BINDING));
    };
    let found = Binding { environment, client_id, seals: wanted.seals.clone() };
    if *wanted != found {
        return Err(LedgerError::OtherBinding { path: place.name(), found: found.to_string(), wanted: wanted.to_string() });
    }
    sealed(connection, place, &wanted.seals)
}

/// The ledger of this connection, if its seals are made with what is wanted.
fn sealed(connection: Connection, place: &Place, wanted: &Seals) -> Result<Opened, LedgerError> {
    let connection = Db::new(connection, wanted.clone());
    let look = || -> Result<(Option<String>, Origin), Fault> { Ok((key(&connection)?, origin(&connection)?)) };
    let (found, origin) = look().map_err(|fault| place.error(fault))?;
    if found != wanted.fingerprint() {
        return Err(LedgerError::other_key(place.name(), found, wanted.fingerprint()));
    }
    Ok(Opened { connection, origin, migrated: None })
}

fn version(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Since which schema seals may be made with a key.
const KEYED_SINCE: i64 = 7;

/// The fingerprint of the key that the seals are made with.
pub(super) fn key(connection: &Connection) -> Result<Option<String>, Fault> {
    if version(connection)? < KEYED_SINCE {
        return Ok(None);
    }
    Ok(connection.query_row("SELECT key FROM meta WHERE one = 1", [], |row| row.get(0)).optional()?.flatten())
}

/// What the chain covers of the ledger's own row; of an older schema nothing.
pub(super) fn origin(connection: &Db) -> Result<Origin, Fault> {
    const CHAINED_SINCE: i64 = 6;
    let version = version(connection)?;
    if version < CHAINED_SINCE {
        return Ok(Origin::of("", "", &NO_SALT, u64::MAX));
    }
    let sql = "SELECT environment, client_id, salt, chained_after FROM meta WHERE one = 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Option<(String, String, Vec<u8>, i64)> = connection.query_row(sql, [], row).optional()?;
    let (environment, client_id, salt, after) = found.ok_or_else(|| Fault::Damaged(NO_BINDING.into()))?;
    let origin = Origin::of(&environment, &client_id, &salt, unsigned(after)?);
    if version < KEYED_SINCE {
        return Ok(origin);
    }
    let keyed_after: i64 = connection.query_row("SELECT keyed_after FROM meta WHERE one = 1", [], |row| row.get(0))?;
    Ok(origin.sealed(connection.seals.clone(), unsigned(keyed_after)?))
}

/// The newest event must follow from the one before it: the cheapest look that finds a torn or edited end.
fn check_last_event(connection: &Db, origin: &Origin) -> Result<(), Fault> {
    let head = read::head(connection)?;
    let Some(previous_sequence) = head.sequence.checked_sub(1) else { return Ok(()) };
    let previous = match previous_sequence {
        0 => LedgerHead::EMPTY,
        sequence => read::head_at(connection, sequence)?.ok_or_else(|| Fault::Damaged(format!("event {sequence} is missing")))?,
    };
    let mut follows = false;
    read::visit_links(connection, "WHERE sequence = ?1", [signed(head.sequence)?], |link| {
        follows = link.follows(origin, &previous);
        Ok(())
    })?;
    if follows { Ok(()) } else { Err(Fault::Damaged(format!("event {} does not follow from the one before it", head.sequence))) }
}
