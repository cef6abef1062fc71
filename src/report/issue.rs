//! What a sending run leaves: accepted.csv and .jsonl, rejected.csv, deferred.csv, `left_alone.csv` and summary.json.
//!
//! Codes come from the ledger, not from what the run saw, so a run that was killed and repeated loses none.

mod rows;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::atomic::{self, WriteError};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::digest;
use crate::domain::end::{Bucket, Counts, End};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::domain::tally::Tally;
use crate::intake::{Intake, Sourced};
use crate::ledger::Head;

use rows::Rows;
pub(in crate::report) use rows::columns;
pub use rows::{bad_rows_csv, refused_csv, valid_csv};

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
    /// How each valid row ended, in the order of `intake.valid`.
    pub ends: &'a [End],
    /// The ledger after the run.
    pub bills: &'a HashMap<InvoiceNumber, BillState>,
    /// Its place in the event sequence.
    pub head: Head,
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
pub struct Summary {
    command: &'static str,
    environment: &'static str,
    started_at: String,
    finished_at: String,
    input_files: Vec<String>,
    input_rows: u64,
    buckets: serde_json::Map<String, serde_json::Value>,
    issued_amount: u64,
    stopped: Option<String>,
    exit_code: u8,
    ledger_head: String,
    attempts_failed: Vec<Reason>,
    rows_left_over: Vec<Reason>,
}

impl IssueReport<'_> {
    /// Rows by bucket; their sum is the input's rows.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::of(self.ends.iter());
        counts.add(Bucket::Refused, self.intake.refused_row_count);
        counts.add(Bucket::Duplicate, u64::try_from(self.intake.duplicates.len()).unwrap_or(u64::MAX));
        counts
    }

    /// The machine-readable summary.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let counts = self.counts();
        let issued = self.rows().filter(|(_, end)| end.bucket == Bucket::Issued);
        let issued_amount =
            issued.filter_map(|(row, _)| self.bills.get(&row.item.invoice_number)).map(|bill| bill.terms.amount.get()).sum();
        let places = self.intake.valid.iter().map(|row| &row.place).chain(self.intake.refused.iter().map(|row| &row.place));
        let mut files: Vec<(usize, String)> = places.map(|place| (place.file_order, place.file.display().to_string())).collect();
        files.sort();
        files.dedup();
        Summary {
            command: self.command,
            environment: self.environment,
            started_at: format_utc_seconds(self.started_at),
            finished_at: format_utc_seconds(self.finished_at),
            input_files: files.into_iter().map(|(_, name)| name).collect(),
            input_rows: self.intake.rows,
            buckets: Bucket::ALL.iter().map(|&bucket| (bucket.name().to_owned(), counts.get(bucket).into())).collect(),
            issued_amount,
            stopped: self.stopped.clone(),
            exit_code: self.exit_code,
            ledger_head: head_text(self.head),
            attempts_failed: reasons(self.troubles),
            rows_left_over: reasons(&self.left_over()),
        }
    }

    /// Writes the files into `directory`, summary.json last.
    pub fn write(&self, directory: &Path) -> Result<(), WriteError> {
        let Self { intake, ends, bills, finished_at, .. } = *self;
        let rows = Rows { intake, ends, bills, finished_at };
        atomic::write(&directory.join("accepted.csv"), |file| rows.accepted_csv(file))?;
        atomic::write(&directory.join("accepted.jsonl"), |file| rows.accepted_jsonl(file))?;
        atomic::write(&directory.join("rejected.csv"), |file| rows.rejected_csv(file))?;
        atomic::write(&directory.join("deferred.csv"), |file| rows.deferred_csv(file))?;
        atomic::write(&directory.join("left_alone.csv"), |file| rows.left_alone_csv(file))?;
        atomic::write(&directory.join("summary.json"), |file| {
            serde_json::to_writer_pretty(&mut *file, &self.summary())?;
            io::Write::write_all(file, b"\n")
        })
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

    fn rows(&self) -> impl Iterator<Item = (&Sourced<crate::domain::bill::Bill>, &End)> {
        self.intake.valid.iter().zip(self.ends)
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
pub fn head_text(head: Head) -> String {
    format!("{}:{}", head.sequence, digest::hex(&head.hash))
}
