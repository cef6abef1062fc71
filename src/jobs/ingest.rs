//! Ingest: verified payments out of notification logs into the ledger, as often as one likes.

mod proving;

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;

use self::proving::{ProvedPayments, Proving};
use super::holding_bills;
use crate::doku::claim::Claim;
use crate::doku::keyring::Keyring;
use crate::domain::classify::{Class, MatchingPolicy};
use crate::domain::detail::Field;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, OperationKind, Status};
use crate::domain::line::{Detail, InputFile};
use crate::domain::payment::Payment;
use crate::domain::sum::Sum;
use crate::evidence::{self, EvidenceError, EvidenceSources, NoPairs, ReadOptions, StoreAt};
use crate::exit::{Explained, Explanation};
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _, NewEvent, Private};
use crate::reconcile::Tallies;
use crate::spool::KeepingError;
use crate::table::TableSettings;

/// What ingesting did.
#[derive(Clone, Debug, Default)]
pub struct IngestReport {
    /// Lines read.
    pub lines: u64,
    /// The logs, and what their lines are.
    pub files: Vec<InputFile>,
    /// Lines by class.
    pub by_class: Vec<(Class, Sum)>,
    /// Payments the ledger did not know.
    pub new: u64,
    /// Payments it knew already.
    pub known: u64,
    /// Payments without a usable amount (P17); reconciling reports them.
    pub unusable: u64,
    /// Issues whose doubt a payment ended.
    pub settled: u64,
    /// Messages, each with an optional field that was of another type and left out: how many, and which field one of them was.
    pub left_out: Option<(u64, Field)>,
    /// Bills that are held from now on, because money was told of and not understood.
    pub held: u64,
}

/// Why nothing, or not everything, was ingested. Running again completes it.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The logs cannot be read (exit 7).
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// What was read of them cannot be kept (exit 9).
    #[error(transparent)]
    Keeping(#[from] KeepingError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Explained for IngestError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Evidence(error) => error.explanation(),
            Self::Keeping(error) => error.explanation(),
            Self::Ledger(error) => error.explanation(),
        }
    }
}

/// Who signs, and what counts.
#[derive(Debug)]
pub struct IngestOptions {
    /// The logs.
    pub logs: Vec<PathBuf>,
    /// The store of evidence, instead of logs or beside them.
    pub evidence: Option<StoreAt>,
    /// The keys that may have signed.
    pub keys: Keyring,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What the rules leave to the merchant.
    pub policy: MatchingPolicy,
    /// How notifications that are kept in tables are understood.
    pub tables: TableSettings,
    /// The time to record (UTC).
    pub now: Timestamp,
}

/// Applies the payments of `options.logs` to `ledger`, and ends the doubt of issues whose code a payment names.
///
/// # Errors
/// [`IngestError`]; what was applied before stays, and a second run finds it known.
pub async fn ingest(ledger: &impl Ledger, options: &IngestOptions) -> Result<IngestReport, IngestError> {
    let Proved { payments, claims, mut report } = proved(options)?;
    if !payments.is_empty() {
        // That a payment is new is only as sure as that all are there, and found where they are.
        ledger.view().await?.whole().await?;
    }
    // The doubt goes first: should the run be cut between the two, the next one still finds both to do.
    report.settled = settle::<IngestError>(ledger, &mut payments.iter().map(|payment| Ok(payment?)), options.now).await?;
    let mut payments = payments.iter().peekable();
    while payments.peek().is_some() {
        let part = payments.by_ref().take(PAYMENTS_APPLIED_MAX).collect::<Result<Vec<Payment>, KeepingError>>()?;
        let applied = ledger.apply_payments(&part).await?;
        report.new = report.new.saturating_add(applied.new);
        report.known = report.known.saturating_add(applied.known);
    }
    report.held = hold_all(ledger, &claims, options.now).await?;
    tracing::info!(lines = report.lines, new = report.new, known = report.known, held = report.held, "payments were applied");
    Ok(report)
}

/// Payments that are applied together.
const PAYMENTS_APPLIED_MAX: usize = 1_024;

/// What logs come to.
pub(super) struct Proved {
    pub(super) payments: ProvedPayments,
    pub(super) claims: Claims,
    report: IngestReport,
}

/// Money that was told of in these logs and cannot be booked, with the digests of its lines.
pub(super) type Claims = Vec<(Digest, Claim)>;

async fn hold_all(ledger: &impl Ledger, claims: &Claims, now: Timestamp) -> Result<u64, LedgerError> {
    let mut count = 0_u64;
    for (evidence, claim) in claims {
        let bills = ledger.view().await?.bills_about(&holding_bills::names(claim)).await?;
        for state in holding_bills::of(bills.iter(), claim) {
            count = count.saturating_add(u64::from(holding_bills::hold(ledger, state, claim, evidence, now).await?));
        }
    }
    Ok(count)
}

