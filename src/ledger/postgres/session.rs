//! One session of the server: statements that are prepared once, and long answers piece by piece.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::ledger::sql::fault::Fault;

/// The oldest server we know.
const VERSION_MIN: i64 = 150_000;
/// Rows of one piece.
const ROWS_AT_ONCE: u32 = 2_000;

/// Parameters of a statement.
pub(super) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// A session.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    cursors: AtomicU64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    /// Looks at what the server is, and sees to it that a commit that was answered is durable.
    pub(super) async fn begin(client: Client) -> Result<Self, Fault> {
        let sql = "SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'), \
                   set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
                   ELSE current_setting('synchronous_commit') END, FALSE)";
        let found = client.query_one(sql, &[]).await?;
        let (version, encoding): (i64, String) = (found.try_get(0)?, found.try_get(1)?);
        if version < VERSION_MIN {
            return Err(Fault::Failed(format!("it is PostgreSQL {}, and 15 is the oldest that can be used", version / 10_000)));
        }
        if encoding != "UTF8" {
            return Err(Fault::Failed(format!("the database is in {encoding}, and must be in UTF8")));
        }
        Ok(Self { client, statements: Mutex::default(), cursors: AtomicU64::default() })
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn prepared(&self, sql: &str) -> Result<Statement, Fault> {
        let kept = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = kept {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The rows of an answer that is short.
    pub(super) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    /// The one row there is, or none.
    pub(super) async fn row(&self, sql: &str, parameters: Parameters<'_>) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, parameters).await?.pop())
    }

    /// Changes something; gives how many rows.
    pub(super) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, Fault> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, parameters).await?)
    }

    /// Statements without parameters or answers.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Visits the rows of a long answer, until `visit` has enough. Only in a transaction.
    pub(super) async fn visit(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
        mut visit: impl FnMut(&Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let cursor = format!("visit_{}", self.cursors.fetch_add(1, Ordering::Relaxed));
        self.client.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {sql}"), parameters).await?;
        let piece = self.client.prepare(&format!("FETCH {ROWS_AT_ONCE} FROM {cursor}")).await?;
        'pieces: loop {
            let rows = self.client.query(&piece, &[]).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if !visit(row)? {
                    break 'pieces;
                }
            }
        }
        self.batch(&format!("CLOSE {cursor}")).await
    }
}
