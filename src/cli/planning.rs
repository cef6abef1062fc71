//! What a run would do, without doing it: `issue --dry-run`, the plan that `--plan` carries out, and the guard on both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::failure::Failure;
use super::keys::key_is_revoked;
use super::orders::FileOrders;
use super::output::{self, rupiah};
use super::refused::Refusals;
use super::sender::{Flags, ceiling_warning, settings};
use super::sequence;
use super::setup::Setup;
use super::waiting::{done, wait};
use crate::domain::bill::{Bill, Salts, Wanted};
use crate::domain::digest;
use crate::domain::guard::{RunLimits, RunTotals};
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::plan::{self, PlanLine, Step};
use crate::domain::sum::Sum;
use crate::exit::Exit;
use crate::gateway::pacing::reachable_per_second;
use crate::intake::{InputRow, Intake, RowVerdict};
use crate::jobs::issue::Coded;
use crate::jobs::portion::{BILLS_MAX, Portion, left_alone, look_over};
use crate::ledger::{Ledger, LedgerError, LedgerView, Store};
use crate::private;
use crate::report::plan::{PlanFiles, PlanRow};

/// How long DOKU is taken to need for an answer before anybody has asked it, in milliseconds.
const LATENCY_ASSUMED_MS: u64 = 300;

/// A row of the input, and what a run would do about it first, if it is a bill.
pub(super) struct PlannedRow<'a> {
    pub(super) row: &'a InputRow<Bill>,
    pub(super) planned: Option<PlannedBill<'a>>,
}

/// A bill with its code, its step, and the state it was planned from.
pub(super) struct PlannedBill<'a> {
    pub(super) bill: &'a Bill,
    pub(super) step: &'a Step,
    state: Option<&'a BillState>,
    salts: &'a Salts,
}

impl PlannedBill<'_> {
    fn line(&self) -> PlanLine {
        let wanted = match &self.bill.wanted {
            Wanted::Live(terms) => Some(plan::compared(self.bill, terms, self.state, self.salts)),
            Wanted::Cancelled => None,
        };
        plan::line(self.bill, wanted.as_ref(), self.step, self.state)
    }
}

/// How much of the ledger a look needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What is done. Of bills that are left alone no state is read.
    Steps,
    /// Every bill's line of a plan.
    Lines,
}

