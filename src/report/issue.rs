//! What a sending run leaves: accepted.csv and .jsonl, rejected.csv, deferred.csv, `left_alone.csv` and summary.json.
//!
//! Codes come from the ledger, not from what the run saw, so a run that was killed and repeated loses none.

mod checked;
pub(super) mod columns;
mod rows;

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::atomic::{self, WriteError};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::mark::BillWithCode;
use crate::domain::row_end::{Bucket, Ends, RowCounts};
use crate::domain::tally::Tally;
use crate::intake::{Intake, KeepingError};
use crate::ledger::LedgerHead;

pub use checked::{BadRowsCsv, checked_files};
use rows::{Amounts, Files, ToldRow};

/// How many different reasons summary.json tells.
const REASONS_MAX: usize = 10;

/// Everything a sending run has to tell.
#[derive(Debug)]
pub struct IssueReport<'a> {
    /// `issue` or `cancel`.
    pub command: &'static str,
    /// `sandbox` or `production`.
    pub environment: &'static str,
    /// What was read.
    pub intake: &'a Intake,
    /// How each valid row ended.
    pub ends: &'a Ends,
    /// The ledger's place in the event sequence after the run.
    pub head: LedgerHead,
    /// When the run began and ended (UTC).
    pub started_at: Timestamp,
    /// See `started_at`.
    pub finished_at: Timestamp,
    /// Why it ended early, if it did.
    pub stopped: Option<String>,
    /// Why attempts had no success.
    pub troubles: &'a Tally,
    /// The exit code.
    pub exit_code: u8,
}

/// The counts of a run, as summary.json has them.
#[derive(Debug, Serialize)]
pub struct IssueSummary {
    command: &'static str,
    environment: &'static str,
    started_at: String,
    finished_at: String,
    input_files: Vec<String>,
    input_rows: u64,
    buckets: serde_json::Map<String, serde_json::Value>,
    issued_amount: u64,
    #[serde(skip)]
    amounts: Amounts,
    stopped: Option<String>,
    exit_code: u8,
    ledger_head: String,
    attempts_failed: Vec<Reason>,
    rows_left_over: Vec<Reason>,
}

impl IssueSummary {
    /// Rupiah of the rows in `bucket` whose bill the ledger has; none if it has none of them.
    #[must_use]
    pub fn amount(&self, bucket: Bucket) -> Option<u64> {
        self.amounts.get(&bucket).copied()
    }
}

impl IssueReport<'_> {
    /// Rows by bucket; their sum is the input's rows.
    #[must_use]
    pub fn counts(&self) -> RowCounts {
        let mut counts = RowCounts::of(self.ends.iter());
        counts.add(Bucket::Refused, self.intake.refused);
        counts.add(Bucket::Duplicate, self.intake.duplicates);
        counts
    }

    fn summary(&self, amounts: Amounts) -> IssueSummary {
        let counts = self.counts();
        IssueSummary {
            command: self.command,
            environment: self.environment,
            started_at: format_utc_seconds(self.started_at),
            finished_at: format_utc_seconds(self.finished_at),
            input_files: self.intake.files.iter().map(|file| file.display().to_string()).collect(),
            input_rows: self.intake.rows,
            buckets: Bucket::ALL.iter().map(|&bucket| (bucket.name().to_owned(), counts.get(bucket).into())).collect(),
            issued_amount: amounts.get(&Bucket::Issued).copied().unwrap_or(0),
            amounts,
            stopped: self.stopped.clone(),
            exit_code: self.exit_code,
            ledger_head: head_text(self.head),
            attempts_failed: reasons(self.troubles),
            rows_left_over: reasons(&self.left_over()),
        }
    }

    /// Writes the files into `directory`, summary.json last. The rows are gone through once; `held` gives what the ledger has of the
    /// bills of some of them.
    ///
    /// # Errors
    /// That a file cannot be written, or the rows not be given again; or what `held` ends with.
    pub fn write<E>(
        &self,
        directory: &Path,
        mut held: impl FnMut(&[&InvoiceNumber]) -> Result<Vec<Option<BillWithCode>>, E>,
    ) -> Result<IssueSummary, E>
    where
        E: From<WriteError> + From<KeepingError>,
    {
        let mut files = Files::begin::<E>(directory, self.intake, self.finished_at)?;
        for part in self.intake.told() {
            let part = part?;
            let numbers: Vec<&InvoiceNumber> = part.iter().filter_map(|row| row.invoice_number.as_ref()).collect();
            let mut held = held(&numbers)?.into_iter();
            let rows = part.iter().map(|row| {
                let held = row.invoice_number.as_ref().and_then(|_| held.next().flatten());
                ToldRow { row, end: self.ends.get(row.index), held }
            });
            files.rows(&rows.collect::<Vec<_>>())?;
        }
        let summary = self.summary(std::mem::take(&mut files.amounts));
        files.finish()?;
        atomic::write(&directory.join("summary.json"), |file| {
            serde_json::to_writer_pretty(&mut *file, &summary)?;
            io::Write::write_all(file, b"\n")
        })?;
        Ok(summary)
    }

    /// Why rows are left over that the same command finishes.
    #[must_use]
    pub fn left_over(&self) -> Tally {
        let mut tally = Tally::default();
        for end in self.ends.iter().filter(|end| matches!(end.bucket, Bucket::Deferred | Bucket::InDoubt)) {
            tally.add(&end.reason);
        }
        tally
    }
}

/// A reason and how often it was given.
#[derive(Debug, Serialize)]
struct Reason {
    reason: String,
    count: u64,
}

/// The commonest reasons, as summary.json has them.
fn reasons(tally: &Tally) -> Vec<Reason> {
    tally.commonest(REASONS_MAX).into_iter().map(|(reason, count)| Reason { reason: reason.to_owned(), count }).collect()
}

/// `sequence:hash`, the form `ledger verify --head` reads.
#[must_use]
pub fn head_text(head: LedgerHead) -> String {
    format!("{}:{}", head.sequence, digest::hex(&head.hash))
}
