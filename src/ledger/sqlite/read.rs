//! Reading: the chain, the snapshot, the story of one bill, the export.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;

use super::fault::Fault;
use super::rows;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::payment::Payment;
use crate::ledger::chain::{Kind, NumberRecord, PaymentRecord};
use crate::ledger::rules::Span;
use crate::ledger::{CodeChanges, FoundTotals, Head, HeldCode, Lapses, ScopeTotals, Snapshot};

/// A row of `events`, borrowed.
pub(super) struct Link<'row> {
    pub(super) sequence: u64,
    pub(super) at: i64,
    pub(super) kind: &'row str,
    pub(super) invoice_number: &'row str,
    pub(super) json: &'row str,
    pub(super) hash: Digest,
}

impl<'row> Link<'row> {
    fn of(row: &'row Row<'_>) -> Result<Self, Fault> {
        let text = |column: usize| -> Result<&'row str, Fault> {
            row.get_ref(column)?.as_str().map_err(|error| Fault::Damaged(format!("an event cannot be read: {error}")))
        };
        Ok(Self {
            sequence: unsigned(row.get(0)?)?,
            at: row.get(1)?,
            kind: text(2)?,
            invoice_number: text(3)?,
            json: text(4)?,
            hash: row.get(5)?,
        })
    }

    /// Whether it is the next after `previous`, with the hash that belongs to it.
    pub(super) fn follows(&self, previous: &Head) -> bool {
        previous.then(self.at, self.kind, self.invoice_number, self.json) == Some(self.head())
    }

    /// The head when this was the last event.
    pub(super) const fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// The event's instant.
    pub(super) fn timestamp(&self) -> Result<Timestamp, Fault> {
        Timestamp::from_microsecond(self.at).map_err(|error| self.damaged(&error))
    }

    /// The bill it names.
    pub(super) fn invoice(&self) -> Result<InvoiceNumber, Fault> {
        InvoiceNumber::new(self.invoice_number).map_err(|error| self.damaged(&error))
    }

    /// The event of a [`Kind::Bill`].
    pub(super) fn event(&self) -> Result<Event, Fault> {
        serde_json::from_str(self.json).map_err(|error| self.damaged(&error))
    }

    /// Of a [`Kind::Payment`] that tells of a number only: whose it is, and what that payment is called by now.
    pub(super) fn number(&self) -> Result<Option<(Digest, Digest)>, Fault> {
        let Ok(record) = serde_json::from_str::<NumberRecord>(self.json) else { return Ok(None) };
        record.digests().map(Some).ok_or_else(|| self.damaged(&"a digest in it is none"))
    }

    /// The payment of any other [`Kind::Payment`].
    pub(super) fn payment(&self) -> Result<Payment, Fault> {
        let record: PaymentRecord = serde_json::from_str(self.json).map_err(|error| self.damaged(&error))?;
        record.into_payment(self.invoice()?).ok_or_else(|| self.damaged(&"a digest in it is none"))
    }

    fn damaged(&self, why: &dyn std::fmt::Display) -> Fault {
        Fault::Damaged(format!("event {} cannot be read: {why}", self.sequence))
    }
}

/// Visits events; `clause` is what follows `FROM events`, with an order of its own or none.
pub(super) fn visit_links(
    connection: &Connection,
    clause: &str,
    parameters: impl Params,
    mut visit: impl FnMut(&Link<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(&format!("SELECT sequence, at, kind, invoice_number, event, hash FROM events {clause}"))?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        visit(&Link::of(row)?)?;
    }
    Ok(())
}

/// The end of the chain.
pub(super) fn head(connection: &Connection) -> Result<Head, Fault> {
    let mut statement = connection.prepare_cached("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1")?;
    let found = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map_or(Ok(Head::EMPTY), |(sequence, hash)| Ok(Head { sequence: unsigned(sequence)?, hash }))
}

/// The head as it was after event `sequence`.
pub(super) fn head_at(connection: &Connection, sequence: u64) -> Result<Option<Head>, Fault> {
    if sequence == 0 {
        return Ok(Some(Head::EMPTY));
    }
    let sql = "SELECT hash FROM events WHERE sequence = ?1";
    let hash = connection.prepare_cached(sql)?.query_row([signed(sequence)?], |row| row.get(0)).optional()?;
    Ok(hash.map(|hash| Head { sequence, hash }))
}

