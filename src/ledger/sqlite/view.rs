//! One consistent state of the file: a connection with a read transaction open, lent from a small pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use super::db::Db;
use super::{chain, customers, indexes, marks, names, open, paid, payments, read, rows, totals, tree};
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::{BillMark, BillWithCode};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::ledger::rules::{Span, microseconds};
use crate::ledger::seals::Seals;
use crate::ledger::sql::cells::{at, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::Place;
use crate::ledger::sql::rows::Row;
use crate::ledger::sql::tree::Set;
use crate::ledger::{BillHappening, Lapses, LedgerError, LedgerHead, LedgerTotals, LedgerView, Names, Noted};
use crate::parallel;

/// Connections kept for the next view; more are opened as they are needed, and closed again.
const IDLE_MAX: usize = 4;
/// Connections of one view.
const CONNECTIONS_MAX: usize = 4;

/// Where views get their connections.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) place: Place,
    seals: Seals,
    idle: Mutex<Vec<Db>>,
}

impl Pool {
    /// A pool that has one connection already.
    pub(super) fn new(place: Place, first: Db) -> Self {
        Self { place, seals: first.seals.clone(), idle: Mutex::new(vec![first]) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Db>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection with a read transaction that has begun: SQLite fixes the state at the first read.
    pub(super) fn view(self: &Arc<Self>) -> Result<SqliteView, LedgerError> {
        let kept = self.idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::again(&self.place, &self.seals)?,
        };
        let begin = || -> Result<LedgerHead, Fault> {
            connection.prepare_cached("BEGIN")?.execute([])?;
            let head = chain::head(&connection)?;
            tree::look(&connection, &head)?;
            Ok(head)
        };
        let head = begin().map_err(|fault| self.place.error(fault))?;
        Ok(SqliteView { pool: Arc::clone(self), head, connection: Mutex::new(Some(connection)), companions: OnceLock::new() })
    }
}

/// A view of an SQLite file.
#[derive(Debug)]
pub struct SqliteView {
    pool: Arc<Pool>,
    head: LedgerHead,
    /// There until the view is dropped.
    connection: Mutex<Option<Db>>,
    /// Further views of the same state, opened when many bills are asked about.
    companions: OnceLock<Vec<SqliteView>>,
}

impl Drop for SqliteView {
    fn drop(&mut self) {
        let connection = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some(connection) = connection else { return };
        if connection.prepare_cached("ROLLBACK").and_then(|mut statement| statement.execute([])).is_ok() {
            let mut idle = self.pool.idle();
            if idle.len() < IDLE_MAX {
                idle.push(connection);
            }
        }
    }
}

impl SqliteView {
    /// Answers a question. One at a time, as SQLite's connections do.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Db) -> Result<T, Fault>) -> Result<T, LedgerError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connection.as_ref().ok_or_else(|| self.pool.place.failed("its view has ended"))?;
        question(connection).map_err(|fault| self.pool.place.error(fault))
    }
}

impl SqliteView {
    /// The head as it was after event `sequence`, if there is one.
    pub(in crate::ledger) fn head_at(&self, sequence: u64) -> Result<Option<LedgerHead>, LedgerError> {
        self.ask(|connection| chain::head_at(connection, sequence))
    }

    /// Answers about each of many bills, by several connections at once.
    fn ask_each<T: Send>(
        &self,
        numbers: &[&InvoiceNumber],
        question: impl Fn(&Db, &InvoiceNumber) -> Result<T, Fault> + Sync,
    ) -> Result<Vec<T>, LedgerError> {
        /// So few are not worth another connection.
        const TOGETHER_MIN: usize = 128;
        let all = |view: &Self, numbers: &[&InvoiceNumber]| -> Result<Vec<T>, LedgerError> {
            view.ask(|connection| numbers.iter().map(|number| question(connection, number)).collect())
        };
        if numbers.len() < TOGETHER_MIN {
            return all(self, numbers);
        }
        let companions = self.companions.get_or_init(|| self.companions());
        let views: Vec<&Self> = std::iter::once(self).chain(companions).collect();
        let work: Vec<(&Self, &[&InvoiceNumber])> =
            views.iter().copied().zip(numbers.chunks(numbers.len().div_ceil(views.len()))).collect();
        let answers = parallel::map_parts(&work, 1, |work| work.iter().map(|(view, numbers)| all(view, numbers)).collect::<Vec<_>>());
        let mut found = Vec::with_capacity(numbers.len());
        for answer in answers.into_iter().flatten() {
            found.extend(answer?);
        }
        Ok(found)
    }

    /// Views that have the same last event, and so the same state: whatever changes a ledger appends one. None where somebody has
    /// written since; then this one answers alone.
    fn companions(&self) -> Vec<Self> {
        let wanted = parallel::width().min(CONNECTIONS_MAX).saturating_sub(1);
        (0..wanted).map_while(|_| self.pool.view().ok()).take_while(|view| view.head == self.head).collect()
    }
}

/// A row that is the one that was written last.
fn newest(connection: &Db, row: Row) -> Result<Row, Fault> {
    tree::check(connection, Set::Bills, row.id)?;
    Ok(row)
}

