//! What the server asks of the merchant's books, which stand behind a trait: whose a code is, and what arrived.

use std::pin::Pin;

use jiff::Timestamp;

use crate::doku::claim::Claim;
use crate::domain::bill::Customer;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;

/// Something that is waited for.
pub type BooksFuture<'b, T> = Pin<Box<dyn Future<Output = T> + Send + 'b>>;

/// What the server asks of the merchant's books. Looks into them may wait for a disk, and hold their thread meanwhile.
pub trait Books: Send + Sync + 'static {
    /// The bill that has `payment_code`, or had it last.
    ///
    /// # Errors
    /// In words, when the books cannot be read.
    fn find<'b>(&'b self, payment_code: &'b PaymentCode) -> BooksFuture<'b, Result<Option<InquiredBill>, String>>;

    /// Makes `number` one by which payments may name the bill, durably: an inquiry of `at` is about to be answered with it.
    fn named<'b>(
        &'b self,
        invoice_number: &'b InvoiceNumber,
        number: &'b InvoiceNumber,
        at: Timestamp,
    ) -> BooksFuture<'b, Result<(), NotNamed>>;

    /// Hears of money, by what a message names that is verified and not durable yet, and perhaps never will be. Until
    /// [`Books::paid`] or [`Books::not_understood`] hears of it too, whatever it may pay is [`Found::unrecorded`].
    fn arrived(&self, payment_code: Option<&PaymentCode>, invoice_number: Option<&InvoiceNumber>);

    /// Takes note of a payment whose notification is durable. From now on [`Books::find`] knows it.
    fn paid(&self, payment: Payment);

    /// Takes note of money that a durable message told of and that was not understood; `evidence` is the digest of its line. From now
    /// on whatever bill it may be of is held.
    fn not_understood(&self, claim: Claim, evidence: Digest);

    /// Waits until every host knows of the money that the line of that digest told of; `false` where that takes too long. At once where
    /// there is no other host.
    fn is_everywhere<'b>(&'b self, evidence: &'b Digest) -> BooksFuture<'b, bool>;

    /// Which answer stands for an inquiry of `at`, on whichever host it was given: `answer`, or an earlier one to the same `request_id`
    /// that is not older than `since`. `None` where there is no other host.
    ///
    /// # Errors
    /// In words, when the books cannot be written.
    fn stands<'b>(
        &'b self,
        request_id: &'b str,
        at: Timestamp,
        since: Timestamp,
        answer: &'b str,
    ) -> BooksFuture<'b, Result<Option<String>, String>>;

    /// When the first payment arrived that is durable and not in the books yet; `None`: there is none.
    fn behind_since(&self) -> Option<Timestamp>;
}

/// Why a bill does not go by a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNamed {
    /// It is another bill's.
    Taken,
    /// The bill is not as it was any more, and goes by no new number now.
    MovedOn,
    /// The books cannot be written, in words.
    Failed(String),
}

/// A bill as the books have it.
#[derive(Clone, Debug)]
pub struct InquiredBill {
    /// Its state.
    pub state: BillState,
    /// Who owes it, if that is kept.
    pub customer: Option<Customer>,
    /// Whether a payment of it is known.
    pub paid: bool,
    /// Whether it waits for a person.
    pub held: bool,
    /// Whether there may be a payment of it that no disk has taken yet.
    pub unrecorded: bool,
}
