//! `tagih ledger import`: codes that exist at DOKU already, taken into the ledger.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::failure::Failure;
use super::ledger_commands::{runtime, wait};
use super::output::{self, rupiah};
use super::setup::Setup;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::plan::{MapView, PlanView as _};
use crate::domain::share::RateShare;
use crate::exit::Exit;
use crate::intake::InputPlace;
use crate::intake::import::{self, AdoptedCode, EXPIRY_UNKNOWN};
use crate::jobs::portion::Portion;
use crate::ledger::{Basis, Create, Ledger as _, LedgerError, LedgerView as _, Names, NewEvent, Private, Store};
use crate::table::TableSettings;

/// Codes adopted in one call to the ledger.
const BATCH: usize = 1_000;

/// How codes are taken over.
#[derive(Debug)]
pub(super) struct Adopting {
    pub(super) new_ledger: bool,
    /// Whether a known code's other amount or expiry is taken over too.
    pub(super) update: bool,
    pub(super) tables: TableSettings,
}

/// What becomes of one row.
enum Fate {
    Adopt,
    Known,
    /// Known, with these differences; they are taken over or not.
    Differs(Vec<String>),
    Refused(String),
}

pub(super) fn import(setup: &Setup, file: &Path, adopting: &Adopting) -> Result<Exit, Failure> {
    let codes = import::read(&[file.to_path_buf()], &adopting.tables, setup.clock.now())?;
    for note in &codes.notes {
        output::note(format_args!("note: {}: {}", note.file.display(), note.text));
    }
    if codes.refused > 0 {
        codes.each(|row| -> Result<(), Failure> {
            row.refused().iter().for_each(output::note);
            Ok(())
        })?;
    }
    super::check::usable(&codes)?;
    let create = if adopting.new_ledger || !setup.is_production() { Create::IfMissing } else { Create::Never };
    let (_lock, ledger) = setup.open_ledger_to_send(&setup.binding()?, create, "ledger import", RateShare::NONE)?;
    // That a bill is new is only as sure as that all is there, and found where it is.
    wait(async { ledger.view().await?.whole().await })?;
    let mut told = Told { refused: codes.refused, ..Told::default() };
    let mut claimed = HashSet::new();
    for part in codes.parts(|_| true) {
        for rows in part?.chunks(BATCH) {
            let codes: Vec<Sourced<'_>> = rows.iter().filter_map(|row| Some(Sourced { place: &row.place, item: row.valid()? })).collect();
            adopt(setup, &ledger, &codes, adopting.update, &mut claimed, &mut told)?;
        }
    }
    let Told { adopted, unchanged, updated, differing, refused } = told;
    let differences =
        if differing > 0 { format!(", {differing} known with other terms (`--update` takes them over)") } else { String::new() };
    let taken_over = if updated > 0 { format!(", {updated} updated") } else { String::new() };
    let (rows, duplicates) = (codes.rows, codes.duplicates);
    let counts = serde_json::json!({
        "rows": rows, "adopted": adopted, "updated": updated, "known": unchanged, "differing": differing, "refused": refused, "duplicate": duplicates,
    });
    let text = format_args!(
        "{rows} rows: {adopted} adopted{taken_over}, {unchanged} known{differences}, {refused} refused, {duplicates} duplicate"
    );
    output::outcome(setup.json, &counts, text);
    Ok(if refused + differing > 0 { Exit::Look } else { Exit::Done })
}

/// A code and its row.
struct Sourced<'a> {
    place: &'a InputPlace,
    item: &'a AdoptedCode,
}

/// What became of rows, counted.
#[derive(Default)]
struct Told {
    adopted: u64,
    unchanged: u64,
    updated: u64,
    differing: u64,
    refused: u64,
}

