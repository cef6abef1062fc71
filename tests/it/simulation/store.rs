//! The ledger as a process of a simulated world uses it: each call takes a while, and the process may die before it and after it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tagih::domain::bill::Salts;
use tagih::domain::ids::InvoiceNumber;
use tagih::domain::lifecycle::BillState;
use tagih::domain::payment::Payment;
use tagih::ledger::memory::{MemoryLedger, MemoryView};
use tagih::ledger::{AppliedPayments, Basis, Ledger, LedgerError, NewEvent};

use super::process::Life;
use super::world::World;

/// One process's way to the ledger.
pub struct Store<'a> {
    pub world: &'a World,
    pub ledger: &'a MemoryLedger,
    pub life: Arc<Life>,
    /// Whoever does not send holds no lease, and is in nobody's way.
    pub is_sender: bool,
}

impl Store<'_> {
    /// Nobody whose lease has lapsed records anything more.
    fn may_write(&self) -> Result<(), LedgerError> {
        if self.life.is_fenced() { Err(LedgerError::LeaseLost { path: "simulated".into() }) } else { Ok(()) }
    }

    /// An operation that another host is at is that host's.
    fn leave_alone(&self, number: &InvoiceNumber, is_fact: bool) -> Result<(), LedgerError> {
        let others = self.world.at_it.lock().unwrap();
        let other =
            others.get(number).filter(|life| self.is_sender && !is_fact && !Arc::ptr_eq(life, &self.life) && life.holds(self.world));
        let busy = |_| LedgerError::Busy { invoice_number: number.clone(), holder: "another host".into() };
        other.map_or(Ok(()), |life| Err(busy(life)))
    }

    /// Whoever has brought an operation forward is at it from now on.
    fn take(&self, states: &[BillState], about: &[(InvoiceNumber, bool)]) {
        let mut others = self.world.at_it.lock().unwrap();
        for (state, (number, is_fact)) in states.iter().zip(about) {
            if state.open.is_none() {
                others.remove(number);
            } else if self.is_sender && !is_fact {
                others.insert(number.clone(), Arc::clone(&self.life));
            }
        }
    }

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

    async fn record(&self, entries: Vec<NewEvent>) -> Result<Vec<BillState>, LedgerError> {
        self.life.step(self.world).await;
        self.takes_a_while().await;
        self.may_write()?;
        let about: Vec<(InvoiceNumber, bool)> =
            entries.iter().map(|entry| (entry.invoice_number.clone(), entry.basis == Basis::Any)).collect();
        for (number, is_fact) in &about {
            self.leave_alone(number, *is_fact)?;
        }
        self.world.count(entries.len() as u64);
        let recorded = self.ledger.record(entries).await;
        if let Ok(states) = &recorded {
            self.take(states, &about);
        }
        self.life.step(self.world).await;
        recorded
    }

    async fn apply_payments(&self, payments: &[Payment]) -> Result<AppliedPayments, LedgerError> {
        self.life.step(self.world).await;
        self.takes_a_while().await;
        self.may_write()?;
        self.world.count(payments.len() as u64);
        let applied = self.ledger.apply_payments(payments).await;
        self.life.step(self.world).await;
        applied
    }

    async fn view(&self) -> Result<MemoryView, LedgerError> {
        self.life.step(self.world).await;
        self.ledger.view().await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn keep_answer(&self, _: &str, _: Timestamp, _: Timestamp, _: &str) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }
}
