//! What a run would do, without doing it: `issue --dry-run`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::output::{self, rupiah};
use super::sender::{Flags, ceiling_warning, settings};
use super::sending::{bills, refused_lines};
use super::setup::{Failure, Setup};
use crate::domain::bill::{Bill, Wanted};
use crate::domain::lifecycle::OperationKind;
use crate::domain::plan::{self, Step};
use crate::exit::Exit;
use crate::gateway::pacing::reachable_per_second;
use crate::intake::Intake;
use crate::jobs::issue::{steps, with_codes};
use crate::ledger::{LedgerError, SqliteLedger};

/// How long DOKU is taken to need for an answer before anybody has asked it, in milliseconds.
const LATENCY_ASSUMED_MS: u64 = 300;

/// What a run would do first, row by row. Reads the ledger and writes nothing.
pub(super) fn planned(setup: &Setup, flags: &Flags, bills: &[Bill]) -> Result<Vec<Step>, Failure> {
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
pub(super) fn dry_run(setup: &Setup, intake: &Intake, flags: &Flags) -> Result<Exit, Failure> {
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
    refused_lines(setup, intake);
    Ok(if intake.refused_row_count > 0 || steps.iter().any(|step| matches!(step, Step::Refused { .. })) { Exit::Look } else { Exit::Done })
}

const fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Issue { .. } | Step::Register(OperationKind::Issue) => "issue",
        Step::Amend | Step::Register(OperationKind::Amend) => "amend",
        Step::Cancel | Step::Register(OperationKind::Cancel) => "cancel",
        Step::Resolve => "resolve",
        Step::ConfirmExpiry | Step::ConfirmRefusal | Step::Release { .. } => "confirm",
        Step::Wait { .. } | Step::Retire { .. } => "wait",
        Step::Note | Step::Unchanged(_) => "unchanged",
        Step::RejectedBefore { .. } => "rejected",
        Step::Refused { .. } => "refuse",
    }
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
