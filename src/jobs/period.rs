//! Closing a period: its report is made again and held against the one that was looked at, against its own digests and identities,
//! linked to the period before, and signed.

mod error;
mod made_again;
mod signing;

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::calendar::start_of_wib_day;
use crate::domain::caveat::{Caveat, Signer, ToldCaveat};
use crate::domain::closing::Closing;
use crate::domain::digest;
use crate::journal::period::{ClosedPeriod, PeriodClose, may_close};
use crate::journal::{self, Author, JournalEntry, JournalError, JournalWriter, is_one_person};
use crate::register::is_same_person;
use crate::report;
use crate::report::manifest::{self, ReportFile};

pub use self::error::PeriodError;
use self::error::{not_whole, stale};
pub use self::made_again::{MadeFrom, compare, is_finished, is_what_was_signed, made_from};
pub use self::signing::{CloseOptions, Signing};

/// What summary.json says, as far as a signature rests on it.
#[derive(Debug, Deserialize)]
struct Summary {
    run_id: String,
    as_of: Timestamp,
    ledger: Value,
    inputs: Vec<Input>,
    identities: Vec<Identity>,
    #[serde(default)]
    books: Option<BooksFigures>,
    month: Month,
    #[serde(default)]
    keys: Vec<Signer>,
    #[serde(default)]
    revocations_asked: Vec<String>,
    #[serde(default)]
    caveats: Vec<ToldCaveat>,
    files: Vec<ReportFile>,
}

impl Summary {
    /// What was known of the months before and nobody has said of that it stands, if all of it `is_accepted` now.
    fn accepted(&self, is_accepted: impl Fn(&Caveat) -> bool) -> Result<Vec<Caveat>, PeriodError> {
        let open = self.caveats.iter().filter(|told| told.accepted_with.is_none()).map(|told| told.caveat.clone());
        let (accepted, others): (Vec<Caveat>, Vec<Caveat>) = open.partition(is_accepted);
        let from = self.month.closing.from;
        others.into_iter().next().map_or(Ok(accepted), |caveat| Err(PeriodError::Caveat { from, caveat: Box::new(caveat) }))
    }

    /// The keys that have signed what counts.
    fn signers(&self) -> Vec<Signer> {
        self.keys.iter().filter(|signer| signer.undated || signer.last_received_at.is_some()).cloned().collect()
    }
}

/// Reports of before there were books have none.
#[derive(Debug, Deserialize)]
struct BooksFigures {
    identities: Vec<Identity>,
}

