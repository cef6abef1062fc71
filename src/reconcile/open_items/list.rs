//! What is kept of all open items: their sums, and each item that somebody is to see. There may be as many open items as bills; the file
//! that lists them all is written while they are found.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, OpenItem, Rank, Todo, sort};
use crate::books::account::{Account, Owner};
use crate::domain::ageing::AgeBucket;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;

/// Items of one account that need nobody now and are kept nevertheless, for pages and sheets that show the first of them.
pub const SHOWN_MAX: usize = 10_000;

/// Which items are counted together: by account, by whether they stand on its other side, by what is to be done, and by who does it.
type Kind = (Option<Account>, bool, Todo, Owner);

/// What somebody has to do about some items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTask {
    /// Who acts.
    pub owner: Owner,
    /// Where they stand; none: alarms.
    pub account: Option<Account>,
    /// Whether they stand on the other side than the account normally does.
    pub is_reversed: bool,
    /// How many, and their size.
    pub size: Balance,
}

/// How many items, what they come to with their signs, and what of that is dealt with there, without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    balance: Balance,
    size: Rupiah,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Items {
    shown: Vec<OpenItem>,
    /// When so many are kept, those that nobody is to see are looked for.
    trim_at: usize,
    /// Of accounts with more than are shown: the last that is.
    last: BTreeMap<Option<Account>, Rank>,
    sums: BTreeMap<Kind, Sum>,
    ages: [Balance; 5],
}

/// Whether somebody is to see an item, however many there are.
fn is_seen(item: &OpenItem, findings: &Findings<'_>) -> bool {
    item.todo == Todo::Now || findings.has(&item.discrepancy_id)
}

impl Items {
    /// Adds those of one more part.
    pub(in crate::reconcile) fn add(&mut self, items: Vec<OpenItem>, findings: &Findings<'_>) {
        for item in &items {
            let sum = self.sums.entry((item.account, item.is_reversed(), item.todo, item.owner)).or_default();
            (sum.balance, sum.size) = (sum.balance.plus(Balance::one(item.amount)), sum.size.plus(item.own()));
            let place = AgeBucket::ALL.iter().position(|bucket| *bucket == AgeBucket::of(item.age_days.max(0)));
            if let Some(bucket) = place.filter(|_| item.todo == Todo::Now).and_then(|place| self.ages.get_mut(place)) {
                *bucket = bucket.plus(Balance::one(item.own()));
            }
        }
        let is_shown = |item: &OpenItem| self.last.get(&item.account).is_none_or(|last| item.rank() < *last);
        let shown: Vec<OpenItem> = items.into_iter().filter(|item| is_seen(item, findings) || is_shown(item)).collect();
        self.shown.extend(shown);
        if self.shown.len() > self.trim_at {
            self.trim(findings);
            self.trim_at = self.shown.len().saturating_add(SHOWN_MAX);
        }
    }

    /// Leaves what is to be done, what this run found, and the first of each account.
    pub(in crate::reconcile) fn trim(&mut self, findings: &Findings<'_>) {
        sort(&mut self.shown);
        let mut counts: BTreeMap<Option<Account>, usize> = BTreeMap::new();
        let last = &mut self.last;
        self.shown.retain(|item| {
            let count = counts.entry(item.account).or_default();
            *count = count.saturating_add(1);
            if *count == SHOWN_MAX {
                last.insert(item.account, item.rank());
            }
            *count <= SHOWN_MAX || is_seen(item, findings)
        });
    }

    /// An alarm about money that is to be dealt with is told with that money, and waits for what is decided about it: it is one thing to do.
    /// `items` are those of the part that alarms are in; the others stand here already.
    pub(in crate::reconcile) fn tell_with_money(&self, items: &mut [OpenItem]) {
        let is_alarm = |item: &OpenItem| item.account.is_none() && item.todo == Todo::Now;
        if !items.iter().any(is_alarm) {
            return;
        }
        let money = self.shown.iter().chain(&*items).filter(|item| item.account.is_some() && item.todo == Todo::Now);
        let money: BTreeSet<String> = money.map(|item| item.discrepancy_id.clone()).collect();
        items.iter_mut().filter(|item| is_alarm(item) && money.contains(&item.discrepancy_id)).for_each(|item| item.todo = Todo::NotYet);
    }

