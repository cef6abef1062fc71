//! `tagih check`: what a file would mean, without network or ledger.

use std::path::{Path, PathBuf};

use super::output::{self, rupiah};
use super::setup::{Failure, Setup};
use crate::domain::bill::Wanted;
use crate::domain::spreadsheet::escaped;
use crate::exit::Exit;
use crate::intake::{self, Input, Intake, codes};
use crate::report::atomic;
use crate::table;

pub(super) fn check(setup: &Setup, files: &[PathBuf], options: &intake::Options, out: Option<&Path>) -> Result<Exit, Failure> {
    let intake = intake::read(files, options)?;
    for note in &intake.notes {
        output::note(format_args!("note: {}: {}", note.file.display(), note.text));
    }
    super::refused::lines(setup, &intake);
    usable(&intake)?;
    let amounts = intake.valid.iter().map(|row| match &row.item.wanted {
        Wanted::Live(terms) => i128::from(terms.amount.get()),
        Wanted::Cancelled => 0,
    });
    let (valid, refused, duplicates) = (intake.valid.len(), intake.refused_row_count, intake.duplicates.len());
    let amount: i128 = amounts.sum();
    if setup.json {
        let result =
            serde_json::json!({"rows": intake.rows, "valid": valid, "refused": refused, "duplicate": duplicates, "amount": amount});
        output::result(result);
    } else {
        let rows = intake.rows;
        output::result(format_args!("{rows} rows: {valid} valid ({}), {refused} refused, {duplicates} duplicate", rupiah(amount)));
    }
    if let Some(out) = out {
        write(&intake, out)?;
        write_bad(files, options, &intake, out)?;
    }
    Ok(if refused > 0 { Exit::Look } else { Exit::Done })
}

/// An input most rows of which are no rows at all is not what it is taken for (exit 7).
pub(super) fn usable<T>(input: &Input<T>) -> Result<(), Failure> {
    let is_structural = |refused: &&intake::RefusedRow| [codes::CELL_COUNT, codes::ROW_UNCLAIMED].contains(&refused.code);
    let causes = input.refused.iter().filter(is_structural).map(|refused| ("row", refused.reason.as_str()));
    table::mostly(input.rows, causes).map_or(Ok(()), |mostly| Err(Failure::new(Exit::Input, mostly)))
}

/// valid.csv and rejected.csv; neither holds personal data.
fn write(intake: &Intake, out: &Path) -> Result<(), Failure> {
    atomic::write(&out.join("valid.csv"), |file| {
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(["file", "row", "invoice_number", "action"])?;
        for row in &intake.valid {
            let action = if row.item.wanted == Wanted::Cancelled { "cancel" } else { "" };
            let place = &row.place;
            csv.write_record([&place.file.display().to_string(), &place.row.to_string(), row.item.invoice_number.as_str(), action])?;
        }
        csv.flush()
    })?;
    atomic::write(&out.join("rejected.csv"), |file| crate::report::issue::refused_csv(intake, file))?;
    Ok(())
}

/// The bad rows of each file whole, in its own columns and with the reasons behind them, to be mended and given again.
fn write_bad(files: &[PathBuf], options: &intake::Options, intake: &Intake, out: &Path) -> Result<(), Failure> {
    // Standard input is gone by now.
    let again: Vec<PathBuf> = files.iter().filter(|file| file.as_os_str() != "-").cloned().collect();
    if again.len() != files.len() {
        output::note("note: bad rows of standard input cannot be written whole; give a file");
        return Ok(());
    }
    for bad in intake::bad_rows(&again, options, intake)? {
        let name = bad.file.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.split('.').next().unwrap_or_default();
        atomic::write(&out.join(format!("bad-rows-{stem}.csv")), |file| {
            let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(file);
            csv.write_record(bad.header.iter().map(String::as_str).chain([intake::REASON_COLUMN]))?;
            for (cells, reasons) in &bad.rows {
                csv.write_record(cells.iter().map(|cell| escaped(cell)).chain([escaped(reasons)]).map(std::borrow::Cow::into_owned))?;
            }
            csv.flush()
        })?;
    }
    Ok(())
}
