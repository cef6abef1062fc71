//! How a log stands to what the store has of it, or of others.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::entry::{Addition, Entry};
use super::error::StoreError;
use super::list::List;
use super::load::stored;
use super::log::StoredLog;
use super::store_at::StoreAt;
use crate::domain::digest::{self, Digest};

/// A message of a log: its line, its digest, and whether it could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) line: u64,
    pub(super) digest: Digest,
    pub(super) is_unread: bool,
}

/// How a log stands to those that were added before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Nothing is known of it.
    New,
    /// One of its name is known, of which it has no line.
    Renewed,
    /// All of it is there; as the whole log of this number, or as a piece of another.
    Known(Option<u64>),
    /// It is the log of this number, with more from this message on (from 0).
    Grown(u64, usize),
    /// It is a log of its name without its end.
    Cut,
    /// It is a log of its name, whose line of this number was another.
    Changed(u64),
}

/// The messages of a log, as what they say and in which order.
pub(super) fn content(messages: &[Message]) -> Digest {
    let mut running = digest::Running::default();
    for message in messages {
        running.update(&message.line.to_be_bytes());
        running.update(&message.digest);
    }
    running.finish()
}

/// What messages say, and how many of them cannot be read: the first piece of one that is split over lines is known by the same line as all
/// of it, once all is there.
type Content = (Digest, u64);

/// What is known of all logs, to find those that another one may be.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Which logs are these bytes now, and which have these messages.
    files: HashMap<Digest, u64>,
    contents: HashMap<Content, u64>,
    /// By what each log is found there.
    lasts: HashMap<u64, (Digest, Content)>,
    /// The places of a log's entries, by its number.
    entries: HashMap<u64, Vec<usize>>,
    names: HashMap<PathBuf, BTreeSet<u64>>,
    firsts: HashMap<Digest, BTreeSet<u64>>,
}

impl Index {
    pub(super) fn of(list: &List) -> Self {
        let mut index = Self::default();
        for (place, entry) in list.entries.iter().enumerate() {
            if let Entry::Added(added) = entry {
                index.take(place, added);
            }
        }
        index
    }

    /// Takes the entry that has this place.
    pub(super) fn take(&mut self, place: usize, added: &Addition) {
        if let Some((file, content)) = self.lasts.remove(&added.log) {
            self.files.remove(&file);
            self.contents.remove(&content);
        }
        // What has no message is told from others by its name alone.
        if added.contents.messages > 0 {
            self.files.insert(added.sha256, added.log);
            let content = (added.content, added.contents.malformed);
            self.contents.insert(content, added.log);
            self.lasts.insert(added.log, (added.sha256, content));
        }
        self.entries.entry(added.log).or_default().push(place);
        self.names.entry(added.name.clone()).or_default().insert(added.log);
        if let Some(first) = added.first {
            self.firsts.entry(first).or_default().insert(added.log);
        }
    }

    /// The places of the entries of the log that is these bytes, as it was added last.
    pub(super) fn of_file(&self, sha256: &Digest) -> Option<&[usize]> {
        self.files.get(sha256).and_then(|log| self.places(*log))
    }

    /// The log that has these messages, as it was added last.
    pub(super) fn of_content(&self, messages: &[Message]) -> Option<u64> {
        let unread_count = messages.iter().filter(|message| message.is_unread).count();
        let unread_count = u64::try_from(unread_count).unwrap_or(u64::MAX);
        self.contents.get(&(content(messages), unread_count)).filter(|_| !messages.is_empty()).copied()
    }

    /// The places of a log's entries.
    pub(super) fn places(&self, log: u64) -> Option<&[usize]> {
        self.entries.get(&log).map(Vec::as_slice)
    }

    /// The numbers of the logs of this name, and of those that begin alike.
    pub(super) fn near(&self, name: &Path, messages: &[Message]) -> BTreeSet<u64> {
        let begin = messages.first().and_then(|first| self.firsts.get(&first.digest));
        self.names.get(name).into_iter().chain(begin).flatten().copied().collect()
    }
}

/// How the log called `name`, with these messages, stands to the logs `near` it.
pub(super) fn relation(
    at: &StoreAt,
    (list, index): (&List, &Index),
    name: &Path,
    messages: &[Message],
    near: &BTreeSet<u64>,
) -> Result<Relation, StoreError> {
    let (mut same_name, mut found) = (false, Relation::New);
    for number in near {
        let Some(log) = index.places(*number).and_then(|places| list.log(places)) else { continue };
        let is_namesake = log.name() == name;
        same_name |= is_namesake;
        if log.is_partly_gone {
            continue;
        }
        let before = messages_of(at, &log)?;
        let own = match (compare(&before, messages), is_namesake) {
            (Compared::Longer(from), _) => return Ok(Relation::Grown(log.last.log, from)),
            // A log may be emptied when it is put away, and the head of another is a piece of it.
            (Compared::Beginning, _) if messages.is_empty() && before.is_empty() => return Ok(Relation::Known(None)),
            (Compared::Beginning, _) if messages.is_empty() => Relation::Renewed,
            (Compared::Beginning, false) => return Ok(Relation::Known(None)),
            (Compared::Beginning, true) => Relation::Cut,
            (Compared::Differs(line), true) => Relation::Changed(line),
            (Compared::Differs(_), false) | (Compared::Apart, _) => Relation::New,
        };
        found = if found == Relation::New { own } else { found };
    }
    Ok(if found == Relation::New && same_name { Relation::Renewed } else { found })
}