/// The payments that `options.logs` prove, and what else was read.
pub(super) fn proved(options: &IngestOptions) -> Result<Proved, IngestError> {
    let IngestOptions { keys, client_id, policy, tables, .. } = options;
    let read = ReadOptions { keys, client_id, policy, pairs: &NoPairs, tables };
    let (mut proving, mut left_out, mut tallies) = (Proving::default(), None, Tallies::default());
    let sources = EvidenceSources { logs: &options.logs, store: options.evidence.as_ref() };
    let evidence = evidence::read_stretches(sources, &read, |lines| -> Result<(), IngestError> {
        for (_, line) in lines.iter() {
            if let Some(Detail::Field(field)) = line.detail.filter(|_| line.is_message()) {
                let count = left_out.map_or(0_u64, |(count, _)| count);
                left_out = Some((count.saturating_add(1), field));
            }
        }
        Ok(proving.take(&lines, &mut tallies)?)
    })?;
    let (payments, unusable) = proving.payments(&mut tallies)?;
    let report = IngestReport {
        lines: evidence.files.iter().map(|file| file.lines).sum(),
        files: evidence.files,
        by_class: tallies.iter().collect(),
        unusable,
        left_out,
        ..IngestReport::default()
    };
    Ok(Proved { payments, claims: evidence.claims, report })
}

/// Records what payments prove of issues in doubt; how many.
pub(super) async fn settle<E: From<LedgerError>>(
    ledger: &impl Ledger,
    payments: &mut (dyn Iterator<Item = Result<Payment, E>> + Send),
    now: Timestamp,
) -> Result<u64, E> {
    let mut open = ledger.view().await?.open_bills().await?;
    open.retain(|state| state.status == Status::InDoubt(OperationKind::Issue));
    let mut by_number: HashMap<&InvoiceNumber, Vec<Payment>> =
        open.iter().filter_map(|state| Some((&state.open.as_ref()?.wire_invoice_number, Vec::new()))).collect();
    if by_number.is_empty() {
        return Ok(0);
    }
    for payment in payments {
        let payment = payment?;
        if let Some(named) = by_number.get_mut(&payment.invoice_number) {
            named.push(payment);
        }
    }
    let mut entries: Vec<NewEvent> =
        open.iter().filter_map(|state| settlement(state, by_number.get(&state.open.as_ref()?.wire_invoice_number)?, now)).collect();
    entries.sort_by(|a, b| a.invoice_number.cmp(&b.invoice_number));
    let mut count = 0_u64;
    for entry in entries {
        match ledger.record(vec![entry]).await {
            Ok(states) => {
                count = count.saturating_add(1);
                let invoice = states.last().map_or("", |state| state.invoice_number.as_str());
                tracing::info!(invoice, decision = "issued", "a payment ends the doubt of an issue");
            }
            // A sender beside us has settled it first, or the code is live for another bill: a person must look, and
            // meanwhile the payments count.
            Err(LedgerError::Lost { .. } | LedgerError::CodeTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(count)
}

/// The event that ends `state`'s doubt, from the payments that name its number on the wire: one of them names a code that
/// can be its own. When they name several, none is picked.
pub(super) fn settlement(state: &BillState, payments: &[Payment], now: Timestamp) -> Option<NewEvent> {
    let open = state.open.as_ref()?;
    let retired = state.code.as_ref().map(|code| &code.answer.payment_code);
    let mut codes = payments
        .iter()
        .filter(|payment| payment.channel == open.terms.channel)
        .filter(|payment| open.terms.payment_code.as_ref().is_none_or(|wanted| *wanted == payment.payment_code))
        .map(|payment| &payment.payment_code)
        .filter(|code| Some(*code) != retired || open.terms.payment_code.is_some());
    let payment_code = codes.next()?;
    if codes.any(|other| other != payment_code) {
        return None;
    }
    let answer =
        CodeAnswer { payment_code: payment_code.clone(), created_at: None, expires_at: None, how_to_pay_page: None, how_to_pay_api: None };
    let event = Event::DoubtEnded {
        verdict: DoubtVerdict::Done,
        answer: Some(answer),
        by: "notification".to_owned(),
        reason: "a verified payment names the invoice and the code".to_owned(),
        unsettled_since: None,
    };
    let basis = Basis::Operation(open.request_id);
    Some(NewEvent { invoice_number: state.invoice_number.clone(), at: now, event, basis, private: Private::default() })
}

#[cfg(test)]
mod tests;
