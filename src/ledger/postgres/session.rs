//! One session of the server: statements that are prepared once, and long answers piece by piece.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::clock::{Stopwatch, sleep};
use crate::ledger::seals::Seals;
use crate::ledger::sql::fault::Fault;

/// How often it is looked whether an answer is overdue.
const LOOK: Duration = Duration::from_millis(500);
/// The oldest server we know.
const VERSION_MIN: i64 = 150_000;
/// Rows of one piece.
const ROWS_AT_ONCE: u32 = 2_000;

/// Parameters of a statement.
pub(super) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// For how long an answer is waited for. A server that stands still, or something between that keeps the connection and passes nothing
/// on, would else be waited for without end.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Waited>);

#[derive(Debug, Default)]
struct Waited {
    since: Mutex<Option<Stopwatch>>,
    takes_time: AtomicBool,
}

impl Waiting {
    fn since(&self) -> MutexGuard<'_, Option<Stopwatch>> {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drives a session until it ends, or one answer takes longer than `limit`.
    pub(super) async fn drive(self, connection: impl Future, limit: Duration) {
        let is_overdue = || !self.0.takes_time.load(Ordering::Relaxed) && self.since().is_some_and(|since| since.elapsed() > limit);
        let overdue = async {
            while !is_overdue() {
                sleep(LOOK).await;
            }
        };
        tokio::select! {
            _ = connection => {}
            () = overdue => {}
        }
    }

    /// An answer is waited for from now on, until what it gives is dropped.
    fn begin(&self) -> Asked<'_> {
        *self.since() = Some(Stopwatch::start());
        Asked(self)
    }
}

struct Asked<'w>(&'w Waiting);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        *self.0.since() = None;
    }
}

/// A session.
pub(super) struct Session {
    client: Client,
    waiting: Waiting,
    /// What the seals of its ledger are made with.
    pub(super) seals: Seals,
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
    pub(super) async fn begin(client: Client, waiting: Waiting, seals: Seals) -> Result<Self, Fault> {
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
        Ok(Self { client, waiting, seals, statements: Mutex::default(), cursors: AtomicU64::default() })
    }

    /// The same, with a ledger whose seals are made so; and how they were made.
    pub(super) fn sealed(self, seals: &Seals) -> (Self, Seals) {
        let former = self.seals.clone();
        (Self { seals: seals.clone(), ..self }, former)
    }

    /// Waits until everything that was committed before is durable, here and on the replicas that the server waits for: a message in its log
    /// that says nothing is, once it is. Hosts that wait at the same time share it.
    pub(super) async fn flush(&self) -> Result<(), Fault> {
        self.batch("SELECT pg_logical_emit_message(TRUE, 'tagih', '')").await
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether what is asked from now on may take as long as it takes; the server's own limit of a statement is another matter.
    pub(super) fn takes_time(&self, takes_time: bool) {
        self.waiting.0.takes_time.store(takes_time, Ordering::Relaxed);
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
        let _asked = self.waiting.begin();
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    /// The one row there is, or none.
    pub(super) async fn row(&self, sql: &str, parameters: Parameters<'_>) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, parameters).await?.pop())
    }

    /// Changes something; gives how many rows.
    pub(super) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, Fault> {
        let _asked = self.waiting.begin();
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, parameters).await?)
    }

    /// Statements without parameters or answers.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        let _asked = self.waiting.begin();
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
        self.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {sql}"), parameters).await?;
        let piece = format!("FETCH {ROWS_AT_ONCE} FROM {cursor}");
        'pieces: loop {
            let rows = self.query(&piece, &[]).await?;
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
