//! The ledger of several hosts: one PostgreSQL database, any number of writers who take turns, and readers nobody waits for.
//!
//! Belongs here: everything that speaks to PostgreSQL. Must not be here: what an event means (`domain::lifecycle`), which code is live
//! (`ledger::rules`) or what a row says (`ledger::sql`).

mod answers;
mod append;
mod cells;
mod copy;
mod engine;
mod heartbeat;
mod lease;
mod minting;
mod open;
mod operations;
mod origin;
mod patience;
mod purge;
mod read;
mod rekey;
mod rows;
mod schema;
mod seal_all;
mod server;
mod session;
mod tables;
#[cfg(test)]
pub(super) mod tests;
mod tree;
mod unwritten;
mod vacuum;
mod view;
mod world;
mod writer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::seals::Seals;
use super::sql::fault::Fault;
use super::{AppliedPayments, Binding, Create, Ledger, LedgerError, LedgerHead, NewEvent, Purged, VerifyReport};
use crate::domain::bill::Salts;
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::share::RateShare;
use engine::Engine;
use server::Access;
use writer::{Job, Reply};

pub use minting::MintingRight;
pub use server::{PostgresServer, ServerAccess};
pub use view::PostgresView;

/// Payments of one job; more are split, which nobody can tell, as adding them is idempotent.
const PAYMENTS_AT_ONCE: usize = 1024;

/// A ledger in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresLedger {
    salts: Salts,
    engine: Arc<Engine>,
    is_new: bool,
    is_read_only: bool,
}

impl PostgresLedger {
    /// Opens the ledger for reading and writing; makes or migrates its tables where this user may.
    pub fn open(server: PostgresServer, binding: &Binding, create: Create) -> Result<Self, LedgerError> {
        let salts = Salts::new(seed(&server));
        let engine = start(server.sealed(&binding.seals), Access::View)?;
        let is_new = open::writable(&engine, binding, create)?;
        Ok(Self { salts, engine, is_new, is_read_only: false })
    }

    /// Opens the ledger for reading; whatever would write fails.
    pub fn open_read_only(server: PostgresServer, binding: &Binding) -> Result<Self, LedgerError> {
        Self::reading(server.sealed(&binding.seals), Some(binding))
    }

    /// The same, whosever it is.
    pub fn unbound(server: PostgresServer) -> Result<Self, LedgerError> {
        Self::reading(server, None)
    }

    fn reading(server: PostgresServer, binding: Option<&Binding>) -> Result<Self, LedgerError> {
        let engine = start(server, Access::Read)?;
        open::read_only(&engine, binding)?;
        // Nothing that is salted with these is ever kept.
        Ok(Self { salts: Salts::new([0; 32]), engine, is_new: false, is_read_only: true })
    }

    /// Whether opening it has made it.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Takes a lease, whose number is on everything that is written from then on: what is open is this ledger's to settle, and no other
    /// holder's for as long as the lease counts. `ceiling` is what its holder takes for the rate of all; nothing, if it sends nothing.
    pub fn lease(&self, holder: &str, ceiling: RateShare) -> Result<(), LedgerError> {
        heartbeat::take(&self.engine, holder, ceiling)
    }

    /// Waits for the right to give out codes of our own making.
    pub fn minting(&self) -> Result<MintingRight, LedgerError> {
        minting::take(&self.engine)
    }

    /// What the holder of the lease may use of everybody's rate, whenever it is asked.
    pub fn share(&self) -> impl Fn() -> RateShare + Send + Sync + use<> {
        let lease = self.engine.lease.clone();
        move || lease.share()
    }

    /// Resolves when the lease is lost: nothing more will be recorded.
    pub async fn lost(&self) -> LedgerError {
        self.engine.lease.lost().await;
        self.engine.server.place().error(Fault::LeaseLost)
    }

    /// Who holds a lease, in words.
    pub fn senders(&self) -> Result<Vec<String>, LedgerError> {
        heartbeat::holders(&self.engine)
    }

    /// Writes every event in order as a JSON line, then a line with the head. The same ledger gives the same bytes.
    pub async fn export(&self, out: &mut dyn Write) -> Result<LedgerHead, LedgerError> {
        self.view().await?.export(out).await
    }

