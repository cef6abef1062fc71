//! `tagih reconcile`: logs against the ledger.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize as _;
use serde_json::Value;

use super::args::Reconcile;
use super::failure::Failure;
use super::failure::absolute;
use super::keys::Asking;
use super::logs;
use super::matching::policy;
use super::opening::opening;
use super::output::{self, rupiah};
use super::runs::Input;
use super::setup::Setup;
use super::tables::TableFlags;
use super::times::month;
use super::waiting::runtime;
use crate::books;
use crate::domain::language::{Language, Say as _};
use crate::evidence::StoreAt;
use crate::evidence::store::ReceiptDays;
use crate::exit::Exit;
use crate::jobs::period::MadeFrom;
use crate::jobs::reconcile::{self, Billed, LedgersAsked, OpeningFolder, ReconcileOptions, Unjudged};
use crate::journal;
use crate::ledger::{Ledger as _, Location, Store};
use crate::report::Presentation;
use crate::table::TableSettings;

/// What is reconciled, and against which evidence.
pub(super) struct Task {
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) as_of: Timestamp,
    pub(super) logs: Vec<PathBuf>,
    /// The folder of a store of evidence, and the days of receipt that are read there.
    pub(super) evidence: Option<(PathBuf, ReceiptDays)>,
    pub(super) external_ledger: Option<PathBuf>,
    pub(super) request_history: Option<PathBuf>,
    pub(super) carry_in: Option<PathBuf>,
    pub(super) settlement: Vec<PathBuf>,
    pub(super) bank: Vec<PathBuf>,
    pub(super) inquiries: Vec<PathBuf>,
    pub(super) opening: Option<OpeningFolder>,
    pub(super) tables: TableSettings,
    pub(super) out: PathBuf,
    /// Of workbook and page; else the setting's.
    pub(super) language: Option<Language>,
}

pub(super) fn reconcile(setup: &Setup, arguments: &Reconcile) -> Result<Exit, Failure> {
    let (from, to) = match (&arguments.period, arguments.from, arguments.to) {
        (Some(period), _, _) => month(period)?,
        (None, Some(from), Some(to)) if from <= to => (from, to),
        _ => return Err(Failure::usage("`--from` must not be after `--to`")),
    };
    if arguments.evidence_from.zip(arguments.evidence_to).is_some_and(|(from, to)| from > to) {
        return Err(Failure::usage("`--evidence-from` must not be after `--evidence-to`"));
    }
    let opening = opening(setup, from, arguments.opening.as_deref())?;
    let task = Task {
        from,
        to,
        as_of: arguments.as_of.unwrap_or_else(|| setup.clock.now()),
        logs: logs::logs(&arguments.notifications, arguments.allow_no_logs)?,
        evidence: arguments.evidence.clone().map(|store| (store, ReceiptDays { from: arguments.evidence_from, to: arguments.evidence_to })),
        external_ledger: arguments.external_ledger.clone(),
        request_history: arguments.request_history.clone(),
        carry_in: arguments.carry_in.clone(),
        settlement: logs::expand(&arguments.settlement)?,
        bank: super::bank::files(setup, &arguments.bank)?,
        inquiries: logs::expand(&arguments.inquiries)?,
        opening,
        tables: setup.tables(&arguments.tables)?,
        out: arguments.out.clone(),
        language: arguments.lang,
    };
    let asking = setup.ask(task.request_history.as_deref())?;
    setup.tell_key_end()?;
    setup.tell_unasked(&asking);
    run(setup, &task, &asking)
}

