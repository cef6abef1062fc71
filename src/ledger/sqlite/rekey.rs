//! Another key for a ledger's seals: an event of the chain, which answers for all events before it, and all seals anew.

use std::path::Path;

use jiff::Timestamp;

use super::append::{self, EventRow};
use super::db::Db;
use super::{chain, open, origin, totals, tree, verify, write};
use crate::ledger::chain::{Covered, History, KeyRecord, Kind};
use crate::ledger::rules::microseconds;
use crate::ledger::seals::Seals;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::ledger::{Binding, LedgerError, LedgerHead};

/// The ledger at `path`, whose seals are made with `former`, is sealed as `binding` says from now on. Nobody has a part of it.
pub(super) fn rekey(path: &Path, binding: &Binding, former: &Seals, now: Timestamp) -> Result<LedgerHead, LedgerError> {
    let place = Place::new(path);
    let opened = open::to_rekey(&place, &Binding { seals: former.clone(), ..binding.clone() })?;
    let mut connection = opened.connection;
    let mut work = || -> Result<LedgerHead, Fault> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        whole(&connection)?;
        let (mut history, before) = (History::default(), chain::head(&connection)?);
        chain::visit_links(&connection, "ORDER BY sequence", [], |link| {
            history.take(&link.head(), &link.covered());
            Ok(())
        })?;
        connection.seals = binding.seals.clone();
        let record = KeyRecord { former: former.fingerprint(), key: binding.seals.fingerprint(), history: history.finish() };
        let json = serde_json::to_string(&record).map_err(|error| Fault::Failed(error.to_string()))?;
        let event = Covered::new(microseconds(now), Kind::Key, "", &json);
        let origin = origin::origin(&connection)?.sealed(binding.seals.clone(), before.sequence);
        let head = before.then(&origin, &event).ok_or_else(Fault::absurd)?;
        append::keep_event(&connection, &head, &event, EventRow::default())?;
        let after = crate::ledger::sql::cells::signed(before.sequence)?;
        connection.execute("UPDATE meta SET key = ?1, keyed_after = ?2", (binding.seals.fingerprint(), after))?;
        write::seal_payments(&connection)?;
        write::seal_bills(&connection, former)?;
        tree::make(&connection, totals::sealed(&connection)?)?;
        whole(&connection)?;
        connection.execute_batch("COMMIT")?;
        Ok(head)
    };
    work().map_err(|fault| place.error(fault))
}

/// Nothing is sealed that does not hold together.
fn whole(connection: &Db) -> Result<(), Fault> {
    match verify::examine(connection, None)?.findings.into_iter().next() {
        Some(finding) => Err(Fault::Damaged(finding)),
        None => Ok(()),
    }
}
