//! `tagih ledger verify`: does the ledger still say what was recorded?

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::fault::{Fault, Place};
use super::rows::{Kept, Row};
use super::totals::Changes;
use super::{names, open, paid, read, rows, view};
use crate::domain::digest::{self, Digest};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::payment::Payment;
use crate::ledger::chain::Kind;
use crate::ledger::{Head, LedgerError};

/// Findings beyond this many are counted, not kept.
const FINDINGS_MAX: usize = 100;

/// What verifying looked at and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many bills were refolded.
    pub bills: u64,
    /// How many events the chain has.
    pub events: u64,
    /// How many payments were compared.
    pub payments: u64,
    /// The end of the chain.
    pub head: Head,
    /// What does not hold, in words; the first 100.
    pub findings: Vec<String>,
    /// How many things do not hold.
    pub findings_count: u64,
    /// What holds and yet should be known: numbers that stand for two bills, in words.
    pub notes: Vec<String>,
    /// How many names bills go by beside their own numbers.
    names: u64,
}

impl VerifyReport {
    /// Whether everything holds.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.findings_count == 0
    }

    fn find(&mut self, finding: impl Into<String>) {
        self.findings_count = self.findings_count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding.into());
        }
    }
}

/// Checks the file, the chain, the fold and the invariants. With `expected`, also that the chain still contains that head, so
/// that an older copy put back is found. Reads one consistent state; others may go on writing.
pub(super) fn verify(path: &Path, expected: Option<&Head>) -> Result<VerifyReport, LedgerError> {
    let place = Place::new(path);
    let mut connection = open::read_only(&place, None)?.connection;
    let head = Head::EMPTY;
    let mut report =
        VerifyReport { bills: 0, events: 0, payments: 0, head, findings: Vec::new(), findings_count: 0, notes: Vec::new(), names: 0 };
    let mut check = || -> Result<(), Fault> {
        let transaction = connection.transaction()?;
        check_integrity(&transaction, &mut report)?;
        check_chain(&transaction, &mut report)?;
        check_expected(&transaction, expected, &mut report)?;
        check_bills(&transaction, &mut report)?;
        check_live_codes(&transaction, &mut report)?;
        report.notes = names::collisions(&transaction)?;
        check_request_ids(&transaction, &mut report)?;
        check_payments(&transaction, &mut report)
    };
    check().map_err(|fault| place.error(fault))?;
    Ok(report)
}

fn check_integrity(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    for pragma in ["integrity_check(20)", "foreign_key_check"] {
        let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match row.get_ref(0)?.as_str() {
                Ok("ok") => {}
                Ok(finding) => report.find(format!("{pragma}: {finding}")),
                Err(_) => report.find(format!("{pragma}: unreadable")),
            }
        }
    }
    Ok(())
}

fn check_chain(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    read::visit_links(connection, "ORDER BY sequence", [], |link| {
        if !link.follows(&report.head) {
            report.find(format!(
                "event {} does not follow from event {}: it was edited, or one is missing",
                link.sequence, report.head.sequence
            ));
        }
        report.head = link.head();
        report.events = report.events.saturating_add(1);
        Ok(())
    })
}

fn check_expected(connection: &Connection, expected: Option<&Head>, report: &mut VerifyReport) -> Result<(), Fault> {
    let Some(expected) = expected else { return Ok(()) };
    match read::head_at(connection, expected.sequence)? {
        None => report.find(format!(
            "the chain ends at event {}, but it was at event {} before: this is an older copy",
            report.head.sequence, expected.sequence
        )),
        Some(found) if found != *expected => {
            report.find(format!("event {} has another hash than it had before: this is another history", expected.sequence));
        }
        Some(_) => {}
    }
    Ok(())
}