/// What a task comes to with the settings.
fn options(setup: &Setup, task: &Task, asking: &Asking) -> Result<ReconcileOptions, Failure> {
    let store = |(path, days): &(PathBuf, ReceiptDays)| Ok::<_, Failure>(StoreAt { days: *days, ..setup.evidence_at(path)? });
    let store = task.evidence.as_ref().map(store).transpose()?;
    Ok(ReconcileOptions {
        notifications: task.logs.clone(),
        evidence: store,
        from: task.from,
        to: task.to,
        as_of: task.as_of,
        keys: asking.keys.clone(),
        asked: asked(setup, task, asking)?,
        client_id: setup.binding()?.client_id,
        policy: policy(setup)?,
        carry_in: task.carry_in.clone(),
        request_history: task.request_history.clone(),
        settlement: super::settlement::files(setup, &task.settlement, (task.from, task.to))?,
        bank: task.bank.clone(),
        inquiries: task.inquiries.clone(),
        opening: task.opening.clone(),
        journal: Some(setup.journal_path().to_path_buf()),
        books: super::books::books_settings(&setup.config),
        tables: task.tables.clone(),
        out: task.out.clone(),
        presentation: Some(Presentation {
            language: task.language.unwrap_or(setup.config.report.language),
            entity: setup.config.report.entity.clone(),
        }),
    })
}

/// What the ledgers that were asked come to beside the months that a task goes on from.
fn asked(setup: &Setup, task: &Task, asking: &Asking) -> Result<LedgersAsked, Failure> {
    let journal = journal::read(setup.journal_path())?;
    let folders: Vec<&Path> = task.opening.iter().map(|folder| folder.path.as_path()).chain(task.carry_in.as_deref()).collect();
    let formers = reconcile::formers(&journal, task.from, &folders)?;
    let caveats = reconcile::caveats(&journal, &formers, &asking.keys, |head| asking.has_had(head))?;
    Ok(LedgersAsked { heads: asking.heads.iter().cloned().collect(), said: asking.said.clone(), caveats })
}

/// Makes a report again, without a word: into `out`, from what it says it was made from.
pub(super) fn again(setup: &Setup, made: &MadeFrom, out: &Path) -> Result<(), Failure> {
    let task = task_of(setup, made, out)?;
    let options = options(setup, &task, &setup.ask(task.request_history.as_deref())?)?;
    reconcile::run(billed(setup, &task, &options)?, &options)?;
    Ok(())
}

/// What a report was made from, nothing concluded, and what its postings depend on.
pub(super) fn told(setup: &Setup, made: &MadeFrom, out: &Path) -> Result<(Unjudged, books::BooksSettings), Failure> {
    let task = task_of(setup, made, out)?;
    let options = options(setup, &task, &setup.ask(task.request_history.as_deref())?)?;
    Ok((reconcile::told(billed(setup, &task, &options)?, &options)?, options.books))
}

/// The task that a report says it was made by.
fn task_of(setup: &Setup, made: &MadeFrom, out: &Path) -> Result<Task, Failure> {
    let request = &made.request;
    let wanted = request.opening.as_ref().map(Path::new);
    Ok(Task {
        from: made.from,
        to: made.to,
        as_of: made.as_of,
        logs: made.logs(),
        evidence: request
            .evidence
            .as_ref()
            .map(|store| (store.into(), ReceiptDays { from: request.evidence_from, to: request.evidence_to })),
        external_ledger: made.external_ledger.clone(),
        request_history: request.request_history.as_ref().map(PathBuf::from),
        carry_in: request.carry_in.as_ref().map(PathBuf::from),
        settlement: made.inputs("settlement"),
        bank: made.inputs("bank"),
        inquiries: made.inputs("inquiries"),
        opening: opening(setup, made.from, wanted)?,
        tables: setup.tables(&TableFlags { layout: request.layout.clone(), sheet: request.sheet.clone() })?,
        out: out.to_path_buf(),
        language: request.language,
    })
}

