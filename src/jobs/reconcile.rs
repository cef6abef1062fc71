//! Reconcile: bills, evidence, a period and an as-of → a folder of reports. Read-only towards everything it reads.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::doku::signature::SigningKey;
use crate::domain::classify::{Class, Period, Policy};
use crate::domain::digest::{self, Digest};
use crate::evidence::{self, EvidenceError, Pairs, ReadOptions};
use crate::jobs::discrepancies;
use crate::journal::{self, Head, Journal, JournalError};
use crate::ledger::{Ledger, LedgerError, ScopeTotals, Snapshot};
use crate::reconcile::external::{self, DigestSum, ExternalError, MalformedRow};
use crate::reconcile::month::{Closing, Month, MonthInputs, Opening};
use crate::reconcile::{self, Bills, Inputs, KnownPayment, Outcome, Tally, Terms};
use crate::report::atomic::WriteError;
use crate::report::summary::{LedgerSource, Summary};
use crate::report::summary_month::{MonthFigures, SignedFigures};
use crate::report::{self, Report};

/// Everything a reconciliation is made from.
#[derive(Debug)]
pub struct ReconcileOptions {
    /// Where the bills are from.
    pub source: BillSource,
    /// The logs (`.jsonl`, `.gz`, `.zst`); see [`evidence::expand`] for patterns.
    pub notifications: Vec<PathBuf>,
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// Seen from when (UTC).
    pub as_of: Timestamp,
    /// The keys that may have signed, the present one first.
    pub keys: Vec<SigningKey>,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What the rules leave to the merchant.
    pub policy: Policy,
    /// The output folder of an earlier period, whose payments cover their bills in this one.
    pub carry_in: Option<PathBuf>,
    /// The output folder of the period before, whose closing balances open this one.
    pub opening: Option<OpeningFolder>,
    /// What people have decided, if there is a journal; it is only read.
    pub journal: Option<PathBuf>,
    /// Where to write.
    pub out: PathBuf,
}

/// Where opening balances are from.
#[derive(Clone, Debug)]
pub struct OpeningFolder {
    /// The output folder of the period before.
    pub path: PathBuf,
    /// The hash that was signed for that period, if it was closed.
    pub signed_hash: Option<String>,
}

/// Where the bills are from.
#[derive(Debug)]
pub enum BillSource {
    /// A file: CSV, or Parquet by its extension.
    External(PathBuf),
    /// Our ledger.
    Ledger {
        /// One consistent state of it.
        snapshot: Snapshot,
        /// Bills in scope by its own query, from the period's first instant to as-of.
        scope: ScopeTotals,
    },
}

impl BillSource {
    /// The present state of `ledger`, with its own count of the bills in scope.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the days are no period.
    pub fn of_ledger(ledger: &impl Ledger, days: (Date, Date), as_of: Timestamp, policy: &Policy) -> Result<Self, ReconcileError> {
        let period = Period::new(days.0, days.1).ok_or(ReconcileError::Period { from: days.0, to: days.1 })?;
        let scope = ledger.scope_totals(period.starts_at(), as_of, policy.expiry_grace_minutes)?;
        Ok(Self::Ledger { snapshot: ledger.snapshot()?, scope })
    }
}

/// What a reconciliation found; the details are in its folder.
#[derive(Debug)]
pub struct ReconcileReport {
    /// Its figures.
    pub summary: Summary,
    /// How many discrepancies need a person (exit 1): BREAKs that nobody has accepted.
    pub breaks: usize,
    /// Whether the control identities hold (if not: exit 8).
    pub identities_hold: bool,
    /// What was concluded, for callers that look closer.
    pub outcome: Outcome,
    /// The figures of the period.
    pub month: Month,
}

