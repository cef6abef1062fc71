//! `tagih ledger verify`: does the ledger still say what was recorded?

use std::collections::{BTreeSet, HashMap};

use super::db::Db;
use super::verify_report::VerifyReport;
use super::{chain, names, origin, payments, rows, schema, verify_bill, verify_chain, verify_seals};
use crate::domain::bill::RecordedTerms;
use crate::domain::digest::Digest;
use crate::domain::mark::TermsDigest;
use crate::domain::payment::Payment;
use crate::ledger::LedgerHead;
use crate::ledger::chain::Kind;
use crate::ledger::sql::cells::{signed, unsigned};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::totals::Changes;

/// The same of what the open transaction sees.
pub(super) fn examine(connection: &Db, expected: Option<&LedgerHead>) -> Result<VerifyReport, Fault> {
    let mut report = VerifyReport {
        bills: 0,
        events: 0,
        payments: 0,
        head: LedgerHead::EMPTY,
        findings: Vec::new(),
        findings_count: 0,
        notes: Vec::new(),
        names: 0,
        passed: BTreeSet::new(),
        revocations: Vec::new(),
    };
    match check_all(connection, expected, &mut report) {
        Ok(()) => Ok(report),
        Err(fault) if report.is_sound() => Err(fault),
        // What was found already is likely why.
        Err(fault) => {
            report.find(fault.in_words());
            Ok(report)
        }
    }
}

fn check_all(connection: &Db, expected: Option<&LedgerHead>, report: &mut VerifyReport) -> Result<(), Fault> {
    schema::differences(connection)?.into_iter().for_each(|difference| report.find(difference));
    if !report.is_sound() {
        // What is asked of other tables than ours would say less than this.
        return Ok(());
    }
    check_integrity(connection, report)?;
    verify_chain::check(connection, &origin::origin(connection)?, report)?;
    verify_chain::check_expected(connection, expected, report)?;
    verify_seals::check(connection, report)?;
    check_bills(connection, report)?;
    check_live_codes(connection, report)?;
    check_terms(connection, report)?;
    report.notes = names::collisions(connection)?;
    check_request_ids(connection, report)?;
    check_payments(connection, report)
}

fn check_integrity(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
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

/// Folds every bill again and compares it with its row; one bill at a time, so a large ledger needs no memory.
fn check_bills(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
    let (mut totals, mut events, mut after) = (Changes::default(), 0_u64, 0_i64);
    while let Some(id) = next_id(connection, after)? {
        after = id;
        let row = match rows::load_unsealed(connection, id) {
            Ok(Some((row, None))) => row,
            Ok(Some((row, Some(broken)))) => {
                report.find(broken.in_words());
                row
            }
            Ok(None) => break,
            Err(Fault::Damaged(reason)) => {
                report.find(reason);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        events = events.saturating_add(verify_bill::check(connection, &row, report)?);
        totals.bill(None, &row.state, row.kept.paid.is_some())?;
        report.bills = report.bills.saturating_add(1);
    }
    let of_bills: i64 = connection.query_row("SELECT COUNT(*) FROM events WHERE kind = ?1", [Kind::Bill.name()], |row| row.get(0))?;
    if unsigned(of_bills)? != events {
        report.find(format!("there are {of_bills} events of bills, but the bills lead to {events}"));
    }
    let names = names::count(connection)?;
    if names != report.names {
        report.find(format!("{names} names of bills are kept, but their events give {}", report.names));
    }
    payments::visit_payments(connection, |_, payment| totals.payment(payment.amount.get()))?;
    for sequence in &report.revocations {
        totals.revocation(signed(*sequence)?)?;
    }
    for finding in super::totals::differences(&totals, connection)? {
        report.find(finding);
    }
    Ok(())
}

fn next_id(connection: &Db, after: i64) -> Result<Option<i64>, Fault> {
    let sql = "SELECT MIN(id) FROM bills WHERE id > ?1";
    Ok(connection.prepare_cached(sql)?.query_row([after], |row| row.get(0))?)
}

/// Every text of terms is some event's or bill's, or was a bill's for a while.
fn check_terms(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
    let sql = "SELECT text FROM terms WHERE id NOT IN (SELECT terms FROM bills UNION ALL SELECT terms FROM events WHERE terms IS NOT NULL)";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let terms: Option<RecordedTerms> = serde_json::from_str(&text).ok();
        let digest = terms.and_then(|terms| TermsDigest::of(&terms).ok());
        if digest.is_none_or(|digest| !report.passed.contains(&digest)) {
            count = count.saturating_add(1);
        }
    }
    if count > 0 {
        report.find(format!("{count} terms are kept that no event and no bill has"));
    }
    Ok(())
}

/// I11, without trusting the index that enforces it.
fn check_live_codes(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
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
fn check_request_ids(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
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
fn check_payments(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
    let mut numbers: HashMap<Digest, Digest> = HashMap::new();
    let mut numbers_count = 0_u64;
    let clause = "WHERE kind = 'payment' AND json_type(event, '$.payment') IS NOT NULL ORDER BY sequence";
    chain::visit_links(connection, clause, [], |link| {
        if let Some((identity, canonical)) = link.number()? {
            numbers.insert(identity, canonical);
            numbers_count = numbers_count.saturating_add(1);
        }
        Ok(())
    })?;
    payments::visit_payments(connection, |sequence, payment| {
        report.payments = report.payments.saturating_add(1);
        let mut same = false;
        let number = numbers.remove(&payment.identity);
        chain::visit_links(connection, "WHERE sequence = ?1 AND kind = 'payment'", [signed(sequence)?], |link| {
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
    let events = unsigned(events)?.saturating_sub(numbers_count);
    if events != report.payments {
        report.find(format!("there are {} payments, but events of {events}", report.payments));
    }
    Ok(())
}
