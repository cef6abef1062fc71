//! Which files a command reads, `tagih ingest`, and what is said of logs that could not be read.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::failure::Failure;
use super::matching::policy;
use super::output;
use super::runs::Input;
use super::sending::figure_doubts;
use super::setup::Setup;
use super::tables::TableFlags;
use super::waiting::{runtime, wait};
use crate::doku::keyring::Keyring;
use crate::domain::classify::Nature;
use crate::domain::digest;
use crate::domain::line::InputFile;
use crate::evidence::{self, EvidenceSources, StoreAt};
use crate::exit::Exit;
use crate::jobs::ingest::{self, IngestOptions, IngestReport};
use crate::ledger::{Create, Ledger as _, LedgerView as _, Store};
use crate::reconcile::codes;
use crate::table::TableSettings;

/// Every file the patterns name, sorted, each once. A pattern that names none is an error, not an empty month.
pub(super) fn expand(patterns: &[String]) -> Result<Vec<PathBuf>, Failure> {
    Ok(evidence::expand(patterns)?)
}

/// The same for logs that need not be there.
pub(super) fn logs(patterns: &[String], allow_none: bool) -> Result<Vec<PathBuf>, Failure> {
    if !allow_none {
        return expand(patterns);
    }
    let mut present = Vec::new();
    for pattern in patterns {
        if evidence::matching(pattern)?.is_empty() {
            output::note(format_args!("no file matches `{pattern}`; going on without, as `--allow-no-logs` says"));
        } else {
            present.push(pattern.clone());
        }
    }
    expand(&present)
}

pub(super) fn ingest(
    setup: &Setup,
    patterns: &[String],
    store: Option<&Path>,
    layout: Option<&String>,
    allow_none: bool,
) -> Result<Exit, Failure> {
    let tables = setup.tables(&TableFlags { layout: layout.cloned(), ..TableFlags::default() })?;
    let store = store.map(|store| setup.evidence_at(store)).transpose()?;
    let logs = logs(patterns, allow_none)?;
    // Outside production the first `issue` makes the ledger: until then there is nothing that could have been paid.
    let is_empty = |log: &PathBuf| log.metadata().is_ok_and(|found| found.len() == 0);
    if allow_none && store.is_none() && logs.iter().all(is_empty) && !setup.is_production() && setup.existing_ledger()?.is_none() {
        let told = json!({"lines": 0, "new": 0, "known": 0, "settled": 0, "held": 0, "blank": 0, "fields_left_out": 0});
        output::outcome(setup.json, &told, "there is no ledger yet, and nothing in a log");
        return Ok(Exit::Done);
    }
    ingest_all(setup, EvidenceSources { logs: &logs, store: store.as_ref() }, tables, &setup.verification_keys()?)
}

/// The same of these files.
pub(super) fn ingest_files(setup: &Setup, logs: &[PathBuf], tables: TableSettings, keys: &Keyring) -> Result<Exit, Failure> {
    ingest_all(setup, EvidenceSources { logs, store: None }, tables, keys)
}

/// Applies the logs to the ledger and prints what was new.
fn ingest_all(setup: &Setup, sources: EvidenceSources<'_>, tables: TableSettings, keys: &Keyring) -> Result<Exit, Failure> {
    let ledger = setup.open_ledger(&setup.binding()?, Create::Never)?;
    let runtime = runtime()?;
    let options = IngestOptions {
        logs: sources.logs.to_vec(),
        evidence: sources.store.cloned(),
        keys: keys.clone(),
        client_id: setup.binding()?.client_id,
        policy: policy(setup)?,
        tables,
        now: setup.clock.now(),
    };
    let report = runtime.block_on(ingest::ingest(&ledger, &options))?;
    warn_of_none(options.evidence.as_ref(), &report.files);
    let blank = report.files.iter().map(|file| file.contents.blank).fold(0, u64::saturating_add);
    setup.run_reads(report.files.iter().map(read));
    figures(setup, &ledger, &report)?;
    if setup.json {
        output::result(json!({
            "lines": report.lines, "new": report.new, "known": report.known, "settled": report.settled, "held": report.held,
            "blank": blank, "fields_left_out": report.left_out.map_or(0, |(count, _)| count),
        }));
    } else {
        let (lines, new, known) = (report.lines, report.new, report.known);
        output::done(format_args!("{lines} lines: {new} new payments, {known} known, {} doubts settled", report.settled));
    }
    if report.held > 0 {
        output::note(format_args!(
            "warning: {} bills are held: they were told of money that could not be understood\nhint: `tagih status` says which and why",
            report.held
        ));
    }
    if let Some((count, field)) = report.left_out {
        output::note(format_args!(
            "{count} notifications have an optional field of another type than DOKU documents (such as `{field}`); it was left out"
        ));
    }
    // Said, but no failure: a forger must not be able to stop the nightly run that waits for this command.
    for (class, tally) in report.by_class.iter().filter(|(class, _)| class.info().nature == Nature::Break) {
        output::note(format_args!("warning: {} lines {class}, {}; `tagih reconcile` says which", tally.count, class.info().code.title));
    }
    whole(setup, &report.files)?;
    Ok(Exit::Done)
}