/// Takes over what can be of `part`, all or nothing, and says what became of each row. Where another run was quicker with one of its
/// bills, all of it is looked at again.
fn adopt(
    setup: &Setup,
    ledger: &Store,
    part: &[Sourced<'_>],
    takes_updates: bool,
    claimed: &mut HashSet<InvoiceNumber>,
    told: &mut Told,
) -> Result<(), Failure> {
    let mut taken: HashMap<InvoiceNumber, String> = HashMap::new();
    loop {
        let view = wait(ledger.view())?;
        let portion = wait(Portion::about(&view, &names(part)))?;
        let map = portion.view();
        let mut claimed_now = claimed.clone();
        let fate_of = |code: &Sourced<'_>| match taken.get(&code.item.invoice_number) {
            Some(why) => Fate::Refused(why.clone()),
            None => fate(code.item, &map, &mut claimed_now),
        };
        let fates: Vec<Fate> = part.iter().map(fate_of).collect();
        let is_taken = |fate: &Fate| matches!(fate, Fate::Adopt) || (takes_updates && matches!(fate, Fate::Differs(_)));
        let entries = part.iter().zip(&fates).filter(|(_, fate)| is_taken(fate)).map(|(code, _)| {
            let basis = Basis::of(map.bill(&code.item.invoice_number));
            entry(code.item, basis, setup.clock.now())
        });
        let entries: Vec<NewEvent> = entries.collect();
        let recorded = if entries.is_empty() { Ok(Vec::new()) } else { runtime()?.block_on(ledger.record(entries)) };
        match recorded {
            Ok(_) => {
                part.iter().zip(fates).for_each(|(code, fate)| told.row(code, fate, takes_updates));
                *claimed = claimed_now;
                return Ok(());
            }
            Err(LedgerError::Lost { .. }) => {}
            // Another row of this part brings it too, or it became another bill's just now.
            Err(error @ (LedgerError::CodeTaken { .. } | LedgerError::NumberTaken { .. })) => {
                let (LedgerError::CodeTaken { invoice_number, .. } | LedgerError::NumberTaken { invoice_number, .. }) = &error else {
                    return Err(error.into());
                };
                taken.insert(invoice_number.clone(), error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Told {
    /// Counts a row, and says what is to be said of it.
    fn row(&mut self, code: &Sourced<'_>, fate: Fate, takes_updates: bool) {
        let slot = match fate {
            Fate::Adopt => &mut self.adopted,
            Fate::Known => &mut self.unchanged,
            Fate::Differs(what) => {
                output::note(format_args!("{}: invoice `{}`: {}", code.place, code.item.invoice_number, what.join(", ")));
                if takes_updates { &mut self.updated } else { &mut self.differing }
            }
            Fate::Refused(why) => {
                output::note(format_args!("{}: {why}", code.place));
                &mut self.refused
            }
        };
        *slot += 1;
    }
}

/// By what the ledger may know the rows' codes.
fn names(rows: &[Sourced<'_>]) -> Names {
    let mut names = Names::default();
    for Sourced { item, .. } in rows {
        names.numbers.insert(item.invoice_number.clone());
        names.numbers.extend(item.wire_invoice_number.clone());
        names.codes.insert(item.answer.payment_code.clone());
    }
    names
}

fn entry(item: &AdoptedCode, basis: Basis, at: Timestamp) -> NewEvent {
    let AdoptedCode { terms, answer, wire_invoice_number, .. } = item.clone();
    let event = Event::Adopted { terms, answer, wire_invoice_number };
    NewEvent { invoice_number: item.invoice_number.clone(), at, event, basis, private: Private::default() }
}

/// What the ledger makes of a row; `claimed` are the numbers at DOKU of this file's codes.
fn fate(item: &AdoptedCode, view: &MapView<'_>, claimed: &mut HashSet<InvoiceNumber>) -> Fate {
    let bill = view.bill(&item.invoice_number);
    let has_it = |bill: &&BillState| bill.code.as_ref().is_some_and(|held| held.answer.payment_code == item.answer.payment_code);
    let Some(bill) = bill.filter(has_it) else {
        return contradiction(item, view, claimed).map_or(Fate::Adopt, Fate::Refused);
    };
    let what = differences(item, bill);
    match (what.is_empty(), bill.terms.is_adopted() && bill.status == Status::Active) {
        (true, _) => Fate::Known,
        (false, true) => Fate::Differs(what),
        (false, false) => Fate::Refused(format!(
            "invoice `{}`: {}; it is {}, and its terms are not from an import: they change with `tagih issue` only",
            item.invoice_number,
            what.join(", "),
            bill.status.name()
        )),
    }
}

/// Whether a code from elsewhere can be a bill's: it has none, as far as the ledger knows.
const fn may_adopt(status: Status) -> bool {
    matches!(status, Status::Planned | Status::Rejected | Status::InDoubt(OperationKind::Issue))
}

/// Why a code cannot be adopted beside what the ledger holds, in words; `claimed` are the numbers of this file's codes.
fn contradiction(item: &AdoptedCode, view: &MapView<'_>, claimed: &mut HashSet<InvoiceNumber>) -> Option<String> {
    let (number, wire) = (&item.invoice_number, item.wire_invoice_number.as_ref());
    if let Some(bill) = view.bill(number).filter(|bill| !may_adopt(bill.status)) {
        return Some(format!("invoice `{number}` is {} with another code", bill.status.name()));
    }
    if let Some(other) = view.holder(&item.answer.payment_code).filter(|other| *other != number) {
        return Some(format!("its code is live for invoice `{other}`"));
    }
    let others = |number: &InvoiceNumber| view.goes_by(number).filter(|other| **other != item.invoice_number).cloned();
    let taken =
        others(number).or_else(|| wire.and_then(|wire| others(wire).or_else(|| view.bill(wire).map(|bill| bill.invoice_number.clone()))));
    if let Some(other) = taken {
        return Some(format!("its number at DOKU, `{}`, is that of invoice `{other}`", wire.unwrap_or(number)));
    }
    if !claimed.insert(wire.unwrap_or(number).clone()) {
        return Some(format!("another row has its number at DOKU, `{}`", wire.unwrap_or(number)));
    }
    None
}

/// What a row says otherwise than the ledger; what it does not say does not differ.
fn differences(item: &AdoptedCode, bill: &BillState) -> Vec<String> {
    let (ours, theirs) = (&bill.terms, &item.terms);
    let mut found = Vec::new();
    if ours.amount != theirs.amount {
        let amount = |amount: u64| rupiah(i128::from(amount));
        found.push(format!("the amount is {} in the ledger and {} in the file", amount(ours.amount.get()), amount(theirs.amount.get())));
    }
    if ours.channel != theirs.channel {
        found.push(format!("the channel is {} in the ledger and {} in the file", ours.channel, theirs.channel));
    }
    let held = bill.code.as_ref().and_then(|code| code.answer.expires_at);
    if theirs.expiry != EXPIRY_UNKNOWN && held != item.answer.expires_at {
        let shown = |at: Option<jiff::Timestamp>| at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
        found.push(format!("the expiry is {} in the ledger and {} in the file", shown(held), shown(item.answer.expires_at)));
    }
    found
}
