//! What a sending run leaves: accepted.csv, rejected.csv, deferred.csv and summary.json.
//!
//! Codes come from the ledger, not from what the run saw, so a run that was killed and repeated loses none.

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
use crate::domain::lifecycle::{BillState, Status};
use crate::intake::{Intake, Sourced};
use crate::ledger::Head;

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
        }
    }

    /// Writes the four files into `directory`.
    pub fn write(&self, directory: &Path) -> Result<(), WriteError> {
        atomic::write(&directory.join("accepted.csv"), |file| self.accepted(csv::Writer::from_writer(file)))?;
        atomic::write(&directory.join("rejected.csv"), |file| self.rejected(csv::Writer::from_writer(file)))?;
        atomic::write(&directory.join("deferred.csv"), |file| self.deferred(csv::Writer::from_writer(file)))?;
        atomic::write(&directory.join("summary.json"), |file| {
            serde_json::to_writer_pretty(&mut *file, &self.summary())?;
            io::Write::write_all(file, b"\n")
        })
    }

    fn rows(&self) -> impl Iterator<Item = (&Sourced<crate::domain::bill::Bill>, &End)> {
        self.intake.valid.iter().zip(self.ends)
    }

    /// Every row that holds a live code, whatever the run did to it.
    fn accepted(&self, mut csv: csv::Writer<impl io::Write>) -> io::Result<()> {
        csv.write_record([
            "invoice_number",
            "payment_code",
            "channel",
            "amount",
            "expires_at",
            "how_to_pay_page",
            "action",
            "file",
            "row",
            "wire_invoice_number",
        ])?;
        for (row, end) in self.rows() {
            let live = self.bills.get(&row.item.invoice_number).filter(|bill| bill.status == Status::Active);
            let Some((bill, code)) = live.and_then(|bill| Some((bill, bill.code.as_ref()?))) else { continue };
            if code.answer.expires_at.is_some_and(|expires_at| expires_at <= self.finished_at) {
                continue;
            }
            csv.write_record([
                bill.invoice_number.as_str(),
                code.answer.payment_code.as_str(),
                bill.terms.channel.name(),
                &bill.terms.amount.to_string(),
                &code.answer.expires_at.map(format_utc_seconds).unwrap_or_default(),
                code.answer.how_to_pay_page.as_deref().unwrap_or_default(),
                end.action,
                &row.place.file.display().to_string(),
                &row.place.row.to_string(),
                code.wire_invoice_number.as_str(),
            ])?;
        }
        csv.flush()
    }

    /// Every row we or DOKU refused, one line a reason.
    fn rejected(&self, mut csv: csv::Writer<impl io::Write>) -> io::Result<()> {
        csv.write_record(REJECTED_COLUMNS)?;
        refused_rows(self.intake, &mut csv)?;
        for (row, end) in self.rows().filter(|(_, end)| matches!(end.bucket, Bucket::Refused | Bucket::Rejected)) {
            csv.write_record([
                &row.place.file.display().to_string(),
                &row.place.row.to_string(),
                end.column,
                "",
                &end.code,
                &end.reason,
                row.item.invoice_number.as_str(),
            ])?;
        }
        csv.flush()
    }

    /// Every row the same command will finish: not sent, and in doubt, told apart.
    fn deferred(&self, mut csv: csv::Writer<impl io::Write>) -> io::Result<()> {
        csv.write_record(["invoice_number", "state", "reason", "file", "row"])?;
        for (row, end) in self.rows().filter(|(_, end)| matches!(end.bucket, Bucket::Deferred | Bucket::InDoubt)) {
            let invoice_number = row.item.invoice_number.as_str();
            csv.write_record([
                invoice_number,
                end.bucket.name(),
                &end.reason,
                &row.place.file.display().to_string(),
                &row.place.row.to_string(),
            ])?;
        }
        csv.flush()
    }
}

/// The header of rejected.csv.
pub const REJECTED_COLUMNS: [&str; 7] = ["file", "row", "column", "value", "code", "reason", "invoice_number"];

/// One line for every bad cell of the input.
pub fn refused_rows(intake: &Intake, csv: &mut csv::Writer<impl io::Write>) -> csv::Result<()> {
    for refused in &intake.refused {
        csv.write_record([
            &refused.place.file.display().to_string(),
            &refused.place.row.to_string(),
            &refused.column,
            &refused.value,
            refused.code.id,
            &refused.reason,
            refused.invoice_number.as_deref().unwrap_or_default(),
        ])?;
    }
    Ok(())
}

/// `sequence:hash`, the form `ledger verify --head` reads.
#[must_use]
pub fn head_text(head: Head) -> String {
    format!("{}:{}", head.sequence, digest::hex(&head.hash))
}