#[derive(Debug, Deserialize)]
struct Input {
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct Identity {
    name: String,
    left: Box<RawValue>,
    right: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
struct Month {
    closing: Closing,
    closing_hash: String,
}

/// Closes a period, or proposes it where a second person must approve; what is signed.
///
/// # Errors
/// [`PeriodError`]; the journal is then as it was.
pub fn close(options: CloseOptions<'_>) -> Result<PeriodClose, PeriodError> {
    check_reviewer(&options)?;
    made_again::compare(options.report, options.again)?;
    let (summary, summary_sha256) = read_whole(options.again)?;
    check_days(&options, &summary)?;
    let accepted = summary.accepted(|caveat| options.accept.iter().any(|name| name == caveat.name()))?;
    let of_books = summary.books.iter().flat_map(|books| &books.identities);
    if let Some(identity) = summary.identities.iter().chain(of_books).find(|identity| identity.left.get() != identity.right.get()) {
        let (left, right) = (identity.left.get().to_owned(), identity.right.get().to_owned());
        return Err(PeriodError::Identity { name: identity.name.clone(), left, right });
    }
    let (is_proposal, reviewed_by) = match options.signing {
        Signing::Proposes => (true, None),
        Signing::Closes { reviewed_by } => (false, reviewed_by),
    };
    let report = fs::canonicalize(options.report).map_err(|error| not_whole(options.report, &error))?;
    let period = PeriodClose {
        keys: Some(summary.signers()),
        accepted,
        revocations_asked: summary.revocations_asked,
        run_id: summary.run_id,
        report: report.display().to_string(),
        summary_sha256,
        content_sha256: manifest::content(&summary.files),
        folder_sha256: if is_proposal { as_it_lies(options.report, &summary.files)? } else { String::new() },
        closing_hash: summary.month.closing_hash,
        closing: summary.month.closing,
        ledger: source_text(&summary.ledger),
        evidence: summary.inputs.into_iter().map(|input| input.sha256).collect(),
        reviewed_by,
    };
    // Only the one writer may say which period is the next.
    let mut writer = JournalWriter::open(options.journal)?;
    made_again::check_journal(options.report, writer.journal())?;
    check_order(&writer.journal().periods()?, &period.closing)?;
    let signed = Box::new(period.clone());
    let entry = if is_proposal { JournalEntry::PeriodProposed { period: signed } } else { JournalEntry::PeriodClosed { period: signed } };
    writer.append(options.now, &options.author, entry)?;
    Ok(period)
}

fn check_reviewer(options: &CloseOptions<'_>) -> Result<(), PeriodError> {
    let wrong = |reason, hint| Err(PeriodError::Reviewer { reason, hint });
    let Signing::Closes { reviewed_by } = &options.signing else { return Ok(()) };
    match reviewed_by {
        Some(name) if name.trim().is_empty() || name.chars().any(char::is_control) => {
            wrong("the name is empty or not printable", "give `--reviewed-by` the name of somebody else")
        }
        Some(name) if is_same_person(name, options.author.actor()) => {
            wrong("it is the same person", "give `--reviewed-by` the name of somebody else")
        }
        _ => Ok(()),
    }
}

/// What was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    /// That a period be closed.
    Closed(Box<PeriodClose>),
    /// That one be opened again.
    Reopened,
}

/// The folder of the report whose close is proposed for the period from `from`, if that is what is proposed.
///
/// # Errors
/// [`JournalError`].
pub fn proposed_report(journal: &Path, from: Date) -> Result<Option<PathBuf>, JournalError> {
    Ok(match journal::read(journal)?.proposed().map(|proposal| &proposal.entry) {
        Some(JournalEntry::PeriodProposed { period }) if period.closing.from == from => Some(PathBuf::from(&period.report)),
        _ => None,
    })
}

/// The second person agrees to what was proposed of the period from `from`, if it is the proposal that they `named`; `again` is its
/// report, made again just now.
///
/// # Errors
/// [`PeriodError`]; the journal is then as it was.
pub fn approve(
    journal: &Path,
    (from, named): (Date, &str),
    author: &Author,
    again: Option<&Path>,
    now: Timestamp,
) -> Result<Approval, PeriodError> {
    let mut writer = JournalWriter::open(journal)?;
    let waiting = writer.journal().proposed().filter(|proposal| proposal.entry.proposes(from)).cloned();
    let Some(proposal) = waiting else { return Err(PeriodError::NothingProposed { from }) };
    if !proposal.is_proposal(named) {
        return Err(PeriodError::OtherProposal { from, waiting: proposal.proposal_id(), by: proposal.actor });
    }
    if is_one_person(&proposal, author) {
        let hint = "somebody else approves it, from an account of the system of their own and with `--by` their name";
        return Err(PeriodError::Reviewer { reason: "who proposed it cannot also approve it", hint });
    }
    let (entry, approved) = match proposal.entry {
        JournalEntry::PeriodProposed { period } => {
            // What was proposed is what is signed.
            let folder = Path::new(&period.report);
            let again = again.ok_or_else(|| not_whole(folder, &"it was not made again"))?;
            made_again::compare(folder, again)?;
            let (summary, summary_sha256) = read_whole(again)?;
            if summary.month.closing_hash != period.closing_hash {
                return Err(stale(folder, &"its balances are not those that were proposed"));
            }
            let content_sha256 = manifest::content(&summary.files);
            if !period.content_sha256.is_empty() && period.content_sha256 != content_sha256 {
                return Err(stale(folder, &"it is not the report that was proposed"));
            }
            if !period.folder_sha256.is_empty() && period.folder_sha256 != as_it_lies(folder, &summary.files)? {
                return Err(not_whole(folder, &"its page, its workbook or its summary is not as it was when it was proposed"));
            }
            check_order(&writer.journal().periods()?, &period.closing)?;
            let accepted = summary.accepted(|caveat| period.accepted.contains(caveat))?;
            let period = Box::new(PeriodClose {
                accepted,
                keys: Some(summary.signers()),
                revocations_asked: summary.revocations_asked,
                reviewed_by: Some(proposal.actor),
                content_sha256,
                folder_sha256: String::new(),
                run_id: summary.run_id,
                summary_sha256,
                ..*period
            });
            (JournalEntry::PeriodClosed { period: period.clone() }, Approval::Closed(period))
        }
        _ => (JournalEntry::PeriodReopened { from }, Approval::Reopened),
    };
    writer.append(now, author, entry)?;
    Ok(approved)
}

/// A digest of every file of the report in `folder`, as it lies there now.
fn as_it_lies(folder: &Path, files: &[ReportFile]) -> Result<String, PeriodError> {
    let of = |name: &str| ReportFile::of(folder, name).map_err(|error| not_whole(folder, &format_args!("`{name}`: {error}")));
    let names = files.iter().map(|file| file.name.as_str()).chain([made_again::SUMMARY]);
    Ok(manifest::all(&names.map(of).collect::<Result<Vec<_>, _>>()?))
}

/// The summary and its digest, once every file is what it says.
fn read_whole(folder: &Path) -> Result<(Summary, String), PeriodError> {
    let wrong = |error: io::Error| not_whole(folder, &error);
    let bytes = manifest::summary(folder).map_err(wrong)?;
    let summary: Summary = serde_json::from_slice(&bytes).map_err(|error| not_whole(folder, &error))?;
    for file in &summary.files {
        let found = ReportFile::of(folder, &file.name).map_err(wrong)?;
        if found != *file {
            return Err(not_whole(folder, &format_args!("`{}` has been changed", file.name)));
        }
    }
    // The lists must be those the balances were made of, whatever their digests say.
    let carried = report::read_opening(folder).map_err(wrong)?;
    if carried.from.hash != summary.month.closing_hash {
        return Err(not_whole(folder, &"its summary changed while it was read"));
    }
    Ok((summary, digest::hex(&digest::of_bytes(&bytes))))
}

fn check_days(options: &CloseOptions<'_>, summary: &Summary) -> Result<(), PeriodError> {
    let (from, to) = (options.from, options.to);
    let wrong = |reason: String| PeriodError::Days { from, to, reason };
    let closing = &summary.month.closing;
    if (closing.from, closing.to) != (from, to) {
        return Err(wrong(format!("it is that of {} to {}", closing.from, closing.to)));
    }
    not_over(to, summary.as_of, options.now).map_or(Ok(()), |reason| Err(wrong(reason)))
}

/// Why days that end with `to` cannot be closed yet.
fn not_over(to: Date, as_of: Timestamp, now: Timestamp) -> Option<String> {
    let ends_at = to.tomorrow().ok().and_then(start_of_wib_day);
    let is_before = |at: Timestamp| ends_at.is_none_or(|ends_at| at < ends_at);
    if is_before(as_of) {
        return Some(format!("its as-of {as_of} lies before their end"));
    }
    is_before(now).then(|| format!("they are not over: it is {now}"))
}

fn check_order(closed: &[ClosedPeriod], closing: &Closing) -> Result<(), PeriodError> {
    let from = closing.from;
    let wrong = |reason: String, hint| Err(PeriodError::Order { from, reason, hint });
    if closed.iter().any(|period| period.close.closing.from <= closing.to && from <= period.close.closing.to) {
        return wrong("it is closed already".into(), "`tagih period reopen` opens the last closed period again");
    }
    let Some(last) = closed.last() else { return Ok(()) };
    if !may_close(closed, from) {
        let to = last.close.closing.to;
        return wrong(format!("the last closed period ends on {to}"), "close the periods in their order, without a gap");
    }
    match &closing.opening_hash {
        Some(hash) if *hash == last.close.closing_hash => Ok(()),
        Some(_) => wrong("its opening balances are not those that were signed".into(), "reconcile it again with `--opening auto`"),
        None => wrong("its opening balances were not carried over".into(), "reconcile it again with `--opening auto`"),
    }
}

/// `sequence:hash` of our ledger, or the digest of an external one's rows.
fn source_text(ledger: &Value) -> String {
    let text = |key: &str| ledger.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    if text("kind") == "own" { format!("{}:{}", text("sequence"), text("head")) } else { text("rows_digest") }
}

/// Opens the last closed period again, or proposes it where a second person must approve; `from` is its first day.
///
/// # Errors
/// [`PeriodError`]; the journal is then as it was.
pub fn reopen(journal: &Path, from: Date, author: &Author, four_eyes: bool, now: Timestamp) -> Result<(), PeriodError> {
    let mut writer = JournalWriter::open(journal)?;
    let closed = writer.journal().periods()?;
    let wrong = |reason: String, hint| Err(PeriodError::Order { from, reason, hint });
    match closed.last().map(|last| &last.close.closing) {
        Some(last) if last.from == from => {}
        Some(last) if closed.iter().any(|period| period.close.closing.from == from) => {
            let reason = format!("{} to {} was closed after it and rests on its balances", last.from, last.to);
            return wrong(reason, "reopen the later periods first, the last one first");
        }
        _ => return wrong("it is not closed".into(), "`tagih period list` shows what is"),
    }
    let entry = if four_eyes { JournalEntry::ReopenProposed { from } } else { JournalEntry::PeriodReopened { from } };
    writer.append(now, author, entry)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_not_closed_before_the_clock_says_it_is_over() {
        let at = |text: &str| text.parse().unwrap();
        let (october, before, after) = (jiff::civil::date(2026, 10, 31), at("2026-10-31T16:59:59Z"), at("2026-10-31T17:00:00Z"));
        assert_eq!(not_over(october, after, after), None);
        assert!(not_over(october, before, after).unwrap().contains("as-of"));
        assert!(not_over(october, after, before).unwrap().contains("not over"));
    }
}
