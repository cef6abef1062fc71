//! Reconcile: bills, evidence, a period and an as-of → a folder of reports. Read-only towards everything it reads.

mod bills;
mod books;
mod error;
mod gathered;
mod ledgers_asked;
mod options;
mod unjudged;

use std::io;
use std::path::{Path, PathBuf};

pub use self::bills::Billed;
use self::books::Carried;
pub use self::error::ReconcileError;
pub(super) use self::gathered::read_settlement;
use self::gathered::{Gathered, run_id};
pub use self::ledgers_asked::{LedgersAsked, caveats, formers};
pub use self::options::{OpeningFolder, ReconcileOptions, SettlementFiles};
pub use self::unjudged::{Unjudged, told};

use crate::domain::classify::Period;
use crate::domain::line::InputFile;
use crate::domain::settlement::Settlement;
use crate::evidence::Pairs;
use crate::evidence::bank::Statements;
use crate::jobs::discrepancies::{self, Looked};
use crate::journal::period::ClosedPeriod;
use crate::journal::{Journal, JournalError};
use crate::reconcile::month::{Closing, MonthResult, Opening};
use crate::reconcile::posted::Posted;
use crate::reconcile::{self, Bills, KnownPayment, PaidOutSought, Reconciled, WaitingRows};
use crate::register::ItemStatus;
use crate::report::books::BooksFiles;
use crate::report::folder_lock::HeldFolder;
use crate::report::summary::Summary;
use crate::report::summary_books::BooksFigures;
use crate::report::summary_inputs::Request;
use crate::report::summary_month::{MonthFigures, Signature, SignedFigures};
use crate::report::{self, Report};
use crate::table::{self, Mostly};

/// What a reconciliation found; the details are in its folder.
#[derive(Debug)]
pub struct ReconcileReport {
    /// Its figures.
    pub summary: Summary,
    /// Its summary.json.
    pub told: Vec<u8>,
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
    let gathered = Gathered::read(&billed.bills, options)?;
    let carried = cover(&mut billed, options, opening.as_ref(), &gathered)?;
    let run_id = run_id(options, &gathered.content(billed.digest, opening.as_ref()), carried.as_ref().map(|carried| carried.hash.as_str()));
    let Gathered { mut evidence, settlement, bank, inquiries, journal } = gathered;
    let ledger_path = billed.file.take();
    let ledger_path = ledger_path.as_deref();
    let (mut remarks, held) = (std::mem::take(&mut billed.remarks), std::mem::take(&mut billed.held));
    remarks.extend(settlement.as_ref().and_then(|input| copied(&input.files)));
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
    let mut posted = Posted::of(&mut outcome, &terms, inputs, &mut books_files)?;
    let looked = Looked { outcome: &outcome, posted: &posted, terms: &terms, run_id: &run_id };
    let standings = discrepancies::standings(&journal, &looked)?;
    posted.count_listed(&outcome.findings, |id| standings.of(id).status == ItemStatus::Accepted);
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
    let told = report::write(&report, ended, &options.out)?;
    let logs = files.to_vec();
    Ok(ReconcileReport {
        logs,
        breaks: summary.discrepancies.breaks,
        identities_hold: outcome.identities_hold() && posted.holds(),
        summary,
        told,
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
fn cover(
    billed: &mut Billed,
    options: &ReconcileOptions,
    opening: Option<&Opening>,
    gathered: &Gathered,
) -> Result<Option<Carried>, ReconcileError> {
    let (settlement, sought) = match options.opening {
        Some(_) => (gathered.settlement.as_ref().map(|input| &input.files), gathered.named()),
        None => Default::default(),
    };
    let mut known = reconcile::Carried::of(&billed.bills, &billed.known, sought);
    let mut paid_out = PaidOutSought::of(settlement);
    let listen = |some: &_| {
        known.learn(some);
        paid_out.learn(some);
    };
    let carried = options.opening.as_ref().map(|folder| books::carried(folder, opening, listen)).transpose()?.flatten();
    let before = known.finish();
    billed.paid_out_before = paid_out.finish();
    // A report of before there were books tells of its payments in the list of the matched.
    let matched = options.opening.as_ref().filter(|_| carried.is_none()).map(|folder| &folder.path);
    for folder in options.carry_in.iter().chain(matched) {
        carry_in(billed, folder).map_err(|error| ReconcileError::CarryIn { path: folder.clone(), reason: error.to_string() })?;
    }
    if let Some(carried) = &carried {
        billed.waiting = before.join(&mut billed.bills, &mut billed.known).map_err(|_| ReconcileError::TooManyBills)?;
        let regrouped = billed.waiting.regrouped;
        if regrouped > 0 {
            billed.remarks.push(format!("{regrouped} bills are in another bill_group than the one they were billed in; they stay part of the debt they were billed in"));
        }
        let brief = carried.folder.brief();
        let Billed { waiting, waiting_rows, paid_out_before, bills, known, .. } = billed;
        *waiting_rows = WaitingRows::of(brief, settlement, &waiting.bills_of_rows);
        paid_out_before.learn_of_waiting(brief, waiting_rows, bills, known, &waiting.orphans);
    }
    Ok(carried)
}

/// What a person should know of rows that several settlement files list.
fn copied(settlement: &Settlement) -> Option<String> {
    let copies = settlement.copies.rows;
    (copies > 0).then(|| format!("{copies} settlement rows stand word for word in another of these files; each counts once"))
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
        billed.known.push(KnownPayment {
            bill,
            paid_at,
            identity,
            amount,
            sameness: None,
            in_ledger: false,
            is_unproven: false,
            is_proved: false,
        });
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