enum Compared {
    /// The later one has all of the earlier, and more from this message on.
    Longer(usize),
    /// The later one is the beginning of the earlier, or all of it.
    Beginning,
    /// They have lines in common, and this one is another.
    Differs(u64),
    /// They have no line in common.
    Apart,
}

fn compare(before: &[Message], now: &[Message]) -> Compared {
    let common = before.iter().zip(now).take_while(|(before, now)| before == now).count();
    if common == before.len() {
        return if common == now.len() { Compared::Beginning } else { Compared::Longer(common) };
    }
    if common == now.len() {
        return Compared::Beginning;
    }
    let (was, is) = (before.get(common), now.get(common));
    let is_last = common.saturating_add(1) == before.len();
    // Its last line was being written.
    if is_last && was.is_some_and(|was| was.is_unread && is.is_some_and(|is| is.line == was.line)) {
        return Compared::Longer(common);
    }
    let known: HashSet<Digest> = before.iter().map(|message| message.digest).collect();
    let has_common = now.iter().any(|message| known.contains(&message.digest));
    if has_common { Compared::Differs(was.map_or(0, |was| was.line)) } else { Compared::Apart }
}

/// From which message on a log, with a key that is there only now, says more than the store has of it: the first that is signed now and was
/// not, if all that were signed still are. `now` is whether each message is signed by a key of these settings.
pub(super) fn verified_from(at: &StoreAt, log: &StoredLog<'_>, now: &[bool]) -> Result<Option<usize>, StoreError> {
    if log.is_partly_gone || log.forged() == 0 {
        return Ok(None);
    }
    let before = judged(at, log)?;
    let is_lost = |((_, was), is): (&(Message, bool), &bool)| *was && !is;
    let is_lost = before.len() > now.len() || before.iter().zip(now).any(is_lost);
    let first = before.iter().zip(now).position(|((_, was), is)| !was && *is);
    Ok(first.filter(|_| !is_lost))
}

/// The messages of a log in their order, as the store has them.
pub(super) fn messages_of(at: &StoreAt, log: &StoredLog<'_>) -> Result<Vec<Message>, StoreError> {
    Ok(judged(at, log)?.into_iter().map(|(message, _)| message).collect())
}

/// The same, and whether each is signed by a key that was known then.
fn judged(at: &StoreAt, log: &StoredLog<'_>) -> Result<Vec<(Message, bool)>, StoreError> {
    let mut all: Vec<(i64, (Message, bool))> = Vec::new();
    for held in &log.held {
        let path = at.path.join(&held.part.path);
        let table = stored(at, held)?;
        let failed = |error: std::io::Error| StoreError::damaged(&path, error);
        let (numbers, lines) = (table.numbers("message").map_err(failed)?, table.numbers("line").map_err(failed)?);
        let (digests, verdicts) = (table.digests("digest").map_err(failed)?, table.texts("verdict").map_err(failed)?);
        for (((number, line), digest), verdict) in numbers.into_iter().zip(lines).zip(digests).zip(verdicts) {
            let digest = digest.and_then(|digest| digest.try_into().ok());
            let (Some(number), Some(line), Some(digest)) = (number, line.and_then(|line| u64::try_from(line).ok()), digest) else {
                return Err(StoreError::damaged(&path, "has a row without its place"));
            };
            if u64::try_from(number).is_ok_and(|number| number < held.until_message) {
                let is_signed = matches!(verdict, Some("verified" | "withdrawn"));
                all.push((number, (Message { line, digest, is_unread: verdict == Some("unread") }, is_signed)));
            }
        }
    }
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, judged)| judged).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Vec<Message> {
        // `.` is the first piece of what `:` is all of.
        let digest = |letter: u8| [if letter == b':' { b'.' } else { letter }; 32];
        let message = |(line, letter): (u64, u8)| Message { line, digest: digest(letter), is_unread: b"?!.".contains(&letter) };
        (1_u64..).zip(text.bytes()).map(message).collect()
    }

    #[test]
    fn a_log_is_longer_shorter_changed_or_another() {
        let compared = |before: &str, now: &str| match compare(&log(before), &log(now)) {
            Compared::Longer(from) => format!("longer from {from}"),
            Compared::Beginning => "beginning".into(),
            Compared::Differs(line) => format!("differs in {line}"),
            Compared::Apart => "apart".into(),
        };
        for (before, now, expected) in [
            ("abc", "abc", "beginning"),
            ("abc", "abcd", "longer from 3"),
            ("", "a", "longer from 0"),
            ("ab?", "abcd", "longer from 2"),
            ("ab?", "ab!", "longer from 2"),
            ("?", "a", "longer from 0"),
            ("ab.", "ab:", "longer from 2"),
            ("ab.", "ab:c", "longer from 2"),
            ("a.c", "a:c", "differs in 2"),
            ("abc", "ab", "beginning"),
            ("abc", "", "beginning"),
            ("abc", "abd", "differs in 3"),
            ("a?c", "abc", "differs in 2"),
            ("abc", "xbc", "differs in 1"),
            ("abc", "xyz", "apart"),
        ] {
            assert_eq!(compared(before, now), expected, "{before} {now}");
        }
    }
}
