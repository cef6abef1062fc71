//! Keys that are not believed about what arrived after some instant, because a person has said so.
//!
//! A key is known by its fingerprint alone. What was said is kept for good, and the last word does not undo an earlier one by itself: of
//! two revocations the one that believes less stands, until the key is reinstated.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a person has said about a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Which key.
    pub fingerprint: String,
    /// What arrived later is not believed (UTC); none: it is believed again as if nothing had been said.
    pub received_after: Option<Timestamp>,
    /// Who, by name.
    pub actor: String,
    /// From whose account of the system.
    pub person: String,
    /// Why.
    pub reason: String,
}

/// Until when keys are believed, as all that was said comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked(BTreeMap<String, Timestamp>);

impl Revoked {
    /// What `said` comes to, in the order it was said.
    pub fn of<'s>(said: impl IntoIterator<Item = &'s Revocation>) -> Self {
        let mut until = BTreeMap::new();
        for Revocation { fingerprint, received_after, .. } in said {
            match received_after {
                Some(at) => {
                    let standing = until.entry(fingerprint.clone()).or_insert(*at);
                    *standing = (*standing).min(*at);
                }
                None => drop(until.remove(fingerprint)),
            }
        }
        Self(until)
    }

    /// What arrived later is not believed of this key; none where nothing stands against it.
    #[must_use]
    pub fn after(&self, fingerprint: &str) -> Option<Timestamp> {
        self.0.get(fingerprint).copied()
    }

    /// Whether this key is believed about what arrived at `at`; what does not say when may have arrived too late.
    #[must_use]
    pub fn believes(&self, fingerprint: &str, at: Option<Timestamp>) -> bool {
        self.after(fingerprint).is_none_or(|until| at.is_some_and(|at| as_kept(at) <= until))
    }

    /// What both say: of each key the one that believes less.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (fingerprint, at) in other.0 {
            let standing = self.0.entry(fingerprint).or_insert(at);
            *standing = (*standing).min(at);
        }
        self
    }

    /// Every key that something stands against.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.0.iter().map(|(fingerprint, until)| (fingerprint.as_str(), *until))
    }
}

/// An arrival as a store of evidence keeps it, to the microsecond: logs and stores must not differ about what came too late.
#[must_use]
pub fn as_kept(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// When a message came, for whoever asks whether its key was still believed: when it arrived, by its log, but not before the times that it is
/// signed with, less what clocks may differ by. A message that tells of later than it arrived has not arrived then, whatever its log says.
#[must_use]
pub fn came_at(arrived_at: Option<Timestamp>, signed_with: [Option<Timestamp>; 2], skew_minutes: i64) -> Option<Timestamp> {
    let skew = SignedDuration::from_mins(skew_minutes);
    let earliest = |at: Timestamp| at.checked_sub(skew).unwrap_or(Timestamp::MIN);
    arrived_at.map(|arrived_at| signed_with.into_iter().flatten().map(earliest).fold(arrived_at, Timestamp::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(fingerprint: &str, second: Option<i64>) -> Revocation {
        let received_after = second.map(at);
        let text = String::from;
        Revocation { fingerprint: fingerprint.into(), received_after, actor: text("Siti"), person: text("1"), reason: text("leak") }
    }

    #[test]
    fn of_two_revocations_the_one_that_believes_less_stands_until_the_key_is_reinstated() {
        let stands = |seconds: &[Option<i64>]| {
            let said: Vec<Revocation> = seconds.iter().map(|second| said("a", *second)).collect();
            Revoked::of(&said).after("a")
        };
        for (seconds, standing) in [
            (&[][..], None),
            (&[Some(5)][..], Some(5)),
            (&[Some(5), Some(3)][..], Some(3)),
            (&[Some(3), Some(5)][..], Some(3)),
            (&[Some(3), None][..], None),
            (&[Some(3), None, Some(5)][..], Some(5)),
            (&[None][..], None),
        ] {
            assert_eq!(stands(seconds), standing.map(at), "{seconds:?}");
        }
    }

    #[test]
    fn of_two_ledgers_the_one_that_believes_less_stands() {
        let [early, late, other] = [said("a", Some(3)), said("a", Some(5)), said("b", Some(4))];
        let [one, two] = [Revoked::of([&early]), Revoked::of([&late, &other])];
        for both in [one.clone().and(two.clone()), two.and(one)] {
            assert_eq!(both.keys().collect::<Vec<_>>(), [("a", at(3)), ("b", at(4))]);
        }
    }

    #[test]
    fn what_is_signed_with_a_later_time_than_it_arrived_came_then_less_what_clocks_may_differ_by() {
        let came = |arrived: Option<i64>, stamp: Option<i64>, paid: Option<i64>| {
            came_at(arrived.map(at), [stamp, paid].map(|at_| at_.map(at)), 10)
        };
        for (arrived, stamp, paid, expected) in [
            (Some(1_000), None, None, Some(1_000)),
            (Some(1_000), Some(900), Some(800), Some(1_000)),
            (Some(1_000), Some(1_600), Some(1_600), Some(1_000)),
            (Some(1_000), Some(1_601), None, Some(1_001)),
            (Some(1_000), Some(900), Some(2_000), Some(1_400)),
            (None, Some(900), Some(800), None),
        ] {
            assert_eq!(came(arrived, stamp, paid), expected.map(at), "{arrived:?} {stamp:?} {paid:?}");
        }
    }

    #[test]
    fn a_revoked_key_is_believed_about_what_arrived_before_and_nothing_of_unknown_arrival() {
        let revoked = Revoked::of(&[said("a", Some(5))]);
        assert!(revoked.believes("a", Some(at(5))) && !revoked.believes("a", Some(at(6))) && !revoked.believes("a", None));
        let later = |nanoseconds| Some(at(5).checked_add(jiff::SignedDuration::from_nanos(nanoseconds)).unwrap());
        assert!(revoked.believes("a", later(999)) && !revoked.believes("a", later(1_000)), "a store keeps microseconds");
        assert!(revoked.believes("b", Some(at(6))) && revoked.believes("b", None));
        assert_eq!(revoked.keys().collect::<Vec<_>>(), [("a", at(5))]);
    }
}
