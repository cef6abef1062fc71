//! What people decide about an open item, one row an action: on which accounts it may be taken, what it moves, and when it is refused.
//!
//! A decision holds the facts it stands on. A run without that evidence takes them from here, so that no decision falls because a
//! run looked less far.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::fact::Facts;
use super::item::{BooksSubject, ItemId};

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $name:literal [$($account:ident)*];)*) => {
        /// What is done about an item.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name used in files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// On which accounts it may be taken; none: on alarms and on earlier decisions.
            #[must_use]
            pub const fn accounts(self) -> &'static [Account] {
                match self {
                    $(Self::$variant => &[$(Account::$account),*],)*
                }
            }
        }
    };
}

actions! {
    /// The money pays a bill: (suspense or deposits, receivable).
    Apply "apply" [Suspense Deposits];
    /// It is kept for the customer's next premium: (suspense, deposits).
    Credit "credit" [Suspense];
    /// It is kept for good: (suspense, income).
    Keep "keep" [Suspense];
    /// It is to go back: (suspense or deposits, `refunds_due`).
    Refund "refund" [Suspense Deposits];
    /// The refund was transferred: (`refunds_due`, bank), or against the bank line or DOKU's own refund row in suspense.
    Transferred "transferred" [RefundsDue];
    /// Money of a channel that DOKU does not settle has come, or a pay-out that the statement shows otherwise: (bank, the item), or against a
    /// bank line in suspense.
    Received "received" [Direct Payouts];
    /// The customer need not pay it: (premium, receivable).
    Waive "waive" [Receivable];
    /// It will not be paid any more: (premium, receivable).
    Lapse "lapse" [Receivable];
    /// It was paid by another way: (elsewhere, receivable or unproven).
    PaidElsewhere "paid_elsewhere" [Receivable Unproven];
    /// It is given up: (`write_off`, the item), and the other way round where the item stands on its other side.
    WriteOff "write_off" [Receivable Unproven Doku Direct Clearing Payouts Suspense];
    /// What a difference of a batch or a pay-out is: (the named account, the item).
    Explain "explain" [Clearing Payouts];
    /// Money applied to a debt that was cancelled since goes back: (receivable, `refunds_due`) and (premium, receivable).
    Unapply "unapply" [Receivable];
    /// Which amount of a payment is right: the difference on doku or direct, against suspense.
    Correct "correct" [Doku Direct];
    /// It may stay as it is: it moves nothing, and falls when balance or class change.
    Accept "accept" [Receivable Unproven Doku Direct Clearing Payouts Suspense Deposits RefundsDue];
    /// An earlier decision is taken back, on this one's own day.
    Reopen "reopen" [];
}

impl Action {
    /// Reads a name in any case, also with a space or hyphen for the underscore.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim().to_lowercase().replace([' ', '-'], "_");
        Self::ALL.into_iter().find(|action| action.name() == plain)
    }
}

/// A decision, as the journal holds it. Who made it, who reviewed it and why are the journal's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BooksDecision {
    /// Its id.
    pub id: ItemId,
    /// When it took effect in the journal (UTC): the order in which decisions were made.
    pub made_at: Timestamp,
    /// The day it is posted on: by default the WIB day it was made.
    pub effective_on: Date,
    /// What is done.
    pub action: Action,
    /// On which account the item stands; none for alarms and for `reopen`.
    pub account: Option<Account>,
    /// Which item: a debt, payment, row, bank line, batch, alarm or earlier decision.
    pub item: ItemId,
    /// How many rupiah; none: all that is open. For `correct`: the amount that is right. For `accept`: the balance it was made on.
    #[serde(default)]
    pub amount: Option<u64>,
    /// `apply`: the bill. `transferred`, `received`: the bank line or DOKU's refund row, if that is the proof.
    #[serde(default)]
    pub target: Option<ItemId>,
    /// `explain`: what the difference is.
    #[serde(default)]
    pub explained_as: Option<Account>,
    /// `transferred`, `received`, `paid_elsewhere`: how it is found elsewhere. May be empty.
    #[serde(default)]
    pub reference: Box<str>,
    /// The facts it was made on.
    #[serde(default)]
    pub facts: Facts,
}

/// Why a decision moves nothing, or less than it says. It stays in the journal and is shown with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum PostingRefusal {
    /// The action is not one for the account.
    #[error("the action is not one for this kind of item")]
    Unfit,
    /// No target, or one that is not of the right kind.
    #[error("it needs a target: the bill, or the bank line or refund row that proves it")]
    Target,
    /// Nobody has heard of what it names.
    #[error("nothing is known of what it names")]
    Unknown,
    /// There is nothing to decide about.
    #[error("nothing is open on the item")]
    NothingOpen,
    /// The item holds less.
    #[error("less is open on the item than the decision says")]
    TooMuch,
    /// What it names has nothing to take or to prove.
    #[error("nothing is open on its target")]
    TargetEmpty,
    /// What it names takes or proves less.
    #[error("less is open on its target than the decision says")]
    TargetLess,
    /// The money was moved on by a later decision.
    #[error("the money has been moved on since; decide about where it is now")]
    MovedOn,
    /// It has been taken back.
    #[error("it was taken back already")]
    TakenBack,
    /// It was accepted at another balance.
    #[error("another amount is open than the one that was accepted")]
    Changed,
    /// It needs a reference, or a bank line.
    #[error("it needs a reference or a bank line")]
    Reference,
}

impl BooksDecision {
    /// Whether it is complete in itself, whatever the books hold.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn check(&self) -> Result<(), PostingRefusal> {
        let fits = self.account.map_or(self.action == Action::Reopen || self.is_about_alarm(), |account| {
            self.action.accounts().contains(&account) && account.holds(Some(self.item.subject()))
        });
        if !fits || (self.action == Action::Reopen && (self.account.is_some() || self.item.subject() != BooksSubject::Decision)) {
            return Err(PostingRefusal::Unfit);
        }
        let subject = self.target.map(ItemId::subject);
        match self.action {
            Action::Apply if subject != Some(BooksSubject::Bill) && !self.applies_to_its_own() => Err(PostingRefusal::Target),
            Action::Transferred | Action::Received if subject.is_none() && self.reference.is_empty() => Err(PostingRefusal::Reference),
            Action::PaidElsewhere if self.reference.is_empty() => Err(PostingRefusal::Reference),
            Action::Transferred if !matches!(subject, None | Some(BooksSubject::BankLine | BooksSubject::Row)) => {
                Err(PostingRefusal::Target)
            }
            Action::Received if !matches!(subject, None | Some(BooksSubject::BankLine)) => Err(PostingRefusal::Target),
            Action::Explain if !self.explained_as.is_some_and(Account::explains) => Err(PostingRefusal::Target),
            Action::Correct | Action::Unapply if self.amount == Some(0) => Err(PostingRefusal::NothingOpen),
            Action::Correct if self.amount.is_none() => Err(PostingRefusal::Target),
            _ => Ok(()),
        }
    }

    /// Whether money held because it came late is applied to the bill it was paid for: the one case that needs no target.
    const fn applies_to_its_own(&self) -> bool {
        self.target.is_none() && matches!(self.item.subject(), BooksSubject::Payment)
    }

    /// Whether it settles an alarm.
    #[must_use]
    pub fn is_about_alarm(&self) -> bool {
        self.action == Action::Accept && self.item.subject() == BooksSubject::Alarm
    }
}
