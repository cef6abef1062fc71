//! What Check Status says of a bill's order, kept as evidence of its own kind; and which orders are asked about, and when.
//!
//! Belongs here: the fold of DOKU's words, when a query is due, which payments are one. Must not be here: DOKU's wire, asking.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::bill::Expiry;
use super::channel::{Channel, IssuanceMethod};
use super::digest::{self, Digest};
use super::ids::{InvoiceNumber, PaymentCode, RequestId};
use super::lifecycle::{BillState, IssuedCode, Status};
use super::payment::{self, PaymentContent, Sameness};

/// DOKU's word for where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It knows no such order (yet).
    NotFound,
    /// Waiting for payment.
    Pending,
    /// Paid; final.
    Success,
    /// Past its expiry; final.
    Expired,
    /// Not final, although it sounds so.
    Failed,
    /// A word that says nothing about counters.
    Other,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 6] = [Self::NotFound, Self::Pending, Self::Success, Self::Expired, Self::Failed, Self::Other];

    /// DOKU's word, in any letter case.
    #[must_use]
    pub fn of(status: &str) -> Self {
        match status.to_ascii_uppercase().as_str() {
            "PENDING" => Self::Pending,
            "SUCCESS" => Self::Success,
            "EXPIRED" => Self::Expired,
            "FAILED" => Self::Failed,
            _ => Self::Other,
        }
    }

    /// What it says, as a sentence without a full stop.
    #[must_use]
    pub fn said(self) -> String {
        match self {
            Self::NotFound => "DOKU knows no such order",
            Self::Pending => "the order waits for payment",
            Self::Success => "the order is paid",
            Self::Expired => "the order has expired",
            Self::Failed => "a payment of the order failed, which is not final",
            Self::Other => "the order is in a state that says nothing",
        }
        .to_owned()
    }

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }
}

/// What a status answer said besides its word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetails {
    /// The order's amount in rupiah, if it was readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// When the code stops being payable (UTC), if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// DOKU's word as it stood, where it is none that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<String>,
    /// For "not found": whether the same run had shown that Check Status knows unpaid codes of this channel at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controlled: bool,
}

impl StatusDetails {
    /// Whether it said nothing more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A payment as a status answer tells of it. The answer names no code: that is the asked bill's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPayment {
    /// What makes it this payment and no other, by the same rule as for notifications.
    #[serde(with = "digest::as_hex")]
    pub identity: Digest,
    /// The same for every way of telling of it, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digest::as_hex_or_none")]
    pub canonical: Option<Digest>,
    /// The order it paid.
    pub invoice_number: InvoiceNumber,
    /// The code of that order.
    pub payment_code: PaymentCode,
    /// Where.
    pub channel: Channel,
    /// How much, in rupiah.
    pub amount: Amount,
    /// When, by `transaction.date` (UTC).
    pub paid_at: Timestamp,
    /// The query that told of it; its answer is kept under this id.
    pub request_id: RequestId,
    /// SHA-256 of the answer's body as received.
    #[serde(with = "digest::as_hex")]
    pub answer_digest: Digest,
}

impl FoundPayment {
    /// What tells it from other payments, by the same rule as for notifications.
    #[must_use]
    pub fn sameness(&self) -> Sameness {
        let (code, number) = (self.payment_code.as_str(), self.invoice_number.as_str());
        let facts = PaymentContent { channel: self.channel, code, number, amount: self.amount, paid_at: self.paid_at };
        Sameness::of(self.identity, self.canonical.unwrap_or(self.identity), &facts)
    }

    /// It is called what is known of it by now.
    fn is_called(&mut self, known: &Sameness) {
        if *known != self.sameness() {
            self.identity = known.identity;
            self.canonical = Some(known.canonical).filter(|canonical| *canonical != known.identity);
        }
    }
}

/// A payment found, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPayment {
    /// When DOKU first told of it (UTC).
    pub at: Timestamp,
    /// What it told.
    pub payment: FoundPayment,
}

/// All that Check Status has said of one bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The order that was asked about last.
    pub order: InvoiceNumber,
    /// When (UTC).
    pub at: Timestamp,
    /// What DOKU called it then.
    pub word: Word,
    /// How often the schedule has asked about this order.
    pub count: u32,
    /// Every payment it told of, also of earlier orders of the bill.
    pub found: Vec<StatusPayment>,
}

impl Checks {
    /// The fold: what was said before, and one more answer.
    #[must_use]
    pub fn after(
        before: Option<Box<Self>>,
        order: &InvoiceNumber,
        at: Timestamp,
        word: Word,
        chosen: bool,
        payment: Option<&FoundPayment>,
    ) -> Self {
        let (count, mut found) = match before.map(|before| *before) {
            Some(before) if before.order == *order => (before.count, before.found),
            Some(before) => (0, before.found),
            None => (0, Vec::new()),
        };
        if let Some(payment) = payment {
            let mut known: Vec<Sameness> = found.iter().map(|found| found.payment.sameness()).collect();
            payment::join(&mut known, &[payment.sameness()]);
            if known.len() > found.len() {
                found.push(StatusPayment { at, payment: payment.clone() });
            }
            found.iter_mut().zip(&known).for_each(|(found, known)| found.payment.is_called(known));
        }
        Self { order: order.clone(), at, word, count: count.saturating_add(u32::from(!chosen)), found }
    }