fn states(connection: &Db, rows: Vec<Row>) -> Result<Vec<BillState>, Fault> {
    rows.into_iter().map(|row| Ok(newest(connection, row)?.state)).collect()
}

impl LedgerView for SqliteView {
    async fn head(&self) -> Result<LedgerHead, LedgerError> {
        Ok(self.head)
    }

    async fn whole(&self) -> Result<(), LedgerError> {
        self.ask(|connection| {
            Set::ALL.into_iter().try_for_each(|set| tree::check_all(connection, set))?;
            indexes::check(connection)
        })
    }

    async fn marks(&self, numbers: &[&InvoiceNumber]) -> Result<Vec<Option<BillMark>>, LedgerError> {
        self.ask_each(numbers, marks::mark)
    }

    async fn held(&self, numbers: &[&InvoiceNumber]) -> Result<Vec<Option<BillWithCode>>, LedgerError> {
        self.ask_each(numbers, marks::held)
    }

    async fn bills(&self, numbers: &[InvoiceNumber]) -> Result<Vec<BillState>, LedgerError> {
        self.ask(|connection| {
            let mut found = Vec::with_capacity(numbers.len());
            for number in numbers {
                if let Some(row) = rows::load(connection, number)? {
                    found.push(newest(connection, row)?.state);
                }
            }
            Ok(found)
        })
    }

    async fn bills_about(&self, names: &Names) -> Result<Vec<BillState>, LedgerError> {
        self.ask(|connection| states(connection, names::bills_about(connection, names)?))
    }

    async fn bills_beginning(&self, prefix: &str) -> Result<Vec<BillState>, LedgerError> {
        self.ask(|connection| states(connection, names::bills_beginning(connection, prefix)?))
    }

    async fn payments_about(&self, names: &Names) -> Result<Vec<Payment>, LedgerError> {
        self.ask(|connection| {
            let found = paid::payments_about(connection, names)?;
            found.keys().try_for_each(|sequence| tree::check(connection, Set::Payments, signed(*sequence)?))?;
            Ok(found.into_values().collect())
        })
    }

    async fn paid(&self, numbers: &[InvoiceNumber]) -> Result<HashMap<InvoiceNumber, Paid>, LedgerError> {
        self.ask(|connection| {
            let mut found = HashMap::new();
            for number in numbers {
                if let Some(paid) = paid_of(connection, number)? {
                    found.insert(number.clone(), paid);
                }
            }
            Ok(found)
        })
    }

    async fn body(&self, number: &InvoiceNumber, request_id: RequestId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.ask(|connection| rows::id_of(connection, number)?.map_or(Ok(None), |id| body(connection, id, request_id)))
    }

    async fn customer(&self, number: &InvoiceNumber) -> Result<Option<Customer>, LedgerError> {
        self.ask(|connection| {
            rows::load(connection, number)?.map_or(Ok(None), |row| customers::checked(connection, &newest(connection, row)?))
        })
    }

    async fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> Result<bool, LedgerError> {
        self.ask(|connection| {
            let Some(row) = rows::load(connection, number)? else { return Ok(false) };
            let row = newest(connection, row)?;
            let mut found = false;
            chain::visit_back(connection, row.state.last_event, |link| {
                found = matches!(link.event()?, Event::Held { evidence: known, .. } if known == evidence);
                Ok(!found)
            })?;
            Ok(found)
        })
    }

    async fn history(&self, number: &InvoiceNumber) -> Result<Vec<(Timestamp, BillHappening)>, LedgerError> {
        self.ask(|connection| read::history(connection, number))
    }

    async fn open_bills(&self) -> Result<Vec<BillState>, LedgerError> {
        let clause = "WHERE bills.id IN (SELECT id FROM bills INDEXED BY bills_open \
                      WHERE open IS NOT NULL OR in_doubt_since IS NOT NULL) AND open IS NOT NULL";
        self.gathered(clause).map(|found| found.into_iter().map(|(state, _)| state).collect())
    }

    async fn oldest_doubt(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.ask(|connection| {
            let sql = "SELECT 'bills', MIN(in_doubt_since) FROM bills WHERE (open IS NOT NULL OR in_doubt_since IS NOT NULL) \
                       AND in_doubt_since IS NOT NULL";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            rows.next()?.map_or(Ok(None), |row| at(row, 1))
        })
    }

    async fn remarkable(&self) -> Result<Vec<Noted>, LedgerError> {
        let clause = "WHERE bills.id IN (SELECT id FROM bills INDEXED BY bills_remarkable \
                      WHERE hold IS NOT NULL OR checks IS NOT NULL OR paid = 'by_earlier_code') \
                      AND (hold IS NOT NULL OR paid = 'by_earlier_code' OR json_array_length(checks, '$.found') > 0)";
        self.gathered(clause)
    }

