//! `tagih purge --due`: removes what `[retention]` keeps no longer. Personal data of closed bills goes out of the ledger, whose chain says so;
//! logs go once their month is closed, because until then they are evidence.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::failure::Failure;
use super::output;
use super::runs::{self, State};
use super::setup::Setup;
use super::waiting::wait;
use crate::domain::calendar::wib_date;
use crate::domain::share::RateShare;
use crate::evidence::store::StoreWriter;
use crate::exit::Exit;
use crate::journal;
use crate::ledger::{Create, Ledger as _, Purged};
use crate::private;
use crate::report::issue::head_text;
use crate::serve::log;

#[derive(Debug, clap::Args)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) struct Arguments {
    /// Whatever is older than `[retention]` says
    #[arg(long, required = true)]
    pub(super) due: bool,
    /// Only say what would be removed
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What was removed, or would be, of each kind that is not kept for ever.
#[derive(Debug, Serialize)]
struct Removed {
    dry_run: bool,
    personal_data: Option<Personal>,
    logs: Option<Files>,
    evidence: Option<Files>,
    runs: Option<Files>,
}

#[derive(Debug, Serialize)]
struct Personal {
    before: Timestamp,
    customers: u64,
    bodies: u64,
    /// The chain's end after the purge, which is an event of it.
    ledger_head: Option<String>,
}

#[derive(Debug, Serialize)]
struct Files {
    before: Date,
    #[serde(rename = "files")]
    paths: Vec<PathBuf>,
    bytes: u64,
    /// Old enough, and evidence of a month that is not closed.
    kept_as_evidence: u64,
}

pub(super) fn purge(setup: &Setup, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = &setup.config.retention;
    if [settings.personal_days, settings.logs_days, settings.evidence_days, settings.runs_days].iter().all(|days| *days == 0) {
        return Err(Failure::setting(
            "`[retention]` keeps everything, so nothing is ever due\nhint: set `retention.personal_days`, `retention.logs_days`, \
             `retention.evidence_days` or `retention.runs_days`",
        ));
    }
    let dry_run = arguments.dry_run;
    let now = setup.clock.now();
    let before = |days: u32| {
        let age = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
        if days == 0 { None } else { now.checked_sub(age).ok() }
    };
    let removed = Removed {
        dry_run,
        personal_data: before(settings.personal_days).map(|before| personal(setup, before, dry_run)).transpose()?.flatten(),
        logs: before(settings.logs_days).map(|before| logs(setup, wib_date(before), dry_run)).transpose()?,
        evidence: before(settings.evidence_days).map(|before| evidence(setup, wib_date(before), dry_run)).transpose()?.flatten(),
        runs: before(settings.runs_days).map(|before| old_runs(setup, before, dry_run)).transpose()?,
    };
    tell(setup, &removed);
    Ok(Exit::Done)
}

/// Nothing is recorded where there is nothing to purge: the chain tells of what happened.
fn personal(setup: &Setup, before: Timestamp, dry_run: bool) -> Result<Option<Personal>, Failure> {
    let Some(ledger) = setup.existing_ledger()? else { return Ok(None) };
    let due = wait(ledger.purgeable(before))?;
    let mut told = Personal { before, customers: due.customers, bodies: due.bodies, ledger_head: None };
    if dry_run || due == Purged::default() {
        return Ok(Some(told));
    }
    drop(ledger);
    let (_lock, ledger) = setup.open_ledger_to_send(&setup.binding()?, Create::Never, "purge", RateShare::NONE)?;
    let purged = wait(ledger.purge_personal(before, setup.clock.now()))?;
    (told.customers, told.bodies) = (purged.customers, purged.bodies);
    told.ledger_head = Some(head_text(wait(ledger.head())?));
    Ok(Some(told))
}

