//! Discrepancies between reports and journal: how findings stand, what a report changes, what a spreadsheet decides.

pub mod import;

use jiff::Timestamp;

use crate::domain::discrepancy::{Register, Run, Sighting, Standings, Status, Subject, look};
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
    let register = journal.register()?;
    let known = register.items().filter(|(_, item)| item.facts.subject() == Subject::Bill && item.status != Status::Cleared);
    let judged = known.filter(|(_, item)| outcome.has_judged_bill(&item.facts.invoice_number, &item.facts.payment_code, terms));
    let looked_at: Vec<String> = judged.map(|(id, _)| id.clone()).collect();
    let sighting = look(&register, &run, outcome.findings.iter().map(facts_of).collect(), &looked_at);
    Standings::after(&register, &sighting).map_err(|error| JournalError::Damaged {
        path: "the journal".to_owned(),
        line: journal.head().sequence,
        reason: error.to_string(),
    })
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
