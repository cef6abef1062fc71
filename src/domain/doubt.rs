//! What Check Status proves about an operation in doubt, about a repeated answer, and about a refusal nobody signed.
//!
//! Belongs here: the rules that end a doubt, pure, over everything Check Status has said since the operation was last sent. It
//! carries no code, "not found" soon after proves nothing, and what is not understood stays open. Must not be here: asking.

use jiff::{SignedDuration, Timestamp};

use super::bill::Expiry;
use super::check_status::{StatusDetails, Word};
use super::ids::InvoiceNumber;
use super::lifecycle::{BillState, DoubtVerdict, HeardRefusal, OpenOperation, OperationKind, StatusFinding};
use super::plan;

/// Whether "not found" may ever prove that an issue was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFound {
    /// If the same run has shown that Check Status knows unpaid codes of the channel.
    WithControl,
    /// Never.
    Never,
}

/// How long after the last attempt, and by which words, a finding counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Whether "not found" may count.
    pub not_found: NotFound,
    /// Minutes after which "not found" means an issue was never carried out.
    pub not_found_minutes: i64,
    /// Minutes after which an order in its old state means an amendment or cancellation was never carried out.
    pub unchanged_minutes: i64,
    /// Minutes in which a payment may still be on its way after a code has expired.
    pub grace_minutes: i64,
    /// Words of Check Status, besides DOKU's documented ones, that mean cancelled; in any letter case.
    pub cancelled_words: Vec<String>,
}

/// How far apart two findings must lie to count as two.
const APART: SignedDuration = SignedDuration::from_secs(60);

/// By how much an expiry that Check Status tells may differ from the wanted one and still be it: minutes are sent rounded down.
const EXPIRY_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What Check Status allows to conclude of an operation in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The doubt is over.
    Over(DoubtVerdict),
    /// It was refused after all, in these words: DOKU turned a repetition down, and the order does not exist.
    Refused(HeardRefusal),
    /// DOKU tells of money that does not fit: the doubt stays, and a person must look.
    Hold,
}

/// What everything found since `state`'s open operation was last sent concludes; `None` leaves it in doubt. The time that has gone by since
/// proves nothing: what was found early may be otherwise by now.
#[must_use]
pub fn ending(state: &BillState, patience: &Patience) -> Option<Ending> {
    let open = state.open.as_ref()?;
    let last = open.findings.last()?;
    let amount = last.details.amount;
    let by_kind = match (open.operation, last.word) {
        (OperationKind::Issue, Word::Pending | Word::Success) if amount == Some(open.terms.amount.get()) => {
            // A code that DOKU made only a replay, a notification or a person can tell; and an order that existed before anything
            // of ours can have reached DOKU is somebody else's.
            (open.terms.payment_code.is_some() && open.lost_an_answer()).then_some(Ending::Over(DoubtVerdict::Done))
        }
        (OperationKind::Issue, Word::NotFound) => is_absent(open, patience).then(|| match &open.heard {
            Some(heard) => Ending::Refused(heard.clone()),
            None => Ending::Over(DoubtVerdict::NotDone),
        }),
        (OperationKind::Amend, Word::Pending | Word::Success) if shows_wanted(state, open, &last.details) => {
            Some(Ending::Over(DoubtVerdict::Done))
        }
        // Paid at what it asked for before: it can no longer be changed, and whatever else was to change matters no more. A reusable code
        // goes on.
        (OperationKind::Amend, Word::Success) if amount == Some(state.terms.amount.get()) => {
            (!state.terms.reusable || changes_amount(state, open)).then_some(Ending::Over(DoubtVerdict::NotDone))
        }
        (OperationKind::Amend, Word::Pending) => {
            (is_visible(state, open) && is_unchanged(state, open, patience)).then_some(Ending::Over(DoubtVerdict::NotDone))
        }
        // Unpayable is what a cancellation wants.
        (OperationKind::Cancel, Word::Expired) => Some(Ending::Over(DoubtVerdict::Done)),
        (OperationKind::Cancel, Word::Other) if means_cancelled(&last.details, patience) => Some(Ending::Over(DoubtVerdict::Done)),
        // Whoever refused the repetition may have done so because the first was carried out.
        (OperationKind::Cancel, Word::Pending) if open.heard.is_none() => {
            is_unchanged(state, open, patience).then_some(Ending::Over(DoubtVerdict::NotDone))
        }
        // A reusable code may have been paid before it was cancelled.
        (OperationKind::Cancel, Word::Success) if amount == Some(state.terms.amount.get()) => {
            (!state.terms.reusable).then_some(Ending::Over(DoubtVerdict::NotDone))
        }
        (_, Word::Success) if amount.is_some() => Some(Ending::Hold),
        (_, Word::NotFound | Word::Pending | Word::Success | Word::Expired | Word::Failed | Word::Other) => None,
    };
    by_kind.or_else(|| is_dead(state, open, last, patience).then_some(Ending::Over(DoubtVerdict::Dead)))
}

