//! `tagih period`: closing and reopening months, and what a reconciliation needs to know of closed ones.

use std::path::Path;

use jiff::civil::Date;

use super::args::PeriodCommand;
use super::output::{self, rupiah};
use super::reconcile::month;
use super::setup::{Failure, Setup};
use crate::domain::balance::Balance;
use crate::exit::Exit;
use crate::jobs::period::{self, CloseOptions, PeriodError};
use crate::jobs::reconcile::OpeningFolder;
use crate::journal::period::ClosedPeriod;
use crate::journal::{self, Author};

impl From<PeriodError> for Failure {
    fn from(error: PeriodError) -> Self {
        let exit = match error {
            PeriodError::Journal(error) => return error.into(),
            PeriodError::Report { .. } => Exit::Input,
            PeriodError::Identity { .. } => Exit::Damaged,
            PeriodError::Days { .. } | PeriodError::Order { .. } | PeriodError::Reviewer { .. } => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

pub(super) fn period(setup: &Setup, command: &PeriodCommand) -> Result<Exit, Failure> {
    match command {
        PeriodCommand::Close { period, report, by, reviewed_by, reason } => {
            let (from, to) = month(period)?;
            let closed = period::close(CloseOptions {
                journal: setup.journal_path(),
                from,
                to,
                report,
                author: author(setup, by.as_deref(), reason)?,
                reviewed_by: reviewed_by.clone(),
                four_eyes: setup.config.discrepancies.four_eyes,
                now: setup.clock.now(),
            })?;
            if setup.json {
                output::result(serde_json::to_string(&closed).map_err(|error| Failure::new(Exit::Disk, error))?);
            } else {
                output::result(format_args!("{period} is closed; hash of its balances {}", closed.closing_hash));
            }
        }
        PeriodCommand::Reopen { period, by, reason } => {
            let (from, _) = month(period)?;
            period::reopen(setup.existing_journal()?, from, &author(setup, by.as_deref(), reason)?, setup.clock.now())?;
            output::result(format_args!("{period} is open again"));
        }
        PeriodCommand::List => list(setup)?,
    }
    Ok(Exit::Done)
}

fn author(setup: &Setup, by: Option<&str>, reason: &str) -> Result<Author, Failure> {
    Ok(Author::new(&setup.actor(by)?, reason)?)
}

fn list(setup: &Setup) -> Result<(), Failure> {
    let closed = journal::read(setup.existing_journal()?)?.periods()?;
    if setup.json {
        let rows: Vec<_> = closed.iter().map(json).collect();
        output::result(serde_json::Value::from(rows));
        return Ok(());
    }
    for ClosedPeriod { close, at, by, reason } in &closed {
        let balance = |balance: Balance| format!("{} ({})", rupiah(balance.amount.get()), balance.count);
        output::result(format_args!("{} to {}  closed {at} by {by}: {reason}", close.closing.from, close.closing.to));
        if let Some(reviewer) = &close.reviewed_by {
            output::result(format_args!("  reviewed by {reviewer}"));
        }
        output::result(format_args!("  outstanding codes {}", balance(close.closing.outstanding_codes)));
        output::result(format_args!("  suspense {}", balance(close.closing.suspense)));
        if let Some(open) = close.closing.open_discrepancies {
            output::result(format_args!("  open discrepancies {}", balance(open)));
        }
        output::result(format_args!("  hash {}", close.closing_hash));
        output::result(format_args!("  report {} (run {})", close.report, close.run_id));
    }
    Ok(())
}

fn json(period: &ClosedPeriod) -> serde_json::Value {
    let ClosedPeriod { close, at, by, reason } = period;
    let close = serde_json::to_value(close).unwrap_or_default();
    serde_json::json!({"at": at.to_string(), "by": by, "reason": reason, "close": close})
}

/// Where the opening balances of a period from this day are: in `wanted`, or, for `auto`, in the report that was signed for the
/// days before.
pub(super) fn opening(setup: &Setup, from: Date, wanted: Option<&Path>) -> Result<Option<OpeningFolder>, Failure> {
    let Some(path) = wanted else { return Ok(None) };
    let closed = journal::read(setup.journal_path())?.periods()?;
    let before = closed.iter().find(|period| period.close.closing.to.tomorrow().ok() == Some(from));
    let signed_hash = before.map(|period| period.close.closing_hash.clone());
    if path != Path::new("auto") {
        return Ok(Some(OpeningFolder { path: path.to_owned(), signed_hash }));
    }
    match before {
        Some(period) => Ok(Some(OpeningFolder { path: period.close.report.clone().into(), signed_hash })),
        None if closed.is_empty() => {
            output::note("no period is closed yet: the opening balances follow from the bills");
            Ok(None)
        }
        None => Err(Failure::usage(format!(
            "the period before {from} is not closed\nhint: close it first, or name its folder: `--opening DIR`"
        ))),
    }
}
