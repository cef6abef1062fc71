//! Entries for the accounting system: what a month's books posted, each exported once under a stable id.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::carry::CarryError;
use crate::books::export::{DoubleEntry, Export, ExportError, export, write_csv};
use crate::books::month::balances_before;
use crate::books::{Account, BooksSettings, Pair, PostingPeriod, hledger};
use crate::domain::amount::Rupiah;
use crate::domain::digest;
use crate::exit::{Exit, Explained, Explanation};
use crate::journal::period::PeriodClose;
use crate::journal::{Author, JournalEntry as Line, JournalError, JournalWriter};
use crate::private;
use crate::reconcile::codes::NOT_WHOLE;
use crate::register::codes;
use crate::report::atomic::{self, WriteError};
use crate::report::books::{read_carry, read_entries, read_postings, write_entries};
use crate::report::folder;

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFormat {
    /// Two lines an entry, on the accounts of the customer's chart.
    Csv,
    /// The whole month with its opening and closing balances, for hledger and its kin.
    Hledger,
}

/// What is to be exported.
#[derive(Debug)]
pub struct EntriesOptions<'a> {
    /// The journal.
    pub journal: &'a Path,
    /// The report whose postings they are.
    pub report: &'a Path,
    /// Whether the month need not be closed; nothing is recorded then.
    pub is_preliminary: bool,
    /// Whether everything that stands exported is written once more.
    pub again: bool,
    /// How.
    pub format: EntryFormat,
    /// The customer's account for each of the books'; empty where none is named.
    pub accounts: &'a BTreeMap<Account, String>,
    /// Who books premiums and receipts.
    pub settings: &'a BooksSettings,
    /// Where to write.
    pub out: &'a Path,
    /// Who exports.
    pub author: Author,
    /// When (UTC).
    pub now: Timestamp,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntriesReport {
    /// Entries, those that take earlier ones back included.
    pub entries: usize,
    /// Of them those that take earlier ones back.
    pub reversed: usize,
    /// Their debits, which are their credits.
    pub total: Rupiah,
    /// What the core system books, and so is not among them.
    pub withheld: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EntriesError {
    /// An account is needed and not named (exit 2).
    #[error("E0812: `accounts.{0}` is not set, and an entry needs it\nhint: name your account for it in the configuration")]
    Unmapped(&'static str),
    /// The month is not closed with this report (exit 2).
    #[error("E0815: {from} to {to} is not closed with the report in `{}`\nhint: close it first, or give `--preliminary` for a look at what would be booked", path.display())]
    NotClosed {
        /// Which folder.
        path: PathBuf,
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
    /// The folder is not as it was written (exit 7).
    #[error("E0851: the report in `{}` is not whole: {reason}\nhint: reconcile the period again and close with that report", path.display())]
    Report {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// What was exported before is not to be found (exit 8).
    #[error("E0816: what was exported of this month before stands in `{}`, which is {reason}\nhint: put it back from a backup; without it nobody can say what is booked already", path.display())]
    Lost {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file cannot be written (exit 9).
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Explained for EntriesError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Unmapped(_) => Explanation::new(Exit::Usage, codes::UNMAPPED),
            Self::NotClosed { .. } => Explanation::new(Exit::Usage, codes::NOT_CLOSED),
            Self::Report { .. } => Explanation::new(Exit::Input, NOT_WHOLE),
            Self::Lost { .. } => Explanation::new(Exit::Damaged, codes::LOST),
            Self::Journal(error) => error.explanation(),
            Self::Write(error) => error.explanation(),
        }
    }
}

/// Writes the entries of a month, and records which.
///
/// # Errors
/// [`EntriesError`]; what stood at the place before is then unchanged.
pub fn write(options: &EntriesOptions<'_>) -> Result<EntriesReport, EntriesError> {
    let wrong = |reason: String| EntriesError::Report { path: options.report.to_owned(), reason };
    let signed = folder::whole(options.report).map_err(wrong)?;
    let (from, to) = (signed.from, signed.to);
    let pairs = read_postings(options.report).map_err(|error| wrong(error.to_string()))?;
    let mut writer = JournalWriter::open(options.journal)?;
    let is_signed = |close: &PeriodClose| close.summary_sha256 == signed.sha256 || close.content_sha256 == signed.content;
    let is_closed = writer.journal().periods()?.iter().any(|period| is_signed(&period.close));
    if !is_closed && !options.is_preliminary {
        return Err(EntriesError::NotClosed { path: options.report.to_owned(), from, to });
    }
    let exported = if options.is_preliminary { Vec::new() } else { exported(&writer, options.journal, from)? };
    let export = export(&pairs, &exported, options.settings);
    let entries = if options.again { standing(&exported, &export) } else { export.entries.clone() };
    match options.format {
        EntryFormat::Csv => write_chart(options.out, &entries, options.accounts)?,
        EntryFormat::Hledger => write_hledger(options, &pairs, PostingPeriod { from, to })?,
    }
    if !options.is_preliminary && !export.entries.is_empty() && options.format == EntryFormat::Csv {
        let number = writer.journal().exports(from).count();
        let path = kept(options.journal, from, number);
        atomic::write(&path, |writer| write_entries(&export.entries, writer))?;
        let sha256 = digest::hex(&digest::of_bytes(&private::whole(&path).map_err(|error| lost(&path, &error.to_string()))?));
        writer.append(options.now, &options.author, Line::Exported { from, to, entries: export.entries.len(), sha256 })?;
    }
    Ok(EntriesReport {
        entries: entries.len(),
        reversed: entries.iter().filter(|entry| entry.id.ends_with("-r")).count(),
        total: entries.iter().map(|entry| entry.pair.amount).sum(),
        withheld: export.withheld.len(),
    })
}

fn lost(path: &Path, reason: &str) -> EntriesError {
    EntriesError::Lost { path: path.to_owned(), reason: reason.to_owned() }
}

/// Everything exported before that stands, and what is exported now.
fn standing(exported: &[DoubleEntry], export: &Export) -> Vec<DoubleEntry> {
    exported.iter().chain(&export.entries).cloned().collect()
}

/// Where what was exported is kept: beside the journal, which holds its digest.
fn kept(journal: &Path, from: Date, number: usize) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".exports");
    PathBuf::from(name).join(format!("{}.{}.csv", from.strftime("%Y-%m-%d"), number.saturating_add(1)))
}

/// Every entry of earlier exports of the month, each file held against the journal.
fn exported(writer: &JournalWriter, journal: &Path, from: Date) -> Result<Vec<DoubleEntry>, EntriesError> {
    let mut all = Vec::new();
    for (number, sha256) in writer.journal().exports(from).enumerate() {
        let path = kept(journal, from, number);
        let bytes = private::whole(&path).map_err(|error| lost(&path, &error.to_string()))?;
        if digest::hex(&digest::of_bytes(&bytes)) != sha256 {
            return Err(lost(&path, "not as it was written"));
        }
        all.extend(read_entries(&bytes).map_err(|error| lost(&path, &error.to_string()))?);
    }
    Ok(all)
}

fn write_chart(out: &Path, entries: &[DoubleEntry], accounts: &BTreeMap<Account, String>) -> Result<(), EntriesError> {
    let mut unmapped = None;
    let written = atomic::write(out, |writer| {
        write_csv(writer, entries, accounts).map_err(|error| match error {
            ExportError::Unmapped(account) => {
                unmapped = Some(account);
                io::Error::other("an account is missing")
            }
            ExportError::Write(error) => error,
        })
    });
    match (unmapped, written) {
        (Some(account), _) => Err(EntriesError::Unmapped(account.name())),
        (None, written) => Ok(written?),
    }
}

fn write_hledger(options: &EntriesOptions<'_>, pairs: &[Pair], period: PostingPeriod) -> Result<(), EntriesError> {
    let wrong = |error: CarryError| EntriesError::Report { path: options.report.to_owned(), reason: error.to_string() };
    let (_, known) = read_carry(options.report).map_err(wrong)?;
    let opening = balances_before(pairs, &known);
    Ok(atomic::write(options.out, |writer| hledger::write(writer, period, &opening, pairs, &known.balances))?)
}
