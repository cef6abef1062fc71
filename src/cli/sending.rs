//! The commands that send bills: issue, cancel. With sync they share lock, ledger, gateway, pacing and how they stop.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::SecretString;

use super::args::{Cancel, Issue, Sending};
use super::attention;
use super::failure::Failure;
use super::invoices::meant_invoice;
use super::orders::FileOrders;
use super::output::{self, Progress};
use super::planning::{Depth, PlanRows, Sums, dry_run, has_guard, look, look_from};
use super::refused::Refusals;
use super::sender::{Flags, Sender};
use super::sequence;
use super::setup::Setup;
use super::stopping::deadline;
use super::waiting::{done, wait};
use crate::domain::bill::{Bill, Wanted};
use crate::domain::ids::InvoiceNumber;
use crate::domain::plan;
use crate::domain::row_end::{Bucket, Ends, RowCounts};
use crate::domain::tally::Tally;
use crate::exit::Exit;
use crate::intake::{self, Intake, Purpose};
use crate::jobs::issue::Coded;
use crate::jobs::stop::StopReason;
use crate::jobs::watch;
use crate::ledger::{Ledger as _, LedgerView, MintingRight, Store};
use crate::report;
use crate::report::folder_lock::HeldFolder;
use crate::report::issue::{IssueReport, IssueSummary};
use crate::report::plan::{ApprovedRow, HoldAgainst};
use crate::table::STANDARD_INPUT;

pub(super) fn issue(setup: &Setup, arguments: &Issue) -> Result<Exit, Failure> {
    let approved = arguments.plan.as_deref().map(report::plan::read).transpose().map_err(Failure::usage)?;
    let files = match &approved {
        Some(approved) if arguments.files.is_empty() => &report::plan::files(approved),
        Some(_) | None => &arguments.files,
    };
    setup.standard_input.keep(files)?;
    let intake = intake::read(files, &setup.intake(arguments.cycle.cycle.as_ref(), &arguments.tables)?)?;
    notes(setup, &intake);
    super::check::usable(&intake)?;
    let flags = Flags {
        command: "issue",
        new_ledger: arguments.new_ledger,
        reissue_expired: arguments.reissue_expired,
        retry_rejected: arguments.retry_rejected,
        sequence_from: arguments.sequence_from,
    };
    if arguments.dry_run {
        return dry_run(setup, &intake, &flags, arguments.out.as_deref());
    }
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("tagih-out"));
    send(setup, &intake, &flags, &arguments.sending, setup.secret(), &out, approved.as_deref())
}

pub(super) fn cancel(setup: &Setup, arguments: &Cancel) -> Result<Exit, Failure> {
    let intake = match arguments.what.as_slice() {
        [one] if one == STANDARD_INPUT || Path::new(one).is_file() => {
            let options =
                intake::Options { purpose: Purpose::CancelAll, ..setup.intake(arguments.cycle.cycle.as_ref(), &arguments.tables)? };
            intake::read(&[PathBuf::from(one)], &options)?
        }
        invoices => named(setup, invoices)?,
    };
    notes(setup, &intake);
    super::check::usable(&intake)?;
    let flags = Flags { command: "cancel", new_ledger: false, reissue_expired: false, retry_rejected: false, sequence_from: None };
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("tagih-out"));
    send(setup, &intake, &flags, &arguments.sending, setup.secret(), &out, None)
}

/// Where invoice numbers stand that are given as arguments.
const ARGUMENTS: &str = "(arguments)";

/// Invoice numbers given as arguments, as if they were the rows of a file.
fn named(setup: &Setup, invoices: &[String]) -> Result<Intake, Failure> {
    let mut seen = HashSet::new();
    let mut bills: Vec<Bill> = Vec::new();
    for text in invoices {
        if Path::new(text).is_file() {
            return Err(Failure::usage(format!(
                "`{text}` is a file, and others stand beside it\nhint: give one file, or invoice numbers only"
            )));
        }
        let invoice_number = InvoiceNumber::new(text)
            .map_err(|error| Failure::usage(format!("`{text}` is neither a file nor an invoice number: {error}")))?;
        if seen.insert(invoice_number.clone()) {
            bills.push(Bill { invoice_number, wanted: Wanted::Cancelled });
        }
    }
    Ok(Intake::of_items(Path::new(ARGUMENTS), bills, setup.clock.now())?)
}

