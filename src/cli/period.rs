//! `tagih period`: closing and reopening months, and what is closed.

use std::path::Path;

use serde_json::json;

use super::failure::Failure;
use super::head_file::parse_head;
use super::output::{self, rupiah};
use super::period_args::PeriodCommand;
use super::reconcile;
use super::setup::Setup;
use super::times::month;
use super::waiting::wait;
use crate::domain::balance::Balance;
use crate::domain::closing::Closing;
use crate::domain::language::{Language, Say as _};
use crate::exit::Exit;
use crate::jobs::period::{self, Approval, CloseOptions, Signing};
use crate::journal;
use crate::journal::period::{ClosedPeriod, PeriodClose};
use crate::journal::{JournalEntry, Record};
use crate::ledger::{Store, codes};
use crate::report::manifest;
use crate::temporary;

pub(super) fn period(setup: &Setup, command: &PeriodCommand) -> Result<Exit, Failure> {
    match command {
        PeriodCommand::Close { period, report, by, reviewed_by, accept, reason } => {
            alone(setup, period, (by.as_deref(), reason), "")?;
            let closed = if let Some(closed) = finished(setup, period, Some(report))? {
                closed
            } else {
                let signing = Signing::Closes { reviewed_by: reviewed_by.clone() };
                sign(setup, (period, report), (by.as_deref(), reason), signing, accept)?
            };
            write_anew(setup, report)?;
            told(setup, period, &closed, "is closed")?;
        }
        PeriodCommand::Propose { period, report, reopen, accept, by, reason } => {
            let (from, _) = month(period)?;
            match report {
                Some(report) if !reopen => {
                    let proposed = sign(setup, (period, report), (by.as_deref(), reason), Signing::Proposes, accept)?;
                    told(setup, period, &proposed, "waits to be approved by another person")?;
                    tell_proposal(setup, period)?;
                }
                _ => {
                    period::reopen(setup.existing_journal()?, from, &setup.author(by.as_deref(), reason)?, true, setup.clock.now())?;
                    let told = json!({"period": period, "reopened": false, "waits_for_approval": true});
                    let text = format_args!("that {period} be opened again waits to be approved by another person");
                    output::outcome(setup.json, &told, text);
                    tell_proposal(setup, period)?;
                }
            }
        }
        PeriodCommand::Approve { period, proposal, by, reason } => {
            let (from, _) = month(period)?;
            let author = setup.author(by.as_deref(), reason)?;
            let journal = setup.existing_journal()?;
            let proposed = period::proposed_report(journal, from)?;
            if let Some(closed) = proposed.is_none().then(|| finished(setup, period, None)).transpose()?.flatten() {
                write_anew(setup, Path::new(&closed.report))?;
                return told(setup, period, &closed, "is closed").map(|()| Exit::Done);
            }
            let again = proposed.map(|report| made_again(setup, &report)).transpose()?;
            let again = again.as_ref().map(temporary::TemporaryFolder::path);
            match period::approve(journal, (from, proposal), &author, again, setup.clock.now())? {
                Approval::Closed(closed) => {
                    write_anew(setup, Path::new(&closed.report))?;
                    told(setup, period, &closed, "is closed")?;
                }
                Approval::Reopened => reopened(setup, period),
            }
        }
        PeriodCommand::Reopen { period, by, reason } => {
            let (from, _) = month(period)?;
            alone(setup, period, (by.as_deref(), reason), " --reopen")?;
            period::reopen(setup.existing_journal()?, from, &setup.author(by.as_deref(), reason)?, false, setup.clock.now())?;
            reopened(setup, period);
        }
        PeriodCommand::List => list(setup)?,
    }
    Ok(Exit::Done)
}

/// That one person may decide alone.
fn alone(setup: &Setup, period: &str, (by, reason): (Option<&str>, &str), what: &str) -> Result<(), Failure> {
    if setup.four_eyes(&setup.author(by, reason)?)? {
        return Err(Failure::usage(format!(
            "E0855: a second person must agree: `discrepancies.four_eyes` is on\nhint: `tagih period propose {period}{what} …`, then another person `tagih period approve {period} …`"
        )));
    }
    Ok(())
}

fn reopened(setup: &Setup, period: &str) {
    output::outcome(setup.json, &json!({"period": period, "reopened": true}), format_args!("{period} is open again"));
}

/// Signs a month, or proposes it where a second person must approve.
fn sign(
    setup: &Setup,
    (period, report): (&str, &Path),
    (by, reason): (Option<&str>, &str),
    signing: Signing,
    accept: &[String],
) -> Result<PeriodClose, Failure> {
    let (from, to) = month(period)?;
    let author = setup.author(by, reason)?;
    let again = made_again(setup, report)?;
    Ok(period::close(CloseOptions {
        journal: setup.journal_path(),
        from,
        to,
        report,
        again: again.path(),
        author,
        signing,
        accept,
        now: setup.clock.now(),
    })?)
}

