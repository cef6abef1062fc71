//! Which notifications are kept already: one that comes again word for word needs no second line, or whoever has recorded one could
//! fill the disk with it.

use std::collections::{HashSet, VecDeque};

use crate::domain::digest::{self, Digest};

/// The last ones that are remembered, 32 bytes each.
const KEPT_MAX: usize = 1 << 16;

/// Messages whose lines are durable, by their id and body.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: HashSet<Digest>,
    order: VecDeque<Digest>,
}

impl Repeats {
    /// What tells a message from others: its `Request-Id` and every byte of its body.
    pub(super) fn mark(request_id: &str, body: &[u8]) -> Digest {
        digest::of_parts(&[request_id.as_bytes(), &digest::of_bytes(body)])
    }

    /// Whether such a message's line is durable.
    pub(super) fn has(&self, mark: &Digest) -> bool {
        self.known.contains(mark)
    }

    /// Its line is durable now.
    pub(super) fn keep(&mut self, mark: Digest) {
        if !self.known.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > KEPT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_id_and_body_and_the_oldest_is_forgotten() {
        let mut repeats = Repeats::default();
        let mark = Repeats::mark("id", b"body");
        assert!(!repeats.has(&mark));
        repeats.keep(mark);
        repeats.keep(mark);
        assert!(repeats.has(&mark) && !repeats.has(&Repeats::mark("id", b"bodi")) && !repeats.has(&Repeats::mark("ie", b"body")));
        assert!(Repeats::mark("a", b"bc") != Repeats::mark("ab", b"c"));
        for number in 0..KEPT_MAX {
            repeats.keep(Repeats::mark(&number.to_string(), b""));
        }
        assert!(!repeats.has(&mark));
        assert_eq!((repeats.known.len(), repeats.order.len()), (KEPT_MAX, KEPT_MAX));
    }
}
