//! Whole pairs: what one cause moves from one account to another. A posting is a leg of a pair, so whatever is picked out of the
//! books (by account, by setting, by month) balances.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::account::{Account, Side};
use super::item::ItemId;
use super::movement::Movement;
use crate::domain::amount::Rupiah;
use crate::domain::digest;

impl Movement {
    /// What it is from an account: where payments become known, all that they do is that.
    #[must_use]
    pub const fn seen_from(self, account: Account, side: Side) -> Self {
        match (account, side, self) {
            (Account::Doku | Account::Direct, Side::Debit, Self::Held | Self::Excess | Self::Received | Self::Rounded) => Self::Notified,
            _ => self,
        }
    }
}

/// One account, and which of its items. Written `suspense/payment:0123…`, or `bank` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Leg {
    /// On which account.
    pub account: Account,
    /// About what; none on accounts that hold totals only.
    pub item: Option<ItemId>,
}

impl Leg {
    /// An item of an account.
    #[must_use]
    pub const fn of(account: Account, item: ItemId) -> Self {
        Self { account, item: Some(item) }
    }

    /// An account that holds totals only.
    #[must_use]
    pub const fn total(account: Account) -> Self {
        Self { account, item: None }
    }

    /// Whether its account holds items of that subject, or totals where it names none.
    #[must_use]
    pub fn is_sound(self) -> bool {
        self.account.holds(self.item.map(ItemId::subject))
    }
}

impl From<Leg> for String {
    fn from(leg: Leg) -> Self {
        let item = leg.item.map_or_else(Self::new, |item| format!("/{item}"));
        format!("{}{item}", leg.account.name())
    }
}

impl TryFrom<String> for Leg {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (account, item) = text.split_once('/').map_or((text.as_str(), None), |(account, item)| (account, Some(item)));
        let item = item.map(|item| ItemId::parse(item).ok_or("not an item's id")).transpose()?;
        let leg = Self { account: Account::parse(account).ok_or("not an account of the books")?, item };
        if leg.is_sound() { Ok(leg) } else { Err("the account holds no such items") }
    }
}

/// One double entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The WIB day it is posted on.
    pub day: Date,
    /// The WIB day of what caused it; earlier than `day` only where that became known after its month.
    pub original: Date,
    /// The fact or decision that caused it.
    pub cause: ItemId,
    /// Why.
    pub movement: Movement,
    /// What receives.
    pub debit: Leg,
    /// What gives.
    pub credit: Leg,
    /// How much, more than zero.
    pub amount: Rupiah,
}

const _: () = assert!(size_of::<Pair>() <= 80, "a month is posted of millions of pairs");

/// What tells a pair from every other.
pub type Key = [u8; 10];

/// Which setting decides whether a pair is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// None: it always is.
    Always,
    /// Who books premiums.
    Premium,
    /// Who books receipts.
    Receipts,
}

impl Pair {
    /// Whether it became known after the month it belongs to.
    #[must_use]
    pub fn is_prior_period(&self) -> bool {
        self.original < self.day
    }

    /// What decides about its export.
    #[must_use]
    pub const fn gate(&self) -> Gate {
        use Account::{Direct, Doku, Elsewhere, Premium, Receivable};
        match (self.debit.account, self.credit.account) {
            (Receivable, Premium) | (Premium, Receivable) => Gate::Premium,
            (Doku | Direct | Elsewhere, Receivable) | (Receivable, Doku | Direct | Elsewhere) => Gate::Receipts,
            _ => Gate::Always,
        }
    }

    /// Both legs with their signs: debit +, credit −.
    #[must_use]
    pub fn legs(&self) -> [(Leg, Rupiah); 2] {
        [(self.debit, self.amount), (self.credit, Rupiah::ZERO.minus(self.amount))]
    }

    /// Whether both legs are sound, something moves, and the movement is one of both accounts.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.debit.is_sound()
            && self.credit.is_sound()
            && self.amount > Rupiah::ZERO
            && self.debit.account.info().debited_by.contains(&self.movement.seen_from(self.debit.account, Side::Debit))
            && self.credit.account.info().credited_by.contains(&self.movement.seen_from(self.credit.account, Side::Credit))
    }

    /// Equal for equal pairs, and for nothing else.
    #[must_use]
    pub fn key(&self) -> Key {
        let days = [self.day, self.original].map(|day| (day.year().to_be_bytes(), [day.month(), day.day()].map(i8::to_be_bytes)));
        let days = days.iter().flat_map(|(year, [month, day])| [&year[..], month, day]);
        let items = [Some(self.cause), self.debit.item, self.credit.item];
        let items = items.iter().flat_map(|item| item.as_ref().map_or([&[][..]; 2], |item| [item.subject().name().as_bytes(), item.key()]));
        let names = [self.movement.name(), self.debit.account.name(), self.credit.account.name()].map(str::as_bytes);
        let amount = self.amount.get().to_be_bytes();
        let parts = [&b"pair"[..], &amount].into_iter().chain(names).chain(days).chain(items);
        digest::of_each(parts).first_chunk().copied().unwrap_or_default()
    }

    /// What an export calls it, so that nothing is booked twice.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(&self.key())
    }
}

/// What an export calls the pair with this key.
#[must_use]
pub fn id_of(key: &Key) -> String {
    format!("B-{}", digest::hex(key))
}

/// What an account receives from a leg on `side`, as a signed amount: debit +, credit −.
#[must_use]
pub fn signed(side: Side, amount: Rupiah) -> Rupiah {
    match side {
        Side::Debit => amount,
        Side::Credit => Rupiah::ZERO.minus(amount),
    }
}

/// Whether it is of an earlier period, and why.
pub(super) type Why = (bool, Movement);
