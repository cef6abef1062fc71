//! A report folder read again: the findings of a run as facts, and which run it was. Rows may have columns this version does
//! not know; a folder whose files do not belong together is refused.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::books::OPEN_ITEMS;
use super::manifest::{self, DigestedFile, ReportFile};
use super::open_items;
use super::reconciled_report::flag_names;
use crate::domain::digest;
use crate::domain::reason::Reason;
use crate::exit::{Exit, Explained, Explanation};
use crate::reconcile::Finding;
use crate::reconcile::open_items::Todo;
use crate::register::{DiscrepancyFacts, InBooks, ItemStatus, ReconcileRun, codes};

const DISCREPANCIES: &str = "discrepancies.jsonl";

/// What a run found.
#[derive(Clone, Debug)]
pub struct ReportFolder {
    /// Where it lies, whole.
    pub path: String,
    /// Which run.
    pub run: ReconcileRun,
    /// SHA-256 of the summary.json that says so, and lists the files.
    pub summary_sha256: String,
    /// Its findings.
    pub found: Vec<DiscrepancyFacts>,
    /// Known items that it looked at and found in order.
    pub cleared: Vec<String>,
    /// What was decided and is open in the books all the same.
    pub refused: BTreeSet<String>,
    /// The files it lists.
    files: Vec<ReportFile>,
}

impl ReportFolder {
    /// The open items that are not due and are shown under the ids that are wanted.
    ///
    /// # Errors
    /// [`FolderError`] when they cannot be read.
    pub fn waiting(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<DiscrepancyFacts>, FolderError> {
        if !self.files.iter().any(|file| file.name == OPEN_ITEMS) {
            return Ok(Vec::new());
        }
        let is_waiting = |_, id: &str, todo: &str| todo == Todo::NotYet.name() && is_wanted(id);
        let refused = |error: io::Error| FolderError { path: self.path.clone().into(), reason: format!("{OPEN_ITEMS}: {error}") };
        open_items::rows(Path::new(&self.path), &self.files, is_waiting).map_err(refused)
    }
}

/// Why a folder cannot be used (exit 7).
#[derive(Debug, thiserror::Error)]
#[error("E0810: `{}` is no whole report: {reason}\nhint: name the output folder of a `tagih reconcile` that ended", path.display())]
pub struct FolderError {
    /// Which folder.
    pub path: PathBuf,
    /// What was found.
    pub reason: String,
}

impl Explained for FolderError {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Input, codes::NO_REPORT)
    }
}

#[derive(Deserialize)]
struct Summary {
    run_id: String,
    period: Days,
    as_of: Timestamp,
    discrepancies: Counts,
    files: Vec<ReportFile>,
}

#[derive(Deserialize)]
struct Days {
    from: Date,
    to: Date,
}

#[derive(Deserialize)]
struct Counts {
    count: usize,
    #[serde(default)]
    cleared: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    discrepancy_id: String,
    class: String,
    flags: Vec<String>,
    nature: String,
    severity: String,
    invoice_number: String,
    payment_code: String,
    channel: Option<String>,
    amount_expected: Option<i64>,
    amount_paid: Option<i64>,
    paid_at: Option<Timestamp>,
    reason: String,
    #[serde(default, deserialize_with = "Reason::kept")]
    cause: Reason,
    action: String,
    evidence: Vec<String>,
    #[serde(default)]
    books: Option<Box<InBooks>>,
    #[serde(default)]
    status: String,
}

/// Reads summary.json and discrepancies.jsonl of `folder`.
///
/// # Errors
/// [`FolderError`] when either is missing, unreadable, or of another run.
pub fn read(folder: &Path) -> Result<ReportFolder, FolderError> {
    let refused = |reason: String| FolderError { path: folder.to_path_buf(), reason };
    let failed = |name: &str, error: &dyn std::fmt::Display| refused(format!("{name}: {error}"));
    let bytes = manifest::summary(folder).map_err(|error| failed("summary.json", &error))?;
    let summary: Summary = serde_json::from_slice(&bytes).map_err(|error| failed("summary.json", &error))?;
    let (rows, stand_open, count) = rows(folder, &summary.files).map_err(|error| failed(DISCREPANCIES, &error))?;
    if count != summary.discrepancies.count {
        let counted = summary.discrepancies.count;
        return Err(refused(format!("summary.json counts {counted} discrepancies, discrepancies.jsonl has {count}")));
    }
    let run = ReconcileRun { run_id: summary.run_id, from: summary.period.from, to: summary.period.to, as_of: summary.as_of };
    let summary_sha256 = digest::hex(&digest::of_bytes(&bytes));
    let path = folder.canonicalize().map_err(|error| failed("summary.json", &error))?.display().to_string();
    let (cleared, files) = (summary.discrepancies.cleared, summary.files);
    Ok(ReportFolder { path, run, summary_sha256, found: rows, cleared, refused: stand_open, files })
}

