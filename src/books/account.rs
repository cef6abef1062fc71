//! The accounts of the books, in one table: what each holds, on which side, who acts on what is open, and when it is exported.
//!
//! A new account is a row here. The customer's chart of accounts maps names to numbers of theirs (`[accounts]`).

use serde::{Deserialize, Serialize};

use super::item::BooksSubject;
use super::movement::Movement;
pub use crate::domain::ageing::AgesFrom;
use crate::domain::classify::Stands;
pub use crate::domain::duty::Owner;

/// A side of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What is owed to us, and costs.
    Debit,
    /// What we owe, and income.
    Credit,
}

/// What is fixed about an account.
#[derive(Clone, Copy, Debug)]
pub struct AccountInfo {
    /// Its name: in files, below `[accounts]`, in the plain-text journal.
    pub name: &'static str,
    /// What its items are about; none: it holds totals only.
    pub holds: &'static [BooksSubject],
    /// The side on which its balance normally stands.
    pub side: Side,
    /// From when its items age.
    pub ages: AgesFrom,
    /// Who acts on its items.
    pub owner: Owner,
    /// The key below `[accounts]` that older configurations name it by; empty where there is none.
    pub former_name: &'static str,
    /// Where it stands in a plain-text chart of accounts.
    pub chart: AccountKind,
    /// What may debit it.
    pub debited_by: &'static [Movement],
    /// What may credit it.
    pub credited_by: &'static [Movement],
}

/// The five kinds every chart of accounts has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKind {
    /// What we have and what is owed to us.
    Assets,
    /// What we owe.
    Liabilities,
    /// What was taken on.
    Equity,
    /// What we earn.
    Income,
    /// What we spend or lose.
    Expenses,
}

impl AccountKind {
    /// The word every plain-text accounting program knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assets => "assets",
            Self::Liabilities => "liabilities",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expenses => "expenses",
        }
    }
}

