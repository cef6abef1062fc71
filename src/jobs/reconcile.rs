//! Reconcile: bills, evidence, a period and an as-of → a folder of reports. Read-only towards everything it reads.

mod bills;
mod books;
mod gathered;
mod ledgers_asked;
mod unjudged;

use std::io;
use std::path::{Path, PathBuf};

pub use self::bills::Billed;
use self::books::Carried;
pub(super) use self::gathered::read_settlement;
use self::gathered::{Gathered, run_id};
pub use self::ledgers_asked::{LedgersAsked, caveats, formers};
pub use self::unjudged::{Unjudged, told};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::carry::CarryError;
use crate::books::{BooksError, BooksSettings};
use crate::doku::keyring::Keyring;
use crate::domain::classify::{MatchingPolicy, Period};
use crate::domain::line::InputFile;
use crate::domain::settlement::{Settlement, SettlementTerms};
use crate::evidence::bank::{BankError, Statements};
use crate::evidence::settlement::SettlementError;
use crate::evidence::{EvidenceError, Pairs, StoreAt};
use crate::jobs::discrepancies::{self, Looked};
use crate::journal::period::ClosedPeriod;
use crate::journal::{Journal, JournalError};
use crate::ledger::LedgerError;
use crate::reconcile::external::ExternalError;
use crate::reconcile::month::{Closing, MonthResult, Opening};
use crate::reconcile::posted::Posted;
use crate::reconcile::{self, Bills, KnownPayment, ReconcileTerms, Reconciled};
use crate::report::atomic::WriteError;
use crate::report::books::{BooksFiles, KeepError};
use crate::report::folder_lock::{HeldFolder, TakeError};
use crate::report::summary::Summary;
use crate::report::summary_books::BooksFigures;
use crate::report::summary_inputs::Request;
use crate::report::summary_month::{MonthFigures, Signature, SignedFigures};
use crate::report::{self, Presentation, Report};
use crate::table::{self, Mostly};

/// Everything a reconciliation is made from beside its bills.
#[derive(Debug)]
pub struct ReconcileOptions {
    /// The logs (`.jsonl`, `.gz`, `.zst`); see [`expand`](crate::evidence::expand) for patterns.
    pub notifications: Vec<PathBuf>,
    /// The store of evidence, instead of logs or beside them.
    pub evidence: Option<StoreAt>,
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// Seen from when (UTC).
    pub as_of: Timestamp,
    /// The keys that may have signed, the present one first.
    pub keys: Keyring,
    /// Who was asked about them.
    pub asked: LedgersAsked,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What the rules leave to the merchant.
    pub policy: MatchingPolicy,
    /// The output folder of an earlier period, whose payments cover their bills in this one.
    pub carry_in: Option<PathBuf>,
    /// Our ledger beside an external one, if it was.
    pub request_history: Option<PathBuf>,
    /// Settlement files, if the money is to be followed to the bank.
    pub settlement: Option<SettlementFiles>,
    /// Statements of the bank account DOKU pays to, if pay-outs are to be followed there.
    pub bank: Vec<PathBuf>,
    /// Inquiry logs of `serve`, if payments are to be held against what was answered.
    pub inquiries: Vec<PathBuf>,
    /// The output folder of the period before, whose closing balances open this one.
    pub opening: Option<OpeningFolder>,
    /// What people have decided, if there is a journal; it is only read.
    pub journal: Option<PathBuf>,
    /// What the books' postings depend on.
    pub books: BooksSettings,
    /// How external ledgers and settlement files that are not written as tagih's or DOKU's own are read.
    pub tables: table::TableSettings,
    /// Where to write.
    pub out: PathBuf,
    /// For whom workbook and page are made; without it, only the files that programs read are written.
    pub presentation: Option<Presentation>,
}

/// Settlement reports and what they are held against.
#[derive(Clone, Debug)]
pub struct SettlementFiles {
    /// CSV (`.gz`, `.zst`) and XLSX.
    pub files: Vec<PathBuf>,
    /// What the merchant knows.
    pub terms: SettlementTerms,
}

/// Where opening balances are from.
#[derive(Clone, Debug)]
pub struct OpeningFolder {
    /// The output folder of the period before.
    pub path: PathBuf,
    /// The hash that was signed for that period, if it was closed.
    pub signed_hash: Option<String>,
}

