//! Which open operations are whose: begun or taken over under a lease, in the transaction that records it. Another holder's is left
//! alone for as long as its lease counts.

use std::collections::HashMap;
use std::time::Duration;

use super::lease::{COUNTS_UNTIL, NOW, microseconds};
use super::session::Session;
use crate::ledger::sql::cells::{integer, optional};
use crate::ledger::sql::fault::Fault;

/// A bill whose open operation is from now on under that lease, or which has none any more.
pub(super) type Change = (i64, Option<i64>);

/// What one transaction has found and decided.
#[derive(Debug)]
pub(super) struct Operations {
    /// The lease that is written under, if there is one.
    own: Option<i64>,
    lasts: Duration,
    /// Of bills that were asked about, the lease, and who holds it if it counts.
    known: HashMap<i64, Option<(i64, Option<String>)>>,
}

impl Operations {
    pub(super) fn new(own: Option<i64>, lasts: Duration) -> Self {
        Self { own, lasts, known: HashMap::new() }
    }

    /// Looks at everything anew.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Asks about bills, for who writes under a lease; whoever does not is in nobody's way.
    pub(super) async fn learn(&mut self, session: &Session, bills: &[i64]) -> Result<(), Fault> {
        let new: Vec<i64> = bills.iter().copied().filter(|bill| self.own.is_some() && !self.known.contains_key(bill)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT bill, lease, CASE WHEN {COUNTS_UNTIL} >= {NOW} THEN holder END \
             FROM operations LEFT JOIN leases ON number = lease WHERE bill = ANY($2)"
        );
        let rows = session.query(&sql, &[&microseconds(self.lasts), &new]).await?;
        self.known.extend(new.into_iter().map(|bill| (bill, None)));
        for row in &rows {
            let holder = optional(row, 2)?.map(str::to_owned);
            self.known.insert(integer(row, 0)?, Some((integer(row, 1)?, holder)));
        }
        Ok(())
    }

    /// Who else is at the bill's open operation.
    pub(super) async fn other(&mut self, session: &Session, bill: i64) -> Result<Option<String>, Fault> {
        self.learn(session, &[bill]).await?;
        let known = self.known.get(&bill).and_then(Option::as_ref);
        Ok(known.filter(|(lease, _)| self.own.is_some_and(|own| own != *lease)).and_then(|(_, holder)| holder.clone()))
    }

    /// What an event makes of the bill's operation; a mere fact about it does not make it anybody's.
    pub(super) fn follow(&mut self, bill: i64, was_open: bool, is_open: bool, is_fact: bool) -> Option<Change> {
        let lease = self.known.get(&bill).and_then(Option::as_ref).map(|(lease, _)| *lease);
        let change = match self.own {
            Some(own) if is_open && !is_fact && lease != Some(own) => (bill, Some(own)),
            _ if was_open && !is_open => (bill, None),
            _ => return None,
        };
        self.known.insert(bill, change.1.map(|own| (own, None)));
        Some(change)
    }
}
