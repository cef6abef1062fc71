//! What became of a log that was to be added to a store.

use std::path::PathBuf;

use crate::domain::line::InputFile;

/// What became of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedAs {
    /// It is there now.
    New,
    /// It is there now, beside another one of its name.
    Renewed,
    /// What it has had more since it was added is there now.
    Grown,
    /// It was there.
    Known,
    /// It was there, and of its messages some that no key had signed are verified now.
    Verified,
    /// It has lost its end since it was added; the store keeps what it has.
    Cut,
    /// A line of it, this one, is another than when it was added; the store keeps what it has.
    Changed(u64),
    /// It is no log, or mostly none; nothing was taken of it.
    NoLog,
}

impl AddedAs {
    /// Whether the log is no log, or not what it was.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Cut | Self::Changed(_) | Self::NoLog)
    }

    /// What is said of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Renewed => "renewed",
            Self::Grown => "grown",
            Self::Known => "known",
            Self::Verified => "verified",
            Self::Cut => "cut",
            Self::Changed(_) => "changed",
            Self::NoLog => "no_log",
        }
    }
}

/// One log.
#[derive(Clone, Debug)]
pub struct Added {
    /// Which.
    pub path: PathBuf,
    /// What became of it.
    pub what: AddedAs,
    /// How many messages are new, or verified now.
    pub messages: u64,
    /// How many of its messages no key of these settings has signed, as far as the store knows.
    pub forged: u64,
    /// What its lines are, if they had to be read.
    pub file: Option<InputFile>,
}