fn notes(setup: &Setup, intake: &Intake) {
    if !setup.quiet {
        for note in &intake.notes {
            output::note(format_args!("note: {}: {}", note.file.display(), note.text));
        }
    }
}

fn refused_ends(setup: &Setup, intake: &Intake, ends: &Ends) -> Result<(), Failure> {
    let is_refused = |row: usize| ends.get(row).is_some_and(|end| matches!(end.bucket, Bucket::Refused | Bucket::Rejected));
    let mut refusals = Refusals::default();
    for part in intake.parts(is_refused) {
        for row in part? {
            if let Some(end) = ends.get(row.index) {
                refusals.add(&row.place, end.column, &end.reason, &end.code);
            }
        }
    }
    refusals.print(setup);
    Ok(())
}

/// Whoever names an invoice that is not there may mean another.
fn meant_arguments(setup: &Setup, ledger: &Store, intake: &Intake) -> Result<(), Failure> {
    if setup.quiet || intake.files.iter().all(|file| **file != *Path::new(ARGUMENTS)) {
        return Ok(());
    }
    intake.each(|row| {
        let Some(number) = row.valid().map(|bill| &bill.invoice_number) else { return Ok(()) };
        if wait(ledger.bill(number))?.is_none()
            && let Some(question) = meant_invoice(ledger, number.as_str())?
        {
            output::note(format_args!("hint: for `{number}`, {question}"));
        }
        Ok(())
    })
}

/// Whether carrying `intake` out takes a call to DOKU.
fn calls_doku(setup: &Setup, flags: &Flags, intake: &Intake) -> Result<bool, Failure> {
    let mut calls = false;
    look(setup, flags, intake, Depth::Steps, &mut |planned| {
        calls |= planned.planned.as_ref().is_some_and(|planned| planned.step.calls_doku(planned.bill));
        Ok(())
    })?;
    Ok(calls)
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
    approved: Option<&[ApprovedRow]>,
) -> Result<Exit, Failure> {
    let deadline = deadline(sending, setup.clock.now())?;
    let asks = asks(setup, sending)?;
    // Better not begun than sent and unreported.
    let _held = HeldFolder::take(out)?;
    let started_at = setup.clock.now();
    let secret = match secret {
        Ok(secret) => Some(secret),
        // What is registered here only needs no key; a single call to DOKU does.
        Err(failure) if calls_doku(setup, flags, intake)? => return Err(failure),
        Err(_) => None,
    };
    let sender = Sender::open(setup, flags, secret.as_ref())?;
    look_before(setup, flags, intake, &sender.ledger, approved, asks)?;
    let orders = FileOrders(intake);
    let (coded, right) = coded(setup, flags, intake, &sender.ledger, &orders)?;
    let progress = Progress::new(flags.command, intake.valid, setup.quiet);
    let issuing = sender.issuing();
    let ends = sender.drive(deadline, issuing.run_after(&coded, right, &|_, _| progress.advance()))?;
    progress.finish();
    tell_badly_signed(setup, issuing.badly_signed.load(std::sync::atomic::Ordering::Relaxed));
    let view = wait(sender.ledger.view())?;
    let (stopped, troubles) = (sender.stop.reason(), sender.stop.troubles());
    let exit = exit(&RowCounts::of(ends.iter()), intake.refused, stopped.as_ref())
        .or(overdue(setup, wait(view.oldest_doubt())?))
        .or(attention::tell(setup, &wait(view.remarkable())?));
    let report = IssueReport {
        command: flags.command,
        environment: setup.config.doku.environment.name(),
        intake,
        ends: &ends,
        head: wait(view.head())?,
        started_at,
        finished_at: setup.clock.now(),
        stopped: stopped.as_ref().map(describe),
        troubles: &troubles,
        exit_code: exit.code(),
    };
    let summary = report.write::<Failure>(out, |numbers| wait(view.held(numbers)))?;
    figures(setup, &report, &summary, &sender, &view)?;
    super::refused::lines(setup, intake)?;
    refused_ends(setup, intake, &ends)?;
    meant_arguments(setup, &sender.ledger, intake)?;
    if setup.json {
        output::result(serde_json::to_string(&summary).unwrap_or_default());
    } else {
        output::done(last_line(&report.counts(), out));
    }
    if !setup.quiet && report.counts().get(Bucket::Deferred).saturating_add(report.counts().get(Bucket::InDoubt)) > 0 {
        commonest("rows left over", &report.left_over());
    }
    if let Some(warning) = sender.ceiling_warning().filter(|_| !setup.quiet) {
        output::note(warning);
    }
    tell_stop(setup, stopped.as_ref(), &troubles, exit);
    Ok(exit)
}

