//! The embedded ledger: one SQLite file in WAL mode, one writing thread, any number of readers.
//!
//! Belongs here: everything that knows SQL. Must not be here: what an event means (`domain::lifecycle`) or which code is
//! live (`ledger::rules`).

mod append;
mod fault;
mod folded;
mod names;
mod open;
mod read;
mod rows;
#[cfg(test)]
mod tests;
mod upkeep;
mod verify;
mod writer;

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::oneshot;

use super::{Applied, CodeChanges, Entry, FoundTotals, Head, Lapses, Ledger, LedgerError, ScopeTotals, Snapshot, rules};
use crate::domain::bill::{Customer, Salt};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::BillState;
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;

use fault::{Fault, Place};
use writer::{Job, Writer};

pub use open::{Binding, Create};
pub use read::Happening;
pub use upkeep::Purged;
pub use verify::VerifyReport;

/// Payments of one transaction; more are split, which nobody can tell, as adding them is idempotent.
const PAYMENTS_PER_TRANSACTION: usize = 1024;

/// A ledger in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    place: Place,
    salt: Salt,
    /// For single rows; a snapshot opens a connection of its own.
    reader: Mutex<Connection>,
    writer: Option<Writer>,
    notes: Vec<String>,
}

impl SqliteLedger {
    /// Opens the ledger at `path` for reading and writing; migrates an older schema.
    pub fn open(path: &Path, binding: &Binding, create: Create) -> Result<Self, LedgerError> {
        let place = Place::new(path);
        let opened = open::writable(&place, binding, create, open::MIGRATIONS)?;
        let reader = open::read_only(&place, Some(binding), open::MIGRATIONS)?.connection;
        let writer = Writer::start(opened.connection, place.clone()).map_err(|error| place.error(Fault::Io(error)))?;
        Ok(Self { place, salt: opened.salt, reader: Mutex::new(reader), writer: Some(writer), notes: opened.notes })
    }

    /// What migrating an older schema brought to light, in words: numbers that stand for two bills.
    #[must_use]
    pub fn migration_notes(&self) -> &[String] {
        &self.notes
    }

    /// Opens the ledger at `path` for reading; whatever would write fails.
    pub fn open_read_only(path: &Path, binding: &Binding) -> Result<Self, LedgerError> {
        let place = Place::new(path);
        let opened = open::read_only(&place, Some(binding), open::MIGRATIONS)?;
        Ok(Self { place, salt: opened.salt, reader: Mutex::new(opened.connection), writer: None, notes: Vec::new() })
    }

    /// Checks the file, its hash chain, the fold of every bill and the invariants; see [`VerifyReport`].
    pub fn verify(path: &Path) -> Result<VerifyReport, LedgerError> {
        verify::verify(path, None)
    }

    /// The same, and that the ledger still contains the head that an earlier run printed.
    pub fn verify_against(path: &Path, expected: &Head) -> Result<VerifyReport, LedgerError> {
        verify::verify(path, Some(expected))
    }

    /// Copies the ledger at `path`, also while it is in use, to `to`, which must not exist yet.
    pub fn backup(path: &Path, to: &Path) -> Result<(), LedgerError> {
        upkeep::backup(path, to)
    }

    /// The end of the event sequence.
    pub fn head(&self) -> Result<Head, LedgerError> {
        self.read(read::head)
    }

    /// Writes every event in order as a JSON line, then a line with the head. The same ledger gives the same bytes.
    pub fn export(&self, out: &mut dyn Write) -> Result<Head, LedgerError> {
        read::export(&mut self.another_reader()?, out).map_err(|fault| self.place.error(fault))
    }

    /// Everything that happened to a bill and every payment that names one of its numbers, in the order of recording.
    pub fn history(&self, invoice_number: &InvoiceNumber) -> Result<Vec<(Timestamp, Happening)>, LedgerError> {
        self.read(|connection| read::history(connection, invoice_number))
    }

    /// Removes names, addresses and bodies of bills that nothing happened to since `before` and whose code cannot be paid
    /// any more: none was made, or it was cancelled, refused, retired, past its expiry or paid (unless reusable) by then. The
    /// purge itself becomes an event at `now`.
    pub fn purge_personal(&self, before: Timestamp, now: Timestamp) -> Result<Purged, LedgerError> {
        self.alone(move |connection| upkeep::purge(connection, before, now))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, LedgerError> {
        let reader: MutexGuard<'_, Connection> = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&reader).map_err(|fault| self.place.error(fault))
    }

    /// A connection for something long, so that single reads need not wait for it.
    fn another_reader(&self) -> Result<Connection, LedgerError> {
        Ok(open::read_only(&self.place, None, open::MIGRATIONS)?.connection)
    }

    fn send(&self, job: Job) -> Result<(), LedgerError> {
        match &self.writer {
            Some(writer) => {
                writer.send(job);
                Ok(())
            }
            None => Err(self.place.failed("it was opened for reading only")),
        }
    }

    /// Runs `work` on the writing thread, between transactions, and waits for it.
    fn alone<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static) -> Result<T, LedgerError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.send(Job::Alone(Box::new(move |connection| drop(reply.send(work(connection))))))?;
        answer.recv().map_err(|_| self.writer_is_gone())?.map_err(|fault| self.place.error(fault))
    }

    fn writer_is_gone(&self) -> LedgerError {
        self.place.failed("its writing thread has ended")
    }
}

