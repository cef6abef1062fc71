//! Which logs there are, what each is called, and how durable its lines are.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::calendar::wib;

/// What a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogKind {
    /// DOKU's notifications: evidence of payments.
    Notifications,
    /// DOKU's inquiries and what was decided.
    Inquiries,
    /// Whatever is not provably DOKU's.
    Forged,
    /// Answers to inquiries, for repeating them.
    Answers,
}

impl LogKind {
    /// How its files begin.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notifications => "notifications",
            Self::Inquiries => "inquiries",
            Self::Forged => "forged",
            Self::Answers => "answers",
        }
    }

    /// Into which file a line of this kind goes that arrived at `at`.
    pub(super) fn stretch(self, at: Timestamp) -> Stretch {
        let here = at.to_zoned(wib());
        let minute = (self == Self::Answers).then(|| (here.hour(), here.minute()));
        Stretch { day: here.date(), minute }
    }

    /// `notifications-2026-11-21.jsonl`, `answers-2026-11-21T0930.jsonl`.
    pub(super) fn file_name(self, stretch: Stretch) -> String {
        let Stretch { day, minute } = stretch;
        let minute = minute.map_or_else(String::new, |(hour, minute)| format!("T{hour:02}{minute:02}"));
        format!("{}-{day}{minute}.jsonl", self.name())
    }

    /// What a file of this kind holds that is still open for writing. Earlier versions kept answers by the day.
    pub(super) fn stretch_of(self, file_name: &str) -> Option<Stretch> {
        let name = file_name.strip_prefix(self.name())?.strip_prefix('-')?.strip_suffix(".jsonl")?;
        let Some((day, minute)) = name.split_once('T') else { return Some(Stretch { day: name.parse().ok()?, minute: None }) };
        let (hour, minute) = minute.split_at_checked(2)?;
        Some(Stretch { day: day.parse().ok()?, minute: Some((hour.parse().ok()?, minute.parse().ok()?)) })
    }
}

/// Whether a caller waits for the disk, or only for the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The line survives a power cut.
    Synced,
    /// The line survives the death of this process.
    Written,
}

/// The kinds of day files that are compressed once their day is over; answers are only kept for as long as they may be asked
/// for again.
pub(in crate::serve) const LASTING: [LogKind; 3] = [LogKind::Notifications, LogKind::Inquiries, LogKind::Forged];

/// What one file holds: a WIB day, or of answers, which are forgotten soon, a minute of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) day: Date,
    /// Hour and minute; none for the whole day.
    pub(super) minute: Option<(i8, i8)>,
}

impl Stretch {
    /// By its end: a whole day ends after all its minutes.
    pub(super) fn key(self) -> (Date, (i8, i8)) {
        (self.day, self.minute.unwrap_or((24, 0)))
    }

    /// The same, or the first of a later day.
    pub(super) fn not_before(self, day: Date) -> Self {
        if self.day < day { Self { day, minute: self.minute.map(|_| (0, 0)) } } else { self }
    }
}

/// Where the log of answers has a line, so that nobody else need keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct AnswerPlace {
    pub(super) stretch: Stretch,
    /// Where it begins in its file, and how long it is without its line feed.
    pub(super) from: u64,
    pub(super) bytes: u32,
}