/// Why a reconciliation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The days are no period (exit 2).
    #[error("E0723: `{from}` to `{to}` is no period\nhint: give WIB days, the first not after the last")]
    Period {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The evidence cannot be read (exit 7).
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The external ledger cannot be read (exit 7).
    #[error(transparent)]
    External(#[from] ExternalError),
    /// Our ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There are too many bills (exit 7).
    #[error("E0722: the ledger holds more bills than one run can\nhint: reconcile one channel at a time")]
    TooManyBills,
    /// The earlier output cannot be read (exit 7).
    #[error("E0726: the earlier output `{}` cannot be read: {reason}\nhint: name the output folder of an earlier `tagih reconcile`", path.display())]
    CarryIn {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The balances of the period before cannot be taken over (exit 8).
    #[error("E0850: the closing balances in `{}` cannot be carried over: {reason}\nhint: name the output folder that was closed for the period before, unchanged", path.display())]
    Opening {
        /// Which folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The journal cannot be used (exit 8 or 9).
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A report cannot be written (exit 9).
    #[error(transparent)]
    Report(#[from] WriteError),
}

impl Pairs for Bills {
    fn pair(&self, invoice_number: &str, payment_code: &str) -> Option<u32> {
        // The report says ids as notified, so they are left out of the lines only where the bill's own are the same.
        let same = |bill: &u32| self.invoice_number(*bill) == invoice_number && self.payment_code(*bill) == payment_code;
        Self::pair(self, invoice_number, payment_code).filter(same)
    }
}

/// Bills of either source, and what else it says.
struct Billed {
    bills: Bills,
    known: Vec<KnownPayment>,
    malformed: Vec<MalformedRow>,
    scope: Tally,
    not_evaluated: Vec<Class>,
    source: LedgerSource,
    digest: Digest,
}

/// Reads, concludes and writes.
///
/// # Errors
/// [`ReconcileError`]; what stood in the output folder before then stays.
pub fn run(options: &ReconcileOptions) -> Result<ReconcileReport, ReconcileError> {
    let period = Period::new(options.from, options.to).ok_or(ReconcileError::Period { from: options.from, to: options.to })?;
    let terms = Terms { period, as_of: options.as_of, policy: options.policy.clone() };
    let mut billed = match &options.source {
        BillSource::External(path) => external_bills(path, &terms)?,
        BillSource::Ledger { snapshot, scope } => own_bills(snapshot, *scope, &terms)?,
    };
    let opening = options.opening.as_ref().map(|folder| opening_of(folder, period)).transpose()?;
    for folder in options.carry_in.iter().chain(options.opening.as_ref().map(|folder| &folder.path)) {
        carry_in(&mut billed, folder).map_err(|error| ReconcileError::CarryIn { path: folder.clone(), reason: error.to_string() })?;
    }
    let read = ReadOptions { keys: &options.keys, client_id: &options.client_id, policy: &options.policy, pairs: &billed.bills };
    let evidence = evidence::read(&options.notifications, &read)?;
    let mut lines_digest = DigestSum::default();
    for (_, line) in evidence.lines.iter() {
        lines_digest.add(&line.digest);
    }
    let journal = options.journal.as_deref().map(journal::read).transpose()?.unwrap_or_default();
    let run_id = run_id(options, opening.as_ref(), &billed.digest, &lines_digest.finish(), journal.head());
    let inputs = Inputs {
        bills: billed.bills,
        known: billed.known,
        lines_read: evidence.files.iter().map(|file| file.lines).fold(0, u64::saturating_add),
        lines: evidence.lines,
        raw: evidence.raw,
        scope: billed.scope,
        malformed: billed.malformed,
        not_evaluated: billed.not_evaluated,
    };
    let mut outcome = reconcile::reconcile(inputs, &terms);
    let standings = discrepancies::standings(&journal, &outcome, &terms, &run_id)?;
    let register = discrepancies::register_after(&journal, &outcome, &terms, &run_id)?;
    let month = Month::of(&outcome, &terms, &MonthInputs::new(opening, register.as_ref(), &terms), evidence.files.len());
    outcome.identities.extend_from_slice(&month.identities);
    let mut summary = Summary::of(&outcome, &terms, &evidence.files, billed.source, run_id);
    summary.discrepancies = discrepancies::counts(&outcome, &standings, journal.head());
    summary.month = Some(MonthFigures::of(&month, &evidence.files, signed(&journal, &month.closing)?));
    let ledger_path = if let BillSource::External(path) = &options.source { Some(path.as_path()) } else { None };
    let files = evidence.files.as_slice();
    let report = Report { outcome: &outcome, summary: &summary, month: &month, files, ledger_path, standings: &standings };
    report::write(&report, &options.out)?;
    Ok(ReconcileReport { breaks: summary.discrepancies.breaks, identities_hold: outcome.identities_hold(), summary, outcome, month })
}

/// The signed close of the same days, beside the balances of this run.
fn signed(journal: &Journal, now: &Closing) -> Result<Option<SignedFigures>, JournalError> {
    let periods = journal.periods()?;
    let same = periods.iter().find(|period| (period.close.closing.from, period.close.closing.to) == (now.from, now.to));
    Ok(same.map(|period| SignedFigures::of(&period.close.run_id, &period.close.closing, now)))
}

fn external_bills(path: &Path, terms: &Terms) -> Result<Billed, ReconcileError> {
    let external = external::read(path, terms)?;
    let source =
        LedgerSource::External { path: path.display().to_string(), rows: external.rows, rows_digest: digest::hex(&external.rows_digest) };
    Ok(Billed {
        bills: external.bills,
        known: external.known,
        malformed: external.malformed,
        scope: external.scope,
        not_evaluated: external.not_evaluated,
        source,
        digest: external.rows_digest,
    })
}

fn own_bills(snapshot: &Snapshot, scope: ScopeTotals, terms: &Terms) -> Result<Billed, ReconcileError> {
    let bills = reconcile::from_states(snapshot.bills.values(), &terms.policy).map_err(|_| ReconcileError::TooManyBills)?;
    Ok(Billed {
        known: reconcile::known_payments(&bills, |number| snapshot.bills.get(number), &snapshot.payments),
        bills,
        malformed: Vec::new(),
        scope: Tally { count: scope.count, amount: crate::domain::amount::Rupiah::new(scope.amount) },
        not_evaluated: vec![Class::L10],
        source: LedgerSource::Own { sequence: snapshot.head.sequence, head: digest::hex(&snapshot.head.hash) },
        digest: snapshot.head.hash,
    })
}

/// Adds what an earlier report matched; such payments cover bills, but leave the ledger's own figures alone.
fn carry_in(billed: &mut Billed, folder: &Path) -> io::Result<()> {
    for carried in report::read_matched(folder)? {
        let Some(bill) = billed.bills.pair(&carried.invoice_number, &carried.payment_code) else { continue };
        let (paid_at, identity, amount) = (carried.paid_at, carried.identity, carried.amount);
        billed.known.push(KnownPayment { bill, paid_at, identity, amount, in_ledger: false });
    }
    billed.known.sort_unstable();
    Ok(())
}

/// The balances in `folder`, which must be those of the days right before `period`, and those that were signed.
fn opening_of(folder: &OpeningFolder, period: Period) -> Result<Opening, ReconcileError> {
    let wrong = |reason: String| ReconcileError::Opening { path: folder.path.clone(), reason };
    let mut opening = report::read_opening(&folder.path).map_err(|error| wrong(error.to_string()))?;
    let (from, to) = (opening.from.from, opening.from.to);
    if to.tomorrow().ok() != Some(period.from) {
        return Err(wrong(format!("they are those of {from} to {to}, and this period starts on {}", period.from)));
    }
    if let Some(signed) = &folder.signed_hash {
        if *signed != opening.from.hash {
            return Err(wrong(format!("their hash is {}, but {signed} was signed", opening.from.hash)));
        }
        opening.from.signed = true;
    }
    Ok(opening)
}

/// Equal for equal content of the inputs, whatever their order or files, and equal configuration.
fn run_id(options: &ReconcileOptions, opening: Option<&Opening>, bills: &Digest, lines: &Digest, journal: Head) -> String {
    let words = format!("{} {} {} {:?} {}", options.from, options.to, options.as_of, options.policy, options.client_id);
    // Decisions are an input: they change what a report says of its findings.
    let journal = (journal.sequence > 0).then_some(journal.hash);
    let mut parts: Vec<&[u8]> = vec![b"run", bills, lines, words.as_bytes()];
    parts.extend(journal.as_ref().map(Digest::as_slice));
    parts.extend(opening.map(|opening| opening.from.hash.as_bytes()));
    let full = digest::of_parts(&parts);
    digest::hex(full.get(..16).unwrap_or(&full))
}

#[cfg(test)]
mod tests;
