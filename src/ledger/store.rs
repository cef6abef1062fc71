//! The store a ledger is in: chosen once, by where it is, and nothing else depends on which it is.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{
    AppliedPayments, BillHappening, Binding, Create, Lapses, Ledger, LedgerError, LedgerHead, LedgerTotals, LedgerView, Migrated,
    MintingRight, Names, NewEvent, Noted, PostgresLedger, PostgresServer, PostgresView, Purged, Seals, SenderLock, SqliteLedger,
    SqliteView, VerifyReport,
};
use crate::domain::bill::{Customer, Salts};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::BillState;
use crate::domain::mark::{BillMark, BillWithCode};
use crate::domain::owner::Paid;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::share::RateShare;
use crate::domain::sum::Sum;
use crate::random::Randomness;

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file of this machine.
    File(PathBuf),
    /// A database for several hosts.
    Server(Box<PostgresServer>),
}

impl Location {
    /// The same, of a ledger whose seals are made so.
    #[must_use]
    pub fn sealed(self, seals: &Seals) -> Self {
        match self {
            Self::Server(server) => Self::Server(Box::new(server.sealed(seals))),
            file @ Self::File(_) => file,
        }
    }

    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(server) => server.name(),
        }
    }
}

/// An open ledger.
#[derive(Debug)]
pub enum Store {
    /// In a file.
    Sqlite(SqliteLedger),
    /// In a database.
    Postgres(PostgresLedger),
}

/// One consistent state of it.
#[derive(Debug)]
pub enum StoreView {
    /// Of a file.
    Sqlite(SqliteView),
    /// Of a database.
    Postgres(PostgresView),
}

impl Store {
    /// Opens the ledger for reading and writing; migrates an older schema.
    pub fn open(location: &Location, binding: &Binding, create: Create, randomness: &impl Randomness) -> Result<Self, LedgerError> {
        match location {
            Location::File(path) => SqliteLedger::open(path, binding, create, randomness).map(Self::Sqlite),
            Location::Server(server) => PostgresLedger::open(server.as_ref().clone(), binding, create).map(Self::Postgres),
        }
    }

    /// Opens the ledger for reading; whatever would write fails.
    pub fn open_read_only(location: &Location, binding: &Binding) -> Result<Self, LedgerError> {
        match location {
            Location::File(path) => SqliteLedger::open_read_only(path, binding).map(Self::Sqlite),
            Location::Server(server) => PostgresLedger::open_read_only(server.as_ref().clone(), binding).map(Self::Postgres),
        }
    }

    /// What opening it changed, if it was older and a copy of it was kept.
    #[must_use]
    pub const fn migrated(&self) -> Option<&Migrated> {
        match self {
            Self::Sqlite(ledger) => ledger.migrated(),
            Self::Postgres(_) => None,
        }
    }

    /// Checks what is stored, its hash chain, the fold of every bill and the invariants; with `expected`, also that the ledger still
    /// contains the head that an earlier run printed. `seals` is what a file is sealed with; a server knows it.
    pub async fn verify(location: &Location, seals: &Seals, expected: Option<&LedgerHead>) -> Result<VerifyReport, LedgerError> {
        match (location, expected) {
            (Location::File(path), None) => SqliteLedger::verify(path, seals),
            (Location::File(path), Some(head)) => SqliteLedger::verify_against(path, seals, head),
            (Location::Server(server), expected) => PostgresLedger::unbound(server.as_ref().clone())?.verify(expected).await,
        }
    }

    /// The same of a copy that nobody uses; nothing is written beside it.
    pub fn verify_copy(path: &Path, seals: &Seals) -> Result<VerifyReport, LedgerError> {
        SqliteLedger::verify_copy(path, seals)
    }

    /// Who sends now, in words.
    pub fn senders(location: &Location) -> Result<Vec<String>, LedgerError> {
        match location {
            Location::File(path) => SenderLock::holder(path)
                .map(|holder| holder.into_iter().collect())
                .map_err(|error| LedgerError::Storage { path: path.display().to_string(), reason: format!("its lock: {error}") }),
            Location::Server(server) => match PostgresLedger::unbound(server.as_ref().clone()) {
                Err(LedgerError::Missing { .. }) => Ok(Vec::new()),
                opened => opened?.senders(),
            },
        }
    }