/// Says so where a store has told of nothing: it may be one that has only just been made.
pub(super) fn warn_of_none(store: Option<&StoreAt>, files: &[InputFile]) {
    if let Some(store) = store.filter(|_| files.is_empty()) {
        output::note(format_args!(
            "warning: the evidence store `{}` has no log; a period without evidence looks like a period without payments",
            store.path.display()
        ));
    }
}

/// A log for the run's record.
pub(super) fn read(file: &InputFile) -> Input {
    Input { path: file.path.display().to_string(), sha256: digest::hex(&file.digest), bytes: file.bytes }
}

/// What the run came to, for its metrics.
fn figures(setup: &Setup, ledger: &Store, report: &IngestReport) -> Result<(), Failure> {
    let payments = [("new", report.new), ("known", report.known), ("unusable", report.unusable)];
    for (bucket, count) in payments {
        setup.figure(|figures| figures.rows("payments", bucket, count, None));
    }
    for (class, tally) in &report.by_class {
        setup.figure(|figures| figures.rows("lines", &class.to_string(), tally.count, Some(tally.rupiah.get())));
    }
    setup.figure(|figures| figures.rows("bills", "held", report.held, None));
    setup.figure(|figures| figures.rows("operations", "settled", report.settled, None));
    let view = wait(ledger.view())?;
    setup.figure_head(wait(view.head())?);
    figure_doubts(setup, &view)
}

/// What is done with a log that is none, unless it is for the store.
pub(super) const USED: &str = "what could be read was used, but payments may be missing";

/// Logs that are no logs must not pass for a quiet night or month, whatever stands beside them. What could be read is used all the
/// same.
pub(super) fn whole(setup: &Setup, files: &[InputFile]) -> Result<(), Failure> {
    let broken = faults(setup, files, USED);
    if broken.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Input, broken.join("\n"))) }
}

/// What is to be said of each log that is none, and what was done with it.
pub(super) fn faults(setup: &Setup, files: &[InputFile], done: &str) -> Vec<String> {
    let percent_max = setup.config.reconcile.malformed_lines_max_percent;
    files.iter().filter(|file| !file.contents.is_whole(percent_max)).map(|file| fault(file, percent_max, done)).collect()
}

fn fault(file: &InputFile, percent_max: u64, done: &str) -> String {
    let (code, contents) = (codes::MALFORMED, &file.contents);
    if contents.is_rewritten() {
        return format!(
            "{}: none of {} messages of the table `{}` is as DOKU signed it: {} of them are written with spaces, as a database writes \
             what it keeps as JSON (jsonb); {done}\nhint: keep and export the body as text, byte for byte as it was \
             received",
            code.id,
            contents.messages,
            file.path.display(),
            contents.rewritten
        );
    }
    let file_name = file.path.display();
    let seems = match &contents.oddity {
        Some(oddity) if file.remark.is_empty() => format!("the file seems to be {}", oddity.what),
        Some(oddity) => format!("the file seems to be {} and {}", oddity.what, file.remark),
        None => contents.fault.map_or_else(|| "no reason is known".to_owned(), |fault| format!("most often because {fault}")),
    };
    let found = if contents.is_readable(percent_max) {
        format!("`{file_name}` is no notification log")
    } else {
        let (malformed, messages) = (contents.malformed, contents.messages);
        format!(
            "{malformed} of {messages} evidence lines of `{file_name}` are malformed (N01), more than the {percent_max} % of \
             `reconcile.malformed_lines_max_percent`"
        )
    };
    let hint = contents.oddity.as_ref().map_or(code.remedy, |oddity| &oddity.remedy);
    format!("{}: {found}; {seems}; {done}\nhint: {hint}", code.id)
}
