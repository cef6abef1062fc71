//! The ledger: our durable record of what was intended, sent, answered and paid.
//!
//! Belongs here: the [`Ledger`] trait in the words of the jobs that use it, and its stores. Must not be here: decisions
//! (they are `domain`'s) and anything about DOKU's wire. Issuance status is a fold of events; every store folds with
//! [`BillState::apply`], in the transaction that appends the event.

mod chain;
pub mod codes;
#[cfg(test)]
mod conformance;
mod lock;
pub mod memory;
mod rules;
pub mod sqlite;

use std::collections::HashMap;
use std::future::Future;

use jiff::Timestamp;

use crate::domain::bill::{Customer, Salt};
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event, IllegalTransition};
use crate::domain::payment::Payment;

pub use lock::SenderLock;
pub use sqlite::{Binding, Create, SqliteLedger};

/// One event to append, with the private data that goes beside it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The bill it happened to.
    pub invoice_number: InvoiceNumber,
    /// When (UTC).
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// What only the purgeable side table may hold.
    pub private: Private,
}

/// Personal data and bodies that travel with an event but are kept apart from it, so that they can be purged.
#[derive(Clone, Debug, Default)]
pub struct Private {
    /// The pinned request body, with the operation's id.
    pub body: Option<(RequestId, Vec<u8>)>,
    /// Who owes the bill; replaces what was kept before.
    pub customer: Option<Customer>,
}

/// The end of the event sequence: printed in every summary, so that an edited or older ledger is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last event's number; 0 for an empty ledger.
    pub sequence: u64,
    /// The hash that chains all events up to it; zero for an empty ledger.
    pub hash: Digest,
}

/// What a planner may look at: every bill, as one consistent state of the ledger.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Every bill by its number.
    pub bills: HashMap<InvoiceNumber, BillState>,
    /// Every payment, in the order it was applied.
    pub payments: Vec<Payment>,
    /// The state's place in the event sequence.
    pub head: Head,
}

/// A code a bill holds or held, or is about to hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldCode {
    /// The code.
    pub payment_code: PaymentCode,
    /// Whose.
    pub invoice_number: InvoiceNumber,
    /// Whether a counter might take it for this bill now; of all bills that had one code, at most one has it live.
    pub live: bool,
}

/// Which bills changed, as far as their codes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChanges {
    /// The present code of each bill that has one; live ones last.
    pub codes: Vec<HeldCode>,
    /// The last event they include.
    pub sequence: u64,
}

/// What applying payments did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Payments the ledger did not know.
    pub new: u64,
    /// Payments it knew already, by identity.
    pub known: u64,
}

/// Bills open at any time in a span, counted by the store's own query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopeTotals {
    /// How many bills.
    pub count: u64,
    /// The sum of their amounts in rupiah.
    pub amount: i128,
}

/// Payments that Check Status told of, counted by the store's own query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoundTotals {
    /// How many payments.
    pub count: u64,
    /// Their rupiah.
    pub amount: i128,
}

/// When the state of bills' policies was recorded (UTC), and whether it was one of the wanted; see [`Ledger::lapses`].
pub type Lapses = HashMap<InvoiceNumber, Vec<(Timestamp, bool)>>;

/// Why the ledger could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk or the database failed (exit 9).
    #[error("the ledger `{path}` failed: {reason}\nhint: check free space and permissions, then run the same command again: it resumes")]
    Storage {
        /// Which ledger.
        path: String,
        /// The store's words.
        reason: String,
    },
    /// What is stored contradicts itself (exit 8).
    #[error(
        "the ledger `{path}` is damaged: {reason}\nhint: restore the last backup and run `tagih ledger verify`; send nothing meanwhile"
    )]
    Damaged {
        /// Which ledger.
        path: String,
        /// What was found.
        reason: String,
    },
    /// It belongs to another environment or client (exit 2).
    #[error(
        "the ledger `{path}` belongs to {found}, this configuration is {wanted}\nhint: use a ledger of its own for each environment and client"
    )]
    OtherBinding {
        /// Which ledger.
        path: String,
        /// What it is bound to.
        found: String,
        /// What the configuration says.
        wanted: String,
    },
    /// There is none, and it was not asked for (exit 2).
    #[error(
        "there is no ledger at `{path}`\nhint: check `ledger.path`; a first ledger is made by `tagih issue FILE --new-ledger` or `tagih ledger import FILE --new-ledger`"
    )]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// Another sender holds it (exit 6).
    #[error("another sender holds the ledger `{path}`: {holder}\nhint: wait until it has finished, then run the same command again")]
    Held {
        /// Which ledger.
        path: String,
        /// Who holds it.
        holder: String,
    },
    /// It was written by a newer tagih (exit 2).
    #[error("the ledger `{path}` has schema version {found}, this tagih knows up to {known}\nhint: use the newer tagih")]
    TooNew {
        /// Which ledger.
        path: String,
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// It was written by an older tagih, and reading alone does not migrate it (exit 2).
    #[error(
        "the ledger `{path}` has schema version {found}, this tagih reads {known}, and this command only reads\n\
         hint: `tagih ledger backup`, then run `tagih ingest` or `tagih issue` once: whatever writes migrates it, and nothing is lost"
    )]
    TooOld {
        /// Which ledger.
        path: String,
        /// Its version.
        found: usize,
        /// The version this program reads.
        known: usize,
    },
    /// An event that cannot happen (exit 8, I6).
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// A payment code would be live for two invoices (exit 8, I11).
    #[error("payment code of invoice `{invoice_number}` is already live for invoice `{other}`")]
    CodeTaken {
        /// The bill that was to get it.
        invoice_number: InvoiceNumber,
        /// The bill that has it.
        other: InvoiceNumber,
    },
    /// A number would stand for two bills at DOKU (exit 8).
    #[error("number `{number}` of invoice `{invoice_number}` already stands for invoice `{other}`")]
    NumberTaken {
        /// The bill that was to get it.
        invoice_number: InvoiceNumber,
        /// The number.
        number: InvoiceNumber,
        /// The bill that has or had it.
        other: InvoiceNumber,
    },
}

