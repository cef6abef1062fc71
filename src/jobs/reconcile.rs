//! Reconcile: bills, evidence, a period and an as-of → a folder of reports. Read-only towards everything it reads.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::doku::signature::SigningKey;
use crate::domain::classify::{Class, Period, Policy};
use crate::domain::digest::{self, Digest};
use crate::evidence::{self, EvidenceError, Pairs, ReadOptions};
use crate::ledger::{Ledger, LedgerError, ScopeTotals, Snapshot};
use crate::reconcile::external::{self, DigestSum, ExternalError, MalformedRow};
use crate::reconcile::{self, Bills, Inputs, KnownPayment, Outcome, Tally, Terms};
use crate::report::atomic::WriteError;
use crate::report::summary::{LedgerSource, Summary};
use crate::report::{self, Presentation, Report};

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
    /// Where to write.
    pub out: PathBuf,
    /// For whom workbook and page are made; without it, only the files that programs read are written.
    pub presentation: Option<Presentation>,
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
    /// How many discrepancies need a person (exit 1).
    pub breaks: usize,
    /// Whether the control identities hold (if not: exit 8).
    pub identities_hold: bool,
    /// What was concluded, for callers that look closer.
    pub outcome: Outcome,
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
    if let Some(folder) = &options.carry_in {
        carry_in(&mut billed, folder).map_err(|error| ReconcileError::CarryIn { path: folder.clone(), reason: error.to_string() })?;
    }
    let read = ReadOptions { keys: &options.keys, client_id: &options.client_id, policy: &options.policy, pairs: &billed.bills };
    let evidence = evidence::read(&options.notifications, &read)?;
    let mut lines_digest = DigestSum::default();
    for (_, line) in evidence.lines.iter() {
        lines_digest.add(&line.digest);
    }
    let run_id = run_id(options, &billed.digest, &lines_digest.finish());
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
    let outcome = reconcile::reconcile(inputs, &terms);
    let summary = Summary::of(&outcome, &terms, &evidence.files, billed.source, run_id);
    let ledger_path = if let BillSource::External(path) = &options.source { Some(path.as_path()) } else { None };
    let presentation = options.presentation.clone().unwrap_or_default();
    let report = Report { outcome: &outcome, summary: &summary, files: &evidence.files, ledger_path, presentation: &presentation };
    if options.presentation.is_some() {
        report::write_for_people(&report, &options.out)?;
    }
    report::write(&report, &options.out)?;
    Ok(ReconcileReport { breaks: outcome.break_count(), identities_hold: outcome.identities_hold(), summary, outcome })
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

/// Equal for equal content of the inputs, whatever their order or files, and equal configuration.
fn run_id(options: &ReconcileOptions, bills: &Digest, lines: &Digest) -> String {
    let words = format!("{} {} {} {:?} {}", options.from, options.to, options.as_of, options.policy, options.client_id);
    let full = digest::of_parts(&[b"run", bills, lines, words.as_bytes()]);
    digest::hex(full.get(..16).unwrap_or(&full))
}

#[cfg(test)]
mod tests;
