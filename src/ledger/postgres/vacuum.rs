//! What is left of removed rows in the database's files is overwritten.

use super::engine::Engine;
use super::purge::TABLES;
use super::server::{Access, SCHEMA};
use crate::ledger::Purged;
use crate::ledger::sql::fault::Fault;

/// Takes what was removed out of the tables, where this user may: the server keeps old rows until then. What was purged is purged
/// whatever comes of this.
pub(super) async fn vacuum(engine: &Engine, purged: Purged) {
    let server = engine.server.clone();
    let vacuumed = engine.done(async move {
        let session = server.connect(Access::Write).await?;
        let sql = "SELECT BOOL_AND(pg_has_role(relowner, 'USAGE')) FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relname = ANY($2)";
        let found = session.row(sql, &[&SCHEMA, &&TABLES[..]]).await?;
        let may = found.map_or(Ok(None), |row| row.try_get::<_, Option<bool>>(0))?.unwrap_or(false);
        if !may {
            return Err(Fault::Failed("only their owner may vacuum them".into()));
        }
        session.takes_time(true);
        session.batch("SET statement_timeout = 0").await?;
        session.batch(&format!("VACUUM {}", TABLES.join(", "))).await
    });
    if let Err(fault) = vacuumed.await
        && purged.customers.saturating_add(purged.bodies) > 0
    {
        tracing::warn!("what was removed stays in the files of PostgreSQL's tables until it vacuums them: {}", fault.in_words());
    }
}
