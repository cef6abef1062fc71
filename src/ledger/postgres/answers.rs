//! Answers to inquiries, for as long as they may be asked for again: the first one given to a `Request-Id` stands, whichever host gave it.

use jiff::Timestamp;

use super::engine::Engine;
use crate::domain::digest;
use crate::ledger::rules::microseconds;
use crate::ledger::sql::cells::required;
use crate::ledger::sql::fault::Fault;

/// Keeps `answer` of `at`, unless there is one that is not older than `since`; gives the one that stands.
pub(super) async fn keep(engine: &Engine, request_id: &str, at: Timestamp, since: Timestamp, answer: &str) -> Result<String, Fault> {
    let sql = "INSERT INTO answers (request_id, at, answer) VALUES ($1, $2, $3) ON CONFLICT (request_id) DO UPDATE SET \
               at = CASE WHEN answers.at < $4 THEN excluded.at ELSE answers.at END, \
               answer = CASE WHEN answers.at < $4 THEN excluded.answer ELSE answers.answer END RETURNING answer";
    let id = digest::of_bytes(request_id.as_bytes()).to_vec();
    let kept = engine.row(sql, vec![Box::new(id), Box::new(microseconds(at)), Box::new(answer.to_owned()), Box::new(microseconds(since))]);
    let row = kept.await?.ok_or_else(|| Fault::Failed("an answer was kept, and not given back".into()))?;
    Ok(required(&row, 0)?.to_owned())
}

/// Removes those that are older than `since`.
pub(super) async fn forget(engine: &Engine, since: Timestamp) -> Result<(), Fault> {
    engine.row("DELETE FROM answers WHERE at < $1", vec![Box::new(microseconds(since))]).await.map(drop)
}
