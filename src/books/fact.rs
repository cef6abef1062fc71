//! What the evidence says, one fact each: a bill with its history, a payment, a settlement row, what a file says of a batch, a
//! line of a bank statement, an alarm. Each has a stable id, and what is not in the id is content.
//!
//! Facts hold what the engine needs to post and to know them again, and no names of people. Which bill a payment is of, and whether it
//! came too late, is decided before (matching, `domain::classify`) and comes with it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::item::{BooksSubject, ItemId};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::wib_date;
use crate::domain::channel::Channel;
use crate::domain::classify::Class;
use crate::domain::digest::{self, Digest};
use crate::domain::dimensions::Dimensions;
use crate::domain::statement_text::StatementText;

/// A bill as the ledger tells it, up to the end of the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillFact {
    /// Its id.
    pub id: ItemId,
    /// What it is part of: its group's debt, or its own.
    pub debt: ItemId,
    /// Its invoice number.
    pub invoice_number: Box<str>,
    /// Every code and number DOKU knows or knew it by.
    #[serde(default)]
    pub names: Vec<Box<str>>,
    /// Whether it may be paid any number of times, and so owes nothing.
    #[serde(default)]
    pub reusable: bool,
    /// When it is due, if it says so.
    #[serde(default)]
    pub due_on: Option<Date>,
    /// When its last code expires.
    #[serde(default)]
    pub expires_on: Option<Date>,
    /// What happened to it, oldest first; the first is [`Change::Created`].
    pub events: Vec<BillEvent>,
    /// The ledger's word, and nothing else's, that it is paid.
    #[serde(default)]
    pub mark: Option<LedgerMark>,
    /// Branch, agent, product: whatever `[report] dimensions` names.
    #[serde(default)]
    pub dimensions: Dimensions,
}

/// One thing that happened to a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillEvent {
    /// When (UTC); a ledger that does not say is taken to mean the end of the month that first sees it.
    pub at: Option<Timestamp>,
    /// What.
    pub change: BillChange,
}

/// What can happen to a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillChange {
    /// It was made, and asks for so much.
    Created(Amount),
    /// From now on it asks for so much.
    Amended(Amount),
    /// It asks for nothing more.
    Cancelled,
    /// It is asked for again, after a cancellation.
    Reinstated(Amount),
}

/// That a ledger calls a bill paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerMark {
    /// Since when, if it says so.
    pub at: Option<Timestamp>,
    /// How much of it nothing proves, if it says so; else all that is owed.
    pub paid: Option<Amount>,
}

/// Money that a counter took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentFact {
    /// Its id, from its identity.
    pub id: ItemId,
    /// What makes it this payment, in full; none where it was only told.
    #[serde(default, with = "crate::domain::digest::as_hex_or_none")]
    pub identity: Option<Digest>,
    /// What it would be called however its message was written, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::domain::digest::as_hex_or_none")]
    pub canonical: Option<Digest>,
    /// Other ids it is known by.
    #[serde(default)]
    pub aliases: Vec<ItemId>,
    /// What it was paid as.
    #[serde(default)]
    pub notified: Notified,
    /// Where.
    pub channel: Channel,
    /// How much.
    pub amount: Amount,
    /// When (UTC).
    pub paid_at: Timestamp,
    /// Whose it is.
    pub payee: Payee,
    /// Why it waits for a decision although its bill is known.
    #[serde(default)]
    pub hold: Option<PaymentHold>,
    /// Whether only Check Status tells of it (P19).
    #[serde(default)]
    pub only_told: bool,
    /// The class of what is wrong with it, if anything is: what is open of it keeps this name until it is another's.
    #[serde(default)]
    pub class: Option<Class>,
}

/// Invoice number and code as a counter notified them: all that is known of money without a bill, and by what a message is known that tells
/// of the same payment later. Empty where nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notified {
    /// The invoice number.
    pub invoice_number: Box<str>,
    /// The code.
    pub payment_code: Box<str>,
}