/// Logs of days before `before`, as far as their months are closed.
fn logs(setup: &Setup, before: Date, dry_run: bool) -> Result<Files, Failure> {
    let folder = Path::new(&setup.config.serve.log_dir);
    let closed_to = journal::read(setup.journal_path())?.periods()?.last().map(|period| period.close.closing.to);
    let mut found = Files { before, paths: Vec::new(), bytes: 0, kept_as_evidence: 0 };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let day = entry.file_name().to_str().and_then(log::day_of).filter(|day| *day < before);
        let Some(day) = day.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) else { continue };
        if closed_to.is_some_and(|closed_to| day <= closed_to) {
            found.bytes = found.bytes.saturating_add(entry.metadata()?.len());
            found.paths.push(entry.path());
        } else {
            found.kept_as_evidence = found.kept_as_evidence.saturating_add(1);
        }
    }
    found.remove(dry_run)
}

/// Messages in the evidence store of days before `before`, as far as their months are closed.
fn evidence(setup: &Setup, before: Date, dry_run: bool) -> Result<Option<Files>, Failure> {
    let folder = Path::new(&setup.config.evidence.store);
    if folder.as_os_str().is_empty() || !folder.exists() {
        return Ok(None);
    }
    let closed_to = journal::read(setup.journal_path())?.periods()?.last().map(|period| period.close.closing.to);
    let closed_before = closed_to.and_then(|day| day.tomorrow().ok()).unwrap_or(Date::MIN);
    let mut writer = StoreWriter::open(&setup.evidence_at(folder)?)?;
    let due = writer.due(before.min(closed_before));
    let kept_as_evidence = writer.due(before).len().saturating_sub(due.len());
    if !dry_run && !due.is_empty() {
        writer.remove_before(before.min(closed_before), setup.clock.now())?;
    }
    let bytes = due.iter().map(|(_, bytes)| bytes).sum();
    let mut paths: Vec<PathBuf> = due.into_iter().map(|(path, _)| path).collect();
    paths.sort();
    Ok(Some(Files { before, paths, bytes, kept_as_evidence: u64::try_from(kept_as_evidence).unwrap_or(u64::MAX) }))
}

/// Records of runs that began before `before` and do not go on.
fn old_runs(setup: &Setup, before: Timestamp, dry_run: bool) -> Result<Files, Failure> {
    let folder = setup.runs_folder();
    let (runs, _) = runs::read(&folder)?;
    let old = runs.iter().filter(|(run, state)| run.started_at < before && *state != State::Running);
    let paths: Vec<PathBuf> = old.map(|(run, _)| runs::file_of(&folder, &run.id)).collect();
    let bytes = paths.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    Files { before: wib_date(before), paths, bytes, kept_as_evidence: 0 }.remove(dry_run)
}

impl Files {
    fn remove(mut self, dry_run: bool) -> Result<Self, Failure> {
        self.paths.sort();
        for file in self.paths.iter().filter(|_| !dry_run) {
            private::remove(file).map_err(|error| Failure::disk(file, "removed", &error))?;
            tracing::info!(file = %file.display(), "a file was removed, as it was due");
        }
        Ok(self)
    }
}

fn tell(setup: &Setup, removed: &Removed) {
    if setup.json {
        return output::result(serde_json::to_string(removed).unwrap_or_default());
    }
    let done = if removed.dry_run { "would be removed" } else { "removed" };
    if let Some(Personal { before, customers, bodies, ledger_head }) = &removed.personal_data {
        let head = ledger_head.as_ref().map_or_else(String::new, |head| format!("; the purge is event {head}"));
        output::done(format_args!(
            "personal data of bills closed before {}: {customers} customers and {bodies} request bodies {done}{head}",
            wib_date(*before)
        ));
    }
    let kinds = [("logs of days", &removed.logs), ("evidence of days", &removed.evidence), ("records of runs", &removed.runs)];
    for (what, files) in kinds {
        let Some(Files { before, paths, bytes, kept_as_evidence }) = files else { continue };
        output::done(format_args!("{what} before {before}: {} files ({bytes} bytes) {done}", paths.len()));
        if *kept_as_evidence > 0 {
            output::done(format_args!("  {kept_as_evidence} more are kept: their month is not closed, so they are evidence"));
        }
    }
    if removed.personal_data.as_ref().is_some_and(|personal| personal.ledger_head.is_some()) {
        output::note("backups and results of before still have it; what stays in the ledger, and why: docs/security.md");
    }
}