    /// Counts what is in the list of discrepancies and is neither an open item nor an alarm: a row that cannot be read, say. It waits for a person
    /// like an alarm.
    pub(in crate::reconcile) fn add_beside(&mut self, owner: Owner, todo: Todo, at_stake: Rupiah) {
        let sum = self.sums.entry((None, false, todo, owner)).or_default();
        let amount = at_stake.max(Rupiah::ZERO.minus(at_stake));
        (sum.balance, sum.size) = (sum.balance.plus(Balance::one(amount)), sum.size.plus(amount));
        if let Some(youngest) = self.ages.first_mut().filter(|_| todo == Todo::Now) {
            *youngest = youngest.plus(Balance::one(amount));
        }
    }

    /// The items that are kept, worst first within each account.
    pub fn shown(&self) -> impl Iterator<Item = &OpenItem> {
        self.shown.iter()
    }

    /// Those of an account, or the alarms.
    pub fn of(&self, account: Option<Account>) -> impl Iterator<Item = &OpenItem> {
        self.shown.iter().filter(move |item| item.account == account)
    }

    fn sum(&self, is_counted: impl Fn(&Kind) -> bool) -> Sum {
        self.sums
            .iter()
            .filter(|(kind, _)| is_counted(kind))
            .fold(Sum::default(), |sum, (_, more)| Sum { balance: sum.balance.plus(more.balance), size: sum.size.plus(more.size) })
    }

    /// Count and rupiah (debit +) of the items of an account of which so much is to be done, or of the alarms.
    #[must_use]
    pub fn standing(&self, account: Option<Account>, todo: Todo) -> Balance {
        self.sum(|(of, _, what, _)| *of == account && *what == todo).balance
    }

    /// Count and rupiah (debit +) of all items of an account, or of the alarms.
    #[must_use]
    pub fn total(&self, account: Option<Account>) -> Balance {
        self.sum(|(of, ..)| *of == account).balance
    }

    /// Count and size of the items of all accounts of which so much is to be done.
    #[must_use]
    pub fn on_accounts(&self, todo: Todo) -> Balance {
        let sum = self.sum(|(account, _, what, _)| account.is_some() && *what == todo);
        Balance { count: sum.balance.count, amount: sum.size }
    }

    /// Count and size of what waits for a person, alarms included.
    #[must_use]
    pub fn to_do(&self) -> Balance {
        let sum = self.sum(|(_, _, todo, _)| *todo == Todo::Now);
        Balance { count: sum.balance.count, amount: sum.size }
    }

    /// Count and size of the alarms that wait for a person.
    #[must_use]
    pub fn alarms(&self) -> Balance {
        let sum = self.sum(|(account, _, todo, _)| account.is_none() && *todo == Todo::Now);
        Balance { count: sum.balance.count, amount: sum.size }
    }

    /// What is to be done now, by who acts and on which account.
    pub fn tasks(&self) -> impl Iterator<Item = OpenTask> {
        let now = self.sums.iter().filter(|((_, _, todo, _), _)| *todo == Todo::Now);
        let mut tasks: Vec<OpenTask> = now
            .map(|((account, is_reversed, _, owner), sum)| OpenTask {
                owner: *owner,
                account: *account,
                is_reversed: *is_reversed,
                size: Balance { count: sum.balance.count, amount: sum.size },
            })
            .collect();
        tasks.sort_by_key(|task| (task.owner, task.account, task.is_reversed));
        tasks.into_iter()
    }

    /// What waits for a person, by age in the order of [`Bucket::ALL`]: count and size.
    #[must_use]
    pub const fn ages(&self) -> [Balance; 5] {
        self.ages
    }
}