    /// Takes its part in sending for `holder`, who takes `ceiling` for the rate of all (nothing, if it sends nothing).
    pub fn lease(&self, holder: &str, ceiling: RateShare) -> Result<(), LedgerError> {
        match self {
            // Its lock is taken before it is opened.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(ledger) => ledger.lease(holder, ceiling),
        }
    }

    /// Waits for the right to give out codes of our own making; `None` where there is nobody to wait for.
    pub fn minting(&self) -> Result<Option<MintingRight>, LedgerError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(ledger) => ledger.minting().map(Some),
        }
    }

    /// What a sender may use of `ceiling`, whenever it is asked.
    #[must_use]
    pub fn share(&self, ceiling: RateShare) -> Box<dyn Fn() -> RateShare + Send + Sync> {
        match self {
            Self::Sqlite(_) => Box::new(move || ceiling),
            Self::Postgres(ledger) => Box::new(ledger.share()),
        }
    }

    /// Resolves when this process may record nothing more, because it was out of touch for too long.
    pub async fn lost(&self) -> LedgerError {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            Self::Postgres(ledger) => ledger.lost().await,
        }
    }

    /// Copies the ledger, also while it is in use, to a file at `to`, which must not exist yet.
    pub async fn backup(location: &Location, to: &Path) -> Result<(), LedgerError> {
        match location {
            Location::File(path) => SqliteLedger::backup(path, to),
            Location::Server(server) => PostgresLedger::unbound(server.as_ref().clone())?.copy_to(to).await.map(drop),
        }
    }

    /// Makes the ledger `at` out of the one in the file `from`, a backup or the one used until now; it must not exist yet, or have no
    /// events. What is read back is verified before it counts.
    pub async fn restore(location: &Location, binding: &Binding, from: &Path) -> Result<LedgerHead, LedgerError> {
        match location {
            Location::File(path) => {
                let report = SqliteLedger::verify(from, &binding.seals)?;
                if let Some(reason) = report.findings.into_iter().next() {
                    return Err(LedgerError::Damaged { path: from.display().to_string(), reason });
                }
                SqliteLedger::open_read_only(from, binding)?;
                SqliteLedger::backup(from, path)?;
                Ok(report.head)
            }
            Location::Server(server) => PostgresLedger::open(server.as_ref().clone(), binding, Create::IfMissing)?.fill_from(from).await,
        }
    }

    /// Seals the ledger, whose chain and seals are made with `former`, as `binding` says from now on: an event that answers for all before
    /// it, and every seal anew, in one transaction. What does not hold together stays as it is.
    pub async fn rekey(location: &Location, binding: &Binding, former: &Seals, now: Timestamp) -> Result<LedgerHead, LedgerError> {
        match location {
            Location::File(path) => SqliteLedger::rekey(path, binding, former, now),
            Location::Server(server) => {
                let bound = Binding { seals: former.clone(), ..binding.clone() };
                PostgresLedger::open(server.as_ref().clone(), &bound, Create::Never)?.rekey(&binding.seals, now).await
            }
        }
    }

    /// Writes every event in order as a JSON line, then a line with the head. The same ledger gives the same bytes.
    pub async fn export(&self, out: &mut dyn Write) -> Result<LedgerHead, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.export(out),
            Self::Postgres(ledger) => ledger.export(out).await,
        }
    }

    /// What [`Store::purge_personal`] would remove.
    pub async fn purgeable(&self, before: Timestamp) -> Result<Purged, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.purgeable(before),
            Self::Postgres(ledger) => ledger.purgeable(before).await,
        }
    }

    /// Removes names, addresses and bodies of bills that are over; see [`SqliteLedger::purge_personal`].
    pub async fn purge_personal(&self, before: Timestamp, now: Timestamp) -> Result<Purged, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.purge_personal(before, now).await,
            Self::Postgres(ledger) => ledger.purge_personal(before, now).await,
        }
    }

    /// Keeps what a person says at `now` about one of DOKU's keys, as an event of the chain.
    pub async fn revoke(&self, revocation: Revocation, now: Timestamp) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.revoke(revocation, now).await,
            Self::Postgres(ledger) => ledger.revoke(revocation, now).await,
        }
    }
}

impl Ledger for Store {
    type View = StoreView;

    fn salts(&self) -> &Salts {
        match self {
            Self::Sqlite(ledger) => ledger.salts(),
            Self::Postgres(ledger) => ledger.salts(),
        }
    }

