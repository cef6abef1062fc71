//! What a run would do, without doing it: `issue --dry-run`, the plan that `--plan` carries out, and the guard on both.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::keeping::wait;
use super::output::{self, rupiah};
use super::sender::{Flags, ceiling_warning, settings};
use super::sending::{Refusal, bills, refusals};
use super::sequence;
use super::setup::{Failure, Setup};
use crate::domain::bill::{Bill, Salts, Wanted};
use crate::domain::digest;
use crate::domain::guard::{Limits, Sum, Totals};
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::plan::{self, Line, Step};
use crate::exit::Exit;
use crate::gateway::pacing::reachable_per_second;
use crate::intake::{Intake, Place};
use crate::jobs::issue::{plan_each, with_codes};
use crate::ledger::{Ledger as _, LedgerError, Store, View as _};
use crate::report::{self, plan::PlanRow};

/// How long DOKU is taken to need for an answer before anybody has asked it, in milliseconds.
const LATENCY_ASSUMED_MS: u64 = 300;

/// What a run would do first, row by row.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) steps: Vec<Step>,
    pub(super) lines: Vec<Line>,
    /// Codes that are live before.
    live_count: u64,
}

/// What a run would do. Reads the ledger and writes nothing.
pub(super) fn planned(setup: &Setup, flags: &Flags, bills: &[Bill]) -> Result<Planned, Failure> {
    if setup.ledger_path().exists() {
        return planned_from(setup, flags, bills, &Store::open_read_only(setup.ledger_path(), &setup.binding()?)?);
    }
    if setup.is_production() && !flags.new_ledger {
        // The run itself would end so; its plan must not look as if everything were new.
        return Err(LedgerError::Missing { path: setup.config.ledger.path.clone() }.into());
    }
    let settings = settings(setup, flags)?;
    let minting = sequence::minting(setup, flags, bills, None)?;
    let (nobody, unpaid) = (HashMap::new(), HashMap::new());
    let view = plan::MapView::new(&nobody, &unpaid);
    let salts = Salts::new([0; 32]);
    let bills = plan::with_codes(bills, &view, &[], minting.as_ref());
    let mut planned = Planned::default();
    for bill in bills.iter() {
        planned.take(bill, plan::step(bill, &view, &salts, setup.clock.now(), &settings.rules), None, &salts);
    }
    Ok(planned)
}

/// The same from an open ledger.
pub(super) fn planned_from(setup: &Setup, flags: &Flags, bills: &[Bill], ledger: &Store) -> Result<Planned, Failure> {
    let settings = settings(setup, flags)?;
    let minting = sequence::minting(setup, flags, bills, Some(ledger))?;
    let (now, salts) = (setup.clock.now(), ledger.salts());
    wait(async {
        let view = ledger.view().await?;
        let bills = with_codes(bills, &view, minting.as_ref()).await?;
        let mut planned = Planned::default();
        plan_each(&bills, &view, salts, now, &settings.rules, |bill, step, state| planned.take(bill, step, state, salts)).await?;
        let active = view.totals(now).await?.by_status.into_iter().find(|(name, _)| *name == Status::Active.name());
        planned.live_count = active.map_or(0, |(_, sum)| sum.count);
        Ok(planned)
    })
}

impl Planned {
    fn take(&mut self, bill: &Bill, step: Step, state: Option<&BillState>, salts: &Salts) {
        let wanted = match &bill.wanted {
            Wanted::Live(terms) => Some(plan::compared(bill, terms, state, salts)),
            Wanted::Cancelled => None,
        };
        self.lines.push(plan::line(bill, wanted.as_ref(), &step, state));
        self.steps.push(step);
    }
}