/// Every bill, payment and the head, as one state.
pub(super) fn snapshot(connection: &mut Connection) -> Result<Snapshot, Fault> {
    let transaction = connection.transaction()?;
    let count = |sql: &str| -> Result<usize, Fault> {
        Ok(usize::try_from(transaction.query_row(sql, [], |row| row.get::<_, i64>(0))?).unwrap_or(0))
    };
    let mut bills = HashMap::with_capacity(count("SELECT COUNT(*) FROM bills")?);
    let mut statement = transaction.prepare(&rows::SELECT_STATE)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let state = rows::state_of(row)?;
        bills.insert(state.invoice_number.clone(), state);
    }
    let mut payments = Vec::with_capacity(count("SELECT COUNT(*) FROM payments")?);
    visit_payments(&transaction, |_, payment| {
        payments.push(payment);
        Ok(())
    })?;
    let head = head(&transaction)?;
    Ok(Snapshot { bills, payments, head })
}

/// Visits the rows of `payments`, each with its sequence, in the order they were applied.
pub(super) fn visit_payments(connection: &Connection, visit: impl FnMut(u64, Payment) -> Result<(), Fault>) -> Result<(), Fault> {
    visit_payments_where(connection, "", [], visit)
}

/// The payments that name a number or a code of a bill, in the order they were applied.
pub(super) fn payments_about(connection: &Connection, state: &BillState) -> Result<Vec<Payment>, Fault> {
    let mut found: BTreeMap<u64, Payment> = BTreeMap::new();
    let own = std::iter::once(&state.invoice_number);
    let numbers = own.chain(state.orders().map(|order| order.wire_invoice_number)).map(|number| ("invoice_number", number.as_str()));
    let codes = state.orders().filter_map(|order| Some(("payment_code", order.payment_code?.as_str())));
    let mut names: Vec<(&str, &str)> = numbers.chain(codes).collect();
    names.sort_unstable();
    names.dedup();
    for (column, name) in names {
        visit_payments_where(connection, &format!("WHERE {column} = ?1"), [name], |sequence, payment| {
            found.insert(sequence, payment);
            Ok(())
        })?;
    }
    Ok(found.into_values().collect())
}

/// The payments that name a code, in the order they were applied.
pub(super) fn payments_for(connection: &Connection, code: &PaymentCode) -> Result<Vec<Payment>, Fault> {
    let mut found = Vec::new();
    visit_payments_where(connection, "WHERE payment_code = ?1", [code.as_str()], |_, payment| {
        found.push(payment);
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn visit_payments_where(
    connection: &Connection,
    clause: &str,
    parameters: impl Params,
    mut visit: impl FnMut(u64, Payment) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let sql = format!(
        "SELECT sequence, identity, invoice_number, payment_code, channel, amount, paid_at, received_at, line_digest, canonical \
         FROM payments {clause} ORDER BY sequence"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(parameters)?;
    while let Some(row) = found.next()? {
        let sequence = unsigned(row.get(0)?)?;
        let unreadable = || Fault::Damaged(format!("the payment of event {sequence} cannot be read"));
        let text = |column: usize| row.get_ref(column)?.as_str().map_err(|_| unreadable());
        let identity = row.get(1)?;
        let payment = Payment {
            identity,
            canonical: row.get::<_, Option<Digest>>(9)?.unwrap_or(identity),
            invoice_number: InvoiceNumber::new(text(2)?).map_err(|_| unreadable())?,
            payment_code: PaymentCode::new(text(3)?).map_err(|_| unreadable())?,
            channel: Channel::parse(text(4)?).ok_or_else(unreadable)?,
            amount: Amount::new(unsigned(row.get(5)?)?).map_err(|_| unreadable())?,
            paid_at: rows::at(row, 6)?.ok_or_else(unreadable)?,
            received_at: rows::at(row, 7)?,
            line_digest: row.get(8)?,
        };
        visit(sequence, payment)?;
    }
    Ok(())
}

/// One query, as [`crate::ledger::Ledger::scope_totals`] documents it. Millions and the rest are summed apart, so that no
/// number of bills overflows SQLite's integers.
pub(super) fn scope_totals(connection: &Connection, span: Span) -> Result<ScopeTotals, Fault> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0), COALESCE(SUM(amount % 1000000), 0) FROM bills \
               WHERE planned_at <= ?3 AND COALESCE(cancelled_at >= ?1, TRUE) AND COALESCE(expires_at >= ?2, TRUE) \
               AND (reusable OR COALESCE(first_paid_at >= ?1, TRUE))";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (count, millions, rest): (i64, i64, i64) =
        connection.prepare_cached(sql)?.query_row(params![span.from, span.expired_from, span.as_of], row)?;
    let amount = i128::from(millions).saturating_mul(1_000_000).saturating_add(i128::from(rest));
    Ok(ScopeTotals { count: unsigned(count)?, amount })
}

/// One query over the JSON beside the bills; the rupiah in two parts for the same reason.
pub(super) fn found_totals(connection: &Connection) -> Result<FoundTotals, Fault> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0), COALESCE(SUM(amount % 1000000), 0) \
               FROM (SELECT json_extract(found.value, '$.payment.amount') AS amount \
               FROM bills, json_each(bills.checks, '$.found') AS found WHERE bills.checks IS NOT NULL)";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (count, millions, rest): (i64, i64, i64) = connection.prepare_cached(sql)?.query_row([], row)?;
    let amount = i128::from(millions).saturating_mul(1_000_000).saturating_add(i128::from(rest));
    Ok(FoundTotals { count: unsigned(count)?, amount })
}