/// The close of a month that is signed and whose report does not say so yet, because a run was killed or its disk was full in between,
/// if what the report is made from still makes what was signed.
fn finished(setup: &Setup, period: &str, report: Option<&Path>) -> Result<Option<PeriodClose>, Failure> {
    let (from, _) = month(period)?;
    let closed = journal::read(setup.journal_path())?.periods()?;
    let Some(ClosedPeriod { close, .. }) = closed.into_iter().find(|closed| closed.close.closing.from == from) else { return Ok(None) };
    let folder = Path::new(&close.report);
    let is_other = report.is_some_and(|report| report.canonicalize().ok().as_deref() != Some(folder));
    if is_other || period::is_finished(folder) {
        return Ok(None);
    }
    match made_again(setup, folder) {
        Ok(again) => Ok(period::is_what_was_signed(&close, again.path()).then_some(close)),
        Err(failure) if failure.exit == Exit::Disk => Err(failure),
        // Whatever it is, it is told where a report is to be signed.
        Err(_) => Ok(None),
    }
}

/// The report of a folder, made again beside it from what it says it was made from.
pub(super) fn made_again(setup: &Setup, report: &Path) -> Result<temporary::TemporaryFolder, Failure> {
    let made = period::made_from(report)?;
    if let Some(head) = &made.ledger_head {
        hold(setup, head)?;
    }
    let beside = report.canonicalize()?;
    let again = temporary::TemporaryFolder::new(beside.parent().unwrap_or(&beside))?;
    reconcile::again(setup, &made, again.path())?;
    Ok(again)
}

/// What is signed rests on the whole of our ledger: it must be what was recorded, and go on from what the report was made from.
fn hold(setup: &Setup, head: &str) -> Result<(), Failure> {
    let location = setup.ledger_location()?;
    let report = wait(Store::verify(&location, &setup.seals()?, Some(&parse_head(head)?)))?;
    report.findings.iter().for_each(output::error);
    if report.is_sound() {
        return Ok(());
    }
    let (shown, count) = (location.name(), report.findings_count);
    let message = format!("the ledger `{shown}` does not hold together, so nothing is signed: {count} findings [{}]", codes::DAMAGED);
    Err(Failure::new(Exit::Damaged, format!("{message}\nhint: {}", codes::DAMAGED.remedy)))
}

/// Writes a signed report once more, now that it can say who signed it.
fn write_anew(setup: &Setup, report: &Path) -> Result<(), Failure> {
    reconcile::again(setup, &period::made_from(report)?, report)?;
    setup.run_wrote(&manifest::summary(report)?);
    Ok(())
}

fn told(setup: &Setup, period: &str, closed: &PeriodClose, words: &str) -> Result<(), Failure> {
    if setup.json {
        output::result(serde_json::to_string(closed).map_err(|error| Failure::new(Exit::Disk, error))?);
    } else {
        output::done(format_args!("{period} {words}; hash of its balances {}", closed.closing_hash));
    }
    Ok(())
}

/// How the second person says that they agree to this proposal and no other.
fn tell_proposal(setup: &Setup, period: &str) -> Result<(), Failure> {
    if let Some(proposal) = journal::read(setup.existing_journal()?)?.proposed().filter(|_| !setup.json) {
        output::done(format_args!("  tagih period approve {period} --proposal {} --reason …", proposal.proposal_id()));
    }
    Ok(())
}

fn list(setup: &Setup) -> Result<(), Failure> {
    let journal = journal::read(setup.existing_journal()?)?;
    let (closed, proposed) = (journal.periods()?, journal.proposed());
    if setup.json {
        let rows = closed.iter().map(json).chain(proposed.map(json_of_proposal));
        output::result(rows.collect::<serde_json::Value>());
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
            output::result(format_args!("  to be dealt with {}", balance(open)));
        }
        for caveat in &close.accepted {
            output::result(format_args!("  signed although {}", caveat.told(Language::English)));
        }
        output::result(format_args!("  hash {}", close.closing_hash));
        output::result(format_args!("  report {} (run {})", close.report, close.run_id));
    }
    if let Some(Record { actor, at, reason, entry, .. }) = proposed {
        let what = match entry {
            JournalEntry::PeriodProposed { period } => {
                let Closing { from, to, .. } = period.closing;
                let although = period.accepted.iter().map(|caveat| format!(", although {}", caveat.told(Language::English)));
                let although = although.collect::<String>();
                format!(
                    "{from} to {to} be closed, report {} (run {}), hash {}{although}",
                    period.report, period.run_id, period.closing_hash
                )
            }
            JournalEntry::ReopenProposed { from } => format!("the month from {from} be opened again"),
            _ => String::new(),
        };
        let proposal = proposed.map(Record::proposal_id).unwrap_or_default();
        output::result(format_args!("proposal {proposal} waits for another person: {actor} proposed {at} that {what}: {reason}"));
    }
    Ok(())
}

fn json_of_proposal(record: &Record) -> serde_json::Value {
    let Record { at, actor, reason, entry, .. } = record;
    serde_json::json!({"at": at.to_string(), "by": actor, "reason": reason, "proposal": record.proposal_id(), "proposed": entry})
}

fn json(period: &ClosedPeriod) -> serde_json::Value {
    let ClosedPeriod { close, at, by, reason } = period;
    let close = serde_json::to_value(close).unwrap_or_default();
    serde_json::json!({"at": at.to_string(), "by": by, "reason": reason, "close": close})
}