/// Whose bill a payment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payee {
    /// A bill's.
    Bill(ItemId),
    /// Nobody's: neither invoice nor code is known (P01).
    Nobody,
    /// Invoice and code disagree (P02).
    Disagreeing,
    /// More than one bill's (P15).
    Ambiguous,
}

/// Why a payment waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentHold {
    /// Paid after its code had expired (P07).
    AfterExpiry,
    /// Paid after its code was cancelled (P08).
    AfterCancellation,
}

/// A row of a settlement file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFact {
    /// Its id: the digest of all its cells, and which of equal rows of one file it is.
    pub id: ItemId,
    /// The batch it stands in.
    pub batch: ItemId,
    /// `INVOICE NUMBER`, where no payment is known for it.
    #[serde(default)]
    pub invoice_number: Box<str>,
    /// `REPORT CODE` and `RECON CODE`, where no payment is known for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Box<str>>,
    /// `TRANSACTION DATE` (WIB), where no payment is known for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_on: Option<Date>,
    /// The bill it names, where no payment is known for it: whose money it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<ItemId>,
    /// Its number in its batch, where it has one.
    #[serde(default)]
    pub number: Box<str>,
    /// The id under which lists of discrepancies show what is wrong with it; empty where nothing is.
    #[serde(default)]
    pub listed_as: Box<str>,
    /// `PAY OUT DATE`; without one it is held and posts nothing.
    pub paid_out_on: Option<Date>,
    /// `AMOUNT`, in rupiah; negative for money that is taken back.
    pub amount: i64,
    /// `FEE`, VAT included.
    pub fee: i64,
    /// `DISCOUNT`.
    pub discount: i64,
    /// `PAY TO MERCHANT`.
    pub paid_out: i64,
    /// What of it goes to third parties.
    #[serde(default)]
    pub shares: i64,
    /// What it is.
    pub kind: RowKind,
}

/// What a settlement row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// It settles a payment.
    Of(Channel, ItemId),
    /// Of our channel, and no payment is known for it (S01), or several are (S13).
    Unclaimed(Channel),
    /// DOKU takes money back (S06).
    Refund(Channel),
    /// It stands a second time in its file (S07).
    Repeated,
    /// Of our channel, and what it is of was settled by another row (S07), or is held beside one (S14).
    Again(Channel),
    /// Another product's (S12).
    Other,
    /// Unreadable (S10), or of a channel nobody knows (S11): it posts nothing, and its batch shows the difference.
    Unreadable,
}

/// What the files say of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchFact {
    /// Its id.
    pub id: ItemId,
    /// Its name in the files, for the bank's reference.
    pub name: Box<str>,
    /// Each `Total Settlement Amount` that a file states.
    pub stated: Vec<i64>,
}

/// A line of a bank statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankLineFact {
    /// Its id: the digest of its cells, and which of equal lines it is.
    pub id: ItemId,
    /// Its value date.
    pub on: Date,
    /// What the account received; negative for what it gave.
    pub amount: i64,
    /// Its text.
    pub text: StatementText,
    /// The id it had before lines were told apart by what their account held, if it has another now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<ItemId>,
}

/// A finding without a balance, or what answers one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmFact {
    /// Its id.
    pub id: ItemId,
    /// Its class.
    pub class: Box<str>,
    /// The WIB day it is of.
    pub on: Date,
    /// How many rupiah are at stake.
    pub at_stake: Rupiah,
    /// The invoice number it is about, and the code; empty where it has none.
    #[serde(default)]
    pub invoice_number: Box<str>,
    /// See above.
    #[serde(default)]
    pub payment_code: Box<str>,
    /// The channel, if it is of one.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The fact that answers it; none while it is open.
    #[serde(default)]
    pub answered_by: Option<ItemId>,
}

