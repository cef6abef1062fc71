//! The chain of `tagih ledger verify`: does each event follow from the one before it?

use super::chain;
use super::db::Db;
use super::verify_report::VerifyReport;
use crate::ledger::LedgerHead;
use crate::ledger::chain::{History, Kind, Origin};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::Link;

/// Goes through all events. What was chained with a key of before cannot be made again: for those the event answers that changed the key.
pub(super) fn check(connection: &Db, origin: &Origin, report: &mut VerifyReport) -> Result<(), Fault> {
    let mut history = History::default();
    let mut has_key = origin.keyed_after() == 0;
    chain::visit_links(connection, "ORDER BY sequence", [], |link| {
        let is_of_before = link.sequence <= origin.keyed_after();
        let follows =
            if is_of_before { Some(link.sequence) == report.head.sequence.checked_add(1) } else { link.follows(origin, &report.head) };
        if !follows {
            report.find(format!(
                "event {} does not follow from event {}: it was edited, or one is missing",
                link.sequence, report.head.sequence
            ));
        }
        let is_the_keys_place = link.sequence == origin.keyed_after().saturating_add(1) && origin.keyed_after() > 0;
        let revocation = link.revocation().filter(|_| !is_the_keys_place);
        report.revocations.extend(revocation.as_ref().map(|_| link.sequence));
        if is_of_before {
            history.take(&link.head(), &link.covered());
        } else if link.kind == Kind::Key.name() && revocation.is_none() || is_the_keys_place {
            has_key = true;
            check_key(connection, origin, link, &history, report)?;
        }
        let is_bare = link.terms.is_none() && link.previous.is_none() && link.beside.is_none();
        if link.kind != Kind::Bill.name() && !is_bare {
            report.find(format!("event {} is not a bill's, and refers to what only theirs do", link.sequence));
        }
        if origin.is_before(link.sequence) && (link.beside.is_some() || link.fence.is_some()) {
            report.find(format!("event {} has something beside it that nothing wrote then", link.sequence));
        }
        report.head = link.head();
        report.events = report.events.saturating_add(1);
        Ok(())
    })?;
    if !has_key {
        report.find("the event is missing with which the key of the seals was changed");
    }
    Ok(())
}

/// The event that changed the key is the first that was chained with it, and says what all events before it were.
fn check_key(connection: &Db, origin: &Origin, link: &Link<'_>, history: &History, report: &mut VerifyReport) -> Result<(), Fault> {
    let is_its_place = Some(link.sequence) == origin.keyed_after().checked_add(1) && link.kind == Kind::Key.name();
    if !is_its_place {
        report.find(format!("event {} is not where the key of the seals was changed", link.sequence));
        return Ok(());
    }
    let record = link.key()?;
    if record.key != connection.seals.fingerprint() || record.history != history.clone().finish() {
        report.find(format!("the events before event {} are not those that were there when the key was changed", link.sequence));
    }
    Ok(())
}

/// The chain still contains the head that is known from elsewhere.
pub(super) fn check_expected(connection: &Db, expected: Option<&LedgerHead>, report: &mut VerifyReport) -> Result<(), Fault> {
    let Some(expected) = expected else { return Ok(()) };
    match chain::head_at(connection, expected.sequence)? {
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
