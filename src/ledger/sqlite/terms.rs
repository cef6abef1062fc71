//! The table `terms`: each text once.

use rusqlite::OptionalExtension as _;

use super::db::Db;
use crate::ledger::sql::fault::Fault;
use crate::ledger::terms::TermsText;

/// Keeps a text; gives its id.
pub(super) fn insert(connection: &Db, terms: &TermsText) -> Result<i64, Fault> {
    connection.prepare_cached("INSERT INTO terms (text) VALUES (?1)")?.execute([&terms.text])?;
    Ok(connection.last_insert_rowid())
}

/// A text by its id.
pub(super) fn text(connection: &Db, id: i64) -> Result<String, Fault> {
    let text = connection.prepare_cached("SELECT text FROM terms WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    text.ok_or_else(|| Fault::Damaged(format!("terms {id} are missing")))
}

/// The id of terms the ledger has for a bill already, in the last of its events, or a new one.
pub(super) fn id_of(connection: &Db, terms: &TermsText, known: &[i64]) -> Result<i64, Fault> {
    for &id in known {
        if text(connection, id)? == terms.text {
            return Ok(id);
        }
    }
    insert(connection, terms)
}
