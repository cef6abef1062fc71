//! `tagih ledger import`: codes that exist at DOKU already, taken into the ledger.

use std::collections::BTreeSet;
use std::path::Path;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use super::waiting::wait;
use crate::domain::share::RateShare;
use crate::exit::Exit;
use crate::intake::InputPlace;
use crate::intake::import::{self, AdoptedCode};
use crate::jobs::adoption::{self, Adoption};
use crate::ledger::{Create, Ledger as _, LedgerView as _};
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
    let mut claimed = BTreeSet::new();
    for part in codes.parts(|_| true) {
        for rows in part?.chunks(BATCH) {
            let rows: Vec<(&InputPlace, &AdoptedCode)> = rows.iter().filter_map(|row| Some((&row.place, row.valid()?))).collect();
            let codes: Vec<&AdoptedCode> = rows.iter().map(|(_, code)| *code).collect();
            let clock = || setup.clock.now();
            let became = wait(adoption::adopt(&ledger, &codes, adopting.update, &mut claimed, &clock))?;
            rows.iter().zip(&became).for_each(|((place, code), became)| told.row(place, code, became, adopting.update));
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

/// What became of rows, counted.
#[derive(Default)]
struct Told {
    adopted: u64,
    unchanged: u64,
    updated: u64,
    differing: u64,
    refused: u64,
}

impl Told {
    /// Counts a row, and says what is to be said of it.
    fn row(&mut self, place: &InputPlace, code: &AdoptedCode, became: &Adoption, takes_updates: bool) {
        let slot = match became {
            Adoption::Adopted => &mut self.adopted,
            Adoption::Known => &mut self.unchanged,
            Adoption::Differs(what) => {
                output::note(format_args!("{place}: invoice `{}`: {}", code.invoice_number, adoption::listed(what)));
                if takes_updates { &mut self.updated } else { &mut self.differing }
            }
            Adoption::Refused(why) => {
                output::note(format_args!("{place}: {why}"));
                &mut self.refused
            }
        };
        *slot += 1;
    }
}
