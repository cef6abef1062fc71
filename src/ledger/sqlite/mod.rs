//! The embedded ledger: one SQLite file in WAL mode, one writing thread, any number of readers.
//!
//! Belongs here: everything that knows SQL. Must not be here: what an event means (`domain::lifecycle`) or which code is
//! live (`ledger::rules`).

mod append;
mod chain;
mod checkpoint;
mod connect;
mod customers;
pub(super) mod db;
mod folded;
mod indexes;
mod marks;
mod migrate;
mod names;
pub(super) mod open;
mod origin;
mod paid;
mod payments;
mod read;
mod rekey;
mod rows;
mod schema;
mod terms;
#[cfg(test)]
mod tests;
mod totals;
mod tree;
mod upkeep;
mod verify;
mod verify_bill;
mod verify_chain;
mod verify_report;
mod verify_seals;
mod view;
mod write;
mod writer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::chain::Origin;
use super::seals::Seals;
use super::{AppliedPayments, Ledger, LedgerError, LedgerHead, NewEvent};
use crate::domain::bill::Salts;
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::random::Randomness;

use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use db::Db;
use verify::examine;
use view::Pool;
use writer::{Job, Writer};

pub use open::{Binding, Create, Migrated};
pub use upkeep::Purged;
pub use verify_report::VerifyReport;
pub use view::SqliteView;

/// Payments of one transaction; more are split, which nobody can tell, as adding them is idempotent.
const PAYMENTS_PER_TRANSACTION: usize = 1024;

/// A ledger in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    salts: Salts,
    migrated: Option<Migrated>,
    readers: Arc<Pool>,
    writer: Option<Writer>,
}

impl SqliteLedger {
    /// Opens the ledger at `path` for reading and writing; migrates an older schema, and keeps a copy of it as it was.
    pub fn open(path: &Path, binding: &Binding, create: Create, randomness: &impl Randomness) -> Result<Self, LedgerError> {
        let place = Place::new(path);
        let opened = open::writable(&place, binding, create, migrate::MIGRATIONS)?;
        let reader = open::read_only(&place, binding)?.connection;
        let writer = Writer::start(opened.connection, opened.origin, place.clone()).map_err(|error| place.error(Fault::Io(error)))?;
        let readers = Arc::new(Pool::new(place, reader));
        Ok(Self { salts: Salts::new(randomness.bytes()), migrated: opened.migrated, readers, writer: Some(writer) })
    }

    /// Opens the ledger at `path` for reading; whatever would write fails.
    pub fn open_read_only(path: &Path, binding: &Binding) -> Result<Self, LedgerError> {
        let place = Place::new(path);
        let opened = open::read_only(&place, binding)?;
        // Nothing that is salted with these is ever kept.
        let salts = Salts::new([0; 32]);
        Ok(Self { salts, migrated: None, readers: Arc::new(Pool::new(place, opened.connection)), writer: None })
    }

    /// What opening it changed, if it was older.
    #[must_use]
    pub const fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    /// Checks the file, its hash chain, the fold of every bill and the invariants; see [`VerifyReport`].
    pub fn verify(path: &Path, seals: &Seals) -> Result<VerifyReport, LedgerError> {
        verify(&Place::new(path), seals, None)
    }

    /// The same, and that the ledger still contains the head that an earlier run printed.
    pub fn verify_against(path: &Path, seals: &Seals, expected: &LedgerHead) -> Result<VerifyReport, LedgerError> {
        verify(&Place::new(path), seals, Some(expected))
    }

    /// The same of a copy that nobody uses; nothing is written beside it.
    pub fn verify_copy(path: &Path, seals: &Seals) -> Result<VerifyReport, LedgerError> {
        verify(&Place::still(path), seals, None)
    }

