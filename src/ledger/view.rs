//! What a ledger can be asked, of one consistent state of it.
//!
//! Belongs here: questions in the words of the jobs, each about a set of bills or answered as a stream. A question whose answer is
//! the whole ledger is none: memory must not grow with it.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use jiff::Timestamp;

use super::{LedgerError, LedgerHead};
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::{BillMark, BillWithCode};
use crate::domain::owner::Paid;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;

/// Numbers and codes by which bills and payments are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Invoice numbers: bills' own, or those DOKU knows or knew them by.
    pub numbers: BTreeSet<InvoiceNumber>,
    /// Payment codes.
    pub codes: BTreeSet<PaymentCode>,
}

impl Names {
    /// What a bill goes or went by: all its numbers, and every code it holds, held, asks for or was promised.
    #[must_use]
    pub fn of(state: &BillState) -> Self {
        let mut names = Self::default();
        names.add(state);
        names
    }

    /// Those of one more bill.
    pub fn add(&mut self, state: &BillState) {
        self.numbers.insert(state.invoice_number.clone());
        self.numbers.extend(state.other_numbers().into_iter().cloned());
        self.codes.extend(state.payment_codes().cloned());
    }

    /// Those a payment names.
    #[must_use]
    pub fn of_payments<'a>(payments: impl IntoIterator<Item = &'a Payment>) -> Self {
        let mut names = Self::default();
        for payment in payments {
            names.numbers.insert(payment.invoice_number.clone());
            names.codes.insert(payment.payment_code.clone());
        }
        names
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.codes.is_empty()
    }
}

/// What the ledger holds in all, as its store keeps count of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Bills by the name of their status.
    pub by_status: Vec<(&'static str, Sum)>,
    /// Of the active ones: live and to be paid.
    pub payable: Sum,
    /// Of the active ones: past their end and not paid.
    pub expired: Sum,
    /// Bills that verified payments pay, whatever their status.
    pub paid: Sum,
    /// Bills that wait for a person.
    pub held: Sum,
    /// Payments.
    pub payments: Sum,
    /// Payments that Check Status told of; whether a notification proves them too, others say.
    pub told: Sum,
    /// The events that tell what a person said about DOKU's keys.
    pub revocations: Vec<u64>,
}

/// When the state of bills' policies was recorded (UTC), and whether it was one of the wanted; see [`View::lapses`].
pub type Lapses = HashMap<InvoiceNumber, Vec<(Timestamp, bool)>>;

/// A bill that may need a person, and whether verified payments pay it.
pub type Noted = (BillState, Option<Paid>);

/// One line of a bill's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillHappening {
    /// Its code's life.
    Event(Box<Event>),
    /// Money that names one of its numbers.
    Payment(Payment),
}

type Answer<T> = Result<T, LedgerError>;

/// One consistent state of a ledger. What visits goes in the order of keys, or of recording, and holds one thing at a time.
pub trait LedgerView: Send + Sync {
    /// The state's place in the event sequence.
    fn head(&self) -> impl Future<Output = Answer<LedgerHead>> + Send;

    /// Whether every bill and every payment that was recorded is there, as it was written last, and no other: an error where it is not.
    fn whole(&self) -> impl Future<Output = Answer<()>> + Send;

    /// The marks of these bills, in their order; `None` of one that the ledger does not know.
    fn marks(&self, numbers: &[&InvoiceNumber]) -> impl Future<Output = Answer<Vec<Option<BillMark>>>> + Send;

    /// These bills and their codes, in their order; `None` of one that the ledger does not know.
    fn held(&self, numbers: &[&InvoiceNumber]) -> impl Future<Output = Answer<Vec<Option<BillWithCode>>>> + Send;

    /// The bills of these numbers that the ledger knows.
    fn bills(&self, numbers: &[InvoiceNumber]) -> impl Future<Output = Answer<Vec<BillState>>> + Send;

    /// One bill; `None` if the ledger does not know it.
    fn bill(&self, number: &InvoiceNumber) -> impl Future<Output = Answer<Option<BillState>>> + Send {
        async { Ok(self.bills(std::slice::from_ref(number)).await?.pop()) }
    }

    /// Every bill that goes or went by one of the numbers, or holds, held, asks for or was promised one of the codes; by number.
    fn bills_about(&self, names: &Names) -> impl Future<Output = Answer<Vec<BillState>>> + Send;

    /// Bills whose number, or number at DOKU, begins with `prefix`; by number.
    fn bills_beginning(&self, prefix: &str) -> impl Future<Output = Answer<Vec<BillState>>> + Send;

