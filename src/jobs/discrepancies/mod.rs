//! Discrepancies between reports and journal: how findings stand, what a report changes, what a spreadsheet decides.

pub mod import;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::{Action, ItemId, Leg};
use crate::domain::amount::Rupiah;
use crate::journal::{Author, Journal, JournalEntry, JournalError, JournalHead, JournalWriter, TakenFrom};
use crate::reconcile::posted::Posted;
use crate::reconcile::{Finding, ReconcileTerms, Reconciled};
use crate::register::{
    DiscrepancyFacts, DiscrepancySubject, IllegalHistory, Item, ItemStatus, ReconcileRun, Register, Sighting, Standings, look,
};
use crate::report::folder::{FolderError, ReportFolder, facts_of};
use crate::report::summary::Discrepancies;

/// A run, as far as discrepancies follow from it.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// What it concluded; its findings are the list of what somebody must look at.
    pub outcome: &'a Reconciled,
    /// Its books.
    pub posted: &'a Posted,
    /// Its period and as-of.
    pub terms: &'a ReconcileTerms,
    /// Its id.
    pub run_id: &'a str,
}

impl Looked<'_> {
    fn run(&self) -> ReconcileRun {
        let ReconcileTerms { period, as_of, .. } = *self.terms;
        ReconcileRun { run_id: self.run_id.to_owned(), from: period.from, to: period.to, as_of }
    }
}

/// How the findings of a run stand after `journal`, which is only read.
///
/// # Errors
/// When the journal tells what cannot have happened.
pub fn standings(journal: &Journal, looked: &Looked<'_>) -> Result<Standings, JournalError> {
    if journal.records().is_empty() {
        return Ok(Standings::new_of(looked.run().period()));
    }
    let (register, sighting) = sighting(journal, looked)?;
    Standings::after(&register, &sighting).map_err(|error| illegal(journal, &error))
}

fn sighting(journal: &Journal, looked: &Looked<'_>) -> Result<(Register, Sighting), JournalError> {
    let register = journal.register()?;
    let closed = closed(&register, looked);
    // What a decision moved is no news, however often it is found.
    let is_news = |finding: &&Finding| !finding.is_decided || finding.books.is_some();
    let news = looked.outcome.findings.iter().filter(is_news);
    let refused = news.clone().filter(|finding| finding.books.is_some() && !finding.is_decided).map(|finding| finding.id.clone()).collect();
    let sighting = look(&register, &looked.run(), news.map(facts_of).collect(), &closed, &refused);
    Ok((register, sighting))
}

/// What a run must be asked about: where the open items of the register stand.
#[must_use]
pub fn asked(register: &Register) -> BTreeSet<Leg> {
    register.items().filter(|(_, item)| item.status.is_open()).filter_map(|(_, item)| item.facts.leg()).collect()
}

/// Where somebody has decided what was taken back after the last day of the period: by its books that still stands.
fn taken_back_later(register: &Register, to: Date) -> BTreeSet<Leg> {
    let made = register.decisions();
    let later = made.iter().filter(|one| one.action == Action::Reopen && one.effective_on > to);
    let later: BTreeSet<ItemId> = later.map(|one| one.item).collect();
    let fell = made.iter().filter(|one| later.contains(&one.id));
    fell.filter_map(|one| Some(Leg::of(one.account?, one.item))).collect()
}

/// The open items of the register that this run knows to be closed. What the books know leaves by a posting alone: while anything is open on
/// it, it is not closed, whatever there is to be done about it; nor is what will be open again when a decision that is taken back falls.
fn closed(register: &Register, looked: &Looked<'_>) -> Vec<String> {
    let Looked { outcome, posted, terms, .. } = *looked;
    let (stand, later) = (&posted.answers, taken_back_later(register, terms.period.to));
    let is_of_bill = |item: &Item| outcome.has_judged_bill(&item.facts.invoice_number, &item.facts.payment_code, terms);
    let lines = OnceCell::new();
    let is_line_here = |id: &str| lines.get_or_init(|| outcome.line_ids()).contains(id);
    let is_closed = |id: &str, item: &Item| match (&item.facts.books, item.facts.leg()) {
        (_, Some(leg)) if later.contains(&leg) => false,
        (_, Some(leg)) if stand.contains_key(&leg) => stand.get(&leg) == Some(&Rupiah::ZERO),
        (Some(books), None) => posted.common.known.alarms.get(&books.item).is_some_and(|alarm| alarm.answered_by.is_some()),
        (None, _) if item.facts.subject() == DiscrepancySubject::Line => is_line_here(id),
        (None, _) if item.facts.subject() == DiscrepancySubject::Bill => is_of_bill(item),
        (None | Some(_), _) => false,
    };
    register.items().filter(|(id, item)| item.status.is_open() && is_closed(id, item)).map(|(id, _)| id.clone()).collect()
}

