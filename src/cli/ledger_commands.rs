//! The commands that look after the ledger: status, resolve, import, export, migrate, purge; of the ledger as a whole see `whole`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::adopt::Adopting;
use super::args::VerdictArgument;
use super::attention;
use super::failure::Failure;
use super::invoices::{invoice_number, unknown_invoice};
use super::ledger_args::LedgerCommand;
use super::ledger_whole::{backup, rekey, restore, verify};
use super::output::{self, rupiah};
use super::setup::Setup;
use super::waiting::{runtime, wait};
use super::witness;
use crate::domain::calendar::{format_utc_seconds, start_of_wib_day};
use crate::domain::ids::PaymentCode;
use crate::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, OperationKind};
use crate::domain::plan;
use crate::domain::share::RateShare;
use crate::domain::sum::Sum;
use crate::exit::Exit;
use crate::ledger::{Basis, Create, Ledger as _, LedgerError, LedgerView as _, NewEvent, Private, Store};
use crate::report::issue::head_text;

/// The same, where a refusal by the ledger is the person's mistake and not damage.
fn wait_for_a_person<O>(work: impl Future<Output = Result<O, LedgerError>>) -> Result<O, Failure> {
    runtime()?.block_on(work).map_err(|error| match error {
        LedgerError::CodeTaken { .. } | LedgerError::NumberTaken { .. } | LedgerError::Illegal(_) => {
            Failure::usage(format!("{error}\nhint: see `tagih why` of both invoices"))
        }
        LedgerError::Lost { invoice_number } => Failure::new(
            Exit::Partial,
            format!(
                "another run changed invoice `{invoice_number}` while you decided, so nothing was recorded\n\
                 hint: see `tagih why {invoice_number}`, then decide again"
            ),
        ),
        error => error.into(),
    })
}

pub(super) fn status(setup: &Setup) -> Result<Exit, Failure> {
    let ledger = setup.reading()?;
    let now = setup.clock.now();
    let (head, totals, noted, oldest_doubt) = wait(async {
        let view = ledger.view().await?;
        Ok((view.head().await?, view.totals(now).await?, view.remarkable().await?, view.oldest_doubt().await?))
    })?;
    if setup.json {
        let figures = |sum: &Sum| serde_json::json!({"count": sum.count, "amount": sum.rupiah});
        let bills: serde_json::Map<String, serde_json::Value> =
            totals.by_status.iter().map(|(name, sum)| ((*name).to_owned(), figures(sum))).collect();
        output::result(serde_json::json!({
            "bills": bills,
            "payable": figures(&totals.payable),
            "expired": figures(&totals.expired),
            "paid": figures(&totals.paid),
            "held": figures(&totals.held),
            "oldest_doubt": oldest_doubt.map(format_utc_seconds),
            "payments": figures(&totals.payments),
            "told_by_status": figures(&totals.told),
            "attention": attention::json(setup, &noted),
            "ledger_head": head_text(head),
        }));
        return Ok(attention::of_status(setup, &noted));
    }
    let line = |name: &str, sum: Sum| output::result(format_args!("{name:<16} {:>9}  {:>22}", sum.count, rupiah(sum.rupiah.get())));
    for (name, sum) in &totals.by_status {
        line(name, *sum);
    }
    // Of the bills above, whatever their status.
    for (name, sum) in [("live, unpaid", totals.payable), ("expired, unpaid", totals.expired), ("paid", totals.paid), ("held", totals.held)]
    {
        if sum.count > 0 {
            line(name, sum);
        }
    }
    line("payments", totals.payments);
    if totals.told.count > 0 {
        // Notified or not: which of them are, `reconcile` says.
        line("told by status", totals.told);
    }
    if let Some(since) = oldest_doubt {
        output::result(format_args!("in doubt since {}, {} ago", format_utc_seconds(since), hours(since, now)));
    }
    output::result(format_args!("ledger head {}", head_text(head)));
    // All that needs a person is shown.
    let _: Exit = attention::tell(setup, &noted);
    Ok(attention::of_status(setup, &noted))
}