    /// Every payment that names one of the numbers or codes, in the order they were applied. Whose it is,
    /// [`owner::owners`](crate::domain::owner::owners) says.
    fn payments_about(&self, names: &Names) -> impl Future<Output = Answer<Vec<Payment>>> + Send;

    /// Which of these bills verified payments pay, and by which of their codes, as [`owner::notified`](crate::domain::owner::notified)
    /// has it; also numbers that payments name and no bill has.
    fn paid(&self, numbers: &[InvoiceNumber]) -> impl Future<Output = Answer<HashMap<InvoiceNumber, Paid>>> + Send;

    /// The pinned body of a bill's operation; `None` if it is not kept (never recorded, or purged).
    fn body(&self, number: &InvoiceNumber, request_id: RequestId) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;

    /// Who owes a bill; `None` if it is not kept.
    fn customer(&self, number: &InvoiceNumber) -> impl Future<Output = Answer<Option<Customer>>> + Send;

    /// Whether the bill was ever held because of `evidence`, released since or not: the same message holds it once.
    fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> impl Future<Output = Answer<bool>> + Send;

    /// Everything that happened to a bill and every payment that names one of its numbers, in the order of recording.
    fn history(&self, number: &InvoiceNumber) -> impl Future<Output = Answer<Vec<(Timestamp, BillHappening)>>> + Send;

    /// Bills with an operation on its way or in doubt, by number.
    fn open_bills(&self) -> impl Future<Output = Answer<Vec<BillState>>> + Send;

    /// Since when the oldest wish has been in doubt.
    fn oldest_doubt(&self) -> impl Future<Output = Answer<Option<Timestamp>>> + Send;

    /// Bills that are held, and those of which money is known that is not by the code they hold, as notifications or Check Status
    /// tell; by number. Which of them need a person, [`attention`](crate::domain::attention) says.
    fn remarkable(&self) -> impl Future<Output = Answer<Vec<Noted>>> + Send;

    /// Visits bills whose code ended at or before `to`, of which Check Status could tell something new
    /// ([`check_status::may_tell`](crate::domain::check_status::may_tell)) and which no notification proves to be paid by that code.
    fn visit_silent(&self, to: Timestamp, visit: impl FnMut(BillState) + Send) -> impl Future<Output = Answer<()>> + Send;

    /// Visits active bills that no verified payment pays, until `visit` has enough and says so.
    fn visit_unpaid(&self, visit: impl FnMut(BillState) -> bool + Send) -> impl Future<Output = Answer<()>> + Send;

    /// Visits every bill, by number.
    fn visit_bills(&self, visit: impl FnMut(BillState) + Send) -> impl Future<Output = Answer<()>> + Send;

    /// Visits whoever owes a bill, as far as it is kept, with the bill's number.
    fn visit_customers(&self, visit: impl FnMut(InvoiceNumber, Customer) + Send) -> impl Future<Output = Answer<()>> + Send;

    /// Visits every payment, in the order they were applied.
    fn visit_payments(&self, visit: impl FnMut(Payment) + Send) -> impl Future<Output = Answer<()>> + Send;

    /// The highest code of `length` digits that begins with `prefix` and is, or ever was, somebody's or paid.
    fn highest_code(&self, prefix: &str, length: usize) -> impl Future<Output = Answer<Option<PaymentCode>>> + Send;

    /// Visits all such codes, some more than once.
    fn visit_codes(&self, prefix: &str, length: usize, visit: impl FnMut(&PaymentCode) + Send) -> impl Future<Output = Answer<()>> + Send;

    /// What it holds in all, at `now` (UTC). Costs the same for ten bills and ten million.
    fn totals(&self, now: Timestamp) -> impl Future<Output = Answer<LedgerTotals>> + Send;

    /// All that was said about DOKU's keys, in that order, and when (UTC).
    fn revocations(&self) -> impl Future<Output = Answer<Vec<(Timestamp, Revocation)>>> + Send;

    /// Bills open at any time from `from` to `as_of`, both included: planned at or before `as_of`, and not closed before
    /// `from` by cancellation, by expiry plus `expiry_grace_minutes`, or (unless reusable) by a first payment. Counted by the store's
    /// own query.
    fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> impl Future<Output = Answer<Sum>> + Send;

    /// When a policy's state was recorded, in that order, and whether it `is_lapsed`: from the first time it was, for every bill
    /// for which it ever was.
    fn lapses(&self, is_lapsed: impl Fn(&str) -> bool + Send) -> impl Future<Output = Answer<Lapses>> + Send;
}
