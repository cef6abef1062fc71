//! `tagih check`: what a file would mean, without network or ledger.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::{self, rupiah};
use super::setup::Setup;
use crate::exit::Exit;
use crate::intake::{self, BadRows, CheckedBill, Input, KeptItem, codes};
use crate::report::issue::{BadRowsCsv, checked_files};
use crate::table::{self, STANDARD_INPUT};

pub(super) fn check(setup: &Setup, files: &[PathBuf], options: &intake::Options, out: Option<&Path>) -> Result<Exit, Failure> {
    let intake = intake::check(files, options)?;
    for note in &intake.notes {
        output::note(format_args!("note: {}: {}", note.file.display(), note.text));
    }
    super::refused::lines(setup, &intake)?;
    usable(&intake)?;
    let (valid, refused, duplicates, amount) = (intake.valid, intake.refused, intake.duplicates, intake.facts.amount);
    if setup.json {
        let result =
            serde_json::json!({"rows": intake.rows, "valid": valid, "refused": refused, "duplicate": duplicates, "amount": amount});
        output::result(result);
    } else {
        let rows = intake.rows;
        output::done(format_args!("{rows} rows: {valid} valid ({}), {refused} refused, {duplicates} duplicate", rupiah(amount)));
    }
    if let Some(out) = out {
        write(files, options, &intake, out)?;
    }
    Ok(if refused > 0 { Exit::Look } else { Exit::Done })
}

/// An input most rows of which are no rows at all is not what it is taken for (exit 7).
pub(super) fn usable<T: KeptItem>(input: &Input<T>) -> Result<(), Failure> {
    if input.malformed.saturating_mul(2) <= input.rows {
        return Ok(());
    }
    let mut causes: Vec<String> = Vec::new();
    input.each(|row| -> Result<(), Failure> {
        let is_structural = |refused: &&intake::RefusedRow| [codes::CELL_COUNT, codes::ROW_UNCLAIMED].contains(&refused.code);
        causes.extend(row.refused().iter().filter(is_structural).map(|refused| refused.reason.clone()));
        Ok(())
    })?;
    let causes = causes.iter().map(|reason| ("row", reason.as_str()));
    table::mostly(input.rows, causes).map_or(Ok(()), |mostly| Err(Failure::new(Exit::Input, mostly)))
}

/// valid.csv, rejected.csv, and the bad rows of each file whole. Only the last hold personal data, unless more is carried through.
fn write(files: &[PathBuf], options: &intake::Options, intake: &Input<CheckedBill>, out: &Path) -> Result<(), Failure> {
    checked_files::<Failure>(intake, out)?;
    intake::bad_rows(files, options, intake, &mut BadFiles { out, taken: BTreeSet::new(), open: None })
}

/// The bad rows of each file, in a file of their own.
struct BadFiles<'a> {
    out: &'a Path,
    taken: BTreeSet<String>,
    open: Option<BadRowsCsv>,
}

impl BadRows for BadFiles<'_> {
    type Error = Failure;

    fn begin(&mut self, file: &Path, header: &[String]) -> Result<(), Failure> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let stem = if name == STANDARD_INPUT { "stdin" } else { name.split('.').next().unwrap_or_default() };
        // Files of one name may come from several folders.
        let names = (1_u32..).map(|count| if count == 1 { format!("bad-rows-{stem}.csv") } else { format!("bad-rows-{stem}-{count}.csv") });
        let name = names.into_iter().find(|name| self.taken.insert(name.clone())).unwrap_or_default();
        self.open = Some(BadRowsCsv::begin(&self.out.join(name), header)?);
        Ok(())
    }

    fn row(&mut self, cells: &[String], reasons: &str) -> Result<(), Failure> {
        self.open.as_mut().map_or(Ok(()), |open| open.row(cells, reasons)).map_err(Failure::from)
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.open.take().map_or(Ok(()), BadRowsCsv::finish).map_err(Failure::from)
    }
}