impl ReconcileOptions {
    /// Period, as-of and policy.
    ///
    /// # Errors
    /// When the days are no period.
    pub fn terms(&self) -> Result<ReconcileTerms, ReconcileError> {
        let period = Period::new(self.from, self.to).ok_or(ReconcileError::Period { from: self.from, to: self.to })?;
        Ok(ReconcileTerms { period, as_of: self.as_of, policy: self.policy.clone() })
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
    pub outcome: Reconciled,
    /// The figures of the period.
    pub month: MonthResult,
    /// Its books.
    pub books: Posted,
    /// What a person should know of the files.
    pub remarks: Vec<String>,
    /// Tables most rows of which cannot be read (exit 7); the report is written all the same.
    pub mostly: Vec<(PathBuf, Mostly)>,
    /// The logs, and what their lines are.
    pub logs: Vec<InputFile>,
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
    /// A settlement file cannot be used (exit 7).
    #[error(transparent)]
    Settlement(#[from] SettlementError),
    /// A bank statement cannot be used (exit 7).
    #[error(transparent)]
    Bank(#[from] BankError),
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
    /// The books of the period before were changed while they were read (exit 8).
    #[error("E0850: {0}\nhint: name the output folder that was closed for the period before, unchanged")]
    Before(CarryError),
    /// The books cannot be posted (exit 8).
    #[error("E0814: the books cannot be posted: {0}\nhint: keep the inputs and the folder of the month before, and report the defect")]
    Books(BooksError),
    /// The journal cannot be used (exit 8 or 9).
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A report cannot be written (exit 9).
    #[error(transparent)]
    Report(#[from] WriteError),
    /// Another run writes there (exit 6), or nobody can.
    #[error(transparent)]
    Folder(#[from] TakeError),
}

impl From<KeepError> for ReconcileError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Books(error) => Self::Books(error),
            KeepError::Write(error) => Self::Report(error),
            KeepError::Before(error) => Self::Before(error),
        }
    }
}

impl Pairs for Bills {
    fn pair(&self, invoice_number: &str, payment_code: &str) -> Option<u32> {
        // The report says ids as notified, so they are left out of the lines only where the bill's own are the same.
        let same = |bill: &u32| self.invoice_number(*bill) == invoice_number && self.payment_code(*bill) == payment_code;
        Self::pair(self, invoice_number, payment_code).filter(same)
    }
}

/// Reads the evidence on `billed`, concludes and writes.
///
/// # Errors
/// [`ReconcileError`]; what stood in the output folder before then stays.
pub fn run(mut billed: Billed, options: &ReconcileOptions) -> Result<ReconcileReport, ReconcileError> {
    let terms = options.terms()?;
    let period = terms.period;
    let opening = options.opening.as_ref().map(|folder| opening_of(folder, period)).transpose()?;
    let carried = cover(&mut billed, options, opening.as_ref())?;
    let gathered = Gathered::read(&billed.bills, options)?;
    let run_id = run_id(options, &gathered.content(billed.digest, opening.as_ref()), carried.as_ref().map(|carried| carried.hash.as_str()));
    let Gathered { mut evidence, settlement, bank, inquiries, journal } = gathered;
    let ledger_path = billed.file.take();
    let ledger_path = ledger_path.as_deref();
    let (remarks, held) = (std::mem::take(&mut billed.remarks), std::mem::take(&mut billed.held));
    let mostly = ledger_path.map(Path::to_path_buf).zip(billed.mostly.take());
    let mostly = mostly.into_iter().chain(settlement.iter().flat_map(|input| mostly_unread(&input.files)));
    let mostly = mostly.chain(bank.iter().flat_map(Statements::mostly_unread)).collect();
    let files = std::mem::take(&mut evidence.files);
    let keys = options.asked.keys(&options.keys, &evidence.signers);
    let (mut inputs, source) = billed.inputs(evidence, &files, settlement);
    (inputs.inquiries, inputs.bank) = (inquiries, bank);
    let mut outcome = reconcile::reconcile(inputs, &terms);
    let inputs = books::inputs(carried, opening.as_ref(), &journal.register()?, options);
    let _held = HeldFolder::take(&options.out)?;
    let mut books_files = BooksFiles::begin(&options.out)?;
    let posted = Posted::of(&mut outcome, &terms, inputs, &mut books_files)?;
    let looked = Looked { outcome: &outcome, posted: &posted, terms: &terms, run_id: &run_id };
    let standings = discrepancies::standings(&journal, &looked)?;
    let decided = journal.decided_at().map_or_else(String::new, |head| head.to_string());
    let (carry, ended) = books_files.finish(&posted, source.text(), decided)?;
    let hash = carry.hash().map_err(|error| ReconcileError::Opening { path: options.out.clone(), reason: error.to_string() })?;
    let month = MonthResult::of(&outcome, &terms, opening.as_ref(), &posted, &hash, files.len());
    outcome.identities.extend_from_slice(&month.identities);
    let mut summary = Summary::of(&outcome, &terms, &files, source, run_id);
    summary.held = held;
    summary.request = request(options);
    summary.keys = keys;
    (summary.revocations_asked, summary.caveats) = (options.asked.heads.clone(), options.asked.caveats.clone());
    summary.discrepancies = discrepancies::counts(&outcome, &standings, journal.head());
    summary.books = Some(BooksFigures::of(&posted, hash));
    summary.month = Some(MonthFigures::of(&month, &files, signed(&journal, &month.closing)?));
    let files = files.as_slice();
    let presentation = options.presentation.as_ref();
    let (month_of_run, books) = (&month, &posted);
    let report = Report {
        outcome: &outcome,
        summary: &summary,
        month: month_of_run,
        books,
        files,
        ledger_path,
        standings: &standings,
        presentation,
    };
    report::write(&report, ended, &options.out)?;
    let logs = files.to_vec();
    Ok(ReconcileReport {
        logs,
        breaks: summary.discrepancies.breaks,
        identities_hold: outcome.identities_hold() && posted.holds(),
        summary,
        outcome,
        month,
        books: posted,
        remarks,
        mostly,
    })
}

/// What was asked beside the inputs, so that the report can be made again.
fn request(options: &ReconcileOptions) -> Request {
    let text = |path: &PathBuf| path.display().to_string();
    Request {
        opening: options.opening.as_ref().map(|folder| text(&folder.path)),
        carry_in: options.carry_in.as_ref().map(text),
        request_history: options.request_history.as_ref().map(text),
        evidence: options.evidence.as_ref().map(|store| text(&store.path)),
        evidence_from: options.evidence.as_ref().and_then(|store| store.days.from),
        evidence_to: options.evidence.as_ref().and_then(|store| store.days.to),
        layout: options.tables.layout.clone(),
        sheet: options.tables.sheet.clone(),
        language: options.presentation.as_ref().map(|presentation| presentation.language),
    }
}

/// The payments and bills of months before, from a folder without books or from the books themselves.
fn cover(billed: &mut Billed, options: &ReconcileOptions, opening: Option<&Opening>) -> Result<Option<Carried>, ReconcileError> {
    let mut known = reconcile::Carried::of(&billed.bills, &billed.known);
    let listen = |some: &_| known.learn(some);
    let carried = options.opening.as_ref().map(|folder| books::carried(folder, opening, listen)).transpose()?.flatten();
    let (covering, orphans) = known.finish();
    // A report of before there were books tells of its payments in the list of the matched.
    let matched = options.opening.as_ref().filter(|_| carried.is_none()).map(|folder| &folder.path);
    for folder in options.carry_in.iter().chain(matched) {
        carry_in(billed, folder).map_err(|error| ReconcileError::CarryIn { path: folder.clone(), reason: error.to_string() })?;
    }
    if carried.is_some() {
        billed.known.extend(covering);
        billed.known.sort_unstable();
        billed.orphans = orphans;
    }
    Ok(carried)
}

/// Settlement files most rows of which cannot be read.
fn mostly_unread(settlement: &Settlement) -> Vec<(PathBuf, Mostly)> {
    let judged = (0_u32..).zip(&settlement.files).filter_map(|(number, file)| {
        let causes = settlement.malformed.iter().filter(|row| row.place.file == number).map(|row| (&row.column, &row.reason));
        Some((file.path.clone(), table::mostly(file.lines, causes)?))
    });
    judged.collect()
}

/// The signed close of the same days, beside the balances of this run.
fn signed(journal: &Journal, now: &Closing) -> Result<Option<SignedFigures>, JournalError> {
    let periods = journal.periods()?;
    let same = periods.iter().find(|period| (period.close.closing.from, period.close.closing.to) == (now.from, now.to));
    Ok(same.map(|ClosedPeriod { close, at, by, reason }| {
        let signature = Signature { by: by.clone(), reviewed_by: close.reviewed_by.clone(), at: *at, reason: reason.clone() };
        SignedFigures::of(&close.run_id, signature, &close.closing, now)
    }))
}

/// Adds what an earlier report matched; such payments cover bills, but leave the ledger's own figures alone.
fn carry_in(billed: &mut Billed, folder: &Path) -> io::Result<()> {
    for carried in report::read_matched(folder)? {
        let Some(bill) = billed.bills.pair(&carried.invoice_number, &carried.payment_code) else { continue };
        let (paid_at, identity, amount) = (carried.paid_at, carried.identity, carried.amount);
        billed.known.push(KnownPayment { bill, paid_at, identity, amount, sameness: None, in_ledger: false, is_proved: false });
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

#[cfg(test)]
mod tests;
