//! The list of a store: which logs were read, and in which files what was found stands. Each entry is chained to the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::entry::{Addition, Entry, FORMAT, Header, NAME, Part, files};
use super::error::StoreError;
use super::log::{Held, StoredLog};
use super::store_at::StoreAt;
use crate::domain::digest::{self, Digest};
use crate::private;

/// What is said of a file that the list does not tell of.
pub(super) const NOT_LISTED: &str = "is no file of the store's, or the list has lost its end";

#[derive(Deserialize)]
struct Chained<'a> {
    #[serde(borrow)]
    entry: &'a RawValue,
    hash: String,
}

/// The list of a store.
#[derive(Clone, Debug)]
pub struct List {
    /// As it stands in the file.
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
    head: Digest,
}

impl List {
    /// Reads that of the store at `at`, which must tell of every file of messages that is there: one that has lost its end is no list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(at: &StoreAt) -> Result<Self, StoreError> {
        let mut list = Self::read_alone(at)?;
        loop {
            let listed = list.listed(at);
            let Some(stray) = parts_there(at)?.into_iter().find(|path| !listed.contains(path)) else { return Ok(list) };
            // Whoever writes at this moment has listed it by now.
            let again = Self::read_alone(at)?;
            if again.head == list.head {
                return Err(StoreError::damaged(&stray, NOT_LISTED));
            }
            list = again;
        }
    }

    /// The same, whatever files are there.
    pub(super) fn read_alone(at: &StoreAt) -> Result<Self, StoreError> {
        let path = at.path.join(NAME);
        let text = private::regular(&path).and_then(|mut file| {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut file, &mut text).map(|_| text)
        });
        match text {
            Ok(text) => {
                // Its lines are not verified again: without a seal, whoever could write it is believed.
                if at.seals.fingerprint().is_none() {
                    private::check_believed(&path)
                        .map_err(|error| StoreError::Other { path: at.path.clone(), reason: format!("is not to be believed: {error}") })?;
                }
                Self::of(text, at, &path)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(match parts_there(at)?.first() {
                Some(_) => StoreError::damaged(&path, "is missing, and files of messages are there"),
                None => StoreError::None(at.path.clone()),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(StoreError::damaged(&path, "is no text")),
            Err(error) => Err(StoreError::disk(&path, &error)),
        }
    }

    fn of(text: String, at: &StoreAt, path: &Path) -> Result<Self, StoreError> {
        let damaged = |number: usize| StoreError::damaged(path, format!("is not as it was written in line {number}"));
        if !text.ends_with('\n') {
            return Err(damaged(text.lines().count()));
        }
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let header: Header = serde_json::from_str(first).map_err(|_| damaged(1))?;
        check(&header, at)?;
        let (mut head, mut entries) = (at.seals.digest(&[b"evidence", first.as_bytes()]), Vec::new());
        for (line, number) in lines.zip(2_usize..) {
            let Chained { entry, hash } = serde_json::from_str(line).map_err(|_| damaged(number))?;
            head = chained(at, &head, entry.get());
            let found = digest::from_hex(&hash).filter(|found| *found == head).ok_or_else(|| damaged(number))?;
            head = found;
            entries.push(serde_json::from_str(entry.get()).map_err(|_| damaged(number))?);
        }
        Ok(Self { text, entries, head })
    }

    /// An empty one.
    pub(super) fn begun(at: &StoreAt) -> Self {
        let header = Header {
            format: FORMAT,
            environment: at.environment.clone(),
            client_id: at.client_id.clone(),
            sealed_with: at.seals.fingerprint(),
        };
        let first = json(&header);
        let head = at.seals.digest(&[b"evidence", first.as_bytes()]);
        Self { text: first + "\n", entries: Vec::new(), head }
    }

    /// What `entries` are after those it has: their lines, and the head then.
    pub(super) fn after(&self, entries: &[Entry], at: &StoreAt) -> (String, Digest) {
        let (mut lines, mut head) = (String::new(), self.head);
        for entry in entries {
            let text = json(entry);
            head = chained(at, &head, &text);
            lines.extend(["{\"entry\":", &text, ",\"hash\":\"", &digest::hex(&head), "\"}\n"]);
        }
        (lines, head)
    }

    /// Takes `entries`, once they are written.
    pub(super) fn take(&mut self, entries: Vec<Entry>, (lines, head): (String, Digest)) {
        self.text.push_str(&lines);
        self.entries.extend(entries);
        self.head = head;
    }

    /// How many entries, and the hash of the last one.
    #[must_use]
    pub fn head(&self) -> String {
        format!("{}:{}", self.entries.len(), digest::hex(&self.head))
    }

    /// Whether `head` was that of this list once.
    #[must_use]
    pub fn has_had(&self, head: &str) -> bool {
        let Some((number, hash)) = head.split_once(':') else { return false };
        let Ok(number) = number.parse::<usize>() else { return false };
        if number == self.entries.len() {
            return head == self.head();
        }
        let line = number.checked_sub(1).and_then(|before| self.text.lines().nth(before.saturating_add(1)));
        line.is_some_and(|line| line.ends_with(&format!("\"hash\":\"{hash}\"}}")))
    }

    /// Its logs, by name.
    #[must_use]
    pub fn logs(&self) -> Vec<StoredLog<'_>> {
        let mut of_log: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (place, entry) in self.entries.iter().enumerate() {
            if let Entry::Added(added) = entry {
                of_log.entry(added.log).or_default().push(place);
            }
        }
        let mut logs: Vec<StoredLog<'_>> = of_log.values().filter_map(|places| self.log(places)).collect();
        logs.sort_by(|a, b| a.last.name.cmp(&b.last.name));
        logs
    }

    /// The log whose entries are at these places.
    pub(super) fn log(&self, places: &[usize]) -> Option<StoredLog<'_>> {
        let addition = |place: &usize| match self.entries.get(*place) {
            Some(Entry::Added(added)) => Some((*place, &**added)),
            _ => None,
        };
        let additions: Vec<(usize, &Addition)> = places.iter().filter_map(addition).collect();
        let (_, last) = *additions.last()?;
        let (mut held, mut raw, mut is_partly_gone) = (Vec::new(), Vec::new(), false);
        for (nth, (place, added)) in additions.iter().enumerate() {
            let later = additions.get(nth.saturating_add(1)..).unwrap_or_default();
            let until_message = later.iter().map(|(_, later)| later.from_message).min().unwrap_or(u64::MAX);
            for (parts, to) in [(&added.parts, &mut held), (&added.raw, &mut raw)] {
                for part in parts {
                    if self.is_removed(*place, part) {
                        is_partly_gone = true;
                    } else {
                        to.push(Held { part, until_message });
                    }
                }
            }
        }
        Some(StoredLog { last, held, raw, is_partly_gone })
    }

    /// Whether a part of the entry at `place` is kept no longer.
    fn is_removed(&self, place: usize, part: &Part) -> bool {
        let later = self.entries.get(place..).unwrap_or_default();
        later.iter().any(|entry| matches!(entry, Entry::Removed { before, .. } if part.day.is_some_and(|day| day < *before)))
    }

    /// Where the files are that it tells of, kept or not.
    pub(super) fn listed(&self, at: &StoreAt) -> BTreeSet<PathBuf> {
        self.parts().map(|(part, _)| at.path.join(&part.path)).collect()
    }

    /// Every file it tells of, and whether it is kept.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&Part, bool)> {
        self.entries.iter().enumerate().flat_map(move |(place, entry)| {
            let parts = if let Entry::Added(added) = entry { [added.parts.as_slice(), added.raw.as_slice()] } else { [&[][..], &[]] };
            parts.into_iter().flatten().map(move |part| (part, !self.is_removed(place, part)))
        })
    }
}