macro_rules! accounts {
    ($($(#[$doc:meta])* $variant:ident $name:literal ($former:literal) $chart:ident $side:ident [$($subject:ident)*] $ages:ident $owner:ident
        + [$($debit:ident)*] - [$($credit:ident)*];)*) => {
        /// An account of the books.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Account {
            $($(#[$doc])* $variant,)*
        }

        impl Account {
            /// All, in the order in which they are shown.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Its place among them.
            #[must_use]
            #[allow(clippy::as_conversions, reason = "a variant's number is the place at which it is declared")]
            pub const fn place(self) -> usize {
                self as usize
            }

            /// What is fixed about it.
            #[must_use]
            pub const fn info(self) -> &'static AccountInfo {
                match self {
                    $(Self::$variant => &AccountInfo {
                        name: $name,
                        former_name: $former,
                        chart: AccountKind::$chart,
                        side: Side::$side,
                        holds: &[$(BooksSubject::$subject),*],
                        ages: AgesFrom::$ages,
                        owner: Owner::$owner,
                        debited_by: &[$(Movement::$debit),*],
                        credited_by: &[$(Movement::$credit),*],
                    },)*
                }
            }
        }
    };
}

// Columns: name, (former name), kind, normal side, [items], ages from, owner, what debits it, what credits it.
accounts! {
    /// Premiums that customers owe, by debt.
    Receivable "receivable" ("receivable") Assets Debit [Debt] Due Collections
        + [Billed AmendedUp Restored Reopened Unapplied Returned Reversed TakenOn]
        - [Received Applied Matched MarkedPaid PaidElsewhere AmendedDown Cancelled Lapsed Waived WrittenOff Rounded Unapplied Reversed TakenOn];
    /// Debts that the ledger calls paid although nothing proves it (L04).
    Unproven "unproven" ("") Assets Debit [Debt] Origin Finance
        + [MarkedPaid Reversed] - [Restored Reopened PaidElsewhere WrittenOff Returned Reversed];
    /// Money DOKU has collected for us and not yet paid out, by payment.
    Doku "doku" ("in_transit") Assets Debit [Payment] Origin Settlement
        + [Notified Corrected Settled WrittenOff Reversed TakenOn] - [Settled WrittenOff Corrected Reversed TakenOn];
    /// Money of channels that DOKU does not settle, until it is received.
    Direct "direct" ("") Assets Debit [Payment] Origin Treasury
        + [Notified Corrected Settled WrittenOff Reversed TakenOn] - [Received Settled Corrected WrittenOff Reversed TakenOn];
    /// What DOKU's rows come to against what it pays, by batch.
    Clearing "clearing" ("") Assets Debit [Batch] Origin Settlement
        + [Settled Unsettled TakenBack Explained WrittenOff OtherProduct PaidOut Shared Reversed]
        - [PaidOut Shared TakenBack Explained WrittenOff Settled Unsettled OtherProduct Reversed];
    /// Pay-outs that DOKU announced, by batch and day, until the bank has them.
    Payouts "payouts" ("") Assets Debit [Payout] Origin Treasury
        + [PaidOut Banked Explained WrittenOff Reversed TakenOn] - [Banked PaidOut Received Explained WrittenOff Reversed];
    /// The bank account DOKU pays to.
    Bank "bank" ("bank") Assets Debit [] Never Nobody
        + [Banked Received Transferred Reversed] - [Transferred Banked Received Reversed];
    /// Money no bill is owed, or whose owner is not known: by payment, settlement row or bank line.
    Suspense "suspense" ("suspense") Liabilities Credit [Payment Row BankLine] Origin Finance
        + [Applied Matched Rounded Credited RefundDecided Kept TakenBack Settled Unsettled Banked Received Corrected Reversed TakenOn]
        - [Held Excess Notified Unsettled Settled Banked TakenBack Corrected Transferred WrittenOff Returned Reversed TakenOn];
    /// Customers' credits, by the decision that made them.
    Deposits "deposits" ("customer_deposit") Liabilities Credit [Decision] Origin Finance
        + [Applied RefundDecided Reversed] - [Credited Returned Reversed TakenOn];
    /// Refunds decided and not yet transferred, by decision.
    RefundsDue "refunds_due" ("") Liabilities Credit [Decision] Origin Treasury
        + [Transferred Reversed] - [RefundDecided Unapplied Reversed TakenOn];
    /// What was billed.
    Premium "premium" ("") Income Credit [] Never Nobody
        + [AmendedDown Cancelled Lapsed Waived Unapplied Reversed] - [Billed AmendedUp Restored Reopened Returned Unapplied Reversed];
    /// Money that was kept.
    Income "income" ("") Income Credit [] Never Nobody + [Explained Reversed] - [Kept Explained Reversed];
    /// What DOKU pays for products that are not ours to follow.
    OtherProducts "other_products" ("") Liabilities Credit [] Never Nobody
        + [OtherProduct Explained Reversed] - [OtherProduct Explained Reversed];
    /// What the books began with.
    Opening "opening" ("") Equity Credit [] Never Nobody + [TakenOn] - [TakenOn];
    /// DOKU's fees as charged, without VAT.
    Fees "fees" ("fee_expense") Expenses Debit [] Never Nobody
        + [Settled TakenBack Unsettled Explained Reversed] - [Settled TakenBack Unsettled Explained Reversed];
    /// VAT on them.
    Vat "vat" ("vat_input") Assets Debit [] Never Nobody
        + [Settled TakenBack Unsettled Explained Reversed] - [Settled TakenBack Unsettled Explained Reversed];
    /// Discounts that the merchant bears.
    Discounts "discounts" ("") Expenses Debit [] Never Nobody
        + [Settled TakenBack Unsettled Explained Reversed] - [Settled TakenBack Unsettled Explained Reversed];
    /// Shares that DOKU pays to third parties.
    Shares "shares" ("") Expenses Debit [] Never Nobody + [Shared Explained Reversed] - [Shared Explained Reversed];
    /// What was given up.
    WriteOff "write_off" ("write_off") Expenses Debit [] Never Nobody + [WrittenOff Explained Reversed] - [WrittenOff Restored Reopened Returned Explained Reversed];
    /// Differences within the tolerance.
    Rounding "rounding" ("rounding") Expenses Debit [] Never Nobody + [Rounded Explained] - [Rounded Returned Explained];
    /// Debts paid by another way: at a branch, by transfer.
    Elsewhere "elsewhere" ("") Assets Debit [] Never Nobody + [PaidElsewhere Reversed] - [Returned Reversed];
}

impl Account {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The account of this name, also one of an older configuration.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.name() == name || account.info().former_name == name && !name.is_empty())
    }

    /// The account that items of a class stand on; none for alarms, remarks, and what has no item of its own.
    #[must_use]
    pub const fn of(stands: Stands) -> Option<Self> {
        match stands {
            Stands::Receivable => Some(Self::Receivable),
            Stands::Unproven => Some(Self::Unproven),
            Stands::Suspense => Some(Self::Suspense),
            Stands::Doku => Some(Self::Doku),
            Stands::Clearing => Some(Self::Clearing),
            Stands::Payouts => Some(Self::Payouts),
            Stands::Direct => Some(Self::Direct),
            Stands::RefundsDue => Some(Self::RefundsDue),
            Stands::Deposits => Some(Self::Deposits),
            Stands::Shared | Stands::Alarm | Stands::AlarmOfFile | Stands::Remark => None,
        }
    }

    /// Whether it holds items about `subject`; without a subject, whether it holds totals only.
    #[must_use]
    pub fn holds(self, subject: Option<BooksSubject>) -> bool {
        let holds = self.info().holds;
        subject.map_or(holds.is_empty(), |subject| holds.contains(&subject))
    }

    /// Whether a difference on `clearing` or `payouts` may be explained by it.
    #[must_use]
    pub fn explains(self) -> bool {
        self.info().holds.is_empty() && self.info().debited_by.contains(&Movement::Explained)
    }
}

