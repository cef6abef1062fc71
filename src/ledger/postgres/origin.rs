//! What the ledger of a database is bound to: what its chain begins with, and the end it says it has.

use super::session::Session;
use crate::ledger::LedgerHead;
use crate::ledger::chain::Origin;
use crate::ledger::sql::cells::{bytes, count, required};
use crate::ledger::sql::fault::Fault;

/// What the chain covers of the ledger's own row.
pub(super) async fn origin(session: &Session) -> Result<Origin, Fault> {
    let found = session.row("SELECT environment, client_id, salt, chained_after, keyed_after FROM meta", &[]).await?;
    let row = found.ok_or_else(|| Fault::Damaged("it does not say what it is bound to".into()))?;
    let salt: [u8; 16] = bytes(&row, 2)?;
    let origin = Origin::of(required(&row, 0)?, required(&row, 1)?, &salt, count(&row, 3)?);
    Ok(origin.sealed(session.seals.clone(), count(&row, 4)?))
}

/// Where the chain is said to end.
pub(super) async fn said_end(session: &Session) -> Result<Option<LedgerHead>, Fault> {
    let said = session.row("SELECT sequence, hash FROM head", &[]).await?;
    said.map(|row| Ok(LedgerHead { sequence: count(&row, 0)?, hash: bytes(&row, 1)? })).transpose()
}
