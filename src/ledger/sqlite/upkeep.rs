//! Looking after a ledger: backup, purging personal data, keys that are not to be believed.

use std::path::Path;
use std::sync::LazyLock;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::Value;

use super::append::{Appender, EventRow};
use super::db::Db;
use super::folded::Folded;
use super::{connect, write};
use crate::domain::lifecycle::Status;
use crate::domain::revocation::Revocation;
use crate::ledger::LedgerError;
use crate::ledger::chain::{Covered, Kind, Origin, PurgeRecord};
use crate::ledger::rules::{microseconds, truncated};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::{private, temporary};

/// Copies the ledger at `place` to `to`, which must not exist, while others go on using it. One read transaction, so the copy
/// is one consistent state; whole and durable before it gets its name.
pub(super) fn backup(place: &Place, to: &Path) -> Result<(), LedgerError> {
    let (source, _) = connect::any_schema(place)?;
    let target = Place::new(to);
    if to.exists() {
        return Err(target.failed("it exists already, and a backup never overwrites"));
    }
    let copy = || -> Result<(), Fault> {
        let temporary = temporary::Apart::new(private::folder_of(to))?;
        let mut destination = Connection::open(temporary.path())?;
        let step = Backup::new(&source, &mut destination)?.step(-1)?;
        if step != StepResult::Done {
            return Err(Fault::Failed("the copy did not finish, the ledger was busy".into()));
        }
        ended(destination)?;
        Ok(temporary.keep(to)?)
    };
    copy().map_err(|fault| target.error(fault))
}

/// Closes a file that is to get its name, once all of it is in it: its log stays behind, and closing alone does not say that what stands
/// there could not be copied.
pub(super) fn ended(connection: Connection) -> Result<(), Fault> {
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        return Err(Fault::Failed("its log could not be copied: somebody reads it".into()));
    }
    Ok(connection.close().map_err(|(_, error)| error)?)
}

/// Whether the file at `path` is one that is written through a log, by the version that its header says is needed to write it.
pub(super) fn has_log(path: &Path) -> std::io::Result<bool> {
    let mut header = [0; 20];
    std::io::Read::read_exact(&mut std::fs::File::open(path)?, &mut header)?;
    Ok(header.ends_with(&[2, 2]))
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Names and addresses.
    pub customers: u64,
    /// Request bodies.
    pub bodies: u64,
}

/// The bills a purge may touch, as far as they have anything to purge: nothing under way or in doubt, no code that can still be paid, quiet since `?1`.
static PURGEABLE: LazyLock<String> = LazyLock::new(|| {
    let live = Status::ALL.iter().filter(|status| status.may_be_live()).map(|status| format!("'{}'", status.name()));
    let live = live.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT bills.id FROM bills JOIN events ON events.sequence = bills.last_event WHERE open IS NULL \
         AND (salt IS NOT NULL OR EXISTS (SELECT 1 FROM bodies WHERE bill = bills.id) OR EXISTS (SELECT 1 FROM customers WHERE bill = bills.id)) \
         AND (status NOT IN ({live}) OR expires_at < ?1 OR (NOT reusable AND first_paid_at < ?1)) AND events.at < ?1"
    )
});

/// What [`purge`] would remove.
pub(super) fn purgeable(connection: &Db, before: Timestamp) -> Result<Purged, Fault> {
    let sql = format!(
        "WITH due AS ({}) SELECT (SELECT COUNT(*) FROM customers WHERE bill IN (SELECT id FROM due)), \
         (SELECT COUNT(*) FROM bodies WHERE bill IN (SELECT id FROM due))",
        *PURGEABLE
    );
    let count = |row: &rusqlite::Row<'_>, column| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let counts = |row: &rusqlite::Row<'_>| Ok(Purged { customers: count(row, 0)?, bodies: count(row, 1)? });
    Ok(connection.query_row(&sql, [microseconds(truncated(before))], counts)?)
}

/// Removes the personal data of [`PURGEABLE`] bills and records that, in one transaction; then clears it from the file.
pub(super) fn purge(connection: &Db, origin: &Origin, before: Timestamp, now: Timestamp) -> Result<Purged, Fault> {
    connection.pragma_update(None, "secure_delete", true)?;
    let mut folded = Folded::default();
    let mut appender = Appender::begin(connection, origin, &mut folded)?;
    match purge_inside(connection, &mut appender, truncated(before), now) {
        Ok(purged) => {
            appender.commit()?;
            // What was overwritten in the file may still stand in its log; the result says whether readers prevented it.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            connection.pragma_update(None, "secure_delete", false)?;
            Ok(purged)
        }
        Err(fault) => {
            appender.roll_back();
            Err(fault)
        }
    }
}

/// Records what a person said about one of DOKU's keys.
pub(super) fn revoke(connection: &Db, origin: &Origin, revocation: &Revocation, now: Timestamp) -> Result<(), Fault> {
    let mut folded = Folded::default();
    let mut appender = Appender::begin(connection, origin, &mut folded)?;
    match appender.revocation(revocation, now) {
        Ok(()) => appender.commit(),
        Err(fault) => {
            appender.roll_back();
            Err(fault)
        }
    }
}

fn purge_inside(connection: &Db, appender: &mut Appender<'_>, before: Timestamp, now: Timestamp) -> Result<Purged, Fault> {
    let mut ids: Vec<i64> = Vec::new();
    let mut statement = connection.prepare(&PURGEABLE)?;
    let mut found = statement.query([microseconds(before)])?;
    while let Some(row) = found.next()? {
        ids.push(row.get(0)?);
    }
    let mut delete_customer = connection.prepare("DELETE FROM customers WHERE bill = ?1")?;
    let mut delete_bodies = connection.prepare("DELETE FROM bodies WHERE bill = ?1")?;
    let mut purged = Purged::default();
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    for id in &ids {
        purged.customers = purged.customers.saturating_add(count(delete_customer.execute([id])?));
        purged.bodies = purged.bodies.saturating_add(count(delete_bodies.execute([id])?));
    }
    let record = PurgeRecord { before, customers: purged.customers, bodies: purged.bodies };
    let json = serde_json::to_string(&record).map_err(|error| Fault::Failed(error.to_string()))?;
    let sequence = appender.event(&Covered::new(microseconds(now), Kind::Purge, "", &json), EventRow::default())?;
    // With their salts, nobody can guess names against the digests that stay in the chain.
    for id in ids {
        write::write_columns(connection, id, &[("salt", Value::Null), ("purged_by", Value::Integer(sequence))], true)?;
    }
    Ok(purged)
}