/// Something of every account.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerAccount<T>([T; Account::ALL.len()]);

impl<T> PerAccount<T> {
    /// What `of` says of each.
    pub fn of(of: impl FnMut(Account) -> T) -> Self {
        Self(Account::ALL.map(of))
    }

    /// That of one.
    pub fn at(&mut self, account: Account) -> &mut T {
        let Some(at) = self.0.get_mut(account.place()) else { unreachable!("every account has its place in ALL") };
        at
    }

    /// All of them, in the order of the accounts.
    pub fn into_each(self) -> impl Iterator<Item = (Account, T)> {
        Account::ALL.into_iter().zip(self.0)
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.name().to_owned()
    }
}

impl TryFrom<String> for Account {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or("not an account of the books")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::Action;

    #[test]
    fn every_account_has_a_name_of_its_own_and_is_found_by_it_and_by_its_former_one() {
        for account in Account::ALL {
            let info = account.info();
            assert_eq!(Account::parse(info.name), Some(account));
            if !info.former_name.is_empty() {
                assert_eq!(Account::parse(info.former_name), Some(account), "{}", info.former_name);
            }
            assert_eq!(info.holds.is_empty(), info.ages == AgesFrom::Never, "{}: what has items ages", info.name);
        }
        assert_eq!(Account::parse(""), None);
    }

    #[test]
    fn what_a_class_stands_on_is_an_account_of_that_name() {
        for stands in crate::domain::classify::Class::all().map(|class| class.info().stands) {
            assert_eq!(Account::of(stands), Account::parse(stands.name()), "{stands:?}");
        }
    }

    #[test]
    fn what_a_file_states_with_a_sign_moves_either_way() {
        use Movement::{Banked, OtherProduct, PaidOut, Settled, Shared, TakenBack, Unsettled};
        for account in Account::ALL {
            for movement in [Settled, Unsettled, TakenBack, OtherProduct, Shared, PaidOut, Banked] {
                let AccountInfo { name, debited_by, credited_by, .. } = account.info();
                assert_eq!(debited_by.contains(&movement), credited_by.contains(&movement), "{name}: {}", movement.name());
            }
        }
    }

    #[test]
    fn what_is_decided_about_an_item_on_its_other_side_is_known_on_both() {
        // A debt cannot stand on its other side; of money in suspense only what DOKU took back is written off.
        let never_reversed = [Account::Receivable, Account::Unproven, Account::Suspense];
        for (action, movement) in [(Action::WriteOff, Movement::WrittenOff), (Action::Explain, Movement::Explained)] {
            for account in action.accounts().iter().filter(|account| !never_reversed.contains(account)) {
                let AccountInfo { name, debited_by, credited_by, .. } = account.info();
                assert!(debited_by.contains(&movement) && credited_by.contains(&movement), "{name}: {}", movement.name());
            }
        }
    }

    #[test]
    fn every_movement_has_two_ends() {
        for movement in Movement::ALL {
            let debits = |account: &Account| account.info().debited_by.contains(&movement.seen_from(*account, Side::Debit));
            assert!(Account::ALL.iter().any(debits), "{}", movement.name());
            assert!(Account::ALL.iter().any(|account| account.info().credited_by.contains(&movement)), "{}", movement.name());
        }
    }
}