    async fn record(&self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.record(entries).await,
            Self::Postgres(ledger) => ledger.record(entries).await,
        }
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<AppliedPayments, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.apply_payments(payments).await,
            Self::Postgres(ledger) => ledger.apply_payments(payments).await,
        }
    }

    fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(ledger) => ledger.is_shared(),
            Self::Postgres(ledger) => ledger.is_shared(),
        }
    }

    async fn keep_answer(&self, request_id: &str, at: Timestamp, since: Timestamp, answer: &str) -> Result<Option<String>, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.keep_answer(request_id, at, since, answer).await,
            Self::Postgres(ledger) => ledger.keep_answer(request_id, at, since, answer).await,
        }
    }

    async fn forget_answers(&self, since: Timestamp) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.forget_answers(since).await,
            Self::Postgres(ledger) => ledger.forget_answers(since).await,
        }
    }

    async fn view(&self) -> Result<StoreView, LedgerError> {
        match self {
            Self::Sqlite(ledger) => ledger.view().await.map(StoreView::Sqlite),
            Self::Postgres(ledger) => ledger.view().await.map(StoreView::Postgres),
        }
    }
}

impl StoreView {
    /// Whether the ledger's history has this head, or it is the empty ledger's.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn has_had(&self, head: &LedgerHead) -> Result<bool, LedgerError> {
        // Whatever number is asked about, a ledger has none after its last.
        if head.sequence > self.head().await?.sequence {
            return Ok(false);
        }
        let found = match self {
            Self::Sqlite(view) => view.head_at(head.sequence),
            Self::Postgres(view) => view.head_at(head.sequence).await,
        };
        Ok(found? == Some(*head))
    }
}

/// Each question goes to the view there is.
macro_rules! ask_either {
    ($(fn $question:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl LedgerView for StoreView {
            $(async fn $question(&self, $($name: $kind),*) -> Result<$answer, LedgerError> {
                match self {
                    Self::Sqlite(view) => view.$question($($name),*).await,
                    Self::Postgres(view) => view.$question($($name),*).await,
                }
            })*
        }
    };
}

ask_either! {
    fn head() -> LedgerHead;
    fn whole() -> ();
    fn marks(numbers: &[&InvoiceNumber]) -> Vec<Option<BillMark>>;
    fn held(numbers: &[&InvoiceNumber]) -> Vec<Option<BillWithCode>>;
    fn bills(numbers: &[InvoiceNumber]) -> Vec<BillState>;
    fn bill(number: &InvoiceNumber) -> Option<BillState>;
    fn bills_about(names: &Names) -> Vec<BillState>;
    fn bills_beginning(prefix: &str) -> Vec<BillState>;
    fn payments_about(names: &Names) -> Vec<Payment>;
    fn paid(numbers: &[InvoiceNumber]) -> HashMap<InvoiceNumber, Paid>;
    fn body(number: &InvoiceNumber, request_id: RequestId) -> Option<Vec<u8>>;
    fn customer(number: &InvoiceNumber) -> Option<Customer>;
    fn was_held_for(number: &InvoiceNumber, evidence: &str) -> bool;
    fn history(number: &InvoiceNumber) -> Vec<(Timestamp, BillHappening)>;
    fn open_bills() -> Vec<BillState>;
    fn oldest_doubt() -> Option<Timestamp>;
    fn remarkable() -> Vec<Noted>;
    fn visit_silent(to: Timestamp, visit: impl FnMut(BillState) + Send) -> ();
    fn visit_unpaid(visit: impl FnMut(BillState) -> bool + Send) -> ();
    fn visit_bills(visit: impl FnMut(BillState) + Send) -> ();
    fn visit_customers(visit: impl FnMut(InvoiceNumber, Customer) + Send) -> ();
    fn visit_payments(visit: impl FnMut(Payment) + Send) -> ();
    fn highest_code(prefix: &str, length: usize) -> Option<PaymentCode>;
    fn visit_codes(prefix: &str, length: usize, visit: impl FnMut(&PaymentCode) + Send) -> ();
    fn totals(now: Timestamp) -> LedgerTotals;
    fn revocations() -> Vec<(Timestamp, Revocation)>;
    fn scope_totals(from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Sum;
    fn lapses(is_lapsed: impl Fn(&str) -> bool + Send) -> Lapses;
}
