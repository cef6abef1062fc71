//! The books at work: what is known, and the pairs of the month so far. Whatever moves goes through [`Book::move_to`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::account::Account;
use super::allocation::Allocation;
use super::decision::{BooksDecision, PostingRefusal};
use super::item::{BooksSubject, ItemId};
use super::known::{Known, Open};
use super::movement::Movement;
use super::pair::{Leg, Pair};
use super::settings::{BooksSettings, PostingPeriod};
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;
use crate::domain::dimensions::Dimensions;

/// Why the books cannot be posted: a state that no evidence can lead to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// A fact names what no fact tells of.
    #[error("{what} {id} is named, but nothing tells of it")]
    Missing {
        /// What it should be.
        what: &'static str,
        /// Its id.
        id: ItemId,
    },
    /// A bill whose history does not begin with its making.
    #[error("the history of {0} does not begin with its creation")]
    History(ItemId),
    /// Money moves in a way that no account knows.
    #[error("{cause} would move {amount} rupiah from {credit} to {debit} as `{movement}`, which these accounts do not know")]
    Unsound {
        /// The cause.
        cause: ItemId,
        /// The movement.
        movement: &'static str,
        /// The account that receives.
        debit: &'static str,
        /// The account that gives.
        credit: &'static str,
        /// How much.
        amount: Rupiah,
    },
}

/// What causes a posting, and the day of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The fact or decision.
    pub id: ItemId,
    /// Its WIB day.
    pub on: Date,
}

impl Cause {
    /// Something the books themselves conclude on a day: a lapse, a match, a mark.
    #[must_use]
    pub fn concluded(what: &str, about: &[ItemId], on: Date) -> Self {
        let day = on.to_string();
        let keys = about.iter().map(|id| &id.key()[..]);
        let parts: Vec<&[u8]> = [what.as_bytes(), day.as_bytes()].into_iter().chain(keys).collect();
        Self { id: ItemId::of(BooksSubject::Event, &parts), on }
    }
}

/// What a run had to leave aside, each counted or listed, nothing passed over in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// Facts that say something else than what was posted of them (N07): the payment.
    pub conflicting: BTreeSet<ItemId>,
    /// Rows given before, in another file or an earlier month.
    pub copies: BTreeSet<ItemId>,
    /// Rows that are not paid out yet.
    pub held_rows: BTreeSet<ItemId>,
    /// Facts of a day after the period.
    pub later: BTreeSet<ItemId>,
    /// Facts so old that the books no longer know whether they had them.
    pub too_old: BTreeSet<ItemId>,
    /// Payments of debts that were settled before the books began.
    pub before_books: BTreeSet<ItemId>,
    /// Groups of bills that ask for different amounts.
    pub differing_groups: BTreeSet<ItemId>,
    /// Batches whose files state different totals.
    pub differing_totals: BTreeSet<ItemId>,
    /// Bills that the ledger no longer lists (L13).
    pub vanished: BTreeSet<ItemId>,
    /// Debts that may have other dimensions than when the month began, and what they had then.
    pub regrouped: BTreeMap<ItemId, Dimensions>,
    /// Decisions that move nothing, and why.
    pub refused: BTreeMap<ItemId, PostingRefusal>,
}

impl Aside {
    /// How many of each, by why.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 10] {
        [
            ("conflicting", self.conflicting.len()),
            ("copies", self.copies.len()),
            ("held_rows", self.held_rows.len()),
            ("later", self.later.len()),
            ("too_old", self.too_old.len()),
            ("before_books", self.before_books.len()),
            ("differing_groups", self.differing_groups.len()),
            ("differing_totals", self.differing_totals.len()),
            ("vanished", self.vanished.len()),
            ("refused", self.refused.len()),
        ]
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Book<'a> {
    /// What is known.
    pub known: Known,
    /// The pairs of this run, oldest cause first.
    pub pairs: Vec<Pair>,
    /// What was left aside.
    pub aside: Aside,
    /// By which rules.
    pub settings: &'a BooksSettings,
    /// Of which days.
    pub period: PostingPeriod,
    /// Items that a standing decision is about.
    pub(super) decided: BTreeSet<Leg>,
    /// Rows in suspense, by the id under which they are listed.
    pub(super) unclaimed: BTreeMap<Box<str>, ItemId>,
    /// Payments whose rows stand in suspense.
    pub(super) claims: BTreeMap<ItemId, BTreeSet<ItemId>>,
    /// How the payments of this run met their debts.
    pub(super) allocations: BTreeMap<ItemId, Allocation>,
    /// Batches of which something became known since they were last paid out.
    pub(super) touched: BTreeSet<ItemId>,
    /// Batches with rows that are not paid out yet.
    pub(super) waiting: BTreeSet<ItemId>,
}

