//! Appending inside one transaction: events, the view they change, and what lies beside them.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::folded::Folded;
use super::{names, read, rows};
use crate::domain::bill::Customer;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::ledger::chain::{Kind, NumberRecord, PaymentRecord, payment_event_at, truncated_payment};
use crate::ledger::rules::{Fate, fates, microseconds, number_to_claim, truncated};
use crate::ledger::{Applied, Entry, Head};

/// A write transaction at the end of the chain. Whoever makes one commits or rolls back.
pub(super) struct Appender<'c> {
    connection: &'c Connection,
    folded: &'c mut Folded,
    head: Head,
    /// Events appended so far.
    pub(super) appended: usize,
}

impl<'c> Appender<'c> {
    /// Takes the write lock, finds the head, and forgets what is `folded` if it may be out of date.
    pub(super) fn begin(connection: &'c Connection, folded: &'c mut Folded) -> Result<Self, Fault> {
        run(connection, "BEGIN IMMEDIATE")?;
        match folded.refresh(connection).map_err(Fault::Sql).and_then(|()| read::head(connection)) {
            Ok(head) => Ok(Self { connection, folded, head, appended: 0 }),
            Err(fault) => {
                drop(run(connection, "ROLLBACK"));
                Err(fault)
            }
        }
    }

    /// Makes everything durable.
    pub(super) fn commit(self) -> Result<(), Fault> {
        let committed = run(self.connection, "COMMIT");
        if committed.is_err() {
            self.roll_back();
        }
        committed
    }

    /// Forgets everything.
    pub(super) fn roll_back(self) {
        self.folded.clear();
        drop(run(self.connection, "ROLLBACK"));
    }

