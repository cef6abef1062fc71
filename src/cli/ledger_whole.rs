//! The ledger as a whole: copies of it, whether it is whole, another seal. Belongs here: the order of steps and what is said. Must not be here: what
//! makes it whole (`ledger`).

use std::path::Path;

use serde_json::json;

use super::failure::Failure;
use super::head_file::{self, parse_head};
use super::output;
use super::setup::Setup;
use super::waiting::{runtime, wait};
use super::witness;
use crate::domain::calendar::format_utc_seconds;
use crate::exit::Exit;
use crate::ledger::codes as ledger_codes;
use crate::ledger::{LedgerError, Location, Seals, SenderLock, Store, VerifyReport};
use crate::report::atomic;
use crate::report::issue::head_text;
use crate::secret::{self, SecretSources};
use crate::serve::log::LogFolder;
use crate::witness::Record;

pub(super) fn backup(setup: &Setup, to: &Path) -> Result<Exit, Failure> {
    // In a folder, by the time: a job that runs each night names none.
    let named = || to.join(format!("ledger-{}", format_utc_seconds(setup.clock.now()).replace(':', "")));
    let is_folder = to.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder {
        atomic::make_folder(to)?;
    }
    let to = if is_folder || to.is_dir() { &named() } else { to };
    if to.exists() {
        return Err(Failure::usage(format!("`{}` exists already\nhint: a backup never overwrites; name a new file", to.display())));
    }
    runtime()?.block_on(Store::backup(&setup.ledger_location()?, to)).map_err(|error| backup_failed(error, to))?;
    output::outcome(setup.json, &json!({"backup": to}), format_args!("copied to {}", to.display()));
    // The bytes are kept whatever they are; who relies on them hears now.
    let copy = Location::File(to.to_path_buf());
    match Store::verify_copy(to, &setup.seals()?) {
        Err(LedgerError::TooOld { .. }) => {
            output::note("note: it is of an earlier version, so it is verified when it is migrated");
            Ok(Exit::Done)
        }
        verified => {
            let report = verified?;
            whole(&copy, &report)?;
            setup.figure_head(report.head);
            if !setup.json {
                output::done(format_args!("{} events of {} bills are whole; head {}", report.events, report.bills, head_text(report.head)));
            }
            Ok(Exit::Done)
        }
    }
}

/// Says what does not hold together.
fn whole(location: &Location, report: &VerifyReport) -> Result<(), Failure> {
    report.findings.iter().for_each(output::error);
    if report.is_sound() {
        return Ok(());
    }
    let (shown, count, code) = (location.name(), report.findings_count, ledger_codes::DAMAGED);
    let counted = format!("{} events of {} bills", report.events, report.bills);
    let message = format!("{counted} of the ledger `{shown}` do not hold together: {count} findings [{code}]\nhint: {}", code.remedy);
    Err(Failure::new(Exit::Damaged, message))
}

/// A copy that cannot be written says nothing against the ledger.
fn backup_failed(error: LedgerError, to: &Path) -> Failure {
    match error {
        LedgerError::Storage { path, reason } if Path::new(&path) == to => Failure::new(
            Exit::Disk,
            format!(
                "the backup `{path}` cannot be written: {reason}\n\
                 hint: name a new file in a folder that exists and may be written, with space for a whole copy; the ledger is as it was"
            ),
        ),
        error => error.into(),
    }
}

