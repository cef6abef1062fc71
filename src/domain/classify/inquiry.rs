//! Payments of codes that we answer for, against what we answered when DOKU asked.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Class, MatchingPolicy, minutes_after};

/// What we answered when DOKU asked about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct InquiryAnswer {
    /// When we were asked.
    pub at: Timestamp,
    /// The amount we said the code may be paid with, in rupiah; `None`: that it may not be paid.
    pub payable: Option<u64>,
}

/// The class (I00, I02, I03 or I04) of a payment of `amount` rupiah, by the answers given about its code, in the order of their times.
///
/// Payments are dated in whole seconds by another clock than ours. So the last answer before the payment decides, but one within
/// the payment's second, or the skew allowed after it, may be the one it rests on: it counts in the payment's favour.
#[must_use]
pub fn inquiry_class(paid_at: Timestamp, amount: u64, answers: &[InquiryAnswer], policy: &MatchingPolicy) -> Class {
    let before = answers.iter().rfind(|answer| answer.at < paid_at);
    let until = latest_answer(paid_at, policy);
    let about_then = answers.iter().filter(|answer| paid_at <= answer.at && answer.at < until);
    let by_answer = |answer: &InquiryAnswer| match answer.payable {
        None => Class::I03,
        Some(asked) if asked.abs_diff(amount) > policy.tolerance_rupiah => Class::I04,
        Some(_) => Class::I00,
    };
    // The order of the rules is from the worst to the best.
    let about_then = about_then.map(by_answer).max();
    match (before.map(by_answer), about_then) {
        (_, Some(Class::I00)) => Class::I00,
        // Refused only after it was paid, as a paid code is.
        (None, None | Some(Class::I03)) => Class::I02,
        (Some(class), _) | (None, Some(class)) => class,
    }
}

/// Whether a payment may follow an answer.
#[must_use]
pub fn may_follow(paid_at: Timestamp, answered_at: Timestamp, policy: &MatchingPolicy) -> bool {
    answered_at < latest_answer(paid_at, policy)
}

/// The first instant that is too late for an answer to be what a payment rests on.
fn latest_answer(paid_at: Timestamp, policy: &MatchingPolicy) -> Timestamp {
    let second = paid_at.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    minutes_after(second, policy.skew_minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers, the tolerance, and the class.
    type Case = (&'static [(i64, u64)], u64, &'static str);

    /// Seconds after noon, and the rupiah the code may be paid with; 0: not payable.
    fn class(answers: &[(i64, u64)], tolerance_rupiah: u64) -> &'static str {
        let noon: Timestamp = "2026-10-15T12:00:00Z".parse().unwrap();
        let answer = |&(seconds, amount): &(i64, u64)| InquiryAnswer {
            at: noon.checked_add(SignedDuration::new(seconds, 500_000_000)).unwrap(),
            payable: (amount > 0).then_some(amount),
        };
        let answers: Vec<_> = answers.iter().map(answer).collect();
        let policy = MatchingPolicy { tolerance_rupiah, skew_minutes: 1, ..MatchingPolicy::default() };
        inquiry_class(noon, 100, &answers, &policy).id()
    }

    #[test]
    fn a_payment_may_follow_an_answer_until_a_second_and_the_skew_after_it() {
        let (noon, policy) = ("2026-10-15T12:00:00Z".parse().unwrap(), MatchingPolicy { skew_minutes: 1, ..MatchingPolicy::default() });
        let may = |seconds| may_follow(noon, noon.checked_add(SignedDuration::from_secs(seconds)).unwrap(), &policy);
        assert_eq!([-86_400, 0, 60, 61, 62, 86_400].map(may), [true, true, true, false, false, false]);
    }

    #[test]
    fn the_last_answer_before_a_payment_decides_and_one_of_its_time_counts_in_its_favour() {
        let cases: [Case; 18] = [
            (&[(-9, 100)], 0, "I00"),
            (&[], 0, "I02"),
            (&[(-9, 0)], 0, "I03"),
            (&[(-9, 99)], 0, "I04"),
            (&[(-9, 99)], 1, "I00"),
            (&[(-9, 101)], 1, "I00"),
            (&[(-9, 102)], 1, "I04"),
            // The last one, whatever was said before it.
            (&[(-9, 100), (-5, 0)], 0, "I03"),
            (&[(-9, 100), (-5, 99)], 0, "I04"),
            (&[(-9, 0), (-5, 100)], 0, "I00"),
            (&[(-9, 99), (-5, 0)], 0, "I03"),
            // Refused because it was paid just now: no reproach.
            (&[(-9, 100), (0, 0)], 0, "I00"),
            (&[(5, 0)], 0, "I02"),
            // Our clock is ahead of DOKU's, by no more than the skew.
            (&[(60, 100)], 0, "I00"),
            (&[(61, 100)], 0, "I02"),
            (&[(-9, 0), (0, 100)], 0, "I00"),
            (&[(-9, 0), (5, 99)], 0, "I03"),
            (&[(5, 99), (7, 0)], 0, "I04"),
        ];
        for (answers, tolerance, expected) in cases {
            assert_eq!(class(answers, tolerance), expected, "{answers:?} ± {tolerance}");
        }
    }
}
