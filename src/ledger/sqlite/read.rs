//! Reading: the chain, payments, codes by their beginning, the story of one bill, the export.

use std::collections::HashMap;
use std::io::Write;

use jiff::Timestamp;
use rusqlite::params;

use super::chain::{head_at, visit_back, visit_links};
use super::db::Db;
use super::payments::visit_payments_where;
use super::{origin, paid, rows, totals, tree};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::Event;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::ledger::chain::{History, OTHER_HISTORY, Origin, payment_event_at};
use crate::ledger::rules::Span;
use crate::ledger::sql::cells::{at, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{Export, LINKS, Link};
use crate::ledger::sql::standing::Standing;
use crate::ledger::sql::tree::Set;
use crate::ledger::{BillHappening, Lapses, LedgerHead};

/// As [`crate::ledger::View::scope_totals`] documents it.
pub(super) fn scope_totals(connection: &Db, span: Span) -> Result<Sum, Fault> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0), COALESCE(SUM(amount % 1000000), 0) FROM bills \
               WHERE planned_at <= ?3 AND COALESCE(cancelled_at >= ?1, TRUE) AND (status IN ('requested', 'in_doubt_issue') \
               OR COALESCE(expires_at >= ?2, TRUE)) AND (reusable OR COALESCE(first_paid_at >= ?1, TRUE))";
    totals::sum(connection, sql, params![span.from, span.expired_from, span.as_of])
}

/// Where codes stand by text, so that those of a prefix are one stretch of an index.
const CODES: [&str; 4] = [
    "SELECT code FROM bills WHERE code_is_live AND code >= ?1 AND code < ?2",
    "SELECT code FROM bills WHERE NOT code_is_live AND code >= ?1 AND code < ?2",
    "SELECT name FROM names WHERE kind = 'code' AND name >= ?1 AND name < ?2",
    "SELECT payment_code FROM payments WHERE payment_code >= ?1 AND payment_code < ?2",
];

/// Visits codes of a prefix and length; each source in the order of `direction`, until `visit` has enough of it.
pub(super) fn visit_codes(
    connection: &Db,
    prefix: &str,
    length: usize,
    direction: &str,
    mut visit: impl FnMut(&PaymentCode) -> bool,
) -> Result<(), Fault> {
    // What follows the last digit.
    let end = format!("{prefix}:");
    for source in CODES {
        let mut statement = connection.prepare_cached(&format!("{source} ORDER BY 1 {direction}"))?;
        let mut rows = statement.query([prefix, end.as_str()])?;
        while let Some(row) = rows.next()? {
            let unreadable = || Fault::Damaged("a payment code cannot be read".into());
            let text = row.get_ref(0)?.as_str().map_err(|_| unreadable())?;
            if text.len() == length && !visit(&PaymentCode::new(text).map_err(|_| unreadable())?) {
                break;
            }
        }
    }
    Ok(())
}

/// As [`crate::ledger::View::lapses`] documents it. Every event with terms is looked at, because which bills were paid when
/// is not this query's to know.
pub(super) fn lapses(connection: &Db, is_lapsed: impl Fn(&str) -> bool) -> Result<Lapses, Fault> {
    let sql = "SELECT invoice_number, at, COALESCE(json_extract(terms.text, '$.policy.status'), json_extract(event, '$.terms.policy.status')) \
               FROM events LEFT JOIN terms ON terms.id = events.terms \
               WHERE kind = 'bill' AND (events.terms IS NOT NULL OR json_type(event, '$.terms') = 'object') ORDER BY sequence";
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query([])?;
    let mut lapses: HashMap<String, Vec<(Timestamp, bool)>> = HashMap::new();
    while let Some(row) = found.next()? {
        let unreadable = || Fault::Damaged("the terms of an event cannot be read".into());
        let number = row.get_ref(0)?.as_str().map_err(|_| unreadable())?;
        let is_so = row.get_ref(2)?.as_str_or_null().map_err(|_| unreadable())?.is_some_and(&is_lapsed);
        let recorded_at = at(row, 1)?.ok_or_else(unreadable)?;
        // Most bills never have a lapsed policy, and a state before the first lapse changes nothing.
        match lapses.get_mut(number) {
            Some(states) => states.push((recorded_at, is_so)),
            None if is_so => drop(lapses.insert(number.to_owned(), vec![(recorded_at, is_so)])),
            None => {}
        }
    }
    let named = lapses.into_iter().map(|(number, states)| {
        let number = InvoiceNumber::new(number).map_err(|error| Fault::Damaged(format!("an event names no invoice: {error}")))?;
        Ok((number, states))
    });
    named.collect()
}

