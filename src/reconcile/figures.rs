//! What the accounts of a run come to, added up over the parts of its books, and what holds between them.

use std::collections::BTreeSet;

use crate::books::Account;
use crate::books::breakdown::Breakdown;
use crate::books::identities::{self, PostingIdentity};
use crate::books::ledger_tie::Tie;
use crate::books::month::{self, Ageing, Statement};

/// What accounts come to, in one part or in all of them.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) statements: Vec<Statement>,
    pub(super) ageing: Vec<Ageing>,
    pub(super) breakdown: Breakdown,
    pub(super) tie: Tie,
    pub(super) identities: Vec<PostingIdentity>,
}

impl Figures {
    /// Adds those of one more part.
    pub(super) fn add(&mut self, more: Self) {
        month::add_up(&mut self.statements, more.statements);
        month::add_ages(&mut self.ageing, more.ageing);
        self.breakdown.add(more.breakdown);
        self.tie.add_part(more.tie);
        identities::add_up(&mut self.identities, more.identities);
    }

    /// All of them, without accounts that have nothing to say, and with what holds between what is told of one account in several ways.
    pub(super) fn closed(mut self, lists_bills: bool) -> Self {
        self.statements.retain(|statement| !statement.is_silent());
        let spoken: BTreeSet<&str> = self.statements.iter().map(|statement| statement.account.name()).collect();
        let is_of_silent =
            |name: &str| name.split_once(": ").is_some_and(|(account, what)| what.contains("movements =") && !spoken.contains(account));
        self.identities.retain(|identity| !is_of_silent(&identity.name));
        let owed = self.ageing.iter().find(|ageing| ageing.account == Account::Receivable).map(Ageing::total).unwrap_or_default().amount;
        let by_dimension = self.breakdown.total().closed().amount;
        self.identities.push(PostingIdentity::new("receivable by dimension = receivable", by_dimension, owed));
        if lists_bills {
            self.identities.push(PostingIdentity::new("receivable = asked by the ledger + listed differences", owed, self.tie.total()));
        }
        self
    }
}