/// The rows with codes for those that bring none, and the right to give these out, to be kept until all have entered.
fn coded<'o>(
    setup: &Setup,
    flags: &Flags,
    intake: &Intake,
    ledger: &Store,
    orders: &'o FileOrders<'o>,
) -> Result<(Coded<'o, FileOrders<'o>>, Option<MintingRight>), Failure> {
    let lacks = intake.facts.lacking_code > 0;
    let right = if lacks { ledger.minting()? } else { None };
    let coded = done(async {
        let view = ledger.view().await?;
        let minting = sequence::minting(setup, flags, lacks, Some(&view)).await?;
        Ok(Coded::of(orders, lacks, Some(&view), minting.as_ref(), setup.clock.now()).await?)
    })?;
    Ok((coded, right))
}

/// What the run came to, for its metrics.
fn figures(
    setup: &Setup,
    report: &IssueReport<'_>,
    summary: &IssueSummary,
    sender: &Sender,
    view: &impl LedgerView,
) -> Result<(), Failure> {
    let counts = report.counts();
    for bucket in Bucket::ALL {
        setup.figure(|figures| figures.rows("rows", bucket.name(), counts.get(bucket), summary.amount(bucket).map(i128::from)));
    }
    setup.figure(|figures| figures.answers(sender.deliveries()));
    setup.figure_head(report.head);
    figure_doubts(setup, view)
}

/// What the ledger has in doubt, for the metrics.
pub(super) fn figure_doubts(setup: &Setup, view: &impl LedgerView) -> Result<(), Failure> {
    let (open, oldest) = wait(async { Ok((view.open_bills().await?.len(), view.oldest_doubt().await?)) })?;
    setup.figure(|figures| figures.doubts(u64::try_from(open).unwrap_or(u64::MAX), oldest));
    Ok(())
}

/// How many successes were taken without a valid signature.
fn tell_badly_signed(setup: &Setup, count: u64) {
    if count > 0 && !setup.quiet {
        output::note(format_args!("warning: {count} answers of DOKU were taken without a valid signature (`doku.verify_response = warn`)"));
    }
}

/// Why a run ended early or left something over; nothing where all went well.
pub(super) fn tell_stop(setup: &Setup, stopped: Option<&StopReason>, troubles: &Tally, exit: Exit) {
    if exit != Exit::Done && !setup.quiet {
        commonest("attempts without success", troubles);
    }
    if let Some(reason) = stopped {
        output::note(format_args!("stopped: {}; the same command resumes", describe(reason)));
    }
    if exit == Exit::Overdue {
        output::note(format_args!(
            "error: an operation has been in doubt for more than {} hours\nhint: `tagih status` and `tagih why INVOICE` show it; ask DOKU, then `tagih resolve INVOICE`",
            setup.config.doubt.overdue_hours
        ));
    }
}

/// `attempts without success: 12 × no answer within the time limit; 8 × HTTP 503`
fn commonest(what: &str, reasons: &Tally) {
    const SHOWN_MAX: usize = 3;
    let shown = reasons.commonest(SHOWN_MAX);
    if shown.is_empty() {
        return;
    }
    let parts: Vec<String> = shown.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    let others = reasons.total().saturating_sub(shown.iter().map(|(_, count)| count).sum());
    let more = if others > 0 { format!("; {others} × others") } else { String::new() };
    output::note(format_args!("{what}: {}{more}", parts.join("; ")));
}

