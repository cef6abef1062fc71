//! The commands that send bills: issue, cancel. With sync they share lock, ledger, gateway, pacing and how they stop.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::args::{Cancel, Issue, Sending};
use super::output::{self, Progress, rupiah};
use super::sender::{Flags, Sender, deadline, settings};
use super::setup::{Failure, Setup};
use crate::domain::bill::{Bill, Wanted};
use crate::domain::end::{Bucket, Counts};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, OperationKind};
use crate::domain::plan::{self, Step};
use crate::exit::Exit;
use crate::intake::{self, Intake, Place, Purpose, Sourced};
use crate::jobs::issue::{steps, with_codes};
use crate::jobs::stop::StopReason;
use crate::ledger::{Ledger, LedgerError, SqliteLedger};
use crate::report::atomic;
use crate::report::issue::IssueReport;

pub(super) fn issue(setup: &Setup, arguments: &Issue) -> Result<Exit, Failure> {
    let intake = intake::read(&arguments.files, &setup.intake(arguments.cycle.cycle.as_ref(), &arguments.tables)?)?;
    notes(setup, &intake);
    super::check::usable(&intake)?;
    let flags = Flags {
        command: "issue",
        new_ledger: arguments.new_ledger,
        reissue_expired: arguments.reissue_expired,
        retry_rejected: arguments.retry_rejected,
    };
    if arguments.dry_run {
        return dry_run(setup, &intake, &flags);
    }
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("tagih-out"));
    send(setup, &intake, &flags, &arguments.sending, setup.secret(), &out)
}

pub(super) fn cancel(setup: &Setup, arguments: &Cancel) -> Result<Exit, Failure> {
    let intake = match arguments.what.as_slice() {
        [one] if Path::new(one).is_file() => {
            let options = intake::Options { purpose: Purpose::CancelAll, ..setup.intake(arguments.cycle.cycle.as_ref(), &arguments.tables)? };
            intake::read(&[PathBuf::from(one)], &options)?
        }
        invoices => named(invoices)?,
    };
    notes(setup, &intake);
    super::check::usable(&intake)?;
    let flags = Flags { command: "cancel", new_ledger: false, reissue_expired: false, retry_rejected: false };
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("tagih-out"));
    send(setup, &intake, &flags, &arguments.sending, setup.secret(), &out)
}

/// Invoice numbers given as arguments, as if they were the rows of a file.
fn named(invoices: &[String]) -> Result<Intake, Failure> {
    let mut valid: Vec<Sourced<Bill>> = Vec::new();
    for (text, row) in invoices.iter().zip(1_u64..) {
        if Path::new(text).is_file() {
            return Err(Failure::usage(format!(
                "`{text}` is a file, and others stand beside it\nhint: give one file, or invoice numbers only"
            )));
        }
        let invoice_number = InvoiceNumber::new(text)
            .map_err(|error| Failure::usage(format!("`{text}` is neither a file nor an invoice number: {error}")))?;
        let place = Place { file: Path::new("(arguments)").into(), file_order: 0, row, line: row };
        if valid.iter().all(|earlier| earlier.item.invoice_number != invoice_number) {
            valid.push(Sourced { place, item: Bill { invoice_number, wanted: Wanted::Cancelled } });
        }
    }
    let rows = u64::try_from(valid.len()).unwrap_or(u64::MAX);
    Ok(Intake { valid, refused: Vec::new(), refused_row_count: 0, duplicates: Vec::new(), rows, malformed: 0, notes: Vec::new() })
}

fn notes(setup: &Setup, intake: &Intake) {
    if !setup.quiet {
        for note in &intake.notes {
            output::note(format_args!("note: {}: {}", note.file.display(), note.text));
        }
    }
}

fn bills(intake: &Intake) -> Vec<Bill> {
    intake.valid.iter().map(|row| row.item.clone()).collect()
}

/// What a run would do first, row by row. Reads the ledger and writes nothing.
fn planned(setup: &Setup, flags: &Flags, bills: &[Bill]) -> Result<Vec<Step>, Failure> {
    let (settings, minting) = (settings(setup, flags)?, setup.minting()?);
    if setup.ledger_path().exists() {
        let ledger = SqliteLedger::open_read_only(setup.ledger_path(), &setup.binding()?)?;
        let bills = with_codes(bills, &ledger, minting.as_ref())?;
        Ok(steps(&bills, &ledger, setup.clock.now(), &settings.rules)?)
    } else if setup.is_production() && !flags.new_ledger {
        // The run itself would end so; its plan must not look as if everything were new.
        Err(LedgerError::Missing { path: setup.config.ledger.path.clone() }.into())
    } else {
        let nothing = HashMap::new();
        let view = plan::MapView::new(&nothing, HashSet::new());
        let salt = crate::domain::bill::Salt::new([0; 16]);
        let bills = plan::with_codes(bills, &view, &[], minting.as_ref());
        Ok(bills.iter().map(|bill| plan::step(bill, &view, &salt, setup.clock.now(), &settings.rules)).collect())
    }
}

