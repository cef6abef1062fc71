//! A step in words and figures: what a person reads before anything is sent, and what a plan that was read is held against.

use jiff::Timestamp;

use super::step::{Step, Unchanged};
use crate::domain::bill::{Bill, Expiry, RecordedTerms};
use crate::domain::calendar::wib;
use crate::domain::digest;
use crate::domain::lifecycle::{BillState, OperationKind};

/// An amount this many times what its bill ever asked for is more likely a slip than a premium.
const FAR_ABOVE: u64 = 10;

/// One row of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// What is done first; see [`Step::name`].
    pub step: &'static str,
    /// What it comes to at the counter, where that is known: codes to be made, changed, taken back.
    pub operation: Option<OperationKind>,
    /// The code as it is: amount and end; empty without one.
    pub from: String,
    /// As the row wants it; empty for none.
    pub to: String,
    /// What the code asks for afterwards; of a cancellation, what it asked for before.
    pub rupiah: u64,
    /// Why, in words.
    pub reason: String,
    /// Whether the amount is far above what the bill ever asked for.
    pub far_above: bool,
    /// A digest of the step and of everything in the ledger it rests on.
    pub mark: String,
}

impl Step {
    /// Its name in plans.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Issue { .. } | Self::Register(OperationKind::Issue) => "issue",
            Self::Amend | Self::Register(OperationKind::Amend) => "amend",
            Self::Cancel | Self::Register(OperationKind::Cancel) => "cancel",
            Self::Resolve => "resolve",
            Self::ConfirmExpiry | Self::ConfirmRefusal | Self::Release { .. } => "confirm",
            Self::Wait { .. } | Self::Retire { .. } => "wait",
            Self::Note | Self::Unchanged(_) => "unchanged",
            Self::RejectedBefore { .. } => "rejected",
            Self::Refused { .. } => "refuse",
        }
    }

    /// What it comes to in the same run, if all goes well. What follows a doubt that is settled is not known before.
    const fn operation(&self) -> Option<OperationKind> {
        match self {
            Self::Register(operation) => Some(*operation),
            Self::Issue { .. } | Self::ConfirmExpiry | Self::Release { .. } | Self::Wait { .. } | Self::Retire { .. } => {
                Some(OperationKind::Issue)
            }
            Self::Amend => Some(OperationKind::Amend),
            Self::Cancel => Some(OperationKind::Cancel),
            Self::Resolve | Self::ConfirmRefusal | Self::Note | Self::Unchanged(_) | Self::RejectedBefore { .. } | Self::Refused { .. } => {
                None
            }
        }
    }
}

/// The line of `bill`, whose wanted terms are `wanted`, in the ledger's `state`.
#[must_use]
pub fn line(bill: &Bill, wanted: Option<&RecordedTerms>, step: &Step, state: Option<&BillState>) -> PlanLine {
    let live = state.and_then(|state| state.live_code().map(|code| (state, code)));
    let from = live.map(|(state, code)| asked(state.terms.amount.get(), code.answer.expires_at, state.terms.expiry));
    let to = wanted.map(|terms| asked(terms.amount.get(), None, terms.expiry));
    let present = state.map_or(0, |state| state.terms.amount.get());
    let rupiah = wanted.map_or(present, |terms| terms.amount.get());
    let history = state.map(|state| {
        let superseded = state.code.iter().flat_map(|code| &code.superseded).map(|earlier| earlier.amount.get());
        superseded.chain([present]).max().unwrap_or(present)
    });
    let operation = step.operation();
    let is_asked = matches!(operation, Some(OperationKind::Issue | OperationKind::Amend));
    let far_above = is_asked && history.is_some_and(|most| rupiah >= most.saturating_mul(FAR_ABOVE));
    PlanLine {
        step: step.name(),
        operation,
        from: from.unwrap_or_default(),
        to: to.unwrap_or_default(),
        rupiah,
        reason: reason(bill, wanted, step, state),
        far_above,
        mark: mark(step, wanted, state),
    }
}

fn asked(amount: u64, expires_at: Option<Timestamp>, expiry: Expiry) -> String {
    let at = |at: Timestamp| format!("{amount} until {}", at.to_zoned(wib()).strftime("%Y-%m-%d %H:%M WIB"));
    match (expires_at, expiry) {
        (Some(expires_at), _) | (None, Expiry::At(expires_at)) => at(expires_at),
        (None, Expiry::Minutes(minutes)) => format!("{amount} for {minutes} minutes"),
    }
}

fn reason(bill: &Bill, wanted: Option<&RecordedTerms>, step: &Step, state: Option<&BillState>) -> String {
    match step {
        Step::Issue { wire_invoice_number } if *wire_invoice_number != bill.invoice_number => {
            format!("issued anew as {wire_invoice_number}")
        }
        Step::Issue { .. } | Step::Register(OperationKind::Issue) => "new".into(),
        Step::Amend | Step::Register(OperationKind::Amend) => {
            let changes = state.zip(wanted).map(|(state, wanted)| state.terms.changes_to(wanted)).unwrap_or_default();
            let columns: Vec<&str> = changes.into_iter().map(|(column, _)| column).collect();
            format!("changed: {}", columns.join(", "))
        }
        Step::Cancel | Step::Register(OperationKind::Cancel) => "the row says cancel".into(),
        Step::Resolve => "an earlier operation is open: it is settled first, then the row is looked at again in the same run".into(),
        Step::ConfirmRefusal => "DOKU is asked about the order it refused: the refusal bore no valid signature".into(),
        Step::ConfirmExpiry => "expired: issued anew in the same run once DOKU confirms it".into(),
        Step::Release { holder, .. } => format!("issued once DOKU confirms that invoice {holder} has given up the code"),
        Step::Wait { holder } => format!("issued once the cancellation of invoice {holder} has freed the code"),
        Step::Retire { holder, .. } if *holder == bill.invoice_number => "expired: issued anew in the same run".into(),
        Step::Retire { holder, .. } => format!("takes the code over from invoice {holder}"),
        Step::Note => "only columns that the ledger keeps".into(),
        Step::Unchanged(Unchanged::Live) => "nothing to do".into(),
        Step::Unchanged(why) => why.name().into(),
        Step::RejectedBefore { code, reason } => format!("{code}: DOKU refused this before: {reason}"),
        Step::Refused { code, column, reason } => format!("{}: {column}: {reason}", code.id),
    }
}

/// What a plan rests on, in one digest: if it is the same, so is what will be done. Letters first, so that no spreadsheet takes it
/// for a number.
fn mark(step: &Step, wanted: Option<&RecordedTerms>, state: Option<&BillState>) -> String {
    let rests_on = state.map(|state| {
        let BillState { status, generation, retired_count, terms, code, open, refusal, hold, .. } = state;
        (status.name(), generation, retired_count, terms, code, open, refusal, hold)
    });
    // Digests of personal data depend on the ledger, and a plan may be older than its ledger: of a new bill there is nothing to compare.
    let wanted = wanted.map(|terms| if state.is_some() { terms.clone() } else { terms.without_digests() });
    short(&digest::of_value(&(step, wanted, rests_on)))
}

/// The form of a digest in a plan.
#[must_use]
pub fn short(digest: &digest::Digest) -> String {
    format!("m{}", digest::hex(digest.get(..8).unwrap_or(digest)))
}
