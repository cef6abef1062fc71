//! `tagih check`: what a file would mean, without network or ledger.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::output::{self, rupiah};
use super::setup::{Failure, Setup};
use crate::domain::bill::Wanted;
use crate::exit::Exit;
use crate::intake::{self, Input, Intake, codes};
use crate::report::atomic;
use crate::report::issue::{bad_rows_csv, refused_csv, valid_csv};
use crate::table::{self, STANDARD_INPUT};

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
        write(files, options, &intake, out)?;
    }
    Ok(if refused > 0 { Exit::Look } else { Exit::Done })
}

/// An input most rows of which are no rows at all is not what it is taken for (exit 7).
pub(super) fn usable<T>(input: &Input<T>) -> Result<(), Failure> {
    let is_structural = |refused: &&intake::RefusedRow| [codes::CELL_COUNT, codes::ROW_UNCLAIMED].contains(&refused.code);
    let causes = input.refused.iter().filter(is_structural).map(|refused| ("row", refused.reason.as_str()));
    table::mostly(input.rows, causes).map_or(Ok(()), |mostly| Err(Failure::new(Exit::Input, mostly)))
}

/// valid.csv, rejected.csv, and the bad rows of each file whole. Only the last hold personal data, unless more is carried through.
fn write(files: &[PathBuf], options: &intake::Options, intake: &Intake, out: &Path) -> Result<(), Failure> {
    atomic::write(&out.join("valid.csv"), |file| valid_csv(intake, file))?;
    atomic::write(&out.join("rejected.csv"), |file| refused_csv(intake, file))?;
    let mut taken = BTreeSet::new();
    for bad in intake::bad_rows(files, options, intake)? {
        let name = bad.file.file_name().unwrap_or_default().to_string_lossy();
        let stem = if name == STANDARD_INPUT { "stdin" } else { name.split('.').next().unwrap_or_default() };
        // Files of one name may come from several folders.
        let names = (1_u32..).map(|count| if count == 1 { format!("bad-rows-{stem}.csv") } else { format!("bad-rows-{stem}-{count}.csv") });
        let name = names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or_default();
        atomic::write(&out.join(name), |file| bad_rows_csv(&bad, file))?;
    }
    Ok(())
}