/// Prints the plan: counts, rupiah, calls, time at the rate. Makes no network call and writes nothing.
fn dry_run(setup: &Setup, intake: &Intake, flags: &Flags) -> Result<Exit, Failure> {
    let bills = bills(intake);
    let steps = planned(setup, flags, &bills)?;
    let mut table: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
    let mut calls = 0_u64;
    for (bill, step) in bills.iter().zip(&steps) {
        let amount = match &bill.wanted {
            Wanted::Live(terms) => i128::from(terms.amount.get()),
            Wanted::Cancelled => 0,
        };
        let slot = table.entry(step_name(step)).or_default();
        *slot = (slot.0.saturating_add(1), slot.1.saturating_add(amount));
        calls = calls.saturating_add(u64::from(step.calls_doku(bill)));
    }
    let slot = table.entry("refuse").or_default();
    slot.0 = slot.0.saturating_add(intake.refused_row_count);
    table.entry("duplicate").or_default().0 = u64::try_from(intake.duplicates.len()).unwrap_or(u64::MAX);
    let seconds = calls / u64::from(setup.config.pacing.rate_per_second.get());
    if setup.json {
        let steps: serde_json::Map<String, serde_json::Value> = table
            .iter()
            .map(|(name, (count, amount))| ((*name).to_owned(), serde_json::json!({"count": count, "amount": amount})))
            .collect();
        output::result(serde_json::json!({"steps": steps, "rows": intake.rows, "calls": calls, "seconds": seconds}));
    } else {
        for (name, (count, amount)) in table.iter().filter(|(_, (count, _))| *count > 0) {
            output::result(format_args!("{name:<10} {count:>9}  {:>22}", rupiah(*amount)));
        }
        let rate = setup.config.pacing.rate_per_second;
        output::result(format_args!(
            "{} rows, {calls} calls, about {} at {rate} a second; nothing was sent",
            intake.rows,
            duration(seconds)
        ));
    }
    refused_lines(setup, intake);
    Ok(if intake.refused_row_count > 0 || steps.iter().any(|step| matches!(step, Step::Refused { .. })) { Exit::Look } else { Exit::Done })
}

const fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Issue { .. } | Step::Register(OperationKind::Issue) => "issue",
        Step::Amend | Step::Register(OperationKind::Amend) => "amend",
        Step::Cancel | Step::Register(OperationKind::Cancel) => "cancel",
        Step::Resolve => "resolve",
        Step::ConfirmExpiry | Step::Release { .. } => "confirm",
        Step::Wait { .. } | Step::Retire { .. } => "wait",
        Step::Note | Step::Unchanged(_) => "unchanged",
        Step::RejectedBefore { .. } => "rejected",
        Step::Refused { .. } => "refuse",
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The first refused rows, for the eye; rejected.csv has them all.
pub(super) fn refused_lines(setup: &Setup, intake: &Intake) {
    const SHOWN_MAX: usize = 10;
    if setup.quiet {
        return;
    }
    for refused in intake.refused.iter().take(SHOWN_MAX) {
        output::note(refused);
    }
    if let Some(more) = intake.refused.len().checked_sub(SHOWN_MAX).filter(|&more| more > 0) {
        output::note(format_args!("... and {more} more"));
    }
}