    /// Whether asking about `order` again can tell nothing new.
    fn is_final(&self, order: &InvoiceNumber) -> bool {
        let told = || self.found.iter().any(|found| found.payment.invoice_number == *order);
        self.order == *order && (self.word == Word::Expired || self.word == Word::Success && told())
    }
}

/// When orders are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Minutes after expiry from which a missing notification is remarkable: DOKU's last redelivery and an hour.
    pub first_minutes: i64,
    /// Days after that in which it is asked.
    pub window_days: i64,
    /// Seconds that must have passed since the order was last touched or asked about; DOKU asks for them.
    pub spacing_seconds: i64,
}

const HOURS_A_DAY: i64 = 24;

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether asking about a bill by itself could ever tell anything new: it has a code that DOKU knows, and no final word on it. DOKU
/// holds no order of an inquired code before somebody asks for it at a counter.
#[must_use]
pub fn may_tell(state: &BillState) -> bool {
    let is_final = |code: &IssuedCode| state.checks.as_deref().is_some_and(|checks| checks.is_final(&code.wire_invoice_number));
    state.status == Status::Active
        && state.terms.method != IssuanceMethod::Inquiry
        && state.code.as_ref().is_some_and(|code| !is_final(code))
}

/// When the schedule asks about a bill next; `None`: not by itself. `is_notified`: a notification proves that it is paid.
#[must_use]
pub fn due_at(state: &BillState, is_notified: bool, schedule: &Schedule) -> Option<Timestamp> {
    if is_notified || !may_tell(state) {
        return None;
    }
    let code = state.code.as_ref()?;
    let first = later(ends_at(state)?, SignedDuration::from_mins(schedule.first_minutes));
    let last = later(first, SignedDuration::from_hours(schedule.window_days.saturating_mul(HOURS_A_DAY)));
    let due = match state.checks.as_deref().filter(|checks| checks.order == code.wire_invoice_number) {
        Some(checks) => first.max(later(checks.at, pause(checks.count))),
        None => first,
    };
    (due <= last).then_some(due)
}

/// 1, 2, 4, 8 … days after the schedule's own queries; at once after those a person chose.
fn pause(count: u32) -> SignedDuration {
    let days = count.checked_sub(1).map_or(0, |doublings| 1_i64.checked_shl(doublings).filter(|&days| days > 0).unwrap_or(i64::MAX));
    SignedDuration::from_hours(days.saturating_mul(HOURS_A_DAY).min(i64::from(u32::MAX)))
}

/// When its code stops being payable: DOKU's word, or else what was asked of it; `None` without a code, and for an adopted one of
/// unknown end.
#[must_use]
pub fn ends_at(state: &BillState) -> Option<Timestamp> {
    let code = state.code.as_ref()?;
    code.answer.expires_at.or(match state.terms.expiry {
        Expiry::At(at) => Some(at),
        Expiry::Minutes(0) => None,
        Expiry::Minutes(minutes) => Some(later(code.accepted_at, SignedDuration::from_mins(minutes.into()))),
    })
}

/// From when the order may be asked about at all, whoever wants to know. Adopting a code touches nothing at DOKU.
#[must_use]
pub fn askable_from(state: &BillState, schedule: &Schedule) -> Timestamp {
    let code = state.code.as_ref();
    let issued = code.filter(|code| code.issued_as.is_some()).map(|code| code.accepted_at);
    let amended = code.and_then(|code| code.superseded.last()).map(|superseded| superseded.until);
    let checked = state.checks.as_ref().map(|checks| checks.at);
    let touched = [issued, amended, checked, state.cancelled_at].into_iter().flatten().max();
    touched.map_or(Timestamp::MIN, |at| later(at, SignedDuration::from_secs(schedule.spacing_seconds)))
}

/// The ends of codes up to which bills may be due at `now`.
#[must_use]
pub fn ends_until(now: Timestamp, schedule: &Schedule) -> Timestamp {
    now.checked_sub(SignedDuration::from_mins(schedule.first_minutes)).unwrap_or(Timestamp::MIN)
}

/// Bills that are due, gathered one after another: the longest due first, only so many.
#[derive(Debug)]
pub struct Due<'a> {
    now: Timestamp,
    schedule: &'a Schedule,
    count_max: usize,
    found: BTreeMap<(Timestamp, InvoiceNumber), BillState>,
}

impl<'a> Due<'a> {
    /// None yet, of at most `count_max`.
    #[must_use]
    pub const fn new(now: Timestamp, schedule: &'a Schedule, count_max: usize) -> Self {
        Self { now, schedule, count_max, found: BTreeMap::new() }
    }

    /// Takes the bill if it is due at that time and no notification proves it paid.
    pub fn take(&mut self, state: BillState, is_notified: bool) {
        let Some(at) = due_at(&state, is_notified, self.schedule) else { return };
        if at <= self.now && askable_from(&state, self.schedule) <= self.now {
            self.found.insert((at, state.invoice_number.clone()), state);
            if self.found.len() > self.count_max {
                self.found.pop_last();
            }
        }
    }

    /// Those that were due longest.
    #[must_use]
    pub fn bills(self) -> Vec<BillState> {
        self.found.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
