//! A report made again: what it says it was made from, and how it is held against the folder that somebody looked at.
//!
//! Whoever can write a folder can write its digests too. So a folder is only ever compared, and what is signed is what its inputs make.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::error::{PeriodError, not_whole, stale};
use crate::journal::period::PeriodClose;
use crate::journal::{Journal, JournalHead};
use crate::report::folder;
use crate::report::manifest::{self, OF_RUN, ReportFile};
use crate::report::summary_inputs::Request;

/// What a report was made from, as its summary says.
#[derive(Debug)]
pub struct MadeFrom {
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// The instant it speaks of.
    pub as_of: Timestamp,
    /// The file its bills are from; none for our own ledger.
    pub external_ledger: Option<PathBuf>,
    /// The head of our own ledger then, `sequence:hash`, if its bills are from there.
    pub ledger_head: Option<String>,
    /// What was asked beside the inputs.
    pub request: Request,
    inputs: Vec<Input>,
}

impl MadeFrom {
    /// The inputs of a kind, in their order.
    #[must_use]
    pub fn inputs(&self, kind: &str) -> Vec<PathBuf> {
        self.inputs.iter().filter(|input| input.kind == kind).map(|input| PathBuf::from(&input.path)).collect()
    }
}

impl MadeFrom {
    /// The notification logs; where there was a store of evidence, those that are still there: the others are in it.
    #[must_use]
    pub fn logs(&self) -> Vec<PathBuf> {
        let has_store = self.request.evidence.is_some();
        self.inputs(LOGS).into_iter().filter(|path| !has_store || path.is_file()).collect()
    }
}

/// What notification logs are called among the inputs.
const LOGS: &str = "notifications";