/// Brings DOKU to the state that `intake` wants, writes the result files into `out` and prints the last line. Without a secret
/// only what needs no call to DOKU is done.
pub(super) fn send(
    setup: &Setup,
    intake: &Intake,
    flags: &Flags,
    sending: &Sending,
    secret: Result<SecretString, Failure>,
    out: &Path,
) -> Result<Exit, Failure> {
    let deadline = deadline(sending, setup.clock.now())?;
    confirm(setup, sending, &format!("{} rows of `{}`", intake.valid.len(), flags.command))?;
    // Better not begun than sent and unreported.
    atomic::probe(out)?;
    let started_at = setup.clock.now();
    let bills = bills(intake);
    let secret = match secret {
        Ok(secret) => Some(secret),
        // What is registered here only needs no key; a single call to DOKU does.
        Err(failure) if planned(setup, flags, &bills)?.iter().zip(&bills).any(|(step, bill)| step.calls_doku(bill)) => return Err(failure),
        Err(_) => None,
    };
    let sender = Sender::open(setup, flags, secret.as_ref())?;
    let bills = with_codes(&bills, &sender.ledger, setup.minting()?.as_ref())?;
    let progress = Progress::new(flags.command, u64::try_from(bills.len()).unwrap_or(u64::MAX), setup.quiet);
    let issuing = sender.issuing();
    let ends = sender.drive(deadline, issuing.run(&bills, &|_, _| progress.advance()))?;
    progress.finish();
    let badly_signed = issuing.badly_signed.load(std::sync::atomic::Ordering::Relaxed);
    if badly_signed > 0 && !setup.quiet {
        output::note(format_args!(
            "warning: {badly_signed} answers of DOKU were taken without a valid signature (`doku.verify_response = warn`)"
        ));
    }
    let snapshot = sender.ledger.snapshot()?;
    let stopped = sender.stop.reason();
    let exit = exit(&Counts::of(ends.iter()), intake.refused_row_count, stopped.as_ref()).or(overdue(setup, &snapshot.bills));
    let report = IssueReport {
        command: flags.command,
        environment: setup.config.doku.environment.name(),
        intake,
        ends: &ends,
        bills: &snapshot.bills,
        head: snapshot.head,
        started_at,
        finished_at: setup.clock.now(),
        stopped: stopped.as_ref().map(describe),
        exit_code: exit.code(),
    };
    report.write(out)?;
    refused_lines(setup, intake);
    if setup.json {
        output::result(serde_json::to_string(&report.summary()).unwrap_or_default());
    } else {
        output::result(last_line(&report.counts(), out));
    }
    if let Some(reason) = &stopped {
        output::note(format_args!("stopped: {}; the same command resumes", describe(reason)));
    }
    Ok(exit)
}

/// `500 rows: 480 issued, 20 rejected; see tagih-out`
fn last_line(counts: &Counts, out: &Path) -> String {
    let parts: Vec<String> = Bucket::ALL
        .iter()
        .filter(|bucket| counts.get(**bucket) > 0)
        .map(|bucket| format!("{} {}", counts.get(*bucket), bucket.name().replace('_', " ")))
        .collect();
    format!("{} rows: {}; results in {}", counts.total(), parts.join(", "), out.display())
}

pub(super) fn describe(reason: &StopReason) -> String {
    match reason {
        StopReason::Signal(_) => "interrupted by a signal".into(),
        StopReason::Deadline => "the time given to it is over".into(),
        StopReason::Breaker => "too many attempts in a row got no answer (breaker)".into(),
        StopReason::Credentials(words) => format!("DOKU refused our credentials or signature (E0405): {words}"),
    }
}

pub(super) fn exit(counts: &Counts, refused_row_count: u64, stopped: Option<&StopReason>) -> Exit {
    let rows = if counts.get(Bucket::Deferred) > 0 || counts.get(Bucket::InDoubt) > 0 {
        Exit::Partial
    } else if refused_row_count > 0 || counts.get(Bucket::Refused) > 0 || counts.get(Bucket::Rejected) > 0 {
        Exit::Look
    } else {
        Exit::Done
    };
    match stopped {
        Some(StopReason::Credentials(_)) => Exit::Credentials,
        Some(StopReason::Breaker) => Exit::Breaker,
        // A signal that came when everything was done changed nothing.
        Some(StopReason::Signal(code)) if rows == Exit::Partial => Exit::Signal(*code),
        Some(StopReason::Signal(_) | StopReason::Deadline) | None => rows,
    }
}

/// In doubt for too long: a person must look.
pub(super) fn overdue(setup: &Setup, bills: &HashMap<InvoiceNumber, BillState>) -> Exit {
    let limit_minutes = setup.config.doubt.overdue_hours.saturating_mul(60);
    let now = setup.clock.now();
    let is_overdue = |bill: &BillState| bill.in_doubt_since.is_some_and(|since| plan::minutes_between(since, now) > limit_minutes);
    if bills.values().any(is_overdue) { Exit::Look } else { Exit::Done }
}

/// Production is not entered by accident.
pub(super) fn confirm(setup: &Setup, sending: &Sending, what: &str) -> Result<(), Failure> {
    use std::io::IsTerminal as _;
    if !setup.is_production() || sending.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("this would send to DOKU's production\nhint: add `--yes` where nobody can be asked, such as in cron"));
    }
    output::note(format_args!("Send {what} to DOKU's production? Type `yes` to go on:"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::usage("not confirmed; nothing was sent")) }
}