    /// One caller's part of several writes: all of it or none, without harm to the others' parts. After an error that
    /// [`Fault::spoils_transaction`], only [`Appender::roll_back`] may follow.
    fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        run(self.connection, "SAVEPOINT part")?;
        let head = self.head;
        let result = work(self);
        if result.is_err() {
            self.folded.clear();
            run(self.connection, "ROLLBACK TO part")?;
            self.head = head;
        }
        run(self.connection, "RELEASE part")?;
        result
    }

    /// Appends bills' events in order, all of them or none. A single one, as sending makes them, needs no savepoint, which
    /// would copy every page it touches.
    pub(super) fn entries(&mut self, entries: Vec<Entry>) -> Result<Vec<BillState>, Fault> {
        let is_single = entries.len() == 1;
        let all = |appender: &mut Self| entries.into_iter().map(|entry| appender.entry(entry)).collect();
        if is_single { all(self) } else { self.part(all) }
    }

    /// Whatever can be refused is refused before anything is written: by the first write at the latest, which leaves
    /// nothing behind when it fails.
    fn entry(&mut self, entry: Entry) -> Result<BillState, Fault> {
        let at = truncated(entry.at);
        let before = match self.folded.take(&entry.invoice_number) {
            Some(state) => Some(state),
            None => rows::load(self.connection, &entry.invoice_number)?,
        };
        let may_change_code = before.is_none()
            || matches!(entry.event, Event::Adopted { .. } | Event::Accepted { .. } | Event::Settled { .. } | Event::Registered { .. });
        if let Some(number) = number_to_claim(before.is_none(), &entry.invoice_number, &entry.event)
            && let Some(other) = names::other(self.connection, number, &entry.invoice_number)?
        {
            return Err(Fault::NumberTaken(entry.invoice_number.clone(), number.clone(), other));
        }
        let names_before = before.as_ref().map(names::of);
        let state = BillState::apply(before, &entry.invoice_number, at, &entry.event).map_err(Fault::Illegal)?;
        let json = serde_json::to_string(&entry.event).map_err(|error| Fault::Failed(error.to_string()))?;
        let new_body = match entry.private.body {
            Some((request_id, body)) if !self.is_kept(&entry.invoice_number, request_id, &body)? => Some((request_id, body)),
            Some(_) | None => None,
        };
        rows::store(self.connection, &state)?;
        names::store(self.connection, names_before.as_deref(), &state)?;
        self.event(microseconds(at), Kind::Bill, entry.invoice_number.as_str(), &json)?;
        if may_change_code {
            self.prepared(FIRST_PAID_OF_BILL)?.execute([state.invoice_number.as_str()])?;
        }
        if let Some((request_id, body)) = new_body {
            let sql = "INSERT INTO bodies (invoice_number, request_id, body) VALUES (?1, ?2, ?3)";
            self.prepared(sql)?.execute(params![state.invoice_number.as_str(), request_id.to_string(), body])?;
        }
        if let Some(customer) = entry.private.customer {
            self.customer(&state.invoice_number, &customer)?;
        }
        self.folded.keep(&state);
        Ok(state)
    }

    /// Appends one event to the chain.
    pub(super) fn event(&mut self, at: i64, kind: Kind, invoice_number: &str, json: &str) -> Result<i64, Fault> {
        let head = self.head.then(at, kind.name(), invoice_number, json).ok_or_else(|| Fault::Failed("it is full".into()))?;
        let sequence = read::signed(head.sequence)?;
        let sql = "INSERT INTO events (sequence, at, kind, invoice_number, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.prepared(sql)?.execute(params![sequence, at, kind.name(), invoice_number, json, head.hash])?;
        self.head = head;
        self.appended = self.appended.saturating_add(1);
        Ok(sequence)
    }

    /// Whether an operation's body is kept already; another body under the same id would break I4.
    fn is_kept(&self, invoice_number: &InvoiceNumber, request_id: RequestId, body: &[u8]) -> Result<bool, Fault> {
        let id = request_id.to_string();
        let kept = self
            .prepared("SELECT body = ?3 FROM bodies WHERE invoice_number = ?1 AND request_id = ?2")?
            .query_row(params![invoice_number.as_str(), id, body], |row| row.get(0))
            .optional()?;
        match kept {
            Some(false) => Err(Fault::Damaged(format!("request id `{id}` would stand for two different bodies"))),
            same => Ok(same.unwrap_or(false)),
        }
    }

    fn customer(&self, invoice_number: &InvoiceNumber, customer: &Customer) -> Result<(), Fault> {
        let sql = "INSERT INTO customers (invoice_number, name, email, account_name) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (invoice_number) DO UPDATE \
                   SET name = excluded.name, email = excluded.email, account_name = excluded.account_name \
                   WHERE (name, email, account_name) IS NOT (excluded.name, excluded.email, excluded.account_name)";
        let [email, account_name] = [&customer.email, &customer.account_name].map(|part| part.as_ref().map(Personal::reveal));
        self.prepared(sql)?.execute(params![invoice_number.as_str(), customer.name.reveal(), email, account_name])?;
        Ok(())
    }

    /// Adds the payments that are new, and the numbers of those that lacked them.
    pub(super) fn payments(&mut self, payments: &[Payment]) -> Result<Applied, Fault> {
        let mut applied = Applied::default();
        let payments: Vec<Payment> = payments.iter().map(truncated_payment).collect();
        for (payment, fate) in payments.iter().zip(fates(&payments, |code| read::payments_for(self.connection, code))?) {
            match fate {
                Fate::New(new) => {
                    self.payment(&new)?;
                    applied.new = applied.new.saturating_add(1);
                    continue;
                }
                Fate::Numbered(kept) => self.number(&kept, payment_event_at(payment))?,
                Fate::Known => {}
            }
            applied.known = applied.known.saturating_add(1);
        }
        Ok(applied)
    }

    fn number(&mut self, payment: &Payment, at: i64) -> Result<(), Fault> {
        let json = serde_json::to_string(&NumberRecord::of(payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        self.event(at, Kind::Payment, payment.invoice_number.as_str(), &json)?;
        let sql = "UPDATE payments SET canonical = ?2 WHERE identity = ?1";
        self.prepared(sql)?.execute([Some(payment.identity), canonical_of(payment)])?;
        Ok(())
    }

    fn payment(&mut self, payment: &Payment) -> Result<(), Fault> {
        let json = serde_json::to_string(&PaymentRecord::of(payment)).map_err(|error| Fault::Failed(error.to_string()))?;
        let invoice_number = payment.invoice_number.as_str();
        let sequence = self.event(payment_event_at(payment), Kind::Payment, invoice_number, &json)?;
        let paid_at = microseconds(payment.paid_at);
        let sql = "INSERT INTO payments (sequence, identity, invoice_number, payment_code, channel, amount, paid_at, received_at, line_digest, canonical) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.prepared(sql)?.execute(params![
            sequence,
            payment.identity,
            invoice_number,
            payment.payment_code.as_str(),
            payment.channel.name(),
            read::signed(payment.amount.get())?,
            paid_at,
            payment.received_at.map(microseconds),
            payment.line_digest,
            canonical_of(payment),
        ])?;
        for sql in [PAID_BY_NUMBER, PAID_BY_WIRE_NUMBER, PAID_BY_FORMER_ORDER] {
            self.prepared(sql)?.execute(params![invoice_number, payment.payment_code.as_str(), paid_at])?;
        }
        Ok(())
    }

    fn prepared(&self, sql: &str) -> Result<CachedStatement<'c>, Fault> {
        Ok(self.connection.prepare_cached(sql)?)
    }
}

