//! One bill of `tagih ledger verify`: does its row say what its events say, and is what is kept beside them theirs?

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::Value;

use super::db::Db;
use super::verify_report::VerifyReport;
use super::{chain, customers, names, paid};
use crate::domain::bill::{RecordedTerms, Salt};
use crate::domain::digest;
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::TermsDigest;
use crate::domain::personal::Personal;
use crate::ledger::chain::Kind;
use crate::ledger::sql::cells::signed;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{COLUMNS, Kept, Row, columns_of, names_of};
use crate::ledger::sql::standing::Standing;

/// Compares a row with the fold of its events; gives how many there are.
pub(super) fn check(connection: &Db, row: &Row, report: &mut VerifyReport) -> Result<u64, Fault> {
    let number = &row.state.invoice_number;
    let mut history: Vec<(Timestamp, Event)> = Vec::new();
    let mut beside = Beside::default();
    let followed = chain::visit_back(connection, row.state.last_event, |link| {
        if link.invoice_number == number.as_str() && link.kind == Kind::Bill.name() {
            let event = link.event()?;
            beside.take(&event, link.beside, signed(link.sequence)?);
            history.push((link.timestamp()?, event));
        } else {
            report.find(format!("event {} is said to be of invoice `{number}`, and is not", link.sequence));
        }
        Ok(true)
    });
    match followed {
        Err(Fault::Damaged(reason)) => report.find(format!("the history of invoice `{number}` is broken: {reason}")),
        followed => followed?,
    }
    let (mut state, mut told) = (None::<BillState>, Vec::<RecordedTerms>::new());
    let mut count = 0_u64;
    while let Some((at, event)) = history.pop() {
        count = count.saturating_add(1);
        let before = state.take();
        if let Some(before) = &before {
            report.passed.extend(TermsDigest::of(&before.terms).ok().filter(|_| told.iter().all(|terms| *terms != before.terms)));
        }
        told.extend(event.terms().cloned());
        match BillState::apply(before, number, at, &event) {
            Ok(next) => state = Some(BillState { last_event: row.state.last_event, salt: row.state.salt, ..next }),
            Err(illegal) => {
                report.find(format!("an event of invoice `{number}` cannot have happened: {illegal}"));
                return Ok(count);
            }
        }
    }
    let Some(state) = state else { return Ok(count) };
    check_row(connection, row, &state, report)?;
    if state.status.open_operation() != state.open.as_ref().map(|open| open.operation) {
        report.find(format!("invoice `{number}` is `{}`, which does not fit its open operation", state.status.name()));
    }
    check_bodies(connection, row, &beside, report)?;
    check_customer(connection, row, &beside, report)?;
    Ok(count)
}

/// Every column, what payments say of the bill, and what it goes by.
fn check_row(connection: &Db, row: &Row, state: &BillState, report: &mut VerifyReport) -> Result<(), Fault> {
    let number = &state.invoice_number;
    let standing = match paid::standing(connection, state) {
        Ok((standing, _)) => standing,
        Err(Fault::Damaged(reason)) => {
            report.find(format!("what payments say of invoice `{number}` cannot be told: {reason}"));
            Standing::of(&row.kept)
        }
        Err(fault) => return Err(fault),
    };
    let kept = Kept { first_paid_at: standing.first_paid_at, paid: standing.paid, ..row.kept };
    let sql = format!("SELECT {} FROM bills WHERE id = ?1", COLUMNS.join(", "));
    let read_row = |row: &rusqlite::Row<'_>| (0..COLUMNS.len()).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>();
    let found = connection.prepare_cached(&sql)?.query_row([row.id], read_row)?;
    for ((column, found), wanted) in COLUMNS.iter().zip(found).zip(columns_of(state, &kept)?) {
        if found != wanted {
            let source = if ["first_paid_at", "paid"].contains(column) { "payments" } else { "events" };
            report.find(format!("`{column}` of invoice `{number}` is not what its {source} say"));
        }
    }
    if row.state.terms != state.terms {
        report.find(format!("`terms` of invoice `{number}` is not what its events say"));
    }
    report.names = report.names.saturating_add(u64::try_from(names_of(state).len()).unwrap_or(u64::MAX));
    if !names::hold(connection, row.id, state)? {
        report.find(format!("what invoice `{number}` goes by is not what its events say"));
    }
    Ok(())
}

