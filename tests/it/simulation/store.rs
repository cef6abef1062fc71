//! The ledger as a process of a simulated world uses it: each call takes a while, and the process may die before it and after it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tagih::domain::bill::Salts;
use tagih::domain::lifecycle::BillState;
use tagih::domain::payment::Payment;
use tagih::ledger::memory::{MemoryLedger, MemoryView};
use tagih::ledger::{Applied, Entry, Ledger, LedgerError};

use super::process::Life;
use super::world::World;

/// One process's way to the ledger.
pub struct Store<'a> {
    pub world: &'a World,
    pub ledger: &'a MemoryLedger,
    pub life: Arc<Life>,
}

impl Store<'_> {
    /// A write is slow now and then: others come between.
    async fn takes_a_while(&self) {
        let us = {
            let mut dice = self.world.dice();
            if dice.percent(2) { dice.below(400_000) } else { dice.below(3_000) }
        };
        self.world.time.wait(Duration::from_micros(us)).await;
    }
}

impl Ledger for Store<'_> {
    type View = MemoryView;

    fn salts(&self) -> &Salts {
        self.ledger.salts()
    }

    async fn record(&self, entries: Vec<Entry>) -> Result<Vec<BillState>, LedgerError> {
        self.life.step().await;
        self.takes_a_while().await;
        self.world.count(entries.len() as u64);
        let recorded = self.ledger.record(entries).await;
        self.life.step().await;
        recorded
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<Applied, LedgerError> {
        self.life.step().await;
        self.takes_a_while().await;
        self.world.count(payments.len() as u64);
        let applied = self.ledger.apply_payments(payments).await;
        self.life.step().await;
        applied
    }

    async fn view(&self) -> Result<MemoryView, LedgerError> {
        self.life.step().await;
        self.ledger.view().await
    }

    async fn keep_answer(&self, _: &str, _: Timestamp, _: Timestamp, _: &str) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }
}