/// The findings, those whose decision the books refused, and how many rows there are.
fn rows(folder: &Path, listed: &[ReportFile]) -> io::Result<(Vec<DiscrepancyFacts>, BTreeSet<String>, usize)> {
    let (mut found, mut refused, mut count) = (Vec::new(), BTreeSet::new(), 0_usize);
    let mut reader = BufReader::new(DigestedFile::open(folder, DISCREPANCIES, listed)?);
    for (number, line) in (1_u64..).zip(reader.by_ref().lines()) {
        let row: Row = serde_json::from_str(&line?).map_err(|error| io::Error::other(format!("line {number}: {error}")))?;
        count = count.saturating_add(1);
        // What a decision dealt with is no news.
        if row.books.is_none() && row.status == ItemStatus::Accepted.name() {
            continue;
        }
        if row.books.is_some() && row.status == ItemStatus::Reopened.name() {
            refused.insert(row.discrepancy_id.clone());
        }
        found.push(DiscrepancyFacts {
            id: row.discrepancy_id,
            class: row.class,
            nature: row.nature,
            severity: row.severity,
            flags: row.flags,
            invoice_number: row.invoice_number,
            payment_code: row.payment_code,
            channel: row.channel,
            expected: row.amount_expected,
            paid: row.amount_paid,
            paid_at: row.paid_at,
            reason: row.reason,
            cause: row.cause,
            recommended: row.action,
            evidence: row.evidence,
            times: 1,
            books: row.books,
        });
    }
    reader.into_inner().finish()?;
    Ok((found, refused, count))
}

/// The files that the report in `folder` lists, and SHA-256 of the summary that lists them.
///
/// # Errors
/// [`FolderError`].
pub fn listed(folder: &Path) -> Result<(Vec<ReportFile>, String), FolderError> {
    let refused = |error: &dyn std::fmt::Display| FolderError { path: folder.to_path_buf(), reason: format!("summary.json: {error}") };
    let bytes = manifest::summary(folder).map_err(|error| refused(&error))?;
    let listed: Listed = serde_json::from_slice(&bytes).map_err(|error| refused(&error))?;
    Ok((listed.files, digest::hex(&digest::of_bytes(&bytes))))
}

/// A report's days and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The first WIB day.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// SHA-256 of its summary.json.
    pub sha256: String,
    /// See [`manifest::content`].
    pub content: String,
}

#[derive(Deserialize)]
struct Listed {
    period: Days,
    files: Vec<ReportFile>,
}

/// Holds every file of the report in `folder` against its digest.
///
/// # Errors
/// What is wrong, in words.
pub fn whole(folder: &Path) -> Result<Signed, String> {
    let bytes = manifest::summary(folder).map_err(|error| format!("summary.json: {error}"))?;
    let listed: Listed = serde_json::from_slice(&bytes).map_err(|error| format!("summary.json: {error}"))?;
    for file in &listed.files {
        let found = ReportFile::of(folder, &file.name).map_err(|error| format!("{}: {error}", file.name))?;
        if found != *file {
            return Err(format!("`{}` has been changed", file.name));
        }
    }
    let content = manifest::content(&listed.files);
    Ok(Signed { from: listed.period.from, to: listed.period.to, sha256: digest::hex(&digest::of_bytes(&bytes)), content })
}

/// The facts of a finding, as they will be read from its folder.
#[must_use]
pub fn facts_of(finding: &Finding) -> DiscrepancyFacts {
    let rupiah = |amount: crate::domain::amount::Rupiah| i64::try_from(amount.get()).unwrap_or(i64::MAX);
    let to_the_second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    DiscrepancyFacts {
        id: finding.id.clone(),
        class: finding.class.id().to_owned(),
        nature: finding.nature.name().to_owned(),
        severity: finding.severity.name().to_owned(),
        flags: flag_names(finding.flags).into_iter().map(str::to_owned).collect(),
        invoice_number: finding.invoice_number.clone(),
        payment_code: finding.payment_code.clone(),
        channel: finding.channel.map(|channel| channel.name().to_owned()),
        expected: finding.expected.map(rupiah),
        paid: finding.paid.map(rupiah),
        paid_at: finding.paid_at.map(to_the_second),
        reason: finding.reason.to_string(),
        cause: finding.reason.clone(),
        recommended: finding.action().to_owned(),
        evidence: finding.evidence.iter().map(|found| digest::hex(found)).collect(),
        times: 1,
        books: finding.books.clone(),
    }
}
