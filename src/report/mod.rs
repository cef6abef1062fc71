//! One result, many formats: one file each (CSV, JSON Lines, Parquet, summary.json).
//!
//! Belongs here: writing, atomically and in a fixed order. Must not be here: any decision about what a row means.

pub mod atomic;
mod csv;
pub mod entries;
pub mod folder;
pub mod issue;
pub mod items;
mod jsonl;
mod matched;
pub mod summary;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;

use crate::domain::calendar::wib;
use crate::domain::classify::ClassSet;
use crate::domain::discrepancy::Standings;
use crate::domain::line::InputFile;
use crate::reconcile::{Finding, Outcome};

use atomic::WriteError;
pub use matched::{CarriedPayment, read_matched};
use summary::Summary;

/// What every report is written from.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was concluded.
    pub outcome: &'a Outcome,
    /// Its figures.
    pub summary: &'a Summary,
    /// The logs, in the order in which lines refer to them.
    pub files: &'a [InputFile],
    /// The external ledger, if that is where the bills are from.
    pub ledger_path: Option<&'a Path>,
    /// What the journal knows of the findings.
    pub standings: &'a Standings,
}

type Writer<'a> = BufWriter<&'a File>;

/// Writes every file of the report into `folder`, each whole or not at all.
///
/// # Errors
/// [`WriteError`] for the first that cannot be written.
pub fn write(report: &Report<'_>, folder: &Path) -> Result<(), WriteError> {
    // The matched payments are most of the work, so everything else is written beside them.
    std::thread::scope(|scope| {
        let matched = scope.spawn(|| atomic::write(&folder.join(matched::FILE_NAME), |writer| matched::write(report, writer)));
        atomic::write(&folder.join("discrepancies.csv"), |writer| csv::discrepancies(report, writer))?;
        atomic::write(&folder.join("discrepancies.jsonl"), |writer| jsonl::discrepancies(report, writer))?;
        atomic::write(&folder.join("evidence.csv"), |writer| csv::evidence(report, writer))?;
        matched.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    // Last, so that a summary stands only beside a whole report.
    atomic::write(&folder.join("summary.json"), |writer| {
        serde_json::to_writer_pretty(&mut *writer, report.summary)?;
        writer.write_all(b"\n")
    })
}

/// WIB, to the second, with its offset.
fn wib_text(at: Timestamp) -> String {
    at.to_zoned(wib()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The ids of a set in alphabetical order.
fn flag_names(flags: ClassSet) -> Vec<&'static str> {
    let mut names: Vec<_> = flags.iter().map(crate::domain::classify::Class::id).collect();
    names.sort_unstable();
    names
}

/// What was paid less what was expected, where both are known.
fn difference(finding: &Finding) -> Option<i128> {
    Some(finding.paid?.minus(finding.expected?).get())
}