/// Folds every bill again and compares it with its row; one bill at a time, so a large ledger needs no memory.
fn check_bills(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    let (mut totals, mut events, mut after) = (Changes::default(), 0_u64, 0_i64);
    while let Some(row) = next_row(connection, after)? {
        after = row.id;
        events = events.saturating_add(check_bill(connection, &row, report)?);
        totals.bill(None, &row.state, row.kept.paid.is_some())?;
        report.bills = report.bills.saturating_add(1);
    }
    let of_bills: i64 = connection.query_row("SELECT COUNT(*) FROM events WHERE kind = ?1", [Kind::Bill.name()], |row| row.get(0))?;
    if read::unsigned(of_bills)? != events {
        report.find(format!("there are {of_bills} events of bills, but the bills lead to {events}"));
    }
    let names = names::count(connection)?;
    if names != report.names {
        report.find(format!("{names} names of bills are kept, but their events give {}", report.names));
    }
    read::visit_payments(connection, |_, payment| totals.payment(payment.amount.get()))?;
    for finding in totals.differences(connection)? {
        report.find(finding);
    }
    Ok(())
}

fn next_row(connection: &Connection, after: i64) -> Result<Option<Row>, Fault> {
    let sql = "SELECT MIN(id) FROM bills WHERE id > ?1";
    let id: Option<i64> = connection.prepare_cached(sql)?.query_row([after], |row| row.get(0))?;
    id.map_or(Ok(None), |id| rows::load_by_id(connection, id))
}

/// Compares a row with the fold of its events; gives how many there are.
fn check_bill(connection: &Connection, row: &Row, report: &mut VerifyReport) -> Result<u64, Fault> {
    let number = &row.state.invoice_number;
    let mut history: Vec<(Timestamp, Event)> = Vec::new();
    let followed = read::visit_back(connection, row.state.last_event, |link| {
        if link.invoice_number == number.as_str() && link.kind == Kind::Bill.name() {
            history.push((link.timestamp()?, link.event()?));
        } else {
            report.find(format!("event {} is said to be of invoice `{number}`, and is not", link.sequence));
        }
        Ok(true)
    });
    match followed {
        Err(Fault::Damaged(reason)) => report.find(format!("the history of invoice `{number}` is broken: {reason}")),
        followed => followed?,
    }
    let (mut state, mut body_digest) = (None::<BillState>, None);
    let mut count = 0_u64;
    while let Some((at, event)) = history.pop() {
        if let Event::Intended { body_digest: of_intent, .. } = &event {
            body_digest = Some(of_intent.clone());
        }
        count = count.saturating_add(1);
        match BillState::apply(state.take(), number, at, &event) {
            Ok(next) => state = Some(BillState { last_event: row.state.last_event, ..next }),
            Err(illegal) => {
                report.find(format!("an event of invoice `{number}` cannot have happened: {illegal}"));
                return Ok(count);
            }
        }
    }
    let Some(state) = state else { return Ok(count) };
    check_row(connection, row, &state, report)?;
    check_answers(connection, row.id, &state, report)?;
    check_open_body(connection, row.id, &state, body_digest.as_deref(), report)?;
    Ok(count)
}

/// Every column, what payments say of the bill, and what it goes by.
fn check_row(connection: &Connection, row: &Row, state: &BillState, report: &mut VerifyReport) -> Result<(), Fault> {
    let number = &state.invoice_number;
    let (standing, _) = paid::standing(connection, state)?;
    let kept = Kept { first_paid_at: standing.first_paid_at, paid: standing.paid, ..row.kept };
    let sql = format!("SELECT {} FROM bills WHERE id = ?1", rows::COLUMNS.join(", "));
    let read_row = |row: &rusqlite::Row<'_>| (0..rows::COLUMNS.len()).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>();
    let found = connection.prepare_cached(&sql)?.query_row([row.id], read_row)?;
    for ((column, found), wanted) in rows::COLUMNS.iter().zip(found).zip(rows::columns_of(state, &kept)?) {
        if found != wanted {
            let source = if ["first_paid_at", "paid"].contains(column) { "payments" } else { "events" };
            report.find(format!("`{column}` of invoice `{number}` is not what its {source} say"));
        }
    }
    if row.state.terms != state.terms {
        report.find(format!("`terms` of invoice `{number}` is not what its events say"));
    }
    report.names = report.names.saturating_add(u64::try_from(names::of(state).len()).unwrap_or(u64::MAX));
    if !names::hold(connection, row.id, state)? {
        report.find(format!("what invoice `{number}` goes by is not what its events say"));
    }
    Ok(())
}