/// Where the terms of a bill's last events are, the newest first.
pub(super) fn terms_of_events(connection: &Db, newest: u64) -> Result<Vec<i64>, Fault> {
    /// An operation takes few events from its intent to its end; a text that is farther back is written anew.
    const EVENTS_MAX: usize = 16;
    let mut ids: Vec<i64> = Vec::new();
    let mut looked_at = 0_usize;
    let mut statement = connection.prepare_cached("SELECT terms, previous FROM events WHERE sequence = ?1")?;
    let mut next = Some(signed(newest)?);
    while let Some(sequence) = next.filter(|_| looked_at < EVENTS_MAX) {
        let (terms, previous): (Option<i64>, Option<i64>) = statement.query_row([sequence], |row| Ok((row.get(0)?, row.get(1)?)))?;
        ids.extend(terms.filter(|terms| !ids.contains(terms)));
        looked_at = looked_at.saturating_add(1);
        next = previous;
    }
    Ok(ids)
}

/// Everything that happened to a bill, in the order it was recorded.
pub(super) fn history(connection: &Db, invoice_number: &InvoiceNumber) -> Result<Vec<(Timestamp, BillHappening)>, Fault> {
    let mut story = Vec::new();
    let mut numbers = std::collections::BTreeSet::from([invoice_number.clone()]);
    if let Some(row) = rows::load(connection, invoice_number)? {
        tree::check(connection, Set::Bills, row.id)?;
        if paid::standing(connection, &row.state)?.0 != Standing::of(&row.kept) {
            return Err(Set::Payments.broken());
        }
        let origin = origin::origin(connection)?;
        let mut is_of_before = false;
        visit_back(connection, row.state.last_event, |link| {
            is_of_before |= link.sequence <= origin.keyed_after();
            check_link(connection, &origin, link)?;
            let event = link.event()?;
            if let Event::Intended { wire_invoice_number, .. } = &event {
                numbers.insert(wire_invoice_number.clone());
            }
            story.push((link.sequence, link.timestamp()?, BillHappening::Event(Box::new(event))));
            Ok(true)
        })?;
        if is_of_before {
            check_before(connection, &origin)?;
        }
    }
    for number in numbers {
        visit_payments_where(connection, "WHERE invoice_number = ?1", [number.as_str()], |sequence, payment| {
            tree::check(connection, Set::Payments, signed(sequence)?)?;
            let at = payment_event_at(&payment);
            let at = Timestamp::from_microsecond(at).map_err(|_| Fault::Damaged(format!("event {sequence} is at no time")))?;
            story.push((sequence, at, BillHappening::Payment(payment)));
            Ok(())
        })?;
    }
    story.sort_by_key(|(sequence, ..)| *sequence);
    Ok(story.into_iter().map(|(_, at, happening)| (at, happening)).collect())
}

/// Whether an event follows from the one before it, as far as that can be told: since the key was given.
fn check_link(connection: &Db, origin: &Origin, link: &Link<'_>) -> Result<(), Fault> {
    let previous = head_at(connection, link.sequence.saturating_sub(1))?;
    let is_sound = link.sequence <= origin.keyed_after() || previous.is_some_and(|previous| link.follows(origin, &previous));
    if is_sound { Ok(()) } else { Err(link.edited()) }
}

/// As [`crate::ledger::View::revocations`] documents it.
pub(super) fn revocations(connection: &Db) -> Result<Vec<(Timestamp, Revocation)>, Fault> {
    let sequences = totals::read(connection, Timestamp::UNIX_EPOCH)?.revocations;
    let origin = origin::origin(connection)?;
    let mut statement = connection.prepare_cached(&format!("{LINKS} WHERE sequence = ?1"))?;
    let mut said = Vec::with_capacity(sequences.len());
    for sequence in &sequences {
        let missing = || Fault::Damaged(format!("event {sequence} is missing, or tells of no key"));
        let mut rows = statement.query([signed(*sequence)?])?;
        let link = Link::of(rows.next()?.ok_or_else(missing)?)?;
        check_link(connection, &origin, &link)?;
        said.push((link.timestamp()?, link.revocation().ok_or_else(missing)?));
    }
    if sequences.first().is_some_and(|first| *first <= origin.keyed_after()) {
        check_before(connection, &origin)?;
    }
    Ok(said)
}

/// Whether the events of before the key are those that the event answers for with which it was changed.
fn check_before(connection: &Db, origin: &Origin) -> Result<(), Fault> {
    let mut history = History::default();
    let (last, mut answers) = (signed(origin.keyed_after())?, false);
    visit_links(connection, "WHERE sequence <= ?1 + 1 ORDER BY sequence", [last], |link| {
        if link.sequence <= origin.keyed_after() {
            history.take(&link.head(), &link.covered());
            return Ok(());
        }
        let previous = head_at(connection, origin.keyed_after())?;
        answers = previous.is_some_and(|previous| link.follows(origin, &previous)) && link.key()?.history == history.clone().finish();
        Ok(())
    })?;
    if answers { Ok(()) } else { Err(Fault::Damaged(OTHER_HISTORY.into())) }
}

/// Writes all events in order as JSON lines, and the head as the last line. The same ledger gives the same bytes.
pub(super) fn export(connection: &Db, out: &mut dyn Write) -> Result<LedgerHead, Fault> {
    let mut export = Export::new(out);
    visit_links(connection, "ORDER BY sequence", [], |link| export.event(link))?;
    export.finish()
}
