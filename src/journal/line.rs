//! One line as bytes: what stands before `,"hash":"` is hashed as it is written, so that no byte can change unnoticed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Author, JournalEntry, JournalHead, Record};
use crate::domain::digest::{self, Digest};

/// `,"hash":"`, 64 digits, `"}`.
const SEAL_LENGTH: usize = 9 + 64 + 2;

#[derive(Serialize)]
struct Written<'a> {
    sequence: u64,
    at: Timestamp,
    actor: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    person: &'a str,
    entry: &'a JournalEntry,
    previous: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    sequence: u64,
    at: Timestamp,
    actor: String,
    reason: String,
    #[serde(default)]
    person: String,
    entry: JournalEntry,
    previous: String,
    #[serde(rename = "hash")]
    _hash: String,
}

fn sealed(body: &[u8]) -> Digest {
    digest::of_parts(&[b"journal", body])
}

/// The line that follows `head`, with its newline, and the record it will be read as.
pub(super) fn write(head: JournalHead, at: Timestamp, author: &Author, entry: JournalEntry) -> serde_json::Result<(Vec<u8>, Record)> {
    let (sequence, previous) = (head.sequence.saturating_add(1), digest::hex(&head.hash));
    let written =
        Written { sequence, at, actor: author.actor(), reason: author.reason(), person: author.person(), entry: &entry, previous };
    let mut line = serde_json::to_vec(&written)?;
    // The closing brace goes behind the hash.
    line.pop();
    let hash = sealed(&line);
    line.extend_from_slice(format!(",\"hash\":\"{}\"}}\n", digest::hex(&hash)).as_bytes());
    let (actor, reason, person) = (author.actor().to_owned(), author.reason().to_owned(), author.person().to_owned());
    let record = Record { sequence, at, actor, reason, person, entry, hash };
    Ok((line, record))
}

/// Reads one line, without its newline, as the one that follows `head`.
pub(super) fn read(line: &[u8], head: JournalHead) -> Result<Record, String> {
    let (body, seal) = line.len().checked_sub(SEAL_LENGTH).and_then(|at| line.split_at_checked(at)).ok_or("it is cut short")?;
    let hash = sealed(body);
    if seal != format!(",\"hash\":\"{}\"}}", digest::hex(&hash)).as_bytes() {
        return Err("its hash is not that of its content".to_owned());
    }
    let read: Read = serde_json::from_slice(line).map_err(|error| format!("this version cannot read it: {error}"))?;
    if read.sequence != head.sequence.saturating_add(1) || read.previous != digest::hex(&head.hash) {
        return Err("it does not follow the line before it".to_owned());
    }
    let Read { sequence, at, actor, reason, person, entry, .. } = read;
    Ok(Record { sequence, at, actor, reason, person, entry, hash })
}