/// When a bill was first paid.
pub(super) fn first_paid_at(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Timestamp>, Fault> {
    let mut statement = connection.prepare_cached("SELECT invoice_number, first_paid_at FROM bills WHERE invoice_number = ?1")?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    rows.next()?.map_or(Ok(None), |row| rows::at(row, 1))
}

/// The present codes of bills with events after `sequence`, and the last event.
pub(super) fn codes_since(connection: &Connection, sequence: u64) -> Result<CodeChanges, Fault> {
    let transaction = connection.unchecked_transaction()?;
    let last = head(&transaction)?.sequence;
    let mut codes = Vec::new();
    if last > sequence {
        let changed = if sequence == 0 {
            "?1 = 0"
        } else {
            "invoice_number IN (SELECT invoice_number FROM events WHERE sequence > ?1 AND kind = 'bill')"
        };
        let sql = format!(
            "SELECT invoice_number, COALESCE(live_code, payment_code), live_code IS NOT NULL FROM bills \
             WHERE {changed} AND COALESCE(live_code, payment_code) IS NOT NULL ORDER BY live_code IS NOT NULL"
        );
        let mut statement = transaction.prepare_cached(&sql)?;
        let mut rows = statement.query([signed(sequence)?])?;
        while let Some(row) = rows.next()? {
            let unreadable = || Fault::Damaged("the code of a bill cannot be read".into());
            let text = |column: usize| row.get_ref(column)?.as_str().map_err(|_| unreadable());
            codes.push(HeldCode {
                invoice_number: InvoiceNumber::new(text(0)?).map_err(|_| unreadable())?,
                payment_code: PaymentCode::new(text(1)?).map_err(|_| unreadable())?,
                live: row.get(2)?,
            });
        }
    }
    Ok(CodeChanges { codes, sequence: last })
}

/// As [`crate::ledger::Ledger::former_codes`] documents it; few bills ever lose a code.
pub(super) fn former_codes(connection: &Connection) -> Result<Vec<PaymentCode>, Fault> {
    let mut codes = Vec::new();
    let clause = "WHERE kind = 'bill' AND invoice_number IN (SELECT invoice_number FROM bills WHERE retired_count > 0)";
    visit_links(connection, clause, [], |link| {
        codes.extend(link.event()?.payment_codes().cloned());
        Ok(())
    })?;
    Ok(codes)
}

/// As [`crate::ledger::Ledger::lapses`] documents it. Every event with terms is looked at, because which bills were paid when
/// is not this query's to know.
pub(super) fn lapses(connection: &Connection, is_lapsed: &dyn Fn(&str) -> bool) -> Result<Lapses, Fault> {
    let sql = "SELECT invoice_number, at, json_extract(event, '$.terms.policy.status') FROM events \
               WHERE kind = 'bill' AND json_type(event, '$.terms') = 'object' ORDER BY sequence";
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query([])?;
    let mut lapses: HashMap<String, Vec<(Timestamp, bool)>> = HashMap::new();
    while let Some(row) = found.next()? {
        let unreadable = || Fault::Damaged("the terms of an event cannot be read".into());
        let number = row.get_ref(0)?.as_str().map_err(|_| unreadable())?;
        let is_so = row.get_ref(2)?.as_str_or_null().map_err(|_| unreadable())?.is_some_and(is_lapsed);
        let at = rows::at(row, 1)?.ok_or_else(unreadable)?;
        // Most bills never have a lapsed policy, and a state before the first lapse changes nothing.
        match lapses.get_mut(number) {
            Some(states) => states.push((at, is_so)),
            None if is_so => drop(lapses.insert(number.to_owned(), vec![(at, is_so)])),
            None => {}
        }
    }
    let named = lapses.into_iter().map(|(number, states)| {
        let number = InvoiceNumber::new(number).map_err(|error| Fault::Damaged(format!("an event names no invoice: {error}")))?;
        Ok((number, states))
    });
    named.collect()
}

/// One line of a bill's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Its code's life.
    Event(Box<Event>),
    /// Money that names one of its numbers.
    Payment(Payment),
}

