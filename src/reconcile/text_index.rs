//! Text → positions by sorted hashes: compact, built in parallel, and the same whatever the number of threads.

use std::hash::{DefaultHasher, Hasher as _};

use rayon::slice::ParallelSliceMut as _;

/// A hash with a fixed key; only ever compared within one run.
pub(super) fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX)
}

/// Positions by hash. Different texts may share a hash: the caller compares texts.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<(u32, u32)>,
    /// Where each range of hashes begins.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    /// An index of (hash, position), about `count` of them.
    pub(super) fn build(count: usize, entries: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut all = Vec::with_capacity(count);
        all.extend(entries);
        all.par_sort_unstable();
        let bits = (all.len() / 4).checked_ilog2().unwrap_or(0).clamp(1, 28);
        let shift = 32_u32.saturating_sub(bits);
        let ranges = (1_u32 << bits).saturating_add(1);
        let mut starts = Vec::new();
        let mut at = 0_usize;
        for range in 0..ranges {
            while all.get(at).is_some_and(|&(hash, _)| hash >> shift < range) {
                at = at.saturating_add(1);
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        Self { entries: all, starts, shift }
    }

    /// The positions filed under `hash`, in ascending order.
    pub(super) fn get(&self, hash: u32) -> impl Iterator<Item = u32> + '_ {
        let range = if self.starts.is_empty() { 0 } else { usize::try_from(hash >> self.shift).unwrap_or(usize::MAX) };
        let bound = |at: usize| self.starts.get(at).and_then(|&start| usize::try_from(start).ok()).unwrap_or(0);
        let entries = self.entries.get(bound(range)..bound(range.saturating_add(1))).unwrap_or_default();
        entries.iter().filter(move |&&(filed, _)| filed == hash).map(|&(_, position)| position)
    }

    /// Entries of equal hash, where there are at least two.
    pub(super) fn runs(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.entries.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_index_finds_exactly_what_a_scan_finds(texts in prop::collection::vec("[ab]{1,6}", 0..300), wanted in "[ab]{1,6}") {
            let index = Index::build(texts.len(), (0_u32..).zip(&texts).map(|(at, text)| (hash(text), at)));
            let found: Vec<u32> = index.get(hash(&wanted)).filter(|&at| texts[usize::try_from(at).unwrap()] == wanted).collect();
            let scanned: Vec<u32> = (0_u32..).zip(&texts).filter(|(_, text)| **text == wanted).map(|(at, _)| at).collect();
            prop_assert_eq!(found, scanned);
        }
    }
}
