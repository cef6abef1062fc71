//! Whether numbers may be given out as payment codes: only where it is known which of them are other customers'.

use super::keeping::wait;
use super::output;
use super::sender::Flags;
use super::setup::{Failure, Setup};
use crate::domain::bill::Bill;
use crate::domain::plan::{self, Minting};
use crate::jobs::issue::highest_code;
use crate::ledger::{Ledger as _, Store};

/// The numbers that `bills` may get, if `merchant_code.template` gives any out; `ledger` is none where there is none yet.
pub(super) fn minting(setup: &Setup, flags: &Flags, bills: &[Bill], ledger: Option<&Store>) -> Result<Option<Minting>, Failure> {
    let Some(minting) = setup.minting()? else {
        return match flags.sequence_from {
            Some(_) => Err(Failure::usage("`--sequence-from` needs `{sequence}` in `merchant_code.template`")),
            None => Ok(None),
        };
    };
    let minting = Minting { from: flags.sequence_from.unwrap_or(1).into(), ..minting };
    if !bills.iter().any(plan::lacks_code) {
        return Ok(Some(minting));
    }
    let highest = ledger.map(|ledger| wait(async { highest_code(&ledger.view().await?, &minting).await })).transpose()?.flatten();
    let prefix = &minting.prefix;
    match (&highest, flags.sequence_from) {
        (None, None) if setup.is_production() => Err(Failure::usage(format!(
            "the ledger knows no code that begins with `{prefix}`, so it cannot know which numbers are other customers'\n\
             hint: bring the codes back with `tagih ledger import` and the payments with `tagih ingest`, or give the first number that was \
             never used with `--sequence-from`"
        ))),
        (known, Some(from)) => {
            if !setup.quiet {
                let known = known.as_ref().map_or_else(|| "none".to_owned(), |code| format!("`{code}`"));
                output::note(format_args!(
                    "note: codes are numbered from {from} on; the highest known that begins with `{prefix}`: {known}"
                ));
            }
            Ok(Some(minting))
        }
        (_, None) => Ok(Some(minting)),
    }
}
