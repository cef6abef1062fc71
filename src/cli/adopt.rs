//! `tagih ledger import`: codes that exist at DOKU already, taken into the ledger.

use std::collections::HashSet;
use std::path::Path;

use super::keeping::wait;
use super::output::{self, rupiah};
use super::setup::{Failure, Setup};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event, Status};
use crate::domain::plan::{MapView, View as _};
use crate::exit::Exit;
use crate::intake::Sourced;
use crate::intake::import::{self, AdoptedCode, EXPIRY_UNKNOWN};
use crate::ledger::{Create, Entry, Ledger as _, Private, SenderLock};
use crate::table::Settings;

/// Codes adopted in one call to the ledger.
const BATCH: usize = 1_000;

/// How codes are taken over.
#[derive(Debug)]
pub(super) struct Adopting {
    pub(super) new_ledger: bool,
    /// Whether a known code's other amount or expiry is taken over too.
    pub(super) update: bool,
    pub(super) tables: Settings,
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
    let codes = import::read(&[file.to_path_buf()], &adopting.tables)?;
    for note in &codes.notes {
        output::note(format_args!("note: {}: {}", note.file.display(), note.text));
    }
    for refused in &codes.refused {
        output::note(refused);
    }
    super::check::usable(&codes)?;
    let create = if adopting.new_ledger || !setup.is_production() { Create::IfMissing } else { Create::Never };
    let _lock = SenderLock::acquire(setup.ledger_path(), "ledger import")?;
    let ledger = setup.open_ledger(&setup.binding()?, create)?;
    let known = ledger.snapshot()?.bills;
    let view = MapView::new(&known, HashSet::new());
    let (mut adopted, mut unchanged, mut updated, mut differing, mut refused) = (0_u64, 0_u64, 0_u64, 0_u64, codes.refused_row_count);
    let mut entries = Vec::new();
    for code in &codes.valid {
        let holder = view.holder(&code.item.answer.payment_code);
        let slot = match fate(code, known.get(&code.item.invoice_number), holder) {
            Fate::Adopt => &mut adopted,
            Fate::Known => {
                unchanged += 1;
                continue;
            }
            Fate::Differs(what) => {
                output::note(format_args!("{}: invoice `{}`: {}", code.place, code.item.invoice_number, what.join(", ")));
                if !adopting.update {
                    differing += 1;
                    continue;
                }
                &mut updated
            }
            Fate::Refused(why) => {
                refused += 1;
                output::note(format_args!("{}: {why}", code.place));
                continue;
            }
        };
        *slot += 1;
        let event = Event::Adopted { terms: code.item.terms.clone(), answer: code.item.answer.clone() };
        entries.push(Entry { invoice_number: code.item.invoice_number.clone(), at: setup.clock.now(), event, private: Private::default() });
    }
    for batch in entries.chunks(BATCH) {
        wait(ledger.record(batch.to_vec()))?;
    }
    let differences =
        if differing > 0 { format!(", {differing} known with other terms (`--update` takes them over)") } else { String::new() };
    let taken_over = if updated > 0 { format!(", {updated} updated") } else { String::new() };
    output::result(format_args!(
        "{} rows: {adopted} adopted{taken_over}, {unchanged} known{differences}, {refused} refused, {} duplicate",
        codes.rows,
        codes.duplicates.len()
    ));
    Ok(if refused + differing > 0 { Exit::Look } else { Exit::Done })
}

/// What the ledger's state of the bill, and the bill that holds the code, make of a row.
fn fate(code: &Sourced<AdoptedCode>, bill: Option<&BillState>, holder: Option<&InvoiceNumber>) -> Fate {
    let item = &code.item;
    match bill {
        Some(bill) if bill.code.as_ref().is_some_and(|held| held.answer.payment_code == item.answer.payment_code) => {
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
        Some(bill) if !matches!(bill.status, Status::Planned | Status::Rejected) => {
            Fate::Refused(format!("invoice `{}` is {} with another code", item.invoice_number, bill.status.name()))
        }
        _ => match holder {
            Some(other) => Fate::Refused(format!("its code is live for invoice `{other}`")),
            None => Fate::Adopt,
        },
    }
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
