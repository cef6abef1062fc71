//! One result, many formats: a workbook and a page to read, CSV, JSON Lines, Parquet and summary.json to compute with.
//!
//! Belongs here: writing, atomically and in a fixed order. Must not be here: any decision about what a row means.

pub mod atomic;
mod csv;
pub mod document;
pub mod issue;
mod jsonl;
mod matched;
mod page;
mod parquet;
mod sections;
pub mod summary;
mod text;
mod words;
mod workbook;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;

use crate::domain::calendar::wib;
use crate::domain::classify::ClassSet;
use crate::domain::language::Language;
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
    /// For whom workbook and page are made.
    pub presentation: &'a Presentation,
}

/// What only workbook and page show. Files that programs read do not depend on it.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    /// Their language.
    pub language: Language,
    /// Whose report it is; empty when nobody said.
    pub entity: String,
    /// What was done about discrepancies so far, by their id.
    pub followed: BTreeMap<String, FollowUp>,
}

/// What was done about one discrepancy so far; empty where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowUp {
    /// The period that first showed it.
    pub first_seen: String,
    /// The last one.
    pub last_seen: String,
    /// Who works on it.
    pub owner: String,
    /// How it stands.
    pub status: String,
    /// What was said about it.
    pub comment: String,
}

/// Its JSON Schema lies beside every summary.json.
const SUMMARY_SCHEMA: &str = include_str!("../../docs/schema/summary.schema.json");

type Writer<'a> = BufWriter<&'a File>;

/// Writes the workbook and the page into `folder`. To be called before [`write`], whose summary.json says that all is there.
///
/// # Errors
/// [`WriteError`] for the first that cannot be written.
pub fn write_for_people(report: &Report<'_>, folder: &Path) -> Result<(), WriteError> {
    let document = sections::document(report);
    // The workbook's rows wait in this folder until they are compressed.
    atomic::probe(folder)?;
    atomic::write(&folder.join("workbook.xlsx"), |writer| workbook::write(&document, workbook::ROWS_MAX, folder, writer))?;
    atomic::write(&folder.join("report.html"), |writer| page::write(&document, page::ROWS_MAX, writer))
}

/// Writes every file that programs read into `folder`, each whole or not at all.
///
/// # Errors
/// [`WriteError`] for the first that cannot be written.
pub fn write(report: &Report<'_>, folder: &Path) -> Result<(), WriteError> {
    // The matched payments are most of the work, so everything else is written beside them.
    std::thread::scope(|scope| {
        let matched = scope.spawn(|| atomic::write(&folder.join(matched::FILE_NAME), |writer| matched::write(report, writer)));
        atomic::write(&folder.join("discrepancies.csv"), |writer| csv::discrepancies(report, writer))?;
        atomic::write(&folder.join("discrepancies.jsonl"), |writer| jsonl::discrepancies(report, writer))?;
        atomic::write(&folder.join("discrepancies.parquet"), |writer| parquet::discrepancies(report, writer))?;
        atomic::write(&folder.join("evidence.csv"), |writer| csv::evidence(report, writer))?;
        atomic::write(&folder.join("summary.schema.json"), |writer| writer.write_all(SUMMARY_SCHEMA.as_bytes()))?;
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