    async fn visit_silent(&self, to: Timestamp, mut visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        let clause = "WHERE may_tell AND paid IS NOT 'by_its_code' AND ends_at <= ?1 ORDER BY ends_at";
        self.ask(|connection| {
            tree::check_all(connection, Set::Bills)?;
            indexes::check(connection)?;
            rows::visit(connection, clause, [microseconds(to)], |row| {
                visit(newest(connection, row)?.state);
                Ok(true)
            })
        })
    }

    async fn visit_unpaid(&self, mut visit: impl FnMut(BillState) -> bool + Send) -> Result<(), LedgerError> {
        // The last of the file are the newest, and the likeliest to be live still.
        let clause = "WHERE status = 'active' AND paid IS NULL ORDER BY bills.id DESC";
        self.ask(|connection| rows::visit(connection, clause, [], |row| Ok(visit(newest(connection, row)?.state))))
    }

    async fn visit_bills(&self, mut visit: impl FnMut(BillState) + Send) -> Result<(), LedgerError> {
        self.ask(|connection| {
            tree::check_all(connection, Set::Bills)?;
            // They are visited in the order of an index, and those that it has.
            indexes::check(connection)?;
            rows::visit(connection, "ORDER BY invoice_number", [], |row| {
                visit(row.state);
                Ok(true)
            })
        })
    }

    async fn visit_customers(&self, mut visit: impl FnMut(InvoiceNumber, Customer) + Send) -> Result<(), LedgerError> {
        self.ask(|connection| {
            let sql = "SELECT name, email, account_name, invoice_number FROM customers JOIN bills ON bills.id = bill";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let number: String = row.get(3)?;
                let number = InvoiceNumber::new(number).map_err(|_| Fault::Damaged("an invoice number cannot be read".into()))?;
                visit(number, customers::of_row(row)?);
            }
            Ok(())
        })
    }

    async fn visit_payments(&self, mut visit: impl FnMut(Payment) + Send) -> Result<(), LedgerError> {
        self.ask(|connection| {
            tree::check_all(connection, Set::Payments)?;
            payments::visit_payments(connection, |_, payment| {
                visit(payment);
                Ok(())
            })
        })
    }

    async fn highest_code(&self, prefix: &str, length: usize) -> Result<Option<PaymentCode>, LedgerError> {
        self.ask(|connection| {
            let mut highest: Option<PaymentCode> = None;
            read::visit_codes(connection, prefix, length, "DESC", |code| {
                highest = highest.take().max(Some(code.clone()));
                false
            })?;
            Ok(highest)
        })
    }

    async fn visit_codes(&self, prefix: &str, length: usize, mut visit: impl FnMut(&PaymentCode) + Send) -> Result<(), LedgerError> {
        self.ask(|connection| {
            read::visit_codes(connection, prefix, length, "ASC", |code| {
                visit(code);
                true
            })
        })
    }

    async fn totals(&self, now: Timestamp) -> Result<LedgerTotals, LedgerError> {
        self.ask(|connection| totals::read(connection, now))
    }

    async fn revocations(&self) -> Result<Vec<(Timestamp, Revocation)>, LedgerError> {
        self.ask(read::revocations)
    }

    async fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Result<Sum, LedgerError> {
        self.ask(|connection| read::scope_totals(connection, Span::new(from, as_of, expiry_grace_minutes)))
    }

    async fn lapses(&self, is_lapsed: impl Fn(&str) -> bool + Send) -> Result<Lapses, LedgerError> {
        self.ask(|connection| read::lapses(connection, is_lapsed))
    }
}

impl SqliteView {
    /// The bills of a clause that names the index it goes by, by number: left to choose, SQLite would go through all of them in the
    /// order that is asked for.
    fn gathered(&self, clause: &str) -> Result<Vec<Noted>, LedgerError> {
        self.ask(|connection| {
            let mut found: Vec<Noted> = Vec::new();
            rows::visit(connection, clause, [], |row| {
                let row = newest(connection, row)?;
                found.push((row.state, row.kept.paid));
                Ok(true)
            })?;
            found.sort_by(|(a, _), (b, _)| a.invoice_number.cmp(&b.invoice_number));
            Ok(found)
        })
    }
}

/// An operation's pinned body, if it is kept.
pub(super) fn body(connection: &Db, bill: i64, request_id: RequestId) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement = connection.prepare_cached("SELECT body FROM bodies WHERE bill = ?1 AND request_id = ?2")?;
    Ok(statement.query_row(rusqlite::params![bill, request_id.to_string()], |row| row.get(0)).optional()?)
}

/// Whether a bill, or a number that no bill has, is paid.
fn paid_of(connection: &Db, number: &InvoiceNumber) -> Result<Option<Paid>, Fault> {
    if let Some(mark) = marks::mark(connection, number)? {
        return Ok(mark.paid);
    }
    let payments = paid::payments_about(connection, &Names { numbers: [number.clone()].into(), ..Names::default() })?;
    let payments: Vec<Payment> = payments.into_values().collect();
    let candidates = names::bills_about(connection, &Names::of_payments(&payments))?;
    let is_nobodys = |payment: &Payment| owner::owners(candidates.iter().map(|row| &row.state), payment.into()).is_empty();
    Ok(payments.iter().any(is_nobodys).then_some(Paid::ByItsCode))
}