/// Everything that happened to a bill, in the order it was recorded.
pub(super) fn history(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Vec<(Timestamp, Happening)>, Fault> {
    let mut story = Vec::new();
    let mut wire_numbers = vec![invoice_number.clone()];
    let clause = "WHERE invoice_number = ?1 AND kind = ?2 ORDER BY sequence";
    visit_links(connection, clause, [invoice_number.as_str(), Kind::Bill.name()], |link| {
        let event = link.event()?;
        if let Event::Intended { wire_invoice_number, .. } = &event
            && !wire_numbers.contains(wire_invoice_number)
        {
            wire_numbers.push(wire_invoice_number.clone());
        }
        story.push((link.sequence, link.timestamp()?, Happening::Event(Box::new(event))));
        Ok(())
    })?;
    for number in wire_numbers {
        visit_links(connection, clause, [number.as_str(), Kind::Payment.name()], |link| {
            // The number of a payment is no payment.
            if link.number()?.is_none() {
                story.push((link.sequence, link.timestamp()?, Happening::Payment(link.payment()?)));
            }
            Ok(())
        })?;
    }
    story.sort_by_key(|(sequence, ..)| *sequence);
    Ok(story.into_iter().map(|(_, at, happening)| (at, happening)).collect())
}

#[derive(Serialize)]
struct ExportedEvent<'a> {
    sequence: u64,
    at: Timestamp,
    kind: &'a str,
    invoice_number: &'a str,
    event: &'a RawValue,
    hash: String,
}

#[derive(Serialize)]
struct ExportedHead {
    head: HeadLine,
}

#[derive(Serialize)]
struct HeadLine {
    sequence: u64,
    hash: String,
}

/// Writes all events in order as JSON lines, and the head as the last line. The same ledger gives the same bytes.
pub(super) fn export(connection: &mut Connection, out: &mut dyn Write) -> Result<Head, Fault> {
    let transaction = connection.transaction()?;
    let mut last = Head::EMPTY;
    visit_links(&transaction, "ORDER BY sequence", [], |link| {
        let event: &RawValue = serde_json::from_str(link.json).map_err(|error| link.damaged(&error))?;
        let (sequence, kind, invoice_number) = (link.sequence, link.kind, link.invoice_number);
        let line = ExportedEvent { sequence, at: link.timestamp()?, kind, invoice_number, event, hash: digest::hex(&link.hash) };
        last = link.head();
        write_line(out, &line)
    })?;
    write_line(out, &ExportedHead { head: HeadLine { sequence: last.sequence, hash: digest::hex(&last.hash) } })?;
    out.flush()?;
    Ok(last)
}

fn write_line(out: &mut dyn Write, line: &impl Serialize) -> Result<(), Fault> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// A count or number for SQLite, which has signed integers only.
pub(super) fn signed(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::Failed("a number is too large for the database".into()))
}

/// A number that cannot be negative, from SQLite.
pub(super) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Damaged("a number is negative".into()))
}