/// What the events of a bill say of what is kept beside them.
#[derive(Default)]
struct Beside {
    /// Digests of bodies, hexadecimal, by request id, each with its event.
    bodies: HashMap<String, (String, i64)>,
    /// What stands for the customer that was given last, and with which event.
    customer: Option<([u8; 16], i64)>,
    /// What the terms have of customers: of the name, the address and the name on the policy.
    personal: Vec<[String; 3]>,
}

impl Beside {
    /// One event more, from the last to the first.
    fn take(&mut self, event: &Event, customer: Option<&[u8]>, sequence: i64) {
        if let Some(customer) = customer.and_then(|digest| digest.try_into().ok()) {
            self.customer.get_or_insert((customer, sequence));
        }
        let digests = |terms: &RecordedTerms| [&terms.name_digest, &terms.email_digest, &terms.account_name_digest].map(Clone::clone);
        self.personal.extend(event.terms().map(digests));
        let body = match event {
            Event::Intended { request_id, body_digest, .. } => Some((request_id.to_string(), body_digest.clone())),
            Event::Checked { payment: Some(found), .. } => Some((found.request_id.to_string(), digest::hex(&found.answer_digest))),
            _ => None,
        };
        if let Some((id, digest)) = body {
            self.bodies.entry(id).or_insert((digest, sequence));
        }
    }
}

/// Bodies of requests and answers are those that events name (I4), none is kept that no event names, and none is missing that was not
/// purged.
fn check_bodies(connection: &Db, row: &Row, beside: &Beside, report: &mut VerifyReport) -> Result<(), Fault> {
    let number = &row.state.invoice_number;
    let purged_by = row.kept.purged_by.unwrap_or(0);
    let mut missing: HashMap<&str, i64> = beside.bodies.iter().map(|(id, (_, sequence))| (id.as_str(), *sequence)).collect();
    let mut statement = connection.prepare_cached("SELECT request_id, body FROM bodies WHERE bill = ?1")?;
    let mut found = statement.query([row.id])?;
    while let Some(body) = found.next()? {
        let (id, bytes): (String, Vec<u8>) = (body.get(0)?, body.get(1)?);
        match beside.bodies.get(&id) {
            Some((wanted, _)) if !Salt::is_of_body(row.state.salt, wanted, &bytes) => {
                report.find(format!("the body `{id}` kept for invoice `{number}` is not the one its event names"));
            }
            Some((_, sequence)) if *sequence <= purged_by => {
                report.find(format!("the body `{id}` of invoice `{number}` is there, but was purged"));
            }
            Some(_) => {}
            None => report.find(format!("a body `{id}` is kept for invoice `{number}` that none of its events names")),
        }
        missing.remove(id.as_str());
    }
    for (id, _) in missing.into_iter().filter(|(_, sequence)| *sequence > purged_by) {
        report.find(format!("the body `{id}` of invoice `{number}` is missing, and was not purged"));
    }
    Ok(())
}

/// The customer is the one that was given last, unless it was purged. Events of before have no digest of it but what their terms say.
fn check_customer(connection: &Db, row: &Row, beside: &Beside, report: &mut VerifyReport) -> Result<(), Fault> {
    let number = &row.state.invoice_number;
    let kept = customers::customer(connection, row.id)?.zip(row.state.salt);
    let given = beside.customer.filter(|(_, sequence)| row.kept.purged_by.is_none_or(|purged_by| purged_by < *sequence));
    let is_right = match (&kept, given) {
        (Some((customer, salt)), Some((wanted, _))) => salt.digest_of_customer(customer) == wanted,
        (None, Some(_)) => false,
        (None, None) => row.state.salt.is_none(),
        (Some((customer, salt)), None) => {
            let has_names = beside.personal.iter().any(|[name, ..]| !name.is_empty());
            let part = |part: &Option<Personal>| part.as_ref().map_or_else(String::new, |part| salt.digest(part.reveal()));
            let digests = [salt.digest(customer.name.reveal()), part(&customer.email), part(&customer.account_name)];
            row.kept.purged_by.is_none() && (!has_names || beside.personal.contains(&digests))
        }
    };
    if !is_right {
        report.find(format!("the customer of invoice `{number}` is not the one its events were given"));
    }
    Ok(())
}
