//! Files through the whole of intake: each refusal one by one, the samples, and properties.

mod batches;
mod properties;
mod refusals;
mod samples;

use std::path::PathBuf;

use super::{Defaults, InputPlace, InputRow, IntakeError, Note, Options, RefusedRow, RowVerdict, read};
use crate::domain::bill::Bill;

/// The instant all tests run at.
pub(super) fn options() -> Options {
    let now = "2026-10-15T03:00:00Z".parse().unwrap();
    let defaults = Defaults { expiry_minutes: Some(1440), ..Defaults::default() };
    Options { defaults, ..Options::new(now) }
}

/// All that was read, at once.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) valid: Vec<Sourced>,
    pub(super) refused: Vec<RefusedRow>,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) rows: u64,
    pub(super) notes: Vec<Note>,
    pub(super) all: Vec<InputRow<Bill>>,
}

/// A bill and its row.
#[derive(Debug)]
pub(super) struct Sourced {
    pub(super) item: Bill,
}

/// A row that says again what an earlier one said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) place: InputPlace,
    pub(super) of: InputPlace,
}

pub(super) fn listed(input: &super::Intake) -> Intake {
    let mut intake = Intake {
        valid: Vec::new(),
        refused: Vec::new(),
        duplicates: Vec::new(),
        rows: input.rows,
        notes: input.notes.clone(),
        all: Vec::new(),
    };
    input
        .each(|row| -> Result<(), super::KeepingError> {
            match row.verdict.clone() {
                RowVerdict::Valid(item) => intake.valid.push(Sourced { item }),
                RowVerdict::Refused(reasons) => intake.refused.extend(reasons),
                RowVerdict::Duplicate(of) => intake.duplicates.push(Duplicate { place: row.place.clone(), of }),
            }
            intake.all.push(row);
            Ok(())
        })
        .unwrap();
    let count = |length: usize| u64::try_from(length).unwrap();
    assert_eq!((input.valid, input.duplicates), (count(intake.valid.len()), count(intake.duplicates.len())));
    assert_eq!(intake.rows, input.valid + input.refused + input.duplicates, "I13: rows = valid + refused + duplicates");
    let mut places: Vec<_> = intake.refused.iter().map(|refused| refused.place.order()).collect();
    assert!(places.is_sorted());
    places.dedup();
    assert_eq!(count(places.len()), input.refused);
    intake
}

/// The files that an error is about.
pub(super) fn files_refused(error: &IntakeError) -> &[super::RefusedFile] {
    match error {
        IntakeError::Files(files) => files,
        IntakeError::Keeping(error) => panic!("{error}"),
    }
}

/// Reads files of these contents, named `0.csv`, `1.csv`, …
pub(super) fn read_bytes(files: &[&[u8]], options: &Options) -> Result<Intake, IntakeError> {
    let folder = tempfile::tempdir().unwrap();
    let write = |(index, bytes): (usize, &&[u8])| {
        let path = folder.path().join(format!("{index}.csv"));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
    read(&paths, options).map(|input| listed(&input))
}
