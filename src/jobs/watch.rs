//! What the answers of a whole run say, taken together: when to give up on DOKU, on a channel, on our credentials, path or clock.
//!
//! It counts operations, not attempts: one bad row never starves the others, and one healthy kind of call never hides that another
//! gets no answer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stop::StopReason;
use crate::doku::wire::Delivery;
use crate::domain::channel::Channel;
use crate::domain::conclusion::AnswerSays;

/// Different operations in a row that must have heard the same refusal of credentials or of a channel.
const IN_A_ROW: u32 = 3;
/// Operations that must have been answered alike, the first of a run, before a path is called wrong.
const FIRST_OPERATIONS: u32 = 20;
/// Signed answers in a row that must show the same drift of the clock.
const CLOCK_ANSWERS: u32 = 3;
/// Seconds by which this machine's clock may be off without a word.
pub(super) const CLOCK_SILENT_SECONDS: i64 = 60;
/// Seconds beyond which nothing is sent: DOKU would refuse the signatures, and expiries would be wrong.
pub(super) const CLOCK_STOP_SECONDS: i64 = 300;

/// What was heard in one run.
#[derive(Debug)]
pub struct Watch {
    /// Operations in a row without an answer of DOKU's own that open the breaker; 0 never does.
    unanswered_max: u32,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    unanswered: u32,
    answered: u32,
    credentials_in_a_row: u32,
    credentials: u32,
    credentials_words: String,
    channel_in_a_row: HashMap<Channel, u32>,
    closed: HashSet<Channel>,
    /// What the first operations all heard, as long as they did.
    path: Option<(u32, String)>,
    clock_in_a_row: (u32, u32),
    /// Attempts by what came of them.
    deliveries: BTreeMap<&'static str, u64>,
    clock_warned: bool,
}

/// What DOKU itself said last to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWord {
    /// What it says.
    pub says: AnswerSays,
    /// In its words.
    pub words: String,
}

