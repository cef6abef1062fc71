//! Closed periods: which balances were signed, by whom, and in which order they may be closed and reopened.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Journal, JournalEntry, JournalError, Record};
use crate::domain::caveat::{Caveat, Former, Signer};
use crate::domain::closing::Closing;
use crate::domain::digest;
use crate::domain::revocation::Revocation;
use crate::register::is_named;

/// What is signed when a period is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodClose {
    /// The run whose report was signed.
    pub run_id: String,
    /// Its folder.
    pub report: String,
    /// SHA-256 of its summary.json, which lists the digests of its other files.
    pub summary_sha256: String,
    /// A digest of its files but those that name the run or the signature; empty in older journals, where `summary_sha256` says it all.
    #[serde(default)]
    pub content_sha256: String,
    /// Of a proposal: a digest of every file as it lay in the folder, which is what the second person looks at. Empty of a close, after which
    /// the page says who signed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder_sha256: String,
    /// The balances.
    pub closing: Closing,
    /// Their hash.
    pub closing_hash: String,
    /// The bills' source as it was: `sequence:hash` of the ledger, or the digest of an external one's rows.
    pub ledger: String,
    /// SHA-256 of every log that was read.
    pub evidence: Vec<String>,
    /// Who looked at it besides, if somebody did.
    pub reviewed_by: Option<String>,
    /// The keys that had signed what was counted; none in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Signer>>,
    /// The heads of the ledgers that were asked what was said of keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocations_asked: Vec<String>,
    /// What was known of the months before, and signed all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Caveat>,
}

/// A period as it stands closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedPeriod {
    /// What was signed.
    pub close: PeriodClose,
    /// When (UTC).
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, or how.
    pub reason: String,
}

impl ClosedPeriod {
    /// What it believed, and whom it asked.
    #[must_use]
    pub fn former(&self) -> Former {
        let PeriodClose { closing, keys, ledger, revocations_asked, .. } = &self.close;
        // That of an external ledger is a digest.
        let own = Some(ledger).filter(|ledger| ledger.contains(':') && !revocations_asked.contains(ledger));
        Former {
            from: closing.from,
            to: closing.to,
            seen_at: self.at,
            signers: keys.clone(),
            ledger_heads: own.into_iter().chain(revocations_asked).cloned().collect(),
        }
    }
}

impl Record {
    /// What tells a proposal from any other, to be named by whoever approves it: the journal's hash up to it.
    #[must_use]
    pub fn proposal_id(&self) -> String {
        digest::hex(self.hash.get(..8).unwrap_or(&self.hash))
    }

    /// Whether `named` is what somebody who looked at this proposal calls it, whole or by its beginning.
    #[must_use]
    pub fn is_proposal(&self, named: &str) -> bool {
        is_named(&self.proposal_id(), named)
    }
}

impl Journal {
    /// The periods that stand closed, oldest first, one right after the other.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line closes or reopens what cannot be.
    pub fn periods(&self) -> Result<Vec<ClosedPeriod>, JournalError> {
        let mut closed: Vec<ClosedPeriod> = Vec::new();
        for record in self.records() {
            self.fold(record, &mut closed)?;
        }
        Ok(closed)
    }

    /// The digests of what was exported of the period from `from`, oldest first.
    pub fn exports(&self, from: Date) -> impl Iterator<Item = &str> {
        self.records().iter().filter_map(move |record| match &record.entry {
            JournalEntry::Exported { from: of, sha256, .. } if *of == from => Some(sha256.as_str()),
            _ => None,
        })
    }

    /// Everything that was said about keys, each with when it was said and the head of the ledger that has it, oldest first.
    pub fn said_of_keys(&self) -> impl Iterator<Item = (Timestamp, &Revocation, &str)> {
        self.records().iter().filter_map(|record| match &record.entry {
            JournalEntry::KeySaid { said, ledger_head } => Some((record.at, said, ledger_head.as_str())),
            _ => None,
        })
    }

    /// What waits for a second person: the last line about periods, if it is a proposal.
    #[must_use]
    pub fn proposed(&self) -> Option<&Record> {
        let about_periods = |record: &&Record| {
            matches!(
                record.entry,
                JournalEntry::PeriodClosed { .. }
                    | JournalEntry::PeriodReopened { .. }
                    | JournalEntry::PeriodProposed { .. }
                    | JournalEntry::ReopenProposed { .. }
            )
        };
        let last = self.records().iter().rev().find(about_periods)?;
        matches!(last.entry, JournalEntry::PeriodProposed { .. } | JournalEntry::ReopenProposed { .. }).then_some(last)
    }

    fn fold(&self, record: &Record, closed: &mut Vec<ClosedPeriod>) -> Result<(), JournalError> {
        match &record.entry {
            JournalEntry::PeriodClosed { period } => {
                if !may_close(closed, period.closing.from) {
                    return Err(self.damaged(record, &"it closes a period that is not the next one"));
                }
                let (close, by, reason) = ((**period).clone(), record.actor.clone(), record.reason.clone());
                closed.push(ClosedPeriod { close, at: record.at, by, reason });
            }
            JournalEntry::PeriodReopened { from } => {
                if closed.last().is_none_or(|last| last.close.closing.from != *from) {
                    return Err(self.damaged(record, &"it reopens a period that was not the last one closed"));
                }
                closed.pop();
            }
            JournalEntry::Seen { .. }
            | JournalEntry::Decided { .. }
            | JournalEntry::PeriodProposed { .. }
            | JournalEntry::ReopenProposed { .. }
            | JournalEntry::FourEyes { .. }
            | JournalEntry::FourEyesOffProposed
            | JournalEntry::KeySaid { .. }
            | JournalEntry::Exported { .. } => {}
        }
        Ok(())
    }
}

/// Whether a period from this day may be closed next: it is the first, or follows the last one.
#[must_use]
pub fn may_close(closed: &[ClosedPeriod], from: Date) -> bool {
    closed.last().is_none_or(|last| last.close.closing.to.tomorrow().ok() == Some(from))
}