pub(super) fn verify(setup: &Setup, head: Option<&str>, head_file: Option<&Path>, record: Option<&Record>) -> Result<Exit, Failure> {
    let location = setup.ledger_location()?;
    let expected = match head_file {
        Some(path) => head_file::kept(path)?,
        None => head.map(parse_head).transpose()?,
    };
    let report = wait(Store::verify(&location, &setup.seals()?, expected.as_ref()))?;
    for note in &report.notes {
        output::note(format_args!("note: {note}"));
    }
    setup.figure(|figures| figures.rows("events", "verified", report.events, None));
    setup.figure(|figures| figures.rows("bills", "verified", report.bills, None));
    setup.figure(|figures| figures.rows("payments", "verified", report.payments, None));
    setup.figure(|figures| figures.rows("findings", "not_whole", report.findings_count, None));
    setup.figure_head(report.head);
    let compared = record.filter(|_| report.is_sound()).map(|record| witness::compared(setup, record)).transpose()?;
    if setup.json {
        output::result(json!({
            "is_sound": report.is_sound(), "events": report.events, "bills": report.bills, "payments": report.payments,
            "findings_count": report.findings_count, "findings": report.findings, "notes": report.notes, "ledger_head": head_text(report.head),
            "against_sandbox": compared.as_ref().map(witness::told),
        }));
    }
    whole(&location, &report)?;
    compared.as_ref().map_or(Ok(()), |compared| witness::agree(setup, compared))?;
    head_file.map_or(Ok(()), |path| head_file::keep(path, report.head))?;
    if !setup.json {
        output::done(format_args!("{} events of {} bills are whole; head {}", report.events, report.bills, head_text(report.head)));
    }
    Ok(Exit::Done)
}

/// Another ledger would be written over, or beside.
pub(super) fn restore(setup: &Setup, from: &Path) -> Result<Exit, Failure> {
    let location = setup.ledger_location()?;
    if matches!(&location, Location::File(path) if path.exists()) {
        return Err(Failure::usage(format!(
            "there is a ledger at `{}` already\nhint: only an empty place is filled; move that ledger away if it is not wanted",
            location.name()
        )));
    }
    let logs = Path::new(&setup.config.serve.log_dir);
    if LogFolder::is_served(logs) {
        // It would go on with what it has open, and answer from a ledger that is gone.
        let message = format!("`tagih serve` runs, and has the ledger of before open (it writes the logs in `{}`)", logs.display());
        return Err(Failure::new(Exit::Held, format!("{message}\nhint: stop it, restore, then start it again")));
    }
    let head = wait(Store::restore(&location, &setup.binding()?, from))?;
    setup.figure_head(head);
    setup.record_now()?;
    let (place, head) = (location.name(), head_text(head));
    let told = json!({"ledger": place, "ledger_head": head});
    output::outcome(setup.json, &told, format_args!("`{place}` holds all of `{}`; head {head}", from.display()));
    Ok(Exit::Done)
}

/// Whoever writes with the former key is refused afterwards.
pub(super) fn rekey(
    setup: &Setup,
    to: &Path,
    former: Option<&Path>,
    (head, head_file): (Option<&str>, Option<&Path>),
) -> Result<Exit, Failure> {
    let former = former.map_or(Ok(None), |file| secret::seal_key(&file.display().to_string(), SecretSources::default()))?;
    let former = former.as_ref().map_or(Seals::UNKEYED, Seals::keyed);
    let (binding, location) = (setup.binding()?, setup.ledger_location()?);
    if binding.seals == former {
        return Err(Failure::setting(
            "the ledger is to be sealed as it is already\nhint: set `ledger.seal_key_file` to the new key, and name the file of the former one with --former",
        ));
    }
    let _lock = match &location {
        Location::File(path) => Some(SenderLock::acquire(path, "ledger rekey", &setup.clock)?),
        Location::Server(_) => None,
    };
    let of_before = location.clone().sealed(&former);
    // Whoever put an older copy in its place would have it made sound.
    let known = match head_file {
        Some(path) => head_file::kept(path)?,
        None => head.map(parse_head).transpose()?,
    };
    let known = known.ok_or_else(|| Failure::usage("no head is known\nhint: give the last summary's `ledger_head` with `--head`"))?;
    whole(&location, &wait(Store::verify(&of_before, &former, Some(&known)))?)?;
    runtime()?.block_on(Store::backup(&of_before, to)).map_err(|error| backup_failed(error, to))?;
    let head = wait(Store::rekey(&of_before, &binding, &former, setup.clock.now()))?;
    head_file.map_or(Ok(()), |path| head_file::keep(path, head))?;
    setup.figure_head(head);
    let (sealed, head) = (binding.seals.in_words(), head_text(head));
    let told = json!({"sealed": sealed, "backup": to, "ledger_head": head});
    output::outcome(setup.json, &told, format_args!("sealed {sealed}; as it was it is kept at {}; head {head}", to.display()));
    Ok(Exit::Done)
}
