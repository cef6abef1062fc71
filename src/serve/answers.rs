//! Answers given lately, so that a repeated inquiry hears the same. Bounded; read back after a restart.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::log::LogFolder;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::digest::{self, Digest};

/// Most answers kept, about 700 bytes each; the oldest go first.
const ANSWERS_MAX: usize = 100_000;

/// An answer as it left, and the question it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given {
    /// When the question arrived.
    pub(super) at: Timestamp,
    /// Its `Request-Id`.
    pub(super) request_id: String,
    /// The digest of its body, hexadecimal: another body under the same id is another question.
    pub(super) question: String,
    /// The word of the answer.
    pub(super) word: String,
    /// The HTTP status.
    pub(super) status: u16,
    /// `Response-Timestamp`.
    pub(super) timestamp: String,
    /// `Signature`.
    pub(super) signature: String,
    /// The body's bytes.
    pub(super) body: String,
}

/// What is kept of an answer: all but its `Request-Id`, which whoever asks again names, and its signature, which follows from the rest.
#[derive(Debug)]
struct Kept {
    at: Timestamp,
    question: Digest,
    said_at: Timestamp,
    status: u16,
    word: Box<str>,
    body: Box<str>,
}

impl Kept {
    /// None where its question or its time is not written as we write them.
    fn of(given: &Given) -> Option<Self> {
        let Given { at, question, word, status, timestamp, body, request_id: _, signature: _ } = given;
        let (question, said_at) = (digest::from_hex(question)?, timestamp.parse().ok()?);
        Some(Self { at: *at, question, said_at, status: *status, word: word.as_str().into(), body: body.as_str().into() })
    }

    /// The answer, to be signed.
    fn given(&self, request_id: &str) -> Given {
        Given {
            at: self.at,
            request_id: request_id.to_owned(),
            question: digest::hex(&self.question),
            word: self.word.to_string(),
            status: self.status,
            timestamp: format_utc_seconds(self.said_at),
            signature: String::new(),
            body: self.body.to_string(),
        }
    }
}

/// The answers of the last few minutes, by the digest of their `Request-Id`.
#[derive(Debug)]
pub(super) struct Answers {
    kept_for: SignedDuration,
    by_id: HashMap<Digest, Kept>,
    order: VecDeque<(Timestamp, Digest)>,
}

impl Answers {
    pub(super) fn new(kept_for: SignedDuration) -> Self {
        Self { kept_for, by_id: HashMap::new(), order: VecDeque::new() }
    }

    /// The answers of earlier runs that may be asked for again. A line that cannot be read was torn, so its answer never left.
    pub(super) fn read_back(folder: &LogFolder, kept_for: SignedDuration, bytes_max: u64, now: Timestamp) -> Self {
        let mut answers = Self::new(kept_for);
        let since = now.checked_sub(kept_for).unwrap_or(Timestamp::MIN);
        folder.answers_since(since, bytes_max, |line| {
            if let Ok(given) = serde_json::from_slice::<Given>(line)
                && given.at >= since
            {
                answers.keep(&given);
            }
        });
        answers
    }

    /// What was answered to this id lately, to be signed.
    pub(super) fn given(&self, request_id: &str, now: Timestamp) -> Option<Given> {
        let oldest = self.oldest(now);
        let kept = self.by_id.get(&digest::of_bytes(request_id.as_bytes())).filter(|kept| kept.at >= oldest);
        kept.map(|kept| kept.given(request_id))
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.kept_for).unwrap_or(Timestamp::MIN)
    }

    /// Keeps `given`, unless its id has an answer already: the one that stands instead, to be signed.
    pub(super) fn keep(&mut self, given: &Given) -> Option<Given> {
        let oldest = self.oldest(given.at);
        while let Some((at, id)) = self.order.front()
            && (*at < oldest || self.order.len() >= ANSWERS_MAX)
        {
            self.by_id.remove(id);
            self.order.pop_front();
        }
        match self.by_id.entry(digest::of_bytes(given.request_id.as_bytes())) {
            Entry::Occupied(before) => Some(before.get().given(&given.request_id)),
            Entry::Vacant(place) => {
                if let Some(kept) = Kept::of(given) {
                    self.order.push_back((given.at, *place.key()));
                    place.insert(kept);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn given(id: &str, at: i64, body: &str) -> Given {
        let (at, word, signature) = (second(at), "success".to_owned(), String::new());
        let (request_id, body) = (id.to_owned(), body.to_owned());
        let (question, timestamp) = (digest::hex(&digest::of_bytes(id.as_bytes())), format_utc_seconds(at));
        Given { at, request_id, question, word, status: 200, timestamp, signature, body }
    }

    #[test]
    fn an_answer_that_is_repeated_is_all_of_the_first_but_its_signature() {
        let mut answers = Answers::new(SignedDuration::from_secs(600));
        let first = given("a", 17, "{\"name\":\"Ibu Sari\"}");
        assert_eq!(answers.keep(&Given { signature: "HMACSHA256=x".into(), ..first.clone() }), None);
        assert_eq!(answers.given("a", second(20)), Some(first.clone()));
        assert_eq!(answers.keep(&given("a", 30, "other")), Some(first));
    }

    #[test]
    fn an_answer_that_is_too_old_is_not_repeated_however_quiet_it_was_since() {
        let mut answers = Answers::new(SignedDuration::from_secs(600));
        answers.keep(&given("a", 0, "payable"));
        assert!(answers.given("a", second(600)).is_some());
        assert!(answers.given("a", second(601)).is_none(), "what was true then need not be true now");
    }

    #[test]
    fn the_first_answer_stands_until_it_is_too_old_and_the_store_is_bounded() {
        let mut answers = Answers::new(SignedDuration::from_secs(600));
        answers.keep(&given("a", 0, "first"));
        assert_eq!(answers.keep(&given("a", 10, "second")).unwrap().body, "first");
        answers.keep(&given("b", 600, "b"));
        assert_eq!(answers.given("a", second(600)).unwrap().body, "first", "still inside");
        answers.keep(&given("c", 601, "c"));
        assert!(answers.given("a", second(601)).is_none() && answers.given("b", second(601)).is_some());
        for number in 0..ANSWERS_MAX {
            answers.keep(&given(&number.to_string(), 601, ""));
        }
        assert_eq!((answers.by_id.len(), answers.order.len()), (ANSWERS_MAX, ANSWERS_MAX));
        assert!(answers.given("b", second(601)).is_none() && answers.given("0", second(601)).is_some());
    }
}
