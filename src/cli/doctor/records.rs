//! The ledger, its lock and the logs, as they are found.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::failure::absolute;
use crate::cli::head_file::parse_head;
use crate::cli::setup::Setup;
use crate::cli::waiting::wait;
use crate::exit::Exit;
use crate::jobs::doctor::{LedgerState, LockState, LogState, RecordsState};
use crate::ledger::{Ledger as _, Store, full};
use crate::report::issue::head_text;

/// `head` is what it is held against; `quick` opens it and no more.
pub(super) fn of(setup: &Setup, quick: bool, head: Option<&str>) -> Result<RecordsState, Failure> {
    Ok(RecordsState { ledger: ledger(setup, quick, head)?, lock: lock(setup), log: log(setup) })
}

fn ledger(setup: &Setup, quick: bool, head: Option<&str>) -> Result<LedgerState, Failure> {
    let expected = head.map(parse_head).transpose()?;
    let looked = setup.ledger_location().and_then(|location| {
        let Some(store) = setup.existing_ledger()? else { return Ok(LedgerState::Missing(full(&location.name()))) };
        let seals = setup.seals()?;
        let sealed = |head| format!("{}; sealed {}", head_text(head), seals.in_words());
        if quick {
            return Ok(LedgerState::Opened { head: sealed(wait(store.head())?) });
        }
        let report = wait(Store::verify(&location, &seals, expected.as_ref()))?;
        Ok(LedgerState::Verified {
            head: sealed(report.head),
            first: report.findings.first().cloned(),
            findings_count: report.findings_count,
            bills: report.bills,
            against_head: expected.is_some(),
        })
    });
    Ok(looked.unwrap_or_else(|failure| LedgerState::Refused { is_damaged: failure.exit == Exit::Damaged, reason: failure.message }))
}

fn lock(setup: &Setup) -> LockState {
    let holders = setup.ledger_location().and_then(|location| Ok(Store::senders(&location)?));
    match holders.map(|holders| holders.join("; ")) {
        Ok(holder) if holder.is_empty() => LockState::Free,
        Ok(holder) => {
            let since = holder.rsplit_once("since ").and_then(|(_, since)| since.parse::<jiff::Timestamp>().ok());
            let seconds = since.map(|since| setup.clock.now().as_second().saturating_sub(since.as_second()));
            LockState::Held { holder, seconds }
        }
        Err(failure) => LockState::Unusable(failure.message),
    }
}

/// By the time the newest file of notifications was written to.
fn log(setup: &Setup) -> LogState {
    let folder = Path::new(&setup.config.serve.log_dir);
    let none = || LogState::None(absolute(folder).display().to_string());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return none(),
        Err(error) => return LogState::Unreadable(error.to_string()),
    };
    let logs = entries.filter_map(Result::ok).filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| name.starts_with("notifications-"))?;
        let written_at = jiff::Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok()?;
        Some((written_at, name))
    });
    let now = setup.clock.now().as_second();
    logs.max().map_or_else(none, |(at, name)| LogState::Last { name, age_seconds: now.saturating_sub(at.as_second()).max(0) })
}
