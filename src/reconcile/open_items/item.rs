//! An open item as people see it, and the order in which it is shown.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::account::{Account, Owner, Side};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::movement::Movement;
use crate::domain::ageing::AgeBucket;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Stands};
use crate::domain::dimensions::Dimensions;

/// What is to be done about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Todo {
    /// Somebody must act.
    Now,
    /// Nothing yet: its day has not come.
    NotYet,
    /// Nothing more: somebody decided that it may stay.
    Decided,
}

impl Todo {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Now, Self::NotYet, Self::Decided];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Now => "to_do",
            Self::NotYet => "not_yet_due",
            Self::Decided => "decided",
        }
    }
}

/// One open item of an account, or an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenItem {
    /// Where it stands; none for an alarm.
    pub account: Option<Account>,
    /// What it is about.
    pub id: ItemId,
    /// The id under which lists show it and people decide on it.
    pub discrepancy_id: String,
    /// Its class.
    pub class: Option<Class>,
    /// Debit +, credit −; of an alarm, what is at stake.
    pub amount: Rupiah,
    /// What of it money that waits for a decision may pay: nobody is asked for that.
    pub may_be_paid: Rupiah,
    /// The original day of what opened it.
    pub since: Date,
    /// When it was paid; none for what is no payment.
    pub paid_at: Option<Timestamp>,
    /// The day from which its age counts.
    pub ages_from: Date,
    /// Its age in days.
    pub age_days: i32,
    /// The day of its last movement.
    pub moved_on: Date,
    /// The last movement.
    pub moved_by: Option<Movement>,
    /// Invoice numbers.
    pub invoice_number: String,
    /// Codes.
    pub payment_code: String,
    /// Where it is paid.
    pub channel: String,
    /// What is to be done.
    pub todo: Todo,
    /// Who acts.
    pub owner: Owner,
    /// The last decision about it that stands.
    pub decision: Option<ItemId>,
    /// Branch, agent, product.
    pub dimensions: Dimensions,
}

/// Length of a rank in bytes.
const RANK_LENGTH: usize = 19;

/// What items are sorted by.
pub type Rank = [u8; RANK_LENGTH];

impl OpenItem {
    /// How old it is.
    #[must_use]
    pub const fn bucket(&self) -> AgeBucket {
        AgeBucket::of(self.age_days)
    }

    /// Its rupiah, whichever side it stands on.
    #[must_use]
    pub fn size(&self) -> Rupiah {
        self.amount.max(Rupiah::ZERO.minus(self.amount))
    }

    /// What is to be dealt with of it: a sum that waits elsewhere is dealt with there.
    #[must_use]
    pub fn own(&self) -> Rupiah {
        self.size().minus(self.may_be_paid)
    }

    /// What it is sorted by, as bytes: worst first within each account; alarms, which have none, last.
    #[must_use]
    pub fn rank(&self) -> Rank {
        let account = self.account.map_or(u8::MAX, |account| u8::try_from(place(account)).unwrap_or(u8::MAX));
        let todo = match self.todo {
            Todo::Now => 0_u8,
            Todo::NotYet => 1,
            Todo::Decided => 2,
        };
        // The oldest first: an age's order as bytes, turned round.
        let age = u32::MAX ^ u32::from_ne_bytes(self.age_days.to_ne_bytes()) ^ (1 << 31);
        let subject = BooksSubject::ALL.iter().position(|subject| *subject == self.id.subject()).and_then(|at| u8::try_from(at).ok());
        let mut rank = [0; RANK_LENGTH];
        let bytes = [account, todo].into_iter().chain(age.to_be_bytes()).chain(subject).chain(self.id.key().iter().copied());
        rank.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        rank
    }

    /// Whether what is found under its id as this class tells of it. A bill that is found for another reason than what is open on its debt is
    /// another matter.
    #[must_use]
    pub fn is_told_by(&self, class: Class) -> bool {
        match self.account {
            Some(Account::Unproven) => class.info().stands == Stands::Unproven,
            Some(Account::Receivable) => class.info().stands == Stands::Receivable,
            _ => true,
        }
    }

    /// Whether it stands on the other side than its account normally does.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.account.is_some_and(|account| (self.amount > Rupiah::ZERO) != (account.info().side == Side::Debit))
    }
}

fn place(account: Account) -> usize {
    Account::ALL.iter().position(|one| *one == account).unwrap_or(usize::MAX)
}