    /// Seals the ledger at `path`, whose seals are made with `former`, as `binding` says; see [`super::Store::rekey`].
    pub fn rekey(path: &Path, binding: &Binding, former: &Seals, now: Timestamp) -> Result<LedgerHead, LedgerError> {
        rekey::rekey(path, binding, former, now)
    }

    /// Copies the ledger at `path`, also while it is in use, to `to`, which must not exist yet.
    pub fn backup(path: &Path, to: &Path) -> Result<(), LedgerError> {
        upkeep::backup(&Place::new(path), to)
    }

    /// Writes every event in order as a JSON line, then a line with the head. The same ledger gives the same bytes.
    pub fn export(&self, out: &mut dyn Write) -> Result<LedgerHead, LedgerError> {
        self.readers.view()?.ask(|connection| read::export(connection, out))
    }

    /// How much of it [`SqliteLedger::purge_personal`] would remove.
    pub fn purgeable(&self, before: Timestamp) -> Result<Purged, LedgerError> {
        self.readers.view()?.ask(|connection| upkeep::purgeable(connection, before))
    }

    /// Removes names, addresses and bodies of bills that nothing happened to since `before` and whose code cannot be paid
    /// any more: none was made, or it was cancelled, refused, retired, past its expiry or paid (unless reusable) by then. The
    /// purge itself becomes an event at `now`.
    pub async fn purge_personal(&self, before: Timestamp, now: Timestamp) -> Result<Purged, LedgerError> {
        self.alone(move |connection, origin| upkeep::purge(connection, origin, before, now)).await
    }

    /// Keeps what a person says at `now` about one of DOKU's keys, as an event.
    pub async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<(), LedgerError> {
        self.alone(move |connection, origin| upkeep::revoke(connection, origin, &revocation, now)).await
    }

    fn send(&self, job: Job) -> Result<(), LedgerError> {
        match &self.writer {
            Some(writer) => {
                writer.send(job);
                Ok(())
            }
            None => Err(self.readers.place.failed("it was opened for reading only")),
        }
    }

    /// Runs `work` on the writing thread, between transactions.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db, &Origin) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Alone(Box::new(move |connection, origin| drop(reply.send(work(connection, origin))))))?;
        answer.await.map_err(|_| self.writer_is_gone())?.map_err(|fault| self.readers.place.error(fault))
    }

    fn writer_is_gone(&self) -> LedgerError {
        self.readers.place.failed("its writing thread has ended")
    }
}

impl Ledger for SqliteLedger {
    type View = SqliteView;

    fn salts(&self) -> &Salts {
        &self.salts
    }

    async fn record(&self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Record(entries, Box::new(move |result| drop(reply.send(result)))))?;
        answer.await.unwrap_or_else(|_| Err(self.writer_is_gone()))
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<AppliedPayments, LedgerError> {
        let mut total = AppliedPayments::default();
        for part in payments.chunks(PAYMENTS_PER_TRANSACTION) {
            let (reply, answer) = oneshot::channel();
            self.send(Job::Payments(part.to_vec(), Box::new(move |result| drop(reply.send(result)))))?;
            let applied = answer.await.unwrap_or_else(|_| Err(self.writer_is_gone()))?;
            total.new = total.new.saturating_add(applied.new);
            total.known = total.known.saturating_add(applied.known);
        }
        Ok(total)
    }

    async fn view(&self) -> Result<SqliteView, LedgerError> {
        self.readers.view()
    }
}

/// Checks the file, the chain, the fold and the invariants. With `expected`, also that the chain still contains that head, so
/// that an older copy put back is found. Reads one consistent state; others may go on writing.
pub(super) fn verify(place: &Place, seals: &Seals, expected: Option<&LedgerHead>) -> Result<VerifyReport, LedgerError> {
    let opened = open::of_whomever(place, seals)?;
    let examined = || -> Result<VerifyReport, Fault> {
        opened.connection.execute_batch("BEGIN")?;
        examine(&opened.connection, expected)
    };
    examined().map_err(|fault| place.error(fault))
}
