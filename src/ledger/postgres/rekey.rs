//! Another key for a ledger's seals: an event of the chain, which answers for all events before it, and all seals anew.

use std::sync::Arc;

use jiff::Timestamp;

use super::engine::Engine;
use super::server::Access;
use super::session::Session;
use super::{copy, origin, read, seal_all, tables};
use crate::ledger::LedgerHead;
use crate::ledger::chain::{Covered, History, KeyRecord, Kind};
use crate::ledger::rules::microseconds;
use crate::ledger::seals::Seals;
use crate::ledger::sql::cells::{Value, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{LINKS, Link};

/// The ledger of the engine, whose seals it knows, is sealed with `seals` from now on.
pub(super) async fn rekey(engine: &Arc<Engine>, seals: &Seals, now: Timestamp) -> Result<LedgerHead, Fault> {
    let server = engine.server.clone();
    let session = engine.done(async move { server.connect(Access::Write).await }).await?;
    sealed_anew(session, seals, now).await
}

async fn sealed_anew(session: Session, seals: &Seals, now: Timestamp) -> Result<LedgerHead, Fault> {
    session.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    session.query("SELECT sequence FROM head FOR UPDATE", &[]).await?;
    copy::check(&session).await?;
    let (before, mut history) = (read::head(&session).await?, History::default());
    let one = |row: &tokio_postgres::Row| {
        let link = Link::of(row)?;
        history.take(&link.head(), &link.covered());
        Ok(true)
    };
    session.visit(&format!("{LINKS} ORDER BY sequence"), &[], one).await?;
    let (session, former) = session.sealed(seals);
    let record = KeyRecord { former: former.fingerprint(), key: seals.fingerprint(), history: history.finish() };
    let json = serde_json::to_string(&record).map_err(|error| Fault::Failed(error.to_string()))?;
    let event = Covered::new(microseconds(now), Kind::Key, "", &json);
    let origin = origin::origin(&session).await?.sealed(seals.clone(), before.sequence);
    let head = before.then(&origin, &event).ok_or_else(Fault::absurd)?;
    let row = vec![
        Value::Integer(signed(head.sequence)?),
        Value::Integer(event.at),
        Value::Text(event.kind.into()),
        Value::Text(String::new()),
        Value::Text(json.clone()),
        Value::Blob(head.hash.to_vec()),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
    ];
    tables::EVENTS.insert(&session, vec![row], "").await?;
    session.execute("UPDATE head SET sequence = $1, hash = $2", &[&signed(head.sequence)?, &head.hash.to_vec()]).await?;
    session.execute("UPDATE meta SET key = $1, keyed_after = $2", &[&seals.fingerprint(), &signed(before.sequence)?]).await?;
    session.batch("DELETE FROM seals").await?;
    seal_all::seal(&session, &head, Some(&former)).await?;
    copy::check(&session).await?;
    session.batch("COMMIT").await?;
    Ok(head)
}