/// What a payment's row keeps beside its identity.
fn canonical_of(payment: &Payment) -> Option<Digest> {
    (payment.canonical != payment.identity).then_some(payment.canonical)
}

fn run(connection: &Connection, sql: &str) -> Result<(), Fault> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// A bill's first payment, as `domain::owner::is_pair` has it; the bill is the outer query's row `bills`. For most bills two plain
/// lookups: for a list with `IN` SQLite would make a table of its own each time.
macro_rules! first_paid {
    () => {
        "(CASE WHEN bills.former IS NULL OR bills.payment_code IS NULL THEN (SELECT MIN(paid_at) FROM (\
         SELECT paid_at FROM payments WHERE payments.invoice_number = bills.invoice_number \
         AND (bills.payment_code IS NULL OR payments.payment_code = bills.payment_code) \
         UNION ALL SELECT paid_at FROM payments WHERE payments.invoice_number = bills.wire_invoice_number \
         AND payments.payment_code = bills.payment_code)) \
         ELSE (SELECT MIN(paid_at) FROM payments WHERE payments.invoice_number IN (\
         SELECT bills.invoice_number UNION ALL SELECT bills.wire_invoice_number \
         UNION ALL SELECT name FROM names WHERE names.invoice_number = bills.invoice_number AND kind = 'order') \
         AND (payments.payment_code = bills.payment_code OR payments.payment_code IN (\
         SELECT name FROM names WHERE names.invoice_number = bills.invoice_number AND kind = 'code'))) END)"
    };
}

/// Whether a bill's row says the right thing.
pub(super) const FIRST_PAID_HOLDS: &str = concat!("SELECT first_paid_at IS ", first_paid!(), " FROM bills WHERE invoice_number = ?1");

/// Looks for payments that came before the bill or its code; writes only where that changes something.
pub(super) const FIRST_PAID_OF_BILL: &str =
    concat!("UPDATE bills SET first_paid_at = ", first_paid!(), " WHERE invoice_number = ?1 AND first_paid_at IS NOT ", first_paid!());

const PAID_BY_NUMBER: &str = "UPDATE bills SET first_paid_at = MIN(COALESCE(first_paid_at, ?3), ?3) \
     WHERE invoice_number = ?1 AND (payment_code IS NULL OR payment_code = ?2)";

const PAID_BY_WIRE_NUMBER: &str = "UPDATE bills SET first_paid_at = MIN(COALESCE(first_paid_at, ?3), ?3) \
     WHERE wire_invoice_number = ?1 AND wire_invoice_number <> invoice_number AND payment_code = ?2";

/// Money for an order that the bill has lost, or for the code it holds under a number it has lost.
const PAID_BY_FORMER_ORDER: &str = "UPDATE bills SET first_paid_at = MIN(COALESCE(first_paid_at, ?3), ?3) \
     WHERE former IS NOT NULL AND payment_code IS NOT NULL AND invoice_number IN (\
     SELECT invoice_number FROM names WHERE name = ?1 AND kind = 'order' \
     UNION SELECT invoice_number FROM names WHERE name = ?2 AND kind = 'code') \
     AND (invoice_number = ?1 OR wire_invoice_number = ?1 \
     OR EXISTS (SELECT 1 FROM names WHERE names.invoice_number = bills.invoice_number AND kind = 'order' AND name = ?1)) \
     AND (payment_code = ?2 \
     OR EXISTS (SELECT 1 FROM names WHERE names.invoice_number = bills.invoice_number AND kind = 'code' AND name = ?2))";