/// `3 h 20 min`
fn hours(since: Timestamp, now: Timestamp) -> String {
    let minutes = plan::minutes_between(since, now).max(0);
    format!("{} h {} min", minutes / 60, minutes % 60)
}

pub(super) fn resolve(setup: &Setup, invoice: &str, verdict: VerdictArgument, code: Option<&str>, reason: &str) -> Result<Exit, Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::usage("`--reason` must say why"));
    }
    let (_lock, ledger) = setup.open_ledger_to_send(&setup.binding()?, Create::Never, "resolve", RateShare::NONE)?;
    resolve_in(setup, &ledger, invoice, verdict, code, reason)
}

/// Records what the person found, about the bill as it is found here; one that has changed meanwhile is an error that says so.
fn resolve_in(
    setup: &Setup,
    ledger: &Store,
    invoice: &str,
    verdict: VerdictArgument,
    code: Option<&str>,
    reason: &str,
) -> Result<Exit, Failure> {
    let invoice_number = invoice_number(invoice)?;
    let bill = wait(ledger.bill(&invoice_number))?.map_or_else(|| Err(unknown_invoice(ledger, invoice)?), Ok)?;
    let verdict = match verdict {
        VerdictArgument::Released => return release(setup, ledger, &bill, reason),
        VerdictArgument::Done => DoubtVerdict::Done,
        VerdictArgument::NotDone => DoubtVerdict::NotDone,
        VerdictArgument::Dead => DoubtVerdict::Dead,
    };
    let Some(open) = &bill.open else {
        return Err(Failure::usage(format!(
            "invoice `{invoice}` is {}, not in doubt\nhint: see `tagih why {invoice}`",
            bill.status.name()
        )));
    };
    let payment_code = match code {
        Some(text) => Some(PaymentCode::new(text).map_err(|error| Failure::usage(format!("`--payment-code {text}`: {error}")))?),
        None => open.terms.payment_code.clone().or_else(|| bill.code.as_ref().map(|code| code.answer.payment_code.clone())),
    };
    if let (Some(ours), Some(given)) = (&open.terms.payment_code, &payment_code)
        && ours != given
    {
        return Err(Failure::usage(format!("`--payment-code {given}` is not the code of invoice `{invoice}`, which is `{ours}`")));
    }
    if verdict == DoubtVerdict::Done && open.operation == OperationKind::Issue && payment_code.is_none() {
        return Err(Failure::usage("DOKU made this code, so only you know it\nhint: add `--payment-code`, from DOKU's Back Office"));
    }
    let answer = payment_code.map(|payment_code| CodeAnswer {
        payment_code,
        created_at: None,
        expires_at: None,
        how_to_pay_page: None,
        how_to_pay_api: None,
    });
    let settled = Event::DoubtEnded { verdict, answer, by: "person".into(), reason: reason.to_owned(), unsettled_since: None };
    let mut events = Vec::new();
    if bill.in_doubt_since.is_none() {
        events.push(Event::Doubted {
            reason: "the run that sent it ended before its answer was recorded".into(),
            answered: false,
            refusal: None,
        });
    }
    events.push(settled);
    let at = setup.clock.now();
    let basis = Basis::Operation(open.request_id);
    let entry = |event| NewEvent { invoice_number: invoice_number.clone(), at, event, basis, private: Private::default() };
    let states = wait_for_a_person(ledger.record(events.into_iter().map(entry).collect()))?;
    let now = states.last().map_or("unchanged", |state| state.status.name());
    output::outcome(setup.json, &json!({"invoice_number": invoice, "status": now}), format_args!("{invoice} is now {now}"));
    Ok(Exit::Done)
}

