//! The trees of seals in PostgreSQL: the table `seals`, asked and written in sets.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Session;
use super::tables;
use crate::ledger::LedgerHead;
use crate::ledger::seals::Seal;
use crate::ledger::sql::cells::{Value, bytes_or_null, integer};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::tree::{Builder, Growth, Nodes, Place, Set, TOP, Top, check_path, group_of, places_above, span_of};

/// What becomes of a node that is there already.
pub(super) const AGAIN: &str = "ON CONFLICT (place) DO UPDATE SET digests = excluded.digests";

async fn nodes(session: &Session, places: &[Place]) -> Result<Nodes, Fault> {
    let found = session.query("SELECT place, digests FROM seals WHERE place = ANY($1)", &[&places]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn put(session: &Session, nodes: impl Iterator<Item = (Place, Vec<u8>)>) -> Result<(), Fault> {
    let rows = nodes.map(|(place, digests)| vec![Value::Integer(place), Value::Blob(digests)]);
    tables::SEALS.insert(session, rows.collect(), AGAIN).await
}

/// What stands for all there is, if `head` is where the chain ends.
pub(super) async fn top(session: &Session, head: &LedgerHead) -> Result<Top, Fault> {
    let kept = nodes(session, &[TOP]).await?;
    Top::of(&session.seals, head, kept.get(&TOP).map(Vec::as_slice))
}

/// Whether these rows of a set, and those beside them, are those that were written last. All are asked about in one question.
pub(super) async fn check(session: &Session, top: &Top, set: Set, rows: &BTreeMap<i64, Seal>) -> Result<(), Fault> {
    let groups: BTreeSet<i64> = rows.keys().map(|id| group_of(*id)).collect();
    if groups.is_empty() {
        return Ok(());
    }
    let places: BTreeSet<Place> = groups.iter().flat_map(|group| places_above(set, *group)).collect();
    let beside: Vec<i64> = groups
        .iter()
        .flat_map(|group| {
            let [first, last] = span_of(*group);
            first..=last
        })
        .filter(|id| !rows.contains_key(id))
        .collect();
    let places: Vec<Place> = places.into_iter().collect();
    let sql = format!(
        "SELECT TRUE, place, digests FROM seals WHERE place = ANY($1) UNION ALL SELECT FALSE, found.* FROM ({} WHERE {} = ANY($2)) AS found",
        set.seals(),
        set.key()
    );
    let (mut nodes, mut sums) = (Nodes::new(), BTreeMap::<i64, u128>::new());
    let mut add = |id: i64, seal: Seal| {
        let sum = sums.entry(group_of(id)).or_default();
        *sum = sum.wrapping_add(u128::from_be_bytes(seal));
    };
    for (id, seal) in rows {
        add(*id, *seal);
    }
    for row in &session.query(&sql, &[&places, &beside]).await? {
        let (is_node, id): (bool, i64) = (row.try_get(0)?, row.try_get(1)?);
        if is_node {
            nodes.insert(id, row.try_get(2)?);
        } else {
            add(id, bytes_or_null(row, 2)?.ok_or_else(|| set.unsealed(id))?);
        }
    }
    let mut checked = BTreeSet::new();
    for group in groups {
        let wanted = check_path(&session.seals, top, set, group, &nodes, &mut checked)?;
        if sums.get(&group) != Some(&wanted) {
            return Err(set.broken());
        }
    }
    Ok(())
}

/// Makes the tree of all rows there are; gives its digest. Only in a transaction.
async fn built(session: &Session, set: Set, emit: impl FnMut(Place, &[u8]) -> Result<(), Fault>) -> Result<Seal, Fault> {
    let mut builder = Builder::new(&session.seals, set, emit);
    let one = |row: &tokio_postgres::Row| {
        let seal = bytes_or_null(row, 1)?.ok_or_else(|| set.broken())?;
        builder.row(integer(row, 0)?, seal).map(|()| true)
    };
    session.visit(&format!("{} ORDER BY {}", set.seals(), set.key()), &[], one).await?;
    builder.finish()
}

/// Whether all rows that were written are there, and no others, as the transaction sees them.
pub(super) async fn check_all(session: &Session, top: &Top, set: Set) -> Result<(), Fault> {
    let found = built(session, set, |_, _| Ok(())).await?;
    if found == top.root(set) { Ok(()) } else { Err(set.broken()) }
}

/// Puts what has changed into the trees, and seals everything with `head`, which ends the chain; `totals` is what their sum has become
/// more by. It ended with `before` when they were sealed last. `known` is what is known of the nodes already.
pub(super) async fn write(
    session: &Session,
    known: &mut Nodes,
    (before, head): (&LedgerHead, &LedgerHead),
    growth: Growth,
    totals: u128,
) -> Result<(), Fault> {
    let mut places = growth.places();
    places.insert(TOP);
    places.retain(|place| !known.contains_key(place));
    let places: Vec<Place> = places.into_iter().collect();
    if !places.is_empty() {
        known.extend(nodes(session, &places).await?);
    }
    let mut top = Top::of(&session.seals, before, known.get(&TOP).map(Vec::as_slice))?;
    let mut changed = growth.apply(&session.seals, &mut top, known)?;
    top.totals = top.totals.wrapping_add(totals);
    known.insert(TOP, top.sealed(&session.seals, head));
    changed.insert(TOP);
    put(session, changed.into_iter().filter_map(|place| Some((place, known.get(&place)?.clone())))).await
}

/// Makes both trees anew of the rows there are, and seals them with the end of the chain; `totals` is the sum of all totals.
pub(super) async fn make(session: &Session, head: &LedgerHead, totals: u128) -> Result<(), Fault> {
    let mut top = Top::default();
    top.totals = totals;
    let mut all = Nodes::new();
    for set in Set::ALL {
        *top.root_mut(set) = built(session, set, |place, digests| {
            all.insert(place, digests.to_vec());
            Ok(())
        })
        .await?;
    }
    all.insert(TOP, top.sealed(&session.seals, head));
    put(session, all.into_iter()).await
}
