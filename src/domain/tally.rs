//! How often each thing was said: what a run tells of its commonest troubles.

use std::collections::BTreeMap;

/// Reasons and how often each was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, u64>);

/// A reason longer than this is cut: what follows tells single cases apart, not kinds.
const REASON_CHARACTERS_MAX: usize = 160;

impl Tally {
    /// Counts `reason` once more. What stands in backticks (an invoice number, a code) makes no kind of its own.
    pub fn add(&mut self, reason: &str) {
        let kind: String =
            reason.split('`').enumerate().map(|(place, part)| if place % 2 == 1 { "`…`" } else { part }).collect::<Vec<_>>().concat();
        let kind = kind.chars().take(REASON_CHARACTERS_MAX).collect();
        let count = self.0.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// The `count_max` commonest, most often first; equals in alphabetical order.
    #[must_use]
    pub fn commonest(&self, count_max: usize) -> Vec<(&str, u64)> {
        let mut reasons: Vec<(&str, u64)> = self.0.iter().map(|(reason, &count)| (reason.as_str(), count)).collect();
        reasons.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
        reasons.truncate(count_max);
        reasons
    }

    /// How often anything was said.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_come_first_and_what_is_in_backticks_makes_no_kind_of_its_own() {
        let mut tally = Tally::default();
        for reason in ["HTTP 503: down", "waits for invoice `A`", "HTTP 503: down", "waits for invoice `B`", "waits for invoice `C`"] {
            tally.add(reason);
        }
        tally.add("alone");
        assert_eq!(tally.commonest(2), [("waits for invoice `…`", 3), ("HTTP 503: down", 2)]);
        assert_eq!((tally.total(), tally.commonest(9).len()), (6, 3));
    }
}
