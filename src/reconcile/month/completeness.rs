//! Whether the evidence can be whole: days without a single message, and what each file covers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use crate::domain::ageing::{date_of, day_number, wib_day_number};
use crate::domain::channel::Channel;
use crate::domain::line::{Line, Marks};
use crate::reconcile::Reconciled;
use crate::reconcile::terms::ReconcileTerms;

/// The first and the last arrival in one log; `None` when it tells no times.
pub type Span = Option<(Timestamp, Timestamp)>;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Completeness {
    /// Messages by WIB day of their payment and channel: every day of the period, also the empty ones.
    pub days: BTreeMap<(Date, Channel), u64>,
    /// Days of the period, over at as-of, on which nothing was notified; `None`: by no channel at all.
    pub empty: Vec<(Date, Option<Channel>)>,
    /// What each log covers, in the order of the inputs.
    pub files: Vec<Span>,
}

#[derive(Default)]
struct Seen {
    days: BTreeMap<(i32, Channel), u64>,
    files: BTreeMap<u32, (i64, i64)>,
}

impl Completeness {
    pub(super) fn of(outcome: &Reconciled, terms: &ReconcileTerms, file_count: usize) -> Self {
        let lines = &outcome.inputs.lines;
        let pieces: Vec<&[Line]> = lines.pieces().map(|(_, piece)| piece).collect();
        let seen = pieces.into_par_iter().fold(Seen::default, Seen::and).reduce(Seen::default, Seen::plus);
        let used = Channel::ALL.into_iter().filter(|&channel| {
            let is_billed = || outcome.inputs.bills.iter().any(|(_, bill)| bill.channel == channel);
            seen.days.keys().any(|&(_, seen)| seen == channel) || is_billed()
        });
        let used: Vec<Channel> = used.collect();
        let (mut days, mut empty) = (BTreeMap::new(), Vec::new());
        let today = wib_day_number(terms.as_of);
        for day in day_number(terms.period.from)..=day_number(terms.period.to) {
            let date = date_of(day);
            let count = |channel: Channel| seen.days.get(&(day, channel)).copied().unwrap_or(0);
            days.extend(used.iter().map(|&channel| ((date, channel), count(channel))));
            if day >= today {
                continue;
            }
            if used.iter().all(|&channel| count(channel) == 0) {
                empty.push((date, None));
            } else {
                empty.extend(used.iter().filter(|&&channel| count(channel) == 0).map(|&channel| (date, Some(channel))));
            }
        }
        let span = |file: usize| {
            let &(first, last) = seen.files.get(&u32::try_from(file).ok()?)?;
            Some((Timestamp::from_microsecond(first).ok()?, Timestamp::from_microsecond(last).ok()?))
        };
        Self { days, empty, files: (0..file_count).map(span).collect() }
    }
}

impl Seen {
    fn and(mut self, piece: &[Line]) -> Self {
        // What Check Status told of is no message.
        for line in piece.iter().filter(|line| !line.marks.has(Marks::BY_STATUS)) {
            // Only what holds a usable message has the time of a payment.
            if line.paid_at_us != 0 {
                let count = self.days.entry((wib_day_number(line.paid_at()), line.channel)).or_default();
                *count = count.saturating_add(1);
            }
            if line.received_at_us != Line::UNKNOWN_TIME {
                self.cover(line.file, line.received_at_us, line.received_at_us);
            }
        }
        self
    }

    fn cover(&mut self, file: u32, first: i64, last: i64) {
        let span = self.files.entry(file).or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }

    fn plus(mut self, later: Self) -> Self {
        for (day, more) in later.days {
            let count = self.days.entry(day).or_default();
            *count = count.saturating_add(more);
        }
        for (file, (first, last)) in later.files {
            self.cover(file, first, last);
        }
        self
    }
}