/// All facts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// Bills.
    pub bills: Vec<BillFact>,
    /// Payments.
    pub payments: Vec<PaymentFact>,
    /// Settlement rows.
    pub rows: Vec<RowFact>,
    /// Batches.
    pub batches: Vec<BatchFact>,
    /// Lines of bank statements.
    pub bank_lines: Vec<BankLineFact>,
    /// Alarms.
    pub alarms: Vec<AlarmFact>,
}

impl BillChange {
    /// What the bill asks for from then on.
    #[must_use]
    pub const fn asks_for(self) -> Option<Amount> {
        match self {
            Self::Created(amount) | Self::Amended(amount) | Self::Reinstated(amount) => Some(amount),
            Self::Cancelled => None,
        }
    }
}

impl BillEvent {
    /// The id of this event of `bill`, which is what it causes postings by.
    #[must_use]
    pub fn id(&self, bill: ItemId, on: Date) -> ItemId {
        let (name, amount) = match self.change {
            BillChange::Created(amount) => ("created", Some(amount)),
            BillChange::Amended(amount) => ("amended", Some(amount)),
            BillChange::Cancelled => ("cancelled", None),
            BillChange::Reinstated(amount) => ("reinstated", Some(amount)),
        };
        let at = self.at.map_or_else(|| on.to_string(), |at| at.as_microsecond().to_string());
        let amount = amount.map_or_else(String::new, |amount| amount.to_string());
        ItemId::of(BooksSubject::Event, &[bill.key(), name.as_bytes(), at.as_bytes(), amount.as_bytes()])
    }

    /// Its WIB day; `undated` where it does not say.
    #[must_use]
    pub fn day(&self, undated: Date) -> Date {
        self.at.map_or(undated, wib_date)
    }
}

impl AlarmFact {
    /// One of a class, of no day yet and about nothing.
    #[must_use]
    pub fn of(id: ItemId, class: &str) -> Self {
        let (invoice_number, payment_code) = Default::default();
        Self {
            id,
            class: class.into(),
            on: Date::MIN,
            at_stake: Rupiah::ZERO,
            invoice_number,
            payment_code,
            channel: None,
            answered_by: None,
        }
    }
}

impl PaymentFact {
    /// Its WIB day.
    #[must_use]
    pub fn day(&self) -> Date {
        wib_date(self.paid_at)
    }

    /// Stands for what it says: amount, time, place. Equal content, equal digest.
    #[must_use]
    pub fn content(&self) -> Digest {
        let (amount, paid_at) = (self.amount.get().to_be_bytes(), self.paid_at.as_microsecond().to_be_bytes());
        digest::of_parts(&[b"payment-content", self.channel.name().as_bytes(), &amount, &paid_at])
    }
}

impl RowKind {
    /// Whose channel it is of, if it is ours.
    #[must_use]
    pub const fn channel(self) -> Option<Channel> {
        match self {
            Self::Of(channel, _) | Self::Unclaimed(channel) | Self::Refund(channel) | Self::Again(channel) => Some(channel),
            Self::Repeated | Self::Other | Self::Unreadable => None,
        }
    }
}

impl BatchFact {
    /// What the batch pays out by its files' own word; none where they do not say, or do not agree.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        let (first, rest) = self.stated.split_first()?;
        rest.iter().all(|total| total == first).then_some(*first)
    }
}

impl Facts {
    /// Puts facts in the order of their ids, so that equal facts are written equally.
    pub fn sort(&mut self) {
        self.bills.sort_by_key(|bill| bill.id);
        self.payments.sort_by_key(|payment| payment.id);
        self.rows.sort_by_key(|row| row.id);
        self.batches.sort_by_key(|batch| batch.id);
        self.bank_lines.sort_by_key(|line| line.id);
        self.alarms.sort_by_key(|alarm| alarm.id);
    }

    /// Adds `other`.
    pub fn extend(&mut self, other: Self) {
        self.bills.extend(other.bills);
        self.payments.extend(other.payments);
        self.rows.extend(other.rows);
        self.batches.extend(other.batches);
        self.bank_lines.extend(other.bank_lines);
        self.alarms.extend(other.alarms);
    }
}