    /// How much of it [`PostgresLedger::purge_personal`] would remove.
    pub async fn purgeable(&self, before: Timestamp) -> Result<Purged, LedgerError> {
        let view = self.view().await?;
        view.ask(async { purge::purgeable(view.0.session()?, before).await }).await
    }

    /// Removes names, addresses and bodies of bills that are over; see [`super::SqliteLedger::purge_personal`].
    pub async fn purge_personal(&self, before: Timestamp, now: Timestamp) -> Result<Purged, LedgerError> {
        let purged = self.asked(|reply| Job::Purge(before, now, reply)).await?;
        vacuum::vacuum(&self.engine, purged).await;
        Ok(purged)
    }

    /// Keeps what a person says at `now` about one of DOKU's keys, as an event.
    pub async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<(), LedgerError> {
        self.asked(|reply| Job::Revoke(Box::new(revocation), now, reply)).await
    }

    /// Seals all of it with `seals`; see [`super::Store::rekey`].
    pub async fn rekey(&self, seals: &Seals, now: Timestamp) -> Result<LedgerHead, LedgerError> {
        rekey::rekey(&self.engine, seals, now).await.map_err(|fault| self.engine.server.place().error(fault))
    }

    /// Copies all of it, as it is at one moment, to an SQLite ledger at `to`, which must not exist yet.
    pub async fn copy_to(&self, to: &Path) -> Result<LedgerHead, LedgerError> {
        copy::out(&self.engine, to).await
    }

    /// Fills it, while it is empty, with all there is in the SQLite ledger at `from`, whose chain and folds hold.
    pub async fn fill_from(&self, from: &Path) -> Result<LedgerHead, LedgerError> {
        copy::fill(&self.engine, from).await
    }

    /// Checks its tables, its hash chain, the fold of every bill and the invariants; with `expected`, also that the chain still contains
    /// that head.
    pub async fn verify(&self, expected: Option<&LedgerHead>) -> Result<VerifyReport, LedgerError> {
        copy::verify(&self.engine, expected).await
    }

    async fn asked<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, LedgerError> {
        let place = self.engine.server.place();
        if self.is_read_only {
            return Err(place.failed("it was opened for reading only"));
        }
        let (reply, answer) = oneshot::channel();
        self.engine.send(job(reply));
        answer.await.unwrap_or_else(|_| Err(place.failed("its writing thread has ended")))
    }
}

impl Drop for PostgresLedger {
    fn drop(&mut self) {
        heartbeat::give_back(&self.engine);
    }
}

fn seed(server: &PostgresServer) -> [u8; 32] {
    let mut seed = [0; 32];
    server.randomness.fill(&mut seed);
    seed
}

fn start(server: PostgresServer, access: Access) -> Result<Arc<Engine>, LedgerError> {
    let place = server.place().clone();
    Engine::start(server, access).map_err(|fault: Fault| place.error(fault))
}

impl Ledger for PostgresLedger {
    type View = PostgresView;

    fn salts(&self) -> &Salts {
        &self.salts
    }

    async fn record(&self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        self.asked(|reply| Job::Record(entries, reply)).await
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<AppliedPayments, LedgerError> {
        let mut total = AppliedPayments::default();
        for part in payments.chunks(PAYMENTS_AT_ONCE) {
            let applied = self.asked(|reply| Job::Payments(part.to_vec(), reply)).await?;
            total.new = total.new.saturating_add(applied.new);
            total.known = total.known.saturating_add(applied.known);
        }
        Ok(total)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn keep_answer(&self, request_id: &str, at: Timestamp, since: Timestamp, answer: &str) -> Result<Option<String>, LedgerError> {
        let kept = answers::keep(&self.engine, request_id, at, since, answer).await;
        kept.map(Some).map_err(|fault| self.engine.server.place().error(fault))
    }

    async fn forget_answers(&self, since: Timestamp) -> Result<(), LedgerError> {
        answers::forget(&self.engine, since).await.map_err(|fault| self.engine.server.place().error(fault))
    }

    async fn view(&self) -> Result<PostgresView, LedgerError> {
        self.engine.lend().await.map(PostgresView::new).map_err(|fault| self.engine.server.place().error(fault))
    }
}
