//! Reports that a journal tells of: those that were signed, and those that were taken in.

use jiff::civil::Date;

use super::{Journal, JournalEntry, JournalError};

/// A report somebody has looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The last day of its period.
    pub to: Date,
    /// Its place in the journal.
    pub sequence: u64,
    /// Its folder.
    pub folder: String,
    /// SHA-256 of its summary.json then.
    pub summary_sha256: String,
    /// A digest of what it says, whoever has signed it since; empty where none was kept.
    pub content_sha256: String,
    /// Whether it stands signed.
    pub is_signed: bool,
}

impl Journal {
    /// Every report whose folder is known: of the latest period first, and of each period the last that was signed or taken in.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line closes or reopens what cannot be.
    pub fn reports(&self) -> Result<Vec<Reported>, JournalError> {
        let signed = self.periods()?;
        let reported = |record: &super::Record| match &record.entry {
            JournalEntry::Seen { sighting, report: Some(report) } => Some(Reported {
                to: sighting.run.to,
                sequence: record.sequence,
                folder: report.folder.clone(),
                summary_sha256: report.summary_sha256.clone(),
                content_sha256: String::new(),
                is_signed: false,
            }),
            JournalEntry::PeriodClosed { period } => Some(Reported {
                to: period.closing.to,
                sequence: record.sequence,
                folder: period.report.clone(),
                summary_sha256: period.summary_sha256.clone(),
                content_sha256: period.content_sha256.clone(),
                is_signed: signed.iter().any(|one| one.at == record.at && one.close.run_id == period.run_id),
            }),
            _ => None,
        };
        let mut reports: Vec<Reported> = self.records().iter().filter_map(reported).collect();
        reports.sort_by_key(|one| std::cmp::Reverse((one.to, one.sequence)));
        Ok(reports)
    }
}