/// A durable record, in the words of the jobs that use it.
pub trait Ledger: Sync {
    /// The salt of this ledger's personal digests.
    fn salt(&self) -> &Salt;

    /// Appends `entries` in order, all or none, and gives each bill's state after its event. Resolves only once they are
    /// durable; entries of concurrent callers share transactions. An illegal event, a code that is live elsewhere or a number that
    /// stands for another bill fails the call and appends nothing of it.
    fn record(&self, entries: Vec<Entry>) -> impl Future<Output = Result<Vec<BillState>, LedgerError>> + Send;

    /// One consistent state. Takes no lock that outlasts the call.
    fn snapshot(&self) -> Result<Snapshot, LedgerError>;

    /// One bill's state; `None` if the ledger does not know it.
    fn bill(&self, invoice_number: &InvoiceNumber) -> Result<Option<BillState>, LedgerError>;

    /// The pinned body of a bill's operation; `None` if it is not kept (never recorded, or purged).
    fn body(&self, invoice_number: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Who owes a bill; `None` if it is not kept.
    fn customer(&self, invoice_number: &InvoiceNumber) -> Result<Option<Customer>, LedgerError>;

    /// When a bill was first paid, as far as the ledger knows; by what [`owner::is_pair`](crate::domain::owner::is_pair) calls its
    /// payments.
    fn first_paid_at(&self, invoice_number: &InvoiceNumber) -> Result<Option<Timestamp>, LedgerError>;

    /// Every payment that names a number or a code the bill has or had, in the order they were applied. Whether it is the bill's,
    /// [`owner::owners`](crate::domain::owner::owners) says.
    fn payments_about(&self, state: &BillState) -> Result<Vec<Payment>, LedgerError>;

    /// Every bill that has, asks for or had `number` at DOKU, its own or another, and every bill that lost `payment_code`, by
    /// number. Who has the code now, [`Ledger::codes_since`] tells.
    fn bills_about(&self, number: Option<&InvoiceNumber>, payment_code: Option<&PaymentCode>) -> Result<Vec<BillState>, LedgerError>;

    /// Whether the bill was ever held because of `evidence`, released since or not: the same message holds it once.
    fn was_held_for(&self, invoice_number: &InvoiceNumber, evidence: &str) -> Result<bool, LedgerError>;

    /// The codes of all bills to which something happened after event `sequence` (0: of all bills), as one consistent state.
    /// Cheap when nothing has: whoever keeps an index of codes asks again and again.
    fn codes_since(&self, sequence: u64) -> Result<CodeChanges, LedgerError>;

    /// Every code that was ever spoken of for a bill that has lost one: its state remembers the last only.
    fn former_codes(&self) -> Result<Vec<PaymentCode>, LedgerError>;

    /// Adds payments the ledger does not know yet, by identity; durable on return. Never illegal.
    fn apply_payments(&self, payments: &[Payment]) -> Result<Applied, LedgerError>;

    /// Bills open at any time from `from` to `as_of`, both included: planned at or before `as_of`, and not closed before
    /// `from` by cancellation, by expiry plus `expiry_grace_minutes`, or (unless reusable) by a first payment.
    fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Result<ScopeTotals, LedgerError>;

    /// Payments that Check Status told of, counted by the store's own query; whether a notification proves them too, others say.
    fn found_totals(&self) -> Result<FoundTotals, LedgerError>;

    /// When a policy's state was recorded, in that order, and whether it `is_lapsed`: from the first time it was, for every bill
    /// for which it ever was.
    fn lapses(&self, is_lapsed: &dyn Fn(&str) -> bool) -> Result<Lapses, LedgerError>;
}
