//! States the writer folded last, so that the next event of a bill need not read and parse its row again.
//!
//! Belongs here: when a kept state may be believed. Must not be here: reading and writing rows.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;

/// States kept at most; one more and all are forgotten.
const STATES_MAX: usize = 16_384;

/// The states of bills with an operation under way, which are about to change again; equal to their rows as the writer's open transaction sees them.
#[derive(Debug, Default)]
pub(super) struct Folded {
    states: HashMap<InvoiceNumber, BillState>,
    /// What SQLite says of the file; another value once any other connection has changed it.
    data_version: Option<i64>,
}

impl Folded {
    /// Forgets everything if anybody else has written. Only an open write transaction keeps the answer true.
    pub(super) fn refresh(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let found = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version.replace(found) != Some(found) {
            self.clear();
        }
        Ok(())
    }

    /// Forgets everything, as whoever rolls back must.
    pub(super) fn clear(&mut self) {
        self.states.clear();
    }

    /// Hands out a bill's state, if it is kept; it is not kept any more then.
    pub(super) fn take(&mut self, invoice_number: &InvoiceNumber) -> Option<BillState> {
        self.states.remove(invoice_number)
    }

    /// Keeps a state whose row has been written, if it has an operation that is to end yet.
    pub(super) fn keep(&mut self, state: &BillState) {
        if state.open.is_none() {
            return;
        }
        if self.states.len() >= STATES_MAX {
            self.clear();
        }
        self.states.insert(state.invoice_number.clone(), state.clone());
    }
}