fn illegal(journal: &Journal, error: &IllegalHistory) -> JournalError {
    JournalError::Damaged { path: "the journal".to_owned(), line: journal.head().sequence, reason: error.to_string() }
}

/// The figures of a summary: accepted findings need nobody.
#[must_use]
pub fn counts(outcome: &Reconciled, standings: &Standings, head: JournalHead) -> Discrepancies {
    let mut counts = Discrepancies {
        count: outcome.findings.len(),
        breaks: 0,
        accepted: 0,
        reopened: 0,
        cleared: standings.cleared.clone(),
        journal_head: (head.sequence > 0).then(|| head.to_string()),
    };
    for finding in &outcome.findings {
        let status = if finding.is_decided { ItemStatus::Accepted } else { standings.of(&finding.id).status };
        let is_break = finding.nature == crate::domain::classify::Nature::Break;
        match status {
            ItemStatus::Accepted => counts.accepted = counts.accepted.saturating_add(1),
            _ if is_break => counts.breaks = counts.breaks.saturating_add(1),
            _ => {}
        }
        if status == ItemStatus::Reopened {
            counts.reopened = counts.reopened.saturating_add(1);
        }
    }
    counts
}

/// What the register holds open, and the report has as an item that is open and not due: it is in no list, and has not left all the same.
///
/// # Errors
/// [`FolderError`], when the report's open items cannot be read.
pub fn waiting(register: &Register, folder: &ReportFolder) -> Result<Vec<DiscrepancyFacts>, FolderError> {
    let told: BTreeSet<&str> =
        folder.found.iter().map(|facts| facts.id.as_str()).chain(folder.cleared.iter().map(String::as_str)).collect();
    let open = register.items().filter(|(id, item)| item.status.is_open() && !told.contains(id.as_str()));
    let open: BTreeMap<&str, &Item> = open.map(|(id, item)| (id.as_str(), item)).collect();
    let mut waiting = if open.is_empty() { Vec::new() } else { folder.waiting(|id| open.contains_key(id))? };
    // One id may be shown for what is open elsewhere.
    waiting.retain(|facts| open.get(facts.id.as_str()).is_some_and(|known| known.facts.leg() == facts.leg()));
    for facts in &mut waiting {
        // A decision keeps what the item was seen on.
        let known = open.get(facts.id.as_str()).and_then(|known| known.facts.books.as_ref());
        if let (Some(books), Some(known)) = (facts.books.as_mut(), known) {
            books.ground = known.ground.clone();
        }
    }
    Ok(waiting)
}

/// Records what the report in `folder` changes; `None` when that run has been taken in already. `waiting`: see [`waiting`].
///
/// # Errors
/// [`JournalError`]; nothing is recorded then.
pub fn take(
    writer: &mut JournalWriter,
    folder: ReportFolder,
    waiting: Vec<DiscrepancyFacts>,
    at: Timestamp,
    actor: &str,
) -> Result<Option<Sighting>, JournalError> {
    let register: Register = writer.journal().register()?;
    if register.has_taken(&folder.run.run_id) {
        return Ok(None);
    }
    let author = author_of(&folder.run, actor)?;
    let found = folder.found.into_iter().chain(waiting).collect();
    let sighting = look(&register, &folder.run, found, &folder.cleared, &folder.refused);
    let report = Some(TakenFrom { folder: folder.path, summary_sha256: folder.summary_sha256 });
    writer.append(at, &author, JournalEntry::Seen { sighting: sighting.clone(), report })?;
    Ok(Some(sighting))
}

/// Records open items of a report that nobody has to deal with yet, so that they can be decided about.
///
/// # Errors
/// [`JournalError`]; nothing is recorded then.
pub fn take_items(
    writer: &mut JournalWriter,
    run: &ReconcileRun,
    items: Vec<DiscrepancyFacts>,
    at: Timestamp,
    actor: &str,
) -> Result<Sighting, JournalError> {
    let sighting = look(&writer.journal().register()?, run, items, &[], &BTreeSet::new());
    writer.append(at, &author_of(run, actor)?, JournalEntry::Seen { sighting: sighting.clone(), report: None })?;
    Ok(sighting)
}

fn author_of(run: &ReconcileRun, actor: &str) -> Result<Author, JournalError> {
    Author::new(actor, &format!("the report of {}, as of {}", run.period(), run.as_of))
}
