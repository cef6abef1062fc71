//! The trees of seals in SQLite: the table `seals`.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::chain;
use super::db::{Db, Looked};
use crate::ledger::LedgerHead;
use crate::ledger::seals::Seal;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::tree::{Builder, Nodes, Place, Set, TOP, Top, check_path, group_of, places_above, span_of};

/// Groups that are remembered as looked at.
const GROUPS_MAX: usize = 4_096;

/// A node, if it is there.
pub(super) fn node(connection: &Connection, place: Place) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement = connection.prepare_cached("SELECT digests FROM seals WHERE place = ?1")?;
    Ok(statement.query_row([place], |row| row.get(0)).optional()?)
}

fn put(connection: &Connection, place: Place, digests: &[u8]) -> Result<(), Fault> {
    connection.prepare_cached("INSERT OR REPLACE INTO seals (place, digests) VALUES (?1, ?2)")?.execute(params![place, digests])?;
    Ok(())
}

/// What stands for all there is, if `head` is where the chain ends.
pub(super) fn top(db: &Db, head: &LedgerHead) -> Result<Top, Fault> {
    Top::of(&db.seals, head, node(db, TOP)?.as_deref())
}

/// A transaction begins that sees the ledger up to `head`: nothing of it was looked at yet but that its seals are of that end.
pub(super) fn look(db: &Db, head: &LedgerHead) -> Result<(), Fault> {
    let top = top(db, head)?;
    *db.looked() = Looked { top: Some(top), ..Looked::default() };
    Ok(())
}

/// The top that was found when the transaction began.
fn looked_top(looked: &Looked) -> Result<Top, Fault> {
    looked.top.ok_or_else(|| Fault::Failed("nothing was looked at yet".into()))
}

/// What was found when the transaction began of the sum of all totals.
pub(super) fn totals(db: &Db) -> Result<u128, Fault> {
    looked_top(&db.looked()).map(|top| top.totals)
}

/// Whether a row, and those beside it, are those that were written last.
pub(super) fn check(db: &Db, set: Set, id: i64) -> Result<(), Fault> {
    let group = group_of(id);
    let looked = &mut *db.looked();
    if looked.groups.contains(&(set, group)) {
        return Ok(());
    }
    if looked.groups.len() >= GROUPS_MAX {
        *looked = Looked { top: looked.top, ..Looked::default() };
    }
    for place in places_above(set, group) {
        if !looked.checked.contains(&place)
            && let Some(node) = node(db, place)?
        {
            looked.nodes.insert(place, node);
        }
    }
    let wanted = check_path(&db.seals, &looked_top(looked)?, set, group, &looked.nodes, &mut looked.checked)?;
    let mut statement = db.prepare_cached(&format!("{} WHERE {} BETWEEN ?1 AND ?2", set.seals(), set.key()))?;
    let mut rows = statement.query(span_of(group))?;
    let mut sum = 0_u128;
    while let Some(row) = rows.next()? {
        let (_, seal) = sealed(row, set)?;
        sum = sum.wrapping_add(u128::from_be_bytes(seal));
    }
    if sum != wanted {
        return Err(set.broken());
    }
    looked.groups.insert((set, group));
    Ok(())
}

fn sealed(row: &rusqlite::Row<'_>, set: Set) -> Result<(i64, Seal), Fault> {
    let id = row.get(0)?;
    Ok((id, row.get::<_, Option<Seal>>(1)?.ok_or_else(|| set.unsealed(id))?))
}

/// Makes the tree of all rows there are; gives its digest.
pub(super) fn built(db: &Db, set: Set, emit: impl FnMut(Place, &[u8]) -> Result<(), Fault>) -> Result<Seal, Fault> {
    let mut builder = Builder::new(&db.seals, set, emit);
    let mut statement = db.prepare(&format!("{} ORDER BY {}", set.seals(), set.key()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, seal) = sealed(row, set)?;
        builder.row(id, seal)?;
    }
    builder.finish()
}

/// Whether all rows that were written are there, and no others, as the transaction sees them.
pub(super) fn check_all(db: &Db, set: Set) -> Result<(), Fault> {
    let wanted = looked_top(&db.looked())?.root(set);
    let found = built(db, set, |_, _| Ok(()))?;
    if found == wanted { Ok(()) } else { Err(set.broken()) }
}

/// Puts what has changed into the trees, and seals everything with `head`, which ends the chain; `totals` is what their sum has become
/// more by. It ended with `before` when they were sealed last.
pub(super) fn write(db: &Db, before: &LedgerHead, head: &LedgerHead, totals: u128) -> Result<(), Fault> {
    let growth = db.take_growth();
    let mut top = top(db, before)?;
    let mut nodes = Nodes::new();
    for place in growth.places() {
        if let Some(node) = node(db, place)? {
            nodes.insert(place, node);
        }
    }
    for place in growth.apply(&db.seals, &mut top, &mut nodes)? {
        nodes.get(&place).map_or(Ok(()), |digests| put(db, place, digests))?;
    }
    top.totals = top.totals.wrapping_add(totals);
    put(db, TOP, &top.sealed(&db.seals, head))
}

/// Makes both trees anew of the rows there are, and seals them with the end of the chain; `totals` is the sum of all totals.
pub(super) fn make(db: &Db, totals: u128) -> Result<(), Fault> {
    drop(db.take_growth());
    db.execute("DELETE FROM seals", [])?;
    let mut top = Top::default();
    top.totals = totals;
    for set in Set::ALL {
        *top.root_mut(set) = built(db, set, |place, digests| put(db, place, digests))?;
    }
    put(db, TOP, &top.sealed(&db.seals, &chain::head(db)?))
}
