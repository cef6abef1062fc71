//! Terms stand once: events say them by their digest, and `terms` has the text.
//!
//! Belongs here: the text of events with and without their terms. Must not be here: what terms are.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _};

use super::fault::Fault;
use crate::domain::bill::RecordedTerms;
use crate::domain::digest;

/// Hexadecimal digits of a digest that stands for terms: half of SHA-256's.
const DIGITS: usize = 32;

/// Terms as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TermsText {
    pub(super) text: String,
    digest: String,
}

impl TermsText {
    pub(super) fn of(terms: &RecordedTerms) -> Result<Self, Fault> {
        let text = serde_json::to_string(terms).map_err(|error| Fault::Failed(error.to_string()))?;
        Ok(Self { digest: digest_of(&text), text })
    }

    /// The text of an event, as the chain covers it: with the digest where the terms stood.
    pub(super) fn taken_out_of(&self, event: &str) -> Result<String, Fault> {
        let whole = format!("\"terms\":{}", self.text);
        let (before, after) = event.split_once(&whole).ok_or_else(|| Fault::Failed("an event does not hold its terms".into()))?;
        Ok(format!("{before}\"terms\":\"{}\"{after}", self.digest))
    }
}

fn digest_of(text: &str) -> String {
    let mut hex = digest::hex(&digest::of_bytes(text.as_bytes()));
    hex.truncate(DIGITS);
    hex
}

/// An event's text with its terms in it again; `terms` is the text its row refers to, if it does.
pub(super) fn put_back<'e>(event: &'e str, terms: Option<&str>) -> Result<Cow<'e, str>, Fault> {
    let Some(terms) = terms else { return Ok(Cow::Borrowed(event)) };
    let wanted = format!("\"terms\":\"{}\"", digest_of(terms));
    let (before, after) = event.split_once(&wanted).ok_or_else(|| Fault::Damaged("its terms are not the ones it names".into()))?;
    Ok(Cow::Owned(format!("{before}\"terms\":{terms}{after}")))
}

/// Keeps a text; gives its id.
pub(super) fn insert(connection: &Connection, terms: &TermsText) -> Result<i64, Fault> {
    connection.prepare_cached("INSERT INTO terms (text) VALUES (?1)")?.execute([&terms.text])?;
    Ok(connection.last_insert_rowid())
}

/// A text by its id.
pub(super) fn text(connection: &Connection, id: i64) -> Result<String, Fault> {
    let text = connection.prepare_cached("SELECT text FROM terms WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    text.ok_or_else(|| Fault::Damaged(format!("terms {id} are missing")))
}

/// The id of terms the ledger has for a bill already, in the last of its events, or a new one.
pub(super) fn id_of(connection: &Connection, terms: &TermsText, known: &[i64]) -> Result<i64, Fault> {
    for &id in known {
        if text(connection, id)? == terms.text {
            return Ok(id);
        }
    }
    insert(connection, terms)
}
