//! What a counter is told about a code: may it take the money now?
//!
//! Belongs here: the decision, from facts. Must not be here: how it is said to DOKU (`doku::inquiry`) and where the facts
//! come from.

use jiff::Timestamp;

use super::channel::{Channel, IssuanceMethod};
use super::lifecycle::Status;

/// What is known of the bill a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts, each named where a rule reads it")]
pub struct InquiryFacts {
    /// Where its code stands.
    pub status: Status,
    /// Who answers for the code: only we, for [`Method::Inquiry`].
    pub method: IssuanceMethod,
    /// Where it may be paid.
    pub channel: Channel,
    /// May it be paid more than once.
    pub reusable: bool,
    /// Whether a payment is known.
    pub paid: bool,
    /// Whether there may be a payment that no disk has taken yet.
    pub unrecorded: bool,
    /// When it stops being payable, if ever.
    pub expires_at: Option<Timestamp>,
    /// Whether money was told of that nobody understood: until a person has looked, none may be added.
    pub held: bool,
}

/// The answer to "may I take money for this code?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InquiryDecision {
    /// Take it.
    Payable,
    /// We know the code and do not want its money now.
    Declined(Why),
    /// It has been paid, and once was all.
    AlreadyPaid,
    /// It was payable once.
    Expired,
    /// No bill has this code.
    NotFound,
}

/// Why a known code is declined; for our own log, the counter is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// DOKU keeps the amount of such a code; asking us is a mistake.
    OtherMethod,
    /// Asked for by another chain than it was made for.
    OtherChannel,
    /// The code was taken back.
    Cancelled,
    /// An operation on it is under way or in doubt, so its terms are not certain.
    Unsettled,
    /// It waits for a person.
    Held,
    /// DOKU told of a payment that no disk has taken yet: it would be forgotten if the power failed now, and known when told again.
    Unrecorded,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::OtherMethod, Self::OtherChannel, Self::Cancelled, Self::Unsettled, Self::Held, Self::Unrecorded];

    /// The name used in the inquiry log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherMethod => "other_method",
            Self::OtherChannel => "other_channel",
            Self::Cancelled => "cancelled",
            Self::Unsettled => "unsettled",
            Self::Held => "held",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// Decides about an inquiry from `channel` at `now`; `None` when no bill has the code.
