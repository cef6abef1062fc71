//! Files through the whole of intake: each refusal one by one, the samples, and properties.

mod properties;
mod refusals;
mod samples;

use std::path::PathBuf;

use super::{Defaults, Intake, IntakeError, Options, read};

/// The instant all tests run at.
pub(super) fn options() -> Options {
    let now = "2026-10-15T03:00:00Z".parse().unwrap();
    let defaults = Defaults { expiry_minutes: Some(1440), ..Defaults::default() };
    Options { defaults, ..Options::new(now) }
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
    let result = read(&paths, options);
    if let Ok(intake) = &result {
        let count = |length: usize| u64::try_from(length).unwrap();
        let parts = count(intake.valid.len()) + intake.refused_row_count + count(intake.duplicates.len());
        assert_eq!(intake.rows, parts, "I13: rows = valid + refused + duplicates");
        let mut places: Vec<_> = intake.refused.iter().map(|refused| refused.place.order()).collect();
        assert!(places.is_sorted());
        places.dedup();
        assert_eq!(count(places.len()), intake.refused_row_count);
    }
    result
}