/// What Check Status says of a repeated answer (HTTP 409) that may belong to another operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The operation was carried out.
    Confirmed,
    /// The code exists, and asks for this many rupiah.
    AsksFor(u64),
    /// Nothing that confirms it.
    Unconfirmed,
}

/// Whether what DOKU says of the order confirms a repeated answer to `state`'s open operation.
#[must_use]
pub fn confirmation(state: &BillState, word: Word, details: &StatusDetails) -> Confirmation {
    let Some(open) = &state.open else { return Confirmation::Unconfirmed };
    let is_asked = details.amount == Some(open.terms.amount.get());
    match (open.operation, word, details.amount) {
        (OperationKind::Issue, Word::Pending | Word::Success, _) if is_asked => Confirmation::Confirmed,
        (OperationKind::Issue, Word::Pending, Some(amount)) => Confirmation::AsksFor(amount),
        (OperationKind::Amend, Word::Pending | Word::Success, _) if is_asked && !shows_old_expiry(state, open, details) => {
            Confirmation::Confirmed
        }
        (OperationKind::Cancel, Word::NotFound | Word::Expired | Word::Failed | Word::Other, _) => Confirmation::Confirmed,
        _ => Confirmation::Unconfirmed,
    }
}

/// Whether a refusal that bore no valid signature stands, now that Check Status was asked; if not, the refused operation is in
/// doubt again. A change shows in the order, so an order that long after still is as it was upholds the refusal.
#[must_use]
pub fn refusal_stands(
    state: &BillState,
    refused: &OpenOperation,
    word: Word,
    details: &StatusDetails,
    now: Timestamp,
    patience: &Patience,
) -> bool {
    match (refused.operation, word) {
        (_, Word::NotFound | Word::Failed | Word::Other) => true,
        (_, Word::Success | Word::Expired) | (OperationKind::Issue, Word::Pending) => false,
        (OperationKind::Amend | OperationKind::Cancel, Word::Pending) => {
            let shows = refused.operation == OperationKind::Cancel || changes_amount(state, refused);
            let is_old = plan::minutes_between(refused.last_sent_at(), now) >= patience.unchanged_minutes;
            shows && is_old && details.amount == Some(state.terms.amount.get())
        }
    }
}

/// Whether an operation in doubt is to be sent anew under a new id: it makes no code, and nothing else can tell.
#[must_use]
pub fn may_be_sent_anew(state: &BillState, is_past_replay: bool) -> bool {
    let Some(open) = &state.open else { return false };
    let says_final = open.findings.last().is_some_and(|finding| match finding.word {
        Word::Success => !state.terms.reusable,
        Word::Expired => true,
        Word::NotFound | Word::Pending | Word::Failed | Word::Other => false,
    });
    // DOKU refused to repeat it, and shows nothing that could tell why.
    let is_blind = open.operation == OperationKind::Amend && open.heard.is_some() && !is_visible(state, open);
    open.operation != OperationKind::Issue && !says_final && state.hold.is_none() && (is_past_replay || is_blind)
}

/// Whether an amendment in doubt asks for an end that has come: sent again it would put it off.
#[must_use]
pub fn wanted_end_has_passed(state: &BillState, open: &OpenOperation, now: Timestamp) -> bool {
    plan::wanted_end(&open.terms, state).is_some_and(|end| end <= now)
}

/// Whether DOKU says of `order` that a bill on which nothing is open was paid with an amount the code it holds never asked for.
#[must_use]
pub fn is_paid_otherwise(state: &BillState, order: &InvoiceNumber, word: Word, details: &StatusDetails) -> bool {
    let is_about_its_code = state.is_at(order) && state.open.is_none() && !state.terms.reusable;
    let Some(amount) = details.amount.filter(|_| word == Word::Success && is_about_its_code) else {
        return false;
    };
    let superseded = state.code.iter().flat_map(|code| &code.superseded).any(|earlier| earlier.amount.get() == amount);
    amount != state.terms.amount.get() && !superseded
}

fn changes_amount(state: &BillState, open: &OpenOperation) -> bool {
    state.terms.amount != open.terms.amount
}

fn changes_expiry(state: &BillState, open: &OpenOperation) -> bool {
    state.terms.expiry != open.terms.expiry
}

/// Whether an amendment changes anything that Check Status shows.
fn is_visible(state: &BillState, open: &OpenOperation) -> bool {
    changes_amount(state, open) || changes_expiry(state, open)
}

