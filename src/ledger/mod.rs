//! The ledger: our durable record of what was intended, sent, answered and paid.
//!
//! Belongs here: the [`Ledger`] trait in the words of the jobs that use it, the [`View`] that answers their questions, and the
//! stores. Must not be here: decisions (they are `domain`'s) and anything about DOKU's wire. Issuance status is a fold of events;
//! every store folds with [`BillState::apply`], in the transaction that appends the event. Nobody loads a whole ledger: questions
//! are about sets of bills, and all numbers that are compared come from one view.

mod chain;
pub mod codes;
#[cfg(test)]
mod conformance;
mod error;
pub mod lock;
pub mod memory;
mod postgres;
mod rules;
mod seals;
mod sql;
mod sqlite;
mod store;
mod terms;
mod view;

use std::future::Future;

use jiff::Timestamp;

use crate::domain::bill::{Customer, Salt, Salts};
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::payment::Payment;

pub use error::{LedgerError, full};
pub use lock::SenderLock;
pub use postgres::{MintingRight, PostgresLedger, PostgresServer, PostgresView, ServerAccess};
pub use seals::Seals;
pub use sqlite::{Binding, Create, Migrated, Purged, SqliteLedger, SqliteView, VerifyReport};
pub use store::{Location, Store, StoreView};
pub use view::{BillHappening, Lapses, LedgerTotals, LedgerView, Names, Noted};

/// One event to append, with the private data that goes beside it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The bill it happened to.
    pub invoice_number: InvoiceNumber,
    /// When (UTC).
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// What must still be so for it to be true.
    pub basis: Basis,
    /// What only the purgeable side table may hold.
    pub private: Private,
}

/// What was looked at when an entry was decided on (compare and set). Where another writer was quicker, it is
/// [`LedgerError::Lost`]: an ordinary outcome, after which its author looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Nothing: it is true whatever else happened to the bill, as long as it can still happen.
    Any,
    /// The bill as it was after this event, [`BillState::last_event`]; 0 for one that the ledger did not know.
    Since(u64),
    /// This operation of the bill, which is open still.
    Operation(RequestId),
}

impl Basis {
    /// The bill as it was looked at; none that the ledger did not know.
    #[must_use]
    pub fn of(state: Option<&BillState>) -> Self {
        Self::Since(state.map_or(0, |state| state.last_event))
    }

    /// Whether it is still so.
    fn holds(self, now: Option<&BillState>) -> bool {
        match self {
            Self::Any => true,
            Self::Since(event) => now.map_or(0, |state| state.last_event) == event,
            Self::Operation(id) => now.and_then(|state| state.open.as_ref()).is_some_and(|open| open.request_id == id),
        }
    }
}

/// Personal data and bodies that travel with an event but are kept apart from it, so that they can be purged.
#[derive(Clone, Debug, Default)]
pub struct Private {
    /// The pinned request body, with the operation's id.
    pub body: Option<(RequestId, Vec<u8>)>,
    /// Who owes the bill, and the salt of the digests that its terms have of it; replaces what was kept before.
    pub customer: Option<(Customer, Salt)>,
}

/// The end of the event sequence: printed in every summary, so that an edited or older ledger is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerHead {
    /// The last event's number; 0 for an empty ledger.
    pub sequence: u64,
    /// The hash that chains all events up to it; zero for an empty ledger.
    pub hash: Digest,
}

/// What applying payments did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppliedPayments {
    /// Payments the ledger did not know.
    pub new: u64,
    /// Payments it knew already, by identity.
    pub known: u64,
}

/// How often a question is asked again that a store which went away has left unanswered.
const ASKED_AGAIN_MAX: u32 = 3;

/// What `ask` comes to, which looks into a view of its own: asked again where the store went away in the middle of it, as a view ends then.
///
/// # Errors
/// Those of `ask`.
pub async fn asked_again<T, F: Future<Output = Result<T, LedgerError>>>(ask: impl Fn() -> F) -> Result<T, LedgerError> {
    for _ in 0..ASKED_AGAIN_MAX {
        match ask().await {
            Err(LedgerError::Unreachable { path, reason }) => tracing::debug!(path, reason, "a view has ended early"),
            answer => return answer,
        }
    }
    ask().await
}

/// A durable record, in the words of the jobs that use it.
pub trait Ledger: Send + Sync {
    /// One consistent state of it, to ask questions.
    type View: LedgerView + 'static;

    /// Salts for bills that have none yet.
    fn salts(&self) -> &Salts;

    /// Appends `entries` in order, all or none, and gives each bill's state after its event. Resolves only once they are
    /// durable; entries of concurrent callers share transactions. An entry that another writer has overtaken, an illegal event, a code
    /// that is live elsewhere or a number that stands for another bill fails the call and appends nothing of it.
    fn record(&self, entries: Vec<NewEvent>) -> impl Future<Output = Result<Vec<BillState>, LedgerError>> + Send;

    /// Adds payments the ledger does not know yet, by identity; durable when it resolves. Never illegal.
    fn apply_payments(&self, payments: &[Payment]) -> impl Future<Output = Result<AppliedPayments, LedgerError>> + Send;

    /// Whether other hosts use it at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Keeps what an inquiry of `at` is answered, so that every host gives the same answer to the same `request_id`: gives the one that
    /// stands, which is an earlier one if it is not older than `since`. `None` where nobody else answers.
    fn keep_answer(
        &self,
        _request_id: &str,
        _at: Timestamp,
        _since: Timestamp,
        _answer: &str,
    ) -> impl Future<Output = Result<Option<String>, LedgerError>> + Send {
        async { Ok(None) }
    }

    /// Removes answers that are older than `since`.
    fn forget_answers(&self, _since: Timestamp) -> impl Future<Output = Result<(), LedgerError>> + Send {
        async { Ok(()) }
    }

    /// The ledger as it is now. It stays so for as long as the view is kept, whatever others record meanwhile; nobody waits for it.
    fn view(&self) -> impl Future<Output = Result<Self::View, LedgerError>> + Send;

    /// One bill's state now; `None` if the ledger does not know it.
    fn bill(&self, invoice_number: &InvoiceNumber) -> impl Future<Output = Result<Option<BillState>, LedgerError>> + Send {
        asked_again(move || async move { self.view().await?.bill(invoice_number).await })
    }

    /// Who owes a bill now; `None` if it is not kept.
    fn customer(&self, invoice_number: &InvoiceNumber) -> impl Future<Output = Result<Option<Customer>, LedgerError>> + Send {
        asked_again(move || async move { self.view().await?.customer(invoice_number).await })
    }

    /// The end of the event sequence now.
    fn head(&self) -> impl Future<Output = Result<LedgerHead, LedgerError>> + Send {
        async { self.view().await?.head().await }
    }
}
