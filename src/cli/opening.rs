//! Where the books of a period go on from.

use std::path::Path;

use jiff::civil::Date;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use crate::jobs::reconcile::OpeningFolder;
use crate::journal;

/// Where the opening balances of a period from this day are: in `wanted`, or, for `auto`, in the report that was signed for the
/// days before.
pub(super) fn opening(setup: &Setup, from: Date, wanted: Option<&Path>) -> Result<Option<OpeningFolder>, Failure> {
    let Some(path) = wanted else { return Ok(None) };
    let closed = journal::read(setup.journal_path())?.periods()?;
    let before = closed.iter().find(|period| period.close.closing.to.tomorrow().ok() == Some(from));
    let signed_hash = before.map(|period| period.close.closing_hash.clone());
    if path != Path::new("auto") {
        return Ok(Some(OpeningFolder { path: path.to_owned(), signed_hash }));
    }
    match before {
        Some(period) => Ok(Some(OpeningFolder { path: period.close.report.clone().into(), signed_hash })),
        None if closed.first().is_none_or(|first| from <= first.close.closing.from) => {
            output::note("no period before it is closed: the books begin with it");
            Ok(None)
        }
        None => Err(Failure::usage(format!(
            "the period before {from} is not closed\nhint: close it first, or name its folder: `--opening DIR`"
        ))),
    }
}
