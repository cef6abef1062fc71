//! `tagih audit-kit`: a report's facts and our figures, with the rules as SQL, for who wants a second opinion.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::output;
use super::period::made_again;
use super::reconcile;
use super::setup::Setup;
use super::times::month;
use crate::exit::Exit;
use crate::jobs::period::{self, compare};
use crate::journal;
use crate::reconcile::codes::FOLDER_USED;
use crate::report::audit::{self, KitFacts};
use crate::report::folder_lock::HeldFolder;

/// What the kit is of, and where it goes.
#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) struct Arguments {
    /// The output folder of a `tagih reconcile`, with all that it was made from still there
    #[arg(long, value_name = "DIR", required_unless_present = "period", conflicts_with = "period")]
    report: Option<PathBuf>,
    /// A WIB month that is closed, or proposed to be: its report is the one the journal names
    #[arg(long, value_name = "2026-10")]
    period: Option<String>,
    /// Where to write the kit
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn audit_kit(setup: &Setup, arguments: &Arguments) -> Result<Exit, Failure> {
    let (report, out) = (report(setup, arguments)?, &arguments.out);
    if let Some(other) = audit::holds_other(out)? {
        return Err(Failure::usage(format!(
            "{}: `{}` is not empty and is no audit kit: `{}` stands in it\nhint: {}",
            FOLDER_USED.id,
            out.display(),
            other.display(),
            FOLDER_USED.remedy
        )));
    }
    // What is handed out is what the inputs make, not what somebody has written into the folder since.
    let again = made_again(setup, &report)?;
    compare(&report, again.path())?;
    let (told, settings) = reconcile::told(setup, &period::made_from(&report)?, again.path())?;
    let facts = KitFacts {
        inputs: &told.inputs,
        terms: &told.terms,
        files: &told.files,
        opened: &told.opened,
        decisions: &told.decisions,
        settings: &settings,
    };
    let _held = HeldFolder::take(out)?;
    let tables = audit::write(&report, &facts, out)?;
    let done = json!({"out": out.display().to_string(), "report": report.display().to_string(), "tables": tables});
    output::outcome(
        setup.json,
        &done,
        format_args!("audit kit in {}: {tables} tables; its README.md says how to run the rules", out.display()),
    );
    Ok(Exit::Done)
}

/// The report that is meant.
fn report(setup: &Setup, arguments: &Arguments) -> Result<PathBuf, Failure> {
    let Some(wanted) = &arguments.period else { return Ok(arguments.report.clone().unwrap_or_default()) };
    let (from, _) = month(wanted)?;
    let path = setup.existing_journal()?;
    let closed = journal::read(path)?.periods()?.into_iter().find(|period| period.close.closing.from == from);
    let closed = closed.map(|period| Path::new(&period.close.report).to_owned());
    closed
        .or(period::proposed_report(path, from)?)
        .ok_or_else(|| Failure::usage(format!("{wanted} is neither closed nor proposed\nhint: name its report instead: `--report DIR`")))
}
