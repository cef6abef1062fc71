//! Discrepancies between reports and journal: how findings stand, what a report changes, what a spreadsheet decides.

pub mod import;

use jiff::Timestamp;

use crate::domain::discrepancy::{IllegalHistory, Register, Run, Sighting, Standings, Status, Subject, look};
use crate::journal::{Author, Entry, Head, Journal, JournalError, Writer};
use crate::reconcile::{Outcome, Terms};
use crate::report::folder::{Folder, facts_of};
use crate::report::summary::Discrepancies;

/// How the findings of `outcome` stand after `journal`, which is only read.
///
/// # Errors
/// When the journal tells what cannot have happened.
pub fn standings(journal: &Journal, outcome: &Outcome, terms: &Terms, run_id: &str) -> Result<Standings, JournalError> {
    let run = Run { run_id: run_id.to_owned(), from: terms.period.from, to: terms.period.to, as_of: terms.as_of };
    if journal.records().is_empty() {
        return Ok(Standings::new_of(run.period()));
    }
    let (register, sighting) = sighting(journal, outcome, terms, &run)?;
    Standings::after(&register, &sighting).map_err(|error| illegal(journal, &error))
}

/// Every discrepancy as it stands after this run; `None` where no report has been taken in, so that nothing was followed.
///
/// # Errors
/// When the journal tells what cannot have happened.
pub fn register_after(journal: &Journal, outcome: &Outcome, terms: &Terms, run_id: &str) -> Result<Option<Register>, JournalError> {
    let run = Run { run_id: run_id.to_owned(), from: terms.period.from, to: terms.period.to, as_of: terms.as_of };
    let (mut register, sighting) = sighting(journal, outcome, terms, &run)?;
    if register.runs().is_empty() {
        return Ok(None);
    }
    register.sight(terms.as_of, &sighting).map_err(|error| illegal(journal, &error))?;
    Ok(Some(register))
}

fn sighting(journal: &Journal, outcome: &Outcome, terms: &Terms, run: &Run) -> Result<(Register, Sighting), JournalError> {
    let register = journal.register()?;
    let known = register.items().filter(|(_, item)| item.facts.subject() == Subject::Bill && item.status != Status::Cleared);
    let judged = known.filter(|(_, item)| outcome.has_judged_bill(&item.facts.invoice_number, &item.facts.payment_code, terms));
    let looked_at: Vec<String> = judged.map(|(id, _)| id.clone()).collect();
    let sighting = look(&register, run, outcome.findings.iter().map(facts_of).collect(), &looked_at);
    Ok((register, sighting))
}

fn illegal(journal: &Journal, error: &IllegalHistory) -> JournalError {
    JournalError::Damaged { path: "the journal".to_owned(), line: journal.head().sequence, reason: error.to_string() }
}

/// The figures of a summary: accepted findings need nobody.
#[must_use]
pub fn counts(outcome: &Outcome, standings: &Standings, head: Head) -> Discrepancies {
    let mut counts = Discrepancies {
        count: outcome.findings.len(),
        breaks: 0,
        accepted: 0,
        reopened: 0,
        cleared: standings.cleared.clone(),
        journal_head: (head.sequence > 0).then(|| head.to_string()),
    };
    for finding in &outcome.findings {
        let status = standings.of(&finding.id).status;
        let is_break = finding.nature == crate::domain::classify::Nature::Break;
        match status {
            Status::Accepted => counts.accepted = counts.accepted.saturating_add(1),
            _ if is_break => counts.breaks = counts.breaks.saturating_add(1),
            _ => {}
        }
        if status == Status::Reopened {
            counts.reopened = counts.reopened.saturating_add(1);
        }
    }
    counts
}

/// Records what the report in `folder` changes; `None` when that run has been taken in already.
///
/// # Errors
/// [`JournalError`]; nothing is recorded then.
pub fn take(writer: &mut Writer, folder: Folder, at: Timestamp, actor: &str) -> Result<Option<Sighting>, JournalError> {
    let register: Register = writer.journal().register()?;
    if register.has_taken(&folder.run.run_id) {
        return Ok(None);
    }
    let author = Author::new(actor, &format!("the report of {}, as of {}", folder.run.period(), folder.run.as_of))?;
    let sighting = look(&register, &folder.run, folder.found, &folder.cleared);
    writer.append(at, &author, Entry::Seen { sighting: sighting.clone() })?;
    Ok(Some(sighting))
}
