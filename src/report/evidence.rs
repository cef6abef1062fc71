//! evidence.csv: where the bytes of every digest cited are.

use std::io;

use super::atomic::FileWriter;
use super::reconciled_report::Report;
use crate::columns::{Column, Format, Value};
use crate::domain::digest::Digest;
use crate::domain::line::{InputFile, Marks};
use crate::domain::settlement::RowPlace;
use crate::reconcile::Source;

/// What stands for a file where the bytes are in the ledger.
const STATUS_ANSWERS: &str = "(status answers in the ledger)";

/// Where the bytes of a digest are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    digest: Digest,
    file: String,
    line: u64,
    byte: u64,
}

const COLUMNS: [Column<'static, Place>; 4] = [
    Column::digest("digest", |place| Value::digest(&place.digest)),
    Column::foreign("file", |place| (&place.file).into()),
    Column::count("line", |place| place.line.into()),
    Column::count("byte", |place| place.byte.into()),
];

pub(super) fn write(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let mut sources: Vec<Source> = report.outcome.findings.iter().flat_map(|finding| finding.sources.iter().copied()).collect();
    sources.sort_unstable();
    sources.dedup();
    let mut places: Vec<_> = sources.iter().filter_map(|source| located(report, *source)).collect();
    places.sort_unstable();
    format.write(&COLUMNS, places.into_iter(), writer)
}

fn located(report: &Report<'_>, source: Source) -> Option<Place> {
    let inputs = &report.outcome.inputs;
    match source {
        Source::Line(at) => {
            let line = inputs.lines.get(at)?;
            if line.marks.has(Marks::BY_STATUS) {
                // Its bytes are the answer kept in the ledger, under the bill it is about.
                return Some(Place { digest: line.digest, file: STATUS_ANSWERS.to_owned(), line: 0, byte: 0 });
            }
            let file = InputFile::shown_path(report.files, line.file)?;
            Some(Place { digest: line.digest, file, line: line.number.into(), byte: line.byte })
        }
        Source::Row(at) => {
            let row = inputs.malformed.get(usize::try_from(at).ok()?)?;
            Some(Place { digest: row.digest, file: report.ledger_path?.display().to_string(), line: row.row, byte: row.byte })
        }
        Source::Settlement(at) => {
            let row = inputs.settlement.as_ref()?.files.rows.get(usize::try_from(at).ok()?)?;
            in_settlement(report, row.place, row.digest)
        }
        Source::MalformedSettlement(at) => {
            let row = inputs.settlement.as_ref()?.files.malformed.get(usize::try_from(at).ok()?)?;
            in_settlement(report, row.place, row.digest)
        }
    }
}

fn in_settlement(report: &Report<'_>, place: RowPlace, digest: Digest) -> Option<Place> {
    let files = &report.outcome.inputs.settlement.as_ref()?.files.files;
    let file = InputFile::shown_path(files, place.file)?;
    Some(Place { digest, file, line: place.row, byte: place.byte })
}
