//! A connection with our settings, to a file that is a ledger in one piece.
//!
//! Belongs here: what holds of every connection. Must not be here: whose ledger it is (`origin`, `open`).

use std::ffi::c_int;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::migrate;
use super::migrate::Migration;
use crate::ledger::LedgerError;
use crate::ledger::lock::beside;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::private;

/// When the log is copied, in pages of 4 KB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    /// So many are copied while others are written: pages that change often are copied once.
    pub(super) usual: c_int,
    /// With so many a commit copies them itself and its writer waits: a disk that is slower than its writers must not fill up.
    pub(super) most: c_int,
}

impl Pages {
    /// 64 and 256 MB.
    pub(super) const USUAL: Self = Self { usual: 16_384, most: 65_536 };
}

/// "TGIH": tells a ledger from any other SQLite file.
pub(super) const APPLICATION_ID: i64 = 0x5447_4948;

/// How long a writer waits for another process's transaction, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 10_000;

/// Statements a connection keeps prepared.
const STATEMENTS_KEPT: usize = 64;

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
pub(super) fn connect(place: &Place, access: OpenFlags) -> Result<Connection, LedgerError> {
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

pub(super) fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
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

/// Is it a ledger, in one piece? A file cut short is found here when no write-ahead log could still hold its pages;
/// otherwise SQLite finds it when it reads there.
pub(super) fn check_file(connection: &Connection, place: &Place) -> Result<(), LedgerError> {
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

pub(super) fn schema_version(connection: &Connection, place: &Place, migrations: &[Migration]) -> Result<usize, LedgerError> {
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

/// Of pages the writer keeps, in KiB.
const WRITER_CACHE_KIB: i32 = 32_768;
