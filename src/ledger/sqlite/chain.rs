//! The chain as it is read: its events and its heads.
//!
//! Belongs here: reading it. Must not be here: whether it holds (`verify_chain`), what an event says of a bill (`read`).

use rusqlite::{OptionalExtension as _, Params};

use super::db::Db;
use crate::ledger::LedgerHead;
use crate::ledger::sql::cells::{signed, unsigned};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{LINKS, Link};

/// Visits events; `clause` is what follows the tables, with an order of its own or none.
pub(super) fn visit_links(
    connection: &Db,
    clause: &str,
    parameters: impl Params,
    mut visit: impl FnMut(&Link<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(&format!("{LINKS} {clause}"))?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        visit(&Link::of(row)?)?;
    }
    Ok(())
}

/// The end of the chain.
pub(super) fn head(connection: &Db) -> Result<LedgerHead, Fault> {
    let mut statement = connection.prepare_cached("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1")?;
    let found = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map_or(Ok(LedgerHead::EMPTY), |(sequence, hash)| Ok(LedgerHead { sequence: unsigned(sequence)?, hash }))
}

/// The head as it was after event `sequence`.
pub(super) fn head_at(connection: &Db, sequence: u64) -> Result<Option<LedgerHead>, Fault> {
    if sequence == 0 {
        return Ok(Some(LedgerHead::EMPTY));
    }
    let sql = "SELECT hash FROM events WHERE sequence = ?1";
    let hash = connection.prepare_cached(sql)?.query_row([signed(sequence)?], |row| row.get(0)).optional()?;
    Ok(hash.map(|hash| LedgerHead { sequence, hash }))
}

/// Visits the events of a bill from its last, `newest`, to its first, until `visit` has enough.
pub(super) fn visit_back(connection: &Db, newest: u64, mut visit: impl FnMut(&Link<'_>) -> Result<bool, Fault>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!("{LINKS} WHERE sequence = ?1"))?;
    let mut next = Some(signed(newest)?);
    while let Some(sequence) = next {
        let mut rows = statement.query([sequence])?;
        let missing = || Fault::Damaged(format!("event {sequence} is missing"));
        let link = Link::of(rows.next()?.ok_or_else(missing)?)?;
        next = link.previous.filter(|&previous| previous < sequence);
        if link.previous != next {
            return Err(Fault::Damaged(format!("event {sequence} names a later one as the one before it")));
        }
        if !visit(&link)? {
            break;
        }
    }
    Ok(())
}
