//! What was found of a message, before the settings say what counts: logs and the store come to a line in one way.
//!
//! Belongs here: from facts to a line. Must not be here: reading and verifying (`inspect`), and how facts are kept (`store`).

use jiff::Timestamp;

use crate::domain::classify::{Class, LateFacts, MatchingPolicy, Unverifiable, line_flags};
use crate::domain::digest::Digest;
use crate::domain::line::{Detail, Line, Marks};
use crate::domain::revocation;

/// Whose word a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is no message, so nobody was asked.
    Unread,
    /// Another account's.
    Foreign,
    /// Nobody's we know.
    Forged(Detail),
    /// DOKU's, by the key of this place among those that were tried.
    Signed(u8),
    /// Signed by such a key, which was not believed any more when it arrived.
    Withdrawn(u8),
    /// Nobody can tell, and why.
    Unverifiable(Detail),
}

/// What is known beside what a message says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    pub(super) verdict: Verdict,
    /// The time it is stamped with, in microseconds since 1970; [`Line::UNKNOWN_TIME`] where that cannot be read.
    pub(super) stamped_at_us: i64,
    /// When it arrived, also where it got no further.
    pub(super) arrived_at_us: i64,
}

impl Beside {
    /// When it came, for whoever asks whether its key was still believed; `paid_at_us` is the time it tells of, if it does.
    pub(super) fn came_at(&self, paid_at_us: i64, policy: &MatchingPolicy) -> Option<Timestamp> {
        let [arrived_at, stamped_at, paid_at] = [self.arrived_at_us, self.stamped_at_us, paid_at_us].map(instant);
        revocation::came_at(arrived_at, [stamped_at, paid_at], policy.skew_minutes)
    }
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// What it says; where it is nobody's word, that it was refused.
    pub(super) line: Line,
    pub(super) beside: Beside,
}

impl Fact {
    /// Of a line that holds no message.
    pub(super) const fn unread(line: Line) -> Self {
        let beside = Beside { verdict: Verdict::Unread, stamped_at_us: Line::UNKNOWN_TIME, arrived_at_us: Line::UNKNOWN_TIME };
        Self { line, beside }
    }

    /// What comes of it under `policy`.
    pub(super) fn concluded(self, policy: &MatchingPolicy) -> Line {
        let Self { mut line, beside } = self;
        let not_counted = |class, why| {
            let (file, number, byte) = (line.file, line.number, line.byte);
            Line { byte, number, file, ..refused(line.digest, class, why) }
        };
        match beside.verdict {
            Verdict::Unread | Verdict::Foreign | Verdict::Forged(_) => return line,
            Verdict::Withdrawn(_) => return not_counted(Class::N02, Detail::Withdrawn),
            Verdict::Unverifiable(why) if policy.unverifiable == Unverifiable::Strict => return not_counted(Class::N03, why),
            Verdict::Unverifiable(_) => {}
            Verdict::Signed(_) => line.marks = line.marks.and(Marks::VERIFIED, true),
        }
        if let Some(received_at) = line.received_at() {
            let stamped_at = instant(beside.stamped_at_us);
            let flags = line_flags(&LateFacts { received_at, stamped_at, paid_at: line.paid_at() }, policy);
            line.marks = line.marks.and(Marks::SKEWED, flags.skewed).and(Marks::LATE, flags.late);
        }
        line
    }
}

/// The instant of so many microseconds, unless it is not known.
pub(super) fn instant(us: i64) -> Option<Timestamp> {
    (us != Line::UNKNOWN_TIME).then(|| Timestamp::from_microsecond(us).ok())?
}

pub(super) fn refused(digest: Digest, class: Class, why: Detail) -> Line {
    let mut line = Line::of_class(class, digest);
    line.detail = Some(why);
    line
}