/// The answer that told of a payment must be the one its event names, for as long as it is kept.
fn check_answers(connection: &Connection, bill: i64, state: &BillState, report: &mut VerifyReport) -> Result<(), Fault> {
    let number = &state.invoice_number;
    for found in state.checks.iter().flat_map(|checks| &checks.found) {
        let kept = view::body(connection, bill, found.payment.request_id)?;
        if kept.is_some_and(|answer| digest::of_bytes(&answer) != found.payment.answer_digest) {
            report.find(format!("the status answer kept for invoice `{number}` is not the one its event names"));
        }
    }
    Ok(())
}

/// I4 and I1: the body of an operation that is not finished must still be the one it was begun with.
fn check_open_body(
    connection: &Connection,
    bill: i64,
    state: &BillState,
    wanted: Option<&str>,
    report: &mut VerifyReport,
) -> Result<(), Fault> {
    let number = &state.invoice_number;
    if state.status.open_operation() != state.open.as_ref().map(|open| open.operation) {
        report.find(format!("invoice `{number}` is `{}`, which does not fit its open operation", state.status.name()));
    }
    let Some(open) = &state.open else { return Ok(()) };
    match view::body(connection, bill, open.request_id)? {
        None => report.find(format!("the body of the open operation of invoice `{number}` is missing")),
        Some(body) if wanted != Some(digest::hex(&digest::of_bytes(&body)).as_str()) => {
            report.find(format!("the body of the open operation of invoice `{number}` is not the one it was begun with"));
        }
        Some(_) => {}
    }
    Ok(())
}

/// I11, without trusting the index that enforces it.
fn check_live_codes(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    let sql = "SELECT MIN(invoice_number), COUNT(*) FROM bills NOT INDEXED WHERE code_is_live GROUP BY code HAVING COUNT(*) > 1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, count): (String, i64) = (row.get(0)?, row.get(1)?);
        report.find(format!("the code of invoice `{number}` is live for {count} invoices"));
    }
    Ok(())
}

/// I4 across bills; within one, recording refuses it.
fn check_request_ids(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    let sql = "SELECT request_id FROM bodies GROUP BY request_id HAVING COUNT(*) > 1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        report.find(format!("request id `{id}` stands for the bodies of several invoices"));
    }
    Ok(())
}

/// Every row of `payments` has its event, says the same, and none is missing.
fn check_payments(connection: &Connection, report: &mut VerifyReport) -> Result<(), Fault> {
    let mut numbers: HashMap<Digest, Digest> = HashMap::new();
    let mut numbers_count = 0_u64;
    let clause = "WHERE kind = 'payment' AND json_type(event, '$.payment') IS NOT NULL ORDER BY sequence";
    read::visit_links(connection, clause, [], |link| {
        if let Some((identity, canonical)) = link.number()? {
            numbers.insert(identity, canonical);
            numbers_count = numbers_count.saturating_add(1);
        }
        Ok(())
    })?;
    read::visit_payments(connection, |sequence, payment| {
        report.payments = report.payments.saturating_add(1);
        let mut same = false;
        let number = numbers.remove(&payment.identity);
        read::visit_links(connection, "WHERE sequence = ?1 AND kind = 'payment'", [read::signed(sequence)?], |link| {
            let told = link.payment()?;
            same = Payment { canonical: number.unwrap_or(told.canonical), ..told } == payment;
            Ok(())
        })?;
        if !same {
            report.find(format!("the payment of event {sequence} is not what the event says"));
        }
        Ok(())
    })?;
    if !numbers.is_empty() {
        report.find(format!("{} payments are missing whose numbers events tell", numbers.len()));
    }
    let sql = "SELECT COUNT(*) FROM events WHERE kind = ?1";
    let events: i64 = connection.query_row(sql, [Kind::Payment.name()], |row| row.get(0))?;
    let events = read::unsigned(events)?.saturating_sub(numbers_count);
    if events != report.payments {
        report.find(format!("there are {} payments, but events of {events}", report.payments));
    }
    Ok(())
}
