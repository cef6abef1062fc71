//! Calls to the ledger that have to wait for its durability, by whoever has no threads of its own.

use super::failure::Failure;
use crate::ledger::LedgerError;

/// Runs one call to the ledger that has to wait for durability.
pub(super) fn wait<O>(work: impl Future<Output = Result<O, LedgerError>>) -> Result<O, Failure> {
    done(async { Ok(work.await?) })
}

/// The same of work that is more than one question.
pub(super) fn done<O>(work: impl Future<Output = Result<O, Failure>>) -> Result<O, Failure> {
    runtime()?.block_on(work)
}

/// What such calls run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?)
}
