//! One result, many formats: one file each (CSV, JSON Lines, Parquet, summary.json).
//!
//! Belongs here: writing, atomically and in a fixed order. Must not be here: any decision about what a row means.

pub mod atomic;
mod csv;
pub mod issue;
mod jsonl;
mod matched;
pub mod summary;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::calendar::wib;
use crate::domain::classify::ClassSet;
use crate::domain::line::InputFile;
use crate::reconcile::{Finding, Outcome};

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
}

/// A report file that could not be written (exit 9).
#[derive(Debug, thiserror::Error)]
#[error("E0724: the report `{}` was not written: {reason}\nhint: check free space and permissions, then run the same command again", path.display())]
pub struct ReportError {
    /// Which file.
    pub path: PathBuf,
    /// The system's words.
    pub reason: String,
}

type Writer = BufWriter<File>;

/// Writes every file of the report into `folder`, each whole or not at all.
///
/// # Errors
/// [`ReportError`] for the first that cannot be written.
pub fn write(report: &Report<'_>, folder: &Path) -> Result<(), ReportError> {
    std::fs::create_dir_all(folder).map_err(|error| ReportError { path: folder.to_owned(), reason: error.to_string() })?;
    atomically(folder, "discrepancies.csv", |writer| csv::discrepancies(report, writer))?;
    atomically(folder, "discrepancies.jsonl", |writer| jsonl::discrepancies(report, writer))?;
    atomically(folder, "evidence.csv", |writer| csv::evidence(report, writer))?;
    atomically(folder, matched::FILE_NAME, |writer| matched::write(report, writer))?;
    // Last, so that a summary stands only beside a whole report.
    atomically(folder, "summary.json", |writer| {
        serde_json::to_writer_pretty(&mut *writer, report.summary)?;
        writer.write_all(b"\n")
    })
}

/// Writes beside the target, makes it durable, then puts it in place.
fn atomically(folder: &Path, name: &str, write: impl FnOnce(&mut Writer) -> io::Result<()>) -> Result<(), ReportError> {
    let path = folder.join(name);
    let attempt = || {
        let temporary = tempfile::Builder::new().prefix(".tagih-").tempfile_in(folder)?;
        let mut writer = BufWriter::with_capacity(1 << 18, temporary.reopen()?);
        write(&mut writer)?;
        writer.flush()?;
        temporary.as_file().sync_all()?;
        temporary.persist(&path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    attempt().map_err(|error: io::Error| ReportError { path: path.clone(), reason: error.to_string() })
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
