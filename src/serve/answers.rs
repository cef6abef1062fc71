//! Answers given lately, so that a repeated inquiry hears the same. Bounded; read back after a restart.
//!
//! Belongs here: which answer stands for a `Request-Id`, and where its log has it. Must not be here: reading that log for one answer, which
//! waits for a disk.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::log::{AnswerPlace, LogFolder};
use crate::domain::digest::{self, Digest};

/// Most answers that are known, about 150 bytes each; the oldest go first.
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

/// Where an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// In memory: its line is being written, or its log could not take it.
    Here(Arc<Given>),
    /// In its log.
    Logged(AnswerPlace),
}

/// The answers of the last few minutes, by the digest of their `Request-Id`.
#[derive(Debug)]
pub(super) struct Answers {
    kept_for: SignedDuration,
    by_id: HashMap<Digest, (Timestamp, Kept)>,
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
        folder.answers_since(since, bytes_max, |place, line| {
            if let Ok(given) = serde_json::from_slice::<Given>(line)
                && given.at >= since
            {
                answers.keep(&given.request_id, given.at, || Kept::Logged(place));
            }
        });
        answers
    }

    /// Where the answer is that was given to this id lately.
    pub(super) fn lately(&self, request_id: &str, now: Timestamp) -> Option<Kept> {
        let oldest = self.oldest(now);
        let (_, kept) = self.by_id.get(&id_of(request_id)).filter(|(at, _)| *at >= oldest)?;
        Some(kept.clone())
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.kept_for).unwrap_or(Timestamp::MIN)
    }

    /// Keeps an answer, unless its id has one already: where that is, which stands instead.
    pub(super) fn keep(&mut self, request_id: &str, at: Timestamp, kept: impl FnOnce() -> Kept) -> Option<Kept> {
        let oldest = self.oldest(at);
        while let Some((at, id)) = self.order.front()
            && (*at < oldest || self.order.len() >= ANSWERS_MAX)
        {
            // Another may have come in the place of one whose log was gone.
            if self.by_id.get(id).is_some_and(|(kept_at, _)| kept_at == at) {
                self.by_id.remove(id);
            }
            self.order.pop_front();
        }
        match self.by_id.entry(id_of(request_id)) {
            Entry::Occupied(before) => Some(before.get().1.clone()),
            Entry::Vacant(place) => {
                self.order.push_back((at, *place.key()));
                place.insert((at, kept()));
                None
            }
        }
    }

    /// The line of `given` is in its log.
    pub(super) fn logged(&mut self, given: &Given, place: AnswerPlace) {
        if let Some((_, kept @ Kept::Here(_))) = self.by_id.get_mut(&id_of(&given.request_id)) {
            *kept = Kept::Logged(place);
        }
    }

    /// The log has the answer no more that was `kept` for this id: somebody has removed or changed its file.
    pub(super) fn lost(&mut self, request_id: &str, kept: &Kept) {
        if let Entry::Occupied(place) = self.by_id.entry(id_of(request_id))
            && place.get().1 == *kept
        {
            place.remove();
        }
    }
}

fn id_of(request_id: &str) -> Digest {
    digest::of_bytes(request_id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn given(id: &str, at: i64) -> Given {
        let (at, text) = (second(at), String::new);
        let (request_id, body) = (id.to_owned(), "{}".to_owned());
        Given { at, request_id, question: text(), word: text(), status: 200, timestamp: text(), signature: text(), body }
    }

    fn answers() -> Answers {
        Answers::new(SignedDuration::from_secs(600))
    }

    fn keep(answers: &mut Answers, given: &Given) -> Option<Kept> {
        answers.keep(&given.request_id, given.at, || Kept::Here(Arc::new(given.clone())))
    }

    #[test]
    fn the_first_answer_stands_also_while_its_line_is_written() {
        let (mut answers, first) = (answers(), given("a", 17));
        assert_eq!(keep(&mut answers, &first), None);
        let here = Some(Kept::Here(Arc::new(first.clone())));
        assert_eq!((keep(&mut answers, &given("a", 30)), answers.lately("a", second(20))), (here.clone(), here));
        let place = AnswerPlace::default();
        answers.logged(&first, place);
        assert_eq!(keep(&mut answers, &given("a", 31)), Some(Kept::Logged(place)));
    }

    #[test]
    fn another_answer_stands_for_an_id_whose_log_is_gone_and_for_as_long_as_any() {
        let (mut answers, lost) = (answers(), Kept::Logged(AnswerPlace::default()));
        answers.keep("a", second(0), || lost.clone());
        let other = Kept::Here(Arc::new(given("a", 0)));
        answers.lost("a", &other);
        assert_eq!(answers.lately("a", second(1)).as_ref(), Some(&lost), "somebody was quicker");
        answers.lost("a", &lost);
        assert_eq!((answers.lately("a", second(1)), keep(&mut answers, &given("a", 500))), (None, None));
        keep(&mut answers, &given("b", 601));
        assert!(answers.lately("a", second(1_100)).is_some(), "the first one's time was over");
        keep(&mut answers, &given("b", 1_101));
        assert_eq!((answers.by_id.len(), answers.order.len()), (1, 1));
    }

    #[test]
    fn an_answer_that_is_too_old_is_not_repeated_however_quiet_it_was_since() {
        let mut answers = answers();
        keep(&mut answers, &given("a", 0));
        assert!(answers.lately("a", second(600)).is_some());
        assert!(answers.lately("a", second(601)).is_none(), "what was true then need not be true now");
    }

    #[test]
    fn the_oldest_go_first_and_so_many_are_known_at_most() {
        let mut answers = answers();
        keep(&mut answers, &given("a", 0));
        keep(&mut answers, &given("b", 600));
        assert!(answers.lately("a", second(600)).is_some(), "still inside");
        keep(&mut answers, &given("c", 601));
        assert!(answers.lately("a", second(601)).is_none() && answers.lately("b", second(601)).is_some());
        for number in 0..ANSWERS_MAX {
            keep(&mut answers, &given(&number.to_string(), 601));
        }
        assert_eq!((answers.by_id.len(), answers.order.len()), (ANSWERS_MAX, ANSWERS_MAX));
        assert!(answers.lately("b", second(601)).is_none() && answers.lately("0", second(601)).is_some());
    }
}