impl Watch {
    /// A watch whose breaker opens at `unanswered_max` operations in a row without DOKU's own answer; 0 never opens it.
    #[must_use]
    pub fn new(unanswered_max: u32) -> Self {
        Self { unanswered_max, heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation through `channel` has ended for now, with DOKU's `last` word on it, if it had one. A reason to stop the run
    /// may follow.
    pub fn ended(&self, channel: Channel, last: Option<&LastWord>) -> Option<StopReason> {
        let mut heard = self.heard();
        let Some(last) = last else {
            heard.unanswered = heard.unanswered.saturating_add(1);
            let is_open = self.unanswered_max > 0 && heard.unanswered >= self.unanswered_max;
            return is_open.then_some(StopReason::Breaker);
        };
        heard.unanswered = 0;
        heard.answered = heard.answered.saturating_add(1);
        heard.channel(channel, last);
        heard.credentials(last).or_else(|| heard.path(last))
    }

    /// Counts an attempt by what came of it.
    pub fn delivered(&self, delivery: &Delivery) {
        let mut heard = self.heard();
        let count = heard.deliveries.entry(delivery.kind()).or_default();
        *count = count.saturating_add(1);
    }

    /// Attempts so far, by every kind of what can come of one.
    #[must_use]
    pub fn deliveries(&self) -> Vec<(&'static str, u64)> {
        let heard = self.heard();
        Delivery::KINDS.into_iter().map(|kind| (kind, heard.deliveries.get(kind).copied().unwrap_or(0))).collect()
    }

    /// Whether `channel` was refused often enough to leave it alone for the rest of the run.
    #[must_use]
    pub fn is_closed(&self, channel: Channel) -> bool {
        self.heard().closed.contains(&channel)
    }

    /// What all answers of a run that is over come to: credentials that were refused every single time are wrong, however few
    /// the operations.
    #[must_use]
    pub fn verdict(&self) -> Option<StopReason> {
        let heard = self.heard();
        let all = heard.answered > 0 && heard.credentials == heard.answered;
        all.then(|| StopReason::Credentials(heard.credentials_words.clone()))
    }

    /// A validly signed answer bore a time this many seconds ahead (or, negative, behind) of this machine's. Gives a warning to
    /// print, once, or a reason to stop.
    pub fn clock(&self, ahead_seconds: i64) -> Option<Result<String, StopReason>> {
        let mut heard = self.heard();
        let distance = ahead_seconds.abs();
        let next = |is_off: bool, count: u32| if is_off { count.saturating_add(1) } else { 0 };
        let (warn, stop) = heard.clock_in_a_row;
        heard.clock_in_a_row = (next(distance > CLOCK_SILENT_SECONDS, warn), next(distance > CLOCK_STOP_SECONDS, stop));
        let (warn, stop) = heard.clock_in_a_row;
        if stop >= CLOCK_ANSWERS {
            return Some(Err(StopReason::Clock { ahead_seconds }));
        }
        if warn >= CLOCK_ANSWERS && !heard.clock_warned {
            heard.clock_warned = true;
            return Some(Ok(clock_words(ahead_seconds)));
        }
        None
    }
}

/// How this machine's clock differs from DOKU's, in words.
#[must_use]
pub fn clock_words(ahead_seconds: i64) -> String {
    let side = if ahead_seconds > 0 { "behind" } else { "ahead of" };
    format!("this machine's clock is {} s {side} DOKU's, by the time in its signed answers", ahead_seconds.abs())
}

impl Heard {
    fn credentials(&mut self, last: &LastWord) -> Option<StopReason> {
        if last.says != AnswerSays::Credentials {
            self.credentials_in_a_row = 0;
            return None;
        }
        self.credentials = self.credentials.saturating_add(1);
        self.credentials_in_a_row = self.credentials_in_a_row.saturating_add(1);
        self.credentials_words.clone_from(&last.words);
        (self.credentials_in_a_row >= IN_A_ROW).then(|| StopReason::Credentials(last.words.clone()))
    }

    fn channel(&mut self, channel: Channel, last: &LastWord) {
        let in_a_row = self.channel_in_a_row.entry(channel).or_default();
        *in_a_row = if last.says == AnswerSays::ChannelClosed { in_a_row.saturating_add(1) } else { 0 };
        if *in_a_row >= IN_A_ROW {
            self.closed.insert(channel);
        }
    }

    fn path(&mut self, last: &LastWord) -> Option<StopReason> {
        let is_path = last.says == AnswerSays::NoSuchPath;
        self.path = match self.path.take() {
            None if is_path && self.answered == 1 => Some((1, last.words.clone())),
            Some((count, words)) if is_path && words == last.words => Some((count.saturating_add(1), words)),
            _ => None,
        };
        let (count, words) = self.path.as_ref()?;
        (*count >= FIRST_OPERATIONS).then(|| StopReason::WrongPath(words.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(says: AnswerSays) -> LastWord {
        LastWord { says, words: "words".into() }
    }

    fn after(watch: &Watch, operations: &[Option<AnswerSays>]) -> Option<StopReason> {
        operations.iter().find_map(|says| watch.ended(Channel::Alfa, says.map(said).as_ref()))
    }

    #[test]
    fn the_breaker_counts_operations_without_dokus_own_answer_in_a_row() {
        let watch = Watch::new(3);
        assert_eq!(after(&watch, &[None, None, Some(AnswerSays::Refused), None, None]), None);
        assert_eq!(after(&watch, &[None]), Some(StopReason::Breaker));
        assert_eq!(after(&Watch::new(0), &[None; 99]), None, "0 never opens it");
    }

    #[test]
    fn credentials_stop_a_run_at_the_third_operation_in_a_row_or_when_nothing_else_was_ever_heard() {
        let watch = Watch::new(0);
        let (no, yes) = (Some(AnswerSays::Credentials), Some(AnswerSays::Success));
        assert_eq!(after(&watch, &[yes, no, no, yes, no, None, no]), None, "one bad row is a row's matter");
        assert_eq!(watch.verdict(), None);
        assert!(matches!(after(&watch, &[no]), Some(StopReason::Credentials(_))));
        let few = Watch::new(0);
        assert_eq!(after(&few, &[no, None, no]), None);
        assert!(matches!(few.verdict(), Some(StopReason::Credentials(_))));
        assert_eq!(Watch::new(0).verdict(), None, "nothing was answered");
    }

    #[test]
    fn a_channel_closes_at_the_third_refusal_in_a_row_and_the_others_stay_open() {
        let watch = Watch::new(0);
        let (no, yes) = (Some(AnswerSays::ChannelClosed), Some(AnswerSays::Success));
        assert_eq!(after(&watch, &[no, no, yes, no, no]), None);
        assert!(!watch.is_closed(Channel::Alfa));
        assert_eq!(watch.ended(Channel::Indomaret, Some(&said(AnswerSays::ChannelClosed))), None);
        assert_eq!(after(&watch, &[no]), None, "the others go on");
        assert!(watch.is_closed(Channel::Alfa) && !watch.is_closed(Channel::Indomaret));
    }

    #[test]
    fn a_path_is_wrong_when_the_first_twenty_operations_all_heard_the_same_so() {
        let no = Some(AnswerSays::NoSuchPath);
        assert_eq!(after(&Watch::new(0), &[no; 19]), None);
        assert!(matches!(after(&Watch::new(0), &[no; 20]), Some(StopReason::WrongPath(_))));
        let mut mixed = vec![Some(AnswerSays::Success)];
        mixed.extend([no; 40]);
        assert_eq!(after(&Watch::new(0), &mixed), None, "the path works for some");
        assert_eq!(after(&Watch::new(0), &[Some(AnswerSays::Refused); 40]), None, "a refused content speaks of rows");
        let other = LastWord { says: AnswerSays::NoSuchPath, words: "other words".into() };
        let watch = Watch::new(0);
        assert_eq!(after(&watch, &[no; 19]), None);
        assert_eq!(watch.ended(Channel::Alfa, Some(&other)), None);
        assert_eq!(after(&watch, &[no; 40]), None);
    }

    #[test]
    fn three_signed_answers_in_a_row_prove_a_clock_wrong() {
        let watch = Watch::new(0);
        let told = |seconds: &[i64]| seconds.iter().map(|&ahead| watch.clock(ahead)).collect::<Vec<_>>();
        assert!(told(&[61, 400, 0, 61, 61]).iter().all(Option::is_none));
        assert!(matches!(told(&[-400])[..], [Some(Ok(_))]), "warned at the third");
        assert!(told(&[61]).iter().all(Option::is_none), "and once");
        assert!(matches!(told(&[301, 301, 301])[..], [None, None, Some(Err(StopReason::Clock { ahead_seconds: 301 }))]));
    }
}
