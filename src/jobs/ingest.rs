//! Ingest: verified payments out of notification logs into the ledger, as often as one likes.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::holding_bills;
use crate::doku::claim::Claim;
use crate::doku::keyring::Keyring;
use crate::domain::classify::{Class, MatchingPolicy};
use crate::domain::detail::Field;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, OperationKind, Status};
use crate::domain::line::{Detail, InputFile, Line, Lines};
use crate::domain::payment::Payment;
use crate::domain::sum::Sum;
use crate::evidence::{self, EvidenceError, EvidenceSources, NoPairs, ReadOptions, StoreAt};
use crate::exit::{Explained, Explanation};
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _, NewEvent, Private};
use crate::reconcile::{Tallies, dedupe};
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
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Explained for IngestError {
    fn explanation(&self) -> Explanation {
        match self {
            Self::Evidence(error) => error.explanation(),
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
    if payments.iter().next().is_some() {
        // That a payment is new is only as sure as that all are there, and found where they are.
        ledger.view().await?.whole().await?;
    }
    // The doubt goes first: should the run be cut between the two, the next one still finds both to do.
    report.settled = settle(ledger, &mut payments.iter(), options.now).await?;
    let mut payments = payments.iter().peekable();
    while payments.peek().is_some() {
        let part: Vec<Payment> = payments.by_ref().take(PAYMENTS_APPLIED_MAX).collect();
        let applied = ledger.apply_payments(&part).await?;
        report.new = report.new.saturating_add(applied.new);
        report.known = report.known.saturating_add(applied.known);
    }
    report.held = hold_all(ledger, &claims, options.now).await?;
    tracing::info!(lines = report.lines, new = report.new, known = report.known, held = report.held, "payments were applied");
    Ok(report)
}

/// Payments taken out of the lines and applied together.
const PAYMENTS_APPLIED_MAX: usize = 1_024;

/// The payments that logs prove, still in their lines: these are a fraction of the size.
pub(super) struct ProvedPayments {
    lines: Lines,
    proofs: Vec<u32>,
    /// What payments are called however their messages are written, where that is not their line's identity.
    canonical: HashMap<u32, Digest>,
}

impl ProvedPayments {
    /// Each of them, in no order that matters.
    pub(super) fn iter(&self) -> impl Iterator<Item = Payment> {
        self.proofs.iter().filter_map(|&at| payment(&self.lines, self.lines.get(at)?, self.canonical.get(&at).copied()))
    }
}

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
pub(super) fn proved(options: &IngestOptions) -> Result<Proved, EvidenceError> {
    let IngestOptions { keys, client_id, policy, tables, .. } = options;
    let read = ReadOptions { keys, client_id, policy, pairs: &NoPairs, tables };
    let mut evidence = evidence::read(EvidenceSources { logs: &options.logs, store: options.evidence.as_ref() }, &read)?;
    let proved = dedupe(&mut evidence.lines);
    let mut report = IngestReport { lines: evidence.files.iter().map(|file| file.lines).sum(), ..IngestReport::default() };
    let mut tallies = Tallies::default();
    for (_, line) in evidence.lines.iter() {
        tallies.add(line.class, crate::domain::amount::Rupiah::new(line.amount.into()));
        if let Some(Detail::Field(field)) = line.detail.filter(|_| line.is_message()) {
            let count = report.left_out.map_or(0, |(count, _)| count);
            report.left_out = Some((count.saturating_add(1), field));
        }
    }
    report.by_class = tallies.iter().collect();
    report.files = std::mem::take(&mut evidence.files);
    let (lines, claims) = (evidence.lines, evidence.claims);
    let (proofs, unusable): (Vec<u32>, Vec<u32>) =
        proved.proofs().partition(|&at| lines.get(at).is_some_and(|line| payment(&lines, line, None).is_some()));
    report.unusable = u64::try_from(unusable.len()).unwrap_or(u64::MAX);
    let other =
        |at: u32| Some((at, proved.canonical(&lines, at).filter(|canonical| lines.get(at).map(|line| line.identity) != Some(*canonical))?));
    let canonical = proofs.iter().filter_map(|&at| other(at)).collect();
    Ok(Proved { payments: ProvedPayments { lines, proofs, canonical }, claims, report })
}

fn payment(lines: &Lines, line: &Line, canonical: Option<Digest>) -> Option<Payment> {
    let (invoice_number, payment_code) = lines.texts(line);
    Some(Payment {
        identity: line.identity,
        canonical: canonical.unwrap_or(line.identity),
        invoice_number: InvoiceNumber::new(invoice_number).ok()?,
        payment_code: PaymentCode::new(payment_code).ok()?,
        channel: line.channel,
        amount: line.usable_amount()?,
        paid_at: line.paid_at(),
        received_at: line.received_at(),
        line_digest: line.digest,
    })
}

/// Records what payments prove of issues in doubt; how many.
pub(super) async fn settle(
    ledger: &impl Ledger,
    payments: &mut (dyn Iterator<Item = Payment> + Send),
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let mut open = ledger.view().await?.open_bills().await?;
    open.retain(|state| state.status == Status::InDoubt(OperationKind::Issue));
    let mut by_number: HashMap<&InvoiceNumber, Vec<Payment>> =
        open.iter().filter_map(|state| Some((&state.open.as_ref()?.wire_invoice_number, Vec::new()))).collect();
    if by_number.is_empty() {
        return Ok(0);
    }
    for payment in payments {
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
            Err(error) => return Err(error),
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
