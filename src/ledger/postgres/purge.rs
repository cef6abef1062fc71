//! Removing personal data of bills that are over.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::append::Appender;
use super::read;
use super::session::Session;
use crate::domain::lifecycle::{BillState, Status};
use crate::ledger::Purged;
use crate::ledger::chain::{Covered, Kind, PurgeRecord};
use crate::ledger::rules::{microseconds, truncated};
use crate::ledger::sql::cells::{count, integer};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Kept, Row};

/// The tables that it removes something from.
pub(super) const TABLES: [&str; 3] = ["customers", "bodies", "bills"];
/// Bills whose rows are in memory at once.
const BILLS_AT_ONCE: usize = 1_000;

/// The bills a purge may touch, as far as they have anything to purge: nothing under way or in doubt, no code that can still be paid,
/// quiet since `$1`.
pub(super) static PURGEABLE: LazyLock<String> = LazyLock::new(|| {
    let live = Status::ALL.iter().filter(|status| status.may_be_live()).map(|status| format!("'{}'", status.name()));
    let live = live.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT bills.id FROM bills JOIN events ON events.sequence = bills.last_event WHERE open IS NULL \
         AND (salt IS NOT NULL OR EXISTS (SELECT 1 FROM bodies WHERE bill = bills.id) OR EXISTS (SELECT 1 FROM customers WHERE bill = bills.id)) \
         AND (status NOT IN ({live}) OR expires_at < $1 OR (NOT reusable AND first_paid_at < $1)) AND events.at < $1"
    )
});

/// How much of it a purge would remove.
pub(super) async fn purgeable(session: &Session, before: Timestamp) -> Result<Purged, Fault> {
    let sql = format!(
        "WITH due AS ({}) SELECT (SELECT COUNT(*) FROM customers WHERE bill IN (SELECT id FROM due)), \
         (SELECT COUNT(*) FROM bodies WHERE bill IN (SELECT id FROM due))",
        *PURGEABLE
    );
    let row =
        session.row(&sql, &[&microseconds(truncated(before))]).await?.ok_or_else(|| Fault::Failed("a question came to nothing".into()))?;
    Ok(Purged { customers: count(&row, 0)?, bodies: count(&row, 1)? })
}

/// Removes the personal data of the bills that `purgeable` finds, and records that.
pub(super) async fn purge(
    session: &Session,
    appender: &mut Appender<'_>,
    purgeable: &str,
    before: Timestamp,
    now: Timestamp,
) -> Result<Purged, Fault> {
    // There may be many.
    session.batch("SET LOCAL statement_timeout = 0").await?;
    session.takes_time(true);
    // What other jobs of the transaction did to bills must be there to be found.
    appender.write().await?;
    let before = truncated(before);
    let found = session.query(purgeable, &[&microseconds(before)]).await?;
    let ids = found.iter().map(|row| integer(row, 0)).collect::<Result<Vec<i64>, Fault>>()?;
    let customers = session.execute("DELETE FROM customers WHERE bill = ANY($1)", &[&ids]).await?;
    let bodies = session.execute("DELETE FROM bodies WHERE bill = ANY($1)", &[&ids]).await?;
    let purged = Purged { customers, bodies };
    let json = serde_json::to_string(&PurgeRecord { before, customers, bodies }).map_err(|error| Fault::Failed(error.to_string()))?;
    let sequence = appender.event(&Covered::new(microseconds(now), Kind::Purge, "", &json), None, None)?;
    // With their salts, nobody can guess names against the digests that stay in the chain.
    for part in ids.chunks(BILLS_AT_ONCE) {
        for row in read::bills(session, "WHERE bills.id = ANY($1)", &[&part]).await? {
            let kept = Kept { purged_by: Some(sequence), ..row.kept };
            let state = BillState { salt: None, ..row.state.clone() };
            appender.replace(row.clone(), Row { state, kept, ..row });
        }
        appender.write().await?;
    }
    // Whose customers were looked at before has none any more.
    appender.forget();
    Ok(purged)
}