/// Reconciles, prints the summary and gives the exit code.
pub(super) fn run(setup: &Setup, task: &Task, asking: &Asking) -> Result<Exit, Failure> {
    let options = options(setup, task, asking)?;
    if !setup.quiet && !setup.journal_path().exists() {
        output::note(format_args!(
            "note: there is no journal at `{}` yet, so nothing counts as decided or closed",
            absolute(setup.journal_path()).display()
        ));
    }
    let report = reconcile::run(billed(setup, task, &options)?, &options)?;
    for told in report.summary.open_caveats() {
        output::note(format_args!("warning: before this month is signed: {}", told.caveat.told(Language::English)));
    }
    logs::warn_of_none(options.evidence.as_ref(), &report.logs);
    super::settlement::warn(setup, &report.outcome);
    super::bank::warn(setup, &report.outcome);
    for remark in report.remarks.iter().filter(|_| !setup.quiet) {
        output::note(format_args!("note: {remark}"));
    }
    if let Some(count) = report.outcome.inputs.inquiries.as_ref().map(|inquiries| inquiries.unreadable).filter(|&count| count > 0) {
        output::note(format_args!(
            "warning: {count} lines of the inquiry logs are no inquiry with its answer; payments may seem not asked about"
        ));
    }
    setup.run_wrote(&report.told);
    let summary: Value = serde_json::from_slice(&report.told).map_err(|error| Failure::new(Exit::Damaged, error))?;
    setup.run_reads(read(&summary));
    figures(setup, &summary);
    if setup.json {
        output::result(&summary);
    } else {
        print(&summary, &task.out);
    }
    if report.identities_hold {
        logs::whole(setup, &report.logs)?;
        if let Some((path, mostly)) = report.mostly.first() {
            let message = format!("`{}`: {mostly}; the report is written, but it must not be relied on", path.display());
            return Err(Failure::new(Exit::Input, message));
        }
    }
    let needs_nobody = report.breaks == 0 && report.summary.open_caveats().next().is_none();
    Ok(match (report.identities_hold, needs_nobody) {
        (false, _) => Exit::Damaged,
        (true, true) => Exit::Done,
        (true, false) => Exit::Look,
    })
}

/// The evidence, for the run's record.
fn read(summary: &Value) -> Vec<Input> {
    let files = summary.get("inputs").and_then(Value::as_array).into_iter().flatten();
    files.filter_map(|file| Input::deserialize(file).ok()).collect()
}