/// The plan of every row of the input, also of those that are refused or stand twice, in their order.
pub(super) fn plan_rows(setup: &Setup, flags: &Flags, intake: &Intake, planned: &Planned) -> Result<Vec<PlanRow>, Failure> {
    let mut input_marks: BTreeMap<PathBuf, String> = BTreeMap::new();
    let settings_mark = settings_mark(setup, flags)?;
    let mut row = |place: &Place, invoice_number: &str, line: Line| -> Result<(usize, u64, PlanRow), Failure> {
        if !input_marks.contains_key(&*place.file) {
            input_marks.insert(place.file.to_path_buf(), plan::short(&digest::of_bytes(&std::fs::read(setup.bytes_of(&place.file))?)));
        }
        let input_mark = input_marks.get(&*place.file).cloned().unwrap_or_default();
        let (file, invoice_number, settings_mark) = (place.file.display().to_string(), invoice_number.to_owned(), settings_mark.clone());
        let carried = intake.carried.cells(place).into_iter().map(|cell| cell.unwrap_or_default().to_owned()).collect();
        Ok((place.file_order, place.row, PlanRow { file, row: place.row, invoice_number, line, input_mark, settings_mark, carried }))
    };
    let mut rows = Vec::new();
    for (valid, line) in intake.valid.iter().zip(&planned.lines) {
        rows.push(row(&valid.place, valid.item.invoice_number.as_str(), line.clone())?);
    }
    // One line a row, with the first of its reasons.
    for refused in intake.refused.chunk_by(|left, right| left.place.order() == right.place.order()).filter_map(<[_]>::first) {
        let reason = format!("{}: {}: {}", refused.code.id, refused.column, refused.reason);
        rows.push(row(&refused.place, refused.invoice_number.as_deref().unwrap_or_default(), unsent("refuse", reason))?);
    }
    for duplicate in &intake.duplicates {
        rows.push(row(&duplicate.place, "", unsent("duplicate", format!("says the same as {}", duplicate.of)))?);
    }
    rows.sort_by_key(|(file_order, row, _)| (*file_order, *row));
    Ok(rows.into_iter().map(|(_, _, row)| row).collect())
}

/// The line of a row that never becomes a bill.
fn unsent(step: &'static str, reason: String) -> Line {
    let mark = plan::short(&digest::of_bytes(reason.as_bytes()));
    Line { step, operation: None, from: String::new(), to: String::new(), rupiah: 0, reason, far_above: false, mark }
}

/// The digest of the configuration and of the flags that a plan depends on.
fn settings_mark(setup: &Setup, flags: &Flags) -> Result<String, Failure> {
    let config = toml::to_string(&setup.config).map_err(Failure::usage)?;
    let flags = format!("{} {} {}", flags.command, flags.reissue_expired, flags.retry_rejected);
    Ok(plan::short(&digest::of_parts(&[config.as_bytes(), flags.as_bytes()])))
}

/// Refuses what exceeds `[guard]`, and says in words what is to be done.
pub(super) fn guarded(setup: &Setup, intake: &Intake, planned: &Planned) -> Result<String, Failure> {
    let (totals, guard) = (Totals::of(&planned.lines), &setup.config.guard);
    let limits = Limits {
        rows_max: guard.rows_max,
        rupiah_max: guard.rupiah_max,
        amount_max: guard.amount_max,
        cancellations_max: guard.cancellations_max,
        changed_share_max_percent: guard.changed_share_max,
    };
    let exceeded = limits.exceeded(&totals, planned.live_count);
    if !exceeded.is_empty() {
        let parts = exceeded.into_iter().map(|(name, found, limit)| format!("`guard.{name} = {limit}`, this run comes to {found}"));
        return Err(Failure::usage(format!(
            "the guard stops this run: {}\nhint: look at it with `--dry-run --out DIR`; if it is right, raise the limit for this run, such as by TAGIH_GUARD_ROWS_MAX; nothing was sent",
            parts.collect::<Vec<_>>().join("; ")
        )));
    }
    warn_far_above(setup, intake, planned);
    let part = |what: &str, sum: Sum| format!("{} {what} ({})", sum.count, rupiah(sum.rupiah.into()));
    Ok([part("issues", totals.issues), part("amendments", totals.amendments), part("cancellations", totals.cancellations)].join(", "))
}