impl<'a> Book<'a> {
    /// The books as the month before left them.
    #[must_use]
    pub fn open(known: Known, settings: &'a BooksSettings, period: PostingPeriod) -> Self {
        let standing = known.decisions.values().filter(|decided| !decided.is_taken_back && decided.refused.is_none());
        let decided = standing.filter_map(|decided| decided.leg).collect();
        Self {
            known,
            pairs: Vec::new(),
            aside: Aside::default(),
            settings,
            period,
            decided,
            claims: BTreeMap::new(),
            allocations: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            touched: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Moves `amount` to `debit` from `credit`; a negative amount the other way, nothing where it is zero.
    ///
    /// # Errors
    /// [`BooksError::Unsound`] when the accounts do not know the movement.
    pub fn move_to(&mut self, debit: Leg, credit: Leg, amount: Rupiah, movement: Movement, cause: Cause) -> Result<(), BooksError> {
        if amount == Rupiah::ZERO {
            return Ok(());
        }
        let (debit, credit, amount) =
            if amount > Rupiah::ZERO { (debit, credit, amount) } else { (credit, debit, Rupiah::ZERO.minus(amount)) };
        let day = self.period.posting_day(cause.on).unwrap_or(self.period.to);
        let pair = Pair { day, original: cause.on.min(day), cause: cause.id, movement, debit, credit, amount };
        if !pair.is_sound() {
            let (debit, credit) = (debit.account.name(), credit.account.name());
            return Err(BooksError::Unsound { cause: cause.id, movement: movement.name(), debit, credit, amount });
        }
        for (leg, amount) in pair.legs() {
            self.add(leg, amount, &pair);
        }
        self.pairs.push(pair);
        Ok(())
    }

    fn add(&mut self, leg: Leg, amount: Rupiah, pair: &Pair) {
        let before = self.known.balances.get(&leg).copied();
        let sum = before.map_or(amount, |open| open.amount.plus(amount));
        if sum == Rupiah::ZERO {
            self.known.balances.remove(&leg);
            return;
        }
        let since = before.map_or(pair.original, |open| open.since);
        let open = Open { amount: sum, since, moved_on: pair.day, moved_by: pair.movement, cause: pair.cause };
        self.known.balances.insert(leg, open);
    }

    /// Takes `amount` off a debt; a negative amount gives it back.
    ///
    /// # Errors
    /// [`BooksError`].
    pub(super) fn take_off(
        &mut self,
        debt: ItemId,
        off: WayOff,
        amount: Rupiah,
        movement: Movement,
        cause: Cause,
    ) -> Result<(), BooksError> {
        self.debt_mut(debt)?.add_off(off, amount);
        self.move_to(off.counterpart(debt), Leg::of(Account::Receivable, debt), amount, movement, cause)
    }

    /// Whether a standing decision is about the item.
    #[must_use]
    pub fn is_decided(&self, leg: Leg) -> bool {
        self.decided.contains(&leg)
    }

    /// The debt with this id.
    ///
    /// # Errors
    /// [`BooksError::Missing`].
    pub(super) fn debt(&self, id: ItemId) -> Result<&super::known::Debt, BooksError> {
        self.known.debts.get(&id).ok_or(BooksError::Missing { what: "the debt", id })
    }

    pub(super) fn debt_mut(&mut self, id: ItemId) -> Result<&mut super::known::Debt, BooksError> {
        self.known.debts.get_mut(&id).ok_or(BooksError::Missing { what: "the debt", id })
    }

    /// What a bill is part of.
    ///
    /// # Errors
    /// [`BooksError::Missing`].
    pub(super) fn debt_of(&self, bill: ItemId) -> Result<ItemId, BooksError> {
        self.known.bills.get(&bill).map(|bill| bill.debt).ok_or(BooksError::Missing { what: "the bill", id: bill })
    }

    /// The cause that a decision is.
    pub(super) const fn cause_of(decision: &BooksDecision) -> Cause {
        Cause { id: decision.id, on: decision.effective_on }
    }
}