/// What is looked at before anything is sent: the plan that was approved, the guard, and the person who is asked.
fn look_before(
    setup: &Setup,
    flags: &Flags,
    intake: &Intake,
    ledger: &Store,
    approved: Option<&[ApprovedRow]>,
    asks: bool,
) -> Result<(), Failure> {
    if !setup.is_production() && !has_guard(setup) && approved.is_none() {
        return Ok(());
    }
    let begin = |approved| HoldAgainst::begin(approved, intake.rows).map_err(Failure::usage);
    let mut approved = approved.map(begin).transpose()?;
    let (mut sums, mut rows) = (Sums::default(), PlanRows::new(setup, flags)?);
    let depth = if approved.is_some() { Depth::Lines } else { Depth::Steps };
    look_from(setup, flags, intake, ledger, depth, &mut |planned| {
        sums.take(planned);
        match &mut approved {
            Some(approved) => approved.row(&rows.row(setup, planned)?).map_err(Failure::usage),
            None => Ok(()),
        }
    })?;
    let what = sums.guarded(setup, ledger)?;
    if asks { ask(&what) } else { Ok(()) }
}

/// `500 rows: 480 issued, 20 rejected; see tagih-out`
fn last_line(counts: &RowCounts, out: &Path) -> String {
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
        StopReason::Breaker => "too many operations in a row got no answer of DOKU's own (breaker)".into(),
        StopReason::WrongPath(words) => {
            format!("DOKU knows no such path (E0402), to the first 20 operations alike: {words}; check `doku.paths` and `doku.base_url`")
        }
        StopReason::Clock { ahead_seconds } => format!("{}; set it (NTP), nothing is sent until then", watch::clock_words(*ahead_seconds)),
        StopReason::Silence { seconds } => {
            format!("DOKU asked for {seconds} s of silence (Retry-After), longer than `retry.pause_max_seconds`")
        }
        StopReason::Credentials(words) => format!("DOKU refused our credentials or signature (E0405): {words}"),
    }
}

pub(super) fn exit(counts: &RowCounts, refused_row_count: u64, stopped: Option<&StopReason>) -> Exit {
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
        Some(StopReason::WrongPath(_) | StopReason::Clock { .. }) => Exit::Usage,
        // A signal that came when everything was done changed nothing.
        Some(StopReason::Signal(code)) if rows == Exit::Partial => Exit::Signal(*code),
        Some(StopReason::Signal(_) | StopReason::Deadline | StopReason::Silence { .. }) | None => rows,
    }
}

/// In doubt for too long: a person must look. Counted from the first doubt of the wish that is not settled, however often it was
/// found not done since.
pub(super) fn overdue(setup: &Setup, oldest_doubt: Option<Timestamp>) -> Exit {
    let limit_minutes = setup.config.doubt.overdue_hours.saturating_mul(60);
    let now = setup.clock.now();
    let is_overdue = oldest_doubt.is_some_and(|since| plan::minutes_between(since, now) >= limit_minutes);
    if is_overdue { Exit::Overdue } else { Exit::Done }
}

/// Production is not entered by accident: whether a person is to be asked. An error where nobody can be.
fn asks(setup: &Setup, sending: &Sending) -> Result<bool, Failure> {
    use std::io::IsTerminal as _;
    if !setup.is_production() || sending.yes {
        return Ok(false);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("this would send to DOKU's production\nhint: add `--yes` where nobody can be asked, such as in cron"));
    }
    Ok(true)
}

/// Asks whether `what` is to be sent.
fn ask(what: &str) -> Result<(), Failure> {
    output::at_once(format_args!("Send to DOKU's production: {what}? Type `yes` to go on:"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::usage("not confirmed; nothing was sent")) }
}

/// Asks, where production is entered, whether `what` is to be sent.
pub(super) fn confirm(setup: &Setup, sending: &Sending, what: &str) -> Result<(), Failure> {
    if asks(setup, sending)? { ask(what) } else { Ok(()) }
}