/// Amounts that are more likely slips than premiums.
fn warn_far_above(setup: &Setup, intake: &Intake, planned: &Planned) {
    let mut far = intake.valid.iter().zip(&planned.lines).filter(|(_, line)| line.far_above);
    if let Some((first, line)) = far.next().filter(|_| !setup.quiet) {
        output::note(format_args!(
            "warning: {} rows ask for ten times what their bill ever asked for, or more; the first is {}: {} → {}",
            far.count().saturating_add(1),
            first.place,
            line.from,
            line.to
        ));
    }
}

/// Whether the guard is set at all.
pub(super) const fn has_guard(setup: &Setup) -> bool {
    let guard = &setup.config.guard;
    guard.rows_max > 0 || guard.rupiah_max > 0 || guard.amount_max > 0 || guard.cancellations_max > 0 || guard.changed_share_max > 0
}

/// Prints the plan: counts, rupiah, calls, time at the rate; with `out` also writes it row by row. Makes no network call.
pub(super) fn dry_run(setup: &Setup, intake: &Intake, flags: &Flags, out: Option<&Path>) -> Result<Exit, Failure> {
    let bills = bills(intake);
    let planned = planned(setup, flags, &bills)?;
    if let Some(out) = out {
        let rows = plan_rows(setup, flags, intake, &planned)?;
        report::plan::write(&rows, intake.carried.headers(), setup.clock.now(), out)?;
    }
    let steps = &planned.steps;
    let mut table: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
    let mut calls = 0_u64;
    for (bill, step) in bills.iter().zip(steps) {
        let amount = match &bill.wanted {
            Wanted::Live(terms) => i128::from(terms.amount.get()),
            Wanted::Cancelled => 0,
        };
        let slot = table.entry(step.name()).or_default();
        *slot = (slot.0.saturating_add(1), slot.1.saturating_add(amount));
        calls = calls.saturating_add(u64::from(step.calls_doku(bill)));
    }
    let slot = table.entry("refuse").or_default();
    slot.0 = slot.0.saturating_add(intake.refused_row_count);
    table.entry("duplicate").or_default().0 = u64::try_from(intake.duplicates.len()).unwrap_or(u64::MAX);
    let duration_ms = duration_ms(setup, calls);
    if setup.json {
        let steps: serde_json::Map<String, serde_json::Value> = table
            .iter()
            .map(|(name, (count, amount))| ((*name).to_owned(), serde_json::json!({"count": count, "amount": amount})))
            .collect();
        output::result(
            serde_json::json!({"steps": steps, "rows": intake.rows, "calls": calls, "seconds": seconds(duration_ms), "duration_ms": duration_ms}),
        );
    } else {
        for (name, (count, amount)) in table.iter().filter(|(_, (count, _))| *count > 0) {
            output::result(format_args!("{name:<10} {count:>9}  {:>22}", rupiah(*amount)));
        }
        let rate = setup.config.pacing.rate_per_second;
        output::result(format_args!(
            "{} rows, {calls} calls, about {} at {rate} a second; nothing was sent",
            intake.rows,
            duration(seconds(duration_ms))
        ));
        if let Some(warning) = ceiling_warning(setup.rate(), LATENCY_ASSUMED_MS, setup.in_flight_max()) {
            output::note(warning);
        }
    }
    warn_far_above(setup, intake, &planned);
    super::refused::lines(setup, intake);
    refused_steps(setup, intake, steps);
    let needs_a_person =
        |step: &Step| matches!(step, Step::Refused { .. } | Step::Unchanged(plan::Unchanged::Held | plan::Unchanged::PaidByEarlierCode));
    Ok(if intake.refused_row_count > 0 || steps.iter().any(needs_a_person) { Exit::Look } else { Exit::Done })
}

/// What the plan refuses, for the eye.
fn refused_steps(setup: &Setup, intake: &Intake, steps: &[Step]) {
    let refused = intake.valid.iter().zip(steps).filter_map(|(row, step)| match step {
        Step::Refused { code, column, reason } => Some(Refusal { place: &row.place, column, reason, code: code.id }),
        Step::RejectedBefore { code, reason } => Some(Refusal { place: &row.place, column: "", reason, code }),
        _ => None,
    });
    refusals(setup, refused);
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