impl Ledger for SqliteLedger {
    fn salt(&self) -> &Salt {
        &self.salt
    }

    async fn record(&self, entries: Vec<Entry>) -> Result<Vec<BillState>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Record(entries, Box::new(move |result| drop(reply.send(result)))))?;
        answer.await.unwrap_or_else(|_| Err(self.writer_is_gone()))
    }

    fn snapshot(&self) -> Result<Snapshot, LedgerError> {
        read::snapshot(&mut self.another_reader()?).map_err(|fault| self.place.error(fault))
    }

    fn bill(&self, invoice_number: &InvoiceNumber) -> Result<Option<BillState>, LedgerError> {
        self.read(|connection| rows::load(connection, invoice_number))
    }

    fn body(&self, invoice_number: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read(|connection| body(connection, invoice_number, request_id))
    }

    fn customer(&self, invoice_number: &InvoiceNumber) -> Result<Option<Customer>, LedgerError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT name, email, account_name FROM customers WHERE invoice_number = ?1")?;
            let customer = |row: &rusqlite::Row<'_>| {
                let (name, email, account_name): (String, Option<String>, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Customer { name: Personal::new(name), email: email.map(Personal::new), account_name: account_name.map(Personal::new) })
            };
            Ok(statement.query_row([invoice_number.as_str()], customer).optional()?)
        })
    }

    fn first_paid_at(&self, invoice_number: &InvoiceNumber) -> Result<Option<Timestamp>, LedgerError> {
        self.read(|connection| read::first_paid_at(connection, invoice_number))
    }

    fn payments_about(&self, state: &BillState) -> Result<Vec<Payment>, LedgerError> {
        self.read(|connection| read::payments_about(connection, state))
    }

    fn bills_about(&self, number: Option<&InvoiceNumber>, payment_code: Option<&PaymentCode>) -> Result<Vec<BillState>, LedgerError> {
        self.read(|connection| names::bills_about(connection, number, payment_code))
    }

    fn was_held_for(&self, invoice_number: &InvoiceNumber, evidence: &str) -> Result<bool, LedgerError> {
        self.read(|connection| {
            let sql = "SELECT 1 FROM events WHERE invoice_number = ?1 AND kind = 'bill' \
                       AND json_extract(event, '$.event') = 'held' AND json_extract(event, '$.evidence') = ?2 LIMIT 1";
            Ok(connection.prepare_cached(sql)?.exists([invoice_number.as_str(), evidence])?)
        })
    }

    fn codes_since(&self, sequence: u64) -> Result<CodeChanges, LedgerError> {
        // The first look takes long, the later ones hardly any time.
        if sequence == 0 {
            return read::codes_since(&self.another_reader()?, 0).map_err(|fault| self.place.error(fault));
        }
        self.read(|connection| read::codes_since(connection, sequence))
    }

    fn former_codes(&self) -> Result<Vec<PaymentCode>, LedgerError> {
        read::former_codes(&self.another_reader()?).map_err(|fault| self.place.error(fault))
    }

    fn apply_payments(&self, payments: &[Payment]) -> Result<Applied, LedgerError> {
        let mut total = Applied::default();
        for part in payments.chunks(PAYMENTS_PER_TRANSACTION) {
            let (reply, answer) = mpsc::sync_channel(1);
            self.send(Job::Payments(part.to_vec(), Box::new(move |result| drop(reply.send(result)))))?;
            let applied = answer.recv().map_err(|_| self.writer_is_gone())??;
            total.new = total.new.saturating_add(applied.new);
            total.known = total.known.saturating_add(applied.known);
        }
        Ok(total)
    }

    fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Result<ScopeTotals, LedgerError> {
        self.read(|connection| read::scope_totals(connection, rules::Span::new(from, as_of, expiry_grace_minutes)))
    }

    fn found_totals(&self) -> Result<FoundTotals, LedgerError> {
        self.read(read::found_totals)
    }

    fn lapses(&self, is_lapsed: &dyn Fn(&str) -> bool) -> Result<Lapses, LedgerError> {
        self.read(|connection| read::lapses(connection, is_lapsed))
    }
}

/// An operation's pinned body, if it is kept.
fn body(connection: &Connection, invoice_number: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement = connection.prepare_cached("SELECT body FROM bodies WHERE invoice_number = ?1 AND request_id = ?2")?;
    Ok(statement.query_row([invoice_number.as_str(), &request_id.to_string()], |row| row.get(0)).optional()?)
}
