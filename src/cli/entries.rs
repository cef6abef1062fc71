//! `tagih discrepancies entries`: what a month's books posted, for the accounting system.

use std::path::PathBuf;

use super::books::books_settings;
use super::discrepancies_args::{DiscrepanciesCommand, FormatArgument};
use super::failure::Failure;
use super::output::{self, rupiah};
use super::setup::Setup;
use super::times::month;
use crate::exit::Exit;
use crate::jobs::entries::{self, EntriesOptions, EntryFormat};
use crate::journal;

pub(super) fn entries(setup: &Setup, command: &DiscrepanciesCommand) -> Result<Exit, Failure> {
    let DiscrepanciesCommand::Entries { report, period, format, preliminary, again, out, by } = command else {
        return Err(Failure::usage("no entries are asked for"));
    };
    let report = match (report, period) {
        (Some(report), _) => report.clone(),
        (None, period) => closed_with(setup, period.as_deref().unwrap_or_default())?,
    };
    let written = entries::write(&EntriesOptions {
        journal: setup.journal_path(),
        report: &report,
        is_preliminary: *preliminary,
        again: *again,
        format: match format {
            FormatArgument::Csv => EntryFormat::Csv,
            FormatArgument::Hledger => EntryFormat::Hledger,
        },
        accounts: &setup.config.accounts,
        settings: &books_settings(&setup.config),
        out,
        author: setup.author(by.as_deref(), "entries exported")?,
        now: setup.clock.now(),
    })?;
    let (count, total, withheld) = (written.entries, written.total.get(), written.withheld);
    if setup.json {
        let (reversed, preliminary) = (written.reversed, *preliminary);
        output::result(serde_json::json!({
            "entries": count, "reversed": reversed, "total": total, "withheld": withheld, "preliminary": preliminary
        }));
        return Ok(Exit::Done);
    }
    let kind = if *preliminary { " preliminary" } else { "" };
    output::done(format_args!("{count}{kind} entries, debits = credits = {}, in {}", rupiah(total), out.display()));
    if written.reversed > 0 {
        output::note(format_args!("{} of them take back what was exported of this month before", written.reversed));
    }
    if count == 0 && !again && !preliminary {
        output::note("everything this month holds was exported before; `--again` writes it once more, under the same ids");
    }
    Ok(Exit::Done)
}

/// The folder that a month was closed with.
fn closed_with(setup: &Setup, period: &str) -> Result<PathBuf, Failure> {
    let (from, _) = month(period)?;
    let periods = journal::read(setup.existing_journal()?)?.periods()?;
    let closed = periods.into_iter().find(|closed| closed.close.closing.from == from);
    let report = closed.map(|closed| PathBuf::from(closed.close.report));
    report.ok_or_else(|| {
        Failure::usage(format!("E0815: {period} is not closed\nhint: close it first, or give `--report DIR --preliminary` for a look"))
    })
}
