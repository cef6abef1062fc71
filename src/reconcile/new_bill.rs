//! What the sources of bills hand over: a bill as they tell it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::amount::Amount;
use crate::domain::channel::Channel;

/// What is known of one bill, as its source tells it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts of one bill")]
pub struct NewBill<'a> {
    /// Its own number.
    pub invoice_number: &'a str,
    /// The number DOKU knows its code by, where that is another.
    pub wire_invoice_number: Option<&'a str>,
    /// Numbers that inquiries about its code were answered with.
    pub answered_as: &'a [&'a str],
    /// Its code; `None`: it has none, or nobody knows it yet.
    pub payment_code: Option<&'a str>,
    /// What it had at DOKU before its present code, if that was replaced.
    pub former: &'a [FormerCode<'a>],
    /// The number under which a code of unknown digits may exist, while an issue is on its way or in doubt.
    pub open_invoice_number: Option<&'a str>,
    /// Where it is to be paid.
    pub channel: Channel,
    /// What it asks for.
    pub amount: Amount,
    /// May it be paid more than once.
    pub reusable: bool,
    /// Whether its issue is on its way or in doubt.
    pub issue_in_doubt: bool,
    /// When the ledger first heard of it.
    pub planned_at: Option<Timestamp>,
    /// When its code was made.
    pub created_at: Option<Timestamp>,
    /// When its code stops being payable.
    pub expires_at: Option<Timestamp>,
    /// When its cancellation was acknowledged.
    pub cancelled_at: Option<Timestamp>,
    /// Whether an external ledger says it is paid.
    pub paid: ExternalMark,
    /// What it asked for before.
    pub earlier_amounts: &'a [Amount],
    /// When each of these was given up; empty where the source does not say.
    pub superseded_at: &'a [Timestamp],
    /// Its product or policy type, if it has one.
    pub product: Option<&'a str>,
    /// What else it is broken down by: names and values, those without one empty.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// When it is due, where that is another day than its expiry's.
    pub due_on: Option<Date>,
    /// The name it shares with other bills of the same debt.
    pub bill_group: Option<&'a str>,
    /// When its policy's state was recorded, in that order, and whether it was lapsed or cancelled by it.
    pub lapses: &'a [(Timestamp, bool)],
    /// L08: whether its code came with other terms than asked for.
    pub issued_otherwise: bool,
    /// Whether its code was given up for dead (an expired one), so that another bill may hold it.
    pub code_is_dead: bool,
    /// Whether only we know its code, so that DOKU asks us about it.
    pub by_inquiry: bool,
}

impl<'a> NewBill<'a> {
    /// One of which nothing else is known.
    pub(super) const fn of(invoice_number: &'a str, channel: Channel, amount: Amount) -> Self {
        Self {
            invoice_number,
            wire_invoice_number: None,
            answered_as: &[],
            payment_code: None,
            former: &[],
            open_invoice_number: None,
            channel,
            amount,
            reusable: false,
            issue_in_doubt: false,
            planned_at: None,
            created_at: None,
            expires_at: None,
            cancelled_at: None,
            paid: ExternalMark::Unpaid,
            earlier_amounts: &[],
            superseded_at: &[],
            product: None,
            dimensions: &[],
            due_on: None,
            bill_group: None,
            lapses: &[],
            issued_otherwise: false,
            code_is_dead: false,
            by_inquiry: false,
        }
    }
}

/// A code that a bill has lost.
#[derive(Clone, Copy, Debug)]
pub struct FormerCode<'a> {
    /// The number DOKU knows it by.
    pub wire_invoice_number: &'a str,
    /// The code, if it is known.
    pub payment_code: Option<&'a str>,
    /// When it was made, if DOKU said so.
    pub created_at: Option<Timestamp>,
    /// When it stopped being payable, if DOKU said so.
    pub expires_at: Option<Timestamp>,
}

/// What an external ledger says of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalMark {
    /// Not paid.
    Unpaid,
    /// Paid, at a time it does not say.
    Undated,
    /// Paid then.
    At(Timestamp),
}
