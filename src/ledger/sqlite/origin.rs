//! What a ledger is bound to: what its chain begins with, and the key of its seals.

use rusqlite::{Connection, OptionalExtension as _};

use super::chain;
use super::db::Db;
use crate::ledger::LedgerHead;
use crate::ledger::chain::{NO_SALT, Origin};
use crate::ledger::sql::cells::{signed, unsigned};
use crate::ledger::sql::fault::Fault;

pub(super) const NO_BINDING: &str = "it does not say what it is bound to";

pub(super) fn version(connection: &Connection) -> Result<i64, Fault> {
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
pub(super) fn check_last_event(connection: &Db, origin: &Origin) -> Result<(), Fault> {
    let head = chain::head(connection)?;
    let Some(previous_sequence) = head.sequence.checked_sub(1) else { return Ok(()) };
    let previous = match previous_sequence {
        0 => LedgerHead::EMPTY,
        sequence => chain::head_at(connection, sequence)?.ok_or_else(|| Fault::Damaged(format!("event {sequence} is missing")))?,
    };
    let mut follows = false;
    chain::visit_links(connection, "WHERE sequence = ?1", [signed(head.sequence)?], |link| {
        follows = link.follows(origin, &previous);
        Ok(())
    })?;
    if follows { Ok(()) } else { Err(Fault::Damaged(format!("event {} does not follow from the one before it", head.sequence))) }
}