/// Shows every row of the input with its plan, in their order. Reads the ledger and writes nothing.
pub(super) fn look(
    setup: &Setup,
    flags: &Flags,
    intake: &Intake,
    depth: Depth,
    visit: &mut dyn FnMut(&PlannedRow<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(ledger) = setup.existing_ledger()? {
        return look_from(setup, flags, intake, &ledger, depth, visit);
    }
    if setup.is_production() && !flags.new_ledger {
        // The run itself would end so; its plan must not look as if everything were new.
        return Err(LedgerError::Missing { path: setup.ledger_location()?.name() }.into());
    }
    let nobody: Option<<Store as Ledger>::View> = None;
    done(planned_rows(setup, flags, intake, nobody.as_ref(), &Salts::new([0; 32]), depth, visit))
}

/// The same from an open ledger.
pub(super) fn look_from(
    setup: &Setup,
    flags: &Flags,
    intake: &Intake,
    ledger: &Store,
    depth: Depth,
    visit: &mut dyn FnMut(&PlannedRow<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    done(async {
        let view = ledger.view().await?;
        planned_rows(setup, flags, intake, Some(&view), ledger.salts(), depth, visit).await
    })
}

async fn planned_rows(
    setup: &Setup,
    flags: &Flags,
    intake: &Intake,
    view: Option<&impl LedgerView>,
    salts: &Salts,
    depth: Depth,
    visit: &mut dyn FnMut(&PlannedRow<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (settings, now) = (settings(setup, flags, None)?, setup.clock.now());
    if let Some(view) = view {
        look_over(view, intake.rows, now).await?;
    }
    let minting = sequence::minting(setup, flags, intake.facts.lacking_code > 0, view).await?;
    let orders = FileOrders(intake);
    let coded = Coded::of(&orders, intake.facts.lacking_code > 0, view, minting.as_ref(), now).await?;
    for part in intake.parts(|_| true) {
        for rows in part?.chunks(BILLS_MAX) {
            let bills: Vec<Bill> = rows.iter().filter_map(|row| Some(coded.coded(row.index, row.valid()?.clone()))).collect();
            let left = match view {
                Some(view) if depth == Depth::Steps => left_alone(view, bills.iter(), salts, now).await?,
                Some(_) | None => vec![None; bills.len()],
            };
            let rest = bills.iter().zip(&left).filter(|(_, left)| left.is_none()).map(|(bill, _)| bill);
            let portion = match view {
                Some(view) => Portion::of(view, rest, &settings.rules.reissue_suffix).await?,
                None => Portion::default(),
            };
            let map = portion.view();
            let mut bills = bills.iter().zip(&left);
            for row in rows {
                let bill = row.valid().and_then(|_| bills.next());
                let step =
                    bill.map(|(bill, left)| left.map_or_else(|| plan::step(bill, &map, salts, now, &settings.rules), Step::Unchanged));
                let planned = bill.zip(step.as_ref()).map(|((bill, _), step)| PlannedBill {
                    bill,
                    step,
                    state: portion.bill(&bill.invoice_number),
                    salts,
                });
                visit(&PlannedRow { row, planned })?;
            }
        }
    }
    Ok(())
}

/// Makes rows of a plan.
pub(super) struct PlanRows {
    input_marks: BTreeMap<PathBuf, String>,
    settings_mark: String,
}

impl PlanRows {
    pub(super) fn new(setup: &Setup, flags: &Flags) -> Result<Self, Failure> {
        Ok(Self { input_marks: BTreeMap::new(), settings_mark: settings_mark(setup, flags)? })
    }

    /// The plan of a row, also of one that is refused or stands twice.
    pub(super) fn row(&mut self, setup: &Setup, planned: &PlannedRow<'_>) -> Result<PlanRow, Failure> {
        let place = &planned.row.place;
        if !self.input_marks.contains_key(&*place.file) {
            let mark = plan::short(&digest_of_file(setup.standard_input.bytes_of(&place.file))?);
            self.input_marks.insert(place.file.to_path_buf(), mark);
        }
        let (invoice_number, line) = match (&planned.row.verdict, &planned.planned) {
            (RowVerdict::Valid(bill), Some(planned)) => (bill.invoice_number.as_str(), planned.line()),
            (RowVerdict::Duplicate(of), _) => ("", unsent("duplicate", format!("says the same as {of}"))),
            (RowVerdict::Refused(_) | RowVerdict::Valid(_), _) => {
                // One line a row, with the first of its reasons.
                let first = planned.row.refused().first();
                let reason = first.map(|refused| format!("{}: {}: {}", refused.code.id, refused.column, refused.reason));
                let number = first.and_then(|refused| refused.invoice_number.as_deref());
                (number.unwrap_or_default(), unsent("refuse", reason.unwrap_or_default()))
            }
        };
        Ok(PlanRow {
            file: place.file.display().to_string(),
            row: place.row,
            invoice_number: invoice_number.to_owned(),
            line,
            input_mark: self.input_marks.get(&*place.file).cloned().unwrap_or_default(),
            settings_mark: self.settings_mark.clone(),
            carried: planned.row.cells.iter().map(|cell| cell.clone().unwrap_or_default()).collect(),
        })
    }
}

fn digest_of_file(path: &Path) -> std::io::Result<digest::Digest> {
    use std::io::Read as _;
    let (mut file, mut running, mut buffer) = (private::regular(path)?, digest::Running::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(running.finish()),
            count => running.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// The line of a row that never becomes a bill.
fn unsent(step: &'static str, reason: String) -> PlanLine {
    let mark = plan::short(&digest::of_bytes(reason.as_bytes()));
    PlanLine { step, operation: None, from: String::new(), to: String::new(), rupiah: 0, reason, far_above: false, mark }
}

/// The digest of the configuration and of the flags that a plan depends on.
fn settings_mark(setup: &Setup, flags: &Flags) -> Result<String, Failure> {
    let config = toml::to_string(&setup.config).map_err(Failure::usage)?;
    let flags = format!("{} {} {}", flags.command, flags.reissue_expired, flags.retry_rejected);
    Ok(plan::short(&digest::of_parts(&[config.as_bytes(), flags.as_bytes()])))
}

/// What the rows of a plan come to, for the guard and for the eye.
#[derive(Default)]
pub(super) struct Sums {
    totals: RunTotals,
    /// The first row that asks for far more than its bill ever did, in words.
    far_above: Option<String>,
}

impl Sums {
    pub(super) fn take(&mut self, planned: &PlannedRow<'_>) {
        let Some(bill) = planned.planned.as_ref().filter(|planned| !matches!(planned.step, Step::Unchanged(_))) else { return };
        let line = bill.line();
        self.totals.take(&line);
        if line.far_above && self.far_above.is_none() {
            self.far_above = Some(format!("{}: {} → {}", planned.row.place, line.from, line.to));
        }
    }

    /// Refuses what exceeds `[guard]`, and says in words what is to be done.
    pub(super) fn guarded(&self, setup: &Setup, ledger: &Store) -> Result<String, Failure> {
        let (totals, guard) = (&self.totals, &setup.config.guard);
        let limits = RunLimits {
            rows_max: guard.rows_max,
            rupiah_max: guard.rupiah_max,
            amount_max: guard.amount_max,
            cancellations_max: guard.cancellations_max,
            changed_share_max_percent: guard.changed_share_max,
        };
        let by_status = wait(async { ledger.view().await?.totals(setup.clock.now()).await })?.by_status;
        let live_count = by_status.into_iter().find(|(name, _)| *name == Status::Active.name()).map_or(0, |(_, sum)| sum.count);
        let exceeded = limits.exceeded(totals, live_count);
        if !exceeded.is_empty() {
            let parts = exceeded.into_iter().map(|(name, found, limit)| format!("`guard.{name} = {limit}`, this run comes to {found}"));
            return Err(Failure::usage(format!(
                "the guard stops this run: {}\nhint: look at it with `--dry-run --out DIR`; if it is right, raise the limit for this run, such as by TAGIH_GUARD_ROWS_MAX; nothing was sent",
                parts.collect::<Vec<_>>().join("; ")
            )));
        }
        self.warn_far_above(setup);
        let part = |what: &str, sum: Sum| format!("{} {what} ({})", sum.count, rupiah(sum.rupiah.get()));
        Ok([part("issues", totals.issues), part("amendments", totals.amendments), part("cancellations", totals.cancellations)].join(", "))
    }

    /// Amounts that are more likely slips than premiums.
    fn warn_far_above(&self, setup: &Setup) {
        if let Some(first) = self.far_above.as_ref().filter(|_| !setup.quiet) {
            let count = self.totals.far_above;
            output::note(format_args!(
                "warning: {count} rows ask for ten times what their bill ever asked for, or more; the first is {first}"
            ));
        }
    }
}

/// Whether the guard is set at all.
pub(super) const fn has_guard(setup: &Setup) -> bool {
    let guard = &setup.config.guard;
    guard.rows_max > 0 || guard.rupiah_max > 0 || guard.amount_max > 0 || guard.cancellations_max > 0 || guard.changed_share_max > 0
}

/// What a run would do, step by step.
#[derive(Default)]
struct Overview {
    /// Rows and rupiah by the name of the step.
    steps: BTreeMap<&'static str, (u64, i128)>,
    calls: u64,
    needs_a_person: bool,
    refusals: Refusals,
}

impl Overview {
    fn take(&mut self, planned: &PlannedRow<'_>) {
        let (name, amount) = match (&planned.row.verdict, &planned.planned) {
            (RowVerdict::Duplicate(_), _) => ("duplicate", 0),
            (_, Some(PlannedBill { bill, step, .. })) => {
                self.calls = self.calls.saturating_add(u64::from(step.calls_doku(bill)));
                let held = matches!(step, Step::Unchanged(plan::Unchanged::Held | plan::Unchanged::PaidByEarlierCode));
                self.needs_a_person |= held || matches!(step, Step::Refused { .. });
                let amount = match &bill.wanted {
                    Wanted::Live(terms) => i128::from(terms.amount.get()),
                    Wanted::Cancelled => 0,
                };
                (step.name(), amount)
            }
            (_, None) => {
                self.needs_a_person = true;
                ("refuse", 0)
            }
        };
        let slot = self.steps.entry(name).or_default();
        *slot = (slot.0.saturating_add(1), slot.1.saturating_add(amount));
        match planned.planned.as_ref().map(|planned| planned.step) {
            Some(Step::Refused { code, column, reason }) => self.refusals.add(&planned.row.place, column, reason, code.id),
            Some(Step::RejectedBefore { code, reason }) => self.refusals.add(&planned.row.place, "", reason, code),
            _ => {}
        }
    }

    fn print(mut self, setup: &Setup, rows: u64, key_revoked_after: Option<Timestamp>) {
        self.steps.entry("refuse").or_default();
        self.steps.entry("duplicate").or_default();
        let Self { steps: table, calls, .. } = self;
        let duration_ms = duration_ms(setup, calls);
        if setup.json {
            let steps: serde_json::Map<String, serde_json::Value> = table
                .iter()
                .map(|(name, (count, amount))| ((*name).to_owned(), serde_json::json!({"count": count, "amount": amount})))
                .collect();
            output::result(serde_json::json!({
                "steps": steps, "rows": rows, "calls": calls, "seconds": seconds(duration_ms), "duration_ms": duration_ms,
                "key_revoked_after": key_revoked_after,
            }));
            return;
        }
        for (name, (count, amount)) in table.iter().filter(|(_, (count, _))| *count > 0) {
            output::result(format_args!("{name:<10} {count:>9}  {:>22}", rupiah(*amount)));
        }
        let rate = setup.config.pacing.rate_per_second;
        let duration = duration(seconds(duration_ms));
        output::result(format_args!("{rows} rows, {calls} calls, about {duration} at {rate} a second; nothing was sent"));
        if let Some(warning) = ceiling_warning(setup.rate(), LATENCY_ASSUMED_MS, setup.in_flight_max()) {
            output::note(warning);
        }
    }
}

/// Prints the plan: counts, rupiah, calls, time at the rate; with `out` also writes it row by row. Makes no network call.
pub(super) fn dry_run(setup: &Setup, intake: &Intake, flags: &Flags, out: Option<&Path>) -> Result<Exit, Failure> {
    let begin = |out| PlanFiles::begin(&intake.carried, setup.clock.now(), out);
    let mut files = out.map(begin).transpose()?;
    let (mut overview, mut sums, mut rows) = (Overview::default(), Sums::default(), PlanRows::new(setup, flags)?);
    let depth = if files.is_some() { Depth::Lines } else { Depth::Steps };
    look(setup, flags, intake, depth, &mut |planned| {
        overview.take(planned);
        sums.take(planned);
        match &mut files {
            Some(files) => Ok(files.row(&rows.row(setup, planned)?)?),
            None => Ok(()),
        }
    })?;
    files.map_or(Ok(()), PlanFiles::finish)?;
    let stopped_by = if overview.calls > 0 { setup.present_key_revoked()? } else { None };
    let exit = if overview.needs_a_person || stopped_by.is_some() { Exit::Look } else { Exit::Done };
    let refusals = std::mem::take(&mut overview.refusals);
    overview.print(setup, intake.rows, stopped_by);
    sums.warn_far_above(setup);
    if let Some(after) = stopped_by {
        output::note(format_args!("warning: nothing of it would be sent: {}", key_is_revoked(after)));
    }
    super::refused::lines(setup, intake)?;
    refusals.print(setup);
    Ok(exit)
}

/// How long `calls` take: they leave at the rate, or as fast as the ceiling on what is under way lets them, and the last one is
/// waited for.
fn duration_ms(setup: &Setup, calls: u64) -> u64 {
    if calls == 0 {
        return 0;
    }
    let per_second = reachable_per_second(setup.rate(), LATENCY_ASSUMED_MS, setup.in_flight_max());
    calls.saturating_mul(1_000).div_ceil(per_second).saturating_add(LATENCY_ASSUMED_MS)
}

/// Rounded to the nearest second.
const fn seconds(duration_ms: u64) -> u64 {
    duration_ms.saturating_add(500) / 1_000
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
