//! Bills and payments told by Check Status as their sources tell them, for who copies facts out of a run before anything is concluded.
//!
//! Belongs here: plain values of what is known. Must not be here: a conclusion.

use jiff::Timestamp;
use jiff::civil::Date;

use super::bills::Bills;
use super::new_bill::ExternalMark;
use super::status::StatusEvidence;
use crate::books::item::ItemId;
use crate::domain::ageing::date_of;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::check_status::StatusPayment;

/// A bill as its source tells it.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts of one bill")]
pub struct ToldBill<'a> {
    /// Its place in the list.
    pub number: u32,
    /// Its own number.
    pub invoice_number: &'a str,
    /// Its code; empty when it has none.
    pub payment_code: &'a str,
    /// Where it is to be paid.
    pub channel: Channel,
    /// What it asks for.
    pub amount: Amount,
    /// May it be paid more than once.
    pub reusable: bool,
    /// Whether its issue is on its way or in doubt.
    pub issue_in_doubt: bool,
    /// L08, as the ledger compared what was asked with what was issued.
    pub issued_otherwise: bool,
    /// Whether its code was given up for dead.
    pub code_is_dead: bool,
    /// Whether only we know its code.
    pub by_inquiry: bool,
    /// When the ledger first heard of it.
    pub planned_at: Option<Timestamp>,
    /// When its code was made.
    pub created_at: Option<Timestamp>,
    /// When its code stops being payable.
    pub expires_at: Option<Timestamp>,
    /// When its cancellation was acknowledged.
    pub cancelled_at: Option<Timestamp>,
    /// What an external ledger says of payment.
    pub mark: ExternalMark,
    /// The name it shares with other bills of one debt; empty for none.
    pub group: &'a str,
    /// What the books call it, if the ledger lists it no more.
    pub unlisted: Option<ItemId>,
}

/// A number by which a bill is known.
#[derive(Clone, Copy, Debug)]
pub struct ToldNumber<'a> {
    /// The bill's place in the list.
    pub bill: u32,
    /// The number.
    pub number: &'a str,
    /// Whether its code is not known yet, so that any goes with it.
    pub any_code: bool,
}

/// An amount that a bill asked for before.
#[derive(Clone, Copy, Debug)]
pub struct ToldAmount {
    /// The bill's place in the list.
    pub bill: u32,
    /// Rupiah.
    pub amount: Amount,
    /// When it was given up, where the source says so (microseconds since 1970).
    pub until_us: Option<i64>,
}

/// A code that a bill has lost.
#[derive(Clone, Copy, Debug)]
pub struct ToldCode<'a> {
    /// The bill's place in the list.
    pub bill: u32,
    /// The code.
    pub payment_code: &'a str,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it stopped being payable.
    pub expires_at: Option<Timestamp>,
}

impl Bills {
    /// All of them as they were told, and after them those that only the books know.
    pub fn told(&self) -> impl Iterator<Item = ToldBill<'_>> {
        let groups = self.group_names();
        self.iter_all().map(move |(number, bill)| ToldBill {
            number,
            invoice_number: self.invoice_number(number),
            payment_code: self.payment_code(number),
            channel: bill.channel,
            amount: bill.amount,
            reusable: bill.reusable(),
            issue_in_doubt: bill.issue_in_doubt(),
            issued_otherwise: bill.issued_otherwise(),
            code_is_dead: bill.code_is_dead(),
            by_inquiry: bill.by_inquiry(),
            planned_at: bill.planned_at(),
            created_at: bill.created_at(),
            expires_at: bill.expires_at(),
            cancelled_at: bill.cancelled_at(),
            mark: bill.external_mark(),
            group: groups.get(&bill.group).copied().unwrap_or_default(),
            unlisted: self.unlisted(number),
        })
    }

    /// A bill's product, empty for none, and the day it is due where that was told apart from its expiry.
    #[must_use]
    pub fn told_side(&self, bill: u32) -> (String, Option<Date>) {
        let side = self.side();
        (side.product_name(side.product(bill)).to_owned(), side.due_day(bill).map(date_of))
    }

    /// The earlier amounts of bills, in the order in which they were asked for.
    pub fn told_amounts(&self) -> impl Iterator<Item = ToldAmount> + '_ {
        self.iter().flat_map(|(number, bill)| {
            let times = self.side().superseded(number);
            let until = times.iter().map(|(at_us, _)| Some(*at_us)).chain(std::iter::repeat(None));
            self.earlier_amounts(bill).iter().zip(until).map(move |(amount, until_us)| ToldAmount {
                bill: number,
                amount: *amount,
                until_us,
            })
        })
    }

    /// Every number by which bills are known, in the order of bills.
    #[must_use]
    pub fn told_numbers(&self) -> Vec<ToldNumber<'_>> {
        let own = self.iter_all().map(|(bill, told)| (bill, self.invoice_number(bill), told.has_open_code()));
        let mut all: Vec<_> = own.chain(self.aliases()).collect();
        all.sort_unstable();
        all.into_iter().map(|(bill, number, any_code)| ToldNumber { bill, number, any_code }).collect()
    }

    /// The codes that bills have lost, in the order of bills.
    #[must_use]
    pub fn told_codes(&self) -> Vec<ToldCode<'_>> {
        let one = |(payment_code, former): (_, &super::former_codes::Former)| ToldCode {
            bill: former.bill,
            payment_code,
            created_at: former.created_at,
            expires_at: former.expires_at,
        };
        let mut all: Vec<ToldCode<'_>> = self.former().all().map(one).collect();
        all.sort_unstable_by_key(|code| (code.bill, code.payment_code, code.created_at, code.expires_at));
        all
    }

    /// When policies of bills were lapsed or cancelled, and when not.
    #[must_use]
    pub fn told_policies(&self) -> Vec<(u32, Timestamp, bool)> {
        let mut all: Vec<_> =
            self.lapses().flat_map(|(bill, states)| states.iter().map(move |(at, lapsed)| (bill, *at, *lapsed))).collect();
        all.sort_unstable();
        all
    }
}

impl StatusEvidence {
    /// What Check Status told of that no payment of the ledger proves.
    pub fn told_of(&self) -> impl Iterator<Item = &StatusPayment> {
        self.found().iter()
    }
}
