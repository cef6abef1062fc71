//! Whether numbers may be given out as payment codes: only where it is known which of them are other customers'.

use super::failure::Failure;
use super::output;
use super::sender::Flags;
use super::setup::Setup;
use crate::domain::plan::Minting;
use crate::jobs::issue::highest_code;
use crate::ledger::LedgerView;

/// The numbers that bills may get, if `merchant_code.template` gives any out; `lacks` says whether any brings none, and `view` is none
/// where there is no ledger yet.
pub(super) async fn minting(setup: &Setup, flags: &Flags, lacks: bool, view: Option<&impl LedgerView>) -> Result<Option<Minting>, Failure> {
    let Some(minting) = setup.minting()? else {
        return match flags.sequence_from {
            Some(_) => Err(Failure::usage("`--sequence-from` needs `{sequence}` in `merchant_code.template`")),
            None => Ok(None),
        };
    };
    let minting = Minting { from: flags.sequence_from.unwrap_or(1).into(), ..minting };
    if !lacks {
        return Ok(Some(minting));
    }
    let highest = match view {
        Some(view) => highest_code(view, &minting).await?,
        None => None,
    };
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