/// Ends the hold of a bill, as a person who has looked says.
fn release(setup: &Setup, ledger: &Store, bill: &BillState, reason: &str) -> Result<Exit, Failure> {
    let number = &bill.invoice_number;
    if bill.hold.is_none() {
        return Err(Failure::usage(format!("invoice `{number}` is not held\nhint: see `tagih why {number}`")));
    }
    let event = Event::Released { by: "person".into(), reason: reason.to_owned() };
    // Released is what the person has seen, not what has been told of since.
    let (basis, private) = (Basis::of(Some(bill)), Private::default());
    let entry = NewEvent { invoice_number: number.clone(), at: setup.clock.now(), event, basis, private };
    wait_for_a_person(ledger.record(vec![entry]))?;
    let status = bill.status.name();
    let told = json!({"invoice_number": number.as_str(), "status": status, "released": true});
    output::outcome(setup.json, &told, format_args!("{number} is released, and {status}"));
    Ok(Exit::Done)
}

pub(super) fn ledger(setup: &Setup, command: &LedgerCommand) -> Result<Exit, Failure> {
    match command {
        LedgerCommand::Create => create(setup),
        LedgerCommand::Import { file, new_ledger, update, tables } => {
            super::adopt::import(setup, file, &Adopting { new_ledger: *new_ledger, update: *update, tables: setup.tables(tables)? })
        }
        LedgerCommand::Backup { to } => backup(setup, to),
        LedgerCommand::Restore { from } => restore(setup, from),
        LedgerCommand::Verify { head, head_file, against_sandbox } => {
            let record = against_sandbox.as_deref().map(witness::record).transpose()?;
            verify(setup, head.as_deref(), head_file.as_deref(), record.as_ref())
        }
        LedgerCommand::Export => {
            let ledger = setup.reading()?;
            output::stream(|out| wait(ledger.export(out)).map(drop))?;
            Ok(Exit::Done)
        }
        LedgerCommand::Migrate => {
            // Whatever writes would do it; this chooses when.
            let ledger = setup.open_ledger(&setup.binding()?, Create::Never)?;
            let migrated = ledger.migrated();
            if setup.json {
                let told = migrated.map(|migrated| json!({"from": migrated.from, "to": migrated.to, "backup": migrated.backup}));
                output::result(json!({"migrated": told}));
            } else if migrated.is_none() {
                output::done("the ledger is up to date");
            }
            Ok(Exit::Done)
        }
        LedgerCommand::Rekey { backup, former, head, head_file } => {
            rekey(setup, backup, former.as_deref(), (head.as_deref(), head_file.as_deref()))
        }
        LedgerCommand::Purge { before } => purge(setup, *before),
    }
}

/// Only a person knows that there never was a ledger: one that is not mounted looks the same.
fn create(setup: &Setup) -> Result<Exit, Failure> {
    let is_there = setup.existing_ledger()?.is_some();
    let ledger = setup.open_ledger(&setup.binding()?, Create::IfMissing)?;
    let told = json!({"created": !is_there, "ledger_head": head_text(wait(ledger.head())?)});
    let text = if is_there { "the ledger is there already, and stays as it is" } else { "the ledger is ready" };
    output::outcome(setup.json, &told, text);
    Ok(Exit::Done)
}

fn purge(setup: &Setup, before: Date) -> Result<Exit, Failure> {
    let (_lock, ledger) = setup.open_ledger_to_send(&setup.binding()?, Create::Never, "ledger purge", RateShare::NONE)?;
    let before = start_of_wib_day(before).ok_or_else(|| Failure::usage("`--before` is out of range"))?;
    let now = setup.clock.now();
    // A day to come must not make a code look expired that can still be paid.
    let purged = wait(ledger.purge_personal(before.min(now), now))?;
    let (customers, bodies) = (purged.customers, purged.bodies);
    let told = json!({"customers": customers, "bodies": bodies});
    output::outcome(setup.json, &told, format_args!("purged {customers} customers and {bodies} request bodies"));
    output::note("backups, results and the server's logs of before still have them; what stays in the ledger, and why: docs/security.md");
    Ok(Exit::Done)
}
