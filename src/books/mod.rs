//! The books: double entries on accounts of open items, and everything a month says read from them.
//!
//! **What is posted is a function of what the books know, the facts they do not know, decisions and settings.** A fact posted once is known:
//! it is never posted again and never allocated anew. An item leaves only by a posting, never because a run looked less far.
//!
//! | Here | |
//! |---|---|
//! | `account`, `item`, `movement`, `pair` | which accounts there are, what balances are about, and that whatever moves moves in whole pairs |
//! | `fact`, `decision`, `settings` | what comes in |
//! | `ground` | the facts a decision stands on |
//! | `known`, `off`, `forget` | what is handed on from month to month, and what need not be any more |
//! | `book`, `bills`, `allocate`, `settle`, `bank`, `decide` | how each cause is posted |
//! | `allocation`, `standing` | how a payment met its debt and how bills stand on it, and the classes by that |
//! | `post`, `take_on` | in which order: one function for a month, and one for the day before the first |
//! | `brief`, `directory` | what is known in short, by which facts find their way |
//! | `parts`, `handed` | which debts are posted apart from the others, and what they leave to them |
//! | `month`, `breakdown`, `tie`, `identities` | what a month says: by account, by branch and agent, beside the ledger; and what must hold |
//! | `export`, `hledger` | entries by the customer's chart of accounts; the whole journal as plain text |
//! | `carry` | the versioned files between two months |
//!
//! Belongs here: everything about balances. Must not be here: how evidence is read and matched (`evidence`, `reconcile`), what is
//! written for people (`report`), who decided (`journal`). No I/O but in `carry`.
#![deny(clippy::arithmetic_side_effects)]

pub mod account;
mod allocate;
pub mod allocation;
mod bank;
mod bills;
pub mod book;
mod booked_settlement;
pub mod breakdown;
pub mod brief;
pub mod carry;
pub mod debt;
mod decide;
pub mod decision;
mod directory;
pub mod export;
pub mod fact;
mod forgetting;
pub mod ground;
pub mod hledger;
pub mod identities;
pub mod item;
pub mod known;
pub mod ledger_tie;
pub mod month;
pub mod movement;
pub mod pair;
pub mod parts;
pub mod post;
pub mod settings;
mod settle;
pub mod shared_totals;
pub mod standing;
pub mod take_on;
#[cfg(test)]
mod tests;
pub mod ways_off;

pub use account::Account;
pub use book::BooksError;
pub use brief::Brief;
pub use decision::{Action, BooksDecision, PostingRefusal};
pub use fact::Facts;
pub use item::{BooksSubject, ItemId};
pub use known::Known;
pub use movement::Movement;
pub use pair::{Leg, Pair};
pub use parts::{Link, Part, Parts, Shares};
pub use post::{PostedMonth, Posting, post};
pub use settings::{BooksSettings, PostingPeriod};
pub use shared_totals::SharedTotals;
