//! `tagih check`: what a file would mean, without network or ledger.

use std::path::{Path, PathBuf};

use super::output::{self, rupiah};
use super::sending::refused_lines;
use super::setup::{Failure, Setup};
use crate::domain::bill::Wanted;
use crate::exit::Exit;
use crate::intake::{self, Intake};
use crate::report::atomic;

pub(super) fn check(setup: &Setup, files: &[PathBuf], cycle: Option<&String>, out: Option<&Path>) -> Result<Exit, Failure> {
    let intake = intake::read(files, &setup.intake(cycle)?)?;
    for note in &intake.notes {
        output::note(format_args!("note: {}: {}", note.file.display(), note.text));
    }
    refused_lines(setup, &intake);
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
    }
    Ok(if refused > 0 { Exit::Look } else { Exit::Done })
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
