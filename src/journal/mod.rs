//! The journal of what people decide: an append-only file of JSON lines, chained by SHA-256.
//!
//! Belongs here: appending durably, reading without a lock, finding damage. Must not be here: what an entry means; that is the
//! fold of `domain::discrepancy`. A line is acknowledged once its newline is durable, so a last line without one was promised to
//! nobody: readers pass over it, and the next writer cuts it off.

pub mod entry;
pub mod four_eyes;
mod line;
pub mod period;
pub mod reports;
mod store;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::domain::digest::{self, Digest};
use crate::domain::names;
use crate::exit::{Exit, Explained, Explanation};
use crate::register::{Register, StatusChange, codes};

pub use entry::{JournalEntry, TakenFrom};
pub use store::{JournalWriter, read};

/// Who writes an entry, and why. Both are mandatory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    actor: String,
    reason: String,
    person: String,
}

impl Author {
    /// The most characters of a name.
    pub const ACTOR_LENGTH_MAX: usize = 100;

    /// An author with a reason.
    ///
    /// # Errors
    /// [`JournalError::Author`] when either is blank, too long or not printable.
    pub fn new(actor: &str, reason: &str) -> Result<Self, JournalError> {
        let is_sayable = |text: &str, length_max: usize| {
            !text.trim().is_empty() && text.chars().count() <= length_max && !text.chars().any(char::is_control)
        };
        // Two names that look like one are two persons in the journal, and one for whoever reads it.
        if !is_sayable(actor, Self::ACTOR_LENGTH_MAX) || !names::is_plain(actor) {
            return Err(JournalError::Author {
                what: "name",
                hint: "give `--by NAME`, or set `journal.actor`: letters of one alphabet, and nothing that is not seen",
            });
        }
        if !is_sayable(reason, crate::register::REASON_LENGTH_MAX) {
            return Err(JournalError::Author {
                what: "reason",
                hint: "say why in a sentence, with `--reason`; it is kept for the auditor",
            });
        }
        Ok(Self { actor: actor.trim().to_owned(), reason: reason.trim().to_owned(), person: String::new() })
    }

    /// The same, from an account of the system.
    #[must_use]
    pub fn with_person(self, person: &str) -> Self {
        Self { person: person.to_owned(), ..self }
    }

    /// Whose account of the system they write from; empty where nobody told.
    #[must_use]
    pub fn person(&self) -> &str {
        &self.person
    }

    /// Who.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its place, from 1.
    pub sequence: u64,
    /// When it was written (UTC).
    pub at: Timestamp,
    /// Who wrote it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// From whose account of the system; empty in older journals.
    pub person: String,
    /// What.
    pub entry: JournalEntry,
    /// The chain's hash up to here.
    pub hash: Digest,
}

/// The end of a journal: printed in every summary, so that an edited or older one is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The last line's number; 0 for an empty journal.
    pub sequence: u64,
    /// The hash that chains all lines up to it; zero for an empty journal.
    pub hash: Digest,
}

impl JournalHead {
    /// The end of a journal whose last line is `record`.
    #[must_use]
    pub const fn of(record: &Record) -> Self {
        Self { sequence: record.sequence, hash: record.hash }
    }
}

impl std::fmt::Display for JournalHead {
    /// `sequence:hash`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.sequence, digest::hex(&self.hash))
    }
}

/// One step of one item, and the line that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<'a> {
    /// Who, when and why.
    pub record: &'a Record,
    /// What.
    pub change: StatusChange,
}

/// Whether two records, or a record and who writes now, are one person's: of one account of the system, or under one name.
#[must_use]
pub fn is_one_person(first: &Record, author: &Author) -> bool {
    let is_one_account = crate::register::is_same_account(&first.person, author.person());
    is_one_account || crate::register::is_same_person(&first.actor, author.actor())
}

/// Everything a journal says, its chain verified.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    path: String,
    records: Vec<Record>,
}

impl Journal {
    /// The lines, oldest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The file it is read from.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its end.
    #[must_use]
    pub fn head(&self) -> JournalHead {
        self.records.last().map_or(JournalHead { sequence: 0, hash: [0; 32] }, JournalHead::of)
    }

    /// Where the last decision stands: what of a journal the books depend on.
    #[must_use]
    pub fn decided_at(&self) -> Option<JournalHead> {
        self.records.iter().rev().find(|record| matches!(record.entry, JournalEntry::Decided { .. })).map(JournalHead::of)
    }

    /// Whether a second person must agree to what is decided; none where that was never recorded.
    #[must_use]
    pub fn four_eyes(&self) -> Option<bool> {
        self.records.iter().rev().find_map(|record| match record.entry {
            JournalEntry::FourEyes { on } => Some(on),
            _ => None,
        })
    }

    /// The proposal that a second person be needed no more, if it is the last that was said of that.
    #[must_use]
    pub fn four_eyes_off_proposed(&self) -> Option<&Record> {
        let said = self
            .records
            .iter()
            .rev()
            .find(|record| matches!(record.entry, JournalEntry::FourEyes { .. } | JournalEntry::FourEyesOffProposed));
        said.filter(|record| record.entry == JournalEntry::FourEyesOffProposed)
    }

    /// The discrepancies as they stand: the fold of all lines.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line tells what cannot have happened.
    pub fn register(&self) -> Result<Register, JournalError> {
        self.changes().map(|(register, _)| register)
    }

    /// The same, for decisions that are made now: none takes effect in a month that is closed.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line tells what cannot have happened.
    pub fn register_for_decisions(&self) -> Result<Register, JournalError> {
        let closed_to = self.periods()?.last().map(|period| period.close.closing.to);
        Ok(self.register()?.after(closed_to))
    }

    /// The same, with every step of every item beside the line that made it: what a roll-forward counts.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line tells what cannot have happened.
    pub fn changes(&self) -> Result<(Register, Vec<Dated<'_>>), JournalError> {
        let (mut register, mut all) = (Register::default(), Vec::new());
        for record in &self.records {
            let changes = record.entry.apply(record.at, &mut register).map_err(|error| self.damaged(record, &error))?;
            all.extend(changes.into_iter().map(|change| Dated { record, change }));
        }
        Ok((register, all))
    }

    fn damaged(&self, record: &Record, reason: &dyn std::fmt::Display) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), line: record.sequence, reason: reason.to_string() }
    }
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line is not what was written (exit 8).
    #[error(
        "E0801: the journal `{path}` is damaged in line {line}: {reason}\nhint: record nothing more; put the last backup back, and keep the damaged file for the auditor"
    )]
    Damaged {
        /// Which journal.
        path: String,
        /// Which line, from 1.
        line: u64,
        /// What was found.
        reason: String,
    },
    /// The disk failed (exit 9).
    #[error("E0802: the journal `{path}` failed: {reason}\nhint: check free space and permissions, then run the same command again")]
    Storage {
        /// Which journal.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// Name or reason is missing (exit 2).
    #[error("E0809: the {what} is missing, too long or not printable\nhint: {hint}")]
    Author {
        /// Name or reason.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
}

impl Explained for JournalError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Damaged { .. } => Explanation::new(Exit::Damaged, codes::DAMAGED),
            Self::Storage { .. } => Explanation::new(Exit::Disk, codes::STORAGE),
            Self::Author { .. } => Explanation::new(Exit::Usage, codes::AUTHOR),
        }
    }
}