/// What the run came to, for its metrics: each class of each section, and the identities.
fn figures(setup: &Setup, summary: &Value) {
    for section in ["lines", "payments", "bills", "settlement", "inquiries"] {
        for (class, tally) in summary.get(section).and_then(Value::as_object).into_iter().flatten() {
            let Some(count) = tally.get("count").and_then(Value::as_u64) else { continue };
            let amount = tally.get("amount").and_then(Value::as_i64).map(i128::from);
            setup.figure(|figures| figures.rows(section, class, count, amount));
        }
    }
    let identities = summary.get("identities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let holding = identities.iter().filter(|identity| identity.get("holds").and_then(Value::as_bool) == Some(true)).count();
    for (bucket, count) in [("holding", holding), ("broken", identities.len().saturating_sub(holding))] {
        setup.figure(|figures| figures.rows("identities", bucket, u64::try_from(count).unwrap_or(u64::MAX), None));
    }
    let breaks = summary.pointer("/discrepancies/breaks").and_then(Value::as_u64).unwrap_or(0);
    setup.figure(|figures| figures.rows("discrepancies", "break", breaks, None));
    let head = summary.get("ledger_head").and_then(Value::as_str).and_then(|head| Some((head, head.split_once(':')?.0.parse().ok()?)));
    if let Some((head, sequence)) = head {
        setup.figure(|figures| figures.head(head.to_owned(), sequence));
    }
}

/// The bills, of a file or of our own ledger.
fn billed(setup: &Setup, task: &Task, options: &ReconcileOptions) -> Result<Billed, Failure> {
    let reading =
        |path: &Path| -> Result<Store, Failure> { Ok(Store::open_read_only(&Location::File(path.to_path_buf()), &setup.binding()?)?) };
    let runtime = runtime()?;
    let billed = if let Some(file) = &task.external_ledger {
        let billed = Billed::external(file, options)?;
        match task.request_history.as_deref().map(reading).transpose()? {
            Some(history) => runtime.block_on(async { billed.beside(&history.view().await?, options).await }),
            None => Ok(billed),
        }
    } else {
        let ledger = setup.reading()?;
        runtime.block_on(async { Billed::own(&ledger.view().await?, options).await })
    };
    Ok(billed?)
}

/// The summary as people read it: what is wrong first, then the counts, then the proof that they add up.
fn print(summary: &Value, out: &Path) {
    let sections = [
        ("lines", "evidence lines"),
        ("payments", "payments"),
        ("bills", "bills in scope"),
        ("settlement", "settlement rows"),
        ("inquiries", "inquiries"),
    ];
    for (section, title) in sections {
        let Some(classes) = summary.get(section).and_then(Value::as_object) else { continue };
        output::done(format_args!("{title}"));
        for (class, tally) in classes {
            let count = tally.get("count").and_then(Value::as_u64).unwrap_or(0);
            let amount = tally.get("amount").and_then(Value::as_i64).unwrap_or(0);
            if count > 0 {
                let title = super::explain::title(class);
                output::done(format_args!("  {class}  {count:>9}  {:>22}  {title}", rupiah(amount.into())));
            }
        }
    }
    print_month(summary);
    let figure = |key| summary.get("discrepancies").and_then(|found| found.get(key)).and_then(Value::as_u64).unwrap_or(0);
    let cleared = summary.pointer("/discrepancies/cleared").and_then(Value::as_array).map_or(0, Vec::len);
    let (count, breaks, accepted, reopened) = (figure("count"), figure("breaks"), figure("accepted"), figure("reopened"));
    output::done(format_args!(
        "discrepancies: {count}, {breaks} need somebody, {accepted} accepted, {reopened} reopened, {cleared} cleared"
    ));
    output::done("control identities");
    for identity in summary.get("identities").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| identity.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
        let sign = if identity.get("holds").and_then(Value::as_bool) == Some(true) { "=" } else { "≠" };
        output::done(format_args!("  {} {sign} {}  {}", text("left"), text("right"), text("name")));
    }
    output::done(format_args!("report in {}", out.display()));
}

/// Each balance from its opening to its closing, and what the signed report said otherwise.
fn print_month(summary: &Value) {
    let Some(month) = summary.get("month") else { return };
    let figures = |of: &Value| {
        let count = of.get("count").and_then(Value::as_i64).unwrap_or(0);
        let amount = of.get("amount").and_then(Value::as_i64).unwrap_or(0);
        format!("{count:>9}  {:>22}", rupiah(amount.into()))
    };
    for (name, roll) in month.get("roll_forwards").and_then(Value::as_object).into_iter().flatten() {
        output::done(format_args!("{}", name.replace('_', " ")));
        let line = |name: &str, of: &Value| output::done(format_args!("  {name:<16} {}", figures(of)));
        line("opening", roll.get("opening").unwrap_or(&Value::Null));
        for movement in roll.get("movements").and_then(Value::as_array).into_iter().flatten() {
            if figures(movement) != figures(&Value::Null) {
                line(&movement.get("name").and_then(Value::as_str).unwrap_or_default().replace('_', " "), movement);
            }
        }
        line("closing", roll.get("closing").unwrap_or(&Value::Null));
    }
    let Some(signed) = month.get("signed").filter(|signed| !signed.is_null()) else { return };
    let differences = signed.get("differences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    output::done(if differences.is_empty() {
        "this period is closed with these balances"
    } else {
        "this period was closed with other balances"
    });
    for difference in differences {
        let text = |key| difference.get(key).and_then(Value::as_str).unwrap_or_default();
        output::done(format_args!("  {}: signed {}, now {}", text("figure"), text("signed"), text("now")));
    }
}
