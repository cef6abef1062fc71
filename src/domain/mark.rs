//! What can be said of a row before its bill's whole state is looked at: most rows of a file change nothing, and a few bytes show it.
//!
//! Belongs here: the digest of terms, a bill's mark, and what follows from it alone; and what is told of a bill afterwards. Must not be here: any step that does something;
//! those need the state, and [`plan`](super::plan) decides them. What is said here, the plan says too.

use jiff::{SignedDuration, Timestamp};

use super::amount::Amount;
use super::bill::{RecordedTerms, Salt};
use super::channel::Channel;
use super::ids::InvoiceNumber;
use super::lifecycle::{BillState, IssuedCode, OperationKind, Status};
use super::owner::Paid;
use super::plan::Unchanged;

/// The mark does not say the end of a code to the nanosecond; so near to it, the state decides.
const END_NEAR: SignedDuration = SignedDuration::from_secs(1);

/// Stands for terms: the first half of the SHA-256 of their JSON text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermsDigest(pub [u8; 16]);

impl TermsDigest {
    /// The digest of terms as they are recorded.
    ///
    /// # Errors
    /// That they have no text, in words.
    pub fn of(terms: &RecordedTerms) -> Result<Self, String> {
        let text = serde_json::to_string(terms).map_err(|error| error.to_string())?;
        Ok(Self::of_text(&text))
    }

    /// The digest of a text that stands for terms.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let [first, _] = super::digest::halves(&super::digest::of_bytes(text.as_bytes()));
        Self(first)
    }
}

/// A bill in a few bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillMark {
    /// Its status.
    pub status: Status,
    /// Its terms.
    pub terms: TermsDigest,
    /// Whether it may be paid more than once.
    pub reusable: bool,
    /// When its code stops being payable, in whole microseconds (UTC).
    pub expires_at: Option<Timestamp>,
    /// Whether verified payments pay it, and by which of its codes.
    pub paid: Option<Paid>,
    /// Whether nothing is open, nobody holds it, and Check Status was never asked about it: the rest of its state is silent.
    pub is_plain: bool,
    /// The salt of its terms' personal digests, if it is kept.
    pub salt: Option<Salt>,
}

const _: () = assert!(size_of::<BillMark>() <= 64, "a part of a plan holds thousands of marks");

impl BillMark {
    /// The mark of a state that `paid` belongs to.
    ///
    /// # Errors
    /// That its terms have no text, in words.
    pub fn of(state: &BillState, paid: Option<Paid>) -> Result<Self, String> {
        let expires_at = state.code.as_ref().and_then(|code| code.answer.expires_at);
        Ok(Self {
            status: state.status,
            terms: TermsDigest::of(&state.terms)?,
            reusable: state.terms.reusable,
            expires_at: expires_at.map(|at| Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)),
            paid,
            is_plain: state.open.is_none() && state.hold.is_none() && state.checks.is_none(),
            salt: state.salt,
        })
    }

    /// Why a row that wants these terms is left alone, where the mark alone says so.
    #[must_use]
    pub fn leaves_alone(&self, wanted: TermsDigest, now: Timestamp) -> Option<Unchanged> {
        if self.status != Status::Active || !self.is_plain {
            return None;
        }
        match self.paid.filter(|_| !self.reusable) {
            Some(Paid::ByItsCode) => return Some(Unchanged::Paid),
            Some(Paid::ByEarlierCode) => return None,
            None => {}
        }
        let ends_soon = self.expires_at.is_some_and(|at| at.duration_since(now) <= END_NEAR);
        (!ends_soon && self.terms == wanted).then_some(Unchanged::Live)
    }
}

/// A bill and its code, as result files tell of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillWithCode {
    /// The bill.
    pub invoice_number: InvoiceNumber,
    /// Its status.
    pub status: Status,
    /// Where it is to be paid.
    pub channel: Channel,
    /// What is due, in rupiah.
    pub amount: Amount,
    /// The code it holds, or held last.
    pub code: Option<IssuedCode>,
}

impl From<BillState> for BillWithCode {
    fn from(state: BillState) -> Self {
        let BillState { invoice_number, status, terms, code, .. } = state;
        Self { invoice_number, status, channel: terms.channel, amount: terms.amount, code }
    }
}

impl BillWithCode {
    /// The code that a counter takes and that is not being taken back; expired ones count only where they were `just_made`.
    #[must_use]
    pub fn live_code(&self, now: Timestamp, just_made: bool) -> Option<&IssuedCode> {
        let is_live = matches!(self.status, Status::Active | Status::Amending | Status::InDoubt(OperationKind::Amend));
        let has_expired = |code: &IssuedCode| code.answer.expires_at.is_some_and(|expires_at| expires_at <= now);
        self.code.as_ref().filter(|code| is_live && (just_made || !has_expired(code)))
    }
}
