//! Opening and creating a ledger file: settings, binding, migrations, and the cheap checks every opening makes.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::connect::{APPLICATION_ID, any_schema, check_file, configure, connect, schema_version};
use super::db::Db;
use super::migrate::{self, Migration};
use super::origin::{NO_BINDING, check_last_event, key, origin};
use super::{names, schema, upkeep, verify};
use crate::ledger::LedgerError;
use crate::ledger::chain::{NO_SALT, Origin};
use crate::ledger::lock::beside;
use crate::ledger::seals::Seals;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
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
    if let Err(fault) = migrate::from(connection, from, migrations, || still_holds(connection, from, migrations)) {
        drop(private::remove(&backup));
        return Err(place.error(fault));
    }
    let collisions = names::collisions(connection).map_err(|fault| place.error(fault))?;
    Ok(Migrated { from, to: migrations.len(), backup, collisions })
}

/// What does not hold together once it is brought up to date did not before.
fn still_holds(connection: &Db, from: usize, migrations: &[Migration]) -> Result<(), Fault> {
    if from == 0 || migrations.len() < migrate::MIGRATIONS.len() {
        return Ok(());
    }
    match verify::examine(connection, None)?.findings.first() {
        Some(finding) => Err(Fault::Damaged(format!("it was not brought up to date, and is as it was: {finding}"))),
        None => Ok(()),
    }
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
        migrate::from(&connection, 0, migrations, || Ok(()))?;
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