fn shows_wanted(state: &BillState, open: &OpenOperation, details: &StatusDetails) -> bool {
    if details.amount != Some(open.terms.amount.get()) {
        return false;
    }
    changes_amount(state, open) || (changes_expiry(state, open) && shows_new_expiry(state, open, details))
}

fn shows_new_expiry(state: &BillState, open: &OpenOperation, details: &StatusDetails) -> bool {
    let (Some(wanted), Some(told)) = (plan::wanted_end(&open.terms, state), details.expires_at) else { return false };
    let old = state.code.as_ref().and_then(|code| code.answer.expires_at);
    // The old end may be about the wanted one too: what is told is the nearer of the two.
    is_about(wanted, told) && old.is_none_or(|old| told.duration_since(wanted).abs() < told.duration_since(old).abs())
}

fn shows_old_expiry(state: &BillState, open: &OpenOperation, details: &StatusDetails) -> bool {
    changes_expiry(state, open) && details.expires_at.is_some() && !shows_new_expiry(state, open, details)
}

fn is_about(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= EXPIRY_TOLERANCE
}

/// The old amount and expiry, twice, after the patience for it.
fn is_unchanged(state: &BillState, open: &OpenOperation, patience: &Patience) -> bool {
    let expiry = state.code.as_ref().and_then(|code| code.answer.expires_at);
    let is_old = |finding: &StatusFinding| {
        let StatusDetails { amount, expires_at, .. } = finding.details;
        let same_expiry = expiry.zip(expires_at).is_none_or(|(known, told)| is_about(known, told));
        finding.word == Word::Pending && amount == Some(state.terms.amount.get()) && same_expiry
    };
    twice(open, patience.unchanged_minutes, is_old)
}

/// "Not found", twice, with a control, after the patience for it.
fn is_absent(open: &OpenOperation, patience: &Patience) -> bool {
    let is_it = |finding: &StatusFinding| finding.word == Word::NotFound && finding.details.controlled;
    patience.not_found == NotFound::WithControl && twice(open, patience.not_found_minutes, is_it)
}

/// Whether the last finding is so, and an earlier one far enough before it. What was found sooner than `minutes` after the operation
/// was last sent counts for nothing: it may not have arrived by then.
fn twice(open: &OpenOperation, minutes: i64, is_so: impl Fn(&StatusFinding) -> bool) -> bool {
    let counts = |finding: &StatusFinding| is_so(finding) && plan::minutes_between(open.last_sent_at(), finding.at) >= minutes;
    let Some((last, earlier)) = open.findings.split_last() else { return false };
    counts(last) && earlier.iter().any(|finding| counts(finding) && last.at.duration_since(finding.at) >= APART)
}

fn means_cancelled(details: &StatusDetails, patience: &Patience) -> bool {
    let verbatim = details.verbatim.as_deref().unwrap_or_default();
    patience.cancelled_words.iter().any(|word| word.eq_ignore_ascii_case(verbatim))
}

/// Whatever the operation may have made could no longer be paid when DOKU was last asked, and no money for it was on its way.
fn is_dead(state: &BillState, open: &OpenOperation, last: &StatusFinding, patience: &Patience) -> bool {
    let end = match last.word {
        // DOKU itself says that it is over: since when it says so, or since it said so first.
        Word::Expired => {
            let first = open.findings.iter().find(|finding| finding.word == Word::Expired).map(|finding| finding.at);
            [latest_end(state, open), last.details.expires_at, first].into_iter().flatten().min()
        }
        Word::NotFound | Word::Failed => latest_end(state, open),
        Word::Pending | Word::Success | Word::Other => None,
    };
    end.is_some_and(|end| plan::minutes_between(end, last.at) >= patience.grace_minutes)
}

/// The latest instant at which a counter may take money for what the operation may have made; `None` when that is not known.
fn latest_end(state: &BillState, open: &OpenOperation) -> Option<Timestamp> {
    let asked = |minutes: u32| open.last_sent_at().checked_add(SignedDuration::from_mins(i64::from(minutes))).ok();
    let known = state.code.as_ref().and_then(|code| code.answer.expires_at);
    match open.operation {
        OperationKind::Issue => plan::issue_minutes(open.terms.expiry, open.intended_at).and_then(asked),
        OperationKind::Amend => {
            let wanted = match open.terms.expiry {
                Expiry::Minutes(minutes) => asked(minutes),
                Expiry::At(at) => Some(at.max(open.last_sent_at())),
            };
            known.max(wanted)
        }
        OperationKind::Cancel => known,
    }
}

#[cfg(test)]
mod tests;