#[derive(Debug, Deserialize)]
struct Input {
    kind: String,
    path: String,
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct Summary {
    period: Days,
    as_of: Timestamp,
    ledger: Source,
    inputs: Vec<Input>,
    request: Request,
}

#[derive(Debug, Deserialize)]
struct Days {
    from: Date,
    to: Date,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Source {
    Own { sequence: u64, head: String },
    External { path: String },
}

/// What the report in `folder` was made from, once every input is there as it was.
///
/// # Errors
/// [`PeriodError::Report`] where the summary cannot be read, [`PeriodError::Stale`] for the first input that is missing or another.
pub fn made_from(folder: &Path) -> Result<MadeFrom, PeriodError> {
    let bytes = manifest::summary(folder).map_err(|error| not_whole(folder, &error))?;
    let summary: Summary = serde_json::from_slice(&bytes).map_err(|error| not_whole(folder, &error))?;
    // What was read from a store need not be there any more; the store tells of its own whether it is as it was.
    let has_store = summary.request.evidence.is_some();
    for input in summary.inputs.iter().filter(|input| !(has_store && input.kind == LOGS)) {
        let found = ReportFile::of(Path::new(""), &input.path)
            .map_err(|error| stale(folder, &format_args!("its input `{}` cannot be read here ({error})", input.path)))?;
        if found.sha256 != input.sha256 {
            return Err(stale(folder, &format_args!("its input `{}` has been changed", input.path)));
        }
    }
    let (external_ledger, ledger_head) = match summary.ledger {
        Source::Own { sequence, head } => (None, Some(format!("{sequence}:{head}"))),
        Source::External { path } => (Some(path.into()), None),
    };
    Ok(MadeFrom {
        from: summary.period.from,
        to: summary.period.to,
        as_of: summary.as_of,
        external_ledger,
        ledger_head,
        request: summary.request,
        inputs: summary.inputs,
    })
}

pub(super) const SUMMARY: &str = "summary.json";

/// Whether the report in `folder` is what its inputs make, which is in `again`.
///
/// # Errors
/// [`PeriodError::Report`] where the folder is another, [`PeriodError::Stale`] where what it was made from went on and says otherwise.
pub fn compare(folder: &Path, again: &Path) -> Result<(), PeriodError> {
    let read = |of: &Path| -> Result<Value, PeriodError> {
        let bytes = manifest::summary(of).map_err(|error| not_whole(folder, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| not_whole(folder, &error))
    };
    let (looked_at, made) = (read(folder)?, read(again)?);
    let is_same_run = of_run(&looked_at) == of_run(&made);
    let store = looked_at.pointer("/request/evidence").and_then(Value::as_str);
    // A store need not be as it was, and tells of no state: it may have gone on as well.
    let store_too = store.map_or_else(String::new, |store| format!(", the evidence store `{store}`"));
    let went_on = format!("the ledger, the journal{store_too} or the settings have gone on since");
    let has_store = store.is_some();
    let hash = |summary: &Value| summary.pointer("/month/closing_hash").cloned();
    if !is_same_run && hash(&looked_at) != hash(&made) {
        return Err(stale(folder, &format_args!("{went_on}, and its balances are others now")));
    }
    let was = files_of(&looked_at);
    // A file that is as it was written, and is made otherwise now, shows what went on; any other was changed.
    let other = |name: &str, is_as_written: bool| {
        if is_same_run && !has_store || !is_as_written {
            return not_whole(folder, &format_args!("`{name}` is not what its inputs make"));
        }
        stale(folder, &format_args!("{went_on}, and `{name}` says something else now"))
    };
    for file in files_of(&made).iter().filter(|file| is_same_run || !OF_RUN.contains(&file.name.as_str())) {
        let found = ReportFile::of(folder, &file.name).ok();
        if found.as_ref() != Some(file) {
            return Err(other(&file.name, found.is_some_and(|found| was.contains(&found))));
        }
    }
    // What names the run cannot be made again once something went on; it must be what the folder itself lists.
    let listed = if is_same_run { Vec::new() } else { files_of(&looked_at) };
    for file in listed.iter().filter(|file| OF_RUN.contains(&file.name.as_str())) {
        if ReportFile::of(folder, &file.name).ok().as_ref() != Some(file) {
            return Err(not_whole(folder, &format_args!("`{}` is not what was written", file.name)));
        }
    }
    let figures = |summary: Value| if is_same_run { summary } else { without_run(summary) };
    if figures(looked_at) == figures(made) { Ok(()) } else { Err(other(SUMMARY, true)) }
}

/// Whether the report in `folder` was made with `journal`, which may have gone on since: signed with another one, it would be signed past
/// what people have agreed on in its own.
pub(super) fn check_journal(folder: &Path, journal: &Journal) -> Result<(), PeriodError> {
    let bytes = manifest::summary(folder).map_err(|error| not_whole(folder, &error))?;
    let summary: Value = serde_json::from_slice(&bytes).map_err(|error| not_whole(folder, &error))?;
    let Some(head) = summary.pointer("/discrepancies/journal_head").and_then(Value::as_str) else { return Ok(()) };
    if journal.records().iter().any(|record| JournalHead::of(record).to_string() == head) {
        return Ok(());
    }
    let shown = journal.path();
    Err(stale(folder, &format_args!("it was made with another journal than `{shown}`, or that has lost its end since")))
}

/// Whether the report in `folder` is whole and says who signed it: it is written once more when that is done, and a run may be killed
/// in between.
#[must_use]
pub fn is_finished(folder: &Path) -> bool {
    let signed = summary_of(folder).and_then(|summary| summary.pointer("/month/signed").cloned());
    signed.is_some_and(|signed| !signed.is_null()) && folder::whole(folder).is_ok()
}

/// Whether the report in `folder` says what was signed.
#[must_use]
pub fn is_what_was_signed(close: &PeriodClose, folder: &Path) -> bool {
    summary_of(folder).is_some_and(|summary| manifest::content(&files_of(&summary)) == close.content_sha256)
}

fn summary_of(folder: &Path) -> Option<Value> {
    serde_json::from_slice(&manifest::summary(folder).ok()?).ok()
}

/// The files that a summary lists.
fn files_of(summary: &Value) -> Vec<ReportFile> {
    summary.get("files").cloned().map(serde_json::from_value).transpose().ok().flatten().unwrap_or_default()
}

/// What tells one state of ledger and journal from another.
fn of_run(summary: &Value) -> [Option<&Value>; 4] {
    ["run_id", "ledger", "keys", "revocations_asked"].map(|key| summary.get(key))
}

/// A summary's figures without what only says which state of ledger and journal they are of.
fn without_run(mut summary: Value) -> Value {
    if let Some(all) = summary.as_object_mut() {
        for key in ["run_id", "ledger", "keys", "revocations_asked", "held", "files"] {
            all.remove(key);
        }
        if let Some(counts) = all.get_mut("discrepancies").and_then(Value::as_object_mut) {
            // What was cleared is no news once the journal has taken it in.
            counts.remove("journal_head");
            counts.remove("cleared");
        }
    }
    summary
}
