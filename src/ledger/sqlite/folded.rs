//! Rows the writer wrote last, so that the next event of a bill need not read and parse its row again.
//!
//! Belongs here: when a kept row may be believed. Must not be here: reading and writing rows.

use std::collections::HashMap;

use super::db::Db;
use crate::domain::ids::InvoiceNumber;
use crate::ledger::sql::rows::Row;

/// Rows kept at most; one more and all are forgotten.
const ROWS_MAX: usize = 16_384;

/// The rows of bills with an operation under way, which are about to change again, as the writer's open transaction sees them.
#[derive(Debug, Default)]
pub(super) struct Folded {
    rows: HashMap<InvoiceNumber, Row>,
    /// What SQLite says of the file; another value once any other connection has changed it.
    data_version: Option<i64>,
}

impl Folded {
    /// Forgets everything if anybody else has written. Only an open write transaction keeps the answer true.
    pub(super) fn refresh(&mut self, connection: &Db) -> Result<(), rusqlite::Error> {
        let found = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version.replace(found) != Some(found) {
            self.clear();
        }
        Ok(())
    }

    /// Forgets everything, as whoever rolls back must.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Forgets one bill, whose row was written past this.
    pub(super) fn forget(&mut self, invoice_number: &InvoiceNumber) {
        self.rows.remove(invoice_number);
    }

    /// Hands out a bill's row, if it is kept; it is not kept any more then.
    pub(super) fn take(&mut self, invoice_number: &InvoiceNumber) -> Option<Row> {
        self.rows.remove(invoice_number)
    }

    /// Keeps a row that has been written, if its bill has an operation that is to end yet.
    pub(super) fn keep(&mut self, row: &Row) {
        if row.state.open.is_none() {
            return;
        }
        if self.rows.len() >= ROWS_MAX {
            self.clear();
        }
        self.rows.insert(row.state.invoice_number.clone(), row.clone());
    }
}