///
/// A payment comes first, because whoever stands at the counter with a paid code must hear just that. A cancelled code is
/// declined, not unknown: the customer holds a real code and should ask the merchant, not type it again.
#[must_use]
pub fn decide(facts: Option<&InquiryFacts>, channel: Channel, now: Timestamp) -> InquiryDecision {
    let Some(facts) = facts else { return InquiryDecision::NotFound };
    if facts.method != IssuanceMethod::Inquiry {
        return InquiryDecision::Declined(Why::OtherMethod);
    }
    if facts.channel != channel {
        return InquiryDecision::Declined(Why::OtherChannel);
    }
    if facts.paid && !facts.reusable {
        return InquiryDecision::AlreadyPaid;
    }
    if facts.held {
        return InquiryDecision::Declined(Why::Held);
    }
    if facts.unrecorded && !facts.reusable {
        return InquiryDecision::Declined(Why::Unrecorded);
    }
    match facts.status {
        Status::Active if facts.expires_at.is_some_and(|expires_at| expires_at <= now) => InquiryDecision::Expired,
        Status::Active => InquiryDecision::Payable,
        Status::Retired => InquiryDecision::Expired,
        Status::Cancelled => InquiryDecision::Declined(Why::Cancelled),
        Status::Requested | Status::Amending | Status::Cancelling | Status::InDoubt(_) => InquiryDecision::Declined(Why::Unsettled),
        // They have no code.
        Status::Planned | Status::Rejected => InquiryDecision::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::OperationKind;

    const EXPIRES: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The table, written out a second time: rows are statuses, columns (paid, expired): (no, no), (no, yes), (yes, no), (yes, yes).
    #[test]
    fn the_table_of_status_payment_and_expiry() {
        use InquiryDecision::{AlreadyPaid as Paid, Declined, Expired, NotFound as None, Payable};
        let (gone, open) = (Declined(Why::Cancelled), Declined(Why::Unsettled));
        let table = [
            (Status::Planned, [None, None, Paid, Paid]),
            (Status::Requested, [open, open, Paid, Paid]),
            (Status::Active, [Payable, Expired, Paid, Paid]),
            (Status::Amending, [open, open, Paid, Paid]),
            (Status::Cancelling, [open, open, Paid, Paid]),
            (Status::Rejected, [None, None, Paid, Paid]),
            (Status::Cancelled, [gone, gone, Paid, Paid]),
            (Status::Retired, [Expired, Expired, Paid, Paid]),
            (Status::InDoubt(OperationKind::Issue), [open, open, Paid, Paid]),
            (Status::InDoubt(OperationKind::Amend), [open, open, Paid, Paid]),
            (Status::InDoubt(OperationKind::Cancel), [open, open, Paid, Paid]),
        ];
        assert_eq!(table.map(|(status, _)| status), Status::ALL);
        for (status, expected) in table {
            for (column, (paid, late)) in [(false, false), (false, true), (true, false), (true, true)].into_iter().enumerate() {
                let now = if late { at(EXPIRES) } else { at(EXPIRES - 1) };
                let (method, channel, expires_at) = (IssuanceMethod::Inquiry, Channel::Alfa, Some(at(EXPIRES)));
                let facts = InquiryFacts { status, method, channel, reusable: false, paid, unrecorded: false, expires_at, held: false };
                assert_eq!(decide(Some(&facts), Channel::Alfa, now), expected[column], "{facts:?} at {now}");
                // A payment does not close a reusable code: it is as if it were unpaid.
                let reusable = InquiryFacts { reusable: true, ..facts };
                assert_eq!(decide(Some(&reusable), Channel::Alfa, now), expected[column % 2], "{reusable:?} at {now}");
                // Nobody may take money for a held code, whatever else is true of it.
                let held = InquiryDecision::Declined(Why::Held);
                let wanted = if paid { Paid } else { held };
                assert_eq!(decide(Some(&InquiryFacts { held: true, ..facts }), Channel::Alfa, now), wanted, "{facts:?} at {now}");
                assert_eq!(decide(Some(&InquiryFacts { held: true, ..reusable }), Channel::Alfa, now), held, "{reusable:?} at {now}");
                // Money that is on its way to a disk is neither known nor to be taken twice.
                let unrecorded = InquiryFacts { unrecorded: true, ..facts };
                let instead = if paid { Paid } else { Declined(Why::Unrecorded) };
                assert_eq!(decide(Some(&unrecorded), Channel::Alfa, now), instead, "{unrecorded:?} at {now}");
                let reusable = InquiryFacts { unrecorded: true, ..reusable };
                assert_eq!(decide(Some(&reusable), Channel::Alfa, now), expected[column % 2], "{reusable:?} at {now}");
                // Codes that are not ours to answer for, and counters that are not theirs, never get to the table.
                for method in [IssuanceMethod::Doku, IssuanceMethod::Merchant] {
                    let other = InquiryFacts { method, ..facts };
                    assert_eq!(decide(Some(&other), Channel::Alfa, now), Declined(Why::OtherMethod), "{other:?}");
                }
                assert_eq!(decide(Some(&facts), Channel::Indomaret, now), Declined(Why::OtherChannel), "{facts:?}");
            }
        }
    }

    #[test]
    fn a_code_is_payable_until_the_very_instant_of_its_expiry_and_forever_without_one() {
        let facts = InquiryFacts {
            status: Status::Active,
            method: IssuanceMethod::Inquiry,
            channel: Channel::Alfa,
            reusable: false,
            paid: false,
            unrecorded: false,
            expires_at: Some(at(EXPIRES)),
            held: false,
        };
        let before = at(EXPIRES).checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap();
        assert_eq!(decide(Some(&facts), Channel::Alfa, before), InquiryDecision::Payable);
        assert_eq!(decide(Some(&facts), Channel::Alfa, at(EXPIRES)), InquiryDecision::Expired);
        assert_eq!(decide(Some(&InquiryFacts { expires_at: None, ..facts }), Channel::Alfa, Timestamp::MAX), InquiryDecision::Payable);
        assert_eq!(decide(None, Channel::Alfa, at(0)), InquiryDecision::NotFound);
    }
}