/// The files of messages that are there under names of their own.
fn parts_there(at: &StoreAt) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = match files(&at.path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(|error| StoreError::disk(&at.path, &error))?,
    };
    found.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    Ok(found)
}

fn check(header: &Header, at: &StoreAt) -> Result<(), StoreError> {
    let other = |reason: String| Err(StoreError::Other { path: at.path.clone(), reason });
    let sealed = |key: Option<&String>| key.map_or_else(|| "without a key".to_owned(), |key| format!("with the key {key}"));
    if header.format != FORMAT {
        return other(format!("has format {}, and this version reads {FORMAT}", header.format));
    }
    if (header.environment.as_str(), header.client_id.as_str()) != (at.environment.as_str(), at.client_id.as_str()) {
        return other(format!("is of {} {}, not of {} {}", header.environment, header.client_id, at.environment, at.client_id));
    }
    if header.sealed_with != at.seals.fingerprint() {
        let (theirs, ours) = (sealed(header.sealed_with.as_ref()), sealed(at.seals.fingerprint().as_ref()));
        return other(format!("is sealed {theirs}, and the settings seal {ours}"));
    }
    Ok(())
}

fn chained(at: &StoreAt, before: &Digest, entry: &str) -> Digest {
    at.seals.digest(&[b"evidence entry", before, entry.as_bytes()])
}

fn json(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(_) => unreachable!("structs of texts, numbers and days are always JSON"),
    }
}
