//! Something short about each of millions of things, found by their ids: sorted once, a third of what a map would take.
//!
//! All ids of one are of the same subject. Keys are digests, so of many there are about as many with each beginning: a search begins among those few.

use super::item::ItemId;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Directory<V> {
    entries: Vec<(ItemId, V)>,
    /// By the first two bytes of the key: where those end that begin so. Empty where there are few.
    ends: Vec<u32>,
    /// How many of them, from the first on, are in their order.
    sorted: usize,
}

impl<V> Default for Directory<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), ends: Vec::new(), sorted: 0 }
    }
}

impl<V: Copy> Directory<V> {
    /// Notes something more. It is found after [`Self::sort`]; of two notes about one thing the earlier counts.
    pub(super) fn note(&mut self, id: ItemId, what: V) {
        self.entries.push((id, what));
    }

    /// Puts what was noted in order.
    pub(super) fn sort(&mut self) {
        if self.sorted == self.entries.len() {
            return;
        }
        self.entries.sort_by_key(|(id, _)| *id);
        self.entries.dedup_by_key(|(id, _)| *id);
        self.entries.shrink_to_fit();
        self.sorted = self.entries.len();
        self.ends.clear();
        if self.sorted >= MANY {
            self.ends.resize(BEGINNINGS, 0);
            for (end, (id, _)) in (1_u32..).zip(&self.entries) {
                self.ends.get_mut(beginning(*id)).into_iter().for_each(|last| *last = end);
            }
            let mut before = 0;
            for end in &mut self.ends {
                *end = before.max(*end);
                before = *end;
            }
        }
    }

    /// Everything that was noted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ItemId, V)> + '_ {
        self.entries.iter().copied()
    }

    /// How many things were noted; each once, after [`Self::sort`].
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// What was noted about `id`.
    pub(super) fn get(&self, id: ItemId) -> Option<V> {
        let sorted = self.entries.get(..self.sorted).unwrap_or_default();
        let end_of = |at: usize| self.ends.get(at).and_then(|end| usize::try_from(*end).ok());
        let at = beginning(id);
        let start = at.checked_sub(1).and_then(end_of).unwrap_or_default();
        let some = sorted.get(start..end_of(at).unwrap_or(sorted.len())).unwrap_or_default();
        some.binary_search_by_key(&id, |(one, _)| *one).ok().and_then(|at| some.get(at)).map(|(_, what)| *what)
    }
}

/// Fewer are searched as they are.
const MANY: usize = 4_096;
const BEGINNINGS: usize = 1 << 16;

fn beginning(id: ItemId) -> usize {
    let [first, second, ..] = *id.key();
    usize::from(first) << 8 | usize::from(second)
}

#[cfg(test)]
mod tests {
    use super::super::item::BooksSubject;
    use super::*;

    #[test]
    fn what_was_noted_is_found_and_of_two_notes_the_earlier_whether_there_are_few_or_many() {
        let id = |number: u32| ItemId::of(BooksSubject::Bill, &[&number.to_be_bytes()]);
        for count in [0, 1, 100, 10_000] {
            let mut directory = Directory::default();
            (0..count).for_each(|number| directory.note(id(number), number));
            directory.sort();
            (0..count).for_each(|number| directory.note(id(number), number.wrapping_add(1)));
            directory.sort();
            assert!((0..count).all(|number| directory.get(id(number)) == Some(number)));
            assert!((count..count + 1_000).all(|number| directory.get(id(number)).is_none()));
        }
    }
}
