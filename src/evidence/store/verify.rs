//! Whether a store is what was written: every byte, file and row of it, and nothing beside.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::entry::{NAME, files, with_new};
use super::error::StoreError;
use super::list::{List, NOT_LISTED};
use super::load::stored;
use super::log::Held;
use super::relation::{content, messages_of};
use super::store_at::StoreAt;
use super::writer::is_draft;

/// What a look at all of a store found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The list.
    pub list: List,
    /// All that is wrong, each with its file.
    pub wrong: Vec<(PathBuf, String)>,
    /// How many messages are there.
    pub messages: u64,
    /// How many files.
    pub files: u64,
}

/// Reads all of the store at `at` again and holds it against its list.
///
/// # Errors
/// Where there is no list that can be believed; what else is wrong is told.
pub fn verify(at: &StoreAt) -> Result<Verified, StoreError> {
    let list = List::read_alone(at)?;
    let mut found = Verified { wrong: Vec::new(), messages: 0, files: 0, list: list.clone() };
    for log in list.logs() {
        let before = found.wrong.len();
        for held in log.held.iter().chain(&log.raw) {
            found.files = found.files.saturating_add(1);
            found.look(at, held);
        }
        if found.wrong.len() > before {
            continue;
        }
        let messages = messages_of(at, &log)?;
        found.messages = found.messages.saturating_add(u64::try_from(messages.len()).unwrap_or(u64::MAX));
        if !log.is_partly_gone && content(&messages) != log.last.content {
            found.wrong.push((at.path.clone(), format!("does not have the messages of the log `{}` as they were", log.name().display())));
        }
    }
    let listed: BTreeSet<PathBuf> = list.listed(at).into_iter().flat_map(|path| [with_new(&path), path]).collect();
    let there = files(&at.path).map_err(|error| StoreError::disk(&at.path, &error))?;
    let own = |path: &PathBuf| path.parent() == Some(&at.path) && path.file_name().is_some_and(|name| name == NAME || name == ".lock");
    for path in there.into_iter().filter(|path| !listed.contains(path) && !own(path) && !is_draft(path)) {
        found.wrong.push((path, NOT_LISTED.to_owned()));
    }
    Ok(found)
}

impl Verified {
    fn look(&mut self, at: &StoreAt, held: &Held<'_>) {
        match stored(at, held) {
            Ok(_) => {}
            Err(StoreError::Damaged { path, reason }) => self.wrong.push((path, reason)),
            Err(error) => self.wrong.push((at.path.join(&held.part.path), error.to_string())),
        }
    }
}
