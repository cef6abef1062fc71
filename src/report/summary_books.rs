//! The books as summary.json has them, under `books`. Amounts are rupiah on the normal side of their account; negative on the other.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::books::account::{Account, Side};
use crate::books::month::{Ageing, Statement};
use crate::domain::ageing::AgeBucket;
use crate::domain::balance::Balance;
use crate::reconcile::open_items::{Items, Todo};
use crate::reconcile::posted::Posted;

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct BooksFigures {
    /// The first day of the books.
    pub began_on: Option<Date>,
    /// The hash of the carry this period was opened with; `null`: the books begin with it.
    pub opening_hash: Option<String>,
    /// The hash of the carry it leaves.
    pub closing_hash: String,
    /// Every account that has something to say, in the order of the chart.
    pub accounts: Vec<AccountFigures>,
    /// Open items and alarms by what is to be done.
    pub items: BTreeMap<&'static str, BTreeMap<&'static str, Balance>>,
    /// What is to be done, by who acts.
    pub to_do: BTreeMap<&'static str, Balance>,
    /// From what the ledger asks for to what is owed (`receivable`): how many debts, and by how much; `null` if no ledger was read.
    pub ledger: Option<BTreeMap<&'static str, Balance>>,
    /// What was left aside, by why.
    pub aside: BTreeMap<&'static str, usize>,
    /// Decisions that move nothing, and why.
    pub refused: BTreeMap<String, String>,
    /// What must hold.
    pub identities: Vec<BooksIdentity>,
}

/// An account from opening to closing.
#[derive(Clone, Debug, Serialize)]
pub struct AccountFigures {
    /// Which.
    pub account: &'static str,
    /// Open items at the start.
    pub opening: Balance,
    /// What moved.
    pub movements: Vec<LineFigures>,
    /// Open items at the end.
    pub closing: Balance,
    /// How old they are, in days.
    pub ageing: BTreeMap<&'static str, Balance>,
    /// The same of what stands on the other side of the account, never netted.
    pub reversed: BTreeMap<&'static str, Balance>,
}

/// One line between them.
#[derive(Clone, Debug, Serialize)]
pub struct LineFigures {
    /// Why.
    pub name: &'static str,
    /// Whether it belongs to an earlier period.
    pub prior_period: bool,
    /// By how many items and how much.
    #[serde(flatten)]
    pub balance: Balance,
}

/// Two figures that must be one.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like those of the other identities")]
pub struct BooksIdentity {
    pub name: String,
    pub left: i128,
    pub right: i128,
    pub holds: bool,
}

fn on_side(account: Account, balance: Balance) -> Balance {
    match account.info().side {
        Side::Debit => balance,
        Side::Credit => Balance { amount: Balance::ZERO.minus(balance).amount, ..balance },
    }
}

impl BooksFigures {
    /// The figures of `posted`, whose carry has this head.
    #[must_use]
    pub fn of(posted: &Posted, closing_hash: String) -> Self {
        let ages = |account: Account| posted.ageing.iter().find(|ageing| ageing.account == account);
        let accounts = posted.statements.iter().map(|statement| AccountFigures::of(statement, ages(statement.account))).collect();
        Self {
            began_on: posted.common.known.began_on,
            opening_hash: posted.previous.clone(),
            closing_hash,
            accounts,
            items: Todo::ALL.into_iter().map(|todo| (todo.name(), by_account(&posted.items, todo))).collect(),
            to_do: by_owner(&posted.items),
            ledger: posted.tie.as_ref().map(|tie| tie.lines().map(|(line, balance)| (line.name(), balance)).collect()),
            aside: posted.aside.clone(),
            refused: posted.common.aside.refused.iter().map(|(id, refusal)| (id.to_string(), refusal.to_string())).collect(),
            identities: posted
                .identities
                .iter()
                .map(|identity| BooksIdentity {
                    name: identity.name.clone(),
                    left: identity.left.get(),
                    right: identity.right.get(),
                    holds: identity.holds(),
                })
                .collect(),
        }
    }
}

impl AccountFigures {
    fn of(statement: &Statement, ages: Option<&Ageing>) -> Self {
        let account = statement.account;
        let buckets = |of: fn(&Ageing) -> [Balance; 5]| -> BTreeMap<&'static str, Balance> {
            let named =
                |of| AgeBucket::ALL.into_iter().map(AgeBucket::name).zip(of).map(|(name, balance)| (name, on_side(account, balance)));
            ages.into_iter().flat_map(|ages| named(of(ages))).collect()
        };
        Self {
            account: account.name(),
            opening: on_side(account, statement.opening),
            movements: statement
                .lines
                .iter()
                .map(|line| LineFigures {
                    name: line.movement.name(),
                    prior_period: line.is_prior_period,
                    balance: on_side(account, line.balance),
                })
                .collect(),
            closing: on_side(account, statement.closing),
            ageing: buckets(|ages| ages.normal),
            reversed: buckets(|ages| ages.other),
        }
    }
}

/// Items of one standing by account; alarms under `alarm`, with what is at stake.
fn by_account(items: &Items, todo: Todo) -> BTreeMap<&'static str, Balance> {
    let mut all: BTreeMap<&'static str, Balance> = BTreeMap::new();
    for account in Account::ALL.into_iter().map(Some).chain([None]) {
        let of = items.standing(account, todo);
        if of.count > 0 {
            let (name, balance) = account.map_or(("alarm", of), |account| (account.name(), on_side(account, of)));
            all.insert(name, balance);
        }
    }
    all
}

/// What is to be done now, by who acts: each item with its rupiah, whichever side it stands on.
fn by_owner(items: &Items) -> BTreeMap<&'static str, Balance> {
    let mut all: BTreeMap<&'static str, Balance> = BTreeMap::new();
    for task in items.tasks() {
        let sum = all.entry(task.owner.name()).or_default();
        *sum = sum.plus(task.size);
    }
    all
}
